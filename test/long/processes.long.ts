import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeCluster, type Cluster } from '../support/cluster.js';
import { expectData, makeAccount, makeCredential } from '../support/make.js';
import { samplesIn, startCollector } from '../support/otlp-collector.js';
import {
  emptyPlace,
  onServer,
  runKeyway,
  spawnKeyway,
  urlOf,
  type Place,
  type Spawned,
} from '../support/process.js';
import { doorTo, type Door } from '../support/server.js';
import { run } from '../support/verbs.js';
import { verifyAll } from '../credentials/verification/verifying.js';
import { rowOf } from '../credentials/due/due.js';

// A Keyway of several processes, on a PostgreSQL of its own.

const count = 2;
let cluster: Cluster;
let place: Place;
let environment: Record<string, string>;
let keyway: Spawned;
let door: Door;
beforeAll(async () => {
  cluster = await makeCluster();
});
afterAll(() => cluster.drop());

beforeEach(async () => {
  const name = `keyway_${process.hrtime.bigint()}`;
  await onServer(cluster.url, `CREATE DATABASE ${name}`);
  place = await emptyPlace();
  environment = {
    ...place.environment,
    DATABASE_URL: Object.assign(new URL(cluster.url), { pathname: `/${name}` }).href,
    KEYWAY_PROCESSES: String(count),
    KEYWAY_METRICS_PORT: '0',
  };
  keyway = spawnKeyway(['serve'], environment);
  const url = await urlOf(keyway);
  door = doorTo(url, readFileSync(join(place.folder, 'admin-token'), 'utf8').trim());
});
afterEach(async () => {
  const serving = servers();
  keyway.child.kill('SIGKILL');
  await keyway.ended;
  // Those that it started see that it is gone.
  while (serving.some(isAlive)) await sleep(20);
  await place.drop();
});

const lines = () =>
  keyway
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const told = (text: string) => lines().filter(({ msg }) => msg === text);

/** The processes that serve, oldest first. */
function servers(): number[] {
  const ended = new Set(told('a process has ended, and is replaced').map((line) => line['process']));
  return told('a process serves')
    .map((line) => Number(line['process']))
    .filter((pid) => !ended.has(pid));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function allServe(): Promise<number[]> {
  while (servers().length < count) await sleep(20);
  return servers();
}

/** Who answered requests, by the log. */
const answering = () => new Set(told('request').map(({ pid }) => pid));

const viewer = async () => expectData(await door.ask('{ viewer { name } }')).viewer;

test('all serve at one address, and what one has done holds in the others', async () => {
  const all = await allServe();
  const lives = Array.from({ length: 60 }, async () => {
    const account = await makeAccount(door);
    const { id, accessKey, secret } = await makeCredential(door, account, { retrievable: true });
    const ask = async (mutation: string, input: Record<string, unknown> = {}) =>
      expectData(await run(door, mutation, { id, ...input }));
    const codes = async () =>
      (await verifyAll(door, [{ accessKey, proof: { secret } }])).map(({ code }) => code);
    expect(await codes()).toEqual(['VALID']);
    await ask('updateCredential', { description: 'told' });
    await ask('revokeCredential');
    expect(await codes()).not.toEqual(['VALID']);
  });
  await Promise.all(lives);
  while (answering().size < count) await sleep(20);
  expect([...answering()].sort()).toEqual([...all].sort());
  expect(await runKeyway(['audit', 'verify'], environment)).toMatchObject({
    code: 0,
    output: expect.stringContaining('The audit log is whole') as string,
  });
});

test('one that is killed is replaced, whichever it is, and what is done for all goes on', async () => {
  const rotationPolicy = { every: 'P30D', gracePeriod: 'PT0S' };
  for (let round = 0; round < count; round++) {
    const [first = 0] = await allServe();
    process.kill(first, 'SIGKILL');
    while (servers().includes(first)) await sleep(20);
    expect(await viewer()).toEqual({ name: 'admin' });
    // An account of its own: what one owner answers for turns apart.
    const { id } = await makeCredential(door, await makeAccount(door), { rotationPolicy, retrievable: true });
    await onServer(
      environment['DATABASE_URL'] ?? '',
      `UPDATE credentials SET rotation_due_at = now() - interval '1 second' WHERE id = '${rowOf(id)}'`,
    );
    const versions = async () => {
      const answer = await door.ask(
        'query ($id: ID!) { node(id: $id) { ... on Credential { versions { number } } } }',
        { id },
      );
      return expectData(answer).node.versions.length as number;
    };
    while ((await versions()) < 2) await sleep(100);
  }
  await allServe();
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  'R26: with %s what is under way is answered, and none is left',
  async (signal) => {
    const all = await allServe();
    const { port } = new URL(door.url);
    const body = JSON.stringify({ query: '{ viewer { name title } }' });
    const head = `POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${door.adminToken}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
    // Of requests in the middle of their body each process has some.
    const answers = Array.from({ length: 2 * count }, () => {
      const socket = connect(Number(port), '127.0.0.1');
      let answer = '';
      socket.on('data', (data: Buffer) => void (answer += String(data)));
      socket.write(head + body.slice(0, 10));
      return { socket, closed: new Promise<string>((resolve) => socket.on('close', () => resolve(answer))) };
    });
    await sleep(300);
    keyway.child.kill(signal);
    await sleep(300);
    for (const { socket } of answers) socket.write(body.slice(10));
    for (const { closed } of answers) expect(await closed).toMatch(/^HTTP\/1\.1 200 [^]*Administrator/);
    expect(await keyway.ended).toBe(0);
    expect(all.filter(isAlive)).toEqual([]);
    expect(told('Keyway has stopped')).toHaveLength(1);
  },
);

test('a signal to all of them at once, as a terminal sends it, ends it as well', async () => {
  const all = await allServe();
  for (const pid of [...all, keyway.child.pid ?? 0]) process.kill(pid, 'SIGINT');
  expect(await keyway.ended).toBe(0);
  expect(all.filter(isAlive)).toEqual([]);
});

test('one that is asked to end by itself finishes what it is at, and is replaced', async () => {
  const [first = 0] = await allServe();
  process.kill(first, 'SIGTERM');
  while (servers().includes(first)) await sleep(20);
  expect(told('a process has ended, and is replaced')).toMatchObject([{ process: first, code: 0 }]);
  await allServe();
  expect(await viewer()).toEqual({ name: 'admin' });
});

test('without the one that started them, they end', async () => {
  const all = await allServe();
  keyway.child.kill('SIGKILL');
  await keyway.ended;
  while (all.some(isAlive)) await sleep(20);
});

describe('metrics', () => {
  const address = () => String(told('metrics are served')[0]?.['metrics']);
  const ready = async () => {
    const answer = await fetch(new URL('/ready', address()));
    return [answer.status, await answer.json()] as const;
  };
  const allThere = [200, { status: 'up', missing: [], impaired: [] }];
  /** The sum of the series that begin so. */
  async function value(name: string): Promise<number> {
    const answer = await fetch(address());
    expect(answer.status).toBe(200);
    const found = [...(await answer.text()).matchAll(new RegExp(`^${name}.* (\\S+)$`, 'gm'))];
    return found.length === 0 ? NaN : found.reduce((sum, [, one]) => sum + Number(one), 0);
  }

  test('are those of all', async () => {
    await allServe();
    expect(await value('keyway_rotations_overdue')).toBe(0);
    expect(await value('keyway_database_connections_max')).toBe(count * 10);
    expect(await value('keyway_part_up\\{part="database"')).toBe(1);
    expect(await ready()).toEqual(allThere);
    // Each takes more than this by itself.
    expect(await value('process_resident_memory_bytes')).toBeGreaterThan(count * 60e6);
  });

  test('are sent by each of them, as what it is by itself', async () => {
    const collector = await startCollector();
    const other = spawnKeyway(['serve'], {
      ...environment,
      KEYWAY_OTEL_ENDPOINT: collector.url,
      KEYWAY_OTEL_SIGNALS: 'metrics',
      KEYWAY_OTEL_METRICS_SECONDS: '1',
    });
    try {
      const there = doorTo(await urlOf(other), door.adminToken);
      /** What each has sent last. */
      const latest = () =>
        new Map(collector.metrics.map((one) => [one.resource['service.instance.id'], samplesIn(one)]));
      const sum = (name: string) =>
        [...latest().values()]
          .flat()
          .filter((sample) => sample.name === name && (sample.labels['route'] ?? '/graphql') === '/graphql')
          .reduce((total, sample) => total + sample.value, 0);
      while (latest().size < count) await sleep(20);
      for (let times = 0; times < 20; times++) expectData(await there.ask('{ viewer { name } }'));
      const counted = 'keyway_request_duration_seconds_count';
      while (sum(counted) < 20) await sleep(20);
      expect([sum(counted), sum('keyway_database_connections_max')]).toEqual([20, count * 10]);
      expect(latest().size).toBe(count);
      other.child.kill('SIGINT');
      expect(await other.ended).toBe(0);
      expect(sum(counted)).toBe(20);
    } finally {
      other.child.kill('SIGKILL');
      await other.ended;
      await collector.stop();
    }
  });

  test('what the database does not tell is not 0', async () => {
    await allServe();
    cluster.pause();
    try {
      expect(await (await fetch(address())).text()).toMatch(/^keyway_rotations_overdue nan$/im);
      expect(await value('keyway_part_up\\{part="database"')).toBe(0);
    } finally {
      cluster.resume();
    }
  });

  test('of one that was killed, and of one that stands still, what was counted stays, and the others answer', async () => {
    const [first = 0] = await allServe();
    for (let times = 0; times < 20; times++) await viewer();
    const counted = 'keyway_request_duration_seconds_count\\{route="/graphql"';
    expect(await value(counted)).toBe(20);
    process.kill(first, 'SIGKILL');
    while (servers().includes(first)) await sleep(20);
    expect(await value(counted)).toBe(20);
    const [, second = 0] = await allServe();
    for (let times = 0; times < 20; times++) await viewer();
    expect(await value(counted)).toBe(40);
    expect(await value('keyway_database_connections_max')).toBe(count * 10);
    process.kill(second, 'SIGSTOP');
    try {
      expect(await value(counted)).toBe(40);
      expect(await value('keyway_database_connections_max')).toBe((count - 1) * 10);
      expect(await ready()).toEqual(allThere);
    } finally {
      process.kill(second, 'SIGCONT');
    }
    expect(await value('keyway_database_connections_max')).toBe(count * 10);
  });
});

test('what keeps the first from starting is told, with its exit code', async () => {
  const { port } = new URL(door.url);
  const { code, output } = await runKeyway(['serve'], { ...environment, PORT: port });
  expect([code, output]).toEqual([1, expect.stringContaining('another program listens there. Set PORT.')]);
  const url = Object.assign(new URL(environment['DATABASE_URL'] ?? ''), { pathname: '/nowhere' }).href;
  expect(await runKeyway(['serve'], { ...environment, DATABASE_URL: url })).toMatchObject({ code: 1 });
});

test("the command of such a process is nobody's to run", async () => {
  const { code, output } = await runKeyway(['serve-beside'], environment);
  expect([code, output]).toEqual([1, expect.stringContaining('This command is run by serve')]);
  expect((await runKeyway(['--help'])).output).not.toContain('serve-beside');
});
