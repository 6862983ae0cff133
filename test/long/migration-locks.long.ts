import 'reflect-metadata';
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { Database } from '../../src/database/database.js';
import { entities, migrations } from '../../src/start/tables.js';
import { makeCluster, type Cluster } from '../support/cluster.js';
import { emptyPlace, runKeyway, type Place } from '../support/process.js';

/** How many credentials there are; `ROWS` says otherwise. */
const rows = Number(process.env['ROWS'] ?? 1_000_000);
const longestMs = 2_000;

let cluster: Cluster;
let place: Place;
beforeAll(async () => {
  cluster = await makeCluster();
  place = await emptyPlace();
  const made = await runKeyway(['migrate'], { ...place.environment, DATABASE_URL: cluster.url });
  expect([made.code, made.output]).toEqual([0, expect.any(String)]);
  const fill = `import('./bench/fill-keyway.mjs').then(({ fillKeyway }) => fillKeyway(process.argv[1], ${rows}))`;
  execFileSync(process.execPath, ['-e', fill, cluster.url], { env: { PATH: process.env['PATH'] } });
}, 600_000);
afterAll(async () => {
  await place.drop();
  await cluster.drop();
});

test(`R31: the changes of the tables since 0.2.0 keep nobody from a change of one of ${rows} credentials for longer than 2 s`, async () => {
  const since = migrations.filter(({ name }) => /^(Expand|Contract)[A-Z]/.test(name));
  const db = await Database.open({ url: cluster.url, folder: place.folder, entities, migrations });
  const client = new pg.Client({ connectionString: cluster.url });
  await client.connect();
  try {
    for (let undone = 0; undone < since.length; undone++)
      await db.source.undoLastMigration({ transaction: 'each' });
    const waits: number[] = [];
    let isOver = false;
    const writing = (async () => {
      const { rows: found } = await client.query('SELECT id FROM credentials LIMIT 1');
      while (!isOver) {
        const from = performance.now();
        await client.query('UPDATE credentials SET updated_at = now() WHERE id = $1', [found[0].id]);
        waits.push(performance.now() - from);
        await sleep(5);
      }
    })();
    const from = performance.now();
    await db.migrate();
    isOver = true;
    await writing;
    const longest = Math.max(...waits);
    console.info(
      `${Math.round(performance.now() - from)} ms in all, a write waited for ${Math.round(longest)} ms`,
    );
    expect(waits.length).toBeGreaterThan(10);
    expect(longest).toBeLessThan(longestMs);
  } finally {
    await client.end();
    await db.close();
  }
}, 600_000);
