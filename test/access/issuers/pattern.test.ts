import fc from 'fast-check';
import { overlap, prefixesOf, readPattern } from '../../../src/access/issuers/pattern.js';

/** What the words of the documentation mean, letter by letter. */
function matches(pattern: string, subject: string): boolean {
  if (pattern === '') return subject === '';
  const [star = ''] = /^\*{0,2}/.exec(pattern) ?? [];
  if (star === '') return pattern[0] === subject[0] && matches(pattern.slice(1), subject.slice(1));
  for (let taken = 1; taken <= subject.length; taken++) {
    if (star === '*' && /[/:]/.test(subject[taken - 1] ?? '')) return false;
    if (matches(pattern.slice(star.length), subject.slice(taken))) return true;
  }
  return false;
}

const read = (text: string) => {
  const pattern = readPattern(text);
  if (typeof pattern === 'string') throw new Error(pattern);
  return pattern;
};

const letters = fc.constantFrom('a', 'b', '/', ':', '.', '$');
const subject = fc.string({ unit: letters, minLength: 1, maxLength: 8 }).map((text) => `a:b/${text}`);
const pattern = fc
  .array(fc.oneof(letters, fc.constantFrom('*', '**')), { minLength: 1, maxLength: 6 })
  .map((parts) => `a:b/${parts.join('')}`)
  .filter((text) => typeof readPattern(text) !== 'string');

test('an expression says what the pattern does, and its prefix is one of those of each subject that it matches', () => {
  fc.assert(
    fc.property(pattern, subject, (text, one) => {
      const { expression, prefix } = read(text);
      expect([text, one, new RegExp(expression, 'su').test(one)]).toEqual([text, one, matches(text, one)]);
      if (matches(text, one)) expect(prefixesOf(one)).toContain(prefix);
    }),
    { numRuns: 2_000 },
  );
});

test('empty names do not count', () => {
  expect(read('spiffe://acme/*').prefix).toBe('spiffe://acme/');
  expect(prefixesOf('spiffe://acme/ab')).toEqual(['spiffe://acme/', 'spiffe://acme/a']);
});

test('patterns that match one subject overlap, and of those that overlap there is one', () => {
  const words = ['a', 'b', '/', ':'];
  const short = words.flatMap((one) =>
    ['', ...words].flatMap((two) => ['', ...words].map((three) => one + two + three)),
  );
  const subjects = [...new Set(short)].map((text) => `a:b/${text}`);
  const parts = ['a', '/', ':', '*', '**'];
  const patterns = parts
    .flatMap((one) => ['', ...parts].map((two) => `a:b/${one}${two}`))
    .filter((text) => typeof readPattern(text) !== 'string');
  expect(patterns.length).toBeGreaterThan(10);
  for (const one of patterns)
    for (const other of patterns)
      expect([one, other, overlap(one, other)]).toEqual([
        one,
        other,
        subjects.some((text) => matches(one, text) && matches(other, text)),
      ]);
});

test.each([
  ['repo:acme/*:ref:refs/heads/main', 'repo:acme/app:ref:refs/heads/main', true],
  ['repo:acme/*:ref:refs/heads/main', 'repo:acme/app:ref:refs/heads/main2', false],
  ['repo:acme/*:ref:refs/heads/main', 'repo:acme/a/b:ref:refs/heads/main', false],
  ['repo:acme/*:ref:refs/heads/main', 'repo:acme/app:environment:x:ref:refs/heads/main', false],
  ['repo:acme/*:ref:refs/heads/main', 'repo:acme-evil/app:ref:refs/heads/main', false],
  ['repo:acme/*:ref:refs/heads/main', 'repo:acme/:ref:refs/heads/main', false],
  ['repo:acme/app:ref:refs/heads/*', 'repo:acme/app:ref:refs/heads/feature/one', false],
  ['repo:acme/app:ref:refs/heads/**', 'repo:acme/app:ref:refs/heads/feature/one', true],
  ['system:serviceaccount:ci:*', 'system:serviceaccount:ci:runner', true],
  ['system:serviceaccount:ci:*', 'system:serviceaccount:ci2:runner', false],
])('%s for %s: %s', (text, one, does) => {
  expect(new RegExp(read(text).expression, 'su').test(one)).toBe(does);
  expect(matches(text, one)).toBe(does);
});

test.each([
  ['repo:acme/app', 'must have a *'],
  ['*', 'must have at least two names'],
  ['**', 'must have at least two names'],
  ['repo:*', 'must have at least two names'],
  ['repo:*/app:ref:refs/heads/main', 'must have at least two names'],
  ['*/:a', 'must have at least two names'],
  ['spiffe://**', 'must have at least two names'],
  ['https://*', 'must have at least two names'],
  ['::a:*', 'must have at least two names'],
  ['a:b/***', 'must not have more than **'],
  ['a:b/****c', 'must not have more than **'],
  [`a:b/${'*:'.repeat(9)}`, 'must have at most 8'],
])('%s is no pattern: it %s', (text, why) => {
  expect(readPattern(text)).toContain(why);
});
