/**
 * @slow 25 s
 */
import { start } from '../../../src/cli/main.js';
import { readConfig } from '../../../src/config/config.js';
import { openLog } from '../../../src/log.js';
import { makeStore } from '../../stores/stores.js';
import { expectData, makeAccount, unique } from '../../support/make.js';
import { openProxy } from '../../support/proxy.js';
import { doorTo, startTestServer, type Door, type TestServer } from '../../support/server.js';
import { startNcloud, type Ncloud } from '../../upstreams/ncloud.js';

let server: TestServer;
let at: Ncloud;
let account: string;
let store: string;
beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  at = await startNcloud();
  account = await makeAccount(server);
  const { accessKey, secretKey } = at.manager;
  store = await makeStore(server, account, {
    ncloud: { stsEndpoint: at.url, subAccountEndpoint: at.url, accessKey, secretKey },
  });
});
afterAll(async () => {
  await server.stop();
  await at.stop();
});

const change = (door: Door, verb: string, input: object) =>
  door.ask(
    `mutation ($input: ${verb}CredentialInput!) { done: ${verb.toLowerCase()}Credential(input: $input) { credential { id } } }`,
    { input },
  );
const create = (door: Door) => {
  const scope = at.addSubAccount(unique('builds')).subAccountId;
  const input = { store, account, scope, name: unique('builds'), secret: { accessKey: {} } };
  return change(door, 'Create', input);
};
const made = async () => expectData(await create(server)).done.credential.id as string;
const keys = /\/access-keys/;

test('a store that takes long is waited for, as long as it may take', async () => {
  at.meet({ kind: 'slow', ms: 4_500 }, { method: 'POST', path: keys });
  expectData(await create(server));
});

if (process.env['TEST_DATABASE_URL'])
  test.each<[string, string, (door: Door, id: string) => ReturnType<typeof create>]>([
    ['creates', 'POST', create],
    ['rotates', 'POST', (door, id) => change(door, 'Rotate', { id, gracePeriod: 'PT1H' })],
    ['revokes', 'DELETE', (door, id) => change(door, 'Revoke', { id })],
  ])('R16: who %s there while the database stands still is answered in time', async (_, method, ask) => {
    const id = await made();
    const address = server.environment['DATABASE_URL'] ?? '';
    const proxy = await openProxy(address);
    const other = await start(
      readConfig({ ...server.environment, DATABASE_URL: proxy.url }),
      openLog('fatal'),
    );
    try {
      const reached = at.hold('after', { method, path: keys });
      const answer = ask(doorTo(other.url, server.adminToken), id);
      const held = await reached;
      // Nothing that the database says arrives any more, by whatever connection.
      proxy.delay(12_000);
      const from = performance.now();
      held.release();
      const { code, text } = await answer;
      expect(performance.now() - from).toBeLessThan(7_000);
      expect(code).toBe('OUTCOME_UNKNOWN');
      expect(text).not.toContain('nothing was changed');
    } finally {
      proxy.delay(0);
      proxy.leadTo(address);
      await other.stop();
      await proxy.stop();
    }
  });
