import type { Tx } from '../../../src/database/database.js';
import {
  expectData,
  grant,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  makeRole,
} from '../../support/make.js';
import { overhear } from '../../support/overhear.js';
import { sharedServer, type SharedServer } from '../../support/server.js';
import { run } from '../../support/verbs.js';

// What stays on record of an account that is deleted, and who goes on reading it.

let server: SharedServer;
beforeAll(async () => {
  server = await sharedServer();
});

interface Told {
  id: string;
  action: string;
  targetId: string;
  recipientId: string | null;
  changed: string[];
}

const fields = 'id action targetId recipientId changed';

/** What somebody reads of the log, newest first. */
const readBy = async (token: string, filter: Record<string, unknown> = {}): Promise<Told[]> =>
  expectData(
    await server.ask(
      `query ($filter: AuditFilter) { auditEvents(first: 100, filter: $filter) { nodes { ${fields} } } }`,
      { filter },
      { token },
    ),
  ).auditEvents.nodes;

/** The chain of one account, by the administrator. */
const chainOf = (account: string) => readBy(server.adminToken, { account: [account] });

/** An organization with a part that has and owns something of each kind, and who reads its log. */
async function makePart() {
  const organization = await makeAccount(server);
  const part = await makeAccount(server, { parent: organization });
  const reader = (await makeCaller(server, ['AUDIT_READ'], { onAccount: organization })).token;
  const project = await makeProject(server, part);
  const subAccount = await makeAccount(server, { parent: part });
  const { id: credential } = await makeCredential(server, part, { project, owner: part, retrievable: true });
  const { id: plain } = await makeCredential(server, part);
  const elsewhere = await makeAccount(server);
  const { id: owned } = await makeCredential(server, elsewhere, { owner: part });
  await makeCredential(server, part, { secret: { token: {} } });
  return { organization, part, reader, project, subAccount, credential, plain, owned, elsewhere };
}

const transferred = (
  action: string,
  targetId: string,
  recipientId: string,
  changed: string[],
): Partial<Told> => ({ action, targetId, recipientId, changed });

test('S60: each thing that is handed over is on record where it was and where it is, with the heir', async () => {
  const { part, project, subAccount, credential, plain, owned, elsewhere } = await makePart();
  const heir = await makeAccount(server);
  expectData(await run(server, 'deleteAccount', { id: part, transferTo: heir }));
  const things = {
    credential: transferred('credential:transfer', credential, heir, ['account', 'owner']),
    plain: transferred('credential:transfer', plain, heir, ['account']),
    owned: transferred('credential:transfer', owned, heir, ['owner']),
    project: transferred('project:transfer', project, heir, ['account']),
    subAccount: transferred('account:transfer', subAccount, heir, ['parent']),
  };
  const moves = async (account: string) =>
    (await chainOf(account))
      .filter(({ action }) => action.endsWith(':transfer'))
      .map(({ action, targetId, recipientId, changed }) => ({ action, targetId, recipientId, changed }));
  const sorted = (told: Partial<Told>[]) => told.map((one) => JSON.stringify(one)).sort();
  for (const account of [part, heir])
    expect(sorted(await moves(account))).toEqual(sorted(Object.values(things)));
  // Where the thing itself is no part of what was deleted, it is on record as well.
  expect(await moves(elsewhere)).toEqual([things.owned]);
  expect(await moves(subAccount)).toEqual([things.subAccount]);
  expect((await chainOf(part))[0]).toMatchObject({ action: 'account:delete', recipientId: heir });
});

test('S60: who reads the log of an organization reads all that they read when a part is deleted, and no more of the heir', async () => {
  const { part, subAccount, reader } = await makePart();
  const below = await makeAccount(server, { parent: subAccount });
  const own = await makeCaller(server, ['AUDIT_READ'], { onAccount: part });
  const before = await readBy(reader);
  const beforeOwn = await readBy(own.token);
  expect(before.length).toBeGreaterThan(beforeOwn.length);
  const heir = await makeAccount(server);
  expectData(await run(server, 'deleteAccount', { id: part, transferTo: heir }));
  for (const [token, read] of [
    [reader, before],
    [own.token, beforeOwn],
  ] as const) {
    const after = await readBy(token);
    expect(after.length).toBeGreaterThan(read.length);
    for (const event of read) expect(after).toContainEqual(event);
    expect(after).toContainEqual(expect.objectContaining({ action: 'account:delete', recipientId: heir }));
    for (const event of await chainOf(heir)) expect(after).not.toContainEqual(event);
    // What its parts do from then on is read by those of the heir.
    for (const id of [subAccount, below]) {
      expectData(await run(server, 'updateAccount', { id, title: 'Elsewhere' }));
      const [latest] = await chainOf(id);
      expect(latest?.action).toBe('account:update');
      expect(await readBy(token)).toEqual(after);
    }
  }
});

test.each([
  ['account', 'deleteAccount', 'onAccount'],
  ['project', 'deleteProject', 'onProject'],
] as const)(
  'S60: who may read the log of an %s itself goes on when it is deleted, and may do nothing else there',
  async (kind, verb, on) => {
    const organization = await makeAccount(server);
    const place =
      kind === 'account'
        ? await makeAccount(server, { parent: organization })
        : await makeProject(server, organization);
    const all = ['AUDIT_READ', 'ACCOUNT_READ', 'PROJECT_READ', 'PROJECT_MANAGE', 'CREDENTIAL_READ'];
    const reader = await makeCaller(server, all, { [on]: place });
    const other = await makeCaller(server, ['PROJECT_READ'], { [on]: place });
    const before = await readBy(reader.token);
    expect(before.length).toBeGreaterThan(0);
    expectData(await run(server, verb, { id: place }));
    const after = await readBy(reader.token);
    expect(after.slice(after.length - before.length)).toEqual(before);
    expect(after.map(({ action }) => action)).toContain(`${kind}:delete`);
    // The role without AUDIT_READ is withdrawn, on record at the place and with the account that had it.
    const withdrawn = { action: 'role:withdraw', recipientId: other.id };
    expect(after).toContainEqual(expect.objectContaining(withdrawn));
    expect(await chainOf(other.id)).toContainEqual(expect.objectContaining(withdrawn));
    const { viewer } = expectData(
      await server.ask('{ viewer { grants { id } } }', {}, { token: other.token }),
    );
    expect(viewer.grants).toEqual([]);
    // Nothing is there to be done any more.
    const { code } = await run(
      server,
      kind === 'account' ? 'createProject' : 'updateProject',
      kind === 'account' ? { account: place, name: 'never' } : { id: place, title: 'Never' },
      { token: reader.token },
    );
    expect(code).toBe('NOT_FOUND');
    const seen = await server.ask(
      'query ($id: ID!) { node(id: $id) { id } }',
      { id: place },
      { token: reader.token },
    );
    expect(seen.data).toEqual({ node: null });
  },
);

test('S23: who reads of a deleted account can be kept from it by who runs the organization', async () => {
  const organization = await makeAccount(server);
  const part = await makeAccount(server, { parent: organization });
  const reader = await makeCaller(server);
  const held = await grant(server, reader.id, await makeRole(server, ['AUDIT_READ']), { onAccount: part });
  const chief = await makeCaller(server, ['ROLE_MANAGE', 'AUDIT_READ'], { onAccount: organization });
  const stranger = await makeCaller(server, ['ROLE_MANAGE'], { onAccount: await makeAccount(server) });
  expectData(await run(server, 'deleteAccount', { id: part }));
  expect((await readBy(reader.token)).length).toBeGreaterThan(0);
  expect((await run(server, 'withdrawRole', { grant: held }, { token: stranger.token })).code).toBe(
    'NOT_FOUND',
  );
  expectData(await run(server, 'withdrawRole', { grant: held }, { token: chief.token }));
  expect(await readBy(reader.token)).toEqual([]);
  // Nobody can be given a role there any more.
  const role = await makeRole(server, ['AUDIT_READ']);
  const again = await run(
    server,
    'grantRole',
    { account: reader.id, role, onAccount: part },
    { token: chief.token },
  );
  expect(again.code).toBe('NOT_FOUND');
});

test('what was deleted before stays where it was', async () => {
  const { part, reader } = await makePart();
  const gone = await makeAccount(server, { parent: part });
  expectData(await run(server, 'deleteAccount', { id: gone }));
  const heir = await makeAccount(server);
  const ofHeir = await makeCaller(server, ['AUDIT_READ'], { onAccount: heir });
  expectData(await run(server, 'deleteAccount', { id: part, transferTo: heir }));
  const [latest] = await chainOf(gone);
  expect(latest?.action).toBe('account:delete');
  expect(await readBy(reader)).toContainEqual(latest);
  expect(await readBy(ofHeir.token)).not.toContainEqual(latest);
});

test('the statements of a hand-over do not depend on how much there is', async () => {
  const counted = async (many: number) => {
    const account = await makeAccount(server);
    const heir = await makeAccount(server);
    for (let made = 0; made < many; made++) {
      await makeCredential(server, account, { retrievable: true });
      await makeCredential(server, account, { secret: { token: {} } });
      await makeCredential(server, heir, { owner: account });
      await makeProject(server, account);
      const part = await makeAccount(server, { parent: account });
      await grant(server, account, await makeRole(server, []), { onAccount: part });
      await grant(server, part, await makeRole(server, []), { onAccount: account });
    }
    // By transaction: what runs by itself meanwhile has others.
    const heard = new Map<Tx, string[]>();
    const hearing = overhear(server.db, ({ text }, _, tx) => {
      heard.set(tx, [...(heard.get(tx) ?? []), text]);
    });
    try {
      expectData(await run(server, 'deleteAccount', { id: account, transferTo: heir }));
    } finally {
      hearing.stop();
    }
    const moved = (await chainOf(account)).filter(({ action }) => action.endsWith(':transfer'));
    expect(moved).toHaveLength(4 * many);
    const its = [...heard.values()].filter((texts) => texts.some((text) => text.includes('UPDATE projects')));
    expect(its).toHaveLength(1);
    return its[0]?.length;
  };
  expect(await counted(8)).toBe(await counted(1));
});

test('S60: a credential that is given to another owner or project is on record where it was, and with both owners', async () => {
  const place = await makeAccount(server);
  const [from, to] = [await makeAccount(server), await makeAccount(server)];
  const [before, after] = [await makeProject(server, place), await makeProject(server, place)];
  const reader = (await makeCaller(server, ['AUDIT_READ'], { onProject: before })).token;
  const { id } = await makeCredential(server, place, { project: before, owner: from });
  expectData(await run(server, 'updateCredential', { id, owner: to }));
  const given = { action: 'credential:update', targetId: id, recipientId: to, changed: ['owner'] };
  for (const account of [place, from, to]) expect((await chainOf(account))[0]).toMatchObject(given);
  expectData(await run(server, 'updateCredential', { id, project: after }));
  const [latest] = await readBy(reader);
  expect(latest).toMatchObject({ targetId: id, recipientId: null, changed: ['project'] });
  // What changes nothing of that stands in one chain.
  expectData(await run(server, 'updateCredential', { id, owner: to, description: 'Another' }));
  expect((await chainOf(to))[0]).toMatchObject(given);
  expect(await readBy(reader)).toContainEqual(latest);
  expect((await readBy(reader)).map(({ changed }) => changed)).not.toContainEqual(['description']);
});
