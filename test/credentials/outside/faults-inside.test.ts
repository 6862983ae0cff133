/**
 * @slow 15 s
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ncloud as connector } from '../../../src/connectors/ncloud/ncloud.js';
import { registry } from '../../../src/connectors/registry.js';
import { parseId } from '../../../src/ids.js';
import { expectData, makeAccount, unique } from '../../support/make.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { makeStore } from '../../stores/stores.js';
import { startNcloud, type Ncloud } from '../../upstreams/ncloud.js';
import { rowOf } from '../due/due.js';
import { create, read, revoke, rotate } from '../verbs.js';

// What goes wrong in Keyway itself waits for its next try as a refusal of the store does, and says why.

/** Whether the connector has a mistake in it just now. */
let isFaulty = false;
const fault = () => Promise.reject(new TypeError('a mistake in the connector'));
const faulty = {
  ...registry,
  NCLOUD: {
    ...connector,
    revoke: (...of: Parameters<NonNullable<typeof connector.revoke>>) =>
      isFaulty ? fault() : (connector.revoke?.(...of) ?? fault()),
    retire: (...of: Parameters<NonNullable<typeof connector.retire>>) =>
      isFaulty ? fault() : (connector.retire?.(...of) ?? fault()),
  },
};

let server: TestServer;
let at: Ncloud;
let store: string;

beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' }, faulty);
  at = await startNcloud();
  const { accessKey, secretKey } = at.manager;
  store = await makeStore(server, await makeAccount(server), {
    ncloud: { stsEndpoint: at.url, subAccountEndpoint: at.url, accessKey, secretKey },
  });
});
afterAll(async () => {
  await server.stop();
  await at.stop();
});

const made = async () => {
  const { account } = expectData(
    await server.ask('query ($id: ID!) { node(id: $id) { ... on CredentialStore { account { id } } } }', {
      id: store,
    }),
  ).node;
  const scope = at.addSubAccount(unique('builds')).subAccountId;
  const input = { store, account: account.id, name: unique('builds'), scope, secret: { accessKey: {} } };
  return expectData(await create(server, input)).createCredential.credential.id as string;
};
const changesOf = async (id: string) => {
  const text = `query ($id: ID!) { credential(id: $id) { storeChanges { kind attempts failure nextAt } } }`;
  return expectData(await server.ask(text, { id })).credential.storeChanges;
};
const until = async (holds: () => boolean | Promise<boolean>) => {
  for (const end = performance.now() + 30_000; !(await holds()); await sleep(50))
    if (performance.now() > end) throw new Error('it did not come to that');
};
const statusIs = (id: string, status: string) =>
  until(async () => (await read(server, id)).status === status);
const triedTwice = (id: string) => until(async () => (await changesOf(id))[0].attempts > 1);

/** Has the record of what Keyway proves itself with be one that does not open. */
async function damage(): Promise<() => Promise<unknown>> {
  const id = parseId(store)?.uuid;
  const [row] = await server.rows<{ sealed: Buffer }>('SELECT sealed FROM stores WHERE id = :id', { id });
  await server.rows("UPDATE stores SET sealed = '\\x00' WHERE id = :id RETURNING id", { id });
  return () => server.rows('UPDATE stores SET sealed = :sealed WHERE id = :id RETURNING id', { id, ...row });
}

/** A credential whose previous key is to end at once. */
async function withKeyToEnd(id: string) {
  expectData(await rotate(server, { id, gracePeriod: 'PT1H' }));
  return () =>
    server.rows('UPDATE leftovers SET due_at = now() WHERE credential_id = :id RETURNING id', {
      id: rowOf(id),
    });
}

const unopened = /^INTERNAL_SERVER_ERROR: Keyway cannot open what it proves itself with at the store: /;
const inside = /^INTERNAL_SERVER_ERROR: Something went wrong inside Keyway: its log has the reason\.$/;

describe('R13: what Keyway cannot do for a reason of its own', () => {
  test('as the record of its store does not open, is tried again, and says why: a revocation', async () => {
    const id = await made();
    const repair = await damage();
    expect((await revoke(server, { id })).code).toBe('INTERNAL_SERVER_ERROR');
    await triedTwice(id);
    expect(await changesOf(id)).toMatchObject([{ kind: 'REVOKE', failure: expect.stringMatching(unopened) }]);
    await repair();
    await statusIs(id, 'REVOKED');
  });

  test('for the same reason: the end of a previous key', async () => {
    const id = await made();
    const hasten = await withKeyToEnd(id);
    const repair = await damage();
    await hasten();
    await triedTwice(id);
    expect(await changesOf(id)).toMatchObject([{ kind: 'RETIRE', failure: expect.stringMatching(unopened) }]);
    await repair();
    await statusIs(id, 'ACTIVE');
  });

  test.each([
    ['a revocation', 'REVOKE', 'REVOKED'],
    ['the end of a previous key', 'RETIRE', 'ACTIVE'],
  ])('by a mistake in its code is tried again, and says so: %s', async (_, kind, status) => {
    const id = await made();
    const hasten = kind === 'RETIRE' && (await withKeyToEnd(id));
    isFaulty = true;
    if (hasten) await hasten();
    else await revoke(server, { id });
    await triedTwice(id);
    expect(await changesOf(id)).toMatchObject([{ kind, failure: expect.stringMatching(inside) }]);
    isFaulty = false;
    await statusIs(id, status);
  });
});
