import { Permission } from '../../src/access/principal.js';
import { expectData, grant, makeAccount, makeCaller, makeCredential, makeRole } from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import { askSigned } from '../support/signing.js';
import { run } from '../support/verbs.js';

// Who gains by what is added to a role: also whoever has a key that carries it, wherever the key's account may do that.

let server: SharedServer;
beforeAll(async () => {
  server = await sharedServer();
});

const { CREDENTIAL_CREATE, CREDENTIAL_READ, CREDENTIAL_REVEAL, ROLE_MANAGE, ROLE_GIVE, ROLE_READ } =
  Permission;
const managing = [CREDENTIAL_CREATE, CREDENTIAL_READ, ROLE_MANAGE, ROLE_GIVE, ROLE_READ];

/** An organization, who runs it, and an account of it that reads what another organization has, too. */
async function organization() {
  const [account, elsewhere] = [await makeAccount(server), await makeAccount(server)];
  const manager = await makeCaller(server, managing, { onAccount: account });
  const reader = await makeAccount(server, { kind: 'PERSON', parent: account });
  const reading = await makeRole(server, [CREDENTIAL_READ]);
  await grant(server, reader, reading, { onAccount: account });
  const role = await makeRole(server, [], { account });
  return { account, elsewhere, manager, reader, reading, role };
}
const widen = (id: string, permissions: Permission[], token?: string) =>
  run(server, 'updateRole', { id, permissions }, token === undefined ? {} : { token });
const seenBy = async (key: Parameters<typeof askSigned>[1], id: string): Promise<unknown> =>
  expectData(await askSigned(server, key, 'query ($id: ID!) { credential(id: $id) { id } }', { id }))
    .credential;

test('S38: a role gains nothing that a key of others could use where its giver has it not', async () => {
  const { elsewhere, manager, reader, reading, role } = await organization();
  await grant(server, reader, reading, { onAccount: elsewhere });
  const foreign = await makeCredential(server, elsewhere);
  // Its role allows nothing yet, so its secret is shown to who makes keys.
  const key = await makeCredential(server, reader, { roles: [role] }, { token: manager.token });
  expect((await widen(role, [CREDENTIAL_READ], manager.token)).code).toBe('FORBIDDEN');
  expect(await seenBy(key, foreign.id)).toBeNull();
  expectData(await widen(role, [CREDENTIAL_READ]));
  expect(await seenBy(key, foreign.id)).toEqual({ id: foreign.id });
});

test('S38: it gains what its giver has wherever such a key could use it', async () => {
  const { account, elsewhere, manager, reader, reading, role } = await organization();
  const own = await makeCredential(server, account);
  const key = await makeCredential(server, reader, { roles: [role] });
  expectData(await widen(role, [CREDENTIAL_READ], manager.token));
  expect(await seenBy(key, own.id)).toEqual({ id: own.id });
  expectData(await widen(role, [], manager.token));
  await grant(server, reader, reading, { onAccount: elsewhere });
  expect((await widen(role, [CREDENTIAL_READ], manager.token)).code).toBe('FORBIDDEN');
  await grant(server, manager.id, reading, { onAccount: elsewhere });
  expectData(await widen(role, [CREDENTIAL_READ], manager.token));
});

test('S38: a key that has ended, and one that may not use it, keep nobody from it', async () => {
  const { elsewhere, manager, reader, reading, role } = await organization();
  const revealing = await makeRole(server, [CREDENTIAL_REVEAL]);
  await grant(server, reader, reading, { onAccount: elsewhere });
  await grant(server, reader, revealing, { onAccount: elsewhere });
  const { id } = await makeCredential(server, reader, { roles: [role] });
  expectData(await widen(role, [ROLE_READ], manager.token));
  expect((await widen(role, [ROLE_READ, CREDENTIAL_READ], manager.token)).code).toBe('FORBIDDEN');
  expectData(await run(server, 'revokeCredential', { id }));
  expectData(await widen(role, [ROLE_READ, CREDENTIAL_READ], manager.token));
});

test('S38: a key that is made while its role gains something is held to what that allows by then', async () => {
  const { elsewhere, manager, reader, reading, role } = await organization();
  await grant(server, reader, reading, { onAccount: elsewhere });
  for (let round = 0; round < 5; round++) {
    expectData(await widen(role, []));
    const make = () =>
      server.ask(
        `mutation ($input: CreateCredentialInput!) { createCredential(input: $input) {
          credential { id } issued { accessKey secret } } }`,
        { input: { account: reader, name: `key-${round}`, secret: { accessKey: {} }, roles: [role] } },
        { token: manager.token },
      );
    const [made, widened] = await Promise.all([make(), widen(role, [CREDENTIAL_READ], manager.token)]);
    // One of them was first, and the other has to take that as it is.
    expect([made.code, widened.code]).toContain('FORBIDDEN');
    if (made.code === undefined)
      expectData(
        await run(server, 'revokeCredential', {
          id: expectData(made).createCredential.credential.id as string,
        }),
      );
  }
});
