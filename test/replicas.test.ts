import { codeOf, verifyAll } from './credentials/verification/verifying.js';
import { expectData, grant, makeAccount, makeCaller, makeCredential, makeRole } from './support/make.js';
import { startReplica, startTestServer, type Door, type TestServer } from './support/server.js';
import { run } from './support/verbs.js';

const trials = 10_000;
const lanes = 4;
const keysEach = 10;

let server: TestServer;
let account: string;
beforeAll(async () => {
  server = await startTestServer();
  account = await makeAccount(server);
});
afterAll(() => server.stop());

const change = async (door: Door, mutation: string, input: Record<string, unknown>) =>
  expectData(await run(door, mutation, input));

/**
 * Changes what keys depend on by one door and asks for all of them at once by the other. Returns how often one was told
 * late.
 */
async function alternate(doors: readonly [Door, Door], times: number): Promise<number> {
  const account = await makeAccount(server);
  const keys = await Promise.all(Array.from({ length: keysEach }, () => makeCredential(server, account)));
  const inputs = keys.map(({ accessKey, secret }) => ({ accessKey, proof: { secret } }));
  let stale = 0;
  for (let turn = 0; turn < times; turn++) {
    const [here, there] = turn % 3 ? doors : [doors[1], doors[0]];
    const enabled = turn % 2 === 1;
    await change(here, 'updateAccount', { id: account, enabled });
    const codes = await verifyAll(there, inputs);
    stale += codes.filter(({ code }) => code !== (enabled ? 'VALID' : 'DISABLED')).length;
  }
  return stale;
}

test('R28: what was changed is so at the next request', async () => {
  expect(await alternate([server, server], 40)).toBe(0);
});

// The embedded database has one Keyway.
if (process.env['TEST_DATABASE_URL']) {
  describe('with two replicas', () => {
    let replica: Awaited<ReturnType<typeof startReplica>>;
    beforeAll(async () => {
      replica = await startReplica(server);
    });
    afterAll(() => replica.stop());

    test('R28: what one changes the other knows at its next request, ten thousand times', async () => {
      const stale = await Promise.all(
        Array.from({ length: lanes }, () => alternate([server, replica], trials / keysEach / lanes)),
      );
      expect(stale.reduce((sum, one) => sum + one, 0)).toBe(0);
    }, 240_000);

    test('S23: what one revokes the other takes no more', async () => {
      await Promise.all(
        Array.from({ length: 8 }, async (_, index) => {
          const [here, there] = index % 2 ? [server, replica] : [replica, server];
          const { id, accessKey, secret } = await makeCredential(server, account);
          const presented = { accessKey, proof: { secret } };
          expect(await codeOf(there, presented)).toBe('VALID');
          const revoke = 'mutation ($id: ID!) { revokeCredential(input: { id: $id }) { credential { id } } }';
          expectData(await here.ask(revoke, { id }));
          expect(await codeOf(there, presented)).toBe('REVOKED');
        }),
      );
    });

    test('S23: a role that one withdraws is gone on the other', async () => {
      const { id: caller, token } = await makeCaller(server);
      const role = await makeRole(server, ['CREDENTIAL_READ']);
      const count = async (door: Door) =>
        expectData(await door.ask('{ credentials { totalCount } }', {}, { token })).credentials
          .totalCount as number;
      const own = await count(server);
      for (let round = 0; round < 10; round++) {
        const [here, there] = round % 2 ? [server, replica] : [replica, server];
        const held = await grant(server, caller, role, { onAccount: account });
        expect(await count(there)).toBeGreaterThan(own);
        const withdraw = 'mutation ($grant: ID!) { withdrawRole(input: { grant: $grant }) { deletedId } }';
        expectData(await here.ask(withdraw, { grant: held }));
        expect(await count(there)).toBe(own);
      }
    });
  });
}
