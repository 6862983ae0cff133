import { KeywayError } from '../errors.js';
import { nowhere, Permission, type Principal } from './principal.js';

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
  const reach = principal.rights.get(permission) ?? nowhere;
  if (reach.everywhere) return true;
  if (place.accountId && reach.accounts.has(place.accountId)) return true;
  if (place.projectId && reach.projects.has(place.projectId)) return true;
  return place.owner === principal.accountId && ownerMay(principal, permission);
}

/** @throws FORBIDDEN where the principal does not hold the permission at that place. */
export function authorize(principal: Principal, permission: Permission, place: Place): void {
  if (!may(principal, permission, place))
    throw new KeywayError('FORBIDDEN', undefined, { about: place.about });
}

/** Whether the principal may do this to what it owns: its token can be narrowed to less. */
export function ownerMay(principal: Principal, permission: Permission): boolean {
  return owners.has(permission) && (principal.limits === null || principal.limits.includes(permission));
}
