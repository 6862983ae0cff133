import { isTimely, signsBy } from '../../src/access/signed.js';
import type { Claim } from '../../src/signatures/scheme.js';
import { SignatureScheme } from '../../src/signatures/schemes.js';

const now = 1_800_000_000_000;
const claim = (fromNowMs: number, endsInMs: number | null = null): Claim => ({
  accessKeys: [],
  signedAtMs: now + fromNowMs,
  endsAtMs: endsInMs === null ? null : now + endsInMs,
  nonce: Buffer.alloc(32),
  holds: () => true,
});

test.each([
  [0, true],
  [-300_000, true],
  [300_000, true],
  [-300_001, false],
  [300_001, false],
  [Infinity, false],
  [NaN, false],
])('S21: a request that was signed %s ms from now is in time: %s', (fromNowMs, timely) => {
  expect(isTimely(claim(fromNowMs), now)).toBe(timely);
});

test.each([
  [1, true],
  [0, false],
  [-1, false],
])('S19: a request that says it ends in %s ms is in time: %s', (endsInMs, timely) => {
  expect(isTimely(claim(-1000, endsInMs), now)).toBe(timely);
});

test.each(Object.values(SignatureScheme))(
  'S21: a key of %s signs by it alone, and one of none by each',
  (one) => {
    for (const scheme of Object.values(SignatureScheme)) {
      expect(signsBy({ signatureScheme: one }, scheme)).toBe(scheme === one);
      expect(signsBy({ signatureScheme: null }, scheme)).toBe(true);
    }
  },
);
