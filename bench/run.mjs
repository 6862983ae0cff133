// npm run bench: Keyway beside its peers and the least that could answer the same, in interleaved rounds.
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pg from 'pg';

const root = fileURLToPath(new URL('..', import.meta.url));
// Builds dist/ where the sources are newer.
const built = spawnSync(process.execPath, [join(root, 'bin/keyway.js'), '--help'], {
  stdio: ['ignore', 'ignore', 2],
});
if (built.status !== 0) process.exit(1);

const { openBed } = await import('./bed.mjs');
const { contestants } = await import('./contestants.mjs');
const { serverUrl } = await import('./databases.mjs');
const { measureRounds } = await import('./measure.mjs');
const { parentOf } = await import('./processor.mjs');
const { summary, table, page } = await import('./report.mjs');
const { requests } = await import('./questions.mjs');
const { expectWrk } = await import('./wrk.mjs');

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    only: { type: 'string', default: Object.keys(requests).join() },
    rounds: { type: 'string' },
    credentials: { type: 'string' },
    contestants: { type: 'string' },
    connections: { type: 'string', default: '32' },
    seconds: { type: 'string' },
    processes: { type: 'string' },
  },
});
const credentials = Number(values.credentials ?? 1_000_000);
const chosen = values.contestants?.split(',') ?? Object.keys(contestants);
const options = {
  only: values.only.split(','),
  rounds: Number(values.rounds ?? 3),
  seconds: Number(values.seconds ?? 4),
  warmSeconds: 2,
  connections: Number(values.connections),
  env: values.processes && { KEYWAY_PROCESSES: values.processes },
};
const unknown = [
  ...chosen.filter((name) => !contestants[name]),
  ...options.only.filter((name) => !requests[name]),
];
if (unknown.length > 0) throw new Error(`there is no ${unknown.join(', no ')}`);

expectWrk();
if (chosen.some((name) => contestants[name].peer)) installPeers();
const bed = await openBed(credentials, values.keep);
let records;
try {
  records = await measureRounds(bed, chosen, { ...options, postmaster: await postmasterHere() });
} finally {
  await bed.close();
}
const medians = summary(records);
if (values.json) console.log(JSON.stringify({ contestants: medians }, undefined, 2));
else console.log(table(medians));
// What was shortened stands beside nothing.
if (
  !values.json &&
  [values.credentials, values.contestants, values.processes].every((value) => value === undefined)
)
  writeFileSync(join(root, 'bench/RESULTS.md'), page(medians, { ...options, credentials }));

/** The packages of the peers, as their lockfile says. */
function installPeers() {
  const folder = join(root, 'bench/peers');
  if (existsSync(join(folder, 'node_modules/mercurius'))) return;
  console.error('Installing the peers, from bench/peers/package-lock.json…');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) process.exit(status ?? 1);
}

/** The first process of PostgreSQL, where it runs on this machine. */
async function postmasterHere() {
  const client = new pg.Client({ connectionString: serverUrl() });
  await client.connect();
  try {
    const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
    return parentOf(rows[0].pid) || undefined;
  } finally {
    await client.end();
  }
}
