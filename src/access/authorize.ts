import { sql, type Sql } from '../database/database.js';
import { KeywayError } from '../errors.js';
import { nowhere, Permission, type Principal, type Reach } from './principal.js';

/** Where something is: what decides who may do what to it. Left out all, it is everywhere's. */
export interface Place {
  accountId?: string | null | undefined;
  projectId?: string | null | undefined;
  /** The account that owns it, where owners have rights of their own. */
  owner?: string | null | undefined;
  /** What is there, for the record of a refusal. */
  about?: NonNullable<KeywayError['about']>;
}

/** What an account may do to what it owns. */
export const owners: ReadonlySet<Permission> = new Set([
  Permission.CREDENTIAL_READ,
  Permission.CREDENTIAL_ROTATE,
  Permission.CREDENTIAL_REVOKE,
]);

/** Whether the principal holds the permission at that place. */
export function may(principal: Principal, permission: Permission, place: Place): boolean {
  if (reaches(principal.rights.get(permission), place)) return true;
  return place.owner === principal.accountId && ownerMay(principal, permission);
}

/** Whether what is held there, and there alone, is held at that place. */
export function reaches(held: Reach | undefined, place: Pick<Place, 'accountId' | 'projectId'>): boolean {
  const reach = held ?? nowhere;
  if (reach.everywhere) return true;
  if (place.accountId && reach.accounts.has(place.accountId)) return true;
  return Boolean(place.projectId && reach.projects.has(place.projectId));
}

/** @throws FORBIDDEN where the principal does not hold the permission at that place. */
export function authorize(principal: Principal, permission: Permission, place: Place): void {
  if (!may(principal, permission, place))
    throw new KeywayError('FORBIDDEN', undefined, { about: place.about });
}

/**
 * Decides of a deletion that is repeated, whose first answer is known: what was deleted is no place any more where a right
 * could be held, and who deleted it may have lost theirs with it. So it is asked what the caller's token or key is narrowed
 * to; what the answer shows besides is shown by the caller's rights as they are by now.
 * @throws FORBIDDEN for one that leaves less than the permission
 */
export function authorizeRepeated({ limits }: Pick<Principal, 'limits'>, permission: Permission): void {
  if (limits !== null && !limits.includes(permission)) throw new KeywayError('FORBIDDEN');
}

/** Whether the principal may do this to what it owns: its token can be narrowed to less. */
export function ownerMay(principal: Principal, permission: Permission): boolean {
  return owners.has(permission) && (principal.limits === null || principal.limits.includes(permission));
}

/** A role, as far as it decides who gives it: where it lives. */
export interface Homed {
  id: string;
  /** Keyway's own: it stands for its permissions, and for nothing that a service or a vendor means by its name. */
  builtIn: boolean;
  /** The account whose role it is: for that and what is below. Null for a store's, and for one that is for all. */
  accountId: string | null;
  /** The store whose role it is, and the account of that. */
  storeId: string | null;
  storeAccountId: string | null;
}

/**
 * Whether the principal may give this role to what is at that place. Who runs its home may, and who holds it there: that
 * is asked also of a role without permissions, which means something to the services and vendors that look at it.
 */
export const mayGive = (principal: Principal, role: Homed, place: Place): boolean =>
  givesByHome(principal, role) || reaches(principal.roles.get(role.id), place);

/** Whether the principal may give this role wherever it can be used. */
export function givesByHome(
  principal: Principal,
  { builtIn, accountId, storeId, storeAccountId }: Homed,
): boolean {
  if (builtIn) return true;
  if (storeId !== null) return may(principal, Permission.STORE_MANAGE, { accountId: storeAccountId });
  return may(principal, Permission.ROLE_GIVE, { accountId });
}

/** Where these roles live. */
export const homesOf = (db: Sql, ids: readonly string[]): Promise<Homed[]> => db.rows<Homed>(homes, { ids });

const homes = sql(`
  SELECT r.id, r.built_in AS "builtIn", r.account_id AS "accountId", r.store_id AS "storeId",
    s.account_id AS "storeAccountId"
  FROM roles r LEFT JOIN stores s ON s.id = r.store_id WHERE r.id = ANY(CAST(:ids AS uuid[]))`);
