/**
 * @slow 40 s
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseId } from '../../../src/ids.js';
import { expectData, makeAccount } from '../../support/make.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { checkStore, makeStore, readStore, updateStore } from '../../stores/stores.js';
import { startApinizer, type StoredUser } from '../../upstreams/apinizer.js';
import { startSeqera, type Seqera } from '../../upstreams/seqera.js';
import { startVeracode } from '../../upstreams/veracode.js';

let server: TestServer;
let seqera: Seqera;

beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  seqera = await startSeqera({ workspaces: ['1', '2', '3'] });
});
afterAll(async () => {
  await seqera.stop();
  await server.stop();
});
beforeEach(() => {
  seqera.clear();
  seqera.credentials.clear();
});

const sync = (id: string) =>
  server.ask(
    `mutation ($id: ID!) { syncStore(input: { id: $id }) {
      store { id health { reachable } lastSync { startedAt finishedAt added changed gone error } } } }`,
    { id },
  );

const connected = async (input: object = {}) =>
  makeStore(server, await makeAccount(server), {
    seqera: { endpoint: seqera.url, token: seqera.token, ...input },
  });

const lastSync = async (id: string) => (await readStore(server, id)).lastSync;

const countOf = async (store: string, filter: object = {}) => {
  const answer = await server.ask(
    'query ($filter: CredentialFilter!) { credentials(filter: $filter) { totalCount } }',
    { filter: { store: [store], ...filter } },
  );
  return expectData(answer).credentials.totalCount;
};

async function ended(store: string) {
  for (let waited = 0; waited < 60_000; waited += 100) {
    const last = await lastSync(store);
    if (last?.finishedAt) return last;
    await sleep(100);
  }
  throw new Error('the sync did not end');
}

describe('a listing of 10,000', () => {
  test('comes in with progress to be read while it runs, and is the same the second time', async () => {
    const store = await connected({ workspaces: ['1', '2', '3'] });
    seqera.seed(10_000, (index) => ({ workspaceId: String(1 + (index % 3)) }));
    // Before each of the others is listed, what was read of those before it is there to be seen.
    const holds = ['2', '3'].map((id) => seqera.hold('before', { path: new RegExp(`workspaceId=${id}`) }));
    const asked = sync(store);
    const seen: number[] = [];
    for (const hold of holds) {
      const held = await hold;
      seen.push((await lastSync(store)).added);
      held.release();
    }
    expect(seen).toEqual([3_334, 6_667]);
    expectData(await asked);
    expect(await ended(store)).toMatchObject({ added: 10_000, changed: 0, gone: 0, error: null });
    expect(await countOf(store)).toBe(10_001);

    expectData(await sync(store));
    expect(await ended(store)).toMatchObject({ added: 0, changed: 0, gone: 0, error: null });
  });

  test('that breaks off is taken up where it was, by whoever is there then', async () => {
    const store = await connected({ workspaces: ['1', '2', '3'] });
    seqera.seed(900, (index) => ({ workspaceId: String(1 + (index % 3)) }));
    seqera.meet({ kind: 'refuse' }, { path: /workspaceId=2/ }, 20);
    const answer = await sync(store);
    const before = seqera.calls.filter(({ target }) => target.includes('workspaceId=1')).length;
    expect(answer.data.syncStore.store.lastSync).toMatchObject({
      finishedAt: null,
      added: 300,
      error: 'UNAVAILABLE',
    });
    expect(answer.data.syncStore.store.health.reachable).toBe(false);

    seqera.clear();
    await server.restart();
    expectData(await sync(store));
    expect(await ended(store)).toMatchObject({ added: 900, changed: 0, gone: 0, error: null });
    expect(seqera.calls.filter(({ target }) => target.includes('workspaceId=1'))).toHaveLength(before);
    expect(await countOf(store)).toBe(901);
  });
});

test('what is gone is shown as gone, what changed as changed, and what is Keyway’s alone stays', async () => {
  const store = await connected({ workspaces: ['1'] });
  const [first = '', second = ''] = seqera.seed(3, (index) => ({ workspaceId: '1', name: `n${index}` }));
  expectData(await sync(store));
  const id = await idOf(store, first);
  await server.ask(
    'mutation ($id: ID!) { updateCredential(input: { id: $id, fullName: "Kept here" }) { credential { id } } }',
    { id },
  );
  seqera.remove(second);
  const kept = seqera.credentials.get(first);
  if (kept) kept.description = 'said anew';
  const last = expectData(await sync(store)).syncStore.store.lastSync;
  expect(last).toMatchObject({ added: 0, changed: 1, gone: 1, error: null });
  expect(await countOf(store, { status: ['GONE'] })).toBe(1);
  const read = expectData(
    await server.ask('query ($id: ID!) { credential(id: $id) { description fullName status } }', { id }),
  );
  expect(read.credential).toEqual({ description: 'said anew', fullName: 'Kept here', status: 'ACTIVE' });
});

describe('the health of a store', () => {
  const healthOf = async (store: string) => (await readStore(server, store)).health;

  test('tells why a sync did not reach it, as a check does', async () => {
    const store = await connected({ workspaces: ['1'] });
    const faults = [
      [{ kind: 'refuse' }, 'UNAVAILABLE'],
      [{ kind: 'fail', status: 401 }, 'STORE_REJECTED'],
      [{ kind: 'fail', status: 429, headers: { 'retry-after': '1' } }, 'RATE_LIMITED'],
    ] as const;
    for (const [fault, problem] of faults) {
      await server.restart();
      seqera.meet(fault, {}, 20);
      expectData(await sync(store));
      expect(await healthOf(store)).toMatchObject({ reachable: false, problem });
      seqera.clear();
    }
  });

  test('is not touched where Keyway’s own count of calls puts a sync off: the store was not asked', async () => {
    const workspaces = Array.from({ length: 30 }, (_, index) => String(index + 1));
    const wide = await startSeqera({ workspaces });
    try {
      const store = await makeStore(server, await makeAccount(server), {
        seqera: { endpoint: wide.url, token: wide.token, workspaces },
      });
      const { lastSync: last } = expectData(await sync(store)).syncStore.store;
      expect(last).toMatchObject({ finishedAt: null, error: 'RATE_LIMITED' });
      expect(await healthOf(store)).toMatchObject({ reachable: true, problem: null });
    } finally {
      await wide.stop();
    }
  });

  test('is whole again with the next sync, whatever a check told before', async () => {
    const store = await connected({ workspaces: ['1'] });
    seqera.meet({ kind: 'fail', status: 401 }, {}, 20);
    const checked = expectData(await checkStore(server, { id: store })).checkStore.store.health;
    expect(checked).toMatchObject({ reachable: false, problem: 'STORE_REJECTED' });
    seqera.clear();
    expectData(await sync(store));
    const { checkedAt, ...health } = await healthOf(store);
    expect(health).toMatchObject({ reachable: true, problem: null });
    expect(Date.parse(checkedAt)).toBeGreaterThan(Date.parse(checked.checkedAt));
  });
});

describe('a part of a store that is not shown', () => {
  const forbid = (workspace: string) =>
    seqera.meet(
      { kind: 'fail', status: 403, body: { message: 'Forbidden: MARKER-VENDOR' } },
      { path: new RegExp(`workspaceId=${workspace}`) },
    );

  test('keeps no other from being listed; nothing in it is gone, and the sync says so', async () => {
    const store = await connected({ workspaces: ['1', '2', '3'] });
    seqera.seed(6, (index) => ({ workspaceId: String(1 + (index % 3)) }));
    expectData(await sync(store));
    seqera.credentials.clear();
    seqera.seed(1, () => ({ workspaceId: '3' }));
    forbid('2');
    const answer = await sync(store);
    const last = expectData(answer).syncStore.store.lastSync;
    expect(last).toMatchObject({ added: 1, gone: 4, error: 'PARTIAL', finishedAt: expect.any(String) });
    expect(await countOf(store, { status: ['ACTIVE'] })).toBe(4);
    expect(answer.text + server.logged.join('')).not.toContain('MARKER-VENDOR');

    expect(expectData(await sync(store)).syncStore.store.lastSync).toMatchObject({ gone: 2, error: null });
  });

  test('is remembered by whoever goes on', async () => {
    const store = await connected({ workspaces: ['1', '2', '3'] });
    seqera.seed(3, (index) => ({ workspaceId: String(1 + index) }));
    expectData(await sync(store));
    seqera.credentials.clear();
    forbid('2');
    seqera.meet({ kind: 'refuse' }, { path: /workspaceId=3/ }, 20);
    expect((await sync(store)).data.syncStore.store.lastSync).toMatchObject({
      error: 'UNAVAILABLE',
      gone: 0,
    });
    seqera.clear();
    await server.restart();
    expectData(await sync(store));
    expect(await ended(store)).toMatchObject({ gone: 2, error: 'PARTIAL' });
    expect(await countOf(store, { status: ['ACTIVE'] })).toBe(2);
  });

  test('is told by a check too', async () => {
    const store = await connected({ workspaces: ['1', '2'] });
    forbid('2');
    const { health } = expectData(await checkStore(server, { id: store })).checkStore.store;
    expect(health).toMatchObject({ reachable: false, problem: 'STORE_REJECTED' });
  });

  test('is no part where nothing else is shown', async () => {
    const store = await connected({ workspaces: ['1', '2'] });
    seqera.seed(2, (index) => ({ workspaceId: String(1 + index) }));
    expectData(await sync(store));
    seqera.credentials.clear();
    for (const workspace of ['1', '2']) forbid(workspace);
    const last = expectData(await sync(store)).syncStore.store.lastSync;
    expect(last).toMatchObject({ gone: 0, error: 'STORE_REJECTED' });
  });
});

test.each([
  [['3', '1', '2'], 3],
  [['3', '2', '1'], 3],
  [['2', '1'], 2],
])('a sync that waits goes by the workspaces %j, once they are those of its store', async (now, living) => {
  const store = await connected({ workspaces: ['1', '2', '3'] });
  seqera.seed(3, (index) => ({ workspaceId: String(1 + index) }));
  expectData(await sync(store));
  seqera.meet({ kind: 'fail', status: 429 }, { path: /workspaceId=2/ });
  expect((await sync(store)).data.syncStore.store.lastSync).toMatchObject({ error: 'RATE_LIMITED' });
  const connection = { seqera: { endpoint: seqera.url, token: seqera.token, workspaces: now } };
  expectData(await updateStore(server, { id: store, connection }));
  expectData(await sync(store));
  expect(await ended(store)).toMatchObject({ gone: 3 - living, error: null });
  expect(await countOf(store, { status: ['ACTIVE'] })).toBe(1 + living);
});

test('a sync that is under way while its store is connected anew begins anew', async () => {
  const store = await connected({ workspaces: ['1', '2'] });
  seqera.seed(3, (index) => ({ workspaceId: String(1 + index) }));
  expectData(await sync(store));
  const standing = seqera.hold('before', { path: /workspaceId=2/ });
  const asked = sync(store);
  const held = await standing;
  const connection = { seqera: { endpoint: seqera.url, token: seqera.token, workspaces: ['3', '2', '1'] } };
  expectData(await updateStore(server, { id: store, connection }));
  held.release();
  expectData(await asked);
  expect(await ended(store)).toMatchObject({ added: 1, gone: 0, error: null });
});

test.each([
  ['a number', '999999'],
  ['a date', 'Fri, 01 Jan 2100 00:00:00 GMT'],
])('a store that wants no calls for long, by %s, is asked again after an hour', async (_, until) => {
  const store = await connected();
  seqera.meet({ kind: 'fail', status: 429, headers: { 'retry-after': until } });
  expect((await sync(store)).data.syncStore.store.lastSync).toMatchObject({ error: 'RATE_LIMITED' });
  const [row] = await server.rows<{ wait: string }>(
    `SELECT extract(epoch FROM next_at - now()) AS wait FROM syncs WHERE store_id = :id AND finished_at IS NULL`,
    { id: parseId(store)?.uuid },
  );
  expect(Number(row?.wait)).toBeGreaterThan(3_500);
  expect(Number(row?.wait)).toBeLessThanOrEqual(3_600);
});

test('what reads have spent leaves what a change needs, with all that it has to read', async () => {
  const at = await startVeracode();
  try {
    const { apiId, apiKey } = at.admin;
    const account = await makeAccount(server);
    const store = await makeStore(server, account, { veracode: { endpoint: at.url, apiId, apiKey } });
    const query = 'query ($id: ID!) { node(id: $id) { ... on CredentialStore { scopes { id } } } }';
    const reads = () =>
      Promise.all(Array.from({ length: 8 }, async () => (await server.ask(query, { id: store })).code));
    while (!(await reads()).includes('RATE_LIMITED'));
    const input = { store, account, name: 'made', scope: at.addUser().user_id, secret: { accessKey: {} } };
    const made = await server.ask(
      'mutation ($input: CreateCredentialInput!) { createCredential(input: $input) { credential { id } } }',
      { input },
    );
    const { id } = expectData(made).createCredential.credential;
    for (const verb of ['rotateCredential', 'revokeCredential'])
      expectData(
        await server.ask(`mutation ($id: ID!) { ${verb}(input: { id: $id }) { credential { status } } }`, {
          id,
        }),
      );
    expect(await reads()).toEqual(Array(8).fill('RATE_LIMITED'));
  } finally {
    await at.stop();
  }
});

test('a budget that is spent puts a sync off, and it goes on when there is one again', async () => {
  const veracode = await startVeracode({ perMinute: 5 });
  try {
    veracode.seed(12);
    const { apiId, apiKey } = veracode.admin;
    const store = await makeStore(server, await makeAccount(server), {
      veracode: { endpoint: veracode.url, apiId, apiKey },
    });
    const { lastSync } = expectData(await sync(store)).syncStore.store;
    expect(lastSync).toMatchObject({ finishedAt: null, error: 'RATE_LIMITED' });
    expect(await countOf(store, { status: ['GONE'] })).toBe(0);
  } finally {
    await veracode.stop();
  }
});

test('S42: secrets of a listing are in no table and no log', async () => {
  const apinizer = await startApinizer();
  try {
    apinizer.seed(2, () => ({ password: 'marked-password-of-a-listing' }));
    const store = await makeStore(server, await makeAccount(server), {
      apinizer: { endpoint: apinizer.url, token: apinizer.token },
    });
    expectData(await sync(store));
    expect(await countOf(store)).toBe(3);
    const rows = await server.rows(
      `SELECT c::text FROM credentials c UNION ALL SELECT v::text FROM credential_versions v
        UNION ALL SELECT s::text FROM stores s UNION ALL SELECT i::text FROM intents i`,
    );
    expect(`${JSON.stringify(rows)}${server.logged.join('')}`).not.toMatch(
      /marked-password|${apinizer.token}/,
    );
  } finally {
    await apinizer.stop();
  }
});

/** A store of these users of a gateway, after stock was taken of it; and what is known of each, by its user name. */
async function usersAfterSync(users: Partial<StoredUser>[]) {
  const apinizer = await startApinizer();
  try {
    apinizer.seed(users.length, (index) => users[index] ?? {});
    const store = await makeStore(server, await makeAccount(server), {
      apinizer: { endpoint: apinizer.url, token: apinizer.token },
    });
    const { lastSync } = expectData(await sync(store)).syncStore.store;
    const text = `query ($id: ID!) { credentials(filter: { store: [$id] }, first: 100) {
      nodes { externalId name description fullName allowedIps expiresAt roles { name } } } }`;
    const { nodes } = expectData(await server.ask(text, { id: store })).credentials;
    const known: { externalId: string | null }[] = nodes;
    return { lastSync, user: (name: string) => known.find(({ externalId }) => externalId === name) };
  } finally {
    await apinizer.stop();
  }
}

test('S52: addresses in another spelling are shown, and what is none is never shown as any address', async () => {
  const { user } = await usersAfterSync([
    { username: 'bits', ipList: ['192.168.1.5/24', '192.0.2.1'] },
    { username: 'odd', ipList: ['10.0.0.1-10.0.0.9'] },
    { username: 'both', ipList: ['10.*', '192.0.2.1', '172.16.*'] },
  ]);
  expect(user('bits')).toMatchObject({ allowedIps: ['192.168.1.0/24', '192.0.2.1'] });
  expect(user('odd')).toMatchObject({ allowedIps: ['255.255.255.255'] });
  expect(user('both')).toMatchObject({ allowedIps: ['255.255.255.255', '192.0.2.1'] });
});

test('odd texts are taken in as far as they can be, and what cannot be kept does not keep the rest out', async () => {
  const { lastSync, user } = await usersAfterSync([
    { username: 'plain' },
    { username: 'nul', description: 'a\u0000b', fullName: '\u0000' },
    { username: 'lone', description: 'a\ud800b', roleNameList: ['\udc00', 'R'.repeat(5000), '\u0000'] },
    { username: 'long', description: '😀'.repeat(9000), fullName: 'F'.repeat(9000) },
    { username: 'late', expireDate: '9999-12-31T23:59:59.999-01:00' },
    { username: 'number', description: 5 as unknown as string },
    { username: 'bell', description: 'a\u0007\tb\r\nc', fullName: 'A\nB\u202e' },
    { username: 'i\u0000d' },
    { username: 'i\u0007d' },
    { username: 'x'.repeat(9000) },
  ]);
  expect(lastSync).toMatchObject({ added: 7, error: null, finishedAt: expect.any(String) as unknown });
  expect(user('plain')).toBeDefined();
  expect(user('nul')).toMatchObject({ description: 'ab', fullName: null });
  expect(user('bell')).toMatchObject({ description: 'a\tb\nc', fullName: 'A B' });
  expect(user('lone')).toMatchObject({ description: 'a\ufffdb' });
  expect(user('lone')).toMatchObject({ roles: [{ name: 'R'.repeat(200) }, { name: '\ufffd' }] });
  expect(user('long')).toMatchObject({ description: '😀'.repeat(2000), fullName: 'F'.repeat(200) });
  expect(user('late')).toMatchObject({ expiresAt: null });
  expect(user('number')).toMatchObject({ description: '5' });
  expect(server.logged.join('')).toContain('"left":3');
});

test('a store that says one key of two credentials keeps neither the rest out nor the key of the other', async () => {
  const veracode = await startVeracode();
  try {
    const { apiId, apiKey } = veracode.admin;
    const store = await makeStore(server, await makeAccount(server), {
      veracode: { endpoint: veracode.url, apiId, apiKey },
    });
    const [one, other] = veracode.seed(2);
    if (!one || !other) throw new Error('there are two');
    expectData(await sync(store));
    const keys = async (): Promise<Map<string, string>> => {
      const text = `query ($id: ID!) { credentials(filter: { store: [$id] }, first: 100) { nodes { externalId accessKey } } }`;
      const { nodes } = expectData(await server.ask(text, { id: store })).credentials;
      return new Map(
        nodes.map((node: { externalId: string; accessKey: string }) => [node.externalId, node.accessKey]),
      );
    };
    const before = await keys();
    const given = other.apiId;
    Object.assign(one, { apiId: given });
    const [third] = veracode.seed(1);
    // Two that come to the same key at once, which nobody had.
    const pairs = veracode.seed(2);
    expectData(await sync(store));
    for (const pair of pairs) Object.assign(pair, { apiId: third?.apiId });
    expect(await ended(store)).toMatchObject({ error: null, added: 3 });
    expectData(await sync(store));
    expect(await ended(store)).toMatchObject({ error: null, added: 0 });
    const after = await keys();
    expect(after.get(other.userId)).toBe(given);
    expect(after.get(one.userId)).toBe(before.get(one.userId));
  } finally {
    await veracode.stop();
  }
});

test('a sync that goes wrong in Keyway itself ends, and says so', async () => {
  const store = await connected();
  await server.rows(`ALTER TABLE credentials ADD CONSTRAINT odd CHECK (name <> 'odd') NOT VALID`);
  try {
    seqera.seed(1, () => ({ name: 'odd' }));
    expectData(await sync(store));
    expect(await ended(store)).toMatchObject({ added: 0, error: 'INTERNAL_SERVER_ERROR' });
  } finally {
    await server.rows('ALTER TABLE credentials DROP CONSTRAINT odd');
  }
  expectData(await sync(store));
  expect(await ended(store)).toMatchObject({ added: 1, error: null });
});

test('the schedule takes stock by itself', async () => {
  seqera.seed(2);
  const other = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true', KEYWAY_SYNC_MINUTES: '1' });
  try {
    const store = await makeStore(other, await makeAccount(other), {
      seqera: { endpoint: seqera.url, token: seqera.token },
    });
    for (let waited = 0; waited < 20_000; waited += 100) {
      if ((await readStore(other, store)).lastSync?.finishedAt) break;
      await sleep(100);
    }
    expect((await readStore(other, store)).lastSync).toMatchObject({ added: 2, error: null });
  } finally {
    await other.stop();
  }
});

const idOf = async (store: string, externalId: string): Promise<string> => {
  const answer = await server.ask(
    'query ($store: [ID!]) { credentials(filter: { store: $store }, first: 100) { nodes { id externalId } } }',
    { store: [store] },
  );
  const nodes: { id: string; externalId: string }[] = expectData(answer).credentials.nodes;
  return nodes.find((node) => node.externalId === externalId)?.id ?? '';
};
