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
const { chart } = await import('./chart.mjs');
const { contestants } = await import('./contestants.mjs');
const { serverUrl } = await import('./databases.mjs');
const { measureRounds } = await import('./measure.mjs');
const { parentOf } = await import('./processor.mjs');
const { furtherTable, page, summary, table } = await import('./report.mjs');
const { requests } = await import('./questions.mjs');
const { statementsOfEach } = await import('./statements.mjs');
const { tables } = await import('./tables.mjs');
const { tooManyStatements, tooSlow } = await import('./bounds.mjs');
const { expectWrk } = await import('./wrk.mjs');

const { values } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    only: { type: 'string', default: Object.keys(requests).join() },
    rounds: { type: 'string', default: '3' },
    credentials: { type: 'string', default: '1000000' },
    contestants: { type: 'string', default: Object.keys(contestants).join() },
    connections: { type: 'string', default: '32' },
    seconds: { type: 'string', default: '4' },
    processes: { type: 'string', default: '1' },
    tables: { type: 'string' },
  },
});
const credentials = Number(values.credentials);
const chosen = values.contestants.split(',');
const only = values.only.split(',');
const options = {
  only,
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
  warmSeconds: Math.min(2, Number(values.seconds)),
  connections: Number(values.connections),
  env: { KEYWAY_PROCESSES: values.processes },
};
/** All of it, for the page of results: what was shortened stands beside nothing. */
const whole = process.argv.slice(2).every((argument) => argument === '--keep');
const wanted = whole ? Object.keys(tables) : (values.tables?.split(',') ?? []);
const unknown = [
  ...chosen.filter((name) => !contestants[name]),
  ...only.filter((name) => !requests[name]),
  ...wanted.filter((name) => !tables[name]),
];
if (unknown.length > 0) throw new Error(`there is no ${unknown.join(', no ')}`);

expectWrk();
if (wanted.length > 0 || chosen.some((name) => contestants[name].peer)) installPeers();
const bed = await openBed(credentials, values.keep);
let medians;
let counts;
let broken = [];
const further = [];
try {
  counts = await statementsOfEach(bed, chosen, only);
  medians = await measured();
  writeResults();
  for (const name of wanted) {
    const rows = await tables[name].measure({ bed, only, keep: values.keep });
    further.push(furtherTable(tables[name], rows));
    writeResults();
  }
  if (values.check) broken = await notWithin();
} finally {
  await bed.close();
}
if (values.json) console.log(JSON.stringify({ contestants: withCounts(medians, counts) }, undefined, 2));
else console.log([table(medians, counts), ...further].join('\n'));
if (broken.length > 0) throw new Error(`what is measured is not what it was:\n  ${broken.join('\n  ')}`);

async function measured() {
  return summary(await measureRounds(bed, chosen, { ...options, postmaster: await postmasterHere() }));
}

/** What does not hold. A machine may be busy for a moment: slow is what is slow three times. */
async function notWithin() {
  let slow = tooSlow(medians);
  for (let again = 0; again < 2 && slow.size > 0; again++) {
    const then = tooSlow(await measured());
    slow = new Map([...slow].filter(([what]) => then.has(what)));
  }
  return [...tooManyStatements(medians, counts), ...[...slow].map((entry) => entry.join(': '))];
}

/** What is measured so far: what comes later may fail. */
function writeResults() {
  if (!whole) return;
  writeFileSync(join(root, 'bench/RESULTS.md'), page(medians, counts, further, { ...options, credentials }));
  writeFileSync(join(root, 'bench/results.svg'), chart(medians));
}

/** The medians, each with its statements a request. */
function withCounts(medians, counts) {
  return Object.fromEntries(
    Object.entries(medians).map(([name, measured]) => [
      name,
      Object.fromEntries(
        Object.entries(measured).map(([request, one]) => [
          request,
          { ...one, statements: counts[name]?.[request] },
        ]),
      ),
    ]),
  );
}

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
