import { Permission } from '../../src/access/principal.js';
import { expectData, grant, makeAccount, makeCaller, makeCredential, makeRole } from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import { readNode, run } from '../support/verbs.js';

// What was disabled acts again only by who may do all that it may: an account, and what calls as one.

let server: SharedServer;
beforeAll(async () => {
  server = await sharedServer();
});

const { ACCOUNT_MANAGE, CREDENTIAL_READ, CREDENTIAL_UPDATE, CREDENTIAL_ROTATE, CREDENTIAL_REVOKE } =
  Permission;
const owners = [CREDENTIAL_READ, CREDENTIAL_ROTATE, CREDENTIAL_REVOKE];

/** An organization with a part, and somebody with these permissions in it. */
async function parts(...permissions: Permission[]) {
  const organization = await makeAccount(server);
  const part = await makeAccount(server, { parent: organization });
  const caller = await makeCaller(server, permissions, { onAccount: organization });
  const codeOf = async (mutation: string, input: Record<string, unknown>) =>
    (await run(server, mutation, input, { token: caller.token })).code;
  const give = async (...more: Permission[]) =>
    grant(server, caller.id, await makeRole(server, more), { onAccount: organization });
  return { organization, part, caller, codeOf, give };
}

const off = async (mutation: 'updateAccount' | 'updateCredential', id: string) =>
  expectData(await run(server, mutation, { id, enabled: false }));

describe('updateAccount', () => {
  test.each(Object.values(Permission))(
    'S38: enables none that has %s, but by those who have it',
    async (held) => {
      const { organization, part, codeOf, give } = await parts(ACCOUNT_MANAGE);
      await grant(server, part, await makeRole(server, [held]), { onAccount: organization });
      await off('updateAccount', part);
      const enable = () => codeOf('updateAccount', { id: part, enabled: true });
      expect(await enable()).toBe(held === ACCOUNT_MANAGE ? undefined : 'FORBIDDEN');
      await give(held);
      expect(await enable()).toBeUndefined();
      expect(await readNode(server, part, '... on Account { enabled }')).toEqual({ enabled: true });
    },
  );

  test('S38: enables none that owns what the caller may not do as much to', async () => {
    const { organization, part, caller, codeOf, give } = await parts(ACCOUNT_MANAGE);
    const elsewhere = await makeAccount(server);
    await makeCredential(server, elsewhere, { owner: part });
    await off('updateAccount', part);
    const enable = () => codeOf('updateAccount', { id: part, enabled: true });
    expect(await enable()).toBe('FORBIDDEN');
    await give(...owners);
    expect(await enable()).toBe('FORBIDDEN');
    expect(await readNode(server, part, '... on Account { enabled }')).toEqual({ enabled: false });
    await grant(server, caller.id, await makeRole(server, owners), { onAccount: elsewhere });
    expect(await enable()).toBeUndefined();
    // What is no enabling takes no more than it did.
    const [one, other] = [await parts(ACCOUNT_MANAGE), await makeAccount(server, { parent: organization })];
    await makeCredential(server, one.part);
    expect(
      await one.codeOf('updateAccount', { id: one.part, enabled: true, title: 'As it was' }),
    ).toBeUndefined();
    expect(await one.codeOf('updateAccount', { id: one.part, enabled: false })).toBeUndefined();
    await off('updateAccount', other);
    expect(await codeOf('updateAccount', { id: other, enabled: true })).toBeUndefined();
  });

  test('S38: enables none that owns a token of others which may do more than the caller', async () => {
    const { organization, part, codeOf, give } = await parts(ACCOUNT_MANAGE, ...owners);
    const other = await makeAccount(server, { parent: organization });
    await grant(server, other, await makeRole(server, [CREDENTIAL_UPDATE]), { onAccount: organization });
    await makeCredential(server, other, { secret: { token: {} }, owner: part });
    await off('updateAccount', part);
    expect(await codeOf('updateAccount', { id: part, enabled: true })).toBe('FORBIDDEN');
    await give(CREDENTIAL_UPDATE);
    expect(await codeOf('updateAccount', { id: part, enabled: true })).toBeUndefined();
  });

  test('S38: enables none that holds a role which is not the caller’s to give', async () => {
    const { organization, part, codeOf, give } = await parts(ACCOUNT_MANAGE, CREDENTIAL_UPDATE);
    const meant = await makeRole(server, []);
    await grant(server, part, meant, { onAccount: organization });
    await grant(server, part, await makeRole(server, [CREDENTIAL_UPDATE]), { onAccount: organization });
    await off('updateAccount', part);
    expect(await codeOf('updateAccount', { id: part, enabled: true })).toBe('FORBIDDEN');
    await give(...Object.values(Permission));
    expect(await codeOf('updateAccount', { id: part, enabled: true })).toBe('FORBIDDEN');
    expectData(await run(server, 'updateAccount', { id: part, enabled: true }));
  });
});

describe('updateCredential', () => {
  const token = (permissions?: Permission[]) => ({ secret: { token: permissions ? { permissions } : {} } });

  test('S38: lets no token act again that may do more than the caller', async () => {
    const { organization, part, codeOf, give } = await parts(CREDENTIAL_READ, CREDENTIAL_UPDATE);
    await grant(server, part, await makeRole(server, [CREDENTIAL_READ, CREDENTIAL_ROTATE]), {
      onAccount: organization,
    });
    const all = await makeCredential(server, part, token());
    const narrow = await makeCredential(server, part, token([CREDENTIAL_READ]));
    for (const { id } of [all, narrow])
      expect(await codeOf('updateCredential', { id, enabled: false })).toBeUndefined();
    expect(await codeOf('updateCredential', { id: narrow.id, enabled: true })).toBeUndefined();
    expect(await codeOf('updateCredential', { id: all.id, enabled: true })).toBe('FORBIDDEN');
    expect(await readNode(server, all.id, '... on Credential { status }')).toEqual({ status: 'DISABLED' });
    await give(CREDENTIAL_ROTATE);
    expect(await codeOf('updateCredential', { id: all.id, enabled: true })).toBeUndefined();
  });

  test('S38: nor a key whose roles allow more; one that calls nowhere in Keyway is as free as it was', async () => {
    const { organization, part, codeOf, give } = await parts(CREDENTIAL_READ, CREDENTIAL_UPDATE);
    const role = await makeRole(server, [CREDENTIAL_ROTATE]);
    await grant(server, part, role, { onAccount: organization });
    const key = await makeCredential(server, part, { roles: [role], enabled: false });
    const inert = await makeCredential(server, part, { enabled: false });
    expect(await codeOf('updateCredential', { id: inert.id, enabled: true })).toBeUndefined();
    expect(await codeOf('updateCredential', { id: key.id, enabled: true })).toBe('FORBIDDEN');
    await give(CREDENTIAL_ROTATE);
    expect(await codeOf('updateCredential', { id: key.id, enabled: true })).toBeUndefined();
  });

  test('S38: nor by another owner in the place of one that is disabled', async () => {
    const { organization, part, codeOf, give } = await parts(...owners, CREDENTIAL_UPDATE);
    await grant(server, part, await makeRole(server, [ACCOUNT_MANAGE]), { onAccount: organization });
    const owner = await makeAccount(server);
    const { id } = await makeCredential(server, part, { ...token(), owner });
    await off('updateAccount', owner);
    expect(await codeOf('updateCredential', { id, owner: null })).toBe('FORBIDDEN');
    await give(ACCOUNT_MANAGE);
    expect(await codeOf('updateCredential', { id, owner: null })).toBeUndefined();
    expect(await readNode(server, id, '... on Credential { status }')).toEqual({ status: 'ACTIVE' });
  });

  test('a person disables and enables what is their own', async () => {
    const { caller, codeOf } = await parts(CREDENTIAL_READ, CREDENTIAL_UPDATE);
    await grant(server, caller.id, await makeRole(server, [CREDENTIAL_UPDATE, ACCOUNT_MANAGE]), {
      onAccount: caller.id,
    });
    const expiresAt = new Date(server.db.now() + 3_600_000).toISOString();
    const { id } = await makeCredential(server, caller.id, { ...token(), expiresAt });
    expect(await codeOf('updateCredential', { id, enabled: false })).toBeUndefined();
    expect(await codeOf('updateCredential', { id, enabled: true })).toBeUndefined();
  });
});
