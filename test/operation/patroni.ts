import { execFile, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, makeFolder, signal, signalAll, spawnAsPostgres } from '../support/cluster.js';
import { onServer } from '../support/process.js';
import { openProxy } from '../support/proxy.js';
import { until } from './until.js';

/** One PostgreSQL with the Patroni that looks after it. */
export interface Node {
  readonly name: string;
  /** Where its PostgreSQL and its Patroni listen. */
  readonly port: number;
  readonly restPort: number;
  /** Ends both at once, without a word. */
  kill(): Promise<void>;
  /** Lets all their processes stand still. */
  pause(): void;
  /** Lets only Patroni stand still: PostgreSQL goes on, and knows nothing of it. */
  pausePatroni(): void;
  resume(): void;
  /** Ends its connections to etcd, and lets it make none. */
  cutOff(): void;
  reconnect(): void;
  /** Starts Patroni, which starts the rest. */
  start(): void;
}

/** Two of them under one etcd, as `deploy/patroni/patroni.yml` says. */
export interface Patroni {
  readonly nodes: readonly [Node, Node];
  /** The node that holds the lock and takes changes, once there is one that is not this. */
  primary(not?: Node): Promise<Node>;
  /** Resolves when one is the primary and the other follows it synchronously. */
  settled(): Promise<unknown>;
  other(node: Node): Node;
  switchOver(): Promise<void>;
  /** Changes a setting of all nodes, such as `synchronous_mode=false`: each follows within `loop_wait`. */
  set(setting: string): Promise<void>;
  /** The address of a database, as its superuser reaches it at a node. */
  urlAt(node: Node, database: string): string;
  drop(): Promise<void>;
}

/** Where the programs are, by Debian's packages. */
export const packages = {
  patroni: '/usr/bin/patroni',
  'etcd-server': '/usr/bin/etcd',
  haproxy: '/usr/sbin/haproxy',
} as const;

const passwords = ['SUPERUSER', 'REPLICATION', 'REWIND', 'RESTAPI'] as const;

/** @throws where they do not come up, with nothing left of them. */
export async function startPatroni(): Promise<Patroni> {
  const folder = makeFolder();
  const started: (() => Promise<void>)[] = [];
  const drop = async () => {
    for (const end of started.splice(0).reverse()) await end();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    return { ...(await startIn(folder, started)), drop };
  } catch (error) {
    await drop();
    throw error;
  }
}

/** @param started is given what ends each part, as soon as that is there. */
async function startIn(folder: string, started: (() => Promise<void>)[]): Promise<Omit<Patroni, 'drop'>> {
  const etcd = startEtcd(join(folder, 'etcd'), await freePort(), await freePort());
  started.push(etcd.stop);
  await etcd.up();
  const password = randomBytes(12).toString('hex');
  const environment = Object.fromEntries(passwords.map((name) => [`PATRONI_${name}_PASSWORD`, password]));
  const one = await makeNode('database-1', folder, etcd.url, environment);
  started.push(one.drop);
  const two = await makeNode('database-2', folder, etcd.url, environment);
  started.push(two.drop);
  const nodes = [one.node, two.node] as const;
  const urlAt = (node: Node, database: string) =>
    `postgres://postgres:${password}@127.0.0.1:${node.port}/${database}`;

  const isPrimary = async (node: Node) => {
    if ((await statusOf(node, '/primary')) !== 200) return false;
    const [told] = await onServer<{ standby: boolean }>(
      urlAt(node, 'postgres'),
      'SELECT pg_is_in_recovery() AS standby',
    ).catch(() => []);
    return told?.standby === false;
  };
  const primary = (not?: Node) =>
    until('there is a primary', async () => {
      for (const node of nodes) if (node !== not && (await isPrimary(node))) return node;
      return undefined;
    });
  const other = (node: Node) => (node === nodes[0] ? nodes[1] : nodes[0]);
  const settled = () =>
    until(
      'a standby follows synchronously',
      async () => (await statusOf(other(await primary()), '/synchronous')) === 200,
    );
  const control = (...args: string[]) =>
    promisify(execFile)('patronictl', ['-c', one.settings, ...args, '--force', 'keyway'], {
      env: { ...process.env, ...environment },
    });
  // One after the other: the second one is copied from the first.
  nodes[0].start();
  await primary();
  nodes[1].start();
  await settled();
  return {
    nodes,
    primary,
    settled,
    urlAt,
    other,
    switchOver: async () => {
      const leader = await primary();
      await control('switchover', '--leader', leader.name, '--candidate', other(leader).name);
    },
    set: async (setting) => void (await control('edit-config', '--set', setting)),
  };
}

async function makeNode(
  name: string,
  folder: string,
  etcd: string,
  environment: Readonly<Record<string, string>>,
): Promise<{ node: Node; settings: string; drop: () => Promise<void> }> {
  const [port, restPort] = [await freePort(), await freePort()];
  const way = await openProxy(etcd);
  const place = join(folder, name);
  const settings = join(folder, `${name}.yml`);
  writeFileSync(
    settings,
    settingsOf(name, place, { port, restPort, etcdPort: Number(new URL(way.url).port) }),
  );
  // Undefined where it was killed: what is left of its PostgreSQL then is a file with a number that others may have.
  let patroni: ChildProcess | undefined;
  let ended: Promise<unknown> | undefined;
  const start = () => {
    const log = { PATRONI_LOG_DIR: join(folder, `${name}.log`) };
    mkdirSync(log.PATRONI_LOG_DIR, { recursive: true });
    chmodSync(log.PATRONI_LOG_DIR, 0o777);
    patroni = spawnAsPostgres(packages.patroni, [settings], { ...environment, ...log });
    // From its start on: one that has ended by itself tells so no more.
    ended = once(patroni, 'close');
  };
  const send = (what: 'STOP' | 'CONT' | 'KILL') => {
    if (patroni?.pid === undefined) return;
    // The number of one that has ended may be another's by now.
    if (patroni.exitCode === null && patroni.signalCode === null) signalAll(patroni.pid, what);
    if (existsSync(join(place, 'postmaster.pid'))) signal(place, what);
  };
  const kill = async () => {
    send('KILL');
    await ended;
    patroni = undefined;
  };
  const node = {
    name,
    port,
    restPort,
    start,
    kill,
    pause: () => send('STOP'),
    pausePatroni: () => void patroni?.kill('SIGSTOP'),
    resume: () => send('CONT'),
    cutOff: () => way.leadTo('tcp://127.0.0.1:1'),
    reconnect: () => way.leadTo(etcd),
  };
  const drop = async () => {
    await kill();
    await way.stop();
  };
  return { node, settings, drop };
}

/** The file that is documented, with the places of this machine in it. */
function settingsOf(
  name: string,
  place: string,
  { port, restPort, etcdPort }: Readonly<Record<'port' | 'restPort' | 'etcdPort', number>>,
): string {
  const hosts = '10.0.0.21:2379,10.0.0.22:2379,10.0.0.23:2379';
  return filledIn('deploy/patroni/patroni.yml', {
    'name: database-1': `name: ${name}`,
    '10.0.0.11:8008': `127.0.0.1:${restPort}`,
    '10.0.0.11:5432': `127.0.0.1:${port}`,
    // What is advertised would lead past the proxy.
    [hosts]: `127.0.0.1:${etcdPort}\n  use_proxies: true`,
    '10.0.0.0/24': '127.0.0.1/32',
    '/var/lib/postgresql/15/keyway': place,
    '/var/lib/postgresql/patroni.pgpass': `${place}.pgpass`,
  });
}

/** A file of `deploy/`, with what it says of places replaced. @throws where it does not say that. */
export function filledIn(path: string, places: Readonly<Record<string, string>>): string {
  return Object.entries(places).reduce(
    (text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`${path} does not say ${from}`);
      return text.replaceAll(from, to);
    },
    readFileSync(path, 'utf8'),
  );
}

function startEtcd(
  folder: string,
  port: number,
  peerPort: number,
): { url: string; up: () => Promise<unknown>; stop: () => Promise<void> } {
  const [url, peers] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`];
  const child = spawnAsPostgres(packages['etcd-server'], [
    ...['--data-dir', folder, '--name', 'one', '--initial-cluster', `one=${peers}`],
    ...['--listen-client-urls', url, '--advertise-client-urls', url],
    ...['--listen-peer-urls', peers, '--initial-advertise-peer-urls', peers, '--enable-v2'],
  ]);
  const ended = once(child, 'close');
  const up = () =>
    until('etcd answers', async () => {
      if (child.exitCode !== null) throw new Error(`etcd has ended (${child.exitCode})`);
      return (await fetch(`${url}/health`).catch(() => undefined))?.ok;
    });
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return { url, up, stop };
}

const statusOf = async ({ restPort }: Node, path: string): Promise<number | undefined> =>
  (
    await fetch(`http://127.0.0.1:${restPort}${path}`, { signal: AbortSignal.timeout(2_000) }).catch(
      () => undefined,
    )
  )?.status;
