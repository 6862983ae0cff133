import { readFileSync } from 'node:fs';
import { buildSchema, isInputObjectType, isObjectType } from 'graphql';
import { makeStore, seqeraAt } from '../stores/stores.js';
import { expectData, makeAccount, makeCaller, makeCredential } from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import { startSeqera, type Seqera } from '../upstreams/seqera.js';

// What callers give is not taken and then never shown: whoever may see the thing can read it back.

let server: SharedServer;
let seqera: Seqera;
beforeAll(async () => {
  server = await sharedServer();
  seqera = await startSeqera({ workspaces: ['4242', '4343'] });
});
afterAll(() => seqera.stop());

const types = buildSchema(readFileSync('schema.graphql', 'utf8')).getTypeMap();
const fieldsOf = (name: string): string[] => {
  const type = types[name];
  if (!isObjectType(type) && !isInputObjectType(type)) throw new Error(`${name} is no type with fields`);
  return Object.keys(type.getFields());
};

/** What is about the request itself, or a secret, or is shown by another name or in another form. */
const elsewhere: Record<string, string[]> = {
  CreateCredentialInput: ['idempotencyKey', 'mfaCode', 'secret'],
  UpdateCredentialInput: ['idempotencyKey', 'expectedRevision', 'mfaCode', 'overwriteSecret', 'secret'],
  RevokeCredentialInput: ['idempotencyKey', 'reason'], // revokeReason
  IssueTemporaryCredentialInput: ['idempotencyKey', 'duration', 'mfaCode', 'storeMfa', 'credential'], // expiresAt, parent
  AccessKeyInput: ['prefix', 'scheme'], // secretPrefix, signatureScheme
  TokenInput: ['prefix'],
  PasswordInput: ['username', 'password'], // accessKey
  CreateAccountInput: ['idempotencyKey', 'mfaCode'],
  UpdateAccountInput: ['idempotencyKey', 'mfaCode'],
  CreateProjectInput: ['idempotencyKey'],
  UpdateProjectInput: ['idempotencyKey'],
  CreateRoleInput: ['idempotencyKey'],
  UpdateRoleInput: ['idempotencyKey', 'mfaCode'],
  CreateStoreInput: ['idempotencyKey', 'connection'], // settings
  UpdateStoreInput: ['idempotencyKey', 'connection', 'mfaCode'],
};
const nouns: [RegExp, string][] = [
  [/Account/, 'Account'],
  [/Project/, 'Project'],
  [/Role/, 'Role'],
  [/Store/, 'CredentialStore'],
  [/./, 'Credential'],
];

test.each(
  Object.keys(elsewhere).map((input) => {
    const [, noun = ''] =
      nouns.find(([names]) => names.test(input.replace(/Input$/, '').replace('Temporary', ''))) ?? [];
    return { input, noun };
  }),
)('each field of $input can be read of $noun', ({ input, noun }) => {
  const of = input === 'AccessKeyInput' ? 'Credential' : noun;
  const shown = [...fieldsOf(of), ...(elsewhere[input] ?? [])];
  expect(fieldsOf(input).filter((name) => !shown.includes(name))).toEqual([]);
});

test('why a credential was revoked', async () => {
  const account = await makeAccount(server);
  const revoke = `mutation ($id: ID!, $reason: String) { revokeCredential(input: { id: $id, reason: $reason }) {
    credential { revokeReason } } }`;
  for (const reason of ['Ada left the team.', null]) {
    const { id } = await makeCredential(server, account);
    expect(expectData(await server.ask(revoke, { id, reason })).revokeCredential.credential).toEqual({
      revokeReason: reason,
    });
    const read = await server.ask('query ($id: ID!) { credential(id: $id) { revokeReason } }', { id });
    expect(expectData(read).credential.revokeReason).toBe(reason);
  }
});

test.each([
  [
    { accessKey: { secretFormat: 'HEX', prefix: 'acme' } },
    { permissions: null, secretPrefix: 'acme', secretFormat: 'HEX' },
  ],
  [{ accessKey: {} }, { permissions: null, secretPrefix: null, secretFormat: 'BASE62' }],
  [
    { token: { permissions: ['CREDENTIAL_READ', 'ACCOUNT_READ'], prefix: 'acme' } },
    { permissions: ['CREDENTIAL_READ', 'ACCOUNT_READ'], secretPrefix: 'acme', secretFormat: null },
  ],
  [{ token: {} }, { permissions: null, secretPrefix: null, secretFormat: null }],
])('what the secret %j was asked for with', async (secret, shown) => {
  const { id } = await makeCredential(server, await makeAccount(server), { secret });
  const text = 'query ($id: ID!) { credential(id: $id) { permissions secretPrefix secretFormat } }';
  expect(expectData(await server.ask(text, { id })).credential).toEqual(shown);
});

test('how a store is reached, to whoever may change it, and never what Keyway proves itself with', async () => {
  const account = await makeAccount(server);
  const workspaces = ['4242', '4343'];
  const id = await makeStore(server, account, seqeraAt(seqera, { workspaces }));
  const text = `query ($id: ID!) { node(id: $id) { ... on CredentialStore {
    account { id } settings { name values } } } }`;
  const seen = async (token?: string) => {
    const answer = await server.ask(text, { id }, token === undefined ? {} : { token });
    expect(answer.text).not.toContain(seqera.token);
    return expectData(answer).node;
  };
  const all = {
    account: { id: account },
    settings: [
      { name: 'endpoint', values: [expect.stringContaining('127.0.0.1')] },
      { name: 'workspaces', values: workspaces },
    ],
  };
  expect(await seen()).toEqual(all);
  const manager = await makeCaller(server, ['CREDENTIAL_READ', 'ACCOUNT_READ', 'STORE_MANAGE'], {
    onAccount: account,
  });
  expect(await seen(manager.token)).toEqual(all);
  const reader = await makeCaller(server, ['CREDENTIAL_READ', 'ACCOUNT_READ'], { onAccount: account });
  expect(await seen(reader.token)).toEqual({ account: { id: account }, settings: null });
  const { stores } = expectData(await server.ask('{ stores { kind account { id } settings { name } } }'));
  expect(stores.find(({ kind }: { kind: string }) => kind === 'BUILT_IN')).toEqual({
    kind: 'BUILT_IN',
    account: null,
    settings: null,
  });
});
