import { everyPermission } from '../src/access/principal.js';
import { openSchema } from '../src/schema.js';
import type { Answer } from './support/server.js';
import { startTestServer, type TestServer } from './support/server.js';
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
import { makeTenant, roleNamed, type Tenant } from './support/tenant.js';

// Who asks: nobody known, an account without a role, one for each permission that it holds everywhere, one for each
// built-in role, and two that hold everything, on another account and on another project.
const permissions = [...everyPermission];
const roles = ['ADMIN', 'OPERATOR', 'READER', 'AUDITOR', 'VERIFIER'];
const columns = ['anonymous', 'no role', ...permissions, ...roles, 'another account', 'another project'];

// + allowed · F FORBIDDEN · N NOT_FOUND · - answered, but sees nothing · U UNAUTHENTICATED. The columns:
//   anonymous, no role
//   CREDENTIAL_ READ CREATE UPDATE ROTATE REVOKE REVEAL VERIFY
//   ACCOUNT_ READ MANAGE · PROJECT_ READ MANAGE · ROLE_ READ MANAGE · STORE_MANAGE AUDIT_READ
//   KEYWAY_ ADMIN OPERATOR READER AUDITOR VERIFIER
//   everything on another account, everything on another project
const table: Record<string, string> = {
  viewer: 'U+ +++++++ ++++++++ +++++ ++',
  node: 'U- +------ -------- ++++- --',
  nodes: 'U- +------ -------- ++++- --',
  credential: 'U- +------ -------- ++++- --',
  credentials: 'U- +------ -------- ++++- --',
  account: 'U- +------ ++++---- ++++- --',
  accounts: 'U- +------ ++++---- ++++- --',
  project: 'U- +------ --++---- ++++- --',
  projects: 'U- +------ --++---- ++++- --',
  role: 'U- +------ ----++-- ++++- ++',
  roles: 'U- +------ ----++-- ++++- ++',
  store: 'U+ +++++++ ++++++++ +++++ ++',
  stores: 'U+ +++++++ ++++++++ +++++ ++',
  auditEvents: 'U- ------- -------+ +--+- --',
  createCredential: 'UN F+NNNNN FFFFNNNN ++FFN NN',
  updateCredential: 'UN FN+NNNN NNNNNNNN ++FFN NN',
  rotateCredential: 'UN FNN+NNN NNNNNNNN ++FFN NN',
  revealCredential: 'UN FNNNN+N NNNNNNNN +FFFN NN',
  revokeCredential: 'UN FNNN+NN NNNNNNNN ++FFN NN',
  deleteCredential: 'UN FNNN+NN NNNNNNNN ++FFN NN',
  createAccount: 'UF FFFFFFF F+FFFFFF +FFFF FF',
  'createAccount, of a part': 'UN FNNNNNN F+FFNNNN +FFFN NN',
  updateAccount: 'UN FNNNNNN F+FFNNNN +FFFN NN',
  deleteAccount: 'UN NNNNNNN F+NNNNNN +FFFN NN',
  createProject: 'UN FNNNNNN FFF+NNNN +FFFN NN',
  updateProject: 'UN FNNNNNN NNF+NNNN +FFFN NN',
  deleteProject: 'UN NNNNNNN NNF+NNNN +FFFN NN',
  createRole: 'UF FFFFFFF FFFFF+FF +FFFF FF',
  'createRole, with a permission': 'UF FFFFFFF FFFFFFFF +FFFF FF',
  updateRole: 'UN NNNNNNN NNNNF+NN +FFFN FF',
  deleteRole: 'UN NNNNNNN NNNNF+NN +FFFN FF',
  grantRole: 'UN NNNNNNN NNNNN+NN +FFFN NN',
  'grantRole, everywhere': 'UN NNNNNNN NNNNN+NN +FFFN NN',
  withdrawRole: 'UN NNNNNNN NNNNN+NN +FFFN NN',
};

interface Operation {
  document: string;
  /** Makes what the operation is done to, and returns the variables. */
  on: () => Record<string, unknown> | Promise<Record<string, unknown>>;
  /** Whether the answer shows what was asked for. */
  shows?: (data: Answer['data']) => boolean;
}

let server: TestServer;
let tenant: Tenant;
const tokens = new Map<string, string | null>();

beforeAll(async () => {
  server = await startTestServer();
  tenant = await makeTenant(server);
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
afterAll(() => server.stop());

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
const variables = { $target: 'ID!', $other: 'ID!', $name: 'String!' };
const mutation = (name: string, members: string, on: Operation['on']): Operation => {
  const used = Object.entries(variables).filter(([variable]) => members.includes(variable));
  const declared = used.map((variable) => variable.join(': ')).join(', ');
  return { document: `mutation (${declared}) { ${name}(input: { ${members} }) { __typename } }`, on };
};
const freshCredential = async () => ({ target: (await makeCredential(server, tenant.account)).id });
const freshRole = async () => ({ target: await makeRole(server, []) });
const freshName = () => ({ target: tenant.account, name: unique('made') });

const operations: Record<string, Operation> = {
  viewer: { document: 'query { viewer { id } }', on: none },
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

  createAccount: mutation('createAccount', 'kind: PERSON, name: $name, title: "Made"', freshName),
  'createAccount, of a part': mutation(
    'createAccount',
    'kind: PERSON, name: $name, title: "Made", parent: $target',
    freshName,
  ),
  updateAccount: mutation('updateAccount', 'id: $target, title: "Changed"', target('account')),
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
};

test('S29: every field of Query and Mutation has its row', async () => {
  const schema = await openSchema();
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
      const answer = await server.ask(operation.document, await operation.on(), {
        token: tokens.get(column),
      });
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
