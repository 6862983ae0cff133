import { badInput, unsupported } from '../../errors.js';
import type { Secret } from '../../secret.js';
import { at, neededAt, textAt, unreadableAnswer } from '../answers.js';
import type { Described, Observed } from '../connector.js';
import { instantAt, instantOf } from '../times.js';

/** What the gateway says of a user. The password is never in it, and where it were it would be left behind here. */
export function observedIn(user: unknown, project: string): Observed {
  const username = neededAt(user, 'username');
  const enabled = at(user, 'enabled');
  return {
    externalId: username,
    scope: project,
    kind: 'PASSWORD',
    name: username,
    accessKey: username,
    fullName: textAt(user, 'fullName'),
    email: textAt(user, 'email'),
    description: textAt(user, 'description'),
    enabled: typeof enabled === 'boolean' ? enabled : undefined,
    allowedIps: textsAt(user, 'ipList'),
    roles: textsAt(user, 'roleNameList'),
    expiresAt: instantAt(user, 'expireDate'),
  };
}

/** A user that is to be made, as it is sent. @throws BAD_USER_INPUT without an address or a full name. */
export function newUser(wanted: Described, username: string, password: Secret): object {
  expectPerson(wanted);
  return { ...membersOf(wanted), username, password: password.expose() };
}

/**
 * A user as the gateway has it, with what is to change, as it is sent: whole. What else is there goes back as it came,
 * read or not: what restricts a user is not to be lifted by the way.
 * @throws BAD_USER_INPUT without an address or a full name; UNSUPPORTED where some of its metadata is secret: that
 * cannot be read, and its mask must not be written back.
 */
export function changedUser(found: unknown, changes: Partial<Described>, password: Secret): object {
  const metadata = at(found, 'metadata') ?? [];
  if (!Array.isArray(metadata)) throw unreadableAnswer();
  if (metadata.some((entry: unknown) => at(entry, 'secret') === true))
    throw unsupported(
      'This credential has secret metadata in its store, which a change from here would lose.',
    );
  const user = { ...(found as object), ...membersOf(changes), password: password.expose() };
  expectPerson({ email: textAt(user, 'email'), fullName: textAt(user, 'fullName') });
  return user;
}

/** What every user has to have. @throws BAD_USER_INPUT for what is said to be none. */
export function expectPerson({ email, fullName }: Partial<Described>): void {
  if (email === null) throw badInput('input.email', 'is required by this store');
  if (fullName === null) throw badInput('input.fullName', 'is required by this store');
}

/** What is given of a user, by the vendor's names. */
const membersOf = (given: Partial<Described>) => {
  const { email, fullName, description, enabled, allowedIps, roles, expiresAt } = given;
  return {
    ...(email !== undefined && { email }),
    ...(fullName !== undefined && { fullName }),
    ...(description !== undefined && { description: description ?? '' }),
    ...(roles && { roleNameList: roles }),
    ...(enabled !== undefined && { enabled }),
    ...(allowedIps && { ipList: allowedIps }),
    // With milliseconds, as the vendor writes it.
    ...(expiresAt !== undefined && { expireDate: instantOf(expiresAt) ?? null }),
  };
};

/** Texts; undefined where nothing is said. That is not none, and neither is what cannot be read: no addresses are any. */
function textsAt(user: unknown, name: string): string[] | undefined {
  const list = at(user, name) ?? undefined;
  if (list === undefined) return undefined;
  if (!Array.isArray(list) || !list.every((one): one is string => typeof one === 'string'))
    throw unreadableAnswer();
  return list;
}
