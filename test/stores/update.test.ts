import { parseId } from '../../src/ids.js';
import { faultPaths, placesOf } from '../credentials/verbs.js';
import { expectData, makeAccount, makeCaller, unique } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { startNcloud, type Ncloud } from '../upstreams/ncloud.js';
import { startSeqera, type Seqera } from '../upstreams/seqera.js';
import { checkStore, makeStore, ownKeyOf, readStore, seqeraAt, updateStore } from './stores.js';

let server: TestServer;
let seqera: Seqera;
let other: Seqera;
let ncloud: Ncloud;
let account: string;

beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  [seqera, other, ncloud] = await Promise.all([startSeqera(), startSeqera(), startNcloud()]);
  account = await makeAccount(server);
});
afterEach(() => [seqera, other, ncloud].forEach((one) => one.clear()));
afterAll(async () => {
  await server.stop();
  await Promise.all([seqera, other, ncloud].map((one) => one.stop()));
});

const made = () => makeStore(server, account, seqeraAt(seqera));
const ncloudBy = ({ accessKey, secretKey }: { accessKey: string; secretKey: string }) => ({
  ncloud: {
    stsEndpoint: `${ncloud.url}/api/v1`,
    subAccountEndpoint: `${ncloud.url}/api/v1`,
    accessKey,
    secretKey,
  },
});
const anotherManager = () => {
  const { subAccountId } = ncloud.addSubAccount(unique('manager'), { policies: ['NCP_SUB_ACCOUNT_MANAGER'] });
  return ncloud.addKey(subAccountId);
};
const kept = (id: string) =>
  server.rows<{ number: number; sealed: Buffer }>(
    'SELECT secret_number AS number, sealed, addresses, settings, name, updated_at FROM stores WHERE id = :id',
    { id: parseId(id)?.uuid },
  );
const reached = async (id: string) =>
  expectData(await checkStore(server, { id })).checkStore.store.health.reachable;

describe('a store is changed', () => {
  test('in its name alone, without being called', async () => {
    const id = await made();
    const calls = seqera.calls.length;
    const name = unique('renamed');
    expect(expectData(await updateStore(server, { id, name })).updateStore.store).toMatchObject({ id, name });
    expect(seqera.calls).toHaveLength(calls);
    expect((await ownKeyOf(server, id)).versions).toHaveLength(1);
  });

  test('to another place with another secret, which it is reached with from then on', async () => {
    const id = await made();
    const before = await ownKeyOf(server, id);
    const answer = await updateStore(server, { id, connection: seqeraAt(other, { workspaces: ['4242'] }) });
    expect(expectData(answer).updateStore.store).toMatchObject({ endpoint: `${other.url}/` });
    const calls = seqera.calls.length;
    expect(await reached(id)).toBe(true);
    expect(seqera.calls).toHaveLength(calls);
    expect(other.calls.at(-1)?.headers.authorization).toBe(`Bearer ${other.token}`);
    const own = await ownKeyOf(server, id);
    expect(own).toMatchObject({
      id: before.id,
      kind: 'TOKEN',
      revision: before.revision + 1,
      versions: [
        { number: 2, state: 'CURRENT' },
        { number: 1, state: 'RETIRED' },
      ],
    });
    expect(await placesOf(server, [other.token])).toEqual([]);
  });

  test('to another access key, which its credential has then', async () => {
    const id = await makeStore(server, account, ncloudBy(ncloud.manager));
    const { id: own } = await ownKeyOf(server, id);
    const next = anotherManager();
    const credential = parseId(own)?.uuid;
    await server.rows(
      "UPDATE credential_versions SET valid_until = now() + interval '1 hour' WHERE credential_id = :credential",
      { credential },
    );
    expectData(await updateStore(server, { id, connection: ncloudBy(next) }));
    expect(await ownKeyOf(server, id)).toMatchObject({
      id: own,
      accessKey: next.accessKey,
      versions: [
        { number: 2, state: 'CURRENT', accessKey: next.accessKey },
        { number: 1, state: 'RETIRED', accessKey: ncloud.manager.accessKey },
      ],
    });
    expect(await reached(id)).toBe(true);
    // What is retired has ended by now, however long it would have lasted.
    const lasting =
      'SELECT number FROM credential_versions WHERE credential_id = :credential AND valid_until > now()';
    expect(await server.rows(lasting, { credential })).toEqual([]);
  });

  test('to an access key that is in the inventory already, which is then the one that it is reached with', async () => {
    const id = await makeStore(server, account, ncloudBy(ncloud.manager));
    const { id: before } = await ownKeyOf(server, id);
    const next = anotherManager();
    const listed = await listedAs(id, next.accessKey);
    expectData(await updateStore(server, { id, connection: ncloudBy(next) }));
    const own = await ownKeyOf(server, id);
    expect([own.id, own.accessKey]).toEqual([listed, next.accessKey]);
    expect(before).not.toBe(listed);
  });

  test.each([true, false])(
    'and what it is no longer reached with can be revealed where Keyway has its secret: %s',
    async (has) => {
      const id = await makeStore(server, account, ncloudBy(ncloud.manager));
      const credential = parseId((await ownKeyOf(server, id)).id)?.uuid;
      await server.rows('UPDATE credentials SET external_id = access_key WHERE id = :credential', {
        credential,
      });
      if (has)
        await server.rows(
          "UPDATE credential_versions SET sealed = '\\x00' WHERE credential_id = :credential",
          {
            credential,
          },
        );
      const next = anotherManager();
      await listedAs(id, next.accessKey);
      expectData(await updateStore(server, { id, connection: ncloudBy(next) }));
      const [row] = await server.rows(
        `SELECT reaches_store AS reaches, retrievable, deleted_at IS NULL AS there FROM credentials
         WHERE id = :credential`,
        { credential },
      );
      expect(row).toEqual({ reaches: false, retrievable: has, there: true });
    },
  );

  test('R21: although it could not be reached before, and at once after', async () => {
    const id = await made();
    seqera.meet({ kind: 'fail', status: 500 }, {}, 20);
    for (let count = 0; count < 5; count++) await checkStore(server, { id });
    expect((await readStore(server, id)).health.circuit).toBe('OPEN');
    expectData(await updateStore(server, { id, connection: seqeraAt(other) }));
    expect((await readStore(server, id)).health).toMatchObject({
      circuit: 'CLOSED',
      reachable: true,
      problem: null,
    });
    expect(await reached(id)).toBe(true);
  });

  test('and a sync that is under way begins anew where the place is another, not where the name is', async () => {
    const id = await made();
    await server.rows(
      `INSERT INTO syncs (id, store_id, started_at, lease_until, next_at, resume_from, unread)
       VALUES (gen_random_uuid(), :id, now(), now(), now() + interval '1 day', 'page-2', ARRAY['a-scope'])`,
      { id: parseId(id)?.uuid },
    );
    const place = async () => {
      const [row] = await server.rows<{ from: string | null; unread: string[] }>(
        'SELECT resume_from AS "from", unread FROM syncs WHERE store_id = :id',
        { id: parseId(id)?.uuid },
      );
      return row;
    };
    expectData(await updateStore(server, { id, name: unique('renamed') }));
    expect(await place()).toEqual({ from: 'page-2', unread: ['a-scope'] });
    expectData(await updateStore(server, { id, connection: seqeraAt(other) }));
    const { from, unread } = (await place()) ?? {};
    expect(from).not.toBe('page-2');
    expect(unread).not.toContain('a-scope');
  });

  test('S60: with the names of what changed on record', async () => {
    const id = await made();
    const inputs: [object, string[]][] = [
      [{}, []],
      [{ name: unique('renamed') }, ['name']],
      [{ name: unique('renamed'), connection: seqeraAt(other) }, ['name', 'connection']],
    ];
    for (const [input, changed] of inputs) {
      const answer = await updateStore(server, { id, ...input });
      const rows = await server.rows('SELECT action, changed FROM audit_events WHERE request_id = :id', {
        id: answer.headers.get('x-request-id'),
      });
      expect(rows).toEqual([{ action: 'store:update', changed }]);
    }
  });
});

/** Puts a credential of a store into the inventory, as if it had been found there. */
async function listedAs(store: string, accessKey: string): Promise<string> {
  await server.rows(
    `INSERT INTO credentials (id, store_id, account_id, name, kind, access_key, external_id)
     SELECT gen_random_uuid(), s.id, s.account_id, 'Found', 'ACCESS_KEY', :accessKey, :accessKey
     FROM stores s WHERE s.id = :id`,
    { id: parseId(store)?.uuid, accessKey },
  );
  await server.rows(
    `INSERT INTO credential_uses (credential_id, unused_since) SELECT id, created_at FROM credentials c
     WHERE c.access_key = :accessKey AND name = 'Found'`,
    { accessKey },
  );
  const answer = await server.ask(
    'query ($s: ID!) { credentials(filter: { store: [$s] }) { nodes { id name } } }',
    {
      s: store,
    },
  );
  const { nodes } = expectData(answer).credentials;
  return nodes.find(({ name }: { name: string }) => name === 'Found').id;
}

describe('nothing is changed', () => {
  test('where the store does not take the new secret, and the old one still opens it', async () => {
    const id = await made();
    const before = await kept(id);
    const token = 'MARKER-update-5f1e';
    const name = unique('renamed');
    const answer = await updateStore(server, { id, name, connection: seqeraAt(seqera, { token }) });
    expect([answer.code, answer.data]).toEqual(['STORE_REJECTED', null]);
    expect(answer.text + server.logged.join('')).not.toContain(token);
    expect(await placesOf(server, [token])).toEqual([]);
    expect(await kept(id)).toEqual(before);
    expect(await reached(id)).toBe(true);
  });

  test('where the store does not answer, and it counts against nothing that is known of it', async () => {
    const id = await made();
    const before = await kept(id);
    other.meet({ kind: 'fail', status: 500 }, {}, 10);
    for (let count = 0; count < 6; count++)
      expect((await updateStore(server, { id, connection: seqeraAt(other) })).code).toBe('UNAVAILABLE');
    expect(await kept(id)).toEqual(before);
    expect((await readStore(server, id)).health).toMatchObject({ reachable: true, circuit: 'CLOSED' });
  });

  test('by a connection of another kind: BAD_USER_INPUT, and nobody is called', async () => {
    const id = await made();
    const calls = ncloud.calls.length;
    const answer = await updateStore(server, { id, connection: ncloudBy(ncloud.manager) });
    expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', ['input.connection.ncloud']]);
    expect(ncloud.calls).toHaveLength(calls);
  });

  test.each(['name', 'connection'])('by %s: null, which cannot be cleared', async (member) => {
    const answer = await updateStore(server, { id: await made(), [member]: null });
    expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', [`input.${member}`]]);
  });

  test('to a name that is in use: CONFLICT', async () => {
    const name = unique('store');
    await makeStore(server, account, seqeraAt(seqera), { name });
    expect((await updateStore(server, { id: await made(), name })).code).toBe('CONFLICT');
    expect((await updateStore(server, { id: await made(), name: 'keyway' })).code).toBe('CONFLICT');
  });

  test("by those who may not, and of Keyway's own", async () => {
    const id = await made();
    const name = unique('renamed');
    const stranger = await makeCaller(server, ['STORE_MANAGE'], { onAccount: await makeAccount(server) });
    expect((await updateStore(server, { id, name }, stranger)).code).toBe('NOT_FOUND');
    const reader = await makeCaller(server, ['CREDENTIAL_READ'], { onAccount: account });
    expect((await updateStore(server, { id, name }, reader)).code).toBe('FORBIDDEN');
    const { store } = expectData(await server.ask('{ store(name: "keyway") { id } }'));
    expect((await updateStore(server, { id: store.id, name })).code).toBe('UNSUPPORTED');
  });

  test('while the credential that Keyway reaches it with is being changed: CONFLICT', async () => {
    const id = await made();
    await server.rows(
      `INSERT INTO intents (id, credential_id, store_id, verb, lease_until, next_at, request_id)
       SELECT gen_random_uuid(), c.id, c.store_id, 'ROTATE', now(), now() + interval '1 day', 'test'
       FROM credentials c WHERE c.store_id = :id`,
      { id: parseId(id)?.uuid },
    );
    const before = await kept(id);
    expect((await updateStore(server, { id, connection: seqeraAt(other) })).code).toBe('CONFLICT');
    expect(await kept(id)).toEqual(before);
  });
});

test.each(['is reached with', 'is to be reached with'])(
  'nothing is changed while the one of two credentials that a store %s is being changed: CONFLICT',
  async (which) => {
    const id = await makeStore(server, account, ncloudBy(ncloud.manager));
    const next = anotherManager();
    await listedAs(id, next.accessKey);
    const busy = which === 'is reached with' ? ncloud.manager.accessKey : next.accessKey;
    await server.rows(
      `INSERT INTO intents (id, credential_id, store_id, verb, lease_until, next_at, request_id)
       SELECT gen_random_uuid(), c.id, c.store_id, 'ROTATE', now(), now() + interval '1 day', 'test'
       FROM credentials c WHERE c.store_id = :id AND c.access_key = :busy`,
      { id: parseId(id)?.uuid, busy },
    );
    const before = await kept(id);
    expect((await updateStore(server, { id, connection: ncloudBy(next) })).code).toBe('CONFLICT');
    expect(await kept(id)).toEqual(before);
  },
);

test('of two changes at once each has a secret of its own, and the last one holds', async () => {
  const id = await made();
  const answers = await Promise.all(
    [seqera, other].map((one) => updateStore(server, { id, connection: seqeraAt(one) })),
  );
  answers.forEach(expectData);
  expect(await reached(id)).toBe(true);
  const { versions } = await ownKeyOf(server, id);
  expect(versions.map(({ state }: { state: string }) => state)).toEqual(['CURRENT', 'RETIRED', 'RETIRED']);
});
