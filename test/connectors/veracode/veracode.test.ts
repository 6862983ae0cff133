import type { Connector, Known, Minted, StoreRequest, Upstream } from '../../../src/connectors/connector.js';
import { veracode } from '../../../src/connectors/veracode/veracode.js';
import { Secret } from '../../../src/secret.js';
import type { VeracodePair, VeracodeUser } from '../../upstreams/veracode-state.js';
import { startVeracode, type Veracode, type VeracodeOptions } from '../../upstreams/veracode.js';
import * as make from '../make.js';
import { openUpstream } from '../upstream.js';

const connector = veracode as Required<Connector>;
const wish = { kind: 'ACCESS_KEY', prefix: null, format: null, accessKey: null } as const;
const dayMs = 86_400_000;

let store: Veracode;
let upstream: Upstream;
let nowMs: number;
let user: VeracodeUser;
let pair: VeracodePair;

beforeEach(() => open());
afterEach(() => store.stop());

async function open(options: VeracodeOptions = {}): Promise<void> {
  nowMs = Date.UTC(2025, 2, 1, 9, 30);
  store = await startVeracode({ clockMs: () => nowMs, ...options });
  upstream = opened();
  user = store.addUser({ user_name: 'builds', first_name: 'Build', last_name: 'Machines' });
  pair = store.addPair(user.user_id);
}

async function reopen(options: VeracodeOptions): Promise<void> {
  await store.stop();
  await open(options);
}

const opened = ({
  endpoint = store.url,
  apiId = store.admin.apiId,
  apiKey = store.admin.apiKey,
}: { endpoint?: string; apiId?: string; apiKey?: string } = {}) =>
  openUpstream({
    addresses: { endpoint },
    settings: { apiId },
    secrets: { apiKey },
    now: () => nowMs,
  });

const known = (userId = user.user_id): Known =>
  make.known({ externalId: userId, scope: userId, kind: 'ACCESS_KEY', accessKey: pair.apiId });

const held = ({ apiId, apiKey }: VeracodePair): Minted => {
  const secret = Secret.of(apiKey);
  return { accessKey: apiId, secret, keys: null, proof: secret };
};

const accepts = ({ accessKey, secret }: Minted) => store.accepts(accessKey ?? '', secret?.expose() ?? '');
const rotate = () => connector.rotate(upstream, known(), wish, null);
const present = (scope = user.user_id) => connector.present(upstream, { scope, wish, name: 'any' });

test.each([
  ['<html>not found</html>', { 'content-type': 'text/html' }],
  [{ message: 'no Route matched with those values' }, {}],
])('a 404 that is none of the vendor (%j) does not tell that a pair is gone', async (body, headers) => {
  const strange = () => store.meet({ kind: 'fail', status: 404, headers, body }, { path: /api_credentials/ });
  strange();
  await expect(connector.revoke(upstream, known())).rejects.toMatchObject({ unclear: true });
  strange();
  await expect(connector.find(upstream, known())).rejects.toMatchObject({ fault: 'UPSTREAM_ERROR' });
});

test('lists the pair of each user that has one, page by page, without its key', async () => {
  store.addUser({ user_name: 'without a pair' });
  store.seed(120);
  const parts = await make.partsOf(veracode, upstream);
  expect(parts.map(({ next }) => next)).toEqual(['1', '2', null]);
  expect(parts.some(({ incomplete }) => incomplete)).toBe(false);
  const entries = parts.flatMap((part) => part.entries);
  expect(new Set(entries.map(({ externalId }) => externalId)).size).toBe(122);
  expect(entries.find(({ externalId }) => externalId === user.user_id)).toEqual({
    externalId: user.user_id,
    scope: user.user_id,
    kind: 'ACCESS_KEY',
    name: 'builds',
    accessKey: pair.apiId,
    fullName: 'Build Machines',
    email: user.email_address,
    enabled: true,
    allowedIps: [],
    expiresAt: '2026-03-01T09:30:00.000Z',
    revoked: false,
  });
  expect(JSON.stringify(entries)).not.toContain(pair.apiKey);
  const rest = await make.listed(veracode, upstream, '1');
  expect(rest.map(({ externalId }) => externalId)).toEqual(
    entries.slice(parts[0]?.entries.length).map(({ externalId }) => externalId),
  );
});

test.each([
  ['has no users on it', {}],
  [
    'was there before',
    { _embedded: { users: Array.from({ length: 50 }, (_, n) => ({ user_id: `u${n}` })) } },
  ],
])('ends a listing at a page that %s, whatever the store says of more', async (_, page) => {
  for (const totals of [{ page: { total_pages: 1e12 } }, { page: {} }]) {
    store.clear();
    store.meet({ kind: 'fail', status: 200, body: { ...page, ...totals } }, { path: /\/users\?/ }, 9);
    const parts = await make.partsOf(veracode, upstream);
    expect(parts.length).toBeLessThanOrEqual(2);
    expect(parts.at(-1)).toMatchObject({ entries: [], next: null, incomplete: true });
  }
});

test('goes on past a user whose pair the store does not show, and tells of it', async () => {
  const other = store.addUser();
  store.addPair(other.user_id);
  store.meet({ kind: 'fail', status: 403 }, { path: new RegExp(user.user_id) });
  const [part] = await make.partsOf(veracode, upstream);
  expect(part?.unread).toEqual([user.user_id]);
  expect(part?.entries.map(({ externalId }) => externalId)).toContain(other.user_id);
  store.meet({ kind: 'fail', status: 403 }, { path: /user_id/ }, 9);
  await expect(make.listed(veracode, upstream)).rejects.toMatchObject({ fault: 'FORBIDDEN' });
});

test('asks for paths of its own, whatever links are in the answers', async () => {
  store.seed(60);
  await make.listed(veracode, upstream);
  const paths = store.calls.map(({ target }) => target);
  expect(paths.filter((path) => /\/users\?/.test(path))).toEqual([
    '/api/authn/v2/users?page=0&size=50&detailed=Yes',
    '/api/authn/v2/users?page=1&size=50&detailed=Yes',
  ]);
});

test.each([
  ['is disabled', { active: false }, { enabled: false }],
  [
    'is restricted to addresses',
    { ip_restricted: true, allowed_ip_addresses: ['192.0.2.7'] },
    { allowedIps: ['192.0.2.7'] },
  ],
])('S52: lists a user who %s as such', async (_, change, expected) => {
  Object.assign(user, change);
  const find = async () =>
    (await make.listed(veracode, upstream)).find(({ externalId }) => externalId === user.user_id);
  expect(await find()).toMatchObject(expected);
  // What the list says of sign-in holds, whatever becomes of the rest; of the rest nothing is known then.
  store.meet({ kind: 'fail', status: 403 }, { path: new RegExp(`/users/${user.user_id}`) });
  const found = await find();
  expect(found?.enabled).toBe(user.active);
  expect(found?.allowedIps).toBeUndefined();
});

test.each(['rfc3339', 'offset', 'zone'] as const)('reads times that are spelt as %s', async (dates) => {
  await reopen({ dates });
  expect(await connector.find(upstream, known())).toMatchObject({ expiresAt: '2026-03-01T09:30:00.000Z' });
});

test('finds one with what its user says, and nothing that is gone', async () => {
  user.ip_restricted = true;
  user.allowed_ip_addresses = ['192.0.2.7', '198.51.100.0/24'];
  user.active = false;
  expect(await connector.find(upstream, known())).toMatchObject({
    name: 'builds',
    accessKey: pair.apiId,
    enabled: false,
    allowedIps: ['192.0.2.7', '198.51.100.0/24'],
    revoked: false,
  });
  expect(await connector.find(upstream, known('gone'))).toBeUndefined();
});

test.each([
  [{ ip_restricted: false, allowed_ip_addresses: ['192.0.2.7'] }, []],
  [{ ip_restricted: true, allowed_ip_addresses: [] }, ['unknown']],
  [{ ip_restricted: true, allowed_ip_addresses: '192.0.2.7' }, ['unknown']],
  [{ ip_restricted: true, allowed_ip_addresses: ['192.0.2.7', 5, null] }, ['192.0.2.7']],
  [{}, undefined],
])('S52: reads the addresses that %j allows', async (members, allowedIps) => {
  const body = { user_id: user.user_id, unknown: {}, ...members };
  store.meet({ kind: 'fail', status: 200, body }, { path: /\/users\// });
  const found = await connector.find(upstream, known());
  expect(found?.allowedIps).toEqual(allowedIps);
  expect(found?.name).toBe(user.user_id);
});

test('tells a pair that was revoked from one that will be', async () => {
  await connector.revoke(upstream, known());
  expect(await connector.find(upstream, known())).toMatchObject({ revoked: true });
  await reopen({ showsRevoked: false });
  await connector.revoke(upstream, known());
  expect(await connector.find(upstream, known())).toBeUndefined();
  const ahead = { api_id: pair.apiId, revocation_ts: '2025-03-02 09:30:00 UTC' };
  store.meet({ kind: 'fail', status: 200, body: ahead }, { path: /user_id/ }, 2);
  expect(await connector.find(upstream, known())).toMatchObject({ revoked: false });
  nowMs += dayMs;
  expect(await connector.find(upstream, known())).toMatchObject({ revoked: true });
});

test.each([
  [404, undefined],
  [204, undefined],
  [200, {}],
  [200, { api_id: null, _links: {} }],
])('takes %s with %j for a user without a pair', async (status, body) => {
  store.meet({ kind: 'fail', status, body }, { path: /user_id/ }, 2);
  expect(await connector.find(upstream, known())).toBeUndefined();
  expect(await present()).toEqual([]);
});

test('does not take what is no answer of the store for a user without a pair', async () => {
  for (const body of ['<html>', '[]', '"text"', '', '{"ok":true}', '{"api_id":null,"message":"later"}']) {
    store.meet({ kind: 'fail', status: 200, body }, { path: /user_id/ });
    await expect(connector.find(upstream, known())).rejects.toMatchObject({ fault: 'UPSTREAM_ERROR' });
  }
  store.meet({ kind: 'fail', status: 200, body: '<html>' }, { path: /\/users\?/ });
  await expect(make.listed(veracode, upstream)).rejects.toMatchObject({ fault: 'UPSTREAM_ERROR' });
});

test('knows which pair is there', async () => {
  expect(await present()).toEqual([pair.apiId]);
  expect(await present('gone')).toEqual([]);
});

test('creates a pair for a user that has none, or has none that lives', async () => {
  const bare = store.addUser();
  const { minted, ...place } = await connector.create(upstream, make.wanted({ scope: bare.user_id, wish }));
  expect(place).toEqual({ externalId: bare.user_id, scope: bare.user_id });
  expect(minted).toMatchObject({ expiresAt: '2026-03-01T09:30:00.000Z', proof: minted.secret });
  expect(accepts(minted)).toBe(true);
  await connector.revoke(upstream, known());
  const again = await connector.create(upstream, make.wanted({ scope: user.user_id, wish }));
  expect(accepts(again.minted)).toBe(true);
  expect(store.calls.at(-1)).toMatchObject({ method: 'POST', body: '{}' });
});

test('answers CONFLICT instead of ending the pair that is there', async () => {
  await expect(connector.create(upstream, make.wanted({ scope: user.user_id, wish }))).rejects.toMatchObject({
    code: 'CONFLICT',
    unclear: false,
  });
  expect(accepts(held(pair))).toBe(true);
});

test('is clear about a pair that was not asked for, since what is there could not be read', async () => {
  store.meet({ kind: 'fail', status: 502 }, { method: 'GET' });
  await expect(connector.create(upstream, make.wanted({ scope: user.user_id, wish }))).rejects.toMatchObject({
    fault: 'UPSTREAM_UNAVAILABLE',
    unclear: false,
  });
});

test('creates for a user that must be named and be there', async () => {
  await expect(connector.create(upstream, make.wanted({ scope: null, wish }))).rejects.toMatchObject({
    fields: [{ path: 'input.scope' }],
  });
  await expect(connector.create(upstream, make.wanted({ scope: 'gone', wish }))).rejects.toMatchObject({
    fault: 'NOT_FOUND',
  });
});

test('rotates: the new pair counts, and what becomes of the one before is not promised', async () => {
  const minted = await rotate();
  expect(accepts(minted)).toBe(true);
  expect(accepts(held(pair))).toBe(false);
  await reopen({ oldLives: '24h' });
  expect(accepts(await rotate())).toBe(true);
  expect(accepts(held(pair))).toBe(true);
  expect(veracode.rotation).toEqual({ chosenBy: 'store', previous: 'dies' });
});

test.each(['garbage', 'drop'] as const)(
  'is unclear about a rotation whose answer is lost (%s); what is present tells',
  async (kind) => {
    store.meet({ kind }, { method: 'POST' });
    await expect(rotate()).rejects.toMatchObject({ unclear: true });
    expect(await present()).not.toEqual([pair.apiId]);
  },
);

test.each([{ api_id: 'vera01gi-00' }, { api_secret: 'S' }, { api_id: 'I', api_secret: '' }])(
  'is unclear about a pair that is not whole: %j',
  async (body) => {
    store.meet({ kind: 'fail', status: 201, body }, { method: 'POST' });
    await expect(rotate()).rejects.toMatchObject({ unclear: true });
  },
);

test('revokes and deletes at once, and is content where there is nothing', async () => {
  await connector.revoke(upstream, known());
  expect(accepts(held(pair))).toBe(false);
  await connector.revoke(upstream, known());
  await connector.delete(upstream, known());
  await connector.delete(upstream, known('gone'));
  // That there is none is believed where there is none.
  expect(store.calls.map(({ method }) => method)).toEqual([
    'DELETE',
    ...['DELETE', 'GET'],
    ...['DELETE', 'GET'],
    ...['DELETE', 'GET'],
  ]);
});

test.each([
  [200, '<html>Sign in</html>', { 'content-type': 'text/html' }],
  [200, { ok: true }, {}],
  [200, {}, {}],
  [404, undefined, {}],
])('a pair that works yet was not revoked, whatever says so: %d %j', async (status, body, headers) => {
  store.meet({ kind: 'fail', status, headers, ...(body !== undefined && { body }) }, { method: 'DELETE' });
  await expect(connector.revoke(upstream, known())).rejects.toMatchObject({ unclear: true });
  expect(accepts(held(pair))).toBe(true);
});

test('probes a pair: taken while it signs, with a prefix or without', async () => {
  expect(await connector.probe(upstream, held(pair))).toBe(true);
  const old = store.addPair(user.user_id, { prefixed: false });
  expect(await connector.probe(upstream, held(old))).toBe(true);
  expect(await connector.probe(upstream, held(pair))).toBe(false);
  store.meet({ kind: 'fail', status: 503 });
  await expect(connector.probe(upstream, held(old))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  store.meet({ kind: 'fail', status: 200, body: { message: 'not a user' } });
  await expect(connector.probe(upstream, held(old))).rejects.toMatchObject({ fault: 'UPSTREAM_ERROR' });
});

test('checks whether its pair is taken, and may list', async () => {
  await connector.check(upstream);
  await connector.check(opened({ endpoint: `${store.url}/api/authn/v2/` }));
  const refused = { fault: 'UNAUTHENTICATED', code: 'STORE_REJECTED' };
  await expect(connector.check(opened({ apiKey: pair.apiKey }))).rejects.toMatchObject(refused);
  await expect(connector.check(opened({ apiKey: 'no hexadecimal' }))).rejects.toMatchObject(refused);
  await expect(connector.check(opened({ apiId: '' }))).rejects.toMatchObject(refused);
  const { apiId, apiKey } = pair;
  await expect(connector.check(opened({ apiId, apiKey }))).rejects.toMatchObject({ fault: 'FORBIDDEN' });
});

test.each(['http', 'errors', 'embedded', 'oauth', 'flat'] as const)(
  'reads what is refused in the shape «%s»',
  async (errorShape) => {
    await reopen({ errorShape });
    expect(await connector.find(upstream, known('gone'))).toBeUndefined();
    await connector.delete(upstream, known('gone'));
    await expect(rotateAs('gone')).rejects.toMatchObject({ fault: 'NOT_FOUND', unclear: false });
    await expect(connector.check(opened({ apiKey: pair.apiKey }))).rejects.toMatchObject({
      fault: 'UNAUTHENTICATED',
    });
  },
);

test('keeps the id of the conversation for the log, and nothing else of what the store wrote', async () => {
  const conversation = '00000000-0000-4000-8000-000000000000';
  const body = { http_code: 403, message: `a text with ${pair.apiKey}`, code: 'made up' };
  const headers = { 'x-conversation-id': conversation };
  store.meet({ kind: 'fail', status: 403, headers, body });
  const error = await rotate().catch((one: unknown) => one as Error);
  expect(error).toMatchObject({ message: 'The store does not allow Keyway to do this.' });
  expect('cause' in error && error.cause).toBe(`the store answered 403, ${conversation}`);
});

test('passes on how long the store asks to be left alone, and says how much it may be asked', async () => {
  await reopen({ perMinute: 1 });
  await present();
  await expect(present()).rejects.toMatchObject({ fault: 'RATE_LIMITED', retryAfterMs: 60_000 });
  expect(veracode.budget).toEqual({ limit: 500, windowMs: 60_000 });
});

test('signs every attempt anew', async () => {
  const requests: StoreRequest[] = [];
  const listening: Upstream = {
    ...upstream,
    call: (request) => {
      requests.push(request);
      return upstream.call(request);
    },
  };
  await connector.check(listening);
  const to = { method: 'GET', url: new URL('/x?y=1', store.url), body: undefined };
  for (const { sign } of requests) expect(sign?.(to)['Authorization']).not.toBe(sign?.(to)['Authorization']);
  expect(requests).toHaveLength(2);
});

const rotateAs = (userId: string) => connector.rotate(upstream, known(userId), wish, null);
