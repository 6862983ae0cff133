/**
 * @embedded what comes in by HTTP
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTestServer, type TestServer } from '../support/server.js';

// Limits that are set otherwise than they come.

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    KEYWAY_LIMITS:
      'body=2000, headers=20000, headersSeconds=1, requestSeconds=2, connections=20, tokens=200, depth=3, aliases=1, directives=1, rootFields=2, cost=100, valueDepth=4, listItems=100',
  });
});
afterAll(() => server.stop());

/** A connection, what was sent by it, and all that comes back until it is closed. */
function open(bytes = ''): { socket: Socket; answer: Promise<string> } {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  if (bytes !== '') socket.write(bytes);
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part));
  socket.on('error', () => undefined);
  const answer = new Promise<string>((resolve) =>
    socket.on('close', () => resolve(Buffer.concat(parts).toString())),
  );
  return { socket, answer };
}

const post = (path: string, body: string) =>
  fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${server.adminToken}` },
    body,
  });

const isUp = async () => (await fetch(`${server.url}/health`)).status === 200;

test.each([
  ['headers that do not come', 'GET /health HTTP/1.1\r\nhost: x\r\n'],
  ['a request line that does not end', 'GET /hea'],
  ['nothing after a body has begun', 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{'],
])('S15: %s are answered 408 in time, and others meanwhile', async (_, bytes) => {
  const began = performance.now();
  const slow = open(bytes);
  expect(await isUp()).toBe(true);
  const answer = await slow.answer;
  // A body that stops is ended with the time for all of a request, before anybody has read it.
  expect(answer).toMatch(/^HTTP\/1\.1 (408|401) /);
  if (answer.startsWith('HTTP/1.1 408'))
    expect(answer).toContain('1 seconds are allowed for its headers, and 2 for all of it.');
  expect(performance.now() - began).toBeLessThan(15_000);
});

test('S15: one that sends a byte now and then is ended as well', async () => {
  const slow = open('GET /health HTTP/1.1\r\n');
  const drip = setInterval(() => slow.socket.write('a: b\r\n'), 200);
  try {
    expect(await slow.answer).toMatch(/^HTTP\/1\.1 408 /);
  } finally {
    clearInterval(drip);
  }
});

test('S15: headers over the limit are told by it', async () => {
  const { answer } = open(`GET /health HTTP/1.1\r\nhost: x\r\na: ${'b'.repeat(21_000)}\r\n\r\n`);
  expect(await answer).toMatch(/^HTTP\/1\.1 431 [^]*The headers have more than 20000 bytes\./);
});

test('S15: no more connections are open at once than are allowed, and there is room again when they close', async () => {
  const held = Array.from({ length: 40 }, () => open());
  const closed = new Set<number>();
  held.forEach(({ answer }, at) => void answer.then(() => closed.add(at)));
  for (let wait = 0; wait < 1_000 && closed.size < 20; wait++) await sleep(10);
  expect(closed.size).toBeGreaterThanOrEqual(20);
  for (const { socket } of held) socket.destroy();
  for (let wait = 0; wait < 100 && !(await isUp().catch(() => false)); wait++) await sleep(20);
  expect(await isUp()).toBe(true);
  expect(server.logged.join('')).toContain('connections were refused');
});

test('S1: a body over the limit is told by how much', async () => {
  const body = JSON.stringify({ query: `{ viewer { id } } # ${'x'.repeat(3_000)}` });
  for (const path of ['/graphql', '/v1/verify']) {
    const answer = await post(path, body);
    expect([answer.status, await answer.text()]).toEqual([
      413,
      expect.stringContaining(`The body has ${body.length} bytes; 2000 are allowed.`),
    ]);
  }
});

test.each([
  ['tokens', `{ ${'viewer { id } '.repeat(60)} }`, 'The document has more than 200 tokens.'],
  ['depth', '{ viewer { account { parent { id } } } }', 'The operation is 4 fields deep; 3 are allowed.'],
  ['aliases', '{ a: viewer { b: id } }', 'The operation has 2 aliases; 1 are allowed.'],
  [
    'directives',
    '{ viewer @include(if: true) { id @skip(if: false) } }',
    'The operation has 2 directives; 1 are allowed.',
  ],
  [
    'root fields',
    '{ viewer { id } accounts { totalCount } roles { totalCount } }',
    'The operation has 3 fields at its root; 2 are allowed.',
  ],
  ['cost', '{ credentials(first: 100) { nodes { id } } }', '100 are allowed.'],
])('S2: the limit of %s is as it is set', async (_, query, message) => {
  const answer = await server.ask(query);
  expect([answer.status, answer.code, answer.errors[0]?.message]).toEqual([
    400,
    'LIMIT_EXCEEDED',
    expect.stringContaining(message),
  ]);
});

test('S2: values are held to what is set, in a document and in variables', async () => {
  const query = 'query ($filter: CredentialFilter) { credentials(filter: $filter) { totalCount } }';
  const many = Array.from({ length: 101 }, (_, at) => `n${at}`);
  for (const filter of [{ tags: many }, { and: [{ and: [{ and: [{ tags: [] }] }] }] }])
    expect((await server.ask(query, { filter })).errors[0]?.message).toMatch(
      /A list has 101 items; 100 are allowed|A value is nested more than 4 levels deep/,
    );
});
