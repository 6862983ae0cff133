import { sql, type Database } from '../database/database.js';
import { KeywayError } from '../errors.js';
import { identify } from './jwt.js';
import type { KeySets } from './key-sets.js';
import type { Principal } from './principal.js';
import { grantsHeldBy, rightsBy, type Held } from './rights.js';
import { goesOn } from './works.js';

/**
 * Who calls with this JWT: the account that has the identity in it.
 * @param nowMs the time by the clock of the database
 * @throws UNAUTHENTICATED for every reason alike, UNAVAILABLE where the issuer's keys cannot be had.
 */
export async function authenticateJwt(
  db: Database,
  keySets: KeySets,
  token: string,
  nowMs: number,
): Promise<Principal> {
  const { issuer, subject } = await identify(token, keySets, nowMs);
  const principal = await principalOf(db, issuer, subject);
  if (!principal)
    throw new KeywayError('UNAUTHENTICATED', undefined, {
      cause: `no account that may call has the identity of issuer ${JSON.stringify(issuer)} and subject ${JSON.stringify(subject)}`,
    });
  return principal;
}

/** The account that this identity calls as, with all that it may do; undefined where there is none that may call. */
export async function principalOf(
  db: Database,
  issuer: string,
  subject: string,
): Promise<Principal | undefined> {
  const [account] = await db.rows<{ accountId: string; mfaRequired: boolean; held: Held[] }>(
    identifiedAccount,
    { issuer, subject },
  );
  if (!account) return undefined;
  return {
    accountId: account.accountId,
    credentialId: null,
    credentialVersion: null,
    holds: null,
    temporary: false,
    rights: rightsBy(account.held, null),
    limits: null,
    expiresAt: null,
    allowedIps: [],
    mfaRequired: account.mfaRequired,
  };
}

// One statement, since every request pays for it.
const identifiedAccount = {
  ...sql(`
  SELECT a.id AS "accountId", a.mfa_required AS "mfaRequired",
    (SELECT coalesce(json_agg(held), '[]') FROM (${grantsHeldBy('a.id')}) held) AS held
  FROM identities i JOIN accounts a ON a.id = i.account_id
  WHERE i.issuer = :issuer AND i.subject = :subject AND ${goesOn('a')}`),
  name: 'identified-account',
};
