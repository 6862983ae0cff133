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
import { addDerived } from './derived.js';
import { keptOf, read, remove, revoke, statusWith } from './verbs.js';

let server: SharedServer;
let account: string;
beforeAll(async () => {
  server = await sharedServer();
  account = await makeAccount(server);
});

const made = (input: Record<string, unknown> = {}) => makeCredential(server, account, input);
const deleted = async (id: string) => expectData(await remove(server, { id })).deleteCredential.credential;

test('S23: ends the secret at once, and says so', async () => {
  const name = unique('token');
  const { id, secret } = await made({ name, secret: { token: {} }, retrievable: true });
  expect(await statusWith(server, String(secret))).toBe(200);
  const credential = await deleted(id);
  expect(credential.status).toBe('DELETED');
  expect([credential.revokedAt, credential.deletedAt]).toEqual([expect.any(String), expect.any(String)]);
  expect(await statusWith(server, String(secret))).toBe(401);
  expect(await keptOf(server, name)).toEqual([
    {
      number: 1,
      state: 'RETIRED',
      passwordHash: null,
      verifier: false,
      verifierKey: false,
      pepper: false,
      sealed: false,
      kek: false,
    },
  ]);
});

test('takes it out of every list, unless it is asked for', async () => {
  const project = await makeProject(server, account);
  const role = await makeRole(server, []);
  const name = unique('listed');
  const { id } = await made({ name, project, roles: [role] });
  const lists = async (filter: string) => {
    const answer = await server.ask(
      `query ($project: ID!, $account: ID!, $role: ID!, $search: String!) {
        all: credentials(filter: { search: $search ${filter} }) { totalCount nodes { id } }
        nodes(ids: [$project, $account, $role]) {
          ... on Project { credentials(filter: { search: $search ${filter} }) { totalCount nodes { id } } }
          ... on Account { credentials(filter: { search: $search ${filter} }) { totalCount nodes { id } } }
          ... on Role { credentials(filter: { search: $search ${filter} }) { totalCount nodes { id } } }
        }
      }`,
      { project, account, role, search: name },
    );
    const { all, nodes } = expectData(answer);
    return [all, ...nodes.map(({ credentials }: { credentials: unknown }) => credentials)];
  };
  const with1 = { totalCount: 1, nodes: [{ id }] };
  const with0 = { totalCount: 0, nodes: [] };
  expect(await lists('')).toEqual([with1, with1, with1, with1]);
  await deleted(id);
  expect(await lists('')).toEqual([with0, with0, with0, with0]);
  expect(await lists(', status: [ACTIVE, REVOKED]')).toEqual([with0, with0, with0, with0]);
  expect(await lists(', status: [DELETED]')).toEqual([with1, with1, with1, with1]);
  expect(await lists(', includeDeleted: true')).toEqual([with1, with1, with1, with1]);
});

test('leaves it to be read by its id, with its audit events', async () => {
  const { id } = await made();
  const credential = await deleted(id);
  expect(await read(server, id)).toEqual(credential);
  const answer = await server.ask(
    'query ($id: ID!) { node(id: $id) { ... on Credential { auditEvents { nodes { action outcome changed } } } } }',
    { id },
  );
  expect(expectData(answer).node.auditEvents.nodes).toEqual([
    { action: 'credential:delete', outcome: 'DONE', changed: ['status'] },
    { action: 'credential:create', outcome: 'DONE', changed: [] },
  ]);
});

test('a second time answers as it is, and changes nothing', async () => {
  const { id } = await made();
  const first = await deleted(id);
  expect(await deleted(id)).toEqual(first);
  expect(first.revision).toBe(3);
});

test('keeps the time at which it was revoked before', async () => {
  const { id } = await made();
  const { revokedAt } = expectData(await revoke(server, { id })).revokeCredential.credential;
  expect((await deleted(id)).revokedAt).toBe(revokedAt);
});

test('S22: ends what was derived from it', async () => {
  const name = unique('parent');
  const { id } = await made({ name });
  const child = await addDerived(server, name);
  expect(await statusWith(server, child.token)).toBe(200);
  await deleted(id);
  expect(await statusWith(server, child.token)).toBe(401);
});

test('S27: frees the user name', async () => {
  const username = unique('deleted');
  const { id } = await made({ secret: { password: { username } } });
  await deleted(id);
  expect((await made({ secret: { password: { username } } })).accessKey).toBe(username);
});

test('S30: answers NOT_FOUND to a stranger and FORBIDDEN to one who only may see it', async () => {
  const stranger = await makeCaller(server);
  const reader = await makeCaller(server, ['CREDENTIAL_READ'], { onAccount: account });
  const { id } = await made();
  expect((await remove(server, { id }, { token: stranger.token })).code).toBe('NOT_FOUND');
  expect((await remove(server, { id }, { token: reader.token })).code).toBe('FORBIDDEN');
  expect((await read(server, id)).status).toBe('ACTIVE');
});
