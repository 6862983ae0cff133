import 'reflect-metadata';
import { Database, sql } from '../../src/database/database.js';
import { makeAccount } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';

const onPostgres = process.env['TEST_DATABASE_URL'] !== undefined;
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

test('S68: R19: sessions on PostgreSQL end what takes too long; the embedded database has one session of ours', async () => {
  const settings = await server.rows<{ name: string; setting: string }>(
    `SELECT name, setting FROM pg_settings
     WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout') ORDER BY name`,
  );
  expect(settings.map(({ setting }) => Number(setting))).toEqual(
    onPostgres ? [15_000, 5_000, 10_000] : [0, 0, 0],
  );
});

test('R19: a wait for a connection ends, with UNAVAILABLE', async () => {
  const url = server.environment['DATABASE_URL'];
  const db = await Database.open({ url, entities: [], migrations: [], poolSize: 2 });
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const holders = Array.from({ length: onPostgres ? 2 : 1 }, () => db.transaction(() => held));
  try {
    await expect(db.rows(sql('SELECT 1'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  } finally {
    release();
    await Promise.all(holders);
    await db.close();
  }
});

test('R19: a lock that another holds gives CONFLICT in time, or the wait ends where there is one connection', async () => {
  const id = await makeAccount(server);
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  let locked = () => {};
  const isLocked = new Promise<void>((resolve) => (locked = resolve));
  const holder = server.db.transaction(async (tx) => {
    await tx.rows(sql('SELECT id FROM accounts FOR UPDATE'));
    locked();
    await held;
  });
  try {
    await isLocked;
    const from = Date.now();
    const answer = await server.ask(
      'mutation ($input: UpdateAccountInput!) { updateAccount(input: $input) { account { id } } }',
      { input: { id, title: 'Another' } },
    );
    expect(answer.code).toBe(onPostgres ? 'CONFLICT' : 'UNAVAILABLE');
    expect(Date.now() - from).toBeLessThan(14_000);
  } finally {
    release();
    await holder;
  }
});

test('S37: a parameter that was forgotten or undefined is no query', async () => {
  const statement = sql('SELECT id FROM accounts WHERE id = :id');
  await expect(server.db.rows(statement, {})).rejects.toThrow('statement parameter id is missing');
  await expect(server.db.rows(statement, { id: undefined })).rejects.toThrow(
    'statement parameter id is missing',
  );
});

test('a statement has its parameters by name, each once, and leaves casts alone', () => {
  expect(sql('SELECT :a::text, :b, :a, CAST(:a AS text), now()::date')).toEqual({
    text: 'SELECT $1::text, $2, $1, CAST($1 AS text), now()::date',
    names: ['a', 'b'],
  });
});

test('what fails undoes the whole transaction', async () => {
  const name = 'undone';
  await expect(
    server.db.transaction(async (tx) => {
      await tx.rows(
        sql(`INSERT INTO roles (id, name, permissions) VALUES (gen_random_uuid(), :name, '{}')`),
        { name },
      );
      throw new Error('no');
    }),
  ).rejects.toThrow('no');
  expect(await server.rows('SELECT id FROM roles WHERE name = :name', { name })).toEqual([]);
});

test.each(['40001', '40P01'])('R8: code %s is tried again, at most three times', async (code) => {
  let tries = 0;
  const failing = server.db.transaction(async () => {
    tries++;
    throw Object.assign(new Error('in the words of the database'), { code });
  });
  await expect(failing).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.not.stringContaining('words'),
  });
  expect(tries).toBe(4);
});

test.each([
  ['55P03', 'CONFLICT'],
  ['23503', 'CONFLICT'],
  ['53300', 'UNAVAILABLE'],
  ['57P01', 'UNAVAILABLE'],
  ['25006', 'UNAVAILABLE'],
  ['08006', 'UNAVAILABLE'],
  ['ECONNREFUSED', 'UNAVAILABLE'],
])('code %s of the database becomes %s', async (code, ours) => {
  const failing = server.db.transaction(async () => {
    throw Object.assign(new Error('in the words of the database'), { code });
  });
  await expect(failing).rejects.toMatchObject({ code: ours });
});

test('the clock is the database’s', async () => {
  const [row] = await server.rows<{ ms: string }>(
    'SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms',
  );
  expect(Math.abs(server.db.now() - Number(row?.ms))).toBeLessThan(2_000);
});
