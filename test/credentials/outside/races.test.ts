import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { unavailable } from '../../../src/errors.js';
import { parseId } from '../../../src/ids.js';
import { expectData, makeAccount, unique } from '../../support/make.js';
import { overhear } from '../../support/overhear.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { run } from '../../support/verbs.js';
import { checkStore, makeStore } from '../../stores/stores.js';
import { startApinizer, type Apinizer } from '../../upstreams/apinizer.js';
import { startVeracode } from '../../upstreams/veracode.js';
import { create, read, remove, reveal, revoke, rotate, update } from '../verbs.js';

let server: TestServer;
let account: string;
beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
});
afterAll(() => server.stop());
beforeEach(async () => {
  account = await makeAccount(server);
});

const { done, end } = stoppingAll();

/** Stand-ins of a test, ended after it. */
function stoppingAll() {
  const all: { stop(): Promise<void> }[] = [];
  return {
    done: async <Thing extends { stop(): Promise<void> }>(starting: Promise<Thing>): Promise<Thing> => {
      const one = await starting;
      all.push(one);
      return one;
    },
    end: () => Promise.all(all.splice(0).map((one) => one.stop())),
  };
}
afterEach(end);

const input = (more: object) => ({ account, ...more });
const statusOf = async (id: string) => (await read(server, id)).status;
const until = async (holds: () => boolean | Promise<boolean>) => {
  for (const end = performance.now() + 30_000; !(await holds()); await sleep(50))
    if (performance.now() > end) throw new Error('it did not come to that');
};

/** Has what settles an outcome meet with a database that fails, so many times. */
function failSettling(times: number): void {
  let left = times;
  // Nothing else locks an intent.
  const heard = overhear(server.db, ({ text }) => {
    if (left === 0 || !/\bFROM intents\b.*\bFOR UPDATE$/.test(text)) return;
    if (--left === 0) heard.stop();
    throw unavailable();
  });
}

async function apinizerWithUser() {
  const at = await done(startApinizer());
  const store = await makeStore(server, account, { apinizer: { endpoint: at.url, token: at.token } });
  const username = unique('user');
  const user = {
    store,
    name: username,
    scope: 'Orders',
    email: 'somebody@example.com',
    fullName: 'Somebody',
    secret: { password: { username } },
  };
  return { at, store, user };
}
const made = async (given: object) => {
  const { credential, issued } = expectData(await create(server, input(given))).createCredential;
  return { id: credential.id as string, ...issued } as { id: string; accessKey: string; secret: string };
};
const usersAt = (at: Apinizer) => [...at.credentials.keys()];

describe('R9: a database that fails when an outcome is to be settled', () => {
  test('loses no secret: what the store has done is settled when it can be', async () => {
    const { user } = await apinizerWithUser();
    const { id } = await made(user);
    failSettling(2);
    const { issued } = expectData(await rotate(server, { id })).rotateCredential;
    expect(await statusOf(id)).toBe('ACTIVE');
    expect(expectData(await reveal(server, { id })).revealCredential.issued.secret).toBe(issued.secret);
  });

  test('nor one that the store shows once', async () => {
    const at = await done(startVeracode());
    const { apiId, apiKey } = at.admin;
    const store = await makeStore(server, account, { veracode: { endpoint: at.url, apiId, apiKey } });
    const scope = at.addUser().user_id;
    const { id } = await made({ store, name: 'pair', scope, secret: { accessKey: {} } });
    failSettling(2);
    const { issued } = expectData(await rotate(server, { id })).rotateCredential;
    expect(at.accepts(issued.accessKey, issued.secret)).toBe(true);
  });
});

test('both ways into a store are turned at once, and both are kept', async () => {
  const at = await done(startVeracode());
  const second = at.addPair(
    at.addUser({ roles: [{ role_name: 'adminapi' }], permissions: [{ permission_name: 'apiUser' }] }).user_id,
  );
  const { apiId, apiKey } = at.admin;
  const store = await makeStore(server, account, {
    veracode: { endpoint: at.url, apiId, apiKey, fallbackApiId: second.apiId, fallbackApiKey: second.apiKey },
  });
  expectData(await run(server, 'syncStore', { id: store }));
  const listed = await server.ask(
    'query ($store: [ID!]) { credentials(filter: { store: $store }) { nodes { id reachesStore } } }',
    { store: [store] },
  );
  const own = expectData(listed).credentials.nodes.filter(
    ({ reachesStore }: { reachesStore: boolean }) => reachesStore,
  );
  expect(own).toHaveLength(2);
  const answers = await Promise.all(own.map(({ id }: { id: string }) => rotate(server, { id })));
  for (const answer of answers) expectData(answer);
  expect(expectData(await checkStore(server, { id: store })).checkStore.store.health).toMatchObject({
    reachable: true,
    problem: null,
  });
});

describe('a credential of which nobody knows whether it was made', () => {
  test('in Apinizer goes by its user name, and is ended there', async () => {
    const { at, user } = await apinizerWithUser();
    at.meet({ kind: 'drop' }, { method: 'POST' });
    // Looked for when the store is asked again, its token has ended by then.
    const held = at.hold('after', { method: 'POST' });
    const making = create(server, input(user));
    const standing = await held;
    at.meet({ kind: 'fail', status: 401 }, { method: 'GET' }, 9);
    standing.release();
    expect((await making).code).toBe('OUTCOME_UNKNOWN');
    const id = await idOf(user.name);
    await until(async () => (await statusOf(id)) === 'UNKNOWN');
    at.clear();
    expect(usersAt(at)).toContain(user.name);
    expectData(await revoke(server, { id }));
    expect(usersAt(at)).not.toContain(user.name);
  });

  test('in Veracode takes the place of the one that ended there before', async () => {
    const at = await done(startVeracode());
    const { apiId, apiKey } = at.admin;
    const store = await makeStore(server, account, { veracode: { endpoint: at.url, apiId, apiKey } });
    const scope = at.addUser().user_id;
    const pair = { store, name: 'pair', scope, secret: { accessKey: {} } };
    const first = await made(pair);
    expectData(await revoke(server, { id: first.id }));
    at.meet({ kind: 'drop' }, { method: 'POST' });
    expect((await create(server, input({ ...pair, name: 'again' }))).code).toBe('OUTCOME_UNKNOWN');
    const id = await idOf('again');
    expect(await statusOf(id)).toBe('UNKNOWN');
    expectData(await rotate(server, { id }));
    expect(await statusOf(id)).toBe('ACTIVE');
  });

  test('in Veracode is made again at once, also where the clock there is ahead', async () => {
    const at = await done(startVeracode({ clockMs: () => Date.now() + 30_000 }));
    const { apiId, apiKey } = at.admin;
    const store = await makeStore(server, account, { veracode: { endpoint: at.url, apiId, apiKey } });
    const pair = { store, name: 'pair', scope: at.addUser().user_id, secret: { accessKey: {} } };
    const first = await made(pair);
    expect((await create(server, input(pair))).code).toBe('CONFLICT');
    expectData(await revoke(server, { id: first.id }));
    await made(pair);
  });

  const idOf = async (search: string): Promise<string> =>
    expectData(
      await server.ask(
        'query ($search: String) { credentials(filter: { search: $search }) { nodes { id } } }',
        {
          search,
        },
      ),
    ).credentials.nodes[0].id;
});

test('an account is not deleted while something is being made for it in a store', async () => {
  const { at, user } = await apinizerWithUser();
  const owning = await makeAccount(server, { parent: account });
  const held = at.hold('before', { method: 'POST' });
  const making = create(server, { ...user, account: owning });
  const standing = await held;
  const answer = await run(server, 'deleteAccount', { id: owning, revokeCredentials: true });
  standing.release();
  expect(answer.code).toBe('CONFLICT');
  expect(expectData(await making).createCredential.credential.status).toBe('ACTIVE');
});

test('R7: what a rotation may still make is not swept away where another has its name by then', async () => {
  const { at, user } = await apinizerWithUser();
  const { id } = await made(user);
  const held = at.hold('before', { method: 'PATCH' });
  const rotating = rotate(server, { id });
  const standing = await held;
  expectData(await remove(server, { id }));
  standing.release();
  await rotating;
  const next = await made(user);
  const of = { id: parseId(id)?.uuid };
  await server.rows('UPDATE leftovers SET due_at = now(), until_at = now() WHERE credential_id = :id', of);
  await until(
    async () => (await server.rows('SELECT id FROM leftovers WHERE credential_id = :id', of)).length === 0,
  );
  expect(usersAt(at)).toContain(user.name);
  expect(await statusOf(next.id)).toBe('ACTIVE');
});

test('R10: while another rotation follows one of which nobody knows, all that may work is revealed', async () => {
  const { at, user } = await apinizerWithUser();
  const { id } = await made(user);
  at.meet({ kind: 'drop' }, { method: 'PATCH' });
  at.meet({ kind: 'fail', status: 401 }, { method: 'PATCH' });
  expect((await rotate(server, { id })).code).toBe('OUTCOME_UNKNOWN');
  await until(async () => (await statusOf(id)) === 'UNKNOWN');
  const held = at.hold('before', { method: 'PATCH' });
  const rotating = rotate(server, { id });
  const standing = await held;
  const answer = await server.ask(
    'mutation ($id: ID!) { revealCredential(input: { id: $id }) { issued { secret } others { secret } } }',
    { id },
  );
  const { issued, others } = expectData(answer).revealCredential;
  const secrets = [issued, ...others].map(({ secret }: { secret: string }) => secret);
  expect(secrets).toHaveLength(3);
  expect(secrets.filter((secret) => at.accepts(user.name, secret))).toHaveLength(1);
  standing.release();
  expectData(await rotating);
});

describe('R1: under one idempotency key', () => {
  test('fifty at once make one credential', async () => {
    const { at, user } = await apinizerWithUser();
    const given = input({ ...user, idempotencyKey: randomUUID() });
    const answers = await Promise.all(Array.from({ length: 50 }, () => create(server, given)));
    const ids = answers.map((answer) => expectData(answer).createCredential.credential.id);
    expect(new Set(ids).size).toBe(1);
    expect(at.calls.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  test('what was done is told again while the store is down', async () => {
    const { at, user } = await apinizerWithUser();
    const given = input({ ...user, idempotencyKey: randomUUID() });
    const first = expectData(await create(server, given));
    at.meet({ kind: 'refuse' }, {}, 9);
    expect(expectData(await create(server, given))).toEqual(first);
  });

  test('what could not be done just then is done when it is asked for again', async () => {
    const { at, user } = await apinizerWithUser();
    const { id } = await made(user);
    const given = { id, idempotencyKey: randomUUID() };
    at.meet({ kind: 'fail', status: 429 }, { method: 'PATCH' });
    expect((await rotate(server, given)).code).toBe('RATE_LIMITED');
    expectData(await rotate(server, given));
  });
});

test('R5: of two changes with one expected revision, one in the store and one here, one is made', async () => {
  const { at, user } = await apinizerWithUser();
  const { id } = await made(user);
  const { revision: expectedRevision } = await read(server, id);
  const held = at.hold('before', { method: 'PUT' });
  const first = update(server, { id, fullName: 'Another', expectedRevision });
  const standing = await held;
  expect((await update(server, { id, category: 'nightly', expectedRevision })).code).toBe('CONFLICT');
  standing.release();
  expectData(await first);
});

test('the first pair of a user says when it ends, without a sync', async () => {
  const at = await done(startVeracode());
  const { apiId, apiKey } = at.admin;
  const store = await makeStore(server, account, { veracode: { endpoint: at.url, apiId, apiKey } });
  const scope = at.addUser().user_id;
  const { id } = await made({ store, name: 'pair', scope, secret: { accessKey: {} } });
  expect((await read(server, id)).expiresAt).toEqual(expect.any(String));
});

describe('a listing that is older than a write', () => {
  const veracodeWithUser = async () => {
    const at = await done(startVeracode());
    const { apiId, apiKey } = at.admin;
    const store = await makeStore(server, account, { veracode: { endpoint: at.url, apiId, apiKey } });
    return { at, store, scope: at.addUser().user_id };
  };
  const sync = (id: string) => run(server, 'syncStore', { id });

  test('does not take the place of what was written since', async () => {
    const { at, store, scope } = await veracodeWithUser();
    const { id } = await made({ store, name: 'pair', scope, secret: { accessKey: {} } });
    const held = at.hold('after', { method: 'GET', path: new RegExp(`user_id/${scope}`) });
    const syncing = sync(store);
    const standing = await held;
    const { issued } = expectData(await rotate(server, { id })).rotateCredential;
    standing.release();
    expectData(await syncing);
    expect(expectData(await reveal(server, { id })).revealCredential.issued).toMatchObject({
      accessKey: issued.accessKey,
      secret: issued.secret,
    });
    expectData(await sync(store));
    expect(await read(server, id)).toMatchObject({ status: 'ACTIVE', accessKey: issued.accessKey });
  });

  test('brings nothing back that was deleted since', async () => {
    const { at, user, store } = await apinizerWithUser();
    const { id } = await made(user);
    const held = at.hold('after', { method: 'GET', path: /Orders/ });
    const syncing = sync(store);
    const standing = await held;
    expectData(await remove(server, { id }));
    standing.release();
    expectData(await syncing);
    const { nodes } = expectData(
      await server.ask(
        'query ($store: [ID!], $search: String) { credentials(filter: { store: $store, search: $search }) { nodes { id status } } }',
        { store: [store], search: user.name },
      ),
    ).credentials;
    expect(nodes.filter(({ status }: { status: string }) => status !== 'DELETED')).toEqual([]);
  });
});

describe('what somebody else does in the store', () => {
  const sync = async (id: string) => expectData(await run(server, 'syncStore', { id }));

  test('is seen, also where it undoes what was done by Keyway', async () => {
    const { at, user, store } = await apinizerWithUser();
    const { id } = await made(user);
    await sync(store);
    expectData(await update(server, { id, enabled: false }));
    const there = at.credentials.get(user.name);
    if (!there) throw new Error('the user is not there');
    there.enabled = true;
    await sync(store);
    expect(await statusOf(id)).toBe('ACTIVE');
  });

  test('makes another credential, where it makes what Keyway has ended', async () => {
    const { at, user, store } = await apinizerWithUser();
    const { id } = await made(user);
    expectData(await revoke(server, { id }));
    at.seed(1, () => ({ username: user.name, project: 'Orders' }));
    await sync(store);
    const listed = await server.ask(
      'query ($store: [ID!]) { credentials(filter: { store: $store, status: [ACTIVE] }) { nodes { id name reachesStore } } }',
      { store: [store] },
    );
    const living = expectData(listed).credentials.nodes.find(
      ({ name }: { name: string }) => name === user.name,
    );
    expect(living?.id).not.toBe(id);
    expectData(await revoke(server, { id: living?.id }));
    expect(usersAt(at)).not.toContain(user.name);
  });

  test('tells that what may have been made was not', async () => {
    const { at, user, store } = await apinizerWithUser();
    const { id } = await made(user);
    await server.rows(
      "UPDATE credentials SET standing = 'UNKNOWN', external_id = NULL, observed_at = NULL WHERE id = CAST(:id AS uuid)",
      { id: parseId(id)?.uuid },
    );
    expect((await revoke(server, { id })).code).toBe('CONFLICT');
    await sync(store);
    expect(await read(server, id)).toMatchObject({ status: 'UNKNOWN' });
    expectData(await rotate(server, { id }));
    expect(usersAt(at)).toContain(user.name);
    expectData(await revoke(server, { id }));
    expect(usersAt(at)).not.toContain(user.name);
  });
});
