import { setTimeout as sleep } from 'node:timers/promises';
import { begin, Syncs } from '../../../src/credentials/sync/syncs.js';
import type { Database, Statement } from '../../../src/database/database.js';
import { makeStore, readStore } from '../../stores/stores.js';
import { expectData, makeAccount } from '../../support/make.js';
import { overhear } from '../../support/overhear.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { run } from '../../support/verbs.js';
import { startSeqera, type Seqera } from '../../upstreams/seqera.js';
import { rowOf } from '../due/due.js';

// A part of a listing is taken in by several transactions, of 500 entries each. What breaks off between two of them, or
// within one, is gone on with at the beginning of that part.

let server: TestServer;
let seqera: Seqera;
let store: string;
beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
});
afterAll(() => server.stop());
beforeEach(async () => {
  seqera = await startSeqera({ workspaces: ['1', '2'] });
  store = await makeStore(server, await makeAccount(server), {
    seqera: { endpoint: seqera.url, token: seqera.token, workspaces: ['1', '2'] },
  });
  seqera.seed(1_300, (index) => ({ workspaceId: index < 1_200 ? '1' : '2' }));
});
afterEach(() => seqera.stop());

const sync = () => run(server, 'syncStore', { id: store });
const lastSync = async () => (await readStore(server, store)).lastSync;
const namesOf = async () =>
  (
    await server.rows<{ count: number }>(
      'SELECT CAST(count(DISTINCT external_id) AS integer) AS count FROM credentials WHERE store_id = :id AND gone_at IS NULL',
      { id: rowOf(store) },
    )
  )[0]?.count;
const listings = (workspace: string) =>
  seqera.calls.filter(({ target }) => new RegExp(`/credentials\\?.*workspaceId=${workspace}`).test(target))
    .length;

/** The last statement of a batch that is taken in: a part of the listing has several. */
const takesIn = ({ text }: Statement) => /UPDATE syncs SET added/.test(text);

/** Does something once between the first batch that is taken in and the second. */
function betweenBatches(db: Database, work: () => unknown): void {
  let isTaken = false;
  const heard = overhear(db, (statement) => void (isTaken ||= takesIn(statement)));
  const overheard = db.transaction.bind(db);
  db.transaction = async (doing) => {
    if (!isTaken) return overheard(doing);
    heard.stop();
    await work();
    return db.transaction(doing);
  };
}

/** Has the second batch fail at its end. */
function failSecondBatch(db: Database): void {
  let batches = 0;
  const heard = overhear(db, (statement) => {
    if (!takesIn(statement) || ++batches < 2) return;
    heard.stop();
    throw new Error('made by a test');
  });
}

/** It is gone on with by itself. */
async function expectWhole(): Promise<void> {
  while (!(await lastSync()).finishedAt) await sleep(50);
  expect(await lastSync()).toMatchObject({ added: 1_300, changed: 0, gone: 0, error: null });
  expect(await namesOf()).toBe(1_300);
}

/** Resolves once the syncs of the server have been told to stop. */
const stopping = () =>
  new Promise<void>((resolve) => {
    // eslint-disable-next-line @typescript-eslint/unbound-method
    const { stop } = Syncs.prototype;
    Syncs.prototype.stop = function (this: Syncs) {
      Syncs.prototype.stop = stop;
      const stopped = stop.call(this);
      resolve();
      return stopped;
    };
  });

test('a sync that ends with its process in the middle of a part begins that part again', async () => {
  const before = { first: listings('1'), second: listings('2') };
  const ending = new Promise<void>((resolve, reject) =>
    betweenBatches(server.db, async () => {
      const told = stopping();
      server.restart().then(resolve, reject);
      await told;
    }),
  );
  await begin(server.db, rowOf(store));
  await ending;
  await expectWhole();
  expect([listings('1') - before.first, listings('2') - before.second]).toEqual([2, 1]);
});

test('one that fails in the middle of a part ends, and what it took in stays', async () => {
  failSecondBatch(server.db);
  expectData(await sync());
  expect(await lastSync()).toMatchObject({ added: 500, gone: 0, error: 'INTERNAL_SERVER_ERROR' });
  expect(await namesOf()).toBe(500);
  expectData(await sync());
  expect(await lastSync()).toMatchObject({ added: 800, changed: 0, gone: 0, error: null });
  expect(await namesOf()).toBe(1_300);
});

test('one that another goes on with meanwhile writes nothing more', async () => {
  betweenBatches(server.db, () =>
    server.rows(
      `UPDATE syncs SET fence = fence + 1, lease_until = now() + interval '1 hour'
       WHERE store_id = :id AND finished_at IS NULL RETURNING id`,
      { id: rowOf(store) },
    ),
  );
  expectData(await sync());
  expect(await lastSync()).toMatchObject({ added: 500, gone: 0, finishedAt: null, error: null });
  expect(await namesOf()).toBe(500);
  const [mine] = await server.rows<{ held: boolean; from: string | null }>(
    `SELECT lease_until > now() + interval '50 minutes' AS held, resume_from AS from FROM syncs
     WHERE store_id = :id AND finished_at IS NULL`,
    { id: rowOf(store) },
  );
  expect(mine).toEqual({ held: true, from: null });
  await server.rows('UPDATE syncs SET lease_until = now() WHERE store_id = :id RETURNING id', {
    id: rowOf(store),
  });
  await expectWhole();
});
