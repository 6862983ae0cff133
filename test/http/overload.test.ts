import { Agent, request as send } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connector } from '../../src/connectors/connector.js';
import { registry } from '../../src/connectors/registry.js';
import { checkStore, makeStore } from '../stores/stores.js';
import { expectData, makeAccount, makeCaller, makeCredential } from '../support/make.js';
import { gate } from '../support/on-the-way.js';
import { metricsOf, scrape } from '../support/scrape.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { startApinizer, type Apinizer } from '../upstreams/apinizer.js';
import type { Held } from '../upstreams/stand-in.js';

// More is asked for at once than there are places. What holds them checks a store, and waits before it calls it: that needs
// neither the store nor the database, which would both give up after some seconds.

const places = 8;
const placesOfOne = 6;

let holding: ReturnType<typeof gate> | undefined;
const holds = (connector: Connector): Connector => ({
  ...connector,
  check: async (upstream) => {
    await holding?.opened;
    return connector.check(upstream);
  },
});

let server: TestServer;
// Of a kind that counts no calls in a second: how quickly the tests follow one another is nothing to it.
let apinizer: Apinizer;
let store: string;
beforeAll(async () => {
  const connectors = Object.fromEntries(Object.entries(registry).map(([kind, each]) => [kind, holds(each)]));
  server = await startTestServer(
    {
      KEYWAY_LIMITS: `requests=${places}, requestSeconds=60`,
      KEYWAY_TRUSTED_PROXIES: '127.0.0.1',
      KEYWAY_METRICS_PORT: '0',
      KEYWAY_OUTBOUND_LOCAL: 'true',
    },
    connectors,
  );
  apinizer = await startApinizer({ roles: ['READER'] });
  const connection = { apinizer: { endpoint: apinizer.url, token: apinizer.token } };
  store = await makeStore(server, await makeAccount(server), connection);
});
afterAll(async () => {
  await server.stop();
  await apinizer.stop();
});
afterEach(() => holding?.open());

const manager = () => makeCaller(server, ['STORE_MANAGE', 'CREDENTIAL_READ', 'CREDENTIAL_REVOKE']);

interface Told {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

const connection = () => new Agent({ keepAlive: true, maxSockets: 1 });

/** Posts by a connection of this agent, as a client at this address. */
function post(agent: Agent, path: string, body: object, token: string, address: string, also = {}) {
  const sent = send(`${server.url}${path}`, {
    agent,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
      'x-forwarded-for': address,
      ...also,
    },
  });
  const told = new Promise<Told & { reused: boolean }>((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          reused: sent.reusedSocket,
        }),
      );
    });
  });
  sent.end(JSON.stringify(body));
  return told;
}

const once = async (
  ...asked: [path: string, body: object, token: string, address: string, also?: object]
) => {
  const agent = connection();
  try {
    return await post(agent, ...asked);
  } finally {
    agent.destroy();
  }
};

const check = () => ({
  query: 'mutation ($id: ID!) { checkStore(input: { id: $id }) { store { name } } }',
  variables: { id: store },
});

/** So many at once that wait where they have a place; resolves once all that have none were told so. */
async function crowd(callers: readonly (readonly [token: string, address: string])[], refused: number) {
  const going = (holding = gate());
  const told: Told[] = [];
  const areTold = gate();
  const all = callers.map(async ([token, address]) => {
    told.push(await once('/graphql', check(), token, address));
    if (told.length >= refused) areTold.open();
  });
  await areTold.opened;
  return {
    refused: [...told],
    /** What all were told, once those that wait may go on. */
    end: async () => {
      going.open();
      await Promise.all(all);
      return told.map(({ status }) => status).sort();
    },
  };
}

const times = <Item>(count: number, item: (index: number) => Item) =>
  Array.from({ length: count }, (_, index) => item(index));
const first = '198.51.100.1';
const second = '198.51.100.2';

/** All places are taken, by two addresses and two tenants. */
async function fill() {
  const one = await manager();
  const two = await manager();
  const both = times(placesOfOne, () => [[one.token, first] as const, [two.token, second] as const]).flat();
  return { one, two, ...(await crowd(both, both.length - places)) };
}

test('R22: what comes while all places are taken is told so at once, and served by the same connection afterwards', async () => {
  const { one, refused, end } = await fill();
  for (const { status, headers, text } of refused) {
    expect(status).toBe(503);
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(4);
    const id = headers['x-request-id'];
    expect(JSON.parse(text)).toEqual({
      errors: [{ message: expect.stringContaining('Retry-After'), extensions: { code: 'UNAVAILABLE', id } }],
      extensions: { cost: 0 },
    });
  }
  const agent = connection();
  const large = { ...check(), note: 'x'.repeat(100_000) };
  expect((await post(agent, '/graphql', large, one.token, first)).status).toBe(503);
  expect(await end()).toEqual([...times(places, () => 200), ...times(4, () => 503)]);
  const after = await post(agent, '/graphql', check(), one.token, first);
  expect([after.status, after.reused]).toEqual([200, true]);
  agent.destroy();
});

test('R22: a refusal has the form of what was asked for', async () => {
  const { one, end } = await fill();
  const accept = 'application/graphql-response+json';
  const graph = await once('/graphql', check(), one.token, first, { accept });
  expect([graph.status, graph.headers['content-type']]).toEqual([503, `${accept}; charset=utf-8`]);
  const verified = await once('/v1/verify', {}, one.token, first);
  expect([verified.status, JSON.parse(verified.text)]).toEqual([
    503,
    { errors: [expect.objectContaining({ extensions: expect.objectContaining({ code: 'UNAVAILABLE' }) })] },
  ]);
  const person = await once('/scim/v2/Users', {}, one.token, first);
  expect([person.status, person.headers['content-type'], JSON.parse(person.text)]).toEqual([
    503,
    'application/scim+json; charset=utf-8',
    expect.objectContaining({ status: '503' }),
  ]);
  await end();
});

test('R22: health, readiness and metrics are answered while all places are taken', async () => {
  const { refused, end } = await fill();
  expect((await fetch(`${server.url}/health`)).status).toBe(200);
  expect((await fetch(`${server.url}/ready`)).status).toBe(200);
  const { samples } = await scrape(metricsOf(server));
  const counted = samples.find(
    ({ name, labels }) => name === 'keyway_refusals_total' && labels['limit'] === 'requests',
  );
  expect(counted?.value).toBeGreaterThanOrEqual(refused.length);
  expect(server.logged.some((line) => line.includes('requests were refused'))).toBe(true);
  await end();
});

test('R22: what revokes has places of its own, and nothing else has', async () => {
  const { id } = await makeCredential(server, await makeAccount(server));
  const { one, end } = await fill();
  const revoke = 'mutation ($id: ID!) { revokeCredential(input: { id: $id }) { credential { status } } }';
  const revoked = await once('/graphql', { query: revoke, variables: { id } }, one.token, first);
  expect([revoked.status, JSON.parse(revoked.text).data]).toEqual([
    200,
    { revokeCredential: { credential: { status: 'REVOKED' } } },
  ]);
  for (const query of [
    '{ viewer { id } } # revokeCredential',
    `mutation ($id: ID!) { revokeCredential(input: { id: $id }) { credential { status } }
      createAccount(input: { kind: SERVICE, name: "beside", title: "x" }) { account { id } } }`,
  ]) {
    const other = await once('/graphql', { query, variables: { id } }, one.token, first);
    expect([other.status, JSON.parse(other.text).errors[0].extensions.code]).toEqual([503, 'UNAVAILABLE']);
  }
  await end();
});

test('R20: one address has three quarters of the places, and so has one tenant', async () => {
  const one = await manager();
  const two = await manager();
  const more = placesOfOne + 1;
  for (const asked of [
    times(more, () => [one.token, first] as const),
    times(more, (index) => [one.token, `203.0.113.${index}`] as const),
  ]) {
    const { end } = await crowd(asked, 1);
    expect((await once('/graphql', { query: '{ viewer { id } }' }, two.token, second)).status).toBe(200);
    expect(await end()).toEqual([...times(placesOfOne, () => 200), 503]);
  }
});

test('S15: whoever sends a body slowly has no place meanwhile', async () => {
  const { hostname, port } = new URL(server.url);
  const { token } = await makeCaller(server);
  const slow: Socket[] = times(places, (index) => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.write(
      `POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\nx-forwarded-for: 203.0.113.${index}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
    );
    return socket;
  });
  let status = 0;
  for (let tries = 0; tries < 1_000 && status !== 200; tries++) {
    ({ status } = await once('/graphql', { query: '{ viewer { id } }' }, server.adminToken, second));
    await sleep(10);
  }
  expect(status).toBe(200);
  expect(slow.every(({ destroyed }) => !destroyed)).toBe(true);
  for (const socket of slow) socket.destroy();
});

test('R20: what waits for a store has no place meanwhile, and one when it comes back', async () => {
  const [checks, waiting]: [ReturnType<typeof checkStore>[], Held[]] = [[], []];
  while (waiting.length < places) {
    const reached = apinizer.hold('before');
    checks.push(checkStore(server, { id: store }));
    waiting.push(await reached);
  }
  const { status } = await once('/graphql', { query: '{ viewer { id } }' }, server.adminToken, first);
  for (const each of waiting) each.release();
  for (const check of await Promise.all(checks)) expectData(check);
  expect(status).toBe(200);
});
