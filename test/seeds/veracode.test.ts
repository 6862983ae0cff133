// The operations of Veracode's page on generating API credentials: https://docs.veracode.com/r/c_identity_gen_creds
import { expectData, grant, makeAccount, makeCaller, makeCredential, makeRole } from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';

const inOneYear = new Date(Date.now() + 365 * 86_400_000).toISOString();
const secret = { accessKey: { secretFormat: 'HEX' } };

let server: SharedServer;
let organization: string;
let apiUser: string;
let administrator: { id: string; token: string };

beforeAll(async () => {
  server = await sharedServer();
  organization = await makeAccount(server);
  apiUser = await makeAccount(server, { kind: 'SERVICE', parent: organization });
  administrator = await makeCaller(
    server,
    ['CREDENTIAL_READ', 'CREDENTIAL_ROTATE', 'CREDENTIAL_UPDATE', 'CREDENTIAL_REVOKE'],
    { onAccount: organization },
  );
});

const generate = `mutation ($id: ID!) {
  rotateCredential(input: { id: $id }) {
    credential { versions { number state } expiresAt }
    issued { accessKey secret expiresAt }
  }
}`;
const read = 'query ($id: ID!) { credential(id: $id) { status expiresAt revision } }';

const makeKey = (account: string, input: Record<string, unknown> = {}) =>
  makeCredential(server, account, { name: 'Veracode API', secret, expiresAt: inOneYear, ...input });

test('Generate API credentials for your account: a new key of 128 hex digits, and the current one is revoked', async () => {
  const me = await makeCaller(server);
  const key = await makeKey(me.id, { owner: me.id });
  expect(key.secret).toMatch(/^[0-9a-f]{128}$/);
  const { credential, issued } = expectData(
    await server.ask(generate, { id: key.id }, { token: me.token }),
  ).rotateCredential;
  expect(issued.accessKey).toBe(key.accessKey);
  expect(issued.secret).toMatch(/^[0-9a-f]{128}$/);
  expect(issued.secret).not.toBe(key.secret);
  expect(credential.versions).toEqual([
    { number: 2, state: 'CURRENT' },
    { number: 1, state: 'RETIRED' },
  ]);
});

test('Generate API credentials for your account: what is the account’s own needs no owner beside it', async () => {
  const me = await makeCaller(server);
  const { id } = await makeKey(me.id);
  expectData(await server.ask(generate, { id }, { token: me.token }));
});

test('Generate API credentials for an API user: by the administrator of that user', async () => {
  const key = await makeKey(apiUser);
  const answer = await server.ask(generate, { id: key.id }, { token: administrator.token });
  const { issued } = expectData(answer).rotateCredential;
  expect(issued.secret).toMatch(/^[0-9a-f]{128}$/);
  expect(issued.secret).not.toBe(key.secret);
});

test('Generate API credentials for an API user: CREDENTIAL_ROTATE on that very account is enough', async () => {
  const caller = await makeCaller(server, ['CREDENTIAL_ROTATE'], { onAccount: apiUser });
  const { id } = await makeKey(apiUser);
  expectData(await server.ask(generate, { id }, { token: caller.token }));
});

test('S29: Generate API credentials for an API user: FORBIDDEN to one who may only see them', async () => {
  const reader = await makeCaller(server, ['CREDENTIAL_READ'], { onAccount: organization });
  const { id } = await makeKey(apiUser);
  const answer = await server.ask(generate, { id }, { token: reader.token });
  expect({ code: answer.code, data: answer.data }).toEqual({ code: 'FORBIDDEN', data: null });
  expect(expectData(await server.ask(read, { id })).credential.revision).toBe(1);
});

test('S30: Generate API credentials for an API user: NOT_FOUND to the administrator of another organization', async () => {
  const caller = await makeCaller(server);
  await grant(server, caller.id, await makeRole(server, ['CREDENTIAL_READ', 'CREDENTIAL_ROTATE']), {
    onAccount: await makeAccount(server),
  });
  const { id } = await makeKey(apiUser);
  const answer = await server.ask(generate, { id }, { token: caller.token });
  expect({ code: answer.code, data: answer.data }).toEqual({ code: 'NOT_FOUND', data: null });
  expect(expectData(await server.ask(read, { id })).credential.revision).toBe(1);
});

test('Viewing API credentials expiration: a year from their creation, the same after new ones are generated', async () => {
  const { id } = await makeKey(apiUser);
  const ends = expectData(await server.ask(read, { id }, { token: administrator.token })).credential
    .expiresAt;
  expect(Date.parse(ends)).toBe(Date.parse(inOneYear));
  const { credential, issued } = expectData(await server.ask(generate, { id })).rotateCredential;
  expect([credential.expiresAt, issued.expiresAt].map((text: string) => Date.parse(text))).toEqual([
    Date.parse(inOneYear),
    Date.parse(inOneYear),
  ]);
});

test('S19: an expired key has ended by the clock of the database, and works on once its end is moved', async () => {
  const { id, accessKey } = await makeKey(apiUser);
  await server.rows(
    "UPDATE credentials SET expires_at = now() - interval '1 second' WHERE access_key = :accessKey",
    {
      accessKey,
    },
  );
  expect(expectData(await server.ask(read, { id })).credential.status).toBe('EXPIRED');
  const answer = await server.ask(
    'mutation ($id: ID!, $end: DateTime!) { updateCredential(input: { id: $id, expiresAt: $end }) { credential { status } } }',
    { id, end: inOneYear },
    { token: administrator.token },
  );
  expect(expectData(answer).updateCredential.credential.status).toBe('ACTIVE');
});

test('Revoking API credentials: for good, and no new ones are generated for them', async () => {
  const { id } = await makeKey(apiUser);
  const answer = await server.ask(
    'mutation ($id: ID!) { revokeCredential(input: { id: $id }) { credential { status versions { state } } } }',
    { id },
    { token: administrator.token },
  );
  expect(expectData(answer).revokeCredential.credential).toEqual({
    status: 'REVOKED',
    versions: [{ state: 'RETIRED' }],
  });
  expect((await server.ask(generate, { id })).code).toBe('CONFLICT');
});

test('Deleting API credentials for an API user: they leave the list', async () => {
  const { id } = await makeKey(apiUser);
  const list =
    'query ($account: ID!) { credentials(first: 100, filter: { account: [$account] }) { nodes { id } } }';
  const listed = async () =>
    expectData(await server.ask(list, { account: apiUser })).credentials.nodes as unknown;
  expect(await listed()).toContainEqual({ id });
  expectData(
    await server.ask(
      'mutation ($id: ID!) { deleteCredential(input: { id: $id }) { credential { id } } }',
      { id },
      { token: administrator.token },
    ),
  );
  expect(await listed()).not.toContainEqual({ id });
});
