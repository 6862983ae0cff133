import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { start } from '../../src/cli/main.js';
import { readConfig } from '../../src/config/config.js';
import { sql, type Database } from '../../src/database/database.js';
import { openLog } from '../../src/log.js';
import { expectData, makeAccount, makeCredential, makeProject, unique } from '../support/make.js';
import { emptyPlace, onServer } from '../support/process.js';
import { doorTo, sharedServer, startTestServer, type Door } from '../support/server.js';

const nfc = (text: string) => text.normalize('NFC');
const nfd = (text: string) => text.normalize('NFD');
const isIn = (text: string) =>
  `"${[...text].map((letter) => (letter < '\x7f' ? letter : `\\u${letter.codePointAt(0)?.toString(16)}`)).join('')}"`;

interface Place {
  door: Door;
  db: Database;
  end(): Promise<unknown>;
}

const postgres = process.env['TEST_DATABASE_URL'];

/** A Keyway on a database of its own, made with this locale. */
async function startIn(locale: string): Promise<Place> {
  const place = await emptyPlace();
  const name = unique('keyway_test').replaceAll('-', '_');
  await onServer(postgres ?? '', `CREATE DATABASE ${name} ENCODING 'UTF8' ${locale} TEMPLATE template0`);
  const url = Object.assign(new URL(postgres ?? ''), { pathname: `/${name}` }).href;
  const environment = { ...place.environment, DATABASE_URL: url, KEYWAY_SYNC_MINUTES: '0' };
  const running = await start(readConfig(environment), openLog('fatal'));
  return {
    door: doorTo(running.url, readFileSync(join(place.folder, 'admin-token'), 'utf8').trim()),
    db: running.db,
    end: async () => {
      await running.stop();
      await onServer(postgres ?? '', `DROP DATABASE ${name} WITH (FORCE)`);
      await place.drop();
    },
  };
}

const shared = async (): Promise<Place> => {
  const server = await sharedServer();
  return { door: server, db: server.db, end: () => Promise.resolve() };
};

/** In the order of `Intl.Collator`, which is that of the Unicode collation. */
const inOrder = [
  ...[
    '_x',
    '"q"',
    '«r»',
    '(x)',
    '#1',
    '~t',
    '$5',
    '€6',
    '10',
    '1x',
    '2',
    'a b',
    'a_b',
    'a-b',
    'a.b',
    'a/b',
    'a1',
  ],
  ...[
    'aa',
    'ab',
    'aeon',
    'æons',
    'afar',
    'apple',
    'Apple',
    'arger',
    'Arger',
    'ärger',
    'Ärger',
    'co op',
    'co-op',
    'coop',
  ],
  ...[
    'da',
    'đa',
    'db',
    'eclair',
    'Eclair',
    'éclair',
    'eclat',
    'lodz',
    'Łódź',
    'lom',
    'øl',
    'om',
    'strasse',
    'Straße',
  ],
  ...['straten', 'Zebra', 'Zoe', 'Zoë', 'zoo', 'Ωmega', 'иа', 'й', 'к', '東'],
];

describe.each<[string, () => Promise<Place>]>([
  ['the usual database', shared],
  ...(postgres === undefined
    ? []
    : ["LOCALE 'C'", "LOCALE_PROVIDER icu ICU_LOCALE 'tr' LOCALE 'C'"].map(
        (locale): [string, () => Promise<Place>] => [`a database of ${locale}`, () => startIn(locale)],
      )),
])('in %s', (_, open) => {
  let place: Place;
  let door: Door;
  let account: string;
  beforeAll(async () => {
    place = await open();
    door = place.door;
    account = await makeAccount(door);
  });
  afterAll(() => place.end());

  test.each([
    ['Zoë', nfc, 'Zoë', nfd],
    ['Zoë', nfd, 'Zoë', nfc],
    ['Zoë', nfd, 'oë', nfd, false],
    ['Zoë', nfd, 'ZO', nfd],
    ['Ärger', nfc, 'ärger', nfc],
    ['ärger', nfd, 'ÄRGER', nfc],
    ['Ärger', nfc, 'är', nfd],
    ['ΟΔΟΣ', nfc, 'οδος', nfc],
    ['Ёлка', nfd, 'ёлк', nfc],
    ['Straße', nfc, 'STRASSE', nfc],
    ['STRASSE', nfc, 'straße', nfc],
    ['İstanbul', nfd, 'istanbul', nfc],
    ['ISTANBUL', nfc, 'istanbul', nfc],
    ['Ｆｕｌｌ', nfc, 'full', nfc],
    ['ﬁle', nfc, 'FILE', nfc],
    ['Ǆ ǰ', nfc, nfd('J̌'), nfc],
    ['ｘ％ｙ', nfc, 'x%y', nfc],
    ['x.y', nfc, '％.y', nfc, false],
    ['crane-hb', nfc, 'hb', nfc],
    ['crane_hb', nfc, 'HB', nfc],
    ['crane.hb', nfc, 'h', nfc],
    ['crane/hb', nfc, 'hb', nfc],
    ['crane hb', nfc, 'hb', nfc],
    ['cranehb', nfc, 'hb', nfc, false],
    ['crane-hb', nfc, 'ne-h', nfc],
    ['crane-hb', nfc, 'e-hb', nfc],
    ['crane-hb', nfc, 'ne_h', nfc, false],
    ['snake_case.name/x', nfc, 'ke_case.name/', nfc],
    ['a-b', nfc, 'a-', nfc],
  ])('a name is looked for by a part: %s %o, %s %o, found %s', async (name, as, search, by, found = true) => {
    const own = await makeAccount(door);
    const { id } = await makeCredential(door, own, { name: as(name), ...password('qqq') });
    await makeCredential(door, own, { name: 'quux', ...password('quux') });
    const answer = await door.ask(
      'query ($filter: CredentialFilter) { credentials(filter: $filter) { nodes { id } totalCount } }',
      { filter: { account: [own], search: by(search) } },
    );
    expect(expectData(answer).credentials).toEqual(
      found ? { nodes: [{ id }], totalCount: 1 } : { nodes: [], totalCount: 0 },
    );
  });

  test.each([
    { title: nfd('Zoë Ärger'), search: nfc('zoë ä') },
    { title: nfc('Zoë Ärger'), search: nfd('ÄR') },
    { title: 'Crane-hb', search: 'HB' },
  ])('an account of the title $title is found by $search', async ({ title, search }) => {
    const parent = await makeAccount(door);
    const id = await makeAccount(door, { parent, title });
    await makeAccount(door, { parent, title: 'quux', name: unique('quux') });
    const answer = await door.ask(
      'query ($filter: AccountFilter) { accounts(filter: $filter) { nodes { id } totalCount } }',
      { filter: { parent: [parent], search } },
    );
    expect(expectData(answer).accounts).toEqual({ nodes: [{ id }], totalCount: 1 });
  });

  test('names are in the order in which people look for them, forwards and backwards, page by page', async () => {
    const made: string[] = [];
    // As one keyboard and another compose them, and each twice: what is equal is told apart by its id.
    for (const [index, name] of [...inOrder, ...inOrder].reverse().entries())
      made.push((await makeCredential(door, account, { name: index % 2 ? nfd(name) : nfc(name) })).id);
    for (const direction of ['ASC', 'DESC']) {
      const forwards: { id: string; name: string }[] = [];
      const backwards: typeof forwards = [];
      for (let after: string | null = null; ;) {
        const page = await credentials({ direction, first: 7, after });
        forwards.push(...page.nodes);
        if (!page.pageInfo.hasNextPage) break;
        after = page.pageInfo.endCursor;
      }
      for (let before: string | null = null; ;) {
        const page = await credentials({ direction, last: 7, before });
        backwards.unshift(...page.nodes);
        if (!page.pageInfo.hasPreviousPage) break;
        before = page.pageInfo.startCursor;
      }
      const expected = inOrder.flatMap((name) => [name, name]);
      if (direction === 'DESC') expected.reverse();
      expect(forwards.map(({ name }) => nfc(name))).toEqual(expected);
      expect(new Set(forwards.map(({ id }) => id))).toEqual(new Set(made));
      expect(backwards).toEqual(forwards);
    }
  });

  async function credentials({ direction, ...args }: Record<string, unknown>) {
    const answer = await door.ask(
      `query ($filter: CredentialFilter, $orderBy: CredentialOrder, $first: Int, $after: String, $last: Int, $before: String) {
        credentials(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
          nodes { id name } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`,
      { filter: { account: [account] }, orderBy: { by: 'NAME', direction }, ...args },
    );
    return expectData(answer).credentials as {
      nodes: { id: string; name: string }[];
      pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string; endCursor: string };
    };
  }

  test('accounts and projects are so too', async () => {
    const parent = await makeAccount(door);
    const end = unique('n').slice(1);
    const expected = ['1', '2', 'Apple', 'apple.1', 'apple1', 'banana', 'Zebra'].map(
      (name) => `${name}${end}`,
    );
    for (const name of [...expected].reverse()) {
      await makeAccount(door, { parent, name });
      await makeProject(door, parent, { name });
    }
    const list = async (args: string) =>
      expectData(
        await door.ask(
          `query ($id: ID!, $parent: [ID!]) {
            accounts(filter: { parent: $parent }, ${args}) { nodes { name } pageInfo { startCursor endCursor } }
            node(id: $id) { ... on Account {
              subAccounts(${args}) { nodes { name } } projects(${args}) { nodes { name } pageInfo { startCursor endCursor } } } } }`,
          { id: parent, parent: [parent] },
        ),
      );
    const names = (page: { nodes: { name: string }[] }) => page.nodes.map(({ name }) => name);
    const all = await list('first: 100');
    expect([all.accounts, all.node.subAccounts, all.node.projects].map(names)).toEqual([
      expected,
      expected,
      expected,
    ]);
    const { accounts } = await list('first: 3');
    const next = await door.ask(
      `query ($parent: [ID!], $after: String) { accounts(filter: { parent: $parent }, after: $after) { nodes { name } } }`,
      { parent: [parent], after: accounts.pageInfo.endCursor },
    );
    expect(names(expectData(next).accounts)).toEqual(expected.slice(3));
  });

  test('every letter counts as its other case, and as what it is composed of', async () => {
    const letters = Array.from({ length: 0x1f000 }, (_, code) => code)
      .filter((code) => code < 0xd800 || code > 0xdfff)
      .map((code) => String.fromCodePoint(code))
      .filter((letter) => /[\p{L}\p{N}]/u.test(letter) && oldEnough.test(letter));
    const others = letters.map((letter) => {
      const other = letter.toLowerCase();
      return nfd([...other].length === 1 ? other : letter);
    });
    const unlike = await place.db.rows<{ letter: string }>(
      sql(`SELECT letter FROM unnest(CAST(:letters AS text[]), CAST(:others AS text[])) AS pair (letter, other)
        WHERE keyway_fold(letter) <> keyway_fold(other) OR keyway_fold(keyway_fold(letter)) <> keyway_fold(letter)`),
      { letters, others },
    );
    expect(unlike.map(({ letter }) => isIn(letter))).toEqual([]);
  });

  test('the longest name has room in the index, whatever it is of', async () => {
    for (const letter of ['\u{1f980}', 'ﷺ', '\u{1d15e}', 'ß', '東'])
      for (const name of [letter.repeat(200 / letter.length), varied(letter)])
        expect((await makeCredential(door, await makeAccount(door), { name })).id).toMatch(/./);
  });
});

/** Its access key is not made at random: nothing that is looked for is in it. */
const password = (username: string) => ({ secret: { password: { username } } });

/** What compresses badly. */
const varied = (letter: string) =>
  Array.from({ length: 100 }, (_, index) =>
    String.fromCodePoint((letter.codePointAt(0) ?? 0) - ((index * 37) % 50)),
  ).join('');
/** Of Unicode 13, which the oldest PostgreSQL here knows. */
const oldEnough = /^[\0-\ua7bf\uac00-\uffff\u{10000}-\u{104ff}]$/u;

test('what was there before is found and ordered as well, and goes back', async () => {
  const server = await startTestServer();
  try {
    const account = await makeAccount(server);
    const runner = server.db.source;
    await runner.undoLastMigration({ transaction: 'each' });
    await server.rows(
      `INSERT INTO credentials (id, store_id, account_id, kind, name, access_key)
       SELECT gen_random_uuid(), s.id, a.id, 'ACCESS_KEY', n.name, n.name
       FROM stores s, accounts a, unnest(CAST(:names AS text[])) AS n (name) WHERE s.name = 'keyway' AND a.name <> 'admin'`,
      { names: ['Zebra', nfd('Ärger'), 'apple-hb'] },
    );
    await server.rows(
      `INSERT INTO credential_uses (credential_id, unused_since) SELECT id, created_at FROM credentials ON CONFLICT DO NOTHING`,
    );
    await server.db.migrate();
    const ask = async (filter: Record<string, unknown>) =>
      expectData(
        await server.ask(
          'query ($filter: CredentialFilter) { credentials(filter: $filter, orderBy: { by: NAME, direction: ASC }) { nodes { name } } }',
          { filter: { account: [account], ...filter } },
        ),
      ).credentials.nodes.map(({ name }: { name: string }) => nfc(name));
    expect(await ask({})).toEqual(['apple-hb', 'Ärger', 'Zebra']);
    expect(await ask({ search: 'ärg' })).toEqual(['Ärger']);
    expect(await ask({ search: 'hb' })).toEqual(['apple-hb']);
  } finally {
    await server.stop();
  }
});
