import { parseId } from '../../src/ids.js';
import { startTestServer, type Answer, type TestServer } from '../support/server.js';
import { statementsOf } from '../support/statements.js';
import {
  expectData,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  makeRole,
} from '../support/make.js';

let server: TestServer;
let account: string;
let project: string;
let role: string;
/** Ten credentials of one account, in the order of their making: some have the same name, expiry and last use. */
let ids: string[];

beforeAll(async () => {
  server = await startTestServer();
  account = await makeAccount(server);
  project = await makeProject(server, account);
  role = await makeRole(server, []);
  ids = [];
  const expiries = [null, '2090-01-01T00:00:00Z', null, '2091-01-01T00:00:00Z', '2090-01-01T00:00:00Z'];
  for (let index = 0; index < 10; index++) {
    const made = await makeCredential(server, account, {
      name: ['beta', 'alpha', 'Zulu', 'beta', 'beta'][index % 5],
      expiresAt: expiries[index % 5],
      project,
      roles: [role],
    });
    ids.push(made.id);
  }
  const used = ids.filter((_, index) => index % 3 === 0).map(uuid);
  await server.rows(
    `UPDATE credential_uses SET last_used_at = CAST('2026-01-01' AS timestamptz) + (number / 2) * interval '1 hour'
     FROM unnest(CAST(:used AS uuid[])) WITH ORDINALITY AS one (id, number) WHERE credential_id = one.id`,
    { used },
  );
});
afterAll(() => server.stop());

const uuid = (id: string) => parseId(id)?.uuid ?? '';

interface Page {
  nodes: { id: string }[];
  edges: { cursor: string; node: { id: string } }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string; endCursor: string };
  totalCount?: number;
}

const document = (selected = '') => `query (
  $filter: CredentialFilter, $orderBy: CredentialOrder, $first: Int, $after: String, $last: Int, $before: String
) {
  credentials(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
    nodes { id } edges { cursor node { id } } ${selected}
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;

/** A page of the ten. */
const ask = (args: Record<string, unknown>, selected?: string, token?: string): Promise<Answer> =>
  server.ask(document(selected), { filter: { account: [account] }, ...args }, token ? { token } : {});
const page = async (args: Record<string, unknown>, selected?: string): Promise<Page> =>
  expectData(await ask(args, selected)).credentials;

// The order that PostgreSQL is to keep: by this, then by id.
const keys: Record<string, string> = {
  CREATED_AT: 'c.created_at',
  NAME: 'c.sort_name',
  EXPIRES_AT: "coalesce(c.expires_at, 'infinity')",
  LAST_USED_AT: 'u.last_used_at',
};
async function inOrder(by: string, direction: string): Promise<string[]> {
  const rows = await server.rows<{ id: string }>(
    `SELECT c.id FROM credentials c JOIN credential_uses u ON u.credential_id = c.id WHERE c.account_id = :account
     ORDER BY ${keys[by]} ${direction}, c.id ${direction}`,
    { account: uuid(account) },
  );
  return rows.map((row) => ids.find((id) => uuid(id) === row.id) ?? '');
}

const orders = Object.keys(keys).flatMap((by) => ['ASC', 'DESC'].map((direction) => ({ by, direction })));

describe('the pages of a list', () => {
  test.each(orders)('by $by $direction, forwards, hold each row once and in order', async (orderBy) => {
    const expected = await inOrder(orderBy.by, orderBy.direction);
    const found: string[] = [];
    let after: string | null = null;
    for (let index = 0; index < 4; index++) {
      const { nodes, edges, pageInfo }: Page = await page({ orderBy, first: 3, after });
      found.push(...nodes.map(({ id }) => id));
      expect(edges.map(({ node }) => node)).toEqual(nodes);
      expect([pageInfo.startCursor, pageInfo.endCursor]).toEqual([edges[0]?.cursor, edges.at(-1)?.cursor]);
      expect([pageInfo.hasPreviousPage, pageInfo.hasNextPage]).toEqual([index > 0, index < 3]);
      after = pageInfo.endCursor;
    }
    expect(found).toEqual(expected);
    expect(await page({ orderBy, first: 3, after })).toMatchObject({
      nodes: [],
      pageInfo: { hasNextPage: false },
    });
  });

  test.each(orders)('by $by $direction, backwards, hold each row once and in order', async (orderBy) => {
    const expected = await inOrder(orderBy.by, orderBy.direction);
    const found: string[] = [];
    let before: string | null = null;
    for (let index = 0; index < 4; index++) {
      const { nodes, pageInfo }: Page = await page({ orderBy, last: 3, before });
      found.unshift(...nodes.map(({ id }) => id));
      expect([pageInfo.hasNextPage, pageInfo.hasPreviousPage]).toEqual([index > 0, index < 3]);
      before = pageInfo.startCursor;
    }
    expect(found).toEqual(expected);
  });

  test.each(orders)('by $by $direction, go back to where one came from', async (orderBy) => {
    const first = await page({ orderBy, first: 4 });
    const second = await page({ orderBy, first: 4, after: first.pageInfo.endCursor });
    const back = await page({ orderBy, last: 4, before: second.pageInfo.startCursor });
    expect(back.nodes).toEqual(first.nodes);
  });

  test('are of twenty rows where nothing is said, newest first', async () => {
    const { nodes, pageInfo } = await page({});
    expect(nodes.map(({ id }) => id)).toEqual([...ids].reverse());
    expect(pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: false });
  });

  test('stay in order while rows come and go', async () => {
    const other = await makeAccount(server);
    const made: string[] = [];
    for (let index = 0; index < 4; index++) made.push((await makeCredential(server, other)).id);
    const filter = { account: [other] };
    const orderBy = { by: 'CREATED_AT', direction: 'ASC' };
    const first = await page({ filter, orderBy, first: 2 });
    await server.ask('mutation ($id: ID!) { deleteCredential(input: { id: $id }) { credential { id } } }', {
      id: made[1],
    });
    const later = await makeCredential(server, other);
    const next = await page({ filter, orderBy, first: 10, after: first.pageInfo.endCursor });
    expect(next.nodes.map(({ id }) => id)).toEqual([made[2], made[3], later.id]);
  });
});

describe('the size of a page', () => {
  test.each([
    ['first', 1],
    ['first', 100],
    ['last', 1],
    ['last', 100],
  ])('may be %s %i', async (name, size) => {
    expect((await page({ [name]: size })).nodes).toHaveLength(Math.min(size, 10));
  });

  test.each([
    ['first', 0],
    ['first', -1],
    ['last', 0],
    ['last', -100],
  ])('S2: is not %s %i: BAD_USER_INPUT', async (name, size) => {
    const { code, errors } = await ask({ [name]: size });
    expect([code, errors[0]?.extensions.fields?.map(({ path }) => path)]).toEqual(['BAD_USER_INPUT', [name]]);
  });

  test.each([
    ['first', 101],
    ['last', 101],
    ['first', 2_147_483_647],
  ])('S2: is not %s %i: LIMIT_EXCEEDED', async (name, size) => {
    expect((await ask({ [name]: size })).code).toBe('LIMIT_EXCEEDED');
  });

  test.each([
    ['after', { last: 3 }],
    ['before', { first: 3 }],
    ['before', {}],
  ])('goes with its own cursor alone: %s with %j is BAD_USER_INPUT', async (name, size) => {
    const { pageInfo } = await page({});
    const { code, errors } = await ask({ ...size, [name]: pageInfo.startCursor });
    expect([code, errors[0]?.extensions.fields?.map(({ path }) => path)]).toEqual(['BAD_USER_INPUT', [name]]);
  });
});

describe('the count', () => {
  /** How many statements that count were run meanwhile. */
  async function counting(work: () => Promise<unknown>): Promise<number> {
    const { statements } = await statementsOf(server, work);
    return statements.filter(({ text }) => text.includes('count(*)')).length;
  }

  test('is of all rows, whatever the page, and asked of the database only when wanted', async () => {
    expect(await counting(() => page({ first: 3 }))).toBe(0);
    const { pageInfo } = await page({ first: 3 });
    const counted = await counting(async () => {
      expect((await page({ first: 3, after: pageInfo.endCursor }, 'totalCount')).totalCount).toBe(10);
    });
    expect(counted).toBe(1);
  });

  test('is one statement for the lists under many parents', async () => {
    const parent = await makeAccount(server);
    for (let index = 0; index < 3; index++)
      await makeCredential(server, await makeAccount(server, { parent }), { project: undefined });
    const nested = (count: string) =>
      server.ask(
        `query ($parent: ID!) { node(id: $parent) { ... on Account {
          subAccounts { nodes { credentials(first: 1) { nodes { id } ${count} } } }
        } } }`,
        { parent },
      );
    expect(await counting(() => nested(''))).toBe(0);
    const counted = await counting(async () => {
      const lists = expectData(await nested('totalCount')).node.subAccounts.nodes;
      expect(lists.map((one: { credentials: { totalCount: number } }) => one.credentials.totalCount)).toEqual(
        [1, 1, 1],
      );
    });
    expect(counted).toBe(1);
  });
});

describe('S34: a cursor', () => {
  const orderBy = { by: 'NAME', direction: 'ASC' };
  const cursorOf = async () => (await page({ orderBy, first: 3 })).pageInfo.endCursor;
  const edited = (cursor: string, edit: (payload: unknown[]) => unknown) => {
    const bytes = Buffer.from(cursor, 'base64url');
    const payload = edit(JSON.parse(bytes.subarray(32).toString()) as unknown[]);
    return Buffer.concat([bytes.subarray(0, 32), Buffer.from(JSON.stringify(payload))]).toString('base64url');
  };

  test.each<[string, (cursor: string) => string]>([
    ['made up', () => Buffer.from(JSON.stringify(['alpha', uuid(ids[0] ?? '')])).toString('base64url')],
    ['with a seal made up', (cursor) => 'A'.repeat(42) + cursor.slice(42)],
    ['with another value', (cursor) => edited(cursor, ([, id]) => ['', id])],
    ['with another id', (cursor) => edited(cursor, ([value]) => [value, uuid(ids[9] ?? '')])],
    ['with SQL in its value', (cursor) => edited(cursor, ([, id]) => ["') OR true --", id])],
    ['with one member more', (cursor) => edited(cursor, (members) => [...members, true])],
    ['with one character cut off', (cursor) => cursor.slice(0, -1)],
    ['cut in half', (cursor) => cursor.slice(0, cursor.length / 2)],
    ['cut to its seal', (cursor) => cursor.slice(0, 43)],
    ['with a character more', (cursor) => `${cursor}A`],
    ['padded', (cursor) => `${cursor}=`],
    ['with a line break', (cursor) => `${cursor}\n`],
    ['in the other alphabet', (cursor) => Buffer.from(cursor, 'base64url').toString('base64') + '=='],
    ['with its first bit changed', (cursor) => (cursor.startsWith('A') ? 'B' : 'A') + cursor.slice(1)],
    ['that is no base64', () => '☃'],
  ])('%s is BAD_USER_INPUT', async (_, spoil) => {
    const after = spoil(await cursorOf());
    const { code, errors, data, text } = await ask({ orderBy, after });
    expect([code, data]).toEqual(['BAD_USER_INPUT', null]);
    expect(errors[0]?.extensions.fields?.map(({ path }) => path)).toEqual(['after']);
    expect(text).not.toContain(after.trim());
  });

  test.each(orders.filter(({ by, direction }) => by !== 'NAME' || direction !== 'ASC'))(
    'of another order, for $by $direction, is BAD_USER_INPUT',
    async (other) => {
      expect((await ask({ orderBy: other, after: await cursorOf() })).code).toBe('BAD_USER_INPUT');
      expect((await ask({ orderBy: other, last: 2, before: await cursorOf() })).code).toBe('BAD_USER_INPUT');
    },
  );

  test.each(['accounts', 'projects', 'roles', 'auditEvents'])(
    'of another list, for %s, is BAD_USER_INPUT',
    async (list) => {
      const { code } = await server.ask(
        `query ($after: String) { ${list}(after: $after) { nodes { id } } }`,
        {
          after: await cursorOf(),
        },
      );
      expect(code).toBe('BAD_USER_INPUT');
    },
  );

  test('shows its next holder no more than they may see, and changes no filter', async () => {
    const { pageInfo } = await page({ orderBy, first: 1 });
    const stranger = await makeCaller(server, ['CREDENTIAL_READ'], { onAccount: await makeAccount(server) });
    const answer = await ask(
      { filter: {}, orderBy, after: pageInfo.endCursor },
      'totalCount',
      stranger.token,
    );
    const { nodes, totalCount } = expectData(answer).credentials;
    expect([nodes, totalCount]).toEqual([[{ id: stranger.credential }], 1]);
    const filtered = await page({
      filter: { search: 'alpha', account: [account] },
      orderBy,
      after: pageInfo.startCursor,
    });
    const alphas = (await inOrder('NAME', 'ASC')).filter((id) => ids.indexOf(id) % 5 === 1);
    expect(filtered.nodes.map(({ id }) => id)).toEqual(alphas.slice(1));
  });
});

test.each([
  ['credentials(filter: { search: "" })', 'filter.search'],
  ['accounts(filter: { search: "" })', 'filter.search'],
  ['accounts(first: 1, filter: { parent: ["no id"] })', 'filter.parent.0'],
  ['auditEvents(filter: { action: [""] })', 'filter.action.0'],
  ['projects(after: "")', 'after'],
  ['projects(filter: { search: "" })', 'filter.search'],
  ['projects(filter: { account: ["no id"] })', 'filter.account.0'],
  ['roles(filter: { search: "" })', 'filter.search'],
  ['roles(filter: { account: ["no id"] })', 'filter.account.0'],
  ['roles(filter: { store: ["no id"] })', 'filter.store.0'],
])('a fault in %s is told by its path: %s', async (field, path) => {
  const { code, errors } = await server.ask(`{ ${field} { nodes { id } } }`);
  expect([code, errors[0]?.extensions.fields?.map((fault) => fault.path)]).toEqual([
    'BAD_USER_INPUT',
    [path],
  ]);
});

describe('the lists within', () => {
  interface Nested {
    of: string;
    id: () => string;
    field: string;
    /** In the order of the list. */
    expected: () => string[] | Promise<string[]>;
  }
  let subAccounts: string[];
  let projects: string[];
  let derived: string[];
  let events: string[];

  beforeAll(async () => {
    const names = ['n1', 'n2', 'n3', 'n4', 'n5'].map((name) => `nested-${name}`);
    subAccounts = [];
    projects = [project];
    for (const name of names) subAccounts.push(await makeAccount(server, { parent: account, name }));
    for (const name of names) projects.push(await makeProject(server, account, { name: `z${name}` }));
    const [parent = '', ...others] = ids;
    derived = others.slice(0, 5);
    await server.rows('UPDATE credentials SET parent_id = :parent WHERE id = ANY(CAST(:derived AS uuid[]))', {
      parent: uuid(parent),
      derived: derived.map(uuid),
    });
    for (const category of names) {
      await server.ask(
        'mutation ($input: UpdateCredentialInput!) { updateCredential(input: $input) { credential { id } } }',
        {
          input: { id: ids[9], category },
        },
      );
    }
    const rows = await server.ask(
      'query ($target: ID!) { auditEvents(filter: { target: [$target] }) { nodes { id } } }',
      { target: ids[9] },
    );
    events = expectData(rows).auditEvents.nodes.map(({ id }: { id: string }) => id);
  });

  const newest = () => [...ids].reverse();
  test.each<Nested>([
    { of: 'Account', id: () => account, field: 'credentials', expected: newest },
    { of: 'Account', id: () => account, field: 'subAccounts', expected: () => subAccounts },
    { of: 'Account', id: () => account, field: 'projects', expected: () => projects },
    { of: 'Project', id: () => project, field: 'credentials', expected: newest },
    { of: 'Role', id: () => role, field: 'credentials', expected: newest },
    { of: 'Credential', id: () => ids[0] ?? '', field: 'derived', expected: () => [...derived].reverse() },
    { of: 'Credential', id: () => ids[9] ?? '', field: 'auditEvents', expected: () => events },
  ])('$of.$field: its pages hold each row once and in order', async ({ of, id, field, expected }) => {
    const all = await expected();
    expect(all.length).toBeGreaterThan(4);
    const found: string[] = [];
    let after: string | null = null;
    do {
      const answer: Answer = await server.ask(
        `query ($id: ID!, $after: String) { node(id: $id) { ... on ${of} {
          ${field}(first: 2, after: $after) { nodes { id } totalCount pageInfo { hasNextPage hasPreviousPage endCursor } }
        } } }`,
        { id: id(), after },
      );
      const list = expectData(answer).node[field];
      expect(list.totalCount).toBe(all.length);
      expect(list.pageInfo.hasPreviousPage).toBe(after !== null);
      found.push(...list.nodes.map((node: { id: string }) => node.id));
      after = list.pageInfo.hasNextPage ? list.pageInfo.endCursor : null;
    } while (after !== null);
    expect(found).toEqual(all);
  });

  test('CredentialStore.credentials: takes filter, order and page', async () => {
    const answer = await server.ask(
      `query ($account: ID!) { store(name: "keyway") { credentials(
        filter: { account: [$account] }, orderBy: { by: CREATED_AT, direction: ASC }, first: 4
      ) { nodes { id } totalCount } } }`,
      { account },
    );
    expect(expectData(answer).store.credentials).toEqual({
      nodes: ids.slice(0, 4).map((id) => ({ id })),
      totalCount: 10,
    });
  });

  test('a cursor of one list goes on in the same list of another parent, at the same place', async () => {
    const [one, other] = [await makeAccount(server), await makeAccount(server)];
    const made: string[] = [];
    for (const owner of [one, other, one, other]) made.push((await makeCredential(server, owner)).id);
    const nested = (id: string, after?: string) =>
      server.ask(
        `query ($id: ID!, $after: String) { node(id: $id) { ... on Account {
          credentials(first: 1, after: $after) { nodes { id } pageInfo { endCursor } }
        } } }`,
        { id, after },
      );
    const { nodes, pageInfo } = expectData(await nested(one)).node.credentials;
    expect(nodes).toEqual([{ id: made[2] }]);
    const next = expectData(await nested(other, pageInfo.endCursor)).node.credentials;
    expect(next.nodes).toEqual([{ id: made[1] }]);
  });
});
