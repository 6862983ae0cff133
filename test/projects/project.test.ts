import { sharedServer, type AskOptions, type SharedServer } from '../support/server.js';
import {
  expectData,
  grant,
  makeAccount,
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
