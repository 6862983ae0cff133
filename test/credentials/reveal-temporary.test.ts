import { retireOutlived } from '../../src/credentials/retire.js';
import {
  expectData,
  grant,
  makeAccount,
  makeCaller,
  makeCredential,
  makeRole,
  unique,
  type Made,
} from '../support/make.js';
import { SignatureScheme } from '../../src/signatures/scheme.js';
import { sharedServer, type Answer, type SharedServer } from '../support/server.js';
import { askSigned, callingSchemes, question, send, signedBy } from '../support/signing.js';
import { issued } from './temporary.js';
import { reveal, revoke, rotate, update } from './verbs.js';

let server: SharedServer;
let account: string;
beforeAll(async () => {
  server = await sharedServer();
  account = await makeAccount(server);
});

/** A permanent key, and one that was derived from it to be revealed. */
async function derived(
  input: Record<string, unknown> = {},
  issuing: Record<string, unknown> = { retrievable: true },
): Promise<{ parent: Made; pair: Made; name: string }> {
  const name = unique('parent');
  const parent = await makeCredential(server, account, {
    name,
    secret: { accessKey: { secretFormat: 'HEX' } },
    ...input,
  });
  return { parent, pair: await issued(server, parent.id, issuing), name };
}

const revealing = `mutation ($id: ID!) { revealCredential(input: { id: $id }) {
  credential { id } issued { accessKey secret expiresAt } other { secret } } }`;
const revealSigned = (key: Made, { id }: Made, scheme?: (typeof callingSchemes)[number]) =>
  askSigned(server, key, revealing, { id }, scheme);
const secretIn = (answer: Pick<Answer, 'data' | 'errors'>) =>
  expectData(answer).revealCredential.issued.secret;
const refusal = ({ code, data }: Pick<Answer, 'code' | 'data'>) => ({ code, data });

describe('S41: its holder, by a request that it signed itself', () => {
  test.each(callingSchemes)('has the secret revealed: %s', async (scheme) => {
    const { pair } = await derived();
    const {
      credential,
      issued: shown,
      other,
    } = expectData(await revealSigned(pair, pair, scheme)).revealCredential;
    expect(credential).toEqual({ id: pair.id });
    expect(shown).toMatchObject({ accessKey: pair.accessKey, secret: pair.secret });
    expect(Date.parse(shown.expiresAt)).toBeGreaterThan(Date.now());
    expect(other).toBeNull();
  });

  test('has none revealed but its own', async () => {
    const { parent, pair } = await derived({ retrievable: true });
    const sibling = await issued(server, parent.id);
    for (const other of [parent, sibling])
      expect(refusal(await revealSigned(pair, other))).toEqual({ code: 'NOT_FOUND', data: null });
    // Of a permanent key the holder is shown nothing either: that takes CREDENTIAL_REVEAL.
    expect(refusal(await revealSigned(parent, parent))).toEqual({ code: 'FORBIDDEN', data: null });
  });

  test('has it revealed although its parent has lost the roles that it carries', async () => {
    const person = await makeAccount(server, { kind: 'PERSON' });
    const role = await makeRole(server, ['CREDENTIAL_READ']);
    await grant(server, person, role, { onAccount: account });
    const parent = await makeCredential(server, person, { roles: [role], retrievable: true });
    const pair = await issued(server, parent.id);
    expectData(await update(server, { id: parent.id, roles: [] }));
    expect(secretIn(await revealSigned(pair, pair))).toBe(pair.secret);
  });

  test('has nothing revealed that was to be shown once', async () => {
    const { pair } = await derived({}, { retrievable: false });
    expect(refusal(await revealSigned(pair, pair))).toEqual({ code: 'UNSUPPORTED', data: null });
  });

  test.each<[string, (parent: Made, pair: Made, name: string) => Promise<unknown>]>([
    ['has expired', (_, __, name) => expire(name, 'NOT NULL')],
    ['is revoked', async (_, { id }) => expectData(await revoke(server, { id }))],
    [
      'has a parent that is disabled',
      async ({ id }) => expectData(await update(server, { id, enabled: false })),
    ],
  ])('is nobody any more, once it %s', async (_, end) => {
    const { parent, pair, name } = await derived();
    await end(parent, pair, name);
    const answer = await revealSigned(pair, pair);
    expect([answer.status, answer.code, answer.text.includes(String(pair.secret))]).toEqual([
      401,
      'UNAUTHENTICATED',
      false,
    ]);
  });
});

const expire = (name: string, parent: 'NULL' | 'NOT NULL') =>
  server.rows(`UPDATE credentials SET expires_at = now() WHERE name = :name AND parent_id IS ${parent}`, {
    name,
  });

describe('S41: its owner', () => {
  test('has it revealed by owning alone, and nothing permanent', async () => {
    const owner = await makeCaller(server);
    const { parent, pair } = await derived({ owner: owner.id, retrievable: true });
    expect(secretIn(await reveal(server, { id: pair.id }, owner))).toBe(pair.secret);
    expect(refusal(await reveal(server, { id: parent.id }, owner))).toEqual({
      code: 'FORBIDDEN',
      data: null,
    });
  });

  test('is the account that it belongs to, where nobody else is', async () => {
    const person = await makeCaller(server);
    const parent = await makeCredential(server, person.id, { retrievable: true });
    const pair = await issued(server, parent.id);
    expect(secretIn(await reveal(server, { id: pair.id }, person))).toBe(pair.secret);
    const others = await makeCredential(server, person.id, { retrievable: true, owner: account });
    const other = await issued(server, others.id);
    expect(refusal(await reveal(server, { id: other.id }, person))).toEqual({
      code: 'NOT_FOUND',
      data: null,
    });
  });

  test.each([
    [['CREDENTIAL_READ', 'CREDENTIAL_REVEAL'], undefined],
    [['CREDENTIAL_READ'], 'FORBIDDEN'],
    [['CREDENTIAL_READ', 'CREDENTIAL_ROTATE', 'CREDENTIAL_REVOKE'], 'FORBIDDEN'],
  ])('with a token narrowed to %j: %s', async (permissions, code) => {
    const owner = await makeAccount(server, { kind: 'PERSON' });
    const { secret: token } = await makeCredential(server, owner, { secret: { token: { permissions } } });
    const { pair } = await derived({ owner });
    expect((await reveal(server, { id: pair.id }, { token })).code).toBe(code);
  });

  test('S38: has none revealed that may do more than the owner', async () => {
    const person = await makeAccount(server, { kind: 'PERSON' });
    const role = await makeRole(server, ['AUDIT_READ']);
    await grant(server, person, role);
    const owner = await makeCaller(server);
    const parent = await makeCredential(server, person, {
      owner: owner.id,
      roles: [role],
      retrievable: true,
    });
    const [more, less] = [await issued(server, parent.id), await issued(server, parent.id, { roles: [] })];
    expect(refusal(await reveal(server, { id: more.id }, owner))).toEqual({ code: 'FORBIDDEN', data: null });
    expect(secretIn(await reveal(server, { id: less.id }, owner))).toBe(less.secret);
  });

  test('S23: is the owner of now: who owned its parent before has nothing revealed', async () => {
    const [before, after] = [await makeCaller(server), await makeCaller(server)];
    const { parent, pair } = await derived({ owner: before.id });
    expectData(await update(server, { id: parent.id, owner: after.id }));
    expect((await reveal(server, { id: pair.id }, before)).code).toBe('NOT_FOUND');
    expect(secretIn(await reveal(server, { id: pair.id }, after))).toBe(pair.secret);
  });
});

describe('S41: everybody else', () => {
  test('needs CREDENTIAL_REVEAL, as for a permanent one', async () => {
    const { pair } = await derived();
    const place = { onAccount: account };
    const [revealer, reader, stranger] = [
      await makeCaller(server, ['CREDENTIAL_REVEAL'], place),
      await makeCaller(server, ['CREDENTIAL_READ', 'CREDENTIAL_CREATE', 'CREDENTIAL_ROTATE'], place),
      await makeCaller(server),
    ];
    expect(secretIn(await reveal(server, { id: pair.id }, revealer))).toBe(pair.secret);
    expect((await reveal(server, { id: pair.id }, reader)).code).toBe('FORBIDDEN');
    expect((await reveal(server, { id: pair.id }, stranger)).code).toBe('NOT_FOUND');
  });
});

describe('once it does not live any more', () => {
  test.each<[string, (parent: Made, pair: Made, name: string) => Promise<unknown>]>([
    ['it has expired', (_, __, name) => expire(name, 'NOT NULL')],
    ['its parent has expired', (_, __, name) => expire(name, 'NULL')],
    ['it is revoked', async (_, { id }) => expectData(await revoke(server, { id }))],
    ['its parent is revoked', async ({ id }) => expectData(await revoke(server, { id }))],
    ['its parent is rotated', async ({ id }) => expectData(await rotate(server, { id }))],
    [
      'the grace period of its secret is over',
      async ({ id }, _, name) => {
        expectData(await rotate(server, { id, gracePeriod: 'PT1H' }));
        await server.rows(
          `UPDATE credential_versions v SET valid_until = now() FROM credentials c
           WHERE c.id = v.credential_id AND c.name = :name AND v.state = 'PREVIOUS'`,
          { name },
        );
      },
    ],
  ])('nobody has it revealed: CONFLICT where %s', async (_, end) => {
    const owner = await makeCaller(server);
    const { parent, pair, name } = await derived({ owner: owner.id, retrievable: true });
    expect(secretIn(await reveal(server, { id: pair.id }, owner))).toBe(pair.secret);
    await end(parent, pair, name);
    for (const options of [{}, owner])
      expect(refusal(await reveal(server, { id: pair.id }, options))).toEqual({
        code: 'CONFLICT',
        data: null,
      });
    await retireOutlived(server.db);
    expect((await reveal(server, { id: pair.id })).code).toBe('CONFLICT');
  });

  test('it may be disabled all the same, or its parent: that is not its end', async () => {
    const { parent, pair } = await derived();
    for (const { id } of [pair, parent]) {
      expectData(await update(server, { id, enabled: false }));
      expect(secretIn(await reveal(server, { id: pair.id }))).toBe(pair.secret);
    }
  });
});

test('S60: a reveal by its holder is on record, with the key', async () => {
  const { pair } = await derived();
  await revealSigned(pair, pair);
  const answer = await server.ask(
    `query ($id: ID!) { auditEvents(filter: { target: [$id], action: ["credential:reveal"] }) {
      nodes { outcome actor { id } actorCredential { id } } } }`,
    { id: pair.id },
  );
  expect(expectData(answer).auditEvents.nodes).toEqual([
    { outcome: 'DONE', actor: { id: account }, actorCredential: { id: pair.id } },
  ]);
});

test('S21: a request to reveal that is sent again shows nothing', async () => {
  const { pair } = await derived();
  const once = signedBy(
    server,
    pair,
    SignatureScheme.NCP_SIGNATURE_V2,
    question(server, revealing, { id: pair.id }),
  );
  expect(secretIn(await send(server, once))).toBe(pair.secret);
  const again = await send(server, once);
  expect([again.status, again.text.includes(String(pair.secret))]).toEqual([401, false]);
});
