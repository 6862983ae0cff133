/**
 * @embedded known documents
 */
import { buildSchema, Kind, parse } from 'graphql';
import { mostPointsUnderWay } from '../../src/config/limits.js';
import { unlimited, type RequestContext } from '../../src/access/context.js';
import type { KnownQuery } from '../../src/graph/compiled-queries.js';
import { Executions } from '../../src/graph/executions.js';
import { largestQuery } from '../../src/config/limits.js';
import { KnownDocuments } from '../../src/graph/known-documents.js';
import { Turns } from '../../src/graph/turns.js';
import { expectData, makeRole, unique } from '../support/make.js';
import { sharedServer } from '../support/server.js';

const schema = buildSchema('type Query { items(first: Int): [Item] one: Int } type Item { id: ID }');
const text = 'query Q($n: Int!) { items(first: $n) { id } }';

function asking() {
  const executions = new Executions(new Turns());
  const used: string[] = [];
  const store = { get: async (hash: string) => used.push(hash) };
  const known = new KnownDocuments(schema, executions, store, largestQuery);
  const runs: unknown[] = [];
  const run: KnownQuery['code']['run'] = async (_, variables) => {
    runs.push(variables);
    return { items: [] };
  };
  const document = parse(text);
  const [operation] = document.definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('there is no operation');
  const query = { hash: 'its hash', document, operation, code: { rest: 0, run } };
  const leaving = new AbortController();
  const ctx = {
    allowance: unlimited,
    asked: {},
    left: leaving.signal,
    principal: { tenantId: 't', accountId: 'a' },
  } as unknown as RequestContext;
  return {
    executions,
    used,
    known,
    query,
    runs,
    leaving,
    ctx,
    ask: (body: object) => known.answer(body, ctx),
  };
}

describe('a query that was answered before', () => {
  const good = { query: text, variables: { n: 2 } };

  test('is answered by its code, with what it costs', async () => {
    const { known, query, runs, ask, ctx, used } = asking();
    expect(await ask(good)).toBeUndefined();
    known.keep(text, undefined, query);
    expect(await ask(good)).toBe('{"data":{"items":[]},"extensions":{"cost":2}}\n');
    expect(await ask({ query: text, variables: { n: 5 }, operationName: null })).toContain('"cost":5');
    expect(runs).toEqual([{ n: 2 }, { n: 5 }]);
    expect(used).toEqual(['its hash', 'its hash']);
    expect([...(ctx.asked.fields ?? [])].sort()).toEqual(['id', 'items']);
  });

  test.each<[string, object]>([
    ['of which another operation is meant', { ...good, operationName: 'Other' }],
    ['with an empty name', { ...good, operationName: '' }],
    ['with a name that makes one text with it', { ...good, query: text.slice(6), operationName: ' query' }],
    ['with extensions', { ...good, extensions: { persistedQuery: { version: 1 } } }],
    ['S3: with a page that is too large', { query: text, variables: { n: 1_000 } }],
    ['with a page of nothing', { query: text, variables: { n: 0 } }],
    ['with a variable that is missing', { query: text }],
    ['with a variable that is none of its type', { query: text, variables: { n: 'two' } }],
    ['S3: with a value that is nested too deep', { ...good, variables: { n: 2, x: nested(60) } }],
  ])('%s goes the whole way, and nothing of it is run', async (_, body) => {
    const { known, query, runs, ask } = asking();
    for (const name of [undefined, 'Q']) known.keep(text, name, query);
    expect(await ask(body)).toBeUndefined();
    expect(runs).toEqual([]);
  });

  test('goes it while its code rests, where its caller has left, and where it fails', async () => {
    const { known, query, runs, ask, leaving } = asking();
    known.keep(text, undefined, query);
    query.code.rest = 1;
    expect(await ask(good)).toBeUndefined();
    query.code.rest = 0;
    query.code.run = async () => undefined;
    expect(await ask(good)).toBeUndefined();
    query.code.run = () => Promise.reject(new Error('failed inside'));
    expect(await ask(good)).toBeUndefined();
    leaving.abort();
    expect(await ask(good)).toBeUndefined();
    expect(runs).toEqual([]);
  });

  test('S3: waits for room, and gives it back however it ends', async () => {
    const { known, query, executions, ask } = asking();
    known.keep(text, undefined, query);
    const full = { cost: mostPointsUnderWay, isQuery: true };
    const end = await executions.begin(['t', 'a'], full, new AbortController().signal);
    let answered = false;
    const answer = ask(good).finally(() => (answered = true));
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(answered).toBe(false);
    end(false);
    expect(await answer).toBeDefined();
    query.code.run = () => Promise.reject(new Error('failed inside'));
    for (let count = 0; count < mostPointsUnderWay; count++) expect(await ask(good)).toBeUndefined();
  });

  test('is forgotten for others that were used later; a long one is never kept', async () => {
    const { known, query, ask } = asking();
    known.keep(text, undefined, query);
    known.keep(`${text} #${'x'.repeat(9_000)}`, undefined, query);
    for (let count = 0; count < 499; count++) known.keep(`${text} #${count}`, undefined, query);
    expect(await ask(good)).toBeDefined();
    expect(await ask({ ...good, query: `${text} #${'x'.repeat(9_000)}` })).toBeUndefined();
    known.keep('{ one }', undefined, query);
    expect(await ask({ ...good, query: `${text} #0` })).toBeUndefined();
    expect(await ask(good)).toBeDefined();
  });
});

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

test('what is wrong with a query that was answered before is told as with a new one', async () => {
  const server = await sharedServer();
  await makeRole(server, ['CREDENTIAL_READ']);
  const wrongs = [{ n: 0 }, { n: 1_000 }, { n: 'two' }, {}, { n: 1, after: 'nothing' }];
  const query = 'query ($n: Int!, $after: String) { roles(first: $n, after: $after) { nodes { id } } }';
  const told = async (document: string) => {
    const answers = [];
    for (const variables of wrongs) {
      const { status, errors } = await server.ask(document, variables);
      const [{ message, extensions } = { message: '', extensions: { code: '' } }] = errors;
      answers.push({ status, message, extensions: { ...extensions, id: 'new' } });
    }
    return answers;
  };
  const isNew = await told(`${query} # ${unique('new')}`);
  expect(new Set(isNew.map(({ message }) => message)).size).toBeGreaterThan(2);
  for (let count = 0; count < 3; count++) expectData(await server.ask(query, { n: 1 }));
  expect(await told(query)).toEqual(isNew);
  // Which it is again after those.
  expectData(await server.ask(query, { n: 1 }));
  expect((await server.ask(query, { n: 1 }, { token: null })).code).toBe('UNAUTHENTICATED');
});
