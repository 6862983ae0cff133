import { join } from 'node:path';
import { Permission } from '../../src/access/principal.js';
import { parseId } from '../../src/ids.js';
import { secretPlace } from '../../src/keyring/envelope.js';
import type { Keyring } from '../../src/keyring/keyring.js';
import { Secret } from '../../src/secret.js';
import { openKeys } from '../../src/start/keys.js';
import { reveal, update } from '../credentials/verbs.js';
import { enrolAndConfirm } from '../support/authenticator.js';
import {
  expectData,
  grant,
  makeAccount,
  makeCaller,
  makeCredential,
  makeRole,
  unique,
} from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { startSeqera, type Seqera } from '../upstreams/seqera.js';
import { checkStore, makeStore, readStore, seqeraAt, updateStore } from './stores.js';

let server: TestServer;
let seqera: Seqera;
let other: Seqera;
let keyring: Keyring;
let account: string;

beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  [seqera, other] = await Promise.all([startSeqera(), startSeqera()]);
  const opened = await openKeys(server.db, join(server.dataDir, 'keys'), {});
  if (!opened.keyring) throw new Error('the keys of the server were not opened');
  keyring = opened.keyring;
  account = await makeAccount(server);
});
afterEach(() => [seqera, other].forEach((one) => one.clear()));
afterAll(async () => {
  await server.stop();
  await Promise.all([seqera, other].map((one) => one.stop()));
});

const uuid = (id: string) => parseId(id)?.uuid ?? '';
const rights = (...also: Permission[]) => [
  Permission.STORE_MANAGE,
  Permission.CREDENTIAL_READ,
  Permission.CREDENTIAL_CREATE,
  Permission.CREDENTIAL_UPDATE,
  ...also,
];

/** A store with one credential, of whose secret Keyway alone has a copy. */
async function withSecret() {
  const password = unique('password');
  const store = await makeStore(server, account, seqeraAt(seqera));
  const { id } = await makeCredential(server, account, {
    store,
    secret: { providerKeys: { github: { username: 'bot', password } } },
  });
  return { store, id, password };
}

const moving = (id: string, input: Record<string, unknown> = {}) => ({
  id,
  connection: seqeraAt(other),
  ...input,
});
const shownOf = async (id: string) =>
  expectData(await reveal(server, { id })).revealCredential.issued.keys as { name: string; value: string }[];
/** What there is in the tables of a store and its secrets. */
const kept = (store: string) =>
  server.rows(
    `SELECT s.addresses, s.sealed AS own, s.secret_number, v.number, v.sealed, v.state FROM stores s
     JOIN credentials c ON c.store_id = s.id JOIN credential_versions v ON v.credential_id = c.id
     WHERE s.id = :id ORDER BY c.id, v.number`,
    { id: uuid(store) },
  );
const sealedOf = async (id: string): Promise<Buffer> => {
  const [row] = await server.rows<{ sealed: Buffer }>(
    'SELECT sealed FROM credential_versions WHERE credential_id = :id AND sealed IS NOT NULL',
    { id: uuid(id) },
  );
  if (!row) throw new Error('there is no sealed secret');
  return Buffer.from(row.sealed);
};

/** Puts a change on record that nothing comes of within an hour. */
const underWay = (id: string) =>
  server.rows(
    `INSERT INTO intents (id, credential_id, store_id, verb, state, details, lease_until, next_at, request_id)
     SELECT gen_random_uuid(), c.id, c.store_id, 'RETIRE', 'OPEN', '{}', now() + interval '1 hour', now() + interval '1 hour', 'a'
     FROM credentials c WHERE c.id = CAST(:id AS uuid) RETURNING id`,
    { id: uuid(id) },
  );

describe('to another address', () => {
  test('S43: the secrets of a store go along with who may be shown them, and open there alone', async () => {
    const { store, id, password } = await withSecret();
    const caller = await makeCaller(server, rights(Permission.CREDENTIAL_REVEAL), { onAccount: account });
    expectData(await updateStore(server, moving(store), { token: caller.token }));
    expect(await shownOf(id)).toContainEqual({ name: 'password', value: password });
    const place = { id: uuid(id), accountId: uuid(account), projectId: null };
    const sealed = await sealedOf(id);
    const at = (url: string) => keyring.open(sealed, secretPlace({ ...place, destination: url }, 1));
    expect((await at(new URL(other.url).origin)).expose()).toContain(password);
    await expect(at(new URL(seqera.url).origin)).rejects.toMatchObject({ code: 'INTERNAL_SERVER_ERROR' });
  });

  test('S43: nobody else sends them there: nothing is changed, and nothing of them goes out', async () => {
    const { store, id, password } = await withSecret();
    const caller = await makeCaller(server, rights(), { onAccount: account });
    const before = await kept(store);
    const answer = await updateStore(server, moving(store), { token: caller.token });
    expect(answer.code).toBe('FORBIDDEN');
    expect(answer.errors[0]?.message).toContain('CREDENTIAL_REVEAL');
    expect(await kept(store)).toEqual(before);
    const { token } = caller;
    expectData(await update(server, { id, name: unique('renamed'), overwriteSecret: true }, { token }));
    expect(JSON.stringify(other.calls)).not.toContain(password);
  });

  test('by owning a credential nobody may: only by a right to reveal each', async () => {
    const { store, id } = await withSecret();
    const elsewhere = await makeAccount(server, { parent: account });
    await makeCredential(server, elsewhere, {
      store,
      secret: { providerKeys: { github: { username: 'bot', password: unique('password') } } },
    });
    const caller = await makeCaller(server, rights(), { onAccount: account });
    expectData(await update(server, { id, owner: caller.id }));
    const role = await makeRole(server, [Permission.CREDENTIAL_REVEAL]);
    await grant(server, caller.id, role, { onAccount: elsewhere });
    expect((await updateStore(server, moving(store), { token: caller.token })).code).toBe('FORBIDDEN');
    await grant(server, caller.id, role, { onAccount: account });
    expectData(await updateStore(server, moving(store), { token: caller.token }));
  });

  test('with the second factor of an account that requires one', async () => {
    const { store, password, id } = await withSecret();
    const caller = await makeCaller(
      server,
      rights(Permission.CREDENTIAL_REVEAL),
      { onAccount: account },
      { mfaRequired: true },
    );
    const { token } = caller;
    const app = await enrolAndConfirm(server, token);
    const before = await kept(store);
    const calls = other.calls.length;
    expect((await updateStore(server, moving(store), { token })).code).toBe('FORBIDDEN');
    expect((await updateStore(server, moving(store, { mfaCode: '000000' }), { token })).code).toBe(
      'FORBIDDEN',
    );
    expect(await kept(store)).toEqual(before);
    expect(other.calls).toHaveLength(calls + 1);
    const [mfaCode] = app.recoveryCodes;
    expectData(await updateStore(server, moving(store, { mfaCode }), { token }));
    expect(await shownOf(id)).toContainEqual({ name: 'password', value: password });
  });

  test('not while a change is under way there', async () => {
    const { store, id } = await withSecret();
    await underWay(id);
    const before = await kept(store);
    expect((await updateStore(server, moving(store))).code).toBe('CONFLICT');
    expect(await kept(store)).toEqual(before);
    await server.rows(
      "UPDATE intents SET state = 'DONE', finished_at = now() WHERE credential_id = :id RETURNING id",
      {
        id: uuid(id),
      },
    );
    expectData(await updateStore(server, moving(store)));
  });

  test('a store of which Keyway keeps no secret goes with STORE_MANAGE alone', async () => {
    const store = await makeStore(server, account, seqeraAt(seqera));
    const caller = await makeCaller(server, [Permission.STORE_MANAGE], { onAccount: account });
    expectData(await updateStore(server, moving(store), { token: caller.token }));
    expect(await readStore(server, store)).toMatchObject({ endpoint: `${other.url}/` });
  });

  test.each([
    ['another workspace', () => seqeraAt(seqera, { workspaces: ['4242'] })],
    ['another token', () => seqeraAt(seqera)],
  ])('S43: to %s at the same address they go by the same rights', async (_, connection) => {
    const { store, id, password } = await withSecret();
    const caller = await makeCaller(server, rights(), { onAccount: account });
    const sealed = await sealedOf(id);
    const before = await kept(store);
    const ask = () => updateStore(server, { id: store, connection: connection() }, { token: caller.token });
    expect((await ask()).code).toBe('FORBIDDEN');
    expect(await kept(store)).toEqual(before);
    const role = await makeRole(server, [Permission.CREDENTIAL_REVEAL]);
    await grant(server, caller.id, role, { onAccount: account });
    expectData(await ask());
    expect(await sealedOf(id)).toEqual(sealed);
    expect(await shownOf(id)).toContainEqual({ name: 'password', value: password });
  });

  test('what Keyway itself is let in with is renewed while a change is under way', async () => {
    const { store, id } = await withSecret();
    await underWay(id);
    expectData(await updateStore(server, { id: store, connection: seqeraAt(seqera) }));
  });
});

test('S43: where the address is another in the database alone, no secret opens, and nothing is sent', async () => {
  const { store, id } = await withSecret();
  await server.rows('UPDATE stores SET addresses = CAST(:addresses AS jsonb) WHERE id = :id RETURNING id', {
    id: uuid(store),
    addresses: JSON.stringify({ endpoint: `${other.url}/` }),
  });
  const calls = other.calls.length;
  expect((await reveal(server, { id })).code).toBe('INTERNAL_SERVER_ERROR');
  expect((await checkStore(server, { id: store })).code).toBe('INTERNAL_SERVER_ERROR');
  expect(other.calls).toHaveLength(calls);
});

test('what was sealed before addresses were bound still opens, and is bound with the next move', async () => {
  const { store, id } = await withSecret();
  const place = { id: uuid(id), accountId: uuid(account), projectId: null };
  const keys = [{ name: 'username', value: 'bot' }, { name: 'password', value: 'of before' }]; // prettier-ignore
  const { sealed, kekId } = await keyring.seal(Secret.of(JSON.stringify(keys)), secretPlace(place, 1));
  expect(sealed[4]).toBe(1);
  await server.rows(
    'UPDATE credential_versions SET sealed = :sealed, kek_id = :kekId WHERE credential_id = :id RETURNING number',
    { sealed, kekId, id: uuid(id) },
  );
  expect(await shownOf(id)).toEqual(keys);
  expectData(await updateStore(server, moving(store)));
  expect((await sealedOf(id))[4]).toBe(2);
  expect(await shownOf(id)).toEqual(keys);
});

test('a credential that moves to another project or account keeps the secret, for the same address', async () => {
  const { store, id, password } = await withSecret();
  const heir = await makeAccount(server, { parent: account });
  const part = await makeAccount(server, { parent: account });
  const { id: moved } = await makeCredential(server, part, {
    store,
    secret: { providerKeys: { github: { username: 'bot', password } } },
  });
  const project = await server.ask(
    'mutation ($input: CreateProjectInput!) { createProject(input: $input) { project { id } } }',
    { input: { account, name: unique('project') } },
  );
  expectData(await update(server, { id, project: expectData(project).createProject.project.id }));
  expectData(
    await server.ask(
      'mutation ($input: DeleteAccountInput!) { deleteAccount(input: $input) { deletedId } }',
      {
        input: { id: part, transferTo: heir },
      },
    ),
  );
  for (const one of [id, moved]) {
    expect((await sealedOf(one))[4]).toBe(2);
    expect(await shownOf(one)).toContainEqual({ name: 'password', value: password });
  }
});
