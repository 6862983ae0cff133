import { sql, type Parameters as Given, type Sql, type Statement } from '../database/database.js';
import { forbidden } from '../errors.js';
import { withinRanges } from './addresses.js';
import { callerColumns, limitsOf } from './caller.js';
import { instantMs } from '../time.js';
import { givesByHome, homesOf, may } from './authorize.js';
import { nowhere, Permission, type Principal } from './principal.js';
import { covers, grantsOf, heldByEach, rightsBy, isNoWider, rolesBy, type Held } from './rights.js';

/** What lets its bearer act as an account: a token, or an identity elsewhere. */
export interface ActingAs {
  accountId: string;
  /** What it is narrowed to; null where it may do all that the account may. */
  permissions: readonly Permission[] | null;
  /** Where it may be used from; empty for anywhere. */
  allowedIps: readonly string[];
}

/**
 * Nobody gives or is shown what may do more than they may themselves. For one's own account, that is what the token is
 * narrowed to that one calls with, and where it may be used from.
 * @param db the transaction at hand, where there is one: it may hold the only connection.
 * @param known the grants of that account, where they were read already
 * @throws FORBIDDEN
 */
export async function authorizeActing(
  principal: Principal,
  as: ActingAs,
  db: Sql,
  known?: readonly Held[],
): Promise<void> {
  const held = known ?? (await grantsOf(db, as.accountId));
  if (!covers(principal.rights, rightsBy(held, as.permissions)))
    throw forbidden(
      'This may do more than you may: you can make, change or take only what may do no more than you.',
    );
  if (as.accountId === principal.accountId) expectNarrower(principal, as);
  await expectGiven(principal, held, as, db);
}

/**
 * Whoever holds a role may give it on, also one that allows nothing in Keyway and so is no part of its rights; and whoever
 * has a scope of a store may create in it.
 * @throws FORBIDDEN for one that is not the principal's as well.
 */
async function expectGiven(
  principal: Principal,
  held: readonly Held[],
  { accountId, permissions }: ActingAs,
  db: Sql,
): Promise<void> {
  const rights = rightsBy(held, permissions);
  if (!giving.some((permission) => rights.has(permission))) return;
  const meant = held.filter((grant) => grant.permissions.length === 0);
  const others = [...rolesBy(meant, permissions && [])].filter(
    ([id, reach]) => !isNoWider(reach, principal.roles.get(id) ?? nowhere),
  );
  const ids = others.map(([id]) => id);
  const homes = ids.length > 0 ? await homesOf(db, ids) : [];
  if (!homes.every((role) => givesByHome(principal, role))) throw forbidden(givesMore);
  if (permissions !== null || !rights.has(Permission.CREDENTIAL_CREATE)) return;
  const me = principal.limits === null ? principal.accountId : null;
  for (const place of await db.rows<{ accountId: string }>(scopesBesides, { account: accountId, me }))
    if (!may(principal, Permission.STORE_MANAGE, place)) throw forbidden(givesMore);
}

const givesMore =
  'This may give a role, or create in a scope of a store, that is not yours: you can make or take only what may do no more than you.';

/** The accounts of the stores of which an account has scopes that another one has not. */
const scopesBesides = sql(`
  SELECT DISTINCT s.account_id AS "accountId" FROM scope_grants g JOIN stores s ON s.id = g.store_id
  WHERE g.account_id = :account AND s.deleted_at IS NULL AND NOT EXISTS (
    SELECT FROM scope_grants m
    WHERE m.account_id = CAST(:me AS uuid) AND m.store_id = g.store_id AND m.scope = g.scope)`);

/** What it takes to give a role to anything. */
const giving = [Permission.CREDENTIAL_CREATE, Permission.CREDENTIAL_UPDATE, Permission.ROLE_MANAGE];

/** @throws FORBIDDEN for what would act as oneself with more permissions, or from elsewhere. */
function expectNarrower(principal: Principal, as: Pick<ActingAs, 'permissions' | 'allowedIps'>): void {
  if (principal.limits && !as.permissions?.every((permission) => principal.limits?.includes(permission)))
    throw forbidden(
      'What acts as your account may have no more permissions than the token that you call with.',
    );
  if (!withinRanges(as.allowedIps, principal.allowedIps))
    throw forbidden(
      'What acts as your account may be used from no more addresses than the token that you call with.',
    );
}

/**
 * What somebody makes to act as oneself ends no later than what one calls with, whatever that is: a token of Keyway's or
 * of an issuer's, a pair. What has no end, such as an identity, is for another account to give.
 * @param end when it ends; null for what does not.
 * @throws FORBIDDEN
 */
export function authorizeEnd(principal: Principal, accountId: string, end: string | null): void {
  if (accountId !== principal.accountId || principal.expiresAt === null) return;
  if (end === null || instantMs(end) > instantMs(principal.expiresAt))
    throw forbidden(
      'What acts as your account must end no later than the token, key or identity that you call with.',
    );
}

/**
 * What comes to act as oneself, or to do more, without a secret of it being made, is such as one could make oneself: a
 * key whose role gains permissions, a token that is enabled. Call it when that is done, in its transaction.
 * @param own a statement by `ownWhere`
 * @param given what it is given, besides the caller
 * @throws FORBIDDEN
 */
export async function authorizeOwn(
  principal: Principal,
  own: Statement,
  given: Given,
  db: Sql,
): Promise<void> {
  expectOwn(principal, await db.rows<Own>(own, { ...given, me: principal.accountId }));
}

/**
 * The same of what is known to act as the caller.
 * @throws FORBIDDEN
 */
export function expectOwn(principal: Principal, acting: readonly Own[]): void {
  const { accountId: me, parentId } = principal;
  for (const one of acting) {
    const permissions = limitsOf(one);
    if (one.kind === 'ACCESS_KEY' && permissions?.length === 0) continue;
    if (parentId !== null)
      throw forbidden(
        'A temporary credential cannot let others act as its account, or do more: call with a permanent one.',
      );
    expectNarrower(principal, { permissions, allowedIps: one.allowedIps });
    authorizeEnd(principal, me, one.expiresAt);
  }
}

/**
 * A key that becomes another account's calls as that account: whoever bears it may do then what the account may, as far
 * as the roles of the key allow. The caller is one who may do all of that.
 * @param keys ids of credentials, of any kind
 * @throws FORBIDDEN
 */
export async function authorizeBearing(
  principal: Principal,
  keys: readonly string[],
  accountId: string,
  db: Sql,
): Promise<void> {
  const bearing = (await db.rows<Own>(keysThatCall, { keys }))
    .map((key) => ({ ...key, permissions: limitsOf(key) }))
    .filter(({ permissions }) => permissions?.length !== 0);
  if (bearing.length === 0) return;
  const permissions = [...new Set(bearing.flatMap((key) => key.permissions ?? []))];
  await authorizeActing(principal, { accountId, permissions, allowedIps: principal.allowedIps }, db);
  if (accountId !== principal.accountId) return;
  for (const key of bearing) {
    expectNarrower(principal, key);
    authorizeEnd(principal, accountId, key.expiresAt);
  }
}

/**
 * A key may do what its roles allow, wherever its account may. So who adds to a role lets no key of others do more, as
 * the account that it is of, than they may themselves: also what that account may elsewhere. Those of one's own account
 * are for `authorizeOwn`.
 * @param added what the role allows by now and did not before; the caller holds the row of the role
 * @throws FORBIDDEN
 */
export async function authorizeKeysWith(
  principal: Principal,
  role: string,
  added: readonly Permission[],
  db: Sql,
): Promise<void> {
  if (added.every((permission) => principal.rights.get(permission)?.everywhere)) return;
  const keys = await db.rows<KeyWith>(keysWithRole, { role, me: principal.accountId });
  if (keys.length === 0) return;
  const ids = [...new Set(keys.map(({ accountId }) => accountId))];
  const held = await db.rows<Held & { of: string }>(heldByEach, { ids });
  for (const { accountId, permissions } of keys) {
    const gained = permissions === null ? added : added.filter((one) => permissions.includes(one));
    const grants = held.filter(({ of }) => of === accountId);
    if (!covers(principal.rights, rightsBy(grants, gained)))
      throw forbidden(
        'A key of another account carries the role, and could do more by this, as that account, than you may yourself.',
      );
  }
}

/**
 * What an account owns of others works while it does: who enables the owner lets tokens and keys act again, each as the
 * account that it is of, and may do all that they may. Those of the caller's own account are for `authorizeOwn`.
 * @throws FORBIDDEN
 */
export async function authorizeOwnedToAct(principal: Principal, owner: string, db: Sql): Promise<void> {
  const acting = await db.rows<Own & { accountId: string }>(actingOwned, { owner, me: principal.accountId });
  if (acting.length === 0) return;
  const ids = [...new Set(acting.map(({ accountId }) => accountId))];
  const held = await db.rows<Held & { of: string }>(heldByEach, { ids });
  for (const one of acting) {
    const grants = held.filter(({ of }) => of === one.accountId);
    if (!covers(principal.rights, rightsBy(grants, limitsOf(one))))
      throw forbidden('The account owns a token or key of another account that may do more than you may.');
  }
}

/** A key that carries a role, as far as it decides what that lets it do. */
interface KeyWith {
  accountId: string;
  /** What it is narrowed to besides; null where it is not. */
  permissions: Permission[] | null;
}

/** A credential that acts as the account that it is of. */
export type Own = Parameters<typeof limitsOf>[0] & { allowedIps: string[]; expiresAt: string | null };

const columnsOfActing = `c.kind, c.permissions, ${callerColumns.rolePermissions} AS "rolePermissions",
    c.allowed_ips AS "allowedIps", c.expires_at AS "expiresAt"`;
const hasNotEnded = `c.kind IN ('TOKEN', 'ACCESS_KEY')
    AND c.store_id = (SELECT id FROM stores WHERE kind = 'BUILT_IN')
    AND c.deleted_at IS NULL AND c.revoked_at IS NULL AND coalesce(c.expires_at, 'infinity') > now()`;

/**
 * SQL for what acts as the caller `:me` of those credentials `c`. Those of other accounts, and those that have ended, are
 * left out.
 */
export const ownWhere = (which: string): string => `
  SELECT DISTINCT ${columnsOfActing} FROM credentials c
  WHERE c.account_id = :me AND ${hasNotEnded}
    AND (${which})`;

const keysThatCall = sql(`
  SELECT DISTINCT c.kind, c.permissions, ${callerColumns.rolePermissions} AS "rolePermissions",
    c.allowed_ips AS "allowedIps", c.expires_at AS "expiresAt"
  FROM credentials c
  WHERE c.id = ANY(CAST(:keys AS uuid[])) AND c.kind = 'ACCESS_KEY'
    AND c.store_id = (SELECT id FROM stores WHERE kind = 'BUILT_IN')
    AND c.revoked_at IS NULL AND coalesce(c.expires_at, 'infinity') > now()`);

const keysWithRole = sql(`
  SELECT DISTINCT c.account_id AS "accountId", c.permissions
  FROM credential_roles cr JOIN credentials c ON c.id = cr.credential_id
  WHERE cr.role_id = :role AND c.account_id <> :me AND c.kind = 'ACCESS_KEY'
    AND c.store_id = (SELECT id FROM stores WHERE kind = 'BUILT_IN')
    AND c.deleted_at IS NULL AND c.revoked_at IS NULL AND coalesce(c.expires_at, 'infinity') > now()`);

const actingOwned = sql(`
  SELECT DISTINCT c.account_id AS "accountId", ${columnsOfActing} FROM credentials c
  WHERE c.owner_id = :owner AND c.account_id NOT IN (:owner, :me) AND ${hasNotEnded}`);

/** For `authorizeOwn`: the credential `:id`. */
export const ownById = sql(ownWhere('c.id = :id'));
