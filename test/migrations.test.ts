/**
 * @slow 15 s
 */
import 'reflect-metadata';
import type { Pool, PoolClient } from 'pg';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { join } from 'node:path';
import { RecipientsInTheAudit1796720000000 } from '../migrations/1796720000000-recipients-in-the-audit.js';
import { checkAudit } from '../src/audit/check.js';
import { linesOfFile } from '../src/audit/checkpoints/folder.js';
import { registry } from '../src/connectors/registry.js';
import { Database, sql } from '../src/database/database.js';
import { loadKeyFiles } from '../src/keyring/kek-file.js';
import { openKeyring } from '../src/keyring/keyring.js';
import { entities, migrations } from '../src/start/tables.js';
import { makeAccount, makeCredential } from './support/make.js';
import { emptyPlace, readyPlace, runKeyway, spawnKeyway, urlOf, type Place } from './support/process.js';
import { startTestServer } from './support/server.js';

const places: Place[] = [];
afterEach(async () => {
  for (const place of places.splice(0)) await place.drop();
});

const keep = (place: Place) => {
  places.push(place);
  return place;
};

const open = (place: Place, more: (new () => MigrationInterface)[] = []) =>
  Database.open({
    url: place.environment['DATABASE_URL'],
    folder: place.folder,
    entities,
    migrations: [...migrations, ...more],
  });

const tables = async (db: Database) =>
  (
    await db.rows<{ name: string }>(
      sql(
        `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`,
      ),
    )
  ).map(({ name }) => name);

const shape = (db: Database) =>
  db.rows(
    sql(`SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
      WHERE table_schema = 'public' AND table_name <> 'migrations' ORDER BY 1, 2`),
  );

test('R32: an empty database goes up, down to nothing, and up again to the same', async () => {
  const db = await open(keep(await emptyPlace()));
  try {
    await db.migrate();
    const first = await shape(db);
    expect(first.length).toBeGreaterThan(100);
    for (let step = 0; step < migrations.length; step++)
      await db.source.undoLastMigration({ transaction: 'each' });
    expect(await tables(db)).toEqual(['migrations']);
    await db.migrate();
    expect(await shape(db)).toEqual(first);
  } finally {
    await db.close();
  }
});

test('R32: what is up to date stays as it is', async () => {
  const db = await open(keep(await readyPlace()));
  try {
    await db.migrate();
    const before = await db.rows(sql('SELECT * FROM migrations'));
    await db.migrate();
    expect(await db.rows(sql('SELECT * FROM migrations'))).toEqual(before);
  } finally {
    await db.close();
  }
});

test('R32: a database of a later version is refused, and stays as it is', async () => {
  const place = keep(await readyPlace());
  const db = await open(place);
  try {
    await db.rows(
      sql("INSERT INTO migrations (timestamp, name) VALUES (9999999999998, 'Later9999999999998')"),
    );
    const before = await db.rows(sql('SELECT * FROM migrations'));
    await expect(db.migrate()).rejects.toThrow(
      /^Keyway cannot start:\n {2}its database is of a later version, .*\(Later9999999999998\): start that version/,
    );
    expect(await db.rows(sql('SELECT * FROM migrations'))).toEqual(before);
  } finally {
    await db.close();
  }
  // So is every command, and the server itself.
  const served = await runKeyway(['serve'], place.environment);
  expect(served.code).not.toBe(0);
  expect(served.output).toContain('its database is of a later version');
});

test('R31: a database to which a later version has only added is served, and commands refuse it', async () => {
  const place = keep(await readyPlace());
  const db = await open(place);
  try {
    await db.rows(
      sql(
        "INSERT INTO migrations (timestamp, name) VALUES (9999999999997, 'ExpandLater9999999999997'), (9999999999998, 'ExpandMore9999999999998')",
      ),
    );
  } finally {
    await db.close();
  }
  const spawned = spawnKeyway(['serve'], place.environment);
  try {
    const answer = await fetch(`${await urlOf(spawned)}/ready`);
    expect(answer.status).toBe(200);
    expect(spawned.output()).toContain('ExpandMore9999999999998');
  } finally {
    spawned.child.kill();
    await spawned.ended;
  }
  const command = await runKeyway(['keys', 'retire', 'kek', 'k1'], place.environment);
  expect(command.code).toBe(1);
  expect(command.output).toContain('its database is of a later version');
  const looked = await runKeyway(['doctor'], place.environment);
  expect(looked.output).toContain('ExpandMore9999999999998');
});

test('R31: each migration since 0.2.0 says by its name whether the version before can go on', () => {
  const sayingNothing = migrations
    .map(({ name }) => name)
    .filter((name) => !/^(Expand|Contract)[A-Z]/.test(name));
  expect(sayingNothing.at(-1)).toBe('RateLimits1796830000000');
});

class Failing9999999999999 implements MigrationInterface {
  name = 'Failing9999999999999';
  async up(runner: QueryRunner) {
    await runner.query('CREATE TABLE half (id integer)');
    await runner.query('ALTER TABLE accounts ADD COLUMN half text');
    await runner.query('SELECT no_such_function()');
  }
  async down() {}
}

test('R32: a failing migration leaves no half state', async () => {
  const place = keep(await emptyPlace());
  const db = await open(place, [Failing9999999999999]);
  try {
    await expect(db.migrate()).rejects.toThrow();
    expect(await tables(db)).not.toContain('half');
    expect(JSON.stringify(await shape(db))).not.toContain('half');
    const names = await db.rows<{ name: string }>(sql('SELECT name FROM migrations'));
    expect(names.map(({ name }) => name)).not.toContain('Failing9999999999999');
  } finally {
    await db.close();
  }
  const mended = await open(place);
  try {
    await mended.migrate();
    expect(await tables(mended)).toContain('credentials');
  } finally {
    await mended.close();
  }
});

class Growing9999999999998 implements MigrationInterface {
  name = 'Growing9999999999998';
  async up(runner: QueryRunner) {
    await runner.query(`ALTER TABLE credentials ADD COLUMN grown text NOT NULL DEFAULT 'yes'`);
  }
  async down(runner: QueryRunner) {
    await runner.query('ALTER TABLE credentials DROP COLUMN grown');
  }
}

class Slow9999999999997 implements MigrationInterface {
  name = 'Slow9999999999997';
  async up(runner: QueryRunner) {
    await runner.query('SET LOCAL statement_timeout = 0; SELECT pg_sleep(1)');
  }
  async down() {}
}

// The embedded database has no limits of time.
if (process.env['TEST_DATABASE_URL'])
  test('R32: a migration may take longer than any other statement', async () => {
    const db = await open(keep(await readyPlace()), [Slow9999999999997]);
    try {
      const { master } = db.source.driver as unknown as { master: Pool };
      // There is one connection as long as one is enough.
      const client = (await master.connect()) as PoolClient & {
        connectionParameters: { query_timeout: number };
      };
      client.connectionParameters.query_timeout = 500;
      client.release();
      await db.migrate();
      await expect(db.rows(sql('SELECT pg_sleep(1)'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    } finally {
      await db.close();
    }
  });

test('R32: a migration runs on a database with data, and keeps it', async () => {
  const server = await startTestServer();
  try {
    const { id } = await makeCredential(server, await makeAccount(server), { name: 'kept' });
    const grown = new Growing9999999999998();
    const runner = server.db.source.createQueryRunner();
    await runner.startTransaction();
    await grown.up(runner);
    await runner.commitTransaction();
    await runner.release();
    expect(await server.rows(`SELECT grown FROM credentials WHERE name = 'kept'`)).toEqual([
      { grown: 'yes' },
    ]);
    const answer = await server.ask('query ($id: ID!) { credential(id: $id) { name } }', { id });
    expect(answer.data).toEqual({ credential: { name: 'kept' } });
    await server.restart();
    expect((await server.ask('query ($id: ID!) { credential(id: $id) { name } }', { id })).data).toEqual(
      answer.data,
    );
  } finally {
    await server.stop();
  }
});

test('S61, R32: chains from before events had recipients are whole, and go on', async () => {
  const server = await startTestServer();
  try {
    const id = await makeAccount(server);
    await makeCredential(server, id);
    const before = await server.rows('SELECT * FROM audit_events WHERE recipient_id IS NULL ORDER BY id');
    expect(before.length).toBeGreaterThan(1);
    const change = new RecipientsInTheAudit1796720000000();
    const step = async (way: 'up' | 'down') => {
      const runner = server.db.source.createQueryRunner();
      await change[way](runner);
      await runner.release();
    };
    // The table as it was, with these events in it; and brought up to date again.
    await step('down');
    expect(Object.keys((await server.rows('SELECT * FROM audit_events'))[0] ?? {})).not.toContain(
      'recipient_id',
    );
    await step('up');
    await makeCredential(server, id);
    expect(
      await server.rows(`SELECT * FROM audit_events WHERE id = ANY(:ids) ORDER BY id`, {
        ids: before.map(({ id: event }) => event),
      }),
    ).toEqual(before);
    const keyring = openKeyring(loadKeyFiles(join(server.dataDir, 'keys')));
    const { breaks, events } = await checkAudit(server.db, keyring, linesOfFile('none.jsonl'));
    expect(breaks).toEqual([]);
    expect(events).toBeGreaterThan(before.length);
  } finally {
    await server.stop();
  }
});

test('no check of the tables names a vendor', async () => {
  const db = await open(keep(await readyPlace()));
  try {
    await db.migrate();
    const checks = await db.rows<{ name: string; text: string }>(
      sql(`SELECT conname AS name, pg_get_constraintdef(oid) AS text FROM pg_constraint WHERE contype = 'c'`),
    );
    expect(checks.length).toBeGreaterThan(10);
    const vendors = new RegExp(
      Object.keys(registry)
        .filter((kind) => kind !== 'BUILT_IN')
        .join('|'),
      'i',
    );
    expect(checks.filter(({ text }) => vendors.test(text))).toEqual([]);
  } finally {
    await db.close();
  }
});

/** Tables and columns that the database keeps and no entity has: they are reached by statements alone. */
const withoutEntity = [
  ...['accounts', 'credentials'].map((table) => `${table}.search_text`),
  ...['accounts', 'credentials', 'projects', 'roles', 'stores'].map((table) => `${table}.sort_name`),
  'audit_stream_lease.*',
  'audit_streamed.*',
  'identities_shut_out.*',
  'keyring_keys.*',
  'migrations.*',
  ...['users', 'groups', 'members', 'grants'].map((table) => `scim_${table}.*`),
];

test('the entities say of every column what the tables say', async () => {
  const db = await open(keep(await readyPlace()));
  try {
    await db.migrate();
    const columns = await db.rows<{ place: string; type: string; nullable: boolean }>(
      sql(`SELECT c.relname || '.' || a.attname AS place, format_type(a.atttypid, NULL) AS type, NOT a.attnotnull AS nullable
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped`),
    );
    const told = db.source.entityMetadatas.flatMap(({ tableName, columns: its }) =>
      its.map((column) => ({
        place: `${tableName}.${column.databaseName}`,
        type: `${longNames[String(column.type)] ?? String(column.type)}${column.isArray ? '[]' : ''}`,
        nullable: column.isNullable,
      })),
    );
    const stands = columns.filter(
      ({ place: one }) => !withoutEntity.includes(one) && !withoutEntity.includes(one.replace(/\..*/, '.*')),
    );
    const sorted = (list: { place: string }[]) =>
      [...list].sort((one, other) => (one.place < other.place ? -1 : 1));
    expect(sorted(told)).toEqual(sorted(stands));
  } finally {
    await db.close();
  }
});

const longNames: Record<string, string> = {
  timestamptz: 'timestamp with time zone',
  int: 'integer',
  int4: 'integer',
};
