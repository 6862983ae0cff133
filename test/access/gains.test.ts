import { Permission } from '../../src/access/principal.js';
import {
  expectData,
  grant,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  makeRole,
} from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import { longestTransactionOf } from '../support/statements.js';
import { run } from '../support/verbs.js';

// Who gains by a change: nobody lets others do more than they may themselves, by a right and not by owning.

let server: SharedServer;
beforeAll(async () => {
  server = await sharedServer();
});

const { CREDENTIAL_READ, CREDENTIAL_UPDATE, CREDENTIAL_ROTATE, CREDENTIAL_REVOKE, CREDENTIAL_REVEAL } =
  Permission;
const owners = [CREDENTIAL_READ, CREDENTIAL_ROTATE, CREDENTIAL_REVOKE];

interface Shown {
  account: { id: string };
  owner: { id: string } | null;
  project: { id: string } | null;
  status: string;
}
const shown = async (id: string): Promise<Shown> =>
  expectData(
    await server.ask(
      'query ($id: ID!) { credential(id: $id) { account { id } owner { id } project { id } status } }',
      { id },
    ),
  ).credential;

describe('updateCredential', () => {
  async function place() {
    const account = await makeAccount(server);
    const [from, to] = [await makeProject(server, account), await makeProject(server, account)];
    const { id } = await makeCredential(server, account, { project: from });
    return { account, from, to, id };
  }

  const others = [...Object.values(Permission)].filter(
    (permission) => permission !== CREDENTIAL_READ && permission !== CREDENTIAL_UPDATE,
  );
  test.each(others)(
    'S38: into a project where somebody has %s, by those who have it there already',
    async (gained) => {
      const { account, to, id } = await place();
      await makeCaller(server, [gained], { onProject: to });
      const caller = await makeCaller(server, [CREDENTIAL_READ, CREDENTIAL_UPDATE], { onAccount: account });
      const move = () => run(server, 'updateCredential', { id, project: to }, { token: caller.token });
      expect((await move()).code).toBe('FORBIDDEN');
      expect((await shown(id)).project?.id).not.toBe(to);
      await grant(server, caller.id, await makeRole(server, [gained]), { onAccount: account });
      expectData(await move());
      expect((await shown(id)).project?.id).toBe(to);
    },
  );

  test('S38: who has a role on the account, or everywhere, gains nothing by a project', async () => {
    const { account, to, id } = await place();
    const keeper = await makeCaller(server, [CREDENTIAL_REVEAL], { onAccount: account });
    await grant(server, keeper.id, await makeRole(server, [CREDENTIAL_REVEAL]), { onProject: to });
    const operator = await makeCaller(server, [CREDENTIAL_ROTATE]);
    await grant(server, operator.id, await makeRole(server, [CREDENTIAL_ROTATE]), { onProject: to });
    const caller = await makeCaller(server, [CREDENTIAL_UPDATE], { onAccount: account });
    expectData(await run(server, 'updateCredential', { id, project: to }, { token: caller.token }));
  });

  test('S38: a project of the organization brings along who has a role on the organization', async () => {
    const organization = await makeAccount(server);
    const part = await makeAccount(server, { parent: organization });
    const project = await makeProject(server, await makeAccount(server, { parent: organization }));
    const { id } = await makeCredential(server, part);
    await makeCaller(server, [CREDENTIAL_REVEAL], { onAccount: organization });
    const caller = await makeCaller(server, [CREDENTIAL_UPDATE], { onAccount: organization });
    expectData(await run(server, 'updateCredential', { id, project }, { token: caller.token }));
  });

  test('S38: who only owns a credential gives it to nobody, and who may do as much as an owner does', async () => {
    const { account, id } = await place();
    const caller = await makeCaller(server, [CREDENTIAL_UPDATE], { onAccount: account });
    expectData(await run(server, 'updateCredential', { id, owner: caller.id }));
    const accomplice = await makeAccount(server);
    const role = await makeRole(server, [Permission.ACCOUNT_READ]);
    await grant(server, caller.id, role, { onAccount: accomplice });
    const give = () => run(server, 'updateCredential', { id, owner: accomplice }, { token: caller.token });
    expect((await give()).code).toBe('FORBIDDEN');
    for (const [index, permission] of owners.entries()) {
      await grant(server, caller.id, await makeRole(server, [permission]), { onAccount: account });
      expect((await give()).code).toBe(index < owners.length - 1 ? 'FORBIDDEN' : undefined);
    }
    expect((await shown(id)).owner?.id).toBe(accomplice);
  });

  test('S38: an owner who may do all that already gains nothing', async () => {
    const { account, id } = await place();
    const keeper = await makeCaller(server, owners, { onAccount: account });
    const caller = await makeCaller(server, [CREDENTIAL_UPDATE], { onAccount: account });
    await grant(server, caller.id, await makeRole(server, [Permission.ACCOUNT_READ]), {
      onAccount: keeper.id,
    });
    expectData(await run(server, 'updateCredential', { id, owner: keeper.id }, { token: caller.token }));
  });
});

describe('deleteAccount', () => {
  /** An organization with a part to delete, another to take over, and somebody who manages both. */
  async function parts(...permissions: Permission[]) {
    const organization = await makeAccount(server);
    const part = await makeAccount(server, { parent: organization });
    const heir = await makeAccount(server, { parent: organization });
    const caller = await makeCaller(server, [Permission.ACCOUNT_MANAGE, ...permissions], {
      onAccount: organization,
    });
    const remove = (input: Record<string, unknown> = { transferTo: heir }) =>
      server.ask(
        `mutation ($input: DeleteAccountInput!) { deleteAccount(input: $input) {
          untouched { reason credential { id } } untouchedCount } }`,
        { input: { id: part, ...input } },
        { token: caller.token },
      );
    return { organization, part, heir, caller, remove };
  }

  test.each(owners)('S38: credentials are handed over by none who may not do %s to them', async (missing) => {
    const { part, remove } = await parts(...owners.filter((one) => one !== missing));
    const { id } = await makeCredential(server, part);
    expect((await remove()).code).toBe('FORBIDDEN');
    expect((await shown(id)).account.id).toBe(part);
  });

  test('S38: by whom may do what an owner may, they are', async () => {
    const { part, heir, remove } = await parts(...owners);
    const { id } = await makeCredential(server, part);
    expect(expectData(await remove()).deleteAccount).toEqual({ untouched: [], untouchedCount: 0 });
    expect((await shown(id)).account.id).toBe(heir);
  });

  test('S38: not where somebody at the heir could do more with them than the caller', async () => {
    const { organization, part, heir, caller, remove } = await parts(...owners);
    await makeCredential(server, part);
    await makeCaller(server, [CREDENTIAL_REVEAL], { onAccount: heir });
    expect((await remove()).code).toBe('FORBIDDEN');
    await grant(server, caller.id, await makeRole(server, [CREDENTIAL_REVEAL]), { onAccount: organization });
    expectData(await remove());
  });

  test.each(['project', 'sub-account'])(
    'S38: a %s goes to none where somebody could do more with it than the caller',
    async (kind) => {
      const { organization, part, heir, caller, remove } = await parts();
      if (kind === 'project') await makeProject(server, part);
      else await makeAccount(server, { parent: part });
      await makeCaller(server, [Permission.ROLE_MANAGE], { onAccount: heir });
      expect((await remove()).code).toBe('FORBIDDEN');
      const role = await makeRole(server, [Permission.ROLE_MANAGE]);
      await grant(server, caller.id, role, { onAccount: organization });
      expectData(await remove());
    },
  );

  test('S38: a key does not come to call as an account that may do more than the caller', async () => {
    const { organization, part, heir, caller, remove } = await parts(...owners);
    const role = await makeRole(server, [CREDENTIAL_REVEAL]);
    await makeCredential(server, part, { roles: [role] });
    const elsewhere = await makeAccount(server);
    await grant(server, heir, role, { onAccount: elsewhere });
    expect((await remove()).code).toBe('FORBIDDEN');
    await grant(server, caller.id, role, { onAccount: organization });
    expect((await remove()).code).toBe('FORBIDDEN');
    await grant(server, caller.id, role, { onAccount: elsewhere });
    expectData(await remove());
  });

  test('S38: an account with nothing in it is nobody’s gain', async () => {
    const { heir, remove } = await parts();
    await makeCaller(server, [CREDENTIAL_REVEAL], { onAccount: heir });
    expectData(await remove());
  });

  describe('credentials of other accounts that it owns', () => {
    /** One that the caller may end and hand over, and one in an account that the caller does not know of. */
    async function owned(...permissions: Permission[]) {
      const made = await parts(...permissions);
      const { id: near } = await makeCredential(server, made.organization, { owner: made.part });
      const elsewhere = await makeAccount(server);
      const { id: far } = await makeCredential(server, elsewhere, { owner: made.part });
      const temporary = expectData(
        await server.ask(
          'mutation ($id: ID!) { issueTemporaryCredential(input: { parent: $id }) { credential { id } } }',
          { id: far },
        ),
      ).issueTemporaryCredential.credential.id as string;
      // Written last, its row comes after that of the other one where the table is read from its beginning.
      expectData(await run(server, 'updateCredential', { id: far, description: 'Written last.' }));
      return { ...made, near, far, elsewhere, temporary };
    }
    const reason = expect.stringContaining('may not revoke') as string;

    test('S38: go to the heir where the caller may do as much there, and lose their owner elsewhere', async () => {
      const { heir, remove, near, far, temporary, elsewhere } = await owned(...owners);
      const { untouched, untouchedCount } = expectData(await remove()).deleteAccount;
      expect(untouched).toEqual([
        { credential: null, reason },
        { credential: null, reason },
      ]);
      expect(untouchedCount).toBe(2);
      expect((await shown(near)).owner?.id).toBe(heir);
      for (const id of [far, temporary])
        expect(await shown(id)).toEqual({
          account: { id: elsewhere },
          owner: null,
          project: null,
          status: 'ACTIVE',
        });
      const { nodes } = expectData(
        await server.ask(
          'query ($filter: AuditFilter) { auditEvents(filter: $filter) { nodes { action recipientId changed } } }',
          { filter: { account: [elsewhere], target: [far] } },
        ),
      ).auditEvents;
      expect(nodes[0]).toEqual({ action: 'credential:transfer', recipientId: elsewhere, changed: ['owner'] });
    });

    test('S38: end where the caller may revoke them, and lose their owner elsewhere', async () => {
      const { remove, near, far, temporary } = await owned(CREDENTIAL_REVOKE);
      const { untouchedCount } = expectData(await remove({ revokeCredentials: true })).deleteAccount;
      expect(untouchedCount).toBe(2);
      expect((await shown(near)).status).toBe('DELETED');
      for (const id of [far, temporary])
        expect(await shown(id)).toMatchObject({ owner: null, status: 'ACTIVE' });
    });

    test('S38: one that ended before its parent went to another owner is no hindrance', async () => {
      const { remove, far, temporary, elsewhere } = await owned(CREDENTIAL_REVOKE);
      expectData(await run(server, 'revokeCredential', { id: temporary }));
      const owner = await makeAccount(server);
      expectData(await run(server, 'updateCredential', { id: far, owner }));
      expectData(await remove({ revokeCredentials: true }));
      expect(await shown(far)).toMatchObject({ account: { id: elsewhere }, owner: { id: owner } });
      expect((await shown(temporary)).status).toBe('REVOKED');
    });

    test('S38: are told with what the caller may see of them', async () => {
      const { organization, caller, remove, near } = await owned();
      await grant(server, caller.id, await makeRole(server, [CREDENTIAL_READ]), { onAccount: organization });
      const answer = expectData(await remove({ revokeCredentials: true })).deleteAccount;
      expect(answer.untouched).toHaveLength(3);
      expect(answer.untouched).toContainEqual({ credential: { id: near }, reason });
    });
  });

  test('S38: its own credentials are revoked by those who may revoke them', async () => {
    const { part, organization, caller, remove } = await parts(CREDENTIAL_READ);
    const { id } = await makeCredential(server, part);
    expect((await remove({ revokeCredentials: true })).code).toBe('FORBIDDEN');
    expect((await shown(id)).status).toBe('ACTIVE');
    await grant(server, caller.id, await makeRole(server, [CREDENTIAL_REVOKE]), { onAccount: organization });
    expectData(await remove({ revokeCredentials: true }));
    expect((await shown(id)).status).toBe('DELETED');
  });

  test('what it has and owns elsewhere takes the same number of statements, however many there are', async () => {
    const counts: number[] = [];
    for (const many of [1, 5]) {
      const { organization, part, remove } = await parts(...owners);
      const elsewhere = await makeAccount(server);
      for (let index = 0; index < many; index++) {
        await makeCredential(server, part);
        await makeCredential(server, organization, { owner: part });
        await makeCredential(server, elsewhere, { owner: part });
      }
      const { result, longest } = await longestTransactionOf(server, () => remove());
      expectData(result);
      counts.push(longest);
    }
    expect(counts[0]).toBeGreaterThan(10);
    expect(counts[1]).toBe(counts[0]);
  });
});
