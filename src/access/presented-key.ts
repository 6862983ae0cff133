import type { Kind } from '../connectors/connector.js';
import type { Keyring } from '../keyring/keyring.js';
import { tokenKinds, type Token } from '../keyring/token.js';
import type { Secret } from '../secret.js';
import type { SignatureScheme } from '../signatures/scheme.js';
import { mostNamesakes } from '../config/limits.js';
import { fault, live, type Fault } from './works.js';

/** A credential with a presented access key, with one of its secrets. */
export interface PresentedKey {
  /** The access key that was asked for. */
  key: string;
  id: string;
  kind: Kind;
  accountId: string;
  accountKind: keyof typeof tokenKinds;
  projectId: string | null;
  /** Why it does not work just now; null where it does. */
  fault: Fault | null;
  allowedIps: string[];
  /** Where the credential that it was derived from may be used. */
  parentIps: string[] | null;
  signatureScheme: SignatureScheme | null;
  mfaAuthenticated: boolean;
  expiresAt: string | null;
  /** What its newest secret begins with. */
  secretPrefix: string | null;
  /** The secret's number; null where none is left. */
  number: number | null;
  previous: boolean;
  verifier: Buffer | null;
  verifierKeyId: string | null;
  sealed: Buffer | null;
}

/**
 * SQL for the credentials with each of `:keys` in the built-in store: a row for each secret that works, or did to the
 * end.
 *
 * A key that nobody has, and one that the caller may not see, cost what a known one costs: the row next to it, up to
 * its `:untils`, is read whole (S25). A user name can be one of several accounts: those that are seen are all read, up
 * to `mostNamesakes`, first those in the project that is asked for, then the oldest. What is not seen comes without its
 * id, and `byKey` lets nothing of it out. `askedFor` makes the lists. The bounds, which every key is within, are for the
 * planner: it then takes the list for short, keeps one plan for all lists, and does not plan again for a millisecond
 * each time.
 * @param seen the condition on a credential `c` for being seen.
 * @param more further columns, each an expression over `c`, `a`, `v` and its name.
 */
export const presentedBy = (seen: string, more: Readonly<Record<string, string>>): string => `
  SELECT asked.key, CASE WHEN s.seen THEN c.id END AS id, ${Object.entries({ ...columns, ...more })
    .map(([name, expression]) => `${expression} AS "${name}"`)
    .join(',\n    ')}
  FROM (
    SELECT key COLLATE "C" AS key, until COLLATE "C" AS until, project
    FROM unnest(CAST(:keys AS text[]), CAST(:untils AS text[]), CAST(:projects AS uuid[])) AS given (key, until, project)
    WHERE key COLLATE "C" > '' AND key COLLATE "C" < U&'\\+10FFFF'
  ) asked
  CROSS JOIN LATERAL (
    (SELECT c.id FROM credentials c
      WHERE c.store_id = (SELECT id FROM stores WHERE kind = 'BUILT_IN')
        AND c.access_key >= asked.key AND c.access_key <= asked.until AND c.deleted_at IS NULL
      ORDER BY c.access_key LIMIT 1)
    UNION
    (SELECT c.id FROM credentials c
      WHERE c.store_id = (SELECT id FROM stores WHERE kind = 'BUILT_IN')
        AND c.access_key = asked.key AND c.deleted_at IS NULL AND (${seen})
      ORDER BY coalesce(c.project_id = asked.project, false) DESC, c.id LIMIT ${mostNamesakes})
  ) near
  JOIN credentials c ON c.id = near.id
  JOIN accounts a ON a.id = c.account_id
  LEFT JOIN credential_versions v ON v.credential_id = c.id
    AND (${live('v')} OR c.revoked_at IS NOT NULL AND (v.verifier IS NOT NULL OR v.password_hash IS NOT NULL))
  CROSS JOIN LATERAL (SELECT c.access_key = asked.key AND (${seen}) AS seen) s`;

/** A key that is looked up, and the project that it is to be in, where one is named. */
export interface AskedKey {
  key: string;
  project?: string | null;
}

/**
 * The lists for `presentedBy`.
 * @param keys looked up beside their neighbours, so that their being known does not show
 * @param spellings other spellings of them, looked up by themselves: those cost little, known or not
 */
export function askedFor(keys: Iterable<AskedKey>, spellings: Iterable<AskedKey> = []) {
  const asked = new Map<string, { key: string; until: string; project: string | null }>();
  const ask = ({ key, project = null }: AskedKey, until: string) =>
    asked.set(JSON.stringify([key, project]), { key, until, project });
  for (const one of spellings) ask(one, one.key);
  for (const one of keys) ask(one, last);
  const all = [...asked.values()];
  return {
    keys: all.map(({ key }) => key),
    untils: all.map(({ until }) => until),
    projects: all.map(({ project }) => project),
  };
}

/** Sorts after every key. */
const last = '\u{10FFFF}';

const columns = {
  kind: 'c.kind',
  accountId: 'c.account_id',
  accountKind: 'a.kind',
  projectId: 'c.project_id',
  fault,
  allowedIps: 'c.allowed_ips',
  parentIps: '(SELECT p.allowed_ips FROM credentials p WHERE p.id = c.parent_id)',
  signatureScheme: 'c.signature_scheme',
  mfaAuthenticated: 'c.mfa_authenticated',
  expiresAt: 'c.expires_at',
  secretPrefix: 'c.secret_prefix',
  number: 'v.number',
  previous: "v.state = 'PREVIOUS'",
  verifier: 'v.verifier',
  verifierKeyId: 'v.verifier_key_id',
  sealed: "CASE WHEN c.kind = 'ACCESS_KEY' THEN v.sealed END",
  // As many bytes as a sealed secret has, where there is none to read: it would show in the time (S25).
  filler: `CASE WHEN c.kind <> 'ACCESS_KEY' OR v.sealed IS NULL THEN decode(repeat('00', 180), 'hex') END`,
};

/** The rows of each key, of those that were seen, each once: the only way to what `presentedBy` reads. */
export function byKey<Row extends { key: string; id: string | null; number: number | null }>(
  rows: readonly Row[],
): Map<string, Row[]> {
  const found = new Map<string, Row[]>();
  for (const row of rows) {
    const before = found.get(row.key) ?? [];
    const isThere = before.some(({ id, number }) => id === row.id && number === row.number);
    if (row.id !== null && !isThere) found.set(row.key, [...before, row]);
  }
  return found;
}

/** The part of a token that fitted, and the version whose it is. */
export interface FittingToken<Version> {
  version: Version;
  proven: Secret;
}

/**
 * The one of these versions whose token this is, letter by letter: prefix, kind and check digits are its own as the
 * secret is. Earlier versions verified the secret alone; of such a token, prefix and kind are held against what the
 * credential has on record. What costs time is done alike for a token that nobody has (S25).
 */
export function fittingToken<Version extends PresentedKey>(
  keyring: Keyring,
  token: Token,
  versions: readonly Version[],
): FittingToken<Version> | undefined {
  const { id, text, secret } = token;
  let fitting: FittingToken<Version> | undefined;
  for (const version of versions.length > 0 ? versions : [undefined]) {
    const { verifier = null, verifierKeyId: keyId = null } = version ?? {};
    const stored = verifier && keyId ? { verifier, keyId } : keyring.unmatched();
    const [whole, part] = [keyring.verifies(id, text, stored), keyring.verifies(id, secret, stored)];
    if (!version || fitting) continue;
    if (whole) fitting = { version, proven: text };
    else if (part && isSpelledFor(token, version)) fitting = { version, proven: secret };
  }
  return fitting;
}

// A rotation may have brought in another prefix than the previous token has.
const isSpelledFor = ({ kind, prefix }: Token, { accountKind, secretPrefix, previous }: PresentedKey) =>
  kind === tokenKinds[accountKind] && (previous || prefix === (secretPrefix ?? ''));
