import { parseId } from '../../src/ids.js';
import { expectData, makeAccount, makeCaller, unique } from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import { startSeqera, type Seqera } from '../upstreams/seqera.js';
import {
  checkStore,
  createStore,
  deleteStore,
  makeStore,
  ownKeyOf,
  readStore,
  seqeraAt,
} from '../stores/stores.js';

let server: SharedServer;
let seqera: Seqera;
let account: string;

beforeAll(async () => {
  server = await sharedServer();
  seqera = await startSeqera();
  account = await makeAccount(server);
});
afterAll(async () => {
  await seqera.stop();
});

const uuidOf = (id: string) => parseId(id)?.uuid;
const made = (input = {}) => makeStore(server, account, seqeraAt(seqera), input);
const isThere = async (id: string) => (await readStore(server, id)) !== null;

describe('a store that is deleted', () => {
  test('is in no list and under no id, by which nothing is done to it any more', async () => {
    const name = unique('store');
    const id = await made({ name });
    const calls = seqera.calls.length;
    expect(expectData(await deleteStore(server, { id })).deleteStore).toEqual({ deletedId: id });
    // In the system itself nothing was done.
    expect(seqera.calls).toHaveLength(calls);
    const query =
      'query ($id: ID!, $name: String!) { node(id: $id) { id } store(name: $name) { id } stores { id } }';
    const { node, store, stores } = expectData(await server.ask(query, { id, name }));
    expect([node, store]).toEqual([null, null]);
    expect(stores.map((one: { id: string }) => one.id)).not.toContain(id);
    expect((await deleteStore(server, { id })).code).toBe('NOT_FOUND');
    expect((await checkStore(server, { id })).code).toBe('NOT_FOUND');
    const creation = await server.ask(
      'mutation ($input: CreateCredentialInput!) { createCredential(input: $input) { credential { id } } }',
      { input: { store: id, account, name: 'x', secret: { token: {} } } },
    );
    expect(creation.code).toBe('NOT_FOUND');
  });

  test('leaves no secret behind', async () => {
    const id = await made();
    await deleteStore(server, { id });
    const rows = await server.rows('SELECT sealed, kek_id FROM stores WHERE id = :id', { id: uuidOf(id) });
    expect(rows).toEqual([{ sealed: null, kek_id: null }]);
  });

  test('leaves its credentials, deleted, with their history, and their store', async () => {
    const name = unique('store');
    const id = await made({ name });
    const own = await ownKeyOf(server, id);
    expectData(await deleteStore(server, { id }));
    const query = `query ($filter: CredentialFilter) { credentials(filter: $filter) { nodes {
      id status deletedAt versions { number } store { name } } } }`;
    const listed = async (filter: object) =>
      expectData(await server.ask(query, { filter: { store: [id], ...filter } })).credentials.nodes;
    expect(await listed({})).toEqual([]);
    expect(await listed({ includeDeleted: true })).toEqual([
      {
        id: own.id,
        status: 'DELETED',
        deletedAt: expect.any(String),
        versions: [{ number: 1 }],
        store: { name },
      },
    ]);
    const events = await server.ask(
      'query ($id: ID!) { auditEvents(filter: { target: [$id] }) { nodes { action target { id } } } }',
      { id },
    );
    expect(expectData(events).auditEvents.nodes).toEqual([
      { action: 'store:delete', target: null },
      { action: 'store:create', target: null },
    ]);
  });

  test('leaves its name to another', async () => {
    const name = unique('store');
    await deleteStore(server, { id: await made({ name }) });
    expectData(await createStore(server, { account, name, connection: seqeraAt(seqera) }));
  });

  test('is taken stock of no more', async () => {
    const id = await made();
    await server.rows(
      `INSERT INTO syncs (id, store_id, started_at, lease_until, next_at)
       VALUES (gen_random_uuid(), :id, now(), now(), now() + interval '1 day')`,
      { id: uuidOf(id) },
    );
    expectData(await deleteStore(server, { id }));
    const rows = await server.rows(
      'SELECT error FROM syncs WHERE store_id = :id AND finished_at IS NOT NULL',
      {
        id: uuidOf(id),
      },
    );
    expect(rows).toEqual([{ error: 'NOT_FOUND' }]);
  });

  test.each(['PLANNED', 'SWITCHED'])('has no rotation under way any more: one that was %s', async (state) => {
    const id = await made();
    await server.rows(
      `INSERT INTO rotations (id, credential_id, state, started_at, from_number)
       SELECT gen_random_uuid(), c.id, :state, now(), 1 FROM credentials c WHERE c.store_id = :id`,
      { id: uuidOf(id), state },
    );
    expectData(await deleteStore(server, { id }));
    const rows = await server.rows(
      `SELECT o.state, o.finished_at IS NOT NULL AS ended FROM rotations o JOIN credentials c ON c.id = o.credential_id
       WHERE c.store_id = :id`,
      { id: uuidOf(id) },
    );
    expect(rows).toEqual([{ state: 'FINISHED', ended: true }]);
  });

  test('R1: is answered again with the same key, although it is gone', async () => {
    const input = { id: await made(), idempotencyKey: unique('key') };
    const first = expectData(await deleteStore(server, input));
    expect(expectData(await deleteStore(server, input))).toEqual(first);
  });
});

describe('a store stays', () => {
  test('while a change of one of its credentials is under way: CONFLICT', async () => {
    const id = await made();
    const intent = (state: string) =>
      server.rows(
        `INSERT INTO intents (id, credential_id, store_id, verb, state, lease_until, next_at, request_id)
         SELECT gen_random_uuid(), c.id, c.store_id, 'RETIRE', :state, now(), now() + interval '1 day', 'test'
         FROM credentials c WHERE c.store_id = :id`,
        { id: uuidOf(id), state },
      );
    await intent('DONE');
    await intent('OPEN');
    expect((await deleteStore(server, { id })).code).toBe('CONFLICT');
    expect(await isThere(id)).toBe(true);
    await server.rows("UPDATE intents SET state = 'FAILED' WHERE store_id = :id", { id: uuidOf(id) });
    expectData(await deleteStore(server, { id }));
  });

  test('while Keyway alone has a secret of its credentials: CONFLICT', async () => {
    const id = await made();
    await server.rows(
      `UPDATE credential_versions SET sealed = '\\x00' WHERE credential_id IN
         (SELECT id FROM credentials WHERE store_id = :id)`,
      { id: uuidOf(id) },
    );
    expect((await deleteStore(server, { id })).code).toBe('CONFLICT');
    expect(await isThere(id)).toBe(true);
    await server.rows('UPDATE credentials SET revoked_at = now() WHERE store_id = :id', { id: uuidOf(id) });
    expectData(await deleteStore(server, { id }));
  });

  test("of another tenant, of whom one may only see, and Keyway's own", async () => {
    const id = await made();
    const stranger = await makeCaller(server, ['STORE_MANAGE'], { onAccount: await makeAccount(server) });
    expect((await deleteStore(server, { id }, stranger)).code).toBe('NOT_FOUND');
    const reader = await makeCaller(server, ['CREDENTIAL_READ'], { onAccount: account });
    expect((await deleteStore(server, { id }, reader)).code).toBe('FORBIDDEN');
    const { store } = expectData(await server.ask('{ store(name: "keyway") { id } }'));
    expect((await deleteStore(server, { id: store.id })).code).toBe('UNSUPPORTED');
    expect([await isThere(id), await isThere(store.id)]).toEqual([true, true]);
  });
});

test('an account that has stores is not deleted, or handed over: CONFLICT', async () => {
  const owner = await makeAccount(server);
  const id = await makeStore(server, owner, seqeraAt(seqera));
  const remove = (input: object) =>
    server.ask('mutation ($input: DeleteAccountInput!) { deleteAccount(input: $input) { deletedId } }', {
      input: { id: owner, ...input },
    });
  expect((await remove({ revokeCredentials: true })).code).toBe('CONFLICT');
  expect((await remove({ transferTo: account })).code).toBe('CONFLICT');
  expect((await ownKeyOf(server, id)).status).toBe('ACTIVE');
  await deleteStore(server, { id });
  expectData(await remove({}));
});
