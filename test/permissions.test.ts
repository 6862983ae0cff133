/**
 * @slow 25 s
 */
import { getNamedType, isInputObjectType, type GraphQLType } from 'graphql';
import { everyPermission } from '../src/access/principal.js';
import { registry } from '../src/connectors/registry.js';
import { openSchema } from '../src/graph/schema.js';
import { enrol, enrolAndConfirm } from './support/authenticator.js';
import { type Answer, startTestServer, type TestServer } from './support/server.js';
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
import { trusting } from './support/issuer.js';
import { makeTenant, roleNamed, type Tenant } from './support/tenant.js';
import { inDays } from './credentials/verbs.js';
import { makeStore, seqeraAt } from './stores/stores.js';
import { startSeqera, type Seqera } from './upstreams/seqera.js';

// Who asks: nobody known, an account without a role, one for each permission that it holds everywhere, one for each
// built-in role, and two that hold everything, on another account and on another project.
const permissions = [...everyPermission];
const roles = ['ADMIN', 'OPERATOR', 'READER', 'AUDITOR', 'VERIFIER'];
const columns = ['anonymous', 'no role', ...permissions, ...roles, 'another account', 'another project'];

// + allowed · F FORBIDDEN · N NOT_FOUND · - answered, but sees nothing · U UNAUTHENTICATED. The columns:
//   anonymous, no role
//   CREDENTIAL_ READ CREATE UPDATE ROTATE REVOKE REVEAL VERIFY
//   ACCOUNT_ READ MANAGE · PROJECT_ READ MANAGE · ROLE_ READ MANAGE GIVE · STORE_MANAGE AUDIT_READ
//   KEYWAY_ ADMIN OPERATOR READER AUDITOR VERIFIER
//   everything on another account, everything on another project
const table: Record<string, string> = {
  viewer: 'U+ +++++++ +++++++++ +++++ ++',
  viewerMay: 'U+ +++++++ +++++++++ +++++ ++',
  node: 'U- +------ --------- ++++- --',
  nodes: 'U- +------ --------- ++++- --',
  credential: 'U- +------ --------- ++++- --',
  credentials: 'U- +------ --------- ++++- --',
  account: 'U- +------ ++++----- ++++- --',
  accounts: 'U- +------ ++++----- ++++- --',
  project: 'U- +------ --++----- ++++- --',
  projects: 'U- +------ --++----- ++++- --',
  role: 'U- +------ ----+++-- ++++- --',
  roles: 'U- +------ ----+++-- ++++- --',
  store: 'U+ +++++++ +++++++++ +++++ ++',
  stores: 'U+ +++++++ +++++++++ +++++ ++',
  insight: 'U- +------ --------- ++++- --',
  who: 'UN +NNNNNN NNNNNNNNN ++++N NN',
  keyringKeys: 'U- ------- --------+ +--+- --',
  auditEvents: 'U- ------- --------+ +--+- --',
  createCredential: 'UN F+NNNNN FFFFNNNNN ++FFN NN',
  updateCredential: 'UN FN+NNNN NNNNNNNNN ++FFN NN',
  rotateCredential: 'UN FNN+NNN NNNNNNNNN ++FFN NN',
  revealCredential: 'UN FNNNN+N NNNNNNNNN +FFFN NN',
  revokeCredential: 'UN FNNN+NN NNNNNNNNN ++FFN NN',
  deleteCredential: 'UN FNNN+NN NNNNNNNNN ++FFN NN',
  issueTemporaryCredential: 'UN F+NNNNN NNNNNNNNN ++FFN NN',
  'issueTemporaryCredential, with roles': 'UN FFNNNNN NNNNNNNNN ++FFN NN',
  verifyCredential: 'UF FFFFFF+ FFFFFFFFF +FFF+ ++',
  verifyCredentials: 'UF FFFFFF+ FFFFFFFFF +FFF+ ++',
  createAccount: 'UF FFFFFFF F+FFFFFFF +FFFF FF',
  'createAccount, of a part': 'UN FNNNNNN F+FFNNNNN +FFFN NN',
  updateAccount: 'UN FNNNNNN F+FFNNNNN +FFFN NN',
  'updateAccount, with an identity': 'UN NNNNNNN F+NNNNNNN +FFFN NN',
  deleteAccount: 'UN NNNNNNN F+NNNNNNN +FFFN NN',
  createProject: 'UN FNNNNNN FFF+NNNNN +FFFN NN',
  updateProject: 'UN FNNNNNN NNF+NNNNN +FFFN NN',
  deleteProject: 'UN NNNNNNN NNF+NNNNN +FFFN NN',
  createRole: 'UF FFFFFFF FFFFF+FFF +FFFF FF',
  'createRole, with a permission': 'UF FFFFFFF FFFFFFFFF +FFFF FF',
  updateRole: 'UN NNNNNNN NNNNF+FNN +FFFN FF',
  deleteRole: 'UN NNNNNNN NNNNF+FNN +FFFN FF',
  grantRole: 'UN NNNNNNN NNNNNFNNN +FFFN NN',
  'grantRole, everywhere': 'UN NNNNNNN NNNNNFNNN +FFFN NN',
  withdrawRole: 'UN NNNNNNN NNNNF+NNN +FFFN NN',
  createStore: 'UN FNNNNNN FFFFNNN+N +FFFN NN',
  updateStore: 'UN FFNNNNN NNNNNNN+N +FFFN NN',
  deleteStore: 'UN FFNNNNN NNNNNNN+N +FFFN NN',
  checkStore: 'UN FFNNNNN NNNNNNN+N +FFFN NN',
  grantScope: 'UN FFNNNNN NNNNNNN+N +FFFN NN',
  withdrawScope: 'UN FFNNNNN NNNNNNN+N +FFFN NN',
  syncStore: 'UN FFNNNNN NNNNNNN+N +FFFN NN',
  enrolMfa: 'U+ +++++++ +++++++++ +++++ ++',
  confirmMfa: 'U+ +++++++ +++++++++ +++++ ++',
  removeMfa: 'U+ +++++++ +++++++++ +++++ ++',
};

interface Operation {
  document: string;
  /** Makes what the operation is done to, and returns the variables. Some things are the caller's own. */
  on: (token: string | null) => Record<string, unknown> | Promise<Record<string, unknown>>;
  /** Whether the answer shows what was asked for. */
  shows?: (data: Answer['data']) => boolean;
}

let server: TestServer;
let seqera: Seqera;
let other: Seqera;
let tenant: Tenant;
let store: string;
const tokens = new Map<string, string | null>();

beforeAll(async () => {
  [seqera, other] = await Promise.all([startSeqera(), startSeqera()]);
  const trusted = trusting({
    issuer: 'https://id.example.com',
    jwks: 'https://id.example.com/keys',
    audience: 'keyway',
    algorithms: ['ES256'],
  });
  server = await startTestServer({ ...trusted, KEYWAY_OUTBOUND_LOCAL: 'true' });
  tenant = await makeTenant(server);
  store = await freshStore();
  tokens.set('anonymous', null);
  tokens.set('no role', (await makeCaller(server)).token);
  for (const permission of permissions)
    tokens.set(permission, (await makeCaller(server, [permission])).token);
  for (const role of roles) {
    const caller = await makeCaller(server);
    await grant(server, caller.id, await roleNamed(server, `KEYWAY_${role}`));
    tokens.set(role, caller.token);
  }
  const onAccount = await makeAccount(server);
  tokens.set('another account', (await makeCaller(server, permissions, { onAccount })).token);
  const onProject = await makeProject(server, onAccount);
  tokens.set('another project', (await makeCaller(server, permissions, { onProject })).token);
});
afterAll(async () => {
  await server.stop();
  await Promise.all([seqera.stop(), other.stop()]);
});

const none = () => ({});
const target = (name: keyof Tenant) => () => ({ target: tenant[name] });
const byName = (field: string, name: keyof Tenant): Operation => ({
  document: `query ($target: String!) { ${field}(name: $target) { id } }`,
  on: target(name),
});
const listing = (field: string, id: keyof Tenant, of = field): Operation => ({
  document: `query { ${field} { nodes { id } } }`,
  on: none,
  shows: (data) => (data[of].nodes as { id: string }[]).some((node) => node.id === tenant[id]),
});
const variables = {
  $target: 'ID!',
  $other: 'ID!',
  $name: 'String!',
  $code: 'String!',
  $endpoint: 'URL!',
  $token: 'String!',
};
const mutation = (name: string, members: string, on: Operation['on']): Operation => {
  const used = Object.entries(variables).filter(([variable]) => members.includes(variable));
  const declared = used.map((variable) => variable.join(': ')).join(', ');
  const head = declared === '' ? 'mutation' : `mutation (${declared})`;
  return { document: `${head} { ${name}(input: { ${members} }) { __typename } }`, on };
};
const freshCredential = async () => ({ target: (await makeCredential(server, tenant.account)).id });
const freshRole = async () => ({ target: await makeRole(server, []) });
const withoutFactor = async () => {
  await server.rows('DELETE FROM mfa_devices');
  return {};
};
const freshStore = () => makeStore(server, tenant.account, seqeraAt(seqera));
const freshName = () => ({ target: tenant.account, name: unique('made') });

const operations: Record<string, Operation> = {
  viewer: { document: 'query { viewer { id } }', on: none },
  viewerMay: { document: 'query { viewerMay }', on: none },
  node: { document: 'query ($target: ID!) { node(id: $target) { id } }', on: target('credential') },
  nodes: {
    document: 'query ($target: ID!) { nodes(ids: [$target]) { id } }',
    on: target('credential'),
    shows: (data) => data.nodes[0] !== null,
  },
  credential: {
    document: 'query ($target: ID!) { credential(id: $target) { id } }',
    on: target('credential'),
  },
  credentials: listing('credentials(first: 100)', 'credential', 'credentials'),
  account: byName('account', 'accountName'),
  accounts: listing('accounts(first: 100)', 'account', 'accounts'),
  project: byName('project', 'projectName'),
  projects: listing('projects(first: 100)', 'project', 'projects'),
  role: byName('role', 'roleName'),
  roles: listing('roles(first: 100)', 'role', 'roles'),
  store: { document: 'query { store(name: "keyway") { id } }', on: none },
  stores: { document: 'query { stores { id } }', on: none, shows: (data) => data.stores[0] !== undefined },
  insight: {
    document: 'query ($target: ID!) { insight(account: $target) { credentials } }',
    on: target('account'),
    shows: (data) => data.insight.credentials > 0,
  },
  who: {
    document: 'query ($target: ID!) { who(can: CREDENTIAL_READ, on: $target) { nodes { asOwner } } }',
    on: target('credential'),
    shows: (data) => (data.who.nodes as object[]).length > 0,
  },
  keyringKeys: {
    document: 'query { keyringKeys { id } }',
    on: none,
    shows: (data) => data.keyringKeys.length > 0,
  },
  auditEvents: {
    document: 'query ($target: ID!) { auditEvents(filter: { target: [$target] }) { nodes { id } } }',
    on: target('credential'),
    shows: (data) => (data.auditEvents.nodes as object[]).length > 0,
  },

  createCredential: mutation(
    'createCredential',
    'account: $target, name: $name, secret: { accessKey: {} }',
    freshName,
  ),
  updateCredential: mutation('updateCredential', 'id: $target, category: "seen"', target('credential')),
  rotateCredential: mutation('rotateCredential', 'id: $target', target('credential')),
  revealCredential: mutation('revealCredential', 'id: $target', target('credential')),
  revokeCredential: mutation('revokeCredential', 'id: $target', freshCredential),
  deleteCredential: mutation('deleteCredential', 'id: $target', freshCredential),

  issueTemporaryCredential: mutation(
    'issueTemporaryCredential',
    'parent: $target, roles: []',
    target('credential'),
  ),
  'issueTemporaryCredential, with roles': mutation(
    'issueTemporaryCredential',
    'parent: $target',
    target('credential'),
  ),
  verifyCredential: {
    document: 'mutation { verifyCredential(input: { proof: { secret: "anything" } }) { code } }',
    on: none,
  },
  verifyCredentials: {
    document: 'mutation { verifyCredentials(inputs: [{ proof: { secret: "anything" } }]) { code } }',
    on: none,
  },

  createAccount: mutation('createAccount', 'kind: PERSON, name: $name, title: "Made"', freshName),
  'createAccount, of a part': mutation(
    'createAccount',
    'kind: PERSON, name: $name, title: "Made", parent: $target',
    freshName,
  ),
  updateAccount: mutation('updateAccount', 'id: $target, title: "Changed"', target('account')),
  'updateAccount, with an identity': mutation(
    'updateAccount',
    'id: $target, identities: [{ issuer: "https://id.example.com", subject: $name }]',
    async () => ({ target: await makeAccount(server, { parent: tenant.account }), name: unique('subject') }),
  ),
  deleteAccount: mutation('deleteAccount', 'id: $target', async () => ({
    target: await makeAccount(server, { parent: tenant.account }),
  })),
  createProject: mutation('createProject', 'account: $target, name: $name', freshName),
  updateProject: mutation('updateProject', 'id: $target, title: "Changed"', target('project')),
  deleteProject: mutation('deleteProject', 'id: $target', async () => ({
    target: await makeProject(server, tenant.account),
  })),

  createRole: mutation('createRole', 'name: $name, permissions: []', freshName),
  'createRole, with a permission': mutation(
    'createRole',
    'name: $name, permissions: [CREDENTIAL_REVEAL]',
    freshName,
  ),
  updateRole: mutation('updateRole', 'id: $target, description: "Changed"', freshRole),
  deleteRole: mutation('deleteRole', 'id: $target', freshRole),
  grantRole: mutation('grantRole', 'account: $other, role: $target, onAccount: $other', async () => ({
    ...(await freshRole()),
    other: tenant.account,
  })),
  'grantRole, everywhere': mutation('grantRole', 'account: $other, role: $target', async () => ({
    ...(await freshRole()),
    other: tenant.account,
  })),
  withdrawRole: mutation('withdrawRole', 'grant: $target', async () => ({
    target: await grant(server, tenant.account, await makeRole(server, []), { onAccount: tenant.account }),
  })),

  createStore: mutation(
    'createStore',
    'account: $target, name: $name, connection: { seqera: { endpoint: $endpoint, token: $token } }',
    () => ({ ...freshName(), endpoint: seqera.url, token: seqera.token }),
  ),
  updateStore: mutation('updateStore', 'id: $target, name: $name', () => ({
    target: store,
    name: unique('renamed'),
  })),
  deleteStore: mutation('deleteStore', 'id: $target', async () => ({ target: await freshStore() })),
  checkStore: mutation('checkStore', 'id: $target', () => ({ target: store })),
  grantScope: mutation('grantScope', 'store: $target, account: $other', async () => ({
    target: store,
    other: await makeAccount(server, { parent: tenant.account }),
  })),
  withdrawScope: mutation('withdrawScope', 'store: $target, account: $other', async () => {
    const given = { target: store, other: await makeAccount(server, { parent: tenant.account }) };
    const text =
      'mutation ($target: ID!, $other: ID!) { grantScope(input: { store: $target, account: $other }) { __typename } }';
    expectData(await server.ask(text, given));
    return given;
  }),
  syncStore: mutation('syncStore', 'id: $target', () => ({ target: store })),

  enrolMfa: mutation('enrolMfa', '', withoutFactor),
  confirmMfa: mutation('confirmMfa', 'code: $code', async (token) => {
    await withoutFactor();
    return { code: token === null ? '123456' : (await enrol(server, token)).code() };
  }),
  removeMfa: mutation('removeMfa', 'code: $code', async (token) => {
    await withoutFactor();
    return { code: token === null ? '123456' : (await enrolAndConfirm(server, token)).code(1) };
  }),
};

test('S29: every field of Query and Mutation has its row', async () => {
  const schema = await openSchema(registry);
  const fields = [schema.getQueryType(), schema.getMutationType()].flatMap((type) =>
    Object.keys(type?.getFields() ?? {}),
  );
  expect(new Set(Object.keys(operations).map((name) => name.split(',')[0]))).toEqual(new Set(fields));
  expect(Object.keys(table)).toEqual(Object.keys(operations));
});

test.each(Object.entries(operations))(
  'S29: %s is for those that its row lets in',
  async (name, operation) => {
    const seen: string[] = [];
    for (const column of columns) {
      const token = tokens.get(column) ?? null;
      const answer = await server.ask(operation.document, await operation.on(token), { token });
      seen.push(cell(answer, operation));
    }
    expect(row(seen.join(''))).toBe(row(table[name] ?? ''));
  },
);

/** The row in words, so that a failure names its columns. */
const row = (cells: string): string =>
  columns.map((column, index) => `${cells.replaceAll(' ', '')[index] ?? '?'} ${column}`).join('\n');

const codes: Record<string, string> = { UNAUTHENTICATED: 'U', FORBIDDEN: 'F', NOT_FOUND: 'N' };

function cell({ status, code, data, errors }: Answer, { shows }: Operation): string {
  if (code !== undefined) {
    expect(status === 401).toBe(code === 'UNAUTHENTICATED');
    expect(errors).toHaveLength(1);
    return codes[code] ?? `[${code}]`;
  }
  const [value] = Object.values(expectData({ data, errors }) as Record<string, unknown>);
  return (shows ? shows(data) : value !== null) ? '+' : '-';
}

// What a field of an input gives to somebody, and what its caller must have to give it. A field that is not told of here
// fails the test below, since nobody has thought of who gains by it.

interface Giving {
  mutation: string;
  /** What the caller has in any case. */
  base: string[];
  /** What others gain: without each of these, the caller is refused. */
  gained: string[];
  /** Where the caller has it; everywhere, if left out. */
  at?: { onAccount?: string };
  input: () => Promise<Record<string, unknown>>;
}

const ownersMay = ['CREDENTIAL_READ', 'CREDENTIAL_ROTATE', 'CREDENTIAL_REVOKE'];
/** A role of the organization. */
const roleWith = (...allowed: string[]) => makeRole(server, allowed, { account: tenant.account });
/** A part of an organization. */
const part = () => makeAccount(server, { parent: tenant.account });
const inOrganization = () => ({ onAccount: tenant.account });
/** An account on which somebody has this. */
async function held(permission: string, place: 'onAccount' | 'onProject' = 'onAccount'): Promise<string> {
  const id = await (place === 'onAccount' ? part() : makeProject(server, tenant.account));
  await makeCaller(server, [permission], { [place]: id });
  return id;
}
/** An account that has this on the organization. */
async function having(permission: string): Promise<string> {
  const id = await part();
  await grant(server, id, await makeRole(server, [permission]), inOrganization());
  return id;
}

const gitKeys = () => ({ providerKeys: { github: { username: 'bot', password: unique('password') } } });
/** A credential in an outside store, of whose secret Keyway has a copy. */
async function outside(): Promise<{ id: string; store: string }> {
  const its = await freshStore();
  const { id } = await makeCredential(server, tenant.account, { store: its, secret: gitKeys() });
  return { id, store: its };
}
/** A token of that account, for one address. */
const tokenOf = async (account: string): Promise<string> =>
  (await makeCredential(server, account, { secret: { token: {} }, allowedIps: ['192.0.2.1'] })).id;

const givings: Record<string, () => Giving> = {
  'UpdateCredentialInput.owner': () => ({
    mutation: 'updateCredential',
    base: ['CREDENTIAL_UPDATE'],
    gained: ownersMay,
    at: inOrganization(),
    input: async () => ({ id: (await makeCredential(server, tenant.account)).id, owner: await part() }),
  }),
  'UpdateCredentialInput.project': () => ({
    mutation: 'updateCredential',
    base: ['CREDENTIAL_UPDATE'],
    gained: ['CREDENTIAL_REVEAL'],
    at: inOrganization(),
    input: async () => ({
      id: (await makeCredential(server, tenant.account)).id,
      project: await held('CREDENTIAL_REVEAL', 'onProject'),
    }),
  }),
  'UpdateCredentialInput.roles': () => ({
    mutation: 'updateCredential',
    base: ['CREDENTIAL_UPDATE'],
    gained: ['CREDENTIAL_REVEAL', 'ROLE_GIVE'],
    at: inOrganization(),
    input: async () => ({
      id: (await makeCredential(server, tenant.account)).id,
      roles: [await roleWith('CREDENTIAL_REVEAL')],
    }),
  }),
  'CreateCredentialInput.roles': () => ({
    mutation: 'createCredential',
    base: ['CREDENTIAL_CREATE'],
    gained: ['CREDENTIAL_REVEAL', 'ROLE_GIVE'],
    at: inOrganization(),
    input: async () => ({
      account: tenant.account,
      name: unique('made'),
      secret: { accessKey: {} },
      roles: [await roleWith('CREDENTIAL_REVEAL')],
    }),
  }),
  'TokenInput.permissions': () => ({
    mutation: 'createCredential',
    base: ['CREDENTIAL_CREATE'],
    gained: ['CREDENTIAL_REVEAL'],
    at: inOrganization(),
    input: async () => ({
      account: await having('CREDENTIAL_REVEAL'),
      name: unique('made'),
      secret: { token: { permissions: ['CREDENTIAL_REVEAL'] } },
    }),
  }),
  'DeleteAccountInput.transferTo': () => ({
    mutation: 'deleteAccount',
    base: ['ACCOUNT_MANAGE'],
    gained: [...ownersMay, 'CREDENTIAL_REVEAL', 'STORE_MANAGE'],
    at: inOrganization(),
    input: async () => {
      const id = await part();
      await makeCredential(server, id);
      await makeAccount(server, { parent: id });
      const heir = await held('CREDENTIAL_REVEAL');
      await makeCaller(server, ['STORE_MANAGE'], { onAccount: heir });
      return { id, transferTo: heir };
    },
  }),
  'GrantRoleInput.role': () => ({
    mutation: 'grantRole',
    base: ['ROLE_MANAGE'],
    gained: ['CREDENTIAL_REVEAL', 'ROLE_GIVE'],
    at: inOrganization(),
    input: async () => ({
      account: await part(),
      role: await roleWith('CREDENTIAL_REVEAL'),
      onAccount: tenant.account,
    }),
  }),
  'CreateRoleInput.permissions': () => ({
    mutation: 'createRole',
    base: ['ROLE_MANAGE'],
    gained: ['CREDENTIAL_REVEAL'],
    input: () => Promise.resolve({ name: unique('made'), permissions: ['CREDENTIAL_REVEAL'] }),
  }),
  'UpdateRoleInput.permissions': () => ({
    mutation: 'updateRole',
    base: ['ROLE_MANAGE'],
    gained: ['CREDENTIAL_REVEAL'],
    input: async () => ({ id: await makeRole(server, []), permissions: ['CREDENTIAL_REVEAL'] }),
  }),
  'UpdateAccountInput.identities': () => ({
    mutation: 'updateAccount',
    base: ['ACCOUNT_MANAGE'],
    gained: [...ownersMay, 'CREDENTIAL_REVEAL'],
    at: inOrganization(),
    input: async () => {
      const id = await having('CREDENTIAL_REVEAL');
      await makeCredential(server, tenant.account, { owner: id });
      return { id, identities: [{ issuer: 'https://id.example.com', subject: unique('subject') }] };
    },
  }),
  'IssueTemporaryCredentialInput.parent': () => ({
    mutation: 'issueTemporaryCredential',
    base: ['CREDENTIAL_CREATE'],
    gained: ['CREDENTIAL_REVEAL', 'ROLE_GIVE'],
    at: inOrganization(),
    input: async () => ({
      parent: (await makeCredential(server, tenant.account, { roles: [await roleWith('CREDENTIAL_REVEAL')] }))
        .id,
    }),
  }),
  'UpdateCredentialInput.expiresAt': () => ({
    mutation: 'updateCredential',
    base: ['CREDENTIAL_UPDATE'],
    gained: ['CREDENTIAL_REVEAL'],
    at: inOrganization(),
    input: async () => ({ id: await tokenOf(await having('CREDENTIAL_REVEAL')), expiresAt: inDays(80) }),
  }),
  'UpdateCredentialInput.allowedIps': () => ({
    mutation: 'updateCredential',
    base: ['CREDENTIAL_UPDATE'],
    gained: ['CREDENTIAL_REVEAL'],
    at: inOrganization(),
    input: async () => ({ id: await tokenOf(await having('CREDENTIAL_REVEAL')), allowedIps: null }),
  }),
  'UpdateCredentialInput.baseUrl': () => ({
    mutation: 'updateCredential',
    base: ['CREDENTIAL_UPDATE'],
    gained: ['CREDENTIAL_REVEAL'],
    at: inOrganization(),
    input: async () => ({ id: (await outside()).id, baseUrl: 'https://git.example.net' }),
  }),
  'CreateCredentialInput.scope': () => ({
    mutation: 'createCredential',
    base: ['CREDENTIAL_CREATE'],
    gained: ['STORE_MANAGE'],
    at: inOrganization(),
    input: async () => ({ account: tenant.account, store, name: unique('made'), secret: gitKeys() }),
  }),
  'UpdateStoreInput.connection': () => ({
    mutation: 'updateStore',
    base: ['STORE_MANAGE'],
    gained: ['CREDENTIAL_REVEAL'],
    at: inOrganization(),
    input: async () => {
      const { store: id } = await outside();
      return { id, connection: { seqera: { endpoint: other.url, token: other.token } } };
    },
  }),
};

/** Fields that name what is changed, made or looked at, or where: the row of their verb says by whom. */
const naming = new Set<string>([
  // Who makes a credential is shown its secret, and has it with its owner, and with those of its place.
  'CreateCredentialInput.account',
  'CreateCredentialInput.owner',
  'CreateCredentialInput.project',
  'CreateCredentialInput.store',
  // What is new has nothing in it yet: a new account holds no role, owns nothing, and is reached by those above it.
  'CreateAccountInput.parent',
  'CreateAccountInput.identities',
  'CreateProjectInput.account',
  'CreateStoreInput.account',
  'CreateStoreInput.connection',
  // A role is nobody's yet: its permissions are asked about, and who gives it.
  'CreateRoleInput.account',
  'CreateRoleInput.store',
  // The role says what is given.
  'GrantRoleInput.account',
  'GrantRoleInput.onAccount',
  'GrantRoleInput.onProject',
  'WithdrawRoleInput.grant',
  // By who may use all scopes of the store.
  'GrantScopeInput.account',
  'GrantScopeInput.store',
  'WithdrawScopeInput.account',
  'WithdrawScopeInput.store',
  // Fewer than the parent has, which says what is given.
  'IssueTemporaryCredentialInput.allowedIps',
  'IssueTemporaryCredentialInput.roles',
  // Verifying gives nothing.
  'VerifyCredentialInput.accessKey',
  'VerifyCredentialInput.project',
  'VerifyCredentialInput.roles',
  // Of what is new, whose secret is shown to its caller.
  'CreateAccountInput.mfaRequired',
  'CreateCredentialInput.allowedIps',
  'CreateCredentialInput.baseUrl',
  'CreateCredentialInput.enabled',
  'CreateCredentialInput.expiresAt',
  // Whether something works, and not what it may; of what is the caller's own, `authorizeOwn` decides.
  'UpdateAccountInput.enabled',
  'UpdateCredentialInput.enabled',
  // By the second factor of the caller.
  'UpdateAccountInput.mfaRequired',
  // What ends is nobody's gain; what is left is told.
  'DeleteAccountInput.revokeCredentials',
  'DeleteStoreInput.abandonCredentials',
  // Where it is, the scope was given before; where the secret goes, it has been.
  'GrantScopeInput.scope',
  'WithdrawScopeInput.scope',
  'UpdateCredentialInput.overwriteSecret',
]);

/** Fields that describe, prove, bound or order what is done, whatever they are of. */
const plain = new Set<string>([
  ...['name', 'title', 'description', 'category', 'fullName', 'email', 'kind', 'label', 'reason'],
  ...['code', 'mfaCode', 'storeMfa', 'proof', 'ip', 'cost', 'secret'],
  ...['idempotencyKey', 'expectedRevision', 'retrievable', 'duration', 'gracePeriod'],
  ...['rateLimit', 'remainingUses', 'rotationPolicy'],
]);

/** Parts of what a field takes as one, which is told of by that field: a secret, a proof, an identity, a bound. */
const parts = new Set<string>([
  ...['accessKey', 'password', 'providerKeys', 'token'].map((name) => `NewSecretInput.${name}`),
  ...['prefix', 'scheme', 'secretFormat'].map((name) => `AccessKeyInput.${name}`),
  ...['username', 'password'].map((name) => `PasswordInput.${name}`),
  'TokenInput.prefix',
  ...['issuer', 'subject', 'pattern'].map((name) => `IdentityInput.${name}`),
  ...['uses', 'window'].map((name) => `RateLimitInput.${name}`),
  ...['count', 'refill'].map((name) => `RemainingUsesInput.${name}`),
  ...['amount', 'every'].map((name) => `RefillInput.${name}`),
  'RotationPolicyInput.every',
  'StoreMfaInput.device',
  'ProofInput.signedRequest',
  ...['method', 'url', 'headers', 'body', 'scheme'].map((name) => `SignedRequestInput.${name}`),
  'HeaderInput.value',
]);
/** What is kept or sent as one, whatever it has inside: it is a secret, or a connection with one. */
const sealed = new Set(['ProviderKeysInput', 'StoreConnectionInput']);

/** The inputs that arguments of mutations take, and what is inside these. */
function inputsOf(types: readonly GraphQLType[], known = new Set<string>()): Set<string> {
  for (const type of types.map((one) => getNamedType(one))) {
    if (!isInputObjectType(type) || known.has(type.name) || sealed.has(type.name)) continue;
    known.add(type.name);
    inputsOf(
      Object.values(type.getFields()).map((field) => field.type),
      known,
    );
  }
  return known;
}

test('S38: who gains by a field that can give something has been thought of', async () => {
  const schema = await openSchema(registry);
  const can = new Set(['ID', 'Permission', 'IdentityInput', 'StoreConnectionInput']);
  // What a mutation takes, at any depth, is told of by its name, whatever its type is: a text can name a place as well.
  const args = Object.values(schema.getMutationType()?.getFields() ?? {}).flatMap((field) => field.args);
  expect(args.filter(({ type }) => !isInputObjectType(getNamedType(type)))).toEqual([]);
  const taken = inputsOf(args.map(({ type }) => type));
  const fields = Object.values(schema.getTypeMap())
    .filter(isInputObjectType)
    .filter((type) => !type.name.endsWith('Filter'))
    .flatMap((type) =>
      Object.values(type.getFields())
        .filter(
          (field) =>
            can.has(getNamedType(field.type).name) || (taken.has(type.name) && !plain.has(field.name)),
        )
        .map((field) => `${type.name}.${field.name}`),
    )
    .filter((field) => !parts.has(field))
    .filter((field) => !field.endsWith('.id'));
  expect(fields.sort()).toEqual([...Object.keys(givings), ...naming].sort());
});

test.each(Object.entries(givings))('S38: %s gives no more than its caller has', async (_, giving) => {
  const { mutation: name, base, gained, at, input } = giving();
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
  const document = `mutation ($input: ${type}!) { ${name}(input: $input) { __typename } }`;
  const seen: Record<string, string | undefined> = {};
  for (const missing of [...gained, 'nothing']) {
    const caller = await makeCaller(server, [...base, ...gained.filter((one) => one !== missing)], at);
    // What is named is to be found; with what they see, they may do nothing.
    await grant(server, caller.id, await makeRole(server, ['ACCOUNT_READ', 'PROJECT_READ', 'ROLE_READ']));
    const answer = await server.ask(document, { input: await input() }, { token: caller.token });
    seen[missing] = answer.code;
  }
  expect(seen).toEqual(
    Object.fromEntries([...gained.map((one) => [one, 'FORBIDDEN']), ['nothing', undefined]]),
  );
});
