import 'reflect-metadata';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { askServerItself, connectionTo } from '../../src/database/connect.js';
import type { Session } from '../../src/database/connections.js';
import { Database, sql } from '../../src/database/database.js';
import { onServer, readyPlace, runKeyway } from '../support/process.js';
import { startTestServer, type TestServer } from '../support/server.js';

const onPostgres = process.env['TEST_DATABASE_URL'] !== undefined;
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const settings = sql('SELECT name, setting FROM pg_settings WHERE name = ANY(CAST(:names AS text[]))');
const wanted = {
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  bytea_output: 'hex',
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  standard_conforming_strings: 'on',
  array_nulls: 'on',
};
const guards = {
  ...wanted,
  statement_timeout: '10000',
  lock_timeout: '5000',
  idle_in_transaction_session_timeout: '15000',
  jit: 'off',
  client_encoding: 'UTF8',
};

async function sessionOf(db: Database, expected: object) {
  const rows = await db.rows<{ name: string; setting: string }>(settings, { names: Object.keys(expected) });
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
}

test('a session is what Keyway relies on', async () => {
  const expected = onPostgres ? guards : wanted;
  expect(await sessionOf(server.db, expected)).toEqual(expected);
});

if (onPostgres) {
  const url = () => server.environment['DATABASE_URL'] ?? '';
  const withQuery = (query: string) => `${url()}?${query}`;
  const open = (address: string) =>
    Database.open({ url: address, entities: [], migrations: [], poolSize: 2 });
  const nameOf = (address: string) => new URL(address).pathname.slice(1);
  const set = (what: string) =>
    onServer(process.env['TEST_DATABASE_URL'] ?? '', `ALTER DATABASE ${nameOf(url())} ${what}`);
  const opened: Database[] = [];
  const opening = async (address: string) => {
    const db = await open(address);
    opened.push(db);
    return db;
  };
  afterEach(async () => {
    for (const db of opened.splice(0)) await db.close();
    await set('RESET ALL');
  });

  test('R16: a connection knows its session, and the server finds that one alone by it', async () => {
    const sessions: Session[] = [];
    const { options } = await connectionTo(url(), {
      add: () => undefined,
      begin: (_, session) => void (session && sessions.push(session)),
    });
    const client = new pg.Client(options);
    client.on('error', () => undefined);
    await client.connect();
    await (options['onConnect'] as (client: pg.Client) => Promise<void>)(client);
    const found = async (asked: readonly Session[]) => {
      let seen: readonly unknown[] = [];
      await askServerItself(options, async (server) => void (seen = await server.find(asked)));
      return seen;
    };
    const end = (asked: readonly Session[]) =>
      askServerItself(options, async (server) => void (await server.endIdle(asked)));
    const others = sessions.map((session) => ({ ...session, startedAt: '1796512300.123456' }));
    expect(await found(sessions)).toEqual([{ ...sessions[0], idleMs: expect.any(Number) }]);
    expect(await found(others)).toEqual([]);
    await end(others);
    const asked = client.query('SELECT pg_sleep(0.5)');
    expect(await found(sessions)).toEqual([{ ...sessions[0], idleMs: null }]);
    await end(sessions);
    await asked;
    await client.query('BEGIN');
    expect(await found(sessions)).toEqual([{ ...sessions[0], idleMs: expect.any(Number) }]);
    const ended = new Promise((resolve) => client.once('end', resolve));
    await end(sessions);
    await ended;
    expect(await found(sessions)).toEqual([]);
  });

  test('options of the address hold, but for what Keyway relies on', async () => {
    const options =
      '-c work_mem=7MB -c statement_timeout=0 --timezone=Asia/Seoul -c DateStyle=SQL,\\ DMY -c jit=on -c default_transaction_read_only=on';
    const db = await opening(withQuery(`options=${encodeURIComponent(options)}`));
    expect(await sessionOf(db, guards)).toEqual(guards);
    expect(await db.rows(sql('SHOW work_mem'))).toEqual([{ work_mem: '7MB' }]);
  });

  test('whatever the database or the role says, a session is what Keyway relies on', async () => {
    for (const what of [
      "SET datestyle = 'SQL, DMY'",
      "SET timezone = 'Asia/Seoul'",
      "SET intervalstyle = 'sql_standard'",
      "SET bytea_output = 'escape'",
      'SET standard_conforming_strings = off',
      'SET array_nulls = off',
      'SET statement_timeout = 0',
      "SET default_transaction_isolation = 'serializable'",
      'SET default_transaction_read_only = on',
      'SET jit = on',
    ])
      await set(what);
    const db = await opening(url());
    expect(await sessionOf(db, guards)).toEqual(guards);
  });

  test.each([
    ['schema=nowhere', 'names a schema that is not there'],
    [
      'options=-c%20no_such_setting%3Dsecret',
      'asks by its parameter options for a setting that the database refuses',
    ],
    [
      'options=-c%20work_mem%3Dsecret',
      'asks by its parameter options for a setting that the database refuses',
    ],
    [
      'sslmode=require&sslrootcert=/no/such/secret',
      'names a file with sslrootcert that cannot be read (ENOENT)',
    ],
  ])('%s is refused with what is to be done', async (query, fault) => {
    const failing = open(withQuery(query));
    await expect(failing).rejects.toThrow(`Keyway cannot start:\n  DATABASE_URL ${fault}`);
    await expect(failing).rejects.toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') }),
    );
  });

  test('a search path that leads nowhere, or past the tables, is refused', async () => {
    await set("SET search_path = ''");
    await expect(open(url())).rejects.toThrow('DATABASE_URL leads to no schema');
    await onServer(url(), 'CREATE SCHEMA other');
    try {
      await set('SET search_path = other, public');
      await expect(open(url())).rejects.toThrow('DATABASE_URL leads to a schema without tables of Keyway');
      const db = await opening(withQuery('schema=public'));
      expect(await db.rows(sql('SELECT current_schema() AS schema'))).toEqual([{ schema: 'public' }]);
    } finally {
      await onServer(url(), 'DROP SCHEMA other');
    }
  });

  test('a search path that is changed later leads nobody elsewhere', async () => {
    const db = await opening(url());
    await onServer(url(), 'CREATE SCHEMA later');
    try {
      await set('SET search_path = later');
      await Promise.all(
        [1, 2].map(async () =>
          expect(await db.rows(sql('SELECT current_schema() AS schema, pg_sleep(0.2)'))).toMatchObject([
            { schema: 'public' },
          ]),
        ),
      );
    } finally {
      await onServer(url(), 'DROP SCHEMA later');
    }
  });

  test('a Keyway lives in the schema that the address names', async () => {
    await onServer(url(), 'CREATE SCHEMA "Of its own"');
    const folder = mkdtempSync(join(tmpdir(), 'keyway-schema-'));
    const migrated = await runKeyway(['migrate'], {
      KEYWAY_DATA_DIR: folder,
      DATABASE_URL: withQuery('schema=Of%20its%20own'),
    });
    expect(migrated).toMatchObject({ code: 0 });
    expect(await onServer(url(), `SELECT count(*)::integer AS accounts FROM "Of its own".accounts`)).toEqual([
      { accounts: 1 },
    ]);
    await onServer(url(), 'DROP SCHEMA "Of its own" CASCADE');
  });

  test('a database of another encoding is refused', async () => {
    const place = await readyPlace();
    const address = place.environment['DATABASE_URL'] ?? '';
    const name = `${nameOf(address)}_latin`;
    await onServer(url(), `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`);
    try {
      await expect(open(Object.assign(new URL(address), { pathname: `/${name}` }).href)).rejects.toThrow(
        'DATABASE_URL must name a database whose encoding is UTF8',
      );
    } finally {
      await onServer(url(), `DROP DATABASE ${name} WITH (FORCE)`);
      await place.drop();
    }
  });
}
