/**
 * @slow 25 s
 */
// Answers are read as they come: each query knows what it asked for.
/* eslint-disable @typescript-eslint/no-explicit-any */
import { decodeId } from '../src/inputs/decode-id.js';
import {
  expectData,
  grant,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  makeRole,
  unique,
} from './support/make.js';
import { startTestServer, type TestServer } from './support/server.js';
import { statementsOf } from './support/statements.js';

// How many SQL statements a query costs is a property of its text, never of how many rows it finds.

const sizes = [1, 10, 100];
let server: TestServer;
let variables: { organization: string; project: string; role: string };

beforeAll(async () => {
  server = await startTestServer();
  const organization = await makeAccount(server);
  const project = await makeProject(server, organization);
  const role = await makeRole(server, ['CREDENTIAL_READ']);
  variables = { organization, project, role };
  const rows = Math.max(...sizes);
  for (let made = 0; made < rows; made += 10) await Promise.all(Array.from({ length: 10 }, makeRow));
});
afterAll(() => server.stop());

/** A credential whose account, owner, project and role are its own, so that no loader is spared a key. */
async function makeRow() {
  const { organization, project, role } = variables;
  const account = await makeAccount(server, { parent: organization });
  const own = await makeProject(server, account);
  const carried = await makeRole(server, []);
  await grant(server, account, role, { onProject: project });
  const { id } = await makeCredential(server, account, {
    owner: await makeAccount(server, { kind: 'PERSON', name: unique('owner') }),
    project: own,
    roles: [carried, role],
  });
  expectData(
    await server.ask(
      `mutation ($id: ID!) { rotateCredential(input: { id: $id, gracePeriod: "PT1H" }) { credential { id } } }`,
      { id },
    ),
  );
  const { id: parent } = await makeCredential(server, organization, { project, roles: [carried] });
  await server.rows('UPDATE credentials SET parent_id = :parent WHERE id = :id', {
    id: decodeId('Credential', id, 'id'),
    parent: decodeId('Credential', parent, 'parent'),
  });
}

/** Asks, and counts the statements that run meanwhile. */
async function counted(query: string, first: number) {
  const { result, statements } = await statementsOf(server, () => server.ask(query, { ...variables, first }));
  return { data: expectData(result), statements: statements.length };
}

// One statement finds the caller and what it may do; then one for each list, and one for all that is named by ids at a
// time.
const asking = 1;

test('alone, a page with what it names is four statements, and one credential three', async () => {
  const names = 'id name kind status createdAt account { name } project { name } roles { name }';
  const page = await counted(
    `query ($project: ID!, $first: Int!) { node(id: $project) { ... on Project {
      credentials(first: $first) { nodes { ${names} } } } } }`,
    50,
  );
  expect([page.statements, page.data.node.credentials.nodes.length]).toEqual([4, 50]);
  const { id } = page.data.node.credentials.nodes[0];
  const { result, statements } = await statementsOf(server, () =>
    server.ask(`query ($id: ID!) { credential(id: $id) { ${names} } }`, { id }),
  );
  expect(expectData(result).credential.project.name).toEqual(expect.any(String));
  expect(statements.map(({ text }) => text)).toHaveLength(3);
});

test('who sees all of a project reads its lists without a condition on what they see', async () => {
  const reader = await makeCaller(server, ['CREDENTIAL_READ'], { onProject: variables.project });
  const other = await makeCaller(server);
  const listed = async (token: string) => {
    const { statements } = await statementsOf(server, () =>
      server.ask(
        'query ($project: ID!) { node(id: $project) { ... on Project { credentials { nodes { id } } } } }',
        { project: variables.project },
        { token },
      ),
    );
    return statements.map(({ text }) => text).filter((text) => text.includes('c.project_id = parent.id'));
  };
  const [list = ''] = await listed(reader.token);
  expect(list).not.toContain('c.account_id = ANY');
  expect(await listed(other.token)).toEqual([]);
});

test.each([
  [
    'credentials with all that they name',
    `query ($role: ID!, $first: Int!) { credentials(filter: { role: [$role] }, first: $first) { nodes {
      id status lastUsedAt account { name } owner { name } project { name } roles { name } versions { number state }
      rotation { state } store { name } parent { id } } } }`,
    (data: any) =>
      data.credentials.nodes.map((node: any) => [node.project.name, node.roles.length, node.versions.length]),
    asking + 2,
  ],
  [
    'the credentials of accounts, with their roles',
    `query ($organization: ID!, $first: Int!) { accounts(filter: { parent: [$organization] }, first: $first) { nodes {
      name credentials(first: 2) { nodes { roles { name } } } } } }`,
    (data: any) =>
      data.accounts.nodes.map((node: any) => [node.name, node.credentials.nodes[0].roles.length]),
    asking + 3,
  ],
  [
    'the credentials of a project, with their roles',
    `query ($project: ID!, $first: Int!) { node(id: $project) { ... on Project {
      credentials(first: $first) { totalCount nodes { id account { name } roles { name } } } } } }`,
    (data: any) => data.node.credentials.nodes.map((node: any) => [node.id, node.roles.length]),
    asking + 4,
  ],
  [
    'sub-accounts with their parents, projects and grants',
    `query ($organization: ID!, $first: Int!) { node(id: $organization) { ... on Account {
      subAccounts(first: $first) { nodes { name parent { name } projects(first: 2) { nodes { name } }
        grants { role { name } onProject { name } } } } } } }`,
    (data: any) =>
      data.node.subAccounts.nodes.map((node: any) => [
        node.name,
        node.projects.nodes.length,
        node.grants[0].onProject.name,
      ]),
    asking + 5,
  ],
  [
    'audit events with actors and targets',
    `query ($first: Int!) { auditEvents(filter: { action: ["credential:rotate"] }, first: $first) { nodes {
      id actor { name } actorCredential { name } target { ... on Credential { name } } } } }`,
    (data: any) =>
      data.auditEvents.nodes.map((node: any) => [
        node.id,
        node.actor.name,
        node.actorCredential.name,
        node.target.name,
      ]),
    asking + 2,
  ],
])('%s cost the same statements for 1, 10 and 100 rows', async (_, query, rowsOf, statements) => {
  for (const size of sizes) {
    const answer = await counted(query, size);
    const rows = rowsOf(answer.data);
    expect(rows).toHaveLength(size);
    expect(new Set(rows.map(String)).size).toBe(size);
    expect(JSON.stringify(rows)).not.toMatch(/null|,0[,\]]/);
    expect({ size, statements: answer.statements }).toEqual({ size, statements });
  }
});
