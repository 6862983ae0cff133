/**
 * @slow 30 s
 */
import 'reflect-metadata';
import { createServer, type AddressInfo } from 'node:net';
import pg from 'pg';
import { Database, noAnswerInTime, sql, type Tx } from '../../src/database/database.js';
import { WaitLimit } from '../../src/database/wait-limit.js';
import { longestDatabaseWaitMs } from '../../src/config/limits.js';
import { codes } from '../../src/errors.js';
import { makeAccount, unique } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { onServer } from '../support/process.js';
import { openProxy, shutDown } from '../support/proxy.js';

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

test('R19: the driver tells of a server that no longer answers in the words that are looked for, and by no code', async () => {
  const ready = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]);
  const silent = createServer((socket) => void socket.once('data', () => socket.write(ready)));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'keyway', query_timeout: 10, ssl: false });
  try {
    await client.connect();
    const error: unknown = await client.query('SELECT 1').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ message: noAnswerInTime });
    expect(error).not.toHaveProperty('code');
  } finally {
    await client.end();
    silent.close();
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

test('a lock that a statement by itself does not get in time is UNAVAILABLE: it changes nothing that another could prevent', async () => {
  const failing = server.db.rows(sql("DO $$ BEGIN RAISE 'no lock' USING ERRCODE = '55P03'; END $$"));
  await expect(failing).rejects.toMatchObject({ code: 'UNAVAILABLE', message: codes.UNAVAILABLE });
});

// The embedded database has one connection: nobody waits for a lock there.
if (onPostgres)
  test('R19: who calls while a table is altered is told UNAVAILABLE, and not that another change is in the way', async () => {
    const begun = await server.db.transaction(async (tx) => {
      await tx.rows(sql('SET LOCAL idle_in_transaction_session_timeout = 0'));
      await tx.rows(sql('LOCK TABLE credentials IN ACCESS EXCLUSIVE MODE'));
      return server.ask('{ viewer { id } }');
    });
    expect([begun.status, begun.code]).toEqual([503, 'UNAVAILABLE']);
  });

test('the clock is the database’s', async () => {
  const [row] = await server.rows<{ ms: string }>(
    'SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms',
  );
  expect(Math.abs(server.db.now() - Number(row?.ms))).toBeLessThan(2_000);
});

// The embedded database waits for nobody but its own process.
if (onPostgres) {
  describe('R16: past the limit of its request', () => {
    const add = sql(`INSERT INTO roles (id, name, permissions) VALUES (gen_random_uuid(), :name, '{}')`);
    let nowMs = 0;
    const beginning = () => new WaitLimit(() => nowMs);
    const pass = (ms: number) => void (nowMs += ms);

    test.each<[string, (tx: Tx) => Promise<unknown>]>([
      ['a statement', (tx) => tx.rows(sql('SELECT 1'))],
      ['a statement by repository', (tx) => tx.em.query('SELECT 1')],
      ['COMMIT', () => Promise.resolve()],
    ])('%s is not begun any more, and nothing was changed', async (_, then) => {
      const db = server.db.within(beginning());
      const name = unique('late');
      const failing = db.transaction(async (tx) => {
        await tx.rows(add, { name });
        pass(longestDatabaseWaitMs);
        await then(tx);
      });
      await expect(failing).rejects.toMatchObject({ code: 'UNAVAILABLE', message: codes.UNAVAILABLE });
      await expect(db.rows(add, { name })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await expect(db.transaction((tx) => tx.rows(add, { name }))).rejects.toMatchObject({
        code: 'UNAVAILABLE',
      });
      expect(await server.rows('SELECT 1 FROM roles WHERE name = :name', { name })).toEqual([]);
      await db.unlimited.transaction((tx) => tx.rows(add, { name }));
      expect(await server.rows('SELECT 1 FROM roles WHERE name = :name', { name })).toHaveLength(1);
    });

    test('a statement that was begun before comes to its end, and its answer counts', async () => {
      const db = server.db.within(beginning());
      const answer = db.rows(sql('SELECT 1 AS one, pg_sleep(0.1)'));
      pass(longestDatabaseWaitMs);
      expect(await answer).toMatchObject([{ one: 1 }]);
    });

    test('nobody waits for a connection any more', async () => {
      const { DATABASE_URL: url } = server.environment;
      const whole = await Database.open({ url, entities: [], migrations: [], poolSize: 1 });
      const limit = beginning();
      const db = whole.within(limit);
      await limit.during(async () => pass(longestDatabaseWaitMs - 1));
      let release = () => {};
      let holding = () => {};
      const held = new Promise<void>((resolve) => (holding = resolve));
      const holder = whole.transaction(() => {
        holding();
        return new Promise<void>((resolve) => (release = resolve));
      });
      try {
        await held;
        await expect(db.rows(sql('SELECT 1'))).rejects.toMatchObject({
          code: 'UNAVAILABLE',
          cause: 'no connection was free in time',
        });
      } finally {
        release();
        await holder;
        await whole.close();
      }
    });
  });

  describe('R14: R18: a connection that is lost', () => {
    const url = () => server.environment['DATABASE_URL'] ?? '';
    const endOwn = 'SELECT pg_terminate_backend(pg_backend_pid())';
    const add = sql(`INSERT INTO roles (id, name, permissions) VALUES (gen_random_uuid(), :name, '{}')`);
    const kept = async (name: string) =>
      (await server.rows('SELECT 1 FROM roles WHERE name = :name', { name })).length;
    const open = (address = url()) =>
      Database.open({ url: address, entities: [], migrations: [], poolSize: 2 });
    const opened: Database[] = [];
    afterEach(async () => {
      for (const db of opened.splice(0)) await db.close();
    });
    const opening = async (address?: string) => {
      const db = await open(address);
      opened.push(db);
      return db;
    };
    const settled = () => new Promise((resolve) => setTimeout(resolve, 300));

    test('in a statement is UNAVAILABLE, and the next statement has another connection', async () => {
      const db = await opening();
      await expect(db.rows(sql(endOwn))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      expect(await db.rows(sql('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
    });

    test.each<[string, (tx: Tx) => Promise<unknown>]>([
      ['by statement', (tx) => tx.rows(sql('SELECT 1'))],
      ['by repository', (tx) => tx.em.query('SELECT 1')],
      ['that does nothing more', () => Promise.resolve()],
    ])(
      'between two statements of a transaction %s is UNAVAILABLE, and nothing was changed',
      async (_, then) => {
        const db = await opening();
        const name = unique('lost');
        const failing = db.transaction(async (tx) => {
          const [self] = await tx.rows<{ pid: number }>(sql('SELECT pg_backend_pid() AS pid'));
          await tx.rows(add, { name });
          await onServer(url(), `SELECT pg_terminate_backend(${self?.pid})`);
          await settled();
          await then(tx);
        });
        await expect(failing).rejects.toMatchObject({ code: 'UNAVAILABLE' });
        expect(await kept(name)).toBe(0);
        expect(await db.rows(sql('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
      },
    );

    test('over the COMMIT is OUTCOME_UNKNOWN: nobody says that nothing was changed', async () => {
      await server.rows(`CREATE FUNCTION end_session() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$`);
      await server.rows(`CREATE CONSTRAINT TRIGGER end_session AFTER INSERT ON roles
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION end_session()`);
      try {
        const db = await opening();
        const failing = db.transaction((tx) => tx.rows(add, { name: unique('lost') }));
        await expect(failing).rejects.toMatchObject({
          code: 'OUTCOME_UNKNOWN',
          message: expect.not.stringContaining('nothing was changed'),
        });
        expect(await db.rows(sql('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
      } finally {
        await server.rows('DROP TRIGGER end_session ON roles');
        await server.rows('DROP FUNCTION end_session');
      }
    });

    test('in the moment in which it is handed out ends nothing else', async () => {
      const proxy = await openProxy(url());
      try {
        const db = await opening(proxy.url);
        const first = db.rows(sql('SELECT pg_sleep(0.3)'));
        proxy.endNextWith(shutDown);
        const next = db.transaction((tx) => tx.rows(sql('SELECT 1')));
        await expect(next).rejects.toMatchObject({ code: 'UNAVAILABLE' });
        await first;
        expect(await db.rows(sql('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
      } finally {
        await opened.pop()?.close();
        await proxy.stop();
      }
    });

    test('to a server that has become read-only is given up, so that the next may lead to the primary', async () => {
      const db = await opening();
      const pid = sql('SELECT pg_backend_pid() AS pid');
      let readOnly: unknown;
      const failing = db.transaction(async (tx) => {
        [readOnly] = await tx.rows(pid);
        await tx.rows(sql('SET TRANSACTION READ ONLY'));
        await tx.rows(add, { name: unique('lost') });
      });
      await expect(failing).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      expect(await db.rows(pid)).not.toEqual([readOnly]);
    });
  });
}

test('a transaction whose failure was swallowed is not taken for one that was committed', async () => {
  const name = unique('swallowed');
  const failing = server.db.transaction(async (tx) => {
    await tx.rows(sql(`INSERT INTO roles (id, name, permissions) VALUES (gen_random_uuid(), :name, '{}')`), {
      name,
    });
    await tx.rows(sql('SELECT 1 / 0')).catch(() => undefined);
  });
  await expect(failing).rejects.toThrow('a transaction that had failed was committed');
  expect(await server.rows('SELECT 1 FROM roles WHERE name = :name', { name })).toEqual([]);
});
