import type { Connector, StoreRequest, Upstream } from '../../../src/connectors/connector.js';
import { apinizer } from '../../../src/connectors/apinizer/apinizer.js';
import { Secret } from '../../../src/secret.js';
import {
  startApinizer,
  type Apinizer,
  type ApinizerOptions,
  type StoredUser,
} from '../../upstreams/apinizer.js';
import * as make from '../make.js';
import { openUpstream } from '../upstream.js';

const connector = apinizer as Required<Connector>;

let store: Apinizer;
let upstream: Upstream;

afterEach(() => store.stop());

async function open(options: ApinizerOptions = {}, settings: Upstream['settings'] = {}): Promise<void> {
  store = await startApinizer(options);
  upstream = reach(settings);
}
const reach = (settings: Upstream['settings'] = {}, end = '') =>
  openUpstream({ addresses: { endpoint: `${store.url}${end}` }, settings, secrets: { token: store.token } });
const known = (externalId: string, scope = 'Orders') =>
  make.known({ externalId, scope, kind: 'PASSWORD', accessKey: externalId });
const wish = (accessKey: string, password: string | null = 'chosen-password') =>
  ({ kind: 'PASSWORD', accessKey, password: password === null ? null : Secret.of(password) }) as const;
const person = { email: 'bot@example.com', fullName: 'Orders Bot' };
const wanted = (accessKey: string, given: Partial<Parameters<typeof make.wanted>[0]> = {}) =>
  make.wanted({ scope: 'Orders', wish: wish(accessKey), ...person, ...given });
const seeded = (given: Partial<StoredUser> = {}): string => {
  const [username = ''] = store.seed(1, () => given);
  return username;
};

describe.each(['older', 'current'] as const)('with the %s contract', (generation) => {
  beforeEach(() => open({ generation }));

  test('lists users as the gateway has them', async () => {
    const username = seeded({
      description: 'API user',
      roleNameList: ['READER'],
      ipList: ['192.0.2.1', '203.0.113.0/24'],
      enabled: false,
      expireDate: '2025-12-31T23:59:59.000Z',
    });
    expect(await make.listed(apinizer, upstream)).toEqual([
      {
        externalId: username,
        scope: 'Orders',
        kind: 'PASSWORD',
        name: username,
        accessKey: username,
        fullName: 'User 0',
        email: 'user-0@example.com',
        description: 'API user',
        enabled: false,
        allowedIps: ['192.0.2.1', '203.0.113.0/24'],
        roles: ['READER'],
        expiresAt: '2025-12-31T23:59:59.000Z',
      },
    ]);
    expect(store.calls.map(({ path }) => path)).toEqual([
      '/apiops/projects/',
      '/apiops/projects/Orders/credentials/',
      '/apiops/projects/admin/credentials/',
    ]);
  });

  test('finds one, or answers that it is not there', async () => {
    const username = seeded();
    expect(await connector.find(upstream, known(username))).toMatchObject({ externalId: username });
    expect(await connector.find(upstream, known('nobody'))).toBeUndefined();
  });

  test('follows a user that was moved to another project, or to where all can be seen', async () => {
    store.projects.add('Shop');
    const username = seeded({ password: 'before' });
    for (const project of ['Shop', 'admin']) {
      Object.assign(store.credentials.get(username) ?? {}, { project });
      expect(await connector.find(upstream, known(username))).toMatchObject({ scope: project });
      await connector.update(
        upstream,
        known(username),
        { description: project },
        make.heldPassword('before'),
      );
      await connector.rotate(upstream, known(username), wish(username, `in-${project}`), null);
      expect(store.accepts(username, `in-${project}`)).toBe(true);
      expect(store.credentials.get(username)).toMatchObject({ project, description: project });
    }
    await connector.revoke(upstream, known(username));
    expect(store.credentials.size).toBe(0);
    // A project that is gone too, or that is for other eyes, tells nothing: the one that shows all does.
    await connector.revoke(upstream, known(username, 'Closed'));
    expect(await connector.find(upstream, known(username, 'Closed'))).toBeUndefined();
  });

  test('does not call a user gone where it is not shown what is in all projects', async () => {
    const username = seeded({ project: 'admin' });
    store.projects.delete('admin');
    const refused = { fault: 'FORBIDDEN', code: 'STORE_REJECTED' };
    await expect(connector.revoke(upstream, known(username))).rejects.toMatchObject(refused);
    await expect(connector.delete(upstream, known(username))).rejects.toMatchObject(refused);
    await expect(connector.find(upstream, known(username))).rejects.toMatchObject(refused);
    expect(store.credentials.has(username)).toBe(true);
  });

  test('creates, and answers CONFLICT for a user name that is taken', async () => {
    const at = { scope: 'Orders', wish: wish('orders-bot'), name: 'orders-bot' };
    expect(await connector.present(upstream, at)).toEqual([]);
    const expiresAt = '2030-01-01T00:00:00Z';
    const more = { roles: ['READER'], allowedIps: ['203.0.113.0/24'], expiresAt };
    const { externalId, scope, minted } = await connector.create(upstream, wanted('orders-bot', more));
    expect([externalId, scope, minted.accessKey, minted.partial]).toEqual([
      'orders-bot',
      'Orders',
      'orders-bot',
      false,
    ]);
    expect(store.accepts('orders-bot', 'chosen-password', 'production')).toBe(true);
    expect(store.credentials.get('orders-bot')).toMatchObject({
      ...person,
      roleNameList: ['READER'],
      ipList: ['203.0.113.0/24'],
      expireDate: '2030-01-01T00:00:00.000Z',
      enabled: true,
    });
    expect(await connector.present(upstream, at)).toEqual(['orders-bot']);
    const refused = { fault: 'CONFLICT', unclear: false };
    await expect(connector.create(upstream, wanted('orders-bot'))).rejects.toMatchObject(refused);
  });

  test('rotates: the new password counts, the one before is dead', async () => {
    const username = seeded({ password: 'before' });
    const minted = await connector.rotate(upstream, known(username), wish(username, null), null);
    const password = minted.secret?.expose() ?? '';
    expect(password).toHaveLength(32);
    expect(store.accepts(username, password, 'staging')).toBe(true);
    expect(store.accepts(username, 'before')).toBe(false);
    await expect(connector.rotate(upstream, known('nobody'), wish('nobody'), null)).rejects.toMatchObject({
      fault: 'NOT_FOUND',
    });
  });

  test('updates the whole with the password that Keyway holds', async () => {
    const username = seeded({ password: 'held', description: 'before', roleNameList: ['READER'] });
    const described = make.described({ ...person, enabled: false, allowedIps: ['192.0.2.0/24'] });
    const answer = await connector.update(upstream, known(username), described, make.heldPassword('held'));
    expect(answer).toEqual({ partial: false });
    expect(store.credentials.get(username)).toMatchObject({
      ...person,
      password: 'held',
      description: '',
      roleNameList: [],
      enabled: false,
      ipList: ['192.0.2.0/24'],
      expireDate: null,
    });
  });

  test('S52: changes what is to change, and leaves all else as the gateway has it', async () => {
    const restricted = {
      ipList: ['192.168.1.5/24', '10.0.0.1-10.0.0.9'],
      roleNameList: ['WRITER'],
      enabled: false,
      expireDate: 1_893_456_000_000 as unknown as string,
      metadata: [{ key: 'team', value: 'orders' }],
    };
    const username = seeded({ password: 'held', description: 'before', ...restricted });
    // What the stand-in would not take is what another version of the gateway writes.
    store.meet({ kind: 'fail', status: 200, body: { success: true, status: 'SUCCESS' } }, { method: 'PUT' });
    await connector.update(upstream, known(username), { description: 'after' }, make.heldPassword('held'));
    const { metadata, ...more } = restricted;
    const sent: unknown = JSON.parse(store.calls.at(-1)?.body ?? '');
    expect(sent).toEqual({
      username,
      password: 'held',
      email: 'user-0@example.com',
      fullName: 'User 0',
      description: 'after',
      ...more,
      ...(generation === 'current' && { metadata }),
    });
  });

  test('shows when a user ends, also where that is a number', async () => {
    const username = seeded({ expireDate: 1_893_456_000_000 as unknown as string });
    expect(await connector.find(upstream, known(username))).toMatchObject({
      expiresAt: '2030-01-01T00:00:00.000Z',
    });
  });

  test('ends a user, and is content where there is none any more', async () => {
    const username = seeded();
    await connector.revoke(upstream, known(username));
    expect(store.credentials.size).toBe(0);
    await connector.revoke(upstream, known(username));
    await connector.delete(upstream, known(username));
  });

  test('knows a token that is not taken, and a permission that is missing', async () => {
    await connector.check(upstream);
    store.permissions.delete('MANAGE');
    await expect(connector.create(upstream, wanted('x'))).rejects.toMatchObject({
      fault: 'FORBIDDEN',
    });
    store.tokens.clear();
    await expect(connector.check(upstream)).rejects.toMatchObject({ fault: 'UNAUTHENTICATED' });
  });
});

describe.each(['pages', 'file'] as const)('with deployments reported as in the %s', (deployment) => {
  test('tells that a change is stored, but not live everywhere', async () => {
    await open({ deployment });
    store.failing.add('production');
    const { minted } = await connector.create(upstream, wanted('orders-bot'));
    expect(minted.partial).toBe(true);
    expect(store.accepts('orders-bot', 'chosen-password', 'production')).toBe(false);
    const rotated = await connector.rotate(upstream, known('orders-bot'), wish('orders-bot', 'next'), null);
    expect(rotated.partial).toBe(true);
    const held = make.heldPassword('next');
    const described = make.described(person);
    expect(await connector.update(upstream, known('orders-bot'), described, held)).toEqual({ partial: true });
    store.failing.clear();
    expect(await connector.update(upstream, known('orders-bot'), described, held)).toEqual({
      partial: false,
    });
  });
});

test('does not call a user ended that is still live somewhere', async () => {
  await open();
  const username = seeded();
  store.failing.add('production');
  await expect(connector.revoke(upstream, known(username))).rejects.toMatchObject({ unclear: true });
});

test('shows each user in its own project, wherever the listing begins', async () => {
  await open({ projects: ['Orders', 'Shop & Co'] });
  seeded({ username: 'o' });
  seeded({ username: 's', project: 'Shop & Co' });
  seeded({ username: 'g', project: 'admin' });
  const parts = await make.partsOf(apinizer, upstream);
  const seen = parts.map(({ entries, next }) => [
    entries.map(({ externalId, scope }) => [externalId, scope]),
    next,
  ]);
  const shop = [[['s', 'Shop & Co']], 'admin'];
  const global = [[['g', 'admin']], null];
  expect(seen).toEqual([[[['o', 'Orders']], 'Shop & Co'], shop, global]);
  expect((await make.listed(apinizer, upstream, 'admin')).map(({ externalId }) => externalId)).toEqual(['g']);
});

test('goes on past a project that the store does not show, and tells of it', async () => {
  await open({ projects: ['Closed', 'Orders'] });
  const closed = () =>
    store.meet(
      { kind: 'fail', status: 400, body: { resultMessage: 'User does not have required permission!' } },
      { path: /Closed/ },
    );
  seeded({ username: 'o' });
  closed();
  const parts = await make.partsOf(apinizer, upstream);
  expect(parts.map(({ entries, unread }) => [entries.length, unread])).toEqual([
    [0, ['Closed']],
    [1, undefined],
    [0, undefined],
  ]);
  closed();
  await connector.check(upstream);
  closed();
  const named = reach({ projects: ['Orders', 'Closed'] });
  await expect(connector.check(named)).rejects.toMatchObject({ fault: 'FORBIDDEN' });
});

test('goes on in the same order, however the store has its projects by then', async () => {
  await open({ projects: ['B', 'C', 'A'] });
  for (const project of ['A', 'B', 'C']) seeded({ username: project, project });
  const [first] = await make.partsOf(apinizer, upstream);
  for (const project of ['B', 'C', 'admin', 'A']) {
    store.projects.delete(project);
    store.projects.add(project);
  }
  const rest = await make.listed(apinizer, upstream, first?.next);
  expect([...(first?.entries ?? []), ...rest].map(({ externalId }) => externalId)).toEqual(['A', 'B', 'C']);
});

test('takes another name for the project that shows what is in the others', async () => {
  await open({}, { projects: ['admin', 'Orders'], adminProject: 'root' });
  seeded({ username: 'o' });
  expect((await make.listed(apinizer, upstream)).map(({ scope }) => scope)).toEqual(['admin']);
});

test('creates in the only project there is, and nowhere that listings would not show', async () => {
  await open({ projects: ['Orders', 'Shop'] }, { projects: 'Orders' });
  await expect(connector.create(upstream, wanted('a', { scope: null }))).resolves.toMatchObject({
    scope: 'Orders',
  });
  const refused = { code: 'BAD_USER_INPUT', fields: [{ path: 'input.scope' }] };
  await expect(connector.create(upstream, wanted('b', { scope: 'Shop' }))).rejects.toMatchObject(refused);
  await expect(connector.create(reach(), wanted('b', { scope: null }))).rejects.toMatchObject(refused);
});

test.each(['email', 'fullName'])('answers BAD_USER_INPUT for a user without %s', async (field) => {
  await open();
  await expect(connector.create(upstream, wanted('a', { [field]: null }))).rejects.toMatchObject({
    code: 'BAD_USER_INPUT',
    fields: [{ path: `input.${field}` }],
  });
  expect(store.calls).toEqual([]);
});

test('answers BAD_USER_INPUT for a change of a user that the gateway has without an e-mail', async () => {
  await open();
  const username = seeded({ email: '' });
  const update = (changes: object) =>
    connector.update(upstream, known(username), changes, make.heldPassword('held'));
  await expect(update({ description: 'x' })).rejects.toMatchObject({
    code: 'BAD_USER_INPUT',
    fields: [{ path: 'input.email' }],
  });
  expect(store.calls.every(({ method }) => method === 'GET')).toBe(true);
  await expect(update({ email: 'bot@example.com' })).resolves.toEqual({ partial: false });
});

test('answers UNSUPPORTED for an update without the password, and sends nothing', async () => {
  await open();
  const described = make.described(person);
  await expect(connector.update(upstream, known('a'), described, null)).rejects.toMatchObject({
    code: 'UNSUPPORTED',
  });
  expect(store.calls).toEqual([]);
});

test.each(['withheld', 'masked'] as const)(
  'does not lose metadata, nor write one that is %s',
  async (secretMetadata) => {
    await open({ secretMetadata });
    const [plain, secret] = [
      { key: 'team', value: 'orders' },
      { key: 'pin', value: '1234', secret: true },
    ];
    seeded({ username: 'open', metadata: [plain] });
    seeded({ username: 'closed', metadata: [plain, secret] });
    const [described, held] = [make.described(person), make.heldPassword('held')];
    await connector.update(upstream, known('open'), described, held);
    expect(store.credentials.get('open')?.metadata).toEqual([plain]);
    await expect(connector.update(upstream, known('closed'), described, held)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
    expect(store.credentials.get('closed')?.metadata).toEqual([plain, secret]);
  },
);

test('is unclear about a change whose answer was lost or cannot be read; what is present tells', async () => {
  await open();
  for (const kind of ['drop', 'garbage'] as const) {
    store.meet({ kind }, { method: 'POST' });
    await expect(connector.create(upstream, wanted(kind))).rejects.toMatchObject({ unclear: true });
    expect(await connector.present(upstream, { scope: 'Orders', wish: wish(kind), name: kind })).toEqual([
      kind,
    ]);
  }
});

test('is unclear about a failure that comes with the status of success', async () => {
  await open();
  const body = { status: 'FAILURE', resultMessage: 'something else' };
  store.meet({ kind: 'fail', status: 200, body }, { method: 'PATCH' });
  await expect(connector.rotate(upstream, known('a'), wish('a'), null)).rejects.toMatchObject({
    unclear: true,
  });
});

test('S52: does not read addresses that it cannot read as none', async () => {
  await open();
  const resultList = [{ username: 'a', ipList: '192.0.2.1' }];
  store.meet({ kind: 'fail', status: 200, body: { status: 'SUCCESS', resultList } });
  await expect(connector.find(upstream, known('a'))).rejects.toMatchObject({ fault: 'UPSTREAM_ERROR' });
});

test.each([{}, { ipList: null, roleNameList: null }])(
  'S52: takes what is not said of a user (%j) for unknown, not for «any address» or «no end»',
  async (said) => {
    await open();
    const resultList = [{ username: 'a', ...said }];
    store.meet({ kind: 'fail', status: 200, body: { status: 'SUCCESS', resultList } });
    expect(await connector.find(upstream, known('a'))).toMatchObject({
      enabled: undefined,
      allowedIps: undefined,
      roles: undefined,
      expiresAt: undefined,
    });
  },
);

test('puts names with any characters into the path, encoded', async () => {
  await open({ projects: ['Shop & Co/ü'] });
  const username = 'a b/../c?d';
  seeded({ username, project: 'Shop & Co/ü' });
  await connector.rotate(upstream, known(username, 'Shop & Co/ü'), wish(username, 'next'), null);
  expect(store.accepts(username, 'next')).toBe(true);
});

test.each(['', '/', '/apiops', '/apiops/'])('takes an address that ends with «%s»', async (end) => {
  await open();
  await connector.check(reach({}, end));
  expect(store.calls[0]?.path).toBe('/apiops/projects/');
});

test('S10: an error has nothing of what the store said or was told', async () => {
  await open();
  const body = { error: 'bad_request', error_description: 'chosen-password is too short' };
  store.meet({ kind: 'fail', status: 400, body });
  const error: unknown = await connector.create(upstream, wanted('a')).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ fault: 'INVALID_INPUT', cause: 'the store answered 400, bad_request' });
});

test('asks for lists as answers that may be large', async () => {
  await open();
  const sent: StoreRequest[] = [];
  const watched = {
    ...upstream,
    call: (request: StoreRequest) => (sent.push(request), upstream.call(request)),
  };
  await make.listed(apinizer, watched);
  expect(sent.every(({ large }) => large)).toBe(true);
});
