import { jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from '../../src/database/database.js';
import { decodeId } from '../../src/inputs/decode-id.js';
import { issued } from '../credentials/temporary.js';
import { claimsAt, makeSigner, signed, startIssuer, trusting } from '../support/issuer.js';
import type { Signer, TestIssuer } from '../support/issuer.js';
import {
  expectData,
  grant,
  makeAccount,
  makeCredential,
  makeRole,
  unique,
  type Made,
} from '../support/make.js';
import { startTestServer, type Answer, type TestServer } from '../support/server.js';
import { askSigned, type Reply } from '../support/signing.js';
import { readNode, run } from '../support/verbs.js';
import { waitingDeeds } from '../support/waiting.js';

type Input = Record<string, unknown>;

let server: TestServer;
let issuer: TestIssuer;
let signer: Signer;
beforeAll(async () => {
  signer = await makeSigner();
  issuer = await startIssuer(signer);
  server = await startTestServer(trusting(issuer.settings()));
});
afterAll(async () => {
  await server.stop();
  await issuer.stop();
});

const permissions = [
  ...['CREATE', 'READ', 'UPDATE', 'ROTATE', 'REVOKE', 'REVEAL'].map((verb) => `CREDENTIAL_${verb}`),
  'ACCOUNT_MANAGE',
  'ROLE_READ',
  'ROLE_MANAGE',
  'ROLE_GIVE',
];
const longMs = 1_200_000;

/** Somebody who calls in one way, whose proof ends in twenty minutes. */
interface Calling {
  account: string;
  role: string;
  /** When the proof ends. */
  end: string;
  run: (mutation: string, input: Input, selection?: string) => Promise<Answer | Reply>;
}

const documentOf = (mutation: string, selection = '__typename') =>
  `mutation ($input: ${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input!) {
    ${mutation}(input: $input) { ${selection} } }`;

async function makePerson(input: Input = {}): Promise<{ account: string; role: string }> {
  const account = await makeAccount(server, { kind: 'PERSON', name: unique('person'), ...input });
  const role = await makeRole(server, permissions);
  await grant(server, account, role, { onAccount: account });
  return { account, role };
}

const inTwentyMinutes = () => new Date(Math.ceil((server.db.now() + longMs) / 1000) * 1000).toISOString();
const bearer =
  (token: string) =>
  (mutation: string, input: Input, selection?: string): Promise<Answer> =>
    server.ask(documentOf(mutation, selection), { input }, { token });

const ways: Record<string, (input?: Input) => Promise<Calling>> = {
  'a token of Keyway': async (input) => {
    const [person, end] = [await makePerson(input), inTwentyMinutes()];
    const made = await makeCredential(server, person.account, { secret: { token: {} }, expiresAt: end });
    return { ...person, end, run: bearer(String(made.secret)) };
  },
  'a token of an issuer': async (input) => {
    const [subject, end] = [unique('subject'), inTwentyMinutes()];
    const person = await makePerson({ identities: [{ issuer: issuer.name, subject }], ...input });
    const claims = claimsAt(server.db.now(), issuer.name, subject, { exp: Date.parse(end) / 1000 });
    return { ...person, end, run: bearer(await signed(signer, claims)) };
  },
  'a pair that signs': async (input) => {
    const [person, end] = [await makePerson(input), inTwentyMinutes()];
    const key: Made = await makeCredential(server, person.account, { roles: [person.role], expiresAt: end });
    const run = (mutation: string, given: Input, selection?: string) =>
      askSigned(server, key, documentOf(mutation, selection), { input: given });
    return { ...person, end, run };
  },
};

const later = (end: string) => new Date(Date.parse(end) + 1_000).toISOString();
const sooner = (end: string) => new Date(Date.parse(end) - 60_000).toISOString();
const token = { secret: { token: { permissions: ['CREDENTIAL_READ'] } } };
const endOf = ({ data }: Answer | Reply, field: string) => data?.[field]?.credential?.expiresAt as string;

describe.each(Object.entries(ways))('S38: who calls by %s that ends', (_, make) => {
  const create = ({ run, account }: Calling, input: Input) =>
    run('createCredential', { account, name: unique('made'), ...input }, 'credential { id expiresAt }');

  test('makes itself a token that ends no later, by default with it', async () => {
    const caller = await make();
    expect((await create(caller, { ...token, expiresAt: later(caller.end) })).code).toBe('FORBIDDEN');
    for (const expiresAt of [caller.end, sooner(caller.end)])
      expect(endOf(await create(caller, { ...token, expiresAt }), 'createCredential')).toBe(expiresAt);
    expect(endOf(await create(caller, token), 'createCredential')).toBe(caller.end);
  });

  test('makes itself a key for calling Keyway that ends no later', async () => {
    const caller = await make();
    const key = { secret: { accessKey: {} }, roles: [caller.role] };
    for (const more of [{}, { expiresAt: null }, { expiresAt: later(caller.end) }])
      expect((await create(caller, { ...key, ...more })).code).toBe('FORBIDDEN');
    expect(endOf(await create(caller, { ...key, expiresAt: caller.end }), 'createCredential')).toBe(
      caller.end,
    );
    // What it may do nothing in Keyway with is not bounded.
    expect(endOf(await create(caller, { secret: { accessKey: {} } }), 'createCredential')).toBeNull();
  });

  test('lengthens nothing that acts as itself, and gives no role to what lives longer', async () => {
    const caller = await make();
    const own = endOf(await create(caller, token), 'createCredential');
    expect(own).toBe(caller.end);
    const made = await create(caller, token);
    const { id } = made.data.createCredential.credential as { id: string };
    expect((await caller.run('updateCredential', { id, expiresAt: later(caller.end) })).code).toBe(
      'FORBIDDEN',
    );
    const lasting = await makeCredential(server, caller.account, { roles: [caller.role] });
    const without = await makeCredential(server, caller.account);
    const narrow = { id: lasting.id, allowedIps: ['127.0.0.1'] };
    expect((await caller.run('updateCredential', narrow)).errors).toEqual([]);
    const roles = { id: without.id, roles: [caller.role] };
    expect((await caller.run('updateCredential', roles)).code).toBe('FORBIDDEN');
    expect((await caller.run('updateCredential', { id: lasting.id, roles: [] })).errors).toEqual([]);
  });

  test('gives a role no permissions that a key of its own would have for longer', async () => {
    const caller = await make();
    await grant(server, caller.account, caller.role);
    const widen = (id: string) => caller.run('updateRole', { id, permissions: ['CREDENTIAL_READ'] });
    const [lasting, ending, carried] = [await makeRole(server, []), await makeRole(server, []), caller.role];
    const key = { secret: { accessKey: {} } };
    expect(endOf(await create(caller, { ...key, roles: [lasting] }), 'createCredential')).toBeNull();
    const refused = await widen(lasting);
    expect([refused.code, refused.errors[0]?.message]).toEqual([
      'FORBIDDEN',
      expect.stringContaining('must end no later'),
    ]);
    expect(await readNode(server, lasting, '... on Role { permissions }')).toEqual({ permissions: [] });
    expect((await create(caller, { ...key, roles: [ending], expiresAt: caller.end })).errors).toEqual([]);
    await makeCredential(server, await makeAccount(server), { roles: [ending] });
    expect((await widen(ending)).errors).toEqual([]);
    // What takes permissions away lets nothing act for longer.
    await makeCredential(server, caller.account, { roles: [carried] });
    const fewer = { id: carried, permissions: permissions.slice(1) };
    expect((await caller.run('updateRole', fewer)).errors).toEqual([]);
  });

  test('makes no lasting key with a role that gains permissions meanwhile', async () => {
    const caller = await make();
    const role = await makeRole(server, []);
    const begin = server.db.transaction.bind(server.db);
    const widening = jest.spyOn(server.db, 'transaction').mockImplementation(async (work) => {
      await server.rows("UPDATE roles SET permissions = '{CREDENTIAL_READ}' WHERE id = :id", {
        id: decodeId('Role', role, 'id'),
      });
      return begin(work);
    });
    try {
      const input = { secret: { accessKey: {} }, roles: [role] };
      expect((await create(caller, input)).code).toBe('FORBIDDEN');
    } finally {
      widening.mockRestore();
    }
  });

  test('lets nothing of its own that lives longer act again, nor from elsewhere', async () => {
    const caller = await make();
    await grant(server, caller.account, caller.role);
    const owner = await makeAccount(server, { kind: 'PERSON' });
    const made = (input: Input) => makeCredential(server, caller.account, { ...token, ...input });
    const codeOf = async (mutation: string, input: Input) => (await caller.run(mutation, input)).code;
    const [off, owned] = [await made({ enabled: false }), await made({ owner })];
    const near = await made({ allowedIps: ['10.0.0.0/8'] });
    expectData(await run(server, 'updateAccount', { id: owner, enabled: false }));
    expect(await codeOf('updateCredential', { id: off.id, enabled: true })).toBe('FORBIDDEN');
    expect(await codeOf('updateCredential', { id: owned.id, owner: caller.account })).toBe('FORBIDDEN');
    expect(await codeOf('updateAccount', { id: owner, enabled: true })).toBe('FORBIDDEN');
    expect(await codeOf('updateCredential', { id: near.id, allowedIps: null })).toBe('FORBIDDEN');
    for (const { id } of [off, owned])
      expect(await readNode(server, id, '... on Credential { status }')).toEqual({ status: 'DISABLED' });
    // What changes nothing of that is as free as it was.
    expect(await codeOf('updateCredential', { id: near.id, allowedIps: ['10.0.0.1'] })).toBeUndefined();
    expect(await codeOf('updateCredential', { id: near.id, enabled: false })).toBeUndefined();
    const ending = await made({ enabled: false, expiresAt: caller.end });
    expect(await codeOf('updateCredential', { id: ending.id, enabled: true })).toBeUndefined();
    const inert = await made({ secret: { accessKey: {} }, enabled: false });
    expect(await codeOf('updateCredential', { id: inert.id, enabled: true })).toBeUndefined();
  });

  test('is shown no secret of its own that acts for longer', async () => {
    const caller = await make();
    const kept = { retrievable: true };
    const lasting = [
      await makeCredential(server, caller.account, { ...token, ...kept }),
      await makeCredential(server, caller.account, { ...kept, roles: [caller.role] }),
    ];
    for (const { id } of lasting)
      for (const verb of ['rotateCredential', 'revealCredential']) {
        const { code, errors } = await caller.run(verb, { id });
        const message = errors[0]?.message;
        expect([verb, code, message]).toEqual([
          verb,
          'FORBIDDEN',
          expect.stringContaining('must end no later'),
        ]);
      }
    const others = [
      await makeCredential(server, caller.account, { ...token, ...kept, expiresAt: caller.end }),
      await makeCredential(server, caller.account, kept),
    ];
    for (const { id } of others)
      for (const verb of ['revealCredential', 'rotateCredential'])
        expect((await caller.run(verb, { id })).errors).toEqual([]);
  });

  test('derives from its own what ends no later', async () => {
    const caller = await make();
    const { id: parent } = await makeCredential(server, caller.account, { roles: [caller.role] });
    const issue = (duration: string) =>
      caller.run('issueTemporaryCredential', { parent, duration }, 'credential { expiresAt }');
    expect(endOf(await issue('PT12H'), 'issueTemporaryCredential')).toBe(caller.end);
    const short = Date.parse(endOf(await issue('PT15M'), 'issueTemporaryCredential'));
    expect(short).toBeLessThan(Date.parse(caller.end));
  });

  test('gives itself no identity, which has no end', async () => {
    const caller = await make();
    const identities = [{ issuer: issuer.name, subject: unique('another') }];
    expect((await caller.run('updateAccount', { id: caller.account, identities })).code).toBe('FORBIDDEN');
    const rows = await server.rows('SELECT 1 FROM identities WHERE subject = :subject', {
      subject: identities[0]?.subject,
    });
    expect(rows).toEqual([]);
  });

  test('has no secret without the second factor that its account requires', async () => {
    const caller = await make({ mfaRequired: true });
    const { id } = await makeCredential(server, caller.account, { retrievable: true });
    expect((await caller.run('revealCredential', { id })).code).toBe('FORBIDDEN');
    expect((await caller.run('issueTemporaryCredential', { parent: id })).code).toBe('FORBIDDEN');
  });
});

test('S38: a temporary credential widens no role of another key of its account', async () => {
  const person = await makePerson();
  await grant(server, person.account, person.role);
  const parent = await makeCredential(server, person.account, { roles: [person.role] });
  const pair = await issued(server, parent.id);
  const role = await makeRole(server, []);
  const expiresAt = new Date(server.db.now() + 60_000).toISOString();
  const other = await makeCredential(server, person.account, { roles: [role], expiresAt });
  const input = { id: role, permissions: ['CREDENTIAL_READ'] };
  const widen = () => askSigned(server, pair, documentOf('updateRole'), { input });
  expect((await widen()).code).toBe('FORBIDDEN');
  expectData(await run(server, 'revokeCredential', { id: other.id }));
  expect((await widen()).errors).toEqual([]);
});

// The embedded database has one connection: nobody waits for a lock there.
if (process.env['TEST_DATABASE_URL'])
  test('S38: a key is not lengthened while its role gains permissions', async () => {
    const caller = await ways['a token of Keyway']?.();
    if (!caller) throw new Error('there is no such way');
    const role = await makeRole(server, []);
    const { id } = await makeCredential(server, caller.account, { roles: [role], expiresAt: caller.end });
    const [lengthening] = await server.db.transaction(async (tx) => {
      const which = { id: decodeId('Role', role, 'id') };
      await tx.rows(sql('SELECT FROM roles WHERE id = :id FOR UPDATE'), which);
      const answering = caller.run('updateCredential', { id, expiresAt: later(caller.end) });
      while ((await waitingDeeds(server)) === 0) await sleep(5);
      await tx.rows(sql("UPDATE roles SET permissions = '{CREDENTIAL_READ}' WHERE id = :id"), which);
      // Not awaited: it waits for this transaction.
      return [answering];
    });
    expect((await lengthening)?.code).toBe('FORBIDDEN');
  });

test('S38: what one who calls by a token of an issuer makes for another account is not bounded by it', async () => {
  const subject = unique('subject');
  const account = await makeAccount(server, { identities: [{ issuer: issuer.name, subject }] });
  await grant(server, account, await makeRole(server, permissions));
  const other = await makeAccount(server, { kind: 'SERVICE' });
  const jwt = await signed(signer, claimsAt(server.db.now(), issuer.name, subject));
  const input = { account: other, name: unique('made'), secret: { token: {} } };
  const answer = await bearer(jwt)('createCredential', input, 'credential { expiresAt }');
  const days = (Date.parse(endOf(answer, 'createCredential')) - server.db.now()) / 86_400_000;
  expect(Math.round(days)).toBe(90);
});
