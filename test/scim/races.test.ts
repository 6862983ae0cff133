import { parseId } from '../../src/ids.js';
import { expectData, makeAccount, makeProject, makeRole, unique } from '../support/make.js';
import { run } from '../support/verbs.js';
import { inTurn } from '../support/waiting.js';
import { groupSchema, patchOf, startDirectories, type Directories } from './directories.js';

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
