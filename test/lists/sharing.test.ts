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
import { slowReads } from '../support/held-reads.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { statementsOf } from '../support/statements.js';

// Requests that come at the same time share their statements. What one may see must not reach another by that, and what
// is answered must not be older than the question.

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

/** All that is loaded by ids, and lists below each kind of thing. */
const everything = `query ($ids: [ID!]!) { nodes(ids: $ids) {
  ... on Credential { name account { id identities { subject } grants { id } grantsOn { id } subAccounts { nodes { id } } }
    owner { id } project { id name grants { id account { id } } credentials(first: 3) { totalCount nodes { id } } }
    roles { id name grants { id } credentials(first: 3) { nodes { id } } } parent { id } derived { nodes { id } }
    versions { number state } rotation { id from { number } startedBy { id } } store { id name }
    storeChanges { kind } auditEvents(first: 3) { nodes { action actor { id } target { __typename } } } }
  ... on Account { name credentials(first: 5) { totalCount nodes { id name } } projects { nodes { id } } parent { id } }
  ... on Project { name credentials(first: 5) { nodes { id name owner { id } } } account { id } }
  ... on Role { name permissions credentials(first: 5) { nodes { id } } grants { id account { id } } }
  ... on Grant { account { id } role { id } onAccount { id } onProject { id } }
  ... on CredentialStore { name credentials(first: 5) { nodes { id } } lastSync { startedAt } scopeGrants { scope } }
} }`;

/** Two tenants with a project each, things in both, and callers of many kinds. */
async function neighbours() {
  const tenants = await Promise.all(
    [0, 1].map(async () => {
      const account = await makeAccount(server);
      const project = await makeProject(server, account);
      const role = await makeRole(server, [], { account });
      const person = await makeAccount(server, { kind: 'PERSON', parent: account, name: unique('person') });
      const credential = await makeCredential(server, account, { project, roles: [role], owner: person });
      const given = await grant(server, person, role, { onProject: project });
      await server.ask(`mutation ($id: ID!) { rotateCredential(input: { id: $id }) { credential { id } } }`, {
        id: credential.id,
      });
      return { account, project, role, person, credential: credential.id, given };
    }),
  );
  const [one, other] = tenants;
  if (!one || !other) throw new Error('two tenants were to be made');
  const all = [
    'CREDENTIAL_READ',
    'ACCOUNT_READ',
    'PROJECT_READ',
    'ROLE_READ',
    'AUDIT_READ',
    'ACCOUNT_MANAGE',
  ];
  const callers = await Promise.all([
    makeCaller(server, all, { onAccount: one.account }),
    makeCaller(server, all, { onAccount: other.account }),
    makeCaller(server, ['CREDENTIAL_READ'], { onProject: one.project }),
    makeCaller(server, ['CREDENTIAL_READ'], { onProject: other.project }),
    makeCaller(server, ['CREDENTIAL_READ'], { onProject: one.project }),
    makeCaller(server, ['ROLE_READ'], { onAccount: other.account }),
    makeCaller(server, ['CREDENTIAL_VERIFY'], { onAccount: one.account }),
    makeCaller(server),
  ]);
  const store = expectData(await server.ask('{ stores { id } }')).stores[0].id as string;
  const ids = tenants.flatMap((tenant) => Object.values(tenant)).concat(store);
  return { ids, tokens: [server.adminToken, ...callers.map(({ token }) => token)] };
}

test('S39: callers who ask for the same at the same time are answered as if each were alone', async () => {
  const { ids, tokens } = await neighbours();
  const askAs = async (token: string) => {
    const { data, errors } = await server.ask(everything, { ids }, { token });
    return { data: data as unknown, errors: errors.map(({ message, path }) => ({ message, path })) };
  };
  const alone: unknown[] = [];
  for (const token of tokens) alone.push(await askAs(token));
  expect(new Set(alone.map((answer) => JSON.stringify(answer))).size).toBeGreaterThan(5);
  for (let round = 0; round < 4; round++) {
    // Each several times, so that many share a statement and many do not.
    const together = await Promise.all([...tokens, ...tokens, ...tokens].map(askAs));
    together.forEach((answer, index) => expect(answer).toEqual(alone[index % tokens.length]));
  }
});

test('requests of one turn share their statements', async () => {
  const account = await makeAccount(server);
  const credentials = await Promise.all(Array.from({ length: 8 }, () => makeCredential(server, account)));
  const query = 'query ($id: ID!) { credential(id: $id) { name account { name } versions { number } } }';
  await server.ask(query, { id: credentials[0]?.id });
  const quickAgain = slowReads(server.db, 100);
  const { statements } = await statementsOf(server, () =>
    Promise.all(credentials.map(({ id }) => server.ask(query, { id }))),
  ).finally(quickAgain);
  // Each by itself would send three.
  expect(statements.length).toBeLessThan(credentials.length * 2);
});

test('S23: what is read after a change tells of it, however many others are reading the same', async () => {
  const { id } = await makeCredential(server, await makeAccount(server));
  let over = false;
  const read = async () =>
    expectData(await server.ask('query ($id: ID!) { credential(id: $id) { name } }', { id }));
  const others = Array.from({ length: 6 }, async () => {
    while (!over) await read();
  });
  for (let number = 1; number <= 25; number++) {
    const name = `Name ${number}`;
    expectData(
      await server.ask(
        'mutation ($input: UpdateCredentialInput!) { updateCredential(input: $input) { credential { id } } }',
        { input: { id, name } },
      ),
    );
    expect((await read()).credential.name).toBe(name);
  }
  over = true;
  await Promise.all(others);
});
