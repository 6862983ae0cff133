import { expectData, makeAccount, makeCredential, type Made } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { run } from '../support/verbs.js';
import { verifierAt } from '../support/verify.js';
import { accept, isReady, killedAfter } from './restoring.js';

let server: TestServer;
afterEach(() => server.stop());

async function codeOf({ accessKey, secret }: Made, ip: string): Promise<string> {
  const verifier = verifierAt(server.url, server.adminToken);
  try {
    return await verifier.code({ accessKey, proof: { secret }, ip });
  } finally {
    verifier.close();
  }
}

test('R36: addresses that a credential was moved away from do not work again', async () => {
  server = await startTestServer();
  const account = await makeAccount(server);
  const moved = await makeCredential(server, account, { allowedIps: ['198.51.100.0/24'] });
  const partly = await makeCredential(server, account, { allowedIps: ['198.51.100.0/24', '192.0.2.0/24'] });
  const widened = await makeCredential(server, account, { allowedIps: ['192.0.2.0/25'] });
  await server.pause();
  const putBack = await server.keepState();
  await killedAfter(server, async (door) => {
    for (const [id, allowedIps] of [
      [moved.id, ['203.0.113.0/24']],
      [partly.id, ['192.0.2.0/24', '203.0.113.0/24']],
      [widened.id, ['192.0.2.0/24']],
    ])
      expectData(await run(door, 'updateCredential', { id, allowedIps }));
  });
  await putBack();
  await server.restart();
  expect(await isReady(server)).toBe(false);
  await server.pause();
  expect((await accept(server)).code).toBe(0);
  await server.restart();

  expect(await codeOf(moved, '198.51.100.7')).toBe('IP_NOT_ALLOWED');
  expect(await codeOf(moved, '203.0.113.7')).toBe('VALID');
  expect(await codeOf(partly, '198.51.100.7')).toBe('IP_NOT_ALLOWED');
  expect(await codeOf(partly, '192.0.2.7')).toBe('VALID');
  expect(await codeOf(partly, '203.0.113.7')).toBe('IP_NOT_ALLOWED');
  expect(await codeOf(widened, '192.0.2.7')).toBe('VALID');
  expect(await codeOf(widened, '192.0.2.200')).toBe('IP_NOT_ALLOWED');
});
