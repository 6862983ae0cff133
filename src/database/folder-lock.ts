import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fdatasync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** That a folder is this process's alone. */
export interface FolderLock {
  /** @throws where the folder is no longer ours, because we stood still for so long that another took us for gone. */
  expectHeld(): void;
  /** Lets go, of what is ours alone. */
  release(): void;
}

/** What to do otherwise with how long it takes until a holder on another machine counts as gone. */
export interface LockTimes {
  /** How often the holder shows that it lives. */
  beatMs: number;
  /** After how long without a sign of life it counts as gone. */
  goneMs: number;
}

/** Another process has the folder. */
export class FolderTaken extends Error {}

const usual: LockTimes = { beatMs: 1_000, goneMs: 10_000 };

/**
 * Takes a folder for this process alone, whatever container or machine another one runs in. Each process that wants it
 * puts a file of its own there, and only then looks for others' files: so of two that come at once, one sees the other.
 *
 * A process is alive while its socket in the folder takes connections: the kernel ends that with the process, and knows
 * neither of containers nor of processes that only stand still. Where the holder ran on another kernel (another machine,
 * or this one before it was restarted), or came to the folder by another mount, where its socket is nobody's, its file says
 * whether it lives: a number in it grows while it does. It is watched by our own clock, since those of two machines
 * differ.
 * @param waiting is told where that takes time, and how long.
 * @throws FolderTaken where another process has it.
 */
export async function lockFolder(
  folder: string,
  waiting: (goneMs: number) => void = () => undefined,
  times: LockTimes = usual,
): Promise<FolderLock> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const own = await announce(folder);
  try {
    for (const id of others(folder, own.id)) await outlive(folder, id, own, waiting, times);
    // Whoever took us for gone meanwhile has the folder.
    if (read(own.path) === 'gone') throw taken();
    own.show('holds');
  } catch (error) {
    own.withdraw();
    throw error;
  }
  return hold(own, times);
}

/** What a process shows of itself: whether it still looks for others, or has the folder. */
type State = 'looks' | 'holds';

interface Shown {
  /** Where its socket can be connected to: as `whereabouts` tells. */
  kernel: string;
  /** Whether it has a socket, which not every file system can have. */
  socket: boolean;
  state: State;
  beat: string;
}

interface Own {
  id: string;
  path: string;
  kernel: string;
  show(state: State): void;
  withdraw(): void;
}

/** Puts our file there, after the socket that it tells of. */
async function announce(folder: string): Promise<Own> {
  const id = randomBytes(8).toString('hex');
  const path = join(folder, `lock.${id}`);
  const server = await listen(folder, id);
  const file = openSync(path, 'wx', 0o600);
  const kernel = whereabouts(folder);
  let beats = 0;
  const own = {
    id,
    path,
    kernel,
    // By the open file, so that one that was taken away does not come back; of one length, so that none is seen half.
    show: (state: State) => {
      const beat = (++beats).toString().padStart(12);
      const shown: Shown = { kernel, socket: server !== undefined, state, beat };
      writeSync(file, JSON.stringify(shown), 0);
      // A network file system would keep it to itself for a while.
      fdatasync(file, () => undefined);
    },
    withdraw: () => {
      server?.close();
      rmSync(path, { force: true });
      rmSync(`${path}.socket`, { force: true });
      closeSync(file);
    },
  };
  own.show('looks');
  return own;
}

function hold(own: Own, { beatMs, goneMs }: LockTimes): FolderLock {
  let last = clocks();
  let held = true;
  const beat = () => {
    held &&= read(own.path) !== 'gone';
    if (!held) return;
    own.show('holds');
    last = clocks();
  };
  // With nothing else to wait for, as while it starts, Node would stand still until its threads have nothing more to do
  // than making code faster: for tenths of a second.
  const timer = setInterval(beat, beatMs);
  const expectHeld = () => {
    // While we worked or stood still, nobody saw us live: whoever waited for that may have the folder by now.
    if (held && since(last) > Math.min(beatMs, goneMs / 4)) beat();
    if (!held) throw new FolderTaken('Another Keyway has taken this data folder over.');
  };
  return {
    expectHeld,
    release: () => {
      clearInterval(timer);
      own.withdraw();
    },
  };
}

/** The clock that nobody sets stands still while the machine does, and the other one does not. */
const clocks = () => ({ steady: performance.now(), set: Date.now() });
const since = (then: ReturnType<typeof clocks>) =>
  Math.max(performance.now() - then.steady, Date.now() - then.set);

const others = (folder: string, own: string): string[] =>
  readdirSync(folder)
    .flatMap((name) => /^lock\.([0-9a-f]{16})$/.exec(name)?.[1] ?? [])
    .filter((id) => id !== own)
    .sort();

/** Returns once another is gone, and clears away what it left. @throws FolderTaken where it lives, and comes before us. */
async function outlive(
  folder: string,
  id: string,
  own: Own,
  waiting: (goneMs: number) => void,
  { beatMs, goneMs }: LockTimes,
): Promise<void> {
  const path = join(folder, `lock.${id}`);
  let told = false;
  let seen = read(path);
  let last = performance.now();
  for (;;) {
    const now = read(path);
    if (now === 'gone') return;
    const isHere = now !== 'unreadable' && now.socket && now.kernel === own.kernel;
    if (isHere && !(await answers(folder, id))) return clear(path);
    const grew = now !== 'unreadable' && typeof seen === 'object' && now.beat !== seen.beat;
    // Of two that look for each other at once, the one whose name comes first stays.
    if ((isHere || grew) && (now.state === 'holds' || id < own.id)) throw taken();
    if (isHere || JSON.stringify(now) !== JSON.stringify(seen)) [seen, last] = [now, performance.now()];
    else if (performance.now() - last > goneMs) return clear(path);
    else if (!told) {
      told = true;
      waiting(goneMs);
    }
    own.show('looks');
    await sleep(Math.min(50, beatMs / 2));
  }
}

function clear(path: string): void {
  rmSync(path, { force: true });
  rmSync(`${path}.socket`, { force: true });
}

const taken = () =>
  new FolderTaken(
    'Another Keyway has this data folder open. Stop it first, or name another with KEYWAY_DATA_DIR.',
  );

function read(path: string): Shown | 'unreadable' | 'gone' {
  try {
    const shown: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isShown(shown) ? shown : 'unreadable';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'gone' : 'unreadable';
  }
}

function isShown(shown: unknown): shown is Shown {
  if (typeof shown !== 'object' || shown === null) return false;
  const { kernel, socket, state, beat } = shown as Readonly<Record<string, unknown>>;
  const isState = state === 'looks' || state === 'holds';
  return typeof kernel === 'string' && typeof socket === 'boolean' && isState && typeof beat === 'string';
}

/**
 * The same for all containers of a machine that have the same mount of a folder. Two mounts of one network file system, or
 * of one in user space, are two to the kernel: a socket that was made by one takes no connections by the other.
 */
const whereabouts = (folder: string): string => `${kernel()} ${statSync(folder, { bigint: true }).dev}`;

/** The same for all containers of a machine, until that is restarted; empty where the system does not tell. */
function kernel(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

/** A path for the socket that is short, as it must be, however long that of the folder is. */
function atSocket<Result>(
  folder: string,
  id: string,
  use: (path: string) => Promise<Result>,
): Promise<Result> {
  const directory = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  return use(`/proc/self/fd/${directory}/lock.${id}.socket`).finally(() => closeSync(directory));
}

/** Undefined where the file system, or the machine, has no such sockets. */
async function listen(folder: string, id: string): Promise<Server | undefined> {
  if (kernel() === '') return undefined;
  const server = createServer((caller) => caller.destroy());
  return atSocket(
    folder,
    id,
    (path) =>
      new Promise<Server | undefined>((resolve) => {
        server.once('error', () => resolve(undefined));
        server.listen({ path }, () => resolve(server.unref()));
      }),
  );
}

/** Whether the process lives: that it only stands still does not matter to whoever connects to its socket. */
const answers = (folder: string, id: string): Promise<boolean> =>
  atSocket(
    folder,
    id,
    (path) =>
      new Promise<boolean>((resolve) => {
        const socket = connect({ path });
        socket.once('connect', () => {
          socket.destroy();
          resolve(true);
        });
        // Whatever else is the matter with it, its process has not been seen to be gone.
        socket.once('error', ({ code }: NodeJS.ErrnoException) =>
          resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
        );
      }),
  );
