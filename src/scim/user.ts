import { longestName } from '../config/limits.js';
import { encodeId } from '../ids.js';
import { truthOf } from './filter-sql.js';
import { unfit } from './refusal.js';
import {
  emailOf,
  hasAttribute,
  isMembers,
  lineOf,
  lineOrNothing,
  longestIdentifier,
  attributeOf,
  type Members,
} from './values.js';

export const userSchema = 'urn:ietf:params:scim:schemas:core:2.0:User';

/** What Keyway keeps of what an identity provider says of a person; all else that it says is dropped. */
export interface Person {
  userName: string;
  externalId: string | null;
  /** The title of the account. */
  displayName: string;
  givenName: string | null;
  familyName: string | null;
  /** Of those that are given the primary one, one for work, or the first. */
  email: string | null;
  active: boolean;
}

/** A person as it is kept. */
export interface FoundUser extends Person {
  /** The account, by UUID. */
  id: string;
  created: string;
  lastModified: string;
  /** Another one with every change. */
  version: string;
}

/** A resource, as it is answered with. */
export type Resource = Readonly<Record<string, unknown>>;

/**
 * The person that a whole resource describes. Who somebody is, and whether they may come in, changes only where the resource
 * says so: what is left out of one that replaces another may stay as it was (RFC 7644, section 3.5.1).
 * @param before whom it replaces
 * @throws ScimRefusal invalidValue
 */
export function personIn(body: Members, before?: Person): Person {
  const userName = lineOf('userName', attributeOf(body, 'username'));
  const name = attributeOf(body, 'name');
  const names: Members = isMembers(name) ? name : {};
  const givenName = lineOrNothing('name.givenName', attributeOf(names, 'givenname'));
  const familyName = lineOrNothing('name.familyName', attributeOf(names, 'familyname'));
  const whole = [givenName, familyName].filter((part) => part !== null).join(' ');
  const said = lineOrNothing('displayName', attributeOf(body, 'displayname'));
  const formatted = lineOrNothing('name.formatted', attributeOf(names, 'formatted'));
  return {
    userName,
    externalId: hasAttribute(body, 'externalid')
      ? lineOrNothing('externalId', attributeOf(body, 'externalid'), longestIdentifier)
      : (before?.externalId ?? null),
    displayName: said ?? formatted ?? (whole || userName).slice(0, longestName),
    givenName,
    familyName,
    email: emailOf(emailIn(attributeOf(body, 'emails'))),
    active: activeOf(attributeOf(body, 'active') ?? before?.active ?? true),
  };
}

/** @throws ScimRefusal invalidValue */
export function activeOf(value: unknown): boolean {
  const active = truthOf(value);
  if (active === undefined) throw unfit('invalidValue', 'active must be true or false.');
  return active;
}

/** Of several addresses that which is the primary, one for work, or the first. */
export function emailIn(emails: unknown): unknown {
  if (!Array.isArray(emails)) return emails;
  const all = (emails as unknown[]).filter(isMembers);
  return all.find(isPrimary) ?? all.find(isForWork) ?? all[0];
}

/** Whether an address is to take the place of another one. */
export const isMainEmail = (email: unknown): boolean =>
  !isMembers(email) || isPrimary(email) || isForWork(email);

const isPrimary = (email: Members): boolean => truthOf(attributeOf(email, 'primary')) === true;
function isForWork(email: Members): boolean {
  const type = attributeOf(email, 'type');
  return typeof type !== 'string' || type.toLowerCase() === 'work';
}

/** @param base what addresses begin with, before `/Users` */
export function userResource(user: FoundUser, base: string): Resource {
  const id = encodeId('Account', user.id);
  const { givenName, familyName } = user;
  const name = { ...(givenName !== null && { givenName }), ...(familyName !== null && { familyName }) };
  return {
    schemas: [userSchema],
    id,
    ...(user.externalId !== null && { externalId: user.externalId }),
    userName: user.userName,
    displayName: user.displayName,
    ...(Object.keys(name).length > 0 && { name }),
    ...(user.email !== null && { emails: [{ value: user.email, type: 'work', primary: true }] }),
    active: user.active,
    meta: metaOf('User', `${base}/Users/${id}`, user),
  };
}

/** What SCIM says of every resource. */
export const metaOf = (
  resourceType: 'User' | 'Group',
  location: string,
  { created, lastModified, version }: Pick<FoundUser, 'created' | 'lastModified' | 'version'>,
): object => ({ resourceType, created, lastModified, location, version: etagOf(version) });

/** A version as a weak ETag. */
export const etagOf = (version: string): string => `W/"${version}"`;
