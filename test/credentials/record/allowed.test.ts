import type { RequestContext } from '../../../src/access/context.js';
import { authorizeShowing } from '../../../src/credentials/record/allowed.js';
import { CredentialKind } from '../../../src/credentials/record/credential.js';
import { builtInStoreId } from '../../../src/stores/store.js';
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
import { apartFromUse, create, inDays, read, reveal, rotate, statusWith, update } from '../verbs.js';

let server: SharedServer;
/** An account that may read the audit log everywhere, which the callers here may not. */
let auditor: string;
/** One that may do nothing. */
let plain: string;
beforeAll(async () => {
  server = await sharedServer();
  auditor = await makeAccount(server, { kind: 'SERVICE' });
  await grant(server, auditor, await makeRole(server, ['AUDIT_READ']));
  plain = await makeAccount(server, { kind: 'SERVICE' });
});

const everything = ['CREATE', 'READ', 'UPDATE', 'ROTATE', 'REVEAL'].map((verb) => `CREDENTIAL_${verb}`);

/** An account with all rights on its own credentials, and a token of it that is narrowed like this. */
async function narrowed(
  input: Record<string, unknown>,
): Promise<{ id: string; token: string; credential: string }> {
  const id = await makeAccount(server, { kind: 'PERSON', name: unique('narrowed') });
  await grant(server, id, await makeRole(server, everything), { onAccount: id });
  const made = await makeCredential(server, id, { secret: { token: {} }, retrievable: true, ...input });
  return { id, token: String(made.secret), credential: made.id };
}

/** Another token of that account, made by the administrator. */
const tokenOf = async (account: string, input: Record<string, unknown> = {}): Promise<string> =>
  (await makeCredential(server, account, { secret: { token: {} }, retrievable: true, ...input })).id;

describe("S38: somebody else's token that may do more than the caller", () => {
  const everywhere = () => makeCaller(server, everything);

  test('is not minted', async () => {
    const { token } = await everywhere();
    const input = { name: 'x', secret: { token: {} } };
    expect((await create(server, { ...input, account: auditor }, { token })).code).toBe('FORBIDDEN');
    expect((await create(server, { ...input, account: plain }, { token })).code).toBeUndefined();
  });

  test('may be minted with no more permissions than the caller has', async () => {
    const { token } = await everywhere();
    const mint = (permissions: string[]) =>
      create(server, { account: auditor, name: 'x', secret: { token: { permissions } } }, { token });
    expect((await mint(['AUDIT_READ'])).code).toBe('FORBIDDEN');
    expect((await mint(['CREDENTIAL_READ'])).code).toBeUndefined();
  });

  test.each([
    ['rotated', rotate],
    ['revealed', reveal],
  ])('is not %s', async (_, verb) => {
    const { token } = await everywhere();
    const id = await tokenOf(auditor);
    const before = await read(server, id);
    const answer = await verb(server, { id }, { token });
    expect([answer.code, answer.data]).toEqual(['FORBIDDEN', null]);
    expect(apartFromUse(await read(server, id))).toEqual(apartFromUse(before));
    expect((await verb(server, { id: await tokenOf(plain) }, { token })).code).toBeUndefined();
  });

  test('is not had by a right that holds elsewhere', async () => {
    const [here, there] = [await makeAccount(server), await makeAccount(server)];
    const { id, token } = await makeCaller(server, everything, { onAccount: here });
    await grant(server, id, await makeRole(server, ['CREDENTIAL_ROTATE']), { onAccount: plain });
    const reader = await makeAccount(server, { kind: 'SERVICE', parent: here });
    await grant(server, reader, await makeRole(server, ['CREDENTIAL_READ']), { onAccount: there });
    const answer = await rotate(server, { id: await tokenOf(reader) }, { token });
    expect(answer.code).toBe('FORBIDDEN');
    expect((await rotate(server, { id: await tokenOf(plain) }, { token })).code).toBeUndefined();
  });
});

describe('S38: a token narrowed to some permissions', () => {
  const permissions = ['CREDENTIAL_CREATE', 'CREDENTIAL_READ', 'CREDENTIAL_ROTATE', 'CREDENTIAL_REVEAL'];
  const narrow = () => narrowed({ secret: { token: { permissions } } });

  test.each([
    ['all that its account may', undefined, 'FORBIDDEN'],
    ['all that its account may', null, 'FORBIDDEN'],
    ['one more', [...permissions, 'CREDENTIAL_UPDATE'], 'FORBIDDEN'],
    ['one that the account does not hold yet', ['AUDIT_READ'], 'FORBIDDEN'],
    ['the same', permissions, undefined],
    ['less', ['CREDENTIAL_READ'], undefined],
    ['nothing', [], undefined],
  ])('mints none for %s: %j is %s', async (_, wanted, code) => {
    const { id, token } = await narrow();
    const secret = { token: wanted === undefined ? {} : { permissions: wanted } };
    const answer = await create(server, { account: id, name: 'x', secret }, { token });
    expect(answer.code).toBe(code);
  });

  test.each([
    ['rotates', rotate],
    ['reveals', reveal],
  ])('%s no wider one of its own account, and none the less itself and its like', async (_, verb) => {
    const { id, token, credential } = await narrow();
    const wider = await tokenOf(id);
    const before = await read(server, wider);
    expect((await verb(server, { id: wider }, { token })).code).toBe('FORBIDDEN');
    expect(apartFromUse(await read(server, wider))).toEqual(apartFromUse(before));
    const like = await tokenOf(id, {
      secret: { token: { permissions: ['CREDENTIAL_READ'] } },
      expiresAt: inDays(1),
    });
    expect((await verb(server, { id: like }, { token })).code).toBeUndefined();
    expect((await verb(server, { id: credential }, { token })).code).toBeUndefined();
  });

  test('does not what it is not narrowed to, though its account may and owns', async () => {
    const { id, token } = await narrowed({ secret: { token: { permissions: ['CREDENTIAL_READ'] } } });
    const { id: owned } = await makeCredential(server, id);
    expect((await rotate(server, { id: owned }, { token })).code).toBe('FORBIDDEN');
    expect((await update(server, { id: owned, name: 'x' }, { token })).code).toBe('FORBIDDEN');
  });
});

describe('S38: a token that ends soon', () => {
  test('S20: makes none that ends later, and by default one that ends with it', async () => {
    const expiresAt = inDays(1);
    const { id, token } = await narrowed({ expiresAt });
    const mint = (input: object) =>
      create(server, { account: id, name: 'x', secret: { token: {} }, ...input }, { token });
    expect((await mint({ expiresAt: inDays(1.01) })).code).toBe('FORBIDDEN');
    expect(expectData(await mint({ expiresAt: inDays(0.5) })).createCredential.credential.status).toBe(
      'ACTIVE',
    );
    expect(expectData(await mint({})).createCredential.credential.expiresAt).toBe(expiresAt);
  });

  test('S20: lengthens neither itself nor another, and shortens both', async () => {
    const { id, token, credential } = await narrowed({ expiresAt: inDays(1) });
    const other = await tokenOf(id, { expiresAt: inDays(0.5) });
    for (const one of [other, credential]) {
      const before = await read(server, one);
      expect((await update(server, { id: one, expiresAt: inDays(2) }, { token })).code).toBe('FORBIDDEN');
      const { expiresAt, revision } = before;
      expect(await read(server, one)).toMatchObject({ expiresAt, revision });
      expect((await update(server, { id: one, expiresAt: inDays(0.25) }, { token })).code).toBeUndefined();
    }
  });

  test('S20: is not made to live longer by its rotation', async () => {
    const { credential, token } = await narrowed({ expiresAt: inDays(1) });
    const before = await read(server, credential);
    const { issued } = expectData(await rotate(server, { id: credential }, { token })).rotateCredential;
    expect(issued.expiresAt).toBe(before.expiresAt);
    expect((await read(server, credential)).expiresAt).toBe(before.expiresAt);
  });
});

test('S38: what is in an outside store calls nobody here, and may end later than the proof', async () => {
  const principal = {
    accountId: 'me',
    parentId: null,
    expiresAt: inDays(1),
    limits: null,
    allowedIps: [],
    rights: new Map(),
  };
  const db = { rows: () => Promise.resolve([]) };
  const terms = { kind: CredentialKind.TOKEN, accountId: 'me', permissions: null, allowedIps: [] };
  const shown = (storeId: string, expiresAt: string | null) =>
    authorizeShowing({ principal, db } as unknown as RequestContext, { ...terms, storeId, expiresAt });
  await expect(shown(builtInStoreId, null)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await expect(shown(builtInStoreId, principal.expiresAt)).resolves.toBeUndefined();
  await expect(shown('another', null)).resolves.toBeUndefined();
});

describe('S38: a token for some addresses', () => {
  const here = { allowedIps: ['127.0.0.0/8', '10.0.0.0/8'] };

  test.each([
    [[], 'FORBIDDEN'],
    [undefined, 'FORBIDDEN'],
    [['0.0.0.0/0'], 'FORBIDDEN'],
    [['127.0.0.1', '::1'], 'FORBIDDEN'],
    [['127.0.0.1', '10.1.0.0/16'], undefined],
    [here.allowedIps, undefined],
  ])('makes one for %j: %s', async (allowedIps, code) => {
    const { id, token } = await narrowed(here);
    const input = { account: id, name: 'x', secret: { token: {} }, ...(allowedIps && { allowedIps }) };
    expect((await create(server, input, { token })).code).toBe(code);
  });

  test('opens neither itself nor another to more', async () => {
    const { id, token, credential } = await narrowed(here);
    for (const one of [credential, await tokenOf(id, { allowedIps: ['10.0.0.0/8'] })]) {
      const before = await read(server, one);
      for (const allowedIps of [null, ['0.0.0.0/0']])
        expect((await update(server, { id: one, allowedIps }, { token })).code).toBe('FORBIDDEN');
      expect(apartFromUse(await read(server, one))).toEqual(apartFromUse(before));
    }
    expect(await statusWith(server, token)).toBe(200);
  });

  test.each([
    ['rotates', rotate],
    ['reveals', reveal],
  ])('%s none of its own account that is for more', async (_, verb) => {
    const { id, token } = await narrowed(here);
    expect((await verb(server, { id: await tokenOf(id) }, { token })).code).toBe('FORBIDDEN');
    const like = await tokenOf(id, { allowedIps: ['10.0.0.0/8'], expiresAt: inDays(1) });
    expect((await verb(server, { id: like }, { token })).code).toBeUndefined();
  });
});

describe('S38: a role', () => {
  test('with permissions that the caller does not hold there is not attached at creation', async () => {
    const account = await makeAccount(server);
    const giving = ['CREDENTIAL_CREATE', 'ROLE_READ', 'ROLE_GIVE'];
    const { token } = await makeCaller(server, giving, { onAccount: account });
    const make = async (permissions: string[]) => {
      const roles = [await makeRole(server, permissions, { account })];
      return create(server, { account, name: 'x', secret: { accessKey: {} }, roles }, { token });
    };
    expect((await make(['CREDENTIAL_CREATE', 'CREDENTIAL_READ'])).code).toBe('FORBIDDEN');
    expect((await make(['CREDENTIAL_CREATE'])).code).toBeUndefined();
  });
});

describe('S38: an owner', () => {
  const updater = ['CREDENTIAL_READ', 'CREDENTIAL_UPDATE', 'ACCOUNT_READ'];

  test.each([
    ['the caller itself', (caller: string) => caller],
    ['another account', () => plain],
    ['the account that it belongs to', () => null],
  ])('is not made by one who may only update: %s', async (_, wanted) => {
    const account = await makeAccount(server);
    const { id: caller, token } = await makeCaller(server, updater, { onAccount: account });
    await grant(server, caller, await makeRole(server, ['ACCOUNT_READ']), { onAccount: plain });
    const { id } = await makeCredential(server, account, { owner: auditor });
    const before = await read(server, id);
    expect((await update(server, { id, owner: wanted(caller) }, { token })).code).toBe('FORBIDDEN');
    expect((await rotate(server, { id }, { token })).code).toBe('FORBIDDEN');
    expect(apartFromUse(await read(server, id))).toEqual(apartFromUse(before));
  });

  test('is made by one who may do to it what owners may', async () => {
    const account = await makeAccount(server);
    const permissions = [...updater, 'CREDENTIAL_ROTATE', 'CREDENTIAL_REVOKE'];
    const { id: caller, token } = await makeCaller(server, permissions, { onAccount: account });
    const { id } = await makeCredential(server, account);
    const answer = await update(server, { id, owner: caller }, { token });
    expect(expectData(answer).updateCredential.credential.owner).toEqual({ id: caller });
  });
});
