import fc from 'fast-check';
import { identify } from '../../../src/access/issuers/jwt.js';
import { parseObject } from '../../../src/access/issuers/jws.js';
import { openKeySets } from '../../../src/access/issuers/key-sets.js';
import { readConfig } from '../../../src/config/config.js';
import { openLog } from '../../../src/log.js';
import { openOutbound } from '../../../src/outbound/outbound.js';
import { expectAlways } from '../../support/property.js';
import { makeSigner, signed, type Signer } from '../../support/issuer.js';

const issuer = 'https://issuer.example.com';
const nowMs = 1_790_000_000_000;
const nowS = nowMs / 1_000;
let signer: Signer;
beforeAll(async () => {
  signer = await makeSigner('EdDSA', 'one');
});

/** What comes of a token with these claims, at an issuer with these members. */
async function identified(claims: object, more: object) {
  const [one] = readConfig({
    KEYWAY_JWT_ISSUERS: JSON.stringify([
      { issuer, audience: 'keyway', jwks: { keys: [signer.jwk] }, ...more },
    ]),
  }).jwtIssuers;
  if (!one) throw new Error('no issuer');
  const outbound = openOutbound({ allowedRanges: [], local: false });
  const keySets = openKeySets([one], outbound, openLog('silent'));
  const whole = { iss: issuer, sub: 'ada', aud: 'keyway', iat: nowS, exp: nowS + 300, ...claims };
  try {
    return await identify(await signed(signer, whole), keySets, nowMs);
  } catch (error) {
    return (error as { code?: string }).code;
  } finally {
    await outbound.close();
  }
}

const name = fc.constantFrom('groups', 'team', 'toString', 'constructor', 'a.b', '0');
const one = fc.constantFrom<string | number | boolean>('admins', 'users', '', 1, 0, true, false, '1', 'true');
const said = fc.oneof(
  one,
  fc.array(one, { maxLength: 3 }),
  fc.constant(null),
  fc.constant({}),
  fc.array(fc.array(one), { maxLength: 2 }),
);
const path = fc.array(name, { minLength: 1, maxLength: 2 });
const within = (way: readonly string[], value: unknown): object =>
  Object.fromEntries([[way[0], way.length === 1 ? value : within(way.slice(1), value)]]) as object;

test('S16: a token is taken exactly where the claim that is asked for has one of the values, alone or in a list', () =>
  expectAlways(
    fc.asyncProperty(
      path,
      path,
      said,
      fc.uniqueArray(
        one.filter((value) => value !== ''),
        { minLength: 1, maxLength: 2 },
      ),
      async (asked, there, value, is) => {
        const values = Array.isArray(value) ? value : [value];
        const isSaid =
          JSON.stringify(asked) === JSON.stringify(there) &&
          is.some((wanted) => (values as unknown[]).includes(wanted));
        const taken = await identified(within(there, value), { require: [{ claim: asked, is }] });
        expect(taken).toEqual(isSaid ? expect.objectContaining({ subject: 'ada' }) : 'UNAUTHENTICATED');
      },
    ),
    200,
  ));

test('S16: a token is valid between its times alone, 30 s around them, and no longer than its issuer may say', () =>
  expectAlways(
    fc.asyncProperty(
      fc.integer({ min: -90_000, max: 200 }),
      fc.integer({ min: -200, max: 90_000 }),
      fc.option(fc.integer({ min: -200, max: 200 }), { nil: undefined }),
      async (from, to, notBefore) => {
        const times = {
          iat: nowS + from,
          exp: nowS + to,
          ...(notBefore !== undefined && { nbf: nowS + notBefore }),
        };
        const isValid = from <= 30 && to > -30 && to > from && to - from <= 86_400 && (notBefore ?? 0) <= 30;
        expect(await identified(times, { longestLifetimeHours: 24 })).toEqual(
          isValid ? expect.objectContaining({ subject: 'ada' }) : 'UNAUTHENTICATED',
        );
      },
    ),
    200,
  ));

test('S16: a subject is a text of 1 to 255 characters that the database can keep, whatever else stands there', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 4 }),
    fc.constantFrom('a\u0000b', '\u{1f511}'.repeat(255), 'x'.repeat(256), '\ud800', 'a\nb'),
  );
  return expectAlways(
    fc.asyncProperty(fc.oneof(text, said), async (sub) => {
      const isText =
        typeof sub === 'string' &&
        [...sub].length >= 1 &&
        [...sub].length <= 255 &&
        !/[\p{Cc}\p{Cs}]/u.test(sub);
      expect(await identified({ sub }, {})).toEqual(
        isText ? expect.objectContaining({ subject: sub }) : 'UNAUTHENTICATED',
      );
    }),
    100,
  );
});

test('S16: an object that says a name twice, at any depth and in any spelling, is refused, and any other is read', () => {
  const leaf = fc.oneof(fc.string({ unit: fc.constantFrom(...'ab{}[]":,\\ ') }), fc.integer(), fc.boolean());
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.string({ unit: fc.constantFrom(...'ab{}":,') }), tie('value'), {
        maxKeys: 3,
        noNullPrototype: true,
      }),
    ),
  }));
  const read = (text: string) => {
    try {
      return parseObject(Buffer.from(text));
    } catch {
      return undefined;
    }
  };
  const escaped = (text: string) => JSON.stringify(text).replace(/a/g, '\\u0061').replace(/\{/g, '\\u007b');
  expectAlways(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'ab{}":') }),
      value,
      value,
      fc.nat(2),
      fc.boolean(),
      (key, first, second, indent, deep) => {
        const member = (spelled: string, of: unknown) =>
          `${spelled}${' '.repeat(indent)}:${JSON.stringify(of, null, indent)}`;
        const whole = JSON.stringify({ [key]: first, other: second }, null, indent);
        expect(read(whole)).toEqual(JSON.parse(whole));
        const twice = `{${member(JSON.stringify(key), first)},${member(escaped(key), second)}}`;
        expect(read(deep ? `{"in":[{"x":${twice}}]}` : twice)).toBeUndefined();
      },
    ),
    1_000,
  );
});
