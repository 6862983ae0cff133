import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from '../../src/database/database.js';
import { parseId } from '../../src/ids.js';
import { expectData, makeAccount, makeProject, makeRole, unique } from '../support/make.js';
import { run } from '../support/verbs.js';
import { inTurn, waitingDeeds } from '../support/waiting.js';
import { groupSchema, patchOf, startDirectories, userSchema, type Directories } from './directories.js';

interface User {
  id: string;
}
/** What a group brings, of which something is deleted. */
type Brings = { role: string; onAccount?: string; onProject?: string };

let all: Directories;
let undisturbed: { group: string; role: string; onAccount: string };
beforeAll(async () => {
  all = await startDirectories();
  const roles: Record<string, unknown>[] = [];
  for (const row of rows) {
    const brings = await row.what.brings();
    brought.set(row.group, brings);
    roles.push({ group: row.group, ...brings });
  }
  const onAccount = await makeAccount(all.server);
  undisturbed = { group: unique('Bringing'), role: all.role, onAccount };
  await all.set({ roles: [...roles, undisturbed] });
});
afterAll(() => all.stop());

const remove = async (mutation: string, id: string): Promise<number> => {
  const answer = await run(all.server, mutation, { id });
  expectData(answer);
  return answer.status;
};

interface Deleted {
  brings: () => Promise<Brings>;
  remove: (brings: Brings, user: User) => Promise<number>;
}
const deletions: Record<string, Deleted> = {
  'the account where the role is held': {
    brings: async () => ({ role: all.role, onAccount: await makeAccount(all.server) }),
    remove: ({ onAccount = '' }) => remove('deleteAccount', onAccount),
  },
  'the project where the role is held': {
    brings: async () => ({ role: all.role, onProject: await makeProject(all.server, all.acme.parent) }),
    remove: ({ onProject = '' }) => remove('deleteProject', onProject),
  },
  'the role': {
    brings: async () => ({
      role: await makeRole(all.server, ['CREDENTIAL_READ']),
      onAccount: await makeAccount(all.server),
    }),
    remove: ({ role }) => remove('deleteRole', role),
  },
  'the person': {
    brings: async () => ({ role: all.role, onAccount: await makeAccount(all.server) }),
    remove: (_, { id }) => remove('deleteAccount', id),
  },
};

/** How a group comes to bring it to a person. */
const ways = ['a new member', 'a new name'] as const;

const rows = Object.entries(deletions).flatMap(([name, what]) =>
  ways.map((way) => ({ name, what, way, group: unique('Bringing') })),
);
const brought = new Map<string, Brings>();

const patch = async (id: string, operation: object): Promise<number> =>
  (await all.acme.ask('PATCH', `/Groups/${id}`, patchOf(operation))).status;

async function makeGroup(displayName: string, members: User[]): Promise<string> {
  const body = { schemas: [groupSchema], displayName, members: members.map(({ id }) => ({ value: id })) };
  return (await all.acme.ask('POST', '/Groups', body)).body.id as string;
}

/** Grants that live on with what is deleted. */
const orphans = (): Promise<object[]> =>
  all.server.rows(`
    SELECT g.id FROM grants g LEFT JOIN projects p ON p.id = g.on_project_id
      JOIN accounts a ON a.id IN (g.account_id, g.on_account_id, p.account_id)
    WHERE coalesce(a.deleted_at, p.deleted_at) IS NOT NULL`);

// The embedded database has one connection: no two transactions meet on it.
if (process.env['TEST_DATABASE_URL'])
  test.each(rows)(
    'R5: a role is not brought by $way where $name is being deleted',
    async ({ name, what, way, group }) => {
      const brings = brought.get(group);
      if (!brings) throw new Error('what the groups bring was set');
      const user = (await all.acme.makeUser()) as User;
      const isNamed = way === 'a new name';
      const id = await makeGroup(isNamed ? unique('Group') : group, isNamed ? [user] : []);
      const bring = () =>
        patch(
          id,
          isNamed
            ? { op: 'replace', path: 'displayName', value: group }
            : { op: 'add', path: 'members', value: [{ value: user.id }] },
        );
      const [deleted, changed] = await inTurn(all.server, () => what.remove(brings, user), bring);
      // Who is gone is no member.
      const isGone = !isNamed && name === 'the person';
      expect([deleted, changed]).toEqual([200, isGone ? 400 : 204]);
      expect(await orphans()).toEqual([]);
    },
  );

test('what a group brings ends with the account where it is held', async () => {
  const { group, onAccount } = undisturbed;
  const user = (await all.acme.makeUser()) as User;
  await makeGroup(group, [user]);
  const text = 'SELECT id FROM grants WHERE on_account_id = :id';
  const held = () => all.server.rows(text, { id: parseId(onAccount)?.uuid });
  expect(await held()).toHaveLength(1);
  expect(await remove('deleteAccount', onAccount)).toBe(200);
  expect(await held()).toEqual([]);
});

const asked: [string, (user: User, group: string) => [method: string, path: string, body?: object]][] = [
  ['a new user', () => ['POST', '/Users', person()]],
  ['another user', ({ id }) => ['PUT', `/Users/${id}`, person()]],
  [
    'a name',
    ({ id }) => ['PATCH', `/Users/${id}`, patchOf({ op: 'replace', path: 'displayName', value: 'X' })],
  ],
  ['an end', ({ id }) => ['DELETE', `/Users/${id}`]],
  ['a new group', () => ['POST', '/Groups', { schemas: [groupSchema], displayName: unique('Group') }]],
  [
    'a member',
    ({ id }, group) => [
      'PATCH',
      `/Groups/${group}`,
      patchOf({ op: 'add', path: 'members', value: [{ value: id }] }),
    ],
  ],
  ['no group', (_, group) => ['DELETE', `/Groups/${group}`]],
];
const person = () => ({ schemas: [userSchema], userName: `${unique('bob')}@example.com` });

/** What takes the client its rights, and what gives them back. */
const losses: [string, string, string][] = [
  [
    'is disabled',
    'UPDATE accounts SET enabled = false WHERE id = :id RETURNING id',
    'UPDATE accounts SET enabled = true WHERE id = :id RETURNING id',
  ],
  [
    'has lost its role',
    'UPDATE grants SET account_id = CAST(:other AS uuid) WHERE account_id = :id RETURNING id',
    'UPDATE grants SET account_id = CAST(:id AS uuid) WHERE account_id = :other RETURNING id',
  ],
];

if (process.env['TEST_DATABASE_URL'])
  test.each(asked.flatMap(([what, ask]) => losses.map((loss) => ({ what, ask, loss, why: loss[0] }))))(
    'S23: a client that $why while it waits to ask for $what gets nothing done',
    async ({ ask, loss: [, take, giveBack] }) => {
      const { server, acme } = all;
      const user = (await acme.makeUser()) as User;
      const group = await makeGroup(unique('Group'), []);
      const parameters = { id: parseId(acme.client)?.uuid, other: parseId(user.id)?.uuid };
      const request = ask(user, group);
      const before = await state();
      const answer = await server.db.transaction(async (tx) => {
        await tx.rows(sql('LOCK TABLE audit_heads IN SHARE MODE'));
        const answering = acme.ask(...request);
        while ((await waitingDeeds(server)) === 0) await sleep(5);
        expect(await tx.rows(sql(take), parameters)).toHaveLength(1);
        return [answering] as const;
      });
      try {
        const { status } = await answer[0];
        expect([401, 403, 404]).toContain(status);
        expect(await state()).toEqual(before);
      } finally {
        await server.rows(giveBack, parameters);
      }
    },
  );

/** How many people, groups and members there are, and what they are called. */
const state = () =>
  all.server.rows(`
    SELECT (SELECT count(*) FROM accounts WHERE deleted_at IS NULL) AS accounts,
      (SELECT string_agg(a.title || u.user_name, ',' ORDER BY a.id) FROM scim_users u
        JOIN accounts a ON a.id = u.account_id) AS users,
      (SELECT count(*) FROM scim_groups) AS groups, (SELECT count(*) FROM scim_members) AS members`);
