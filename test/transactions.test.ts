import { setTimeout as sleep } from 'node:timers/promises';
import { sql, type Tx } from '../src/database/database.js';
import { KeywayError } from '../src/errors.js';
import { expectData, makeAccount, makeCredential, unique } from './support/make.js';
import { sharedServer, type SharedServer } from './support/server.js';

let server: SharedServer;
beforeAll(async () => {
  server = await sharedServer();
  await server.rows('CREATE TABLE counters (name text PRIMARY KEY, value integer NOT NULL DEFAULT 0)');
});

const add = sql('UPDATE counters SET value = value + 1 WHERE name = :name RETURNING value');
const valueOf = sql('SELECT value FROM counters WHERE name = :name');
const put = sql('INSERT INTO counters (name) VALUES (:name)');
const counted = async (name: string) =>
  (await server.db.rows<{ value: number }>(valueOf, { name }))[0]?.value;

/** What the database throws, as `pg` and PGlite both throw it. */
const failure = (code: string) => Object.assign(new Error('of MARKER-0001'), { code });

async function thrownBy(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe.each([
  ['40001', 'a serialization failure'],
  ['40P01', 'a deadlock'],
])('R8: of %s, %s', (code) => {
  test.each([1, 2, 3])('%i in a row are got over, with one effect', async (failures) => {
    const name = unique('counter');
    await server.db.rows(put, { name });
    let attempts = 0;
    const result = await server.db.transaction(async (tx) => {
      await tx.rows(add, { name });
      if (attempts++ < failures) throw failure(code);
      return 'done';
    });
    expect([result, attempts, await counted(name)]).toEqual(['done', failures + 1, 1]);
  });

  test('four in a row are UNAVAILABLE, in our words, and change nothing', async () => {
    const name = unique('counter');
    await server.db.rows(put, { name });
    let attempts = 0;
    const error = await thrownBy(
      server.db.transaction(async (tx) => {
        attempts++;
        await tx.rows(add, { name });
        throw failure(code);
      }),
    );
    expect(error).toBeInstanceOf(KeywayError);
    expect(error).toMatchObject({ code: 'UNAVAILABLE', cause: { code } });
    expect((error as KeywayError).message).not.toContain('MARKER-0001');
    expect([attempts, await counted(name)]).toEqual([4, 0]);
  });
});

test('R8: what is no such failure is thrown as it is, at once, and undone', async () => {
  const name = unique('counter');
  await server.db.rows(put, { name });
  const thrown = new Error('of the work itself');
  let attempts = 0;
  const error = await thrownBy(
    server.db.transaction(async (tx) => {
      attempts++;
      await tx.rows(add, { name });
      throw thrown;
    }),
  );
  expect(error).toBe(thrown);
  expect([attempts, await counted(name)]).toEqual([1, 0]);
});

describe('R8: a mutation whose record fails with 40001', () => {
  const failing = (times: number) => async (work: () => Promise<void>) => {
    // A sequence counts the attempts, as it is not undone with them.
    await server.rows('CREATE SEQUENCE attempts');
    await server.rows(`CREATE FUNCTION fail_first() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF nextval('attempts') <= ${times} THEN RAISE EXCEPTION 'MARKER-0001' USING ERRCODE = '40001'; END IF;
      RETURN NEW; END $$`);
    await server.rows(`CREATE TRIGGER fail_first BEFORE INSERT ON audit_events FOR EACH ROW
      WHEN (NEW.action = 'credential:create' AND NEW.outcome = 'DONE') EXECUTE FUNCTION fail_first()`);
    try {
      await work();
    } finally {
      await server.rows('DROP TRIGGER fail_first ON audit_events');
      await server.rows('DROP FUNCTION fail_first');
      await server.rows('DROP SEQUENCE attempts');
    }
  };
  const create = async (name: string, account: string) =>
    server.ask(
      `mutation ($account: ID!, $name: String!) {
        createCredential(input: { account: $account, name: $name, secret: { accessKey: {} } }) { credential { id } } }`,
      { account, name },
    );
  const made = async (name: string) =>
    (await server.rows('SELECT 1 FROM credentials WHERE name = :name', { name })).length;

  test('three times is done, once', async () => {
    const [account, name] = [await makeAccount(server), unique('made')];
    await failing(3)(async () => void expectData(await create(name, account)));
    expect(await made(name)).toBe(1);
  });

  test('each time is UNAVAILABLE, in our words, and nothing is done', async () => {
    const [account, name] = [await makeAccount(server), unique('made')];
    await failing(100)(async () => {
      const answer = await create(name, account);
      expect([answer.code, answer.data]).toEqual(['UNAVAILABLE', null]);
      expect(answer.text).not.toMatch(/MARKER|40001|serializ|sql/i);
    });
    expect(await made(name)).toBe(0);
  });
});

// The embedded database has one connection: no two transactions meet on it.
if (process.env['TEST_DATABASE_URL']) {
  describe('R8: two transactions', () => {
    test('that wait for each other are both done', async () => {
      const [one, other] = [unique('one'), unique('other')];
      for (const name of [one, other]) await server.db.rows(put, { name });
      let attempts = 0;
      const both = (first: string, second: string) =>
        server.db.transaction(async (tx) => {
          attempts++;
          await tx.rows(add, { name: first });
          // Long enough for each to hold its first row, only while they can still meet.
          if (attempts <= 2) await sleep(200);
          await tx.rows(add, { name: second });
        });
      await Promise.all([both(one, other), both(other, one)]);
      expect([await counted(one), await counted(other)]).toEqual([2, 2]);
      expect(attempts).toBe(3);
    });

    test('that cannot be put in an order are both done', async () => {
      const name = unique('counter');
      await server.db.rows(put, { name });
      let attempts = 0;
      const increase = () =>
        server.db.transaction(async (tx: Tx) => {
          attempts++;
          await tx.rows(sql('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE'));
          const [seen] = await tx.rows<{ value: number }>(valueOf, { name });
          if (attempts <= 2) await sleep(200);
          await tx.rows(sql('UPDATE counters SET value = CAST(:next AS integer) WHERE name = :name'), {
            name,
            next: (seen?.value ?? 0) + 1,
          });
        });
      await Promise.all([increase(), increase()]);
      expect(await counted(name)).toBe(2);
      expect(attempts).toBe(3);
    });

    test('of many callers on the same rows in other orders leave no raw error', async () => {
      const account = await makeAccount(server);
      const ids = await Promise.all(
        Array.from({ length: 4 }, async () => (await makeCredential(server, account)).id),
      );
      const text = `mutation ($one: ID!, $two: ID!) {
        one: updateCredential(input: { id: $one, description: "x" }) { credential { id } }
        two: revokeCredential(input: { id: $two }) { credential { id } } }`;
      const answers = await Promise.all(
        ids.flatMap((one) => ids.map((two) => server.ask(text, { one, two }))),
      );
      const codes = answers.flatMap(({ errors }) => errors.map(({ extensions }) => extensions.code));
      for (const code of codes) expect(['CONFLICT', 'UNAVAILABLE']).toContain(code);
    });
  });
}
