/**
 * @slow 60 s
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { rowOf } from '../credentials/due/due.js';
import { read } from '../credentials/verbs.js';
import { makeStore } from '../stores/stores.js';
import { expectData, makeAccount, unique } from '../support/make.js';
import { startTestServer, type Door, type TestServer } from '../support/server.js';
import { run } from '../support/verbs.js';
import { startNcloud, type Ncloud } from '../upstreams/ncloud.js';
import { lost } from './restoring.js';

// An older state of the database is put back, and of what had ended in an outside store, or was to, nothing lives again.

let server: TestServer;
let at: Ncloud;
let account: string;
let store: string;
beforeEach(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  account = await makeAccount(server);
  at = await startNcloud();
  const { accessKey, secretKey } = at.manager;
  store = await makeStore(server, account, {
    ncloud: { stsEndpoint: at.url, subAccountEndpoint: at.url, accessKey, secretKey },
  });
});
afterEach(async () => {
  await server.stop();
  await at.stop();
});

interface Key {
  id: string;
  accessKey: string;
  secret: string;
}

const issuing = async (door: Door, name: string, input: Record<string, unknown>): Promise<Key> => {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
  const text = `mutation ($input: ${type}!) { ${name}(input: $input) { credential { id } issued { accessKey secret } } }`;
  const { credential, issued } = expectData(await door.ask(text, { input }))[name];
  return { id: credential.id, ...issued };
};
const make = () =>
  issuing(server, 'createCredential', {
    store,
    account,
    name: unique('builds'),
    scope: at.addSubAccount(unique('builds')).subAccountId,
    secret: { accessKey: {} },
  });
const statusOf = async ({ id }: Key): Promise<string> => (await read(server, id)).status;
const lives = ({ accessKey, secret }: Key) => at.accepts(accessKey, secret);
const refused = {
  kind: 'fail',
  status: 401,
  body: { error: { errorCode: '210', message: 'Permission Denied' } },
} as const;

async function comesTo(key: Key, status: string): Promise<void> {
  for (const until = performance.now() + 60_000; performance.now() < until; await sleep(250))
    if ((await statusOf(key)) === status) return;
  expect(await statusOf(key)).toBe(status);
}

test('S66, R36: what was being revoked in its store when all was lost is REVOKING, until the store has ended it', async () => {
  const [revoked, deleted, turned, ended, kept] = [
    await make(),
    await make(),
    await make(),
    await make(),
    await make(),
  ];
  let newest = turned;
  const told = await lost(server, async (door) => {
    newest = await issuing(door, 'rotateCredential', { id: turned.id, gracePeriod: 'PT1H' });
    expectData(await run(door, 'revokeCredential', { id: ended.id }));
    at.meet(refused, {}, 999);
    for (const [verb, { id }] of [
      ['revokeCredential', revoked],
      ['deleteCredential', deleted],
      ['revokeCredential', turned],
    ] as const)
      expect((await run(door, verb, { id })).code).toBe('STORE_REJECTED');
  });
  expect(told).toContain('4 credentials');
  for (const key of [revoked, deleted, turned]) expect(await statusOf(key)).toBe('REVOKING');
  expect([revoked, deleted, turned, newest].map(lives)).toEqual([true, true, true, true]);
  expect(await statusOf(ended)).toBe('REVOKED');
  expect(await statusOf(kept)).toBe('ACTIVE');

  at.clear();
  await comesTo(revoked, 'REVOKED');
  await comesTo(deleted, 'DELETED');
  await comesTo(turned, 'REVOKED');
  expect([revoked, deleted, turned, newest, ended].map(lives)).toEqual([false, false, false, false, false]);
  expect(lives(kept)).toBe(true);
});

test('S66, R36: a key that was replaced ends in its store, although its grace period was under way', async () => {
  const key = await make();
  let newest = key;
  await lost(server, async (door) => {
    newest = await issuing(door, 'rotateCredential', { id: key.id, gracePeriod: 'PT1H' });
  });
  expect(await statusOf(key)).toBe('UNKNOWN');
  for (const until = performance.now() + 30_000; performance.now() < until && lives(key); await sleep(250));
  expect([lives(key), lives(newest)]).toEqual([false, true]);
});

test('S66, R36: a store that was disconnected is not connected again, and nothing is asked of it', async () => {
  const [ended, kept] = [await make(), await make()];
  const told = await lost(server, async (door) => {
    expectData(await run(door, 'revokeCredential', { id: ended.id }));
    at.meet(refused, {}, 999);
    expect((await run(door, 'revokeCredential', { id: kept.id })).code).toBe('STORE_REJECTED');
    expectData(await run(door, 'deleteStore', { id: store, abandonCredentials: true }));
  });
  expect(told).toContain('1 stores');
  at.clear();
  const before = at.calls.length;
  expect((await run(server, 'syncStore', { id: store })).code).toBe('NOT_FOUND');
  expect(await statusOf(ended)).toBe('DELETED');
  expect(['DELETED', 'ABANDONED']).toContain(await statusOf(kept));
  const [row] = await server.rows('SELECT sealed FROM stores WHERE id = CAST(:id AS uuid)', {
    id: rowOf(store),
  });
  expect(row).toEqual({ sealed: null });
  expect(await server.rows('SELECT id FROM intents WHERE state = :state', { state: 'OPEN' })).toEqual([]);
  await sleep(2_000);
  expect(at.calls).toHaveLength(before);
});

test('S66, R36: what was under way in its store in this state, and came to its end since, is not done once more', async () => {
  const key = await make();
  const open = async () =>
    (
      await server.rows(
        "SELECT verb FROM intents WHERE credential_id = CAST(:id AS uuid) AND state = 'OPEN'",
        { id: rowOf(key.id) },
      )
    ).map(({ verb }) => verb);
  at.meet({ kind: 'fail', status: 500 }, { method: 'POST' }, 999);
  expect((await run(server, 'rotateCredential', { id: key.id })).code).toBeDefined();
  expect(await open()).toEqual(['ROTATE']);
  await lost(server, async (door) => {
    at.clear();
    const versions = 'query ($id: ID!) { credential(id: $id) { versions { number state } } }';
    const newest = async () => expectData(await door.ask(versions, { id: key.id })).credential.versions[0];
    for (const until = performance.now() + 60_000; performance.now() < until; await sleep(250))
      if ((await newest()).state === 'CURRENT') break;
    expect(await newest()).toEqual({ number: 2, state: 'CURRENT' });
    expectData(await run(door, 'revokeCredential', { id: key.id }));
  });
  expect(await statusOf(key)).toBe('REVOKED');
  expect(await open()).toEqual([]);
});
