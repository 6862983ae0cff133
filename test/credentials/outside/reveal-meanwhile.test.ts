import { makeStore } from '../../stores/stores.js';
import { expectData, makeAccount } from '../../support/make.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { create, reveal, rotate } from '../verbs.js';
import { apinizer, ncloud, seqera, veracode, type Vendor } from './vendors.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
});
afterAll(() => server.stop());

test.each<[string, () => Promise<Vendor>, 'before' | 'after', boolean]>([
  ['that the store makes', ncloud, 'before', false],
  ['that the store has made', ncloud, 'after', false],
  ['that the store makes in the place of the one before', veracode, 'before', false],
  ['that Keyway chose', apinizer, 'before', true],
  ['that the store has from Keyway', apinizer, 'after', true],
  ['that the caller brought', seqera, 'before', true],
])('while a secret is on its way %s, what may work is revealed', async (_, open, when, isKnown) => {
  const vendor = await open();
  try {
    const account = await makeAccount(server);
    const store = await makeStore(server, account, vendor.connection);
    const spot = vendor.spot();
    const made = expectData(await create(server, { account, store, ...spot.create })).createCredential;
    const { id } = made.credential;
    const standing = vendor.standIn.hold(when, vendor.writes.rotate);
    const rotating = rotate(server, { id, ...spot.rotate });
    const held = await standing;
    const shown = expectData(await reveal(server, { id })).revealCredential;
    held.release();
    const next = expectData(await rotating).rotateCredential;
    const secretOf = ({ secret, keys }: { secret: string | null; keys: unknown }) => ({ secret, keys });
    expect(secretOf(shown.issued)).toEqual(secretOf(made.issued));
    expect(shown.other && secretOf(shown.other)).toEqual(isKnown ? secretOf(next.issued) : null);
  } finally {
    await vendor.standIn.stop();
  }
});
