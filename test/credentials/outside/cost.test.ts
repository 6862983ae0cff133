import type { Tx } from '../../../src/database/database.js';
import { parseId } from '../../../src/ids.js';
import { expectData, makeAccount } from '../../support/make.js';
import { overhear } from '../../support/overhear.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { makeStore } from '../../stores/stores.js';
import { startApinizer } from '../../upstreams/apinizer.js';
import { startLandscape } from '../../upstreams/landscape.js';
import { startNcloud } from '../../upstreams/ncloud.js';
import { startSeqera } from '../../upstreams/seqera.js';
import type { StandIn } from '../../upstreams/stand-in.js';
import { startVeracode } from '../../upstreams/veracode.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
});
afterAll(() => server.stop());

const sync = (id: string) =>
  server.ask('mutation ($id: ID!) { syncStore(input: { id: $id }) { store { id } } }', { id });
const rotate = (input: object) =>
  server.ask(
    'mutation ($input: RotateCredentialInput!) { rotateCredential(input: $input) { credential { id } issued { accessKey } } }',
    { input },
  );

/** How many transactions with the credential `work` takes: the jobs of the server have their own, with others. */
async function transactionsWith(id: string, work: () => Promise<unknown>): Promise<number> {
  const uuid = parseId(id)?.uuid;
  const transactions = new Set<Tx>();
  const heard = overhear(server.db, (_, parameters, tx) => {
    if (Object.values(parameters).includes(uuid)) transactions.add(tx);
  });
  try {
    await work();
  } finally {
    heard.stop();
  }
  return transactions.size;
}

/** Each vendor, with a credential there that can be rotated, and how many calls that takes of the vendor alone. */
const vendors: [
  string,
  () => Promise<{
    standIn: StandIn;
    connection: Record<string, unknown>;
    secret?: object;
    mostCalls: number;
  }>,
][] = [
  [
    'Landscape',
    async () => {
      const standIn = await startLandscape({ accounts: [{ name: 'onward' }] });
      const { email, password } = standIn.person;
      // One to log in, one to generate.
      return { standIn, connection: { landscape: { endpoint: standIn.url, email, password } }, mostCalls: 2 };
    },
  ],
  [
    'Seqera',
    async () => {
      const standIn = await startSeqera();
      standIn.seed(1, () => ({ provider: 'github', keys: { username: 'me', password: 'made-up' } }));
      const secret = { providerKeys: { github: { username: 'me', password: 'made-up-anew' } } };
      // What is there is read first, since it is replaced whole; and then what its record goes by.
      return {
        standIn,
        connection: { seqera: { endpoint: standIn.url, token: standIn.token } },
        secret,
        mostCalls: 3,
      };
    },
  ],
  [
    'Veracode',
    async () => {
      const standIn = await startVeracode();
      standIn.seed(1);
      const { apiId, apiKey } = standIn.admin;
      // What is said of the user, by the single form and by the list, and another pair.
      return { standIn, connection: { veracode: { endpoint: standIn.url, apiId, apiKey } }, mostCalls: 3 };
    },
  ],
  [
    'Apinizer',
    async () => {
      const standIn = await startApinizer();
      standIn.seed(1);
      const { url: endpoint, token } = standIn;
      return { standIn, connection: { apinizer: { endpoint, token } }, mostCalls: 1 };
    },
  ],
  [
    'NAVER Cloud',
    async () => {
      const standIn = await startNcloud();
      standIn.seed(1);
      const { accessKey, secretKey } = standIn.manager;
      const connection = {
        ncloud: { stsEndpoint: standIn.url, subAccountEndpoint: standIn.url, accessKey, secretKey },
      };
      // The keys that are there, whether their sub account and the key itself are let in, another one, and whether it works.
      return { standIn, connection, mostCalls: 5 };
    },
  ],
];

test.each(vendors)('a rotation at %s costs its calls and two transactions', async (_, start) => {
  const { standIn, connection, secret, mostCalls } = await start();
  try {
    const store = await makeStore(server, await makeAccount(server), connection);
    expectData(await sync(store));
    const listed = await server.ask(
      'query ($store: [ID!]) { credentials(filter: { store: $store }) { nodes { id reachesStore } } }',
      { store: [store] },
    );
    const nodes: { id: string; reachesStore: boolean }[] = expectData(listed).credentials.nodes;
    const id = nodes.find(({ reachesStore }) => !reachesStore)?.id ?? '';
    const before = standIn.calls.length;
    const count = await transactionsWith(id, async () =>
      expectData(
        await rotate({ id, ...(secret && { secret }), gracePeriod: connection['ncloud'] ? 'PT1H' : 'PT0S' }),
      ),
    );
    expect(standIn.calls.length - before).toBeLessThanOrEqual(mostCalls);
    expect(count).toBe(2);
  } finally {
    await standIn.stop();
  }
});

test('R25: a client that disconnects while its store hangs frees its place there', async () => {
  const standIn = await startSeqera();
  try {
    const { url: endpoint, token } = standIn;
    const store = await makeStore(server, await makeAccount(server), { seqera: { endpoint, token } });
    const body = JSON.stringify({
      query: 'mutation ($id: ID!) { checkStore(input: { id: $id }) { store { health { reachable } } } }',
      variables: { id: store },
    });
    const check = (signal: AbortSignal) =>
      fetch(`${server.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${server.adminToken}` },
        body,
        signal,
      });
    const leaving = new AbortController();
    const held = Array.from({ length: 8 }, () => standIn.hold('before'));
    const left = Array.from({ length: 8 }, () => check(leaving.signal).catch(() => 'left'));
    await Promise.all(held);
    leaving.abort();
    expect(await Promise.all(left)).toEqual(Array.from({ length: 8 }, () => 'left'));
    // Well before the time of those calls is over: their places are free, and they count against nobody.
    const answer = await check(AbortSignal.timeout(3_000));
    expect(await answer.json()).toMatchObject({
      data: { checkStore: { store: { health: { reachable: true } } } },
    });
  } finally {
    await standIn.stop();
  }
});
