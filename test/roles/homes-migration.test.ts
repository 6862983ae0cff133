import { HomesOfRoles1796750000000 } from '../../migrations/1796750000000-homes-of-roles.js';
import { parseId } from '../../src/ids.js';
import { issued } from '../credentials/temporary.js';
import { makeStore } from '../stores/stores.js';
import {
  expectData,
  grant,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  makeRole,
} from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { roleNamed } from '../support/tenant.js';
import { readNode, run } from '../support/verbs.js';
import { startApinizer, type Apinizer } from '../upstreams/apinizer.js';

// What becomes of the roles of before, which were all of one table of names.

let server: TestServer;
let apinizer: Apinizer;
beforeAll(async () => {
  apinizer = await startApinizer();
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
});
afterAll(async () => {
  await server.stop();
  await apinizer.stop();
});

const uuid = (id: string) => parseId(id)?.uuid;

async function step(way: 'up' | 'down') {
  const runner = server.db.source.createQueryRunner();
  await runner.startTransaction();
  await new HomesOfRoles1796750000000()[way](runner);
  await runner.commitTransaction();
  await runner.release();
}

/** Lets a credential carry a role as it was before, when any could carry any. */
const carry = (credential: string, name: string) =>
  server.rows(
    `INSERT INTO credential_roles (credential_id, role_id) SELECT CAST(:credential AS uuid), id FROM roles WHERE name = :name`,
    { credential: uuid(credential), name },
  );
const make = (name: string, permissions = '{}') =>
  server.rows(
    'INSERT INTO roles (id, name, permissions) VALUES (gen_random_uuid(), :name, CAST(:permissions AS text[]))',
    {
      name,
      permissions,
    },
  );
const rolesOn = async (
  id: string,
): Promise<{ name: string; account: object | null; store: object | null }[]> =>
  (await readNode(server, id, '... on Credential { roles { name account { id } store { id } } }')).roles;
const homesOf = async (name: string) =>
  (
    await server.rows<{ account: string | null; store: string | null }>(
      'SELECT account_id AS account, store_id AS store FROM roles WHERE name = :name ORDER BY account_id, store_id',
      { name },
    )
  ).map(({ account, store }) => [account, store]);

test('R32: roles of before come to where they are used, and nobody loses one', async () => {
  const [one, other] = [await makeAccount(server), await makeAccount(server)];
  const part = await makeAccount(server, { parent: one });
  const connection = { apinizer: { endpoint: apinizer.url, token: apinizer.token } };
  const [first, second] = [
    await makeStore(server, one, connection),
    await makeStore(server, other, connection),
  ];
  apinizer.seed(1, () => ({ username: 'user' }));
  const users = [];
  for (const id of [first, second]) {
    expectData(await run(server, 'syncStore', { id }));
    const text = 'query ($id: ID!) { credentials(filter: { store: [$id] }) { nodes { id accessKey } } }';
    const { nodes } = expectData(await server.ask(text, { id })).credentials;
    users.push(nodes.find(({ accessKey }: { accessKey: string }) => accessKey === 'user').id as string);
  }
  const [user = '', user2 = ''] = users;
  const keys = [
    await makeCredential(server, one),
    await makeCredential(server, part),
    await makeCredential(server, other),
  ];
  const [key = '', partKey = '', otherKey = ''] = keys.map(({ id }) => id);
  const project = await makeProject(server, part);

  await step('down');
  const used: Record<string, string[]> = {
    OF_ONE_STORE: [user],
    OF_STORES: [user, user2],
    OF_STORE_AND_ACCOUNT: [user, key],
    OF_ONE_ORGANIZATION: [key, partKey],
    OF_ORGANIZATIONS: [key, otherKey],
    HELD_HERE: [],
    HELD_ELSEWHERE: [key],
    HELD_EVERYWHERE: [key],
    UNUSED: [],
    MANAGES: [partKey],
  };
  for (const [name, credentials] of Object.entries(used)) {
    await make(name, name === 'MANAGES' ? '{ROLE_MANAGE}' : '{}');
    for (const credential of credentials) await carry(credential, name);
  }
  await carry(user, 'KEYWAY_READER');
  const held = (account: string, name: string, onAccount: string | null, onProject: string | null = null) =>
    server.rows(
      `INSERT INTO grants (id, account_id, role_id, on_account_id, on_project_id)
        SELECT gen_random_uuid(), CAST(:account AS uuid), id, CAST(:onAccount AS uuid), CAST(:onProject AS uuid) FROM roles WHERE name = :name`,
      {
        name,
        account: uuid(account),
        onAccount: onAccount && uuid(onAccount),
        onProject: onProject && uuid(onProject),
      },
    );
  await held(other, 'HELD_HERE', null, project);
  await held(one, 'HELD_ELSEWHERE', other);
  await held(one, 'HELD_EVERYWHERE', null);
  const before = await Promise.all([user, user2, key, partKey, otherKey].map(namesOf));
  await step('up');

  expect(await Promise.all([user, user2, key, partKey, otherKey].map(namesOf))).toEqual(before);
  const [a, s, t] = [uuid(one), uuid(first), uuid(second)];
  const all = [null, null];
  const bySet = (rows: unknown[]) => new Set(rows.map((row) => JSON.stringify(row)));
  const expected: Record<string, unknown[]> = {
    OF_ONE_STORE: [[null, s]],
    OF_STORES: [[null, s], [null, t], all],
    OF_STORE_AND_ACCOUNT: [
      [a, null],
      [null, s],
    ],
    OF_ONE_ORGANIZATION: [[a, null]],
    OF_ORGANIZATIONS: [all],
    HELD_HERE: [[a, null]],
    HELD_ELSEWHERE: [all],
    HELD_EVERYWHERE: [all],
    UNUSED: [all],
    MANAGES: [[a, null]],
    KEYWAY_READER: [[null, s], all],
  };
  for (const [name, homes] of Object.entries(expected))
    expect([name, bySet(await homesOf(name))]).toEqual([name, bySet(homes)]);
  for (const { name, store } of await rolesOn(user)) expect([name, store]).toEqual([name, { id: first }]);
  // Who managed roles goes on giving them, and no table is left.
  const [{ permissions } = { permissions: [] }] = await server.rows<{ permissions: string[] }>(
    "SELECT permissions FROM roles WHERE name = 'MANAGES'",
  );
  expect(permissions).toEqual(['ROLE_MANAGE', 'ROLE_GIVE']);
  expect(
    await server.rows(`SELECT 1 FROM information_schema.tables WHERE table_name LIKE 'roles\\_%'`),
  ).toEqual([]);

  // An administrator goes on with the roles where they are used.
  await server.restart();
  const role = await roleNamed(server, 'OF_ONE_ORGANIZATION');
  expectData(
    await run(server, 'createCredential', {
      account: part,
      name: 'new',
      secret: { accessKey: {} },
      roles: [role],
    }),
  );
  expectData(await run(server, 'grantRole', { account: one, role, onAccount: part }));
  expectData(
    await run(server, 'updateCredential', { id: otherKey, roles: [await roleNamed(server, 'UNUSED')] }),
  );

  await step('down');
  const names = (await server.rows<{ name: string }>('SELECT name FROM roles')).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  await step('up');
});

const namesOf = async (id: string) =>
  (
    await server.rows<{ name: string }>(
      'SELECT r.name FROM credential_roles cr JOIN roles r ON r.id = cr.role_id WHERE cr.credential_id = :id ORDER BY 1',
      { id: uuid(id) },
    )
  ).map(({ name }) => name);

test('R32: a token that may manage roles may give them from then on, and a role that is held by who calls goes on working', async () => {
  const account = await makeAccount(server);
  const { id, token } = await makeCaller(server, ['ROLE_MANAGE', 'ROLE_READ', 'ACCOUNT_READ'], {
    onAccount: account,
  });
  await grant(server, id, await makeRole(server, ['CREDENTIAL_READ']), { onAccount: account });
  const narrow = { secret: { token: { permissions: ['ROLE_MANAGE'] } } };
  const { id: narrowed } = await makeCredential(server, account, narrow);
  // What was derived from it keeps its terms, and stands in the way of nothing.
  const derived = await issued(server, narrowed);
  await step('down');
  await step('up');
  const permissionsOf = async (id: string) => {
    const text = 'SELECT permissions FROM credentials WHERE id = :id';
    const [row] = await server.rows<{ permissions: string[] }>(text, { id: uuid(id) });
    return row?.permissions;
  };
  expect(await permissionsOf(narrowed)).toEqual(['ROLE_MANAGE', 'ROLE_GIVE']);
  expect(await permissionsOf(derived.id)).toEqual(['ROLE_MANAGE']);
  expect((await server.ask('{ viewer { id } }', {}, { token })).data.viewer.id).toBe(id);
});
