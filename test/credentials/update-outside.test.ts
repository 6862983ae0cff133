import { makeStore } from '../stores/stores.js';
import { enrolAndConfirm } from '../support/authenticator.js';
import { expectData, makeAccount, makeCaller, unique } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { run } from '../support/verbs.js';
import { startApinizer, type Apinizer } from '../upstreams/apinizer.js';
import { startSeqera, type Seqera } from '../upstreams/seqera.js';
import { until } from '../connectors/world.js';

let server: TestServer;
let platform: Seqera;
let gateway: Apinizer;

beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  [platform, gateway] = await Promise.all([startSeqera(), startApinizer()]);
});
afterAll(async () => {
  await Promise.all([platform.stop(), gateway.stop()]);
  await server.stop();
});
beforeEach(() => [platform, gateway].forEach((standIn) => standIn.clear()));

type Input = Record<string, unknown>;

const update = (input: Input) =>
  server.ask(
    `mutation ($input: UpdateCredentialInput!) { updateCredential(input: $input) {
      secretResent credential { description status versions { number state } } } }`,
    { input },
  );

const updated = async (input: Input) => expectData(await update(input)).updateCredential;

const rotate = async (input: Input) =>
  expectData(
    await server.ask(
      `mutation ($input: RotateCredentialInput!) { rotateCredential(input: $input) { credential { id } } }`,
      { input },
    ),
  );

const sync = (id: string) =>
  server.ask('mutation ($id: ID!) { syncStore(input: { id: $id }) { store { id } } }', { id });

const reveal = async (id: string) =>
  expectData(
    await server.ask(
      'mutation ($id: ID!) { revealCredential(input: { id: $id }) { issued { secret keys { name value } } } }',
      { id },
    ),
  ).revealCredential.issued;

async function create(store: string, input: Input) {
  const answer = await server.ask(
    `mutation ($input: CreateCredentialInput!) { createCredential(input: $input) { credential { id externalId } } }`,
    { input: { store, name: unique('made'), ...input } },
  );
  return expectData(answer).createCredential.credential as { id: string; externalId: string };
}

const keysWith = (password: string) => ({
  providerKeys: { containerReg: { userName: 'bot', password, registry: 'images.example.com' } },
});

/** Keys at Seqera, which somebody may change there. */
async function keys() {
  const account = await makeAccount(server);
  const store = await makeStore(server, account, {
    seqera: { endpoint: platform.url, token: platform.token },
  });
  const { id, externalId } = await create(store, { account, secret: keysWith('of-keyway') });
  const there = () => platform.credentials.get(externalId)?.keys['password'];
  const changeThere = async (password: string) => {
    const credentials = {
      id: externalId,
      name: platform.credentials.get(externalId)?.name,
      provider: 'container-reg',
      keys: { userName: 'bot', password, registry: 'images.example.com' },
    };
    const answer = await fetch(`${platform.url}/credentials/${externalId}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${platform.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ credentials }),
    });
    expect(answer.status).toBe(204);
  };
  return { id, store, there, changeThere, kept: () => platform.credentials.get(externalId) };
}

/** A user at Apinizer. */
async function user() {
  const account = await makeAccount(server);
  const { url: endpoint, token } = gateway;
  const store = await makeStore(server, account, { apinizer: { endpoint, token } });
  const username = unique('user');
  const secret = (password: string) => ({ password: { username, password } });
  const person = { email: 'bot@example.com', fullName: 'Bot', scope: 'Orders' };
  const { id } = await create(store, { account, ...person, secret: secret('password-of-keyway') });
  const there = () => gateway.credentials.get(username)?.password;
  const changeThere = (password: string) => {
    const found = gateway.credentials.get(username);
    if (found) found.password = password;
  };
  return { id, store, secret, there, changeThere, found: () => gateway.credentials.get(username) };
}

describe('S43: the server that keys are for', () => {
  const there = 'https://git.example.net/team';
  async function gitKeys() {
    const account = await makeAccount(server);
    const store = await makeStore(server, account, {
      seqera: { endpoint: platform.url, token: platform.token },
    });
    const baseUrl = 'https://git.example.com/team';
    const secret = {
      providerKeys: { gitlab: { username: 'bot', password: 'of-keyway', token: 'of-keyway' } },
    };
    const { id, externalId } = await create(store, { account, secret, baseUrl });
    return { account, id, secret, baseUrl, kept: () => platform.credentials.get(externalId)?.baseUrl };
  }
  const as = async (input: Input, token: string) =>
    (await run(server, 'updateCredential', input, { token })).code;

  test('is named by nobody who may not be shown them, or who does not bring them along', async () => {
    const { account, id, secret, baseUrl, kept } = await gitKeys();
    const changing = ['CREDENTIAL_READ', 'CREDENTIAL_UPDATE'];
    const { token } = await makeCaller(server, changing, { onAccount: account });
    for (const other of [there, null])
      for (const overwriteSecret of [false, true])
        expect(await as({ id, baseUrl: other, overwriteSecret }, token)).toBe('FORBIDDEN');
    expect(kept()).toBe(baseUrl);
    expect(await as({ id, baseUrl, description: 'the same' }, token)).toBeUndefined();
    expect(await as({ id, baseUrl: there, secret }, token)).toBeUndefined();
    expect(kept()).toBe(there);
    const revealer = await makeCaller(server, [...changing, 'CREDENTIAL_REVEAL'], { onAccount: account });
    expect(await as({ id, baseUrl }, revealer.token)).toBeUndefined();
    expect(kept()).toBe(baseUrl);
  });

  test('S28: is named with a code of the second factor, where the account requires one', async () => {
    const { account, id, kept } = await gitKeys();
    const permissions = ['CREDENTIAL_READ', 'CREDENTIAL_UPDATE', 'CREDENTIAL_REVEAL'];
    const caller = await makeCaller(server, permissions, { onAccount: account }, { mfaRequired: true });
    const app = await enrolAndConfirm(server, caller.token);
    expect(await as({ id, baseUrl: there }, caller.token)).toBe('FORBIDDEN');
    expect(await as({ id, baseUrl: there, mfaCode: app.code(1) }, caller.token)).toBeUndefined();
    expect(kept()).toBe(there);
  });
});

describe('a store that dates its changes', () => {
  test('takes change after change from Keyway, also after a rotation there', async () => {
    const { id, there } = await keys();
    expect(await updated({ id, description: 'one' })).toMatchObject({ secretResent: false });
    await updated({ id, description: 'two' });
    await rotate({ id, secret: keysWith('rotated') });
    expect(await updated({ id, description: 'three' })).toMatchObject({
      credential: { description: 'three' },
    });
    expect(there()).toBe('rotated');
  });

  test("is told what it keeps, also where more is changed at once that is Keyway's own", async () => {
    const { id, kept } = await keys();
    await updated({ id, description: 'of both', email: 'bot@example.com' });
    expect(kept()?.description).toBe('of both');
    const calls = platform.calls.length;
    await updated({ id, email: 'other@example.com', fullName: 'Bot' });
    expect(platform.calls).toHaveLength(calls);
  });

  test.each([true, false])(
    'is not given an old secret back that somebody has replaced there (seen by a sync: %s)',
    async (isSynced) => {
      const { id, store, there, changeThere } = await keys();
      await changeThere('newer');
      if (isSynced) await sync(store);
      const { errors } = await update({ id, description: 'changed' });
      expect(errors[0]).toMatchObject({ extensions: { code: 'CONFLICT' } });
      expect(errors[0]?.message).toMatch(/overwriteSecret/);
      expect(there()).toBe('newer');
    },
  );

  test('takes the secret that the caller gives, which Keyway has from then on', async () => {
    const { id, there, changeThere } = await keys();
    await changeThere('newer');
    const { credential } = await updated({ id, description: 'changed', secret: keysWith('newer') });
    expect(credential).toEqual({
      description: 'changed',
      status: 'ACTIVE',
      versions: [
        { number: 2, state: 'CURRENT' },
        { number: 1, state: 'RETIRED' },
      ],
    });
    expect(there()).toBe('newer');
    expect((await reveal(id)).keys).toContainEqual({ name: 'password', value: 'newer' });
    await updated({ id, description: 'again' });
    expect(there()).toBe('newer');
  });

  test("is given Keyway's secret where the caller says so", async () => {
    const { id, there, changeThere } = await keys();
    await changeThere('newer');
    await updated({ id, description: 'changed', overwriteSecret: true });
    expect(there()).toBe('of-keyway');
    await updated({ id, description: 'again' });
  });

  test('a change whose answer is lost is brought to its end once', async () => {
    const { id, there } = await keys();
    platform.meet({ kind: 'drop' }, { method: 'PUT' });
    await update({ id, description: 'changed' });
    const description = async () =>
      expectData(await server.ask('query ($id: ID!) { credential(id: $id) { description } }', { id }))
        .credential.description;
    await until(async () => (await description()) === 'changed');
    expect(there()).toBe('of-keyway');
    expect(platform.calls.filter(({ method }) => method === 'PUT').at(-1)?.status).toBeUndefined();
  });

  test('where the store does not tell what Keyway has just written, the next change is refused', async () => {
    const { id } = await keys();
    const held = platform.hold('after', { method: 'PUT' });
    const asked = update({ id, description: 'one' });
    const standing = await held;
    platform.meet({ kind: 'fail', status: 400 }, { method: 'GET' });
    standing.release();
    expectData(await asked);
    expect((await update({ id, description: 'two' })).errors[0]?.extensions.code).toBe('CONFLICT');
  });
});

describe('a store that does not date its changes', () => {
  test('the answer says that the secret went along unseen, and not where it was given', async () => {
    const { id, secret, there, changeThere } = await user();
    const idempotencyKey = unique('key');
    const input = { id, description: 'one', idempotencyKey };
    expect(await updated(input)).toMatchObject({ secretResent: true });
    expect(await updated(input)).toMatchObject({ secretResent: true });
    changeThere('newer-password');
    const given = { description: 'two', secret: secret('newer-password') };
    expect(await updated({ id, ...given })).toMatchObject({ secretResent: false });
    expect(there()).toBe('newer-password');
    expect((await reveal(id)).secret).toBe('newer-password');
  });

  test('no background job sends a secret that may be an old one by now', async () => {
    const { id, there, changeThere, found } = await user();
    gateway.meet({ kind: 'refuse' }, { method: 'PUT' });
    const asked = update({ id, description: 'changed' });
    await until(() => gateway.calls.some(({ method }) => method === 'PUT'));
    changeThere('newer-password');
    const { errors } = await asked;
    expect(errors[0]?.extensions.code).toMatch(/OUTCOME_UNKNOWN|UNAVAILABLE/);
    await until(async () => {
      const [last] = await server.rows<{ state: string }>(
        'SELECT state FROM intents ORDER BY created_at DESC LIMIT 1',
      );
      return last?.state === 'FAILED';
    });
    expect([there(), found()?.description]).not.toContain('changed');
    expect(there()).toBe('newer-password');
  });

  test('a change that was made, and whose answer was lost, is settled by what the store says', async () => {
    const { id, found } = await user();
    gateway.meet({ kind: 'drop' }, { method: 'PUT' });
    const before = gateway.calls.length;
    await update({ id, description: 'changed' });
    await until(async () => {
      const text = 'query ($id: ID!) { credential(id: $id) { description } }';
      return expectData(await server.ask(text, { id })).credential.description === 'changed';
    });
    expect(found()?.description).toBe('changed');
    expect(gateway.calls.slice(before).filter(({ method }) => method === 'PUT')).toHaveLength(1);
  });
});

test('a secret is refused where none goes along', async () => {
  const { id, secret } = await user();
  const refused = async (input: Input) => (await update({ id, ...input })).errors[0]?.extensions;
  const paths = (path: string) => ({ code: 'BAD_USER_INPUT', fields: [{ path }] });
  expect(await refused({ name: 'renamed', secret: secret('a-good-password') })).toMatchObject(
    paths('input.secret'),
  );
  expect(await refused({ name: 'renamed', overwriteSecret: true })).toMatchObject(
    paths('input.overwriteSecret'),
  );
  const { username } = secret('').password;
  expect(await refused({ description: 'x', secret: { password: { username } } })).toMatchObject(
    paths('input.secret.password.password'),
  );
  const both = { description: 'x', secret: secret('a-good-password'), overwriteSecret: true };
  expect(await refused(both)).toMatchObject(paths('input.overwriteSecret'));
});
