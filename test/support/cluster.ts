import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';

/** A PostgreSQL server of a test's own, which the test may stop, kill and turn into another's standby. */
export interface Cluster {
  readonly url: string;
  readonly port: number;
  /** Where it keeps its files, the log among them. */
  readonly folder: string;
  /** Stops it and starts it again: `fast` ends its sessions, `immediate` is a crash that it recovers from. */
  restart(mode: 'fast' | 'immediate'): Promise<void>;
  stop(mode: 'fast' | 'immediate'): Promise<void>;
  /** Starts one that was stopped. */
  start(): Promise<void>;
  /** Lets all its processes stand still: connections are taken by the system, and nothing is answered. */
  pause(): void;
  resume(): void;
  /** Another server that follows this one, and is read-only until it is promoted. */
  standby(): Promise<Cluster>;
  /** Ends following: it takes writes. */
  promote(): Promise<void>;
  /** Ends it, and removes its folder. */
  drop(): Promise<void>;
}

/**
 * Makes one.
 * @param more settings of the server, such as `log_statement=all`
 * @param bin the folder of its programs, where it is to be of another version than this machine has.
 * @throws where this machine has no PostgreSQL server (Debian: the package postgresql).
 */
export async function makeCluster(more: readonly string[] = [], bin = programs()): Promise<Cluster> {
  const folder = makeFolder();
  await run(bin, 'initdb', ['-D', folder, '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--no-sync']);
  return startCluster(bin, folder, more);
}

async function startCluster(bin: string, folder: string, more: readonly string[] = []): Promise<Cluster> {
  const port = await freePort();
  const usual = [`port=${port}`, 'listen_addresses=127.0.0.1', 'fsync=off', 'max_wal_senders=4'];
  const settings = [`-k ${folder}`, ...[...usual, ...more].map((one) => `-c ${one}`)].join(' ');
  const control = (...args: string[]) => run(bin, 'pg_ctl', ['-D', folder, '-s', '-w', ...args]);
  const start = () => control('-l', join(folder, 'log'), '-o', settings, 'start');
  await start();
  return {
    port,
    folder,
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    restart: async (mode) => {
      await control('-m', mode, 'stop');
      await start();
    },
    start,
    stop: (mode) => control('-m', mode, 'stop'),
    pause: () => signal(folder, 'STOP'),
    resume: () => signal(folder, 'CONT'),
    standby: async () => {
      const other = makeFolder();
      const from = ['-h', '127.0.0.1', '-p', `${port}`, '-U', 'postgres', '--checkpoint=fast'];
      await run(bin, 'pg_basebackup', [...from, '-D', other, '-R', '--no-sync']);
      return startCluster(bin, other);
    },
    promote: () => control('promote'),
    drop: async () => {
      if (existsSync(join(folder, 'postmaster.pid'))) await control('-m', 'immediate', 'stop');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Sends a signal to a server whose folder this is, and to all that it has started. */
export function signal(folder: string, name: 'STOP' | 'CONT' | 'KILL'): void {
  const [pid = ''] = readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n');
  signalAll(Number(pid), name);
}

/** Sends a signal to a process and to all that it has started: first to the one that starts others. */
export function signalAll(pid: number, name: 'STOP' | 'CONT' | 'KILL'): void {
  const started = spawnSync('pgrep', ['-P', `${pid}`], { encoding: 'utf8' })
    .stdout.split('\n')
    .slice(0, -1);
  for (const one of [pid, ...started.map(Number)])
    try {
      process.kill(one, `SIG${name}`);
    } catch (error) {
      // It has ended meanwhile.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
}

/** PostgreSQL refuses to run as root: then it runs as the user that its package made. */
const asRoot = process.getuid?.() === 0;

async function run(bin: string, program: string, args: readonly string[]): Promise<void> {
  const [code] = (await once(spawnAsPostgres(join(bin, program), args), 'close')) as [number | null];
  if (code !== 0) throw new Error(`${program} failed (${code})`);
}

/** Runs a program that refuses to run as root. @param environment beside that of this process. */
export function spawnAsPostgres(
  path: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): ChildProcess {
  const [command, all] = asRoot
    ? ['setpriv', ['--reuid=postgres', '--regid=postgres', '--clear-groups', path, ...args]]
    : [path, [...args]];
  // A server would keep an inherited pipe open: what it prints goes to its log.
  return spawn(command, all, { stdio: 'ignore', env: { ...process.env, ...environment } });
}

/** Where the programs of a PostgreSQL server are; undefined on a machine that has none. */
export function findPrograms(): string | undefined {
  const asked = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' });
  if (asked.status === 0 && existsSync(join(asked.stdout.trim(), 'initdb'))) return asked.stdout.trim();
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian)
    ? readdirSync(debian).sort((one, other) => Number(other) - Number(one))
    : [];
  return versions
    .map((version) => join(debian, version, 'bin'))
    .find((bin) => existsSync(join(bin, 'initdb')));
}

function programs(): string {
  const found = findPrograms();
  if (!found)
    throw new Error('these tests need the programs of a PostgreSQL server (Debian: apt install postgresql)');
  return found;
}

/** A folder that such a program may write to. */
export function makeFolder(): string {
  const folder = mkdtempSync('/tmp/keyway-cluster-');
  if (asRoot) execFileSync('chown', ['postgres:postgres', folder]);
  return folder;
}

/** A port that nobody listens on just now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
