// How many bytes a row of each large table takes, with its indexes: what docs/scale.md is computed from. Fills a database of its
// own on the PostgreSQL of DATABASE_URL by the seeds of the bench, and adds events of the audit log as creations make them.
// ROWS says how many credentials, and as many events.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase, dropDatabase, statements, urlOf } from './databases.mjs';
import { fillKeyway } from './fill-keyway.mjs';
import { createdMs, accounts } from './world.mjs';

const { readConfig } = await import('../dist/src/config/config.js');
const { openKeyway } = await import('../dist/src/start/keyway.js');
const { openLog } = await import('../dist/src/log.js');

const rows = Number(process.env.ROWS ?? 10_000);
const name = 'keyway_bench_sizes';
const folder = mkdtempSync(join(tmpdir(), 'keyway-sizes-'));

// As Keyway makes ids: the first 48 bits are the time, so that a later event is further to the right in its indexes.
const idAt = (n) =>
  `(lpad(to_hex((${createdMs(0)} + ${n} * 1000)::bigint), 12, '0') || '7' || substr(md5('e' || ${n}), 1, 3)
    || '8' || substr(md5('f' || ${n}), 1, 15))::uuid`;
// Events in the order of time, of each account in turn, so that no two of one chain are beside each other.
const fillEvents = `
  INSERT INTO audit_events (id, account_id, number, epoch, at, actor_id, actor_credential_id, action, outcome, target_type,
      target_id, project_id, changed, ip, request_id, hash)
    SELECT ${idAt('n')}, a.id, 1 + n / ${accounts}, 'k1', to_timestamp((${createdMs(0)} + n * 1000) / 1000.0), a.id,
      (SELECT id FROM credentials WHERE access_key IS NULL LIMIT 1), 'credential:create', 'DONE', 'Credential', c.id,
      c.project_id, '{name,roles,secret}', '192.0.2.7', gen_random_uuid()::text, sha256(n::text::bytea)
    FROM generate_series(1, ${rows}) n
    JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM accounts) a ON a.place = 1 + n % ${accounts}
    JOIN (SELECT id, project_id, row_number() OVER (ORDER BY id) AS place FROM credentials) c ON c.place = 1 + n % ${rows}`;

const tables = ['credentials', 'credential_versions', 'credential_roles', 'credential_uses', 'audit_events'];
const sizes = `
  SELECT c.relname AS name, i.relname AS index, pg_relation_size(COALESCE(i.oid, c.oid))::float8 AS bytes,
    (SELECT reltuples FROM pg_class WHERE oid = c.oid)::float8 AS rows
  FROM pg_class c LEFT JOIN LATERAL (
    SELECT indexrelid FROM pg_index WHERE indrelid = c.oid UNION ALL SELECT NULL
  ) own ON true LEFT JOIN pg_class i ON i.oid = own.indexrelid
  WHERE c.relname = ANY('{${tables.join()}}') ORDER BY 1, 2 NULLS FIRST`;

try {
  await createDatabase(name);
  const config = readConfig({ DATABASE_URL: urlOf(name), KEYWAY_DATA_DIR: folder });
  await (await openKeyway(config, openLog('error'))).db.close();
  await fillKeyway(urlOf(name), rows);
  const found = await statements(urlOf(name), [fillEvents, 'VACUUM ANALYZE', sizes]);
  writeFileSync('bench/results/sizes.md', page(found));
} finally {
  await dropDatabase(name);
  rmSync(folder, { recursive: true, force: true });
}

function page(found) {
  const perRow = ({ bytes, rows: count }) => bytes / count;
  const lines = tables.map((table) => {
    const own = found.filter((one) => one.name === table);
    const heap = own.filter(({ index }) => index === null).reduce((sum, one) => sum + perRow(one), 0);
    const indexes = own.filter(({ index }) => index !== null);
    const sum = indexes.reduce((all, one) => all + perRow(one), 0);
    return `| ${table} | ${Math.round(own[0].rows)} | ${Math.round(heap)} | ${Math.round(sum)} | ${indexes.length} | ${Math.round(heap + sum)} |`;
  });
  const indexes = found
    .filter(({ index, ...one }) => index !== null && perRow(one) >= 1)
    .map((one) => `| ${one.index} | ${Math.round(perRow(one))} |`);
  return [
    '# Bytes a row',
    '',
    `${rows.toLocaleString('en')} credentials as the bench makes them, and as many events of the audit log. Each figure is a size divided by the rows of`,
    'its table. Made by `npm run bench:sizes`; `ROWS` says how many.',
    '',
    '| table | rows | the table | its indexes | how many | together |',
    '|---|--:|--:|--:|--:|--:|',
    ...lines,
    '',
    'Indexes of a byte a row and more:',
    '',
    '| index | bytes a row of its table |',
    '|---|--:|',
    ...indexes,
    '',
  ].join('\n');
}
