import type { Filter } from './filter.js';
import type { Operation } from './patch.js';
import { unfit } from './refusal.js';
import { activeOf, emailIn, isMainEmail, type Person } from './user.js';
import { emailOf, isMembers, lineOf, lineOrNothing, longestIdentifier, attributeOf } from './values.js';

/**
 * Attributes of users that Keyway does not keep: what is done to them changes nothing (RFC 7643, section 4.1), since identity
 * providers send them unasked.
 */
const dropped: ReadonlySet<string> = new Set([
  ...['schemas', 'nickname', 'profileurl', 'title', 'usertype', 'preferredlanguage', 'locale', 'timezone'],
  ...['password', 'phonenumbers', 'ims', 'photos', 'addresses', 'entitlements', 'roles', 'x509certificates'],
]);

/** What an identity provider cannot change. */
const readOnly: ReadonlySet<string> = new Set(['id', 'meta', 'groups']);

/**
 * A person after these operations.
 * @throws ScimRefusal invalidPath for an attribute that no user has, mutability for one that cannot be changed, invalidValue
 */
export function patched(person: Person, operations: readonly Operation[]): Person {
  const next = { ...person };
  for (const operation of operations) apply(next, operation);
  return next;
}

function apply(person: Person, operation: Operation): void {
  const { op, attribute, part, filter } = operation;
  const value = op === 'remove' ? undefined : operation.value;
  if (dropped.has(attribute)) return;
  if (readOnly.has(attribute)) {
    // Okta repeats the id in the value of an operation without a path.
    if (attribute === 'id' && op === 'replace') return;
    throw unfit('mutability', 'The path leads to an attribute that cannot be changed.');
  }
  if (attribute === 'name') return applyName(person, part, value);
  if (attribute === 'emails') return applyEmail(person, operation, value);
  if (part !== undefined || filter) throw unfit('invalidPath', 'The path leads to nothing that a user has.');
  if (attribute === 'username') person.userName = lineOf('userName', value);
  else if (attribute === 'externalid')
    person.externalId = lineOrNothing('externalId', value, longestIdentifier);
  else if (attribute === 'displayname')
    person.displayName = lineOrNothing('displayName', value) ?? person.userName;
  else if (attribute === 'active') person.active = activeOf(value);
  else throw unfit('invalidPath', 'The path leads to nothing that a user has.');
}

function applyName(person: Person, part: string | undefined, value: unknown): void {
  if (part === 'givenname') person.givenName = lineOrNothing('name.givenName', value);
  else if (part === 'familyname') person.familyName = lineOrNothing('name.familyName', value);
  else if (part === undefined) {
    const members = isMembers(value) ? value : {};
    for (const one of ['givenname', 'familyname']) {
      const given = attributeOf(members, one);
      if (value === undefined || given !== undefined) applyName(person, one, given);
    }
  }
}

/** One address is kept, as the primary one, for work: what is said of others changes nothing. */
function applyEmail(person: Person, { op, filter, part }: Operation, value: unknown): void {
  if (filter && !isAboutKept(filter, person.email)) return;
  if (part !== undefined && part !== 'value') return;
  const email = part === 'value' ? value : emailIn(value);
  // None, or a further one, such as that of the home.
  if (op === 'add' && (email === undefined || (person.email !== null && !isMainEmail(email)))) return;
  person.email = emailOf(email);
}

function isAboutKept(filter: Filter, email: string | null): boolean {
  if (filter.is === 'and') return filter.all.every((one) => isAboutKept(one, email));
  if (filter.is === 'or') return filter.all.some((one) => isAboutKept(one, email));
  if (filter.is === 'not') return !isAboutKept(filter.of, email);
  if (filter.is !== 'eq') throw unfit('invalidPath', 'The path compares by what is not known here.');
  const { attribute, value } = filter;
  const text = String(value).toLowerCase();
  if (attribute === 'type') return text === 'work';
  if (attribute === 'primary') return text === 'true';
  return attribute === 'value' && text === email?.toLowerCase();
}
