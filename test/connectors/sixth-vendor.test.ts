// A vendor is its folder and a line: this one is neither in src/ nor in the committed graph.
import { readFileSync } from 'node:fs';
import { registry } from '../../src/connectors/registry.js';
import { openSchema, printGraph } from '../../src/graph/schema.js';
import { createStore, ownKeyOf, updateStore } from '../stores/stores.js';
import { faultPaths, placesOf } from '../credentials/verbs.js';
import { expectData, makeAccount, unique } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { openStandIn, type StandIn } from '../upstreams/stand-in.js';
import { sixth } from './sixth/sixth.js';

const connectors = { ...registry, [sixth.kind]: sixth };

const token = 'what-the-sixth-knows-keyway-by';
const keys = new Map<string, { key: string; secret: string }>();
let made = 0;
const makeKey = () => ({ key: `key-${++made}`, secret: `sixth-secret-${made}-${'x'.repeat(20)}` });

let server: TestServer;
let vendor: StandIn;
let account: string;
beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' }, connectors);
  account = await makeAccount(server);
  vendor = await openStandIn(({ headers, method, path }) => {
    if (headers['x-sixth-token'] !== token) return { status: 401 };
    if (method === 'GET')
      return { status: 200, body: { keys: [...keys].map(([name, { key }]) => ({ name, key })) } };
    const next = makeKey();
    keys.set(path.split('/')[2] ?? '', next);
    return { status: 200, body: next };
  });
});
afterAll(async () => {
  await server.stop();
  await vendor.stop();
});

const connect = (input: object = {}) =>
  createStore(server, {
    account,
    name: unique('sixth'),
    connection: { sixth: { keysEndpoint: vendor.url, user: 'keyway', token, ...input } },
  });

test('it is connected, takes stock, and rotates', async () => {
  keys.set('press', makeKey());
  const { store } = expectData(
    await connect({ pin: 'a-pin-of-the-sixth', contact: 'ada@example.com', drawers: ['a', 'b', 'a'] }),
  ).createStore;
  expect(store).toMatchObject({ kind: 'SIXTH', endpoint: `${vendor.url}/`, region: 'nowhere' });
  expect(store.capabilities).toEqual(['LIST', 'FIND', 'ROTATE']);
  const [kept] = await server.rows(`SELECT settings FROM stores WHERE kind = 'SIXTH'`);
  expect(kept).toEqual({
    settings: { user: 'keyway', contact: 'ada@example.com', site: 'main', drawers: ['a', 'b'], edition: 2 },
  });
  expect(await placesOf(server, [token, 'a-pin-of-the-sixth'])).toEqual([]);
  expect(await ownKeyOf(server, store.id)).toMatchObject({ kind: 'TOKEN', accessKey: null });

  const { lastSync } = expectData(
    await server.ask(
      'mutation ($id: ID!) { syncStore(input: { id: $id }) { store { lastSync { added error } } } }',
      { id: store.id },
    ),
  ).syncStore.store;
  expect(lastSync).toEqual({ added: 1, error: null });
  const { nodes } = expectData(
    await server.ask('query ($id: ID!) { credentials(filter: { store: [$id] }) { nodes { id name } } }', {
      id: store.id,
    }),
  ).credentials;
  const { id } = nodes.find(({ name }: { name: string }) => name === 'press');

  const { credential, issued } = expectData(
    await server.ask(
      `mutation ($id: ID!) { rotateCredential(input: { id: $id }) {
        credential { accessKey status versions { number state } } issued { accessKey secret } } }`,
      { id },
    ),
  ).rotateCredential;
  const now = keys.get('press');
  expect(issued).toEqual({ accessKey: now?.key, secret: now?.secret });
  expect(credential).toMatchObject({ accessKey: now?.key, status: 'ACTIVE' });

  const connection = { sixth: { keysEndpoint: vendor.url, user: 'other', token } };
  const other = { seqera: { endpoint: vendor.url, token } };
  expectData(await updateStore(server, { id: store.id, connection }));
  expect(faultPaths(await updateStore(server, { id: store.id, connection: other }))).toEqual([
    'input.connection.seqera',
  ]);
});

test.each([
  { key: 'k'.repeat(3_000) },
  { key: 'a\0b' },
  { secret: 'a-secret-of-the-sixth\twith a tab' },
  { secret: 's'.repeat(20_000) },
])(
  'what it makes is held to the rules of what callers give, whatever its connector reads: %#',
  async (odd) => {
    keys.set('odd', makeKey());
    const { store } = expectData(await connect()).createStore;
    await server.ask('mutation ($id: ID!) { syncStore(input: { id: $id }) { store { id } } }', {
      id: store.id,
    });
    const list = 'query ($id: ID!) { credentials(filter: { store: [$id], search: "odd" }) { nodes { id } } }';
    const [{ id }] = expectData(await server.ask(list, { id: store.id })).credentials.nodes;
    const body = { ...makeKey(), ...odd };
    vendor.meet({ kind: 'fail', status: 200, body }, { method: 'POST' });
    const rotate =
      'mutation ($id: ID!) { rotateCredential(input: { id: $id }) { issued { accessKey secret } } }';
    const { code, errors } = await server.ask(rotate, { id });
    expect([code, errors[0]?.message]).toEqual(['OUTCOME_UNKNOWN', expect.stringMatching(/Rotate again/)]);
    expect(await placesOf(server, [body.secret])).toEqual([]);
    const { issued } = expectData(await server.ask(rotate, { id })).rotateCredential;
    expect(issued.accessKey).toBe(keys.get('odd')?.key);
    keys.delete('odd');
  },
);

test.each([
  ['a word with a space', { user: 'a b' }, 'user'],
  ['a token that no header may hold', { token: 'a\nb' }, 'token'],
  ['an address that is more than a place', { keysEndpoint: 'http://127.0.0.1:1/?' }, 'keysEndpoint'],
  ['a line of two', { site: 'a\nb' }, 'site'],
  ['a list with an empty text', { drawers: ['a', ''] }, 'drawers.1'],
  ['a number of another', { edition: 3 }, 'edition'],
  ['what its own rule refuses', { pin: '0000' }, 'pin'],
])('%s is BAD_USER_INPUT, by its field', async (_, input, field) => {
  const answer = await connect(input);
  expect(answer.code).toBe('BAD_USER_INPUT');
  expect(faultPaths(answer)).toEqual([`input.connection.sixth.${field}`]);
});

test('a line, and each text of a list, may be one character long', async () => {
  expectData(await connect({ site: 'a', drawers: ['b'] }));
});

test('a store that does not take the token is STORE_REJECTED', async () => {
  expect((await connect({ token: 'another' })).code).toBe('STORE_REJECTED');
});

test('the graph has it where it is handed in, and nowhere else', async () => {
  const graph = printGraph(await openSchema(connectors));
  expect(graph).toContain('input SixthConnectionInput {');
  expect(graph).toMatch(/^ {2}sixth: SixthConnectionInput$/m);
  expect(graph).toMatch(/^ {2}SIXTH$/m);
  expect(printGraph(await openSchema(registry))).toBe(readFileSync('schema.graphql', 'utf8'));
});
