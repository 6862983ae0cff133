import { registry } from '../../src/connectors/registry.js';
import { seqera as connector } from '../../src/connectors/seqera/seqera.js';
import type { Secret } from '../../src/secret.js';
import { expectData, makeAccount } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { startSeqera, type Seqera } from '../upstreams/seqera.js';
import { checkStore, makeStore, seqeraAt, updateStore } from './stores.js';

/** What the connector was handed to prove itself with, and what it said at that time. */
const handed: { secret: Secret; said: string }[] = [];
const watched = {
  ...registry,
  SEQERA: {
    ...connector,
    check: (upstream: Parameters<typeof connector.check>[0]) => {
      handed.push(...Object.values(upstream.secrets).map((secret) => ({ secret, said: secret.expose() })));
      return connector.check(upstream);
    },
  },
};

let server: TestServer;
let seqera: Seqera;
let account: string;
beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' }, watched);
  seqera = await startSeqera();
  account = await makeAccount(server);
});
beforeEach(() => {
  seqera.clear();
  handed.length = 0;
});
afterAll(async () => {
  await server.stop();
  await seqera.stop();
});

const made = () => makeStore(server, account, seqeraAt(seqera));

test.each<[string, () => Promise<unknown>]>([
  ['it is connected', made],
  ['it is checked', async () => checkStore(server, { id: await made() })],
  [
    'it is checked in vain',
    async () => {
      const id = await made();
      seqera.meet({ kind: 'fail', status: 401 });
      expect(expectData(await checkStore(server, { id })).checkStore.store.health.reachable).toBe(false);
    },
  ],
  ['it is changed', async () => updateStore(server, { id: await made(), connection: seqeraAt(seqera) })],
])('what Keyway proves itself with at a store is in memory no longer than it takes: %s', async (_, use) => {
  await use();
  expect(handed.length).toBeGreaterThan(0);
  for (const { secret, said } of handed) {
    expect(said).toBe(seqera.token);
    expect(secret.exposeBytes().every((byte) => byte === 0)).toBe(true);
  }
});
