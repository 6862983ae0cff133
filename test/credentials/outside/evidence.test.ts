/**
 * @slow 30 s
 */
import { parseId } from '../../../src/ids.js';
import { setTimeout as sleep } from 'node:timers/promises';
import { expectData, makeAccount, unique } from '../../support/make.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { run } from '../../support/verbs.js';
import { makeStore } from '../../stores/stores.js';
import { startApinizer } from '../../upstreams/apinizer.js';
import { startNcloud, type Ncloud } from '../../upstreams/ncloud.js';
import { startVeracode } from '../../upstreams/veracode.js';
import { rowOf } from '../due/due.js';
import { issue } from '../temporary.js';
import { create, read, reveal, revoke, rotate, update } from '../verbs.js';

// What a store says last is no evidence of what it did before: only what is seen there is.

let server: TestServer;
let account: string;
let at: Ncloud;
let store: string;
let scope: string;
const ending: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  account = await makeAccount(server);
});
afterAll(() => server.stop());
beforeEach(async () => {
  at = await startNcloud();
  ending.push(at);
  const { accessKey, secretKey } = at.manager;
  store = await makeStore(server, account, {
    ncloud: { stsEndpoint: at.url, subAccountEndpoint: at.url, accessKey, secretKey },
  });
  scope = at.addSubAccount(unique('builds')).subAccountId;
});
afterEach(async () => {
  for (const one of ending.splice(0)) await one.stop();
});

const denied = {
  kind: 'fail',
  status: 401,
  body: { error: { errorCode: '210', message: 'Permission Denied' } },
} as const;
const lost = { kind: 'drop' } as const;
const keys = { path: /\/access-keys$/ };
const pair = (name: string) => ({ store, account, name, scope, secret: { accessKey: {} } });
const made = async () => {
  const { credential, issued } = expectData(await create(server, pair(unique('builds')))).createCredential;
  return { id: credential.id, ...issued } as { id: string; accessKey: string; secret: string };
};
const keysThere = () => [...(at.subAccounts.get(scope)?.keys.keys() ?? [])];
const statusOf = async (id: string) => (await read(server, id)).status;
const until = async (holds: () => boolean | Promise<boolean>) => {
  for (const end = performance.now() + 30_000; !(await holds()); await sleep(50))
    if (performance.now() > end) throw new Error('it did not come to that');
};
/** Lets the next call of this kind be lost, and refuses so many looks at what came of it. */
const losing = (method: string, refusals: number) => {
  at.meet(lost, { method, ...keys });
  at.meet(denied, { method: 'GET', ...keys }, refusals);
};

describe('R11: a lost answer that a refusal follows', () => {
  test('leaves a rotation under way until the store can be looked at, and no key is left over', async () => {
    const { id, accessKey, secret } = await made();
    // What is there before is asked for first.
    const held = at.hold('after', { method: 'POST', ...keys });
    at.meet(lost, { method: 'POST', ...keys });
    const rotating = rotate(server, { id });
    const standing = await held;
    at.meet(denied, { method: 'GET', ...keys }, 3);
    standing.release();
    await rotating;
    await until(async () => (await read(server, id)).rotation.state === 'FINISHED');
    await until(async () => (await statusOf(id)) === 'ACTIVE');
    const { issued } = expectData(await reveal(server, { id })).revealCredential;
    expect(keysThere()).toEqual([issued.accessKey]);
    expect(at.accepts(issued.accessKey, issued.secret)).toBe(true);
    expect(at.accepts(accessKey, secret)).toBe(false);
  });

  test('leaves a creation under way likewise', async () => {
    const held = at.hold('after', { method: 'POST', ...keys });
    losing('POST', 0);
    const name = unique('builds');
    const creating = create(server, pair(name));
    const standing = await held;
    at.meet(denied, { method: 'GET', ...keys }, 3);
    standing.release();
    await creating;
    const found = async () => {
      const text = `query ($search: String) { credentials(filter: { search: $search }) { nodes { id status accessKey } } }`;
      return expectData(await server.ask(text, { search: name })).credentials.nodes[0];
    };
    await until(async () => (await found())?.status === 'ACTIVE');
    expect(keysThere()).toEqual([(await found()).accessKey]);
  });
});

describe('R7: a revocation that its store refuses', () => {
  const changesOf = async (id: string) => {
    const text = `query ($id: ID!) { credential(id: $id) { storeChanges { kind attempts failure } } }`;
    return expectData(await server.ask(text, { id })).credential.storeChanges;
  };
  const codesOf = (id: string) =>
    server.rows<{ action: string; code: string | null }>(
      `SELECT action, code FROM audit_events WHERE target_id = CAST(:id AS uuid)
       AND action IN ('credential:revoke', 'credential:rotate') ORDER BY id`,
      { id: rowOf(id) },
    );

  test('goes on until the store does it, and says why it waits', async () => {
    const { id, accessKey, secret } = await made();
    at.meet(denied, { method: 'PUT' }, 99);
    const answer = await revoke(server, { id, reason: 'leaked' });
    expect(answer.code).toBe('STORE_REJECTED');
    expect(answer.errors[0]?.message).toContain('Keyway asks the store again until it has ended it');
    expect(await statusOf(id)).toBe('REVOKING');
    const [change] = await changesOf(id);
    expect(change).toMatchObject({ kind: 'REVOKE', failure: expect.stringMatching(/^STORE_REJECTED: /) });
    for (const asked of [reveal, rotate]) expect((await asked(server, { id })).code).toBe('CONFLICT');
    expect((await issue(server, { parent: id })).code).toBe('CONFLICT');
    expect((await update(server, { id, category: 'nightly' })).code).toBe('CONFLICT');
    expect(at.accepts(accessKey, secret)).toBe(true);
    await until(async () => (await changesOf(id))[0].attempts > 1);
    at.clear();
    await until(async () => (await statusOf(id)) === 'REVOKED');
    expect([keysThere(), await changesOf(id)]).toEqual([[], []]);
    expect((await read(server, id)).revokedAt).not.toBeNull();
    // Told once, however often it was refused.
    expect(await codesOf(id)).toEqual([
      { action: 'credential:revoke', code: 'STORE_REJECTED' },
      { action: 'credential:revoke', code: null },
    ]);
  });

  test('after its answer was lost goes on as well', async () => {
    const { id } = await made();
    const held = at.hold('after', { method: 'PUT' });
    at.meet(lost, { method: 'PUT' });
    const revoking = revoke(server, { id });
    const standing = await held;
    at.meet(denied, { method: 'PUT' }, 3);
    standing.release();
    await revoking;
    await until(async () => (await statusOf(id)) === 'REVOKED');
    expect(keysThere()).toEqual([]);
  });

  test('is done where the store is seen without the key, whoever took it away', async () => {
    const { id, accessKey } = await made();
    at.meet(denied, { method: 'PUT' }, 99);
    expect((await revoke(server, { id })).code).toBe('STORE_REJECTED');
    at.subAccounts.get(scope)?.keys.delete(accessKey);
    await until(async () => (await statusOf(id)) === 'REVOKED');
  });

  test('ends what the rotation made that it overtook', async () => {
    const { id } = await made();
    const held = at.hold('after', { method: 'POST' });
    const rotating = rotate(server, { id });
    const standing = await held;
    at.meet(denied, { method: 'PUT' }, 2);
    expect((await revoke(server, { id })).code).toBe('STORE_REJECTED');
    standing.release();
    expect((await rotating).code).toBe('CONFLICT');
    await until(async () => (await statusOf(id)) === 'REVOKED');
    expect(keysThere()).toEqual([]);
  });

  test('of a previous key waits as well, where it can be seen', async () => {
    const { id, accessKey, secret } = await made();
    at.meet(denied, { method: 'PUT' }, 99);
    expectData(await rotate(server, { id }));
    await until(async () => (await changesOf(id))[0]?.failure !== null);
    expect(await changesOf(id)).toMatchObject([
      { kind: 'RETIRE', failure: expect.stringMatching(/^STORE_REJECTED: /) },
    ]);
    expect([await statusOf(id), at.accepts(accessKey, secret)]).toEqual(['ROTATING', true]);
    at.clear();
    await until(async () => (await statusOf(id)) === 'ACTIVE');
    expect(at.accepts(accessKey, secret)).toBe(false);
  });
});

describe('R7: a creation that its store refuses to tell of', () => {
  const pending = async (refusals = 999) => {
    const held = at.hold('after', { method: 'POST', ...keys });
    at.meet(lost, { method: 'POST', ...keys });
    const name = unique('builds');
    const creating = create(server, pair(name));
    const standing = await held;
    at.meet(denied, { method: 'GET', ...keys }, refusals);
    standing.release();
    await creating;
    const text = `query ($search: String) { credentials(filter: { search: $search }) { nodes { id status } } }`;
    const [found] = expectData(await server.ask(text, { search: name })).credentials.nodes;
    const { id } = found as { id: string };
    await until(async () => (await triesOf(id)) > 0);
    return id;
  };
  const triesOf = async (id: string) =>
    (
      await server.rows<{ attempts: number }>(
        "SELECT attempts FROM intents WHERE credential_id = :id AND state = 'OPEN'",
        { id: rowOf(id) },
      )
    )[0]?.attempts ?? 0;

  test('is revoked once the store is seen, with the key that it may have made', async () => {
    const id = await pending();
    expect([await statusOf(id), keysThere().length]).toEqual(['PENDING', 1]);
    expect((await revoke(server, { id })).code).toBe('STORE_REJECTED');
    expect([await statusOf(id), keysThere().length]).toEqual(['REVOKING', 1]);
    at.clear();
    await until(async () => (await statusOf(id)) === 'REVOKED');
    expect(keysThere()).toEqual([]);
  });

  test('is revoked without a call to end it where the store is seen without it', async () => {
    const id = await pending();
    at.subAccounts.get(scope)?.keys.clear();
    const calls = at.calls.length;
    expect((await revoke(server, { id })).code).toBe('STORE_REJECTED');
    at.clear();
    await until(async () => (await statusOf(id)) === 'REVOKED');
    expect(at.calls.slice(calls).filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  test('and one that it is just being asked for is not revoked before it has answered: CONFLICT', async () => {
    const held = at.hold('before', { method: 'POST', ...keys });
    const name = unique('builds');
    const creating = create(server, pair(name));
    const standing = await held;
    const text = `query ($search: String) { credentials(filter: { search: $search }) { nodes { id } } }`;
    const [{ id }] = expectData(await server.ask(text, { search: name })).credentials.nodes;
    expect((await revoke(server, { id })).code).toBe('CONFLICT');
    standing.release();
    expect(expectData(await creating).createCredential.credential.status).toBe('ACTIVE');
    expectData(await revoke(server, { id }));
    expect(keysThere()).toEqual([]);
  });
});

test('a second rotation that fails leaves the previous key its time', async () => {
  const { id, accessKey, secret } = await made();
  const { issued } = expectData(await rotate(server, { id, gracePeriod: 'PT1H' })).rotateCredential;
  const before = await read(server, id);
  at.meet(denied, { method: 'POST', ...keys });
  expect((await rotate(server, { id, gracePeriod: 'PT1H' })).code).toBe('STORE_REJECTED');
  const after = await read(server, id);
  expect(after.versions.slice(1)).toEqual(before.versions);
  expect([after.status, after.rotation.state]).toEqual(['ROTATING', 'FAILED']);
  expect([at.accepts(accessKey, secret), at.accepts(issued.accessKey, issued.secret)]).toEqual([true, true]);
  const [leftover] = await server.rows<{ late: boolean }>(
    "SELECT due_at > now() + interval '50 minutes' AS late FROM leftovers WHERE credential_id = :id",
    { id: rowOf(id) },
  );
  expect(leftover).toEqual({ late: true });
  await hasten(id);
  await until(async () => (await statusOf(id)) === 'ACTIVE');
  expect(keysThere()).toEqual([issued.accessKey]);
});

/** Has what is left of a credential be looked after now. */
const hasten = (id: string) =>
  server.rows('UPDATE leftovers SET due_at = now() WHERE credential_id = :id RETURNING id', {
    id: rowOf(id),
  });

describe('R7: a key that the store makes after nobody waits for it any more', () => {
  test('is ended by a look of its own, and no other is', async () => {
    const { id } = await made();
    const held = at.hold('before', { method: 'POST', ...keys });
    const rotating = rotate(server, { id });
    const standing = await held;
    // The call is given up, the store is looked at, and another key made: then the first comes to its end.
    const { issued } = expectData(await rotating).rotateCredential;
    await until(() => keysThere().length === 1);
    standing.release();
    await until(() => keysThere().length === 2);
    expect(expectData(await run(server, 'syncStore', { id: store }))).toBeDefined();
    await hasten(id);
    await until(() => keysThere().length === 1);
    expect(keysThere()).toEqual([issued.accessKey]);
    await until(async () => (await lefts(id)).length === 0 || (await lefts(id))[0]?.attempts === 0);
    await server.rows(
      'UPDATE leftovers SET due_at = now(), until_at = now() WHERE credential_id = :id RETURNING id',
      { id: rowOf(id) },
    );
    await until(async () => (await lefts(id)).length === 0);
    expect([await statusOf(id), keysThere()]).toEqual(['ACTIVE', [issued.accessKey]]);
  });

  const lefts = (id: string) =>
    server.rows<{ attempts: number }>('SELECT attempts FROM leftovers WHERE credential_id = :id', {
      id: rowOf(id),
    });
});

test('what a version before this one left to intents of their own is ended as well', async () => {
  const { id, accessKey } = await made();
  const { issued } = expectData(await rotate(server, { id, gracePeriod: 'PT1H' })).rotateCredential;
  const row = rowOf(id);
  await server.rows(
    `INSERT INTO intents (id, credential_id, store_id, verb, version, rotation_id, details, lease_until, next_at, request_id)
     SELECT id, credential_id, store_id, 'RETIRE', version, rotation_id,
       jsonb_build_object('keys', jsonb_build_array(access_key)), now(), due_at, 'a request' FROM leftovers
     WHERE credential_id = :id RETURNING id`,
    { id: row },
  );
  await server.rows('DELETE FROM leftovers WHERE credential_id = :id RETURNING id', { id: row });
  await server.rows(
    "UPDATE intents SET next_at = now() WHERE credential_id = :id AND state = 'OPEN' RETURNING id",
    {
      id: row,
    },
  );
  await until(async () => (await statusOf(id)) === 'ACTIVE');
  expect(keysThere()).toEqual([issued.accessKey]);
  expect(accessKey).not.toBe(issued.accessKey);
});

test('a role that is deleted while a store takes it in keeps nothing from being settled', async () => {
  const names = ['kept', 'gone'].map(unique);
  const gateway = await startApinizer({ roles: names });
  ending.push(gateway);
  const { url: endpoint, token } = gateway;
  const username = unique('user');
  const user = {
    account,
    store: await makeStore(server, account, { apinizer: { endpoint, token } }),
    name: username,
    scope: 'Orders',
    email: 'somebody@example.com',
    fullName: 'Somebody',
    secret: { password: { username } },
  };
  const { id } = expectData(await create(server, user)).createCredential.credential;
  const roles = await Promise.all(
    names.map(async (name) => {
      const input = { name, permissions: [], store: user.store };
      const text = 'mutation ($input: CreateRoleInput!) { createRole(input: $input) { role { id } } }';
      return expectData(await server.ask(text, { input })).createRole.role.id as string;
    }),
  );
  const held = gateway.hold('after', { method: 'PUT' });
  const updating = update(server, { id, roles });
  const standing = await held;
  expect((await run(server, 'deleteRole', { id: roles[1] })).code).toBe('CONFLICT');
  // An earlier version, which runs beside this one, deletes it all the same.
  await server.rows('DELETE FROM roles WHERE id = :id', { id: parseId(roles[1] ?? '')?.uuid });
  standing.release();
  const { credential } = expectData(await updating).updateCredential;
  expect(credential.roles).toEqual([{ id: roles[0] }]);
  expect(gateway.calls.filter(({ method }) => method === 'PUT')).toHaveLength(1);
});

const sync = (id: string) => run(server, 'syncStore', { id });
const rotateWithGrace = async (id: string) =>
  expectData(await rotate(server, { id, gracePeriod: 'PT720H' })).rotateCredential.issued as {
    accessKey: string;
    secret: string;
  };

test('R7: what the store does not list any more is revoked with the previous key that lives on there', async () => {
  const first = await made();
  const next = await rotateWithGrace(first.id);
  at.subAccounts.get(scope)?.keys.delete(next.accessKey);
  expectData(await sync(store));
  expect(await statusOf(first.id)).toBe('GONE');
  expect(at.accepts(first.accessKey, first.secret)).toBe(true);
  expectData(await revoke(server, { id: first.id }));
  expect(await statusOf(first.id)).toBe('REVOKED');
  expect(at.accepts(first.accessKey, first.secret)).toBe(false);
});

/** A look for what a lost rotation may have made, which is due when it says so. */
const leaveLookAt = async (id: string, before: string[], due: string, until: string) =>
  server.rows(
    `INSERT INTO leftovers (id, credential_id, store_id, before, due_at, until_at)
     SELECT gen_random_uuid(), c.id, c.store_id, CAST(:before AS text[]), ${due}, ${until}
     FROM credentials c WHERE c.id = :id RETURNING id`,
    { id: rowOf(id), before },
  );
const looksLeft = async (id: string) =>
  (await server.rows('SELECT id FROM leftovers WHERE credential_id = :id', { id: rowOf(id) })).length;

test('R7: a look for a late key leaves alone what another store of Keyway made in the same place', async () => {
  const { id } = await made();
  const before = keysThere();
  const { accessKey, secretKey } = at.manager;
  const other = await makeAccount(server);
  const otherStore = await makeStore(server, other, {
    ncloud: { stsEndpoint: at.url, subAccountEndpoint: at.url, accessKey, secretKey },
  });
  const theirs = expectData(
    await create(server, { ...pair(unique('theirs')), store: otherStore, account: other }),
  ).createCredential;
  const late = at.addKey(scope).accessKey;
  await leaveLookAt(id, before, 'now()', "now() + interval '1 second'");
  await until(async () => (await looksLeft(id)) === 0);
  expect(keysThere()).toContain(theirs.issued.accessKey);
  expect(keysThere()).not.toContain(late);
});

test('R7: a look that comes long after the call leaves alone what was made by hand since', async () => {
  const { id } = await made();
  const before = keysThere();
  const byHand = at.addKey(scope).accessKey;
  await leaveLookAt(id, before, 'now()', "now() - interval '1 day'");
  await until(async () => (await looksLeft(id)) === 0);
  expect(keysThere()).toContain(byHand);
  expectData(await sync(store));
  const text = `query { credentials(filter: { store: ["${store}"] }, first: 100) { nodes { accessKey } } }`;
  const { nodes } = expectData(await server.ask(text)).credentials;
  expect(nodes).toContainEqual({ accessKey: byHand });
});

describe('R7: what is tried again long after a lost call leaves alone what was made by hand since', () => {
  /** A place with room for some keys, and one credential there whose rotation was lost yesterday. */
  const lostYesterday = async () => {
    const roomy = await startNcloud({ mostKeys: 9 });
    ending.push(roomy);
    const { accessKey, secretKey } = roomy.manager;
    const input = { stsEndpoint: roomy.url, subAccountEndpoint: roomy.url, accessKey, secretKey };
    const itsStore = await makeStore(server, account, { ncloud: input });
    const { subAccountId } = roomy.addSubAccount(unique('builds'));
    const wanted = { ...pair(unique('builds')), store: itsStore, scope: subAccountId };
    const { id } = expectData(await create(server, wanted)).createCredential.credential;
    const [before] = roomy.subAccounts.get(subAccountId)?.keys.keys() ?? [];
    const held = roomy.hold('after', { method: 'POST', ...keys });
    roomy.meet(lost, { method: 'POST', ...keys });
    const rotating = rotate(server, { id });
    const standing = await held;
    // Nothing of the store is seen until somebody lets it be seen.
    roomy.meet(denied, { method: 'GET', ...keys }, 999);
    standing.release();
    await rotating;
    await server.rows(
      `UPDATE intents SET created_at = now() - interval '1 day', details = details - 'askedMs'
       WHERE credential_id = :id AND state = 'OPEN' RETURNING id`,
      { id: rowOf(id) },
    );
    const made = [...(roomy.subAccounts.get(subAccountId)?.keys.values() ?? [])];
    const [orphan] = made.filter((key) => key.accessKey !== before);
    if (!orphan) throw new Error('the lost call has made a key');
    orphan.createdMs = Date.now() - 86_400_000;
    const ofLostCall = orphan.accessKey;
    const byHand = roomy.addKey(subAccountId).accessKey;
    const there = () => [...(roomy.subAccounts.get(subAccountId)?.keys.keys() ?? [])];
    return { id, roomy, there, ofLostCall, byHand };
  };
  const goOn = async ({ id, roomy }: { id: string; roomy: Ncloud }) => {
    roomy.clear();
    await server.rows(
      `UPDATE intents SET next_at = now() WHERE credential_id = :id AND state = 'OPEN' RETURNING id`,
      { id: rowOf(id) },
    );
  };
  const settled = async (id: string) => {
    await until(async () => {
      const [left] = await server.rows<{ intents: number }>(
        `SELECT CAST(count(*) AS integer) AS intents FROM intents WHERE credential_id = :id AND state = 'OPEN'`,
        { id: rowOf(id) },
      );
      return left?.intents === 0;
    });
    await server.rows('UPDATE leftovers SET due_at = now() WHERE credential_id = :id RETURNING id', {
      id: rowOf(id),
    });
    await until(async () => (await looksLeft(id)) === 0);
  };

  test('a rotation', async () => {
    const { id, roomy, there, ofLostCall, byHand } = await lostYesterday();
    await goOn({ id, roomy });
    await until(async () => (await read(server, id)).rotation.state === 'FINISHED');
    await settled(id);
    const { issued } = expectData(await reveal(server, { id })).revealCredential;
    expect(there()).not.toContain(ofLostCall);
    expect(there().sort()).toEqual([issued.accessKey, byHand].sort());
  });

  test('a revocation that took its place', async () => {
    const { id, roomy, there, ofLostCall, byHand } = await lostYesterday();
    // It is tried in vain once more before.
    const tried = async () =>
      (
        await server.rows(`SELECT id FROM intents WHERE credential_id = :id AND details ? 'askedMs'`, {
          id: rowOf(id),
        })
      ).length > 0;
    await until(tried);
    await revoke(server, { id });
    await goOn({ id, roomy });
    await until(async () => (await statusOf(id)) === 'REVOKED');
    await settled(id);
    expect(there()).not.toContain(ofLostCall);
    expect(there()).toEqual([byHand]);
  });
});

describe('R7: a pair that somebody made by hand in the place of one that was revoked is left alone', () => {
  const ofVeracode = async () => {
    const veracode = await startVeracode();
    ending.push(veracode);
    const { apiId, apiKey } = veracode.admin;
    const connection = { veracode: { endpoint: veracode.url, apiId, apiKey } };
    const itsStore = await makeStore(server, account, connection);
    const { user_id: user } = veracode.addUser();
    const wanted = { ...pair(unique('pair')), store: itsStore, scope: user };
    const { id } = expectData(await create(server, wanted)).createCredential.credential;
    return { id, veracode, user };
  };
  const makeByHand = ({ veracode, user }: Awaited<ReturnType<typeof ofVeracode>>) => {
    const { apiId, apiKey } = veracode.addPair(user);
    return () => veracode.accepts(apiId, apiKey);
  };

  test('by a revocation that is tried again long after', async () => {
    const at = await ofVeracode();
    at.veracode.meet({ kind: 'fail', status: 503, body: {} }, { method: 'DELETE' }, 99);
    await revoke(server, { id: at.id });
    const works = makeByHand(at);
    await server.rows(
      `UPDATE intents SET created_at = now() - interval '1 day', next_at = now() WHERE credential_id = :id
       AND state = 'OPEN' RETURNING id`,
      { id: rowOf(at.id) },
    );
    at.veracode.clear();
    await until(async () => (await statusOf(at.id)) === 'REVOKED');
    expect(works()).toBe(true);
  });

  test('by a look that comes long after', async () => {
    const at = await ofVeracode();
    expectData(await revoke(server, { id: at.id }));
    const works = makeByHand(at);
    await server.rows(
      `INSERT INTO leftovers (id, credential_id, store_id, due_at, until_at)
       SELECT gen_random_uuid(), c.id, c.store_id, now(), now() - interval '1 day' FROM credentials c WHERE c.id = :id
       RETURNING id`,
      { id: rowOf(at.id) },
    );
    await until(async () => (await looksLeft(at.id)) === 0);
    expect(works()).toBe(true);
  });
});

test('R10: a look that a rotation overtakes does not put the secret of before in the place of the new one', async () => {
  const veracode = await startVeracode();
  ending.push(veracode);
  const { apiId, apiKey } = veracode.admin;
  const itsStore = await makeStore(server, account, { veracode: { endpoint: veracode.url, apiId, apiKey } });
  const { user_id: user } = veracode.addUser();
  const input = { ...pair(unique('pair')), store: itsStore, scope: user };
  const { id } = expectData(await create(server, input)).createCredential.credential;
  const held = veracode.hold('after', { method: 'GET' });
  await server.rows(
    `INSERT INTO leftovers (id, credential_id, store_id, due_at, until_at)
     SELECT gen_random_uuid(), c.id, c.store_id, now(), now() FROM credentials c WHERE c.id = :id RETURNING id`,
    { id: rowOf(id) },
  );
  const standing = await held;
  const { issued } = expectData(await rotate(server, { id })).rotateCredential;
  standing.release();
  await until(async () => (await looksLeft(id)) === 0);
  const shown = expectData(await reveal(server, { id })).revealCredential.issued;
  expect(shown).toMatchObject({ accessKey: issued.accessKey, secret: issued.secret });
  expect(await statusOf(id)).toBe('ACTIVE');
});
