import {
  grant,
  expectData,
  makeAccount,
  makeCaller,
  makeCredential,
  makeRole,
  unique,
} from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import { faultPaths, keptOf, read, remove, revoke, rotate, statusWith, update } from './verbs.js';
import { addDerived } from './derived.js';

let server: SharedServer;
let account: string;
beforeAll(async () => {
  server = await sharedServer();
  account = await makeAccount(server);
});

const made = (input: Record<string, unknown> = {}) => makeCredential(server, account, input);
const revoked = async (id: string) => expectData(await revoke(server, { id })).revokeCredential.credential;

describe('S23: a token is refused at the next request', () => {
  test('after it was revoked', async () => {
    const { id, secret } = await made({ secret: { token: {} } });
    expect(await statusWith(server, String(secret))).toBe(200);
    await revoked(id);
    expect(await statusWith(server, String(secret))).toBe(401);
  });

  test('after a caller revoked its own', async () => {
    const caller = await makeCaller(server);
    const answer = await revoke(server, { id: caller.credential }, { token: caller.token });
    expect(expectData(answer).revokeCredential.credential.status).toBe('REVOKED');
    expect(await statusWith(server, caller.token)).toBe(401);
  });

  test('while it is disabled', async () => {
    const { id, secret } = await made({ secret: { token: {} } });
    for (const [enabled, status] of [
      [false, 401],
      [true, 200],
    ] as const) {
      expectData(await update(server, { id, enabled }));
      expect(await statusWith(server, String(secret))).toBe(status);
    }
  });

  test('while its account is disabled', async () => {
    const caller = await makeCaller(server);
    for (const [enabled, status] of [
      [false, 401],
      [true, 200],
    ] as const) {
      expectData(
        await server.ask(
          'mutation ($id: ID!, $enabled: Boolean) { updateAccount(input: { id: $id, enabled: $enabled }) { account { id } } }',
          { id: caller.id, enabled },
        ),
      );
      expect(await statusWith(server, caller.token)).toBe(status);
    }
  });

  test('after its account was deleted', async () => {
    const caller = await makeCaller(server);
    expectData(
      await server.ask(
        'mutation ($id: ID!) { deleteAccount(input: { id: $id, revokeCredentials: true }) { deletedId } }',
        { id: caller.id },
      ),
    );
    expect(await statusWith(server, caller.token)).toBe(401);
  });

  test('S19: when its end has come, whatever has tidied up by then', async () => {
    const name = unique('token');
    const { id, secret } = await made({ name, secret: { token: {} } });
    await server.rows(`UPDATE credentials SET expires_at = now() + interval '1 hour' WHERE name = :name`, {
      name,
    });
    expect(await statusWith(server, String(secret))).toBe(200);
    await server.rows('UPDATE credentials SET expires_at = now() WHERE name = :name', { name });
    expect(await statusWith(server, String(secret))).toBe(401);
    expect((await read(server, id)).status).toBe('EXPIRED');
  });
});

test('S23: a right is gone with the role that gave it, and with its permission', async () => {
  const { id } = await made();
  const caller = await makeCaller(server);
  const sees = async () => {
    const answer = await server.ask('query ($id: ID!) { credential(id: $id) { id } }', { id }, caller);
    return expectData(answer).credential !== null;
  };
  const role = await makeRole(server, ['CREDENTIAL_READ']);
  const held = await grant(server, caller.id, role, { onAccount: account });
  expect(await sees()).toBe(true);
  expectData(
    await server.ask('mutation ($grant: ID!) { withdrawRole(input: { grant: $grant }) { deletedId } }', {
      grant: held,
    }),
  );
  expect(await sees()).toBe(false);
  await grant(server, caller.id, role, { onAccount: account });
  expect(await sees()).toBe(true);
  expectData(
    await server.ask(
      'mutation ($id: ID!) { updateRole(input: { id: $id, permissions: [ACCOUNT_READ] }) { role { id } } }',
      { id: role },
    ),
  );
  expect(await sees()).toBe(false);
});

test('ends both secrets of a rotation under way, and the rotation', async () => {
  const name = unique('token');
  const { id, secret } = await made({ name, secret: { token: {} }, retrievable: true });
  const next = expectData(await rotate(server, { id, gracePeriod: 'PT1H' })).rotateCredential.issued.secret;
  const credential = await revoked(id);
  for (const one of [secret, next]) expect(await statusWith(server, String(one))).toBe(401);
  expect(credential).toMatchObject({ status: 'REVOKED', rotation: { state: 'FINISHED' }, enabled: true });
  expect(credential.revokedAt).not.toBeNull();
  expect(credential.versions.map(({ state }: { state: string }) => state)).toEqual(['RETIRED', 'RETIRED']);
});

const nothingKept = {
  state: 'RETIRED',
  passwordHash: null,
  verifier: false,
  verifierKey: false,
  pepper: false,
  sealed: false,
  kek: false,
};
// What tells the last secret again, and shows none: so that whoever presents it can be told that it was revoked.
const told = { verifier: true, verifierKey: true };
const hashed = { passwordHash: expect.stringMatching(/^\$argon2id\$/) as unknown, pepper: true };

test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
  ['an access key', { accessKey: {} }, told],
  ['a token', { token: {} }, told],
  ['a password', { password: { username: 'revoked-1' } }, hashed],
  ['provider keys', { providerKeys: { k8s: { token: 'revoked-secret-0001' } } }, {}],
])('S41: wipes all that could show %s, and deletion the rest', async (_, secret, kept) => {
  const name = unique('wiped');
  const { id } = await made({ name, secret, retrievable: true });
  expectData(await rotate(server, { id, secret, gracePeriod: 'PT1H' }));
  await revoked(id);
  expect(await keptOf(server, name)).toEqual([
    { ...nothingKept, number: 2, ...kept },
    { ...nothingKept, number: 1 },
  ]);
  expectData(await remove(server, { id }));
  expect(await keptOf(server, name)).toEqual([2, 1].map((number) => ({ ...nothingKept, number })));
});

test('answers a second time as it is, and changes nothing', async () => {
  const { id } = await made();
  const first = await revoked(id);
  expect(await revoked(id)).toEqual(first);
  expect(expectData(await revoke(server, { id, reason: 'Again' })).revokeCredential.credential).toEqual(
    first,
  );
  const audit = await server.ask(
    `query ($id: ID!) {
      auditEvents(filter: { target: [$id], action: ["credential:revoke"] }) { nodes { outcome changed } } }`,
    { id },
  );
  expect(expectData(audit).auditEvents.nodes).toEqual([
    { outcome: 'DONE', changed: [] },
    { outcome: 'DONE', changed: [] },
    { outcome: 'DONE', changed: ['status'] },
  ]);
});

test('a reason that comes second is not recorded, and the answer says so', async () => {
  const { id } = await made();
  const ask = async (reason: string | null) => {
    const answer = await server.ask(
      `mutation ($id: ID!, $reason: String) { revokeCredential(input: { id: $id, reason: $reason }) {
        reasonRecorded credential { revokeReason } } }`,
      { id, reason },
    );
    const { reasonRecorded, credential } = expectData(answer).revokeCredential;
    return [reasonRecorded, credential.revokeReason];
  };
  expect(await ask('It was published.')).toEqual([true, 'It was published.']);
  expect(await ask('It was published.')).toEqual([true, 'It was published.']);
  expect(await ask('The project is over.')).toEqual([false, 'It was published.']);
  expect(await ask(null)).toEqual([true, 'It was published.']);
});

test('at once from many sides ends it once', async () => {
  const { id } = await made();
  const answers = await Promise.all(Array.from({ length: 10 }, () => revoke(server, { id })));
  expect(new Set(answers.map(({ code }) => code))).toEqual(new Set([undefined]));
  expect((await read(server, id)).revision).toBe(2);
});

test('answers for what is deleted as it is', async () => {
  const { id } = await made();
  const deleted = expectData(await remove(server, { id })).deleteCredential.credential;
  expect(await revoked(id)).toEqual(deleted);
});

test('S22: ends what was derived from it, however far down', async () => {
  const name = unique('parent');
  const { id } = await made({ name });
  const child = await addDerived(server, name);
  const grandchild = await addDerived(server, child.name);
  for (const { token } of [child, grandchild]) expect(await statusWith(server, token)).toBe(200);
  await revoked(id);
  for (const { name: derived, token } of [child, grandchild]) {
    expect(await statusWith(server, token)).toBe(401);
    expect(await keptOf(server, derived)).toEqual([
      expect.objectContaining({ state: 'RETIRED', sealed: false }),
    ]);
  }
  const answer = await server.ask(
    'query ($id: ID!) { credential(id: $id) { derived { nodes { status parent { id } } } } }',
    { id },
  );
  expect(expectData(answer).credential.derived.nodes).toEqual([{ status: 'REVOKED', parent: { id } }]);
});

test('keeps the user name taken', async () => {
  const username = unique('revoked');
  const { id } = await made({ secret: { password: { username } } });
  await revoked(id);
  const again = await server.ask(
    'mutation ($input: CreateCredentialInput!) { createCredential(input: $input) { credential { id } } }',
    { input: { account, name: 'again', secret: { password: { username } } } },
  );
  expect(again.code).toBe('CONFLICT');
});

test('S30: answers NOT_FOUND to a stranger and FORBIDDEN to one who only may see it', async () => {
  const stranger = await makeCaller(server);
  const reader = await makeCaller(server, ['CREDENTIAL_READ'], { onAccount: account });
  const { id } = await made();
  expect((await revoke(server, { id }, { token: stranger.token })).code).toBe('NOT_FOUND');
  expect((await revoke(server, { id }, { token: reader.token })).code).toBe('FORBIDDEN');
  expect((await read(server, id)).status).toBe('ACTIVE');
});

test('the owner may', async () => {
  const owner = await makeCaller(server);
  const { id } = await made({ owner: owner.id });
  const answer = await revoke(server, { id }, { token: owner.token });
  expect(expectData(answer).revokeCredential.credential.status).toBe('REVOKED');
});

test('S11: a reason of two lines is refused', async () => {
  const { id } = await made();
  const answer = await revoke(server, { id, reason: 'two\nlines' });
  expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', ['input.reason']]);
  expect((await read(server, id)).status).toBe('ACTIVE');
});
