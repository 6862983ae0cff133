import { startTestServer, type AskOptions, type TestServer } from '../support/server.js';
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

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const run = (mutation: string, input: Record<string, unknown>, options?: AskOptions) => {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input!`;
  return server.ask(
    `mutation ($input: ${type}) { ${mutation}(input: $input) { __typename } }`,
    { input },
    options,
  );
};
const codeOf = async (mutation: string, input: Record<string, unknown>, options?: AskOptions) =>
  (await run(mutation, input, options)).code;
const read = async (id: string, fields: string) =>
  expectData(await server.ask(`query ($id: ID!) { node(id: $id) { ${fields} } }`, { id })).node;
const reveal = async (id: string) =>
  server.ask('mutation ($id: ID!) { revealCredential(input: { id: $id }) { issued { secret } } }', { id });
const adminId = async () => expectData(await server.ask('{ viewer { id } }')).viewer.id as string;

describe('accounts', () => {
  test('are made as they are asked for, as part of another', async () => {
    const parent = await makeAccount(server);
    const name = unique('made');
    const id = await makeAccount(server, {
      kind: 'SERVICE',
      name,
      title: 'Made',
      email: 'made@example.com',
      parent,
    });
    expect(
      await read(
        id,
        '... on Account { kind name title email enabled mfaRequired mfaEnrolled parent { id } }',
      ),
    ).toEqual({
      kind: 'SERVICE',
      name,
      title: 'Made',
      email: 'made@example.com',
      enabled: true,
      mfaRequired: false,
      mfaEnrolled: false,
      parent: { id: parent },
    });
  });

  test('have names that are in use once: CONFLICT', async () => {
    const name = unique('once');
    await makeAccount(server, { name });
    expect(await codeOf('createAccount', { kind: 'PERSON', name, title: 'Again' })).toBe('CONFLICT');
    const account = await makeAccount(server);
    await makeProject(server, account, { name });
    expect(await codeOf('createProject', { account, name })).toBe('CONFLICT');
    await makeRole(server, [], { name });
    expect(await codeOf('createRole', { name, permissions: [] })).toBe('CONFLICT');
  });

  test('keep what an update leaves out, and lose what it sets to null', async () => {
    const id = await makeAccount(server, { title: 'Before', email: 'before@example.com' });
    expectData(await run('updateAccount', { id, title: 'After' }));
    expect(await read(id, '... on Account { title email }')).toEqual({
      title: 'After',
      email: 'before@example.com',
    });
    expectData(await run('updateAccount', { id, email: null }));
    expect(await read(id, '... on Account { title email }')).toEqual({ title: 'After', email: null });
    expect(await codeOf('updateAccount', { id, title: null })).toBe('BAD_USER_INPUT');
  });

  test('S23: that are disabled call no more from the answer on, and again when they are enabled', async () => {
    const { id, token } = await makeCaller(server);
    const viewer = () => server.ask('{ viewer { id } }', {}, { token });
    expectData(await run('updateAccount', { id, enabled: false }));
    expect((await viewer()).code).toBe('UNAUTHENTICATED');
    expectData(await run('updateAccount', { id, enabled: true }));
    expect(expectData(await viewer()).viewer.id).toBe(id);
  });

  test('that are built in, or oneself, are neither disabled nor deleted: CONFLICT', async () => {
    const admin = await adminId();
    const other = await makeCaller(server, ['ACCOUNT_READ', 'ACCOUNT_MANAGE']);
    const options = { token: other.token };
    for (const id of [admin, other.id]) {
      expect(await codeOf('updateAccount', { id, enabled: false }, options)).toBe('CONFLICT');
      expect(await codeOf('deleteAccount', { id, revokeCredentials: true }, options)).toBe('CONFLICT');
    }
    const own = expectData(
      await server.ask('{ viewer { grants { id onAccount { id } onProject { id } } } }'),
    );
    expect(await codeOf('withdrawRole', { grant: own.viewer.grants[0].id })).toBe('CONFLICT');
  });

  test.each([
    ['a credential', async (id: string) => makeCredential(server, id)],
    ['a token', async (id: string) => makeCredential(server, id, { secret: { token: {} } })],
    [
      'a credential that it answers for',
      async (id: string) => makeCredential(server, await makeAccount(server), { owner: id }),
    ],
    ['a project', async (id: string) => makeProject(server, id)],
    ['a part', async (id: string) => makeAccount(server, { parent: id })],
  ])('are not deleted while they have %s, and nothing is said of it: CONFLICT', async (_, make) => {
    const id = await makeAccount(server);
    await make(id);
    expect(await codeOf('deleteAccount', { id })).toBe('CONFLICT');
    expect(await read(id, 'id')).toEqual({ id });
    expect(await codeOf('deleteAccount', { id, transferTo: await makeAccount(server) })).toBeUndefined();
    expect(await read(id, 'id')).toBeNull();
  });

  test('hand over what they have when they are deleted, with its secrets; their own tokens end', async () => {
    const id = await makeAccount(server);
    const heir = await makeAccount(server);
    const project = await makeProject(server, id);
    const part = await makeAccount(server, { parent: id });
    const kept = await makeCredential(server, id, { project, retrievable: true });
    const lent = await makeCredential(server, heir, { owner: id });
    const token = await makeCredential(server, id, { secret: { token: {} } });
    expectData(await run('deleteAccount', { id, transferTo: heir }));
    expect(expectData(await reveal(kept.id)).revealCredential.issued.secret).toBe(kept.secret);
    expect(await read(kept.id, '... on Credential { status account { id } project { id } }')).toEqual({
      status: 'ACTIVE',
      account: { id: heir },
      project: { id: project },
    });
    expect(await read(lent.id, '... on Credential { owner { id } }')).toEqual({ owner: { id: heir } });
    expect(await read(project, '... on Project { account { id } }')).toEqual({ account: { id: heir } });
    expect(await read(part, '... on Account { parent { id } }')).toEqual({ parent: { id: heir } });
    expect(await read(token.id, '... on Credential { status }')).toEqual({ status: 'DELETED' });
    expect((await server.ask('{ viewer { id } }', {}, { token: token.secret })).code).toBe('UNAUTHENTICATED');
  });

  test('take their credentials with them where that is asked for', async () => {
    const { id, token, credential } = await makeCaller(server);
    const made = await makeCredential(server, id, { retrievable: true });
    expectData(await run('deleteAccount', { id, revokeCredentials: true }));
    for (const one of [credential, made.id]) {
      expect(await read(one, '... on Credential { status revokedAt }')).toEqual({
        status: 'DELETED',
        revokedAt: expect.any(String),
      });
    }
    expect((await reveal(made.id)).code).toBe('CONFLICT');
    expect((await server.ask('{ viewer { id } }', {}, { token })).code).toBe('UNAUTHENTICATED');
  });

  test('are not handed over to themselves or a part of theirs: BAD_USER_INPUT', async () => {
    const id = await makeAccount(server);
    const part = await makeAccount(server, { parent: id });
    for (const transferTo of [id, part])
      expect(await codeOf('deleteAccount', { id, transferTo })).toBe('BAD_USER_INPUT');
  });
});

describe('projects', () => {
  test('are named by their name where no title is given, and changed', async () => {
    const name = unique('project');
    const id = await makeProject(server, await makeAccount(server), { name, description: 'Before' });
    expect(await read(id, '... on Project { name title description admin }')).toEqual({
      name,
      title: name,
      description: 'Before',
      admin: false,
    });
    expectData(await run('updateProject', { id, title: 'After', description: null }));
    expect(await read(id, '... on Project { title description }')).toEqual({
      title: 'After',
      description: null,
    });
  });

  test('are not deleted while they have credentials, and take the roles held on them along', async () => {
    const account = await makeAccount(server);
    const id = await makeProject(server, account);
    const held = await grant(server, account, await makeRole(server, []), { onProject: id });
    const made = await makeCredential(server, account, { project: id });
    expect(await codeOf('deleteProject', { id })).toBe('CONFLICT');
    expectData(await run('deleteCredential', { id: made.id }));
    expectData(await run('deleteProject', { id }));
    expect(await read(id, 'id')).toBeNull();
    expect(await read(held, 'id')).toBeNull();
    expect(
      await codeOf('createCredential', { account, name: 'late', secret: { accessKey: {} }, project: id }),
    ).toBe('NOT_FOUND');
  });

  test('that are built in are not deleted: CONFLICT', async () => {
    const admin = expectData(await server.ask('{ project(name: "admin") { id } }')).project;
    expect(await codeOf('deleteProject', { id: admin.id })).toBe('CONFLICT');
  });
});

describe('roles', () => {
  test('that are built in are neither changed nor deleted: CONFLICT', async () => {
    const { nodes } = expectData(await server.ask('{ roles(first: 100) { nodes { id builtIn } } }')).roles;
    const builtIn = nodes.filter((role: { builtIn: boolean }) => role.builtIn);
    expect(builtIn).toHaveLength(5);
    for (const { id } of builtIn) {
      expect(await codeOf('updateRole', { id, permissions: [] })).toBe('CONFLICT');
      expect(await codeOf('deleteRole', { id })).toBe('CONFLICT');
    }
  });

  test('are not deleted while an account holds them or a credential carries them', async () => {
    const account = await makeAccount(server);
    const id = await makeRole(server, []);
    const held = await grant(server, account, id);
    expect(await codeOf('deleteRole', { id })).toBe('CONFLICT');
    expectData(await run('withdrawRole', { grant: held }));
    const carrying = await makeCredential(server, account, { roles: [id] });
    expect(await codeOf('deleteRole', { id })).toBe('CONFLICT');
    expectData(await run('updateCredential', { id: carrying.id, roles: [] }));
    expectData(await run('deleteRole', { id }));
    expect(await read(id, 'id')).toBeNull();
  });

  test('are held once at each place: CONFLICT', async () => {
    const account = await makeAccount(server);
    const [role, onProject] = [await makeRole(server, []), await makeProject(server, account)];
    for (const place of [{}, { onAccount: account }, { onProject }]) {
      await grant(server, account, role, place);
      expect(await codeOf('grantRole', { account, role, ...place })).toBe('CONFLICT');
    }
    expect(await codeOf('grantRole', { account, role, onAccount: account, onProject })).toBe(
      'BAD_USER_INPUT',
    );
  });
});

describe('stores', () => {
  test('are the one that is built in, with what it can do', async () => {
    const fields =
      'name kind endpoint capabilities rotation { chosenBy previous } health { reachable } budget { limit } lastSync { added }';
    const { store, stores } = expectData(
      await server.ask(`{ store(name: "keyway") { ${fields} } stores { ${fields} } }`),
    );
    expect(stores).toEqual([store]);
    expect(store).toMatchObject({
      name: 'keyway',
      kind: 'BUILT_IN',
      endpoint: null,
      capabilities: expect.arrayContaining(['CREATE', 'UPDATE', 'ROTATE', 'REVOKE', 'DELETE']),
      rotation: { previous: 'LIVES' },
      health: { reachable: true },
      budget: null,
      lastSync: null,
    });
    expect(expectData(await server.ask('{ store(name: "no-such-store") { id } }')).store).toBeNull();
  });
});
