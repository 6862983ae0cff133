import 'reflect-metadata';
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { Database } from '../../src/database/database.js';
import { entities, migrations } from '../../src/start/tables.js';
import { makeCluster, type Cluster } from '../support/cluster.js';
import { emptyPlace, onServer, runKeyway, type Place } from '../support/process.js';

/** How many credentials there are; `ROWS` says otherwise. */
const rows = Number(process.env['ROWS'] ?? 1_000_000);
const projects = Math.ceil(rows / 10);
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
  await onServer(
    cluster.url,
    `INSERT INTO projects (id, account_id, name, title)
      SELECT gen_random_uuid(), (SELECT id FROM accounts LIMIT 1), 'many-' || number, 'Title of ' || md5(number::text)
      FROM generate_series(1, ${projects}) AS number`,
  );
}, 600_000);
afterAll(async () => {
  await place.drop();
  await cluster.drop();
});

test(`R31: the changes of the tables since 0.2.0 keep nobody from a change of one of ${rows} credentials, or from reading one of ${projects} projects, for longer than 2 s`, async () => {
  const since = migrations.filter(({ name }) => /^(Expand|Contract)[A-Z]/.test(name));
  const db = await Database.open({ url: cluster.url, folder: place.folder, entities, migrations });
  try {
    for (let undone = 0; undone < since.length; undone++)
      await db.source.undoLastMigration({ transaction: 'each' });
    let isOver = false;
    const waitsOf = async (statement: string): Promise<number[]> => {
      const client = new pg.Client({ connectionString: cluster.url });
      await client.connect();
      const waits: number[] = [];
      while (!isOver) {
        const from = performance.now();
        await client.query(statement);
        waits.push(performance.now() - from);
        await sleep(5);
      }
      await client.end();
      return waits;
    };
    const waiting = [
      waitsOf('UPDATE credentials SET updated_at = now() WHERE id = (SELECT id FROM credentials LIMIT 1)'),
      waitsOf('SELECT id FROM projects LIMIT 1'),
      waitsOf('SELECT id FROM roles LIMIT 1'),
    ];
    const from = performance.now();
    await db.migrate();
    const tookMs = performance.now() - from;
    isOver = true;
    const longest = (await Promise.all(waiting)).map((waits) => {
      expect(waits.length).toBeGreaterThan(10);
      return Math.round(Math.max(...waits));
    });
    console.info(`${Math.round(tookMs)} ms in all; nobody waited for longer than ${longest.join(', ')} ms`);
    expect(Math.max(...longest)).toBeLessThan(longestMs);
  } finally {
    await db.close();
  }
}, 600_000);
