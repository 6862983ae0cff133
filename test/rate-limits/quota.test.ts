import type { Ledger, PointsWanted } from '../../src/rate-limits/ledger.js';
import { quotaWindowMs, WatchedLedger } from '../../src/rate-limits/ledger.js';
import { Quota } from '../../src/rate-limits/quota.js';

/** A ledger and its clock, in the hands of a test. */
function madeUp(limit = 100) {
  let [now, isAway] = [1_000, false];
  const windows = new Map<string, { taken: number; endsAt: number }>();
  const ledger: Ledger = {
    patienceMs: 1_000,
    take: async ({ name, points, limit: most }: PointsWanted) => {
      if (isAway) throw new Error('away');
      const known = windows.get(name);
      const window = known && known.endsAt > now ? known : { taken: 0, endsAt: now + quotaWindowMs };
      const granted = Math.max(0, Math.min(points, most - window.taken));
      windows.set(name, { ...window, taken: window.taken + granted });
      return { points: granted, taken: window.taken + granted, leftMs: window.endsAt - now };
    },
    close: () => Promise.resolve(),
  };
  const log = { info: () => undefined, warn: () => undefined };
  const process = () => {
    const quota = new Quota('points', limit, new WatchedLedger(ledger, log, () => now), () => now);
    /** Spends one after another until there is none. */
    const spendAll = async (): Promise<number> => {
      let spent = 0;
      while (spent < 10 * limit && (await quota.spend('somebody', 1))) spent++;
      return spent;
    };
    return { quota, spendAll };
  };
  return {
    process,
    setAway: (away: boolean) => {
      isAway = away;
      // Who found it away asks again after a second.
      now += 1_001;
    },
    pass: (ms: number) => (now += ms),
  };
}

const spendEach = async (quota: Quota, count: number) => {
  for (let left = count; left > 0; left--) expect(await quota.spend('somebody', 1)).toBe(true);
};

test('R19: where the ledger goes away a process goes on with what is left, and with the whole limit in the next window', async () => {
  const world = madeUp();
  const { quota, spendAll } = world.process();
  await spendEach(quota, 35);
  world.setAway(true);
  expect(await spendAll()).toBe(65);
  world.pass(quotaWindowMs);
  expect(await spendAll()).toBe(100);
});

test('R19: what others have taken is not there either, as far as it is known', async () => {
  const world = madeUp();
  const [one, other] = [world.process(), world.process()];
  await spendEach(other.quota, 40);
  await spendEach(one.quota, 10);
  world.setAway(true);
  expect(await one.spendAll()).toBe(50);
});

test('R19: a ledger that goes and comes again and again lets nobody begin anew each time', async () => {
  const world = madeUp();
  const { quota, spendAll } = world.process();
  await spendEach(quota, 5);
  let alone = 0;
  for (let times = 0; times < 5; times++) {
    world.setAway(true);
    alone += await spendAll();
    world.setAway(false);
    expect(await quota.spend('somebody', 1)).toBe(true);
  }
  // All that was left the first time; then no more than what the ledger had given before it went.
  expect(alone).toBe(95 + 4 * 9);
  world.pass(quotaWindowMs);
  expect(await spendAll()).toBe(100);
});

test('R19: one that is away from the start lets a process spend the limit once', async () => {
  const world = madeUp();
  const { quota, spendAll } = world.process();
  world.setAway(true);
  expect(await spendAll()).toBe(100);
  expect(quota.standing('somebody')).toMatchObject({ limit: 100, remaining: 0 });
});
