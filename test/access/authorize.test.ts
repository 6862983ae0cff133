import { everyPermission, Permission } from '../../src/access/principal.js';
import { sharedServer, type AskOptions, type SharedServer } from '../support/server.js';
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
import { roleNamed } from '../support/tenant.js';

let server: SharedServer;
beforeAll(async () => {
  server = await sharedServer();
});

const run = (mutation: string, input: Record<string, unknown>, options?: AskOptions) => {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input!`;
  return server.ask(
    `mutation ($input: ${type}) { ${mutation}(input: $input) { __typename } }`,
    { input },
    options,
  );
};

describe('roles and grants', () => {
  test('S38: a role with a permission that one does not hold everywhere is not made', async () => {
    const caller = await makeCaller(server, ['ROLE_MANAGE', 'CREDENTIAL_READ']);
    const make = (...permissions: string[]) =>
      run('createRole', { name: unique('role'), permissions }, { token: caller.token });
    expect((await make('CREDENTIAL_READ', 'ROLE_MANAGE')).code).toBeUndefined();
    for (const permission of everyPermission) {
      if (permission === Permission.ROLE_MANAGE || permission === Permission.CREDENTIAL_READ) continue;
      expect((await make('CREDENTIAL_READ', permission)).code).toBe('FORBIDDEN');
    }
  });

  test('S38: a role that one holds is not widened beyond what one holds', async () => {
    const role = await makeRole(server, ['ROLE_MANAGE']);
    const caller = await makeCaller(server);
    await grant(server, caller.id, role);
    const widened = await run(
      'updateRole',
      { id: role, permissions: ['ROLE_MANAGE', 'CREDENTIAL_REVEAL'] },
      { token: caller.token },
    );
    expect(widened.code).toBe('FORBIDDEN');
    const read = await server.ask('query ($id: ID!) { node(id: $id) { ... on Role { permissions } } }', {
      id: role,
    });
    expect(expectData(read).node.permissions).toEqual(['ROLE_MANAGE']);
  });

  test('S38: roles are made and changed by who manages them everywhere, not in one account', async () => {
    const onAccount = await makeAccount(server);
    const caller = await makeCaller(server, [...everyPermission], { onAccount });
    const role = await makeRole(server, []);
    const options = { token: caller.token };
    expect((await run('createRole', { name: unique('role'), permissions: [] }, options)).code).toBe(
      'FORBIDDEN',
    );
    expect((await run('updateRole', { id: role, description: 'Mine' }, options)).code).toBe('FORBIDDEN');
    expect((await run('deleteRole', { id: role }, options)).code).toBe('FORBIDDEN');
  });

  test.each(['everywhere', 'on an account', 'on a project'])(
    'S38: a role is given by who holds its permissions there, %s',
    async (place) => {
      const account = await makeAccount(server);
      const project = await makeProject(server, account);
      const on =
        { 'on an account': { onAccount: account }, 'on a project': { onProject: project } }[place] ?? {};
      const caller = await makeCaller(server, ['ROLE_MANAGE', 'ROLE_READ', 'CREDENTIAL_READ'], on);
      const home = place === 'everywhere' ? {} : { account };
      const at = place === 'everywhere' ? {} : { onAccount: account };
      await grant(server, caller.id, await makeRole(server, ['ROLE_GIVE']), at);
      const give = async (...permissions: string[]) =>
        run(
          'grantRole',
          { account: caller.id, role: await makeRole(server, permissions, home), ...on },
          { token: caller.token },
        );
      expect((await give('CREDENTIAL_READ')).code).toBeUndefined();
      expect((await give('CREDENTIAL_READ', 'CREDENTIAL_REVEAL')).code).toBe('FORBIDDEN');
    },
  );

  test('S38: a role held in one place is not given in a wider one, nor in another', async () => {
    const account = await makeAccount(server);
    const project = await makeProject(server, account);
    const caller = await makeCaller(server, [...everyPermission], { onProject: project });
    const role = await makeRole(server, [], { account });
    await grant(server, caller.id, await makeRole(server, ['ROLE_GIVE']), { onAccount: account });
    const give = (place: object) =>
      run('grantRole', { account: caller.id, role, ...place }, { token: caller.token });
    expect((await give({})).code).toBe('FORBIDDEN');
    expect((await give({ onAccount: account })).code).toBe('FORBIDDEN');
    expect((await give({ onProject: await makeProject(server, account) })).code).toBe('NOT_FOUND');
    expect((await give({ onProject: project })).code).toBeUndefined();
  });

  test('S38: the admin project counts as everywhere, for giving and for holding', async () => {
    const admin = expectData(await server.ask('{ project(name: "admin") { id account { id } } }')).project;
    const role = await makeRole(server, []);
    // All permissions on the account that the admin project belongs to are not all permissions everywhere.
    const { id, token } = await makeCaller(server, [...everyPermission], { onAccount: admin.account.id });
    expect((await run('grantRole', { account: id, role, onProject: admin.id }, { token })).code).toBe(
      'FORBIDDEN',
    );
    const held = await grant(server, id, role, { onProject: admin.id });
    expect((await run('withdrawRole', { grant: held }, { token })).code).toBe('FORBIDDEN');

    const { id: unrelated } = await makeCredential(server, await makeAccount(server));
    const reader = await makeCaller(server, ['CREDENTIAL_READ'], { onProject: admin.id });
    const read = await server.ask(
      'query ($id: ID!) { credential(id: $id) { id } }',
      { id: unrelated },
      reader,
    );
    expect(expectData(read).credential.id).toBe(unrelated);
  });

  test('S38: who holds all but the right to give roles gives and takes none', async () => {
    const allButOne = everyPermission.filter((permission) => permission !== Permission.ROLE_MANAGE);
    const caller = await makeCaller(server, allButOne);
    const options = { token: caller.token };
    const held = await grant(server, caller.id, await makeRole(server, []));
    expect(
      (await run('grantRole', { account: caller.id, role: await makeRole(server, []) }, options)).code,
    ).toBe('FORBIDDEN');
    expect((await run('withdrawRole', { grant: held }, options)).code).toBe('FORBIDDEN');
    expect((await run('createRole', { name: unique('role'), permissions: [] }, options)).code).toBe(
      'FORBIDDEN',
    );
  });

  test('S38: a token that is narrowed gives no more than it may', async () => {
    const all = await roleNamed(server, 'KEYWAY_ADMIN');
    const account = await makeAccount(server, { kind: 'PERSON' });
    await grant(server, account, all);
    const narrow = await makeCredential(server, account, {
      secret: { token: { permissions: ['ROLE_MANAGE'] } },
    });
    const options = { token: narrow.secret };
    const given = await run('grantRole', { account, role: all, onAccount: account }, options);
    expect(given.code).toBe('FORBIDDEN');
    const made = await run(
      'createRole',
      { name: unique('role'), permissions: ['CREDENTIAL_REVEAL'] },
      options,
    );
    expect(made.code).toBe('FORBIDDEN');
  });
});

describe('moving', () => {
  test('S38: who may change a credential does not make it their own to rotate it', async () => {
    const account = await makeAccount(server);
    const { id } = await makeCredential(server, account);
    const changer = await makeCaller(server, ['CREDENTIAL_UPDATE'], { onAccount: account });
    const options = { token: changer.token };
    expect((await run('updateCredential', { id, owner: changer.id }, options)).code).toBe('FORBIDDEN');
    expect((await run('rotateCredential', { id }, options)).code).toBe('NOT_FOUND');

    const keeper = await makeCaller(
      server,
      ['CREDENTIAL_READ', 'CREDENTIAL_UPDATE', 'CREDENTIAL_ROTATE', 'CREDENTIAL_REVOKE'],
      { onAccount: account },
    );
    const taken = await run('updateCredential', { id, owner: keeper.id }, { token: keeper.token });
    expect(taken.code).toBeUndefined();
  });

  test('S38: who may change a credential does not bring it to where they may reveal it', async () => {
    const account = await makeAccount(server);
    const [from, to] = [await makeProject(server, account), await makeProject(server, account)];
    const { id } = await makeCredential(server, account, { project: from, retrievable: true });
    const mover = await makeCaller(server, ['CREDENTIAL_READ', 'CREDENTIAL_UPDATE'], { onAccount: account });
    await grant(server, mover.id, await makeRole(server, ['CREDENTIAL_REVEAL']), { onProject: to });
    const options = { token: mover.token };
    expect((await run('updateCredential', { id, project: to }, options)).code).toBe('FORBIDDEN');
    expect((await run('revealCredential', { id }, options)).code).toBe('FORBIDDEN');
    const elsewhere = await makeProject(server, account);
    expect((await run('updateCredential', { id, project: elsewhere }, options)).code).toBeUndefined();
  });

  test('S38: who may delete an account does not come by what its credentials can do', async () => {
    const organization = await makeAccount(server);
    const part = await makeAccount(server, { parent: organization });
    const { id } = await makeCredential(server, part);
    const { id: lent } = await makeCredential(server, organization, { owner: part });
    const caller = await makeCaller(
      server,
      ['ACCOUNT_READ', 'ACCOUNT_MANAGE'],
      { onAccount: organization },
      { parent: organization },
    );
    const options = { token: caller.token };
    for (const transferTo of [caller.id, organization])
      expect((await run('deleteAccount', { id: part, transferTo }, options)).code).toBe('FORBIDDEN');
    for (const credential of [id, lent])
      expect((await run('rotateCredential', { id: credential }, options)).code).toBe('NOT_FOUND');
  });
});

describe('reach', () => {
  const reads = async (id: string, token: string) =>
    expectData(await server.ask('query ($id: ID!) { credential(id: $id) { id } }', { id }, { token }))
      .credential !== null;

  test('a role held on an organization reaches its parts, their parts and their projects', async () => {
    const organization = await makeAccount(server);
    const part = await makeAccount(server, { parent: organization });
    const partOfPart = await makeAccount(server, { parent: part });
    const project = await makeProject(server, partOfPart);
    const { token } = await makeCaller(server, ['CREDENTIAL_READ'], { onAccount: organization });
    const places: [string, Record<string, unknown>][] = [
      [organization, {}],
      [part, {}],
      [partOfPart, {}],
      [partOfPart, { project }],
    ];
    for (const [account, input] of places) {
      expect(await reads((await makeCredential(server, account, input)).id, token)).toBe(true);
    }
    expect(await reads((await makeCredential(server, await makeAccount(server))).id, token)).toBe(false);
  });

  test('a role held on a part does not reach the organization', async () => {
    const organization = await makeAccount(server);
    const part = await makeAccount(server, { parent: organization });
    const { token } = await makeCaller(server, ['CREDENTIAL_READ'], { onAccount: part });
    expect(await reads((await makeCredential(server, organization)).id, token)).toBe(false);
  });

  test('a role that is withdrawn, or loses a permission, ends with the answer', async () => {
    const { id } = await makeCredential(server, await makeAccount(server));
    const role = await makeRole(server, ['CREDENTIAL_READ']);
    const caller = await makeCaller(server);
    const held = await grant(server, caller.id, role);
    expect(await reads(id, caller.token)).toBe(true);
    expectData(await run('updateRole', { id: role, permissions: [] }));
    expect(await reads(id, caller.token)).toBe(false);
    expectData(await run('updateRole', { id: role, permissions: ['CREDENTIAL_READ'] }));
    expect(await reads(id, caller.token)).toBe(true);
    expectData(await run('withdrawRole', { grant: held }));
    expect(await reads(id, caller.token)).toBe(false);
  });

  test.each([
    ['that it belongs to', {}],
    ['that owns it', 'owner'],
  ])('the account %s may read, rotate and revoke a credential, and do no more', async (_, as) => {
    const caller = await makeCaller(server);
    const { id } = await makeCredential(server, as === 'owner' ? await makeAccount(server) : caller.id, {
      retrievable: true,
      ...(as === 'owner' && { owner: caller.id }),
    });
    const options = { token: caller.token };
    expect(await reads(id, caller.token)).toBe(true);
    expect((await run('updateCredential', { id, category: 'mine' }, options)).code).toBe('FORBIDDEN');
    expect((await run('revealCredential', { id }, options)).code).toBe('FORBIDDEN');
    expect((await run('rotateCredential', { id }, options)).code).toBeUndefined();
    expect((await run('revokeCredential', { id }, options)).code).toBeUndefined();
    const made = await run(
      'createCredential',
      { account: caller.id, name: 'mine', secret: { accessKey: {} } },
      options,
    );
    expect(made.code).toBe('FORBIDDEN');
  });

  test('who answers for a credential takes the place of the account that it belongs to', async () => {
    const caller = await makeCaller(server);
    const { id } = await makeCredential(server, caller.id, { owner: await makeAccount(server) });
    expect(await reads(id, caller.token)).toBe(false);
  });
});
