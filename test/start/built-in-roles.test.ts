import { everyPermission } from '../../src/access/principal.js';
import { builtInRoles, edition } from '../../src/roles/built-in.js';
import { expectData, grant, makeAccount, makeCaller, makeRole, unique } from '../support/make.js';
import { startReplica, startTestServer, type TestServer } from '../support/server.js';
import { roleNamed } from '../support/tenant.js';
import { readNode, run } from '../support/verbs.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

interface Stored {
  name: string;
  description: string | null;
  permissions: string[];
  edition: number;
  /** Another one with every write. */
  written: string;
}

const stored = () =>
  server.rows<Stored>(
    'SELECT name, description, permissions, edition, xmin::text AS written FROM roles ORDER BY name',
  );
const roleStored = async (name: string) => (await stored()).find((role) => role.name === name);
const permissionsOf = async (name: string) => [...((await roleStored(name))?.permissions ?? [])].sort();

/** What Keyway did to roles by itself, latest first. */
const deeds = async () => {
  const { nodes } = expectData(
    await server.ask(`{ auditEvents(first: 100) {
      nodes { action actor { name } actorCredential { id } ip target { ... on Role { name } } changed outcome }
    } }`),
  ).auditEvents;
  return nodes.filter(
    ({ action, actor }: { action: string; actor: object | null }) => /^role:/.test(action) && actor === null,
  );
};
const deed = (action: string, name: string, changed: string[] = []) => ({
  action,
  actor: null,
  actorCredential: null,
  ip: null,
  target: { name },
  changed,
  outcome: 'DONE',
});

/** Starts Keyway again on tables that were changed behind its back. Returns what it does to roles then. */
const restartAfter = async (change: string) => {
  const before = await deeds();
  await server.rows(change);
  await server.restart();
  const after = await deeds();
  return after.slice(0, after.length - before.length);
};
const without = (permission: string, name: string) =>
  `UPDATE roles SET permissions = array_remove(permissions, '${permission}') WHERE name = '${name}'`;

test('a permission that a built-in role lacks is in it after the next start, for those who hold the role', async () => {
  const { id, token } = await makeCaller(server);
  await grant(server, id, await roleNamed(server, 'KEYWAY_ADMIN'));
  const makesProject = async () =>
    (await run(server, 'createProject', { account: id, name: unique('project') }, { token })).code;
  await server.rows(without('PROJECT_MANAGE', 'KEYWAY_ADMIN'));
  expect(await makesProject()).toBe('FORBIDDEN');
  // With the administrator, whose everything is, and with the other account that holds it.
  expect(await restartAfter(without('PROJECT_MANAGE', 'KEYWAY_ADMIN'))).toEqual([
    deed('role:update', 'KEYWAY_ADMIN', ['permissions']),
    deed('role:update', 'KEYWAY_ADMIN', ['permissions']),
  ]);
  expect(await makesProject()).toBeUndefined();
  expect(await permissionsOf('KEYWAY_ADMIN')).toEqual([...everyPermission].sort());
});

test('what a built-in role has too much goes, its description comes back, and one that is gone is made', async () => {
  await server.rows("DELETE FROM roles WHERE name = 'KEYWAY_VERIFIER'");
  const done = await restartAfter(`UPDATE roles SET description = 'Odd.',
    permissions = permissions || '{CREDENTIAL_REVEAL}' WHERE name = 'KEYWAY_READER'`);
  expect(done).toEqual([
    deed('role:create', 'KEYWAY_VERIFIER'),
    deed('role:update', 'KEYWAY_READER', ['description', 'permissions']),
  ]);
  for (const name of ['KEYWAY_READER', 'KEYWAY_VERIFIER'])
    expect(await roleStored(name)).toMatchObject({ ...builtInRoles.find((role) => role.name === name) });
  const verifier = await roleNamed(server, 'KEYWAY_VERIFIER');
  expect(await readNode(server, verifier, '... on Role { builtIn }')).toEqual({ builtIn: true });
});

test('a start that has nothing to change writes nothing; roles of others are never written', async () => {
  await makeRole(server, ['CREDENTIAL_READ'], { name: 'custom', description: 'Ours.' });
  const before = await stored();
  expect(await restartAfter(without('AUDIT_READ', 'KEYWAY_ADMIN'))).not.toEqual([]);
  const after = await stored();
  const others = (roles: Stored[]) => roles.filter(({ name }) => name !== 'KEYWAY_ADMIN');
  expect(others(after)).toEqual(others(before));
  expect(await restartAfter('SELECT 1')).toEqual([]);
  expect(await stored()).toEqual(after);
});

test('roles of before there were editions become of this one, which is no change to tell of', async () => {
  expect(await restartAfter('UPDATE roles SET edition = 0 WHERE built_in')).toEqual([]);
  for (const { name } of builtInRoles) expect(await roleStored(name)).toMatchObject({ edition });
});

test("a newer version's edition of a role stays as it is; a role that somebody made by the name of a built-in one is theirs", async () => {
  await server.rows("UPDATE roles SET built_in = false, permissions = '{}' WHERE name = 'KEYWAY_AUDITOR'");
  await server.rows(`UPDATE roles SET edition = ${edition + 1}, description = 'Newer.',
    permissions = '{CREDENTIAL_REVEAL,CREDENTIAL_READ}' WHERE name = 'KEYWAY_OPERATOR'`);
  const before = await stored();
  expect(await restartAfter('SELECT 1')).toEqual([]);
  expect(await stored()).toEqual(before);
  expect(server.logged.filter((line) => line.includes('"roles":["KEYWAY_AUDITOR"]'))).toHaveLength(1);
  await restartAfter(`UPDATE roles SET built_in = true, edition = 0 WHERE name ~ '^KEYWAY_'`);
  expect(await permissionsOf('KEYWAY_AUDITOR')).toContain('AUDIT_READ');
});

test('a permission of a later version stays, is not shown, and keeps nobody from granting the role', async () => {
  expect(await restartAfter("UPDATE roles SET permissions = permissions || '{MOON_READ}'")).toEqual([]);
  expect(await restartAfter(without('AUDIT_READ', 'KEYWAY_ADMIN'))).not.toEqual([]);
  expect(await permissionsOf('KEYWAY_ADMIN')).toEqual([...everyPermission, 'MOON_READ'].sort());
  for (const { name, permissions } of builtInRoles) {
    const shown = await readNode(server, await roleNamed(server, name), '... on Role { permissions }');
    expect([...shown.permissions].sort()).toEqual([...permissions].sort());
  }
  await grant(server, await makeAccount(server), await roleNamed(server, 'KEYWAY_ADMIN'));
});

// The embedded database has one Keyway.
if (process.env['TEST_DATABASE_URL']) {
  test('of replicas that start together one changes what is to be changed', async () => {
    const before = await deeds();
    await server.rows(without('AUDIT_READ', 'KEYWAY_ADMIN'));
    const replicas = await Promise.all([1, 2, 3].map(() => startReplica(server)));
    try {
      expect(await permissionsOf('KEYWAY_ADMIN')).toContain('AUDIT_READ');
      // Once with each account that holds it: the administrator, whose everything is, is one of them.
      const holders = await server.rows(
        `SELECT DISTINCT g.account_id FROM grants g JOIN roles r ON r.id = g.role_id WHERE r.name = 'KEYWAY_ADMIN'`,
      );
      const each = holders.map(() => deed('role:update', 'KEYWAY_ADMIN', ['permissions']));
      expect(await deeds()).toEqual([...each, ...before]);
    } finally {
      for (const replica of replicas) await replica.stop();
    }
  });
}

test('each edition says one thing: who changes a built-in role raises the edition', () => {
  const reading = ['CREDENTIAL_READ', 'ACCOUNT_READ', 'PROJECT_READ', 'ROLE_READ'];
  const keeping = ['CREDENTIAL_CREATE', 'CREDENTIAL_UPDATE', 'CREDENTIAL_ROTATE', 'CREDENTIAL_REVOKE'];
  expect([edition, ...builtInRoles.map(({ name, permissions }) => [name, ...permissions])]).toEqual([
    1,
    ['KEYWAY_ADMIN', ...everyPermission],
    ['KEYWAY_OPERATOR', ...reading, ...keeping],
    ['KEYWAY_READER', ...reading],
    ['KEYWAY_AUDITOR', ...reading, 'AUDIT_READ'],
    ['KEYWAY_VERIFIER', 'CREDENTIAL_VERIFY'],
  ]);
});
