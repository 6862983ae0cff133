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
  ['on the organization', true, ['ROLE_READ', 'PROJECT_READ', 'ACCOUNT_READ']],
  ['everywhere', false, ['ROLE_READ', 'PROJECT_READ', 'ACCOUNT_READ']],
  ['on the organization, and no accounts,', true, ['ROLE_READ', 'PROJECT_READ']],
  ['everywhere, and no accounts,', false, ['ROLE_READ', 'PROJECT_READ']],
  ['to give on the organization', true, ['ROLE_MANAGE', 'PROJECT_READ']],
] as const)(
  'S32: who sees roles %s sees each grant there, whosever it is',
  async (_, isThere, permissions) => {
    const held = await makeHeld();
    const place = isThere ? { onAccount: held.organization } : {};
    const { token } = await makeCaller(server, [...permissions], place);
    expect((await holdersOf(held.project, token)).sort()).toEqual([held.insider, held.stranger].sort());
  },
);

test('S30: who sees roles on another organization sees none of these', async () => {
  const [held, other] = [await makeHeld(), await makeHeld()];
  const { token, id } = await makeCaller(server, ['ROLE_READ', 'ACCOUNT_READ'], {
    onAccount: other.organization,
  });
  await grant(server, id, await makeRole(server, ['PROJECT_READ']), { onProject: held.project });
  expect(await holdersOf(held.project, token)).toEqual([id]);
});

test('S30: who sees accounts and no roles sees no grants of others', async () => {
  const { project } = await makeHeld();
  const { token } = await makeCaller(server, ['ACCOUNT_READ', 'PROJECT_READ']);
  expect(await holdersOf(project, token)).toEqual([]);
});
