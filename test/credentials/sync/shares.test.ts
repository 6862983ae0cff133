import { setTimeout as sleep } from 'node:timers/promises';
import { registry } from '../../../src/connectors/registry.js';
import type { Connector, ListedPart, Upstream } from '../../../src/connectors/connector.js';
import { longestListing } from '../../../src/config/limits.js';
import { begin, Syncs } from '../../../src/credentials/sync/syncs.js';
import { makeStore, readStore, seqeraAt } from '../../stores/stores.js';
import { atRest } from '../../support/at-rest.js';
import { expectData, makeAccount } from '../../support/make.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { run } from '../../support/verbs.js';
import { startSeqera, type Seqera } from '../../upstreams/seqera.js';
import { rowOf } from '../due/due.js';

// Syncs of tenants whose stores list without end, and of one whose store does not.

const seqera = registry['SEQERA'] as Connector;

/** A listing whose parts never end, each a moment after the one before. */
async function* endless(from: string | null): AsyncGenerator<ListedPart> {
  for (let part = Number(from ?? 0); ; part++) {
    await sleep(20);
    yield { entries: [], next: String(part) };
  }
}

let server: TestServer;
let hostile: Seqera;
let normal: Seqera;
const list = (upstream: Upstream, from: string | null) =>
  upstream.addresses['endpoint']?.startsWith(hostile.url)
    ? endless(from)
    : (seqera.list?.(upstream, from) ?? endless(from));
const connectors = { ...registry, SEQERA: { ...seqera, list } };

beforeAll(async () => {
  hostile = await startSeqera();
  normal = await startSeqera();
  normal.seed(3);
});
afterAll(async () => {
  await hostile.stop();
  await normal.stop();
});
beforeEach(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' }, connectors);
});
afterEach(() => server.stop());

/** Stores that list without end, each in a part of its own of one tenant. */
async function hostileStores(count: number): Promise<string[]> {
  const parent = await makeAccount(server);
  const all: string[] = [];
  for (let made = 0; made < count; made++)
    all.push(await makeStore(server, await makeAccount(server, { parent }), seqeraAt(hostile)));
  return all;
}

test('R20: a sync of a tenant does not wait for those of another, however many these are and however long they take', async () => {
  const theirs = await hostileStores(9);
  const one = await makeStore(server, await makeAccount(server), seqeraAt(normal));
  for (const id of theirs) await begin(server.db, rowOf(id));
  await sleep(1_500);
  expectData(await run(server, 'syncStore', { id: one }));
  expect((await readStore(server, one)).lastSync).toMatchObject({ added: 3, error: null });
  expect((await readStore(server, one)).lastSync.finishedAt).not.toBeNull();
});

test('R20: where all places are taken, what runs makes room for what waits at the end of a part', async () => {
  const theirs = (await Promise.all([1, 2, 3, 4].map(() => hostileStores(4)))).flat();
  const one = await makeStore(server, await makeAccount(server), seqeraAt(normal));
  await atRest(server, async ({ parts, ...rest }) => {
    const syncs = new Syncs({ ...parts, connectors }, 0, { ...longestListing, turnMs: 0 });
    for (const id of theirs) await begin(parts.db, rowOf(id));
    await syncs.tick();
    await begin(parts.db, rowOf(one));
    const finished = () =>
      rest.rows('SELECT id FROM syncs WHERE store_id = :one AND finished_at IS NOT NULL', {
        one: rowOf(one),
      });
    while ((await finished()).length === 0) {
      await sleep(20);
      await syncs.tick();
    }
    await syncs.stop();
  });
});

describe('a listing that goes on beyond what is read of one ends, and tells so, and nothing is gone by it', () => {
  const listing = { parts: 2, entries: 1_000, readMs: 3_600_000, turnMs: 0 };
  const cases: [what: string, bounds: typeof listing, parts: number][] = [
    ['parts', listing, 2],
    ['credentials', { ...listing, parts: 1_000, entries: 2 }, 2],
    ['time', { ...listing, parts: 1_000, readMs: 50 }, 3],
  ];

  test.each(cases)('of %s', async (_, bounds, atMost) => {
    const store = await makeStore(server, await makeAccount(server), seqeraAt(normal));
    expectData(await run(server, 'syncStore', { id: store }));
    await atRest(server, async ({ parts, ...rest }) => {
      const entry = { scope: '', kind: 'PROVIDER_KEYS', name: 'of a listing without end' } as const;
      async function* more(_upstream: Upstream, from: string | null): AsyncGenerator<ListedPart> {
        for (let part = Number(from ?? 0); ; part++) {
          await sleep(20);
          yield { entries: [{ ...entry, externalId: `made-${part}` }], next: String(part + 1) };
        }
      }
      const syncs = new Syncs(
        { ...parts, connectors: { ...registry, SEQERA: { ...seqera, list: more } } },
        0,
        bounds,
      );
      await begin(parts.db, rowOf(store));
      await syncs.tick();
      while ((await rest.rows('SELECT id FROM syncs WHERE finished_at IS NULL')).length > 0) await sleep(20);
      await syncs.stop();
    });
    const { lastSync } = await readStore(server, store);
    expect(lastSync).toMatchObject({ changed: 0, gone: 0, error: 'LIMIT_EXCEEDED' });
    expect(lastSync.added).toBeGreaterThan(0);
    expect(lastSync.added).toBeLessThanOrEqual(atMost);
  });
});
