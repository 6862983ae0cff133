import { randomBytes } from 'node:crypto';
import { providers, shownKeys, type Keys } from './seqera-keys.js';
import { faultOfName, fresh, idOf, readSecret, withExternalId, type StoredSecret } from './seqera-secret.js';
import { openTokens, type AccessToken } from './seqera-tokens.js';
import { openStandIn, type Answered, type Arrived, type StandIn } from './stand-in.js';

/** Everything has a default. */
export interface SeqeraOptions {
  /** The access token that is there from the beginning. */
  token?: string;
  /** The workspaces that the token's owner takes part in. */
  workspaces?: string[];
  /** Whether the API is below `/api` alone, and the pages for people at the root, as in installations of one's own. */
  enterprise?: boolean;
  /** Permissions that the token's owner lacks: what changes something is refused with their names. */
  lacking?: string[];
  /** How many calls a token may make within a second; without it, as many as it likes. */
  callsPerSecond?: number;
  /** Answers as servers did before probes: without status, message, lastValidated and keys. */
  older?: boolean;
  /** Answers with the `token` of github, gitea and azurerepos and the `certificate` of k8s, which the API file hides. */
  showsDisputed?: boolean;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** A server in the place of Seqera Platform. */
export interface Seqera extends StandIn {
  /** The access token that is there from the beginning. */
  readonly token: string;
  readonly workspaces: Set<string>;
  /** By id. */
  readonly credentials: Map<string, StoredSecret>;
  /** By access key: each that is valid. */
  readonly tokens: Map<string, AccessToken>;
  /** Whether these, and no others, are the keys that are stored now. */
  accepts(id: string, keys: Keys): boolean;
  /** Adds so many at once, each made up but for what is given; answers with their ids. */
  seed(count: number, given?: (index: number) => Partial<StoredSecret>): string[];
  /** Takes one away behind everybody's back; whether it was there. */
  remove(id: string): boolean;
}

type Act = (request: Arrived, scope: string | undefined, id: string) => Answered;

const nothing: Answered = { status: 204 };
const forbidden: Answered = { status: 403, body: '' };
const hidden: Answered = { status: 403, body: { message: 'Forbidden' } };
const platforms: Record<string, string[]> = {
  'aws-batch': ['aws'],
  'google-batch': ['google'],
  'azure-batch': ['azure', 'azure_entra'],
};

/** Starts a server in the place of Seqera Platform: its credentials, and what tells who is asking. */
export async function startSeqera(options: SeqeraOptions = {}): Promise<Seqera> {
  const {
    workspaces: given = ['4242'],
    callsPerSecond = Infinity,
    older = false,
    showsDisputed = false,
    enterprise = false,
    lacking = [],
  } = options;
  const { token = `tok-${idOf(40)}`, now = Date.now } = options;
  const workspaces = new Set(given);
  const credentials = new Map<string, StoredSecret>();
  let made = 0;
  // Microseconds that are never zero show who reads six digits of a fraction.
  const time = () =>
    new Date(now()).toISOString().replace('Z', `${String((made++ % 999) + 1).padStart(3, '0')}Z`);
  const tokens = openTokens(token, time, bad);
  const recent = new Map<string, number[]>();

  const within = (scope: string | undefined) =>
    [...credentials.values()].filter(({ workspaceId }) => workspaceId === scope);
  const find = (scope: string | undefined, id: string) => {
    const found = credentials.get(id);
    return found?.workspaceId === scope ? found : undefined;
  };
  const isTaken = (scope: string | undefined, name: string, but?: string) =>
    within(scope).some((one) => one.name === name && one.id !== but);

  const shown = (one: StoredSecret) => {
    const { id, name, description, provider, category, lastUsed, dateCreated, lastUpdated } = one;
    const seen = {
      id,
      name,
      description,
      provider,
      category,
      deleted: null,
      lastUsed,
      dateCreated,
      lastUpdated,
    };
    if (older) return seen;
    const { baseUrl, status, message, lastValidated } = one;
    const keys = shownKeys(provider, one.keys, showsDisputed);
    return {
      ...seen,
      baseUrl,
      keys,
      status,
      ...(message && { message }),
      ...(lastValidated && { lastValidated }),
    };
  };

  const create: Act = (request, scope) => {
    const read = readSecret(request);
    if (typeof read === 'string') return bad(read);
    if (isTaken(scope, read.name)) return taken(read.name);
    const at = time();
    const id = idOf(22);
    credentials.set(id, { ...fresh(id, at), workspaceId: scope, ...withExternalId(request, read) });
    return { status: 200, body: { credentialsId: id } };
  };

  const update: Act = (request, scope, id) => {
    const found = find(scope, id);
    if (!found) return hidden;
    const read = readSecret(request, found);
    if (typeof read === 'string') return bad(read);
    if (isTaken(scope, read.name, id)) return taken(read.name);
    Object.assign(found, withExternalId(request, read), { lastUpdated: time() });
    return nothing;
  };

  const remove: Act = ({ query }, scope, id) => {
    const found = find(scope, id);
    if (!found) return hidden;
    if (query.get('checked') === 'true' && found.usedBy.length > 0)
      return { status: 409, body: { credentialsId: id, conflicts: found.usedBy } };
    credentials.delete(id);
    return nothing;
  };

  const describe: Act = (_, scope, id) => {
    const found = find(scope, id);
    if (!found) return hidden;
    const { externalId } = found.keys;
    const setupSnippet = externalId && `{"Condition":{"StringEquals":{"sts:ExternalId":"${externalId}"}}}`;
    return { status: 200, body: { credentials: shown(found), ...(setupSnippet && { setupSnippet }) } };
  };

  const validate: Act = ({ query }, scope, id) => {
    const found = find(scope, id);
    if (!found) return { status: 404, body: { message: `Unknown credentials with id '${id}'` } };
    const force = query.get('force') === 'true';
    if (force && found.status !== 'INVALID')
      return { status: 409, body: { message: 'Only invalid credentials can be forced' } };
    if (!force && found.probe === 'cannot be reached')
      return { status: 200, body: { status: found.status, message: 'timed out', transientError: true } };
    const isRejected = !force && found.probe === 'rejects';
    found.status = isRejected ? 'INVALID' : 'AVAILABLE';
    found.message = isRejected ? 'The provider rejects these keys' : undefined;
    found.lastValidated = time();
    return {
      status: 200,
      body: { status: found.status, message: found.message ?? null, transientError: false },
    };
  };

  const list: Act = ({ query }, scope) => {
    const platform = query.get('platformId');
    const wanted = platform === null ? providers : (platforms[platform] ?? []);
    const found = within(scope).filter(({ provider }) => wanted.includes(provider));
    return { status: 200, body: { credentials: found.map(shown) } };
  };

  const checkName: Act = ({ query }, scope) => {
    const name = query.get('name') ?? '';
    const fault = faultOfName(name);
    return fault ? bad(fault) : isTaken(scope, name) ? taken(name) : nothing;
  };

  // Text for a registered peer, which nobody else can read.
  const encrypted: Act = (_, scope, id) =>
    find(scope, id) ? { status: 200, body: { keys: randomBytes(96).toString('base64') } } : hidden;

  const scoped: [method: string, path: RegExp, act: Act][] = [
    ['GET', /^\/credentials$/, list],
    ['POST', /^\/credentials$/, create],
    ['GET', /^\/credentials\/validate$/, checkName],
    ['GET', /^\/credentials\/([^/]+)$/, describe],
    ['PUT', /^\/credentials\/([^/]+)$/, update],
    ['DELETE', /^\/credentials\/([^/]+)$/, remove],
    ['GET', /^\/credentials\/([^/]+)\/keys$/, encrypted],
    ['POST', /^\/credentials\/([^/]+)\/validate$/, validate],
  ];

  const isTooMany = (key: string): boolean => {
    const at = now();
    const calls = [...(recent.get(key) ?? []).filter((call) => call > at - 1000), at];
    recent.set(key, calls);
    return calls.length > callsPerSecond;
  };

  function handle(request: Arrived): Answered {
    if (enterprise && !request.path.startsWith('/api/'))
      return { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Seqera</html>' };
    const path = request.path.replace(/^\/api(?=\/)/, '');
    if (request.method === 'GET' && path === '/service-info') return { status: 200, body: serviceInfo };
    const bearer = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (!tokens.use(bearer)) return { status: 401, body: '' };
    if (isTooMany(bearer)) return { status: 429, body: '' };
    if (request.method === 'GET' && path === '/user-info') return { status: 200, body: userInfo };
    if (request.method === 'GET' && path === '/orgs')
      return {
        status: 200,
        body: { organizations: [{ orgId: 11, name: 'acme', fullName: 'Acme Ltd' }], totalSize: 1 },
      };
    if (request.method === 'GET' && path === '/orgs/11/workspaces')
      return {
        status: 200,
        body: {
          workspaces: [...workspaces].map((id) => ({
            id: Number(id),
            name: `ws-${id}`,
            fullName: `Workspace ${id}`,
          })),
        },
      };
    if (/^\/tokens(\/|$)/.test(path)) return tokens.handle(request, path) ?? forbidden;
    for (const [method, pattern, act] of scoped) {
      const match = method === request.method ? pattern.exec(path) : null;
      if (!match) continue;
      const scope = request.query.get('workspaceId') ?? undefined;
      if (scope !== undefined && !/^\d{1,19}$/.test(scope)) return bad('Not a workspace id');
      if (scope !== undefined && !workspaces.has(scope)) return forbidden;
      const flags = ['checked', 'force', 'useExternalId'].map((name) => request.query.get(name) ?? 'false');
      if (flags.some((flag) => flag !== 'true' && flag !== 'false')) return bad('Not a boolean');
      if (method !== 'GET' && lacking.length > 0) {
        const names = lacking.map((name) => `"${name}"`).join(', ');
        return { status: 403, body: { message: `Forbidden. Missing permission(s): ${names}` } };
      }
      return act(request, scope, decodeURIComponent(match[1] ?? ''));
    }
    return forbidden;
  }

  return {
    ...(await openStandIn(handle)),
    token,
    workspaces,
    credentials,
    tokens: tokens.valid,
    accepts: (id, keys) => textOf(credentials.get(id)?.keys ?? {}) === textOf(keys) && credentials.has(id),
    seed: (count, give = () => ({})) =>
      Array.from({ length: count }, (_, index) => {
        const given = give(index);
        const id = given.id ?? idOf(22);
        credentials.set(id, { ...fresh(id, time()), ...given });
        return id;
      }),
    remove: (id) => credentials.delete(id),
  };
}

const bad = (text: string): Answered => ({
  status: 400,
  body: { message: `${text} - Error ID: ${idOf(22)}` },
});
const taken = (name: string): Answered => ({
  status: 409,
  body: { message: `A credential with name '${name}' already exists` },
});
const textOf = (keys: Keys) =>
  JSON.stringify(
    Object.entries(keys)
      .filter(([name]) => name !== 'externalId')
      .sort(),
  );

const serviceInfo = {
  serviceInfo: {
    version: '26.1.0',
    apiVersion: '1.187.0',
    commitId: '0000000',
    authTypes: [],
    seqeraCloud: false,
  },
};
const userInfo = {
  user: { id: 7, userName: 'gateway-bot', email: 'bot@acme.example', firstName: 'Gateway', lastName: 'Bot' },
  needConsent: false,
};
