import { randomBytes } from 'node:crypto';
import { act, failed, fault, missing, newState, type LegacyState } from './landscape-legacy.js';
import { claimsOf, isSignedBy, makePair, tokenOf, type Claims, type Pair } from './landscape-proof.js';
import { openStandIn, type Answered, type Arrived, type StandIn } from './stand-in.js';

/** An account that the person belongs to, and what the person has there. */
export interface LandscapeAccount extends LegacyState {
  name: string;
  title: string;
  isDefault: boolean;
  /** Null until the person makes one. */
  pair: Pair | null;
}

/** Who logs in. There is one. */
export interface LandscapePerson {
  id: number;
  name: string;
  email: string;
  /** The name that the person logs in with instead, where a directory knows them by one. */
  identity?: string;
  password: string;
}

/** Everything has a default. */
export interface LandscapeOptions {
  /** The first is the default one. Where no pair is given there is a made-up one; null is none. */
  accounts?: { name: string; title?: string; pair?: Pair | null }[];
  person?: Partial<LandscapePerson>;
  /** Refuses a state-changing call that does not say that it is JSON. */
  strict?: boolean;
  /** How long a token of the REST API lives, unless its login says otherwise. */
  expiryMinutes?: number;
  /** How far from now a signature may be, in seconds. */
  signedWithin?: number;
  /** How the members of a pair are written where there is none. */
  none?: 'null' | 'empty' | 'absent';
  /** What an entry says of where the legacy API is: as in the vendor's example, not where it can be reached. */
  endpoint?: string;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** A server in the place of Landscape. */
export interface Landscape extends StandIn {
  readonly person: LandscapePerson;
  /** By name; one that is taken out is one that the person has left. */
  readonly accounts: Map<string, LandscapeAccount>;
  addAccount(name: string, given?: { title?: string; pair?: Pair | null }): LandscapeAccount;
  /** Each account with its pair, as it is now. */
  pairs(): Map<string, Pair | null>;
  /** Whether this is a pair with which the person gets in now. */
  accepts(accessKey: string, secretKey: string): boolean;
}

type Body = Record<string, unknown>;

const empty: Answered = { status: 200, body: '' };
const unauthorised = failed(fault(401, 'Unauthorised', 'a valid token is needed'));
const invalid = failed(fault(401, 'InvalidCredentials', 'they are of nobody'));

/** Starts a server in the place of Landscape: the REST API at /api/v2, the legacy API at /api/. */
export async function startLandscape(options: LandscapeOptions = {}): Promise<Landscape> {
  const { strict = true, expiryMinutes = 1440, signedWithin = 300, none = 'null', now = Date.now } = options;
  const { endpoint = 'https://localhost:9091/api/' } = options;
  const person = {
    id: 17,
    name: 'Gateway Bot',
    email: 'bot@acme.example',
    password: made(),
    ...options.person,
  };
  const key = made();
  const accounts = new Map<string, LandscapeAccount>();
  const issued = new Map<string, Claims>();
  let url = '';

  const addAccount: Landscape['addAccount'] = (name, { title = `The ${name}`, pair = makePair() } = {}) => {
    const account = { name, title, pair, isDefault: accounts.size === 0, ...newState(person) };
    accounts.set(name, account);
    return account;
  };
  for (const { name, ...given } of options.accounts ?? [{ name: 'acme' }, { name: 'beta' }])
    addAccount(name, given);

  const byName = (name: unknown) => (typeof name === 'string' ? accounts.get(name) : undefined);
  const ownerOf = (accessKey: unknown) =>
    [...accounts.values()].find(({ pair }) => pair?.accessKey === accessKey);
  const issue = (account: string, minutes: unknown = expiryMinutes): string => {
    const iat = Math.floor(now() / 1000);
    const claims = { exp: iat + Number(minutes) * 60, iat, sub: person.email, acc: account, id: person.id };
    const token = tokenOf(claims, key);
    issued.set(token, claims);
    return token;
  };
  const end = (which: (claims: Claims) => boolean): Answered => {
    for (const [token, claims] of issued) if (which(claims)) issued.delete(token);
    return empty;
  };
  const claimed = ({ headers }: Arrived): Claims | undefined => {
    const token = /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
    const claims = claimsOf(token, key);
    return claims && issued.has(token) && claims.exp > now() / 1000 ? claims : undefined;
  };

  const entry = ({ name, title, pair }: LandscapeAccount) => ({
    ...(pair
      ? { access_key: pair.accessKey, secret_key: pair.secretKey }
      : none !== 'absent' && blank(none === 'null' ? null : '')),
    account_name: name,
    account_title: title,
    endpoint,
    exports: [
      `export LANDSCAPE_API_URI='${url}/api/'`,
      `export LANDSCAPE_API_KEY='${pair?.accessKey ?? ''}'`,
      `export LANDSCAPE_API_SECRET='${pair?.secretKey ?? ''}'`,
    ].join('\n'),
  });

  const welcome = (account: string, minutes: unknown): Answered => ({
    status: 200,
    body: {
      accounts: [...accounts.values()].map(({ name, title, isDefault }) =>
        isDefault ? { default: true, name, title } : { name, title },
      ),
      current_account: account,
      email: person.email,
      name: person.name,
      token: issue(account, minutes ?? undefined),
    },
  });

  const login = ({ email, identity, password, account, expiry_minutes: minutes }: Body): Answered => {
    if (typeof password !== 'string') return failed(missing('password'));
    if ((email === undefined) === (identity === undefined)) return failed(missing('email'));
    const isPerson = identity === undefined ? email === person.email : identity === person.identity;
    if (!isPerson || password !== person.password) return invalid;
    const wished = account ?? [...accounts.values()].find(({ isDefault }) => isDefault)?.name;
    const found = byName(wished);
    return found ? welcome(found.name, minutes) : unknownAccount;
  };

  const loginByKey = (body: Body): Answered => {
    for (const name of ['access_key', 'secret_key'])
      if (typeof body[name] !== 'string') return failed(missing(name));
    const owner = ownerOf(body.access_key);
    if (owner?.pair?.secretKey !== body.secret_key || !owner) return invalid;
    return welcome(owner.name, body.expiry_minutes);
  };

  const regenerate = ({ account }: Body, { acc }: Claims): Answered => {
    const found = byName(account ?? acc);
    if (!found) return unknownAccount;
    found.pair = makePair();
    return { status: 200, body: entry(found) };
  };

  const switchAccount = ({ account_name: name }: Body): Answered => {
    if (typeof name !== 'string') return failed(missing('account_name'));
    return accounts.has(name) ? { status: 200, body: { token: issue(name) } } : unknownAccount;
  };

  const invalidate = (path: string, claims: Claims): Answered | undefined => {
    if (path === '/tokens/invalidate-me') return end(({ id }) => id === claims.id);
    if (path === '/tokens/invalidate-account') return end(({ acc }) => acc === claims.acc);
    if (path === '/tokens/invalidate-system') return end(() => true);
    const name = /^\/tokens\/invalidate-system\/account\/([^/]+)$/.exec(path)?.[1];
    return name === undefined ? undefined : end(({ acc }) => acc === decodeURIComponent(name));
  };

  function rest(request: Arrived, path: string): Answered {
    const { method, headers } = request;
    const isJson = /^application\/json\b/.test(headers['content-type'] ?? '');
    if (method !== 'GET' && strict && !isJson)
      return failed(fault(415, 'UnsupportedMediaType', 'JSON is needed'));
    const body = parsed(request.body);
    if (!body) return failed(fault(400, 'InvalidRequest', 'this is no JSON object'));
    const call = `${method} ${path}`;
    if (call === 'POST /login') return login(body);
    if (call === 'POST /login/access-key') return loginByKey(body);
    const claims = claimed(request);
    if (!claims) return unauthorised;
    if (call === 'GET /credentials')
      return { status: 200, body: { credentials: [...accounts.values()].map(entry) } };
    if (call === 'POST /credentials') return regenerate(body, claims);
    if (call === 'POST /switch-account') return switchAccount(body);
    if (call === 'GET /person') return { status: 200, body: profile(person, claims) };
    const ended = method === 'POST' ? invalidate(path, claims) : undefined;
    return ended ?? failed(fault(404, 'NotFound', path));
  }

  function legacy(request: Arrived): Answered {
    const parameters = new Map([...request.query, ...new URLSearchParams(request.body)]);
    const { method, path, headers } = request;
    const claims = claimed(request);
    if (headers.authorization !== undefined) {
      if (path !== '/api/') return failed(fault(404, 'NotFound', path));
      const account = accounts.get(claims?.acc ?? '');
      return account ? act(account, parameters) : unauthorised;
    }
    const owner = ownerOf(parameters.get('access_key_id'));
    if (!owner?.pair) return failed(fault(401, 'AuthFailure', 'the key is of nobody'));
    if (
      !isSignedBy(owner.pair.secretKey, { method, host: headers.host ?? '', path, parameters }) ||
      path !== '/api/'
    )
      return failed(fault(403, 'SignatureDoesNotMatch', 'another one was expected'));
    const seconds = Math.abs(Date.parse(parameters.get('timestamp') ?? '') - now()) / 1000;
    return seconds <= signedWithin
      ? act(owner, parameters)
      : failed(fault(401, 'AuthFailure', 'not of this time'));
  }

  function handle(request: Arrived): Answered {
    const { path } = request;
    if (path.startsWith('/api/v2/')) return rest(request, path.slice('/api/v2'.length));
    if (path === '/api' || path === '/api/') return legacy(request);
    return failed(fault(404, 'NotFound', path));
  }

  const standIn = await openStandIn(handle);
  ({ url } = standIn);
  return {
    ...standIn,
    person,
    accounts,
    addAccount,
    pairs: () => new Map([...accounts].map(([name, { pair }]) => [name, pair])),
    accepts: (accessKey, secretKey) => ownerOf(accessKey)?.pair?.secretKey === secretKey,
  };
}

const made = () => randomBytes(32).toString('base64url');
const blank = <Nothing>(nothing: Nothing) => ({ access_key: nothing, secret_key: nothing });
const unknownAccount = failed(fault(404, 'UnknownAccount', 'the person has no such account'));

const profile = ({ id, name, email }: LandscapePerson, { acc }: Claims) => ({
  id,
  name,
  email,
  identity: null,
  timezone: 'Etc/UTC',
  last_login_time: '2024-01-31T08:07:00Z',
  preferred_account: acc,
});

function parsed(text: string): Body | undefined {
  if (text === '') return {};
  try {
    return Object(JSON.parse(text)) as Body;
  } catch {
    return undefined;
  }
}
