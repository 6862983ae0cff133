import type { Database } from '../src/database/database.js';
import { forgetNonces } from '../src/access/nonces.js';
import { forgetWindows } from '../src/rate-limits/in-database.js';
import { forgetOldAnswers } from '../src/idempotency/forget.js';
import { forgetAttempts } from '../src/credentials/verification/password-attempts.js';
import { parseId } from '../src/ids.js';
import { makeAccount, makeCredential } from './support/make.js';
import { startTestServer, type TestServer } from './support/server.js';

// What is over is deleted, in small batches, so that nobody waits for it.

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const count = 3_210;

/** The database, which tells how many rows each DELETE has taken. */
function watched(deleted: number[]): Database {
  const watch = <Sql extends Pick<Database, 'rows'>>(db: Sql): Sql =>
    Object.create(db, {
      rows: {
        value: async (...asked: Parameters<Database['rows']>) => {
          const rows = await db.rows(...asked);
          if (/^\s*DELETE/.test(asked[0].text)) deleted.push(rows.length);
          return rows;
        },
      },
      ...('transaction' in db && {
        transaction: {
          value: (work: Parameters<Database['transaction']>[0]) =>
            server.db.transaction((tx) => work(watch(tx))),
        },
      }),
    }) as Sql;
  return watch(server.db);
}

test.each<[string, string, (db: Database) => Promise<number>]>([
  [
    'nonces',
    `INSERT INTO nonces (credential_id, nonce, expires_at)
     SELECT CAST(:credential AS uuid), decode(lpad(to_hex(i), 32, '0'), 'hex'), now() + i * interval '1 second' - interval '1 week'
     FROM generate_series(1, CAST(:count AS integer)) AS i
     UNION ALL SELECT CAST(:credential AS uuid), decode(lpad('0', 32, 'f'), 'hex'), now() + interval '1 hour'`,
    forgetNonces,
  ],
  [
    'password_attempts',
    `INSERT INTO password_attempts (name_hash, at, granted, expires_at)
     SELECT decode(lpad(to_hex(i), 32, '0'), 'hex'), CAST('{}' AS timestamptz[]), 0, now() + i * interval '1 second' - interval '1 week'
     FROM generate_series(1, CAST(:count AS integer)) AS i
     UNION ALL SELECT decode(lpad('0', 32, 'f'), 'hex'), CAST('{}' AS timestamptz[]), 0, now() + interval '1 hour'
     FROM (SELECT CAST(:credential AS uuid)) AS unused`,
    forgetAttempts,
  ],
  [
    'rate_limits',
    // What the server has counted itself does not end meanwhile.
    `WITH others AS (UPDATE rate_limits SET ends_at = now() + interval '1 hour')
     INSERT INTO rate_limits (name, taken, granted, ends_at)
     SELECT 'test ' || i, 1, 1, now() + i * interval '1 second' - interval '1 week'
     FROM generate_series(1, CAST(:count AS integer)) AS i
     UNION ALL SELECT 'test', 1, 1, now() + interval '1 hour' FROM (SELECT CAST(:credential AS uuid)) AS unused`,
    forgetWindows,
  ],
  [
    'idempotency_keys',
    `INSERT INTO idempotency_keys (account_id, key_hash, id, operation, input_hash, expires_at)
     SELECT account_id, decode(lpad(to_hex(i), 32, '0'), 'hex'), gen_random_uuid(), 'x', CAST('\\x00' AS bytea),
       now() + i * interval '1 second' - interval '1 week'
     FROM credentials, generate_series(1, CAST(:count AS integer)) AS i WHERE credentials.id = CAST(:credential AS uuid)
     UNION ALL SELECT account_id, decode(lpad('0', 32, 'f'), 'hex'), gen_random_uuid(), 'x', CAST('\\x00' AS bytea), now() + interval '1 hour'
     FROM credentials WHERE id = CAST(:credential AS uuid)`,
    forgetOldAnswers,
  ],
])('R34: %s whose time is over are deleted in small batches, and no others', async (table, fill, forget) => {
  const { id } = await makeCredential(server, await makeAccount(server));
  const of = async () =>
    (await server.rows<{ rows: number }>(`SELECT count(*)::integer AS rows FROM ${table}`))[0]?.rows;
  const before = (await of()) ?? 0;
  await server.rows(fill, { credential: parseId(id)?.uuid, count });
  const deleted: number[] = [];
  expect(await forget(watched(deleted))).toBe(count);
  expect(deleted.length).toBeGreaterThan(3);
  expect(Math.max(...deleted)).toBeLessThanOrEqual(1_000);
  expect(await of()).toBe(before + 1);
});
