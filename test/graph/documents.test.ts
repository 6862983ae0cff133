/**
 * @embedded documents
 */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parse } from 'graphql';
import {
  mostDocuments,
  mostKeptTokens,
  mostNewTokens,
  mostNewTokensOfTenant,
  newTokensMs,
} from '../../src/config/limits.js';
import { registry } from '../../src/connectors/registry.js';
import { suggestNearest } from '../../src/graph/errors/suggest.js';
import { openSchema } from '../../src/graph/schema.js';
import { DocumentBudget, DocumentStore } from '../../src/graph/documents.js';
import { Turns } from '../../src/graph/turns.js';
import { withoutLimits } from '../support/answers.js';
import { makeCaller } from '../support/make.js';
import { sharedServer, startTestServer, type SharedServer } from '../support/server.js';

const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ');
const nested = (levels: number): string => (levels === 0 ? 'id' : `parent { ${nested(levels - 1)} }`);
const ofType = (levels: number): string => (levels === 0 ? 'name' : `ofType { ${ofType(levels - 1)} }`);

describe('S3: what is too much is refused before it is validated', () => {
  let server: SharedServer;
  beforeAll(async () => void (server = await sharedServer()));

  // Validation would find `nowhere`, and say so.
  const unfit = 'nowhere';
  test.each([
    ['many fields of one name', `{ ${times(480, () => 'viewer { id }')} ${unfit} }`, 'pairs'],
    [
      'many fields of one name, deeper',
      `{ viewer { ${times(270, () => 'parent { parent { id } }')} } ${unfit} }`,
      'pairs',
    ],
    ['many fields', `{ ${times(1_990, (index) => `a${index}`)} }`, '1000 fields'],
    ['fields beneath fields', `{ viewer { ${nested(8)} } ${unfit} }`, '10 fields deep; 8 are allowed'],
    ['deep fields that are not there', `{ ${'a { '.repeat(300)} a ${'} '.repeat(300)} }`, '301 fields deep'],
    ['aliases', `{ viewer { ${times(21, (index) => `a${index}: id`)} } ${unfit} }`, '21 aliases; 20'],
    [
      'directives',
      `{ viewer { ${times(21, () => 'id @include(if: true)')} } ${unfit} }`,
      '21 directives; 20',
    ],
    ['directives in one place', `{ viewer { id ${times(21, () => '@nowhere')} } }`, '21 directives; 20'],
    ['operations', times(26, (index) => `query Q${index} { ${unfit} }`), '26 operations; 25'],
    ['a long name', `{ ${'x'.repeat(200_000)} }`, '200000 characters; 200'],
    [
      'introspection',
      `{ __type(name: "Query") { ${ofType(30)} } ${unfit} }`,
      'introspection is 32 fields deep',
    ],
    [
      'fragments that double',
      `{ ...F0 } ${times(60, (i) => `fragment F${i} on Query { ...F${i + 1} ...F${i + 1} }`)} fragment F60 on Query { ${unfit} }`,
      '1000 fields',
    ],
    [
      'fragments that double, and that nobody spreads',
      `{ ${unfit} } ${times(60, (i) => `fragment F${i} on Query { a${i}: viewer { id } ...F${i + 1} ...F${i + 1} }`)} fragment F60 on Query { x }`,
      '1000 fields',
    ],
    [
      'a literal',
      `{ credentials(filter: { search: ${'['.repeat(300)}1${']'.repeat(300)} }) { ${unfit} } }`,
      'nested more than 16',
    ],
    ['lists', `{ nodes(ids: [${times(1_001, () => '1')}]) { ${unfit} } }`, '1001 items; 1000'],
    [
      'rows',
      `{ credentials(first: 100) { nodes { account { credentials(first: 100) { nodes { ${unfit} } } } } } }`,
      'costs',
    ],
  ])('%s', async (_, query, words) => {
    const operationName = query.startsWith('query Q0') ? 'Q0' : undefined;
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${server.adminToken}` },
      body: JSON.stringify({ query, operationName }),
    });
    const { errors } = (await response.json()) as {
      errors: { message: string; extensions: { code: string } }[];
    };
    expect(response.status).toBe(400);
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(['LIMIT_EXCEEDED']);
    expect(errors[0]?.message).toContain(words);
  });

  test('variables too', async () => {
    const deep = (levels: number): unknown => (levels === 0 ? 'x' : [deep(levels - 1)]);
    const answer = await server.ask(`query ($x: [ID!]!) { nodes(ids: $x) { ${unfit} } }`, { x: deep(20) });
    expect(answer.code).toBe('LIMIT_EXCEEDED');
  });

  test('what is within the limits is taken, and answered again as the first time', async () => {
    const query = `{ viewer { ${times(20, () => 'parent { id }')} } }`;
    const texts = [];
    for (let time = 0; time < 3; time++) texts.push(withoutLimits((await server.ask(query)).text));
    expect(new Set(texts).size).toBe(1);
    expect(texts[0]).toContain('"data"');
  });

  test('a document that does not fit is told so each time, in the same words', async () => {
    const answers = await Promise.all(Array.from({ length: 3 }, () => server.ask('{ viewer { nowhere } }')));
    for (const { errors, status } of answers) {
      expect(status).toBe(400);
      expect(errors).toMatchObject([{ locations: [{ line: 1, column: 12 }] }]);
    }
  });
});

describe('turns', () => {
  test('one begins at a time, and callers are served in turn', async () => {
    const turns = new Turns();
    const order: string[] = [];
    const work = ['a', 'a', 'a', 'b', 'a', 'b', 'c'].map(async (caller) => {
      await turns.take([caller]);
      order.push(caller);
    });
    const seen: number[] = [];
    for (let turn = 0; turn < 9; turn++) {
      await nextTurn();
      seen.push(order.length);
    }
    await Promise.all(work);
    expect(order).toEqual(['a', 'b', 'c', 'a', 'b', 'a', 'a']);
    for (const [index, count] of seen.entries())
      expect(count - (seen[index - 1] ?? 0)).toBeLessThanOrEqual(1);
  });

  test('somebody who comes later is behind one of each other caller', async () => {
    const turns = new Turns();
    const order: string[] = [];
    const take = async (caller: string) => {
      await turns.take([caller]);
      order.push(caller);
    };
    const many = Array.from({ length: 40 }, () => take('many'));
    await nextTurn();
    await take('late');
    expect(order.length).toBeLessThan(6);
    await Promise.all(many);
  });
});

describe('new documents', () => {
  const refused = (retryInMs: number) =>
    expect.objectContaining({ code: 'RATE_LIMITED', retryInMs }) as Error;

  test('are RATE_LIMITED beyond what one account may have in a time, and not for others', () => {
    const budget = new DocumentBudget();
    budget.spend(['a', 'one'], mostNewTokens, 0);
    expect(() => budget.spend(['a', 'one'], 1, 1_000)).toThrow(refused(newTokensMs - 1_000));
    budget.spend(['a', 'other'], mostNewTokens, 1_000);
    budget.spend(['b', 'one'], mostNewTokens, 1_000);
    budget.spend(['a', 'one'], mostNewTokens, newTokensMs);
  });

  test('and beyond what all accounts of a tenant may have, and not for another tenant', () => {
    const budget = new DocumentBudget();
    const share = mostNewTokensOfTenant / 100;
    for (let account = 0; account < 100; account++) budget.spend(['a', `${account}`], share, 0);
    expect(() => budget.spend(['a', 'next'], 1, 1_000)).toThrow(refused(newTokensMs - 1_000));
    budget.spend(['b', 'one'], mostNewTokens, 1_000);
    budget.spend(['a', 'next'], 1, newTokensMs);
  });
});

describe('S3: the documents that are kept', () => {
  const hash = (index: number) => String(index).padStart(64, '0');

  test('are no more than a thousand: the one used longest ago gives way', async () => {
    const store = new DocumentStore();
    for (let index = 0; index < mostDocuments; index++) await store.set(`x:${hash(index)}`, parse('{ a }'));
    await store.get(`x:${hash(0)}`);
    await store.set(`x:${hash(mostDocuments)}`, parse('{ a }'));
    expect([0, 1, 2, mostDocuments].map((index) => store.has(hash(index)))).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });

  test('are no more than so many tokens, and hold neither their texts nor their tokens', async () => {
    const store = new DocumentStore();
    const long = () => parse(`{ ${times(1_900, () => 'a')} }`);
    const first = long();
    await store.set(`x:${hash(0)}`, first);
    expect(first.loc).toBeUndefined();
    for (let index = 1; index <= mostKeptTokens / 1_900; index++) await store.set(`x:${hash(index)}`, long());
    expect(store.has(hash(0))).toBe(false);
    expect(store.has(hash(2))).toBe(true);
    // Set twice, it counts once.
    for (let time = 0; time < 100; time++) await store.set(`x:${hash(2)}`, long());
    expect(store.has(hash(3))).toBe(true);
  });
});

test('one account has no more requests under way than it may, and leaves room for others', async () => {
  const server = await startTestServer({ KEYWAY_REQUESTS_PER_CALLER: '2' });
  const held: Socket[] = [];
  try {
    const caller = await makeCaller(server);
    const { hostname, port } = new URL(server.url);
    // A body that does not come holds a request.
    for (let count = 0; count < 2; count++) {
      const socket = connect(Number(port), hostname);
      held.push(socket);
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      socket.write(
        `POST /graphql HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\nauthorization: Bearer ${caller.token}\r\nexpect: 100-continue\r\ncontent-length: 99\r\n\r\n{`,
      );
      await once(socket, 'data');
    }
    const asked = () => server.ask('{ viewer { id } }', {}, caller);
    let answer = await asked();
    for (let tries = 0; tries < 50 && answer.status !== 429; tries++) answer = await asked();
    expect([answer.status, answer.code]).toEqual([429, 'RATE_LIMITED']);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(answer.errors[0]?.message).toContain('2 requests');
    expect((await server.ask('{ viewer { id } }')).status).toBe(200);
    for (const socket of held) socket.destroy();
    for (let tries = 0; tries < 50 && answer.status !== 200; tries++) answer = await asked();
    expect(answer.status).toBe(200);
    for (let count = 0; count < 5; count++) expect((await asked()).status).toBe(200);
  } finally {
    for (const socket of held) socket.destroy();
    await server.stop();
  }
});

describe('a misspelt name is told with the nearest that there is', () => {
  let server: SharedServer;
  beforeAll(async () => void (server = await sharedServer()));

  test.each([
    ['a field', '{ viewr { id } }', 'Type Query has no field viewr: did you mean viewer?'],
    ['a field of an object', '{ viewer { titel } }', 'Type Account has no field titel: did you mean title?'],
    [
      'an argument',
      '{ credentials(frist: 1) { totalCount } }',
      'Field Query.credentials has no argument frist: did you mean first?',
    ],
    [
      'a type',
      '{ node(id: "x") { ... on Acount { id } } }',
      'There is no type Acount: did you mean Account?',
    ],
    [
      'a directive',
      '{ viewer { id @inclde(if: true) } }',
      'There is no directive inclde: did you mean include?',
    ],
    [
      'a member of a literal',
      '{ credentials(filter: { serach: "MARKER" }) { totalCount } }',
      'filter: has a member serach that CredentialFilter does not define: did you mean search?',
    ],
    [
      'a variable',
      'query ($id: ID!) { node(id: $idd) { id } }',
      'The operation defines no variable $idd: did you mean $id?',
    ],
    [
      'a variable of another type',
      'query ($id: String) { node(id: $id) { id } }',
      'A variable is used where its type does not fit: $id.',
    ],
    ['a variable too many', 'query ($id: ID) { viewer { id } }', 'A variable is never used: $id.'],
    [
      'a fragment',
      '{ viewer { ...Caler } } fragment Caller on Account { id }',
      'The document defines no fragment Caler: did you mean Caller?',
    ],
    [
      'a variable that may be a value',
      'query ($id: ID!) { node(id: $AKIA7Q2MARKER) { id } }',
      'The operation defines no variable of that name.',
    ],
    ['where it cannot be read', '{ viewer {\n id(}}', 'The document cannot be read: see line 2, column 5.'],
    ['nothing like it', '{ nowhere { id } }', 'Type Query has no field nowhere.'],
    [
      'an argument like no other',
      '{ viewer(nowhere: "MARKER") { id } }',
      'Field Query.viewer has no argument nowhere.',
    ],
    [
      'a member like no other',
      '{ credentials(filter: { zzz: "MARKER" }) { totalCount } }',
      'filter: has a member zzz that CredentialFilter does not define.',
    ],
    ['what is too long for a slip', `{ ${'M'.repeat(65)} { id } }`, 'Type Query has no field of that name.'],
  ])('%s', async (_, query, message) => {
    const { errors, text, status } = await server.ask(query);
    expect(status).toBe(400);
    expect(errors[0]?.message).toBe(message);
    expect(text).not.toContain('MARKER');
  });

  test('a member of a variable, and its value is not repeated', async () => {
    const query = 'query ($filter: CredentialFilter) { credentials(filter: $filter) { totalCount } }';
    const { errors, text } = await server.ask(query, { filter: { serach: 'MARKER' } });
    expect(errors[0]?.message).toBe(
      'filter: has a member serach that CredentialFilter does not define: did you mean search?',
    );
    expect(text).not.toContain('MARKER');
  });

  test.each([
    ['a variable', 'mutation ($input: CreateRoleInput!) { createRole(input: $input) { role { id } } }'],
    ['a literal', 'mutation { createRole(input: { nmae: "MARKER" }) { role { id } } }'],
  ])('the member of %s comes before the one that is missing for it', async (_, query) => {
    const { errors, text } = await server.ask(query, { input: { nmae: 'MARKER' } });
    expect(errors[0]?.message).toMatch(
      /^input: has a member nmae that CreateRoleInput does not define: did you mean name\?/,
    );
    expect(text).not.toContain('MARKER');
  });
});

test.each([
  'a secret',
  'größe',
  '1st',
  'AKIA7Q2',
  'M'.repeat(41),
  '',
  // Keys by which there is no digit or one, as of 32 letters and digits one in forty is.
  'MkQxwYbnRtLPzoVkAhWcEyUiKgSdFjTm',
  'MkQxwYbnRtLPzoVkAh7cEyUiKgSdFjTm',
  'AKIAQWERTYUIOPASDFGH',
  'AKIAQWERTYUIOPASD3GH',
])('S10: a key of a variable that is no name like those of the schema is not repeated: %j', async (key) => {
  const server = await sharedServer();
  const query = 'query ($filter: CredentialFilter) { credentials(filter: $filter) { totalCount } }';
  const { errors } = await server.ask(query, { filter: { [key]: 'MARKER' } });
  expect(errors[0]?.message).toMatch(/^filter: has a member that CredentialFilter does not define[.:]/);
});

test('every name of the schema is one that would be repeated', async () => {
  const names: string[] = [];
  for (const type of Object.values((await openSchema(registry)).getTypeMap())) {
    names.push(type.name);
    if (!('getFields' in type)) continue;
    for (const field of Object.values<{ name: string; args?: readonly { name: string }[] }>(type.getFields()))
      names.push(field.name, ...(field.args ?? []).map(({ name }) => name));
  }
  expect(names.length).toBeGreaterThan(500);
  expect(names.filter((name) => suggestNearest(name, []).name === undefined)).toEqual([]);
});

test('every answer says what its operation costs, and a refusal what was asked and which field costs most', async () => {
  const server = await sharedServer();
  const costOf = async (query: string) =>
    (JSON.parse((await server.ask(query)).text) as { extensions?: { cost: number } }).extensions?.cost;
  expect(await costOf('{ viewer { id } }')).toBe(1);
  expect(await costOf('{ credentials(first: 7) { nodes { id } } }')).toBe(8);
  expect(await costOf('{ credentials(first: 0) { nodes { id } } }')).toBe(2);
  expect(await costOf('{ viewer { nowhere } }')).toBe(1);
  const answer = await server.ask(
    '{ credentials(first: 100) { nodes { account { credentials(first: 100) { nodes { id } } } } } }',
  );
  expect(answer.errors[0]?.message).toBe(
    'The operation costs 10301 points; 5000 are allowed. Most of it is for credentials.nodes.account.credentials.nodes: ask for fewer fields or smaller pages.',
  );
  expect(withoutLimits(answer.text)).toContain('"extensions":{"cost":10301}');
});
