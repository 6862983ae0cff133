/**
 * @slow 40 s
 * @embedded what comes in by HTTP
 */
import { mkdtempSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isScalarType,
  type GraphQLArgument,
  type GraphQLInputType,
  type GraphQLSchema,
} from 'graphql';
import { registry } from '../../src/connectors/registry.js';
import { openSchema } from '../../src/graph/schema.js';
import { makeAccount, makeCredential } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { statementsOf } from '../support/statements.js';

let server: TestServer;
let schema: GraphQLSchema;
const origin = 'https://app.example.com';
beforeAll(async () => {
  server = await startTestServer({ KEYWAY_CORS_ORIGINS: origin });
  schema = await openSchema(registry);
});
afterAll(() => server.stop());

interface Raw {
  status: number;
  headers: Headers;
  text: string;
  code: string | undefined;
}

async function raw(path: string, init: RequestInit = {}): Promise<Raw> {
  const response = await fetch(`${server.url}${path}`, init);
  const text = await response.text();
  const { errors } = (/^\{/.test(text) ? JSON.parse(text) : {}) as {
    errors?: { extensions: { code: string } }[];
  };
  return { status: response.status, headers: response.headers, text, code: errors?.[0]?.extensions.code };
}

const json = () => ({ 'content-type': 'application/json', authorization: `Bearer ${server.adminToken}` });
const post = (body: string, headers: Record<string, string> = {}) =>
  raw('/graphql', { method: 'POST', headers: { ...json(), ...headers }, body });
const operation = (query: string) => JSON.stringify({ query });

describe('the body', () => {
  test('S1: over 256 KiB is refused with 413', async () => {
    const answer = await post(operation(`{ viewer { id } } #${'x'.repeat(256 * 1024)}`));
    expect([answer.status, answer.code]).toEqual([413, 'LIMIT_EXCEEDED']);
  });

  test('S1: of 256 KiB and less is read', async () => {
    const rest = '#'.padEnd(256 * 1024 - operation('{ viewer { id } } ').length, 'x');
    const body = operation(`{ viewer { id } } ${rest}`);
    expect(body).toHaveLength(256 * 1024);
    expect((await post(body)).status).toBe(200);
  });

  test('S1: without a length is cut off at the same size', async () => {
    const chunk = new TextEncoder().encode('x'.repeat(64 * 1024));
    let chunks = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (chunks++ < 8) controller.enqueue(chunk);
        else controller.close();
      },
    });
    const answer = await raw('/graphql', {
      method: 'POST',
      headers: json(),
      body,
      duplex: 'half',
    } as RequestInit);
    expect(answer.status).toBe(413);
  });

  test.each(['gzip', 'br', 'deflate', 'identity, gzip', 'nonsense'])(
    'S1: with the content encoding %s is refused with 415',
    async (encoding) => {
      const answer = await post(operation('{ viewer { id } }'), { 'content-encoding': encoding });
      expect([answer.status, answer.code]).toEqual([415, 'BAD_REQUEST']);
    },
  );

  test('S1: with the content encoding identity is read', async () => {
    expect((await post(operation('{ viewer { id } }'), { 'content-encoding': 'identity' })).status).toBe(200);
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/graphql',
  ])('S7: of the type %s is refused', async (type) => {
    const answer = await post(operation('{ viewer { id } }'), { 'content-type': type });
    expect([answer.status, answer.code]).toEqual([415, 'BAD_REQUEST']);
  });

  test.each(['', '{', 'null', '"text"', '7', '[]', '{"query":7}', '{"variables":{}}'])(
    'S9: that is no request is refused in our words: %s',
    async (body) => {
      const answer = await post(body);
      expect(answer.status).toBe(400);
      expect(answer.code).toMatch(/^(BAD_USER_INPUT|BAD_REQUEST)$/);
    },
  );
});

describe('S4: a request that cannot be answered is the caller’s to mend, and bears its id', () => {
  const two = 'query a { viewer { id } } query b { viewer { id } }';
  const create =
    'mutation { createAccount(input: { kind: PERSON, name: "by-get", title: "A" }) { account { id } } }';
  const get = (query: string) => raw(`/graphql?query=${encodeURIComponent(query)}`, { headers: json() });
  const unnamed: [string, () => Promise<Raw>][] = [
    ['two operations and no name', () => post(JSON.stringify({ query: two }))],
    ['a name that no operation has', () => post(JSON.stringify({ query: two, operationName: 'c' }))],
    [
      'a name that the one operation has not',
      () => post(JSON.stringify({ query: '{ viewer { id } }', operationName: 'c' })),
    ],
    [
      'two mutations and no name',
      () => post(operation('mutation a { __typename } mutation b { __typename }')),
    ],
    ['only a fragment', () => post(operation('fragment a on Account { id }'))],
  ];
  const malformed: [string, () => Promise<Raw>][] = [
    ['no query', () => post('{}')],
    ['a batch', () => post(`[${operation('{ viewer { id } }')}]`)],
    ['variables that are none', () => post('{"query":"{ viewer { id } }","variables":7}')],
    ['a mutation by GET', () => get(create)],
  ];

  test.each([...unnamed, ...malformed])('%s', async (_, send) => {
    for (let time = 0; time < 3; time++) {
      const answer = await send();
      expect([400, 405]).toContain(answer.status);
      expect(answer.code).toMatch(
        /^(OPERATION_RESOLUTION_FAILURE|GRAPHQL_VALIDATION_FAILED|BAD_USER_INPUT|BAD_REQUEST)$/,
      );
      const { errors } = JSON.parse(answer.text) as { errors: { extensions: { id: string } }[] };
      expect(errors.map(({ extensions }) => extensions.id)).toEqual(
        errors.map(() => answer.headers.get('x-request-id')),
      );
    }
  });

  test.each(unnamed.slice(0, 4))('as OPERATION_RESOLUTION_FAILURE: %s', async (_, send) => {
    expect(await send()).toMatchObject({ status: 400, code: 'OPERATION_RESOLUTION_FAILURE' });
  });
});

describe('S5: several at once', () => {
  test('an array of operations is refused, and none runs', async () => {
    const name = 'array-of-operations';
    const create = `mutation { createAccount(input: { kind: PERSON, name: "${name}", title: "A" }) { account { id } } }`;
    const answer = await post(JSON.stringify([{ query: create }, { query: create }]));
    expect(answer.status).toBe(400);
    expect(await server.rows('SELECT id FROM accounts WHERE name = :name', { name })).toEqual([]);
  });

  test('incremental delivery is off', async () => {
    const answer = await post(operation('{ viewer { id ... @defer { name } } }'), {
      accept: 'multipart/mixed; deferSpec=20220824, application/json',
    });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  });
});

describe('S7: GET', () => {
  const get = (query: string, headers: Record<string, string> = {}) =>
    raw(`/graphql?query=${encodeURIComponent(query)}`, {
      headers: { authorization: `Bearer ${server.adminToken}`, ...headers },
    });
  const preflight = { 'apollo-require-preflight': '1' };

  test.each([{}, preflight])(
    'runs a query with a proof, whatever other headers it has: %j',
    async (headers) => {
      const answer = await get('{ viewer { name } }', headers);
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.text)).toEqual({
        data: { viewer: { name: 'admin' } },
        extensions: expect.objectContaining({ cost: 1 }) as unknown,
      });
    },
  );

  const asking = (search: string, headers: Record<string, string> = {}) =>
    raw(`/graphql?${search}`, { headers: { authorization: `Bearer ${server.adminToken}`, ...headers } });
  const ok = 'query=%7Bviewer%7Bid%7D%7D';
  test.each([
    ['', 400, 'The document is missing: the address needs it as the parameter query.'],
    ['query=', 400, 'The document is missing: the address needs it as the parameter query.'],
    [
      'qury=%7Bviewer%7Bid%7D%7D',
      400,
      'The document is missing: the address needs it as the parameter query.',
    ],
    [`${ok}&${ok}`, 400, 'The parameter query must be given once.'],
    [`${ok}&variables=MARKER`, 400, 'The parameter variables must be JSON.'],
    [`${ok}&variables=`, 400, 'The parameter variables must be JSON.'],
    [`${ok}&variables=%5B1%5D`, 400, 'variables must be an object.'],
    [`${ok}&variables=null`, 400, 'variables must be an object.'],
    [`${ok}&extensions=5`, 400, 'extensions must be an object.'],
    [`${ok}&extensions=%7B`, 400, 'The parameter extensions must be JSON.'],
    [
      `${ok}&operationName=MARKER`,
      400,
      'operationName must be left out: the operation of the document has no name.',
    ],
    [
      'query=query%20A%7Bviewer%7Bid%7D%7D&operationName=MARKER',
      400,
      'operationName must name an operation of the document: A.',
    ],
    [
      'query=query%20A%7Bviewer%7Bid%7D%7Dquery%20B%7Bviewer%7Bid%7D%7D',
      400,
      'The document has several operations: operationName must name one of them: A, B.',
    ],
    [
      'query=query%20A%7Bviewer%7Bid%7D%7Dquery%20MARKER7%7Bviewer%7Bid%7D%7D',
      400,
      'The document has several operations: operationName must name one of them: A and others.',
    ],
    [
      'query=query%20MARKER7%7Bviewer%7Bid%7D%7D&operationName=B',
      400,
      'operationName must name an operation of the document.',
    ],
    ['query=subscription%7Bx%7D', 405, 'A GET only asks: its parameter query must hold a query.'],
  ])('tells what is wrong with %s', async (search, status, message) => {
    const answer = await asking(search);
    const { errors } = JSON.parse(answer.text) as { errors: { message: string }[] };
    expect(answer.status).toBe(status);
    expect(errors[0]?.message).toContain(message);
    expect(answer.text).not.toContain('MARKER');
  });

  const costOf = ({ text }: Raw) => (JSON.parse(text) as { extensions?: { cost?: number } }).extensions?.cost;
  test.each<[string, () => Promise<Raw>]>([
    ['a document that cannot be read', () => post(operation('{ viewer {'))],
    ['too many tokens', () => post(operation(`{ ${'a '.repeat(3000)} }`))],
    ['too many fields', () => post(operation(`{ viewer { ${'id '.repeat(1001)} } }`))],
    [
      'no operation of that name',
      () => post(JSON.stringify({ query: 'query A { viewer { id } }', operationName: 'B' })),
    ],
    ['no query', () => post('{}')],
    ['no JSON', () => post('{')],
    [
      'another content type',
      () =>
        raw('/graphql', { method: 'POST', headers: { ...json(), 'content-type': 'text/plain' }, body: 'x' }),
    ],
    ['a persisted query', () => post('{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"a"}}}')],
    [
      'a stranger',
      () =>
        raw('/graphql', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: operation('{ viewer { id } }'),
        }),
    ],
    ['nothing that is accepted', () => post(operation('{ viewer { id } }'), { accept: 'text/html' })],
    ['a mutation by GET', () => asking('query=mutation%7Bx%7D')],
    ['a GET without a query', () => asking('')],
    ['another method', () => raw('/graphql', { method: 'PUT', headers: json(), body: '{}' })],
    ['a body that is too large', () => post(operation('x'.repeat(300_000)))],
  ])('an answer says that it cost nothing to be refused: %s', async (_, send) => {
    expect(costOf(await send())).toBe(0);
  });

  test('has no content type but that of JSON', async () => {
    const answer = await asking(ok, { 'content-type': 'text/plain' });
    expect([answer.status, answer.code]).toEqual([415, 'BAD_REQUEST']);
    expect(answer.text).toContain('Content-Type');
    expect((await asking(ok, { 'content-type': 'application/json; charset=utf-8' })).status).toBe(200);
  });

  test('a POST is told of its operationName as a GET is, and that there are no subscriptions', async () => {
    const sent = async (body: object) => (await post(JSON.stringify(body))).text;
    expect(await sent({ query: 'query A { viewer { id } }', operationName: 'MARKER' })).toContain(
      'operationName must name an operation of the document: A.',
    );
    const subscription = await post(operation('subscription { x }'));
    expect([subscription.status, subscription.code]).toEqual([400, 'OPERATION_RESOLUTION_FAILURE']);
    expect(subscription.text).toContain('There is no subscription here: send a query or a mutation.');
  });

  // A page of another site can have a browser send these: none is a proof.
  test.each<Record<string, string>>([
    {},
    { cookie: 'token=TOKEN' },
    { authorization: 'Basic TOKEN' },
    { 'x-authorization': 'Bearer TOKEN', ...preflight },
  ])('refuses a query without one: %j', async (headers) => {
    const sent = Object.entries(headers).map(([name, value]) => [
      name,
      value.replace('TOKEN', server.adminToken),
    ]);
    const answer = await raw(`/graphql?query=${encodeURIComponent('{ viewer { name } }')}`, {
      headers: Object.fromEntries(sent) as Record<string, string>,
    });
    expect([answer.status, answer.code]).toEqual([401, 'UNAUTHENTICATED']);
    expect(answer.text).not.toContain('admin');
  });

  test('never runs a mutation', async () => {
    const name = 'made-by-get';
    const answer = await get(
      `mutation { createAccount(input: { kind: PERSON, name: "${name}", title: "A" }) { account { id } } }`,
      preflight,
    );
    expect([answer.status, answer.code]).toEqual([405, 'BAD_REQUEST']);
    expect(answer.text).toContain('send a mutation by POST');
    expect(answer.headers.get('allow')).toBe('POST');
    expect(await server.rows('SELECT id FROM accounts WHERE name = :name', { name })).toEqual([]);
  });

  test.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'])('%s does nothing', async (method) => {
    expect(
      (await raw('/graphql', { method, headers: { authorization: json().authorization } })).status,
    ).not.toBe(200);
  });
});

describe('S12: keys that reach a prototype', () => {
  const hostile = ['__proto__', 'constructor', 'prototype'];
  const places: [string, (key: string) => string][] = [
    ['the request', (key) => `{"query":"{ viewer { id } }","${key}":{"polluted":true}}`],
    ['the variables', (key) => `{"query":"{ viewer { id } }","variables":{"${key}":{"polluted":true}}}`],
    [
      'an input',
      (key) =>
        `{"query":"mutation ($i: CreateAccountInput!) { createAccount(input: $i) { account { id } } }","variables":{"i":{"kind":"PERSON","name":"polluter","title":"A","${key}":{"polluted":true}}}}`,
    ],
    [
      'the depth',
      (key) => `{"query":"{ viewer { id } }","variables":{"a":[{"b":{"c":[{"${key}":{"polluted":true}}]}}]}}`,
    ],
    ['the extensions', (key) => `{"query":"{ viewer { id } }","extensions":{"${key}":{"polluted":true}}}`],
  ];
  test.each(places.flatMap(([place, body]) => hostile.map((key) => ({ place, key, body: body(key) }))))(
    '$key in $place is refused, and no prototype changes',
    async ({ body }) => {
      const answer = await post(body);
      expect([answer.status, answer.code]).toEqual([400, 'BAD_USER_INPUT']);
      expect(answer.text).not.toMatch(/__proto__|prototype|constructor|polluted/);
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
      expect(Object.prototype).not.toHaveProperty('polluted');
    },
  );

  test.each(hostile)('%s as the name of a variable or in a literal is refused', async (key) => {
    const answer = await post(
      operation(`{ credentials(filter: { ${key}: { polluted: true } }) { nodes { id } } }`),
    );
    expect(answer.status).toBe(400);
    expect(Object.prototype).not.toHaveProperty('polluted');
  });
});

describe('S13: CORS', () => {
  test('answers a configured origin, without credentials', async () => {
    const { headers, status } = await raw('/graphql', {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe(origin);
    expect(headers.get('access-control-allow-credentials')).toBeNull();
  });

  test.each([
    'https://evil.example',
    'null',
    'https://app.example.com.evil.example',
    'http://app.example.com',
  ])('does not answer %s', async (other) => {
    const asked = await raw('/graphql', {
      method: 'OPTIONS',
      headers: { origin: other, 'access-control-request-method': 'POST' },
    });
    expect(asked.headers.get('access-control-allow-origin')).toBeNull();
    const answer = await post(operation('{ viewer { id } }'), { origin: other });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('is off where no origin is configured', async () => {
    const plain = await startTestServer();
    try {
      const { headers, status } = await fetch(`${plain.url}/graphql`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
      expect(status).toBeGreaterThanOrEqual(400);
      expect(headers.get('access-control-allow-origin')).toBeNull();
    } finally {
      await plain.stop();
    }
  });
});

describe('headers', () => {
  test('S14: no answer of the graph may be kept', async () => {
    const account = await makeAccount(server);
    const create = await server.ask(
      'mutation ($account: ID!) { createCredential(input: { account: $account, name: "kept", secret: { accessKey: {} } }) { issued { secret } } }',
      { account },
    );
    expect(create.data.createCredential.issued.secret).toMatch(/.{20}/);
    for (const { headers } of [create, await server.ask('{ viewer { id } }', {}, { token: null })])
      expect(headers.get('cache-control')).toBe('no-store');
  });

  test('every answer has an id of its own and may not be sniffed', async () => {
    const answers = await Promise.all([raw('/health'), raw('/nowhere'), post('{')]);
    const ids = answers.map(({ headers }) => headers.get('x-request-id'));
    expect(new Set(ids).size).toBe(3);
    for (const { headers } of answers) expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('a second authorization header is refused with 401', async () => {
    const { port, hostname } = new URL(server.url);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const body = operation('{ viewer { id } }');
      const request = httpRequest(
        { hostname, port, path: '/graphql', method: 'POST' },
        (response) => void response.resume().on('end', () => resolve(response.statusCode)),
      );
      request.setHeader('content-type', 'application/json');
      request.setHeader('authorization', [`Bearer ${server.adminToken}`, `Bearer ${server.adminToken}`]);
      request.on('error', reject).end(body);
    });
    expect(status).toBe(401);
  });

  test.each(['', 'Bearer', 'Basic YTpi', 'Bearer  x', 'Bearer kw_pat_nobody', 'bearer'])(
    'the authorization «%s» is refused with 401 and the way to do it',
    async (authorization) => {
      const answer = await raw('/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization },
        body: operation('{ viewer { id } }'),
      });
      expect([answer.status, answer.code]).toEqual([401, 'UNAUTHENTICATED']);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="keyway"');
    },
  );
});

describe('S64: health', () => {
  test.each(['/health', '/ready'])('%s answers anybody, and tells up or down alone', async (path) => {
    const answer = await raw(path);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toEqual({ status: 'up' });
  });
});

test('another address is not found', async () => {
  const answer = await raw('/%3Cscript%3E');
  expect([answer.status, answer.code]).toEqual([404, 'NOT_FOUND']);
  expect(answer.text).not.toContain('script');
});

describe('pages', () => {
  test.each(['/', '/explore'])(
    '%s contacts no other host, as its content security policy says',
    async (path) => {
      const { headers, status } = await raw(path);
      expect(status).toBe(200);
      const policy = headers.get('content-security-policy') ?? '';
      const directives = new Map(
        policy.split(';').map((directive) => {
          const [name = '', ...sources] = directive.trim().split(/\s+/);
          return [name, sources] as const;
        }),
      );
      expect(directives.get('default-src')).toEqual(["'none'"]);
      expect(directives.get('frame-ancestors')).toEqual(["'none'"]);
      expect(directives.get('script-src')).not.toContain("'unsafe-inline'");
      for (const [, sources] of directives)
        for (const source of sources) expect(source).not.toMatch(/^(https?:|\*)/);
    },
  );
});

describe('in production', () => {
  let production: TestServer;
  beforeAll(async () => {
    production = await startTestServer({
      NODE_ENV: 'production',
      // A superuser is refused in production: see main.test.ts. The embedded database has no other role.
      DATABASE_URL: '',
      // Those beside it are of the database that the place came with.
      KEYWAY_CHECKPOINTS: mkdtempSync(join(tmpdir(), 'keyway-checkpoints-')),
    });
  });
  afterAll(() => production.stop());

  test.each(['/', '/credentials', '/explore', '/assets/index.js'])('there is no page at %s', async (path) => {
    expect((await fetch(production.url + path)).status).toBe(404);
  });

  test.each(['{ __schema { types { name } } }', '{ __type(name: "Query") { name } }'])(
    'S8: introspection is off: %s',
    async (query) => {
      const answer = await production.ask(query);
      expect(answer.status).toBe(400);
      expect(answer.data).toBeNull();
      expect(answer.text).not.toMatch(/"Query"|createCredential/);
    },
  );

  test('S8: nothing is suggested, and no stack is shown', async () => {
    const answer = await production.ask('{ viewr { name } }');
    expect(answer.status).toBe(400);
    expect(answer.text).not.toMatch(/viewer|Did you mean|stacktrace|\bat \w+ \(/);
  });
});

describe('S2: over a limit nothing runs', () => {
  const nested = (depth: number): string => (depth === 0 ? 'id' : `parent { ${nested(depth - 1)} }`);
  const aliases = (count: number) =>
    Array.from({ length: count }, (_, index) => `a${index}: viewer { id }`).join(' ');
  const deep = (depth: number): unknown => (depth === 0 ? 'x' : [deep(depth - 1)]);
  test.each([
    { limit: 'depth', query: `{ viewer { ${nested(8)} } }` },
    { limit: 'tokens', query: `{ viewer { ${'id '.repeat(2000)} } }` },
    {
      limit: 'aliases',
      query: `{ viewer { ${Array.from({ length: 21 }, (_, i) => `a${i}: id`).join(' ')} } }`,
    },
    { limit: 'root fields', query: `{ ${aliases(11)} }` },
    { limit: 'directives', query: `{ viewer { ${'id @include(if: true) '.repeat(21)} } }` },
    { limit: 'page size', query: '{ credentials(first: 101) { nodes { id } } }' },
    { limit: 'page size below', query: '{ viewer { credentials(first: 101) { nodes { id } } } }' },
    {
      limit: 'cost',
      query:
        '{ credentials(first: 100) { nodes { account { credentials(first: 100) { nodes { id name } } } } } }',
    },
    {
      limit: 'list items',
      query: 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }',
      variables: { ids: Array.from({ length: 1001 }, () => 'x') },
    },
    {
      limit: 'depth of variables',
      query: 'query ($filter: CredentialFilter) { credentials(filter: $filter) { nodes { id } } }',
      variables: { filter: { account: deep(17) } },
    },
  ])('S2: $limit', async ({ query, variables }) => {
    const { result: answer, statements } = await statementsOf(server, () => server.ask(query, variables));
    expect(answer.code).toBe('LIMIT_EXCEEDED');
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(answer.data).toBeNull();
    // Who asks is found out, and nothing besides.
    const asked = statements
      .map(({ text }) => text)
      .filter((text) => /FROM (credentials|accounts) [^c]/.test(text));
    expect(asked.filter((text) => !text.includes('v.verifier'))).toEqual([]);
  });
});

describe('S10: no answer and no log line holds what was submitted', () => {
  const marker = 'MaRkEr7714';

  /** Values of every wrong sort for one type, each with the marker in it. */
  function wrongValues(type: GraphQLInputType): unknown[] {
    const texts = [
      marker,
      marker.repeat(3000),
      `${marker}\u0000`,
      `${marker}\u001b[31m`,
      `${marker}\u202e`,
      `${marker}\n{"forged":true}`,
    ];
    const objects = [{ [marker]: marker }, [[marker]], [{ [marker]: 1 }]];
    return isListType(getNullableType(type))
      ? [...texts, ...objects, ...texts.slice(0, 3).map((text) => [text])]
      : [...texts, ...objects];
  }

  /** Where a wrong value can be put below an argument, as the argument's value with it. */
  function* spoilt(type: GraphQLInputType, level = 0): Generator<unknown> {
    for (const value of wrongValues(type)) yield value;
    const named = getNamedType(type);
    if (!isInputObjectType(named) || level > 3) return;
    const list = isListType(getNullableType(type));
    for (const field of Object.values(named.getFields())) {
      for (const value of spoilt(field.type, level + 1)) {
        const rest = named.isOneOf ? {} : fitting(named, field.name);
        const whole = { ...rest, [field.name]: value };
        yield list ? [whole] : whole;
      }
    }
  }

  /** A fitting value for every required member but one. */
  function fitting(type: GraphQLInputType, but = '', level = 0): Record<string, unknown> {
    const named = getNamedType(type);
    if (!isInputObjectType(named)) return {};
    const wanted = Object.values(named.getFields()).filter(
      ({ name, type: its, defaultValue }) =>
        name !== but && defaultValue === undefined && getNullableType(its) !== its,
    );
    return Object.fromEntries(wanted.map(({ name, type: its }) => [name, fit(its, level)]));
  }

  function fit(type: GraphQLInputType, level: number): unknown {
    if (isListType(getNullableType(type))) return [];
    const named = getNamedType(type);
    if (isEnumType(named)) return named.getValues()[0]?.name;
    if (isInputObjectType(named)) {
      if (!named.isOneOf || level > 3) return fitting(named, '', level + 1);
      const [first] = Object.values(named.getFields());
      return first ? { [first.name]: fit(first.type, level + 1) } : {};
    }
    if (!isScalarType(named)) return null;
    return (
      { Int: 1, Boolean: true, Duration: 'P1D', ID: 'acct_0000000000000000000000' }[named.name] ??
      'fitting-x1'
    );
  }

  const roots = async () => {
    const built = schema ?? (await openSchema(registry));
    return [built.getQueryType(), built.getMutationType()].flatMap((root) =>
      Object.values(root?.getFields() ?? {}).flatMap((field) =>
        field.args.map((argument) => ({
          kind: root === built.getQueryType() ? 'query' : 'mutation',
          field,
          argument,
        })),
      ),
    );
  };

  function others(args: readonly GraphQLArgument[], but: GraphQLArgument) {
    return args.filter(
      (argument) =>
        argument !== but && String(argument.type).endsWith('!') && argument.defaultValue === undefined,
    );
  }

  test('over every argument and member of every root field', async () => {
    const cases = (await roots()).flatMap(({ kind, field, argument }) => {
      const more = others(field.args, argument);
      const variables = [argument, ...more].map(({ name, type }) => `$${name}: ${String(type)}`).join(', ');
      const given = [argument, ...more].map(({ name }) => `${name}: $${name}`).join(', ');
      const query = `${kind} (${variables}) { ${field.name}(${given}) { __typename } }`;
      const rest = Object.fromEntries(more.map(({ name, type }) => [name, fit(type, 0)]));
      return [...spoilt(argument.type)].map((value) => ({
        query,
        variables: { ...rest, [argument.name]: value },
      }));
    });
    expect(cases.length).toBeGreaterThan(2000);
    const from = server.logged.length;
    const leaks: string[] = [];
    const inside: string[] = [];
    let refused = 0;
    const waiting = [...cases];
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let next = waiting.pop(); next; next = waiting.pop()) {
          const answer = await server.ask(next.query, next.variables);
          const place = `${next.query} ${JSON.stringify(next.variables).slice(0, 200)}`;
          if (answer.text.includes(marker)) leaks.push(place);
          if (answer.code === 'INTERNAL_SERVER_ERROR' || answer.status >= 500) inside.push(place);
          if (answer.errors.length > 0) refused++;
        }
      }),
    );
    expect(leaks).toEqual([]);
    expect(inside).toEqual([]);
    expect(refused).toBeGreaterThan(cases.length * 0.9);
    expect(server.logged.slice(from).filter((line) => line.includes(marker))).toEqual([]);
  }, 240_000);
});

describe('S11: names', () => {
  const bad = {
    'over-long': 'x'.repeat(300),
    empty: '',
    'of spaces': '   ',
    'with NUL': 'a\u0000b',
    'with a control character': 'a\u0007b',
    'with an escape': 'a\u001b[2Jb',
    'with a line break': 'a\nb',
    'that turns its direction': 'a\u202eb',
    'of a lone surrogate': 'a\ud800b',
  };
  const owners: [string, string, Record<string, unknown>][] = [
    ['Account', 'title', { kind: 'PERSON', name: 'fine' }],
    ['Account', 'name', { kind: 'PERSON', title: 'Fine' }],
    ['Role', 'name', { permissions: [] }],
    ['Project', 'name', {}],
    ['Project', 'title', { name: 'fine' }],
    ['Credential', 'name', { secret: { accessKey: {} } }],
    ['Credential', 'fullName', { name: 'fine', secret: { accessKey: {} } }],
    ['Credential', 'category', { name: 'fine', secret: { accessKey: {} } }],
  ];
  const cases = owners.flatMap(([type, field, rest]) =>
    Object.entries(bad).map(([sort, value]) => ({ type, field, rest, sort, value })),
  );
  let account: string;
  beforeAll(async () => {
    account = await makeAccount(server);
  });

  test.each(cases)('S11: $type.$field $sort is BAD_USER_INPUT', async ({ type, field, rest, value }) => {
    const placed = type === 'Project' || type === 'Credential' ? { account } : {};
    const answer = await server.ask(
      `mutation ($input: Create${type}Input!) { create${type}(input: $input) { __typename } }`,
      { input: { ...rest, ...placed, [field]: value } },
    );
    expect(answer.code).toBe('BAD_USER_INPUT');
    expect(answer.errors[0]?.extensions.fields?.map(({ path }) => path)).toEqual([`input.${field}`]);
  });
});

describe('S51: the log', () => {
  test('no header, address, name or token forges a line, and each line is JSON', async () => {
    const from = server.logged.length;
    const forged = 'x","level":"fatal","forged":"yes';
    await raw(`/graphql?${encodeURIComponent(forged)}\n`, {
      headers: { 'user-agent': forged, authorization: `Bearer ${forged}`, 'x-request-id': forged },
    });
    await raw(`/${encodeURIComponent(`${forged}\r\n{"forged":true}`)}`, {
      headers: { 'x-forwarded-for': forged },
    });
    await raw(`/${'y'.repeat(5000)}`);
    await server.ask(
      `query ${'z'.repeat(3000)} { credentials(filter: { search: "${'\\u000a{\\"forged\\":true}'}" }) { nodes { id } } }`,
    );
    const { id } = await makeCredential(server, await makeAccount(server), { name: '{"forged":true}' });
    await server.ask('mutation ($id: ID!) { revealCredential(input: { id: $id }) { issued { secret } } }', {
      id,
    });
    const lines = server.logged.slice(from);
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) {
      expect(line.trimEnd()).not.toMatch(/\p{Cc}/u);
      const event = JSON.parse(line) as Record<string, unknown>;
      expect(event).not.toHaveProperty('forged');
      expect(event['level']).not.toBe('fatal');
      for (const value of Object.values(event))
        if (typeof value === 'string') expect(value.length).toBeLessThanOrEqual(1025);
    }
  });

  test('each request has one line, with its id, and no token', async () => {
    const from = server.logged.length;
    const answer = await server.ask('{ viewer { id } }');
    const id = answer.headers.get('x-request-id');
    const lines = server.logged.slice(from).filter((line) => line.includes(String(id)));
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ id, method: 'POST', path: '/graphql', status: 200 });
    expect(server.logged.join('')).not.toContain(server.adminToken);
  });
});
