import { makeStore } from '../../stores/stores.js';
import { expectData, makeAccount, unique } from '../../support/make.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { startApinizer, type Apinizer } from '../../upstreams/apinizer.js';

let server: TestServer;
let gateway: Apinizer;

beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
});
afterAll(() => server.stop());
beforeEach(async () => void (gateway = await startApinizer({ projects: ['Orders', 'Shop'] })));
afterEach(() => gateway.stop());

/** A store that looks into these projects, with one user that Keyway made in Orders. */
async function made(projects?: string[]) {
  const account = await makeAccount(server);
  const { url: endpoint, token } = gateway;
  const connection = { apinizer: { endpoint, token, ...(projects && { projects }) } };
  const store = await makeStore(server, account, connection);
  const username = unique('user');
  const person = { email: 'bot@example.com', fullName: 'Bot' };
  const secret = { password: { username, password: 'a-chosen-password' } };
  const input = { store, account, scope: 'Orders', name: username, secret, ...person };
  const answer = await server.ask(
    'mutation ($input: CreateCredentialInput!) { createCredential(input: $input) { credential { id } } }',
    { input },
  );
  const { id } = expectData(answer).createCredential.credential as { id: string };
  const move = (project: string) => Object.assign(gateway.credentials.get(username) ?? {}, { project });
  const letsIn = () => gateway.accepts(username, 'a-chosen-password', 'production');
  return { store, id, move, letsIn };
}

const revoke = (id: string) =>
  server.ask('mutation ($id: ID!) { revokeCredential(input: { id: $id }) { credential { status } } }', {
    id,
  });

const read = async (id: string) =>
  expectData(await server.ask('query ($id: ID!) { credential(id: $id) { status scope } }', { id }))
    .credential;

const sync = async (store: string) =>
  expectData(
    await server.ask(
      'mutation ($id: ID!) { syncStore(input: { id: $id }) { store { lastSync { added changed gone error } } } }',
      { id: store },
    ),
  ).syncStore.store.lastSync;

test.each(['admin', 'Shop'])('a user that was moved to %s is revoked there', async (project) => {
  const { id, move, letsIn } = await made();
  move(project);
  expect(letsIn()).toBe(true);
  expectData(await revoke(id));
  expect([await read(id), letsIn()]).toMatchObject([{ status: 'REVOKED' }, false]);
});

test('a user that may have been moved out of sight is not called revoked', async () => {
  const { id, move, letsIn } = await made();
  move('admin');
  gateway.projects.delete('admin');
  expect((await revoke(id)).errors[0]?.extensions.code).toBe('STORE_REJECTED');
  expect([await read(id), letsIn()]).toMatchObject([{ status: 'REVOKING' }, true]);
});

test.each([
  ['all projects', undefined, 'Shop', 'Shop'],
  ['all projects', undefined, 'admin', 'admin'],
  ['one project', ['Orders'], 'Shop', 'admin'],
  ['one project', ['Orders'], 'admin', 'admin'],
] as const)('a sync of %s follows a user (%j) that was moved to %s', async (_, projects, to, scope) => {
  const { store, id, move } = await made(projects && [...projects]);
  gateway.seed(1, () => ({ username: unique('other'), project: 'Shop' }));
  await sync(store);
  move(to);
  expect(await sync(store)).toEqual({ added: 0, changed: 1, gone: 0, error: null });
  expect(await read(id)).toEqual({ status: 'ACTIVE', scope });
  expect(await sync(store)).toEqual({ added: 0, changed: 0, gone: 0, error: null });
});

test('a sync that is not shown all projects calls nobody gone, and says so', async () => {
  const { store, id, move } = await made(['Orders']);
  move('Shop');
  gateway.projects.delete('admin');
  expect(await sync(store)).toMatchObject({ gone: 0, error: 'PARTIAL' });
  expect(await read(id)).toEqual({ status: 'ACTIVE', scope: 'Orders' });
  gateway.projects.add('admin');
  gateway.credentials.clear();
  expect(await sync(store)).toMatchObject({ gone: 1, error: null });
});
