import { setTimeout as sleep } from 'node:timers/promises';
import { expectData, makeAccount } from '../../support/make.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { checkStore, makeStore, readStore } from '../../stores/stores.js';
import { startApinizer } from '../../upstreams/apinizer.js';
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
    const seen: number[] = [];
    const asked = sync(store);
    while (!(await lastSync(store))?.finishedAt) {
      seen.push((await lastSync(store))?.added ?? 0);
      await sleep(20);
    }
    expectData(await asked);
    expect(await ended(store)).toMatchObject({ added: 10_000, changed: 0, gone: 0, error: null });
    expect(new Set(seen).size).toBeGreaterThan(3);
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

test('a listing that fails half way takes nothing for gone', async () => {
  const store = await connected({ workspaces: ['1', '2'] });
  seqera.seed(4, (index) => ({ workspaceId: String(1 + (index % 2)) }));
  expectData(await sync(store));
  seqera.credentials.clear();
  seqera.meet({ kind: 'fail', status: 403, body: { message: 'Forbidden' } }, { path: /workspaceId=2/ }, 5);
  const last = expectData(await sync(store)).syncStore.store.lastSync;
  expect(last).toMatchObject({ gone: 0, error: 'STORE_REJECTED' });
  expect(await countOf(store, { status: ['ACTIVE'] })).toBe(5);
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
