import { readConfig } from '../../src/config/config.js';

const issuer = 'https://id.example.com';
const [client, parent, other] = ['A', 'B', 'C'].map((end) => `acct_000000000000000000000${end}`);
const role = 'role_000000000000000000000A';
const project = 'proj_000000000000000000000A';

const read = (...directories: unknown[]) =>
  readConfig({
    KEYWAY_JWT_ISSUERS: JSON.stringify([{ issuer, audience: 'keyway' }]),
    KEYWAY_SCIM: JSON.stringify(directories),
  }).scim;

test('a directory needs its client and its parent', () => {
  expect(read({ client, parent })).toEqual([
    { client, parent, issuer: undefined, subject: 'externalId', heir: undefined, roles: [] },
  ]);
});

test('a directory may name an issuer, an heir, and what its groups bring', () => {
  const roles = [
    { group: 'Operators', role, onAccount: parent },
    { group: 'Readers', role, onProject: project },
    { group: 'Administrators', role, everywhere: true },
  ];
  expect(read({ client, parent, issuer, subject: 'userName', heir: other, roles })).toEqual([
    {
      client,
      parent,
      issuer,
      subject: 'userName',
      heir: other,
      roles: [
        { group: 'Operators', role, onAccount: parent, onProject: null },
        { group: 'Readers', role, onAccount: null, onProject: project },
        { group: 'Administrators', role, onAccount: null, onProject: null },
      ],
    },
  ]);
});

test.each([
  ['no list', 'client-value', /must be a JSON list of directories/],
  ['no object', ['client-value'], /\[0\] an object/],
  ['no client', [{ parent }], /\[0\]\.client the id of an account/],
  ['no parent', [{ client, parent: role }], /\[0\]\.parent the id of an account/],
  [
    'an issuer that is not configured',
    [{ client, parent, issuer: 'https://other-value' }],
    /\.issuer an issuer/,
  ],
  ['another subject', [{ client, parent, subject: 'emails-value' }], /\.subject externalId or userName/],
  ['no heir', [{ client, parent, heir: 'heir-value' }], /\.heir the id of an account/],
  ['a role without a place', [{ client, parent, roles: [{ group: 'x-value', role }] }], /\.roles a list/],
  [
    'a role at two places',
    [{ client, parent, roles: [{ group: 'x', role, onAccount: parent, everywhere: true }] }],
    /\.roles a list/,
  ],
  ['another member', [{ client, parent, member: 'x-value' }], /no members but client, parent/],
  [
    'a client twice',
    [
      { client, parent },
      { client, parent: other },
    ],
    /\[1\]\.client another than before/,
  ],
  [
    'a parent twice',
    [
      { client, parent },
      { client: other, parent },
    ],
    /\[1\]\.parent another than before/,
  ],
])('refuses %s, without its value', (_, given, told) => {
  const environment = {
    KEYWAY_JWT_ISSUERS: JSON.stringify([{ issuer, audience: 'keyway' }]),
    KEYWAY_SCIM: typeof given === 'string' ? given : JSON.stringify(given),
  };
  expect(() => readConfig(environment)).toThrow(told);
  expect(() => readConfig(environment)).not.toThrow(/-value/);
});
