import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/**
 * Which way the files look: each imports from its own room or from a line further down, types included. Names on one
 * line do not know each other. A room is a folder of src/, a file that lies loose in it, or the migrations. The page
 * about the house owns the line.
 */
const line = /```text\n([^`]*)```/.exec(readFileSync('docs/house.md', 'utf8'))?.[1] ?? '';

/** Files that read a plain secret, and why each must. */
const exposing = [
  'audit/stream/collector', // the token that Keyway has for a collector
  'access/issuers/asked-keys', // the token that an issuer wants from whoever reads its keys
  'cli/cli', // prints the token that was asked for
  'commands/door/graph', // the token that a Keyway wants, and the secrets of a request to it
  'commands/run', // the environment of a program that is run with it
  'commands/exec-credential', // a secret for a program that asks this one for it
  'commands/issued', // a secret for a shell, or one part of it, that was asked for
  'commands/door/profiles', // the file that keeps the tokens of profiles
  'commands/terminal/texts', // an answer that was asked for with its secret
  'start/first-start', // writes the first token to its file
  'telemetry/exporter', // headers, such as a token, that a collector of traces wants
  'accounts/mfa.resolver', // the answers that show a new second factor and its recovery codes
  'accounts/recovery-codes', // keeps a tag of each code
  'connectors/answers', // what a store has made is held to its rules
  'connectors/apinizer/apinizer', // the new password that Apinizer is to keep
  'connectors/apinizer/calls', // the token that Keyway has for Apinizer
  'connectors/apinizer/user', // the password that Apinizer wants with every change
  'connectors/landscape/session', // what Keyway logs in with at Landscape
  'connectors/ncloud/sts', // the code of a second factor goes to the store
  'connectors/seqera/calls', // the token that Keyway has for Seqera
  'connectors/seqera/providers', // the keys that Seqera is to keep
  'connectors/veracode/connection', // whether the key that Keyway is to have for Veracode is one that can sign
  'idempotency/answer', // seals an answer and its secrets as one text, and opens it
  'credentials/secret/issued-secret', // the answer that shows it
  'credentials/secret/keep-secret', // seals many values as one text
  'rate-limits/in-redis', // the password that Redis wants
  'signatures/mac', // the key of an HMAC is the secret as it is written
  'start/key-providers/vault', // what Keyway logs in with at Vault
  'stores/open', // seals and opens what Keyway proves itself with at a store, many values as one text
  'signatures/veracode', // and with Veracode the bytes that its digits stand for
];

interface Import {
  from: string;
  to: string;
}

const files = (folder: string): string[] =>
  readdirSync(folder)
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? files(path) : path.endsWith('.ts') ? [path] : []));

/** `src/access/acting.ts` is called `access/acting`. */
const nameOf = (path: string) => path.replace(/^src\//, '').replace(/\.[jt]s$/, '');

const all = [...files('src'), ...files('migrations')].map((path) => ({
  path,
  name: nameOf(path),
  text: readFileSync(path, 'utf8'),
}));
const sources = all.filter(({ path }) => path.startsWith('src/'));

const imports: Import[] = all.flatMap(({ path, name, text }) =>
  [/^(?:import|export)\b[^'";]*\bfrom '(\.[^']+)'/gm, /^import '(\.[^']+)'/gm, /\bimport\('(\.[^']+)'\)/g]
    .flatMap((form) => [...text.matchAll(form)])
    .map(([, to = '']) => ({ from: name, to: nameOf(normalize(join(dirname(path), to))) })),
);

const roomOf = (name: string) => (name.includes('/') ? `${name.split('/')[0]}/` : name);
const rooms = [...new Set(all.map(({ name }) => roomOf(name)))];
const between = imports.filter(({ from, to }) => roomOf(from) !== roomOf(to));
const ranks = new Map(
  line
    .trim()
    .split('\n')
    .flatMap((names, rank) => names.split('·').map((name): [string, number] => [name.trim(), rank])),
);
const upward = between.filter(
  ({ from, to }) => (ranks.get(roomOf(to)) ?? -1) <= (ranks.get(roomOf(from)) ?? Infinity),
);

/** The rings of files that import each other, each told by the way around. */
function circles(): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const found: string[] = [];
  const walk = (name: string, path: string[]) => {
    if (path.includes(name)) found.push([...path.slice(path.indexOf(name)), name].join(' → '));
    if (done.has(name) || path.includes(name)) return;
    for (const other of next.get(name) ?? []) walk(other, [...path, name]);
    done.add(name);
  };
  for (const { name } of all) walk(name, []);
  return found;
}

/** How many floors the house has: a room stands one above the highest that it imports from. */
function floors(): number {
  const heights = new Map<string, number>();
  const heightOf = (room: string): number => {
    const known = heights.get(room);
    if (known !== undefined) return known;
    heights.set(room, 0);
    const below = between.filter(({ from }) => roomOf(from) === room).map(({ to }) => heightOf(roomOf(to)));
    const height = 1 + Math.max(0, ...below);
    heights.set(room, height);
    return height;
  };
  return Math.max(...rooms.map(heightOf));
}

/** How many files lie in each folder itself, but for that of the migrations: a change of the tables adds one for good. */
const sizes = new Map<string, number>();
for (const { path } of all.filter((file) => dirname(file.path) !== 'migrations'))
  sizes.set(dirname(path), (sizes.get(dirname(path)) ?? 0) + 1);

test('every room has its place in the line', () => {
  expect(rooms.filter((room) => !ranks.has(room))).toEqual([]);
  expect([...ranks.keys()].filter((room) => !rooms.includes(room))).toEqual([]);
});

test('every import looks down the line', () => {
  expect(imports.length).toBeGreaterThan(1_000);
  expect(upward.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
});

test('R29: no rule rests on what the database announces: nothing listens to it, and nothing is announced', () => {
  const announcing = all.filter(({ text }) =>
    /\bpg_notify\b|\bUN?LISTEN\b|\bNOTIFY\b|'notification'/.test(text),
  );
  expect(announcing.map(({ path }) => path)).toEqual([]);
});

test('no file imports itself by way of others', () => {
  expect(circles()).toEqual([]);
});

test('the house keeps to its figures', () => {
  const figures = {
    loose: rooms.filter((room) => !room.endsWith('/')).length,
    rooms: rooms.length,
    floors: floors(),
    betweenRooms: new Set(between.map(({ from, to }) => `${roomOf(from)} → ${roomOf(to)}`)).size,
    upward: upward.length,
    circles: circles().length,
    largestFolder: Math.max(...sizes.values()),
    inCredentials: sizes.get('src/credentials') ?? 0,
    inOutside: sizes.get('src/credentials/outside') ?? 0,
    inConnectors: sizes.get('src/connectors') ?? 0,
    inStores: sizes.get('src/stores') ?? 0,
  };
  console.info(
    Object.entries(figures)
      .map(([name, count]) => `${name} ${count}`)
      .join(', '),
  );
  const most = {
    loose: 5,
    rooms: 32,
    floors: 16,
    betweenRooms: 232,
    upward: 0,
    circles: 0,
    largestFolder: 20,
    inCredentials: 20,
    inOutside: 17,
    inConnectors: 13,
    inStores: 20,
  };
  const above = Object.entries(figures).filter(([name, count]) => count > most[name as keyof typeof most]);
  expect(above).toEqual([]);
});

test('a name that a file exports is exported by no other', () => {
  const declaration =
    /^export (?:abstract )?(?:async )?(?:const|let|function\*?|class|interface|type|enum) (\w+)/gm;
  const homes = new Map<string, Set<string>>();
  for (const { name, text } of sources)
    for (const [, exported = ''] of text.matchAll(declaration))
      homes.set(exported, (homes.get(exported) ?? new Set()).add(name));
  expect(homes.size).toBeGreaterThan(500);
  const twice = [...homes].filter(([, where]) => where.size > 1);
  expect(twice.map(([exported, where]) => `${exported}: ${[...where].join(', ')}`)).toEqual([]);
});

test.each(['keyring/', 'connectors/', 'signatures/'])(
  '%s could be lifted out: it knows errors, secret and pure functions',
  (folder) => {
    const known = new Set(['errors', 'secret', 'shares/', 'keyring/', 'connectors/', 'signatures/']);
    const others = imports.filter(({ from, to }) => roomOf(from) === folder && !known.has(roomOf(to)));
    expect(others.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  },
);

test('the keyring knows no connector, and a connector nothing of the keyring but what mints', () => {
  expect(
    between.filter(({ from, to }) => roomOf(from) === 'keyring/' && roomOf(to) === 'connectors/'),
  ).toEqual([]);
  const used = between.filter(({ from, to }) => roomOf(from) === 'connectors/' && roomOf(to) === 'keyring/');
  expect(new Set(used.map(({ to }) => to))).toEqual(new Set(['keyring/token']));
});

test('the signatures know neither of them, and nothing from outside but hashes and structured fields', () => {
  const own = imports.filter(({ from }) => roomOf(from) === 'signatures/');
  expect(own.length).toBeGreaterThan(20);
  expect(own.filter(({ to }) => ['keyring/', 'connectors/'].includes(roomOf(to)))).toEqual([]);
  const packages = sources
    .filter(({ name }) => roomOf(name) === 'signatures/')
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
      !['signatures/', 'start/demo/', 'http/explorer/'].some((folder) => name.startsWith(folder)),
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
    ({ name, text }) => /\.expose(Bytes)?\(\)/.test(text) && roomOf(name) !== 'keyring/',
  );
  expect(reading.map(({ name }) => name).sort()).toEqual([...exposing].sort());
});

test('a verb does its work while its caller may: what begins other transactions has no caller', () => {
  const beginning = sources.filter(({ text }) => /\.transaction\(/.test(text));
  expect(beginning.map(({ name }) => name).sort()).toEqual([
    'access/standing', // those of verbs, all of them
    'accounts/identities/first-sight', // whom it makes an account for has none yet
    'accounts/second-factor', // that a recovery code is used up, whatever it was for
    'audit/decisions',
    'cli/cli',
    'credentials/due/rotate-due',
    'credentials/outside/clear',
    'credentials/outside/postpone',
    'credentials/outside/settle',
    'credentials/record/last-used',
    'credentials/retire',
    'credentials/sync/syncs',
    'idempotency/forget',
    'scim/align-grants', // at the start: what groups bring is what the setting says
    'start/accept-restore',
    'start/built-in-roles',
    'start/doctor/database', // whether there can be any at all
    'start/first-start',
    'start/retire-key',
    'stores/spend',
  ]);
});

test('an event of the audit is made in one place, with the columns of one list', () => {
  const writing = sources.filter(({ text }) => /\btargetType\b/.test(text));
  expect(writing.map(({ name }) => name).sort()).toEqual([
    'access/context', // its type
    'audit/audit-event', // the column
    'audit/audit-event.resolver', // how a target is shown
    'audit/chain', // what is kept outside of one
    'audit/columns', // the list
    'audit/decision', // where it is made
    'audit/stream/streamed-event', // how it leaves
    'graph/nodes', // the target as a node
  ]);
});

test('no module keeps state, which would be one for all that a process serves: what is alike for all may be kept', () => {
  const keeping = sources.filter(({ text }) =>
    /^(export )?(let|var)\b|^(export )?const \w+(: [^=\n]+)? = (new (Map|Set|Array)\b[^(\n]*\(\)|\[\]|\{\});/m.test(
      text,
    ),
  );
  // The page of the explorer is made once.
  expect(keeping.map(({ name }) => name)).toEqual(['http/explorer/page']);
});
