// The operation of Apinizer's page on credentials: GET /apiops/projects/{projectName}/credentials/
import { withoutLimits } from '../support/answers.js';
import {
  expectData,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  makeRole,
  unique,
} from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';

const fields = `name email fullName description accessKey roles { name } enabled allowedIps expiresAt status`;
const listOfProject = `query ($name: String!) {
  project(name: $name) { credentials(first: 100) { totalCount nodes { ${fields} } } }
}`;
const chosen = 'a password that nobody is shown';

let server: SharedServer;
let account: string;
let project: { id: string; name: string };
let reader: { id: string; token: string };
const roles = { API_USER: unique('API_USER'), DEVELOPER: unique('DEVELOPER'), ADMIN: unique('ADMIN') };
const usernames = { apiUser: unique('api-user'), admin: unique('admin'), away: unique('away') };

beforeAll(async () => {
  server = await sharedServer();
  account = await makeAccount(server);
  project = await projectOf(account, 'MyProject');
  reader = await makeCaller(server, ['CREDENTIAL_READ', 'PROJECT_READ'], { onProject: project.id });
  const [apiUser, developer, admin] = await Promise.all(
    Object.values(roles).map((name) => makeRole(server, [], { name })),
  );
  await makeCredential(server, account, {
    project: project.id,
    name: 'The API user',
    email: 'user@example.com',
    fullName: 'John Doe',
    description: 'API user credential',
    secret: { password: { username: usernames.apiUser, password: chosen } },
    roles: [apiUser, developer],
    allowedIps: ['192.168.1.100', '10.0.0.0/8'],
  });
  await makeCredential(server, account, {
    project: project.id,
    name: 'The administrator',
    email: 'admin@example.com',
    fullName: 'Admin User',
    description: 'Administrator credential',
    secret: { password: { username: usernames.admin, password: chosen } },
    roles: [admin],
  });
  await makeCredential(server, account, {
    project: project.id,
    name: 'One who is away',
    secret: { password: { username: usernames.away, password: chosen } },
    enabled: false,
  });
  // No verb makes what has ended already.
  await server.rows(
    "UPDATE credentials SET expires_at = '2024-12-31T23:59:59Z' WHERE access_key = :username",
    {
      username: usernames.apiUser,
    },
  );
});

async function projectOf(owner: string, start: string): Promise<{ id: string; name: string }> {
  const name = unique(start);
  return { id: await makeProject(server, owner, { name }), name };
}

/** The project's credentials by user name, as the reader sees them. */
async function listed(): Promise<Record<string, unknown>> {
  const answer = await server.ask(listOfProject, { name: project.name }, { token: reader.token });
  const { nodes } = expectData(answer).project.credentials;
  return Object.fromEntries((nodes as { accessKey: string }[]).map((node) => [node.accessKey, node]));
}

test('List credentials: with e-mail, full name, description, user name, roles, addresses and end', async () => {
  expect((await listed())[usernames.apiUser]).toEqual({
    name: 'The API user',
    email: 'user@example.com',
    fullName: 'John Doe',
    description: 'API user credential',
    accessKey: usernames.apiUser,
    roles: [{ name: roles.API_USER }, { name: roles.DEVELOPER }],
    enabled: true,
    allowedIps: ['192.168.1.100', '10.0.0.0/8'],
    expiresAt: expect.stringMatching(/^2024-12-31T23:59:59(\.000)?Z$/) as unknown,
    status: 'EXPIRED',
  });
});

test('List credentials: no addresses and no end are an empty list and null', async () => {
  expect((await listed())[usernames.admin]).toMatchObject({
    roles: [{ name: roles.ADMIN }],
    enabled: true,
    allowedIps: [],
    expiresAt: null,
    status: 'ACTIVE',
  });
});

test('List credentials: expired and disabled ones are still listed', async () => {
  const all = await listed();
  expect(all[usernames.apiUser]).toMatchObject({ status: 'EXPIRED', enabled: true });
  expect(all[usernames.away]).toMatchObject({ status: 'DISABLED', enabled: false });
});

test('S41: the password is never in the list, and there is no field to ask for it', async () => {
  const answer = await server.ask(listOfProject, { name: project.name }, { token: reader.token });
  expect(answer.text).toContain(usernames.apiUser);
  expect(answer.text).not.toContain(chosen);
  const asked = await server.ask(
    'query ($name: String!) { project(name: $name) { credentials { nodes { password } } } }',
    {
      name: project.name,
    },
  );
  expect({ status: asked.status, data: asked.data }).toEqual({ status: 400, data: null });
  expect(asked.errors).toHaveLength(1);
});

test('a regular project lists its own credentials alone, and an empty one an empty list', async () => {
  const other = await projectOf(account, 'Other');
  const { id } = await makeCredential(server, account, { project: other.id });
  expect(Object.keys(await listed()).sort()).toEqual(Object.values(usernames).sort());
  const empty = await projectOf(account, 'Empty');
  const query = 'query ($name: String!) { project(name: $name) { credentials { totalCount nodes { id } } } }';
  const inOther = expectData(await server.ask(query, { name: other.name }));
  expect(inOther.project.credentials).toEqual({ totalCount: 1, nodes: [{ id }] });
  const inEmpty = expectData(await server.ask(query, { name: empty.name }));
  expect(inEmpty.project.credentials).toEqual({ totalCount: 0, nodes: [] });
});

test('the admin project lists all credentials, those of no project too', async () => {
  const { id } = await makeCredential(server, account, { name: 'Of no project' });
  const query = `{
    project(name: "admin") { admin credentials(first: 100) { totalCount nodes { id accessKey } } }
    credentials { totalCount }
  }`;
  const data = expectData(await server.ask(query));
  expect(data.project.admin).toBe(true);
  expect(data.project.credentials.totalCount).toBe(data.credentials.totalCount);
  const nodes = data.project.credentials.nodes as { id: string; accessKey: string }[];
  expect(nodes.map((node) => node.id)).toContain(id);
  expect(nodes.map((node) => node.accessKey)).toEqual(expect.arrayContaining(Object.values(usernames)));
});

test('S30: an unknown project and a forbidden one are answered alike', async () => {
  const hidden = await projectOf(await makeAccount(server), 'Hidden');
  const forbidden = await server.ask(listOfProject, { name: hidden.name }, { token: reader.token });
  const unknown = await server.ask(listOfProject, { name: unique('Nowhere') }, { token: reader.token });
  expect(forbidden.data).toEqual({ project: null });
  expect([forbidden.status, withoutLimits(forbidden.text)]).toEqual([
    unknown.status,
    withoutLimits(unknown.text),
  ]);
});

test('S30: the filter by a forbidden project lists nothing', async () => {
  const owner = await makeAccount(server);
  const hidden = await projectOf(owner, 'Hidden');
  await makeCredential(server, owner, { project: hidden.id });
  const query = 'query ($id: ID!) { credentials(filter: { project: [$id] }) { totalCount nodes { id } } }';
  expect(expectData(await server.ask(query, { id: hidden.id })).credentials.totalCount).toBe(1);
  const answer = await server.ask(query, { id: hidden.id }, { token: reader.token });
  expect(expectData(answer).credentials).toEqual({ totalCount: 0, nodes: [] });
});

test('a wrong token: UNAUTHENTICATED', async () => {
  const answer = await server.ask(listOfProject, { name: project.name }, { token: 'YOUR_TOKEN' });
  expect({ status: answer.status, code: answer.code, data: answer.data }).toEqual({
    status: 401,
    code: 'UNAUTHENTICATED',
    data: null,
  });
});
