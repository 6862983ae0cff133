import { setTimeout as sleep } from 'node:timers/promises';
import { getNamedType, isInputObjectType, type GraphQLInputType } from 'graphql';
import { Account } from '../../src/accounts/account.js';
import { encodeId, newId, parseId } from '../../src/ids.js';
import { registry } from '../../src/connectors/registry.js';
import { openSchema } from '../../src/graph/schema.js';
import { withoutLimits } from '../support/answers.js';
import { startTestServer, type Answer, type TestServer } from '../support/server.js';
import { expectData, makeAccount, makeCaller, makeCredential, unique, type Made } from '../support/make.js';
import { makeTenant, makeTenantAdmin, type Tenant } from '../support/tenant.js';
import { makeStore, seqeraAt } from '../stores/stores.js';
import { startSeqera, type Seqera } from '../upstreams/seqera.js';

// Two organizations that do not know of each other, and who holds everything in the first.
let server: TestServer;
let seqera: Seqera;
let ours: Tenant & { store: string };
let theirs: Tenant & { store: string };
let token: string;
let admin: string;
let ourKey: Made;

beforeAll(async () => {
  seqera = await startSeqera();
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  const withStore = async () => {
    const tenant = await makeTenant(server);
    return { ...tenant, store: await makeStore(server, tenant.account, seqeraAt(seqera)) };
  };
  ours = await withStore();
  theirs = await withStore();
  ({ token, id: admin } = await makeTenantAdmin(server, ours));
  ourKey = await makeCredential(server, ours.account, { project: ours.project });
});
afterAll(async () => {
  await server.stop();
  await seqera.stop();
});

const asked = (document: string, variables: Record<string, unknown> = {}) =>
  server.ask(document, variables, { token });

// Each place where an id can be given, and a way to give it there. Members that stand beside the id are of our own.
type Given = (id: string) => Record<string, unknown>;
const named = { name: 'given', secret: { accessKey: {} } };
const ourPair = () => ({ accessKey: ourKey.accessKey, proof: { secret: ourKey.secret } });
const places: Record<string, { type: keyof Tenant | 'store'; given: Given }> = {
  'Query.node.id': { type: 'credential', given: (id) => ({ id }) },
  'Query.nodes.ids': { type: 'credential', given: (id) => ({ ids: [id] }) },
  'Query.credential.id': { type: 'credential', given: (id) => ({ id }) },
  'Query.insight.account': { type: 'account', given: (id) => ({ account: id }) },
  'Query.insight.store': { type: 'store', given: (id) => ({ store: id }) },
  'Query.who.on': { type: 'credential', given: (id) => ({ on: id }) },
  'CredentialFilter.ids': { type: 'credential', given: (id) => ({ ids: [id] }) },
  'CredentialFilter.createdBy': { type: 'account', given: (id) => ({ createdBy: [id] }) },
  'CredentialFilter.store': { type: 'store', given: (id) => ({ store: [id] }) },
  'CredentialFilter.account': { type: 'account', given: (id) => ({ account: [id] }) },
  'CredentialFilter.owner': { type: 'subAccount', given: (id) => ({ owner: [id] }) },
  'CredentialFilter.project': { type: 'project', given: (id) => ({ project: [id] }) },
  'CredentialFilter.role': { type: 'role', given: (id) => ({ role: [id] }) },
  'AccountFilter.parent': { type: 'account', given: (id) => ({ parent: [id] }) },
  'ProjectFilter.account': { type: 'account', given: (id) => ({ account: [id] }) },
  'RoleFilter.account': { type: 'account', given: (id) => ({ account: [id] }) },
  'RoleFilter.store': { type: 'store', given: (id) => ({ store: [id] }) },
  'AuditFilter.account': { type: 'account', given: (id) => ({ account: [id] }) },
  'AuditFilter.actor': { type: 'account', given: (id) => ({ actor: [id] }) },
  'AuditFilter.target': { type: 'credential', given: (id) => ({ target: [id] }) },
  'CreateCredentialInput.store': {
    type: 'store',
    given: (id) => ({ ...named, account: ours.account, store: id }),
  },
  'CreateCredentialInput.account': { type: 'account', given: (id) => ({ ...named, account: id }) },
  'CreateCredentialInput.owner': {
    type: 'account',
    given: (id) => ({ ...named, account: ours.account, owner: id }),
  },
  'CreateCredentialInput.project': {
    type: 'project',
    given: (id) => ({ ...named, account: ours.account, project: id }),
  },
  'CreateCredentialInput.roles': {
    type: 'role',
    given: (id) => ({ ...named, account: ours.account, roles: [id] }),
  },
  'UpdateCredentialInput.id': { type: 'credential', given: (id) => ({ id, category: 'given' }) },
  'UpdateCredentialInput.owner': { type: 'account', given: (id) => ({ id: ours.credential, owner: id }) },
  'UpdateCredentialInput.project': { type: 'project', given: (id) => ({ id: ours.credential, project: id }) },
  'UpdateCredentialInput.roles': { type: 'role', given: (id) => ({ id: ours.credential, roles: [id] }) },
  'RotateCredentialInput.id': { type: 'credential', given: (id) => ({ id }) },
  'RevokeCredentialInput.id': { type: 'credential', given: (id) => ({ id }) },
  'DeleteCredentialInput.id': { type: 'credential', given: (id) => ({ id }) },
  'RevealCredentialInput.id': { type: 'credential', given: (id) => ({ id }) },
  'IssueTemporaryCredentialInput.parent': { type: 'credential', given: (id) => ({ parent: id }) },
  'IssueTemporaryCredentialInput.roles': {
    type: 'role',
    given: (id) => ({ parent: ours.credential, roles: [id] }),
  },
  'VerifyCredentialInput.project': { type: 'project', given: (id) => ({ ...ourPair(), project: id }) },
  'CreateAccountInput.parent': {
    type: 'account',
    given: (id) => ({ kind: 'PERSON', name: unique('given'), title: 'Given', parent: id }),
  },
  'UpdateAccountInput.id': { type: 'account', given: (id) => ({ id, title: 'Given' }) },
  'DeleteAccountInput.id': { type: 'account', given: (id) => ({ id, revokeCredentials: true }) },
  'DeleteAccountInput.transferTo': {
    type: 'account',
    given: (id) => ({ id: ours.subAccount, transferTo: id }),
  },
  'CreateProjectInput.account': { type: 'account', given: (id) => ({ account: id, name: unique('given') }) },
  'UpdateProjectInput.id': { type: 'project', given: (id) => ({ id, title: 'Given' }) },
  'DeleteProjectInput.id': { type: 'project', given: (id) => ({ id }) },
  'CreateRoleInput.account': {
    type: 'account',
    given: (id) => ({ name: unique('given'), permissions: [], account: id }),
  },
  'CreateRoleInput.store': {
    type: 'store',
    given: (id) => ({ name: unique('given'), permissions: [], store: id }),
  },
  'UpdateRoleInput.id': { type: 'role', given: (id) => ({ id, description: 'Given' }) },
  'DeleteRoleInput.id': { type: 'role', given: (id) => ({ id }) },
  'GrantRoleInput.account': {
    type: 'account',
    given: (id) => ({ account: id, role: ours.role, onAccount: ours.account }),
  },
  'GrantRoleInput.role': {
    type: 'role',
    given: (id) => ({ account: ours.account, role: id, onAccount: ours.account }),
  },
  'GrantRoleInput.onAccount': {
    type: 'account',
    given: (id) => ({ account: ours.account, role: ours.role, onAccount: id }),
  },
  'GrantRoleInput.onProject': {
    type: 'project',
    given: (id) => ({ account: ours.account, role: ours.role, onProject: id }),
  },
  'CreateStoreInput.account': {
    type: 'account',
    given: (id) => ({ account: id, name: unique('given'), connection: seqeraAt(seqera) }),
  },
  'UpdateStoreInput.id': { type: 'store', given: (id) => ({ id, name: unique('given') }) },
  'DeleteStoreInput.id': { type: 'store', given: (id) => ({ id }) },
  'CheckStoreInput.id': { type: 'store', given: (id) => ({ id }) },
  'SyncStoreInput.id': { type: 'store', given: (id) => ({ id }) },
  'GrantScopeInput.store': { type: 'store', given: (id) => ({ store: id, account: ours.account }) },
  'GrantScopeInput.account': { type: 'account', given: (id) => ({ store: ours.store, account: id }) },
  'WithdrawScopeInput.store': { type: 'store', given: (id) => ({ store: id, account: ours.account }) },
  'WithdrawScopeInput.account': { type: 'account', given: (id) => ({ store: ours.store, account: id }) },
  'WithdrawRoleInput.grant': { type: 'grant', given: (id) => ({ grant: id }) },
};

/** The operation that takes what is given at a place. */
function give(place: string, given: Record<string, unknown>): Promise<Answer> {
  const [type = '', field = '', argument = ''] = place.split('.');
  if (type === 'Query') {
    const list = argument === 'ids';
    const can = field === 'who' ? 'can: ROLE_READ, ' : '';
    const read = { insight: 'credentials', who: 'totalCount' }[field] ?? 'id';
    return asked(
      `query ($value: ${list ? '[ID!]!' : 'ID!'}) { ${field}(${can}${argument}: $value) { ${read} } }`,
      {
        value: given[argument],
      },
    );
  }
  if (type.endsWith('Filter')) {
    const list =
      type === 'AuditFilter' ? 'auditEvents' : `${type.charAt(0).toLowerCase()}${type.slice(1, -6)}s`;
    return asked(`query ($filter: ${type}) { ${list}(filter: $filter) { nodes { id } totalCount } }`, {
      filter: given,
    });
  }
  const mutation = type.replace(/^./, (letter) => letter.toLowerCase()).replace(/Input$/, '');
  return asked(`mutation ($input: ${type}!) { ${mutation}(input: $input) { __typename } }`, { input: given });
}

const tables = [
  ...['accounts', 'projects', 'roles', 'grants', 'stores', 'credentials', 'credential_roles'],
  ...[
    'credential_versions',
    'rotations',
    'idempotency_keys',
    'mfa_devices',
    'identities',
    'scope_grants',
    'intents',
    'syncs',
  ],
];

/** A digest of each table: of all but the audit, which tells of refusals too, and of when something was last used. */
async function everything(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const table of tables) {
    const [row] = await server.rows<{ digest: string }>(
      `SELECT md5(coalesce(string_agg(row, '|' ORDER BY row), '')) AS digest
       FROM (SELECT CAST(to_jsonb(t) - 'last_used_at' AS text) AS row FROM ${table} t) rows`,
    );
    found[table] = row?.digest ?? '';
  }
  return found;
}

test('S30: there is a case for every place where an id can be given', async () => {
  const schema = await openSchema(registry);
  const isId = (type: GraphQLInputType) => getNamedType(type).name === 'ID';
  const found: string[] = [];
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__')) continue;
    if (isInputObjectType(type)) {
      for (const field of Object.values(type.getFields()))
        if (isId(field.type)) found.push(`${type.name}.${field.name}`);
    } else if ('getFields' in type) {
      for (const field of Object.values(type.getFields()))
        if ('args' in field)
          for (const { name, type: given } of field.args)
            if (isId(given)) found.push(`${type.name}.${field.name}.${name}`);
    }
  }
  expect(Object.keys(places).sort()).toEqual(found.sort());
});

// Verification does not find what it is given, but compares with it; nor does the issue of a temporary credential, which
// asks whether the parent carries it (below).
const compared = ['VerifyCredentialInput.project', 'IssueTemporaryCredentialInput.roles'];
const foreign = Object.keys(places).filter((place) => !compared.includes(place));

test.each(foreign)("S30: another tenant's id as %s is absent, and nothing changes", async (place) => {
  const { type, given } = places[place] as { type: keyof typeof theirs; given: Given };
  const before = await everything();
  const calls = seqera.calls.length;
  const { code, data } = await give(place, given(theirs[type]));
  if (place.startsWith('Query.insight')) expect(data).toEqual({ insight: { credentials: 0 } });
  else if (place.startsWith('Query.who')) expect(code).toBe('NOT_FOUND');
  else if (place.startsWith('Query'))
    expect(Object.values(data)).toEqual([place.endsWith('ids') ? [null] : null]);
  else if (place.includes('Filter')) expect(Object.values(data)).toEqual([{ nodes: [], totalCount: 0 }]);
  else expect(code).toBe('NOT_FOUND');
  expect(await everything()).toEqual(before);
  expect(seqera.calls).toHaveLength(calls);
});

test("S30: verification in another tenant's project is not valid, as in any other, and no more is told or recorded", async () => {
  const before = await everything();
  const verdictIn = async (project: string) => {
    const { text } = await asked(
      'mutation ($input: VerifyCredentialInput!) { verifyCredential(input: $input) { valid code credential { id } } }',
      { input: { ...ourPair(), project } },
    );
    return withoutLimits(text);
  };
  expect(JSON.parse(await verdictIn(ours.project))).toMatchObject({
    data: { verifyCredential: { code: 'VALID', credential: { id: ourKey.id } } },
  });
  const elsewhere = await verdictIn(theirs.project);
  expect(JSON.parse(elsewhere)).toMatchObject({
    data: { verifyCredential: { valid: false, code: 'NOT_VALID', credential: null } },
  });
  expect(await verdictIn(encodeId('Project', newId()))).toBe(elsewhere);
  expect(await everything()).toEqual(before);

  const uuidOf = (id: string) => parseId(id)?.uuid;
  const recorded = () =>
    server.rows<{ code: string | null; times: number }>(
      `SELECT code, outcome, changed, sum(times)::integer AS times FROM audit_events
       WHERE actor_id = :admin AND action = 'credential:verify' GROUP BY code, outcome, changed ORDER BY code`,
      { admin: uuidOf(admin) },
    );
  const wanted = [
    { code: 'NOT_VALID', outcome: 'REFUSED', changed: [], times: 2 },
    { code: null, outcome: 'DONE', changed: [], times: 1 },
  ];
  const all = (rows: { times: number }[]) => rows.reduce((sum, { times }) => sum + times, 0);
  for (let waited = 0; waited < 3_000 && all(await recorded()) < 3; waited += 50) await sleep(50);
  expect(await recorded()).toEqual(wanted);
  const ofTheirs = await server.rows(
    `SELECT action FROM audit_events WHERE actor_id = :admin AND (account_id = :account OR project_id = :project
       OR target_id IN (:account, :project))`,
    { admin: uuidOf(admin), account: uuidOf(theirs.account), project: uuidOf(theirs.project) },
  );
  expect(ofTheirs).toEqual([]);
});

test('S30: a role that the parent does not carry is not issued, whether another tenant has it or nobody', async () => {
  const before = await everything();
  const answers = [];
  for (const role of [theirs.role, encodeId('Role', newId())]) {
    const { errors, data } = await give('IssueTemporaryCredentialInput.roles', {
      parent: ours.credential,
      roles: [role],
    });
    answers.push({ data, message: errors[0]?.message, code: errors[0]?.extensions.code });
  }
  expect(answers[0]).toMatchObject({ data: null, code: 'FORBIDDEN' });
  expect(answers[1]).toEqual(answers[0]);
  expect(await everything()).toEqual(before);
});

const nodes = [
  ...(['account', 'subAccount', 'project', 'role', 'grant', 'credential', 'rotation', 'auditEvent'] as const),
  'store' as const,
];

test.each(nodes)("S30: node and nodes know nothing of another tenant's %s", async (name) => {
  const id = theirs[name];
  const answer = await asked('query ($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } }', { id });
  expect(expectData(answer)).toEqual({ node: null, nodes: [null] });
});

test("S30: another tenant's account, project and role are unknown by name", async () => {
  const answer = await asked(
    'query ($a: String!, $p: String!, $r: String!) { account(name: $a) { id } project(name: $p) { id } role(name: $r) { id } }',
    { a: theirs.accountName, p: theirs.projectName, r: theirs.roleName },
  );
  expect(expectData(answer)).toEqual({ account: null, project: null, role: null });
});

test("S30: another tenant's store is unknown by name, and in no list", async () => {
  const name = unique('store');
  await makeStore(server, theirs.account, seqeraAt(seqera), { name });
  const answer = await asked('query ($name: String!) { store(name: $name) { id } stores { id name } }', {
    name,
  });
  const { store, stores } = expectData(answer);
  expect(store).toBeNull();
  expect(stores.map(({ id }: { id: string }) => id).sort()).toEqual(
    [ours.store, stores.find((one: { name: string }) => one.name === 'keyway').id].sort(),
  );
});

describe('S30: an outside store is seen', () => {
  const sees = async (caller: { token: string }) => {
    const query = 'query ($id: ID!) { node(id: $id) { id } stores { id } }';
    const { node, stores } = expectData(await server.ask(query, { id: ours.store }, caller));
    const ids = stores.map(({ id }: { id: string }) => id);
    expect(ids.includes(ours.store)).toBe(node !== null);
    expect(ids).not.toContain(theirs.store);
    return node !== null;
  };

  test.each(['STORE_MANAGE', 'CREDENTIAL_READ', 'CREDENTIAL_CREATE'])(
    'by %s on its account',
    async (permission) => {
      expect(await sees(await makeCaller(server, [permission], { onAccount: ours.account }))).toBe(true);
      expect(await sees(await makeCaller(server, [permission], { onAccount: ours.subAccount }))).toBe(false);
      expect(await sees(await makeCaller(server, [permission], { onProject: ours.project }))).toBe(false);
    },
  );

  test.each(['ACCOUNT_MANAGE', 'CREDENTIAL_UPDATE', 'PROJECT_READ', 'AUDIT_READ'])(
    'not by %s on its account',
    async (permission) => {
      expect(await sees(await makeCaller(server, [permission], { onAccount: ours.account }))).toBe(false);
    },
  );

  test('by a credential in it that one sees, and no longer than that', async () => {
    const reader = await makeCaller(server, ['CREDENTIAL_READ'], { onProject: ours.project });
    const place = (project: string | null) =>
      server.rows('UPDATE credentials SET project_id = :project WHERE store_id = :store', {
        store: parseId(ours.store)?.uuid,
        project: project && parseId(project)?.uuid,
      });
    expect(await sees(reader)).toBe(false);
    await place(ours.project);
    expect(await sees(reader)).toBe(true);
    await place(null);
    expect(await sees(reader)).toBe(false);
  });
});

test.each(Object.entries(places))(
  'S31: an id of another type as %s is BAD_USER_INPUT',
  async (place, { given }) => {
    const isAny = /^Query\.nodes?\.|^Query\.who|^AuditFilter\.target/.test(place);
    const wrong =
      /GrantRoleInput\.role|account|owner|createdBy|parent|actor|onAccount|transferTo|AccountInput\.id/.test(
        place,
      )
        ? ours.project
        : ours.account;
    const before = await everything();
    // A node may be of any type, so only what is no id of ours is of the wrong one.
    const answer = await give(place, given(isAny ? 'none_0000000000000000000001' : wrong));
    expect(answer.code).toBe('BAD_USER_INPUT');
    const member = place.split('.').at(-1) ?? '';
    expect(answer.errors[0]?.extensions.fields?.map(({ path }) => path)).toEqual([
      expect.stringMatching(new RegExp(`(^|\\.)${member}(\\.0)?$`)),
    ]);
    expect(await everything()).toEqual(before);
  },
);

describe('one who may read credentials and the audit in one project', () => {
  let org: Tenant;
  let seer: { id: string; token: string; credential: string };
  /** Derived from the same credential: within the project, and outside of it. */
  let seen: string;
  let hidden: string;

  beforeAll(async () => {
    org = await makeTenant(server);
    seer = await makeCaller(server, ['CREDENTIAL_READ', 'AUDIT_READ'], { onProject: org.project });
    const carrying = { roles: [org.role], owner: org.subAccount };
    ({ id: seen } = await makeCredential(server, org.account, { ...carrying, project: org.project }));
    ({ id: hidden } = await makeCredential(server, org.account, carrying));
    await makeAccount(server, { parent: org.account });
    await server.rows('UPDATE credentials SET parent_id = :parent WHERE id = ANY(CAST(:ids AS uuid[]))', {
      parent: parseId(org.credential)?.uuid,
      ids: [seen, hidden].map((id) => parseId(id)?.uuid),
    });
  });

  const sees = async (document: string, variables: Record<string, unknown> = {}) =>
    expectData(await server.ask(document, variables, { token: seer.token }));
  const list = 'nodes { id } edges { node { id } } totalCount pageInfo { hasNextPage }';
  const listOf = (...ids: string[]) => ({
    nodes: ids.map((id) => ({ id })),
    edges: ids.map((id) => ({ node: { id } })),
    totalCount: ids.length,
    pageInfo: { hasNextPage: false },
  });

  test.each([
    ['the list of all', `query { at: credentials { ${list} } }`, ['seen', 'own', 'rotated']],
    [
      'a filter',
      `query ($org: ID!) { at: credentials(filter: { account: [$org] }) { ${list} } }`,
      ['seen', 'rotated'],
    ],
    [
      'a search',
      `query { at: credentials(filter: { search: "credential-" }) { ${list} } }`,
      ['seen', 'own', 'rotated'],
    ],
    [
      'its account',
      `query ($org: ID!) { node(id: $org) { ... on Account { at: credentials { ${list} } } } }`,
      ['seen', 'rotated'],
    ],
    [
      'its project',
      `query ($project: ID!) { node(id: $project) { ... on Project { at: credentials { ${list} } } } }`,
      ['seen', 'rotated'],
    ],
    [
      'its role',
      `query ($role: ID!) { node(id: $role) { ... on Role { at: credentials { ${list} } } } }`,
      ['seen', 'rotated'],
    ],
    [
      'its store',
      `query { node: store(name: "keyway") { at: credentials { ${list} } } }`,
      ['seen', 'own', 'rotated'],
    ],
    [
      'its parent',
      `query ($rotated: ID!) { node: credential(id: $rotated) { at: derived { ${list} } } }`,
      ['seen'],
    ],
    [
      'a fragment on Node',
      `query ($org: ID!) { node(id: $org) { ...Held } } fragment Held on Node { ... on Account { at: credentials { ${list} } } }`,
      ['seen', 'rotated'],
    ],
  ])('S32, S33: lists and counts by way of %s only what it may see', async (_, document, expected) => {
    const ids: Record<string, string> = { own: seer.credential, seen, rotated: org.credential };
    const variables = { org: org.account, project: org.project, role: org.role, rotated: org.credential };
    const used = Object.entries(variables).filter(([name]) => document.includes(`$${name}`));
    const data = await sees(document, Object.fromEntries(used));
    expect((data.node ?? data).at).toEqual(listOf(...expected.map((name) => ids[name] ?? '')));
  });

  test('S32, S33: sees of an account no parts, projects and grants but its own', async () => {
    const data = await sees(
      `query ($org: ID!) { node(id: $org) { ... on Account {
        subAccounts { ${list} } projects { ${list} } grants { id } parent { id }
      } } }`,
      { org: org.account },
    );
    // The owner of what it sees is a part of the account.
    expect(data.node).toEqual({
      subAccounts: listOf(org.subAccount),
      projects: listOf(org.project),
      grants: [],
      parent: null,
    });
  });

  test('S32, S33: reads and counts only events of its project, and not the targets that it may not see', async () => {
    const data = await sees(
      '{ auditEvents(first: 100) { totalCount nodes { action target { id } actor { id } } } }',
    );
    const events = data.auditEvents.nodes as { action: string; target: { id: string } | null }[];
    expect(data.auditEvents.totalCount).toBe(events.length);
    const targets = events.map(({ action, target }) => `${action} ${target?.id ?? '-'}`);
    expect(new Set(targets)).toEqual(
      new Set([
        `credential:create ${org.credential}`,
        `credential:rotate ${org.credential}`,
        `credential:create ${seen}`,
        `project:create ${org.project}`,
        'role:grant -',
        'role:grant ' + targets.find((one) => one.startsWith('role:grant gran'))?.split(' ')[1],
      ]),
    );
    expect(JSON.stringify(data)).not.toContain(hidden);
  });

  test('S32: a payload opens no more than a query', async () => {
    const changer = await makeCaller(server, ['CREDENTIAL_UPDATE'], { onProject: org.project });
    const answer = await server.ask(
      `mutation ($id: ID!) { updateCredential(input: { id: $id, category: "seen" }) { credential {
        id account { id credentials { ${list} } subAccounts { ${list} } grants { id } }
        project { id credentials { ${list} } grants { account { id } } }
        derived { ${list} } parent { id } store { credentials { ${list} } }
        auditEvents { totalCount }
      } } }`,
      { id: org.credential },
      { token: changer.token },
    );
    expect(expectData(answer).updateCredential.credential).toEqual({
      id: org.credential,
      account: { id: org.account, credentials: listOf(), subAccounts: listOf(), grants: [] },
      project: { id: org.project, credentials: listOf(), grants: [{ account: { id: changer.id } }] },
      derived: listOf(),
      parent: null,
      store: { credentials: listOf(changer.credential) },
      auditEvents: { totalCount: 0 },
    });
  });
});

test('S32: who may do a verb, and nothing else, is shown all that its answer must name', async () => {
  const { token: rotator } = await makeCaller(server, ['CREDENTIAL_ROTATE']);
  const answer = await server.ask(
    `mutation ($id: ID!) { rotateCredential(input: { id: $id }) {
      credential { account { id } owner { id } store { name } }
    } }`,
    { id: theirs.credential },
    { token: rotator },
  );
  expect(expectData(answer).rotateCredential.credential).toEqual({
    account: { id: theirs.account },
    owner: { id: theirs.subAccount },
    store: { name: 'keyway' },
  });
});

describe('what reaches the database', () => {
  test('S37: a statement whose parameter is missing does not run', async () => {
    await expect(server.rows('SELECT id FROM accounts WHERE id = :id')).rejects.toThrow('id is missing');
    const [row] = await server.rows('SELECT id FROM accounts WHERE id = :id', { id: null });
    expect(row).toBeUndefined();
  });

  test.each([undefined, null])('S37: a repository that is asked for the id %s throws', async (id) => {
    const accounts = server.db.source.getRepository(Account);
    const where = { id } as unknown as { id: string };
    await expect(accounts.findOneBy(where)).rejects.toThrow();
    await expect(accounts.findBy(where)).rejects.toThrow();
    await expect(accounts.existsBy(where)).rejects.toThrow();
    const before = await everything();
    await expect(accounts.update(where, { title: 'Changed' })).rejects.toThrow();
    await expect(accounts.delete(where)).rejects.toThrow();
    expect(await everything()).toEqual(before);
  });

  test.each([
    ['by', '{ by: "c.name; DROP TABLE accounts" }'],
    ['by', '{ by: ID }'],
    ['direction', '{ direction: "ASC" }'],
    ['direction', '{ direction: DESCENDING }'],
    ['member', '{ column: NAME }'],
  ])('S35: an order of no known %s is refused: %s', async (_, order) => {
    const answer = await asked(`{ credentials(orderBy: ${order}) { nodes { id } } }`);
    expect([answer.code, answer.data]).toEqual([
      expect.stringMatching(/BAD_USER_INPUT|GRAPHQL_VALIDATION_FAILED/),
      null,
    ]);
  });

  test.each(['name', 'NAME DESC', 'c.id', '1; DROP TABLE accounts', '__proto__'])(
    'S35: an order given as a variable is one of a few: not %s',
    async (value) => {
      for (const orderBy of [{ by: value }, { direction: value }]) {
        const answer = await asked(
          'query ($orderBy: CredentialOrder) { credentials(orderBy: $orderBy) { nodes { id } } }',
          {
            orderBy,
          },
        );
        expect(answer.code).toBe('BAD_USER_INPUT');
        expect(answer.text).not.toContain(value);
      }
    },
  );

  test.each(["'", '"', '\\', ';--', ':me', '$1', '%', '_', "' OR true --", '${1}'])(
    'S35: a search for %s is a search for just that text',
    async (search) => {
      const { id } = await makeCredential(server, ours.account, { description: `begins ${search} and ends` });
      const answer = await asked(
        'query ($filter: CredentialFilter) { credentials(filter: $filter) { nodes { id } totalCount } }',
        { filter: { search: `begins ${search} and` } },
      );
      expect(expectData(answer).credentials).toEqual({ nodes: [{ id }], totalCount: 1 });
    },
  );
});
