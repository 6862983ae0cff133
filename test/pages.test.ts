import { existsSync } from 'node:fs';
import { anchors, linksOf, pages, read } from './support/pages.js';

test('the README is a page to begin with: less than 250 lines', () => {
  expect(read('README.md').trimEnd().split('\n').length).toBeLessThan(250);
});

test('every page of docs/ can be reached from the README, by links', () => {
  const reached = new Set(['README.md']);
  for (const page of reached)
    for (const { to } of linksOf(page)) if (to.endsWith('.md') && pages.includes(to)) reached.add(to);
  expect(pages.filter((page) => !reached.has(page))).toEqual([]);
});

test.each(pages)('each link of %s leads to a file that is there, and to a heading in it', (page) => {
  const broken = linksOf(page).filter(
    ({ to, anchor }) => !existsSync(to) || (anchor !== undefined && !anchors(read(to)).includes(anchor)),
  );
  expect(broken).toEqual([]);
});

test.each(pages)('each file that %s names is there', (page) => {
  const named = [...read(page).matchAll(/`((?:src|test|migrations|bench|\.ci)\/[^`\s<>…*{}]+)`/g)];
  expect(named.map(([, path = '']) => path).filter((path) => !existsSync(path))).toEqual([]);
});

test('the changelog keeps to its form: the version of package.json below what is not released, and the usual sections', () => {
  const headings = [...read('CHANGELOG.md').matchAll(/^(#{2,3}) (.*)$/gm)].map(([, , title = '']) => title);
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const releases = headings.filter((title) => title.startsWith('['));
  expect(releases[0]).toBe('[Unreleased]');
  expect(releases[1]).toMatch(new RegExp(`^\\[${version.replaceAll('.', '\\.')}\\] - \\d{4}-\\d{2}-\\d{2}$`));
  const sections = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];
  expect(headings.filter((title) => !releases.includes(title) && !sections.includes(title))).toEqual([]);
});

/** The promises of docs/security.md: their numbers, and the tests that each names. */
const promises = () =>
  [...read('docs/security.md').matchAll(/^- ((?:[SR]\d+(?:, | to )?)+) [^]*?(?=\n- |\n\n|\s*(?![^]))/gm)].map(
    ([text, label = '']) => ({
      numbers: label.split(', ').flatMap((part) => {
        const [first = '', last = first] = part.trim().split(' to ');
        const [from, to] = [Number(first.slice(1)), Number(last.slice(1))];
        return Array.from({ length: to - from + 1 }, (_, at) => `${first[0]}${from + at}`);
      }),
      tests: [...text.matchAll(/\]\(\.\.\/(test\/[^)]+)\)/g)].map(([, path = '']) => path),
    }),
  );

/** The numbers that names of tests in a file begin with: `S66, R36: …`, and the title of a suite that is made. */
const numbersIn = (text: string): string[] =>
  [...text.matchAll(/['"`]((?:[SR]\d+(?:: |, )?)+)/g)].flatMap(
    ([, numbers = '']) => numbers.match(/[SR]\d+/g) ?? [],
  );

test('each promise of docs/security.md names tests that have its number', () => {
  const all = promises();
  const numbered = (letter: string, most: number) =>
    Array.from({ length: most }, (_, before) => `${letter}${before + 1}`);
  const promised = new Set(all.flatMap(({ numbers }) => numbers));
  expect([...numbered('S', 68), ...numbered('R', 38)].filter((number) => !promised.has(number))).toEqual([]);
  const unproven = all.flatMap(({ numbers, tests }) =>
    numbers.filter((number) => !tests.some((path) => numbersIn(read(path)).includes(number))),
  );
  expect(unproven).toEqual([]);
});
