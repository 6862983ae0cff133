import fc from 'fast-check';
import { inspect } from 'node:util';
import { packAnswer, unpackAnswer, type Answer } from '../../src/idempotency/answer.js';
import { Secret } from '../../src/secret.js';

/** The same with each secret by its text, so that two answers can be compared. */
const told = (value: unknown): unknown =>
  value instanceof Secret
    ? { isSecret: value.expose() }
    : Array.isArray(value)
      ? value.map(told)
      : typeof value === 'object' && value !== null
        ? Object.entries(value).map(([name, member]) => [name, told(member)])
        : value;

const again = (answer: Answer) => unpackAnswer(packAnswer(answer));
const shows = (answer: Answer) => `${JSON.stringify(answer)} ${inspect(answer, { depth: 9 })}`;
const plain = 'open sesame';
const secret = () => Secret.of(plain);

test.each<[string, Answer]>([
  ['nothing', {}],
  ['no secret', { id: 'one', version: 1, isDone: true, gone: null }],
  ['a secret', { secret: secret() }],
  ['an empty secret', { secret: Secret.of('') }],
  ['a secret of other letters', { secret: Secret.of('schlüssel "\\\n💥\u2028') }],
  ['a secret that is null', { secret: null }],
  ['a secret deep in it', { issued: { deep: { deeper: { secret: secret() } } } }],
  ['secrets in a list', { keys: [secret(), null, secret()] }],
  ['secrets in lists of lists', { keys: [[secret()], [], [[secret(), 'plain']]] }],
  [
    'keys of a provider',
    {
      issued: { accessKey: null, secret: null, keys: [{ name: 'token', value: secret() }], expiresAt: null },
    },
  ],
  ['a list that reads like a secret', { list: [1, plain], other: [0, 1, plain] }],
  ['a member that reads like an answer of before', { issued: { secret: 'no secret', keys: null } }],
  ['what a secret prints as', { text: Secret.placeholder, secret: secret() }],
  ['names with a meaning', JSON.parse('{"__proto__":[1,"x"],"toJSON":"y","constructor":{"0":1}}') as Answer],
])('%s is the same again', (_, answer) => {
  expect(told(again(answer))).toEqual(told(answer));
  expect(shows(again(answer))).toBe(shows(answer));
});

test('whatever is in an answer is the same again, and only its secrets are secrets', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 12 });
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      text.map((given) => Secret.of(given)),
      fc.oneof(text, fc.constantFrom(0, 1), fc.integer(), fc.boolean(), fc.constant(null)),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.oneof(text, fc.constantFrom('issued', 'secret', 'keys')), tie('value'), {
        maxKeys: 4,
        noNullPrototype: true,
      }),
    ),
  }));
  fc.assert(
    fc.property(fc.dictionary(text, value, { maxKeys: 4, noNullPrototype: true }), (answer) => {
      expect(told(again(answer))).toEqual(told(answer));
    }),
    { numRuns: 500 },
  );
});

test('the packed answer prints as a placeholder, and wiping it leaves the answer whole', () => {
  const packed = packAnswer({ secret: secret(), keys: [secret()] });
  expect(`${String(packed)} ${shows({ packed })}`).not.toContain(plain);
  const answer = unpackAnswer(packed);
  packed.wipe();
  expect(told(answer)).toEqual(told({ secret: secret(), keys: [secret()] }));
  expect(shows(answer)).not.toContain(plain);
});

describe('an answer that was packed before its secrets were told apart', () => {
  const before = (answer: Answer) => unpackAnswer(Secret.of(JSON.stringify(answer)));

  test.each<[string, Answer]>([
    ['nothing', {}],
    ['an id', { id: 'one' }],
    ['a list', { id: 'one', kept: [1, plain] }],
    ['what a store is asked', { id: 'one', intent: 'two', version: 3 }],
    ['no end that there was', { id: 'one', intent: null }],
  ])('without secrets is the same: %s', (_, answer) => {
    expect(before(answer)).toEqual(answer);
  });

  test('has its secret as a secret', () => {
    const rest = { accessKey: 'one', keys: null, expiresAt: null };
    const answer = before({ id: 'one', version: 1, issued: { ...rest, secret: plain }, code: null });
    expect(shows(answer)).not.toContain(plain);
    expect(told(answer)).toEqual(
      told({ id: 'one', version: 1, code: null, issued: { ...rest, secret: secret() } }),
    );
  });

  test('has the keys of a provider as secrets', () => {
    const rest = { accessKey: null, secret: null, expiresAt: null };
    const answer = before({ id: 'one', issued: { ...rest, keys: [{ name: 'token', value: plain }] } });
    expect(shows(answer)).not.toContain(plain);
    expect(told(answer)).toEqual(
      told({ id: 'one', issued: { ...rest, keys: [{ name: 'token', value: secret() }] } }),
    );
  });
});
