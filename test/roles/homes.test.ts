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
import { sharedServer, type SharedServer } from '../support/server.js';
import { readNode, run } from '../support/verbs.js';

// Where roles live: who sees them there, where they can be used, and what their names mean.

let server: SharedServer;
beforeAll(async () => {
  server = await sharedServer();
});

/** Whether a caller finds a role by its id, by its name, and in the list. */
const seen = async (token: string, id: string, name: string) => {
  const answer = await server.ask(
    'query ($id: ID!, $name: String!) { node(id: $id) { id } role(name: $name) { id } }',
    { id, name },
    { token },
  );
  const { node, role } = expectData(answer);
  return [node?.id === id, role?.id === id, await isListed(token, id)];
};

/** Files that share the server make roles that all see: there is more than a page of them. */
async function isListed(token: string, id: string): Promise<boolean> {
  for (let after: string | null = null; ;) {
    const answer = await server.ask(
      'query ($after: String) { roles(first: 100, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }',
      { after },
      { token },
    );
    const { nodes, pageInfo } = expectData(answer).roles;
    if (nodes.some((one: { id: string }) => one.id === id)) return true;
    if (!pageInfo.hasNextPage) return false;
    after = pageInfo.endCursor;
  }
}

const makeCode = async (input: object, token?: string) =>
  (
    await run(
      server,
      'createRole',
      { name: unique('role'), permissions: [], ...input },
      token === undefined ? {} : { token },
    )
  ).code;

describe('S30: the role of an account', () => {
  test('is seen by who reads, manages or gives roles there, and by no other tenant', async () => {
    const [organization, other] = [await makeAccount(server), await makeAccount(server)];
    const name = unique('role');
    const role = await makeRole(server, [], { name, account: organization });
    for (const permission of ['ROLE_READ', 'ROLE_MANAGE', 'ROLE_GIVE'])
      for (const [onAccount, is] of [[organization, true] as const, [other, false] as const]) {
        const { token } = await makeCaller(server, [permission], { onAccount });
        expect(await seen(token, role, name)).toEqual([is, is, is]);
      }
    const { nodes } = (await readNode(server, organization, '... on Account { roles { nodes { id } } }'))
      .roles;
    expect(nodes).toEqual([{ id: role }]);
  });

  test('is seen by who holds it, and by who sees a credential that carries it', async () => {
    const organization = await makeAccount(server);
    const name = unique('role');
    const role = await makeRole(server, [], { name, account: organization });
    const holder = await makeCaller(server);
    const seer = await makeCaller(server, ['CREDENTIAL_READ'], { onAccount: organization });
    for (const { token } of [holder, seer])
      expect(await seen(token, role, name)).toEqual([false, false, false]);
    await grant(server, holder.id, role, { onAccount: organization });
    await makeCredential(server, organization, { roles: [role] });
    for (const { token } of [holder, seer]) expect(await seen(token, role, name)).toEqual([true, true, true]);
  });

  test('is managed by who manages roles there: FORBIDDEN to who only reads them, NOT_FOUND elsewhere', async () => {
    const [organization, other] = [await makeAccount(server), await makeAccount(server)];
    const manager = await makeCaller(server, ['ROLE_MANAGE'], { onAccount: organization });
    const reader = await makeCaller(server, ['ROLE_READ'], { onAccount: organization });
    const stranger = await makeCaller(server, ['ROLE_MANAGE'], { onAccount: other });
    for (const [token, code] of [
      [stranger.token, 'NOT_FOUND'],
      [reader.token, 'FORBIDDEN'],
      [manager.token, undefined],
    ] as const) {
      const role = await makeRole(server, [], { account: organization });
      expect((await run(server, 'updateRole', { id: role, description: 'New' }, { token })).code).toBe(code);
      expect((await run(server, 'deleteRole', { id: role }, { token })).code).toBe(code);
    }
    expect(await makeCode({ account: organization }, manager.token)).toBeUndefined();
    // Seen by the roles of it that one reads, or not at all.
    expect(await makeCode({ account: organization }, stranger.token)).toBe('NOT_FOUND');
    expect(await makeCode({}, manager.token)).toBe('FORBIDDEN');
    expect(await makeCode({ account: organization, permissions: ['CREDENTIAL_READ'] }, manager.token)).toBe(
      'FORBIDDEN',
    );
  });

  test('is on record at its home', async () => {
    const organization = await makeAccount(server);
    const { token } = await makeCaller(server, ['AUDIT_READ'], { onAccount: organization });
    const role = await makeRole(server, [], { account: organization });
    expectData(await run(server, 'updateRole', { id: role, description: 'Said' }));
    expectData(await run(server, 'deleteRole', { id: role }));
    const { nodes } = expectData(
      await server.ask(
        'query ($id: ID!) { auditEvents(filter: { target: [$id] }) { nodes { action } } }',
        { id: role },
        { token },
      ),
    ).auditEvents;
    expect(nodes.map(({ action }: { action: string }) => action)).toEqual([
      'role:delete',
      'role:update',
      'role:create',
    ]);
  });

  test('is used in it and below, and nowhere else: BAD_USER_INPUT', async () => {
    const [organization, other] = [await makeAccount(server), await makeAccount(server)];
    const part = await makeAccount(server, { parent: organization });
    const role = await makeRole(server, [], { account: organization });
    const own = await makeRole(server, [], { account: part });
    const carrying = async (account: string, one: string) => {
      const secret = { accessKey: {} };
      return run(server, 'createCredential', { account, name: 'key', secret, roles: [one] });
    };
    for (const account of [organization, part]) expectData(await carrying(account, role));
    expect((await carrying(other, role)).errors[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ path: 'input.roles.0' }],
    });
    expect((await carrying(organization, own)).code).toBe('BAD_USER_INPUT');
    const held = async (place: object) =>
      (await run(server, 'grantRole', { account: other, role, ...place })).code;
    expect(await held({ onAccount: part })).toBeUndefined();
    expect(await held({ onProject: await makeProject(server, part) })).toBeUndefined();
    expect(await held({ onAccount: other })).toBe('BAD_USER_INPUT');
    expect(await held({ onProject: await makeProject(server, other) })).toBe('BAD_USER_INPUT');
    expect(await held({})).toBe('BAD_USER_INPUT');
  });
});

describe('the name of a role', () => {
  test('is free for two organizations, and then looked for in the roles of each', async () => {
    const [one, other] = [await makeAccount(server), await makeAccount(server)];
    const name = unique('BILLING_ADMIN');
    const role = await makeRole(server, [], { name, account: one });
    const find = (token?: string) =>
      server.ask('query ($name: String!) { role(name: $name) { id } }', { name }, token ? { token } : {});
    expect(expectData(await find()).role.id).toBe(role);
    await makeRole(server, [], { name, account: other });
    expect((await find()).errors[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ path: 'name' }],
    });
    const { token } = await makeCaller(server, ['ROLE_READ'], { onAccount: one });
    expect(expectData(await find(token)).role.id).toBe(role);
  });

  test('means one thing at each place: CONFLICT for one in use there, above, below or for all', async () => {
    const organization = await makeAccount(server);
    const part = await makeAccount(server, { parent: organization });
    const deep = await makeAccount(server, { parent: part });
    const beside = await makeAccount(server, { parent: organization });
    const { token } = await makeCaller(server, ['ROLE_MANAGE'], { onAccount: part });
    const name = unique('BILLING_ADMIN');
    const role = await makeRole(server, [], { name, account: part });
    for (const account of [organization, part, deep, null])
      expect(await makeCode({ name, ...(account && { account }) })).toBe('CONFLICT');
    expect(await makeCode({ name, account: beside })).toBeUndefined();
    expectData(await run(server, 'deleteRole', { id: role }));
    await makeRole(server, [], { name, account: organization }).catch(() => undefined);
    const all = unique('BILLING_ADMIN');
    await makeRole(server, [], { name: all });
    const again = await run(server, 'createRole', { name: all, permissions: [], account: part }, { token });
    expect(again.code).toBe('CONFLICT');
    expect(again.errors[0]?.message).toContain('for all accounts');
  });

  test('is made once by two who know nothing of each other', async () => {
    const organization = await makeAccount(server);
    const part = await makeAccount(server, { parent: organization });
    const name = unique('BILLING_ADMIN');
    const codes = await Promise.all([organization, part].map((account) => makeCode({ name, account })));
    expect(codes.sort()).toEqual(['CONFLICT', undefined]);
  });
});
