import { connect, type World } from '../connectors/world.js';
import { outside } from '../connectors/conformance.js';
import { inDays } from '../credentials/verbs.js';
import { expectData, makeAccount, makeCredential, makeProject, makeRole } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { statementsOf } from '../support/statements.js';
import { startApinizer } from '../upstreams/apinizer.js';
import { startVeracode } from '../upstreams/veracode.js';
import type { StandIn } from '../upstreams/stand-in.js';
import { makeStore } from './stores.js';

let server: TestServer;
let owner: string;
let project: string;
let role: string;
let expected: object[];
const standIns: StandIn[] = [];

/** Gives a credential of a store somebody who answers for it, a project and a role. */
const place = async (id: string) =>
  expectData(
    await server.ask(
      'mutation ($input: UpdateCredentialInput!) { updateCredential(input: $input) { credential { id } } }',
      { input: { id, owner, project } },
    ),
  );

beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  const account = await makeAccount(server);
  owner = await makeAccount(server, { kind: 'PERSON', parent: account });
  project = await makeProject(server, account);
  role = await makeRole(server, ['CREDENTIAL_READ']);
  const placed = { owner: { id: owner }, project: { id: project } };
  const storeId = async (connection: Record<string, unknown>) => {
    const id = await makeStore(server, account, connection);
    expectData(
      await server.ask('mutation ($id: ID!) { syncStore(input: { id: $id }) { store { id } } }', { id }),
    );
    return id;
  };
  const idOf = async (store: string, accessKey: string): Promise<string> => {
    const text = 'query ($id: ID!) { credentials(filter: { store: [$id] }) { nodes { id accessKey } } }';
    const { nodes } = expectData(await server.ask(text, { id: store })).credentials;
    return nodes.find((one: { accessKey: string }) => one.accessKey === accessKey).id;
  };

  const own = await makeCredential(server, account, { owner, project, roles: [role], expiresAt: inDays(25) });
  const veracode = await startVeracode();
  const pair = veracode.addPair(veracode.addUser().user_id);
  pair.expiresMs = Date.now() + 10 * 86_400_000;
  const { apiId, apiKey } = veracode.admin;
  const ofVeracode = await idOf(
    await storeId({ veracode: { endpoint: veracode.url, apiId, apiKey } }),
    pair.apiId,
  );
  const apinizer = await startApinizer({ roles: ['READER'] });
  apinizer.seed(1, () => ({ username: 'ends', roleNameList: ['READER'], expireDate: inDays(20) }));
  apinizer.seed(1, () => ({ username: 'goes-on', expireDate: inDays(400) }));
  const ofApinizer = await idOf(
    await storeId({ apinizer: { endpoint: apinizer.url, token: apinizer.token } }),
    'ends',
  );
  standIns.push(veracode, apinizer);
  for (const id of [ofVeracode, ofApinizer]) await place(id);

  const worlds: World[] = [];
  for (const one of outside.filter(({ name }) => /^Landscape|^Seqera|Sub Account 1$/.test(name)))
    worlds.push(await connect(server, one));
  standIns.push(...worlds.map(({ standIn }) => standIn));
  for (const world of worlds) await world.takeIn();
  const ncloud = worlds.at(-1);
  if (!ncloud) throw new Error('no store was connected');
  const parent = await ncloud.make();
  const issued = await ncloud.run('issueTemporaryCredential', { parent: parent.id, duration: 'PT1H' });
  const temporary = expectData(issued).issueTemporaryCredential.credential;

  expected = [
    { id: temporary.id, owner: null, project: null, roles: [], store: { kind: 'NCLOUD' } },
    { id: ofVeracode, ...placed, roles: [], store: { kind: 'VERACODE' } },
    { id: ofApinizer, ...placed, roles: [{ name: 'READER' }], store: { kind: 'APINIZER' } },
    { id: own.id, ...placed, roles: [{ name: expect.any(String) as unknown }], store: { kind: 'BUILT_IN' } },
  ];
});
afterAll(async () => {
  await server.stop();
  await Promise.all(standIns.map((one) => one.stop()));
});

const expiring = (first: number) =>
  server.ask(
    `query ($before: DateTime!, $first: Int!) {
      credentials(
        filter: { expiresBefore: $before }, first: $first, orderBy: { by: EXPIRES_AT, direction: ASC }
      ) { nodes { id owner { id } project { id } roles { name } store { kind } } }
    }`,
    { before: inDays(30), first },
  );

const calls = () => standIns.map((one) => one.calls.length);

test('what ends within 30 days is listed over six stores, with who answers for it, its project and its roles', async () => {
  expect(expectData(await server.ask('{ stores { kind } }')).stores).toHaveLength(6);
  expect(expectData(await expiring(100)).credentials.nodes).toEqual(expected);
});

test('the list asks no store, and takes as many statements for one credential as for all', async () => {
  const before = calls();
  await expiring(100);
  const all = await statementsOf(server, () => expiring(100));
  const some = await statementsOf(server, () => expiring(3));
  expect(expectData(some.result).credentials.nodes).toEqual(expected.slice(0, 3));
  expect(all.statements.length).toBeLessThanOrEqual(some.statements.length);
  expect(all.statements.length).toBeLessThanOrEqual(8);
  expect(calls()).toEqual(before);
});

test('R20: the list is the same while a store is dead', async () => {
  await standIns[0]?.stop();
  expect(expectData(await expiring(100)).credentials.nodes).toEqual(expected);
});
