import { sharedServer, type AskOptions, type SharedServer } from '../support/server.js';
import {
  expectData,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  makeRole,
  unique,
} from '../support/make.js';
import { readNode, run as runOn } from '../support/verbs.js';

let server: SharedServer;
beforeAll(async () => {
  server = await sharedServer();
});

const run = (mutation: string, input: Record<string, unknown>, options?: AskOptions) =>
  runOn(server, mutation, input, options);
const codeOf = async (mutation: string, input: Record<string, unknown>, options?: AskOptions) =>
  (await run(mutation, input, options)).code;
const read = (id: string, fields: string) => readNode(server, id, fields);
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
