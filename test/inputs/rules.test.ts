import 'reflect-metadata';
import { validate, type ValidatorOptions } from 'class-validator';
import * as rules from '../../src/inputs/rules.js';
import { canonicalUsername, faultsOf, type Rule } from '../../src/inputs/rules.js';

// As TypeGraphQL calls it; it adds skipMissingProperties by itself.
const options: ValidatorOptions = {
  whitelist: true,
  forbidUnknownValues: true,
  skipMissingProperties: true,
  validationError: { target: false, value: false },
};

const holds = (rule: Rule, value: unknown) => rule.check.holds(value);

describe('Line', () => {
  const line = rules.Line(2, 5);

  test.each(['ab', 'abcde', 'a b', ' ab', 'ünï', '日本語', 'שלום', '👩‍💻ab', '😀😀😀😀😀'])(
    'takes %j',
    (text) => expect(holds(line, text)).toBe(true),
  );

  test.each([
    ...[
      'a',
      'abcdef',
      '',
      '   ',
      '\u200b\u200b',
      '\ufeff ',
      '\u3164\u3164',
      '😀😀😀😀😀😀',
      'x'.repeat(100_000),
    ],
    ...['a\0b', 'a\nb', 'a\tb', 'a\rb', 'a\u001bb', 'a\u007fb', 'a\u0085b', 'a\u2028b', 'a\u2029b'],
    ...['a\u202eb', 'a\u202ab', 'a\u2066b', 'a\u2069b', 'a\u200eb', 'a\u200fb', 'a\u061cb', 'a\ud800b'],
    ...[12, true, null, undefined, ['ab'], { length: 3 }],
  ])('S11: refuses %j', (value) => expect(holds(line, value)).toBe(false));

  test('takes nothing at all only where its minimum says so', () => {
    expect(holds(rules.Line(0, 5), '')).toBe(true);
    expect(holds(rules.Line(0, 5), ' ')).toBe(false);
  });
});

describe('Lines', () => {
  test('takes several lines and tabs', () => expect(holds(rules.Lines(20), 'a\n\tb')).toBe(true));

  test.each(['', ' \n\t', 'a\0', 'a\r\nb', 'a\u001b[31m', 'a\u202eb', 'a'.repeat(21), null])(
    'S11: refuses %j',
    (value) => expect(holds(rules.Lines(20), value)).toBe(false),
  );
});

describe('HeaderText', () => {
  const header = rules.HeaderText(20);

  test.each(['', ' ', 'a\tb', 'caf\u00e9', '\u0080\u0085\u009f\u00a0\u00ad\u00ff'])('takes %j', (text) =>
    expect(holds(header, text)).toBe(true),
  );

  test.each(['a\0b', 'a\rb', 'a\nb', 'a\u001bb', 'a\u007fb', 'a\u202eb', 'a\ud800b', 'x'.repeat(21), null])(
    'S11: refuses %j',
    (value) => expect(holds(header, value)).toBe(false),
  );
});

describe('Name', () => {
  test.each(['onward', 'A', '0', 'a.b_c-d', 'x'.repeat(64)])('takes %j', (text) =>
    expect(holds(rules.Name(), text)).toBe(true),
  );

  test.each(['', '.', '..', '-a', '_a', 'a/b', 'a b', 'a%20', 'ä', 'a\n', 'x'.repeat(65), 1])(
    'S11: refuses %j',
    (value) => expect(holds(rules.Name(), value)).toBe(false),
  );
});

describe('canonicalUsername', () => {
  test.each([
    ['ada', 'ada'],
    ['Ada.Lovelace@Example-1_x', 'ada.lovelace@example-1_x'],
    ['ＡＤＡ', 'ada'],
    ['\u212Aeyway', 'keyway'],
    ['𝐚𝐝𝐚', 'ada'],
    ['x'.repeat(128), 'x'.repeat(128)],
    ['𝐚'.repeat(128), 'a'.repeat(128)],
  ])('S27: %s has one spelling', (text, canonical) => {
    expect(canonicalUsername(text)).toBe(canonical);
    expect(canonicalUsername(canonical)).toBe(canonical);
    expect(holds(rules.Username(), text)).toBe(true);
  });

  test.each([
    ...[
      '',
      'a',
      ' ada',
      'ada ',
      'ad a',
      'ada\n',
      'ada\0',
      '.ada',
      '-ada',
      '@ada',
      'аda',
      'adä',
      'a\u0131b',
      'A\u0130b',
    ],
    ...['ada\u200b', 'ad/a', 'x'.repeat(129), '𝐚'.repeat(129)],
  ])('S27: %j is none', (text) => {
    expect(canonicalUsername(text)).toBeUndefined();
    expect(holds(rules.Username(), text)).toBe(false);
  });
});

describe('SecretText', () => {
  test('takes any bytes of text within its bounds', () => {
    expect(holds(rules.SecretText(4), ' \n\u001b')).toBe(true);
    expect(holds(rules.SecretText(4), 'éé')).toBe(true);
    expect(holds(rules.SecretText(1024, 12), 'twelve bytes')).toBe(true);
  });

  test.each(['', 'a\0b', 'ééé', '\udc00', 1234, null])('S11: refuses %j', (value) =>
    expect(holds(rules.SecretText(5), value)).toBe(false),
  );

  test('refuses what is too short', () =>
    expect(holds(rules.SecretText(1024, 12), 'eleven byte')).toBe(false));
});

test('IdRule and IdempotencyKey take short ASCII', () => {
  expect(holds(rules.IdRule(), 'cred_1mO5qKOUcacMaFXJsmJzQh')).toBe(true);
  for (const id of ['', 'x'.repeat(41), 'a b', 'é', 'a\n', 7]) expect(holds(rules.IdRule(), id)).toBe(false);
  expect(holds(rules.IdempotencyKeyRule(), 'order 17/~')).toBe(true);
  for (const key of ['', 'x'.repeat(201), 'é', 'a\n', 7])
    expect(holds(rules.IdempotencyKeyRule(), key)).toBe(false);
});

test('S20: PositiveDuration refuses zero, DurationUpTo takes it', () => {
  expect(holds(rules.PositiveDuration('P1D'), 'PT24H')).toBe(true);
  for (const value of ['PT0S', 'PT24H0.001S', '-P1D', 'soon', 5]) {
    expect(holds(rules.PositiveDuration('P1D'), value)).toBe(false);
  }
  expect(holds(rules.DurationUpTo('P1D'), 'PT0S')).toBe(true);
  for (const value of ['P2D', '-P1D', 'soon', 5]) expect(holds(rules.DurationUpTo('P1D'), value)).toBe(false);
});

test('SecondsBetween refuses parts of a second, WholeNumber parts of one', () => {
  const seconds = rules.SecondsBetween('PT1S', 'P1D');
  for (const value of ['PT1S', 'PT1M', 'PT24H']) expect(holds(seconds, value)).toBe(true);
  for (const value of ['PT0S', 'PT1.5S', 'PT24H1S', 'soon', 5]) expect(holds(seconds, value)).toBe(false);
  const count = rules.WholeNumber(1, 5);
  for (const value of [1, 5]) expect(holds(count, value)).toBe(true);
  for (const value of [0, 6, 1.5, NaN, Infinity, '2', null]) expect(holds(count, value)).toBe(false);
});

class Inner {
  @rules.Name()
  name: unknown;

  @rules.Optional()
  @rules.SecretText(5)
  secret?: unknown;
}

class Outer {
  @rules.Optional()
  @rules.Line(1, 5)
  clearable?: unknown;

  @rules.NotNull()
  @rules.Line(1, 5)
  kept?: unknown;

  @rules.AsTyped()
  enabled?: unknown;

  @rules.Optional()
  @rules.ListOf(3, rules.IdRule())
  ids?: unknown;

  @rules.Optional()
  @rules.ListOf(2)
  @rules.Nested()
  inners?: unknown;

  @rules.Optional()
  @rules.Nested()
  inner?: unknown;

  unruled?: unknown;
}

const inner = (values: object) => Object.assign(new Inner(), values);

async function faults(values: object, settings = options) {
  return faultsOf(await validate(Object.assign(new Outer(), values), settings), 'input');
}

describe.each([true, false])('faultsOf, with skipMissingProperties %s', (skipMissingProperties) => {
  const settings = { ...options, skipMissingProperties };

  test('finds nothing in a good input, and keeps undefined apart from null', async () => {
    expect(await faults({}, settings)).toEqual([]);
    expect(
      await faults({ clearable: null, ids: null, inner: null, inners: null, enabled: null }, settings),
    ).toEqual([]);
    const good = {
      clearable: 'a',
      kept: 'b',
      ids: ['cred_1'],
      inners: [inner({ name: 'a' })],
      inner: inner({ name: 'b' }),
    };
    expect(await faults(good, settings)).toEqual([]);
  });

  test('NotNull refuses null, and says only that', async () =>
    expect(await faults({ kept: null }, settings)).toEqual([
      { path: 'input.kept', message: 'must not be null' },
    ]));
});

test('faultsOf: names each fault by its path', async () => {
  const found = await faults({
    clearable: 'a\0',
    ids: ['cred_1', 'a b', ''],
    inners: [inner({ name: 'fine' }), inner({ name: '../etc', secret: 'too long' })],
    inner: inner({ name: '' }),
  });
  expect(found).toEqual([
    { path: 'input.clearable', message: expect.stringContaining('one line of 1 to 5') as string },
    { path: 'input.ids.1', message: 'must be an id' },
    { path: 'input.inners.1.name', message: expect.stringContaining('letters') as string },
    { path: 'input.inners.1.secret', message: 'must be 1 to 5 bytes of text without NUL' },
    { path: 'input.inner.name', message: expect.stringContaining('letters') as string },
  ]);
});

test('faultsOf: a root of no name leaves the bare path', async () => {
  const errors = await validate(inner({ name: '' }), options);
  expect(faultsOf(errors, '').map((fault) => fault.path)).toEqual(['name']);
});

test('S2: a list has a greatest length', async () => {
  expect(await faults({ ids: ['a', 'b', 'c', 'd'] })).toEqual([
    { path: 'input.ids', message: 'must be a list of at most 3 items' },
  ]);
  expect(await faults({ ids: 'cred_1' })).toHaveLength(1);
  expect(await faults({ inners: Array.from({ length: 3 }, () => inner({ name: 'a' })) })).toHaveLength(1);
});

test('S11: an object of a class without rules, and what is no object, are refused', async () => {
  expect(await faults({ inner: { name: 'plain' } })).toEqual([
    { path: 'input.inner', message: 'must be an input object' },
  ]);
  expect(await faults({ inner: 'text' })).toEqual([
    { path: 'input.inner', message: 'must be an input object' },
  ]);
});

test('S36: a property without a rule is taken out, one with AsTyped stays', async () => {
  const outer = Object.assign(new Outer(), { unruled: 1, enabled: false });
  expect(await validate(outer, options)).toEqual([]);
  expect(outer).not.toHaveProperty('unruled');
  expect(outer.enabled).toBe(false);
});

test('S10: no fault holds the submitted value', async () => {
  const marker = '\0MARKER-7f3a $value';
  const values = Object.fromEntries(
    ['clearable', 'kept', 'ids', 'inner', 'inners'].map((name) => [name, marker]),
  );
  const nested = {
    ids: [marker],
    inner: inner({ name: marker, secret: marker }),
    inners: [marker, inner({ name: marker })],
  };
  for (const input of [values, nested]) {
    const found = await faults(input);
    expect(found.length).toBeGreaterThan(3);
    expect(JSON.stringify(found)).not.toContain('MARKER');
  }
});
