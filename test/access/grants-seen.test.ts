import { expectData, grant, makeAccount, makeCaller, makeProject, makeRole } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

/** An organization with a project, on which one of its own and a stranger hold a role. */
async function makeHeld() {
  const organization = await makeAccount(server);
  const project = await makeProject(server, organization);
  const role = await makeRole(server, []);
  const insider = await makeAccount(server, { parent: organization });
  const stranger = await makeAccount(server);
  for (const account of [insider, stranger]) await grant(server, account, role, { onProject: project });
  return { organization, project, insider, stranger };
}

const holdersOf = async (project: string, token: string): Promise<string[]> => {
  const answer = await server.ask(
    'query ($id: ID!) { node(id: $id) { ... on Project { grants { account { id } } } } }',
    { id: project },
    { token },
  );
  return expectData(answer).node.grants.map((held: { account: { id: string } }) => held.account.id);
};

test.each([
  ['by rights on the organization', true, ['insider']],
  ['by rights everywhere', false, ['insider', 'stranger']],
] as const)(
  'S30: who sees roles and accounts %s sees the grants of those accounts',
  async (_, isThere, seen) => {
    const held = await makeHeld();
    const place = isThere ? { onAccount: held.organization } : {};
    const { token } = await makeCaller(server, ['ROLE_READ', 'PROJECT_READ', 'ACCOUNT_READ'], place);
    expect((await holdersOf(held.project, token)).sort()).toEqual(seen.map((name) => held[name]).sort());
  },
);

test.each([
  ['on the organization', true],
  ['everywhere', false],
] as const)('S30: who sees roles %s and no accounts sees no grants of others', async (_, isThere) => {
  const held = await makeHeld();
  const place = isThere ? { onAccount: held.organization } : {};
  const { token } = await makeCaller(server, ['ROLE_READ', 'PROJECT_READ'], place);
  expect(await holdersOf(held.project, token)).toEqual([]);
});

test('S30: who sees accounts and no roles sees no grants of others', async () => {
  const { project } = await makeHeld();
  const { token } = await makeCaller(server, ['ACCOUNT_READ', 'PROJECT_READ']);
  expect(await holdersOf(project, token)).toEqual([]);
});
