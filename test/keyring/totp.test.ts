import { inspect } from 'node:util';
import fc from 'fast-check';
import { TOTP, URI } from 'otpauth';
import { mintTotpSecret, otpauthUri, totpStep } from '../../src/keyring/totp.js';
import { Secret } from '../../src/secret.js';

const periodMs = 30_000;
/** The secret of the examples in RFC 4226 (appendix D) and RFC 6238 (appendix B). */
const published = () => Secret.of('12345678901234567890');

// RFC 6238 shows eight digits. A code of six is the same number modulo 10^6 (RFC 4226, section 5.3): its last six.
test.each([
  [59, '94287082'],
  [1111111109, '07081804'],
  [1111111111, '14050471'],
  [1234567890, '89005924'],
  [2000000000, '69279037'],
  [20000000000, '65353130'],
])('S45: the code of RFC 6238 at %i s is that of its step', (seconds, shown) => {
  expect(totpStep(published(), shown.slice(-6), seconds * 1000)).toBe(Math.floor(seconds / 30));
});

test.each(
  ['755224', '287082', '359152', '969429', '338314', '254676', '287922', '162583', '399871', '520489'].map(
    (code, counter) => ({ code, counter }),
  ),
)('S45: the code of RFC 4226 for the counter $counter is $code', ({ code, counter }) => {
  expect(totpStep(published(), code, counter * periodMs)).toBe(counter);
});

test('S28: a code is that of its own step, in it, the one before and the one after, and in no other', () => {
  const step = 1_000_000;
  const code = new TOTP({ secret: URI.parse(uriOf(published())).secret }).generate({
    timestamp: step * periodMs,
  });
  const found = (atMs: number) => totpStep(published(), code, atMs);
  for (const steps of [-1, 0, 1]) {
    expect(found((step + steps) * periodMs)).toBe(step);
    expect(found((step + steps + 1) * periodMs - 1)).toBe(step);
  }
  expect(found((step - 1) * periodMs - 1)).toBeUndefined();
  expect(found((step + 2) * periodMs)).toBeUndefined();
});

// These two pairs of steps happen to have one code each, with the published secret.
test.each([
  ['a step and the one before', '911617', 910_737, 910_738],
  ['a step and two before', '468457', 153_567, 153_569],
])('S28: a code of %s is taken for the later one, whichever is now', (_, code, earlier, later) => {
  for (let now = later - 1; now <= earlier + 1; now++)
    expect(totpStep(published(), code, now * periodMs)).toBe(later);
});

test.each([
  ['five digits', '55224'],
  ['seven digits', '7552240'],
  ['eight digits', '84755224'],
  ['a sign', '-55224'],
  ['a blank', '75522 '],
  ['a line end', '755224\n'],
  ['nothing', ''],
  ['wide digits', '７５５２２４'],
  ['Arabic digits', '٧٥٥٢٢٤'],
  ['an exponent', '7552e1'],
])('%s is no code', (_, text) => {
  expect(totpStep(published(), text, 0)).toBeUndefined();
});

test('of any secret, an authenticator app with its URI shows the code that is accepted', () => {
  const label = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 64 });
  const times = fc.integer({ min: 0, max: 4_000_000_000_000 });
  fc.assert(
    fc.property(label, times, (name, timestamp) => {
      const secret = mintTotpSecret();
      const app = URI.parse(uriOf(secret, name)) as TOTP;
      expect(totpStep(secret, app.generate({ timestamp }), timestamp)).toBeGreaterThanOrEqual(
        Math.floor(timestamp / periodMs),
      );
    }),
  );
});

test('the URI says all that an authenticator app must know', () => {
  const uri = new URL(uriOf(published(), 'Zoë: a+b@example.com/1 & 2?'));
  expect([uri.protocol, uri.host]).toEqual(['otpauth:', 'totp']);
  expect(decodeURIComponent(uri.pathname)).toBe('/Keyway:Zoë: a+b@example.com/1 & 2?');
  expect(Object.fromEntries(uri.searchParams)).toEqual({
    issuer: 'Keyway',
    // RFC 4648, of the published secret.
    secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
    algorithm: 'SHA1',
    digits: '6',
    period: '30',
  });
});

test('a secret has 160 bits, each time others, and prints as a placeholder, as does its URI', () => {
  const made = Array.from({ length: 100 }, mintTotpSecret);
  expect(made.every((secret) => secret.exposeBytes().length === 20)).toBe(true);
  expect(new Set(made.map((secret) => secret.exposeBytes().toString('hex'))).size).toBe(100);
  expect(inspect([made[0], otpauthUri(published(), 'x')])).toBe('[ [secret], [secret] ]');
});

function uriOf(secret: Secret, label = 'somebody'): string {
  return otpauthUri(secret, label).expose();
}
