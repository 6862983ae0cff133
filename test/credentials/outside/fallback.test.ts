import { setTimeout as sleep } from 'node:timers/promises';
import { expectData, makeAccount } from '../../support/make.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { checkStore, createStore, makeStore, readStore, updateStore } from '../../stores/stores.js';
import { startLandscape, type Landscape } from '../../upstreams/landscape.js';
import { startVeracode, type Veracode } from '../../upstreams/veracode.js';
import type { VeracodePair } from '../../upstreams/veracode-state.js';
import { read, remove, reveal, revoke, rotate } from '../verbs.js';

let server: TestServer;
let account: string;
beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  account = await makeAccount(server);
});
afterAll(() => server.stop());

interface Own {
  id: string;
  name: string;
  kind: string;
  accessKey: string;
  retrievable: boolean;
}

/** The credentials that Keyway reaches a store with. */
async function ownOf(store: string): Promise<Own[]> {
  const text = `query ($id: ID!) { credentials(filter: { store: [$id] }) { nodes {
    id name kind accessKey retrievable reachesStore } } }`;
  const { nodes } = expectData(await server.ask(text, { id: store })).credentials;
  return nodes.filter(({ reachesStore }: { reachesStore: boolean }) => reachesStore);
}

const own = async (store: string, accessKey: string): Promise<Own> => {
  const found = (await ownOf(store)).find((one) => one.accessKey === accessKey);
  if (!found) throw new Error('Keyway does not reach the store with it');
  return found;
};

async function sync(store: string): Promise<string | null> {
  const text = 'mutation ($id: ID!) { syncStore(input: { id: $id }) { store { lastSync { error } } } }';
  return expectData(await server.ask(text, { id: store })).syncStore.store.lastSync.error;
}

const health = async (store: string) => {
  expectData(await checkStore(server, { id: store }));
  return (await readStore(server, store)).health;
};

describe('Veracode, with the pair of a second administrator', () => {
  let at: Veracode;
  let second: VeracodePair;
  let store: string;

  beforeEach(async () => {
    at = await startVeracode();
    second = at.addPair(administrator());
    store = await makeStore(server, account, connection());
    await sync(store);
  });
  afterEach(() => at.stop());

  const administrator = () =>
    at.addUser({ roles: [{ role_name: 'adminapi' }], permissions: [{ permission_name: 'apiUser' }] }).user_id;
  const connection = (given: object = { fallbackApiId: second.apiId, fallbackApiKey: second.apiKey }) => ({
    veracode: { endpoint: at.url, apiId: at.admin.apiId, apiKey: at.admin.apiKey, ...given },
  });
  const posts = () => at.calls.filter(({ method }) => method === 'POST').map(({ path }) => path);

  test('both are in the inventory, marked, and neither is revoked or deleted', async () => {
    const both = await ownOf(store);
    expect(both.map(({ accessKey }) => accessKey).sort()).toEqual([at.admin.apiId, second.apiId].sort());
    for (const { id } of both) {
      expect((await revoke(server, { id })).code).toBe('CONFLICT');
      expect((await remove(server, { id })).code).toBe('CONFLICT');
      expect((await reveal(server, { id })).code).toBe('UNSUPPORTED');
    }
    expect(at.calls.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  test('Keyway asks for a new pair for itself, goes on with it, and shows it to nobody', async () => {
    const { id } = await own(store, at.admin.apiId);
    const { credential, issued } = expectData(await rotate(server, { id })).rotateCredential;
    expect(posts()).toEqual(['/api/authn/v2/api_credentials']);
    expect(issued).toMatchObject({ accessKey: credential.accessKey, secret: null });
    expect(at.accepts(at.admin.apiId, at.admin.apiKey)).toBe(false);
    expect(await sync(store)).toBeNull();
    expect(await health(store)).toMatchObject({ reachable: true, problem: null });
    // And once more, with the pair that it has now.
    expectData(await rotate(server, { id }));
    expect(await sync(store)).toBeNull();
    expect(posts()).toEqual(['/api/authn/v2/api_credentials', '/api/authn/v2/api_credentials']);
  });

  test('that of the second administrator is turned as well, and taken up', async () => {
    const { id } = await own(store, second.apiId);
    expectData(await rotate(server, { id }));
    expect(at.accepts(second.apiId, second.apiKey)).toBe(false);
    expect(await health(store)).toMatchObject({ reachable: true, problem: null });
    expect((await ownOf(store)).map((one) => one.id)).toContain(id);
  });

  test('an answer that is lost locks nobody out: Keyway goes on by the other pair, and a rotation heals', async () => {
    const { id } = await own(store, at.admin.apiId);
    at.meet({ kind: 'drop' }, { method: 'POST' });
    expect((await rotate(server, { id })).code).toBe('OUTCOME_UNKNOWN');
    expect((await read(server, id)).status).toBe('UNKNOWN');
    expect(at.accepts(at.admin.apiId, at.admin.apiKey)).toBe(false);
    expect(await sync(store)).toBeNull();
    expect(await health(store)).toMatchObject({ reachable: false, problem: 'STORE_REJECTED' });

    expectData(await rotate(server, { id }));
    expect((await read(server, id)).status).toBe('ACTIVE');
    expect(await health(store)).toMatchObject({ reachable: true, problem: null });
    at.clear();
    const calls = at.calls.length;
    expect(await sync(store)).toBeNull();
    expect(at.calls.slice(calls).filter(({ status }) => status === 401)).toEqual([]);
  });

  test('and so does another pair, made at the vendor and given to updateStore', async () => {
    const { id } = await own(store, at.admin.apiId);
    at.meet({ kind: 'drop' }, { method: 'POST' });
    expect((await rotate(server, { id })).code).toBe('OUTCOME_UNKNOWN');
    const { apiId, apiKey } = at.addPair(at.admin.userId);
    const { fallbackApiId, fallbackApiKey } = connection().veracode as Record<string, string>;
    const given = connection({ apiId, apiKey, fallbackApiId, fallbackApiKey });
    expectData(await updateStore(server, { id: store, connection: given }));
    expect(await read(server, id)).toMatchObject({ status: 'ACTIVE', accessKey: apiId });
    expect(await sync(store)).toBeNull();
    expect((await ownOf(store)).map((one) => one.accessKey).sort()).toEqual([apiId, second.apiId].sort());
  });

  test('so does one that is lost while that of the second administrator is turned', async () => {
    const { id } = await own(store, second.apiId);
    at.meet({ kind: 'drop' }, { method: 'POST' });
    expect((await rotate(server, { id })).code).toBe('OUTCOME_UNKNOWN');
    expect(await sync(store)).toBeNull();
    expectData(await rotate(server, { id }));
    expect(await health(store)).toMatchObject({ reachable: true, problem: null });
  });

  test('without it the first is not turned any more, and the second is a credential like any other', async () => {
    expectData(await updateStore(server, { id: store, connection: connection({}) }));
    expect((await ownOf(store)).map(({ accessKey }) => accessKey)).toEqual([at.admin.apiId]);
    const { id } = await own(store, at.admin.apiId);
    const { code, errors } = await rotate(server, { id });
    expect([code, posts()]).toEqual(['CONFLICT', []]);
    expect(errors[0]?.message).toMatch(/^Keyway itself uses this credential to reach the store/);
  });

  test.each([
    ['half of it', { fallbackApiId: 'MARKER-ID' }, 'fallbackApiKey'],
    ['the other half', { fallbackApiKey: 'MARKER-KEY' }, 'fallbackApiId'],
  ])('%s is BAD_USER_INPUT', async (_, given, field) => {
    const input = { account, name: 'half', connection: connection(given) };
    const answer = await createStore(server, input);
    expect(answer.errors[0]?.extensions.fields?.[0]?.path).toBe(`input.connection.veracode.${field}`);
    expect(answer.text).not.toContain('MARKER');
  });

  test.each([
    ['as it is', (id: string) => id],
    ['without its prefix', (id: string) => id.replace(/^.*-/, '')],
    ['in capitals', (id: string) => id.toUpperCase()],
  ])('the first once more, %s, is none', async (_, written) => {
    const { apiId, apiKey } = at.admin;
    const given = connection({ fallbackApiId: written(apiId), fallbackApiKey: apiKey });
    const answer = await createStore(server, { account, name: 'same', connection: given });
    expect(answer.code).toBe('BAD_USER_INPUT');
    expect(answer.errors[0]?.extensions.fields?.[0]?.path).toBe('input.connection.veracode.fallbackApiId');
  });

  test('another pair of the same user is none: the next one of that user would end both', async () => {
    const elsewhere = await startVeracode({ oldLives: '24h' });
    const { apiId, apiKey, userId } = elsewhere.admin;
    const next = elsewhere.addPair(userId);
    const given = { apiId: next.apiId, apiKey: next.apiKey, fallbackApiId: apiId, fallbackApiKey: apiKey };
    const veracode = { endpoint: elsewhere.url, ...given };
    const answer = await createStore(server, { account, name: 'one', connection: { veracode } });
    await elsewhere.stop();
    expect([answer.code, answer.errors[0]?.message]).toEqual([
      'STORE_REJECTED',
      'The two pairs belong to one user.',
    ]);
  });

  test('one that is no administrator is none either', async () => {
    const { apiId, apiKey } = at.addPair(at.addUser().user_id);
    const given = connection({ fallbackApiId: apiId, fallbackApiKey: apiKey });
    expect((await createStore(server, { account, name: 'weak', connection: given })).code).toBe(
      'STORE_REJECTED',
    );
  });

  test('its id may be given without its prefix, and is known all the same', async () => {
    const apiId = at.admin.apiId.replace(/^.*-/, '').toUpperCase();
    const bare = { apiId, apiKey: at.admin.apiKey.replace(/^.*-/, '') };
    const other = await makeStore(server, account, connection(bare));
    await sync(other);
    const [found, ...more] = await ownOf(other);
    expect([found?.accessKey, more]).toEqual([apiId, []]);
    expect((await rotate(server, { id: found?.id })).code).toBe('CONFLICT');
  });
});

describe('Landscape, with a password beside the pair', () => {
  let at: Landscape;
  let store: string;
  const pair = () => at.pairs().get('acme');

  beforeEach(async () => {
    at = await startLandscape({ accounts: [{ name: 'acme' }, { name: 'other' }] });
    store = await makeStore(server, account, connection());
    await sync(store);
  });
  afterEach(() => at.stop());

  const connection = (given: object = { email: at.person.email, password: at.person.password }) => ({
    landscape: { endpoint: at.url, ...pair(), ...given },
  });

  test('the pair is turned, and taken up', async () => {
    const before = pair()?.accessKey ?? '';
    const { id } = await own(store, before);
    expectData(await rotate(server, { id }));
    expect(pair()?.accessKey).not.toBe(before);
    const calls = at.calls.length;
    expect(await sync(store)).toBeNull();
    expect(at.calls.slice(calls).map(({ path, status }) => [path, status])).toEqual([
      ['/api/v2/login/access-key', 200],
      ['/api/v2/credentials', 200],
    ]);
  });

  test('an answer that is lost is read again by the password, and nobody is locked out', async () => {
    const before = pair()?.accessKey ?? '';
    const { id } = await own(store, before);
    at.meet({ kind: 'drop' }, { method: 'POST', path: /credentials$/ });
    await rotate(server, { id });
    for (let tries = 0; (await read(server, id)).accessKey === before && tries < 100; tries++)
      await sleep(100);
    const { status, accessKey, rotation } = await read(server, id);
    expect([status, accessKey, rotation.state]).toEqual(['ACTIVE', pair()?.accessKey, 'FINISHED']);
    expect(await health(store)).toMatchObject({ reachable: true, problem: null });
  });

  test('without it the pair is not turned', async () => {
    expectData(await updateStore(server, { id: store, connection: connection({}) }));
    expect((await ownOf(store)).map(({ kind }) => kind)).toEqual(['ACCESS_KEY']);
    const { id } = await own(store, pair()?.accessKey ?? '');
    expect((await rotate(server, { id })).code).toBe('CONFLICT');
    expect(
      at.calls.filter(({ path }) => path.endsWith('/credentials')).map(({ method }) => method),
    ).not.toContain('POST');
  });

  test('without the pair, that is a credential like any other', async () => {
    const { id } = await own(store, pair()?.accessKey ?? '');
    const { email, password } = at.person;
    const byPassword = { landscape: { endpoint: at.url, email, password } };
    expectData(await updateStore(server, { id: store, connection: byPassword }));
    expect(await ownOf(store)).toMatchObject([{ kind: 'PASSWORD', accessKey: email }]);
    const { credential, issued } = expectData(await rotate(server, { id })).rotateCredential;
    expect([credential.retrievable, issued.accessKey]).toEqual([true, pair()?.accessKey]);
    expect(at.accepts(issued.accessKey, issued.secret)).toBe(true);
  });

  test('a pair of another person is refused', async () => {
    const body = { token: 'of-another', email: 'another@example.com' };
    at.meet({ kind: 'fail', status: 200, body }, { path: /access-key$/ });
    const answer = await createStore(server, { account, name: 'two-persons', connection: connection() });
    expect(answer.code).toBe('STORE_REJECTED');
  });
});
