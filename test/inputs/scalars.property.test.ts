import fc from 'fast-check';
import { Kind, type GraphQLScalarType } from 'graphql';
import {
  DateTime,
  Duration,
  EmailAddress,
  IPRange,
  NonNegativeInt,
  URL as Address,
} from '../../src/inputs/scalars.js';
import { anyText, expectAlways } from '../support/property.js';

const read = (scalar: GraphQLScalarType<string, string>, text: string): string | undefined => {
  try {
    return scalar.parseValue(text);
  } catch {
    return undefined;
  }
};
const texts = [DateTime, Duration, IPRange, EmailAddress, Address];

const near = fc.oneof(
  anyText,
  fc.string({ unit: fc.constantFrom(...'PTYMWDHS0123456789.,-') }),
  fc.string({ unit: fc.constantFrom(...'0123456789-T:Z.+ t') }),
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
  fc.emailAddress(),
  fc.ipV6(),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
);

test('what a scalar takes has one spelling, which it takes again, and writes as it reads it', () =>
  expectAlways(
    fc.property(fc.constantFrom(...texts), near, (scalar, text) => {
      const inner = read(scalar, text);
      if (inner === undefined) return;
      expect(read(scalar, inner)).toBe(inner);
      const outer = scalar.serialize(inner);
      expect(scalar.serialize(read(scalar, outer))).toBe(outer);
    }),
    2_000,
  ));

test('S10: what a scalar does not take is not repeated, as a variable or in the document', () =>
  expectAlways(
    fc.property(fc.constantFrom(...texts, NonNegativeInt), near, (scalar, text) => {
      const marked = `${text} marked-secret`;
      for (const refuse of [
        () => scalar.parseValue(marked),
        () => scalar.parseLiteral({ kind: Kind.STRING, value: marked }, {}),
      ])
        expect(messageOf(refuse)).not.toContain('marked-secret');
    }),
  ));

function messageOf(refuse: () => unknown): string {
  try {
    refuse();
  } catch (error) {
    return String(error);
  }
  throw new Error('was taken');
}

test('lengths of time that are equal are spelled equally, and last as long as their parts say', () => {
  const part = fc.option(fc.nat(40), { nil: undefined });
  expectAlways(
    fc.property(fc.tuple(part, part, part, part, part, part, part), fc.nat(999), (parts, ms) => {
      const [years, months, weeks, days, hours, minutes, seconds] = parts;
      const say = (count: number | undefined, suffix: string) =>
        count === undefined ? '' : `${count}${suffix}`;
      const second = seconds === undefined ? '' : `${seconds}.${String(ms).padStart(3, '0')}S`;
      const date = say(years, 'Y') + say(months, 'M') + say(weeks, 'W') + say(days, 'D');
      const time = say(hours, 'H') + say(minutes, 'M') + second;
      fc.pre(date + time !== '');
      const dayCount = (years ?? 0) * 365 + (months ?? 0) * 30 + (weeks ?? 0) * 7 + (days ?? 0);
      const wholeSeconds = ((dayCount * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0);
      const inSeconds = `PT${wholeSeconds}${seconds === undefined || ms === 0 ? '' : `.${String(ms).padStart(3, '0')}`}S`;
      expect(read(Duration, `P${date}${time && `T${time}`}`)).toBe(read(Duration, inSeconds));
      expect(read(Duration, inSeconds)).toBeDefined();
      expect(read(Duration, `-P${date}${time && `T${time}`}`)).toBeUndefined();
    }),
    1_000,
  );
});

test('an address on the web is one without a user, at the host that a browser would go to', () =>
  expectAlways(
    fc.property(fc.webUrl(), fc.string({ unit: fc.constantFrom(...'aB1%40:') }), (url, user) => {
      const taken = read(Address, url);
      expect(taken).toBe(new URL(url).href);
      const named = url.replace('://', `://${user}@`);
      fc.pre(URL.canParse(named) && new URL(named).username + new URL(named).password !== '');
      expect(read(Address, named)).toBeUndefined();
    }),
  ));

test('a count is a whole number that JSON and PostgreSQL write alike', () =>
  expectAlways(
    fc.property(fc.oneof(fc.double(), fc.integer(), fc.maxSafeInteger()), (number) => {
      fc.pre(!Object.is(number, -0));
      const isCount = Number.isSafeInteger(number) && number >= 0;
      if (!isCount) expect(() => NonNegativeInt.parseValue(number)).toThrow();
      else
        expect([NonNegativeInt.parseValue(number), NonNegativeInt.serialize(String(number))]).toEqual([
          number,
          number,
        ]);
    }),
  ));
