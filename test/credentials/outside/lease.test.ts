/**
 * @slow 25 s
 */
import { jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Upstream } from '../../../src/connectors/connector.js';
import { leased, leaseFrom, LeaseLost, leaseMs } from '../../../src/credentials/outside/lease.js';
import type { Sql } from '../../../src/database/database.js';
import { expectData, makeAccount } from '../../support/make.js';
import { spawnKeyway, urlOf } from '../../support/process.js';
import { doorTo, startTestServer, type TestServer } from '../../support/server.js';
import { Trial, type Step } from './trial.js';
import { ncloud } from './vendors.js';

const onPostgres = Boolean(process.env['TEST_DATABASE_URL']);

describe('a store, as far as a lease goes', () => {
  const called = { status: 200, headers: {}, json: undefined };
  const held = (left: number, renewed: object[]) => {
    const lease = leaseFrom('an id', 3, performance.now() - leaseMs + left);
    const rows = jest.fn(() => Promise.resolve(renewed));
    const call = jest.fn(() => Promise.resolve(called));
    const upstream = leased({ rows } as unknown as Sql, { call } as unknown as Upstream, lease);
    return { lease, rows, call, ask: () => upstream.call({ method: 'GET', path: [] }) };
  };

  test('is called without asking anybody while the lease lasts longer than a call', async () => {
    const { rows, call, ask } = held(leaseMs, []);
    await expect(ask()).resolves.toBe(called);
    expect([rows.mock.calls.length, call.mock.calls.length]).toEqual([0, 1]);
  });

  test('R12: is called once the lease was renewed, where a call and the wait for its place could outlast it', async () => {
    const { lease, rows, ask } = held(8_000, [{ id: 'an id' }]);
    const { heldUntilMs } = lease;
    await ask();
    await ask();
    expect(rows.mock.calls).toEqual([[expect.anything(), { id: 'an id', fence: 3, leaseMs }]]);
    expect(lease.heldUntilMs).toBeGreaterThan(heldUntilMs);
  });

  test('is not called where the lease is another by now', async () => {
    const { call, ask } = held(3_000, []);
    await expect(ask()).rejects.toBeInstanceOf(LeaseLost);
    expect(call).not.toHaveBeenCalled();
  });

  test('is not called after the lease, whatever the database would say', async () => {
    const { rows, call, ask } = held(0, [{ id: 'an id' }]);
    await expect(ask()).rejects.toBeInstanceOf(LeaseLost);
    expect([rows.mock.calls.length, call.mock.calls.length]).toEqual([0, 0]);
  });
});

describe('R12: a worker paused for longer than its lease and resumed', () => {
  const step: Step = { verb: 'rotate', vendor: ncloud, at: { when: 'after' }, ends: 'done' };
  let server: TestServer;
  let trial: Trial;
  let worker: ReturnType<typeof spawnKeyway>;
  beforeEach(async () => {
    server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
    trial = await Trial.open('a rotation', step, server, await makeAccount(server));
    await trial.prepare();
    if (!onPostgres) await server.pause();
    worker = spawnKeyway(['serve'], server.environment);
    trial.door = doorTo(await urlOf(worker), server.adminToken);
  });
  afterEach(async () => {
    worker.child.kill('SIGKILL');
    await worker.ended;
    await trial.vendor.standIn.stop();
    if (!onPostgres) await server.restart();
    await server.stop();
  });

  // When a secret was last used is written behind, by what this test asks with too.
  const tables = () =>
    Promise.all(
      [
        'intents',
        'rotations',
        '(SELECT credential_id, number, state, access_key, valid_until, sealed FROM credential_versions) AS versions',
        'credentials',
        'audit_events',
      ].map((table) => server.rows(`SELECT * FROM ${table} ORDER BY 1, 2`)),
    );
  /** Stops the worker while the store's answer is on its way, and lets the answer come. */
  const pause = async () => {
    await trial.park();
    worker.child.kill('SIGSTOP');
    trial.vendor.standIn.clear();
  };
  const finished = async () => {
    for (;;) {
      // A process that stood still finds its own waiting too long at first, and says UNAVAILABLE.
      const seen = await trial.seen().catch((error: Error) => {
        if (!error.message.includes('"code":"UNAVAILABLE"')) throw error;
        return undefined;
      });
      if (seen?.rotation?.state === 'FINISHED' && seen.status === 'ACTIVE') return seen;
      await sleep(200);
    }
  };
  const expectOneKey = async () => {
    const revealed = await trial.revealed();
    expect(trial.spot.has()).toEqual(revealed.map(({ accessKey }) => accessKey));
    expect(revealed.map((one) => trial.accepts(one))).toEqual([true]);
  };

  // The embedded database has one Keyway.
  if (onPostgres)
    test('makes no further write once another has taken over', async () => {
      const { door } = trial;
      await pause();
      trial.door = server;
      await finished();
      await expectOneKey();
      const [before, calls] = [await tables(), trial.vendor.standIn.calls.length];
      worker.child.kill('SIGCONT');
      await trial.bury();
      await sleep(2_000);
      expect(trial.vendor.standIn.calls.length).toBe(calls);
      expect(await tables()).toEqual(before);
      trial.door = door;
      expectData(await trial.send());
      await expectOneKey();
    });
  else
    test('takes over from itself, and writes once', async () => {
      await pause();
      await sleep(leaseMs + 500);
      worker.child.kill('SIGCONT');
      const { auditEvents, versions } = await finished();
      await trial.bury();
      await expectOneKey();
      expect(auditEvents.nodes.filter(({ action }) => action === 'credential:rotate')).toHaveLength(1);
      expect(versions.map(({ state }) => state).sort()).toEqual(['CURRENT', 'RETIRED']);
    });
});
