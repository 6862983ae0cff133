import { makeStore } from '../../stores/stores.js';
import { expectData, makeAccount, makeCredential } from '../../support/make.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { run } from '../../support/verbs.js';
import type { Match } from '../../upstreams/stand-in.js';
import { rowOf } from '../due/due.js';
import { apinizer, ncloud, seqera, veracode, type Spot, type Vendor } from '../outside/vendors.js';

// A store is asked for what it has, a credential is changed while the answer is on its way, and then the answer comes: it
// is older than the change, and undoes nothing of it.

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
});
afterAll(() => server.stop());

interface Kind {
  open: () => Promise<Vendor>;
  /** The request whose answer tells what there is. */
  listing: (spot: Spot) => Match;
  verbs: string[];
  grace?: string;
}

const get = (path: RegExp) => (): Match => ({ method: 'GET', path });
const kinds: Record<string, Kind> = {
  Seqera: {
    open: seqera,
    listing: get(/\/credentials(\?|$)/),
    verbs: ['createCredential', 'rotateCredential', 'revokeCredential', 'deleteCredential'],
  },
  Apinizer: {
    open: apinizer,
    listing: get(/Orders/),
    verbs: [
      'createCredential',
      'rotateCredential',
      'updateCredential',
      'revokeCredential',
      'deleteCredential',
    ],
  },
  'NAVER Cloud': {
    open: ncloud,
    listing: get(/\/access-keys$/),
    verbs: ['createCredential', 'rotateCredential', 'revokeCredential', 'deleteCredential'],
    grace: 'PT1H',
  },
  Veracode: {
    open: veracode,
    listing: ({ create }) => ({ method: 'GET', path: new RegExp(`user_id/${String(create['scope'])}`) }),
    verbs: ['rotateCredential', 'revokeCredential', 'deleteCredential'],
  },
};

/** What Keyway has of a store, but for what it reaches it with. */
const inventoryOf = async (store: string) => ({
  credentials: await server.rows(
    `SELECT id, scope, name, full_name, access_key, external_id, standing, enabled, partial, rotating_until,
       revoked_at, revoke_reason, gone_at, deleted_at
     FROM credentials WHERE store_id = :store AND NOT reaches_store ORDER BY id`,
    { store: rowOf(store) },
  ),
  versions: await server.rows(
    `SELECT v.credential_id, v.number, v.state, v.access_key, v.valid_until
     FROM credential_versions v JOIN credentials c ON c.id = v.credential_id
     WHERE c.store_id = :store AND NOT c.reaches_store ORDER BY 1, 2`,
    { store: rowOf(store) },
  ),
});

const cases = Object.entries(kinds).flatMap(([name, { verbs }]) =>
  verbs.map((verb) => [name, verb] as const),
);

test.each(cases)('a listing of %s that is older than %s undoes nothing of it', async (name, verb) => {
  const { open, listing, grace } = kinds[name] as Kind;
  const vendor = await open();
  try {
    const account = await makeAccount(server);
    const store = await makeStore(server, account, vendor.connection);
    const spot = vendor.spot();
    const input = { account, store, ...spot.create };
    const id = verb === 'createCredential' ? undefined : (await makeCredential(server, account, input)).id;
    const standing = vendor.standIn.hold('after', listing(spot));
    const syncing = run(server, 'syncStore', { id: store });
    const held = await standing;
    const inputs: Record<string, object> = {
      createCredential: { name: 'made', ...input },
      rotateCredential: { id, ...spot.rotate, ...(grace !== undefined && { gracePeriod: grace }) },
      updateCredential: { id, fullName: 'Somebody else' },
    };
    expectData(await run(server, verb, { ...(inputs[verb] ?? { id }) }));
    const before = await inventoryOf(store);
    held.release();
    expectData(await syncing);
    expect(await inventoryOf(store)).toEqual(before);
    // The next one is newer than the change, and has nothing to say against it.
    expectData(await run(server, 'syncStore', { id: store }));
    expect((await inventoryOf(store)).versions).toEqual(expect.arrayContaining(before.versions));
  } finally {
    await vendor.standIn.stop();
  }
});
