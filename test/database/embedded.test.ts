/**
 * @slow 20 s
 * @embedded the embedded database itself
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { openEmbedded } from '../../src/database/embedded.js';
import { barePlace, readyPlace, type Place } from '../support/process.js';

let place: Place;
let folder: string;
beforeEach(async () => {
  place = await readyPlace();
  ({ folder } = place);
});
afterEach(() => place.drop());

test('one process alone may have a folder, until it lets go', async () => {
  const pool = new (await openEmbedded(folder)).Pool();
  await expect(openEmbedded(folder)).rejects.toThrow('Another Keyway has this data folder open.');
  await pool.query('CREATE TABLE kept (id integer)');
  await pool.end();
  const again = new (await openEmbedded(folder)).Pool();
  expect((await again.query('SELECT * FROM kept')).rows).toEqual([]);
  await again.end();
});

test('nothing is written any more once another has taken the folder over', async () => {
  const pool = new (await openEmbedded(folder)).Pool();
  const lost = once(pool, 'error');
  await pool.query('CREATE TABLE before (id integer)');
  takeAway(folder);
  const files = () => fingerprint(join(folder, 'postgres'));
  const before = files();
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  await expect(pool.query('CREATE TABLE after (id integer)')).rejects.toMatchObject({ code: '57P01' });
  await lost;
  await pool.end();
  expect(files()).toEqual(before);
});

describe('a folder without a database', () => {
  const image = 'dist/embedded/postgres';
  const identifier = 'SELECT system_identifier FROM pg_control_system()';
  let bare: Place;
  beforeEach(async () => void (bare = await barePlace()));
  afterEach(() => bare.drop());

  async function answered(from: string | undefined, text = identifier): Promise<unknown> {
    const pool = new (await openEmbedded(bare.folder, from)).Pool();
    const { rows } = await pool.query(text);
    await pool.end();
    return rows;
  }

  test('begins with a copy of the one that was prepared, which stays as it is', async () => {
    const before = fingerprint(image);
    const first = await answered(image);
    rmSync(join(bare.folder, 'postgres'), { recursive: true });
    expect(await answered(image)).toEqual(first);
    expect(fingerprint(image)).toEqual(before);
  });

  test('keeps what it has from then on', async () => {
    await answered(image, 'CREATE TABLE kept (id integer)');
    expect(await answered(image, 'SELECT * FROM kept')).toEqual([]);
  });

  test('is not taken for one where a copy was left half done', async () => {
    mkdirSync(join(bare.folder, 'postgres.part', 'base'), { recursive: true });
    writeFileSync(join(bare.folder, 'postgres.part', 'PG_VERSION'), '9');
    expect(await answered(image)).toHaveLength(1);
    expect(readdirSync(bare.folder)).not.toContain('postgres.part');
  });

  test('is its own to write to, whatever the modes of what was installed', async () => {
    const installed = join(bare.folder, 'installed');
    cpSync(image, installed, { recursive: true });
    const all = readdirSync(installed, { recursive: true, encoding: 'utf8' }).map((name) =>
      join(installed, name),
    );
    for (const path of [...all, installed]) chmodSync(path, 0o555);
    await answered(installed);
    const place = join(bare.folder, 'postgres');
    const modes = ['.', 'base', 'PG_VERSION'].map((name) => statSync(join(place, name)).mode & 0o777);
    expect(modes).toEqual([0o700, 0o700, 0o600]);
  });

  test('gets one of its own where the prepared one cannot be copied', async () => {
    const broken = join(bare.folder, 'broken');
    writeFileSync(broken, 'no folder');
    expect(await answered(broken)).toHaveLength(1);
  });

  test('gets one of its own where none was prepared', async () => {
    expect(await answered(join(bare.folder, 'none'))).toHaveLength(1);
  });
});

/** What another does that took the holder for gone. */
function takeAway(folder: string): void {
  for (const name of readdirSync(folder)) if (name.startsWith('lock.')) rmSync(join(folder, name));
}

const fingerprint = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return `${path} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`;
    })
    .sort();

describe('the one connection', () => {
  test('is handed to one at a time, in order', async () => {
    const pool = new (await openEmbedded(folder)).Pool();
    const order: string[] = [];
    const first = await pool.connect();
    const waiting = ['second', 'third'].map(async (name) => {
      const client = await pool.connect();
      order.push(name);
      client.release();
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(order).toEqual([]);
    first.release();
    first.release();
    await Promise.all(waiting);
    expect(order).toEqual(['second', 'third']);
    await pool.end();
  });

  test('R19: is not lost where a wait ends in the moment of the handing over', async () => {
    const pool = new (await openEmbedded(undefined)).Pool();
    const holder = await pool.connect();
    // Timers of one length end in the order in which they began: the connection is let go, then the wait is over.
    setTimeout(holder.release, 10_000);
    const handedOver = pool.connect().then((client) => client.release());
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const last = pool.query('SELECT 1');
    await handedOver;
    expect((await last).rowCount).toBe(1);
    expect((await pool.query('SELECT 1')).rowCount).toBe(1);
    await pool.end();
  });

  test('keeps timestamps as text, microseconds and all, in memory too', async () => {
    const pool = new (await openEmbedded(undefined)).Pool();
    const { rows } = await pool.query('SELECT CAST($1 AS timestamptz) AS at', [
      '2026-01-02T03:04:05.678901Z',
    ]);
    expect(rows[0]?.['at']).toContain('05.678901');
    await pool.end();
  });

  test('is refused after the end', async () => {
    const pool = new (await openEmbedded(folder)).Pool();
    await pool.end();
    await pool.end();
    await expect(pool.query('SELECT 1')).rejects.toThrow('closed');
  });
});
