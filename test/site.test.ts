/**
 * @slow 25 s
 * @embedded pages that are built of files alone
 */
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { read } from './support/pages.js';

// `npm run docs` makes a site of the pages, and of what schema.graphql says; here below a path, where others may be served.

const base = '/help/keyway/';
const host = 'http://site.test';
const build = (root: string, out: string) =>
  promisify(execFile)(
    process.execPath,
    [resolve('node_modules/vitepress/bin/vitepress.js'), 'build', 'site', '--base', base, '--outDir', out],
    // Jest's own settings are not for it.
    { cwd: root, env: { PATH: process.env['PATH'] } },
  );

let folder: string;
const site = () => join(folder, 'site');
const page = (path: string) => readFileSync(join(site(), path), 'utf8');
const files = (ending: string) =>
  readdirSync(site(), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith(ending));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keyway-site-'));
  await build('.', site());
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a reader sees of a page, in one line. */
const textOf = (html: string) =>
  html
    .replace(/<[^>]+>/g, '')
    .replaceAll('&quot;', '"')
    .replace(/\s+/g, ' ');

/** What a page has with an address: each element, by its name, and where it leads. */
const addressesOf = (path: string) =>
  [...page(path).matchAll(/<(\w+)\b[^>]*?\s(?:href|src)="([^"]*)"/g)].map(
    ([, element = '', address = '']) => ({
      element,
      to: new URL(address.replaceAll('&amp;', '&'), `${host}${base}${path}`),
    }),
  );

/** What is not in the text of a page, of what should be. */
const lacking = (path: string, ...texts: string[]) =>
  texts.filter((text) => !textOf(page(path)).includes(text)).map((text) => `${path}: ${text}`);

test('the README is the front page, and every page of docs/ and the changelog are pages too', () => {
  expect([
    ...lacking('index.html', 'Keyway keeps credentials'),
    ...lacking('docs/requests.html', 'Calling the API'),
    ...lacking('CHANGELOG.html', 'Unreleased'),
  ]).toEqual([]);
  const pages = readdirSync('docs', { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.md'),
  );
  expect(pages.length).toBeGreaterThan(40);
  const places = pages.map((path) => `docs/${path.replace('README', 'index').replace(/md$/, 'html')}`);
  expect(places.filter((path) => !existsSync(join(site(), path)))).toEqual([]);
});

test('the reference has each part of the schema with its description, its arguments, defaults and links', () => {
  expect([
    ...lacking(
      'reference/objects.html',
      'Whether the account may call Keyway.',
      'first: Int, 20 if left out. How many items the page has at most',
    ),
    ...lacking('reference/mutations.html', 'input: CreateAccountInput!. All that the mutation takes'),
    ...lacking('reference/queries.html', 'The store with this name; null if there is none'),
    ...lacking('reference/inputs.html', 'Exactly one of its fields is given.'),
    ...lacking('reference/enums.html', 'Largest, latest or last in the alphabet first.'),
  ]).toEqual([]);
  const linked =
    /<h3 id="account-credentials"[^]{0,400}href="\/help\/keyway\/reference\/objects\.html#credentialconnection"/;
  expect(linked.test(page('reference/objects.html'))).toBe(true);
  const headings = files('.html')
    .filter((path) => path.startsWith('reference/'))
    .flatMap((path) => [...page(path).matchAll(/<h2 id="([^"]+)"/g)].map(([, id = '']) => id));
  const types = [...read('schema.graphql').matchAll(/^(?:type|input|enum|scalar|interface) (\w+)/gm)];
  const named = types.map(([, name = '']) => name).filter((name) => name !== 'Query' && name !== 'Mutation');
  expect(named.filter((name) => !headings.includes(name.toLowerCase()))).toEqual([]);
});

test('every link within the site leads to a page that is there, and to a heading in it', () => {
  const known = new Map(files('.html').map((path) => [path, new Set(page(path).match(/(?<= id=")[^"]+/g))]));
  const links = [...known.keys()].flatMap((path) => addressesOf(path).map(({ to }) => ({ path, to })));
  const within = links.filter(({ to }) => to.origin === host);
  expect(within.length).toBeGreaterThan(3000);
  const dead = within.filter(({ to }) => {
    if (!to.pathname.startsWith(base)) return true;
    const file = decodeURI(to.pathname.slice(base.length)).replace(/(^|\/)$/, '$1index.html');
    if (!existsSync(join(site(), file))) return true;
    return to.hash !== '' && !known.get(file)?.has(decodeURIComponent(to.hash.slice(1)));
  });
  expect(dead.map(({ path, to }) => `${path}: ${to.href}`)).toEqual([]);
});

test('nothing is fetched from another host: no script, style, font or picture', () => {
  const fetched = files('.html')
    .flatMap(addressesOf)
    .filter(({ element, to }) => element !== 'a' && to.origin !== host && to.protocol !== 'data:');
  expect(fetched.map(({ to }) => to.href)).toEqual([]);
  const styles = files('.css').map(page).join('\n');
  expect(styles).not.toMatch(/@import|url\(["']?(?!["']?data:)/);
});

test('the search knows pages and parts of the schema, without asking anybody', () => {
  const index = files('.js').filter((path) => path.includes('localSearchIndex'));
  expect(index).toHaveLength(1);
  const known = page(index[0] ?? '');
  expect(known).toContain('/help/keyway/docs/requests.html#');
  expect(known).toContain('/help/keyway/reference/objects.html#account-credentials');
});

test('a link that leads nowhere ends the build', async () => {
  const root = join(folder, 'repository');
  for (const path of ['site', 'package.json', 'console/src/keyhole.svg'])
    cpSync(path, join(root, path), { recursive: true });
  symlinkSync(resolve('node_modules'), join(root, 'node_modules'));
  mkdirSync(join(root, 'docs/decisions'), { recursive: true });
  writeFileSync(join(root, 'schema.graphql'), 'type Query { one: Int }');
  writeFileSync(join(root, 'README.md'), '# Keyway\n\n[Here](docs/decisions/README.md) are more.\n');
  const decisions = join(root, 'docs/decisions/README.md');
  writeFileSync(decisions, '# Decisions\n\nBack to [the page](../../README.md).\n');
  await build(root, join(folder, 'good'));
  writeFileSync(decisions, '# Decisions\n\nBack to [the page](../../README-of-old.md).\n');
  await expect(build(root, join(folder, 'bad'))).rejects.toThrow(
    'docs/decisions/README.md has a link to ../../README-of-old.md, which is not there',
  );
});
