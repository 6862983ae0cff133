import { jest } from '@jest/globals';
import { longestDatabaseWaitMs, longestLateMs } from '../../src/config/limits.js';
import { WaitLimit } from '../../src/database/wait-limit.js';

/** A limit with a clock that goes on by hand. */
function makeLimit() {
  let nowMs = 0;
  const limit = new WaitLimit(() => nowMs);
  const pass = (ms: number) => void (nowMs += ms);
  const waiting = (ms: number) => limit.during(async () => pass(ms));
  return { limit, pass, waiting };
}

test('R16: what a request waits for the database adds up, and what it does between does not count', async () => {
  const { limit, pass, waiting } = makeLimit();
  await waiting(1_000);
  pass(60_000);
  await waiting(2_000);
  expect(limit.leftMs).toBe(longestDatabaseWaitMs - 3_000);
});

test('R16: what is waited for side by side counts once', async () => {
  const { limit, pass, waiting } = makeLimit();
  let end = () => {};
  const first = limit.during(() => new Promise<void>((resolve) => (end = resolve)));
  pass(500);
  await waiting(1_000);
  expect(limit.leftMs).toBe(longestDatabaseWaitMs - 1_500);
  end();
  await first;
  expect(limit.leftMs).toBe(longestDatabaseWaitMs - 1_500);
});

test('R16: past it nothing is begun, also while something that began in time goes on', async () => {
  const { limit, pass } = makeLimit();
  let end = () => {};
  const first = limit.during(() => new Promise<void>((resolve) => (end = resolve)));
  pass(longestDatabaseWaitMs - 1);
  limit.expectTimeLeft();
  pass(1);
  expect(() => limit.expectTimeLeft()).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
  let begun = false;
  const next = limit.during(async () => void (begun = true));
  await expect(next).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(begun).toBe(false);
  end();
  await first;
});

test('R16: what fails has been waited for all the same', async () => {
  const { limit, pass } = makeLimit();
  const failing = limit.during(async () => {
    pass(1_500);
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  pass(1_000);
  expect(limit.leftMs).toBe(longestDatabaseWaitMs - 1_500);
});

describe('what takes much longer than is left', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  const open = () => {
    let end = () => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    return { end, ended };
  };

  test('R16: is left behind, and nothing more is begun, neither by it nor by its request', async () => {
    const limit = new WaitLimit();
    const { end, ended } = open();
    const early = limit.during(() => ended);
    jest.advanceTimersByTime(1_000);
    const late = limit.during(() => ended);
    const both = Promise.allSettled([early, late]);
    jest.advanceTimersByTime(longestDatabaseWaitMs + longestLateMs - 1_001);
    const goesOn = Promise.resolve('goes on');
    expect(await Promise.race([both, goesOn])).toBe('goes on');
    jest.advanceTimersByTime(1);
    const tooLate = { status: 'rejected', reason: expect.objectContaining({ code: 'UNAVAILABLE' }) };
    expect(await both).toEqual([tooLate, tooLate]);
    expect(() => limit.expectTimeLeft()).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
    end();
    await ended;
    expect(limit.leftMs).toBe(0);
  });

  test('R16: is left behind sooner where its request has waited before', async () => {
    const limit = new WaitLimit();
    const first = open();
    const waited = limit.during(() => first.ended);
    jest.advanceTimersByTime(3_000);
    first.end();
    await waited;
    jest.advanceTimersByTime(60_000);
    const next = expect(limit.during(() => open().ended)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    jest.advanceTimersByTime(longestDatabaseWaitMs - 3_000 + longestLateMs);
    await next;
  });

  test('R14: is waited for where it is final, with what it brings', async () => {
    const limit = new WaitLimit();
    const { end, ended } = open();
    const waiting = { isFinal: false };
    const final = limit.during(async () => (await ended, 'committed'), waiting);
    waiting.isFinal = true;
    jest.advanceTimersByTime(60_000);
    end();
    expect(await final).toBe('committed');
  });
});
