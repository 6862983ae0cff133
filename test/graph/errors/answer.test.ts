import { ApolloServer, HeaderMap, type ApolloServerPlugin } from '@apollo/server';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import fc from 'fast-check';
import Fastify from 'fastify';
import type { GraphQLScalarType } from 'graphql';
import {
  buildSchema,
  getNamedType,
  getVariableValues,
  GraphQLError,
  isInputObjectType,
  isInputType,
  isLeafType,
  isListType,
  isNonNullType,
  Kind,
  parse,
  specifiedRules,
  typeFromAST,
  validate,
  ValuesOfCorrectTypeRule,
  type GraphQLFormattedError,
  type GraphQLInputType,
  type OperationDefinitionNode,
  type ValidationRule,
} from 'graphql';
import { ArgumentValidationError } from 'type-graphql';
import { answerErrors, formatError, publicError } from '../../../src/graph/errors/answer.js';
import { literalFaults, variableFaults } from '../../../src/graph/errors/input.js';
import { wordsOf } from '../../../src/graph/errors/validation.js';
import { badInput, codes, KeywayError, notFound, unavailable } from '../../../src/errors.js';
import { ScalarRefusal } from '../../../src/inputs/scalars.js';
import { openDocuments } from '../../../src/graph/documents.js';
import { parseOptions, queryLimits } from '../../../src/graph/query-limits.js';
import { Turns } from '../../../src/graph/turns.js';

const schema = buildSchema(`
  scalar DateTime
  scalar Duration
  scalar Shy
  scalar Loud
  scalar JSON
  enum Kind { TOKEN PASSWORD }
  input TokenInput { prefix: String! ttl: Duration kinds: [Kind!] bytes: Int! = 16 }
  input SecretInput @oneOf { token: TokenInput password: String settings: JSON }
  input CreateInput { name: String! secret: SecretInput expiresAt: DateTime tags: [String!]! = [] extra: JSON parent: CreateInput }
  interface Node { id: ID! }
  type Credential implements Node { id: ID! name(upper: Boolean, by: Kind): String secret: String }
  type Query {
    node(id: ID!): Node
    credential(id: ID!, at: DateTime): Credential
    list(ids: [ID!], kinds: [Kind!], numbers: [[Int!]], by: TokenInput, first: Int! = 5): [Credential]
    scalars(shy: Shy, loud: Loud, json: JSON, duration: Duration, rate: Float, yes: Boolean): String
    fails(how: String): String
    safe: String
    strict: String!
  }
  type Mutation { create(input: CreateInput!, dryRun: Boolean! = false): Credential }
  type Subscription { news: String alarms: String }
`);

// As a scalar of ours does it; and as others do, with the value in their words.
const ours = new ScalarRefusal('must be a duration as in ISO 8601');
const scalars: Record<string, (value: unknown) => unknown> = {
  Duration: (value) => {
    if (value !== 'PT1M') throw ours;
    return value;
  },
  DateTime: (value) => {
    if (typeof value !== 'string' || Number.isNaN(Date.parse(value)))
      throw new TypeError(`bad ${JSON.stringify(value)}`);
    return value;
  },
  Shy: (value) => {
    if (value !== 'shy') throw new GraphQLError(`no, not ${JSON.stringify(value)}`);
    return value;
  },
  Loud: (value) => (value === 'loud' ? value : undefined),
};
for (const [name, read] of Object.entries(scalars)) {
  const type = schema.getType(name) as GraphQLScalarType;
  type.parseValue = read;
  type.parseLiteral = (node) => read(node.kind === Kind.STRING ? node.value : node.kind);
}

const failures: Record<string, () => unknown> = {
  keyway: () => badInput('input.name', 'must be short'),
  nested: () =>
    new GraphQLError('MARKER', { originalError: new GraphQLError('MARKER', { originalError: notFound() }) }),
  database: () =>
    Object.assign(new Error('insert into x values MARKER'), {
      parameters: ['MARKER'],
      extensions: { code: 'MARKER' },
    }),
  pretender: () =>
    new GraphQLError('MARKER', {
      extensions: { code: 'BAD_REQUEST', fields: ['MARKER'], stacktrace: ['MARKER'] },
    }),
  caused: () => new Error('MARKER', { cause: notFound() }),
  internal: () => new KeywayError('INTERNAL_SERVER_ERROR', 'MARKER'),
  text: () => 'MARKER',
  rules: () =>
    new ArgumentValidationError([
      {
        property: 'name',
        value: 'MARKER',
        target: { name: 'MARKER' },
        constraints: { line: 'must be one line' },
      },
      {
        property: 'secret',
        children: [
          {
            property: 'token',
            children: [{ property: 'prefix', constraints: { name: 'must be short' } }],
          },
        ],
      },
    ]),
};

let ran = 0;
const told: { error: unknown; contextValue: unknown }[] = [];
let refuse: (() => Error) | undefined;
const gate: ApolloServerPlugin = {
  requestDidStart: async () => ({
    didResolveOperation: async () => {
      if (refuse) throw refuse();
    },
  }),
};
const documents = openDocuments({ introspection: false, turns: new Turns(), callerOf: () => [] });
const server = new ApolloServer({
  schema,
  rootValue: {
    fails: ({ how }: { how: string }) => {
      ran++;
      const failure = failures[how];
      if (failure) throw failure();
    },
    safe: () => 'sound',
    strict: () => null,
    create: () => void ran++,
    list: () => void ran++,
    scalars: () => void ran++,
    credential: () => void ran++,
    node: () => void ran++,
  },
  formatError,
  parseOptions: parseOptions(),
  documentStore: documents.store,
  dangerouslyDisableValidation: true,
  hideSchemaDetailsFromClientErrors: true,
  includeStacktraceInErrorResponses: false,
  introspection: false,
  logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  plugins: [
    queryLimits(),
    documents.plugin,
    gate,
    variableFaults(),
    answerErrors({
      requestId: (context) => (context as { requestId?: string }).requestId ?? 'none',
      onInternal: (error, contextValue) => told.push({ error, contextValue }),
    }),
  ],
});
const http = Fastify();
let makeContext: () => object = () => ({ requestId: 'req-2' });

beforeAll(async () => {
  await server.start();
  http.route({
    method: ['GET', 'POST', 'PUT'],
    url: '/graphql',
    handler: fastifyApolloHandler(server, { context: async () => makeContext() }),
  });
});
afterAll(async () => {
  await http.close();
  await server.stop();
});
beforeEach(() => {
  ran = 0;
  told.length = 0;
  refuse = undefined;
  makeContext = () => ({ requestId: 'req-2' });
});

async function ask(query: string, variables: Record<string, unknown> = {}, operationName?: string) {
  const { body, http: head } = await server.executeOperation(
    { query, variables, operationName },
    { contextValue: { requestId: 'req-1' } },
  );
  if (body.kind !== 'single') throw new Error('not a single answer');
  return { ...body.singleResult, status: head.status ?? 200 };
}

/** The code and fields of the one error of a request that did not run. */
async function refusal(query: string, variables?: Record<string, unknown>) {
  const answer = await ask(query, variables);
  expect(answer).toMatchObject({ status: 400 });
  expect(answer.data).toBeUndefined();
  expect(ran).toBe(0);
  expect(answer.errors).toHaveLength(1);
  const { message, extensions } = answer.errors?.[0] as GraphQLFormattedError;
  expect(extensions).toMatchObject({ id: 'req-1' });
  return { code: extensions?.['code'], message, fields: extensions?.['fields'] };
}

const badFields = (...fields: [string, string][]) => ({
  code: 'BAD_USER_INPUT',
  message: `${fields[0]?.[0]}: ${fields[0]?.[1]}.${fields.length > 1 ? ` ${fields.length - 1} more in fields.` : ''}`,
  fields: fields.map(([path, message]) => ({ path, message })),
});

describe('variables', () => {
  const create = 'mutation ($it: CreateInput!) { create(input: $it) { id } }';

  test('tells all faults at once, under the names of arguments', async () => {
    const it = {
      secret: {
        token: { ttl: 'MARKER', kinds: ['TOKEN', 'MARKER', null], bytes: 'x', MARKER: 1 },
        password: 'x',
      },
      expiresAt: 5,
      tags: [1, 'b', null],
      MARKER: 1,
    };
    expect(await refusal(create, { it })).toEqual(
      badFields(
        ['input', 'has a member that CreateInput does not define'],
        ['input.name', 'is required'],
        ['input.secret.token', 'has a member that TokenInput does not define'],
        ['input.secret.token.prefix', 'is required'],
        ['input.secret.token.ttl', 'must be a duration as in ISO 8601'],
        ['input.secret.token.kinds.1', 'must be one of: TOKEN, PASSWORD'],
        ['input.secret.token.kinds.2', 'must not be null'],
        ['input.secret.token.bytes', 'must be an Int'],
        ['input.secret', 'exactly one of its members must be given'],
        ['input.expiresAt', 'must be a DateTime'],
        ['input.tags.0', 'must be a String'],
        ['input.tags.2', 'must not be null'],
      ),
    );
  });

  test.each([
    ['missing', create, {}, ['input', 'is required']],
    ['null', create, { it: null }, ['input', 'must not be null']],
    ['no object', create, { it: 'MARKER' }, ['input', 'must be a CreateInput']],
    ['a list for an object', create, { it: [{ name: 'a' }] }, ['input', 'must be a CreateInput']],
    [
      'null in a one-of',
      create,
      { it: { name: 'a', secret: { password: null } } },
      ['input.secret.password', 'must not be null'],
    ],
    [
      'an empty one-of',
      create,
      { it: { name: 'a', secret: {} } },
      ['input.secret', 'exactly one of its members must be given'],
    ],
    [
      'an item',
      'query ($MARKER: [ID!]) { list(ids: $MARKER) { id } }',
      { MARKER: ['1', '2', '3', 1.5] },
      ['ids.3', 'must be an ID'],
    ],
    [
      'an inner list',
      'query ($n: [[Int!]]) { list(numbers: $n) { id } }',
      { n: [[1], [2, 'MARKER']] },
      ['numbers.1.1', 'must be an Int'],
    ],
    [
      'one where a list may be',
      'query ($n: [ID!]) { list(ids: $n) { id } }',
      { n: {} },
      ['ids', 'must be an ID'],
    ],
    [
      'part of a literal',
      'mutation ($p: String!) { create(input: { name: "a", secret: { token: { prefix: $p } } }) { id } }',
      { p: 5 },
      ['input.secret.token.prefix', 'must be a String'],
    ],
    [
      'a directive’s',
      'query ($MARKER: Boolean!) { safe @include(if: $MARKER) }',
      { MARKER: 'MARKER' },
      ['if', 'must be a Boolean'],
    ],
    [
      'a fragment’s',
      'query ($MARKER: ID!) { ...F } fragment F on Query { node(id: $MARKER) { id } }',
      { MARKER: true },
      ['id', 'must be an ID'],
    ],
    [
      'null to a default',
      'query ($n: Int! = 3) { list(first: $n) { id } }',
      { n: null },
      ['first', 'must not be null'],
    ],
    [
      'undefined by its scalar',
      'query ($l: Loud) { scalars(loud: $l) }',
      { l: 'MARKER' },
      ['loud', 'must be a Loud'],
    ],
  ] as [string, string, Record<string, unknown>, [string, string]][])(
    'refuses %s',
    async (_, query, variables, field) => {
      expect(await refusal(query, variables)).toEqual(badFields(field));
    },
  );

  test('takes defaults, left-out values and variables that the operation does not define', async () => {
    const answer = await ask('query ($a: [ID!], $first: Int! = 3) { list(ids: $a, first: $first) { id } }', {
      more: 'MARKER',
    });
    expect(answer).toMatchObject({ status: 200, data: { list: null } });
    expect(answer.errors).toBeUndefined();
  });

  test('tells a hundred faults and no more', async () => {
    const { fields } = await refusal('query ($n: [ID!]) { list(ids: $n) { id } }', {
      n: Array(1000).fill(true),
    });
    expect(fields).toHaveLength(100);
  });

  test('refuses exactly what graphql-js refuses', async () => {
    const leaf = fc.oneof(
      fc.constantFrom('TOKEN', 'PT1M', 'a', '', null, 1, 1.5, true, undefined),
      fc.integer(),
      fc.string(),
    );
    const keys = fc.constantFrom(
      'name',
      'secret',
      'token',
      'password',
      'settings',
      'prefix',
      'kinds',
      'ttl',
      'tags',
      'parent',
      'extra',
      'other',
    );
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        leaf,
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(keys, tie('value'), { maxKeys: 5 }),
      ),
    }));
    const input = fc.record(
      {
        name: fc.oneof({ weight: 4, arbitrary: fc.constant('a') }, { weight: 1, arbitrary: value }),
        secret: fc.option(
          fc.oneof(
            fc.record({ password: fc.constant('p') }),
            fc.record({ token: fc.record({ prefix: fc.constant('a'), kinds: value }) }),
            value,
          ),
        ),
        tags: fc.oneof(fc.array(fc.string()), value),
      },
      { requiredKeys: [] },
    );
    const document = parse(create);
    const operation = document.definitions[0] as OperationDefinitionNode;
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(fc.oneof(input, value), async (it) => {
        const { errors } = getVariableValues(schema, operation.variableDefinitions ?? [], { it });
        const answer = await ask(create, { it });
        expect(answer.status).toBe(errors ? 400 : 200);
        if (!errors) taken++;
      }),
      { numRuns: 500 },
    );
    expect(taken).toBeGreaterThan(20);
  });
});

describe('literals', () => {
  test.each([
    ['a wrong type', '{ list(ids: ["1", true]) { id } }', ['ids.1', 'must be an ID']],
    ['a list for one', '{ node(id: ["MARKER"]) { id } }', ['id', 'must be an ID']],
    ['an enum', '{ list(kinds: [TOKEN, MARKER]) { id } }', ['kinds.1', 'must be one of: TOKEN, PASSWORD']],
    ['text for an enum', '{ list(kinds: "MARKER") { id } }', ['kinds', 'must be one of: TOKEN, PASSWORD']],
    ['null', '{ node(id: null) { id } }', ['id', 'must not be null']],
    ['null in a list', '{ list(numbers: [[1], [null]]) { id } }', ['numbers.1.0', 'must not be null']],
    [
      'a missing member',
      'mutation { create(input: { secret: { token: { prefix: "a" } } }) { id } }',
      ['input.name', 'is required'],
    ],
    [
      'an unknown member',
      'mutation { create(input: { name: "a", secret: { token: { prefix: "a", MARKER: "MARKER" } } }) { id } }',
      ['input.secret.token', 'has a member that TokenInput does not define'],
    ],
    [
      'an empty one-of',
      'mutation { create(input: { name: "a", secret: {} }) { id } }',
      ['input.secret', 'exactly one of its members must be given'],
    ],
    [
      'a one-of with two',
      'mutation { create(input: { name: "a", secret: { password: "MARKER", settings: 1 } }) { id } }',
      ['input.secret', 'exactly one of its members must be given'],
    ],
    [
      'null in a one-of',
      'mutation { create(input: { name: "a", secret: { password: null } }) { id } }',
      ['input.secret.password', 'must not be null'],
    ],
    ['no object', 'mutation { create(input: "MARKER") { id } }', ['input', 'must be a CreateInput']],
    [
      'an object for text',
      'mutation { create(input: { name: { MARKER: "MARKER" } }) { id } }',
      ['input.name', 'must be a String'],
    ],
    [
      'one that a scalar of ours refuses',
      '{ scalars(duration: "MARKER") }',
      ['duration', 'must be a duration as in ISO 8601'],
    ],
    [
      'one that a scalar throws at',
      '{ credential(id: 1, at: "MARKER") { id } }',
      ['at', 'must be a DateTime'],
    ],
    [
      'one that a scalar throws at without its place',
      '{ scalars(json: {a: [1]}, shy: "MARKER") }',
      ['shy', 'must be a Shy'],
    ],
    ['one that a scalar does not know', '{ scalars(loud: MARKER) }', ['loud', 'must be a Loud']],
    [
      'a variable’s default',
      'query ($x: [ID!] = [true]) { list(ids: $x) { id } }',
      ['ids.0', 'must be an ID'],
    ],
    ['a directive’s', '{ safe @skip(if: "MARKER") }', ['if', 'must be a Boolean']],
    ['one under an alias', '{ MARKER: node(id: true) { id } }', ['id', 'must be an ID']],
  ] as [string, string, [string, string]][])('refuses %s', async (_, query, field) => {
    expect(await refusal(query)).toEqual(badFields(field));
  });

  test('tells each fault where it stands', async () => {
    const { errors } = await ask('mutation {\n create(input: { name: 1, tags: [true] }) { id } }');
    expect(errors).toEqual([
      {
        message: 'input.name: must be a String.',
        locations: [{ line: 2, column: 24 }],
        extensions: {
          code: 'BAD_USER_INPUT',
          id: 'req-1',
          fields: [{ path: 'input.name', message: 'must be a String' }],
        },
      },
      {
        message: 'input.tags.0: must be a String.',
        locations: [{ line: 2, column: 34 }],
        extensions: {
          code: 'BAD_USER_INPUT',
          id: 'req-1',
          fields: [{ path: 'input.tags.0', message: 'must be a String' }],
        },
      },
    ]);
  });

  test.each([
    ['an argument', 'query ($n: Int = 3) { list(first: $n) { id } }', ['first', 'must not be null']],
    ['an item', 'query ($n: ID = 3) { list(ids: ["a", $n]) { id } }', ['ids.1', 'must not be null']],
    [
      'a member',
      'query ($n: Int = 3) { list(by: { bytes: $n, prefix: "a" }) { id } }',
      ['by.bytes', 'must not be null'],
    ],
    [
      'a member, and nothing of one that has a default',
      'query ($n: String = "a", $other: Int) { list(by: { prefix: $n, bytes: $other }) { id } }',
      ['by.prefix', 'must not be null'],
    ],
  ] as [string, string, [string, string]][])(
    'refuses null that a default let through to %s',
    async (_, query, [path, message]) => {
      const answer = await ask(query, { n: null });
      expect(answer).toMatchObject({
        status: 200,
        data: { list: null },
        errors: [
          {
            path: ['list'],
            extensions: { code: 'BAD_USER_INPUT', id: 'req-1', fields: [{ path, message }] },
          },
        ],
      });
      expect(told).toEqual([]);
    },
  );

  test('refuses null that a default let through to a directive', async () => {
    const { errors } = await ask('query ($x: Boolean = true) { safe @include(if: $x) }', { x: null });
    expect(errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', fields: [{ path: 'if', message: 'must not be null' }] } },
    ]);
    expect(told).toEqual([]);
  });

  test('refuses exactly what graphql-js refuses', () => {
    const names = [
      'name',
      'secret',
      'token',
      'password',
      'settings',
      'prefix',
      'kinds',
      'tags',
      'bytes',
      'other',
    ];
    const scalar = fc.constantFrom('TOKEN', '"PT1M"', '"a"', 'null', '1', '1.5', 'true', 'OTHER');
    const { literal } = fc.letrec<{ literal: string }>((tie) => ({
      literal: fc.oneof(
        { maxDepth: 4 },
        scalar,
        fc.array(tie('literal'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
        fc
          .dictionary(fc.constantFrom(...names), tie('literal'), { maxKeys: 4 })
          .map((members) => objectOf(members)),
      ),
    }));
    const objectOf = (members: Record<string, string | undefined>) =>
      `{ ${Object.entries(members)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => `${name}: ${value}`)
        .join(', ')} }`;
    const usual = fc
      .record(
        {
          name: fc.oneof({ weight: 4, arbitrary: fc.constant('"a"') }, literal),
          secret: fc.oneof(fc.constantFrom('{ password: "p" }', '{ token: { prefix: "a" } }'), literal),
          tags: fc.oneof(fc.constantFrom('"a"', '["a", "b"]'), literal),
          extra: literal,
        },
        { requiredKeys: [] },
      )
      .map(objectOf);
    let taken = 0;
    fc.assert(
      fc.property(
        fc.constantFrom('CreateInput!', '[[CreateInput!]]'),
        fc.oneof(usual, literal),
        (type, text) => {
          const document = parse(`query ($x: ${type} = ${text}) { safe }`);
          const [{ variableDefinitions }] = document.definitions as [OperationDefinitionNode];
          const { defaultValue, type: wanted } = variableDefinitions?.[0] ?? {};
          const input = wanted && typeFromAST(schema, wanted);
          if (!defaultValue || !isInputType(input)) throw new Error('no literal');
          const refused = validate(schema, document, [ValuesOfCorrectTypeRule]).length > 0;
          expect([...literalFaults(defaultValue, input)].length > 0).toBe(refused);
          if (!refused) taken++;
        },
      ),
      { numRuns: 1_000 },
    );
    expect(taken).toBeGreaterThan(20);
  });
});

describe('documents', () => {
  const unfit: [string, string][] = [
    ['{ MARKER }', 'Type Query has no field of that name.'],
    ['{ safes }', 'Type Query has no field of that name.'],
    ['mutation { create { id } }', 'Field create needs argument input.'],
    ['{ node(id: 1, MARKER: 2) { id } }', 'Field Query.node has no argument of that name.'],
    ['{ node(id: 1) }', 'Field node needs a selection of its fields.'],
    ['{ safe { MARKER } }', 'Field safe has no fields of its own to select.'],
    ['{ safe @MARKER }', 'There is no directive of that name.'],
    ['{ safe @include }', 'Directive @include needs argument if.'],
    ['{ safe @include(if: true, MARKER: 1) }', 'Directive @include has no argument of that name.'],
    ['query @include(if: true) { safe }', 'Directive @include cannot stand there.'],
    ['{ safe @skip(if: true) @skip(if: true) }', 'Directive @skip can stand only once in one place.'],
    ['{ ... on MARKER { safe } }', 'There is no type of that name.'],
    ['{ ... on Kind { safe } }', 'A fragment cannot be on type Kind, which has no fields.'],
    ['{ ... on Credential { id } }', 'An object of type Query can never be of type Credential.'],
    ['{ ...MARKER }', 'The document defines no fragment of that name.'],
    ['{ safe } fragment MARKER on Query { safe }', 'A fragment is never used.'],
    ['{ ...MARKER } fragment MARKER on Query { ...MARKER }', 'A fragment is spread within itself.'],
    [
      '{ MARKER: safe MARKER: fails }',
      'Two fields of one name in the answer ask for different things: give them aliases.',
    ],
    ['{ node(id: $MARKER) { id } }', 'The operation defines no variable of that name.'],
    ['query MARKER($MARKER: ID) { safe }', 'A variable is never used.'],
    [
      'query ($MARKER: String) { node(id: $MARKER) { id } }',
      'A variable is used where its type does not fit.',
    ],
    [
      'query ($MARKER: Credential) { fails(how: $MARKER) }',
      'A variable cannot be of type Credential, which is no input type.',
    ],
    ['{ node(id: 1, id: 2) { id } }', 'One name is given twice.'],
    ['{ safe } query MARKER { safe }', 'An operation without a name must be the only one of its document.'],
    ['{ safe } type MARKER { a: Int }', 'A document holds operations and fragments only.'],
    ['{ __schema { description } }', 'Introspection is switched off.'],
    [
      '{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }',
      'The introspection is nested too deep.',
    ],
    ['{ credential(id: 1) { __typename } credential { __typename } }', 'Field credential needs argument id.'],
    ['{ scalars(json: { MARKER: 1, MARKER: 2 }) }', 'One name is given twice.'],
    ['query MARKER { safe } query MARKER { safe }', 'One name is given twice.'],
    ['query ($MARKER: ID!, $MARKER: ID!) { node(id: $MARKER) { id } }', 'One name is given twice.'],
    [
      '{ ...MARKER } fragment MARKER on Query { safe } fragment MARKER on Query { safe }',
      'One name is given twice.',
    ],
    ['subscription MARKER { news alarms }', 'A subscription selects exactly one field.'],
    [
      '{ node(id: 1) { ...MARKER } } fragment MARKER on Query { safe }',
      'An object of type Node can never be of type Query.',
    ],
    [
      '{ ...MARKER } fragment MARKER on Kind { MARKER }',
      'A fragment cannot be on type Kind, which has no fields.',
    ],
    [
      'query ($MARKER: [Credential!]!) { fails(how: $MARKER) }',
      'A variable cannot be of type Credential, which is no input type.',
    ],
    ['directive @MARKER on FIELD { safe @MARKER @MARKER }', 'The document does not fit the schema.'],
  ];

  test('meets each rule of graphql-js, and has words for each', () => {
    const literals = (rule: ValidationRule) => rule === ValuesOfCorrectTypeRule;
    expect(specifiedRules.filter((rule) => !wordsOf.has(rule) && !literals(rule))).toEqual([]);
    const met = (rule: ValidationRule) =>
      unfit.some(([query]) => validate(schema, parse(query), [rule]).length > 0);
    expect([...wordsOf.keys()].filter((rule) => !met(rule)).map(({ name }) => name)).toEqual([]);
  });

  test.each(unfit)('S9: of %s says only what the schema holds', async (query, message) => {
    const { errors = [], status } = await ask(query);
    expect(status).toBe(400);
    expect(errors.map((error) => error.message)).toContain(message);
    for (const error of errors) {
      expect(Object.keys(error).sort()).toEqual(['extensions', 'locations', 'message']);
      expect(error.extensions).toEqual({ code: 'GRAPHQL_VALIDATION_FAILED', id: 'req-1' });
    }
    expect(JSON.stringify(errors)).not.toMatch(/MARKER|Did you mean/);
  });

  test('S9: quotes nothing of a document that cannot be read', async () => {
    for (const query of [
      '{ safe(MARKER }',
      '{ safe "MARKER" }',
      '"MARKER',
      '{ a(b: "\\MARKER") }',
      '$MARKER',
    ]) {
      const { errors, status } = await ask(query);
      expect(status).toBe(400);
      expect(errors).toEqual([
        {
          message: expect.stringMatching(
            /^The document cannot be read: see line 1, column \d+\.$/,
          ) as unknown,
          locations: expect.anything() as unknown,
          extensions: { code: 'GRAPHQL_PARSE_FAILED', id: 'req-1' },
        },
      ]);
    }
  });

  test('S9: names no operation that is not there', async () => {
    for (const name of ['MARKER', undefined]) {
      const { errors, status } = await ask('query a { safe } query b { safe }', {}, name);
      expect(status).toBe(400);
      expect(errors?.[0]).toMatchObject({
        message: 'The request must name one operation that its document and the schema have.',
        extensions: { code: 'OPERATION_RESOLUTION_FAILURE', id: 'req-1' },
      });
      expect(JSON.stringify(errors)).not.toContain('MARKER');
    }
  });

  test('S3: tells a hundred faults after thousands of lines by the first ten, and their places', async () => {
    const query = `${'\n'.repeat(9_000)}{ credential(id: 1) { ${Array.from({ length: 100 }, (_, index) => `x${index}`).join(' ')} } }`;
    const { errors } = await ask(query);
    expect(errors?.at(-1)?.message).toBe('There are more faults than are listed here.');
    expect(errors?.[0]?.locations).toEqual([{ line: 9_001, column: 23 }]);
  });

  test('tells the places of all nodes of a fault', async () => {
    const { errors } = await ask('{\n  node(id: 1,\n    id: 2) { id }\n}');
    expect(errors?.[0]?.locations).toEqual([
      { line: 2, column: 8 },
      { line: 3, column: 5 },
    ]);
  });
});

describe('resolvers', () => {
  const fails = (how: string) => ask('query ($how: String) { safe MARKED: fails(how: $how) }', { how });

  test.each([
    [
      'keyway',
      { code: 'BAD_USER_INPUT', fields: [{ path: 'input.name', message: 'must be short' }] },
      'input.name: must be short.',
    ],
    ['nested', { code: 'NOT_FOUND' }, codes.NOT_FOUND],
    [
      'rules',
      {
        code: 'BAD_USER_INPUT',
        fields: [
          { path: 'input.name', message: 'must be one line' },
          { path: 'input.secret.token.prefix', message: 'must be short' },
        ],
      },
      'input.name: must be one line. 1 more in fields.',
    ],
  ])('hands on what is ours: %s', async (how, extensions, message) => {
    const answer = await fails(how);
    expect(answer).toMatchObject({ status: 200, data: { safe: 'sound', MARKED: null } });
    expect(answer.errors).toEqual([
      {
        message,
        path: ['MARKED'],
        locations: [{ line: 1, column: 29 }],
        extensions: { ...extensions, id: 'req-1' },
      },
    ]);
    expect(told).toEqual([]);
  });

  test.each(['database', 'pretender', 'caused', 'internal', 'text'])(
    'S9: makes a stranger INTERNAL: %s',
    async (how) => {
      const answer = await fails(how);
      expect(answer).toMatchObject({ status: 200, data: { safe: 'sound' } });
      expect(answer.errors).toEqual([
        {
          message: codes.INTERNAL_SERVER_ERROR,
          path: ['MARKED'],
          locations: [{ line: 1, column: 29 }],
          extensions: { code: 'INTERNAL_SERVER_ERROR', id: 'req-1' },
        },
      ]);
      expect(told).toHaveLength(1);
      expect(String(told[0]?.error)).toContain('MARKER');
      expect(told[0]?.contextValue).toEqual({ requestId: 'req-1' });
    },
  );

  test('S9: makes INTERNAL of null where the schema has none, with status 200', async () => {
    const answer = await ask('{ strict }');
    expect(answer).toMatchObject({
      status: 200,
      data: null,
      errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
    });
  });
});

test.each([
  [() => new KeywayError('UNAUTHENTICATED'), 401, 'UNAUTHENTICATED'],
  [() => new KeywayError('FORBIDDEN'), 403, 'FORBIDDEN'],
  [() => new KeywayError('RATE_LIMITED'), 429, 'RATE_LIMITED'],
  [() => unavailable(new Error('MARKER')), 503, 'UNAVAILABLE'],
  [() => badInput('input', 'is odd'), 400, 'BAD_USER_INPUT'],
  [() => new Error('MARKER'), 500, 'INTERNAL_SERVER_ERROR'],
] as [() => Error, number, string][])(
  'answers %s before execution with status %i',
  async (make, status, code) => {
    refuse = make;
    const answer = await ask('{ safe }');
    expect(answer).toMatchObject({ status, errors: [{ extensions: { code, id: 'req-1' } }] });
    expect(answer.data).toBeUndefined();
    expect(JSON.stringify(answer)).not.toContain('MARKER');
    refuse = undefined;
    makeContext = () => {
      throw make();
    };
    const response = await http.inject({ method: 'POST', url: '/graphql', payload: { query: '{ safe }' } });
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({
      errors: [
        {
          message: code === 'BAD_USER_INPUT' ? 'input: is odd.' : codes[code as keyof typeof codes],
          extensions: { code },
        },
      ],
    });
    expect(response.body).not.toMatch(/MARKER|Context creation/);
    expect(told).toHaveLength(status === 500 ? 2 : 0);
  },
);

describe('HTTP requests that are no GraphQL requests', () => {
  const json = { 'content-type': 'application/json' };
  test.each([
    ['an empty body', 400, { method: 'POST', headers: json, payload: '{}' }],
    ['a batch', 400, { method: 'POST', headers: json, payload: '[{"query":"{ MARKER }"}]' }],
    ['a query that is no text', 400, { method: 'POST', headers: json, payload: '{"query":{"MARKER":1}}' }],
    [
      'variables that are no object',
      400,
      { method: 'POST', headers: json, payload: '{"query":"{ safe }","variables":"MARKER"}' },
    ],
    ['no query', 400, { method: 'POST', headers: json, payload: '{"operationName":"MARKER"}' }],
    [
      'a mutation by GET',
      405,
      {
        method: 'GET',
        headers: json,
        url: '/graphql?query=mutation%7Bcreate(input:%7Bname:%22MARKER%22%7D)%7Bid%7D%7D',
      },
    ],
    ['no preflight', 400, { method: 'GET', url: '/graphql?query=%7BMARKER%7D' }],
    [
      'variables that are no JSON',
      400,
      { method: 'GET', headers: json, url: '/graphql?query=%7Bsafe%7D&variables=MARKER' },
    ],
    [
      'a wrong hash',
      400,
      {
        method: 'POST',
        headers: json,
        payload: '{"query":"{ safe }","extensions":{"persistedQuery":{"version":1,"sha256Hash":"MARKER"}}}',
      },
    ],
    ['a method', 405, { method: 'PUT', headers: json, payload: '{"query":"{ safe }"}' }],
  ] as const)('S9: answers BAD_REQUEST to %s', async (_, status, request) => {
    const response = await http.inject({ url: '/graphql', ...request });
    expect(response.statusCode).toBe(status);
    expect(response.json<{ errors: unknown }>().errors).toMatchObject([
      {
        message: expect.stringMatching(/^(A GET only asks|The HTTP request is not)/) as string,
        extensions: { code: 'BAD_REQUEST' },
      },
    ]);
    expect(response.body).not.toContain('MARKER');
  });

  test('lets clients know that a persisted query is not there', async () => {
    const response = await http.inject({
      method: 'POST',
      url: '/graphql',
      payload: { extensions: { persistedQuery: { version: 1, sha256Hash: 'MARKER' } } },
    });
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual({
      errors: [
        { message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND', id: 'req-2' } },
      ],
    });
  });
});

describe('S10: no answer holds a submitted value', () => {
  const marker = 'MARKER-93e1';
  const wrongJson = [
    marker,
    `${marker}`.repeat(40),
    [marker],
    [[marker]],
    { [marker]: marker },
    { name: { [marker]: [marker] } },
    931e7 + 0.25,
    true,
    null,
  ];
  const wrongLiterals = [
    `"${marker}"`,
    `"""${marker}"""`,
    'MARKER_93e1',
    'true',
    'null',
    '9310000000.25',
    '-93100000000000',
    `["${marker}"]`,
    `[[MARKER_93e1]]`,
    `{ MARKER_93e1: "${marker}" }`,
    `{ name: { MARKER_93e1: ["${marker}"] } }`,
    `{ name: "${marker}", name: MARKER_93e1 }`,
    '$MARKER_93e1',
  ];
  const submitted = /MARKER|93e1|931\d|\b9310/;
  // The values that a member of the right type takes, so that the fault lies deeper.
  const right = (type: GraphQLInputType): string => {
    if (isNonNullType(type)) return right(type.ofType);
    if (isListType(type)) return `[${right(type.ofType)}]`;
    if (isInputObjectType(type))
      return `{ ${Object.values(type.getFields())
        .filter(({ type: wanted }) => isNonNullType(wanted))
        .map((field) => `${field.name}: ${right(field.type)}`)
        .join(', ')} }`;
    return (
      { DateTime: '"2026-01-01T00:00:00Z"', Duration: '"PT1M"', Kind: 'TOKEN', Int: '1', Boolean: 'true' }[
        getNamedType(type).name
      ] ?? '"a"'
    );
  };
  const toJson = (literal: string) =>
    JSON.parse(literal.replaceAll('TOKEN', '"TOKEN"').replaceAll(/(\w+):(?= )/g, '"$1":')) as unknown;

  /** Every argument and member of the schema, with a way to write a value there. */
  const slots: {
    name: string;
    operation: string;
    type: string;
    literal: (text: string) => string;
    json: (value: unknown) => unknown;
  }[] = [];
  const addSlots = (
    name: string,
    operation: string,
    type: GraphQLInputType,
    wanted: string,
    literal: (text: string) => string,
    json: (value: unknown) => unknown,
    level = 0,
  ) => {
    slots.push({ name, operation, type: wanted, literal, json });
    const inner = isNonNullType(type) ? type.ofType : type;
    if (isListType(inner) && isInputType(inner.ofType))
      addSlots(
        `${name}.0`,
        operation,
        inner.ofType,
        wanted,
        (text) => literal(`[${text}]`),
        (value) => json([value]),
        level,
      );
    if (!isInputObjectType(inner) || level > 3) return;
    for (const member of Object.values(inner.getFields())) {
      const others = inner.isOneOf
        ? []
        : Object.values(inner.getFields()).filter(
            (field) => field !== member && isNonNullType(field.type) && field.defaultValue === undefined,
          );
      const literals = others.map((field) => `${field.name}: ${right(field.type)}, `).join('');
      addSlots(
        `${name}.${member.name}`,
        operation,
        member.type,
        wanted,
        (text) => literal(`{ ${literals}${member.name}: ${text} }`),
        (value) =>
          json({
            ...Object.fromEntries(others.map((field) => [field.name, toJson(right(field.type))])),
            [member.name]: value,
          }),
        level + 1,
      );
    }
  };
  for (const [keyword, root] of [
    ['query', schema.getQueryType()],
    ['mutation', schema.getMutationType()],
  ] as const)
    for (const field of Object.values(root?.getFields() ?? {}))
      for (const argument of field.args) {
        const others = field.args
          .filter(
            (other) => other !== argument && isNonNullType(other.type) && other.defaultValue === undefined,
          )
          .map((other) => `${other.name}: ${right(other.type)}, `)
          .join('');
        const below = isLeafType(getNamedType(field.type)) ? '' : '{ __typename }';
        addSlots(
          `${field.name}.${argument.name}`,
          `${keyword} DECLARED { ${field.name}(${others}${argument.name}: GIVEN) ${below} }`,
          argument.type,
          String(argument.type),
          (text) => text,
          (value) => value,
        );
      }

  const proven = (answer: { errors?: readonly GraphQLFormattedError[] | undefined; status: number }) => {
    expect(JSON.stringify(answer)).not.toMatch(submitted);
    expect(answer.status).toBeLessThan(500);
    for (const { extensions } of answer.errors ?? [])
      expect(extensions?.['code']).not.toBe('INTERNAL_SERVER_ERROR');
  };

  test('looks at every argument', () => {
    expect(slots.length).toBeGreaterThan(40);
    expect(slots.map(({ name }) => name)).toContain('create.input.secret.token.kinds.0');
  });

  test.each(slots)('as a literal of $name', async ({ operation, literal }) => {
    for (const text of wrongLiterals)
      proven(await ask(operation.replace('DECLARED', '').replace('GIVEN', () => literal(text))));
  });

  test.each(slots)('as a variable of $name', async ({ operation, type, json }) => {
    const query = operation.replace('DECLARED', `($MARKER: ${type})`).replace('GIVEN', '$MARKER');
    for (const value of wrongJson) proven(await ask(query, { MARKER: json(value) }));
  });

  test.each(slots)('as a variable inside the literal of $name', async ({ operation, literal }) => {
    for (const type of ['String', 'String!', 'Int', 'MARKER'])
      for (const value of wrongJson) {
        const query = operation
          .replace('DECLARED', `($MARKER: ${type})`)
          .replace('GIVEN', () => literal('$MARKER'));
        proven(await ask(query, { MARKER: value }));
      }
  });

  test('as a name: of a field, argument, directive, type, fragment, variable or operation', async () => {
    for (const query of [
      '{ MARKER }',
      '{ safe(MARKER: 1) }',
      '{ node(MARKER: "MARKER") { MARKER } }',
      '{ node(id: 1) { id(MARKER: 1) } }',
      '{ safe @MARKER(MARKER: MARKER) }',
      '{ ... on MARKER { MARKER } }',
      '{ ...MARKER }',
      'query MARKER { MARKER }',
      'query MARKER($MARKER: MARKER) { safe }',
      'query ($MARKER: ID = MARKER) { node(id: $MARKER) { id } }',
      'subscription MARKER { MARKER }',
      'fragment MARKER on MARKER { MARKER }',
      '{ MARKER: __type(name: "MARKER") { MARKER } }',
      'type MARKER { MARKER: MARKER }',
      '{ credential(id: 1) { name(by: MARKER, upper: "MARKER", MARKER: 1) { MARKER } } }',
      'mutation { create(input: { MARKER: MARKER }, MARKER: {}) { MARKER } }',
      'query MARKER { safe } query MARKER { safe }',
      '{ MARKER(input: { MARKER: "MARKER" }) }',
    ])
      proven(await ask(query));
  });
});

test('S9: tells nothing without a schema to tell from', () => {
  const error = new GraphQLError('Cannot query field "MARKER" on type "MARKER".', {
    extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
  });
  expect(publicError(error)).toEqual({
    message: 'The document does not fit the schema.',
    extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
  });
});

test('S9: says nothing in the words of a rule that is not known', async () => {
  const ruled = new ApolloServer({
    schema,
    formatError,
    validationRules: [
      (context) => ({
        Field: (nodes) => context.reportError(new GraphQLError('MARKER', { nodes })),
      }),
    ],
    plugins: [answerErrors({ requestId: () => 'req-3' })],
  });
  const { body } = await ruled.executeOperation({ query: '{ safe }' });
  expect(body).toEqual({
    kind: 'single',
    singleResult: {
      errors: [
        {
          message: 'The document does not fit the schema.',
          locations: [{ line: 1, column: 3 }],
          extensions: { code: 'GRAPHQL_VALIDATION_FAILED', id: 'req-3' },
        },
      ],
    },
  });
  await ruled.stop();
});

test('S9: refuses an operation of a kind that the schema does not have', async () => {
  const reading = new ApolloServer({
    schema: buildSchema('type Query { safe: String }'),
    formatError,
    plugins: [answerErrors({ requestId: () => 'req-3' })],
  });
  const { body } = await reading.executeOperation({ query: 'subscription { MARKER }' });
  expect(body).toMatchObject({
    singleResult: {
      errors: [
        {
          message: 'The request must name one operation that its document and the schema have.',
          extensions: { code: 'OPERATION_RESOLUTION_FAILURE', id: 'req-3' },
        },
      ],
    },
  });
  expect(JSON.stringify(body)).not.toContain('MARKER');
  await reading.stop();
});

test('S9: takes no errors from a plugin that answers by itself', async () => {
  const answering = new ApolloServer({
    schema,
    formatError,
    plugins: [
      {
        requestDidStart: async () => ({
          responseForOperation: async () => ({
            http: { headers: new HeaderMap() },
            body: {
              kind: 'single',
              singleResult: { errors: [{ message: 'MARKER', extensions: { code: 'MARKER' } }] },
            },
          }),
        }),
      },
      answerErrors({ requestId: () => 'req-3' }),
    ],
  });
  const { body } = await answering.executeOperation({ query: '{ safe }' });
  expect(body).toEqual({
    kind: 'single',
    singleResult: {
      errors: [
        { message: codes.INTERNAL_SERVER_ERROR, extensions: { code: 'INTERNAL_SERVER_ERROR', id: 'req-3' } },
      ],
    },
  });
  await answering.stop();
});
