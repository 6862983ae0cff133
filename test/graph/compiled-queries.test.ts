import { ApolloServer } from '@apollo/server';
import { buildSchema, parse, type DocumentNode } from 'graphql';
import { compileQuery, isCompiledQuery } from 'graphql-jit';
import { compiledQueries, isCompilable } from '../../src/graph/compiled-queries.js';
import { examples } from '../../src/http/explorer/examples.js';
import { registry } from '../../src/connectors/registry.js';
import { openSchema } from '../../src/graph/schema.js';
import { withoutLimits } from '../support/answers.js';
import {
  expectData,
  grant,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  makeRole,
  unique,
} from '../support/make.js';
import { sharedServer, type Answer, type SharedServer } from '../support/server.js';

let server: SharedServer;
let known: Record<string, string | string[]>;
let stranger: string;

beforeAll(async () => {
  server = await sharedServer();
  const account = await makeAccount(server, { title: 'An "odd" título', email: 'a@example.org' });
  const child = await makeAccount(server, { parent: account });
  const project = await makeProject(server, account, { description: 'a project' });
  const role = await makeRole(server, ['CREDENTIAL_READ', 'ROLE_READ']);
  const other = await makeRole(server, ['AUDIT_READ']);
  const granted = await grant(server, child, role, { onProject: project });
  const owned = { project, owner: child, roles: [role, other], allowedIps: ['10.0.0.0/8'] };
  const { id: credential } = await makeCredential(server, account, {
    ...owned,
    expiresAt: '2100-01-01T00:00:00Z',
    rotationPolicy: { every: 'P30D', gracePeriod: 'PT1H' },
  });
  const { id: revoked } = await makeCredential(server, account, { ...owned, secret: { token: {} } });
  const { id: bare } = await makeCredential(server, child, { enabled: false });
  for (const mutation of [
    `rotateCredential(input: { id: "${credential}", gracePeriod: "PT1H" }) { issued { secret } }`,
    `revokeCredential(input: { id: "${revoked}", reason: "over" }) { credential { id } }`,
  ])
    expectData(await server.ask(`mutation { ${mutation} }`));
  const caller = await makeCaller(server, ['CREDENTIAL_READ'], { onProject: project });
  stranger = caller.token;
  const { nodes } = expectData(await server.ask('{ auditEvents(first: 3) { nodes { id } } }')).auditEvents;
  const event = nodes[0].id;
  const unseen = caller.id;
  known = { account, child, project, role, grant: granted, credential, revoked, bare, event, unseen };
  known['ids'] = [account, project, role, granted, credential, bare, event, unseen];
});

/** The answer's text and headers, without what is new in each. */
const textOf = ({ status, text, headers }: Answer) => {
  const told = [...headers].filter(
    ([name]) => !/^(date|x-request-id|content-length|(x-)?ratelimit.*)$/.test(name),
  );
  const same = withoutLimits(text)
    .replace(/"(id":"[0-9a-f-]{36}|(?:lastUsedAt|checkedAt)":"[^"]*)"/g, '"new"')
    // Of stores that others work with meanwhile.
    .replace(/"(?:health|budget|lastSync)":\{[^{}]*\}/g, (told) =>
      told.replace(/":(?:"[^"]*"|[^",{}]+)(?=[,}])/g, '":"new"'),
    );
  return `${status} ${JSON.stringify(told)} ${same}`;
};

/**
 * The same question three times: graphql-js answers the first, compiled code the others, where it may, and the last without
 * Apollo Server.
 */
async function askAgain(query: string, variables?: Record<string, unknown>, token?: string): Promise<string> {
  const options = token === undefined ? {} : { token };
  const first = textOf(await server.ask(query, variables, options));
  const again = [await server.ask(query, variables, options), await server.ask(query, variables, options)];
  expect(again.map(textOf)).toEqual([first, first]);
  return first;
}

const everything = `
  id kind name status enabled accessKey allowedIps email updatedAt expiresAt createdAt revision
  store { id name } account { ...Person } owner { ...Person } project { id name description account { name } }
  roles { id name permissions builtIn } parent { id }
  derived(first: 2) { nodes { id } totalCount }
  versions { number state createdAt validUntil lastUsedAt }
  rotation { state from { number } to { number state } startedBy { name } safeToRetire credential { name } }
  rotationPolicy { every gracePeriod nextAt }
`;
const person = 'fragment Person on Account { __typename id kind title email parent { id title } }';

/** What is asked, the question, and its variables. */
type Question = [string, string, ((ids: typeof known) => Record<string, unknown>)?];

/** Questions that are compiled. */
const compiled: Question[] = [
  [
    'a list, with all that is around each item',
    `{ credentials(first: 20) { nodes { ...All } totalCount } }
    fragment All on Credential { id kind name status account { ...Person } roles { name } project { name } }
    ${person}`,
  ],
  [
    'aliases and __typename',
    '{ __typename a: roles(first: 2) { n: nodes { x: id y: name __typename } } b: viewer { id } }',
  ],
  [
    'edges and page information',
    '{ credentials(first: 2, orderBy: { by: NAME, direction: DESC }) { edges { cursor node { id name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } nodes { id } } }',
  ],
  [
    'connections under connections',
    '{ accounts(first: 5) { nodes { name credentials(first: 2) { totalCount edges { node { id roles { name } } } pageInfo { hasNextPage } } } } }',
  ],
  [
    'a node by its interface',
    'query ($id: ID!) { node(id: $id) { id __typename ... on Account { title } ... on Node { id } } }',
    ({ account }) => ({ id: account }),
  ],
  [
    'a node that is not there',
    'query ($id: ID!) { node(id: $id) { id } }',
    () => ({ id: 'acct_0000000000000000000000' }),
  ],
  [
    'nodes of many types, with nulls among them',
    `query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id
    ... on Account { title credentials(first: 1) { nodes { id } } } ... on Project { name account { title } }
    ... on Role { name permissions } ... on Grant { role { name } account { name } }
    ... on Credential { name roles { name } versions { state } } ... on AuditEvent { action actor { name } target { id ... on Role { name } } } } }`,
    ({ ids }) => ({ ids }),
  ],
  [
    'variables with defaults, left out and given',
    'query ($n: Int = 2, $m: Int) { a: roles(first: $n) { nodes { id } } b: roles(first: $m) { nodes { id } } }',
    () => ({ m: 1 }),
  ],
  [
    'null where the argument may be null',
    'query ($f: CredentialFilter, $n: Int) { credentials(filter: $f, first: $n, after: null) { nodes { id } } }',
    () => ({ f: null, n: null }),
  ],
  [
    'a whole filter in a variable',
    'query ($f: CredentialFilter) { credentials(filter: $f) { nodes { id name status } totalCount } }',
    ({ project }) => ({ f: { project: [project], status: ['REVOKED'] } }),
  ],
  [
    'one value where a list is wanted',
    'query ($f: CredentialFilter) { credentials(filter: $f) { nodes { id } } }',
    ({ project }) => ({ f: { project, kind: 'TOKEN' } }),
  ],
  [
    'custom scalars in and out',
    'query ($f: CredentialFilter) { credentials(filter: $f) { nodes { expiresAt createdAt allowedIps } } }',
    () => ({ f: { expiresBefore: '2100-01-02T00:00:00.000Z' } }),
  ],
  [
    'a variable within a literal',
    'query ($p: ID!) { credentials(filter: { project: [$p], kind: [ACCESS_KEY] }) { nodes { id kind } } }',
    ({ project }) => ({ p: project }),
  ],
  [
    'the same fields from several fragments',
    `query ($id: ID!) { credential(id: $id) { ...A ...B account { title } } }
    fragment A on Credential { account { id } roles { id } } fragment B on Credential { account { kind } roles { name } }`,
    ({ credential }) => ({ id: credential }),
  ],
  ['one operation out of two', 'query One($n: Int) { roles(first: $n) { nodes { id } } }', () => ({ n: 1 })],
  [
    'an error where null may stand',
    'query ($id: ID!) { a: credential(id: $id) { id } roles(first: 1) { nodes { id } } }',
    () => ({ id: 'nothing' }),
  ],
  [
    'an error where null may not stand',
    'query ($n: Int!, $c: String) { viewer { id } roles(first: $n, after: $c) { nodes { id } } }',
    () => ({ n: 1, c: 'forged' }),
  ],
  [
    'errors at several places',
    'query ($id: ID!, $c: String) { a: credential(id: $id) { id } b: node(id: $id) { id } accounts(first: 2) { nodes { credentials(first: 1, after: $c) { nodes { id } } } } }',
    () => ({ id: 'nothing', c: 'x' }),
  ],
  [
    'an error inside a fragment at the root',
    'query ($id: ID!) { ...Q } fragment Q on Query { credential(id: $id) { id } }',
    ({ account }) => ({ id: account }),
  ],
];

/** Questions that are left to graphql-js. */
const plain: Question[] = [
  [
    '@include and @skip',
    'query ($yes: Boolean!) { roles(first: 1) { nodes { id name @include(if: $yes) description @skip(if: $yes) } } }',
    () => ({ yes: true }),
  ],
  [
    'the same fragment under two conditions',
    'query ($no: Boolean = false) { roles(first: 1) { nodes { ...F @include(if: $no) ...F } } } fragment F on Role { name }',
  ],
  ['a text', '{ node(id: "acct_0000000000000000000000") { id } }'],
  [
    'a text among the defaults',
    'query ($id: ID = "acct_0000000000000000000000", $i: [ID!]) { credentials(filter: { project: $i }) { nodes { id } } }',
  ],
  [
    'a variable within a literal that is left out',
    'query ($p: [ID!]) { credentials(filter: { project: $p }) { nodes { id } } }',
  ],
  [
    'a name with a meaning in JavaScript',
    '{ __proto__: viewer { id } roles(first: 1) { __proto__: nodes { id } } }',
  ],
  ['introspection', '{ __schema { queryType { name } } __type(name: "Role") { name } }'],
];

const asRows = (questions: Question[]) =>
  questions.map(([what, query, variables]) => ({ what, query, variables }));

test.each(asRows(compiled))('S32: answers $what alike, compiled and not', async ({ query, variables }) => {
  const document: DocumentNode = parse(query);
  expect(isCompilable(document)).toBe(true);
  expect(isCompiledQuery(compileQuery(await openSchema(registry), document))).toBe(true);
  expect(await askAgain(query, variables?.(known))).toMatch(/^200 /);
  await askAgain(query, variables?.(known), stranger);
});

test.each(asRows(plain))(
  'S9: leaves $what to graphql-js, and answers alike',
  async ({ query, variables }) => {
    expect(isCompilable(parse(query))).toBe(false);
    await askAgain(query, variables?.(known));
  },
);

test('S32: answers everything about a credential alike, compiled and not', async () => {
  const query = `query ($id: ID!) { credential(id: $id) { ${everything} } } ${person}`;
  for (const name of ['credential', 'revoked', 'bare'])
    expect(await askAgain(query, { id: known[name] })).toContain('"versions":[{');
  await askAgain(query, { id: known['bare'] }, stranger);
});

const isQuery = ({ query }: { query: string }) => /^query /m.test(query);

test.each(examples().filter(isQuery))(
  'S32: answers the example $file alike',
  async ({ query, variables }) => {
    const values = JSON.parse(variables ?? '{}') as Record<string, unknown>;
    for (const [name, value] of Object.entries(values))
      if (String(value).endsWith('…')) values[name] = known[name];
    await askAgain(query, values);
  },
);

test('S2: measures each request anew, with the variables that it has', async () => {
  const query = 'query ($n: Int!) { roles(first: $n) { nodes { id } } }';
  await askAgain(query, { n: 1 });
  const codes = [];
  for (const n of [101, 0, 'one', 2]) codes.push((await server.ask(query, { n })).code);
  expect(codes).toEqual(['LIMIT_EXCEEDED', 'BAD_USER_INPUT', 'BAD_USER_INPUT', undefined]);
});

test('S30: code that one caller had compiled shows another one only what they may see', async () => {
  const query = 'query ($id: ID!) { credential(id: $id) { id } credentials { totalCount nodes { id } } }';
  const variables = { id: known['bare'] };
  const told = await askAgain(query, variables);
  const { data } = JSON.parse(told.slice(told.indexOf('{"data"'))) as { data: Answer['data'] };
  expect(data.credential).toEqual({ id: known['bare'] });
  const seen = expectData(await server.ask(query, variables, { token: stranger }));
  expect(seen.credential).toBeNull();
  expect(seen.credentials.totalCount).toBeLessThan(data.credentials.totalCount);
});

test('S8: a text of the caller never becomes code', async () => {
  // What graphql-jit takes for a date of its own, and writes into the code as it is.
  const text = '__MAGIC_DATE__33a9e76d_02e0_4128_8e92_3530ad3da74d0)&&(globalThis.wasRun=true)&&(0';
  await askAgain(`{ account(name: "${text}") { id } }`);
  await askAgain(`query ($name: String! = "${text}") { account(name: $name) { id } }`);
  await askAgain('query ($name: String!) { account(name: $name) { id } }', { name: text });
  expect(globalThis).not.toHaveProperty('wasRun');
});

test('R8: a mutation asked again is one effect a request, errors in its answer or not', async () => {
  const account = String(known['account']);
  const mutation = `mutation ($input: CreateProjectInput!, $id: ID!) {
    createProject(input: $input) { project { id } }
    deleteProject(input: { id: $id }) { deletedId }
  }`;
  for (const times of [1, 2, 3]) {
    const input = { account, name: unique('project') };
    const answer = await server.ask(mutation, { input, id: 'nothing' });
    expect([times, answer.code]).toEqual([times, 'BAD_USER_INPUT']);
    const rows = await server.rows('SELECT id FROM projects WHERE name = :name', { name: input.name });
    expect(rows).toHaveLength(1);
  }
});

test('S3: refuses to compile what is large with its fragments written out', () => {
  const nested = (levels: number) =>
    Array.from(
      { length: levels },
      (_, n) => `fragment F${n} on Query { ...F${n + 1} a${n}: viewer { ...A } ...F${n + 1} }`,
    );
  const document = (levels: number) =>
    parse(
      `{ ...F0 } ${nested(levels).join(' ')} fragment F${levels} on Query { viewer { ...A } } fragment A on Account { id }`,
    );
  expect([3, 40].map((levels) => isCompilable(document(levels)))).toEqual([true, false]);
});

test.each([
  ['a query', '{ good }', 1],
  ['a query with an error in its answer', '{ good bad }', 3],
  ['a mutation', 'mutation { good }', 3],
])('S4: leaves %s (%s), asked three times, %d times to graphql-js', async (_, query, times) => {
  let executed = 0;
  const schema = buildSchema('type Query { good: Int bad: Int } type Mutation { good: Int }');
  for (const type of [schema.getQueryType(), schema.getMutationType()])
    for (const field of Object.values(type?.getFields() ?? {}))
      field.resolve = () => (field.name === 'good' ? 1 : Promise.reject(new Error('bad')));
  const apollo = new ApolloServer({
    schema,
    plugins: [
      compiledQueries(),
      { requestDidStart: async () => ({ executionDidStart: async () => void executed++ }) },
    ],
  });
  for (let time = 0; time < 3; time++) await apollo.executeOperation({ query });
  await apollo.stop();
  expect(executed).toBe(times);
});

test('S3: leaves what failed compiled to graphql-js for some times, and then tries it again', async () => {
  let resolved = 0;
  let fails = true;
  const schema = buildSchema('type Query { one: Int }');
  const field = schema.getQueryType()?.getFields()['one'];
  if (!field) throw new Error('there is no field');
  field.resolve = () => {
    resolved++;
    if (fails) throw new Error('failed');
    return 1;
  };
  let executed = 0;
  const apollo = new ApolloServer({
    schema,
    plugins: [
      compiledQueries(),
      { requestDidStart: async () => ({ executionDidStart: async () => void executed++ }) },
    ],
  });
  const ask = async (times: number) => {
    [resolved, executed] = [0, 0];
    for (let time = 0; time < times; time++) await apollo.executeOperation({ query: '{ one }' });
    return [resolved, executed];
  };
  // As a document that is new, and then compiled and all over again by graphql-js.
  expect(await ask(2)).toEqual([3, 2]);
  expect(await ask(20)).toEqual([20, 20]);
  fails = false;
  expect(await ask(2)).toEqual([2, 0]);
  fails = true;
  expect(await ask(2)).toEqual([3, 2]);
  await apollo.stop();
});
