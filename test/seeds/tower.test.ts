// The operations of Seqera Tower's page on credentials: list, describe, create, update, delete.
import { setTimeout as sleep } from 'node:timers/promises';
import { expectData, makeAccount, makeCaller, makeCredential } from '../support/make.js';
import { sharedServer, type Answer, type SharedServer } from '../support/server.js';

let server: SharedServer;
let account: string;
let user: { id: string; token: string };

beforeAll(async () => {
  server = await sharedServer();
  account = await makeAccount(server);
  user = await makeCaller(
    server,
    ['CREDENTIAL_READ', 'CREDENTIAL_CREATE', 'CREDENTIAL_UPDATE', 'CREDENTIAL_ROTATE', 'CREDENTIAL_REVOKE'],
    { onAccount: account },
  );
});

const ask = (query: string, variables: Record<string, unknown>): Promise<Answer> =>
  server.ask(query, variables, { token: user.token });

const fields = 'id name description provider category deletedAt lastUsedAt createdAt updatedAt status';
const instant = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as unknown;

const keys = { accessKey: 'an-access-key', secretKey: 'the-secret-that-is-never-returned' };
const newKeys = { accessKey: 'an-access-key', secretKey: 'the-next-that-is-never-returned' };

/** Creates the page's example, and returns its id. */
async function createCredential(name = 'Git Hub Access Credentials'): Promise<string> {
  const answer = await ask(
    `mutation ($input: CreateCredentialInput!) { createCredential(input: $input) { credential { ${fields} } } }`,
    {
      input: {
        account,
        name,
        description: 'Git Hub corporate account',
        category: 'repositories',
        secret: { providerKeys: { github: keys } },
      },
    },
  );
  const { credential } = expectData(answer).createCredential;
  expect(credential).toMatchObject({ name, provider: 'GITHUB', category: 'repositories' });
  return credential.id as string;
}

const list = `query ($account: ID!, $includeDeleted: Boolean) {
  credentials(first: 100, filter: { account: [$account], provider: [GITHUB], includeDeleted: $includeDeleted }) {
    nodes { ${fields} }
  }
}`;
const describeOne = `query ($id: ID!) { credential(id: $id) { ${fields} } }`;

test('Create credential: answers with its id', async () => {
  expect(await createCredential()).toMatch(/^cred_/);
});

test('List credentials: with provider, category, and when it was used, made, changed and deleted', async () => {
  const id = await createCredential();
  const { nodes } = expectData(await ask(list, { account })).credentials;
  expect(nodes).toContainEqual({
    id,
    name: 'Git Hub Access Credentials',
    description: 'Git Hub corporate account',
    provider: 'GITHUB',
    category: 'repositories',
    deletedAt: null,
    lastUsedAt: null,
    createdAt: instant,
    updatedAt: instant,
    status: 'ACTIVE',
  });
});

test('Describe credential: the same for one id', async () => {
  const id = await createCredential();
  const { nodes } = expectData(await ask(list, { account })).credentials;
  const listed = (nodes as { id: string }[]).find((node) => node.id === id);
  expect(expectData(await ask(describeOne, { id })).credential).toEqual(listed);
});

test('S41: keys are in no answer but that of their creation', async () => {
  const id = await createCredential();
  const listed = await ask(list, { account });
  const described = await ask(describeOne, { id });
  expect(listed.text).toContain(id);
  for (const { text } of [listed, described]) expect(text).not.toContain(keys.secretKey);
});

test('Update credential: name, description and category change, and the day of the change', async () => {
  const id = await createCredential();
  const before = expectData(await ask(describeOne, { id })).credential;
  const answer = await ask(
    `mutation ($input: UpdateCredentialInput!) { updateCredential(input: $input) { credential { ${fields} } } }`,
    { input: { id, name: 'Git Hub', description: 'The new account', category: 'sources' } },
  );
  const { credential } = expectData(answer).updateCredential;
  expect(credential).toMatchObject({
    ...before,
    name: 'Git Hub',
    description: 'The new account',
    category: 'sources',
    updatedAt: instant,
  });
  expect(Date.parse(credential.updatedAt)).toBeGreaterThan(Date.parse(before.updatedAt));
});

test('Update credential: new keys take the place of the old ones', async () => {
  const id = await createCredential();
  await expectAnswered(
    `mutation ($input: RotateCredentialInput!) { rotateCredential(input: $input) { credential { id } } }`,
    { input: { id, secret: { providerKeys: { github: newKeys } } } },
  );
  const revealed = await server.ask(
    'mutation ($id: ID!) { revealCredential(input: { id: $id }) { issued { keys { name value } } other { secret } } }',
    { id },
  );
  expect(expectData(revealed).revealCredential).toEqual({
    issued: {
      keys: [
        { name: 'accessKey', value: newKeys.accessKey },
        { name: 'secretKey', value: newKeys.secretKey },
      ],
    },
    other: null,
  });
});

test('S10: Update credential: keys of another provider are refused, and no error holds them', async () => {
  const id = await createCredential();
  const answer = await ask(
    `mutation ($input: RotateCredentialInput!) { rotateCredential(input: $input) { credential { id } } }`,
    { input: { id, secret: { providerKeys: { gitlab: newKeys } } } },
  );
  expect(answer.code).toBe('BAD_USER_INPUT');
  expect(answer.text).not.toContain(newKeys.secretKey);
});

test('Delete credential: it leaves the list, and is found with the day of its deletion where asked for', async () => {
  const id = await createCredential();
  await expectAnswered('mutation ($id: ID!) { deleteCredential(input: { id: $id }) { credential { id } } }', {
    id,
  });
  const idsOf = (answer: Answer) =>
    (expectData(answer).credentials.nodes as { id: string }[]).map((node) => node.id);
  expect(idsOf(await ask(list, { account }))).not.toContain(id);
  expect(idsOf(await ask(list, { account, includeDeleted: true }))).toContain(id);
  expect(expectData(await ask(describeOne, { id })).credential).toMatchObject({
    deletedAt: instant,
    status: 'DELETED',
  });
});

test('lastUsed: tells when a credential was used last', async () => {
  const { id, secret } = await makeCredential(server, user.id, { secret: { token: {} } });
  const lastUsedAt = async () =>
    expectData(await server.ask(describeOne, { id })).credential.lastUsedAt as unknown;
  expect(await lastUsedAt()).toBeNull();
  expectData(await server.ask('{ viewer { id } }', {}, { token: secret }));
  // It is noted in batches.
  for (const until = Date.now() + 10_000; (await lastUsedAt()) === null && Date.now() < until;)
    await sleep(100);
  expect(await lastUsedAt()).toEqual(instant);
});

test('S30: Forbidden: for one without access nothing is listed or described, and changes are NOT_FOUND', async () => {
  const id = await createCredential();
  const { token } = await makeCaller(server);
  expect(expectData(await server.ask(list, { account }, { token })).credentials.nodes).toEqual([]);
  expect(expectData(await server.ask(describeOne, { id }, { token })).credential).toBeNull();
  const deleted = await server.ask(
    'mutation ($id: ID!) { deleteCredential(input: { id: $id }) { credential { id } } }',
    { id },
    { token },
  );
  expect(deleted.code).toBe('NOT_FOUND');
  expect(expectData(await ask(describeOne, { id })).credential.status).toBe('ACTIVE');
});

test('without a token: UNAUTHENTICATED', async () => {
  const answer = await server.ask(list, { account }, { token: null });
  expect({ status: answer.status, code: answer.code }).toEqual({ status: 401, code: 'UNAUTHENTICATED' });
});

test('Bad request: a malformed id is BAD_USER_INPUT', async () => {
  expect((await ask(describeOne, { id: 'no-such-id' })).code).toBe('BAD_USER_INPUT');
});

async function expectAnswered(query: string, variables: Record<string, unknown>): Promise<void> {
  expectData(await ask(query, variables));
}
