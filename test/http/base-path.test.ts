import { SignatureScheme } from '../../src/signatures/scheme.js';
import { makeAccount, makeCredential } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { send, signedBy, unsigned } from '../support/signing.js';

// Behind a proxy that passes on a path which all addresses begin with: https://example.com/keyway/

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ KEYWAY_BASE_PATH: '/keyway' });
});
afterAll(() => server.stop());

const at = (path: string, options: RequestInit = {}) =>
  fetch(`${server.url}${path}`, { redirect: 'manual', ...options });
const viewer = (path: string) =>
  at(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${server.adminToken}` },
    body: JSON.stringify({ query: '{ viewer { name } }' }),
  });

test.each(['/health', '/ready', '/keyway/health', '/keyway/ready'])('%s answers', async (path) => {
  expect((await at(path)).status).toBe(200);
});

test.each(['/graphql', '/keyway/graphql'])('%s is the graph', async (path) => {
  expect(await (await viewer(path)).json()).toMatchObject({ data: { viewer: { name: 'admin' } } });
});

test('the explorer is below it, and asks for what lies beside it', async () => {
  const bare = await at('/keyway');
  expect([bare.status, bare.headers.get('location')]).toEqual([308, '/keyway/']);
  const page = await at('/keyway/');
  expect(page.headers.get('content-type')).toContain('text/html');
  expect(await page.text()).not.toMatch(/["']\/graphql["'],\s*location/);
});

test.each(['/keywayx/health', '/keyway/keyway/health', '/other/health', '//keyway/health'])(
  '%s is nothing',
  async (path) => {
    expect((await at(path)).status).toBe(404);
  },
);

test('a request is signed for the address that its caller knows', async () => {
  const account = await makeAccount(server);
  const key = await makeCredential(server, account, { secret: { accessKey: { secretFormat: 'HEX' } } });
  const scheme = SignatureScheme.HTTP_MESSAGE_SIGNATURES;
  const question = { query: '{ viewer { id } }' };
  for (const path of ['/keyway/graphql', '/graphql']) {
    const signed = signedBy(server, key, scheme, unsigned(server, path, question), 0);
    expect([path, (await send(server, signed)).data]).toEqual([path, { viewer: { id: account } }]);
    const elsewhere = path === '/graphql' ? '/keyway/graphql' : '/graphql';
    expect((await send(server, { ...signed, url: elsewhere })).status).toBe(401);
  }
});
