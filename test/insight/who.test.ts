// Answers are read as they come: each query knows what it asked for.
/* eslint-disable @typescript-eslint/no-explicit-any */
import { may, type Place } from '../../src/access/authorize.js';
import { everyPermission, type Permission, type Principal } from '../../src/access/principal.js';
import { rightsOf } from '../../src/access/rights.js';
import { encodeId } from '../../src/ids.js';
import { decodeId } from '../../src/inputs/decode-id.js';
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
import { startTestServer, type TestServer } from '../support/server.js';
import { statementsOf } from '../support/statements.js';

let server: TestServer;
/** What permissions are held on, by names. */
let places: Record<string, { id: string; place: Place }>;
let accounts: string[];
let top: string;
let unit: string;
let project: string;
let away: string;

const uuid = (type: Parameters<typeof decodeId>[0], id: string) => decodeId(type, id, 'id');
const person = (input = {}) => makeAccount(server, { kind: 'PERSON', name: unique('person'), ...input });

beforeAll(async () => {
  server = await startTestServer();
  top = await makeAccount(server);
  unit = await makeAccount(server, { parent: top });
  const other = await makeAccount(server);
  project = await makeProject(server, unit);
  away = await makeProject(server, top);
  const owner = await person();
  const inUnit = await makeCredential(server, unit, { project, owner });
  // Its account and its project are not of one branch.
  const across = await makeCredential(server, unit, { project: away });
  const account = (id: string) => ({ id, place: { accountId: uuid('Account', id) } });
  const inProject = (id: string, of: string) => ({
    id,
    place: { accountId: uuid('Account', of), projectId: uuid('Project', id) },
  });
  const credential = (id: string, projectId: string, of?: string) => ({
    id,
    place: {
      accountId: uuid('Account', unit),
      projectId: uuid('Project', projectId),
      owner: uuid('Account', of ?? unit),
    },
  });
  const [{ id: store = '' } = {}] = await server.rows<{ id: string }>(
    "SELECT id FROM stores WHERE kind = 'BUILT_IN'",
  );
  places = {
    top: account(top),
    unit: account(unit),
    other: account(other),
    project: inProject(project, unit),
    away: inProject(away, top),
    inUnit: credential(inUnit.id, project, owner),
    across: credential(across.id, away),
    store: { id: encodeId('CredentialStore', store), place: {} },
  };
  const reading = await makeRole(server, ['CREDENTIAL_READ', 'ROLE_READ', 'AUDIT_READ']);
  const running = await makeRole(server, ['CREDENTIAL_ROTATE', 'CREDENTIAL_REVOKE', 'STORE_MANAGE']);
  for (const role of [reading, running])
    for (const on of [
      {},
      { onAccount: top },
      { onAccount: unit },
      { onAccount: other },
      { onProject: project },
      { onProject: away },
    ])
      await grant(server, await person(), role, on);
  const twice = await person();
  await grant(server, twice, reading, { onAccount: top });
  await grant(server, twice, reading, { onProject: project });
  await grant(server, unit, reading, { onAccount: top });
  const disabled = await person();
  await grant(server, disabled, reading, {});
  expectData(
    await server.ask(
      'mutation ($id: ID!) { updateAccount(input: { id: $id, enabled: false }) { account { id } } }',
      { id: disabled },
    ),
  );
  const rows = await server.rows<{ id: string }>(
    'SELECT id FROM accounts WHERE deleted_at IS NULL AND enabled ORDER BY id',
  );
  accounts = rows.map(({ id }) => id);
});
afterAll(() => server.stop());

const query = `query ($can: Permission!, $on: ID!, $first: Int, $after: String) {
  who(can: $can, on: $on, first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor }
    nodes { asOwner account { id } grants { role { permissions } onAccount { id } onProject { id } } } } }`;

const who = async (can: string, on: string, options: { token?: string } = {}, page = {}) =>
  expectData(await server.ask(query, { can, on, first: 100, ...page }, options)).who;

/** Whether an account may do it by what `authorize` decides, as a caller whose token is narrowed to nothing. */
async function mayDo(accountId: string, permission: Permission, place: Place): Promise<boolean> {
  const rights = await rightsOf(server.db, accountId, null);
  return may({ accountId, rights, limits: null } as unknown as Principal, permission, place);
}

test.each(everyPermission)(
  'for %s it names those for whom it is decided so, at each place',
  async (permission) => {
    for (const [name, { id, place }] of Object.entries(places)) {
      const able = new Set<string>();
      for (const account of accounts)
        if (await mayDo(account, permission, place)) able.add(encodeId('Account', account));
      const { nodes, totalCount } = await who(permission, id);
      const named = nodes.map(({ account }: any) => account.id);
      expect([name, new Set(named)]).toEqual([name, able]);
      expect([name, totalCount, named.length]).toEqual([name, able.size, able.size]);
      for (const { grants, asOwner } of nodes) {
        expect(asOwner || grants.length > 0).toBe(true);
        for (const { role } of grants) expect(role.permissions).toContain(permission);
      }
    }
  },
);

test('it tells each grant that reaches the place, and who is the owner', async () => {
  const { nodes } = await who('CREDENTIAL_READ', places['inUnit']?.id ?? '');
  const two = nodes.find(({ grants }: any) => grants.length === 2);
  expect(two.grants).toMatchObject([{ onAccount: { id: top } }, { onProject: { id: project } }]);
  expect(nodes.filter(({ asOwner }: any) => asOwner)).toMatchObject([{ grants: [] }]);
  const none = await who('CREDENTIAL_CREATE', places['inUnit']?.id ?? '');
  expect(none.nodes.some(({ asOwner }: any) => asOwner)).toBe(false);
});

test('it is paged, and costs as many statements for many as for one', async () => {
  const { nodes: all } = await who('ROLE_READ', unit);
  const ids: string[] = [];
  const counts = new Set<number>();
  let after: string | null = null;
  do {
    const { result, statements } = await statementsOf(server, () =>
      who('ROLE_READ', unit, {}, { first: 2, after }),
    );
    ids.push(...result.nodes.map(({ account }: any) => account.id));
    counts.add(statements.length);
    after = result.pageInfo.hasNextPage ? result.pageInfo.endCursor : null;
  } while (after !== null);
  expect(ids).toEqual(all.map(({ account }: any) => account.id));
  const { statements } = await statementsOf(server, () => who('ROLE_READ', unit));
  expect(Math.max(...counts)).toBeLessThanOrEqual(statements.length);
  expect(statements.length).toBeLessThanOrEqual(9);
});

test('of others it names those alone whose grants the viewer may see', async () => {
  const local = await makeCaller(server, ['ROLE_READ', 'ACCOUNT_READ'], { onAccount: unit });
  const { nodes } = await who('CREDENTIAL_READ', unit, { token: local.token });
  expect(nodes.length).toBeGreaterThan(0);
  for (const { grants } of nodes) for (const { onAccount } of grants) expect(onAccount.id).toBe(unit);
  const stranger = await makeCaller(server);
  const { code } = await server.ask(query, { can: 'ROLE_READ', on: unit }, { token: stranger.token });
  expect(code).toBe('NOT_FOUND');
});

test('what is no place is refused, and one that was deleted is not found', async () => {
  const role = await makeRole(server, []);
  for (const on of [role, 'nothing']) {
    const { errors } = await server.ask(query, { can: 'ROLE_READ', on });
    expect(errors[0]).toMatchObject({ extensions: { code: 'BAD_USER_INPUT', fields: [{ path: 'on' }] } });
  }
  const gone = await makeProject(server, top);
  expectData(
    await server.ask('mutation ($id: ID!) { deleteProject(input: { id: $id }) { deletedId } }', { id: gone }),
  );
  expect((await server.ask(query, { can: 'ROLE_READ', on: gone })).code).toBe('NOT_FOUND');
});
