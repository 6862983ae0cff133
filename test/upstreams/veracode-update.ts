import type { Answered, Arrived } from './stand-in.js';
import { membersOf } from './members-of.js';
import type { VeracodeSettings } from './veracode-call.js';
import type { VeracodeUser } from './veracode-state.js';

const texts = ['user_name', 'email_address', 'first_name', 'last_name'] as const;
const flags = ['active', 'ip_restricted', 'pin_required', 'saml_user'] as const;
const lists = ['allowed_ip_addresses', 'teams', 'roles', 'permissions'] as const;

/** Changes a user. Without `partial`, what is missing is emptied; without `incremental`, lists are replaced. */
export function updateUser(user: VeracodeUser, request: Arrived, { refuse }: VeracodeSettings): Answered {
  const members = membersOf(request);
  if (!members) return refuse(400, 'The body is not valid.');
  const isPartial = request.query.get('partial') === 'true';
  const isIncremental = request.query.get('incremental') === 'true';
  const changes: Record<string, unknown> = {};
  for (const [names, empty, fits] of [
    [texts, '', (value: unknown) => typeof value === 'string'],
    [flags, false, (value: unknown) => typeof value === 'boolean'],
    [lists, [], (value: unknown) => Array.isArray(value)],
  ] as const)
    for (const name of names) {
      const value = members[name] ?? (isPartial ? user[name] : empty);
      if (!fits(value)) return refuse(400, 'It is of another type.', `/${name}`);
      changes[name] = value;
    }
  if (isIncremental) for (const name of lists) changes[name] = union(user[name], changes[name] as unknown[]);
  Object.assign(user, changes);
  return { status: 200, body: wholly(user) };
}

/** A user in the single form. */
export function wholly(user: VeracodeUser): object {
  const shown: Partial<VeracodeUser> = { ...user };
  delete shown.login_enabled;
  return { ...shown, _links: { self: { href: `/api/authn/v2/users/${user.user_id}` } } };
}

/** Both, without what is there already. */
function union(before: readonly unknown[], more: readonly unknown[]): unknown[] {
  const known = new Set(before.map((one) => JSON.stringify(one)));
  return [...before, ...more.filter((one) => !known.has(JSON.stringify(one)))];
}
