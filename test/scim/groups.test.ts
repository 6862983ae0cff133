/**
 * @slow 20 s
 */
import { parseId } from '../../src/ids.js';
import { expectData, grant, makeRole, unique } from '../support/make.js';
import { longestTransactionOf, statementsOf } from '../support/statements.js';
import { run } from '../support/verbs.js';
import {
  actionsOf,
  errorSchema,
  groupSchema,
  patchOf,
  startDirectories,
  type Directories,
  type Provider,
} from './directories.js';

let all: Directories;
let acme: Provider;
let other: Provider;
beforeAll(async () => {
  all = await startDirectories();
  ({ acme, other } = all);
});
afterAll(() => all.stop());

interface User {
  id: string;
  externalId: string;
}

const uuidOf = (id: string) => parseId(id)?.uuid ?? '';
const makeGroup = async (displayName: string, members: User[] = [], by = acme) => {
  const body = { schemas: [groupSchema], displayName, members: members.map(({ id }) => ({ value: id })) };
  const made = await by.ask('POST', '/Groups', body);
  if (made.status !== 201) throw new Error(`no group was made: ${made.text}`);
  return made.body as { id: string; displayName: string; meta: { version: string } };
};
const patch = (id: string, ...operations: object[]) =>
  acme.ask('PATCH', `/Groups/${id}`, patchOf(...operations));
const membersOf = async (id: string): Promise<string[]> =>
  ((await acme.ask('GET', `/Groups/${id}`)).body.members as { value: string }[]).map(({ value }) => value);
/** Whether the person sees the account of Acme, as the role of the group Operators lets them. */
const seesAcme = async ({ externalId }: User): Promise<boolean> => {
  const answer = await acme.askAs(externalId, `{ node(id: "${acme.parent}") { id } }`);
  return expectData(answer).node !== null;
};
const operators = async () => {
  const found = await acme.ask('GET', '/Groups?filter=displayName+eq+%22operators%22');
  const [known] = found.body.Resources as { id: string }[];
  const group = known ?? (await makeGroup('Operators'));
  await patch(group.id, { op: 'remove', path: 'members' });
  return group.id;
};

test('a group is made, looked for, told and deleted, as Entra and Okta do', async () => {
  const one: User = await acme.makeUser();
  const displayName = unique('Group');
  const entra = {
    schemas: [groupSchema, 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'],
    externalId: unique('oid'),
    displayName,
    meta: { resourceType: 'Group' },
  };
  const made = await acme.ask('POST', '/Groups', entra);
  expect(made).toMatchObject({
    status: 201,
    body: { schemas: [groupSchema], displayName, externalId: entra.externalId, members: [] },
  });
  const { id } = made.body;
  expect(made.headers.get('location')).toBe(`/scim/v2/Groups/${id}`);
  const filter = `filter=displayName+eq+${encodeURIComponent(JSON.stringify(displayName.toUpperCase()))}`;
  const found = await acme.ask('GET', `/Groups?excludedAttributes=members&${filter}`);
  expect(found.body).toMatchObject({ totalResults: 1, Resources: [{ id, displayName }] });
  expect(found.body.Resources[0].members).toBeUndefined();

  const added = await patch(id, { op: 'Add', path: 'members', value: [{ value: one.id }] });
  expect(added).toMatchObject({ status: 204, text: '' });
  const member = { value: one.id, type: 'User', $ref: `/scim/v2/Users/${one.id}` };
  const now = await acme.ask('GET', `/Groups/${id}`);
  expect(now).toMatchObject({ status: 200, body: { members: [member] } });
  expect(now.headers.get('etag')).toBe(added.headers.get('etag'));
  expect((await acme.ask('GET', `/Groups?${filter}`)).body.Resources).toEqual([now.body]);
  // Okta repeats what it calls the group by.
  const rename = patchOf({ op: 'replace', value: { id, displayName: `${displayName}-2` } });
  const renamed = await acme.ask('PATCH', `/Groups/${id}?attributes=displayName,members`, rename);
  expect(renamed).toMatchObject({
    status: 200,
    body: { displayName: `${displayName}-2`, members: [member] },
  });
  const replaced = await acme.ask('PUT', `/Groups/${id}`, { displayName });
  expect(replaced).toMatchObject({
    status: 200,
    body: { displayName, externalId: entra.externalId, members: [] },
  });
  const nameless = await acme.ask('PUT', `/Groups/${id}`, { displayName, externalId: null });
  expect(nameless.status).toBe(200);
  expect(nameless.body.externalId).toBeUndefined();
  expect((await acme.ask('DELETE', `/Groups/${id}`)).status).toBe(204);
  expect((await acme.ask('GET', `/Groups/${id}`)).status).toBe(404);
});

test('members come and go by each way to say it, each as often as one likes', async () => {
  const [a, b, c]: User[] = [await acme.makeUser(), await acme.makeUser(), await acme.makeUser()];
  if (!a || !b || !c) throw new Error('three were made');
  const { id } = await makeGroup(unique('Group'), [a]);
  const values = (...users: User[]) => users.map((user) => ({ value: user.id }));
  const steps: [object[], User[]][] = [
    [[{ op: 'add', path: 'members', value: values(a, b) }], [a, b]],
    [[{ op: 'add', value: { members: values(c) } }], [a, b, c]],
    [[{ op: 'remove', path: `members[value eq "${a.id}"]` }], [b, c]],
    [[{ op: 'remove', path: `members[value eq "${a.id}"]` }], [b, c]],
    [[{ op: 'Remove', path: 'members', value: values(b) }], [c]],
    [[{ op: 'replace', path: 'members', value: values(a, b) }], [a, b]],
    [
      [
        { op: 'remove', path: 'members' },
        { op: 'add', path: 'members', value: values(a, c) },
        { op: 'remove', path: `members[value eq "${a.id}" or value eq "${b.id}"]` },
      ],
      [c],
    ],
    [[{ op: 'remove', path: 'members' }], []],
  ];
  for (const [operations, members] of steps) {
    expect((await patch(id, ...operations)).status).toBe(204);
    expect((await membersOf(id)).sort()).toEqual(members.map((user) => user.id).sort());
  }
});

test('S23: a member holds what the group brings from the answer on, and not after it, each on record', async () => {
  const one: User = await acme.makeUser();
  const group = await operators();
  expect(await seesAcme(one)).toBe(false);
  await patch(group, { op: 'add', path: 'members', value: [{ value: one.id }] });
  expect(await seesAcme(one)).toBe(true);
  await patch(group, { op: 'remove', path: `members[value eq "${one.id}"]` });
  expect(await seesAcme(one)).toBe(false);
  expect(await actionsOf(all.server, uuidOf(one.id))).toEqual([
    'account:create',
    'role:grant',
    'role:withdraw',
  ]);
});

test('S23: nor when the group is called otherwise, or deleted, or the person is', async () => {
  const one: User = await acme.makeUser();
  const { id } = await makeGroup(unique('Group'), [one]);
  const before = await operators();
  expect((await acme.ask('DELETE', `/Groups/${before}`)).status).toBe(204);
  const rename = (displayName: string) =>
    patch(id, { op: 'replace', path: 'displayName', value: displayName });
  await rename('OPERATORS');
  expect(await seesAcme(one)).toBe(true);
  await rename(unique('Group'));
  expect(await seesAcme(one)).toBe(false);
  await rename('Operators');
  expect(await seesAcme(one)).toBe(true);
  expect((await acme.ask('DELETE', `/Groups/${id}`)).status).toBe(204);
  expect(await seesAcme(one)).toBe(false);
  const last = await makeGroup('Operators', [one]);
  expect(await seesAcme(one)).toBe(true);
  expect((await acme.ask('DELETE', `/Users/${one.id}`)).status).toBe(204);
  expect(await membersOf(last.id)).toEqual([]);
  const left = await all.server.rows('SELECT 1 AS one FROM grants WHERE account_id = CAST(:id AS uuid)', {
    id: uuidOf(one.id),
  });
  expect(left).toEqual([]);
});

test('what was granted by hand stays, whatever becomes of the group', async () => {
  const one: User = await acme.makeUser();
  await grant(all.server, one.id, all.role, { onAccount: acme.parent });
  const group = await operators();
  await patch(group, { op: 'add', path: 'members', value: [{ value: one.id }] });
  await patch(group, { op: 'remove', path: 'members' });
  expect(await seesAcme(one)).toBe(true);
});

test('what the setting brings no more is withdrawn at the start, and what it brings anew is given', async () => {
  const one: User = await acme.makeUser();
  const name = unique('Readers');
  await makeGroup(name, [one]);
  expect(await seesAcme(one)).toBe(false);
  await all.set({ roles: [{ group: name, role: all.role, onAccount: acme.parent }] });
  expect(await seesAcme(one)).toBe(true);
  await all.set({ roles: [] });
  expect(await seesAcme(one)).toBe(false);
  await all.set({});
  expect(await actionsOf(all.server, uuidOf(one.id))).toEqual([
    'account:create',
    'role:grant',
    'role:withdraw',
  ]);
});

test('a change that expects another version is refused', async () => {
  const { id, meta } = await makeGroup(unique('Group'));
  const rename = (version: string) =>
    acme.ask(
      'PATCH',
      `/Groups/${id}`,
      patchOf({ op: 'replace', path: 'displayName', value: unique('Next') }),
      {
        'if-match': version,
      },
    );
  expect((await rename(meta.version)).status).toBe(204);
  expect(await rename(meta.version)).toMatchObject({
    status: 412,
    body: { schemas: [errorSchema], status: '412' },
  });
  expect((await acme.ask('DELETE', `/Groups/${id}`, undefined, { 'if-match': meta.version })).status).toBe(
    412,
  );
});

test('what cannot be a group or a member is refused, without its value', async () => {
  const name = unique('Group');
  const { id } = await makeGroup(name);
  const foreign: User = await other.makeUser();
  const refusals: [Promise<{ status: number; text: string; body: unknown }>, number, string][] = [
    [acme.ask('POST', '/Groups', { displayName: name.toUpperCase() }), 409, 'uniqueness'],
    [acme.ask('POST', '/Groups', {}), 400, 'invalidValue'],
    [
      acme.ask('POST', '/Groups', { displayName: unique('G'), members: [{ value: foreign.id }] }),
      400,
      'invalidValue',
    ],
    [patch(id, { op: 'add', path: 'members', value: [{ value: id }] }), 400, 'invalidValue'],
    [patch(id, { op: 'add', path: 'members', value: [{ value: 'secret-value' }] }), 400, 'invalidValue'],
    [patch(id, { op: 'add', path: 'secret-value', value: 1 }), 400, 'invalidPath'],
    [patch(id, { op: 'remove', path: 'members[display eq "secret-value"]' }), 400, 'invalidPath'],
    [patch(id, { op: 'replace', path: 'meta', value: 'secret-value' }), 400, 'mutability'],
    [
      patch(id, {
        op: 'add',
        path: 'members',
        value: Array.from({ length: 1_001 }, () => ({ value: foreign.id })),
      }),
      400,
      'tooMany',
    ],
  ];
  for (const [asked, status, scimType] of refusals) {
    const refused = await asked;
    expect(refused).toMatchObject({
      status,
      body: { schemas: [errorSchema], status: String(status), scimType },
    });
    expect(refused.text).not.toContain('secret-value');
  }
  expect(await membersOf(id)).toEqual([]);
});

test('S30: nobody of another directory sees or changes a group', async () => {
  const { id, displayName } = await makeGroup(unique('Group'));
  for (const [method, body] of [
    ['GET', undefined],
    ['PUT', { displayName: 'x' }],
    ['PATCH', patchOf({ op: 'replace', path: 'displayName', value: 'x' })],
    ['DELETE', undefined],
  ] as const)
    for (const one of [id, 'not-an-id', acme.parent])
      expect((await other.ask(method, `/Groups/${one}`, body)).status).toBe(404);
  const path = `/Groups?filter=displayName+eq+${encodeURIComponent(JSON.stringify(displayName))}`;
  expect((await other.ask('GET', path)).body.totalResults).toBe(0);
  expect((await acme.ask('GET', path)).body.totalResults).toBe(1);
});

test('how many statements it takes does not depend on how many members there are', async () => {
  const users: User[] = [];
  for (let made = 0; made < 8; made++) users.push(await acme.makeUser());
  const group = await operators();
  const counted = async (members: User[]) => {
    await patch(group, { op: 'remove', path: 'members' });
    const value = members.map(({ id }) => ({ value: id }));
    const work = () => patch(group, { op: 'replace', path: 'members', value });
    return (await longestTransactionOf(all.server, work)).longest;
  };
  expect(await counted(users)).toBe(await counted(users.slice(0, 2)));
  const listed = async (members: User[]) => {
    await patch(group, { op: 'replace', path: 'members', value: members.map(({ id }) => ({ value: id })) });
    return (await statementsOf(all.server, () => acme.ask('GET', '/Groups'))).statements.length;
  };
  expect(await listed(users)).toBe(await listed(users.slice(0, 2)));
});

test('S38: who comes back has what the groups bring, and not by the directory what somebody gave by hand', async () => {
  const one: User = await acme.makeUser();
  await patch(await operators(), { op: 'add', path: 'members', value: [{ value: one.id }] });
  const set = (active: boolean) =>
    acme.ask('PATCH', `/Users/${one.id}`, patchOf({ op: 'replace', path: 'active', value: active }));
  await set(false);
  expect((await set(true)).status).toBe(200);
  expect(await seesAcme(one)).toBe(true);
  await grant(all.server, one.id, await makeRole(all.server, ['AUDIT_READ']), { onAccount: acme.parent });
  await set(false);
  expect(await set(true)).toMatchObject({ status: 403, body: { schemas: [errorSchema] } });
  expectData(await run(all.server, 'updateAccount', { id: one.id, enabled: true }));
  expect(await seesAcme(one)).toBe(true);
});
