import { Resumption } from '../../../src/credentials/outside/resume.js';
import { newId } from '../../../src/ids.js';
import { makeStore, seqeraAt } from '../../stores/stores.js';
import { atRest, type AtRest } from '../../support/at-rest.js';
import { expectData, makeAccount } from '../../support/make.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { run } from '../../support/verbs.js';
import { startSeqera, type Seqera } from '../../upstreams/seqera.js';
import { rowOf } from '../due/due.js';

// Changes that are to be taken up, of a tenant that has many of them and of one that has one.

let server: TestServer;
let seqera: Seqera;
beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  seqera = await startSeqera();
  seqera.seed(20);
});
afterAll(async () => {
  await server.stop();
  await seqera.stop();
});

/** A store with twenty credentials. */
async function stocked(account: string): Promise<string> {
  const id = await makeStore(server, account, seqeraAt(seqera));
  expectData(await run(server, 'syncStore', { id }));
  return rowOf(id);
}

/** Puts changes on record that nobody is at any more: of so many credentials of a store. */
const leaveOpen = (rest: AtRest, store: string, count: number, ago: string) =>
  rest.rows(
    `INSERT INTO intents (id, credential_id, store_id, verb, lease_until, next_at, request_id)
     SELECT each.id, c.id, c.store_id, 'UPDATE', '-infinity', now() - CAST(:ago AS interval), 'none'
     FROM (SELECT id, store_id, row_number() OVER () AS nr FROM credentials WHERE store_id = :store AND external_id IS NOT NULL) c
     JOIN unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS each (id, nr) ON each.nr = c.nr RETURNING id`,
    { store, ids: Array.from({ length: count }, () => newId()), ago },
  );

/** How many of a store's were taken up. */
const taken = async (rest: AtRest, store: string): Promise<number> =>
  (await rest.rows('SELECT id FROM intents WHERE store_id = :store AND fence > 1', { store })).length;

test('R20: what one tenant has left open does not keep what another has waiting', async () => {
  const parent = await makeAccount(server);
  const theirs = [
    await stocked(parent),
    await stocked(await makeAccount(server, { parent })),
    await stocked(await makeAccount(server, { parent })),
  ];
  const one = await stocked(await makeAccount(server));
  await atRest(server, async (rest) => {
    for (const store of theirs) await leaveOpen(rest, store, 20, '1 hour');
    await leaveOpen(rest, one, 1, '1 second');
    const resumption = new Resumption(rest.parts);
    await resumption.tick();
    const all = await Promise.all(theirs.map((store) => taken(rest, store)));
    const ofOne = await taken(rest, one);
    await resumption.stop();
    // Half of the slots, and the same of each of its accounts.
    expect([ofOne, ...all.sort()]).toEqual([1, 5, 5, 6]);
  });
});
