import { mostRolesOfStore } from '../../src/config/limits.js';
import { deleteStore, makeStore } from '../stores/stores.js';
import { expectData, grant, makeAccount, makeCaller, makeRole, unique } from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import { readNode, run } from '../support/verbs.js';
import { startApinizer, type Apinizer } from '../upstreams/apinizer.js';

// The roles of a vendor are its store's: who gives them, and what a listing makes of them.

let server: SharedServer;
let apinizer: Apinizer;
beforeAll(async () => {
  server = await sharedServer();
  apinizer = await startApinizer({ roles: ['ADMIN', 'READER', 'WRITER'] });
});
afterAll(() => apinizer.stop());

const sync = async (id: string) => {
  const answer = await server.ask(
    'mutation ($id: ID!) { syncStore(input: { id: $id }) { store { lastSync { error rolesLeft } } } }',
    { id },
  );
  return expectData(answer).syncStore.store.lastSync;
};
const connected = async (at: Apinizer = apinizer) => {
  const account = await makeAccount(server);
  const store = await makeStore(server, account, { apinizer: { endpoint: at.url, token: at.token } });
  return { account, store };
};
const rolesOf = async (store: string): Promise<{ id: string; name: string }[]> =>
  (await readNode(server, store, '... on CredentialStore { roles(first: 100) { nodes { id name } } }')).roles
    .nodes;
const idIn = async (store: string, username: string): Promise<string> => {
  const text = 'query ($id: ID!) { credentials(filter: { store: [$id] }) { nodes { id accessKey } } }';
  const { nodes } = expectData(await server.ask(text, { id: store })).credentials;
  return nodes.find((one: { accessKey: string }) => one.accessKey === username).id;
};
const carriedBy = async (id: string) =>
  (await readNode(server, id, '... on Credential { roles { id name store { id } } }')).roles;

/** A store with a user in it, and a developer who changes its credentials and gives roles, but does not manage it. */
async function developing(roleNameList: string[] = ['READER']) {
  const { account, store } = await connected();
  const [username = ''] = apinizer.seed(1, () => ({ roleNameList, password: 'held-by-it-alone' }));
  await sync(store);
  const making = ['CREATE', 'READ', 'UPDATE'].map((verb) => `CREDENTIAL_${verb}`);
  const developer = await makeCaller(server, [...making, 'ROLE_READ', 'ROLE_MANAGE', 'ROLE_GIVE'], {
    onAccount: account,
  });
  const credential = await idIn(store, username);
  const change = (roles: string[], token?: string) =>
    run(
      server,
      'updateCredential',
      { id: credential, roles, secret: { password: { username, password: 'held-by-it-alone' } } },
      token === undefined ? {} : { token },
    );
  return { account, store, username, credential, developer, change };
}
const atVendor = (username: string) => apinizer.credentials.get(username)?.roleNameList;

describe('S38: the role of a vendor', () => {
  test('is given to a user by nobody who only changes credentials: nothing is sent', async () => {
    const { account, store, username, developer, change } = await developing();
    const admin = await makeRole(server, [], { name: 'ADMIN', store });
    const before = apinizer.calls.length;
    const elsewhere = await makeRole(server, [], { name: unique('any'), account });
    for (const role of [admin, elsewhere])
      expect((await change([role], developer.token)).code).toBe('FORBIDDEN');
    expect(apinizer.calls).toHaveLength(before);
    expect(atVendor(username)).toEqual(['READER']);
    expect((await rolesOf(store)).map(({ name }) => name)).toEqual(['ADMIN', 'READER']);
    const listed = await server.ask(
      'query ($store: ID!) { roles(filter: { store: [$store], search: "adm" }) { nodes { id } } }',
      { store },
    );
    expect(expectData(listed).roles.nodes).toEqual([{ id: admin }]);
  });

  test('is given to a new user by nobody who only makes credentials', async () => {
    const { account, store, developer } = await developing();
    const admin = await makeRole(server, [], { name: 'ADMIN', store });
    const make = (token: string) =>
      run(
        server,
        'createCredential',
        {
          ...{ account, store, name: 'made', scope: 'Orders', email: 'user@example.com', fullName: 'Made' },
          ...{ roles: [admin], secret: { password: { username: unique('user') } } },
        },
        { token },
      );
    const before = apinizer.calls.length;
    expect((await make(developer.token)).code).toBe('FORBIDDEN');
    expect(apinizer.calls).toHaveLength(before);
  });

  test('is given by who manages the store, and by who was granted it, while that holds', async () => {
    const { account, store, username, developer, change } = await developing([]);
    const [writer, admin] = [
      await makeRole(server, [], { name: 'WRITER', store }),
      await makeRole(server, [], { name: 'ADMIN', store }),
    ];
    const held = await grant(server, developer.id, writer);
    const { onAccount } = await readNode(server, held, '... on Grant { onAccount { id } }');
    expect(onAccount).toEqual({ id: account });
    expectData(await change([writer], developer.token));
    expect(atVendor(username)).toEqual(['WRITER']);
    expect((await change([writer, admin], developer.token)).code).toBe('FORBIDDEN');
    expectData(await run(server, 'withdrawRole', { grant: held }));
    expectData(await change([]));
    expect((await change([writer], developer.token)).code).toBe('FORBIDDEN');
    await grant(server, developer.id, await makeRole(server, ['STORE_MANAGE']), { onAccount: account });
    expectData(await change([writer, admin], developer.token));
    expect(atVendor(username)).toEqual(['WRITER', 'ADMIN']);
  });

  test('is not given again by a change of others, which sends the whole list', async () => {
    const { store, username, developer, change } = await developing(['ADMIN', 'READER']);
    const [admin, reader] = (await rolesOf(store)).map(({ id }) => id);
    await grant(server, developer.id, reader ?? '');
    // The vendor has taken it away since.
    const user = apinizer.credentials.get(username);
    if (user) user.roleNameList = ['READER'];
    expect((await change([admin ?? ''], developer.token)).code).toBe('FORBIDDEN');
    expectData(await change([reader ?? ''], developer.token));
    expect(atVendor(username)).toEqual(['READER']);
  });

  test('is granted by who manages the store or holds it: not by who manages roles alone', async () => {
    const { account, store, developer } = await developing();
    const writer = await makeRole(server, [], { name: 'GIVEN', store });
    const other = await makeAccount(server, { parent: account });
    const give = () => run(server, 'grantRole', { account: other, role: writer }, { token: developer.token });
    await grant(server, developer.id, await makeRole(server, ['ACCOUNT_READ']), { onAccount: account });
    expect((await give()).code).toBe('FORBIDDEN');
    await grant(server, developer.id, writer);
    expectData(await give());
    expect(
      (await run(server, 'grantRole', { account: other, role: writer, onAccount: await makeAccount(server) }))
        .code,
    ).toBe('BAD_USER_INPUT');
  });

  test('is for credentials of its store alone, and allows nothing in Keyway', async () => {
    const { account, store } = await connected();
    const other = await connected();
    const role = await makeRole(server, [], { name: 'READER', store });
    const carrying = async (input: object) =>
      (await run(server, 'createCredential', { account, name: 'key', roles: [role], ...input })).code;
    expect(await carrying({ secret: { accessKey: {} } })).toBe('BAD_USER_INPUT');
    const user = { secret: { password: { username: unique('user') } }, scope: 'Orders' };
    const described = { email: 'user@example.com', fullName: 'Made', ...user };
    expect(await carrying({ ...described, account: other.account, store: other.store })).toBe(
      'BAD_USER_INPUT',
    );
    expect(await carrying({ ...described, store })).toBeUndefined();
    expect((await run(server, 'updateRole', { id: role, permissions: ['CREDENTIAL_READ'] })).code).toBe(
      'BAD_USER_INPUT',
    );
    const made = { name: unique('role'), store, permissions: ['CREDENTIAL_READ'] };
    expect((await run(server, 'createRole', made)).code).toBe('BAD_USER_INPUT');
    expect((await run(server, 'createRole', { ...made, account, permissions: [] })).code).toBe(
      'BAD_USER_INPUT',
    );
    const keyway = expectData(await server.ask('{ store(name: "keyway") { id } }')).store.id;
    expect((await run(server, 'createRole', { ...made, store: keyway, permissions: [] })).code).toBe(
      'UNSUPPORTED',
    );
  });

  test('may be named by a role of the same name, as it was before stores had roles of their own', async () => {
    const { store, username, credential, change } = await developing();
    const name = 'WRITER';
    const answer = await server.ask('query ($name: String!) { role(name: $name) { id } }', { name });
    const role = answer.data?.role?.id ?? (await makeRole(server, [], { name }));
    expectData(await change([role]));
    expect(atVendor(username)).toEqual([name]);
    expect(await carriedBy(credential)).toEqual([
      { id: expect.any(String) as string, name, store: { id: store } },
    ]);
  });
});

describe('what a sync reads', () => {
  test('are roles of the store, which no other store or account has a part in', async () => {
    const name = unique('READER');
    apinizer.roles.add(name);
    const own = await makeRole(server, ['CREDENTIAL_READ'], { name });
    const [one, other] = [await developing([name]), await developing([name])];
    for (const { store, credential } of [one, other])
      expect(await carriedBy(credential)).toEqual([
        { id: expect.any(String) as string, name, store: { id: store } },
      ]);
    const ids = (await Promise.all([one, other].map(({ credential }) => carriedBy(credential)))).flat();
    expect(new Set([own, ...ids.map(({ id }: { id: string }) => id)]).size).toBe(3);
    const { token } = await makeCaller(server, ['ROLE_READ', 'STORE_MANAGE'], { onAccount: one.account });
    const seen = async (id: string) =>
      expectData(await server.ask('query ($id: ID!) { node(id: $id) { id } }', { id }, { token })).node;
    expect(await seen(ids[0].id)).not.toBeNull();
    expect(await seen(ids[1].id)).toBeNull();
  });

  test('is bounded, and told where it is more; what was made goes with the store', async () => {
    const hostile = await startApinizer({ roles: [] });
    try {
      const names = Array.from({ length: 2_001 }, (_, index) => `HOSTILE_${index}`);
      hostile.seed(21, (index) => ({ roleNameList: names.slice(100 * index, 100 * index + 100) }));
      hostile.seed(1, () => ({ roleNameList: names.slice(0, 150) }));
      const { store } = await connected(hostile);
      const made = new Set([...names].sort().slice(0, mostRolesOfStore));
      const others = names.slice(0, 100).filter((name) => !made.has(name)).length;
      const rolesLeft = names.length - mostRolesOfStore + others + 50;
      expect(await sync(store)).toEqual({ error: null, rolesLeft });
      const counted = async () =>
        (await readNode(server, store, '... on CredentialStore { roles { totalCount } }'))?.roles.totalCount;
      expect(await counted()).toBe(mostRolesOfStore);
      // The same listing says the same again, and there is room for what was left once others are gone.
      expect(await sync(store)).toEqual({ error: null, rolesLeft });
      hostile.credentials.clear();
      hostile.seed(1, () => ({ roleNameList: ['LATE'] }));
      expect(await sync(store)).toMatchObject({ rolesLeft: 1 });
      const [first] = await rolesOf(store);
      expectData(await run(server, 'deleteRole', { id: first?.id }));
      expect(await sync(store)).toMatchObject({ rolesLeft: 0 });
      const [late] = hostile.credentials.keys();
      expect(await carriedBy(await idIn(store, late ?? ''))).toMatchObject([{ name: 'LATE' }]);
      expect(await counted()).toBe(mostRolesOfStore);
      const shown = (await rolesOf(store)).map(({ name }) => name);
      expectData(await deleteStore(server, { id: store }));
      const left = await server.rows('SELECT 1 FROM roles WHERE name = ANY(:shown)', { shown });
      expect(left).toEqual([]);
    } finally {
      await hostile.stop();
    }
  });

  test('takes away and brings back what the vendor does, and says what it says again', async () => {
    const { store, username, credential } = await developing(['ONE', 'TWO']);
    const names = async () => (await carriedBy(credential)).map(({ name }: { name: string }) => name);
    expect(await names()).toEqual(['ONE', 'TWO']);
    const user = apinizer.credentials.get(username);
    if (user) user.roleNameList = ['TWO', 'THREE'];
    await sync(store);
    expect(await names()).toEqual(['THREE', 'TWO']);
    const idOf = async (name: string) => (await rolesOf(store)).find((role) => role.name === name)?.id;
    expect((await run(server, 'deleteRole', { id: await idOf('THREE') })).code).toBe('CONFLICT');
    expectData(await run(server, 'deleteRole', { id: await idOf('ONE') }));
    // One that is gone there keeps none.
    apinizer.remove(username);
    await sync(store);
    expectData(await run(server, 'deleteRole', { id: await idOf('THREE') }));
  });

  test('goes with the store, with what was granted of it, on record', async () => {
    const { account, store, developer, credential } = await developing();
    const [reader] = await rolesOf(store);
    const held = await grant(server, developer.id, reader?.id ?? '');
    const { token } = await makeCaller(server, ['AUDIT_READ'], { onAccount: account });
    expectData(await deleteStore(server, { id: store }));
    expect(await readNode(server, reader?.id ?? '', 'id')).toBeNull();
    expect(await readNode(server, held, 'id')).toBeNull();
    expect(await carriedBy(credential)).toEqual([]);
    const { nodes } = expectData(
      await server.ask('{ auditEvents(first: 3) { nodes { action targetId recipientId } } }', {}, { token }),
    ).auditEvents;
    expect(nodes).toContainEqual({ action: 'role:withdraw', targetId: held, recipientId: developer.id });
  });
});
