// npm run bench:insight: what a first screen asks for as one question, over a large database, through HTTP. Prints how long
// each field takes alone and all together, for whoever sees everything, for a reader of an organization, and for an owner.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import pg from 'pg';
import { idOf, machine, openFilled, root, rowsWanted } from './filled.mjs';

const { encodeId } = await import('../dist/src/ids.js');

const runs = 7;
const fields = {
  'credentials byStatus byStore byKind':
    'credentials byStatus { status count } byStore { count } byKind { kind count }',
  expiring: 'expiring(within: "P30D")',
  overdue: 'overdue',
  withoutOwner: 'withoutOwner',
  unused: 'unused(for: "P90D")',
  rotationHealth: 'rotationHealth { rotating safeToRetire failed unknown }',
  rotationsByDay: 'rotationsByDay { day count failed unknown }',
  'verificationsByDay refusalsByDay': 'verificationsByDay { day count } refusalsByDay { day count }',
  expiriesByWeek: 'expiriesByWeek { week count }',
};
const questions = { ...fields, 'all of them': Object.values(fields).join(' ') };

const filled = await openFilled();
try {
  await fillDays(filled.url);
  const about = await machine(filled.db);
  const server = await serve(filled.environment);
  try {
    const admin = readFileSync(join(filled.dataDir, 'admin-token'), 'utf8').trim();
    const callers = {
      'the administrator': admin,
      'a reader of an organization': await tokenOf(server.url, admin, 131),
      'an owner': await tokenOf(server.url, admin, 132),
    };
    console.log(`Median of ${runs} answers, over ${rowsWanted.toLocaleString('en')} credentials. ${about}\n`);
    console.log(`| what is asked | ${Object.keys(callers).join(' | ')} |\n|---|${'--:|'.repeat(3)}`);
    for (const [name, asked] of Object.entries(questions)) {
      const times = [];
      for (const token of Object.values(callers))
        times.push(await timed(server.url, token, `{ insight { ${asked} } }`));
      console.log(`| ${name} | ${times.map((ms) => `${ms.toFixed(0)} ms`).join(' | ')} |`);
    }
  } finally {
    server.stop();
  }
} finally {
  await filled.close();
}

/** A tenth of the credentials is verified each day of a month, and a thirtieth of as many rotated in it. */
async function fillDays(url) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query('SELECT 1 FROM credential_days LIMIT 1');
    if (rows.length > 0) return;
    console.error('Filling days…');
    await client.query('SET session_replication_role = replica; SET synchronous_commit = off');
    await client.query(`INSERT INTO credential_days (credential_id, day, good, refused)
      SELECT c.id, CAST(now() AT TIME ZONE 'UTC' AS date) - n, 1 + n, n % 3
      FROM generate_series(29, 0, -1) n, credentials c WHERE uuid_hash_extended(c.id, 7) % 10 = 0`);
    await client.query(
      `INSERT INTO verification_days SELECT day, sum(good), sum(refused) FROM credential_days GROUP BY day`,
    );
    await client.query(`INSERT INTO rotations (id, credential_id, state, started_at, finished_at, from_number)
      SELECT gen_random_uuid(), c.id, (ARRAY['FINISHED', 'FINISHED', 'FINISHED', 'FAILED', 'OUTCOME_UNKNOWN'])[1 + n % 5],
        now() - n * interval '1 day', now(), 1
      FROM generate_series(0, 89) n, credentials c WHERE uuid_hash_extended(c.id, 8) % 900 = n`);
    await client.query('VACUUM ANALYZE');
  } finally {
    await client.end();
  }
}

async function serve(environment) {
  const child = spawn(process.execPath, [join(root, 'bin/keyway.js'), 'serve'], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  const url = await new Promise((resolve, reject) => {
    child.stdout.on('data', (part) => {
      text += part;
      const [found] = /http:\/\/[\d.]+:\d+/.exec(text) ?? [];
      if (found) resolve(found);
    });
    child.on('exit', () => reject(new Error('the server ended')));
  });
  return { url, stop: () => child.kill() };
}

async function tokenOf(url, admin, account) {
  const { createCredential } = await ask(
    url,
    admin,
    `mutation { createCredential(input: { account: "${encodeId('Account', idOf('accounts', account))}",
      name: "bench", secret: { token: {} } }) { issued { secret } } }`,
  );
  return createCredential.issued.secret;
}

async function timed(url, token, query) {
  const times = [];
  for (let run = 0; run < runs; run++) {
    const began = performance.now();
    await ask(url, token, query);
    times.push(performance.now() - began);
  }
  return times.sort((one, other) => one - other)[Math.floor(runs / 2)];
}

async function ask(url, token, query) {
  const answer = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}
