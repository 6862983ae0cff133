import { parseId } from '../../../src/ids.js';
import { expectData, grant, makeAccount, makeCaller, makeRole } from '../../support/make.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { makeStore, ownKeyOf, readStore } from '../../stores/stores.js';
import { startNcloud, type Ncloud } from '../../upstreams/ncloud.js';
import { startSeqera } from '../../upstreams/seqera.js';
import { create, reveal, revoke, rotate, update } from '../verbs.js';

let server: TestServer;
let ncloud: Ncloud;
let account: string;
let store: string;

beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
});
afterAll(() => server.stop());
beforeEach(async () => {
  ncloud = await startNcloud();
  account = await makeAccount(server);
  const { accessKey, secretKey } = ncloud.manager;
  store = await makeStore(server, account, {
    ncloud: { stsEndpoint: ncloud.url, subAccountEndpoint: ncloud.url, accessKey, secretKey },
  });
  await sync();
});
afterEach(() => ncloud.stop());

const sync = async () =>
  expectData(
    await server.ask(
      'mutation ($id: ID!) { syncStore(input: { id: $id }) { store { lastSync { error } } } }',
      {
        id: store,
      },
    ),
  );

test('it is in the inventory, marked, under the key that it has in the store', async () => {
  expect(await ownKeyOf(server, store)).toMatchObject({
    accessKey: ncloud.manager.accessKey,
    externalId: ncloud.manager.accessKey,
    status: 'ACTIVE',
    retrievable: false,
  });
});

test('it is turned without a lock-out: Keyway goes on with the new one, which nobody is shown', async () => {
  const { id, accessKey: before } = await ownKeyOf(server, store);
  const { credential, issued } = expectData(await rotate(server, { id })).rotateCredential;
  expect(issued).toMatchObject({ accessKey: credential.accessKey, secret: null });
  expect(credential.accessKey).not.toBe(before);
  await sync();
  expect((await readStore(server, store)).lastSync).toMatchObject({ error: null });
  expect(await ownKeyOf(server, store)).toMatchObject({
    id,
    accessKey: credential.accessKey,
    retrievable: false,
  });
  expect((await reveal(server, { id })).code).toBe('UNSUPPORTED');
});

test('where the store does not list it, whoever rotates it is told what to do instead', async () => {
  const seqera = await startSeqera();
  try {
    const { url: endpoint, token } = seqera;
    const own = await makeStore(server, account, { seqera: { endpoint, token } });
    const answer = await rotate(server, { id: (await ownKeyOf(server, own)).id });
    expect([answer.code, answer.errors[0]?.message]).toEqual([
      'CONFLICT',
      expect.stringContaining('give it to updateStore'),
    ]);
  } finally {
    await seqera.stop();
  }
});

test('each secret that Keyway goes on with is sealed to a number that none before it had', async () => {
  const numbers: number[] = [];
  for (let round = 0; round < 3; round++) {
    const [row] = await server.rows<{ number: number }>(
      'SELECT secret_number AS number FROM stores WHERE id = :id',
      { id: parseId(store)?.uuid },
    );
    numbers.push(row?.number ?? 0);
    expectData(await rotate(server, { id: (await ownKeyOf(server, store)).id }));
  }
  expect(numbers).toEqual([1, 2, 3]);
});

test('it is revoked and disabled by nobody', async () => {
  const { id } = await ownKeyOf(server, store);
  expect((await revoke(server, { id })).code).toBe('CONFLICT');
  expect((await update(server, { id, enabled: false })).code).toBe('CONFLICT');
  await sync();
  expect(await ownKeyOf(server, store)).toMatchObject({ status: 'ACTIVE' });
});

test('to turn it, and to derive from it, takes STORE_MANAGE', async () => {
  const { id } = await ownKeyOf(server, store);
  const caller = await makeCaller(server, []);
  const role = await makeRole(server, ['CREDENTIAL_READ', 'CREDENTIAL_ROTATE', 'CREDENTIAL_CREATE']);
  await grant(server, caller.id, role, { onAccount: account });
  const { token } = caller;
  expect((await rotate(server, { id }, { token })).code).toBe('FORBIDDEN');
  const issued = await server.ask(
    'mutation ($id: ID!) { issueTemporaryCredential(input: { parent: $id }) { issued { accessKey } } }',
    { id },
    { token },
  );
  expect(issued.code).toBe('FORBIDDEN');
  expect(ncloud.calls.filter(({ method }) => method === 'POST')).toEqual([]);
});

test('S30: nobody makes credentials in a store of another account, although they see it', async () => {
  const mine = await makeAccount(server);
  const caller = await makeCaller(server, ['CREDENTIAL_READ', 'CREDENTIAL_CREATE'], { onAccount: mine });
  const { id } = await ownKeyOf(server, store);
  expectData(await update(server, { id, owner: caller.id }));
  const [scope] = [...ncloud.subAccounts.keys()];
  const secret = { accessKey: {} };
  const { token } = caller;
  const input = { store, account: mine, name: 'theirs', scope, secret };
  expect((await create(server, input, { token })).code).toBe('FORBIDDEN');
  // Nor does an administrator of both put one's credential into the other's store.
  expect((await create(server, input)).code).toBe('FORBIDDEN');
  expect(ncloud.calls.filter(({ method }) => method === 'POST')).toEqual([]);
});

test('an account is not deleted over the heads of what it has in outside stores', async () => {
  const key = ncloud.seed(1)[0];
  await sync();
  const answer = await server.ask(
    'query ($search: String!) { credentials(filter: { search: $search }) { nodes { id } } }',
    { search: key?.accessKey },
  );
  const [{ id }] = expectData(answer).credentials.nodes;
  const owner = await makeAccount(server, { parent: account });
  expectData(await update(server, { id, owner }));
  const deleted = await server.ask(
    'mutation ($id: ID!) { deleteAccount(input: { id: $id, revokeCredentials: true }) { deletedId } }',
    { id: owner },
  );
  expect(deleted.code).toBe('CONFLICT');
});
