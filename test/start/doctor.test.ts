/**
 * @slow 25 s
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { newId } from '../../src/ids.js';
import type { Finding } from '../../src/start/doctor/finding.js';
import { endOfNode, ofPostgres } from '../../src/start/doctor/lifetimes.js';
import { findingsOf } from '../../src/start/doctor/finding.js';
import { fileOf } from '../audit/chains.js';
import { makeAccount, makeCredential } from '../support/make.js';
import { barePlace, emptyPlace, onServer, runKeyway, spawnKeyway, urlOf } from '../support/process.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { run } from '../support/verbs.js';
import { makeStore, seqeraAt } from '../stores/stores.js';
import { startSeqera } from '../upstreams/seqera.js';

// `keyway doctor` looks at what there is, changes nothing, and says what to do.

const onPostgres = process.env['TEST_DATABASE_URL'] !== undefined;

async function examined(
  environment: Record<string, string>,
): Promise<{ code: number | null; all: Finding[] }> {
  const { code, output } = await runKeyway(['doctor', '--json'], environment);
  return { code, all: JSON.parse(output.slice(output.indexOf('['))) as Finding[] };
}
const wrong = (all: readonly Finding[]) => all.filter(({ state }) => state === 'wrong');
const of = (all: readonly Finding[], check: string) => all.filter((one) => one.check === check);

/** Every file of a folder but those of the embedded database, which are its own. */
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.startsWith(join(folder, 'postgres')))
    .map((path) => `${path} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`)
    .sort();

describe('before a first start', () => {
  test('nothing is wrong, nothing is made, and the next step is told', async () => {
    const place = await barePlace();
    try {
      const before = filesIn(place.folder);
      const { code, output } = await runKeyway(['doctor'], place.environment);
      expect(output).toMatch(/^ok +keys +there are none in .*; the first start makes them$/m);
      expect(output).not.toMatch(/^(wrong|skipped)/m);
      expect(code).toBe(0);
      expect(filesIn(place.folder)).toEqual(before);
      expect(existsSync(join(place.folder, 'postgres'))).toBe(false);
    } finally {
      await place.drop();
    }
  });

  test('settings are told by name, all of them, and never by value; what else there is is looked at all the same', async () => {
    const place = await barePlace();
    try {
      const { code, output } = await runKeyway(['doctor'], {
        ...place.environment,
        KEYWAY_NONSENSE: 'hunter2',
        KEYWAY_PROCESSES: 'hunter2',
        KEYWAY_METRICS_HOST: '127.0.0.1',
      });
      expect(code).toBe(1);
      expect(output).toMatch(/^wrong +settings +KEYWAY_NONSENSE is not a setting of Keyway$/m);
      expect(output).toMatch(/^wrong +settings +KEYWAY_PROCESSES must be /m);
      expect(output).toMatch(/^warning +settings +KEYWAY_METRICS_HOST has no effect/m);
      expect(output).toMatch(/^ok +tables|^ok +database/m);
      expect(output).not.toContain('hunter2');
    } finally {
      await place.drop();
    }
  });

  test.each([
    [
      'postgres://keyway:hunter2@127.0.0.1:1/nowhere',
      'leads to a server that cannot be reached (ECONNREFUSED)',
    ],
    ['mysql://keyway:hunter2@127.0.0.1/nowhere', 'must be a PostgreSQL address'],
  ])(
    'a database that cannot be had is told, and what depends on it is not guessed: %#',
    async (url, told) => {
      const place = await barePlace();
      try {
        const { code, all } = await examined({ ...place.environment, DATABASE_URL: url });
        expect(code).toBe(1);
        expect(wrong(all)).toEqual([expect.objectContaining({ found: expect.stringContaining(told) })]);
        expect(of(all, 'keys')).toEqual([expect.objectContaining({ state: 'warning' })]);
        expect(of(all, 'checkpoints')).toEqual([expect.objectContaining({ state: 'skipped' })]);
        expect(JSON.stringify(all)).not.toContain('hunter2');
      } finally {
        await place.drop();
      }
    },
  );

  test('another program at the address is told with the setting', async () => {
    const place = await barePlace();
    const other = createServer((_, response) => response.end('none of yours')).listen(0, '127.0.0.1');
    await once(other, 'listening');
    try {
      const PORT = String((other.address() as AddressInfo).port);
      const { code, all } = await examined({ ...place.environment, PORT });
      expect(code).toBe(1);
      expect(wrong(all)).toEqual([
        {
          check: 'address',
          state: 'wrong',
          found: 'The address is taken: another program listens there. Set PORT.',
        },
      ]);
    } finally {
      other.close();
      await place.drop();
    }
  });
});

test('a folder of checkpoints of its own is looked at as the data folder is', async () => {
  const place = await barePlace();
  try {
    const file = join(place.folder, 'a-file');
    writeFileSync(file, '');
    const told = async (KEYWAY_CHECKPOINTS: string) => {
      const { code, all } = await examined({ ...place.environment, KEYWAY_CHECKPOINTS });
      return [code, ...of(all, 'checkpoint folder').map(({ state, found }) => `${state} ${found}`)];
    };
    expect(await told(file)).toEqual([1, `wrong ${file} is not a folder`]);
    const absent = join(place.folder, 'elsewhere');
    expect(await told(absent)).toEqual([0, `ok ${absent} is not there yet`]);
    expect(await told(place.folder)).toEqual([0]);
  } finally {
    await place.drop();
  }
});

if (onPostgres)
  test('rights that a start does not need and serving does are told, in the database and in that of the checkpoints', async () => {
    const server = await startTestServer();
    const other = await emptyPlace();
    const role = `keyway_role_${newId().slice(-8)}`;
    const owner = server.environment['DATABASE_URL'] ?? '';
    const url = Object.assign(new URL(owner), { username: role, password: 'hunter2' });
    await onServer(owner, `CREATE ROLE ${role} LOGIN PASSWORD 'hunter2'`);
    try {
      await onServer(owner, `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role}`);
      await onServer(owner, `REVOKE UPDATE, DELETE ON audit_events, migrations FROM ${role}`);
      const wrongBy = async (more: Record<string, string> = {}) => {
        const { all } = await examined({ ...server.environment, DATABASE_URL: url.href, ...more });
        expect(JSON.stringify(all)).not.toContain('hunter2');
        return wrong(all).map(({ check, found }) => `${check}: ${found}`);
      };
      expect(await wrongBy()).toEqual([]);
      await onServer(owner, `REVOKE DELETE ON grants FROM ${role}`);
      await onServer(owner, `REVOKE UPDATE ON stores FROM ${role}`);
      expect(await wrongBy()).toEqual(['tables: the role may not read and write grants, stores']);

      await onServer(owner, `GRANT UPDATE, DELETE ON grants, stores TO ${role}`);
      const place = other.environment['DATABASE_URL'] ?? '';
      await onServer(place, `REVOKE CREATE ON SCHEMA public FROM public`);
      const elsewhere = {
        KEYWAY_CHECKPOINTS: Object.assign(new URL(place), { username: role, password: 'hunter2' }).href,
      };
      const refused = [
        expect.stringMatching(/^checkpoints: no lines can be added to the table keyway_checkpoints/),
      ];
      expect(await wrongBy(elsewhere)).toEqual(refused);
      await onServer(place, 'CREATE TABLE keyway_checkpoints (generation integer, month text, line text)');
      await onServer(place, `GRANT SELECT ON keyway_checkpoints TO ${role}`);
      expect(await wrongBy(elsewhere)).toEqual(refused);
      await onServer(place, `GRANT INSERT ON keyway_checkpoints TO ${role}`);
      expect(await wrongBy(elsewhere)).toEqual([]);
    } finally {
      await server.stop();
      await other.drop();
      await onServer(process.env['TEST_DATABASE_URL'] ?? '', `DROP ROLE ${role}`);
    }
  });
else
  test('an embedded database of another user is not opened, as files of this one would be left in it', async () => {
    const place = await emptyPlace();
    try {
      const everything = () => readdirSync(join(place.folder, 'postgres'), { recursive: true }).sort();
      const before = everything();
      const { ended, output } = spawnKeyway(['doctor'], place.environment, {
        preload: 'data:text/javascript,process.geteuid = () => 4242',
      });
      expect(await ended).toBe(0);
      expect(output()).toMatch(
        /^skipped +database +.*postgres belongs to the user \d+, and was not opened;/m,
      );
      expect(everything()).toEqual(before);
    } finally {
      await place.drop();
    }
  });

describe('of a Keyway that was used', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  });
  afterEach(() => server.stop());

  const state = async () =>
    server.rows(`
      SELECT (SELECT count(*)::integer FROM audit_events) AS events, (SELECT sum(wraps)::text FROM keyring_keys) AS wraps,
        (SELECT json_agg(s.checked_at)::text FROM stores s) AS checked, (SELECT count(*)::integer FROM migrations) AS done`);
  const unserved = async () => {
    await server.pause();
    return examined(server.environment);
  };

  test('all is looked at, a store by its connection, and nothing changes', async () => {
    const seqera = await startSeqera();
    try {
      const account = await makeAccount(server);
      await makeStore(server, account, seqeraAt(seqera));
      await makeStore(server, account, seqeraAt(seqera));
      // Of the two, one is refused: whichever is asked first.
      await server.restart();
      const before = await state();
      await server.pause();
      const files = filesIn(server.dataDir);
      seqera.meet({ kind: 'fail', status: 401, body: { message: 'MARKER-VENDOR' } }, {}, 1);
      const { code, all } = await examined(server.environment);
      expect(code).toBe(1);
      expect(of(all, 'stores').map(({ state }) => state)).toEqual(expect.arrayContaining(['ok', 'wrong']));
      expect(wrong(all)).toEqual([
        expect.objectContaining({ check: 'stores', advice: expect.stringContaining('updateStore') }),
      ]);
      expect(JSON.stringify(all)).not.toContain('MARKER-VENDOR');
      for (const check of ['database', 'tables', 'keys', 'checkpoints'])
        expect(of(all, check).map((one) => one.state)).toContain('ok');
      expect(filesIn(server.dataDir)).toEqual(files);
      await server.restart();
      // A start reserves a block of wraps, and makes no event.
      const [after] = await state();
      expect(after).toEqual({ ...before[0], wraps: expect.any(String) });
    } finally {
      await seqera.stop();
    }
  });

  test('while it serves, it is left alone: the embedded database is said to be in use', async () => {
    const port = new URL(server.url).port;
    const { code, all } = await examined({ ...server.environment, PORT: port });
    expect(of(all, 'address')).toEqual([
      expect.objectContaining({ found: 'a Keyway serves there, and is ready' }),
    ]);
    expect(of(all, 'checkpoints').map((one) => one.state)).toEqual([onPostgres ? 'ok' : 'skipped']);
    if (!onPostgres)
      expect(of(all, 'database')).toEqual([
        expect.objectContaining({ state: 'skipped', found: expect.stringContaining('in use') }),
      ]);
    expect(code).toBe(0);
    expect((await server.ask('{ viewer { name } }')).data.viewer.name).toBe('admin');
  });

  test('keys that are missing are named, and none are made in their place', async () => {
    await server.pause();
    const keys = join(server.dataDir, 'keys');
    renameSync(keys, `${keys}.away`);
    const { code, all } = await examined(server.environment);
    expect(code).toBe(1);
    expect(wrong(all)).toEqual([
      expect.objectContaining({
        check: 'keys',
        found:
          'the database was written with keys that are not here: audit k1, kek k1, pepper k1, verifier k1',
      }),
    ]);
    expect(existsSync(keys)).toBe(false);
    renameSync(`${keys}.away`, keys);
    await server.restart();
  });

  test('a key file that others may read, and one that is none, are told by name', async () => {
    await server.pause();
    const file = (name: string) => join(server.dataDir, 'keys', name);
    chmodSync(file('kek.json'), 0o644);
    chmodSync(server.dataDir, 0o777);
    appendFileSync(file('pepper.json'), 'hunter2');
    const { code, all } = await examined(server.environment);
    expect(code).toBe(1);
    expect(wrong(all).map(({ found }) => found)).toEqual([
      expect.stringMatching(/^kek\.json: is open to other users/),
      expect.stringMatching(/^pepper\.json: is not a key file/),
    ]);
    expect(JSON.stringify(all)).not.toContain('hunter2');
    expect(statSync(file('kek.json')).mode & 0o777).toBe(0o644);
    expect(of(all, 'data folder')).toEqual([
      expect.objectContaining({ state: 'warning', found: expect.stringContaining('every user') }),
    ]);
    chmodSync(server.dataDir, 0o700);
    chmodSync(file('kek.json'), 0o600);
    const whole = readFileSync(file('pepper.json'), 'utf8').replace('hunter2', '');
    writeFileSync(file('pepper.json'), whole);
    await server.restart();
  });

  test('a database that is behind its checkpoints is told, with what ended since and what to do', async () => {
    const made = await makeCredential(server, await makeAccount(server));
    await server.pause();
    const putBack = await server.keepState();
    await server.restart();
    expect((await run(server, 'revokeCredential', { id: made.id })).code).toBeUndefined();
    await server.pause();
    await putBack();
    const { code, all } = await examined(server.environment);
    expect(code).toBe(1);
    const found = wrong(all);
    expect(found.map(({ check }) => check)).toEqual(found.map(() => 'checkpoints'));
    expect(found).toContainEqual({
      check: 'checkpoints',
      state: 'wrong',
      found: 'of what ended since, the checkpoints tell 1',
      advice: 'keyway restore accept ends them again',
    });
    expect((await runKeyway(['restore', 'accept'], server.environment)).code).toBe(0);
    expect(wrong((await examined(server.environment)).all)).toEqual([]);
    await server.restart();
  });

  test('a file of checkpoints that is gone is told', async () => {
    await server.pause();
    const file = fileOf(server);
    renameSync(file, `${file}.away`);
    const { all } = await unserved();
    expect(of(all, 'checkpoints')).toEqual([
      expect.objectContaining({ state: 'warning', found: expect.stringContaining('there are none') }),
    ]);
    expect(existsSync(file)).toBe(false);
    await server.restart();
  });

  test('tables of another version are told: those of a later one, and changes that are to be made', async () => {
    const [last] = await server.rows<{ name: string }>(
      'SELECT name FROM migrations ORDER BY id DESC LIMIT 1',
    );
    await server.rows(`UPDATE migrations SET name = 'Later1999999999999' WHERE name = :name`, {
      name: last?.name,
    });
    const later = await unserved();
    expect(wrong(later.all)).toEqual([
      expect.objectContaining({ check: 'tables', found: expect.stringContaining('Later1999999999999') }),
    ]);
    // The server cannot be started on it: what is left is to end it.
  });
});

test('a start says once that its Node gets no fixes any more, and serves', async () => {
  const place = await emptyPlace();
  const spawned = spawnKeyway(['serve'], { ...place.environment, KEYWAY_LOG_LEVEL: 'info' });
  try {
    await urlOf(spawned);
    const ended = endOfNode(process.versions.node, Date.now());
    expect(spawned.output().split('has had no security fixes')).toHaveLength(ended === undefined ? 1 : 2);
  } finally {
    spawned.child.kill();
    await spawned.ended;
    await place.drop();
  }
});

describe('how long versions live', () => {
  const at = (day: string) => Date.parse(`${day}T12:00:00Z`);
  test('Node 20 is told from the day after its end on', () => {
    expect(endOfNode('20.20.0', at('2026-04-30'))).toBeUndefined();
    expect(endOfNode('20.20.0', at('2026-05-01'))).toContain(
      'Node 20 has had no security fixes since 2026-04-30',
    );
    expect(endOfNode('24.1.0', at('2026-05-01'))).toBeUndefined();
    expect(endOfNode('23.1.0', at('2026-05-01'))).toContain('Node 23 has had no security fixes:');
  });

  test('PostgreSQL is told by its version, one that ended, and one that is unknown', () => {
    const say = findingsOf('database');
    expect(ofPostgres(150_020, at('2026-11-30'), say)).toEqual(say.ok('PostgreSQL 15.20'));
    expect(ofPostgres(140_019, at('2026-11-30'), say)).toMatchObject({ state: 'warning' });
    expect(ofPostgres(190_000, at('2026-11-30'), say)).toMatchObject({ state: 'warning' });
  });
});
