import type { Connector, StoreRequest, Upstream } from '../../../src/connectors/connector.js';
import { landscape } from '../../../src/connectors/landscape/landscape.js';
import { Secret } from '../../../src/secret.js';
import { startLandscape, type Landscape } from '../../upstreams/landscape.js';
import * as make from '../make.js';
import { openUpstream } from '../upstream.js';

const connector = landscape as Required<Connector>;

let store: Landscape;
let upstream: Upstream;

beforeEach(async () => {
  store = await startLandscape({
    accounts: [
      { name: 'acme', title: 'Acme Ltd' },
      { name: 'bare', title: 'Bare Ltd', pair: null },
    ],
  });
  upstream = byPassword();
});
afterEach(() => store.stop());

const byPassword = (settings: Upstream['settings'] = {}) =>
  openUpstream({
    addresses: { endpoint: store.url },
    settings: { email: store.person.email, ...settings },
    secrets: { password: store.person.password },
  });

const known = (account: string) => make.known({ externalId: account, scope: account, kind: 'ACCESS_KEY' });
const wish = { kind: 'ACCESS_KEY', prefix: null, format: null, accessKey: null } as const;
const wanted = (scope: string | null) => make.wanted({ scope, wish });
const pairOf = (account: string) => store.pairs().get(account);

const listed = () => make.listed(landscape, upstream);

test('lists a credential for each account that has a pair, without its secret', async () => {
  const entries = await listed();
  expect(entries).toEqual([
    {
      externalId: 'acme',
      scope: 'acme',
      kind: 'ACCESS_KEY',
      name: 'Acme Ltd',
      accessKey: pairOf('acme')?.accessKey,
      readable: true,
    },
  ]);
  expect(JSON.stringify(entries)).not.toContain(pairOf('acme')?.secretKey);
});

test.each(['null', 'empty', 'absent'] as const)('reads a pair that is %s as none', async (none) => {
  await store.stop();
  store = await startLandscape({ accounts: [{ name: 'bare', pair: null }], none });
  upstream = byPassword();
  expect(await listed()).toEqual([]);
  expect(await connector.find(upstream, known('bare'))).toBeUndefined();
  expect(await connector.present(upstream, { scope: 'bare', wish, name: 'api' })).toEqual([]);
  expect(await connector.reveal(upstream, known('bare'), null)).toBeUndefined();
});

test('finds one, and knows which key is there', async () => {
  expect(await connector.find(upstream, known('acme'))).toMatchObject({
    externalId: 'acme',
    name: 'Acme Ltd',
  });
  expect(await connector.find(upstream, known('left'))).toBeUndefined();
  expect(await connector.present(upstream, { scope: 'acme', wish, name: 'api' })).toEqual([
    pairOf('acme')?.accessKey,
  ]);
});

test('creates a pair where there is none', async () => {
  const { externalId, scope, minted } = await connector.create(upstream, wanted('bare'));
  expect({ externalId, scope }).toEqual({ externalId: 'bare', scope: 'bare' });
  expect(minted.accessKey).toBe(pairOf('bare')?.accessKey);
  expect(minted.secret?.expose()).toBe(pairOf('bare')?.secretKey);
  expect(minted.proof).toBe(minted.secret);
});

test('answers CONFLICT instead of ending the pair that is there', async () => {
  const before = pairOf('acme');
  await expect(connector.create(upstream, wanted('acme'))).rejects.toMatchObject({
    fault: 'CONFLICT',
    unclear: false,
  });
  expect(pairOf('acme')).toEqual(before);
});

test('answers NOT_FOUND for an account that the person has not', async () => {
  await expect(connector.create(upstream, wanted('other'))).rejects.toMatchObject({ fault: 'NOT_FOUND' });
});

test('creates in the account of the connection where none is named, or in the only one', async () => {
  await expect(connector.create(upstream, wanted(null))).rejects.toMatchObject({
    code: 'BAD_USER_INPUT',
    fields: [{ path: 'input.scope' }],
  });
  await expect(connector.create(byPassword({ account: 'bare' }), wanted(null))).resolves.toMatchObject({
    scope: 'bare',
  });
  store.accounts.delete('acme');
  store.accounts.clear();
  store.addAccount('only', { pair: null });
  await expect(connector.create(byPassword(), wanted(null))).resolves.toMatchObject({ scope: 'only' });
});

test('rotates: the new pair counts, the one before is dead', async () => {
  const before = pairOf('acme');
  const minted = await connector.rotate(upstream, known('acme'), wish, null);
  expect(store.accepts(minted.accessKey ?? '', minted.secret?.expose() ?? '')).toBe(true);
  expect(store.accepts(before?.accessKey ?? '', before?.secretKey ?? '')).toBe(false);
  expect(store.calls.at(-1)).toMatchObject({ method: 'POST', body: '{"account":"acme"}' });
});

test('is unclear about a rotation whose answer cannot be read or was lost; what is present tells', async () => {
  for (const kind of ['garbage', 'drop'] as const) {
    const at = { scope: 'acme', wish, name: 'api' };
    const [before] = await connector.present(upstream, at);
    store.meet({ kind }, { method: 'POST', path: /\/credentials$/ });
    await expect(connector.rotate(upstream, known('acme'), wish, null)).rejects.toMatchObject({
      unclear: true,
    });
    const [after] = await connector.present(upstream, at);
    expect(after).not.toBe(before);
    expect(await connector.reveal(upstream, known('acme'), null)).toMatchObject({ accessKey: after });
  }
});

test('is clear about a rotation that broke off at the login', async () => {
  store.meet({ kind: 'fail', status: 502, body: '<html>bad gateway</html>' }, { path: /login/ });
  await expect(connector.rotate(upstream, known('acme'), wish, null)).rejects.toMatchObject({
    fault: 'UPSTREAM_UNAVAILABLE',
    unclear: false,
  });
});

test('reveals the secret as it is now', async () => {
  const minted = await connector.reveal(upstream, known('acme'), null);
  expect(minted?.secret?.expose()).toBe(pairOf('acme')?.secretKey);
});

test('probes a pair by logging in with it', async () => {
  const { accessKey, secretKey } = pairOf('acme') ?? { accessKey: '', secretKey: '' };
  const minted = { accessKey, secret: Secret.of(secretKey), keys: null, proof: null };
  expect(await connector.probe(upstream, minted)).toBe(true);
  expect(await connector.probe(upstream, { ...minted, secret: Secret.of('another') })).toBe(false);
  expect(await connector.probe(upstream, { ...minted, secret: null })).toBe(false);
  store.meet({ kind: 'fail', status: 502, body: '' });
  await expect(connector.probe(upstream, minted)).rejects.toMatchObject({ fault: 'UPSTREAM_UNAVAILABLE' });
});

test('logs in once, and once more when the token does not count any more', async () => {
  const logins = () => store.calls.filter(({ path }) => path.includes('/login')).length;
  await listed();
  await listed();
  expect(logins()).toBe(1);
  const refused = { kind: 'fail', status: 401, body: { error: 'Unauthorised', message: 'expired' } } as const;
  store.meet(refused, { path: /credentials/ });
  expect(await listed()).toHaveLength(1);
  expect(logins()).toBe(2);
  store.meet(refused, { path: /credentials/ }, 2);
  await expect(listed()).rejects.toMatchObject({ fault: 'UNAUTHENTICATED', code: 'STORE_REJECTED' });
});

test('logs in with a pair, with a token, and as a person of a directory', async () => {
  const { accessKey, secretKey } = pairOf('acme') ?? { accessKey: '', secretKey: '' };
  const addresses = { endpoint: store.url };
  await connector.check(openUpstream({ addresses, settings: { accessKey }, secrets: { secretKey } }));
  expect(store.calls.at(-2)?.path).toBe('/api/v2/login/access-key');
  const jwt = store.calls.at(-1)?.headers.authorization?.replace('Bearer ', '') ?? '';
  await connector.check(openUpstream({ addresses, secrets: { jwt } }));
  await expect(connector.check(openUpstream({ addresses }))).rejects.toMatchObject({
    fault: 'UNAUTHENTICATED',
  });
  const identity = openUpstream({ addresses, settings: { identity: 'bot' }, secrets: { password: 'none' } });
  await expect(connector.check(identity)).rejects.toMatchObject({ fault: 'UNAUTHENTICATED' });
  expect(store.calls.at(-1)?.body).toBe('{"identity":"bot","password":"none"}');
});

test('S10: keeps what the store says, and what it was told, out of its errors', async () => {
  const secret = store.person.password;
  store.meet({ kind: 'fail', status: 400, body: { error: `Invalid-${secret}`, message: secret } });
  const error: unknown = await connector.check(upstream).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ fault: 'INVALID_INPUT', cause: 'the store answered 400' });
});

test.each(['', '/', '/api', '/api/v2', '/api/v2/'])('takes an address that ends with «%s»', async (end) => {
  upstream = openUpstream({
    addresses: { endpoint: `${store.url}${end}` },
    settings: { email: store.person.email },
    secrets: { password: store.person.password },
  });
  expect(await listed()).toHaveLength(1);
  expect(store.calls.map(({ path }) => path)).toEqual(['/api/v2/login', '/api/v2/credentials']);
});

test('once its own pair is rotated, the connection goes on with the new one', async () => {
  const { accessKey = '' } = pairOf('acme') ?? {};
  const minted = await connector.rotate(upstream, known('acme'), wish, null);
  const connection = { email: store.person.email, accessKey };
  const { settings, secrets } = make.adopted(connector.adoption(connection, accessKey), minted);
  const next = openUpstream({
    addresses: { endpoint: store.url },
    settings,
    secrets: { secretKey: secrets['secretKey']?.expose() ?? '' },
  });
  await expect(connector.check(next)).resolves.toBeUndefined();
});

test('its own pair is taken up where there is a password beside it, and nothing else is', () => {
  const [email, identity] = ['me@example.com', 'me'];
  expect(connector.adoption({ accessKey: 'key' }, 'key')).toBeUndefined();
  expect(connector.adoption({ email, accessKey: 'key' }, 'key')).toBeDefined();
  expect(connector.adoption({ identity, accessKey: 'key' }, 'key')).toBeDefined();
  expect(connector.adoption({ email }, email)).toBeUndefined();
  expect(connector.adoption({ email, accessKey: 'key' }, email)).toBeUndefined();
  expect(connector.adoption({ email }, null)).toBeUndefined();
});

test('a login may be tried again, a new pair may not', async () => {
  const sent: StoreRequest[] = [];
  const watched = {
    ...upstream,
    call: (request: StoreRequest) => (sent.push(request), upstream.call(request)),
  };
  await connector.rotate(watched, known('acme'), wish, null);
  expect(sent.map(({ method, reads }) => [method, reads])).toEqual([
    ['POST', true],
    ['POST', undefined],
  ]);
});
