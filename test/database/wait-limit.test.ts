import { longestDatabaseWaitMs } from '../../src/config/limits.js';
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
