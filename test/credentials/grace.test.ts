import { expectData, makeAccount, makeCredential, unique } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { makeStore } from '../stores/stores.js';
import { instantMs } from '../../src/time.js';
import { rowOf } from './due/due.js';
import { ncloud, type Vendor } from './outside/vendors.js';
import { read, rotate } from './verbs.js';

let server: TestServer;
let account: string;
let vendor: Vendor;
let store: string;
beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  account = await makeAccount(server);
  vendor = await ncloud();
  store = await makeStore(server, account, vendor.connection);
});
afterAll(async () => {
  await server.stop();
  await vendor.standIn.stop();
});

const kinds: Record<string, () => Record<string, unknown>> = {
  'a token': () => ({ secret: { token: {} } }),
  'an access key': () => ({ secret: { accessKey: {} } }),
  'a password': () => ({ secret: { password: { username: unique('user') } } }),
  'a key in an outside store': () => ({ ...vendor.spot().create, store }),
};
const graces: [string, number][] = [
  ['PT1M', 60],
  ['PT1H', 3_600],
  ['P1DT12H', 129_600],
  ['P90D', 7_776_000],
];

describe.each(Object.keys(kinds))('%s that is rotated', (kind) => {
  test.each(graces)(
    'with a grace period of %s has a previous secret for %i seconds',
    async (grace, seconds) => {
      const { id } = await makeCredential(server, account, kinds[kind]?.());
      const { credential } = expectData(await rotate(server, { id, gracePeriod: grace })).rotateCredential;
      const [current, previous] = credential.versions;
      expect([current.state, current.validUntil, previous.state]).toEqual(['CURRENT', null, 'PREVIOUS']);
      // Both are the time of one transaction.
      expect(instantMs(previous.validUntil) - instantMs(credential.updatedAt)).toBe(seconds * 1_000);
      const [row] = await server.rows<{ same: boolean }>(
        `SELECT rotating_until = v.valid_until OR c.external_id IS NOT NULL AND rotating_until = 'infinity' AS same
       FROM credentials c JOIN credential_versions v ON v.credential_id = c.id AND v.state = 'PREVIOUS'
       WHERE c.id = :id`,
        { id: rowOf(id) },
      );
      expect(row).toEqual({ same: true });
    },
  );

  test('again within it ends the first secret with the second rotation', async () => {
    const { id } = await makeCredential(server, account, kinds[kind]?.());
    expectData(await rotate(server, { id, gracePeriod: 'PT1H' }));
    const [, previous] = (await read(server, id)).versions;
    const { credential } = expectData(await rotate(server, { id, gracePeriod: 'PT2H' })).rotateCredential;
    const [, second, first] = credential.versions;
    expect([second.state, first.state]).toEqual(['PREVIOUS', 'RETIRED']);
    expect(instantMs(second.validUntil) - instantMs(credential.updatedAt)).toBe(7_200_000);
    expect(instantMs(first.validUntil)).toBeLessThanOrEqual(instantMs(credential.updatedAt));
    expect(instantMs(first.validUntil)).toBeLessThan(instantMs(previous.validUntil));
  });
});
