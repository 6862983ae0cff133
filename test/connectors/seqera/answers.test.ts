/** @embedded what vendors answer */
// What Seqera Platform says and asks for, as a caller of Keyway meets it.
import { faultPaths } from '../../credentials/verbs.js';
import { createStore, makeStore, updateStore } from '../../stores/stores.js';
import { expectData, makeAccount, unique } from '../../support/make.js';
import { sharedServer, type SharedServer } from '../../support/server.js';
import { startSeqera, type Seqera, type SeqeraOptions } from '../../upstreams/seqera.js';

let server: SharedServer;
let at: Seqera;
let account: string;
let store: string;
beforeAll(async () => {
  server = await sharedServer();
  account = await makeAccount(server);
});
afterEach(() => at.stop());

async function open(options: SeqeraOptions = {}, workspaces = ['4242']): Promise<void> {
  at = await startSeqera(options);
  store = await makeStore(server, account, { seqera: { endpoint: at.url, token: at.token, workspaces } });
}

const shown = `credential { id name status problem baseUrl trust { externalId policy } }`;
const run = (mutation: string, input: Record<string, unknown>, issued = '') => {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
  return server.ask(`mutation ($input: ${type}!) { ${mutation}(input: $input) { ${shown} ${issued} } }`, {
    input,
  });
};
const create = (providerKeys: object, more: Record<string, unknown> = {}) =>
  run('createCredential', { store, account, name: unique('made'), secret: { providerKeys }, ...more });
const made = async (...args: Parameters<typeof create>) =>
  expectData(await create(...args)).createCredential.credential;
const sync = () =>
  server.ask('mutation ($id: ID!) { syncStore(input: { id: $id }) { store { id } } }', { id: store });
const read = async (id: string) =>
  expectData(
    await server.ask(
      `query ($id: ID!) { node(id: $id) { ... on Credential { id name status problem revision baseUrl trust { externalId policy } } } }`,
      { id },
    ),
  ).node;
const storedOf = (name: string) => [...at.credentials.values()].find((one) => one.name === name);

const git = { username: 'octo', password: 'token-of-octo' };

test('what the platform calls INVALID is never ACTIVE, and says why; until it is right again', async () => {
  await open();
  const { id, name } = await made({ github: git });
  expect(await read(id)).toMatchObject({ status: 'ACTIVE', problem: null });
  Object.assign(storedOf(name) ?? {}, {
    status: 'INVALID',
    message: 'The provider\u0000 rejects these keys',
  });
  await sync();
  expect(await read(id)).toMatchObject({ status: 'INVALID', problem: 'The provider rejects these keys' });
  const filter =
    'query ($s: [ID!]) { credentials(filter: { store: $s, status: [INVALID] }) { nodes { id } } }';
  expect(expectData(await server.ask(filter, { s: [store] })).credentials.nodes).toEqual([{ id }]);
  Object.assign(storedOf(name) ?? {}, { status: 'AVAILABLE', message: undefined });
  await sync();
  expect(await read(id)).toMatchObject({ status: 'ACTIVE', problem: null });
  Object.assign(storedOf(name) ?? {}, { status: 'INVALID' });
  await sync();
  expect(await read(id)).toMatchObject({ status: 'INVALID', problem: null });
  expectData(await run('rotateCredential', { id, secret: { providerKeys: { github: git } } }));
  expect(await read(id)).toMatchObject({ status: 'ACTIVE', problem: null });
  // The platform has looked at the new keys by the next sync. What is found for the first time may be so already.
  Object.assign(storedOf(name) ?? {}, { status: 'AVAILABLE' });
  at.seed(1, () => ({ workspaceId: '4242', name: 'found', status: 'INVALID', message: 'expired' }));
  await sync();
  expect(expectData(await server.ask(filter, { s: [store] })).credentials.nodes).toHaveLength(1);
});

test('what it says of the keys that a rotation has brought in counts as well', async () => {
  await open();
  const { id, name } = await made({ github: git });
  const says = async (status: string) => {
    Object.assign(storedOf(name) ?? {}, { status });
    await sync();
    return read(id);
  };
  const rotated = async () => {
    expectData(await run('rotateCredential', { id, secret: { providerKeys: { github: git } } }));
    return read(id);
  };
  expect(await says('INVALID')).toMatchObject({ status: 'INVALID' });
  expect(await rotated()).toMatchObject({ status: 'ACTIVE' });
  expect(await says('INVALID')).toMatchObject({ status: 'INVALID' });
  expect(await says('AVAILABLE')).toMatchObject({ status: 'ACTIVE' });
  const { revision } = await rotated();
  // That it takes them is nothing new.
  expect(await says('AVAILABLE')).toMatchObject({ status: 'ACTIVE', revision });
});

test('the address of a Git host is given, shown, changed and brought in', async () => {
  await open();
  const baseUrl = 'https://git.example.com/team';
  const one = await made({ gitlab: { ...git, token: 't' } }, { baseUrl });
  expect(one.baseUrl).toBe(baseUrl);
  expect(storedOf(one.name)?.baseUrl).toBe(baseUrl);
  const codecommit = await made({ codecommit: { accessKey: 'AKIA', secretKey: 's' } }, { baseUrl });
  expect(storedOf(codecommit.name)).toMatchObject({ baseUrl, keys: { username: 'AKIA', password: 's' } });
  const next = 'https://other.example.com/';
  const { credential } = expectData(
    await run('updateCredential', { id: one.id, baseUrl: next }),
  ).updateCredential;
  expect([credential.baseUrl, storedOf(one.name)?.baseUrl]).toEqual([next, next]);
  expect(
    expectData(
      await run('rotateCredential', {
        id: one.id,
        secret: { providerKeys: { gitlab: { ...git, token: 't' } } },
      }),
    ).rotateCredential.credential.baseUrl,
  ).toBe(next);
  Object.assign(storedOf(one.name) ?? {}, { baseUrl: 'https://third.example.com' });
  await sync();
  expect((await read(one.id)).baseUrl).toBe('https://third.example.com');
});

test('Gitea needs it, and Keyway itself has no such setting', async () => {
  await open();
  const without = await create({ gitea: git });
  expect([without.code, faultPaths(without)]).toEqual(['BAD_USER_INPUT', ['input.baseUrl']]);
  const { id } = await made({ gitea: git }, { baseUrl: 'https://gitea.example.com' });
  const lost = await run('updateCredential', { id, baseUrl: null });
  expect([lost.code, faultPaths(lost)]).toEqual(['BAD_USER_INPUT', ['input.baseUrl']]);
  const here = await run('createCredential', {
    ...{ account, name: unique('made'), secret: { accessKey: {} }, baseUrl: 'https://a.example' },
  });
  expect([here.code, faultPaths(here)]).toEqual(['BAD_USER_INPUT', ['input.baseUrl']]);
});

test('a role that is assumed comes with the external id that the platform made, and a policy for it', async () => {
  await open();
  const assumeRoleArn = 'arn:aws:iam::123456789012:role/ci';
  const one = await made({ aws: { mode: 'ROLE', assumeRoleArn } });
  const externalId = storedOf(one.name)?.keys['externalId'];
  expect(one.trust).toEqual({ externalId, policy: expect.stringContaining(String(externalId)) });
  await sync();
  // A listing shows the id alone: what is known of it stays.
  expect((await read(one.id)).trust).toEqual(one.trust);
  at.seed(1, () => ({
    ...{ workspaceId: '4242', name: 'theirs', provider: 'aws' },
    keys: { mode: 'role', assumeRoleArn, externalId: 'made-by-others' },
  }));
  await sync();
  const list =
    'query ($s: [ID!]) { credentials(filter: { store: $s, search: "theirs" }) { nodes { trust { externalId policy } } } }';
  expect(expectData(await server.ask(list, { s: [store] })).credentials.nodes).toEqual([
    { trust: { externalId: 'made-by-others', policy: null } },
  ]);
});

test('a role alone, and a workload identity without an audience, are taken', async () => {
  await open();
  const assumeRoleArn = 'arn:aws:iam::123456789012:role/ci';
  const role = await made({ aws: { assumeRoleArn } });
  expect(storedOf(role.name)?.keys).toEqual({ assumeRoleArn });
  const google = { serviceAccountEmail: 'ci@x.example', workloadIdentityProvider: 'projects/1/p' };
  const identity = await made({ google });
  expect(storedOf(identity.name)?.keys).toEqual(google);
  const half = await create({ google: { serviceAccountEmail: 'ci@x.example' } });
  expect(half.code).toBe('BAD_USER_INPUT');
});

test.each([
  ['a name with spaces', { name: 'my keys' }, 'input.name'],
  ['a name with a dot', { name: 'my.keys' }, 'input.name'],
  ['a name that is too long', { name: 'n'.repeat(101) }, 'input.name'],
  ['a category that is too long', { category: 'c'.repeat(21) }, 'input.category'],
])('%s is BAD_USER_INPUT with its field, before anything is sent', async (_, more, path) => {
  await open();
  const before = at.calls.length;
  const answer = await create({ github: git }, more);
  expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', [path]]);
  expect(at.calls).toHaveLength(before);
  const { id } = await made({ github: git });
  const changed = await run('updateCredential', { id, ...more });
  expect([changed.code, faultPaths(changed)]).toEqual(['BAD_USER_INPUT', [path]]);
});

test('an older name with spaces that the platform no longer takes is told as the name', async () => {
  await open();
  at.seed(1, () => ({ workspaceId: '4242', name: 'an older name' }));
  await sync();
  const list = 'query ($s: [ID!]) { credentials(filter: { store: $s, search: "older" }) { nodes { id } } }';
  const [{ id }] = expectData(await server.ask(list, { s: [store] })).credentials.nodes;
  at.meet({ kind: 'fail', status: 400, body: { message: 'Invalid' } }, { method: 'PUT' });
  const keys = { containerReg: { userName: 'ci', password: 'p' } };
  const answer = await run('updateCredential', { id, description: 'x', secret: { providerKeys: keys } });
  expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', ['input.name']]);
  expectData(await run('rotateCredential', { id, secret: { providerKeys: keys } }));
});

test('an installation whose API is below /api is found there', async () => {
  at = await startSeqera({ enterprise: true });
  store = await makeStore(server, account, {
    seqera: { endpoint: at.url, token: at.token, workspaces: ['4242'] },
  });
  const { id } = await made({ github: git });
  expect(await read(id)).toMatchObject({ status: 'ACTIVE' });
  const check = await server.ask(
    'mutation ($id: ID!) { checkStore(input: { id: $id }) { store { endpoint health { reachable } } } }',
    { id: store },
  );
  expect(expectData(check).checkStore.store).toEqual({ endpoint: `${at.url}/`, health: { reachable: true } });
  const wrong = await createStore(server, {
    ...{ account, name: unique('store') },
    connection: { seqera: { endpoint: at.url, token: 'another' } },
  });
  expect(wrong.code).toBe('STORE_REJECTED');
});

test('the workspaces that the token sees are listed, and named where a wrong or none is given', async () => {
  await open({ workspaces: ['4242', '77'] }, ['4242', '77']);
  const scopes = 'query ($id: ID!) { node(id: $id) { ... on CredentialStore { scopes { id name } } } }';
  expect(expectData(await server.ask(scopes, { id: store })).node.scopes).toEqual([
    { id: '4242', name: 'acme/ws-4242' },
    { id: '77', name: 'acme/ws-77' },
  ]);
  const wrong = await createStore(server, {
    ...{ account, name: unique('store') },
    connection: { seqera: { endpoint: at.url, token: at.token, workspaces: ['999'] } },
  });
  expect(wrong.code).toBe('STORE_REJECTED');
  expect(wrong.errors[0]?.message).toMatch(/one of 4242 \(acme\/ws-4242\), 77 \(acme\/ws-77\)/);
  for (const more of [{}, { scope: '999' }]) {
    const answer = await create({ github: git }, more);
    expect(faultPaths(answer)).toEqual(['input.scope']);
    expect(answer.text).toMatch(/one of 4242, 77/);
  }
});

test.each([[[]], [['4242']]])(
  'a store that is connected with the workspaces %j lists those alone, creates in each, and names the others',
  async (connected) => {
    await open({ workspaces: ['4242', '77'] }, connected);
    const scopes = 'query ($id: ID!) { node(id: $id) { ... on CredentialStore { scopes { id } } } }';
    const listed = expectData(await server.ask(scopes, { id: store })).node.scopes as { id: string }[];
    expect(listed.map(({ id }) => id)).toEqual(connected);
    for (const { id } of listed) await made({ github: git }, { scope: id });
    const refused = await create({ github: git }, { scope: '77' });
    expect(faultPaths(refused)).toEqual(['input.scope']);
    expect(refused.text).toMatch(/77 \(acme\/ws-77\).*updateStore/);
    const withIt = await updateStore(server, {
      id: store,
      connection: { seqera: { endpoint: at.url, token: at.token, workspaces: [...connected, '77'] } },
    });
    expectData(withIt);
    await made({ github: git }, { scope: '77' });
  },
);

test.each([
  [['credentials:write'], 'The store does not allow Keyway to do this: its token lacks credentials:write.'],
  [['credentials:write', 'organization:write'], 'its token lacks credentials:write, organization:write.'],
  [['<b>a secret</b>'], 'The store does not allow Keyway to do this.'],
])('a permission that is missing, %j, is named where it is one', async (lacking, message) => {
  await open({ lacking });
  const answer = await create({ github: git });
  expect(answer.code).toBe('STORE_REJECTED');
  expect(answer.errors[0]?.message).toContain(message);
  expect(answer.text).not.toContain('<b>');
});

test.each([{ ok: true }, [], 'text'])('%j is no answer to a change or an end', async (body) => {
  await open();
  const { id } = await made({ github: git });
  at.meet({ kind: 'fail', status: 200, body }, { method: 'PUT' });
  // It is done again, which does no harm, until it is answered as it should be.
  expectData(await run('rotateCredential', { id, secret: { providerKeys: { github: git } } }));
  expect(at.calls.filter(({ method }) => method === 'PUT')).toHaveLength(2);
  at.meet({ kind: 'fail', status: 200, body }, { method: 'DELETE' });
  const { status } = expectData(await run('revokeCredential', { id })).revokeCredential.credential;
  expect([status, at.credentials.size]).toEqual(['REVOKED', 0]);
});

test('a revocation that takes the place of another one keeps its reason', async () => {
  await open();
  const { id } = await made({ github: git });
  const reached = at.hold('before', { method: 'DELETE' });
  const first = run('revokeCredential', { id, reason: 'It was published.' });
  const held = await reached;
  expectData(await run('revokeCredential', { id }));
  held.release();
  await first;
  const query = 'query ($id: ID!) { credential(id: $id) { status revokeReason } }';
  expect(expectData(await server.ask(query, { id })).credential).toEqual({
    status: 'REVOKED',
    revokeReason: 'It was published.',
  });
});
