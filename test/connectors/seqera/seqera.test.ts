import 'reflect-metadata';
import type { Connector, Upstream } from '../../../src/connectors/connector.js';
import { seqera } from '../../../src/connectors/seqera/seqera.js';
import { Provider } from '../../../src/credentials/record/provider.js';
import { startSeqera, type Seqera } from '../../upstreams/seqera.js';
import { providers } from '../../upstreams/seqera-keys.js';
import type { StoredSecret } from '../../upstreams/seqera-secret.js';
import * as make from '../make.js';
import { openUpstream } from '../upstream.js';

const connector = seqera as Required<Connector>;
const workspace = '4242';

let store: Seqera;
let upstream: Upstream;

beforeEach(async () => {
  store = await startSeqera({ workspaces: [workspace, '77'] });
  upstream = opened({ workspaces: ['', workspace] });
});
afterEach(() => store.stop());

const opened = (settings: Upstream['settings'] = {}, token = store.token) =>
  openUpstream({ addresses: { endpoint: store.url }, settings, secrets: { token } });
const known = (externalId: string, scope = workspace) =>
  make.known({
    externalId,
    scope,
    kind: 'PROVIDER_KEYS',
    provider: 'CONTAINER_REG',
    revision: store.credentials.get(externalId)?.lastUpdated ?? null,
  });
const registryKeys = { userName: 'ci-bot', password: 'new-password', registry: 'images.example.com' };
const wish = (provider = 'CONTAINER_REG', keys: Record<string, string> = registryKeys) =>
  ({ kind: 'PROVIDER_KEYS', provider, keys: make.keysOf(keys) }) as const;
const wanted = (name: string, scope: string | null = workspace, wished = wish()) =>
  make.wanted({ name, scope, wish: wished, description: 'made here', category: 'container-reg' });
const seeded = (given: Partial<StoredSecret> = {}): string => {
  const [id = ''] = store.seed(1, () => ({ workspaceId: workspace, ...given }));
  return id;
};
const stored = (id: string) => store.credentials.get(id);
const writes = () => store.calls.filter(({ method }) => method !== 'GET');

test('lists workspace by workspace, without keys, and goes on where it broke off', async () => {
  const personal = seeded({ workspaceId: undefined, name: 'mine' });
  const shared = seeded({ name: 'ours', description: 'text', category: 'container-reg', lastUsed: null });
  seeded({ workspaceId: '77' });
  const parts = await make.partsOf(seqera, upstream);
  expect(parts.map(({ entries, next }) => [entries.map(({ externalId }) => externalId), next])).toEqual([
    [[personal], workspace],
    [[shared], null],
  ]);
  expect(await make.listed(seqera, upstream, workspace)).toEqual([
    {
      externalId: shared,
      scope: workspace,
      kind: 'PROVIDER_KEYS',
      name: 'ours',
      description: 'text',
      category: 'container-reg',
      provider: 'CONTAINER_REG',
      ...{ baseUrl: null, invalid: null, trust: null },
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      lastUsedAt: null,
    },
  ]);
  expect(JSON.stringify(parts)).not.toContain('images.example.com');
});

test('begins anew where the workspace to go on from is there no more', async () => {
  seeded();
  expect(await make.listed(seqera, upstream, '77')).toHaveLength(1);
});

test('goes on past a workspace that the store does not show, and tells of it', async () => {
  seeded();
  const three = opened({ workspaces: ['999', workspace, 'no-id'] });
  const parts = await make.partsOf(seqera, three);
  expect(parts.map(({ entries, unread }) => [entries.length, unread])).toEqual([
    [0, ['999']],
    [1, undefined],
    [0, ['no-id']],
  ]);
  const none = opened({ workspaces: ['999', 'no-id'] });
  await expect(make.listed(seqera, none)).rejects.toMatchObject({ code: 'STORE_REJECTED' });
});

test('checks each workspace that it was given', async () => {
  await connector.check(opened({ workspaces: [workspace, '77'] }));
  const other = opened({ workspaces: [workspace, '999'] });
  await expect(connector.check(other)).rejects.toMatchObject({ fault: 'FORBIDDEN' });
});

test('lists the personal space where no workspace is named', async () => {
  seeded();
  const personal = seeded({ workspaceId: undefined });
  expect(await make.listed(seqera, opened())).toMatchObject([{ externalId: personal, scope: '' }]);
});

test('leaves out what is marked as deleted, and the token that a vendor did not mean to hide', async () => {
  const entry = { id: 'a', name: 'a', provider: 'github', deleted: null, keys: { token: 'bare-token' } };
  const body = { credentials: [entry, { ...entry, id: 'b', deleted: true }] };
  store.meet({ kind: 'fail', status: 200, body });
  const entries = await make.listed(seqera, opened());
  expect(entries.map(({ externalId }) => externalId)).toEqual(['a']);
  expect(JSON.stringify(entries)).not.toContain('bare-token');
});

test('knows each provider by both names, and shows one that it has no name for', async () => {
  store.seed(providers.length, (index) => ({ provider: providers[index] }));
  const found = (await make.listed(seqera, opened())).map(({ provider }) => provider);
  expect(found.sort()).toEqual(Object.values(Provider).sort());
  const entry = { id: 'n', name: 'n', provider: 'next-year' };
  store.meet({ kind: 'fail', status: 200, body: { credentials: [entry] } });
  expect(await make.listed(seqera, opened())).toMatchObject([{ kind: 'PROVIDER_KEYS', provider: null }]);
});

test('finds one; what answers FORBIDDEN is gone only where the list says so', async () => {
  const id = seeded();
  expect(await connector.find(upstream, known(id))).toMatchObject({ externalId: id, scope: workspace });
  expect(await connector.find(upstream, known('never-there'))).toBeUndefined();
  store.meet({ kind: 'fail', status: 403, body: '' }, { path: new RegExp(id) });
  await expect(connector.find(upstream, known(id))).rejects.toMatchObject({ fault: 'FORBIDDEN' });
  await expect(connector.find(upstream, known(id, '999'))).rejects.toMatchObject({ fault: 'FORBIDDEN' });
});

test('does not take an answer that it cannot read for one that says gone', async () => {
  const id = seeded();
  store.meet({ kind: 'fail', status: 200, body: {} }, { path: new RegExp(id) });
  await expect(connector.find(upstream, known(id))).rejects.toMatchObject({ fault: 'UPSTREAM_ERROR' });
});

test('creates, and is told what was there already', async () => {
  expect(await connector.present(upstream, { scope: workspace, wish: wish(), name: 'images' })).toEqual([]);
  const { externalId, scope, minted } = await connector.create(upstream, wanted('images'));
  expect(scope).toBe(workspace);
  expect(minted).toMatchObject({ accessKey: null, secret: null, proof: null });
  expect(store.accepts(externalId, registryKeys)).toBe(true);
  expect(stored(externalId)).toMatchObject({
    name: 'images',
    description: 'made here',
    category: 'container-reg',
  });
  const present = await connector.present(upstream, { scope: workspace, wish: wish(), name: 'images' });
  expect(present).toEqual([externalId]);
  await expect(connector.create(upstream, wanted('images'))).rejects.toMatchObject({ fault: 'CONFLICT' });
});

test('creates in the only place there is, and nowhere that listings would not show', async () => {
  const { scope } = await connector.create(opened(), wanted('one', null));
  expect(scope).toBe('');
  const only = opened({ workspaces: workspace });
  await expect(connector.create(only, wanted('two', null))).resolves.toMatchObject({ scope: workspace });
  expect(await connector.present(only, { scope: '', wish: wish(), name: 'two' })).toHaveLength(1);
  const refused = { code: 'BAD_USER_INPUT', fields: [{ path: 'input.scope' }] };
  await expect(connector.create(upstream, wanted('three', null))).rejects.toMatchObject(refused);
  await expect(connector.create(upstream, wanted('three', '77'))).rejects.toMatchObject(refused);
});

test('sends true and false as such, and the older form of a Git host as the one of today', async () => {
  const agent = wish('TW_AGENT', { connectionId: 'c', shared: 'true' });
  const s3 = wish('S3', { accessKey: 'a', secretKey: 's', pathStyleAccessEnabled: 'false' });
  const git = wish('GITHUB', { accessKey: 'octo', secretKey: 'token-of-octo' });
  for (const [index, [wished, keys]] of (
    [
      [agent, { connectionId: 'c', shared: true }],
      [s3, { accessKey: 'a', secretKey: 's', pathStyleAccessEnabled: false }],
      [git, { username: 'octo', password: 'token-of-octo' }],
    ] as const
  ).entries()) {
    const { externalId } = await connector.create(upstream, wanted(`keys-${index}`, workspace, wished));
    expect(store.accepts(externalId, keys)).toBe(true);
  }
});

test('asks for an external id where a role is assumed, and keeps it over a rotation', async () => {
  const role = { mode: 'role', assumeRoleArn: 'arn:aws:iam::123456789012:role/ci' };
  const { externalId: id } = await connector.create(upstream, wanted('role', workspace, wish('AWS', role)));
  const before = stored(id)?.keys['externalId'];
  expect(before).toEqual(expect.any(String));
  const next = { ...role, assumeRoleArn: 'arn:aws:iam::123456789012:role/next' };
  await connector.rotate(upstream, { ...known(id), provider: 'AWS' }, wish('AWS', next), null);
  expect(stored(id)?.keys).toEqual({ ...next, externalId: before });
});

test('is unclear about a creation whose answer was lost or cannot be read; what is present tells', async () => {
  for (const kind of ['drop', 'garbage'] as const) {
    store.meet({ kind }, { method: 'POST' });
    await expect(connector.create(upstream, wanted(kind))).rejects.toMatchObject({ unclear: true });
    expect(await connector.present(upstream, { scope: workspace, wish: wish(), name: kind })).toHaveLength(1);
  }
});

test('updates the whole with the keys that Keyway holds; the rest stays as the store has it', async () => {
  const id = seeded({ baseUrl: 'https://images.example.com' });
  const described = { name: 'renamed', description: null, category: 'grouped' };
  await connector.update(upstream, known(id), described, make.heldKeys(registryKeys));
  expect(stored(id)).toMatchObject({
    name: 'renamed',
    description: null,
    category: 'grouped',
    baseUrl: 'https://images.example.com',
    provider: 'container-reg',
  });
  expect(store.accepts(id, registryKeys)).toBe(true);
});

test('changes what is to change, and sends back what the store says of the rest now', async () => {
  const id = seeded({ name: 'now', description: 'now', category: 'now' });
  await connector.update(upstream, known(id), { description: null }, make.heldKeys(registryKeys));
  expect(stored(id)).toMatchObject({ name: 'now', description: null, category: 'now' });
});

test('answers UNSUPPORTED for an update without the keys, and sends nothing', async () => {
  const id = seeded();
  await expect(connector.update(upstream, known(id), make.described(), null)).rejects.toMatchObject({
    code: 'UNSUPPORTED',
  });
  expect(store.calls).toEqual([]);
});

test('rotates in place, and sends back what the store says of it now', async () => {
  const id = seeded({
    name: 'old name with spaces',
    description: 'theirs',
    category: 'c',
    baseUrl: 'https://h',
  });
  const minted = await connector.rotate(upstream, known(id), wish(), null);
  expect(minted.keys?.map(({ name }) => name)).toEqual(Object.keys(registryKeys));
  expect(store.accepts(id, registryKeys)).toBe(true);
  expect(stored(id)).toMatchObject({
    name: 'old name with spaces',
    description: 'theirs',
    baseUrl: 'https://h',
  });
  await connector.rotate(upstream, known(id), wish(), null);
  expect(store.accepts(id, registryKeys)).toBe(true);
});

test('does not rotate what is gone, or what became keys of another provider', async () => {
  const id = seeded({ provider: 'aws', keys: { accessKey: 'a', secretKey: 's' } });
  const conflict = { fault: 'CONFLICT', unclear: false };
  await expect(connector.rotate(upstream, known(id), wish(), null)).rejects.toMatchObject(conflict);
  const gone = { fault: 'NOT_FOUND', unclear: false };
  await expect(connector.rotate(upstream, known('none'), wish(), null)).rejects.toMatchObject(gone);
  expect(writes()).toEqual([]);
});

test('is clear about a change that broke off before it was asked for, and unclear after', async () => {
  const id = seeded();
  store.meet({ kind: 'fail', status: 502, body: '<html></html>' }, { method: 'GET' });
  const before = { fault: 'UPSTREAM_UNAVAILABLE', unclear: false };
  await expect(connector.rotate(upstream, known(id), wish(), null)).rejects.toMatchObject(before);
  store.meet({ kind: 'drop' }, { method: 'PUT' });
  await expect(connector.rotate(upstream, known(id), wish(), null)).rejects.toMatchObject({ unclear: true });
});

test('does not take a page of somebody on the way for the end of a change', async () => {
  const id = seeded();
  const page = { kind: 'fail', status: 200, body: '<html>log in</html>' } as const;
  store.meet(page, { method: 'PUT' });
  await expect(connector.rotate(upstream, known(id), wish(), null)).rejects.toMatchObject({ unclear: true });
  store.meet(page, { method: 'DELETE' });
  await expect(connector.revoke(upstream, known(id))).rejects.toMatchObject({ unclear: true });
});

test('revokes what is in use as well, and deletes only what is not', async () => {
  const usedBy = [{ id: 'w1', name: 'nightly', type: 'workflow', url: 'https://platform.example.com/w1' }];
  const [one, other] = [seeded({ usedBy }), seeded({ usedBy })];
  await expect(connector.delete(upstream, known(one))).rejects.toMatchObject({
    fault: 'IN_USE',
    code: 'CONFLICT',
  });
  expect(stored(one)).toBeDefined();
  await connector.revoke(upstream, known(other));
  expect(stored(other)).toBeUndefined();
});

test('is content where there is nothing to revoke or delete any more, and not where it is not allowed', async () => {
  await connector.revoke(upstream, known('gone'));
  await connector.delete(upstream, known('gone'));
  const id = seeded();
  store.meet({ kind: 'fail', status: 403, body: { message: 'Forbidden' } }, { method: 'DELETE' });
  await expect(connector.revoke(upstream, known(id))).rejects.toMatchObject({ fault: 'FORBIDDEN' });
});

test('checks whether the token is taken', async () => {
  await connector.check(upstream);
  const other = opened({}, 'another-token');
  await expect(connector.check(other)).rejects.toMatchObject({
    fault: 'UNAUTHENTICATED',
    code: 'STORE_REJECTED',
  });
});

test('says how long the store asked to be left alone', async () => {
  store.meet({ kind: 'fail', status: 429, headers: { 'retry-after': '3' }, body: '' });
  await expect(connector.check(upstream)).rejects.toMatchObject({
    fault: 'RATE_LIMITED',
    retryAfterMs: 3000,
  });
});

test('S10: an error has the id that the vendor gave it, and nothing of its text', async () => {
  const message = `Bad keys new-password - Error ID: ${'1mO5qKOUcacMaFXJsmJzQh'}`;
  store.meet({ kind: 'fail', status: 400, body: { message } }, { method: 'POST' });
  const error: unknown = await connector.create(upstream, wanted('x')).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    fault: 'INVALID_INPUT',
    cause: 'the store answered 400, 1mO5qKOUcacMaFXJsmJzQh',
  });
});

test('S42: an id of an error that is a secret is none', async () => {
  const secret = 'Marked0Secret0Of22Char';
  const message = `Bad keys - Error ID: ${secret}`;
  const keys = wish('CONTAINER_REG', { ...registryKeys, password: secret });
  store.meet({ kind: 'fail', status: 400, body: { message } }, {}, 2);
  for (const attempt of [
    () => connector.create(upstream, wanted('x', workspace, keys)),
    () => connector.check(opened({}, secret)),
  ])
    await expect(attempt()).rejects.toMatchObject({ cause: 'the store answered 400' });
});

test('takes an address that ends with /api, and answers without what is newer', async () => {
  await store.stop();
  store = await startSeqera({ older: true });
  store.seed(1);
  const older = openUpstream({
    addresses: { endpoint: `${store.url}/api/` },
    secrets: { token: store.token },
  });
  expect(await make.listed(seqera, older)).toHaveLength(1);
  expect(store.calls[0]?.path).toBe('/api/credentials');
});
