// A database like one that has been in use for three years, for the benches: made through Keyway's own first start,
// then filled by one INSERT … SELECT a table.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { performance } from 'node:perf_hooks';
import pg from 'pg';

export const root = fileURLToPath(new URL('..', import.meta.url));
// Builds dist/ where the sources are newer.
execFileSync(process.execPath, [join(root, 'bin/keyway.js'), '--help'], { stdio: ['ignore', 'ignore', 2] });

const { readConfig } = await import('../dist/src/config/config.js');
const { openKeyway } = await import('../dist/src/start/keyway.js');
const { openLog } = await import('../dist/src/log.js');

const databaseName = 'keyway_bench';
const kept = process.env.KEEP === '1';
export const rowsWanted = Number(process.env.ROWS ?? 1_000_000);

/**
 * Opens the filled database, filling it where it is not there. With KEEP=1 it is left for the next run.
 * @returns the open Keyway, the environment a server needs to run on the same database, and what ends it all.
 */
export async function openFilled() {
  const server = process.env.BENCH_DATABASE_URL ?? process.env.DATABASE_URL;
  if (!server) throw new Error('set BENCH_DATABASE_URL to a PostgreSQL whose role may create databases');
  const url = new URL(server);
  url.pathname = `/${databaseName}`;
  const dataDir = join(tmpdir(), databaseName);
  const filled = (await exists(server)) && existsSync(join(dataDir, 'admin-token'));
  if (!filled) {
    await onServer(server, `DROP DATABASE IF EXISTS ${databaseName} WITH (FORCE)`);
    await onServer(server, `CREATE DATABASE ${databaseName}`);
    rmSync(dataDir, { recursive: true, force: true });
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  }
  const environment = {
    DATABASE_URL: url.href,
    KEYWAY_DATA_DIR: dataDir,
    KEYWAY_LOG_LEVEL: 'warn',
    HOST: '127.0.0.1',
    PORT: '0',
  };
  const keyway = await openKeyway(readConfig(environment), openLog('warn'));
  try {
    if (!filled) await fill(url.href);
  } catch (error) {
    await keyway.db.close();
    throw error;
  }
  const close = async () => {
    await keyway.db.close();
    if (kept) return;
    await onServer(server, `DROP DATABASE IF EXISTS ${databaseName} WITH (FORCE)`);
    rmSync(dataDir, { recursive: true, force: true });
  };
  return { ...keyway, environment, dataDir, url: url.href, close };
}

/** The id of the n-th made row of a table: known without asking. */
export const idOf = (table, n) => `${tables[table]}-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;

const tables = { accounts: '0000aaaa', projects: '0000bbbb', roles: '0000cccc', stores: '0000dddd' };

/** What the figures were measured on. */
export async function machine(db) {
  const [settings] = await db.rows({
    text: `SELECT current_setting('server_version') AS version, current_setting('shared_buffers') AS buffers,
      current_setting('work_mem') AS work, current_setting('random_page_cost') AS random,
      pg_size_pretty(pg_database_size(current_database())) AS size`,
    names: [],
  });
  return `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'CPU'}, Node ${process.versions.node}, PostgreSQL ${settings.version} on the same machine (shared_buffers ${settings.buffers}, work_mem ${settings.work}, random_page_cost ${settings.random}); the database has ${settings.size}. Load average when it ended: ${loadavg()[0]?.toFixed(1)}, all other work of the machine included.`;
}

const exists = async (server) =>
  (await onServer(server, `SELECT 1 FROM pg_database WHERE datname = '${databaseName}'`)).length > 0;

async function onServer(server, statement) {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

async function fill(url) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const began = performance.now();
  const step = async (name, statement) => {
    const start = performance.now();
    await client.query(statement);
    console.error(`  ${name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  };
  try {
    console.error(`Filling ${databaseName} with ${rowsWanted} credentials…`);
    await client.query("SET maintenance_work_mem = '512MB'; SET synchronous_commit = off");
    // Every row is right by construction: looking up seven foreign keys a row would take longer than the rest.
    await client.query('SET session_replication_role = replica');
    await client.query(functions);
    for (const [table, statement] of Object.entries(small)) await step(table, statement);
    const indexes = await indexesOf(client);
    for (const { name } of indexes) await client.query(`DROP INDEX ${name}`);
    for (const [table, statement] of Object.entries(large)) await step(table, statement);
    for (const { name, definition } of indexes) await step(name, definition);
    await step('vacuum', 'VACUUM ANALYZE');
    console.error(`Filled in ${((performance.now() - began) / 1000).toFixed(0)} s`);
  } finally {
    await client.end();
  }
}

/** The indexes of the large tables, apart from those of constraints: they are made afresh once the rows are there. */
async function indexesOf(client) {
  const { rows } = await client.query(
    `
    SELECT indexname AS name, indexdef AS definition FROM pg_indexes
    WHERE schemaname = 'public' AND tablename = ANY($1)
      AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = indexname) ORDER BY indexname`,
    [Object.keys(large)],
  );
  return rows;
}

// pick: an even, repeatable choice out of 0 … m-1. made: the id of the n-th row.
const functions = `
  CREATE FUNCTION pg_temp.pick(n bigint, salt integer, m integer) RETURNS integer LANGUAGE sql IMMUTABLE AS
    $$ SELECT ((hashint8extended(n, salt) & 9223372036854775807) % m)::integer $$;
  CREATE FUNCTION pg_temp.made(prefix text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
    $$ SELECT (prefix || '-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$`;

const account = (n) => `pg_temp.made('${tables.accounts}', ${n})`;
const project = (n) => `pg_temp.made('${tables.projects}', ${n})`;
const role = (n) => `pg_temp.made('${tables.roles}', ${n})`;
const store = (n) => `pg_temp.made('${tables.stores}', ${n})`;
const oneOf = (words, salt) =>
  `(ARRAY[${words.map((word) => `'${word}'`).join()}])[1 + pg_temp.pick(n, ${salt}, ${words.length})]`;

const subjects =
  'Billing Catalog Checkout Deploy Export Forecast Gateway Harvest Import Journal Kiosk Ledger Mailer Notary Orders Payroll Quota Reports Search Telemetry'.split(
    ' ',
  );
const uses =
  'agent backup batch bridge cleaner client collector cron hook importer indexer monitor poller proxy reader runner scraper sync uploader writer'.split(
    ' ',
  );
const places =
  'in production,in staging,for the nightly job,of the data team,for partners,under review'.split(',');

// Accounts 1 to 40 are organizations, 41 to 130 the sub-accounts of the first ten, then 600 people and 270 services. A
// few of them are disabled.
const small = {
  accounts: `INSERT INTO accounts (id, kind, name, title, parent_id, enabled)
    SELECT ${account('n')}, CASE WHEN n <= 130 THEN 'ORGANIZATION' WHEN n <= 730 THEN 'PERSON' ELSE 'SERVICE' END,
      'account-' || n, 'Account ' || n, CASE WHEN n BETWEEN 41 AND 130 THEN ${account('1 + (n - 41) % 10')} END,
      n < 130 OR n % 40 <> 10
    FROM generate_series(1, 1000) n`,
  projects: `INSERT INTO projects (id, account_id, name, title)
    SELECT ${project('n')}, ${account('1 + (n - 1) % 130')}, 'project-' || n, 'Project ' || n
    FROM generate_series(1, 2000) n`,
  roles: `INSERT INTO roles (id, name, description, permissions)
    SELECT ${role('n')}, 'ROLE_' || n, 'Role ' || n,
      CASE n WHEN 1 THEN '{CREDENTIAL_READ,ACCOUNT_READ,PROJECT_READ,ROLE_READ}' ELSE '{}' END::text[]
    FROM generate_series(1, 12) n`,
  stores: `INSERT INTO stores (id, name, kind, endpoint)
    SELECT ${store('n')}, 'store-' || n, 'LANDSCAPE', 'https://landscape-' || n || '.example.com'
    FROM generate_series(1, 3) n`,
  // Account 131 reads an organization with its sub-accounts and three projects of others; 132 only what it owns.
  grants: `INSERT INTO grants (id, account_id, role_id, on_account_id, on_project_id)
    SELECT pg_temp.made('0000eeee', n), ${account(131)}, ${role(1)}, CASE n WHEN 1 THEN ${account(5)} END,
      CASE WHEN n > 1 THEN ${project('n + 20')} END
    FROM generate_series(1, 4) n`,
};

// One of fifty is derived from the one before it, and has its place. Most such have expired.
const derived = 'n > 1 AND pg_temp.pick(n, 34, 50) = 0';
const id = (n, at) => `(lpad(to_hex((extract(epoch FROM ${at}) * 1000)::bigint), 12, '0') || '7'
  || substr(md5((${n})::text), 1, 3) || '8' || substr(md5((${n})::text), 4, 15))::uuid`;
const madeAt = (n) => `(now() - interval '3 years' + (${n}) * (interval '3 years' / ${rowsWanted}))`;

const large = {
  credentials: `INSERT INTO credentials (id, store_id, account_id, owner_id, project_id, parent_id, parent_version, created_by, kind, name, description,
      access_key, provider, full_name, email, enabled, standing, rotating_until, rotate_every, rotate_grace,
      rotation_due_at, created_at, updated_at, expires_at, revoked_at, deleted_at)
    SELECT
      ${id('n', 'at')},
      CASE WHEN pg_temp.pick(n, 1, 1000) < 970 THEN (SELECT id FROM stores WHERE kind = 'BUILT_IN')
        WHEN pg_temp.pick(n, 1, 1000) < 999 THEN ${store(1)} ELSE ${store(2)} END,
      ${account('place')},
      CASE WHEN pg_temp.pick(n, 2, 100) < 3 THEN ${account(731)}
        WHEN pg_temp.pick(n, 2, 100) < 70 THEN ${account('131 + pg_temp.pick(n, 3, 870)')} END,
      CASE WHEN place <= 130 AND pg_temp.pick(m, 4, 10) < 8 THEN ${project('place + 130 * pg_temp.pick(m, 5, 15)')} END,
      CASE WHEN m < n THEN ${id('m', madeAt('m'))} END, CASE WHEN m < n THEN 1 END,
      CASE WHEN pg_temp.pick(n, 37, 10) < 5 THEN ${account(2)} WHEN pg_temp.pick(n, 37, 10000) = 9 THEN ${account(3)} END,
      kind,
      ${oneOf(subjects, 6)} || ' ' || ${oneOf(uses, 7)} || ' ' || n
        || CASE WHEN pg_temp.pick(n, 8, 2000) = 0 THEN ' zebra' ELSE '' END,
      CASE WHEN pg_temp.pick(n, 9, 10) < 4 THEN ${oneOf(uses, 10)} || ' ' || ${oneOf(places, 11)} END,
      CASE WHEN kind <> 'PROVIDER_KEYS' THEN 'KW' || translate(upper(substr(md5('key' || n), 1, 18)), '0189', 'WXYZ') END,
      CASE WHEN kind = 'PROVIDER_KEYS' THEN CASE WHEN pg_temp.pick(n, 12, 1000) = 0 THEN 'AZURE'
        WHEN pg_temp.pick(n, 12, 10) < 7 THEN 'AWS' ELSE 'GITHUB' END END,
      CASE WHEN pg_temp.pick(n, 13, 10) < 2 THEN 'Person ' || pg_temp.pick(n, 14, 5000) END,
      CASE WHEN pg_temp.pick(n, 13, 10) < 2 THEN 'person' || pg_temp.pick(n, 14, 5000) || '@example.com' END,
      pg_temp.pick(n, 15, 100) >= 3,
      CASE WHEN pg_temp.pick(n, 16, 10000) = 0 THEN 'PENDING' WHEN pg_temp.pick(n, 16, 10000) < 5 THEN 'UNKNOWN'
        ELSE 'KNOWN' END,
      CASE WHEN pg_temp.pick(n, 17, 2000) = 0 THEN 'infinity'
        WHEN pg_temp.pick(n, 17, 1000) < 5 THEN now() + pg_temp.pick(n, 18, 86400) * interval '1 second'
        WHEN pg_temp.pick(n, 17, 100) < 6 THEN now() - pg_temp.pick(n, 18, 100) * interval '1 day' END,
      CASE WHEN pg_temp.pick(n, 19, 10) = 0 THEN 'P90D' END, CASE WHEN pg_temp.pick(n, 19, 10) = 0 THEN 'P1D' END,
      CASE WHEN pg_temp.pick(n, 19, 10) = 0 THEN now() + (pg_temp.pick(n, 20, 144000) - 14400) * interval '1 minute' END,
      at, at,
      CASE WHEN m < n AND pg_temp.pick(n, 35, 20) = 0 THEN now() + pg_temp.pick(n, 36, 2160) * interval '1 minute'
        WHEN m < n THEN at + interval '12 hours'
        WHEN pg_temp.pick(n, 21, 100) < 4 THEN at + (now() - at) * pg_temp.pick(n, 22, 1000) / 1000
        WHEN pg_temp.pick(n, 21, 100) < 60 THEN now() + (1 + pg_temp.pick(n, 22, 1000000)) * interval '1 minute' END,
      CASE WHEN pg_temp.pick(n, 23, 100) < 2 THEN at + (now() - at) * pg_temp.pick(n, 24, 1000) / 1000 END,
      CASE WHEN pg_temp.pick(n, 25, 100) < 2 THEN at + (now() - at) * pg_temp.pick(n, 26, 1000) / 1000 END
    FROM (SELECT n, m, ${madeAt('n')} AS at,
        CASE WHEN pg_temp.pick(m, 27, 10) = 0 THEN 1
          WHEN pg_temp.pick(m, 27, 10) < 7 THEN 1 + floor(130 * power(pg_temp.pick(m, 28, 100000) / 100000.0, 2))::integer
          ELSE 131 + pg_temp.pick(m, 29, 870) END AS place,
        CASE WHEN pg_temp.pick(n, 30, 100) < 50 THEN 'ACCESS_KEY' WHEN pg_temp.pick(n, 30, 100) < 85 THEN 'TOKEN'
          WHEN pg_temp.pick(n, 30, 100) < 95 THEN 'PASSWORD' ELSE 'PROVIDER_KEYS' END AS kind
      FROM (SELECT n, CASE WHEN ${derived} THEN n - 1 ELSE n END AS m FROM generate_series(1, ${rowsWanted}) n) drawn) made`,
  credential_uses: `INSERT INTO credential_uses (credential_id, last_used_at, unused_since)
    SELECT id, coalesce(used, '-infinity'), coalesce(used, created_at)
    FROM (SELECT id, created_at, CASE WHEN pg_temp.pick(n, 31, 10) >= 3
        THEN created_at + (now() - created_at) * sqrt(pg_temp.pick(n, 32, 100000) / 100000.0) END AS used
      FROM (SELECT id, created_at, uuid_hash_extended(id, 0) AS n FROM credentials) c) made
    WHERE NOT EXISTS (SELECT 1 FROM credential_uses WHERE credential_id = id)`,
  // Role 1 is on nearly all, role 2 on half, role 11 on one of 5,000, role 12 on none.
  credential_roles: `INSERT INTO credential_roles (credential_id, role_id)
    SELECT id, ${role('r')} FROM (SELECT id, uuid_hash_extended(id, 1) AS n FROM credentials) c, generate_series(1, 11) r
    WHERE pg_temp.pick(n, r, 5000) < (ARRAY[4500, 2500, 300, 100, 50, 20, 10, 10, 5, 5, 1])[r]`,
  credential_versions: `INSERT INTO credential_versions (credential_id, number, state, created_at, verifier, verifier_key_id)
    SELECT id, number, CASE number WHEN count THEN 'CURRENT' ELSE 'RETIRED' END, created_at,
      decode(md5(id::text) || md5(number || id::text), 'hex'), 'bench'
    FROM (SELECT id, created_at, 1 + (pg_temp.pick(uuid_hash_extended(id, 2), 33, 10) = 0)::integer AS count
      FROM credentials) c, generate_series(1, count) number
    WHERE NOT EXISTS (SELECT 1 FROM credential_versions v WHERE v.credential_id = id)`,
};
