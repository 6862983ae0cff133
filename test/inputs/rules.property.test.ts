import 'reflect-metadata';
import fc from 'fast-check';
import * as rules from '../../src/inputs/rules.js';
import { canonicalUsername, faultsOf, type Rule } from '../../src/inputs/rules.js';
import { anyText, expectAlways } from '../support/property.js';

const takes = (rule: Rule, value: unknown) => rule.check.holds(value);

/** Every character that no name may hold: C0, DEL, C1, separators of lines, what turns a text around, halves. */
const unclean = fc.oneof(
  fc.nat(0x1f),
  fc.integer({ min: 0x7f, max: 0x9f }),
  fc.constantFrom(0x61c, 0x200e, 0x200f, 0x2028, 0x2029),
  fc.integer({ min: 0x202a, max: 0x202e }),
  fc.integer({ min: 0x2066, max: 0x2069 }),
  fc.integer({ min: 0xd800, max: 0xdfff }),
);
class Input {
  @rules.ListOf(5, rules.Name()) names: unknown;
  @rules.Name(3) name: unknown;
  @rules.Username() username: unknown;
  @rules.ListOf(9, rules.IdRule()) items: unknown;
}

const clean = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => takes(rules.Line(1, 100), text));

describe('S11: a line of text', () => {
  test('may be anything that can be seen, and nothing with a character in it that cannot', () =>
    expectAlways(
      fc.property(clean, unclean, fc.nat(100), (text, code, place) => {
        const at = [...text].slice(0, place).join('').length;
        const spoiled = text.slice(0, at) + String.fromCharCode(code) + text.slice(at);
        expect(takes(rules.Line(1, 200), spoiled)).toBe(false);
        expect(takes(rules.Lines(200), spoiled)).toBe(code === 0x09 || code === 0x0a);
        expect(takes(rules.HeaderWord(200), spoiled)).toBe(false);
        expect(takes(rules.Name(200), spoiled)).toBe(false);
      }),
      1_000,
    ));

  test('has as many characters as are counted by code points, no fewer and no more', () =>
    expectAlways(
      fc.property(clean, fc.nat(5), fc.nat(5), (text, less, more) => {
        const length = [...text].length;
        expect(takes(rules.Line(Math.max(1, length - less), length + more), text)).toBe(true);
        expect(takes(rules.Line(1, length - 1 - less), text)).toBe(false);
        expect(takes(rules.Line(length + 1, length + 1 + more), text)).toBe(false);
      }),
      500,
    ));
});

test('S11: no rule throws, and none takes what is no text for one, whatever it is', () => {
  const all = [
    ...[
      rules.Line(1, 9),
      rules.Lines(9),
      rules.PemText(9),
      rules.Name(),
      rules.Username(),
      rules.SecretText(9),
    ],
    ...[rules.HeaderText(9), rules.HeaderWord(9), rules.IdRule(), rules.IdempotencyKeyRule()],
    ...[rules.PositiveDuration(), rules.DurationUpTo('P1D'), rules.DurationBetween('PT1S', 'P1D')],
  ];
  expectAlways(
    fc.property(fc.constantFrom(...all), fc.anything({ withBigInt: true, withDate: true }), (rule, value) => {
      expect(takes(rule, value) && typeof value !== 'string').toBe(false);
    }),
    2_000,
  );
});

test('S11: a list keeps its rule exactly where each of its items does, and the first that does not is named', () =>
  expectAlways(
    fc.property(fc.array(fc.oneof(fc.constantFrom('a', 'b-c', '9'), anyText), { maxLength: 6 }), (items) => {
      const bad = items.findIndex((item) => !/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(item));
      const input = Object.assign(new Input(), { names: items });
      let faults: { path: string; message: string }[] = [];
      try {
        rules.expectRules([{ path: 'input', input }]);
      } catch (error) {
        faults = (error as { fields: typeof faults }).fields;
      }
      if (items.length > 5)
        expect(faults).toEqual([{ path: 'input.names', message: 'must be a list of at most 5 items' }]);
      else if (bad < 0) expect(faults).toEqual([]);
      else expect(faults).toMatchObject([{ path: `input.names.${bad}` }]);
    }),
    300,
  ));

describe('S27: a user name', () => {
  const letters = 'abcxyz019._@-';
  const name = fc
    .tuple(
      fc.constantFrom(...'az09'),
      fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 127 }),
    )
    .map((parts) => parts.join(''));

  test('has one spelling, whatever the case and the width of its letters', () =>
    expectAlways(
      fc.property(name, fc.infiniteStream(fc.nat(2)), (text, choices) => {
        const spelled = [...text].map((letter) => {
          const { value } = choices.next() as { value: number };
          const wide = String.fromCharCode(letter.charCodeAt(0) + 0xfee0);
          return [letter, letter.toUpperCase(), wide][value] ?? letter;
        });
        expect(canonicalUsername(spelled.join(''))).toBe(text);
      }),
      500,
    ));

  test('is in ASCII and its own spelling, whatever it was made of', () => {
    const odd = fc.string({ unit: fc.constantFrom(...'aZ9.@-ıİſKéＡ１．\u0301\u200b ⅷﬀ㎏'), maxLength: 140 });
    expectAlways(
      fc.property(fc.oneof(odd, fc.string({ unit: 'binary' })), (text) => {
        const canonical = canonicalUsername(text);
        if (canonical === undefined) return;
        expect(canonical).toMatch(/^[a-z0-9][a-z0-9._@-]{1,127}$/);
        expect(canonicalUsername(canonical)).toBe(canonical);
        expect(canonicalUsername(canonical.toUpperCase())).toBe(canonical);
      }),
      2_000,
    );
  });
});

test('a secret is taken by the bytes that it is kept as: no fewer, no more, none of them NUL, and no half of a character', () =>
  expectAlways(
    fc.property(fc.string({ unit: 'binary', maxLength: 12 }), fc.nat(12), fc.nat(12), (text, least, more) => {
      const bytes = Buffer.from(text);
      const survives = bytes.toString() === text && !bytes.includes(0);
      expect(takes(rules.SecretText(least + more, least), text)).toBe(
        survives && bytes.length >= least && bytes.length <= least + more,
      );
    }),
    500,
  ));

test('S10: what is said of an input that breaks its rules does not hold what was given', () =>
  expectAlways(
    fc.property(anyText, (text) => {
      const marked = `${text} marked-secret`;
      const input = Object.assign(new Input(), { name: marked, username: marked, items: [marked] });
      try {
        rules.expectRules([{ path: 'input', input }]);
        throw new Error('was taken');
      } catch (error) {
        expect(error).toMatchObject({ code: 'BAD_USER_INPUT' });
        expect(`${String(error)}${JSON.stringify(error)}`).not.toContain('marked-secret');
      }
      expect(faultsOf([], 'input')).toEqual([]);
    }),
  ));
