// npm run bench:stores: a sync beside the least that could do it (the same listing, the same rows), and a rotation beside
// the vendor's bare call. Fails where a sync takes 3 times as long, or a rotation more than two transactions.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { machine, root } from './filled.mjs';
import { endAll, started } from './children.mjs';

const { readConfig } = await import('../dist/src/config/config.js');
const { openKeyway } = await import('../dist/src/start/keyway.js');
const { openLog } = await import('../dist/src/log.js');
const { openOutbound } = await import('../dist/src/outbound/outbound.js');
const { requestsOf } = await import('../dist/src/start/demo/request.js');
const { openGates } = await import('../dist/src/stores/gate.js');
const { createStore } = await import('../dist/src/stores/create.js');
const { syncStore } = await import('../dist/src/credentials/sync/sync-store.js');
const { rotateCredential } = await import('../dist/src/credentials/rotate.js');
const { encodeId, newId } = await import('../dist/src/ids.js');
const { adminAccountId } = await import('../dist/src/accounts/account.js');

const listed = Number(process.env.LISTED ?? 10_000);
const rounds = Number(process.env.ROUNDS ?? 5);
const rotations = 100;
const mostRatio = 3;
const mostTransactions = 2;
const databaseName = 'keyway_bench_stores';
const token = 'a-token-of-the-bench-and-of-nobody';

const server = process.env.BENCH_DATABASE_URL ?? process.env.DATABASE_URL;
if (!server) throw new Error('set BENCH_DATABASE_URL to a PostgreSQL whose role may create databases');
const url = Object.assign(new URL(server), { pathname: `/${databaseName}` }).href;
await onServer(`DROP DATABASE IF EXISTS ${databaseName} WITH (FORCE)`);
await onServer(`CREATE DATABASE ${databaseName}`);
const dataDir = mkdtempSync(join(tmpdir(), `${databaseName}-`));
const log = openLog('warn');
const config = readConfig({ DATABASE_URL: url, KEYWAY_DATA_DIR: dataDir, KEYWAY_OUTBOUND_LOCAL: 'true' });
const keyway = await openKeyway(config, log);
const pool = new pg.Pool({ connectionString: url, max: 10 });
const outbound = openOutbound({ allowedRanges: [], local: true });
const requests = await requestsOf(keyway, log, null, openGates(outbound, log), true);
let failed = false;
try {
  const vendor = join(root, 'bench/stores-vendor.mjs');
  const seqera = await started([vendor], { KIND: 'seqera', COUNT: String(listed), TOKEN: token });
  const apinizer = await started([vendor], { KIND: 'apinizer', COUNT: String(rotations), TOKEN: token });
  const synced = await syncs(seqera);
  const rotated = await rotating(apinizer);
  await report(synced, rotated);
} finally {
  endAll();
  await requests.finish();
  await outbound.close();
  await pool.end();
  await keyway.keyring.close();
  await keyway.db.close();
  await onServer(`DROP DATABASE IF EXISTS ${databaseName} WITH (FORCE)`);
  rmSync(dataDir, { recursive: true, force: true });
}
if (failed) process.exit(1);

/** First syncs of a fresh store, each in turn with the bare listing and inserting; then a sync that finds nothing new. */
async function syncs(endpoint) {
  const measured = [];
  for (let round = -1; round < rounds; round++) {
    const bareStore = await connect(`bare-${round + 1}`, {
      seqera: { endpoint, token, workspaces: ['4242'] },
    });
    const store = await connect(`sync-${round + 1}`, { seqera: { endpoint, token, workspaces: ['4242'] } });
    const bareMs = await timed(() => bare(endpoint, bareStore));
    const before = process.memoryUsage().rss;
    let most = before;
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 10);
    const firstMs = await timed(() => sync(store));
    const againMs = await timed(() => sync(store));
    clearInterval(watch);
    const { rows } = await pool.query(
      'SELECT store_id, count(*)::integer AS count FROM credentials WHERE external_id IS NOT NULL AND store_id = ANY($1) GROUP BY 1',
      [[bareStore, store]],
    );
    if (rows.length !== 2 || rows.some(({ count }) => count !== listed))
      throw new Error('the two did not do the same');
    // What is made for good is vacuumed in every database that lives.
    await pool.query('VACUUM ANALYZE credentials');
    if (round >= 0)
      measured.push({
        bareMs,
        firstMs,
        againMs,
        ratio: firstMs / bareMs,
        again: againMs / bareMs,
        before,
        most,
      });
  }
  return measured;
}

/** The least that could do it: one listing, and rows by multi-row INSERTs, a transaction for each batch. */
async function bare(endpoint, storeId) {
  const answer = await fetch(`${endpoint}/credentials?workspaceId=4242`, {
    headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
  });
  const { credentials } = await answer.json();
  for (let start = 0; start < credentials.length; start += 500) {
    const rows = credentials.slice(start, start + 500).map((one) => ({ ...one, uuid: newId() }));
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      await insert(
        client,
        'credentials (id, store_id, account_id, external_id, scope, kind, name, description, created_at, observed_at)',
        rows,
        (one) => [
          one.uuid,
          storeId,
          adminAccountId,
          one.id,
          '4242',
          'PROVIDER_KEYS',
          one.name,
          one.description,
          one.dateCreated,
          new Date(),
        ],
      );
      await insert(client, 'credential_versions (credential_id, number, state)', rows, (one) => [
        one.uuid,
        1,
        'CURRENT',
      ]);
      await insert(client, 'credential_uses (credential_id, unused_since)', rows, (one) => [
        one.uuid,
        one.dateCreated,
      ]);
      await client.query('COMMIT');
    } finally {
      client.release();
    }
  }
}

async function insert(client, into, rows, valuesOf) {
  const values = rows.map(valuesOf);
  const width = values[0].length;
  const places = values.map(
    (_, row) =>
      `(${Array.from({ length: width }, (_, column) => `$${row * width + column + 1}`).join(', ')})`,
  );
  await client.query(`INSERT INTO ${into} VALUES ${places.join(', ')}`, values.flat());
}

async function sync(storeId) {
  const id = encodeId('CredentialStore', storeId);
  await syncStore(requests.next(), { id });
  for (;;) {
    const { rows } = await pool.query(
      'SELECT finished_at, error FROM syncs WHERE store_id = $1 ORDER BY started_at DESC LIMIT 1',
      [storeId],
    );
    if (rows[0]?.error) throw new Error(`the sync ended with ${rows[0].error}`);
    if (rows[0]?.finished_at) return;
    await sleep(20);
  }
}

/** Rotations one after the other, each in turn with the vendor's call alone. */
async function rotating(endpoint) {
  const store = await connect('rotating', { apinizer: { endpoint, token, projects: ['Orders'] } });
  await sync(store);
  const { rows } = await pool.query(
    'SELECT id, external_id AS name FROM credentials WHERE store_id = $1 AND external_id IS NOT NULL',
    [store],
  );
  let transactions = 0;
  const { transaction } = keyway.db;
  keyway.db.transaction = function (...args) {
    transactions++;
    return transaction.apply(this, args);
  };
  const measured = [];
  for (const { id, name } of rows) {
    const bareMs = await timed(async () => {
      const answer = await fetch(`${endpoint}/apiops/projects/Orders/credentials/${name}/`, {
        method: 'PATCH',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ password: `made-up-${newId()}` }),
      });
      if (answer.status !== 200) throw new Error(`status ${answer.status}`);
      await answer.text();
    });
    transactions = 0;
    const ms = await timed(() => rotateCredential(requests.next(), { id: encodeId('Credential', id) }));
    measured.push({ bareMs, ms, over: ms - bareMs, transactions });
  }
  keyway.db.transaction = transaction;
  return measured;
}

async function connect(name, connection) {
  const { id } = await createStore(requests.next(), { name, connection });
  return id;
}

async function timed(work) {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

async function report(synced, rotated) {
  const ratio = median(synced, 'ratio');
  const transactions = Math.max(...rotated.map((one) => one.transactions));
  if (ratio >= mostRatio || transactions > mostTransactions) {
    failed = true;
    console.error(`a sync: ${ratio.toFixed(2)} times the bare one; a rotation: ${transactions} transactions`);
  }
  const ms = (figure) => Math.round(median(synced, figure));
  const mib = (bytes) => Math.round(bytes / 1_048_576);
  const over = rotated.map((one) => one.over).sort((a, b) => a - b);
  const text = `| | ms | / bare |
|---|--:|--:|
| listing and inserting ${listed.toLocaleString('en')}, bare | ${ms('bareMs')} | 1.00 |
| the first sync of them | ${ms('firstMs')} | ${ratio.toFixed(2)} |
| a sync that finds nothing new | ${ms('againMs')} | ${median(synced, 'again').toFixed(2)} |

Memory (RSS) before and at most while syncing: ${mib(synced[0].before)} and ${mib(synced[0].most)} MiB in the first round, ${mib(synced.at(-1).before)} and ${mib(synced.at(-1).most)} MiB in the last.

A rotation: ${transactions} transactions at most, and ${part(over, 0.5).toFixed(1)} ms over the vendor's bare call of ${median(rotated, 'bareMs').toFixed(1)} ms (p95 ${part(over, 0.95).toFixed(1)} ms).`;
  console.log(text);
  mkdirSync(join(root, 'bench/results'), { recursive: true });
  writeFileSync(
    join(root, 'bench/results/stores.md'),
    `# Stores

A sync of ${listed.toLocaleString('en')} credentials that a vendor (a stand-in of Seqera's, in a process of its own) lists in one piece,
beside the least that could do it: \`fetch\`, and multi-row \`INSERT\`s of the same rows into the same tables, in batches
of the same size. ${rounds} rounds, in turns, after one to warm up; medians. And ${rotations} rotations, one after the other, each beside
the vendor's call alone (a stand-in of Apinizer's). The caller, the vendors and PostgreSQL share the processors, so read
the ratios. Made by \`npm run bench:stores\`.

${await machine(keyway.db)}

${text}
`,
  );
}

async function onServer(statement) {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** The value below which this part of the sorted values lies. */
function part(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** The median of one figure over rounds. */
function median(measured, figure) {
  const sorted = measured.map((one) => one[figure]).sort((a, b) => a - b);
  return part(sorted, 0.5);
}
