import type { Answered } from './stand-in.js';

/** A role of an account. */
export interface Role {
  name: string;
  description: string;
  permissions: string[];
  /** Addresses. */
  persons: string[];
  access_groups: string[];
}

/** What the legacy API keeps of an account. */
export interface LegacyState {
  roles: Role[];
  administrators: { id: number; name: string; email: string }[];
  accessGroups: { name: string; title: string; parent: string }[];
}

type Act = (state: LegacyState, parameters: ReadonlyMap<string, string>) => Answered;
type Fault = { status: number; error: string; message: string };

/** What a new account has: the built-in roles, one access group, and one administrator. */
export const newState = (person: { id: number; name: string; email: string }): LegacyState => ({
  roles: [
    {
      name: 'GlobalAdmin',
      description: 'Has every permission',
      permissions: permissions.map(({ name }) => name),
      persons: [person.email],
      access_groups: ['global'],
    },
    {
      name: 'Auditor',
      description: 'May look at computers',
      permissions: ['ViewComputer'],
      persons: [],
      access_groups: ['global'],
    },
  ],
  administrators: [{ id: person.id, name: person.name, email: person.email }],
  accessGroups: [{ name: 'global', title: 'Global access', parent: '' }],
});

/** Answers an action of the legacy API. */
export function act(state: LegacyState, parameters: ReadonlyMap<string, string>): Answered {
  const action = parameters.get('action');
  const version = parameters.get('version');
  if (!action || !version) return failed(missing(action ? 'version' : 'action'));
  if (!['2011-08-01', '2013-11-04'].includes(version))
    return failed(fault(400, 'InvalidParameter', 'version'));
  const found = actions.get(action);
  return found ? found(state, parameters) : failed(fault(400, 'InvalidAction', action));
}

/** An error as both APIs write it: a code and a text. */
export const failed = (...faults: [Fault, ...Fault[]]): Answered => {
  const [{ status, error, message }, ...more] = faults;
  if (more.length === 0) return { status, body: { error, message } };
  const errors = faults.map((one) => ({ error: one.error, message: one.message }));
  return { status: 400, body: { error: 'MultiError', message: 'Several errors', errors } };
};

/** What `failed` takes. */
export const fault = (status: number, error: string, what: string): Fault => ({
  status,
  error,
  message: `${error}: ${what}`,
});

/** A parameter that should be there. */
export const missing = (name: string) => fault(400, 'MissingParameter', name);

const permissions = [
  { name: 'ViewComputer', title: 'View computers', global: false },
  { name: 'ManageComputer', title: 'Manage computers', global: false },
  { name: 'AddAdministrator', title: 'Add administrators', global: true },
];

const done = (body: unknown): Answered => ({ status: 200, body });

/** Of `names.1`, `names.2` and so on, the values in the order of their numbers. */
const listOf = (parameters: ReadonlyMap<string, string>, name: string): string[] =>
  [...parameters]
    .map(([key, value]) => ({ at: Number(new RegExp(`^${name}\\.(\\d+)$`).exec(key)?.[1] ?? NaN), value }))
    .filter(({ at }) => !Number.isNaN(at))
    .sort((one, other) => one.at - other.at)
    .map(({ value }) => value);

const named = <Thing extends { name: string }>(things: Thing[], parameters: ReadonlyMap<string, string>) => {
  const names = listOf(parameters, 'names');
  return names.length === 0 ? things : things.filter(({ name }) => names.includes(name));
};

/** An action on a role that must be there, and may have to be one that is not built in. */
const onRole =
  (
    change: (state: LegacyState, role: Role, parameters: ReadonlyMap<string, string>) => Answered,
    writable = true,
  ): Act =>
  (state, parameters) => {
    const name = parameters.get('name');
    if (!name) return failed(missing('name'));
    const role = state.roles.find((one) => one.name === name);
    if (!role) return failed(fault(404, 'UnknownRole', name));
    if (writable && name === 'GlobalAdmin') return failed(fault(403, 'ReadOnlyRole', name));
    return change(state, role, parameters);
  };

/** Two actions: one adds to a list of a role, the other takes away from it. */
const onList = (
  [list, parameter, code]: ['permissions' | 'persons' | 'access_groups', string, string],
  known: (state: LegacyState) => string[],
): [add: Act, remove: Act] => {
  const change = (next: (now: string[], given: string[]) => string[]): Act =>
    onRole((state, role, parameters) => {
      const given = listOf(parameters, parameter);
      if (given.length === 0) return failed(missing(parameter));
      const unknown = given.filter((one) => !known(state).includes(one));
      if (unknown.length > 0) return failed(fault(404, code, unknown.join()));
      role[list] = next(role[list], given);
      return done(role);
    }, list !== 'persons');
  return [
    change((now, given) => [...new Set([...now, ...given])]),
    change((now, given) => now.filter((one) => !given.includes(one))),
  ];
};

const [addPermissions, removePermissions] = onList(
  ['permissions', 'permissions', 'InvalidRolePermissions'],
  () => permissions.map(({ name }) => name),
);
const [addPersons, removePersons] = onList(
  ['persons', 'persons', 'UnknownPersonEmails'],
  ({ administrators }) => administrators.map(({ email }) => email),
);
const [addGroups, removeGroups] = onList(
  ['access_groups', 'access_groups', 'UnknownAccessGroups'],
  ({ accessGroups }) => accessGroups.map(({ name }) => name),
);

const createRole: Act = ({ roles }, parameters) => {
  const name = parameters.get('name');
  if (!name) return failed(missing('name'));
  if (!/^[A-Za-z][A-Za-z0-9+-]*$/.test(name)) return failed(fault(400, 'InvalidRoleName', name));
  if (roles.some((one) => one.name === name)) return failed(fault(409, 'DuplicateRoleName', name));
  const description = parameters.get('description') ?? '';
  const role: Role = { name, description, permissions: [], persons: [], access_groups: [] };
  roles.push(role);
  return done(role);
};

const createAccessGroup: Act = ({ accessGroups }, parameters) => {
  const title = parameters.get('title') ?? parameters.get('name');
  if (!title) return failed(missing('title'));
  const name = title.toLowerCase().replace(/\W+/g, '-');
  const parent = parameters.get('parent') ?? 'global';
  if (accessGroups.some((one) => one.name === name)) return failed(fault(409, 'DuplicateAccessGroup', name));
  if (!accessGroups.some((one) => one.name === parent))
    return failed(fault(404, 'UnknownAccessGroup', parent));
  const group = { name, title, parent };
  accessGroups.push(group);
  return done(group);
};

const inviteAdministrator: Act = ({ roles, administrators }, parameters) => {
  const [name, email] = [parameters.get('name'), parameters.get('email')];
  if (!name || !email) return failed(missing(name ? 'email' : 'name'));
  const wished = listOf(parameters, 'roles');
  const unknown = wished.filter((one) => !roles.some((role) => role.name === one));
  const [first, ...others] = [
    ...(/^\S+@\S+$/.test(email) ? [] : [fault(400, 'InvalidEmailAddress', email)]),
    ...(unknown.length === 0 ? [] : [fault(404, 'UnknownRole', unknown.join())]),
    ...(administrators.some((one) => one.email === email) ? [fault(409, 'RepeatedInvitation', email)] : []),
  ];
  if (first) return failed(first, ...others);
  const administrator = { id: Math.max(0, ...administrators.map(({ id }) => id)) + 1, name, email };
  administrators.push(administrator);
  for (const role of roles) if (wished.includes(role.name)) role.persons.push(email);
  return done({ ...administrator, roles: wished });
};

const disableAdministrator: Act = (state, parameters) => {
  const email = parameters.get('email');
  if (!email) return failed(missing('email'));
  if (!state.administrators.some((one) => one.email === email))
    return failed(fault(404, 'UnknownUser', email));
  state.administrators = state.administrators.filter((one) => one.email !== email);
  for (const role of state.roles) role.persons = role.persons.filter((one) => one !== email);
  return done('');
};

const actions = new Map<string, Act>(
  Object.entries({
    GetRoles: ({ roles }, parameters) => done(named(roles, parameters)),
    GetPermissions: () => done(permissions),
    GetAccessGroups: ({ accessGroups }, parameters) => done(named(accessGroups, parameters)),
    GetAdministrators: ({ roles, administrators }) =>
      done(
        administrators.map((one) => ({
          ...one,
          roles: roles.filter(({ persons }) => persons.includes(one.email)).map(({ name }) => name),
        })),
      ),
    CreateRole: createRole,
    RemoveRole: onRole((state, role) => {
      state.roles = state.roles.filter((one) => one !== role);
      return done('');
    }),
    AddPermissionsToRole: addPermissions,
    RemovePermissionsFromRole: removePermissions,
    AddPersonsToRole: addPersons,
    RemovePersonsFromRole: removePersons,
    AddAccessGroupsToRole: addGroups,
    RemoveAccessGroupsFromRole: removeGroups,
    CreateAccessGroup: createAccessGroup,
    InviteAdministrator: inviteAdministrator,
    DisableAdministrator: disableAdministrator,
  } satisfies Record<string, Act>),
);
