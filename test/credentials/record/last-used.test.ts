import { setTimeout as sleep } from 'node:timers/promises';
import { LastUsed } from '../../../src/credentials/record/last-used.js';
import type { Database } from '../../../src/database/database.js';
import { unavailable } from '../../../src/errors.js';
import { newId, parseId } from '../../../src/ids.js';
import { openLog } from '../../../src/log.js';
import { expectData, makeAccount, makeCaller, makeCredential, unique } from '../../support/make.js';
import { counting, onTheWay } from '../../support/on-the-way.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { read, rotate, statusWith } from '../verbs.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

/** The credential once its use is noted, within two seconds. */
async function onceUsed(id: string) {
  for (let attempt = 0; attempt < 40; attempt++) {
    const credential = await read(server, id);
    if (credential.lastUsedAt !== null) return credential;
    await sleep(50);
  }
  throw new Error('the use was not noted');
}

test('the use of a token is noted, for the credential and the version that was used', async () => {
  const { id, secret } = await makeCredential(server, await makeAccount(server), { secret: { token: {} } });
  expect(await read(server, id)).toMatchObject({ lastUsedAt: null, versions: [{ lastUsedAt: null }] });
  const next = expectData(await rotate(server, { id, gracePeriod: 'PT1H' })).rotateCredential.issued.secret;
  expect(await statusWith(server, String(secret))).toBe(200);
  const first = await onceUsed(id);
  expect(Math.abs(Date.parse(first.lastUsedAt) - Date.now())).toBeLessThan(10_000);
  expect(first.versions).toMatchObject([{ lastUsedAt: null }, { lastUsedAt: first.lastUsedAt }]);
  expect(first.revision).toBe(2);

  expect(await statusWith(server, next)).toBe(200);
  for (let attempt = 0; attempt < 40; attempt++) {
    const noted = (await read(server, id)).versions[0].lastUsedAt !== null;
    if (noted) {
      // Read anew: credentials and versions are two statements, and the noting may have come between them.
      const { lastUsedAt, versions } = await read(server, id);
      expect(versions[0].lastUsedAt).toBe(lastUsedAt);
      expect(lastUsedAt >= first.lastUsedAt).toBe(true);
      expect(versions[1].lastUsedAt).toBe(first.lastUsedAt);
      return;
    }
    await sleep(50);
  }
  throw new Error('the use of the new secret was not noted');
});

test('a refused use is not noted', async () => {
  const { id, secret } = await makeCredential(server, await makeAccount(server), {
    secret: { token: {} },
    enabled: false,
  });
  const used = await makeCaller(server);
  expect(await statusWith(server, String(secret))).toBe(401);
  expect(await statusWith(server, used.token)).toBe(200);
  await onceUsed(used.credential);
  expect((await read(server, id)).lastUsedAt).toBeNull();
});

test('what waits when the server stops is written first', async () => {
  const callers = await Promise.all([makeCaller(server), makeCaller(server), makeCaller(server)]);
  await Promise.all(callers.map(({ token }) => statusWith(server, token)));
  await server.restart();
  for (const { credential } of callers) expect((await read(server, credential)).lastUsedAt).not.toBeNull();
});

test('what was not used for some time is found by it, from its creation on where it was never used', async () => {
  const account = await makeAccount(server);
  const names = ['never', 'lately', 'long-ago', 'new'].map((name) => unique(name));
  const [never = '', lately = '', longAgo = ''] = names;
  for (const name of names) await makeCredential(server, account, { name });
  const age = async (name: string, days: number, used: number | null) => {
    await server.rows(
      `UPDATE credential_uses u SET
         unused_since = now() - CAST(:since AS integer) * interval '1 day',
         last_used_at = CASE WHEN CAST(:used AS boolean) THEN now() - CAST(:since AS integer) * interval '1 day'
           ELSE u.last_used_at END
       FROM credentials c WHERE c.id = u.credential_id AND c.name = :name`,
      { name, since: used ?? days, used: used !== null },
    );
    await server.rows(
      `UPDATE credentials SET created_at = now() - CAST(:days AS integer) * interval '1 day' WHERE name = :name`,
      { name, days },
    );
  };
  await age(never, 91, null);
  await age(lately, 91, 3);
  await age(longAgo, 400, 100);
  const unused = async (unusedFor: string) => {
    const answer = await server.ask(
      `query ($account: [ID!], $unusedFor: Duration) {
        credentials(filter: { account: $account, unusedFor: $unusedFor }, orderBy: { by: NAME, direction: ASC }) {
          totalCount nodes { name lastUsedAt } } }`,
      { account: [account], unusedFor },
    );
    const { totalCount, nodes } = expectData(answer).credentials;
    expect(totalCount).toBe(nodes.length);
    return nodes.map(({ name }: { name: string }) => name);
  };
  expect(await unused('P90D')).toEqual([longAgo, never].sort());
  expect(await unused('P2D')).toEqual([lately, longAgo, never].sort());
  expect(await unused('P95D')).toEqual([longAgo]);
  expect(await unused('PT0S')).toEqual([...names].sort());
});

/** A queue of its own, which nothing flushes but the test. */
function open(db: Database = server.db) {
  const logged: string[] = [];
  return { logged, lastUsed: new LastUsed(db, openLog('info', { write: (line) => void logged.push(line) })) };
}

/** So many credentials, each with so many versions, and their ids in order. */
async function makeMany(credentials: number, versions = 1): Promise<string[]> {
  const ids = Array.from({ length: credentials }, newId).sort();
  const account = parseId(await makeAccount(server))?.uuid;
  await server.rows(
    `WITH made AS (
       INSERT INTO credentials (id, store_id, account_id, kind, name)
       SELECT id, (SELECT id FROM stores WHERE kind = 'BUILT_IN'), CAST(:account AS uuid), 'TOKEN', id
       FROM unnest(CAST(:ids AS uuid[])) AS made (id) RETURNING id
     ), uses AS (
       INSERT INTO credential_uses (credential_id, unused_since) SELECT id, '2020-01-01' FROM made
     )
     INSERT INTO credential_versions (credential_id, number, state)
     SELECT id, number, 'RETIRED' FROM made, generate_series(1, CAST(:versions AS integer)) AS number`,
    { ids, account, versions },
  );
  return ids;
}

interface Noted {
  used: string | null;
  unusedSince: string;
  versions: (string | null)[];
}

/** What is noted of these credentials, in the order of their ids; instants as RFC 3339 has them. */
const notedOf = (ids: string[]) =>
  server.rows<Noted>(
    `SELECT ${rfc("nullif(u.last_used_at, '-infinity')")} AS used, ${rfc('u.unused_since')} AS "unusedSince",
       ARRAY(SELECT ${rfc('v.last_used_at')} FROM credential_versions v WHERE v.credential_id = u.credential_id
         ORDER BY v.number) AS versions
     FROM credential_uses u WHERE u.credential_id = ANY(CAST(:ids AS uuid[])) ORDER BY u.credential_id`,
    { ids },
  );
const rfc = (column: string) => `to_char(${column}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const start = Date.parse('2030-01-01T00:00:00.000Z');
const after = (ms: number) => new Date(start + ms).toISOString();

test('of several uses the latest is kept, in whatever order they are noted and by whichever server', async () => {
  const [id = ''] = await makeMany(1, 3);
  const { lastUsed } = open();
  for (const [number, ms] of [
    [1, 30],
    [1, 50],
    [1, 40],
    [2, 20],
  ] as const)
    lastUsed.note(id, number, start + ms);
  await lastUsed.flush();
  const noted = { used: after(50), unusedSince: after(50), versions: [after(50), after(20), null] };
  expect(await notedOf([id])).toEqual([noted]);
  // Another server writes later what was earlier: only what it knows more of is news.
  const other = open().lastUsed;
  other.note(id, 1, start + 45);
  other.note(id, 3, start + 46);
  await other.flush();
  expect(await notedOf([id])).toEqual([{ ...noted, versions: [after(50), after(20), after(46)] }]);
});

test('parts of a millisecond are no later use', async () => {
  const [id = ''] = await makeMany(1);
  const { lastUsed } = open();
  lastUsed.note(id, 1, start + 7.75);
  await lastUsed.flush();
  expect(await notedOf([id])).toEqual([{ used: after(7), unusedSince: after(7), versions: [after(7)] }]);
});

test('rows that are told nothing new are not written', async () => {
  const [id = ''] = await makeMany(1);
  const { lastUsed } = open();
  const places = () =>
    server.rows(
      `SELECT u.ctid::text AS u, v.ctid::text AS v FROM credential_uses u JOIN credential_versions v USING (credential_id)
       WHERE u.credential_id = :id`,
      { id },
    );
  lastUsed.note(id, 1, start);
  await lastUsed.flush();
  const before = await places();
  lastUsed.note(id, 1, start);
  await lastUsed.flush();
  lastUsed.note(id, 1, start - 1);
  await lastUsed.flush();
  expect(await places()).toEqual(before);
  lastUsed.note(id, 1, start + 1);
  await lastUsed.flush();
  expect(await places()).not.toEqual(before);
});

test('many uses are written so many at once, by one statement each, and what is not there is no fault', async () => {
  const ids = await makeMany(600);
  const { count, db } = counting(server.db);
  const { lastUsed, logged } = open(db);
  for (const [n, id] of ids.entries()) lastUsed.note(id, 1, start + n);
  lastUsed.note(newId(), 1, start);
  await lastUsed.flush();
  expect(count).toEqual({ transactions: 3, attempts: 3, statements: 3 });
  expect(logged).toEqual([]);
  expect(await notedOf(ids)).toEqual(
    ids.map((_, n) => ({ used: after(n), unusedSince: after(n), versions: [after(n)] })),
  );
});

test('nothing is lost while the database is away', async () => {
  const ids = await makeMany(30);
  let away = true;
  const { lastUsed, logged } = open(
    onTheWay(server.db, {
      before: () => {
        if (away) throw unavailable();
      },
    }),
  );
  for (let round = 0; round < 3; round++) {
    for (const [n, id] of ids.entries())
      if (n % 3 === round || n === 0) lastUsed.note(id, 1, start - round * 1_000);
    await lastUsed.flush();
  }
  expect(logged).toHaveLength(3);
  expect(JSON.parse(logged[2] ?? '')).toMatchObject({ error: { code: 'UNAVAILABLE' }, waiting: 30 });
  away = false;
  await lastUsed.flush();
  expect((await notedOf(ids)).map(({ used }) => used)).toEqual(ids.map((_, n) => after(-1_000 * (n % 3))));
});

test('so many that wait that they are too many are written at once, and none is refused or forgotten', async () => {
  let written = 0;
  const rows = async (_: unknown, parameters: { ids: string[] }) => {
    written += parameters.ids.length;
    return [];
  };
  const db = { transaction: (work: (tx: unknown) => unknown) => work({ rows }) } as unknown as Database;
  const { lastUsed } = open(db);
  for (let n = 1; n < 100_000; n++) lastUsed.note('one', n, start);
  lastUsed.note('one', 1, start + 1);
  await sleep(20);
  expect(written).toBe(0);
  lastUsed.note('one', 100_000, start);
  lastUsed.note('one', 100_001, start);
  for (let waited = 0; waited < 5_000 && written < 100_001; waited += 10) await sleep(10);
  expect(written).toBe(100_001);
});

// The embedded database has one connection: no two transactions meet on it.
if (process.env['TEST_DATABASE_URL']) {
  test('two servers that note the same uses at once never wait for each other, and the latest is kept', async () => {
    const ids = await makeMany(120, 2);
    const { count, db } = counting(server.db);
    const noting = async (order: string[], later: number) => {
      const { lastUsed, logged } = open(db);
      for (let round = 0; round < 25; round++) {
        for (const id of order)
          for (const number of later ? [2, 1] : [1, 2]) lastUsed.note(id, number, start + round * 10 + later);
        await lastUsed.flush();
      }
      expect(logged).toEqual([]);
    };
    await Promise.all([noting(ids, 0), noting([...ids].reverse(), 1)]);
    expect(count.attempts).toBe(count.transactions);
    expect(await notedOf(ids)).toEqual(
      ids.map(() => ({ used: after(241), unusedSince: after(241), versions: [after(241), after(241)] })),
    );
  });

  test('who reads a credential does not wait while uses of it are written', async () => {
    const [id = ''] = await makeMany(1);
    const { lastUsed } = open(
      onTheWay(server.db, {
        within: (tx) => ({
          ...tx,
          rows: async (statement, parameters) => {
            const rows = await tx.rows(statement, parameters);
            expect(await notedOf([id])).toMatchObject([{ used: null }]);
            return rows as never[];
          },
        }),
      }),
    );
    lastUsed.note(id, 1, start);
    await lastUsed.flush();
    expect(await notedOf([id])).toMatchObject([{ used: after(0) }]);
  });
}
