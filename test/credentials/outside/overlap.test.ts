import { randomUUID } from 'node:crypto';
import { enrolAndConfirm, holdClock } from '../../support/authenticator.js';
import { expectData, makeAccount, makeCaller } from '../../support/make.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { checkStore, makeStore, readStore } from '../../stores/stores.js';
import { run } from '../../support/verbs.js';
import { startNcloud, type Ncloud } from '../../upstreams/ncloud.js';
import { issue } from '../temporary.js';
import { create, faultPaths, read, reveal, revoke, rotate, update } from '../verbs.js';

let server: TestServer;
let ncloud: Ncloud;
let account: string;
let store: string;
let scope: string;
let made: { id: string; accessKey: string; secret: string };

beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
});
afterAll(() => server.stop());
beforeEach(async () => {
  ncloud = await startNcloud();
  account = await makeAccount(server);
  const { accessKey, secretKey } = ncloud.manager;
  store = await makeStore(server, account, {
    ncloud: { stsEndpoint: ncloud.url, subAccountEndpoint: ncloud.url, accessKey, secretKey },
  });
  scope = ncloud.addSubAccount('builds').subAccountId;
  const answer = await create(server, { store, account, name: 'builds', scope, secret: { accessKey: {} } });
  const { credential, issued } = expectData(answer).createCredential;
  made = { id: credential.id, ...issued };
});
afterEach(() => ncloud.stop());

const sts = { path: /\/credentials$/ };
const identity = { path: /\/caller-identity$/ };
const denied = {
  kind: 'fail',
  status: 401,
  body: { error: { errorCode: '210', message: 'Permission Denied' } },
} as const;
const keysThere = () => [...(ncloud.subAccounts.get(scope)?.keys.values() ?? [])];
const asked = (match: { method: string; path: RegExp }) =>
  ncloud.calls.filter(({ method, path }) => method === match.method && match.path.test(path)).length;
const issuings = () => asked({ method: 'POST', path: sts.path });

describe('a new key that cannot be tried', () => {
  test('is taken back where the store refuses to say, so that none is left that nobody has', async () => {
    ncloud.meet({ kind: 'fail', status: 404 }, sts);
    ncloud.meet({ kind: 'fail', status: 400 }, identity);
    expect((await rotate(server, { id: made.id })).code).toBe('STORE_REJECTED');
    expect(keysThere().map(({ accessKey }) => accessKey)).toEqual([made.accessKey]);
    ncloud.clear();
    expectData(await rotate(server, { id: made.id }));
  });

  test('is replaced once the store can be asked again, where not even that was possible', async () => {
    ncloud.meet({ kind: 'fail', status: 429, headers: { 'retry-after': '1' } }, { ...sts, method: 'GET' });
    const { issued } = expectData(
      await rotate(server, { id: made.id, gracePeriod: 'PT1H' }),
    ).rotateCredential;
    expect(
      keysThere()
        .map(({ accessKey }) => accessKey)
        .sort(),
    ).toEqual([made.accessKey, issued.accessKey].sort());
    expect(ncloud.accepts(issued.accessKey, issued.secret)).toBe(true);
  });

  test('is good where it may do nothing at STS: whoever is refused that was known', async () => {
    ncloud.meet(denied, sts, 9);
    ncloud.meet(denied, identity, 9);
    const { issued } = expectData(await rotate(server, { id: made.id })).rotateCredential;
    expect(ncloud.accepts(issued.accessKey, issued.secret)).toBe(true);
  });
});

test('goes by the id of its new key from then on, without a sync', async () => {
  const idThere = async () => {
    const text = 'query ($id: ID!) { credential(id: $id) { externalId } }';
    return expectData(await server.ask(text, { id: made.id })).credential.externalId;
  };
  expect(await idThere()).toBe(made.accessKey);
  const { issued } = expectData(await rotate(server, { id: made.id })).rotateCredential;
  expect(await idThere()).toBe(issued.accessKey);
});

test('S23: what is disabled stays so over a rotation, and works once it is let in again', async () => {
  expectData(await update(server, { id: made.id, enabled: false }));
  const { issued } = expectData(await rotate(server, { id: made.id })).rotateCredential;
  expect(await read(server, made.id)).toMatchObject({ status: 'DISABLED', accessKey: issued.accessKey });
  expect(ncloud.accepts(issued.accessKey, issued.secret)).toBe(false);
  expectData(await update(server, { id: made.id, enabled: true }));
  expect(ncloud.accepts(issued.accessKey, issued.secret)).toBe(true);
});

test('R10: what is permanent is revealed without asking the store, which would not show it', async () => {
  ncloud.meet({ kind: 'refuse' }, {}, 9);
  const before = ncloud.calls.length;
  expect(expectData(await reveal(server, { id: made.id })).revealCredential.issued).toMatchObject({
    accessKey: made.accessKey,
    secret: made.secret,
  });
  expect(ncloud.calls.length).toBe(before);
});

test('what the store does is its last answer: its health is as of then', async () => {
  ncloud.meet({ kind: 'refuse' }, {}, 9);
  const before = expectData(await checkStore(server, { id: store })).checkStore.store.health;
  expect(before).toMatchObject({ reachable: false, problem: 'UNAVAILABLE' });
  ncloud.clear();
  const writes = [
    async () => rotate(server, { id: made.id }),
    async () => update(server, { id: made.id, enabled: false }),
    async () => revoke(server, { id: made.id }),
  ];
  let last = before.checkedAt;
  for (const write of writes) {
    expectData(await write());
    const health = (await readStore(server, store)).health;
    expect(health).toMatchObject({ reachable: true, problem: null });
    expect(Date.parse(health.checkedAt)).toBeGreaterThan(Date.parse(last));
    last = health.checkedAt;
  }
});

describe('a temporary key', () => {
  test('R1: is made once for a key, and repeated without asking the store', async () => {
    const input = { parent: made.id, idempotencyKey: randomUUID() };
    const first = expectData(await issue(server, input));
    ncloud.meet({ kind: 'refuse' }, {}, 9);
    expect(expectData(await issue(server, input))).toEqual(first);
    expect((await issue(server, { ...input, duration: 'PT2H' })).code).toBe('CONFLICT');
    expect(issuings()).toBe(1);
  });

  test('R1: is made once by ten requests at once', async () => {
    const input = { parent: made.id, idempotencyKey: randomUUID() };
    const answers = await Promise.all(Array.from({ length: 10 }, () => issue(server, input)));
    const [first, ...others] = answers.map((answer) => expectData(answer));
    for (const other of others) expect(other).toEqual(first);
    expect(issuings()).toBe(1);
  });

  test('R1: whose making failed can be asked for again under its key', async () => {
    const input = { parent: made.id, idempotencyKey: randomUUID() };
    ncloud.meet({ kind: 'fail', status: 500 }, sts);
    expect((await issue(server, input)).code).toBe('UNAVAILABLE');
    expectData(await issue(server, input));
  });

  test('is always kept: not to keep it is BAD_USER_INPUT, before anything is sent', async () => {
    const answer = await issue(server, { parent: made.id, retrievable: false });
    expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', ['input.retrievable']]);
    expect(issuings()).toBe(0);
    expectData(await issue(server, { parent: made.id, retrievable: true }));
  });

  test('S38: is asked of the store by nobody who could make no key in its scope, nor get this one', async () => {
    const caller = await makeCaller(server, ['CREDENTIAL_CREATE'], { onAccount: account });
    const derive = () => issue(server, { parent: made.id }, caller);
    expect((await derive()).code).toBe('FORBIDDEN');
    expect(issuings()).toBe(0);
    expectData(await run(server, 'grantScope', { store, account: caller.id, scope }));
    expectData(await derive());
  });

  test('S28: is not asked of the store before the second factor was accepted', async () => {
    const clock = holdClock(server);
    const permissions = ['CREDENTIAL_CREATE', 'CREDENTIAL_REVEAL'];
    const who = await makeCaller(server, permissions, { onAccount: account }, { mfaRequired: true });
    const app = await enrolAndConfirm(server, who.token);
    clock.move(10);
    const as = (mfaCode: string) => issue(server, { parent: made.id, mfaCode }, { token: who.token });
    expect((await as('x')).code).toBe('FORBIDDEN');
    expect(issuings()).toBe(0);
    expectData(await as(app.code()));
    expect(issuings()).toBe(1);
  });
});
