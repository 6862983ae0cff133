/**
 * @embedded documents
 */
import { ApolloServer } from '@apollo/server';
import { buildSchema, getIntrospectionQuery, Kind, parse, type OperationDefinitionNode } from 'graphql';
import { answerErrors, formatError } from '../../src/graph/errors/answer.js';
import { variableFaults } from '../../src/graph/errors/input.js';
import { expectData, makeAccount, makeCredential, type Made } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { statementsOf } from '../support/statements.js';
import { openDocuments } from '../../src/graph/documents.js';
import { measure, parseOptions, queryLimits } from '../../src/graph/query-limits.js';
import { registry } from '../../src/connectors/registry.js';
import { openSchema } from '../../src/graph/schema.js';
import { Turns } from '../../src/graph/turns.js';
import { largestQuery } from '../../src/config/limits.js';

const schema = buildSchema(`
  scalar JSON
  interface Named { name: String! }
  type Query {
    credentials(first: Int, last: Int, after: String): CredentialConnection!
    accounts(first: Int! = 30): AccountConnection!
    top(first: Int): [Credential!]!
    stores: [Store!]!
    named: [Named!]!
    count(ids: [ID!], json: JSON): Int
    byIds(ids: [ID!]!): [Named]!
    name: String
  }
  type Mutation { rotate(id: ID): Credential touch: Boolean verify(secret: String): Boolean verifyAll: Boolean }
  type CredentialConnection { nodes: [Credential!]! edges: [CredentialEdge!]! pageInfo: PageInfo! totalCount: Int! }
  type CredentialEdge { cursor: String! node: Credential! }
  type AccountConnection { nodes: [Account!]! pageInfo: PageInfo! }
  type PageInfo { hasNextPage: Boolean! }
  type Credential implements Named {
    id: ID! name: String! tags: [String!]! account: Account! owner: Account project: Store! roles: [Store!]!
    versions: [Version!]! self: Credential
  }
  type Account implements Named { id: ID! name: String! credentials(first: Int): CredentialConnection! }
  type Store implements Named { name: String! }
  type Version { number: Int! state: String! }
`);

for (const name of ['verify', 'verifyAll']) {
  const field = schema.getMutationType()?.getFields()[name];
  if (field) field.extensions = { guarded: true };
}

const byIds = schema.getQueryType()?.getFields()['byIds'];
if (byIds) byIds.extensions = { answers: { argument: 'ids', most: 50 } };

let resolved = 0;
const documents = openDocuments({ introspection: true, turns: new Turns(), callerOf: () => [] });
const server = new ApolloServer({
  schema,
  formatError,
  parseOptions: parseOptions(),
  documentStore: documents.store,
  dangerouslyDisableValidation: true,
  fieldResolver: () => {
    resolved++;
    return null;
  },
  introspection: true,
  plugins: [queryLimits(), documents.plugin, variableFaults(), answerErrors({ requestId: () => 'req-1' })],
});

async function ask(query: string, variables: Record<string, unknown> = {}) {
  resolved = 0;
  const { body, http } = await server.executeOperation({ query, variables });
  if (body.kind !== 'single') throw new Error('not a single answer');
  return { ...body.singleResult, status: http.status, resolved };
}

async function refusal(query: string, variables?: Record<string, unknown>) {
  const answer = await ask(query, variables);
  expect(answer).toMatchObject({ status: 400, resolved: 0 });
  expect(answer.data).toBeUndefined();
  expect(answer.errors).toHaveLength(1);
  return answer.errors?.[0];
}

async function refused(query: string, variables?: Record<string, unknown>) {
  const error = await refusal(query, variables);
  expect(error?.extensions).toEqual({ code: 'LIMIT_EXCEEDED', id: 'req-1' });
  return error?.message;
}

async function passes(query: string, variables?: Record<string, unknown>) {
  const answer = await ask(query, variables);
  expect(
    answer.errors?.filter(({ extensions }) => extensions?.['code'] !== 'INTERNAL_SERVER_ERROR') ?? [],
  ).toEqual([]);
  expect(answer.status).not.toBe(400);
}

const of = (query: string, variables: Record<string, unknown> = {}) => {
  const document = parse(query);
  const operation = document.definitions.find(
    (node) => node.kind === Kind.OPERATION_DEFINITION,
  ) as OperationDefinitionNode;
  return measure(document, operation, variables, schema);
};

const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ');

const usual =
  'nodes { id name account { name } owner { name } project { name } roles { name } versions { number state } }';

describe('S2: refuses before any resolver runs', () => {
  test('more than 2000 tokens', async () => {
    const lists = (items: number) =>
      `{ count(json: [[${times(990, () => '1')}], [${times(items, () => '1')}]]) }`;
    expect(parse(lists(997)).tokenCount).toBe(largestQuery.tokens);
    await passes(lists(997));
    expect(await refused(lists(998))).toBe('The document has more than 2000 tokens.');
  });

  test('more than 1000 fields, through fragments too', async () => {
    const names = (count: number) => times(count, (index) => (index % 2 ? 'name' : 'id'));
    expect(await refused(`{ ${times(1998, () => 'name')} }`)).toBe(
      'The document has more than 1000 fields, with its fragments written out.',
    );
    expect(
      await refused(`{ ${times(10, () => '...F')} } fragment F on Query { top(first: 1) { ${names(100)} } }`),
    ).toContain('fields');
  });

  test('more than 10,000 pairs of fields to compare', async () => {
    const tops = (count: number) => `{ top(first: 1) { ${times(count, () => 'self { name }')} } }`;
    await passes(tops(100));
    expect(await refused(tops(101))).toBe(
      'The document asks for the same fields of the same objects again and again: 10100 pairs would have to be compared, and 10000 are allowed. Ask for each once.',
    );
  });

  test('more than 25 operations', async () => {
    const operations = (count: number) => times(count, (index) => `query Q${index} { name }`);
    await ask(operations(25));
    expect(await refused(operations(26))).toBe('The document has 26 operations; 25 are allowed.');
  });

  test('names of more than 200 characters', async () => {
    await passes(`{ ${'a'.repeat(200)}: name }`);
    expect(await refused(`{ ${'a'.repeat(201)}: name }`)).toBe('A name has 201 characters; 200 are allowed.');
    expect(await refused(`{ ${'a'.repeat(100_000)} }`)).toContain('100000');
  });

  test('introspection of more than 20 fields of depth', async () => {
    const nested = (levels: number): string => (levels === 1 ? 'name' : `ofType { ${nested(levels - 1)} }`);
    const types = (levels: number) => `{ __type(name: "Query") { ${nested(levels)} } }`;
    await passes(types(19));
    expect(await refused(types(20))).toBe('The introspection is 21 fields deep; 20 are allowed.');
  });

  test('more than 10,000 lines', async () => {
    await passes(`{ name }${'\n'.repeat(9999)}`);
    expect(await refused(`{ name }${'\n'.repeat(10_000)}`)).toContain('lines');
  });

  test('more than 8 fields of depth, through fragments too', async () => {
    const nested = (levels: number): string => (levels === 1 ? 'name' : `self { ${nested(levels - 1)} }`);
    await passes(`{ top(first: 1) { ${nested(7)} } }`);
    expect(await refused(`{ top(first: 1) { ${nested(8)} } }`)).toContain('deep');
    const fragment =
      'fragment F on Credential { ... on Named { ...G } } fragment G on Credential { self { self { self { name } } } }';
    await passes(`{ top(first: 1) { self { self { self { ...F } } } } } ${fragment}`);
    expect(
      await refused(`{ top(first: 1) { self { self { self { self { ...F } } } } } } ${fragment}`),
    ).toContain('deep');
  });

  test('more than 20 aliases, through fragments too', async () => {
    const aliases = (count: number) => times(count, (index) => `a${index}: name`);
    await passes(`{ top(first: 1) { ${aliases(20)} } }`);
    expect(await refused(`{ top(first: 1) { ${aliases(21)} } }`)).toContain('aliases');
    expect(
      await refused(`{ top(first: 1) { ...F self { ...F } } } fragment F on Credential { ${aliases(11)} }`),
    ).toContain('aliases');
  });

  test('more than 20 directives, wherever they stand', async () => {
    const query = (count: number) =>
      `query ($yes: Boolean = true) { stores { ${times(count, () => '... @include(if: $yes) { name }')} } }`;
    await passes(query(20));
    expect(await refused(query(21))).toContain('directives');
    expect(
      of('query ($x: Int @b) @a { name @c ...F @d ... @e { name } } fragment F on Query @f { name }')
        .directives,
    ).toBe(6);
  });

  test('more than 10 fields at the root', async () => {
    await passes(`{ ${times(10, () => '__typename')} }`);
    expect(await refused(`{ ${times(11, () => '__typename')} }`)).toContain('root');
    expect(await refused(`{ ...F ...F } fragment F on Query { ${times(6, () => 'name')} }`)).toContain(
      'root',
    );
  });

  test('a cost of more than 5000', async () => {
    for (const first of [50, 100]) {
      await passes(`{ credentials(first: ${first}) { ${usual} pageInfo { hasNextPage } totalCount } }`);
      await passes(`{ credentials(first: ${first}) { edges { cursor node { ${usual.slice(8, -2)} } } } }`);
    }
    expect(
      await refused(
        '{ credentials(first: 100) { nodes { account { credentials(first: 100) { nodes { id } } } } } }',
      ),
    ).toContain('costs');
    expect(
      await refused(
        '{ stores { name } a: credentials(last: 90) { nodes { ...F } } } fragment F on Credential { roles { name } versions { number } self { roles { name } self { roles { name } self { roles { name } self { roles { name } } } } } }',
      ),
    ).toContain('costs');
    await passes('{ credentials(first: 100) { nodes { account { credentials { nodes { id } } } } } }');
  });

  test('values nested more than 16 levels deep', async () => {
    const nested = (levels: number): unknown =>
      levels === 0 ? 1 : levels % 2 ? [nested(levels - 1)] : { a: nested(levels - 1) };
    const literal = (levels: number) => JSON.stringify(nested(levels)).replaceAll('"', '');
    const query = 'query ($json: JSON) { count(json: $json) }';
    await passes(query, { json: nested(16) });
    await passes(`{ count(json: ${literal(16)}) }`);
    expect(await refused(query, { json: nested(17) })).toContain('nested');
    expect(await refused(`{ count(json: ${literal(17)}) }`)).toContain('nested');
    expect(await refused(`query ($json: JSON = ${literal(17)}) { count(json: $json) }`)).toContain('nested');
    expect(await refused('{ name }', { unused: nested(17) })).toContain('nested');
  });

  test('lists of more than 1000 items', async () => {
    const ids = (count: number) => Array.from({ length: count }, () => '1');
    const query = 'query ($ids: [ID!], $json: JSON) { count(ids: $ids, json: $json) }';
    await passes(query, { ids: ids(1000) });
    await passes(`{ count(ids: [${ids(1000).join()}]) }`);
    expect(await refused(query, { ids: ids(1001) })).toContain('list');
    expect(await refused(query, { json: { a: ids(1001) } })).toContain('list');
    expect(await refused(`{ count(ids: [${ids(1001).join()}]) }`)).toContain('list');
  });

  test('pages of more than 100 items: literal, variable or default', async () => {
    const nodes = '{ nodes { id } }';
    await passes(`{ credentials(first: 100) ${nodes} }`);
    expect(await refused(`{ a: credentials(first: 101) ${nodes} }`)).toBe(
      'credentials is asked for a page of 101 items (first); 100 are allowed.',
    );
    for (const n of [101.5, 1e300])
      expect(await refused(`query ($n: Int) { credentials(last: $n) ${nodes} }`, { n })).toBe(
        'credentials is asked for a page of more than 100 items (last); 100 are allowed.',
      );
    expect(await refused(`{ credentials(last: 2147483647) ${nodes} }`)).toContain('page');
    expect(await refused(`query ($n: Int) { credentials(first: $n) ${nodes} }`, { n: 101 })).toContain(
      'page',
    );
    expect(await refused(`query ($n: Int = 101) { credentials(first: $n) ${nodes} }`)).toContain('page');
    await passes(`query ($n: Int = 101) { credentials(first: $n) ${nodes} }`, { n: 5 });
    expect(await refused(`{ ...F } fragment F on Query { credentials(first: 101) ${nodes} }`)).toContain(
      'page',
    );
  });
});

describe('S6: refuses, before any resolver runs, more than one field that looks at a secret', () => {
  test.each([
    ['by alias', 'mutation { a: verify(secret: "a") b: verify(secret: "b") }'],
    ['by its name twice', 'mutation { verify verify }'],
    ['beside that for many', 'mutation { verify verifyAll }'],
    ['for many twice', 'mutation { verifyAll a: verifyAll }'],
    ['in a fragment', 'mutation { ...F } fragment F on Mutation { a: verify b: verify }'],
    ['beside a fragment', 'mutation { verify ...F } fragment F on Mutation { touch a: verify }'],
    [
      'by a fragment in a fragment',
      'mutation { ...F a: verify } fragment F on Mutation { ...G } fragment G on Mutation { b: verify }',
    ],
    ['by a fragment twice', 'mutation { ...F ...F } fragment F on Mutation { verify }'],
    [
      'in inline fragments',
      'mutation { ... { verify } ... on Mutation { ... @include(if: true) { a: verify } } }',
    ],
    ['that are left out', 'mutation { verify a: verify @include(if: false) b: verify @skip(if: true) }'],
    ['among others', 'mutation { touch a: verify rotate { name } b: verify c: touch }'],
  ])('%s', async (_, query) => {
    expect(await refused(query)).toBe(
      'The operation has more than one field that looks at a secret: verify several with verifyCredentials.',
    );
  });

  test('and takes one, also beside others, and for each operation of a document', async () => {
    await passes('mutation { verify }');
    await passes(
      'mutation { touch a: verify rotate { name } b: touch ...F } fragment F on Mutation { c: touch }',
    );
    const document = parse('mutation A { verify } mutation B { verifyAll }');
    for (const operation of document.definitions as OperationDefinitionNode[])
      expect(measure(document, operation, {}, schema).guardedFields).toBe(1);
  });

  describe('in the graph of Keyway', () => {
    let keyway: TestServer;
    let key: Made;
    beforeAll(async () => {
      keyway = await startTestServer();
      key = await makeCredential(keyway, await makeAccount(keyway));
    });
    afterAll(() => keyway.stop());

    const input = () => ({ accessKey: key.accessKey, proof: { secret: key.secret } });
    const field = 'verifyCredential(input: $input) { code }';
    const list = 'verifyCredentials(inputs: $inputs) { code }';
    const declared = '$input: VerifyCredentialInput!';
    const listed = '$inputs: [VerifyCredentialInput!]!';

    test.each([
      ['two by alias', `mutation (${declared}) { a: ${field} b: ${field} }`],
      [
        'two by a fragment',
        `mutation (${declared}) { ${field} ...F } fragment F on Mutation { a: ${field} }`,
      ],
      ['one beside a list', `mutation (${declared}, ${listed}) { ${field} ${list} }`],
      ['two lists', `mutation (${listed}) { ${list} a: ${list} }`],
    ])('%s are LIMIT_EXCEEDED, and none is looked at', async (_, query) => {
      const variables = {
        ...(query.includes(declared) && { input: input() }),
        ...(query.includes(listed) && { inputs: [input()] }),
      };
      const { result, statements } = await statementsOf(keyway, () => keyway.ask(query, variables));
      expect([result.status, result.code, result.data]).toEqual([400, 'LIMIT_EXCEEDED', null]);
      // The one that found the caller.
      expect(statements).toHaveLength(1);
    });

    test('a list of 101 is LIMIT_EXCEEDED, and none of it is looked at', async () => {
      const ask = (length: number) =>
        statementsOf(keyway, () =>
          keyway.ask(`mutation (${listed}) { ${list} }`, { inputs: Array.from({ length }, input) }),
        );
      const { result, statements } = await ask(101);
      expect([result.code, result.data]).toEqual(['LIMIT_EXCEEDED', null]);
      expect(statements).toHaveLength(1);
      expect(expectData((await ask(100)).result).verifyCredentials).toEqual(
        Array(100).fill({ code: 'VALID' }),
      );
    });
  });
});
afterAll(() => server.stop());

test.each([
  ['a literal', '{ credentials(first: 0) { nodes { id } } }', {}, 'first'],
  ['a variable', 'query ($n: Int) { credentials(last: $n) { nodes { id } } }', { n: -1 }, 'last'],
  ['a default', 'query ($n: Int = 0) { credentials(first: $n) { nodes { id } } }', {}, 'first'],
])('refuses a page of less than one item, by %s', async (_, query, variables, path) => {
  const error = await refusal(query, variables);
  expect(error?.extensions).toMatchObject({
    code: 'BAD_USER_INPUT',
    fields: [{ path, message: 'must be from 1 to 100' }],
  });
});

test('takes the introspection query that explorers ask', async () => {
  const query = getIntrospectionQuery({
    descriptions: true,
    specifiedByUrl: true,
    directiveIsRepeatable: true,
    schemaDescription: true,
    inputValueDeprecation: true,
    oneOf: true,
  });
  const answer = await ask(query);
  expect(answer.errors).toBeUndefined();
  expect(answer.data).toHaveProperty('__schema.types');
});

describe('measure', () => {
  test('counts objects by page and by assumed list, and scalars not at all', () => {
    expect(of('{ name count }').cost).toBe(0);
    expect(of('{ stores { name } }').cost).toBe(10);
    expect(of('{ top(first: 7) { name tags } }').cost).toBe(7);
    expect(of('{ credentials(first: 7) { totalCount pageInfo { hasNextPage } } }').cost).toBe(2);
    expect(of('{ credentials(first: 7) { nodes { account { name } } } }').cost).toBe(1 + 7 * 2);
    expect(of('{ accounts { nodes { name } } }').cost).toBe(1 + 30);
    expect(of('{ accounts(first: 4) { nodes { name } } }').cost).toBe(1 + 4);
    expect(of('query ($n: Int!) { accounts(first: $n) { nodes { name } } }', { n: 3 }).cost).toBe(1 + 3);
    expect(of('mutation { rotate { name } touch }').cost).toBe(1 + 2 * 10);
  });

  test('counts through interfaces and fragments as if they stood there', () => {
    const spread =
      '{ named { ...F ... on Credential { account { ...F } } } } fragment F on Named { name ... on Credential { roles { name } } }';
    const plain =
      '{ named { name ... on Credential { roles { name } } ... on Credential { account { name ... on Credential { roles { name } } } } } }';
    expect(of(spread)).toEqual(of(plain));
  });

  test('measures only the operation that is asked for', () => {
    const document = parse('query A { stores { name } } query B { name }');
    const [, second] = document.definitions as [unknown, OperationDefinitionNode];
    expect(measure(document, second, {}, schema)).toMatchObject({ cost: 0, depth: 1, rootFields: 1 });
  });

  test('measures a known document anew for other variables', () => {
    const document = parse('query ($n: Int = 9) { credentials(first: $n) { nodes { id } } }');
    const operation = document.definitions[0] as OperationDefinitionNode;
    const cost = (variables: Record<string, unknown>) => measure(document, operation, variables, schema).cost;
    expect([{ n: 2 }, { n: 2 }, { n: 3, m: 1 }, {}, { n: null }].map(cost)).toEqual([3, 3, 4, 10, 21]);
  });

  test.each([
    ['a literal', '{ byIds(ids: ["a", "b", "c"]) { name } }', {}, 3],
    ['one in the place of a list', '{ byIds(ids: "a") { name } }', {}, 1],
    ['none', '{ byIds(ids: []) { name } }', {}, 0],
    ['a literal of variables', 'query ($a: ID!) { byIds(ids: [$a, $a]) { name } }', { a: 'a' }, 2],
    ['a variable', 'query ($ids: [ID!]!) { byIds(ids: $ids) { name } }', { ids: ['a', 'b', 'c', 'd'] }, 4],
    ['a variable of one', 'query ($ids: [ID!]!) { byIds(ids: $ids) { name } }', { ids: 'abc' }, 1],
    ['a default', 'query ($ids: [ID!]! = ["a", "b"]) { byIds(ids: $ids) { name } }', {}, 2],
    ['nothing', 'query ($ids: [ID!]!) { byIds(ids: $ids) { name } }', {}, 50],
    ['null', '{ byIds(ids: null) { name } }', {}, 50],
    [
      'more than it takes',
      'query ($ids: [ID!]!) { byIds(ids: $ids) { name } }',
      { ids: Array(51).fill('a') },
      50,
    ],
    [
      'what is below, in fragments',
      'query ($ids: [ID!]!) { ...F } fragment F on Query { byIds(ids: $ids) { ... on Account { credentials(first: 4) { totalCount nodes { id } } } } }',
      { ids: ['a', 'b', 'c'] },
      3 * (1 + 1 + 4),
    ],
  ])('counts what a list answers one by one as often as it is asked: by %s', (_, query, variables, cost) => {
    expect(of(query, variables).cost).toBe(cost);
  });

  test('measures a known document anew for a list of another length', () => {
    const document = parse('query ($ids: [ID!]! = ["a"]) { byIds(ids: $ids) { name } }');
    const operation = document.definitions[0] as OperationDefinitionNode;
    const cost = (ids?: unknown) =>
      measure(document, operation, ids === undefined ? {} : { ids }, schema).cost;
    expect([['a', 'b'], ['c', 'd'], ['a'], undefined, 'abc', ['a', 'b', 'c']].map(cost)).toEqual([
      2, 2, 1, 1, 1, 3,
    ]);
  });

  test('S2: of Keyway, where ids and what is verified are weighed by their number', async () => {
    const keyway = await openSchema(registry);
    const cost = (query: string, variables: Record<string, unknown>) => {
      const document = parse(query);
      return measure(document, document.definitions[0] as OperationDefinitionNode, variables, keyway).cost;
    };
    const nodes =
      'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Account { credentials(first: 1) { totalCount } } } }';
    expect([1, 100].map((length) => cost(nodes, { ids: Array(length).fill('x') }))).toEqual([2, 200]);
    const verify =
      'mutation ($inputs: [VerifyCredentialInput!]!) { verifyCredentials(inputs: $inputs) { code } }';
    expect([1, 100].map((length) => cost(verify, { inputs: Array(length).fill({}) }))).toEqual([11, 110]);
  });

  test('S4: ends for fragments in a circle, and for fragments that double thirty times', () => {
    expect(
      of(
        '{ top { ...A } } fragment A on Credential { self { ...B } } fragment B on Credential { self { ...A } }',
      ).depth,
    ).toBeLessThan(10);
    const doubling = times(
      60,
      (index) =>
        `fragment F${index} on Credential { self { ...F${index + 1} } a: self { ...F${index + 1} } }`,
    );
    const measured = of(`{ top(first: 1) { ...F0 } } ${doubling} fragment F60 on Credential { name }`);
    expect(measured.cost).toBeGreaterThan(largestQuery.cost);
    expect(Number.isFinite(measured.cost)).toBe(true);
  });
});

test('S4: answers 4xx to hostile documents', async () => {
  const deep = `{ ${'top { '.repeat(600)} name ${'} '.repeat(600)} }`;
  const braces = '{'.repeat(3000);
  const list = `{ count(json: ${'['.repeat(980)}${']'.repeat(980)}) }`;
  const circle = '{ top { ...A } } fragment A on Credential { self { ...A } }';
  const inline = `{ ${'... { '.repeat(600)} name ${'} '.repeat(600)} }`;
  for (const query of [deep, braces, list, circle]) expect((await ask(query)).status).toBe(400);
  await passes(inline);
});
