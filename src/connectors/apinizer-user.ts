import { badInput, unsupported } from '../errors.js';
import type { Secret } from '../secret.js';
import { at, neededAt, textAt, unreadable } from './answers.js';
import type { Described, Observed } from './connector.js';
import { instantOf } from './times.js';

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
    expiresAt: instantOf(at(user, 'expireDate')),
  };
}

/** A user as it is sent, whole. @throws BAD_USER_INPUT without an address or a full name. */
export function sentOf(described: Omit<Described, 'name' | 'category'>, username: string, password: Secret) {
  const { email, fullName, description, enabled, allowedIps, roles, expiresAt } = described;
  if (email === null) throw badInput('input.email', 'is required by this store');
  if (fullName === null) throw badInput('input.fullName', 'is required by this store');
  return {
    username,
    password: password.expose(),
    email,
    fullName,
    description: description ?? '',
    roleNameList: roles,
    enabled,
    ipList: allowedIps,
    // With milliseconds, as the vendor writes it.
    expireDate: instantOf(expiresAt) ?? null,
  };
}

/**
 * The metadata of a user, which a change would take away unless it is sent again. The older generation has none.
 * @throws UNSUPPORTED where some of it is secret: that cannot be read, and its mask must not be written back.
 */
export function keptMetadataOf(user: unknown): { metadata?: readonly unknown[] } {
  const metadata = at(user, 'metadata') ?? [];
  if (!Array.isArray(metadata)) throw unreadable();
  if (metadata.some((entry: unknown) => at(entry, 'secret') === true))
    throw unsupported(
      'This credential has secret metadata in its store, which a change from here would lose.',
    );
  return metadata.length > 0 ? { metadata } : {};
}

/** Texts; none where nothing is said. What cannot be read is not none: no addresses would mean any address. */
function textsAt(user: unknown, name: string): string[] {
  const list = at(user, name) ?? [];
  if (!Array.isArray(list) || !list.every((one): one is string => typeof one === 'string'))
    throw unreadable();
  return list;
}
