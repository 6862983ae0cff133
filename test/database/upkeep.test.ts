/**
 * @embedded what is done for the embedded database alone
 */
import { Upkeep } from '../../src/database/upkeep.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.db.source.query('CREATE TABLE "Much seen to" (id integer PRIMARY KEY, kept text)');
});
afterAll(() => server.stop());

const fill = (from: number, to: number) =>
  server.rows(
    `INSERT INTO "Much seen to" SELECT n, 'as before' FROM generate_series(CAST(:from AS integer), CAST(:to AS integer)) n
     RETURNING 1`,
    { from, to },
  );
async function table(): Promise<{ pages: number; rows: number }> {
  const [found] = await server.rows<{ pages: number; rows: number }>(
    `SELECT (pg_relation_size(oid) / 8192)::integer AS pages, reltuples::integer AS rows
     FROM pg_class WHERE relname = 'Much seen to'`,
  );
  if (!found) throw new Error('the table is gone');
  return found;
}

test('a table that has grown is counted, so that what reads it is planned for as many rows', async () => {
  await fill(1, 10_000);
  expect((await table()).rows).toBe(-1);
  const upkeep = new Upkeep(server.db);
  await upkeep.tick();
  expect((await table()).rows).toBe(10_000);
  await fill(10_001, 11_000);
  await upkeep.tick();
  // Not by so little.
  expect((await table()).rows).toBe(10_000);
  await fill(11_001, 40_000);
  await upkeep.tick();
  expect((await table()).rows).toBe(40_000);
});

test('after an hour the room of rows that were changed is used again', async () => {
  let hours = 0;
  const upkeep = new Upkeep(server.db, () => hours * 3_600_000);
  const change = () => server.db.source.query(`UPDATE "Much seen to" SET kept = 'as changed'`);
  await change();
  const { pages } = await table();
  await upkeep.tick();
  hours = 1;
  await upkeep.tick();
  await change();
  expect((await table()).pages).toBeLessThan(pages * 1.1);
  await change();
  expect((await table()).pages).toBeGreaterThan(pages * 1.1);
});
