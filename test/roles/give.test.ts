import { inDays } from '../credentials/verbs.js';
import {
  expectData,
  grant,
  makeAccount,
  makeCaller,
  makeCredential,
  makeRole,
  unique,
} from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import { roleNamed } from '../support/tenant.js';
import { readNode, run } from '../support/verbs.js';

// Who gives a role: to a credential, by creating or changing it, and to an account, by a grant.

let server: SharedServer;
beforeAll(async () => {
  server = await sharedServer();
});

const pair = { accessKey: {} };
const make = (account: string, roles: string[], token: string, more = {}) =>
  run(server, 'createCredential', { account, name: unique('key'), secret: pair, roles, ...more }, { token });
const codeOf = async (...given: Parameters<typeof make>) => (await make(...given)).code;
const namesOn = async (credential: string) =>
  (await readNode(server, credential, '... on Credential { roles { name } }')).roles.map(
    ({ name }: { name: string }) => name,
  );

/** An organization, and somebody in it who makes and changes credentials on an account of its own. */
async function person(permissions: string[] = []) {
  const organization = await makeAccount(server);
  const { id, token } = await makeCaller(server, [], {}, { parent: organization });
  const making = ['CREDENTIAL_CREATE', 'CREDENTIAL_UPDATE', 'CREDENTIAL_READ', ...permissions];
  await grant(server, id, await makeRole(server, making), { onAccount: id });
  return { organization, id, token };
}

describe('S38: a role that means something to services alone', () => {
  test.each([
    ['of the organization', (account: string) => ({ account })],
    ['for all accounts', () => ({})],
  ])('%s is given to no key by whoever makes keys', async (_, home) => {
    const { organization, id, token } = await person(['ROLE_READ']);
    const role = await makeRole(server, [], home(organization));
    // By a credential that carries it the role is seen, and by ROLE_READ one that is for all.
    await makeCredential(server, id, { roles: [role] });
    const key = await makeCredential(server, id);
    expect(await codeOf(id, [role], token)).toBe('FORBIDDEN');
    const updated = await run(server, 'updateCredential', { id: key.id, roles: [role] }, { token });
    expect(updated.code).toBe('FORBIDDEN');
    expect(await namesOn(key.id)).toEqual([]);
  });

  test('is given by who holds it, there and below, from then on until it is withdrawn', async () => {
    const { organization, id, token } = await person();
    const role = await makeRole(server, [], { account: organization });
    const held = await grant(server, id, role, { onAccount: organization });
    expect(await codeOf(id, [role], token)).toBeUndefined();
    expectData(await run(server, 'withdrawRole', { grant: held }));
    expect(await codeOf(id, [role], token)).toBe('FORBIDDEN');
    // Elsewhere is not there.
    const other = await makeAccount(server, { parent: organization });
    await grant(server, id, role, { onAccount: other });
    expect(await codeOf(id, [role], token)).toBe('FORBIDDEN');
  });

  test('is given by who has ROLE_GIVE where it lives, not where it is to be used', async () => {
    const { organization, id, token } = await person(['ROLE_GIVE']);
    const above = await makeRole(server, [], { account: organization });
    const everywhere = await makeRole(server, []);
    const own = await makeRole(server, [], { account: id });
    await makeCredential(server, id, { roles: [above, everywhere] });
    for (const role of [above, everywhere]) expect(await codeOf(id, [role], token)).toBe('FORBIDDEN');
    expect(await codeOf(id, [own], token)).toBeUndefined();
    await grant(server, id, await makeRole(server, ['ROLE_GIVE']), { onAccount: organization });
    expect(await codeOf(id, [above], token)).toBeUndefined();
    expect(await codeOf(id, [everywhere], token)).toBe('FORBIDDEN');
  });

  test('stays on a credential that is changed by others', async () => {
    const { organization, id, token } = await person();
    const role = await makeRole(server, [], { account: organization });
    const key = await makeCredential(server, id, { roles: [role] });
    await makeCredential(server, id, { roles: [role] });
    const change = { id: key.id, roles: [role], description: 'Another' };
    expectData(await run(server, 'updateCredential', change, { token }));
    expect(await namesOn(key.id)).toHaveLength(1);
    expectData(await run(server, 'updateCredential', { id: key.id, roles: [] }, { token }));
    expect((await run(server, 'updateCredential', change, { token })).code).toBe('FORBIDDEN');
  });

  test('is granted to no account by who manages roles below its home', async () => {
    const { organization, id, token } = await person(['ROLE_MANAGE', 'ROLE_GIVE']);
    const role = await makeRole(server, [], { account: organization });
    await makeCredential(server, id, { roles: [role] });
    const given = { account: id, role, onAccount: id };
    expect((await run(server, 'grantRole', given, { token })).code).toBe('FORBIDDEN');
    await grant(server, id, role, { onAccount: id });
    const { token: other, id: account } = await makeCaller(server, [], {}, { parent: id });
    expectData(await run(server, 'grantRole', { ...given, account, onAccount: account }, { token }));
    await grant(server, account, await makeRole(server, ['CREDENTIAL_CREATE']), { onAccount: account });
    expect(await codeOf(account, [role], other)).toBeUndefined();
  });
});

describe('S38: what is less than its account gives no role that it has not', () => {
  test('a token that is narrowed gives by its permissions alone', async () => {
    const { organization, id, token } = await person(['ROLE_GIVE']);
    const [held, own] = [
      await makeRole(server, [], { account: organization }),
      await makeRole(server, [], { account: id }),
    ];
    await grant(server, id, held, { onAccount: id });
    const narrowed = async (permissions: string[]) => {
      const made = await makeCredential(server, id, { secret: { token: { permissions } } });
      return made.secret ?? '';
    };
    const without = await narrowed(['CREDENTIAL_CREATE']);
    const giving = await narrowed(['CREDENTIAL_CREATE', 'ROLE_GIVE', 'ROLE_READ']);
    for (const role of [held, own]) expect(await codeOf(id, [role], token)).toBeUndefined();
    expect(await codeOf(id, [own], without)).not.toBeUndefined();
    expect(await codeOf(id, [held], giving)).not.toBeUndefined();
    expect(await codeOf(id, [own], giving)).toBeUndefined();
  });

  test('nobody makes a token that could give a role which they may not give', async () => {
    const { organization, id, token } = await person();
    const role = await makeRole(server, [], { account: organization });
    const giver = await makeAccount(server, { kind: 'PERSON', parent: id });
    const making = await makeRole(server, ['CREDENTIAL_CREATE', 'CREDENTIAL_READ']);
    await grant(server, giver, making, { onAccount: giver });
    const mint = () =>
      run(server, 'createCredential', { account: giver, name: 'token', secret: { token: {} } }, { token });
    expectData(await mint());
    const held = await grant(server, giver, role, { onAccount: giver });
    expect((await mint()).code).toBe('FORBIDDEN');
    // What cannot give anything is no way around.
    const reading = { token: { permissions: ['CREDENTIAL_READ'] } };
    expectData(
      await run(server, 'createCredential', { account: giver, name: 'reads', secret: reading }, { token }),
    );
    await grant(server, id, role, { onAccount: id });
    expectData(await mint());
    expectData(await run(server, 'withdrawRole', { grant: held }));
  });
});

describe('a role with permissions', () => {
  test('of one’s own takes each of them, and to be the caller’s to give', async () => {
    const { organization, id, token } = await person(['ROLE_GIVE']);
    const own = await makeRole(server, ['CREDENTIAL_READ'], { account: id });
    const more = await makeRole(server, ['CREDENTIAL_REVEAL'], { account: id });
    const above = await makeRole(server, ['CREDENTIAL_READ'], { account: organization });
    await makeCredential(server, id, { roles: [above] });
    const ending = { expiresAt: inDays(0.5) };
    expect(await codeOf(id, [own], token, ending)).toBeUndefined();
    for (const role of [more, above]) expect(await codeOf(id, [role], token, ending)).toBe('FORBIDDEN');
  });

  test('that is built in takes its permissions alone, as it stands for nothing else', async () => {
    const { id, token } = await person(['ACCOUNT_READ', 'PROJECT_READ', 'ROLE_READ']);
    const [reader, auditor] = [
      await roleNamed(server, 'KEYWAY_READER'),
      await roleNamed(server, 'KEYWAY_AUDITOR'),
    ];
    const ending = { expiresAt: inDays(0.5) };
    expect(await codeOf(id, [reader], token, ending)).toBeUndefined();
    expect(await codeOf(id, [auditor], token, ending)).toBe('FORBIDDEN');
  });
});

test('an administrator of an organization does in it all that it takes to have roles', async () => {
  const organization = await makeAccount(server);
  const { id, token } = await makeCaller(server, [], {}, { parent: organization });
  await grant(server, id, await roleNamed(server, 'KEYWAY_ADMIN'), { onAccount: organization });
  const made = await server.ask(
    `mutation ($input: CreateRoleInput!) { createRole(input: $input) { role { id account { id } store { id } } } }`,
    { input: { name: unique('BILLING'), permissions: [], account: organization } },
    { token },
  );
  const { role } = expectData(made).createRole;
  expect(role).toEqual({ id: role.id, account: { id: organization }, store: null });
  expect(await codeOf(organization, [role.id], token)).toBeUndefined();
  const onAccount = organization;
  expectData(await run(server, 'grantRole', { account: id, role: role.id, onAccount }, { token }));
  const reader = await roleNamed(server, 'KEYWAY_READER');
  expectData(await run(server, 'grantRole', { account: id, role: reader, onAccount }, { token }));
  expectData(await run(server, 'updateRole', { id: role.id, permissions: ['CREDENTIAL_READ'] }, { token }));
});

test('what the administrator did before roles had homes goes on as it was', async () => {
  const account = await makeAccount(server);
  const name = unique('API_USER');
  const role = await makeRole(server, [], { name });
  const key = await makeCredential(server, account, { roles: [role] });
  expect(await namesOn(key.id)).toEqual([name]);
  expectData(await run(server, 'updateCredential', { id: key.id, roles: [] }));
  expectData(await run(server, 'updateCredential', { id: key.id, roles: [role] }));
  for (const place of [{}, { onAccount: account }])
    expectData(await run(server, 'grantRole', { account, role, ...place }));
  expectData(await run(server, 'updateRole', { id: role, description: 'Calls' }));
  const verified = await server.ask(
    `mutation ($input: VerifyCredentialInput!) { verifyCredential(input: $input) { code credential { roles { name } } } }`,
    { input: { accessKey: key.accessKey, proof: { secret: key.secret }, roles: [name] } },
  );
  expect(expectData(verified).verifyCredential).toEqual({
    code: 'VALID',
    credential: { roles: [{ name }] },
  });
  expect(await roleNamed(server, name)).toBe(role);
});
