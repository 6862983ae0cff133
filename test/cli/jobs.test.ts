import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { startJobs, type JobParts } from '../../src/cli/jobs.js';
import { openLog } from '../../src/log.js';
import { noTelemetry } from '../../src/telemetry/telemetry.js';
import { makeAccount, makeCredential } from '../support/make.js';
import { startTestServer } from '../support/server.js';
import { statementsOf } from '../support/statements.js';

/** Jobs that write into `written`, but for those whose name is in `failing`. */
function jobs(failing: string[]) {
  const written: string[] = [];
  const logged: string[] = [];
  const work = (name: string) => async () => {
    if (failing.includes(name)) throw new Error('out of order');
    written.push(name);
  };
  const parts = {
    db: { setClock: work('clock'), rows: async () => [], transaction: async () => undefined },
    log: openLog('info', { write: (line) => void logged.push(line) }),
    lastUsed: { flush: work('last use') },
    decisions: { flush: work('decisions') },
    storeCalls: { flush: work('store calls') },
    checkpoints: { write: work('audit checkpoint'), check: work('audit look'), breaks: [] },
    reserveWraps: work('wraps'),
    forgetWindows: work('rate limits'),
    keys: { look: work('keys') },
    rewrap: { tick: work('rewrap'), stop: async () => undefined },
    resumption: { tick: work('resume'), stop: async () => undefined },
    syncs: { tick: work('syncs'), stop: async () => undefined },
    rotations: { tick: work('rotations due'), stop: async () => undefined },
    telemetry: noTelemetry,
  };
  return { written, logged, started: startJobs(parts as unknown as JobParts) };
}

const all = ['last use', 'decisions', 'store calls', 'audit checkpoint'];

test('the end writes what still waits', async () => {
  const { started, written } = jobs([]);
  await started.stop();
  expect(written).toEqual(all);
});

test.each(all)('at the end, the failure of %s keeps none of the others from being written', async (name) => {
  const { started, written, logged } = jobs([name]);
  await started.stop();
  expect(written).toEqual(all.filter((other) => other !== name));
  expect(logged).toEqual([expect.stringContaining(`"job":"${name}"`)]);
});

describe('of several processes', () => {
  const minuteMs = 60_000;
  const own = ['audit look', 'clock', 'decisions', 'keys', 'last use', 'store calls', 'wraps'];
  const shared = ['rate limits', 'resume', 'rewrap', 'rotations due', 'syncs'];
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  /** What was done within a minute. */
  const doneBy = async ({ written }: ReturnType<typeof jobs>) => {
    written.length = 0;
    await jest.advanceTimersByTimeAsync(minuteMs);
    return [...new Set(written)].sort();
  };

  test('each does what is its own, and one what is done for all, once it is told', async () => {
    const one = jobs([]);
    expect(await doneBy(one)).toEqual(own);
    one.started.takeShared();
    const all = [...own.filter((name) => name !== 'audit look'), ...shared, 'audit checkpoint'];
    expect(await doneBy(one)).toEqual(all.sort());
    await one.started.stop();
    expect(await doneBy(one)).toEqual([]);
  });

  test('one that has stopped takes nothing on', async () => {
    const one = jobs([]);
    await one.started.stop();
    one.started.takeShared();
    expect(await doneBy(one)).toEqual([]);
  });
});

test('what the tests count of a request has no statement of a job, however seldom that runs', async () => {
  const { setInterval } = globalThis;
  const soon = jest
    .spyOn(globalThis, 'setInterval')
    .mockImplementation((work, ms = 0, ...rest) => setInterval(work, Math.min(ms, 100), ...rest));
  const server = await startTestServer();
  try {
    await makeCredential(server, await makeAccount(server), { retrievable: true });
    const { statements } = await statementsOf(server, () => sleep(2_000));
    expect(statements.map(({ text }) => text)).toEqual([]);
  } finally {
    soon.mockRestore();
    await server.stop();
  }
});
