import { sql, type Database } from '../database.js';
import { KeywayError } from '../errors.js';
import type { Keyring } from '../keyring/keyring.js';
import { parseToken } from '../keyring/token.js';
import { addressAllowed } from './addresses.js';
import type { Permission, Principal } from './principal.js';
import { heldBy, rightsBy, type Held } from './rights.js';

/**
 * Who is behind the Authorization header.
 * @throws UNAUTHENTICATED for every reason alike: no token, an unknown one, one that has ended, a wrong address.
 */
export async function authenticate(
  db: Database,
  keyring: Keyring,
  authorization: string | undefined,
  ip: string | undefined,
): Promise<Principal> {
  const presented = /^Bearer ([!-~]{1,256})$/i.exec(authorization ?? '')?.[1];
  const token = presented === undefined ? undefined : parseToken(presented);
  if (!token) throw new KeywayError('UNAUTHENTICATED');
  const versions = await db.rows<Presented>(presentedToken, { accessKey: token.id });
  const version = versions.find(
    ({ verifier, verifierKeyId }) =>
      verifier &&
      verifierKeyId &&
      keyring.verifies(token.id, token.secret, { verifier, keyId: verifierKeyId }),
  );
  if (!version?.good || !addressAllowed(ip, version.allowedIps)) throw new KeywayError('UNAUTHENTICATED');
  return {
    accountId: version.accountId,
    credentialId: version.credentialId,
    credentialVersion: version.number,
    rights: rightsBy(version.held, version.permissions),
    limits: version.permissions,
    expiresAt: version.expiresAt,
    allowedIps: version.allowedIps,
    mfaRequired: version.mfaRequired,
  };
}

interface Presented {
  credentialId: string;
  accountId: string;
  number: number;
  verifier: Buffer | null;
  verifierKeyId: string | null;
  permissions: Permission[] | null;
  allowedIps: string[];
  mfaRequired: boolean;
  expiresAt: string | null;
  good: boolean;
  held: Held[];
}

// Whether it is good is the database's to say, by its own clock. One statement, since every request pays for it.
const presentedToken = {
  ...sql(`
  SELECT c.id AS "credentialId", c.account_id AS "accountId", v.number, v.verifier,
    v.verifier_key_id AS "verifierKeyId", c.permissions, c.allowed_ips AS "allowedIps", a.mfa_required AS "mfaRequired", c.expires_at AS "expiresAt",
    c.enabled AND c.revoked_at IS NULL AND c.standing = 'KNOWN' AND coalesce(c.expires_at > now(), true)
      AND a.enabled AND a.deleted_at IS NULL AS good,
    (SELECT coalesce(json_agg(held), '[]') FROM (${heldBy('c.account_id')}) held) AS held
  FROM credentials c
  JOIN stores s ON s.id = c.store_id AND s.kind = 'BUILT_IN'
  JOIN accounts a ON a.id = c.account_id
  JOIN credential_versions v ON v.credential_id = c.id
    AND (v.state = 'CURRENT' OR v.state = 'PREVIOUS' AND v.valid_until > now())
  WHERE c.access_key = :accessKey AND c.kind = 'TOKEN' AND c.deleted_at IS NULL`),
  name: 'presented-token',
};
