import { randomUUID } from 'node:crypto';
import type { VeracodeCall, VeracodeRoute, VeracodeSettings } from './veracode-call.js';
import type { VeracodeState, VeracodeUser } from './veracode-state.js';
import type { Answered, Arrived } from './stand-in.js';
import { updateUser, wholly } from './veracode-update.js';

/** Users, and who is calling (docs.veracode.com/r/c_identity_list_users). */
export function userRoutes(settings: VeracodeSettings): VeracodeRoute[] {
  const { state, refuse } = settings;
  const ofUser = (work: (user: VeracodeUser, call: VeracodeCall) => Answered) => (call: VeracodeCall) => {
    const user = state.users.get(call.part);
    return user ? work(user, call) : refuse(404, 'There is no such user.');
  };
  const one = (user: VeracodeUser): Answered => ({ status: 200, body: wholly(user) });
  const administratorsOnly = true;
  return [
    { method: 'GET', path: /^\/users\/self$/, handle: ({ caller }) => one(caller) },
    {
      method: 'GET',
      path: /^\/users$/,
      administratorsOnly,
      handle: ({ request }) => page(request, listed(request.query, [...state.users.values()]), settings),
    },
    {
      method: 'GET',
      path: /^\/users\/search$/,
      administratorsOnly,
      handle: ({ request }) => {
        const found = sought(request.query, [...state.users.values()], state);
        return found ? page(request, found, settings) : refuse(400, 'A parameter is not known here.');
      },
    },
    { method: 'GET', path: /^\/users\/([^/]+)$/, administratorsOnly, handle: ofUser(one) },
    {
      method: 'PUT',
      path: /^\/users\/([^/]+)$/,
      administratorsOnly,
      asksForType: true,
      handle: ofUser((user, { request }) => updateUser(user, request, settings)),
    },
    {
      method: 'GET',
      path: /^\/principal$/,
      // What else it holds is not published. The token makes it a secret.
      handle: ({ caller: { user_id, user_name } }) => ({
        status: 200,
        body: { user_id, user_name, token: randomUUID() },
      }),
    },
    { method: 'GET', path: /^\/healthcheck\/status$/, handle: () => ({ status: 200 }) },
  ];
}

/** Roles, teams, addresses and whether a user is active are in the single form alone. */
const listForm = ({
  user_id,
  user_legacy_id,
  user_name,
  email_address,
  first_name,
  last_name,
  active,
  login_enabled,
}: VeracodeUser) => ({
  login_enabled: login_enabled && active,
  user_id,
  user_legacy_id,
  user_name,
  email_address,
  first_name,
  last_name,
});

function listed(query: URLSearchParams, users: VeracodeUser[]): VeracodeUser[] {
  const name = query.get('user_name');
  const addresses = query.get('email_address')?.split(',');
  const enabled = query.get('enabled');
  return users.filter(
    ({ user_name, email_address, active }) =>
      (name === null || user_name === name) &&
      (enabled === null || active === (enabled === 'true')) &&
      (!addresses || addresses.includes(email_address)),
  );
}

/** The users that fit every parameter; undefined where there is one that this server does not know. */
function sought(
  query: URLSearchParams,
  users: VeracodeUser[],
  { pairOf }: Pick<VeracodeState, 'pairOf'>,
): VeracodeUser[] | undefined {
  const tests: Record<string, (user: VeracodeUser, value: string) => boolean> = {
    page: () => true,
    size: () => true,
    detailed: () => true,
    search_term: ({ user_name, email_address, first_name, last_name }, value) =>
      [user_name, email_address, first_name, last_name].some((text) =>
        text.toLowerCase().includes(value.toLowerCase()),
      ),
    api_id: ({ user_id }, value) => pairOf(value)?.userId === user_id,
    role_id: ({ roles }, value) => roles.some(({ role_id }) => role_id === value),
    team_id: ({ teams }, value) => teams.some(({ team_id }) => team_id === value),
    login_enabled: ({ active, login_enabled }, value) => (active && login_enabled) === (value === 'Yes'),
    saml_user: ({ saml_user }, value) => saml_user === (value === 'Yes'),
    user_type: ({ permissions }, value) =>
      (value === 'api') === permissions.some(({ permission_name }) => permission_name === 'apiUser'),
  };
  const asked = [...query];
  if (asked.some(([name]) => !Object.hasOwn(tests, name))) return undefined;
  return users.filter((user) => asked.every(([name, value]) => tests[name]?.(user, value)));
}

function page(
  { path, query, headers }: Arrived,
  users: VeracodeUser[],
  { refuse }: VeracodeSettings,
): Answered {
  const [number, size] = [Number(query.get('page') ?? 0), Number(query.get('size') ?? 20)];
  if (!Number.isInteger(number) || number < 0) return refuse(400, 'It is out of range.', '/page');
  if (!Number.isInteger(size) || size < 1) return refuse(400, 'It is out of range.', '/size');
  const totalPages = Math.ceil(users.length / size);
  const link = (to: number) => {
    const there = new URLSearchParams(query);
    there.set('page', String(to));
    there.set('size', String(size));
    return { href: `http://${headers.host}${path}?${there}` };
  };
  const shown = users.slice(number * size, (number + 1) * size).map(listForm);
  const body = {
    // Left out where it would be empty.
    ...(shown.length > 0 && { _embedded: { users: shown } }),
    _links: {
      first: link(0),
      ...(number > 0 && { prev: link(number - 1) }),
      self: link(number),
      ...(number + 1 < totalPages && { next: link(number + 1) }),
      last: link(Math.max(0, totalPages - 1)),
    },
    page: { number, size, total_elements: users.length, total_pages: totalPages },
  };
  return { status: 200, body };
}
