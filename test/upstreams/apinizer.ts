import { randomBytes } from 'node:crypto';
import { readAccess, readPassword, readUser, type Access, type GatewayUser } from './apinizer-user.js';
import {
  listed,
  oauthError,
  refused,
  reportOf,
  stored,
  type Generation,
  type Reason,
} from './apinizer-words.js';
import { openStandIn, type Answered, type Arrived, type StandIn } from './stand-in.js';

/** A credential as the gateway keeps it. What a test may want to change is open to it. */
export interface StoredUser extends GatewayUser {
  project: string;
  access: Access[];
}

/** What somebody may do in all projects. */
export type ApinizerPermission = 'VIEW' | 'MANAGE' | 'DEPLOY_UNDEPLOY';

/** Everything has a default. */
export interface ApinizerOptions {
  generation?: Generation;
  /** The access token that is there from the beginning, and does not end. */
  token?: string;
  /** `admin` is one of them, whether or not it is named. */
  projects?: string[];
  /** Names of roles that exist. */
  roles?: string[];
  /** Where everything is deployed to. */
  environments?: string[];
  /** API proxies and groups of them to which access may be granted. */
  proxies?: string[];
  proxyGroups?: string[];
  /** Who may fetch a token. */
  user?: { name: string; password: string };
  /** How a deployment is reported, but for DELETE, which always reports as the API file says. */
  deployment?: 'pages' | 'file';
  /** How a secret among the metadata is shown: without its value, or as a mask. */
  secretMetadata?: 'withheld' | 'masked';
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** A server in the place of Apinizer. */
export interface Apinizer extends StandIn {
  readonly token: string;
  /** By token: when it ends, in milliseconds since 1970. */
  readonly tokens: Map<string, number>;
  readonly user: { name: string; password: string };
  readonly projects: Set<string>;
  readonly roles: Set<string>;
  readonly permissions: Set<ApinizerPermission>;
  /** By user name. */
  readonly credentials: Map<string, StoredUser>;
  /** Environments that nothing can be deployed to. */
  readonly failing: Set<string>;
  /** Whether the gateway lets this user in now: by what is stored, or by what is live in an environment. */
  accepts(username: string, password: string, environment?: string): boolean;
  /** Adds so many at once, each made up but for what is given, and deploys them; answers with their user names. */
  seed(count: number, given?: (index: number) => Partial<StoredUser>): string[];
  /** Takes one away behind everybody's back; whether it was there. */
  remove(username: string): boolean;
}

type Body = Partial<Record<string, unknown>>;
type Act = (project: string, body: Body, username: string) => Answered;

/** Starts a server in the place of Apinizer: projects, credentials, and access to what they may call. */
export async function startApinizer(options: ApinizerOptions = {}): Promise<Apinizer> {
  const {
    generation = 'current',
    deployment = 'pages',
    secretMetadata = 'withheld',
    now = Date.now,
  } = options;
  const { environments = ['staging', 'production'], proxies = ['Orders'], proxyGroups = ['Shop'] } = options;
  const { token = made(), user = { name: 'gateway', password: made() } } = options;
  const projects = new Set(['admin', ...(options.projects ?? ['Orders'])]);
  const roles = new Set(options.roles ?? ['READER', 'WRITER']);
  const permissions = new Set<ApinizerPermission>(['VIEW', 'MANAGE', 'DEPLOY_UNDEPLOY']);
  const tokens = new Map([[token, Infinity]]);
  const credentials = new Map<string, StoredUser>();
  const failing = new Set<string>();
  let seeded = 0;
  const live = new Map(environments.map((name) => [name, new Map<string, StoredUser>()]));

  const refuse = (reason: Reason, text: string) => refused(generation, reason, text);
  // The admin project shows what is in the others; it is changed where it is.
  const find = (project: string, username: unknown): StoredUser | undefined => {
    const found = credentials.get(String(username));
    return found?.project === project ? found : undefined;
  };
  const unknown = (username: unknown) =>
    refuse('credential', `Credential (username: ${String(username)}) was not found!`);

  const deploy = (username: string, shape = deployment): Answered => {
    const results = environments.map((environment) => {
      const success = !failing.has(environment);
      const now = credentials.get(username);
      if (success && now) live.get(environment)?.set(username, { ...now });
      if (success && !now) live.get(environment)?.delete(username);
      return { environment, success };
    });
    return stored(generation, reportOf(shape, results));
  };

  const shown = (one: StoredUser) => {
    const { email, fullName, description, username, roleNameList, enabled, ipList, expireDate, metadata } =
      one;
    const seen = { email, fullName, description, username, password: null };
    const rest = { roleNameList, enabled, ipList, expireDate };
    if (generation === 'older') return { ...seen, ...rest };
    const withoutSecrets = metadata.map(({ value, ...entry }) => ({
      ...entry,
      ...(entry.secret ? secretMetadata === 'masked' && { value: '***' } : { value }),
    }));
    return { ...seen, ...rest, metadata: withoutSecrets };
  };

  const list: Act = (project) =>
    listed(
      generation,
      [...credentials.values()].filter((one) => project === 'admin' || one.project === project).map(shown),
    );

  const create: Act = (project, body) => {
    const read = readUser(body, roles);
    if (typeof read === 'string') return refuse('input', read);
    if (credentials.has(read.username))
      return refuse(
        'duplicate',
        'This username is already used by another credential. User names are unique over all projects!',
      );
    credentials.set(read.username, { ...read, project, access: [] });
    return deploy(read.username);
  };

  const update: Act = (project, body) => {
    const read = readUser(body, roles);
    if (typeof read === 'string') return refuse('input', read);
    const found = find(project, read.username);
    if (!found) return unknown(read.username);
    const { project: home, access } = found;
    credentials.set(read.username, { ...read, project: home, access });
    return deploy(read.username);
  };

  const changePassword: Act = (project, body, username) => {
    const found = find(project, username);
    if (!found) return unknown(username);
    const read = readPassword(body);
    if (typeof read === 'string') return refuse('input', read);
    Object.assign(found, read);
    return deploy(username);
  };

  const remove: Act = (project, _, username) => {
    if (!find(project, username)) return unknown(username);
    credentials.delete(username);
    return deploy(username, 'file');
  };

  const showAccess: Act = (project, _, username) => {
    const found = find(project, username);
    return found ? listed(generation, found.access) : unknown(username);
  };

  const grant: Act = (project, body, username) => {
    const found = find(project, username);
    if (!found) return unknown(username);
    const wished = readAccess(body);
    if (typeof wished === 'string') return refuse('input', wished);
    for (const one of wished) {
      const known = one.type === 'API_PROXY' ? proxies : proxyGroups;
      if (!known.includes(one.name)) return refuse('input', `${wordOf(one)} is not found`);
      if (found.access.some((other) => isSame(one, other)))
        return refuse('input', `Credential (username:${username}) has already access to ${wordOf(one)}!`);
    }
    found.access = [...found.access, ...wished];
    return deploy(username);
  };

  const revoke: Act = (project, body, username) => {
    const found = find(project, username);
    if (!found) return unknown(username);
    const wished = readAccess(body);
    if (typeof wished === 'string') return refuse('input', wished);
    found.access = found.access.filter((one) => !wished.some((other) => isSame(one, other)));
    return deploy(username);
  };

  const calls: [method: string, path: RegExp, act: Act][] = [
    ['GET', all, list],
    ['POST', all, create],
    ['PUT', all, update],
    ['PATCH', single, changePassword],
    ['DELETE', single, remove],
    ['GET', access, showAccess],
    ['PUT', access, grant],
    ['DELETE', access, revoke],
  ];

  const faultOfToken = ({ authorization }: Arrived['headers']): Answered | undefined => {
    const bearer = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1];
    if (bearer === undefined) return refuse('token', 'Empty Key! There is no token in the request.');
    const ends = tokens.get(bearer);
    if (ends === undefined) return refuse('token', 'Token is not valid!');
    return ends <= now() ? refuse('token', 'Token was expired!') : undefined;
  };

  const fetchToken = (form: URLSearchParams): Answered => {
    if (form.get('grant_type') !== 'client_credentials')
      return oauthError(400, 'unsupported_grant_type', 'Grant type must be client_credentials');
    if (form.get('client_id') !== user.name || form.get('client_secret') !== user.password)
      return oauthError(401, 'unauthorized_client', 'User name or password is wrong');
    const fetched = made();
    tokens.set(fetched, now() + 3_600_000);
    return { status: 200, body: { access_token: fetched, token_type: 'Bearer', expires_in: 3600 } };
  };

  function handle({ method, path, headers, body }: Arrived): Answered {
    if (method === 'POST' && /^\/apiops\/auth\/token\/?$/.test(path))
      return fetchToken(new URLSearchParams(body));
    const fault = faultOfToken(headers);
    if (fault) return fault;
    const isRead = method === 'GET';
    const isAllowed = isRead
      ? permissions.has('VIEW')
      : permissions.has('MANAGE') && permissions.has('DEPLOY_UNDEPLOY');
    const denied = refuse('permission', 'User does not have required permission to do this!');
    if (isRead && path === '/apiops/projects/')
      return isAllowed ? listed(generation, [...projects].map(projectOf)) : denied;
    for (const [wanted, pattern, act] of calls) {
      const match = method === wanted ? pattern.exec(path) : null;
      if (!match) continue;
      const [project = '', username = ''] = match.slice(1).map(decodeURIComponent);
      if (!projects.has(project))
        return refuse(
          'project',
          isRead
            ? `Project(${project}) was not found or user does not have privilege to access it!`
            : `Project (${project}) is not found!`,
        );
      if (!isAllowed) return denied;
      const sent = parsed(body);
      return sent ? act(project, sent, username) : refuse('input', 'The body is no JSON object!');
    }
    return { status: 404, body: '' };
  }

  const isOpen = (one: StoredUser | undefined, password: string) =>
    one?.password === password &&
    one.enabled &&
    (one.expireDate === null || Date.parse(one.expireDate) > now());

  return {
    ...(await openStandIn(handle)),
    token,
    tokens,
    user,
    projects,
    roles,
    permissions,
    credentials,
    failing,
    accepts: (username, password, environment) =>
      isOpen((environment === undefined ? credentials : live.get(environment))?.get(username), password),
    seed: (count, give = () => ({})) =>
      Array.from({ length: count }, (_, index) => {
        const one = { ...fresh(seeded++), ...give(index) };
        credentials.set(one.username, one);
        deploy(one.username);
        return one.username;
      }),
    remove: (username) => {
      for (const users of live.values()) users.delete(username);
      return credentials.delete(username);
    },
  };
}

const made = () => randomBytes(24).toString('base64url');
const all = /^\/apiops\/projects\/([^/]+)\/credentials\/$/;
const single = /^\/apiops\/projects\/([^/]+)\/credentials\/([^/]+)\/$/;
const access = /^\/apiops\/projects\/([^/]+)\/credentials\/([^/]+)\/access\/$/;
const isSame = (one: Access, other: Access) => one.name === other.name && one.type === other.type;
const wordOf = ({ name, type }: Access) => `API Proxy${type === 'API_PROXY' ? '' : ' Group'} (name:${name})`;

const projectOf = (name: string, index: number) => ({
  id: `project-${index + 1}`,
  name,
  description: '',
  relativePath: `/${encodeURIComponent(name)}`,
  enableRelativePath: false,
  tags: [],
});

const fresh = (index: number): StoredUser => ({
  username: `user-${index}`,
  password: `made-up-${index}`,
  email: `user-${index}@example.com`,
  fullName: `User ${index}`,
  description: '',
  roleNameList: [],
  enabled: true,
  ipList: [],
  expireDate: null,
  metadata: [],
  project: 'Orders',
  access: [],
});

function parsed(text: string): Body | undefined {
  if (text === '') return {};
  try {
    return Object(JSON.parse(text)) as Body;
  } catch {
    return undefined;
  }
}
