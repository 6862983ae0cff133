import { sharedServer, type AskOptions, type SharedServer } from '../support/server.js';
import { expectData, grant, makeAccount, makeCredential, makeProject, makeRole } from '../support/make.js';
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

  test('are withdrawn from the administrator, but for the one that lets it give roles: CONFLICT', async () => {
    const { viewer, role } = expectData(
      await server.ask(
        '{ viewer { id grants { id onAccount { id } onProject { id } role { id } } } role(name: "KEYWAY_ADMIN") { id } }',
      ),
    );
    const own = (viewer.grants as { id: string; role: { id: string } }[]).filter(
      (one) => one.role.id === role.id,
    );
    expect(own).toHaveLength(1);
    for (const { id } of own) expect(await codeOf('withdrawRole', { grant: id })).toBe('CONFLICT');
    const another = await makeRole(server, []);
    expectData(await run('withdrawRole', { grant: await grant(server, viewer.id, another) }));
    expectData(await run('deleteRole', { id: another }));
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
