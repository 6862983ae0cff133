import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

/**
 * Which way the files of src/ look: each imports from its own folder or from a line further down. Names on one line do
 * not know each other, and a folder is one name. Imports of types alone are free: they are gone when it runs. The page
 * about the house owns the line.
 */
const line = /```text\n([^`]*)```/.exec(readFileSync('docs/house.md', 'utf8'))?.[1] ?? '';

/** Files that read a plain secret, and why each must. */
const exposing = [
  'cli', // prints the token that was asked for
  'start/first-start', // writes the first token to its file
  'accounts/mfa.resolver', // the answers that show a new second factor and its recovery codes
  'accounts/recovery-codes', // keeps a tag of each code
  'connectors/apinizer/apinizer', // the new password that Apinizer is to keep
  'connectors/apinizer/calls', // the token that Keyway has for Apinizer
  'connectors/apinizer/user', // the password that Apinizer wants with every change
  'connectors/landscape/session', // what Keyway logs in with at Landscape
  'connectors/ncloud/sts', // the code of a second factor goes to the store
  'connectors/seqera/calls', // the token that Keyway has for Seqera
  'connectors/seqera/providers', // the keys that Seqera is to keep
  'connectors/veracode/connection', // whether the key that Keyway is to have for Veracode is one that can sign
  'credentials/secret/issued-secret', // the answer that shows it
  'credentials/secret/keep-secret', // seals many values as one text
  'idempotency/once', // opens the answer that was kept
  'signatures/mac', // the key of an HMAC is the secret as it is written
  'stores/open', // seals and opens what Keyway proves itself with at a store, many values as one text
  'signatures/veracode', // and with Veracode the bytes that its digits stand for
];

interface Import {
  from: string;
  to: string;
  typeOnly: boolean;
}

const files = (folder: string): string[] =>
  readdirSync(folder)
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? files(path) : path.endsWith('.ts') ? [path] : []));

const sources = files('src').map((path) => ({
  name: relative('src', path).replace(/\.ts$/, ''),
  text: readFileSync(path, 'utf8'),
}));

const imports: Import[] = sources.flatMap(({ name, text }) => [
  ...[...text.matchAll(/^(?:import|export)\b([^'";]*?)\bfrom '(\.[^']+)'/gm)].map(
    ([, what = '', path = '']) => ({
      from: name,
      to: target(name, path),
      typeOnly: isTypeOnly(what),
    }),
  ),
  ...[...text.matchAll(/\bimport\('(\.[^']+)'\)(\.[A-Z])?/g)].map(([, path = '', member]) => ({
    from: name,
    to: target(name, path),
    typeOnly: member !== undefined,
  })),
]);

function target(name: string, path: string): string {
  return normalize(join(dirname(name), path)).replace(/\.js$/, '');
}

function isTypeOnly(what: string): boolean {
  if (/^\s*type\b/.test(what)) return true;
  const names = /^\s*\{([^}]*)\}\s*$/
    .exec(what)?.[1]
    ?.split(',')
    .map((one) => one.trim())
    .filter(Boolean);
  return names !== undefined && names.every((one) => one.startsWith('type '));
}

const unitOf = (name: string) => (name.includes('/') ? `${name.split('/')[0]}/` : name);
const ranks = new Map(
  line
    .trim()
    .split('\n')
    .flatMap((names, rank) => names.split('·').map((name): [string, number] => [name.trim(), rank])),
);
const running = imports.filter(({ typeOnly, to }) => !typeOnly && !to.startsWith('..'));

test('every file of src/ has its place in the line', () => {
  const units = [...new Set(sources.map(({ name }) => unitOf(name)))];
  expect(units.filter((unit) => !ranks.has(unit))).toEqual([]);
  expect([...ranks.keys()].filter((unit) => !units.includes(unit))).toEqual([]);
});

test('every import looks down the line', () => {
  expect(running.length).toBeGreaterThan(300);
  const upward = running.filter(({ from, to }) => {
    const [here, there] = [unitOf(from), unitOf(to)];
    return here !== there && (ranks.get(there) ?? -1) <= (ranks.get(here) ?? Infinity);
  });
  expect(upward.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
});

test('no file imports itself by way of others', () => {
  const next = new Map<string, string[]>();
  for (const { from, to } of running) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const cycles: string[] = [];
  const walk = (name: string, path: string[]) => {
    if (path.includes(name)) cycles.push([...path.slice(path.indexOf(name)), name].join(' → '));
    if (done.has(name) || path.includes(name)) return;
    for (const other of next.get(name) ?? []) walk(other, [...path, name]);
    done.add(name);
  };
  for (const { name } of sources) walk(name, []);
  expect(cycles).toEqual([]);
});

test.each(['keyring/', 'connectors/', 'signatures/'])(
  '%s could be lifted out: it knows errors, secret and pure functions',
  (folder) => {
    const known = new Set(['errors', 'secret', 'keyring/', 'connectors/', 'signatures/']);
    const others = imports.filter(({ from, to }) => unitOf(from) === folder && !known.has(unitOf(to)));
    expect(others.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  },
);

test('the keyring knows no connector, and a connector nothing of the keyring but what mints', () => {
  const between = imports.filter(({ from, to }) => unitOf(from) !== unitOf(to));
  expect(
    between.filter(({ from, to }) => unitOf(from) === 'keyring/' && unitOf(to) === 'connectors/'),
  ).toEqual([]);
  const used = between.filter(({ from, to }) => unitOf(from) === 'connectors/' && unitOf(to) === 'keyring/');
  expect(new Set(used.map(({ to }) => to))).toEqual(new Set(['keyring/token']));
});

test('the signatures know neither of them, and nothing from outside but hashes and structured fields', () => {
  const own = imports.filter(({ from }) => unitOf(from) === 'signatures/');
  expect(own.length).toBeGreaterThan(20);
  expect(own.filter(({ to }) => ['keyring/', 'connectors/'].includes(unitOf(to)))).toEqual([]);
  const packages = sources
    .filter(({ name }) => unitOf(name) === 'signatures/')
    .flatMap(({ text }) => [...text.matchAll(/\bfrom '([^.'][^']*)'/g)].map(([, name]) => name));
  expect(new Set(packages)).toEqual(new Set(['node:crypto', 'structured-headers']));
});

test('a vendor is named in its folder, in the one list, in the schemes that callers sign by, and in examples', () => {
  const vendors = readdirSync('src/connectors').filter((name) =>
    statSync(`src/connectors/${name}`).isDirectory(),
  );
  expect(vendors).toContain('landscape');
  const named = new RegExp([...vendors, 'naver'].join('|'), 'i');
  // Names that callers use of other things: of schemes of signatures, and of one provider of keys.
  const others = /\b(VERACODE|LANDSCAPE)[-_]HMAC[-_]SHA[-_]256\b|Seqera ?compute/gi;
  const naming = sources.filter(
    ({ name, text }) =>
      named.test(text.replace(others, '')) &&
      !vendors.some((vendor) => name.startsWith(`connectors/${vendor}/`)) &&
      !['signatures/', 'demo/', 'explorer/'].includes(unitOf(name)),
  );
  expect(naming.map(({ name }) => name)).toEqual(['connectors/vendors']);
});

test('only config reads the environment', () => {
  const reading = sources.filter(({ text }) =>
    /\bprocess\s*(\.|\[\s*['"])env\b|\bfrom 'node:process'/.test(text),
  );
  expect(reading.map(({ name }) => name)).toEqual(['config/config']);
});

test('plain secrets are read in the listed places alone', () => {
  const reading = sources.filter(
    ({ name, text }) => /\.expose(Bytes)?\(\)/.test(text) && unitOf(name) !== 'keyring/',
  );
  expect(reading.map(({ name }) => name).sort()).toEqual([...exposing].sort());
});

test('no module keeps state, which would be one for all that a process serves: what is alike for all may be kept', () => {
  const keeping = sources.filter(({ text }) =>
    /^(export )?(let|var)\b|^(export )?const \w+(: [^=\n]+)? = (new (Map|Set|Array)\b[^(\n]*\(\)|\[\]|\{\});/m.test(
      text,
    ),
  );
  // The page of the explorer is made once.
  expect(keeping.map(({ name }) => name)).toEqual(['explorer/page']);
});
