import { sql, type Sql } from '../database/database.js';
import { keyKinds, type KeyKind } from '../keyring/kek-file.js';
import type { Keyring } from '../keyring/keyring.js';

/** How many rows name a key. */
export interface KeyCount {
  readonly kind: KeyKind;
  readonly id: string;
  readonly rows: number;
}

/** Of what the rows are that name a key, and how many there are. */
export interface NamingRows {
  readonly id: string;
  readonly what: string;
  readonly rows: number;
}

/** What of a verifier or of a hash is of no use any more: its credential has ended, and says at most that it has. */
const ended = `c.deleted_at IS NOT NULL OR c.revoked_at IS NOT NULL OR c.expires_at <= now()
  OR v.state NOT IN ('PENDING', 'CURRENT', 'PREVIOUS')`;

const proofs = (what: string, key: string, kept: string) => `
  SELECT v.${key} AS id, CASE WHEN ${ended} THEN 'secrets of credentials that have ended' ELSE '${what}' END AS what,
    count(*)::integer AS rows
  FROM credential_versions v JOIN credentials c ON c.id = v.credential_id
  WHERE v.${kept} IS NOT NULL AND v.${key} = ANY(CAST(:ids AS text[])) GROUP BY 1, 2`;

const sealedIn = (table: string, what: string) => `
  SELECT kek_id AS id, '${what}' AS what, count(*)::integer AS rows FROM ${table}
  WHERE sealed IS NOT NULL AND kek_id = ANY(CAST(:ids AS text[])) GROUP BY 1`;

/** Of what an earlier version wrote, the key is not known: it counts for each. */
const ofUnknown = (table: string, what: string, key: string, condition: string) => `
  SELECT named.id, '${what}' AS what, count(*)::integer AS rows
  FROM unnest(CAST(:ids AS text[])) AS named (id) JOIN ${table} t ON t.${key} = named.id OR t.${key} IS NULL
  WHERE ${condition} GROUP BY 1`;

const naming = {
  kek: sql(
    [
      sealedIn('credential_versions', 'secrets of credentials'),
      sealedIn('stores', 'connections of stores'),
      sealedIn('mfa_devices', 'second factors'),
      sealedIn('idempotency_keys', 'answers kept under idempotency keys'),
    ].join(' UNION ALL '),
  ),
  verifier: sql(
    [
      proofs('tokens and secret keys', 'verifier_key_id', 'verifier'),
      ofUnknown('mfa_devices', 'accounts with recovery codes', 'recovery_key_id', "t.recovery <> '{}'"),
      ofUnknown(
        'idempotency_keys',
        'answers kept under idempotency keys, for up to 24 hours',
        'verifier_key_id',
        't.expires_at > now()',
      ),
    ].join(' UNION ALL '),
  ),
  pepper: sql(proofs('passwords', 'pepper_id', 'password_hash')),
  // Which epochs there are is told by the first event of each, and not by counting them all.
  audit: sql(`
    SELECT named.id, 'the events of its time' AS what, 1 AS rows FROM unnest(CAST(:ids AS text[])) AS named (id)
    WHERE EXISTS (SELECT FROM audit_events e WHERE e.epoch = named.id)`),
};

/** The rows that name these keys of a kind, those of one thing together; for the audit log, whether there are any. */
export const rowsNaming = (db: Sql, kind: KeyKind, ids: readonly string[]): Promise<NamingRows[]> =>
  ids.length === 0 ? Promise.resolve([]) : db.rows<NamingRows>(naming[kind], { ids });

// By the indexes alone, as this is asked again and again.
const counting = {
  kek: naming.kek,
  verifier: sql(`
    SELECT verifier_key_id AS id, 'rows' AS what, count(*)::integer AS rows FROM credential_versions
    WHERE verifier IS NOT NULL AND verifier_key_id = ANY(CAST(:ids AS text[])) GROUP BY 1`),
  pepper: sql(`
    SELECT pepper_id AS id, 'rows' AS what, count(*)::integer AS rows FROM credential_versions
    WHERE password_hash IS NOT NULL AND pepper_id = ANY(CAST(:ids AS text[])) GROUP BY 1`),
};

/** How many secrets are kept by each key that is older than the current one; nothing is asked of kinds without one. */
export async function countOlder(db: Sql, keyring: Keyring): Promise<KeyCount[]> {
  const counts: KeyCount[] = [];
  for (const kind of keyKinds) {
    const older = keyring.olderIds(kind);
    if (kind === 'audit' || older.length === 0) continue;
    const found = await db.rows<NamingRows>(counting[kind], { ids: older });
    for (const id of older)
      counts.push({
        kind,
        id,
        rows: found.filter((one) => one.id === id).reduce((sum, { rows }) => sum + rows, 0),
      });
  }
  return counts;
}

/** All keys that are at hand, the oldest of a kind first, and how many rows are still to be brought to the current ones. */
export async function keyStandings(db: Sql, keyring: Keyring) {
  const older = await countOlder(db, keyring);
  return keyKinds.flatMap((kind) =>
    keyring.keyIds(kind).map((id) => ({
      kind,
      id,
      isCurrent: id === keyring.currentId(kind),
      left: older.find((one) => one.kind === kind && one.id === id)?.rows ?? null,
    })),
  );
}
