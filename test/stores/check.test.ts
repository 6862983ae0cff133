import { setTimeout as sleep } from 'node:timers/promises';
import { parseId } from '../../src/ids.js';
import { expectData, makeAccount, makeCaller, unique } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { statementsOf } from '../support/statements.js';
import { startSeqera, type Seqera } from '../upstreams/seqera.js';
import type { StandIn } from '../upstreams/stand-in.js';
import { checkStore, makeStore, readStore, seqeraAt } from './stores.js';

let server: TestServer;
let seqera: Seqera;
let account: string;

beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  seqera = await startSeqera();
  account = await makeAccount(server);
});
afterEach(() => seqera.clear());
afterAll(async () => {
  await server.stop();
  await seqera.stop();
});

const made = () => makeStore(server, account, seqeraAt(seqera));
const builtIn = async () =>
  expectData(await server.ask('{ store(name: "keyway") { id } }')).store.id as string;
const uuidOf = (id: string) => parseId(id)?.uuid;

describe('a store that is checked', () => {
  test('is reachable, by now', async () => {
    const id = await made();
    await server.rows(
      'UPDATE stores SET reachable = false, problem = :problem, checked_at = NULL WHERE id = :id',
      {
        id: uuidOf(id),
        problem: 'UNAVAILABLE',
      },
    );
    const answer = await checkStore(server, { id });
    const { health } = expectData(answer).checkStore.store;
    expect(health).toMatchObject({ reachable: true, problem: null, circuit: 'CLOSED' });
    expect(Math.abs(Date.parse(health.checkedAt) - server.db.now())).toBeLessThan(60_000);
    expect((await readStore(server, id)).health).toEqual(health);
  });

  const problems: [string, Parameters<StandIn['meet']>[0]][] = [
    ['STORE_REJECTED', { kind: 'fail', status: 401, body: { message: 'MARKER-VENDOR' } }],
    ['STORE_REJECTED', { kind: 'fail', status: 404 }],
    ['UNAVAILABLE', { kind: 'refuse' }],
    ['UNAVAILABLE', { kind: 'fail', status: 500 }],
    ['RATE_LIMITED', { kind: 'fail', status: 429, headers: { 'retry-after': '60' } }],
  ];

  test.each(problems)(
    'S58: is told not to be reachable, for %s: an answer, and no error',
    async (problem, fault) => {
      const id = await made();
      seqera.meet(fault, {}, 3);
      const answer = await checkStore(server, { id });
      expect(expectData(answer).checkStore.store.health).toMatchObject({ reachable: false, problem });
      expect(answer.text + server.logged.join('')).not.toContain('MARKER-VENDOR');
      expect((await readStore(server, id)).health).toMatchObject({ reachable: false, problem });
    },
  );

  test('S60: leaves one row on record, whatever came of it', async () => {
    const id = await made();
    for (const status of [200, 401]) {
      if (status !== 200) seqera.meet({ kind: 'fail', status });
      const answer = await checkStore(server, { id });
      const rows = await server.rows(
        'SELECT action, outcome, target_id FROM audit_events WHERE request_id = :id',
        {
          id: answer.headers.get('x-request-id'),
        },
      );
      expect(rows).toEqual([{ action: 'store:check', outcome: 'DONE', target_id: uuidOf(id) }]);
    }
  });

  test('R21: five times in vain is not called any more, and says so', async () => {
    const id = await made();
    seqera.meet({ kind: 'fail', status: 500 }, {}, 20);
    const health = async () => expectData(await checkStore(server, { id })).checkStore.store.health;
    for (let count = 0; count < 4; count++) expect((await health()).circuit).toBe('CLOSED');
    expect((await health()).circuit).toBe('OPEN');
    const calls = seqera.calls.length;
    expect(await health()).toMatchObject({ reachable: false, problem: 'UNAVAILABLE', circuit: 'OPEN' });
    expect(seqera.calls).toHaveLength(calls);
  });
});

describe('a check is refused', () => {
  test('of the store of another tenant, as of none', async () => {
    const id = await made();
    const stranger = await makeCaller(server, ['STORE_MANAGE'], { onAccount: await makeAccount(server) });
    const calls = seqera.calls.length;
    expect((await checkStore(server, { id }, stranger)).code).toBe('NOT_FOUND');
    expect(seqera.calls).toHaveLength(calls);
  });

  test('to one who may see the store, and not manage it', async () => {
    const reader = await makeCaller(server, ['CREDENTIAL_READ'], { onAccount: account });
    expect((await checkStore(server, { id: await made() }, reader)).code).toBe('FORBIDDEN');
  });

  test("of Keyway's own, which nobody calls", async () => {
    expect((await checkStore(server, { id: await builtIn() })).code).toBe('UNSUPPORTED');
  });
});

describe('the budget of a store', () => {
  const budgetOf = async (id: string) => (await readStore(server, id)).budget;

  /** The budget of a store that had seven calls in a window that ends then; a call of before may be noted meanwhile. */
  async function budgetWithin(id: string, end: string) {
    const window = 'calls_in_window AS calls, CAST(window_ends_at AS text) AS "endsAt"';
    for (;;) {
      const set = await server.rows(
        `UPDATE stores SET calls_in_window = 7, window_ends_at = now() + interval '${end}' WHERE id = :id
         RETURNING ${window}`,
        { id: uuidOf(id) },
      );
      const budget = await budgetOf(id);
      const now = await server.rows(`SELECT ${window} FROM stores WHERE id = :id`, { id: uuidOf(id) });
      if (JSON.stringify(now) === JSON.stringify(set)) return budget;
    }
  }

  test('tells of the calls that went out in its window, and none once that is over', async () => {
    const id = await made();
    expect(await budgetOf(id)).toMatchObject({ limit: 20, window: 'PT1S', used: 0 });
    for (let count = 0; count < 3; count++) await checkStore(server, { id });
    const noted = () =>
      server.rows<{ calls: number }>('SELECT calls_in_window AS calls FROM stores WHERE id = :id', {
        id: uuidOf(id),
      });
    for (let waited = 0; waited < 5_000 && (await noted())[0]?.calls === 0; waited += 50) await sleep(50);
    expect((await noted())[0]?.calls).toBeGreaterThan(0);

    const open = await budgetWithin(id, '1 hour');
    expect(open.used).toBe(7);
    expect(Date.parse(open.resetsAt)).toBeGreaterThan(server.db.now() + 3_000_000);
    const over = await budgetWithin(id, '-1 hour');
    expect(over.used).toBe(0);
    expect(Date.parse(over.resetsAt)).toBeGreaterThan(server.db.now() - 60_000);
  });
});

describe('the last sync of a store', () => {
  test('is the newest, of each by one statement for all', async () => {
    const ids = await Promise.all([made(), made(), made()]);
    for (const id of ids) {
      for (const [added, days] of [
        [1, 2],
        [2, 1],
        [3, 3],
      ])
        await server.rows(
          `INSERT INTO syncs (id, store_id, started_at, added, lease_until, next_at, finished_at)
           VALUES (gen_random_uuid(), :id, now() - :days * interval '1 day', :added, now(), now(), now())`,
          { id: uuidOf(id), added, days },
        );
    }
    const query = `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on CredentialStore {
      health { reachable } budget { used } lastSync { added changed gone error startedAt finishedAt } } } }`;
    const counts = [];
    for (const asked of [ids.slice(0, 1), ids]) {
      const { result, statements } = await statementsOf(server, () => server.ask(query, { ids: asked }));
      const { nodes } = expectData(result);
      expect(nodes).toHaveLength(asked.length);
      for (const node of nodes) expect(node.lastSync).toMatchObject({ added: 2, error: null });
      counts.push(statements.length);
    }
    expect(counts[0]).toBe(counts[1]);
  });

  test("is none where there was none, and of Keyway's own", async () => {
    expect((await readStore(server, await made())).lastSync).toBeNull();
    expect((await readStore(server, await builtIn())).lastSync).toBeNull();
  });
});

test('a store is known by its name, until another has it', async () => {
  const name = unique('store');
  const id = await makeStore(server, account, seqeraAt(seqera), { name });
  const answer = await server.ask('query ($name: String!) { store(name: $name) { id } }', { name });
  expect(expectData(answer).store.id).toBe(id);
});
