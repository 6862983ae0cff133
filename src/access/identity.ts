import { sql, type Database, type ReadRow } from '../database/database.js';
import type { Part } from '../database/joined.js';
import { KeywayError } from '../errors.js';
import { identify } from './issuers/jwt.js';
import { prefixesOf } from './issuers/pattern.js';
import type { KeySets } from './issuers/key-sets.js';
import type { Identified, Newcomer, Principal } from './principal.js';
import { tenantOf } from '../shares/tenant.js';
import { claimedBy, grantsHeldBy, rightsBy, rolesBy, type Held } from './rights.js';
import { goesOn } from './works.js';
import { instant } from '../time.js';

/** Makes an account for who has none. @returns whether it has an identity by now */
export type Admit = (identified: Identified, newcomer: Newcomer) => Promise<boolean>;

/**
 * Who calls with this JWT: the account that has the identity in it.
 * @param nowMs the time by the clock of the database
 * @param admit asked where nobody has the identity, and the issuer is set up for newcomers
 * @throws UNAUTHENTICATED for every reason alike, UNAVAILABLE where the issuer's keys cannot be had.
 */
export async function authenticateJwt(
  db: Database,
  keySets: KeySets,
  token: string,
  nowMs: number,
  admit?: Admit,
): Promise<Principal> {
  const identified = await identify(token, keySets, nowMs);
  const { statement, parameters } = identityByNow(identified);
  const find = async () =>
    principalOfIdentity(identified, (await db.rows<ReadRow>(statement, parameters))[0]);
  let principal = await find();
  const { newcomer } = identified;
  if (!principal && newcomer && (await admit?.(identified, newcomer))) principal = await find();
  if (!principal) {
    const { issuer, subject } = identified;
    throw new KeywayError('UNAUTHENTICATED', undefined, {
      cause: `no account that may call has the identity of issuer ${JSON.stringify(issuer)} and subject ${JSON.stringify(subject)}`,
    });
  }
  return principal;
}

/** What to ask for the account that this identity calls as, by now. */
export function identityByNow({ issuer, subject, untilMs, roles }: Identified): Part {
  const parameters = { issuer, subject, prefixes: prefixesOf(subject), untilMs };
  return roles.length === 0
    ? { statement: identifiedAccount, parameters }
    : { statement: identifiedWithRoles, parameters: { ...parameters, claimed: claimedBy(roles) } };
}

/**
 * That account, with all that it may do; undefined where there is none that may call, and where the token is taken no
 * longer.
 */
export function principalOfIdentity(identity: Identified, row: ReadRow | undefined): Principal | undefined {
  if (!row) return undefined;
  const account = row as unknown as {
    accountId: string;
    tenantId: string;
    mfaRequired: boolean;
    held: Held[];
  };
  const granted = account.held.filter(({ claimed }) => !claimed);
  return {
    accountId: account.accountId,
    tenantId: account.tenantId,
    credentialId: null,
    credentialVersion: null,
    identity,
    holds: null,
    parentId: null,
    rights: rightsBy(account.held, null),
    roles: rolesBy(account.held),
    granted: { rights: rightsBy(granted, null), roles: rolesBy(granted) },
    limits: null,
    expiresAt: instant(identity.expiresAtMs),
    allowedIps: [],
    mfaRequired: account.mfaRequired,
  };
}

// One statement, since every request pays for it. Whose identity it is, is decided before it is asked whether that account
// may call: what was taken from one account falls to no other.
const identifiedBy = (held: string): string => `
  SELECT a.id AS "accountId", ${tenantOf('a.id')} AS "tenantId", a.mfa_required AS "mfaRequired",
    (SELECT coalesce(json_agg(held), '[]') FROM (${held}) held) AS held
  FROM (
    SELECT found.account_id FROM (
      SELECT i.account_id, NULL AS prefix FROM identities i
      WHERE i.issuer = :issuer AND i.subject = :subject AND NOT i.pattern
      UNION ALL
      SELECT i.account_id, i.prefix FROM identities i
      WHERE i.issuer = :issuer AND i.pattern AND i.prefix = ANY(CAST(:prefixes AS text[]))
        AND CAST(:subject AS text) ~ i.expression
    ) found ORDER BY length(found.prefix) DESC NULLS FIRST LIMIT 1
  ) i JOIN accounts a ON a.id = i.account_id
  WHERE ${goesOn('a')}
    AND clock_timestamp() < to_timestamp(CAST(:untilMs AS double precision) / 1000)`;

const identifiedAccount = { ...sql(identifiedBy(grantsHeldBy('a.id'))), name: 'identified-account' };
const identifiedWithRoles = {
  ...sql(identifiedBy(grantsHeldBy('a.id', true))),
  name: 'identified-with-roles',
};
