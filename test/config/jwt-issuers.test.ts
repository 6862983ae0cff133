import { readConfig } from '../../src/config/config.js';

const one = {
  issuer: 'https://id.example.com',
  jwks: 'https://id.example.com/.well-known/jwks.json',
  audience: 'keyway',
  algorithms: ['ES256'],
};

const read = (issuers: unknown, more: Record<string, string> = {}) =>
  readConfig({ KEYWAY_JWT_ISSUERS: typeof issuers === 'string' ? issuers : JSON.stringify(issuers), ...more })
    .jwtIssuers;

/** What is told of a configuration, line by line; nothing of a good one. */
function faultsOf(...given: Parameters<typeof read>): string[] {
  try {
    read(...given);
  } catch (error) {
    return (error as Error).message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
  return [];
}

test('issuers are read, with one audience or several', () => {
  const other = {
    ...one,
    issuer: 'accounts.example.org',
    audience: ['a', 'b'],
    algorithms: ['EdDSA', 'PS256'],
    longestLifetimeHours: 168,
    largestTokenBytes: 1_024,
  };
  const [bearerFile, certificateAuthorityFile] = [undefined, undefined];
  const caller = {
    claim: ['sub'],
    unverifiedEmail: false,
    require: [],
    roles: [],
    accounts: undefined,
    console: undefined,
  };
  const rest = { bearerFile, certificateAuthorityFile, ...caller };
  const usual = { ...rest, longestLifetimeHours: 25, largestTokenBytes: 16_384 };
  const keys = { address: one.jwks };
  expect(read([one, other])).toEqual([
    { issuer: one.issuer, keys, audiences: ['keyway'], algorithms: ['ES256'], ...usual },
    {
      issuer: other.issuer,
      keys,
      audiences: ['a', 'b'],
      algorithms: ['EdDSA', 'PS256'],
      ...rest,
      longestLifetimeHours: 168,
      largestTokenBytes: 1_024,
    },
  ]);
  expect(read('[]')).toEqual([]);
});

test('an issuer and an audience are enough', () => {
  const all = ['EdDSA', 'ES256', 'ES384', 'PS256', 'PS384', 'RS256', 'RS384', 'RS512'];
  expect(read([{ issuer: one.issuer, audience: 'keyway' }])).toMatchObject([
    { issuer: one.issuer, keys: 'discovered', audiences: ['keyway'], algorithms: all },
  ]);
});

test('a claim names the caller, and others are required, by their names or by the names that lead to them', () => {
  const serviceAccount = ['kubernetes.io', 'serviceaccount', 'uid'];
  expect(
    read([
      { ...one, claim: 'email', unverifiedEmail: true, require: [{ claim: 'hd', is: 'example.com' }] },
      { ...one, issuer: 'b', claim: serviceAccount, require: [{ claim: ['a', 'b'], is: [1, true, 'c'] }] },
    ]),
  ).toMatchObject([
    { claim: ['email'], unverifiedEmail: true, require: [{ claim: ['hd'], is: ['example.com'] }] },
    { claim: serviceAccount, unverifiedEmail: false, require: [{ claim: ['a', 'b'], is: [1, true, 'c'] }] },
  ]);
});

const role = { claim: 'groups', is: 'ops', role: `role_${'a'.repeat(22)}` };
const onAccount = `acct_${'b'.repeat(22)}`;

test('accounts are made by a rule', () => {
  const rule = { parent: onAccount, kind: 'SERVICE', name: 'acme-2', most: 7 };
  const asked = [{ claim: 'groups', is: 'users' }];
  expect(
    [
      { parent: onAccount, when: asked },
      { ...rule, title: ['a', 'b'], when: asked },
    ].map((accounts) => read([{ ...one, accounts }])[0]?.accounts),
  ).toEqual([
    {
      parent: onAccount,
      kind: 'PERSON',
      name: 'user',
      title: ['name'],
      when: [{ claim: ['groups'], is: ['users'] }],
      most: 1_000,
    },
    { ...rule, title: ['a', 'b'], when: [{ claim: ['groups'], is: ['users'] }] },
  ]);
});

test('whoever is asked for by require needs no when', () => {
  const [issuer] = read([{ ...one, require: [{ claim: 'hd', is: 'a' }], accounts: { parent: onAccount } }]);
  expect(issuer?.accounts?.when).toEqual([]);
});

test('unverified addresses may do wherever an address is asked for', () => {
  const asked = { claim: 'email', is: 'ada@example.com' };
  for (const more of [
    { require: [asked] },
    { roles: [{ ...role, ...asked, onAccount }] },
    { accounts: { parent: onAccount, when: [asked] } },
  ])
    expect(read([{ ...one, ...more, unverifiedEmail: true }])[0]?.unverifiedEmail).toBe(true);
});

test('claims bring roles at one place each', () => {
  const onProject = `proj_${'c'.repeat(22)}`;
  const none = { onAccount: null, onProject: null, everywhere: false };
  const given = [
    { ...role, onAccount },
    { ...role, onProject },
    { ...role, everywhere: true },
  ];
  const expected = given.map((one) => ({ ...none, ...one, claim: ['groups'], is: ['ops'] }));
  expect(read([{ ...one, roles: given }])[0]?.roles).toEqual(expected);
});

const ownKeys = { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' };

test('keys stand in a file, or in the setting itself; an address may want a token, and have its own authority', () => {
  const { issuer, audience } = one;
  const inline = { keys: [ownKeys] };
  const files = { bearerFile: '/run/token', certificateAuthorityFile: '/run/ca.crt' };
  expect(
    read([
      { issuer: 'a', audience, jwksFile: '/run/keys.json' },
      { issuer: 'b', audience, jwks: inline },
      { issuer, audience, ...files },
      { ...one, issuer: 'c', ...files },
    ]),
  ).toMatchObject([
    { keys: { file: '/run/keys.json' } },
    { keys: { inline } },
    { keys: 'discovered', ...files },
    { keys: { address: one.jwks }, ...files },
  ]);
});

test.each<[string, unknown, string]>([
  ['no JSON', '[mark', 'must be a JSON list of issuers'],
  ['no list', one, 'must be a JSON list of issuers'],
  ['no object', ['mark'], 'must have at [0] an object'],
  ['null', [null], 'must have at [0] an object'],
  [
    'half a character in an address',
    `[${JSON.stringify(one).replace('.well', '\\ud800')}]`,
    'must have at [0].jwks',
  ],
  ['an unknown member', [{ ...one, mark: 1 }], 'must have at [0] no members but'],
  ...[0, 169, 1.5, '25', null].map((longestLifetimeHours): [string, unknown, string] => [
    `a lifetime of ${longestLifetimeHours}`,
    [{ ...one, longestLifetimeHours }],
    'must have at [0].longestLifetimeHours a whole number from 1 to 168',
  ]),
  ...[1_023, 49_153, '16384', null].map((largestTokenBytes): [string, unknown, string] => [
    `a size of ${largestTokenBytes}`,
    [{ ...one, largestTokenBytes }],
    'must have at [0].largestTokenBytes a whole number from 1024 to 49152',
  ]),
  ...[
    null,
    '',
    [],
    7,
    ['a', 7],
    'aud',
    'jti',
    'name',
    'preferred_username',
    'upn',
    ['nickname'],
    ['user', 'name'],
  ].map((claim): [string, unknown, string] => [
    `a claim ${JSON.stringify(claim)}`,
    [{ ...one, claim }],
    'must have at [0].claim the name of a claim',
  ]),
  [
    'an e-mail address that names nobody',
    [{ ...one, unverifiedEmail: true }],
    'must have at [0].unverifiedEmail',
  ],
  [
    'half a yes to unverified addresses',
    [{ ...one, claim: 'email', unverifiedEmail: 'mark' }],
    'must have at [0].unverifiedEmail true or false',
  ],
  ...[
    'mark',
    ['mark'],
    [null],
    [{ claim: 'mark' }],
    [{ is: 'mark' }],
    [{ claim: 'a', is: [] }],
    [{ claim: 'a', is: null }],
    [{ claim: 'a', is: ['b', {}] }],
    [{ claim: 'a', is: 'b', mark: 'c' }],
    [{ claim: 'preferred_username', is: 'mark' }],
    [{ claim: ['user', 'name'], is: 'mark' }],
  ].map((require): [string, unknown, string] => [
    `a requirement of ${JSON.stringify(require)}`,
    [{ ...one, require }],
    'must have at [0].require a list of objects',
  ]),
  ...[
    'mark',
    [null],
    [role],
    [{ ...role, everywhere: false }],
    [{ ...role, everywhere: 'mark' }],
    [{ ...role, onAccount, everywhere: true }],
    [{ ...role, onAccount: 'mark' }],
    [{ ...role, onProject: onAccount }],
    [{ ...role, onAccount, role: 'mark' }],
    [{ ...role, onAccount, claim: undefined }],
    [{ ...role, onAccount, is: [] }],
    [{ ...role, onAccount, claim: 'nickname' }],
    [{ ...role, onAccount, mark: 1 }],
    Array.from({ length: 101 }, () => ({ ...role, onAccount })),
  ].map((roles): [string, unknown, string] => [
    `roles that are ${JSON.stringify(roles).slice(0, 80)}`,
    [{ ...one, roles }],
    'must have at [0].roles a list of at most 100 objects',
  ]),
  ...[
    null,
    'mark',
    {},
    { parent: 'mark' },
    { parent: role.role },
    { parent: onAccount, kind: 'ORGANIZATION' },
    { parent: onAccount, name: '' },
    { parent: onAccount, name: 'Mark' },
    { parent: onAccount, name: 'm'.repeat(33) },
    { parent: onAccount, title: 7 },
    { parent: onAccount, when: 'mark' },
    { parent: onAccount, when: [{ claim: 'mark' }] },
    { parent: onAccount, when: [{ claim: 'name', is: 'mark' }] },
    { parent: onAccount, most: 0 },
    { parent: onAccount, most: 100_001 },
    { parent: onAccount, mark: 1 },
  ].map((accounts): [string, unknown, string] => [
    `accounts that are ${JSON.stringify(accounts)}`,
    [{ ...one, require: [{ claim: 'a', is: 'b' }], accounts }],
    'must have at [0].accounts where claim is not email',
  ]),
  ...[{}, { require: [] }, { claim: 'email', require: [{ claim: 'a', is: 'b' }] }].map(
    (more): [string, unknown, string] => [
      `accounts for anybody, or by addresses: ${JSON.stringify(more)}`,
      [{ ...one, accounts: { parent: onAccount }, ...more }],
      'must have at [0].accounts where claim is not email',
    ],
  ),
  ['no issuer', [{ ...one, issuer: undefined }], 'must have at [0].issuer'],
  ['an empty issuer', [{ ...one, issuer: '' }], 'must have at [0].issuer'],
  ['an issuer that is too long', [{ ...one, issuer: 'mark'.repeat(64) }], 'must have at [0].issuer'],
  ['an issuer with a line end', [{ ...one, issuer: 'mark\n' }], 'must have at [0].issuer'],
  ['an http issuer', [{ ...one, issuer: 'http://mark.example' }], 'must have at [0].issuer'],
  [
    'the same issuer again',
    [one, { ...one, jwks: 'https://mark.example' }],
    'must have at [1].issuer another',
  ],
  ...['id.mark.example', 'https://id.mark.example/?a=b', 'https://id.mark.example/#a', 'urn:mark'].map(
    (issuer): [string, unknown, string] => [
      `no address of keys where the issuer is ${issuer}`,
      [{ ...one, issuer, jwks: undefined }],
      'must have at [0].jwks an https address',
    ],
  ),
  ...[
    null,
    [],
    {},
    { keys: {} },
    { keys: [] },
    { keys: ['mark'] },
    { keys: [{ ...ownKeys, kty: 'oct' }] },
  ].map((jwks): [string, unknown, string] => [
    `keys that are ${JSON.stringify(jwks)}`,
    [{ ...one, jwks }],
    'must have at [0].jwks an https address, or a set of public keys',
  ]),
  ['a private key', [{ ...one, jwks: { keys: [{ ...ownKeys, d: 'mark' }] } }], 'must have at [0].jwks'],
  ['keys in two places', [{ ...one, jwksFile: '/mark' }], 'must have at [0].jwksFile the absolute path'],
  ['a relative path', [{ ...one, jwks: undefined, jwksFile: './mark' }], 'must have at [0].jwksFile'],
  ['a path that is no text', [{ ...one, jwks: undefined, jwksFile: 7 }], 'must have at [0].jwksFile'],
  [
    'a relative path of a token',
    [{ ...one, bearerFile: 'mark' }],
    'must have at [0].bearerFile the absolute',
  ],
  [
    'a token for a file',
    [{ ...one, jwks: undefined, jwksFile: '/mark', bearerFile: '/mark' }],
    'must have at [0].bearerFile',
  ],
  [
    'an authority for keys that are at hand',
    [{ ...one, jwks: { keys: [ownKeys] }, certificateAuthorityFile: '/mark' }],
    'must have at [0].certificateAuthorityFile',
  ],
  ['an http address', [{ ...one, jwks: 'http://mark.example/' }], 'must have at [0].jwks an https address'],
  ['a file', [{ ...one, jwks: 'file:///mark' }], 'must have at [0].jwks an https address'],
  ['an address with a user', [{ ...one, jwks: 'https://mark@a.example/' }], 'must have at [0].jwks'],
  ['a fragment', [{ ...one, jwks: 'https://a.example/#mark' }], 'must have at [0].jwks an https address'],
  ['no audience', [{ ...one, audience: undefined }], 'must have at [0].audience'],
  ['an empty list of audiences', [{ ...one, audience: [] }], 'must have at [0].audience'],
  ['an audience that is no text', [{ ...one, audience: ['mark', 7] }], 'must have at [0].audience'],
  ['no list of algorithms', [{ ...one, algorithms: null }], 'must have at [0].algorithms a list out of'],
  ['an empty list of algorithms', [{ ...one, algorithms: [] }], 'must have at [0].algorithms'],
  ['one algorithm that is no list', [{ ...one, algorithms: 'ES256' }], 'must have at [0].algorithms'],
  ['HS256', [{ ...one, algorithms: ['ES256', 'HS256'] }], 'must have at [0].algorithms'],
  ['none', [{ ...one, algorithms: ['none'] }], 'must have at [0].algorithms'],
])('%s is a fault, told without its value', (_, issuers, told) => {
  const faults = faultsOf(issuers);
  expect(faults).toEqual([expect.stringContaining(`KEYWAY_JWT_ISSUERS ${told}`)]);
  expect(faults.join()).not.toContain('mark');
});

test('all faults of all issuers are told at once', () => {
  expect(faultsOf([{}, { ...one, jwks: 7 }])).toHaveLength(4);
});

test('with the setting for trials, http will do', () => {
  const local = { KEYWAY_OUTBOUND_LOCAL: 'true' };
  const issuers = [{ ...one, issuer: 'http://localhost:8080', jwks: 'http://localhost:8080/keys' }];
  expect(faultsOf(issuers)).toHaveLength(2);
  expect(faultsOf(issuers, local)).toEqual([]);
  expect(faultsOf([{ ...one, jwks: 'ftp://localhost/keys' }], local)).toHaveLength(1);
});

describe('how people sign in to the console', () => {
  const { issuer } = one;
  const by = (console: unknown) => [{ ...one, console }];

  test('a client is enough', () => {
    expect(read(by({ clientId: 'keyway-console' }))[0]?.console).toEqual({
      issuer,
      clientId: 'keyway-console',
      name: 'id.example.com',
      scope: 'openid',
      parameters: {},
      token: 'access',
      origins: [],
    });
  });

  test('all of it can be said', () => {
    const all = {
      clientId: 'keyway-console',
      name: 'Acme',
      scope: 'openid profile',
      parameters: { audience: 'keyway' },
      token: 'id',
      origins: ['https://login.example.com'],
    };
    expect(read(by(all))[0]?.console).toEqual({ issuer, ...all });
  });

  test.each([
    [true],
    [{}],
    [{ clientId: '' }],
    [{ clientId: 'x', name: '' }],
    [{ clientId: 'x', secret: 'y' }],
    [{ clientId: 'x', scope: 'profile' }],
    [{ clientId: 'x', parameters: { redirect_uri: 'https://other.example.com' } }],
    [{ clientId: 'x', parameters: { audience: 1 } }],
    [{ clientId: 'x', token: 'refresh' }],
    [{ clientId: 'x', origins: ["https://login.example.com; script-src 'unsafe-inline'"] }],
    [{ clientId: 'x', origins: ['https://login.example.com/path'] }],
    [{ clientId: 'x', origins: ['https://*'] }],
    [{ clientId: 'x', origins: ['https://*.example.com'] }],
    [{ clientId: 'x', origins: ['https://a;sandbox'] }],
    [{ clientId: 'x', origins: ['https://a,b'] }],
    [{ clientId: 'x', origins: ['http://login.example.com'] }],
  ])('%j is refused', (console) => {
    expect(faultsOf(by(console))).toEqual([expect.stringContaining('[0].console an object with clientId')]);
  });

  test.each(['accounts.example.org', 'https://a,b', 'https://id.example.com;script-src-elem'])(
    'at the issuer %s nobody signs in: it is no address that a policy can name',
    (name) => {
      const given = { ...one, issuer: name, console: { clientId: 'x' } };
      expect(faultsOf([given])).toEqual([expect.stringContaining('[0].console')]);
    },
  );
});
