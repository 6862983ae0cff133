import { sql, type ReadRow } from '../database/database.js';
import type { Part } from '../database/joined.js';
import type { Permission, Principal } from './principal.js';
import { addressAllowed } from './addresses.js';
import type { PresentedKey } from './presented-key.js';
import { tenantOf } from '../shares/tenant.js';
import { grantsHeldBy, rightsBy, rolesBy, type Held } from './rights.js';
import { carriedRoles, fault, live, untilNow } from './works.js';

/** A credential of Keyway's own that somebody calls with, by one of its secrets. */
export interface Caller extends CallingCredential, PresentedKey {}

/** What a caller is and may do, as far as its credential tells. */
interface CallingCredential extends Pick<
  PresentedKey,
  | 'id'
  | 'kind'
  | 'accountId'
  | 'fault'
  | 'allowedIps'
  | 'parentIps'
  | 'mfaAuthenticated'
  | 'expiresAt'
  | 'number'
> {
  /** What a token is narrowed to. */
  permissions: Permission[] | null;
  /** What the roles that it carries allow. */
  rolePermissions: Permission[];
  /** The ids of the roles that a key carries. */
  carried: string[];
  tenantId: string;
  mfaRequired: boolean;
  parentId: string | null;
  held: Held[];
}

/** What is asked of a credential `c` of an account `a` that calls, beside what is asked of any that is presented. */
export const callerColumns = {
  permissions: 'c.permissions',
  rolePermissions: `coalesce((SELECT array_agg(DISTINCT p) FROM (SELECT unnest(r.permissions) AS p FROM ${carriedRoles}) each), '{}')`,
  carried: `CASE WHEN c.kind = 'ACCESS_KEY' THEN ARRAY(SELECT CAST(r.id AS text) FROM ${carriedRoles}) ELSE '{}' END`,
  tenantId: tenantOf('c.account_id'),
  mfaRequired: 'a.mfa_required',
  parentId: 'c.parent_id',
  held: `(SELECT coalesce(json_agg(held), '[]') FROM (${grantsHeldBy('c.account_id')}) held)`,
};

/** Who calls with this credential, from this address; undefined where it does not work, or not from there. */
export function principalBy(caller: CallingCredential, ip: string | undefined): Principal | undefined {
  const { fault: hindrance, allowedIps, parentIps, kind } = caller;
  if (hindrance !== null || !addressAllowed(ip, allowedIps) || !addressAllowed(ip, parentIps ?? []))
    return undefined;
  const limits = limitsOf(caller);
  const granted = {
    rights: rightsBy(caller.held, limits),
    roles: rolesBy(caller.held, kind === 'ACCESS_KEY' ? caller.carried : limits && []),
  };
  return {
    accountId: caller.accountId,
    tenantId: caller.tenantId,
    credentialId: caller.id,
    credentialVersion: caller.number ?? 0,
    identity: null,
    holds: kind === 'ACCESS_KEY' ? caller.id : null,
    parentId: caller.parentId,
    ...granted,
    granted,
    limits,
    expiresAt: caller.expiresAt,
    allowedIps,
    mfaRequired: caller.mfaRequired && !caller.mfaAuthenticated,
  };
}

/** What to ask for who calls with this secret of a credential, by now. */
export const callerByNow = (credential: string, number: number): Part => ({
  statement: callingCredential,
  parameters: { caller: credential, number },
});

/** Who that is, from this address; undefined where nobody calls with it any more. */
export const principalOfCaller = (row: ReadRow | undefined, ip: string | undefined): Principal | undefined =>
  row && principalBy(row as unknown as CallingCredential, ip);

/**
 * The permissions that a credential is narrowed to where it calls; null for all that its account has. What a key's roles
 * allow is what it may do where it is presented; Keyway is such a place.
 */
export function limitsOf({
  kind,
  permissions,
  rolePermissions,
}: Pick<CallingCredential, 'kind' | 'permissions' | 'rolePermissions'>): Permission[] | null {
  if (kind !== 'ACCESS_KEY') return permissions;
  const allowed = permissions && new Set(permissions);
  return rolePermissions.filter((permission) => allowed === null || allowed.has(permission));
}

const columns: Record<string, string> = {
  id: 'c.id',
  kind: 'c.kind',
  accountId: 'c.account_id',
  fault,
  allowedIps: 'c.allowed_ips',
  parentIps: '(SELECT p.allowed_ips FROM credentials p WHERE p.id = c.parent_id)',
  mfaAuthenticated: 'c.mfa_authenticated',
  // As the row of another statement has it, also where this one goes as JSON.
  expiresAt: 'CAST(c.expires_at AS text)',
  number: 'v.number',
  ...callerColumns,
};

const callingCredential = {
  ...sql(
    untilNow(`
  SELECT ${Object.entries(columns)
    .map(([name, expression]) => `${expression} AS "${name}"`)
    .join(', ')}
  FROM credentials c JOIN accounts a ON a.id = c.account_id
  JOIN credential_versions v ON v.credential_id = c.id AND v.number = CAST(:number AS integer) AND ${live('v')}
  WHERE c.id = :caller`),
  ),
  name: 'calling-credential',
};
