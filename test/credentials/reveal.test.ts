import { expectData, makeAccount, makeCaller, makeCredential, unique } from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import { inDays, placesOf, read, remove, reveal, revoke, rotate, update } from './verbs.js';

let server: SharedServer;
let account: string;
beforeAll(async () => {
  server = await sharedServer();
  account = await makeAccount(server);
});

const made = (input: Record<string, unknown> = {}) =>
  makeCredential(server, account, { retrievable: true, ...input });
const revealed = async (id: string, token?: string) =>
  expectData(await reveal(server, { id }, token === undefined ? {} : { token })).revealCredential;
const revealsOf = async (id: string): Promise<{ outcome: string; code: string | null }[]> => {
  const answer = await server.ask(
    `query ($id: ID!) {
      auditEvents(filter: { target: [$id], action: ["credential:reveal"] }) { nodes { outcome code } } }`,
    { id },
  );
  return expectData(answer).auditEvents.nodes;
};

test.each<[string, Record<string, unknown>]>([
  ['an access key', { accessKey: { prefix: 'my-', secretFormat: 'HEX' } }],
  ['a token', { token: {} }],
  ['a chosen password', { password: { username: 'revealed-1', password: ' chosen pässword\t1 ' } }],
  ['a password that was made', { password: { username: 'revealed-2' } }],
])('S41: shows the secret of %s as it was issued', async (_, secret) => {
  const { id, accessKey, secret: value } = await made({ secret });
  const { issued, other, credential } = await revealed(id);
  expect(issued).toMatchObject({ accessKey, secret: value, keys: null });
  expect(other).toBeNull();
  expect(credential).toMatchObject({ id, retrievable: true, revision: 1 });
});

test('S41: shows the keys of a provider as they were given', async () => {
  const { id } = await made({
    retrievable: false,
    secret: { providerKeys: { ssh: { privateKey: "two\nlines'of\tkey", passphrase: 'phrase' } } },
  });
  const { issued } = await revealed(id);
  expect(issued).toMatchObject({
    accessKey: null,
    secret: null,
    keys: [
      { name: 'privateKey', value: "two\nlines'of\tkey" },
      { name: 'passphrase', value: 'phrase' },
    ],
  });
});

test.each<[string, Record<string, unknown>]>([
  ['an access key', { accessKey: {} }],
  ['a token', { token: {} }],
  ['a password', { password: { username: 'revealed-3' } }],
])('is UNSUPPORTED for %s that was to be shown once', async (_, secret) => {
  const { id } = await made({ secret, retrievable: false });
  const answer = await reveal(server, { id });
  expect([answer.code, answer.data]).toEqual(['UNSUPPORTED', null]);
});

test('tells of the previous secret when it ends: with its grace period, or the credential before that', async () => {
  const endsAt = inDays(2);
  const { id } = await made({ expiresAt: endsAt });
  expectData(await rotate(server, { id, gracePeriod: 'PT1H' }));
  const [, previous] = (await read(server, id)).versions;
  const first = await revealed(id);
  expect([first.issued.expiresAt, first.other.expiresAt]).toEqual([endsAt, previous.validUntil]);

  expectData(await rotate(server, { id, gracePeriod: 'P7D' }));
  const second = await revealed(id);
  expect([second.issued.expiresAt, second.other.expiresAt]).toEqual([endsAt, endsAt]);
});

test('shows both secrets within the grace period, the current one first', async () => {
  const name = unique('revealed');
  const { id, secret } = await made({ name });
  const next = expectData(await rotate(server, { id, gracePeriod: 'PT1H' })).rotateCredential.issued.secret;
  const { issued, other } = await revealed(id);
  expect([issued.secret, other.secret]).toEqual([next, secret]);

  const { versions } = await read(server, id);
  expect([issued.expiresAt, other.expiresAt]).toEqual([null, versions[1].validUntil]);

  // At its end, before anything has tidied up after it.
  await server.rows(
    `UPDATE credential_versions v SET valid_until = now() FROM credentials c
     WHERE c.id = v.credential_id AND c.name = :name AND v.state = 'PREVIOUS'`,
    { name },
  );
  const after = await revealed(id);
  expect([after.issued.secret, after.other]).toEqual([next, null]);
});

test('shows the next secret alone where there was no grace', async () => {
  const { id } = await made();
  const next = expectData(await rotate(server, { id })).rotateCredential.issued.secret;
  const { issued, other } = await revealed(id);
  expect([issued.secret, other]).toEqual([next, null]);
});

test('S23: is CONFLICT for what is revoked or deleted, and shows nothing', async () => {
  for (const end of [revoke, remove]) {
    const { id } = await made();
    expectData(await end(server, { id }));
    const answer = await reveal(server, { id });
    expect([answer.code, answer.data]).toEqual(['CONFLICT', null]);
  }
});

test('S14: the answer is stored by nobody', async () => {
  const { id } = await made();
  expect((await reveal(server, { id })).headers.get('cache-control')).toBe('no-store');
});

test('S41: leaves no secret in any table or line of the log', async () => {
  const { id, secret } = await made({ secret: { token: {} } });
  await revealed(id);
  expect(await placesOf(server, [String(secret)])).toEqual([]);
});

test('S41: no query has a field that shows a secret', async () => {
  const { secret, id } = await made({ secret: { token: {} } });
  const schema = await server.ask(`{ __schema { types { name kind fields { name type { name ofType { name
    ofType { name ofType { name } } } } } } mutationType { name } } }`);
  type Type = { name: string | null; ofType?: Type | null };
  const nameOf = (type: Type): string | null => type.name ?? (type.ofType ? nameOf(type.ofType) : null);
  const types: { name: string; fields: { name: string; type: Type }[] | null }[] =
    expectData(schema).__schema.types;
  const holders = types
    .filter(({ fields }) => fields?.some(({ type }) => nameOf(type) === 'IssuedSecret'))
    .map(({ name }) => name);
  // What holds a secret is the payload of a mutation, and no other type leads to one of those.
  expect(holders.sort()).toEqual([
    'CreateCredentialPayload',
    'IssueTemporaryCredentialPayload',
    'RevealCredentialPayload',
    'RotateCredentialPayload',
  ]);
  const leading = types.filter(({ fields }) =>
    fields?.some(({ type }) => holders.includes(nameOf(type) ?? '')),
  );
  expect(leading.map(({ name }) => name)).toEqual(['Mutation']);
  const answer = await server.ask(
    `query ($id: ID!) { credential(id: $id) { id name description accessKey versions { number accessKey }
      auditEvents { nodes { action changed targetId } } } credentials(first: 100) { nodes { id accessKey } } }`,
    { id },
  );
  expectData(answer);
  expect(answer.text).not.toContain(String(secret));
});

describe('S41: who may', () => {
  test('the owner may not, by owning alone', async () => {
    const owner = await makeCaller(server);
    const { id } = await made({ owner: owner.id });
    const answer = await reveal(server, { id }, { token: owner.token });
    expect([answer.code, answer.data]).toEqual(['FORBIDDEN', null]);
  });

  test.each(['CREDENTIAL_READ', 'CREDENTIAL_ROTATE', 'CREDENTIAL_UPDATE', 'CREDENTIAL_VERIFY'])(
    '%s alone does not allow it',
    async (permission) => {
      const caller = await makeCaller(server, [...new Set([permission, 'CREDENTIAL_READ'])], {
        onAccount: account,
      });
      const { id } = await made();
      expect((await reveal(server, { id }, { token: caller.token })).code).toBe('FORBIDDEN');
    },
  );

  test('CREDENTIAL_REVEAL on the account does, there and nowhere else', async () => {
    const caller = await makeCaller(server, ['CREDENTIAL_REVEAL'], { onAccount: account });
    const { id, secret } = await made();
    expect((await revealed(id, caller.token)).issued.secret).toBe(secret);
    const elsewhere = await makeCredential(server, await makeAccount(server), { retrievable: true });
    const answer = await reveal(server, { id: elsewhere.id }, { token: caller.token });
    expect([answer.code, answer.data]).toEqual(['NOT_FOUND', null]);
  });
});

describe('S60: the record', () => {
  test('holds one row for each reveal', async () => {
    const { id } = await made();
    await revealed(id);
    await revealed(id);
    expect(await revealsOf(id)).toEqual([
      { outcome: 'DONE', code: null },
      { outcome: 'DONE', code: null },
    ]);
  });

  test('is made before the answer: where it cannot be, nothing is shown', async () => {
    const { id, secret } = await made();
    await server.rows(`CREATE FUNCTION no_record() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'the disk of the record is full'; END $$`);
    await server.rows(
      `CREATE TRIGGER no_record BEFORE INSERT ON audit_events FOR EACH ROW
       WHEN (NEW.action = 'credential:reveal' AND NEW.outcome = 'DONE') EXECUTE FUNCTION no_record()`,
    );
    try {
      const answer = await reveal(server, { id });
      expect([answer.code, answer.data]).toEqual(['INTERNAL_SERVER_ERROR', null]);
      expect(answer.text).not.toContain(String(secret));
      expect(answer.text).not.toContain('disk');
    } finally {
      await server.rows('DROP TRIGGER no_record ON audit_events');
      await server.rows('DROP FUNCTION no_record');
    }
    expect((await revealed(id)).issued.secret).toBe(secret);
  });

  test('is the same for a credential that is disabled: its secret can still be had', async () => {
    const { id, secret } = await made();
    expectData(await update(server, { id, enabled: false }));
    expect((await revealed(id)).issued.secret).toBe(secret);
    expect(await revealsOf(id)).toHaveLength(1);
  });
});
