import { sharedServer, type SharedServer } from '../support/server.js';
import { parseId } from '../../src/ids.js';
import { expectData, makeAccount, makeCredential, makeProject, makeRole, unique } from '../support/make.js';

// One credential for each thing that a filter can tell apart, in an account of their own.
let server: SharedServer;
let account: string;
let stores: string;
const ids: Record<string, string> = {};
const named: Record<string, string> = {};

const uuid = (id: string | undefined) => parseId(id ?? '')?.uuid ?? '';
const set = (name: string, columns: string, table = 'credentials', key = 'id') =>
  server.rows(`UPDATE ${table} SET ${columns} WHERE ${key} = :id`, { id: uuid(ids[name]) });
const run = async (mutation: string, input: Record<string, unknown>) => {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input!`;
  const document = `mutation ($input: ${type}) { ${mutation}(input: $input) { __typename } }`;
  expectData(await server.ask(document, { input }));
};

beforeAll(async () => {
  server = await sharedServer();
  account = await makeAccount(server);
  stores = expectData(await server.ask('{ store(name: "keyway") { id } }')).store.id;
  named['owner'] = await makeAccount(server);
  named['project'] = await makeProject(server, account);
  named['role'] = await makeRole(server, []);
  const admin = expectData(await server.ask('{ project(name: "admin") { id } }')).project.id;
  named['admin'] = admin;
  named['account'] = account;
  named['store'] = stores;
  const inputs: Record<string, Record<string, unknown>> = {
    plain: {},
    owned: { owner: named['owner'] },
    inProject: { project: named['project'] },
    carrying: { roles: [named['role']] },
    token: { secret: { token: {} } },
    password: { secret: { password: { username: unique('listed') } } },
    aws: {
      secret: { providerKeys: { aws: { accessKey: 'AKIAIOSFODNN7EXAMPLE', secretKey: 'k'.repeat(40) } } },
    },
    disabled: { enabled: false },
    expiring: { expiresAt: '2090-06-01T00:00:00Z' },
    expired: { expiresAt: '2090-06-01T00:00:00Z' },
    revoked: {},
    deleted: {},
    rotating: {},
    outlived: {},
    pending: {},
    unknown: {},
    due: { rotationPolicy: { every: 'P30D', gracePeriod: 'PT1H' } },
    old: {},
    usedLately: {},
    percent: { description: '100% sure' },
    underscore: { description: 'snake_case' },
    umlaut: { fullName: 'Jürgen Ångström' },
    email: { email: 'zoe@example.com' },
  };
  for (const [name, input] of Object.entries(inputs))
    ids[name] = (await makeCredential(server, account, { name: `listed ${name}`, ...input })).id;
  await set('expired', "expires_at = now() - interval '1 second'");
  await set('pending', "standing = 'PENDING'");
  await set('unknown', "standing = 'UNKNOWN'");
  const longAgo = "now() - interval '100 days'";
  await set('old', `created_at = ${longAgo}`);
  await set(
    'old',
    `last_used_at = ${longAgo}, unused_since = ${longAgo}`,
    'credential_uses',
    'credential_id',
  );
  await set('usedLately', 'last_used_at = now(), unused_since = now()', 'credential_uses', 'credential_id');
  await run('revokeCredential', { id: ids['revoked'] });
  await run('deleteCredential', { id: ids['deleted'] });
  for (const name of ['rotating', 'outlived'])
    await run('rotateCredential', { id: ids[name], gracePeriod: 'PT1H' });
  // Its grace period has ended, and no job has tidied up after it.
  await set('outlived', "rotating_until = now() - interval '1 second'");
});

const ended = ['disabled', 'expired', 'revoked', 'rotating', 'pending', 'unknown'];
const listed = () => Object.keys(ids).filter((name) => name !== 'deleted');
const but = (...names: string[]) => listed().filter((name) => !names.includes(name));

/** The names of those that fit, and their count. */
async function found(filter: Record<string, unknown>): Promise<string[]> {
  const answer = await server.ask(
    `query ($filter: CredentialFilter) { credentials(filter: $filter, first: 100) { nodes { id } totalCount } }`,
    { filter: { account: [account], ...filter } },
  );
  const { nodes, totalCount } = expectData(answer).credentials;
  expect(totalCount).toBe(nodes.length);
  return nodes.map(({ id }: { id: string }) => Object.keys(ids).find((name) => ids[name] === id)).sort();
}

const on = (...names: string[]) => names.map((name) => named[name]);

test.each<[string, () => Record<string, unknown>, () => string[]]>([
  ['nothing', () => ({}), () => but()],
  [
    'null',
    () => ({ owner: null, status: null, search: null, unusedFor: null, withoutOwner: null }),
    () => but(),
  ],
  ['an empty list of kinds', () => ({ kind: [] }), () => []],
  ['an empty list of states', () => ({ status: [] }), () => []],
  ['its store', () => ({ store: on('store') }), () => but()],
  ['its owner', () => ({ owner: on('owner') }), () => ['owned']],
  ['its project', () => ({ project: on('project') }), () => ['inProject']],
  ['the admin project: all', () => ({ project: on('admin') }), () => but()],
  ['the admin project among others: all', () => ({ project: on('project', 'admin') }), () => but()],
  ['its role', () => ({ role: on('role') }), () => ['carrying']],
  ['its kind', () => ({ kind: ['TOKEN'] }), () => ['token']],
  ['one of two kinds', () => ({ kind: ['TOKEN', 'PASSWORD'] }), () => ['token', 'password']],
  ['its provider', () => ({ provider: ['AWS'] }), () => ['aws']],
  ['PENDING', () => ({ status: ['PENDING'] }), () => ['pending']],
  ['ACTIVE', () => ({ status: ['ACTIVE'] }), () => but(...ended)],
  ['ROTATING', () => ({ status: ['ROTATING'] }), () => ['rotating']],
  ['DISABLED', () => ({ status: ['DISABLED'] }), () => ['disabled']],
  ['EXPIRED', () => ({ status: ['EXPIRED'] }), () => ['expired']],
  ['REVOKED', () => ({ status: ['REVOKED'] }), () => ['revoked']],
  ['DELETED', () => ({ status: ['DELETED'] }), () => ['deleted']],
  ['UNKNOWN', () => ({ status: ['UNKNOWN'] }), () => ['unknown']],
  ['one of two states', () => ({ status: ['REVOKED', 'DELETED'] }), () => ['revoked', 'deleted']],
  ['the deleted too', () => ({ includeDeleted: true }), () => [...but(), 'deleted']],
  [
    'an end before then',
    () => ({ expiresBefore: '2091-01-01T00:00:00Z' }),
    () => ['expiring', 'expired', 'token'],
  ],
  ['an end before now', () => ({ expiresBefore: new Date().toISOString() }), () => ['expired']],
  ['a rotation due by then', () => ({ rotationDueBefore: '2090-01-01T00:00:00Z' }), () => ['due']],
  ['a rotation due by now', () => ({ rotationDueBefore: new Date().toISOString() }), () => []],
  ['a rotation that is late', () => ({ rotationOverdue: true }), () => []],
  ['no rotation that is late', () => ({ rotationOverdue: false }), () => but()],
  ['no use for long', () => ({ unusedFor: 'P90D' }), () => ['old']],
  ['no use for longer', () => ({ unusedFor: 'P101D' }), () => []],
  ['no use at all', () => ({ unusedFor: 'PT0S' }), () => but()],
  ['no owner', () => ({ withoutOwner: true }), () => but('owned')],
  ['an owner', () => ({ withoutOwner: false }), () => ['owned']],
  ['a part of its name', () => ({ search: 'ed in' }), () => ['inProject']],
  ['its name in another case', () => ({ search: 'LISTED USEDLATELY' }), () => ['usedLately']],
  ['a part of its full name, in another case', () => ({ search: 'ÅNGSTR' }), () => ['umlaut']],
  ['a part of its e-mail', () => ({ search: '@Example.c' }), () => ['email']],
  ['a part of its access key', () => ({ search: 'STED-' }), () => ['password']],
  ['a percent sign', () => ({ search: '00% s' }), () => ['percent']],
  ['a percent sign in the middle', () => ({ search: 's%ed' }), () => []],
  ['an underscore', () => ({ search: 'ake_cas' }), () => ['underscore']],
  ['an underscore for any character', () => ({ search: 's_ake' }), () => []],
  // In letters that no access key has: those are made at random.
  ['the two characters that a word begins with', () => ({ search: 'jü' }), () => ['umlaut']],
  ['one character, a percent sign', () => ({ search: '%' }), () => []],
  ['two characters within a word', () => ({ search: 'ür' }), () => []],
  ['owner and kind', () => ({ owner: on('owner'), kind: ['ACCESS_KEY'] }), () => ['owned']],
  ['owner and another kind', () => ({ owner: on('owner'), kind: ['TOKEN'] }), () => []],
  [
    'all that fits at once',
    () => ({
      store: on('store'),
      project: on('project'),
      kind: ['ACCESS_KEY'],
      status: ['ACTIVE'],
      search: 'listed',
      withoutOwner: true,
      unusedFor: 'PT0S',
      includeDeleted: true,
    }),
    () => ['inProject'],
  ],
  ['what contradicts itself', () => ({ withoutOwner: true, owner: on('owner') }), () => []],
])('a filter by %s finds and counts just those', async (_, filter, expected) => {
  expect(await found(filter())).toEqual(expected().sort());
});

test('every status that a filter finds is the one that the credential says', async () => {
  for (const status of [
    'PENDING',
    'ACTIVE',
    'ROTATING',
    'DISABLED',
    'EXPIRED',
    'REVOKED',
    'DELETED',
    'UNKNOWN',
  ]) {
    const answer = await server.ask(
      `query ($filter: CredentialFilter) { credentials(filter: $filter, first: 100) { nodes { status } } }`,
      { filter: { account: [account], status: [status] } },
    );
    const told = expectData(answer).credentials.nodes.map((node: { status: string }) => node.status);
    expect(new Set(told)).toEqual(new Set([status]));
  }
});

test('a filter by status finds a credential in one state alone', async () => {
  const states = ['PENDING', 'ACTIVE', 'ROTATING', 'DISABLED', 'EXPIRED', 'REVOKED', 'DELETED', 'UNKNOWN'];
  const all: string[] = [];
  for (const status of states) all.push(...(await found({ status: [status] })));
  expect(all.sort()).toEqual(Object.keys(ids).sort());
});

test('a nested list takes the same filter', async () => {
  const answer = await server.ask(
    `query ($id: ID!, $filter: CredentialFilter) { node(id: $id) { ... on Account {
      credentials(filter: $filter, first: 100) { nodes { id } totalCount }
    } } }`,
    { id: account, filter: { kind: ['TOKEN', 'PASSWORD'], search: 'listed' } },
  );
  const { nodes, totalCount } = expectData(answer).node.credentials;
  expect(nodes.map(({ id }: { id: string }) => id)).toEqual([ids['password'], ids['token']]);
  expect(totalCount).toBe(2);
});

test('the admin project lists all credentials, those of no project too', async () => {
  const answer = await server.ask(
    `query ($filter: CredentialFilter) { project(name: "admin") { credentials(filter: $filter) { totalCount } } }`,
    { filter: { account: [account] } },
  );
  expect(expectData(answer).project.credentials.totalCount).toBe(but().length);
});

test.each([
  ['kind', ['ORGANIZATION'], 1],
  ['kind', ['PERSON', 'SERVICE'], 2],
  ['search', 'part person', 1],
  ['search', 'PARTS@EXAMPLE', 1],
  ['search', 'a part', 3],
  ['search', '%', 0],
])('a filter of accounts by %s %j finds and counts %i', async (member, value, count) => {
  const parent = await makeAccount(server);
  const title = unique('A part');
  await makeAccount(server, { parent, title });
  await makeAccount(server, { parent, title: `${title} person`, kind: 'PERSON' });
  await makeAccount(server, { parent, title, kind: 'SERVICE', email: 'parts@example.com' });
  const wanted = value === 'part person' ? `${title} person` : value;
  const answer = await server.ask(
    'query ($filter: AccountFilter) { accounts(filter: $filter) { nodes { id } totalCount } }',
    { filter: { parent: [parent], [member]: wanted } },
  );
  const { nodes, totalCount } = expectData(answer).accounts;
  expect([nodes.length, totalCount]).toEqual([count, count]);
});

test.each([
  ['projects', 'search', 'of sums', 1],
  ['projects', 'search', 'LEDGER', 3],
  ['projects', 'search', '_', 0],
  ['projects', 'account', 'own', 3],
  ['projects', 'account', 'other', 0],
  ['roles', 'search', 'LEDGER', 3],
  ['roles', 'search', 'ledger', 3],
  ['roles', 'search', '%', 0],
  ['roles', 'account', 'own', 3],
  ['roles', 'account', 'other', 0],
] as const)('a filter of %s by %s %s finds and counts %i', async (field, member, value, count) => {
  const [own, other] = [await makeAccount(server), await makeAccount(server)];
  const ending = unique('x');
  for (const name of ['ledger', 'a.ledger', 'the-ledger']) {
    const title = name === 'ledger' ? 'Book of sums' : name;
    await makeProject(server, own, { name: `${name}${ending}`, title });
    await makeRole(server, [], { account: own, name: `${name}${ending}`.toUpperCase() });
  }
  const answer = await server.ask(
    `query ($filter: ${field === 'projects' ? 'ProjectFilter' : 'RoleFilter'}) {
      ${field}(filter: $filter) { nodes { id account { id } } totalCount } }`,
    {
      filter:
        member === 'account'
          ? { account: [value === 'own' ? own : other], search: ending }
          : { account: [own], search: value },
    },
  );
  const { nodes, totalCount } = expectData(answer)[field];
  expect([nodes.length, totalCount]).toEqual([count, count]);
  expect(nodes.every(({ account }: { account: { id: string } }) => account.id === own)).toBe(true);
});
