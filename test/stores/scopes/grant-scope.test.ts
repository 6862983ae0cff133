import { enrolAndConfirm } from '../../support/authenticator.js';
import {
  expectData,
  grant,
  makeAccount,
  makeCaller,
  makeCredential,
  makeRole,
  unique,
} from '../../support/make.js';
import { sharedServer, type SharedServer } from '../../support/server.js';
import { run } from '../../support/verbs.js';
import { startVeracode, type Veracode } from '../../upstreams/veracode.js';
import { deleteStore, makeStore } from '../stores.js';

// Where in a store credentials are created, and by whom: the next scope may be an administrator of the vendor's.

let server: SharedServer;
let veracode: Veracode;
beforeAll(async () => {
  server = await sharedServer();
  veracode = await startVeracode();
});
afterAll(() => veracode.stop());

/** A store, two users of the vendor's, and somebody who makes credentials in its account. */
async function making() {
  const account = await makeAccount(server);
  const { apiId, apiKey } = veracode.admin;
  const store = await makeStore(server, account, { veracode: { endpoint: veracode.url, apiId, apiKey } });
  const [administrator, developer] = [veracode.addUser().user_id, veracode.addUser().user_id];
  const maker = await makeCaller(server, ['CREDENTIAL_CREATE', 'CREDENTIAL_READ'], { onAccount: account });
  const create = (scope: string | undefined, token?: string) =>
    run(
      server,
      'createCredential',
      { account, store, name: unique('pair'), secret: { accessKey: {} }, ...(scope && { scope }) },
      token === undefined ? {} : { token },
    );
  return { account, store, administrator, developer, maker, create };
}
const grantsOf = async (store: string, token?: string) =>
  expectData(
    await server.ask(
      'query ($id: ID!) { node(id: $id) { ... on CredentialStore { scopeGrants { account { id } scope } } } }',
      { id: store },
      token === undefined ? {} : { token },
    ),
  ).node?.scopeGrants;

describe('S38: a key for a user of the vendor’s', () => {
  test('is made by nobody who only makes credentials: the store is not asked', async () => {
    const { administrator, maker, create } = await making();
    const before = veracode.calls.length;
    for (const scope of [administrator, undefined])
      expect((await create(scope, maker.token)).code).toBe('FORBIDDEN');
    expect(veracode.calls).toHaveLength(before);
  });

  test('is made by who manages the store, and by who was granted that scope, until it is withdrawn', async () => {
    const { account, store, administrator, developer, maker, create } = await making();
    const given = { store, account: maker.id, scope: developer };
    expectData(await run(server, 'grantScope', given));
    expect((await run(server, 'grantScope', given)).code).toBe('CONFLICT');
    expect((await create(administrator, maker.token)).code).toBe('FORBIDDEN');
    expectData(await create(developer, maker.token));
    expectData(await run(server, 'withdrawScope', given));
    expect((await run(server, 'withdrawScope', given)).code).toBe('NOT_FOUND');
    expect((await create(developer, maker.token)).code).toBe('FORBIDDEN');
    await grant(server, maker.id, await makeRole(server, ['STORE_MANAGE']), { onAccount: account });
    expectData(await create(administrator, maker.token));
  });

  test('is made in no scope but the one that was granted: what names none is another', async () => {
    const { store, administrator, maker, create } = await making();
    expectData(await run(server, 'grantScope', { store, account: maker.id }));
    expect((await create(administrator, maker.token)).code).toBe('FORBIDDEN');
    expect((await create(undefined, maker.token)).code).not.toBe('FORBIDDEN');
    expect(await grantsOf(store)).toEqual([{ account: { id: maker.id }, scope: null }]);
  });

  test('is made by no token that was narrowed, and by no one’s that others could make', async () => {
    const { account, store, developer, maker, create } = await making();
    const part = await makeAccount(server, { kind: 'PERSON', parent: account });
    const role = await makeRole(server, ['CREDENTIAL_CREATE']);
    await grant(server, part, role, { onAccount: account });
    const mint = () => {
      const secret = { token: {} };
      return run(
        server,
        'createCredential',
        { account: part, name: 'token', secret },
        { token: maker.token },
      );
    };
    expectData(await mint());
    expectData(await run(server, 'grantScope', { store, account: part, scope: developer }));
    expect((await mint()).code).toBe('FORBIDDEN');
    expectData(await run(server, 'grantScope', { store, account: maker.id, scope: developer }));
    expectData(await mint());
    const narrow = { secret: { token: { permissions: ['CREDENTIAL_CREATE', 'CREDENTIAL_READ'] } } };
    const { secret } = await makeCredential(server, maker.id, narrow);
    expect((await create(developer, secret ?? '')).code).toBe('FORBIDDEN');
    expectData(await create(developer, maker.token));
  });
});

describe('a granted scope', () => {
  test('S28: is given with the second factor of an account that requires one', async () => {
    const { account, store, developer } = await making();
    const part = await makeAccount(server, { parent: account });
    const place = { onAccount: account };
    const manager = await makeCaller(server, ['STORE_MANAGE', 'ACCOUNT_READ'], place, { mfaRequired: true });
    const app = await enrolAndConfirm(server, manager.token);
    const give = (mfaCode?: string) =>
      run(
        server,
        'grantScope',
        { store, account: part, scope: developer, ...(mfaCode && { mfaCode }) },
        manager,
      );
    expect((await give()).code).toBe('FORBIDDEN');
    expect(await grantsOf(store)).toEqual([]);
    expectData(await give(app.code(1)));
    expect(await grantsOf(store)).toHaveLength(1);
  });

  test('S30, S31: is seen by who manages the store or sees the grants there, and by who has it', async () => {
    const { account, store, developer, maker } = await making();
    const manager = await makeCaller(server, ['STORE_MANAGE'], { onAccount: account });
    const auditor = await makeCaller(server, ['CREDENTIAL_READ', 'ROLE_READ'], { onAccount: account });
    const reader = await makeCaller(server, ['CREDENTIAL_READ'], { onAccount: account });
    expectData(await run(server, 'grantScope', { store, account: maker.id, scope: developer }));
    const all = [{ account: { id: maker.id }, scope: developer }];
    for (const [{ token }, seen] of [
      [manager, all],
      [auditor, all],
      [maker, all],
      [reader, []],
    ] as const)
      expect(await grantsOf(store, token)).toEqual(seen);
  });

  test('S60: is on record with the store and with the account, and ends with either', async () => {
    const { account, store, developer, administrator, maker } = await making();
    const outside = await makeAccount(server);
    const elsewhere = await makeAccount(server, { kind: 'PERSON', parent: outside });
    const readers = [
      await makeCaller(server, ['AUDIT_READ'], { onAccount: account }),
      await makeCaller(server, ['AUDIT_READ'], { onAccount: outside }),
    ];
    const told = async (token: string) => {
      const filter = 'filter: { action: ["scope:grant", "scope:withdraw"] }';
      const text = `{ auditEvents(${filter}) { nodes { action targetId recipientId } } }`;
      return expectData(await server.ask(text, {}, { token })).auditEvents.nodes;
    };
    expectData(await run(server, 'grantScope', { store, account: elsewhere, scope: developer }));
    const given = { action: 'scope:grant', targetId: store, recipientId: elsewhere };
    for (const { token } of readers) expect(await told(token)).toEqual([given]);
    expectData(await run(server, 'deleteAccount', { id: elsewhere }));
    expect(await grantsOf(store)).toEqual([]);
    for (const { token } of readers)
      expect(await told(token)).toEqual([{ ...given, action: 'scope:withdraw' }, given]);
    expectData(await run(server, 'grantScope', { store, account: maker.id, scope: administrator }));
    expectData(await deleteStore(server, { id: store }));
    expect((await told(readers[0]?.token ?? ''))[0]).toEqual({
      action: 'scope:withdraw',
      targetId: store,
      recipientId: maker.id,
    });
  });

  test('is of an outside store', async () => {
    const { account } = await making();
    const { id: store } = expectData(await server.ask('{ store(name: "keyway") { id } }')).store;
    expect((await run(server, 'grantScope', { store, account })).code).toBe('UNSUPPORTED');
  });
});
