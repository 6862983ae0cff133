import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/** A Keyway in a process of its own. */
export interface Spawned {
  child: ChildProcess;
  /** What it has printed so far, both streams together. */
  output: () => string;
  /** Resolves with its exit code. */
  ended: Promise<number | null>;
}

/**
 * Runs `keyway` with these arguments; end what serves by `child.kill()`.
 * @param preload a module that it imports before anything else.
 * @param node the program of another version of Node.
 * @param program that of another version of Keyway.
 */
export function spawnKeyway(
  args: readonly string[],
  environment: Record<string, string>,
  {
    preload,
    node = process.execPath,
    program = 'bin/keyway.js',
  }: { preload?: string | undefined; node?: string | undefined; program?: string | undefined } = {},
): Spawned {
  const child = spawn(node, [...(preload === undefined ? [] : ['--import', preload]), program, ...args], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => void (output += String(data)));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, output: () => output, ended };
}

/** Runs a command to its end. */
export async function runKeyway(
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<{ code: number | null; output: string }> {
  const { ended, output } = spawnKeyway(args, environment);
  const code = await ended;
  return { code, output: output() };
}

/** Where a serving process listens, once it says so. @throws with its output where it ends before. */
export async function urlOf({ child, output }: Spawned): Promise<string> {
  for (let waited = 0; waited < 40_000; waited += 50) {
    const url = /"url":"(http:[^"]+)"/.exec(output())?.[1];
    if (url !== undefined) return url;
    if (child.exitCode !== null) break;
    await sleep(50);
  }
  throw new Error(`Keyway did not start:\n${output()}`);
}

/** Where a Keyway keeps what it knows: a folder, and a database where the tests run on PostgreSQL. */
export interface Place {
  folder: string;
  environment: Record<string, string>;
  /** Keeps the state of the database, which nobody uses meanwhile. Returns what puts it back. */
  keepState(): Promise<() => Promise<void>>;
  drop(): Promise<void>;
}

/** A place for a first start: of the embedded database, there is the cluster, which takes seconds to make. */
export async function emptyPlace(): Promise<Place> {
  const place = await makePlace(mkdtempSync(join(tmpdir(), 'keyway-empty-')));
  copyFolder(join(templates(), 'cluster'), place.folder);
  return place;
}

/** A place that has not even a cluster. */
export const barePlace = (): Promise<Place> => makePlace(mkdtempSync(join(tmpdir(), 'keyway-bare-')));

/** A place where Keyway has started before: a copy of the one that was made for the whole run. */
export async function readyPlace(): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'keyway-ready-'));
  copyFolder(join(templates(), 'template'), folder);
  return makePlace(folder, process.env['KEYWAY_TEST_DATABASE']);
}

function templates(): string {
  const folder = process.env['KEYWAY_TEST_TEMPLATE'];
  if (!folder) throw new Error('the tests need their global setup');
  return folder;
}

/** Takes half the time of `cpSync`, which asks of each file thrice what it is. */
function copyFolder(from: string, to: string): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (!entry.isDirectory()) copyFileSync(source, target);
    else {
      mkdirSync(target, { mode: 0o700 });
      copyFolder(source, target);
    }
  }
}

async function makePlace(folder: string, template = 'template1'): Promise<Place> {
  const server = process.env['TEST_DATABASE_URL'];
  const name = `keyway_test_${process.pid}_${randomBytes(4).toString('hex')}`;
  if (server) await onServer(server, `CREATE DATABASE ${name} TEMPLATE ${template}`);
  return {
    folder,
    environment: {
      KEYWAY_DATA_DIR: folder,
      PORT: '0',
      HOST: '127.0.0.1',
      KEYWAY_STOP_DELAY_SECONDS: '0',
      ...(server && { DATABASE_URL: databaseUrl(server, name) }),
    },
    keepState: async () => {
      const [here, kept] = [join(folder, 'postgres'), join(folder, `kept-${randomBytes(4).toString('hex')}`)];
      if (!server) {
        mkdirSync(kept);
        copyFolder(here, kept);
        return async () => {
          rmSync(here, { recursive: true });
          mkdirSync(here, { mode: 0o700 });
          copyFolder(kept, here);
        };
      }
      await onServer(server, `CREATE DATABASE ${name}_kept TEMPLATE ${name}`);
      return async () => {
        await onServer(server, `DROP DATABASE ${name} WITH (FORCE)`);
        await onServer(server, `CREATE DATABASE ${name} TEMPLATE ${name}_kept`);
      };
    },
    drop: async () => {
      if (server) await onServer(server, `DROP DATABASE IF EXISTS ${name}_kept WITH (FORCE)`);
      if (server) await onServer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** By way of `TEST_DATABASE_POOLER`, a host and port, where the tests are to go through a pooler. */
function databaseUrl(server: string, name: string): string {
  const url = Object.assign(new URL(server), { pathname: `/${name}` });
  const pooler = process.env['TEST_DATABASE_POOLER'];
  return (pooler === undefined ? url : Object.assign(url, { host: pooler })).href;
}

/** Runs a statement on a PostgreSQL server, outside of Keyway. */
export async function onServer<Row extends object>(url: string, statement: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(statement)).rows;
  } finally {
    await client.end();
  }
}
