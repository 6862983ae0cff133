import { quotaWindowMs, type PointsWanted } from '../../src/rate-limits/ledger.js';
import { RateLimits } from '../../src/rate-limits/rate-limits.js';
import type { During } from '../../src/rate-limits/quota.js';
import { openLog } from '../../src/log.js';

const counted: During = (work) => work();

function limits(settings = { points: 100, failures: 10 }) {
  const taken = new Map<string, number>();
  const ledger = {
    patienceMs: 1_000,
    take: async ({ name, points, limit }: PointsWanted) => {
      const before = taken.get(name) ?? 0;
      const granted = Math.min(points, limit - before);
      taken.set(name, before + granted);
      return { points: granted, taken: before + granted, leftMs: quotaWindowMs };
    },
    close: () => Promise.resolve(),
  };
  return new RateLimits(settings, ledger, openLog('silent', { write: () => undefined }), {
    refused: () => undefined,
  });
}

const caller = (more: object = {}) => ({
  accountId: 'account',
  credentialId: 'credential',
  parentId: null,
  identity: null,
  ...more,
});

test('S6: a credential that is derived from another has no failures of its own', async () => {
  const all = limits();
  const parent = all.of(caller({ credentialId: 'parent' }), counted);
  await all.of(caller({ credentialId: 'one', parentId: 'parent' }), counted).countFailures(6);
  await all.of(caller({ credentialId: 'two', parentId: 'parent' }), counted).countFailures(4);
  await expect(parent.charge(1)).rejects.toThrow('refused or not found 10 times');
  await all.of(caller({ credentialId: 'other' }), counted).charge(1);
});

test('S6: what is counted when the answer is made fails for nobody, where there is no time left for it', async () => {
  const all = limits();
  const late: During = () => Promise.reject(new Error('too long'));
  const allowance = all.of(caller(), late);
  await allowance.countFailures(20);
  await allowance.countGuesses('192.0.2.1', 20);
  await all.countStranger('192.0.2.1', late);
  await expect(allowance.charge(1)).rejects.toThrow('too long');
});

test('S6: more failures than are left are counted as far as they go', async () => {
  const all = limits();
  const allowance = all.of(caller(), counted);
  await allowance.countFailures(9);
  await allowance.countFailures(50);
  await expect(allowance.charge(1)).rejects.toMatchObject({ code: 'RATE_LIMITED', limit: 'failures' });
});

test('S6: guesses are counted by address, however it is written, and by the part of IPv6 that one customer has', async () => {
  const all = limits();
  const allowance = all.of(caller(), counted);
  await allowance.countGuesses('::ffff:192.0.2.1', 5);
  await allowance.countGuesses('192.0.2.1', 5);
  expect(['192.0.2.1', '::ffff:c000:201', '192.0.2.2'].map((ip) => allowance.mayVerify(ip))).toEqual([
    false,
    false,
    true,
  ]);
  for (let count = 1; count <= 10; count++) await allowance.countGuesses(`2001:db8:0:1::${count}`, 1);
  expect(['2001:DB8:0:1::ff', '2001:db8:0:2::1'].map((ip) => allowance.mayVerify(ip))).toEqual([false, true]);
  await allowance.countGuesses('no address', 10);
  expect(['no address', 'another'].map((ip) => allowance.mayVerify(ip))).toEqual([false, true]);
});

test('S6: what no minute has as many points for is too much at once, and is not counted', async () => {
  const allowance = limits().of(caller(), counted);
  await allowance.charge(1);
  const refused = allowance.charge(101);
  await expect(refused).rejects.toMatchObject({
    code: 'LIMIT_EXCEEDED',
    limit: 'points',
    retryInMs: undefined,
  });
  expect([allowance.charged, allowance.standing?.remaining]).toEqual([1, 99]);
  await allowance.charge(100);
  expect([allowance.charged, allowance.standing?.remaining]).toEqual([100, 0]);
  // The reserve for revoking is larger than so few points.
  await limits().of(caller(), counted).charge(120, true);
});
