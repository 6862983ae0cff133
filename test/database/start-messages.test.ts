import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { Database } from '../../src/database/database.js';
import { entities, migrations } from '../../src/start/tables.js';
import { emptyPlace, onServer, type Place } from '../support/process.js';

// What a person reads who has set up a database that Keyway cannot work with.

const admin = process.env['TEST_DATABASE_URL'];
const opened: Database[] = [];
afterEach(async () => {
  for (const db of opened.splice(0)) await db.close();
});

async function open(url: string): Promise<Database> {
  const db = await Database.open({ url, entities, migrations, poolSize: 2 });
  opened.push(db);
  return db;
}

const refusal = async (work: () => Promise<unknown>): Promise<string> => {
  try {
    await work();
  } catch (error) {
    return (error as Error).message;
  }
  return '';
};

test('a server that cannot be reached is told by the setting, without what the address holds', async () => {
  const message = await refusal(() => open('postgres://ada:hunter2@127.0.0.1:1/orders'));
  expect(message).toBe(
    'Keyway cannot start:\n  DATABASE_URL leads to a server that cannot be reached (ECONNREFUSED)',
  );
});

test('a server without TLS is told by what pg says of it, which is one sentence', async () => {
  // What a server answers to SSLRequest that has none: https://www.postgresql.org/docs/current/protocol-flow.html
  const server = createServer((socket) =>
    socket.on('data', () => socket.write('N')).on('error', () => undefined),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    expect(await refusal(() => open(`postgres://ada:hunter2@127.0.0.1:${port}/d?sslmode=require`))).toBe(
      'Keyway cannot start:\n  DATABASE_URL leads to a server without TLS, which is only taken on this machine',
    );
  } finally {
    server.close();
  }
});

if (admin !== undefined) {
  const role = `keyway_role_${randomBytes(4).toString('hex')}`;
  let place: Place;
  let url: URL;
  beforeAll(async () => {
    place = await emptyPlace();
    await onServer(admin, `CREATE ROLE ${role} LOGIN PASSWORD 'hunter2'`);
    url = new URL(place.environment['DATABASE_URL'] ?? '');
  });
  afterAll(async () => {
    await place.drop();
    await onServer(admin, `DROP ROLE IF EXISTS ${role}`);
  });

  const address = (changes: Partial<URL>) => Object.assign(new URL(url), changes).href;

  test.each([
    [
      'a database that is not there',
      () => ({ pathname: '/nowhere' }),
      'names a database that is not there (3D000)',
    ],
    [
      'a role that is not there',
      () => ({ username: 'nobody_of_this_name' }),
      'names a user that the server does not let in, or not from here or without TLS (28000)',
    ],
  ])('%s is told by the setting', async (_, changes, told) => {
    expect(await refusal(() => open(address(changes())))).toBe(
      `Keyway cannot start:\n  DATABASE_URL ${told}`,
    );
  });

  test('rights that are missing are told before the first change, with what gives them', async () => {
    // PostgreSQL 14 still gave this right to everybody.
    await onServer(url.href, 'REVOKE CREATE ON SCHEMA public FROM PUBLIC');
    const db = await open(address({ username: role, password: 'hunter2' }));
    const told = await refusal(() => db.migrate());
    const database = url.pathname.slice(1);
    expect(told.split('\n').slice(1)).toEqual([
      "  DATABASE_URL names a role that may not make or change Keyway's tables. As their owner or a superuser:",
      `    GRANT USAGE, CREATE ON SCHEMA public TO ${role};`,
      `    GRANT CREATE ON DATABASE ${database} TO ${role};`,
    ]);
    expect(await onServer(url.href, "SELECT FROM pg_tables WHERE schemaname = 'public'")).toEqual([]);

    for (const line of told.split('\n').slice(2)) await onServer(url.href, line);
    await db.migrate();
    expect(await db.rows({ text: 'SELECT id FROM credentials', names: [] })).toEqual([]);
    // Nothing is left to be done: rights to make tables are not asked for any more.
    await onServer(url.href, `REVOKE CREATE ON SCHEMA public FROM ${role}`);
    await db.migrate();
    await onServer(url.href, `REASSIGN OWNED BY ${role} TO CURRENT_USER; DROP OWNED BY ${role}`);
  });

  test('tables of another role are told by the statement that opens them', async () => {
    const other = await emptyPlace();
    try {
      const own = new URL(other.environment['DATABASE_URL'] ?? '');
      await onServer(own.href, `GRANT USAGE, CREATE ON SCHEMA public TO ${role}`);
      await onServer(own.href, `GRANT CREATE ON DATABASE ${own.pathname.slice(1)} TO ${role}`);
      await onServer(
        own.href,
        'CREATE TABLE migrations (id serial, "timestamp" bigint NOT NULL, name varchar NOT NULL)',
      );
      await onServer(own.href, `GRANT SELECT ON migrations TO ${role}`);
      const db = await open(Object.assign(own, { username: role, password: 'hunter2' }).href);
      expect(await refusal(() => db.migrate())).toMatch(
        new RegExp(`superuser:\\n    GRANT \\w+ TO ${role};$`),
      );
    } finally {
      for (const db of opened.splice(0)) await db.close();
      await other.drop();
    }
  });
}
