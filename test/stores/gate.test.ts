import { jest } from '@jest/globals';
import type { StoreRequest } from '../../src/connectors/connector.js';
import { openLog } from '../../src/log.js';
import { openOutbound, type Outbound } from '../../src/outbound/outbound.js';
import type { Callable } from '../../src/access/context.js';
import { openGates, type WatchedGates } from '../../src/stores/gate.js';
import { shiftSteadyClock } from '../support/clock.js';
import { openStandIn, type StandIn } from '../upstreams/stand-in.js';

let standIn: StandIn;
let other: StandIn;
let outbound: Outbound;
let gates: WatchedGates;
let logged: string[];
const halfOpenAfterMs = 100;

beforeEach(async () => {
  logged = [];
  standIn = await openStandIn(() => ({ status: 200, body: { ok: true } }));
  other = await openStandIn(() => ({ status: 200, body: { ok: true } }));
  outbound = openOutbound({ allowedRanges: [], local: true });
  const log = openLog('info', { write: (line) => void logged.push(line) });
  gates = openGates(outbound, log, { halfOpenAfterMs });
});
afterEach(async () => {
  await Promise.all([standIn.stop(), other.stop()]);
  await outbound.close();
  jest.restoreAllMocks();
});

const read: StoreRequest = { method: 'GET', path: ['things'] };
const write: StoreRequest = { method: 'POST', path: ['things'], body: {} };
const storeAt = (url: string, budget?: Callable['budget']): Callable => ({
  id: url,
  kind: 'SEQERA',
  addresses: { endpoint: url },
  budget,
});
const call = (request: StoreRequest, store = storeAt(standIn.url)) => gates.call(store, request);
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'answered',
    (error: { code: string; fault: string }) => error.fault,
  );
const fail = (times: number) => standIn.meet({ kind: 'fail', status: 500 }, {}, times);
/** Waits in real time until the circuit of the store lets one try. */
const whileOpen = () => new Promise((resolve) => setTimeout(resolve, halfOpenAfterMs + 20));
/** So that tests of what is tried again need not wait for it. */
const atOnce = () => jest.spyOn(Math, 'random').mockReturnValue(0);

describe('the budget of a store', () => {
  const budget = { limit: 20, windowMs: 60_000 };
  const within = () => storeAt(standIn.url, budget);
  const spend = async (request: StoreRequest) => {
    for (let count = 0; ; count++) if ((await codeOf(call(request, within()))) !== 'answered') return count;
  };

  test('a sync leaves a third of it to those who wait, and reads leave a tenth to what changes something', async () => {
    const counts = [
      await spend({ ...read, background: true }),
      await spend({ ...write, background: true }),
      await spend(read),
      await spend(write),
    ];
    expect(counts).toEqual([13, 0, 5, 2]);
    expect(standIn.calls).toHaveLength(20);
  });

  test('what a change has to read counts against the share of changes', async () => {
    expect([await spend(read), await spend({ ...read, forChange: true })]).toEqual([18, 2]);
  });
});

describe('R21: the circuit of a store', () => {
  const open = async () => {
    fail(5);
    for (let count = 0; count < 5; count++) expect((await call(write)).status).toBe(500);
  };

  test('stays closed for four failures in a row, whatever was before', async () => {
    for (let round = 0; round < 3; round++) {
      fail(4);
      for (let count = 0; count < 4; count++) await call(write);
      expect(gates.circuitOf(standIn.url)).toBe('CLOSED');
      expect((await call(write)).status).toBe(200);
    }
  });

  test('opens after five, and then no call is sent', async () => {
    await open();
    expect(gates.circuitOf(standIn.url)).toBe('OPEN');
    expect(await codeOf(call(write))).toBe('UPSTREAM_UNAVAILABLE');
    expect(await codeOf(call(read))).toBe('UPSTREAM_UNAVAILABLE');
    expect(standIn.calls).toHaveLength(5);
    expect(logged.join('')).toContain('"circuit":"OPEN"');
  });

  test('counts no answer as a failure that says what is wrong with the request', async () => {
    standIn.meet({ kind: 'fail', status: 404 }, {}, 10);
    for (let count = 0; count < 10; count++) expect((await call(write)).status).toBe(404);
    expect(gates.circuitOf(standIn.url)).toBe('CLOSED');
  });

  test('lets one call try after its time, and closes when that is answered', async () => {
    await open();
    await whileOpen();
    const held = standIn.hold('before');
    const first = call(write);
    await held;
    expect(gates.circuitOf(standIn.url)).toBe('HALF_OPEN');
    const second = call(write);
    expect(standIn.calls).toHaveLength(6);
    (await held).release();
    expect([(await first).status, (await second).status]).toEqual([200, 200]);
    expect(gates.circuitOf(standIn.url)).toBe('CLOSED');
  });

  test('opens again when that one fails', async () => {
    await open();
    await whileOpen();
    fail(1);
    await call(write);
    expect(gates.circuitOf(standIn.url)).toBe('OPEN');
    expect(standIn.calls).toHaveLength(6);
  });

  test('is of one store alone, and forgotten with it', async () => {
    await open();
    expect((await call(write, storeAt(other.url))).status).toBe(200);
    expect(gates.circuitOf(other.url)).toBe('CLOSED');
    gates.forget(standIn.url);
    expect(gates.circuitOf(standIn.url)).toBe('CLOSED');
  });
});

describe('R20: calls to one store', () => {
  test('go out eight at once, and those to another store go on beside them', async () => {
    const held = Array.from({ length: 8 }, () => standIn.hold('before'));
    const calls = Array.from({ length: 12 }, () => call(write));
    const standing = await Promise.all(held);
    for (let count = 0; count < 20; count++) expect((await call(write, storeAt(other.url))).status).toBe(200);
    expect(standIn.calls).toHaveLength(8);
    for (const stopped of standing) stopped.release();
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(Array(12).fill(200));
  });

  test('are refused where 64 wait already', async () => {
    const held = Array.from({ length: 8 }, () => standIn.hold('before'));
    const calls = Array.from({ length: 72 }, () => call(write));
    const standing = await Promise.all(held);
    expect(await codeOf(call(write))).toBe('UPSTREAM_UNAVAILABLE');
    for (const stopped of standing) stopped.release();
    await Promise.all(calls);
    expect(standIn.calls).toHaveLength(72);
  });

  test('have their turns: who has most waiting makes room, and is next after another', async () => {
    const ofOne = (...whose: string[]) => codeOf(call(write, { ...storeAt(standIn.url), whose }));
    const held = Array.from({ length: 9 }, () => standIn.hold('before'));
    const theirs = Array.from({ length: 72 }, () => ofOne('hostile', 'a part'));
    const standing = await Promise.all(held.slice(0, 8));
    const mine = ofOne('tenant', 'account');
    // The last of theirs made room for it.
    expect(await theirs.at(-1)).toBe('UPSTREAM_UNAVAILABLE');
    standing[0]?.release();
    const next = await held[8];
    standing[1]?.release();
    expect(await mine).toBe('answered');
    for (const stopped of [...standing.slice(2), next]) stopped?.release();
    await Promise.all(theirs);
    expect(standIn.calls).toHaveLength(72);
  });
});

describe('R25: whoever leaves', () => {
  const leaving = () => {
    const caller = new AbortController();
    const outcome = (request: StoreRequest) =>
      codeOf(gates.call(storeAt(standIn.url), request, caller.signal));
    return { outcome, leave: () => caller.abort() };
  };

  test('makes room for others, of what is read and of what waits to be, and it counts as no failure', async () => {
    const { outcome, leave } = leaving();
    const held = Array.from({ length: 8 }, () => standIn.hold('before'));
    const outcomes = Array.from({ length: 20 }, () => outcome(read));
    await Promise.all(held);
    leave();
    expect((await call(read)).status).toBe(200);
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['UPSTREAM_UNAVAILABLE']));
    expect(gates.circuitOf(standIn.url)).toBe('CLOSED');
    expect(standIn.calls).toHaveLength(9);
  });

  test.each([
    [200, 'CLOSED'],
    [500, 'OPEN'],
  ])(
    'does not end the call that tries whether the store is back: after a %s it is %s',
    async (status, state) => {
      fail(5);
      for (let count = 0; count < 5; count++) await call(write);
      await whileOpen();
      const { outcome, leave } = leaving();
      standIn.meet({ kind: 'fail', status });
      const held = standIn.hold('before');
      const tried = outcome(read);
      const standing = await held;
      leave();
      expect(gates.circuitOf(standIn.url)).toBe('HALF_OPEN');
      standing.release();
      expect(await tried).toBe('answered');
      expect(gates.circuitOf(standIn.url)).toBe(state);
    },
  );

  test('does not end what changes something', async () => {
    const { outcome, leave } = leaving();
    const held = standIn.hold('before');
    const written = outcome(write);
    const standing = await held;
    leave();
    standing.release();
    expect(await written).toBe('answered');
  });
});

describe('R19: a store that is slow', () => {
  test('fails each call within its time, and none of those that wait stays behind', async () => {
    // With its real pause, so that the circuit lets none try again meanwhile.
    gates = openGates(outbound, openLog('fatal'));
    for (let count = 0; count < 40; count++) void standIn.hold('before');
    const before = performance.now();
    const outcomes = await Promise.all(Array.from({ length: 40 }, () => codeOf(call(write))));
    expect(new Set(outcomes)).toEqual(new Set(['UPSTREAM_UNAVAILABLE']));
    // Five seconds of waiting for a place, and five of the call itself.
    expect(performance.now() - before).toBeLessThan(12_000);
    // Eight at first, and one in the place of each that fails before the circuit opens at the fifth.
    expect(standIn.calls.length).toBeGreaterThanOrEqual(8);
    expect(standIn.calls.length).toBeLessThanOrEqual(12);
  }, 20_000);
});

describe('R24: what is tried again', () => {
  test.each([502, 503, 504])('is a read that was answered %s, twice at most', async (status) => {
    atOnce();
    standIn.meet({ kind: 'fail', status }, {}, 2);
    expect((await call(read)).status).toBe(200);
    standIn.meet({ kind: 'fail', status }, {}, 3);
    expect((await call(read)).status).toBe(status);
    expect(standIn.calls).toHaveLength(6);
  });

  test.each(['refuse', 'drop'] as const)('is a read whose connection ended: %s', async (kind) => {
    atOnce();
    standIn.meet({ kind });
    expect((await call(read)).status).toBe(200);
    expect(standIn.calls).toHaveLength(2);
  });

  test('is what reads, though it is a POST, and no GET that does not', async () => {
    atOnce();
    standIn.meet({ kind: 'drop' });
    expect((await call({ ...write, reads: true })).status).toBe(200);
    standIn.meet({ kind: 'drop' });
    expect(await codeOf(call({ ...read, reads: false }))).toBe('UPSTREAM_UNAVAILABLE');
    expect(standIn.calls).toHaveLength(3);
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE'] as const)(
    'is no %s, which may have been done',
    async (method) => {
      standIn.meet({ kind: 'drop' });
      await expect(call({ method, path: [] })).rejects.toMatchObject({ unclear: true });
      expect(standIn.calls).toHaveLength(1);
    },
  );

  test('is no read that was answered 500', async () => {
    fail(1);
    expect((await call(read)).status).toBe(500);
    expect(standIn.calls).toHaveLength(1);
  });

  test('is a tenth of the calls, and a few to begin with', async () => {
    atOnce();
    const reads = 40;
    for (let count = 0; count < reads; count++) {
      standIn.meet({ kind: 'fail', status: 503 }, {}, 3);
      await call(read);
      standIn.clear();
      // What is between keeps the circuit closed.
      await call(write);
    }
    const retries = standIn.calls.length - 2 * reads;
    expect(retries).toBeGreaterThan(5);
    expect(retries).toBeLessThanOrEqual(5 + (2 * reads) / 10);
  });

  test('waits a random part of a time that doubles', async () => {
    const random = jest.spyOn(Math, 'random').mockReturnValue(0.25);
    const timers = jest.spyOn(globalThis, 'setTimeout');
    standIn.meet({ kind: 'fail', status: 503 }, {}, 2);
    await call(read);
    expect(random).toHaveBeenCalled();
    const waits = timers.mock.calls.map(([, ms]) => ms);
    expect(waits).toEqual(expect.arrayContaining([50, 100]));
  });

  test('is signed anew each time', async () => {
    atOnce();
    standIn.meet({ kind: 'fail', status: 503 }, {}, 2);
    let signed = 0;
    await call({ ...read, sign: () => ({ 'x-signature': `number ${++signed}` }) });
    expect(standIn.calls.map(({ headers }) => headers['x-signature'])).toEqual([
      'number 1',
      'number 2',
      'number 3',
    ]);
  });
});

describe('a store that asks to be left alone', () => {
  test.each([429, 503])('with %s is, for as long as it says', async (status) => {
    standIn.meet({ kind: 'fail', status, headers: { 'retry-after': '7' } });
    expect((await call(read)).status).toBe(status);
    await expect(call(read)).rejects.toMatchObject({ fault: 'RATE_LIMITED', sent: false });
    expect(standIn.calls).toHaveLength(1);
    const undo = shiftSteadyClock(7_000);
    try {
      expect((await call(read)).status).toBe(200);
    } finally {
      undo();
    }
  });

  test.each([
    [429, 'date', 60],
    [503, 'date', 60],
    [503, 'number', 3_600],
  ])('with %s is, until the %s that it says, for an hour at most: %i s', async (status, form, seconds) => {
    const until = form === 'date' ? new Date(Date.now() + seconds * 1_000).toUTCString() : '1000000';
    standIn.meet({ kind: 'fail', status, headers: { 'retry-after': until } });
    expect((await call(read)).status).toBe(status);
    const undoEarly = shiftSteadyClock((seconds - 5) * 1_000);
    try {
      await expect(call(read)).rejects.toMatchObject({ fault: 'RATE_LIMITED', sent: false });
    } finally {
      undoEarly();
    }
    expect(standIn.calls).toHaveLength(1);
    const undo = shiftSteadyClock((seconds + 1) * 1_000);
    try {
      expect((await call(read)).status).toBe(200);
    } finally {
      undo();
    }
  });

  test('for no time is asked again at once, where it is read', async () => {
    atOnce();
    standIn.meet({ kind: 'fail', status: 429, headers: { 'retry-after': '0' } });
    expect((await call(read)).status).toBe(200);
  });

  test('without saying for how long is not asked again in the same breath', async () => {
    standIn.meet({ kind: 'fail', status: 429 });
    expect((await call(read)).status).toBe(429);
    expect(standIn.calls).toHaveLength(1);
  });
});

describe('the budget of a store', () => {
  test('is kept to, however many calls come at once, until its window is over', async () => {
    const store = storeAt(standIn.url, { limit: 12, windowMs: 60_000 });
    const outcomes = await Promise.all(Array.from({ length: 30 }, () => codeOf(call(write, store))));
    expect(outcomes.filter((code) => code === 'answered')).toHaveLength(12);
    expect(outcomes.filter((code) => code === 'RATE_LIMITED')).toHaveLength(18);
    expect(standIn.calls).toHaveLength(12);
    const undo = shiftSteadyClock(60_000);
    try {
      expect((await call(write, store)).status).toBe(200);
    } finally {
      undo();
    }
  });

  test('is reckoned with what was sent, retries included, and told once', async () => {
    atOnce();
    standIn.meet({ kind: 'fail', status: 503 });
    await call(read);
    await call(write);
    expect([...gates.takeSpent()]).toEqual([[standIn.url, 3]]);
    expect([...gates.takeSpent()]).toEqual([]);
  });
});

describe('S56: an answer', () => {
  test('of 64 MiB is not read', async () => {
    standIn.meet({ kind: 'huge' });
    expect(await codeOf(call(write))).toBe('UPSTREAM_UNAVAILABLE');
  });

  test('that is no JSON has none', async () => {
    standIn.meet({ kind: 'garbage' });
    expect(await call(read)).toMatchObject({ status: 200, json: undefined });
  });

  test('that leads elsewhere is not followed', async () => {
    standIn.meet({ kind: 'fail', status: 302, headers: { location: `${other.url}/things` } });
    expect((await call(read)).status).toBe(302);
    expect(other.calls).toHaveLength(0);
  });

  test('S58: leaves nothing of its text, and no address, in the log', async () => {
    standIn.meet({ kind: 'fail', status: 400, body: { message: 'MARKER-0001' } });
    await call({ ...write, query: { q: 'MARKER-0002' } });
    standIn.meet({ kind: 'refuse' });
    await codeOf(call({ ...write, query: { q: 'MARKER-0002' } }));
    expect(logged).toHaveLength(2);
    expect(logged.join('')).not.toMatch(/MARKER|127\.0\.0\.1:\d+\/things/);
  });
});

test('a store that nothing listens for was not sent anything', async () => {
  const { url } = other;
  await other.stop();
  await expect(call(write, storeAt(url))).rejects.toMatchObject({ sent: false, unclear: false });
  other = await openStandIn(() => ({ status: 200 }));
});
