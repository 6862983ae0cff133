/**
 * @slow 15 s
 */
import { expectData, makeAccount, makeCaller, unique } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { run } from '../support/verbs.js';
import { makeStore } from '../stores/stores.js';
import { startNcloud, type Ncloud } from '../upstreams/ncloud.js';
import { rowOf } from '../credentials/due/due.js';
import { create, read, remove, reveal, revoke, rotate } from '../credentials/verbs.js';

// A store that refuses everything for good, as its account at the vendor was closed, is let go of by who says so.

let server: TestServer;
let at: Ncloud;
let account: string;
let store: string;

beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  at = await startNcloud();
});
afterAll(async () => {
  await server.stop();
  await at.stop();
});
beforeEach(async () => {
  at.clear();
  account = await makeAccount(server);
  const { accessKey, secretKey } = at.manager;
  store = await makeStore(server, account, {
    ncloud: { stsEndpoint: at.url, subAccountEndpoint: at.url, accessKey, secretKey },
  });
});

const closed = {
  kind: 'fail',
  status: 401,
  body: { error: { errorCode: '210', message: 'Permission Denied' } },
} as const;
const made = async () => {
  const scope = at.addSubAccount(unique('builds')).subAccountId;
  const input = { store, account, name: unique('builds'), scope, secret: { accessKey: {} } };
  const { credential, issued } = expectData(await create(server, input)).createCredential;
  return { id: credential.id, ...issued } as { id: string; accessKey: string; secret: string };
};
const disconnect = (more: object = {}, token?: string) =>
  server.ask(
    `mutation ($input: DeleteStoreInput!) { deleteStore(input: $input) {
      deletedId abandonedCount abandoned { id status } } }`,
    { input: { id: store, ...more } },
    token === undefined ? {} : { token },
  );
const abandon = async (more: object = {}) =>
  expectData(await disconnect({ abandonCredentials: true, ...more })).deleteStore;
const statusOf = async (id: string) => (await read(server, id)).status;
const eventsOf = async (id: string) =>
  server.rows<{ action: string; code: string | null }>(
    `SELECT action, code FROM audit_events WHERE target_id = CAST(:id AS uuid) ORDER BY id DESC LIMIT 1`,
    { id: rowOf(id) },
  );

describe('R7: a store that does not end what it is asked to end', () => {
  test('is disconnected when somebody says so, and nobody is told that the secret is dead', async () => {
    const { id, accessKey, secret } = await made();
    at.meet(closed, {}, 999);
    expect((await revoke(server, { id })).code).toBe('STORE_REJECTED');
    const held = await disconnect();
    expect(held.code).toBe('CONFLICT');
    expect(held.errors[0]?.message).toMatch(/^A revocation is under way .*`abandonCredentials: true`/);
    const answer = { deletedId: store, abandonedCount: 1, abandoned: [{ id, status: 'ABANDONED' }] };
    const idempotencyKey = unique('key');
    expect(await abandon({ idempotencyKey })).toEqual(answer);
    expect(await abandon({ idempotencyKey })).toEqual(answer);
    expect(at.accepts(accessKey, secret)).toBe(true);
    const { status, revokedAt, versions } = await read(server, id);
    expect([status, revokedAt, versions[0].state]).toEqual(['ABANDONED', null, 'UNKNOWN']);
    expect(await eventsOf(id)).toEqual([{ action: 'credential:abandon', code: null }]);
    expect(await eventsOf(store)).toEqual([{ action: 'store:delete', code: null }]);
    for (const asked of [revoke, remove]) expect((await asked(server, { id })).code).toBe('CONFLICT');
    expect(await statusOf(id)).toBe('ABANDONED');
    const left = await server.rows(
      `SELECT id FROM intents WHERE credential_id = :id AND state = 'OPEN'
       UNION ALL SELECT id FROM leftovers WHERE credential_id = :id`,
      { id: rowOf(id) },
    );
    expect(left).toEqual([]);
    // Then its account can be deleted too.
    expectData(await run(server, 'deleteAccount', { id: account, revokeCredentials: true }));
    expect(await statusOf(id)).toBe('ABANDONED');
  });

  test('keeps a previous secret in its grace from nothing but the end of that: it is told until when', async () => {
    const { id } = await made();
    expectData(await rotate(server, { id, gracePeriod: 'PT1H' }));
    const held = await disconnect();
    expect(held.code).toBe('CONFLICT');
    expect(held.errors[0]?.message).toMatch(
      /^A previous secret of a credential in this store keeps working until \d{4}-\d\d-\d\dT.*`abandonCredentials: true`/,
    );
    expect(await abandon()).toMatchObject({ abandoned: [{ id, status: 'ABANDONED' }] });
    const { versions, rotation } = await read(server, id);
    expect(versions.map(({ state }: { state: string }) => state)).toEqual(['UNKNOWN', 'UNKNOWN']);
    expect(rotation.state).toBe('OUTCOME_UNKNOWN');
    expect((await reveal(server, { id })).code).not.toBeUndefined();
  });

  test('is not disconnected by who may not revoke each of the credentials: FORBIDDEN', async () => {
    const { id } = await made();
    at.meet(closed, {}, 999);
    await revoke(server, { id });
    const caller = await makeCaller(server, ['STORE_MANAGE', 'CREDENTIAL_READ'], { onAccount: account });
    expect((await disconnect({ abandonCredentials: true }, caller.token)).code).toBe('FORBIDDEN');
    expect(await statusOf(id)).toBe('REVOKING');
    const both = await makeCaller(server, ['STORE_MANAGE', 'CREDENTIAL_REVOKE'], { onAccount: account });
    const { code, data } = await disconnect({ abandonCredentials: true }, both.token);
    expect([code, data?.deleteStore.abandonedCount]).toEqual([undefined, 1]);
  });

  test('and makes a key for a rotation after that, has it told as well', async () => {
    const { id } = await made();
    const held = at.hold('after', { method: 'POST' });
    const rotating = rotate(server, { id });
    const standing = await held;
    expect((await disconnect()).errors[0]?.message).toMatch(/is being changed/);
    await abandon();
    standing.release();
    expect((await rotating).code).toBe('CONFLICT');
    expect(await statusOf(id)).toBe('ABANDONED');
  });

  test('has what was abandoned there in the lists of those who ask for it', async () => {
    const { id } = await made();
    await abandon();
    const listed = async (filter: object) =>
      expectData(
        await server.ask(
          'query ($filter: CredentialFilter) { credentials(filter: $filter) { nodes { id } } }',
          {
            filter: { account: [account], ...filter },
          },
        ),
      ).credentials.nodes;
    expect(await listed({})).toEqual([]);
    expect(await listed({ status: ['ABANDONED'] })).toEqual([{ id }]);
    expect(await listed({ status: ['DELETED'] })).not.toContainEqual({ id });
  });
});
