import { jest } from '@jest/globals';
import { Secret } from '../../src/secret.js';
import { veracodeScheme } from '../../src/signatures/veracode.js';
import { expectData, makeAccount, makeCaller, makeProject, makeRole, unique } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { create, faultPaths, inDays, keptOf, placesOf, read, statusWith } from './verbs.js';

let server: TestServer;
let account: string;
beforeAll(async () => {
  server = await startTestServer();
  account = await makeAccount(server);
});
afterAll(() => server.stop());

const make = (input: Record<string, unknown>) => create(server, { account, name: unique('made'), ...input });
const made = async (input: Record<string, unknown>) => expectData(await make(input)).createCredential;
const countOf = async () =>
  (await server.rows<{ count: number }>('SELECT count(*)::integer AS count FROM credentials'))[0]?.count;

const pair = { accessKey: 'AKIAEXAMPLE', secretKey: 'provider-secret-0001' };
const identity = {
  serviceAccountEmail: 'a@b.example',
  workloadIdentityProvider: 'p-0001',
  tokenAudience: 't',
};
const entra = { tenantId: 'tenant-0001', clientId: 'client-0001', clientSecret: 'provider-secret-0002' };
const userPassword = { username: 'octo', password: 'provider-secret-0003' };
const providers: [string, string, Record<string, unknown>][] = [
  ['aws', 'AWS', { ...pair, assumeRoleArn: 'arn:aws:iam::123456789012:role/keyway' }],
  ['azure', 'AZURE', { batchName: 'batch', batchKey: 'provider-secret-0004' }],
  ['azureEntra', 'AZURE_ENTRA', { ...entra, batchName: 'batch', storageName: 'storage' }],
  ['azureCloud', 'AZURE_CLOUD', { ...entra, subscriptionId: 'subscription-0001' }],
  ['google', 'GOOGLE', identity],
  ['github', 'GITHUB', { username: 'octo', token: 'provider-secret-0005' }],
  ['githubApp', 'GITHUB_APP', { appId: '1', privateKey: 'provider-secret-0006', slug: 'app' }],
  ['gitlab', 'GITLAB', { ...userPassword, token: 'provider-secret-0007' }],
  ['bitbucket', 'BITBUCKET', userPassword],
  ['gitea', 'GITEA', userPassword],
  ['codecommit', 'CODECOMMIT', userPassword],
  ['azurerepos', 'AZUREREPOS', { username: 'octo', token: 'provider-secret-0008' }],
  ['ssh', 'SSH', { privateKey: 'provider-secret-0009\nof two lines', passphrase: 'phrase-0001' }],
  ['k8s', 'K8S', { token: 'provider-secret-0010' }],
  [
    'containerReg',
    'CONTAINER_REG',
    { userName: 'bot', password: 'provider-secret-0011', registry: 'r.example' },
  ],
  ['twAgent', 'TW_AGENT', { connectionId: 'provider-secret-0012', workDir: '/work' }],
  ['seqeracompute', 'SEQERACOMPUTE', pair],
  ['s3', 'S3', pair],
];

describe('an access key', () => {
  test.each([
    [{}, /^[A-Z2-7]{20}$/, /^[0-9A-Za-z]{43}$/],
    [{ secretFormat: 'BASE62' }, /^[A-Z2-7]{20}$/, /^[0-9A-Za-z]{43}$/],
    [{ secretFormat: 'HEX' }, /^[0-9a-f]{32}$/, /^[0-9a-f]{128}$/],
    [{ secretFormat: 'BASE64' }, /^[A-Z2-7]{20}$/, /^[0-9A-Za-z+/]{43}=$/],
    [{ prefix: 'vera01ei-', secretFormat: 'HEX' }, /^vera01ei-[0-9a-f]{32}$/, /^vera01ei-[0-9a-f]{128}$/],
  ])('made with %j is a fresh pair of that form', async (accessKey, publicForm, secretForm) => {
    const { credential, issued } = await made({ secret: { accessKey } });
    expect(credential).toMatchObject({ kind: 'ACCESS_KEY', status: 'ACTIVE', revision: 1, expiresAt: null });
    expect(issued.accessKey).toBe(credential.accessKey);
    expect(issued.accessKey).toMatch(publicForm);
    expect(issued.secret).toMatch(secretForm);
    expect(issued.keys).toBeNull();
    expect(credential.versions).toEqual([
      expect.objectContaining({ number: 1, state: 'CURRENT', accessKey: credential.accessKey }),
    ]);
  });

  test.each(['HB', 'abc', 'vera01ai-', 'vera01eis-', 'acbd-'])(
    'for Veracode has no prefix %j, with which it could never sign',
    async (prefix) => {
      const answer = await make({ secret: { accessKey: { prefix, scheme: 'VERACODE_HMAC_SHA_256' } } });
      expect(answer.code).toBe('BAD_USER_INPUT');
      expect(faultPaths(answer)).toEqual(['input.secret.accessKey.prefix']);
    },
  );

  test.each(['', 'vera01ei-', 'Vera02GS-', 'abcd', 'vera01ei-ab'])(
    'for Veracode signs with the prefix %j',
    async (prefix) => {
      const { issued } = await made({
        secret: { accessKey: { ...(prefix && { prefix }), scheme: 'VERACODE_HMAC_SHA_256' } },
      });
      const key = { accessKey: issued.accessKey as string, secret: Secret.of(issued.secret as string) };
      const request = { method: 'GET', url: 'https://api.example.com/', headers: [] };
      expect(veracodeScheme.sign(request, key, { ms: 1 }).headers).toHaveLength(1);
    },
  );

  test.each(['', '1a', 'a b', "a'b", 'x'.repeat(32), 'ä'])('S11: has no prefix %j', async (prefix) => {
    const answer = await make({ secret: { accessKey: { prefix } } });
    expect(answer.code).toBe('BAD_USER_INPUT');
    expect(faultPaths(answer)).toEqual(['input.secret.accessKey.prefix']);
  });
});

describe('a token', () => {
  test.each([
    ['PERSON', 'pat'],
    ['SERVICE', 'svc'],
    ['ORGANIZATION', 'key'],
  ])('of a %s is of the kind %s and a bearer token at once', async (kind, tokenKind) => {
    const owner = await makeAccount(server, { kind });
    const { credential, issued } = await made({ account: owner, secret: { token: { prefix: 'my-' } } });
    expect(issued.secret).toMatch(
      new RegExp(`^my-kw_${tokenKind}_${String(credential.accessKey)}_[0-9A-Za-z]{49}$`),
    );
    const answer = await server.ask('{ viewer { id } }', {}, { token: issued.secret });
    expect(expectData(answer).viewer.id).toBe(owner);
  });

  test('S20: ends after 90 days where nothing is said, and within 366 where something is', async () => {
    const usual = await made({ secret: { token: {} } });
    expect(Math.abs(Date.parse(usual.credential.expiresAt) - Date.parse(inDays(90)))).toBeLessThan(60_000);
    const longest = await made({ secret: { token: {} }, expiresAt: inDays(365.9) });
    expect(Math.abs(Date.parse(longest.issued.expiresAt) - Date.parse(inDays(365.9)))).toBeLessThan(60_000);
  });

  test('S53: is taken from its addresses alone', async () => {
    const here = await made({ secret: { token: {} }, allowedIps: ['127.0.0.0/8'] });
    const there = await made({ secret: { token: {} }, allowedIps: ['192.0.2.0/24', '::1'] });
    expect(await statusWith(server, here.issued.secret)).toBe(200);
    expect(await statusWith(server, there.issued.secret)).toBe(401);
  });

  test('is refused while disabled', async () => {
    const { credential, issued } = await made({ secret: { token: {} }, enabled: false });
    expect(credential.status).toBe('DISABLED');
    expect(await statusWith(server, issued.secret)).toBe(401);
  });
});

describe('a password', () => {
  test('is the one that was chosen', async () => {
    const username = unique('ada');
    const { credential, issued } = await made({
      secret: { password: { username, password: ' chosen pässword 1 ' } },
    });
    expect(credential).toMatchObject({ kind: 'PASSWORD', accessKey: username });
    expect(issued).toMatchObject({ accessKey: username, secret: ' chosen pässword 1 ' });
  });

  test('is made where none was chosen', async () => {
    const { issued } = await made({ secret: { password: { username: unique('ada') } } });
    expect(issued.secret).toMatch(/^[0-9A-Za-z]{32}$/);
  });

  test.each([
    ['eleven byte', 'shorter than 12 bytes'],
    ['x'.repeat(1025), 'longer than 1024 bytes'],
    ['nul\0 in a password', 'with a NUL'],
  ])('S10: %j is refused: %s', async (password) => {
    const answer = await make({ secret: { password: { username: unique('ada'), password } } });
    expect(answer.code).toBe('BAD_USER_INPUT');
    expect(faultPaths(answer)).toEqual(['input.secret.password.password']);
    expect(answer.text).not.toContain(password);
  });

  test.each([
    '0123456789abcdef0123456789abcdef',
    'ADA_0123456789ABCDEF0123456789ABCDEF',
    'thesecretariesgeneral2',
  ])('S25: has no user name that reads like a generated access key: %j', async (username) => {
    const answer = await make({ secret: { password: { username } } });
    expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', ['input.secret.password.username']]);
  });

  test.each([
    ['Grace.Hopper', 'grace.hopper'],
    ['ＧＲＡＣＥ＿2', 'grace_2'],
    ['GRACE@3', 'grace@3'],
    ['ǆo', undefined],
  ])('S27: %j is kept in the one spelling %j', async (spelt, kept) => {
    const answer = await make({ secret: { password: { username: spelt } } });
    if (kept === undefined) {
      expect(faultPaths(answer)).toEqual(['input.secret.password.username']);
      return;
    }
    expect(expectData(answer).createCredential.issued.accessKey).toBe(kept);
    for (const again of [spelt, kept, kept.toUpperCase()])
      expect((await make({ secret: { password: { username: again } } })).code).toBe('CONFLICT');
  });

  test('S27: of one user name in many spellings at once, one credential is made', async () => {
    const username = unique('eve');
    const spellings = [username, username.toUpperCase(), `E${username.slice(1)}`, `ｅ${username.slice(1)}`];
    const answers = await Promise.all(
      [...spellings, ...spellings].map((one) => make({ secret: { password: { username: one } } })),
    );
    expect(answers.map(({ code }) => code).sort()).toEqual([...Array<string>(7).fill('CONFLICT'), undefined]);
    const rows = await server.rows('SELECT 1 FROM credentials WHERE access_key = :username', { username });
    expect(rows).toHaveLength(1);
  });

  test.each([
    'a',
    '-ada',
    '.ada',
    ' ada',
    'ada ',
    'ada lovelace',
    'adä',
    'ada\u200b',
    'аda',
    'x'.repeat(129),
    '',
  ])('S27: %j is no user name', async (username) => {
    const answer = await make({ secret: { password: { username } } });
    expect(answer.code).toBe('BAD_USER_INPUT');
    expect(faultPaths(answer)).toEqual(['input.secret.password.username']);
  });
});

describe('provider keys', () => {
  test.each(providers)('of %s are kept for %s, and can be revealed', async (member, provider, keys) => {
    const { credential, issued } = await made({ secret: { providerKeys: { [member]: keys } } });
    expect(credential).toMatchObject({ kind: 'PROVIDER_KEYS', provider, accessKey: null, retrievable: true });
    expect(issued).toMatchObject({ accessKey: null, secret: null });
    expect(fromEntries(issued.keys)).toEqual(keys);
    const answer = await server.ask(
      'mutation ($id: ID!) { revealCredential(input: { id: $id }) { issued { keys { name value } } } }',
      { id: credential.id },
    );
    expect(fromEntries(expectData(answer).revealCredential.issued.keys)).toEqual(keys);
  });

  test('there are 18 providers', () => expect(new Set(providers.map(([, name]) => name)).size).toBe(18));

  test('S10: that do not make a set are refused by name, without a value', async () => {
    const answer = await make({ secret: { providerKeys: { aws: { accessKey: 'MARKER-0001' } } } });
    expect(answer.code).toBe('BAD_USER_INPUT');
    expect(faultPaths(answer)).toEqual(['input.secret.providerKeys.aws.secretKey']);
    expect(answer.text).not.toContain('MARKER-0001');
  });
});

describe('exactly one kind of secret', () => {
  const one = { github: { username: 'octo', token: 'MARKER-0002' } };
  test.each<[string, unknown, string]>([
    ['none', {}, 'input.secret'],
    ['two', { accessKey: {}, token: {} }, 'input.secret'],
    ['one, and a null', { accessKey: {}, token: null }, 'input.secret'],
    ['a null', { accessKey: null }, 'input.secret'],
    ['nothing', null, 'input.secret'],
    ['no provider', { providerKeys: {} }, 'input.secret.providerKeys'],
    ['two providers', { providerKeys: { ...one, s3: pair } }, 'input.secret.providerKeys'],
    ['a provider, and a null', { providerKeys: { ...one, s3: null } }, 'input.secret.providerKeys'],
    ['a provider that is null', { providerKeys: { s3: null } }, 'input.secret.providerKeys'],
  ])('%s is BAD_USER_INPUT and makes nothing', async (_, secret, path) => {
    const before = await countOf();
    const answer = await make({ secret });
    expect(answer.code).toBe('BAD_USER_INPUT');
    for (const fault of faultPaths(answer)) expect(fault.startsWith(path)).toBe(true);
    expect(faultPaths(answer).length).toBeGreaterThan(0);
    expect(answer.text).not.toContain('MARKER-0002');
    expect(await countOf()).toBe(before);
  });
});

describe('what is stored', () => {
  const secretOf = ({ issued }: { issued: { secret: string | null; keys: { value: string }[] | null } }) =>
    issued.secret === null ? (issued.keys ?? []).map(({ value }) => value) : [issued.secret];
  const nothing = {
    passwordHash: null,
    verifier: false,
    verifierKey: false,
    pepper: false,
    sealed: false,
    kek: false,
  };
  const verifier = { verifier: true, verifierKey: true };
  const sealed = { sealed: true, kek: true };
  const hash = { passwordHash: expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/), pepper: true };

  test.each<[string, Record<string, unknown>, boolean, Record<string, unknown>]>([
    ['an access key', { accessKey: {} }, false, { ...verifier, ...sealed }],
    ['a retrievable access key', { accessKey: {} }, true, { ...verifier, ...sealed }],
    ['a token', { token: {} }, false, verifier],
    ['a retrievable token', { token: {} }, true, { ...verifier, ...sealed }],
    ['a password', { password: { username: 'kept-1' } }, false, hash],
    ['a retrievable password', { password: { username: 'kept-2' } }, true, { ...hash, ...sealed }],
    ['provider keys', { providerKeys: { k8s: { token: 'kept-provider-token' } } }, false, sealed],
  ])('S41: of %s is as promised, and nowhere plain', async (_, secret, retrievable, kept) => {
    const name = unique('stored');
    const answer = await made({ name, secret, retrievable, idempotencyKey: unique('stored') });
    expect(await keptOf(server, name)).toEqual([{ number: 1, state: 'CURRENT', ...nothing, ...kept }]);
    const secrets = secretOf(answer);
    expect(secrets).not.toHaveLength(0);
    expect(await placesOf(server, secrets)).toEqual([]);
    // The same search finds what is there.
    expect(await placesOf(server, [name])).toContain('credentials.name');
  });

  test('S41: of a token is not even its secret part', async () => {
    const { issued } = await made({ secret: { token: {} } });
    const [, , id = '', secret = ''] = String(issued.secret).split('_');
    expect(await placesOf(server, [secret.slice(0, 43)])).toEqual([]);
    expect(await placesOf(server, [id])).toContain('credentials.access_key');
  });
});

describe('when it ends', () => {
  test.each([
    ['this instant', (at: number) => new Date(at).toISOString()],
    ['a second ago', (at: number) => new Date(at - 1_000).toISOString()],
    ['1970', () => '1970-01-01T00:00:00Z'],
    ['the year 1', () => '0001-01-01T00:00:00Z'],
  ])('S20: %s is BAD_USER_INPUT, for each kind', async (_, expiresAt) => {
    const before = await countOf();
    // By the clock of the database, which this process may be ahead of; it stands, so that an instant is this one.
    const at = Math.floor(server.db.now());
    const clock = jest.spyOn(server.db, 'now').mockReturnValue(at);
    try {
      for (const secret of [{ accessKey: {} }, { token: {} }, { password: { username: unique('ada') } }]) {
        const answer = await make({ secret, expiresAt: expiresAt(at) });
        expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', ['input.expiresAt']]);
      }
    } finally {
      clock.mockRestore();
    }
    expect(await countOf()).toBe(before);
  });

  test.each([
    ['over 366 days', () => inDays(366.01)],
    ['in the year 9999', () => '9999-12-31T23:59:59Z'],
    ['never', () => null],
  ])(
    'S20: %s is BAD_USER_INPUT for a token, and the same is taken for an access key',
    async (_, expiresAt) => {
      const answer = await make({ secret: { token: {} }, expiresAt: expiresAt() });
      expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', ['input.expiresAt']]);
      const { credential } = await made({ secret: { accessKey: {} }, expiresAt: expiresAt() });
      expect(credential.status).toBe('ACTIVE');
    },
  );

  test.each([
    ['every', { every: 'PT0S', gracePeriod: 'PT0S' }],
    ['every', { every: 'P10Y1D', gracePeriod: 'PT0S' }],
    ['every', { every: '-P1D', gracePeriod: 'PT0S' }],
    ['gracePeriod', { every: 'P30D', gracePeriod: 'P91D' }],
  ])('S20: a rotation policy is refused for its %s: %j', async (member, rotationPolicy) => {
    const answer = await make({ secret: { accessKey: {} }, rotationPolicy });
    expect(answer.code).toBe('BAD_USER_INPUT');
    expect(faultPaths(answer)).toEqual([`input.rotationPolicy.${member}`]);
  });
});

describe('the addresses', () => {
  test('S52: are kept in their one spelling, each once', async () => {
    const { credential } = await made({
      secret: { accessKey: {} },
      allowedIps: ['2001:DB8:0:0::/32', '10.0.0.1/32', '10.0.0.0/8', '2001:db8::/32', '10.0.0.1', '0:0:0::1'],
    });
    expect(credential.allowedIps).toEqual(['2001:db8::/32', '10.0.0.1', '10.0.0.0/8', '::1']);
  });

  test.each(
    [
      '10.0.0.1/8',
      '010.0.0.1',
      '10.0.0',
      '10.0.0.0/33',
      '10.0.0.0/08',
      '::ffff:10.0.0.1',
      '::ffff:a00:1',
    ].concat(['fe80::1%eth0', '2001:db8::1/32', 'localhost', '*', '', ' 10.0.0.1', '10.0.0.1,10.0.0.2']),
  )('S52: %j is refused, by its place in the list', async (range) => {
    const before = await countOf();
    const answer = await make({ secret: { accessKey: {} }, allowedIps: ['10.0.0.0/8', range] });
    expect(answer.code).toBe('BAD_USER_INPUT');
    expect(faultPaths(answer)).toEqual(['input.allowedIps.1']);
    expect(await countOf()).toBe(before);
  });
});

describe('only what the input names', () => {
  test.each([
    'id',
    'revision',
    'ownerId',
    'accountId',
    'storeId',
    'status',
    'kind',
    'accessKey',
    'provider',
    'externalId',
    'standing',
    'mfaAuthenticated',
    'permissions',
    'createdAt',
    'revokedAt',
    'deletedAt',
    'observedAt',
    'parent',
  ])('S36: %s cannot be set', async (member) => {
    const before = await countOf();
    const answer = await make({ secret: { accessKey: {} }, [member]: 'MARKER-0003' });
    expect([answer.code, answer.data]).toEqual(['BAD_USER_INPUT', null]);
    expect(answer.text).not.toContain('MARKER-0003');
    expect(await countOf()).toBe(before);
  });
});

describe('everything else', () => {
  test('is recorded as it was given', async () => {
    const project = await makeProject(server, account);
    const [role, other] = [await makeRole(server, []), await makeRole(server, ['CREDENTIAL_READ'])];
    const owner = await makeAccount(server, { kind: 'PERSON' });
    const given = {
      name: unique('whole'),
      description: 'Two\nlines',
      category: 'partner',
      fullName: 'Ada Lovelace',
      email: 'ada@example.com',
      retrievable: true,
    };
    const { credential } = await made({
      ...given,
      owner,
      project,
      roles: [role, other],
      secret: { accessKey: {} },
      rotationPolicy: { every: 'P30D', gracePeriod: 'PT1H' },
    });
    expect(credential).toMatchObject({
      ...given,
      account: { id: account },
      owner: { id: owner },
      project: { id: project },
      parent: null,
      rotation: null,
      lastUsedAt: null,
      revision: 1,
    });
    expect(credential.roles.map(({ id }: { id: string }) => id).sort()).toEqual([role, other].sort());
    expect(credential.rotationPolicy).toMatchObject({ every: 'P30D', gracePeriod: 'PT1H' });
    const dueMs = Date.parse(credential.rotationPolicy.nextAt) - Date.parse(inDays(30));
    expect(Math.abs(dueMs)).toBeLessThan(60_000);
    expect(await read(server, credential.id)).toEqual(credential);
  });

  test('a role that is named twice is BAD_USER_INPUT', async () => {
    const role = await makeRole(server, []);
    const answer = await make({ secret: { accessKey: {} }, roles: [role, role] });
    expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', ['input.roles']]);
  });

  test('S14: the answer is stored by nobody', async () => {
    const answer = await make({ secret: { accessKey: {} } });
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  test('S60: leaves one audit row', async () => {
    const { credential } = await made({ secret: { accessKey: {} } });
    const audit = await server.ask(
      'query ($id: ID!) { auditEvents(filter: { target: [$id] }) { nodes { action outcome } } }',
      { id: credential.id },
    );
    expect(expectData(audit).auditEvents.nodes).toEqual([{ action: 'credential:create', outcome: 'DONE' }]);
  });

  test('is FORBIDDEN to one who may see the account and not create there', async () => {
    const { token } = await makeCaller(server, ['ACCOUNT_READ'], { onAccount: account });
    const before = await countOf();
    const answer = await create(server, { account, name: 'x', secret: { accessKey: {} } }, { token });
    expect(answer.code).toBe('FORBIDDEN');
    expect(await countOf()).toBe(before);
  });

  test('S30: answers NOT_FOUND for an account that the caller may not see', async () => {
    const { token } = await makeCaller(server, ['CREDENTIAL_CREATE'], {
      onAccount: await makeAccount(server),
    });
    const answer = await create(server, { account, name: 'x', secret: { accessKey: {} } }, { token });
    expect(answer.code).toBe('NOT_FOUND');
  });
});

const fromEntries = (keys: { name: string; value: string }[]) =>
  Object.fromEntries(keys.map(({ name, value }) => [name, value]));
