// Stores in one's own network: behind an authority of one's own, and by http where a setting says so.
import { X509Certificate } from 'node:crypto';
import { createServer } from 'node:https';
import { request as ask } from 'node:http';
import type { AddressInfo } from 'node:net';
import { faultPaths } from '../credentials/verbs.js';
import { selfSigned } from '../support/certificate.js';
import { expectData, makeAccount, unique } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { startApinizer, type Apinizer } from '../upstreams/apinizer.js';
import { checkStore, createStore, updateStore } from './stores.js';

let vendor: Apinizer;
let server: TestServer;
let account: string;
const ends: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  vendor = await startApinizer({});
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  account = await makeAccount(server);
});
afterAll(async () => {
  for (const end of ends) await end();
  await server.stop();
  await vendor.stop();
});

/** The same vendor by https, under a certificate of its own. */
async function behind({ key, cert }: { key: string; cert: string }): Promise<string> {
  const front = createServer({ key, cert }, (incoming, response) => {
    const { method, headers, url } = incoming;
    const onward = ask(`${vendor.url}${url ?? ''}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  ends.push(() => new Promise((resolve) => (front.closeAllConnections(), front.close(resolve))));
  return `https://localhost:${(front.address() as AddressInfo).port}`;
}

const connection = (endpoint: string, certificateAuthority?: string) => ({
  apinizer: { endpoint, token: vendor.token, ...(certificateAuthority && { certificateAuthority }) },
});
const connect = (endpoint: string, certificateAuthority?: string) =>
  createStore(server, {
    ...{ account, name: unique('store') },
    connection: connection(endpoint, certificateAuthority),
  });

test('a store behind an authority of its own is reached by it, and by no other', async () => {
  const own = selfSigned('localhost');
  const endpoint = await behind(own);
  const { store } = expectData(await connect(endpoint, `# ours\n${own.cert}`)).createStore;
  expect(store.health).toMatchObject({ reachable: true, problem: null });
  expectData(await checkStore(server, { id: store.id }));
  for (const authority of [undefined, selfSigned('localhost').cert]) {
    const answer = await connect(endpoint, authority);
    expect(answer.code).toBe('UNAVAILABLE');
    expect(answer.errors[0]?.message).toMatch(/certificate .* authority .*certificateAuthority/);
  }
  // What replaces the connection replaces its authority.
  const replaced = await updateStore(server, { id: store.id, connection: connection(endpoint) });
  expect(replaced.errors[0]?.message).toMatch(/certificate/);
});

test.each([
  ['LF', '\n'],
  ['CRLF', '\r\n'],
])(
  'an authority whose lines end with %s is taken, and what is shown of it is the same again',
  async (_, end) => {
    const own = selfSigned('localhost');
    const endpoint = await behind(own);
    const text = `# ours\n${own.cert}`.replaceAll('\n', end);
    const { store } = expectData(await connect(endpoint, text)).createStore;
    expect(store.health).toMatchObject({ reachable: true, problem: null });
    const shown = async () => {
      const query =
        'query ($id: ID!) { node(id: $id) { ... on CredentialStore { settings { name values } } } }';
      const { settings } = expectData(await server.ask(query, { id: store.id })).node as {
        settings: { name: string; values: string[] }[];
      };
      return settings.find(({ name }) => name === 'certificateAuthority')?.values[0] ?? '';
    };
    const value = await shown();
    expect(value).toBe(new X509Certificate(own.cert).toString());
    expectData(await updateStore(server, { id: store.id, connection: connection(endpoint, value) }));
    expect(await shown()).toBe(value);
  },
);

test.each(['\r', '\u0000', '\u001b', '\u202e'])(
  'S11: no other control character is taken: %j',
  async (odd) => {
    const answer = await connect('https://localhost:1', `# ours${odd}#\n${selfSigned('localhost').cert}`);
    expect([answer.code, faultPaths(answer)]).toEqual([
      'BAD_USER_INPUT',
      ['input.connection.apinizer.certificateAuthority'],
    ]);
  },
);

test('a change is told that the certificate is the cause', async () => {
  const own = selfSigned('localhost');
  const endpoint = await behind(own);
  const { store } = expectData(await connect(endpoint, own.cert)).createStore;
  // As after the server got another certificate.
  await server.rows(
    `UPDATE stores SET settings = settings - 'certificateAuthority' WHERE settings ? 'certificateAuthority'`,
  );
  const answer = await server.ask(
    `mutation ($input: CreateCredentialInput!) { createCredential(input: $input) { credential { id } } }`,
    {
      input: {
        ...{
          store: store.id,
          account,
          name: unique('made'),
          scope: 'Orders',
          fullName: 'Bot',
          email: 'a@example.com',
        },
        secret: { password: { username: unique('bot') } },
      },
    },
  );
  expect(answer.code).toBe('UNAVAILABLE');
  expect(answer.errors[0]?.message).toMatch(/certificate of the store is not signed by an authority/);
});

test('a certificate for another host is told as such', async () => {
  const own = selfSigned('elsewhere.example');
  const answer = await connect(await behind(own), own.cert);
  expect([answer.code, answer.errors[0]?.message]).toEqual([
    'UNAVAILABLE',
    'The certificate of the store is for another host than its address names.',
  ]);
});

test.each([
  ['no certificate', 'ours'],
  ['a key beside it', () => `${selfSigned('localhost').cert}${selfSigned('localhost').key}`],
  ['a key alone', () => selfSigned('localhost').key],
  ['a block that does not end', () => selfSigned('localhost').cert.replace('-----END', '---- END')],
  ['garbage in a block', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
  ['too many', () => selfSigned('localhost').cert.repeat(21)],
])('%s is BAD_USER_INPUT with its field, and is not repeated', async (_, text) => {
  const given = typeof text === 'string' ? text : text();
  const answer = await connect('https://localhost:1', given);
  expect([answer.code, faultPaths(answer)]).toEqual([
    'BAD_USER_INPUT',
    ['input.connection.apinizer.certificateAuthority'],
  ]);
  expect(answer.text).not.toContain('PRIVATE KEY');
});

describe('S56: http', () => {
  const asked = async (setting: Record<string, string>, endpoint: string) => {
    const own = await startTestServer(setting);
    try {
      const of = await makeAccount(own);
      return await createStore(own, { account: of, name: unique('store'), connection: connection(endpoint) });
    } finally {
      await own.stop();
    }
  };

  test('is spoken in the ranges that are configured for it', async () => {
    const answer = await asked({ KEYWAY_OUTBOUND_HTTP_RANGES: '127.0.0.1' }, vendor.url);
    expect(expectData(answer).createStore.store.health.reachable).toBe(true);
  });

  test.each([
    ['where it is not configured', { KEYWAY_OUTBOUND_RANGES: '127.0.0.1' }],
    ['outside of those ranges', { KEYWAY_OUTBOUND_HTTP_RANGES: '10.0.0.0/8' }],
  ])('is refused %s', async (_, setting: Record<string, string>) => {
    const before = vendor.calls.length;
    const answer = await asked(setting, vendor.url);
    expect([answer.code, faultPaths(answer)]).toEqual([
      'BAD_USER_INPUT',
      ['input.connection.apinizer.endpoint'],
    ]);
    expect(vendor.calls).toHaveLength(before);
  });
});
