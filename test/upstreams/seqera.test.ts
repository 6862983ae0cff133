import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { asking, type Ask, type Got } from './asking.js';
import { faultsOfCalls, seqeraApi } from './openapi.js';
import { notAmong, publishedErrors } from './published-errors.js';
import { membersOf, providers } from './seqera-keys.js';
import { startSeqera, type Seqera, type SeqeraOptions } from './seqera.js';

interface PublishedKeys {
  inProviderEnum: boolean;
  keys: Record<string, { type: string; writeOnly: boolean; enum?: string[] }>;
}
const { providers: published } = JSON.parse(readFileSync('test/vectors/seqera-providers.json', 'utf8')) as {
  providers: Record<string, PublishedKeys>;
};
const api = seqeraApi();
const started: Seqera[] = [];
let at: number;
beforeEach(() => {
  at = Date.UTC(2024, 10, 10, 12);
});

async function start(options: SeqeraOptions = {}): Promise<{ seqera: Seqera; ask: Ask }> {
  const seqera = await startSeqera({ now: () => at, ...options });
  started.push(seqera);
  return { seqera, ask: asking(seqera.url, { authorization: `Bearer ${seqera.token}` }) };
}
afterEach(() => Promise.all(started.splice(0).map((one) => one.stop())));

/** Asks, and holds request and answer to the API file. */
const held =
  (ask: Ask): Ask =>
  async (method, path, body) => {
    const got = await ask(method, path, body);
    expect(api.faultsOfAnswer(method, path, got.status, got.body)).toEqual([]);
    return got;
  };

const keys = { userName: 'ci-bot', password: 'example-only', registry: 'images.example.com' };
const registry = { name: 'ci-images', provider: 'container-reg', keys };
const create = async (ask: Ask, one: object = registry, scope = ''): Promise<string> =>
  (await ask('POST', `/credentials${scope}`, { credentials: one })).body.credentialsId as string;

/** Keys of a provider with every member that may be sent, and the values that never come back. */
function wholeKeys(provider: string) {
  const members = Object.entries(published[provider]?.keys ?? {});
  const valueOf = (name: string, type: string) =>
    type === 'boolean' ? true : name === 'mode' ? 'keys' : `the-${name}`;
  return {
    whole: Object.fromEntries(members.map(([name, { type }]) => [name, valueOf(name, type)])),
    secrets: members.filter(([, { writeOnly }]) => writeOnly).map(([name]) => `"the-${name}"`),
  };
}

describe('the keys', () => {
  test('have the published members, and the providers are those of the published list', () => {
    const listed = Object.keys(published).filter((name) => published[name]?.inProviderEnum);
    expect([...providers].sort()).toEqual(listed.sort());
    for (const provider of providers) {
      const known = Object.entries(published[provider]?.keys ?? {});
      const ours = membersOf(provider, true).map(({ name, writeOnly }) => [name, writeOnly]);
      expect(ours.sort()).toEqual(known.map(([name, { writeOnly }]) => [name, writeOnly]).sort());
    }
  });

  test('hide by themselves what the API file says is write-only', () => {
    const file = parse(readFileSync('test/vectors/openapi/seqera.yaml', 'utf8'));
    const { schemas } = file.components;
    for (const [provider, $ref] of Object.entries<string>(schemas.SecurityKeys.discriminator.mapping)) {
      if (!providers.includes(provider)) continue;
      const members = Object.entries<{ writeOnly?: boolean }>(
        schemas[$ref.split('/').at(-1) ?? ''].properties,
      );
      const hidden = members.filter(([, { writeOnly }]) => writeOnly).map(([name]) => name);
      const ours = membersOf(provider, false).filter(({ writeOnly }) => writeOnly);
      expect(ours.map(({ name }) => name).sort()).toEqual(hidden.sort());
    }
  });
});

describe('the API file', () => {
  // The file leaves these two out of its list of providers, and only there.
  const listed = providers.filter((provider) => !['github_app', 's3'].includes(provider));

  test.each(listed)(
    'holds for requests and answers about %s, which never show a secret',
    async (provider) => {
      const { seqera, ask: bare } = await start();
      const ask = held(bare);
      const { whole, secrets } = wholeKeys(provider);
      const id = await create(ask, { name: 'one', provider, keys: whole }, '?workspaceId=4242');
      const path = `/credentials/${id}?workspaceId=4242`;
      const answers = [
        await ask('GET', '/credentials?workspaceId=4242'),
        await ask('GET', path),
        await ask('PUT', path, { credentials: { id, name: 'two', provider, keys: whole } }),
        await ask('POST', `/credentials/${id}/validate?workspaceId=4242`),
        await ask('GET', path),
        await ask('GET', `/credentials/${id}/keys?workspaceId=4242&pairingId=p`),
        await ask('DELETE', `${path}&checked=true`),
      ];
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 204, 200, 200, 200, 204]);
      const shown = answers.map(({ text }) => text).join();
      expect(secrets.filter((secret) => shown.includes(secret))).toEqual([]);
      expect(shown).toContain(`"discriminator":"${provider}"`);
      expect(faultsOfCalls(api, seqera.calls)).toEqual([]);
    },
  );

  test('holds for who is asking, the service and the tokens', async () => {
    const { seqera, ask } = await start();
    for (const path of ['/user-info', '/service-info', '/tokens'])
      expect((await held(ask)('GET', path)).status).toBe(200);
    const { body } = await held(ask)('POST', '/tokens', { name: 'second' });
    const second = asking(seqera.url, { authorization: `Bearer ${body.accessKey}` });
    expect((await held(second)('GET', '/user-info')).status).toBe(200);
    expect((await held(ask)('POST', '/tokens', { name: 'second' })).status).toBe(409);
    expect((await ask('DELETE', '/tokens/1')).status).toBe(204);
    expect((await held(ask)('GET', '/user-info')).status).toBe(401);
    expect((await second('DELETE', '/tokens/delete-all')).status).toBe(204);
    expect(seqera.tokens.size).toBe(0);
  });

  test('would tell of a secret in an answer, a wrong type in a request and a call that there is not', () => {
    const one = { id: 'x', name: 'x', provider: 'github', keys: { discriminator: 'github', password: 'p' } };
    expect(api.faultsOfAnswer('GET', '/credentials/x', 200, { credentials: one })).not.toEqual([]);
    const sent = { credentials: { ...registry, keys: { ...keys, registry: 1 } } };
    expect(api.faultsOfRequest('POST', '/credentials', sent)).not.toEqual([]);
    const dated = { credentials: { ...registry, dateCreated: '2024-11-10T12:20:18Z' } };
    expect(api.faultsOfRequest('POST', '/credentials', dated)).not.toEqual([]);
    expect(api.faultsOfRequest('POST', '/credentials', { credentials: registry })).toEqual([]);
    expect(api.faultsOfRequest('GET', '/credentials?workspaceId=x')).not.toEqual([]);
    expect(api.faultsOfRequest('GET', '/secrets')).not.toEqual([]);
  });
});

test('answers as the vendor’s page does, in an older server with no member more', async () => {
  const { ask } = await start({ older: true });
  const members = ['id', 'name', 'description', 'provider', 'category'];
  members.push('deleted', 'lastUsed', 'dateCreated', 'lastUpdated');
  const id = await create(ask, registry);
  const [listed, one] = [await ask('GET', '/api/credentials'), await ask('GET', `/api/credentials/${id}`)];
  expect(Object.keys(listed.body.credentials[0] as object)).toEqual(members);
  expect(Object.keys(one.body.credentials as object)).toEqual(members);
  const { cases } = JSON.parse(readFileSync('test/vectors/timestamps.json', 'utf8'));
  const spelt = (text: string) => text.replace(/\d/g, '0');
  const known = cases.filter(({ system }: { system: string }) => system === 'seqera');
  expect(known.map(({ text }: { text: string }) => spelt(text))).toContain(
    spelt(one.body.credentials.dateCreated as string),
  );
  expect(one.body.credentials.dateCreated).toMatch(/^2024-11-10T12:00:00\.000/);
});

test('produces each error that is known of the vendor', async () => {
  const { seqera, ask } = await start({ callsPerSecond: 20 });
  const id = '0a1b2c3d4e5f6g7h8i9j0k';
  const url = 'https://platform.example.com/w1';
  seqera.seed(1, () => ({
    id,
    name: 'used',
    usedBy: [{ id: 'w1', name: 'nightly', type: 'workflow', url }],
  }));
  const answers: Got[] = [
    await ask('POST', '/credentials', {}),
    await asking(seqera.url)('GET', '/credentials'),
    await ask('GET', '/unknown'),
    await ask('GET', '/credentials/unknown'),
    await ask('POST', '/credentials/unknown/validate'),
    await ask('GET', '/credentials/validate?name=used'),
    await ask('DELETE', `/credentials/${id}?checked=true`),
  ];
  expect(answers[0]?.body.message).toMatch(/ - Error ID: [0-9A-Za-z]{22}$/);
  for (let count = 0; count < 20; count++) answers.push(await ask('GET', '/user-info'));
  expect(answers.at(-1)?.status).toBe(429);
  expect(notAmong(publishedErrors('seqera'), answers)).toEqual([]);
  at += 1001;
  expect((await ask('GET', '/user-info')).status).toBe(200);
});

describe('a credential', () => {
  test('is there in its own scope alone', async () => {
    const { seqera, ask } = await start({ workspaces: ['4242', '9007199254740993'] });
    const id = await create(ask, registry, '?workspaceId=9007199254740993');
    const statusOf = async (scope: string) => (await ask('GET', `/credentials/${id}${scope}`)).status;
    expect(await statusOf('?workspaceId=9007199254740993')).toBe(200);
    expect([
      await statusOf(''),
      await statusOf('?workspaceId=4242'),
      await statusOf('?workspaceId=1'),
    ]).toEqual([403, 403, 403]);
    expect(await statusOf('?workspaceId=x')).toBe(400);
    expect((await ask('GET', '/credentials?workspaceId=4242')).body.credentials).toEqual([]);
    expect((await ask('POST', '/credentials', { credentials: registry })).status).toBe(200);
    seqera.workspaces.delete('9007199254740993');
    expect(await statusOf('?workspaceId=9007199254740993')).toBe(403);
  });

  test('has a name that is its own in its scope', async () => {
    const { ask } = await start();
    const check = async (name: string) => (await ask('GET', `/credentials/validate?name=${name}`)).status;
    expect(await check('ci-images')).toBe(204);
    await create(ask);
    const other = await create(ask, { ...registry, name: 'other' });
    expect([await check('ci-images'), await check('ci%20images'), await check('')]).toEqual([409, 400, 400]);
    expect((await ask('POST', '/credentials', { credentials: registry })).status).toBe(409);
    expect((await ask('PUT', `/credentials/${other}`, { credentials: registry })).status).toBe(409);
  });

  test('is replaced as a whole, at once, and keeps its id', async () => {
    const { seqera, ask } = await start();
    const id = await create(ask, { ...registry, description: 'a', category: 'b' });
    expect(seqera.accepts(id, keys)).toBe(true);
    const next = { ...keys, password: 'example-only-2' };
    const put = (one: object) => ask('PUT', `/credentials/${id}`, { credentials: one });
    expect((await put({ id, ...registry, keys: next })).status).toBe(204);
    expect([seqera.accepts(id, keys), seqera.accepts(id, next), seqera.accepts('x', {})]).toEqual([
      false,
      true,
      false,
    ]);
    expect((await ask('GET', `/credentials/${id}`)).body.credentials).toMatchObject({
      id,
      description: null,
    });
    for (const one of [
      { ...registry, keys: undefined },
      { ...registry, id: 'x' },
      { ...registry, provider: 'ssh', keys: { passphrase: 'x' } },
    ])
      expect((await put(one)).status).toBe(400);
    expect(seqera.accepts(id, next)).toBe(true);
  });

  test.each([
    ['an unknown provider', { provider: 'local', keys: { password: 'x' } }],
    ['a member of another provider', { provider: 'github', keys: { accessKey: 'x', secretKey: 'x' } }],
    ['the member that only answers have', { keys: { ...keys, discriminator: 'container-reg' } }],
    ['an unknown member', { owner: 'x' }],
    ['a member that only answers have', { status: 'AVAILABLE' }],
    ['no keys', { keys: {} }],
    ['a member of another type', { keys: { ...keys, password: 1 } }],
    [
      'a role with a key pair',
      { provider: 'aws', keys: { mode: 'role', assumeRoleArn: 'x', accessKey: 'x' } },
    ],
    ['a role without one', { provider: 'aws', keys: { mode: 'role', externalId: 'x' } }],
    ['a name with a space', { name: 'ci images' }],
    ['a long category', { category: 'x'.repeat(21) }],
  ])('is refused with %s', async (_, change) => {
    const { seqera, ask } = await start();
    expect((await ask('POST', '/credentials', { credentials: { ...registry, ...change } })).status).toBe(400);
    expect(seqera.credentials.size).toBe(0);
  });

  test('is tried at its provider, which may say no, or nothing', async () => {
    const { seqera, ask } = await start();
    const id = await create(ask);
    const probe = async (query = '') => (await ask('POST', `/credentials/${id}/validate${query}`)).body;
    const stored = seqera.credentials.get(id);
    if (!stored) throw new Error('It was not stored.');
    expect(await probe()).toEqual({ status: 'AVAILABLE', message: null, transientError: false });
    expect((await ask('POST', `/credentials/${id}/validate?force=true`)).status).toBe(409);
    stored.probe = 'rejects';
    expect(await probe()).toMatchObject({ status: 'INVALID', transientError: false });
    stored.probe = 'cannot be reached';
    expect(await probe()).toMatchObject({ status: 'INVALID', transientError: true });
    expect((await ask('GET', `/credentials/${id}`)).body.credentials).toMatchObject({ status: 'INVALID' });
    expect(await probe('?force=true')).toMatchObject({ status: 'AVAILABLE' });
  });

  test('of a role gets an external id when it is asked for', async () => {
    const { ask } = await start();
    const one = {
      name: 'role',
      provider: 'aws',
      keys: { mode: 'role', assumeRoleArn: 'arn:aws:iam::1:role/x' },
    };
    const id = await create(ask, one, '?useExternalId=true');
    const { body } = await ask('GET', `/credentials/${id}`);
    expect(body.setupSnippet).toContain(body.credentials.keys.externalId);
    expect((await ask('GET', '/credentials?platformId=aws-batch')).body.credentials).toHaveLength(1);
    expect((await ask('GET', '/credentials?platformId=google-batch')).body.credentials).toEqual([]);
  });

  test('shows what the API file hides where the list of providers shows it', async () => {
    const github = { name: 'git', provider: 'github', keys: { username: 'x', token: 'the-token' } };
    for (const showsDisputed of [true, false]) {
      const { ask } = await start({ showsDisputed });
      const { text } = await ask('GET', `/credentials/${await create(ask, github)}`);
      expect(text.includes('the-token')).toBe(showsDisputed);
    }
  });

  test('may be one of ten thousand, and may vanish', async () => {
    const { seqera, ask } = await start();
    const ids = seqera.seed(10_000, (index) => ({ name: `one-${index}`, workspaceId: '4242' }));
    const { body } = await ask('GET', '/credentials?workspaceId=4242');
    expect(body.credentials).toHaveLength(10_000);
    expect([seqera.remove(ids[0] ?? ''), seqera.remove(ids[0] ?? '')]).toEqual([true, false]);
    expect((await ask('GET', `/credentials/${ids[0]}?workspaceId=4242`)).status).toBe(403);
  });
});
