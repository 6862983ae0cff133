import {
  expectData,
  grant,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  makeRole,
  unique,
} from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import {
  faultPaths,
  inDays,
  placesOf,
  read,
  remove,
  reveal,
  revoke,
  rotate,
  statusWith,
  update,
} from './verbs.js';

let server: TestServer;
let account: string;
let owner: string;
let project: string;
let role: string;
beforeAll(async () => {
  server = await startTestServer();
  account = await makeAccount(server);
  owner = await makeAccount(server, { kind: 'PERSON' });
  project = await makeProject(server, account);
  role = await makeRole(server, ['CREDENTIAL_READ']);
});
afterAll(() => server.stop());

const made = (input: Record<string, unknown> = {}) => makeCredential(server, account, input);
const updated = async (input: Record<string, unknown>) =>
  expectData(await update(server, input)).updateCredential.credential;
const changesOf = async (id: string): Promise<string[][]> => {
  const answer = await server.ask(
    `query ($id: ID!) { auditEvents(filter: { target: [$id], action: ["credential:update"] }) { nodes { changed } } }`,
    { id },
  );
  return expectData(answer).auditEvents.nodes.map(({ changed }: { changed: string[] }) => changed);
};

describe('a field', () => {
  const whole = () => ({
    description: 'Before',
    category: 'before',
    fullName: 'Before',
    email: 'before@example.com',
    owner,
    project,
    roles: [role],
    allowedIps: ['10.0.0.0/8'],
    expiresAt: '2099-01-01T00:00:00.000Z',
    rotationPolicy: { every: 'P30D', gracePeriod: 'PT1H' },
    rateLimit: { uses: 100, window: 'PT1M' },
    remainingUses: { count: 100, refill: { amount: 100, every: 'P30D' } },
  });
  const cleared = { allowedIps: [], roles: [] };

  test.each<[string, () => unknown, ((value: unknown) => unknown)?]>([
    ['name', () => 'After'],
    ['description', () => 'After\nall'],
    ['category', () => 'after'],
    ['fullName', () => 'After'],
    ['email', () => 'after@example.com'],
    ['enabled', () => false],
    ['allowedIps', () => ['192.0.2.0/24', '::1']],
    ['expiresAt', () => '2098-01-01T00:00:00.000Z'],
    ['owner', () => account, (id) => ({ id })],
    ['project', () => project, (id) => ({ id })],
    ['roles', () => [role], (ids) => (ids as string[]).map((id) => ({ id }))],
    [
      'rotationPolicy',
      () => ({ every: 'P60D', gracePeriod: 'PT2H' }),
      (policy) => expect.objectContaining(policy as object),
    ],
    ['rateLimit', () => ({ uses: 3, window: 'PT1H' })],
    ['remainingUses', () => ({ count: 3 }), (uses) => ({ ...(uses as object), refill: null })],
  ])('%s is changed alone, and the revision grows by one', async (name, given, shown = (value) => value) => {
    const { id } = await made();
    const before = await read(server, id);
    const value = given();
    const after = await updated({ id, [name]: value });
    const status = name === 'enabled' ? { status: 'DISABLED' } : {};
    expect(after).toEqual({
      ...before,
      [name]: shown(value),
      ...status,
      revision: before.revision + 1,
      updatedAt: after.updatedAt,
    });
    expect(after.updatedAt >= before.updatedAt).toBe(true);
    expect(await changesOf(id)).toEqual([[name]]);
  });

  test.each(Object.keys({ ...whole() }))('%s is cleared by null, and only it', async (name) => {
    const { id } = await made(whole());
    const before = await read(server, id);
    const after = await updated({ id, [name]: null });
    const empty = name in cleared ? [] : null;
    expect(after).toEqual({
      ...before,
      [name]: empty,
      revision: before.revision + 1,
      updatedAt: after.updatedAt,
    });
  });

  test('that is left out keeps its value, and an update of nothing changes nothing', async () => {
    const { id } = await made(whole());
    const before = await read(server, id);
    expect(await updated({ id })).toEqual(before);
    expect(await updated({ id, category: 'before', roles: [role], allowedIps: ['10.0.0.0/8'] })).toEqual(
      before,
    );
  });

  test.each(['name', 'enabled'])('%s cannot be null', async (name) => {
    const { id } = await made();
    const before = await read(server, id);
    const answer = await update(server, { id, [name]: null });
    expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', [`input.${name}`]]);
    expect(await read(server, id)).toEqual(before);
  });

  test.each([
    'revision',
    'kind',
    'status',
    'accessKey',
    'retrievable',
    'account',
    'store',
    'parent',
    'provider',
    'externalId',
    'permissions',
    'mfaAuthenticated',
    'createdAt',
    'updatedAt',
    'lastUsedAt',
    'revokedAt',
    'deletedAt',
    'secret',
  ])('S36: %s cannot be set, and nothing else is set with it', async (name) => {
    const { id } = await made();
    const before = await read(server, id);
    const answer = await update(server, { id, description: 'After', [name]: 'MARKER-0001' });
    expect([answer.code, answer.data]).toEqual(['BAD_USER_INPUT', null]);
    expect(answer.text).not.toContain('MARKER-0001');
    expect(await read(server, id)).toEqual(before);
  });
});

describe('the revision', () => {
  test('R5: of updates at once that expect the same one, exactly one wins', async () => {
    const { id } = await made();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, number) =>
        update(server, { id, expectedRevision: 1, description: `Number ${number}` }),
      ),
    );
    const won = answers.filter(({ code }) => code === undefined);
    expect(won).toHaveLength(1);
    expect(new Set(answers.map(({ code }) => code))).toEqual(new Set([undefined, 'CONFLICT']));
    const { description, revision } = await read(server, id);
    expect(revision).toBe(2);
    expect(description).toBe(won[0]?.data.updateCredential.credential.description);
    expect(await changesOf(id)).toHaveLength(1);
  });

  test('R5: that is not expected any more is CONFLICT, and nothing changes', async () => {
    const { id } = await made();
    const { revision } = await updated({ id, description: 'First' });
    for (const expectedRevision of [revision - 1, revision + 1, 0, -1]) {
      expect((await update(server, { id, expectedRevision, description: 'Second' })).code).toBe('CONFLICT');
    }
    expect(await read(server, id)).toMatchObject({ revision, description: 'First' });
    expect(await updated({ id, expectedRevision: revision, description: 'Second' })).toMatchObject({
      revision: revision + 1,
    });
  });
});

describe('the addresses', () => {
  test('S53: of a restricted credential are freed by null alone, never by an empty list', async () => {
    const { id } = await made({ allowedIps: ['10.0.0.0/8'] });
    const answer = await update(server, { id, allowedIps: [], description: 'After' });
    expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', ['input.allowedIps']]);
    expect(await read(server, id)).toMatchObject({
      allowedIps: ['10.0.0.0/8'],
      description: null,
      revision: 1,
    });
    expect(await updated({ id, allowedIps: null })).toMatchObject({ allowedIps: [], revision: 2 });
    expect(await updated({ id, allowedIps: [] })).toMatchObject({ allowedIps: [], revision: 2 });
  });

  test('S52: are kept in their one spelling; an entry that is none is never dropped', async () => {
    const { id } = await made();
    const after = await updated({ id, allowedIps: ['2001:DB8::/32', '10.0.0.1/32', '10.0.0.1'] });
    expect(after.allowedIps).toEqual(['2001:db8::/32', '10.0.0.1']);
    for (const range of ['10.0.0.1/8', '::ffff:10.0.0.1', '10.0.0.01']) {
      const answer = await update(server, { id, allowedIps: ['192.0.2.1', range] });
      expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', ['input.allowedIps.1']]);
    }
    expect((await read(server, id)).allowedIps).toEqual(after.allowedIps);
  });

  test('S23: of a token hold from the answer on', async () => {
    const { id, secret } = await made({ secret: { token: {} } });
    expect(await statusWith(server, String(secret))).toBe(200);
    await updated({ id, allowedIps: ['192.0.2.0/24'] });
    expect(await statusWith(server, String(secret))).toBe(401);
    await updated({ id, allowedIps: ['127.0.0.1'] });
    expect(await statusWith(server, String(secret))).toBe(200);
  });
});

describe('the expiry', () => {
  test.each([
    ['ACCESS_KEY', { accessKey: {} }, inDays(-1)],
    ['TOKEN', { token: {} }, inDays(-1)],
    ['TOKEN', { token: {} }, inDays(367)],
    ['TOKEN', { token: {} }, null],
  ])('S20: of a %s %j cannot be %j', async (_, secret, expiresAt) => {
    const { id } = await made({ secret });
    const before = await read(server, id);
    const answer = await update(server, { id, expiresAt });
    expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', ['input.expiresAt']]);
    expect(await read(server, id)).toEqual(before);
  });

  test('S19: that has passed is mended by a later one', async () => {
    const { id, secret } = await made({ secret: { token: {} } });
    await server.rows(`UPDATE credentials SET expires_at = now() WHERE access_key = :key`, {
      key: (await read(server, id)).accessKey,
    });
    expect(await statusWith(server, String(secret))).toBe(401);
    expect((await read(server, id)).status).toBe('EXPIRED');
    expect((await updated({ id, expiresAt: inDays(1) })).status).toBe('ACTIVE');
    expect(await statusWith(server, String(secret))).toBe(200);
  });
});

describe('the rotation policy', () => {
  test('counts from when its secret was made, and stays due then where its interval stays', async () => {
    const { id } = await made({ rotationPolicy: { every: 'P30D', gracePeriod: 'PT1H' } });
    const { rotationPolicy } = await read(server, id);
    const longer = await updated({ id, rotationPolicy: { every: 'P30D', gracePeriod: 'PT2H' } });
    expect(longer.rotationPolicy).toEqual({ ...rotationPolicy, gracePeriod: 'PT2H' });
    const sooner = await updated({ id, rotationPolicy: { every: 'P1D', gracePeriod: 'PT2H' } });
    expect(Math.abs(Date.parse(sooner.rotationPolicy.nextAt) - Date.parse(inDays(1)))).toBeLessThan(60_000);
  });
});

describe('moving to another project', () => {
  test.each([
    ['an access key', { accessKey: {} }],
    ['provider keys', { providerKeys: { s3: { accessKey: 'AKIAMOVED', secretKey: 'moved-secret-0001' } } }],
  ])('S43: keeps the secrets of %s, both of them within the grace period', async (_, secret) => {
    const { id } = await made({ secret, retrievable: true });
    expectData(await rotate(server, { id, secret, gracePeriod: 'PT1H' }));
    const shown = async () => {
      const { issued, other } = expectData(await reveal(server, { id })).revealCredential;
      return { issued, other };
    };
    const before = await shown();
    expect(before.other).not.toBeNull();
    const sealedBefore = await server.rows('SELECT sealed FROM credential_versions WHERE sealed IS NOT NULL');
    for (const to of [project, await makeProject(server, account), null]) {
      expect((await updated({ id, project: to })).project).toEqual(to === null ? null : { id: to });
      expect(await shown()).toEqual(before);
    }
    const sealedAfter = await server.rows('SELECT sealed FROM credential_versions WHERE sealed IS NOT NULL');
    expect(sealedAfter).toHaveLength(sealedBefore.length);
    expect(await placesOf(server, [String(before.issued.secret ?? before.issued.keys[1].value)])).toEqual([]);
  });

  test('S23: a token works on, and carries its rights with it', async () => {
    const { id, secret } = await made({ secret: { token: {} } });
    await updated({ id, project });
    expect(await statusWith(server, String(secret))).toBe(200);
  });

  test('S38: is FORBIDDEN where the caller may not update in the other project', async () => {
    const caller = await makeCaller(server, ['CREDENTIAL_UPDATE', 'PROJECT_READ'], { onProject: project });
    const other = await makeProject(server, account);
    await grant(server, caller.id, await makeRole(server, ['PROJECT_READ']), { onProject: other });
    const { id } = await made({ project });
    const answer = await update(server, { id, project: other }, { token: caller.token });
    expect(answer.code).toBe('FORBIDDEN');
    expect((await read(server, id)).project.id).toBe(project);
  });
});

describe('what has ended', () => {
  test.each([
    ['revoked', revoke],
    ['deleted', remove],
  ])('is CONFLICT: %s', async (_, end) => {
    const { id } = await made();
    expectData(await end(server, { id }));
    const before = await read(server, id);
    expect((await update(server, { id, description: 'After', enabled: true })).code).toBe('CONFLICT');
    expect(await read(server, id)).toEqual(before);
  });
});

describe('roles', () => {
  test('are replaced as a whole', async () => {
    const other = await makeRole(server, []);
    const { id } = await made({ roles: [role] });
    expect((await updated({ id, roles: [other] })).roles).toEqual([{ id: other }]);
    expect((await updated({ id, roles: [] })).roles).toEqual([]);
    expect(await changesOf(id)).toEqual([['roles'], ['roles']]);
  });

  test('S38: with permissions that the caller does not hold there cannot be attached', async () => {
    const caller = await makeCaller(
      server,
      ['CREDENTIAL_UPDATE', 'CREDENTIAL_READ', 'ROLE_READ', 'ROLE_GIVE'],
      {
        onAccount: account,
      },
    );
    const [role, wider] = [
      await makeRole(server, ['CREDENTIAL_READ'], { account }),
      await makeRole(server, ['CREDENTIAL_READ', 'AUDIT_READ'], { account }),
    ];
    const { id } = await made();
    const refused = await update(server, { id, roles: [wider], category: 'x' }, { token: caller.token });
    expect(refused.code).toBe('FORBIDDEN');
    expect(await read(server, id)).toMatchObject({ roles: [], category: null, revision: 1 });
    expectData(await update(server, { id, roles: [role] }, { token: caller.token }));
    expect((await read(server, id)).roles).toEqual([{ id: role }]);
  });
});

test('is FORBIDDEN to its owner without CREDENTIAL_UPDATE, and NOT_FOUND to a stranger', async () => {
  const caller = await makeCaller(server);
  const stranger = await makeCaller(server);
  const { id } = await made({ owner: caller.id, name: unique('owned') });
  const before = await read(server, id);
  expect((await update(server, { id, name: 'x' }, { token: caller.token })).code).toBe('FORBIDDEN');
  expect((await update(server, { id, name: 'x' }, { token: stranger.token })).code).toBe('NOT_FOUND');
  expect(await read(server, id)).toEqual(before);
});
