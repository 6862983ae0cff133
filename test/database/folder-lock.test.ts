import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lockFolder } from '../../src/database/folder-lock.js';

let folder: string;
beforeEach(() => {
  // Longer than the path of a socket may be.
  folder = join(mkdtempSync(join(tmpdir(), 'keyway-lock-')), 'x'.repeat(120));
});
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  }
  rmSync(folder, { recursive: true, force: true });
});

const quick = { beatMs: 50, goneMs: 1_000 };
const lock = (waiting?: () => void) => lockFolder(folder, waiting, quick);
const left = () => readdirSync(folder).filter((name) => !name.endsWith('.socket'));
const taken = 'Another Keyway has this data folder open.';

/** A process that takes the folder and keeps it, as one of Keyway's own does, through what comes before it. */
async function holder(before: readonly string[] = []): Promise<ChildProcess> {
  const code = `import('./dist/src/database/folder-lock.js')
    .then(({ lockFolder }) => lockFolder(process.argv[1]))
    .then((lock) => { setInterval(() => lock.expectHeld(), 20); console.log('holds'); },
      () => { console.log('refused'); process.exit(3); });`;
  const [command = '', ...args] = [...before, process.execPath, '-e', code, folder];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}
const word = async (child: ChildProcess) =>
  String(((await once(child.stdout ?? child, 'data')) as [Buffer])[0]).trim();

test('one alone has a folder, and leaves nothing behind', async () => {
  const first = await lock();
  expect(left().map((name) => (statSync(join(folder, name)).mode & 0o777).toString(8))).toEqual(['600']);
  await expect(lock()).rejects.toThrow(taken);
  first.expectHeld();
  expect(left()).toHaveLength(1);
  first.release();
  expect(readdirSync(folder)).toEqual([]);
  (await lock()).release();
});

test('of many that come at once, one has it', async () => {
  const all = await Promise.allSettled(Array.from({ length: 10 }, () => lock()));
  const held = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  expect(held).toHaveLength(1);
  held[0]?.expectHeld();
  expect(left()).toHaveLength(1);
  held[0]?.release();
});

test('of many processes that come at once, one has it', async () => {
  const words = await Promise.all(Array.from({ length: 4 }, async () => word(await holder())));
  expect(words.filter((one) => one === 'holds')).toHaveLength(1);
});

test('after a killed process it is there for the next at once', async () => {
  const child = await holder();
  expect(await word(child)).toBe('holds');
  await expect(lock()).rejects.toThrow(taken);
  child.kill('SIGKILL');
  await once(child, 'close');
  const waited: boolean[] = [];
  const own = await lock(() => void waited.push(true));
  expect(waited).toEqual([]);
  expect(left()).toHaveLength(1);
  own.release();
});

test('a process that stands still has it all the same', async () => {
  const child = await holder();
  expect(await word(child)).toBe('holds');
  child.kill('SIGSTOP');
  await sleep(quick.goneMs * 2);
  await expect(lock()).rejects.toThrow(taken);
  child.kill('SIGCONT');
  expect(left()).toHaveLength(1);
});

// Where the machine lets nobody make name spaces, there is nothing to be shown.
const apart = ['unshare', '--pid', '--net', '--mount-proc', '--fork', '--kill-child'];
if (spawnSync(apart[0] ?? '', [...apart.slice(1), 'true']).status === 0) {
  test('a process of another container, with numbers and a network of its own, has it too', async () => {
    const child = await holder(apart);
    expect(await word(child)).toBe('holds');
    await expect(lock()).rejects.toThrow(taken);
    expect(await word(await holder(apart))).toBe('refused');
  });
}

// Two mounts of one folder, as two containers have them of a network file system: an overlay is another one here.
const mounted = (at: string) => [
  ...['unshare', '--mount', 'sh', '-c'],
  'mkdir -p "$1" "$1.below" "$1.work" && o="lowerdir=$1.below,upperdir=$1,workdir=$1.work" && mount -t overlay overlay -o "$o" "$1" && shift && exec "$@"',
  ...['sh', at],
];
const isMounted = () => {
  const place = mkdtempSync(join(tmpdir(), 'keyway-mount-'));
  const [command = '', ...args] = [...mounted(join(place, 'folder')), 'true'];
  const { status } = spawnSync(command, args);
  rmSync(place, { recursive: true, force: true });
  return status === 0;
};
if (isMounted()) {
  test('a process that came to it by another mount has it too: its socket is nobody’s there', async () => {
    const child = await holder(mounted(folder));
    expect(await word(child)).toBe('holds');
    await expect(lock()).rejects.toThrow(taken);
    expect(left()).toHaveLength(1);
  });
}

describe('on another machine', () => {
  const elsewhere = (beat: number, state = 'holds') =>
    writeFileSync(
      join(folder, 'lock.0123456789abcdef'),
      JSON.stringify({ kernel: 'another', socket: true, state, beat: String(beat).padStart(12) }),
    );
  beforeEach(async () => {
    (await lock()).release();
  });

  test('a process that shows that it lives has it', async () => {
    let beat = 0;
    elsewhere(beat);
    const living = setInterval(() => elsewhere(++beat), 100);
    try {
      await expect(lock()).rejects.toThrow(taken);
    } finally {
      clearInterval(living);
    }
    expect(left()).toEqual(['lock.0123456789abcdef']);
  });

  test.each(['holds', 'looks'])('one that shows nothing for so long is gone: it %s', async (state) => {
    elsewhere(7, state);
    const waited: number[] = [];
    const began = performance.now();
    const own = await lockFolder(folder, (goneMs) => void waited.push(goneMs), quick);
    expect(performance.now() - began).toBeGreaterThanOrEqual(quick.goneMs);
    expect(waited).toEqual([quick.goneMs]);
    expect(left()).toHaveLength(1);
    own.release();
  });

  test.each(['', '{"kernel":', 'null', '[]', '{"socket":true}'])(
    'a file that is none of ours, or ended while it was written, is waited for and cleared away: %j',
    async (text) => {
      writeFileSync(join(folder, 'lock.0123456789abcdef'), text);
      const own = await lock();
      expect(left()).toHaveLength(1);
      own.release();
    },
  );

  test('whoever was taken for gone finds that it has lost the folder, and leaves the other its own', async () => {
    const own = await lock();
    const [mine = ''] = left();
    rmSync(join(folder, mine));
    elsewhere(1);
    await sleep(quick.beatMs * 3);
    expect(() => own.expectHeld()).toThrow('Another Keyway has taken this data folder over.');
    own.release();
    expect(left()).toEqual(['lock.0123456789abcdef']);
  });
});
