import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CheckpointBucket } from '../../../src/audit/checkpoints/bucket.js';
import { CheckpointFolder } from '../../../src/audit/checkpoints/folder.js';
import type { GenerationSeal } from '../../../src/audit/checkpoints/line.js';
import type { CheckpointPlace, MonthLines } from '../../../src/audit/checkpoints/place.js';
import { allLines } from '../../../src/audit/checkpoints/place.js';
import { CheckpointTable } from '../../../src/audit/checkpoints/postgres.js';
import { newId } from '../../../src/ids.js';
import { emptyPlace, onServer } from '../../support/process.js';
import { environmentOf, startObjectStore, type ObjectStore } from '../../support/s3.js';

// What every place of checkpoints does, wherever it is.

/** Somewhere for checkpoints, which as many processes may open as want to. */
interface Somewhere {
  open(): Promise<CheckpointPlace>;
  end(): Promise<unknown> | void;
}

const folder = (): Promise<Somewhere> => {
  const path = join(mkdtempSync(join(tmpdir(), 'checkpoints-')), 'made', 'when it is needed');
  return Promise.resolve({
    open: () => Promise.resolve(new CheckpointFolder(path)),
    end: () => rmSync(path, { recursive: true, force: true }),
  });
};

const bucketAt = (prefix: string) => ({ kind: 's3', bucket: 'keyway', prefix, pathStyle: true }) as const;

async function withEnvironment<Done>(
  given: Record<string, string>,
  work: () => Promise<Done>,
): Promise<Done> {
  const before = Object.keys(given).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, given);
  try {
    return await work();
  } finally {
    for (const [name, value] of before)
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  }
}

const inStore = async ({ environment }: Pick<ObjectStore, 'environment'>, prefix: string) =>
  withEnvironment(environment, () => CheckpointBucket.open('HERE', bucketAt(prefix)));

const standIn = async (): Promise<Somewhere> => {
  const store = await startObjectStore();
  return { open: () => inStore(store, 'some/where/'), end: () => store.stop() };
};

const hasMoto = spawnSync('python3', ['-c', 'import moto.server']).status === 0;
if (!hasMoto) console.info('Python has no moto here: S3 is tested against a stand-in alone.');

const moto = async (): Promise<Somewhere> => {
  const port = await freePort();
  const child = spawn('python3', ['-m', 'moto.server', '-p', `${port}`], { stdio: 'ignore' });
  const ended = once(child, 'close');
  const endpoint = `http://127.0.0.1:${port}`;
  for (;;) {
    const made = await fetch(`${endpoint}/keyway`, { method: 'PUT' }).catch(() => undefined);
    if (made?.ok) break;
    if (child.exitCode !== null) throw new Error('moto has ended');
    await sleep(100);
  }
  return {
    open: () => inStore({ environment: environmentOf(endpoint) }, ''),
    end: async () => {
      child.kill();
      await ended;
    },
  };
};

const table = async (): Promise<Somewhere> => {
  const place = await emptyPlace();
  const url = place.environment['DATABASE_URL'] ?? '';
  return { open: () => CheckpointTable.open('HERE', url), end: () => place.drop() };
};

const kinds: [string, () => Promise<Somewhere>][] = [
  ['a folder', folder],
  ['a bucket', standIn],
  ...(hasMoto ? [['a bucket of moto', moto] as [string, () => Promise<Somewhere>]] : []),
  ...(process.env['TEST_DATABASE_URL'] ? [['a table', table] as [string, () => Promise<Somewhere>]] : []),
];

/** A line with this number, which nobody has signed. */
const line = (number: number) =>
  JSON.stringify({ account: newId(), number: `${number}`, hash: '0'.repeat(64), at: 'now', mac: '' });

async function numbers(lines: AsyncIterable<readonly ({ checkpoint: { number: string } } | undefined)[]>) {
  const found: number[] = [];
  for await (const part of lines) found.push(...part.map((one) => Number(one?.checkpoint.number)));
  return found.sort((one, other) => one - other);
}

/** What is new in the segments of a place since it was asked before. */
function reader(place: CheckpointPlace) {
  const marks = new Map<string, { after: string; seen?: ReadonlySet<string> }>();
  return async () => {
    const found: number[] = [];
    for (const segment of await place.segments(seal))
      for await (const { lines, to } of place.read(segment, marks.get(segment.name))) {
        marks.set(segment.name, to);
        found.push(...lines.map((one) => Number(one?.checkpoint.number)));
      }
    return found.sort((one, other) => one - other);
  };
}

async function* parts(...all: string[][]): AsyncGenerator<MonthLines> {
  for (const lines of all) yield await Promise.resolve({ month: '2026-11', lines });
}

/** What those who have the keys put to a beginning. */
const seal: GenerationSeal = {
  of: (generation) => `begun ${generation}`,
  fits: (generation, text) => text === `begun ${generation}`,
};

const nothing = () => Promise.resolve();

describe.each(kinds)('%s', (_, make) => {
  let somewhere: Somewhere;
  const opened: CheckpointPlace[] = [];
  const open = async () => {
    const place = await somewhere.open();
    opened.push(place);
    await place.segments(seal);
    return place;
  };
  beforeEach(async () => {
    somewhere = await make();
  });
  afterEach(async () => {
    for (const place of opened.splice(0)) await place.close();
    await somewhere.end();
  });

  test('has what was written, month by month, and tells each process what is new to it', async () => {
    const [one, other] = [await open(), await open()];
    expect(await one.segments(seal)).toEqual([]);
    const news = reader(other);
    const identity = await one.append('2026-10', [line(1), line(2)]);
    expect(await news()).toEqual([1, 2]);
    expect(await other.append('2026-10', [line(3)])).toBe(identity);
    await one.append('2026-11', [line(4)]);
    expect(await news()).toEqual(expect.arrayContaining([3, 4]));
    expect((await news()).filter((number) => number > 4)).toEqual([]);
    const late = await open();
    expect((await late.segments(seal)).map(({ month }) => month)).toEqual(['2026-10', '2026-11']);
    expect((await late.segments(seal))[0]?.identity).toBe(identity);
    expect(await numbers(allLines(late, seal))).toEqual([1, 2, 3, 4]);
    await late.remove((await late.segments(seal))[0] ?? fail());
    expect(await numbers(allLines(one, seal))).toEqual([4]);
  });

  test('takes lines that are long, and many', async () => {
    const place = await open();
    const long = JSON.stringify({ ...(JSON.parse(line(1)) as object), ended: ['x'.repeat(3 << 20)] });
    const many = Array.from({ length: 1_500 }, (_, number) => line(number + 2));
    await place.append('2026-11', [long, ...many]);
    expect(await numbers(allLines(place, seal))).toEqual(Array.from({ length: 1_501 }, (_, at) => at + 1));
  });

  test('begins anew with what is given, once that is on record, and keeps what was before', async () => {
    const [one, other] = [await open(), await open()];
    const before = await one.append('2026-10', [line(1)]);
    await one.append('2026-11', [line(2)]);
    const failing = one.begin(parts([line(3)]), seal, () => Promise.reject(new Error('no record')));
    await expect(failing).rejects.toThrow('no record');
    expect(await numbers(allLines(other, seal))).toEqual([1, 2]);

    const kept = await one.begin(parts([line(4)], [line(5)]), seal, async () => {
      expect(await numbers(allLines(other, seal))).toEqual([1, 2]);
    });
    expect(kept.length).toBeGreaterThan(0);
    expect(await numbers(allLines(other, seal))).toEqual([4, 5]);
    const identities = (await other.segments(seal)).map(({ identity }) => identity);
    expect(identities).not.toContain(before);
    await other.segments(seal);
    await other.append('2026-11', [line(6)]);
    expect(await numbers(allLines(one, seal))).toEqual([4, 5, 6]);

    // Also where nothing of before holds.
    await one.begin(parts(), seal, nothing);
    expect(await numbers(allLines(other, seal))).toEqual([]);
    await other.append('2026-11', [line(7)]);
    expect(await numbers(allLines(one, seal))).toEqual([7]);
  });
});

test('a beginning that nobody has sealed hides nothing, in a bucket or a table', async () => {
  const store = await startObjectStore();
  const place = await inStore(store, '');
  try {
    await place.segments(seal);
    await place.append('2026-11', [line(1)]);
    for (const forged of ['', 'begun 1', 'x']) {
      store.objects.set('keyway/000002/begun', Buffer.from(forged));
      store.objects.set('keyway/999999/begun', Buffer.from(forged));
      expect(await numbers(allLines(place, seal))).toEqual([1]);
    }
    await place.begin(parts([line(2)]), seal, nothing);
    expect(await numbers(allLines(place, seal))).toEqual([2]);
  } finally {
    await place.close();
    await store.stop();
  }
});

test('a folder has the files of others that are put there too, by when they were changed', async () => {
  const path = mkdtempSync(join(tmpdir(), 'checkpoints-'));
  try {
    const put = (name: string, number: number, time: string) => {
      writeFileSync(join(path, name), `${line(number)}\n`);
      utimesSync(join(path, name), new Date(time), new Date(time));
    };
    put('audit-checkpoints.jsonl', 1, '2026-03-04T00:00:00Z');
    put('audit-checkpoints.replica-2.jsonl', 2, '2026-05-04T00:00:00Z');
    put('audit-checkpoints.2026-04.jsonl', 3, '2026-06-04T00:00:00Z');
    put('audit-checkpoints.2026-02.jsonl.20260401T000000Z', 4, '2026-02-04T00:00:00Z');
    put('other.jsonl', 5, '2026-02-04T00:00:00Z');
    mkdirSync(join(path, 'audit-checkpoints.folder.jsonl'));
    const place = new CheckpointFolder(path);
    expect((await place.segments()).map(({ month }) => month)).toEqual(['2026-03', '2026-04', '2026-05']);
    expect(await numbers(allLines(place, seal))).toEqual([1, 2, 3]);
  } finally {
    rmSync(path, { recursive: true });
  }
});

describe('a bucket', () => {
  let store: ObjectStore;
  beforeEach(async () => {
    store = await startObjectStore();
  });
  afterEach(() => store.stop());

  test('is not filled with small objects, if they may be deleted', async () => {
    const place = await inStore(store, 'p/');
    await place.segments(seal);
    for (let number = 1; number <= 450; number++) await place.append('2026-11', [line(number)]);
    expect(store.objects.size).toBeLessThan(60);
    expect(await numbers(allLines(place, seal))).toEqual(Array.from({ length: 450 }, (_, at) => at + 1));
    await place.close();
  });

  test('has all that was written where nothing may be deleted', async () => {
    store.refuse = (verb) => (verb === 'POST delete' ? { status: 403, code: 'AccessDenied' } : undefined);
    const place = await inStore(store, 'p/');
    await place.segments(seal);
    for (let number = 1; number <= 250; number++) await place.append('2026-11', [line(number)]);
    expect(new Set(await numbers(allLines(place, seal))).size).toBe(250);
    const [segment] = await place.segments(seal);
    await place.remove(segment ?? fail());
    expect(new Set(await numbers(allLines(place, seal))).size).toBe(250);
    await place.close();
  });

  test('tells what an object of a writer is whose clock is behind or ahead', async () => {
    const place = await inStore(store, '');
    const news = reader(place);
    const put = (ms: number, number: number) =>
      store.objects.set(
        `keyway/000001/2026-11/${new Date(Date.now() + ms).toISOString()}-other-${number}.jsonl`,
        Buffer.from(`${line(number)}\n`),
      );
    put(365 * 86_400_000, 1);
    expect(await news()).toEqual([1]);
    put(-300_000, 2);
    put(0, 3);
    expect(await news()).toEqual([2, 3]);
    expect(await news()).toEqual([]);
    await place.close();
  });

  test('that cannot be read is told by the setting', async () => {
    store.refuse = () => ({ status: 403, code: 'AccessDenied' });
    await expect(inStore(store, '')).rejects.toThrow(
      'Keyway cannot start:\n  HERE names a bucket that cannot be read (AccessDenied)',
    );
  });
});

test('a database that cannot be reached is told by the setting, without what the address holds', async () => {
  await expect(CheckpointTable.open('HERE', 'postgres://ada:hunter2@127.0.0.1:1/orders')).rejects.toThrow(
    'Keyway cannot start:\n  HERE leads to a server that cannot be reached (ECONNREFUSED)',
  );
});

const server = process.env['TEST_DATABASE_URL'];
if (server !== undefined) {
  test('a table is where the address says, and takes no beginning that nobody has sealed', async () => {
    const place = await emptyPlace();
    const url = new URL(place.environment['DATABASE_URL'] ?? '');
    try {
      await onServer(url.href, 'CREATE SCHEMA "Our own"');
      const owner = url.href;
      url.searchParams.set('schema', 'Our own');
      const own = await CheckpointTable.open('HERE', url.href);
      await own.segments(seal);
      await own.append('2026-11', [line(1)]);
      for (const text of ['', 'begun 1', 'x'])
        await onServer(
          owner,
          `INSERT INTO "Our own".keyway_checkpoints (generation, month, line) VALUES (2, '', '${text}')`,
        );
      await onServer(
        owner,
        `INSERT INTO "Our own".keyway_checkpoints (generation, month, line) VALUES (3, '2026-12', 'x')`,
      );
      expect(await numbers(allLines(own, seal))).toEqual([1]);
      await own.close();
      url.searchParams.set('options', '-c search_path=elsewhere');
      await expect(CheckpointTable.open('HERE', url.href)).rejects.toThrow('its parameter options');
    } finally {
      await place.drop();
    }
  });

  test('a table needs no more than SELECT and INSERT, once it is made', async () => {
    const place = await emptyPlace();
    const url = new URL(place.environment['DATABASE_URL'] ?? '');
    const role = `keyway_role_${newId().slice(-8)}`;
    await onServer(server, `CREATE ROLE ${role} LOGIN PASSWORD 'hunter2'`);
    try {
      const [owner, name] = [url.href, url.pathname.slice(1)];
      url.username = role;
      url.password = 'hunter2';
      await onServer(owner, `REVOKE CREATE ON SCHEMA public FROM public`);
      await expect(CheckpointTable.open('HERE', url.href)).rejects.toThrow(
        'may make no table keyway_checkpoints',
      );
      await (await CheckpointTable.open('HERE', owner)).close();
      await onServer(owner, `GRANT SELECT, INSERT ON keyway_checkpoints TO ${role}`);
      const limited = await CheckpointTable.open('HERE', url.href);
      await limited.segments(seal);
      await limited.append('2026-10', [line(1)]);
      await limited.begin(parts([line(2)]), seal, nothing);
      const [segment] = await limited.segments(seal);
      await limited.remove(segment ?? fail());
      expect(await numbers(allLines(limited, seal))).toEqual([2]);
      expect(limited.name).toBe(
        `the table keyway_checkpoints of ${url.hostname}:${url.port || 5432}/${name}`,
      );
      await limited.close();
      await onServer(owner, `DROP OWNED BY ${role}`);
    } finally {
      await place.drop();
      await onServer(server, `DROP ROLE ${role}`);
    }
  });
}

function fail(): never {
  throw new Error('there is none');
}

async function freePort(): Promise<number> {
  const held = createServer();
  await new Promise<void>((resolve) => held.listen(0, '127.0.0.1', resolve));
  const { port } = held.address() as AddressInfo;
  await new Promise<void>((resolve) => held.close(() => resolve()));
  return port;
}
