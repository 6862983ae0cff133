import fc from 'fast-check';
import { readFilter, type Filter } from '../../src/scim/filter.js';
import { filtering, type Comparables } from '../../src/scim/filter-sql.js';
import { ScimRefusal } from '../../src/scim/refusal.js';
import { anyText, expectAlways } from '../support/property.js';

const attributes = ['username', 'externalid', 'name.givenname', 'emails.value', 'active'];
const comparison: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({
    is: fc.constantFrom('eq', 'ne', 'co', 'sw', 'ew'),
    attribute: fc.constantFrom(...attributes),
    value: fc.oneof(anyText, fc.boolean(), fc.integer(), fc.constant(null)),
  }),
  fc.record({ is: fc.constant('pr' as const), attribute: fc.constantFrom(...attributes) }),
);
const anyFilter = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    comparison,
    fc.record({
      is: fc.constantFrom('and', 'or'),
      all: fc.array(tie('filter'), { minLength: 2, maxLength: 3 }),
    }),
    fc.record({ is: fc.constant('not' as const), of: tie('filter') }),
  ),
})).filter;

/** A filter as text, with parentheses wherever they may be. */
function written(filter: Filter): string {
  if ('all' in filter) return filter.all.map((one) => `(${written(one)})`).join(` ${filter.is} `);
  if (filter.is === 'not') return `not (${written(filter.of)})`;
  if (filter.is === 'pr') return `${filter.attribute} pr`;
  return `${filter.attribute} ${filter.is} ${JSON.stringify(filter.value)}`;
}

/** How many comparisons and parentheses it has. */
const sizeOf = (filter: Filter): number =>
  'all' in filter
    ? filter.all.reduce((sum, one) => sum + 1 + sizeOf(one), 0)
    : filter.is === 'not'
      ? 1 + sizeOf(filter.of)
      : 1;

test('a filter that is written is read as it was', () => {
  expectAlways(
    fc.property(
      anyFilter.filter((filter) => sizeOf(filter) <= 15),
      (filter) => {
        expect(readFilter(written(filter))).toEqual(filter);
      },
    ),
  );
});

test('any text is read or refused as a filter, and nothing else happens', () => {
  const pieces = fc.constantFrom(
    ...[
      'userName',
      ' eq ',
      ' and ',
      ' or ',
      'not ',
      '(',
      ')',
      '"',
      '\\',
      '"a"',
      ' pr',
      'true',
      '1',
      '[',
      ']',
    ],
  );
  const text = fc.oneof(
    anyText,
    fc.array(pieces, { maxLength: 30 }).map((all) => all.join('')),
  );
  expectAlways(
    fc.property(text, (one) => {
      try {
        readFilter(one);
      } catch (error) {
        expect(error).toBeInstanceOf(ScimRefusal);
        expect(error).toMatchObject({ scimType: 'invalidFilter' });
      }
    }),
    1_000,
  );
});

test('what a filter compares with never comes into its SQL', () => {
  const known: Comparables = {
    username: { sql: 'u.user_key', as: 'name' },
    externalid: { sql: 'u.external_id', as: 'text' },
  };
  expectAlways(
    fc.property(
      fc.constantFrom('username', 'externalid'),
      fc.constantFrom('eq', 'ne', 'co', 'sw', 'ew'),
      anyText.filter((text) => !text.includes('\0')),
      (attribute, is, value) => {
        const { sql } = filtering({ is, attribute, value }, known);
        expect(sql).toBe(filtering({ is, attribute, value: 'other' }, known).sql);
      },
    ),
  );
});

test.each([
  ['userName eq "ada" and active eq true or externalId pr', 'or'],
  ['userName EQ "ada" AND not (active eq "False")', 'and'],
])('operators bind as the RFC says: %s', (text, outermost) => {
  expect(readFilter(text).is).toBe(outermost);
});

test.each([
  'userName gt "a"',
  'userName eq',
  'eq "a"',
  'userName eq "a" and',
  '(userName eq "a"',
  'userName eq "a")',
  'userName eq a',
  'emails[type eq "work"].value eq "a"',
  Array.from({ length: 21 }, () => 'userName eq "a"').join(' or '),
])('a filter that cannot be read, or asks for too much, is refused: %s', (text) => {
  expect(() => readFilter(text)).toThrow(ScimRefusal);
});
