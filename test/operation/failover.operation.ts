import { jest } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { askWhether, codeOf } from '../credentials/verification/verifying.js';
import { freePort } from '../support/cluster.js';
import { expectData, makeCredential } from '../support/make.js';
import { openPooler, type Pooler } from '../support/pooler.js';
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
import { sendClients, type Clients } from './clients.js';
import { startHaproxy, type Haproxy } from './haproxy.js';
import { startPatroni, type Node, type Patroni } from './patroni.js';
import { until } from './until.js';

// Two Keyways behind HAProxy, on a PostgreSQL that Patroni keeps, as deploy/patroni/ says: its primary is lost in each way.

/** How often each fault is done; `ROUNDS` says otherwise. */
const rounds = Number(process.env['ROUNDS'] ?? 2);
const soonMs = 30_000;
// A machine that is busy with other things is given time: what has to be soon is measured.
jest.setTimeout(180_000 + rounds * 120_000);

let patroni: Patroni;
beforeAll(async () => {
  patroni = await startPatroni();
});
// Where it has not come up there is none.
afterAll(() => (patroni as Patroni | undefined)?.drop());

describe.each(['HAProxy', 'PgBouncer and HAProxy'] as const)('R14: R28: by way of %s', (way) => {
  const database = way === 'HAProxy' ? 'keyway' : 'keyway_pooled';
  let pooler: Pooler | undefined;
  let haproxy: Haproxy;
  let place: Place;
  let environment: Record<string, string>;
  let ports: readonly [number, number];
  let keyways: Spawned[] = [];
  let door: Door;
  let account: string;

  beforeAll(async () => {
    const atPrimary = patroni.urlAt(await patroni.primary(), 'postgres');
    await onServer(atPrimary, `CREATE ROLE ${database} LOGIN PASSWORD '${database}'`);
    await onServer(atPrimary, `CREATE DATABASE ${database} OWNER ${database}`);
    ports = [await freePort(), await freePort()];
    haproxy = await startHaproxy(patroni.nodes, ports);
    const url = `postgres://${database}:${database}@${haproxy.database}/${database}`;
    pooler = way === 'HAProxy' ? undefined : await openPooler(url, 'transaction');
    place = await emptyPlace();
    environment = {
      ...place.environment,
      DATABASE_URL: pooler?.urlOf(url) ?? url,
      KEYWAY_REQUESTS_PER_CALLER: '1000',
      KEYWAY_LIMITS: 'requests=2000',
    };
    await migrate();
    door = doorTo(haproxy.url, readFileSync(join(place.folder, 'admin-token'), 'utf8').trim());
    await serve();
    account = expectData(await door.ask('{ viewer { id } }')).viewer.id;
  });
  afterAll(async () => {
    await stop();
    await pooler?.drop();
    await haproxy.stop();
    await place.drop();
  });

  /** As soon as HAProxy has found the primary. */
  const migrate = () =>
    until('the tables are made', async () => (await runKeyway(['migrate'], environment)).code === 0);

  async function serve(): Promise<void> {
    keyways = ports.map((port) => spawnKeyway(['serve'], { ...environment, PORT: `${port}` }));
    await Promise.all(keyways.map(urlOf));
    const asked = () => door.ask('{ viewer { id } }').catch(() => undefined);
    await until('clients are answered', async () => (await asked())?.status === 200);
  }

  async function stop(): Promise<void> {
    for (const { child } of keyways) child.kill('SIGKILL');
    await Promise.all(keyways.map(({ ended }) => ended));
  }

  /** What a Keyway says to an administrator once it is not ready for good. */
  const whyNotReady = (port: number) =>
    until('a Keyway is not ready', async () => {
      const headers = { authorization: `Bearer ${door.adminToken}` };
      const answer = await fetch(`http://127.0.0.1:${port}/ready`, { headers });
      const { reason } = (await answer.json()) as { reason?: string };
      return answer.status === 503 ? reason : undefined;
    });

  /**
   * Has the primary lost under load, and another one take over; `back` brings back what was lost.
   * @param replaced resolves when there is a primary again.
   */
  async function lose(
    fault: (primary: Node) => unknown,
    back: (lost: Node) => unknown,
    replaced: (lost: Node) => Promise<unknown> = (lost) => patroni.primary(lost),
  ): Promise<void> {
    const clients = sendClients(door, account, 6);
    try {
      for (let round = 0; round < rounds; round++) {
        await patroni.settled();
        await clients.untilServed();
        const lost = await patroni.primary();
        await fault(lost);
        await replaced(lost);
        const from = performance.now();
        await clients.untilServed();
        expect(performance.now() - from).toBeLessThan(soonMs);
        await back(lost);
        await clients.untilServed();
      }
      await patroni.settled();
      await clients.end();
      await expectKept(clients);
    } finally {
      clients.abandon();
    }
  }

  /** What was acknowledged is on record, once, and nothing else is. */
  async function expectKept({ prefix, known, wrong }: Clients): Promise<void> {
    expect(wrong).toEqual([]);
    expect(keyways.map(({ child }) => child.exitCode)).toEqual([null, null]);
    for (const { output } of keyways) {
      expect(output()).not.toContain('a request failed inside');
      expect(output()).not.toContain('nobody cared');
    }
    const rows = await onServer(
      patroni.urlAt(await patroni.primary(), database),
      `SELECT name, revoked_at IS NOT NULL AS "isRevoked",
         (SELECT count(*)::integer FROM credential_versions v WHERE v.credential_id = c.id) AS versions
       FROM credentials c WHERE name LIKE '${prefix}-%' ORDER BY name COLLATE "C"`,
    );
    const told = known.map(({ name, secrets, isRevoked }) => ({ name, isRevoked, versions: secrets.length }));
    expect(rows).toEqual(told.sort((one, other) => (one.name < other.name ? -1 : 1)));
    expect(known.length).toBeGreaterThan(rounds * 10);
    expect(await runKeyway(['audit', 'verify'], environment)).toMatchObject({ code: 0 });
  }

  test('the primary is killed', () =>
    lose(
      (primary) => primary.kill(),
      (lost) => lost.start(),
    ));

  test('the primary stands still, and goes on when it has been replaced', () =>
    lose(
      (primary) => primary.pause(),
      (lost) => lost.resume(),
    ));

  test('only the Patroni of the primary stands still', () =>
    lose(
      (primary) => primary.pausePatroni(),
      (lost) => lost.resume(),
    ));

  test('the primary is cut off from etcd', () =>
    lose(
      (primary) => primary.cutOff(),
      (lost) => lost.reconnect(),
    ));

  test('the standby stands still, and changes go on without it', () =>
    lose(
      (primary) => patroni.other(primary).pause(),
      (primary) => patroni.other(primary).resume(),
      () => Promise.resolve(),
    ));

  test('another one is made the primary by hand', () =>
    lose(
      () => patroni.switchOver(),
      () => undefined,
    ));

  test('R36: what a standby that is not synchronous had not received is found, and no revoked key works again', async () => {
    await patroni.settled();
    await patroni.set('synchronous_mode=false');
    const lost = await patroni.primary();
    const next = patroni.other(lost);
    const atLost = (statement: string) => onServer(patroni.urlAt(lost, 'postgres'), statement);
    const { id, accessKey, secret } = await makeCredential(door, account);
    const code = () => codeOf(door, { accessKey, proof: { secret } });
    expect(await code()).toBe('VALID');
    const isThere = `SELECT FROM pg_stat_replication WHERE sync_state = 'async' AND replay_lsn = pg_current_wal_lsn()`;
    await until('the standby has all', async () => (await atLost(isThere)).length > 0);
    // What is in the memory of the system would still reach it.
    next.pause();
    await atLost('SELECT pg_terminate_backend(pid) FROM pg_stat_replication');
    expectData(await run(door, 'revokeCredential', { id }));
    await lost.kill();
    next.resume();
    await patroni.primary(lost);
    for (const port of ports) expect(await whyNotReady(port)).toContain('checkpoints');
    expect(
      (await askWhether(door, { accessKey, proof: { secret } }).catch(() => undefined))?.data,
    ).toBeFalsy();
    await stop();
    expect(await runKeyway(['restore', 'accept'], environment)).toMatchObject({ code: 0 });
    await serve();
    expect(await code()).toBe('REVOKED');
    lost.start();
    await patroni.set('synchronous_mode=true');
    await patroni.settled();
  });
});
