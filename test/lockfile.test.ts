import { readFileSync } from 'node:fs';

// What is installed is what was looked at: nothing else, and nothing that runs by itself.

interface Locked {
  version?: string;
  resolved?: string;
  integrity?: string;
  license?: string;
  dev?: boolean;
  hasInstallScript?: boolean;
  link?: boolean;
}

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  packages: Record<string, Locked>;
};
// The console is a package of this one, and has its own packages in the same list.
const own = ['', 'console', 'node_modules/keyway-console'];
const installed = Object.entries(packages).filter(([path]) => !own.includes(path));

/** Each lets its package be used and passed on with Keyway, without a duty beyond naming it. */
const licences = new Set([
  'MIT',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'Unlicense',
  'CC0-1.0',
  // Data of browsers, in a package that is used for building alone.
  'CC-BY-4.0',
  // As permissive as those above; of what the linter of compose files brings along.
  'Python-2.0',
  // Whoever passes on a changed file of such a package shows the change. Of what builds the console; none is passed on.
  'MPL-2.0',
  // A font, which stands in for the machine's where pictures are compared.
  'OFL-1.1',
]);

/** `(MIT OR CC0-1.0)`: one of them is enough. `Apache-2.0 AND MIT`: both hold. */
const isAllowed = (licence: string) => {
  const names = (text: string) => text.replace(/[()]/g, '').split(/ (?:AND|OR) /);
  return / OR /.test(licence)
    ? names(licence).some((name) => licences.has(name))
    : names(licence).every((name) => licences.has(name));
};

test('S65: each package is held to what it was, by a hash', () => {
  expect(installed.length).toBeGreaterThan(500);
  // One from another place than the registry would say where it is from.
  const loose = installed.filter(([, one]) => !/^sha512-/.test(one.integrity ?? '') || one.resolved);
  expect(loose.map(([path]) => path)).toEqual([]);
});

test('S65: nothing is run by installing', () => {
  expect(readFileSync('.npmrc', 'utf8')).toMatch(/^ignore-scripts=true$/m);
  // None of those that would run something, if they were let, needs it to work.
  const scripts = installed.filter(([, one]) => one.hasInstallScript && !one.dev).map(([path]) => path);
  expect(scripts).toEqual(['node_modules/@apollo/protobufjs']);
});

test('S65: each package has a licence that is allowed', () => {
  const others = installed.filter(([, { license = 'none' }]) => !isAllowed(license));
  expect(others.map(([path, { license }]) => `${path}: ${license}`)).toEqual([]);
  const passedOn = installed.filter(
    ([, one]) => /^(CC-BY-4\.0|Python-2\.0|MPL-2\.0|OFL-1\.1)$/.test(one.license ?? '') && !one.dev,
  );
  expect(passedOn).toEqual([]);
});

test.each([
  ['graphql', '16.15.0'],
  ['@apollo/server', '5.5.0'],
  ['typeorm', '1.1.0'],
  ['jose', '6.0.0'],
  ['undici', '7.0.0'],
])('S65: %s is no older than %s, which mended what callers could do to it', (name, floor) => {
  const parts = (version: string) => version.split(/[.-]/).map(Number);
  const own = parts(packages[`node_modules/${name}`]?.version ?? '0.0.0');
  const least = parts(floor);
  const differs = least.findIndex((part, at) => part !== own[at]);
  expect(differs < 0 || (own[differs] ?? 0) > (least[differs] ?? 0)).toBe(true);
});
