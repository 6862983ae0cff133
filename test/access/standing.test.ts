/**
 * @slow 45 s
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { everyPermission } from '../../src/access/principal.js';
import { registry } from '../../src/connectors/registry.js';
import { sql, type Tx } from '../../src/database/database.js';
import { openSchema } from '../../src/graph/schema.js';
import { parseId } from '../../src/ids.js';
import { makeStore, seqeraAt } from '../stores/stores.js';
import { enrol, enrolAndConfirm } from '../support/authenticator.js';
import { claimsAt, makeSigner, signed, startIssuer, trusting } from '../support/issuer.js';
import type { Signer, TestIssuer } from '../support/issuer.js';
import {
  expectData,
  grant,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  makeRole,
  unique,
} from '../support/make.js';
import { holdReads, type HeldReads } from '../support/held-reads.js';
import { startTestServer, type Answer, type TestServer } from '../support/server.js';
import { waitingDeeds } from '../support/waiting.js';
import { startSeqera, type Seqera } from '../upstreams/seqera.js';

type Input = Record<string, unknown>;

let server: TestServer;
let issuer: TestIssuer;
let signer: Signer;
let seqera: Seqera;
let account: string;
beforeAll(async () => {
  signer = await makeSigner();
  issuer = await startIssuer(signer);
  seqera = await startSeqera();
  server = await startTestServer(trusting(issuer.settings()));
  account = await makeAccount(server);
});
afterAll(async () => {
  await server.stop();
  await seqera.stop();
  await issuer.stop();
});

const rowOf = (id: string) => parseId(id)?.uuid ?? '';

interface Calling {
  id: string;
  token: string;
  credential: string;
  /** What its role was granted by. */
  grant: string;
}

/** A caller who may do all that there is, everywhere. */
async function makeOperator(input: Input = {}): Promise<Calling> {
  const caller = await makeCaller(server, [], {}, input);
  return { ...caller, grant: await grant(server, caller.id, await makeRole(server, [...everyPermission])) };
}

interface Verb {
  /** Makes what it is done to; returns its input. */
  on: (caller: Calling) => Input | Promise<Input>;
  selection?: string;
  /** Whether who has lost every role may still do it, to what is its own. */
  own?: boolean;
}

const credential = (input: Input = {}) => makeCredential(server, account, input);
const target = async (input: Input = {}) => ({ id: (await credential(input)).id });
const store = () => makeStore(server, account, seqeraAt(seqera));
/** One in an outside store. */
const outside = async () => ({
  store: await store(),
  secret: { providerKeys: { github: { username: 'bot', password: unique('password') } } },
});
const outsideTarget = async () => target(await outside());
const secretShown = 'issued { secret }';

// Each verb, and for credentials also in an outside store, where an intent is put on record in its transaction.
const verbs: Record<string, Verb> = {
  createCredential: {
    on: () => ({ account, name: unique('made'), secret: { accessKey: {} } }),
    selection: secretShown,
  },
  'createCredential, outside': {
    on: async () => ({ account, name: unique('made'), ...(await outside()) }),
  },
  updateCredential: { on: async () => ({ ...(await target()), category: 'changed' }) },
  'updateCredential, outside': { on: async () => ({ ...(await outsideTarget()), name: unique('renamed') }) },
  'updateCredential, its policy': {
    on: async () => ({ ...(await target()), rotationPolicy: { every: 'P30D', gracePeriod: 'PT0S' } }),
  },
  rotateCredential: { on: () => target(), selection: secretShown },
  'rotateCredential, outside': {
    on: async () => {
      const { secret, ...place } = await outside();
      return { ...(await target({ ...place, secret })), secret };
    },
  },
  revealCredential: { on: () => target({ retrievable: true }), selection: secretShown },
  revokeCredential: { on: () => target() },
  'revokeCredential, outside': { on: outsideTarget },
  deleteCredential: { on: () => target() },
  'deleteCredential, outside': { on: outsideTarget },
  issueTemporaryCredential: {
    on: async () => ({ parent: (await credential()).id }),
    selection: secretShown,
  },
  createAccount: { on: () => ({ kind: 'PERSON', name: unique('made'), title: 'Made' }) },
  updateAccount: { on: async () => ({ id: await makeAccount(server), title: 'Changed' }) },
  'updateAccount, its identities': {
    on: async () => ({
      id: await makeAccount(server),
      identities: [{ issuer: issuer.name, subject: unique('subject') }],
    }),
  },
  deleteAccount: { on: async () => ({ id: await makeAccount(server) }) },
  createProject: { on: () => ({ account, name: unique('made') }) },
  updateProject: { on: async () => ({ id: await makeProject(server, account), title: 'Changed' }) },
  deleteProject: { on: async () => ({ id: await makeProject(server, account) }) },
  createRole: { on: () => ({ name: unique('made'), permissions: [] }) },
  updateRole: { on: async () => ({ id: await makeRole(server, []), description: 'Changed' }) },
  deleteRole: { on: async () => ({ id: await makeRole(server, []) }) },
  grantRole: { on: async () => ({ account, role: await makeRole(server, []) }) },
  withdrawRole: { on: async () => ({ grant: await grant(server, account, await makeRole(server, [])) }) },
  createStore: { on: () => ({ account, name: unique('made'), connection: seqeraAt(seqera) }) },
  updateStore: { on: async () => ({ id: await store(), name: unique('renamed') }) },
  deleteStore: { on: async () => ({ id: await store() }) },
  checkStore: { on: async () => ({ id: await store() }) },
  syncStore: { on: async () => ({ id: await store() }) },
  grantScope: { on: async () => ({ store: await store(), account: await makeAccount(server) }) },
  withdrawScope: {
    on: async () => {
      const given = { store: await store(), account: await makeAccount(server) };
      expectData(await ask('grantScope', given, server.adminToken));
      return given;
    },
  },
  enrolMfa: { on: () => ({}), own: true },
  confirmMfa: { on: async ({ token }) => ({ code: (await enrol(server, token)).code() }), own: true },
  removeMfa: {
    on: async ({ token }) => ({ code: (await enrolAndConfirm(server, token)).code(1) }),
    own: true,
  },
};

const nameOf = (verb: string) => verb.split(',')[0] ?? '';

test('every mutation has its row', async () => {
  const schema = await openSchema(registry);
  const all = Object.keys(schema.getMutationType()?.getFields() ?? {});
  // A verification decides by what it reads, in no transaction.
  const deeds = all.filter((name) => !name.startsWith('verifyCredential'));
  expect(new Set(Object.keys(verbs).map(nameOf))).toEqual(new Set(deeds));
});

const ask = (verb: string, input: Input, token: string): Promise<Answer> => {
  const name = nameOf(verb);
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input!`;
  const selection = verbs[verb]?.selection ?? '__typename';
  return server.ask(
    `mutation ($input: ${type}) { ${name}(input: $input) { ${selection} } }`,
    { input },
    { token },
  );
};

/** What is on record of a caller since it was made ready. */
async function recordedOf({ id }: Calling, outcome: string) {
  const text =
    'SELECT action, code, times FROM audit_events WHERE actor_id = :id AND outcome = :outcome AND at > :at';
  return server.rows<{ action: string; code: string; times: number }>(text, {
    id: rowOf(id),
    outcome,
    at: readyAt.get(id) ?? '',
  });
}
const readyAt = new Map<string, string>();
async function ready({ id }: Calling): Promise<void> {
  const [row] = await server.rows<{ at: string }>('SELECT clock_timestamp() AS at');
  readyAt.set(id, row?.at ?? '');
}

type Loss = (caller: Calling) => [text: string, parameters: Input];
const roleWithdrawn: Loss = (caller) => ['DELETE FROM grants WHERE id = :id', { id: rowOf(caller.grant) }];
const accountDisabled: Loss = ({ id }) => [
  'UPDATE accounts SET enabled = false WHERE id = :id',
  { id: rowOf(id) },
];
const ofToken =
  (set: string): Loss =>
  (caller) => [`UPDATE credentials SET ${set} WHERE id = :id`, { id: rowOf(caller.credential) }];
const losses: [string, Loss][] = [
  ['its role is withdrawn', roleWithdrawn],
  ['its account is disabled', accountDisabled],
  ['its token is revoked', ofToken('revoked_at = now()')],
  ['its token is disabled', ofToken('enabled = false')],
  ['its token expires', ofToken('expires_at = clock_timestamp()')],
  ['its token is for other addresses', ofToken("allowed_ips = '{203.0.113.1}'")],
  [
    'the secret of its token is replaced',
    (caller) => [
      "UPDATE credential_versions SET state = 'RETIRED' WHERE credential_id = :id",
      { id: rowOf(caller.credential) },
    ],
  ],
];

/** Holds that nothing was done, and that the refusal is what it is to a request that comes now, and on record. */
async function expectRefused(caller: Calling, verb: string, input: Input, answer: Answer): Promise<void> {
  expect([answer.data, answer.errors.length]).toEqual([null, 1]);
  const again = await ask(verb, input, caller.token);
  expect([answer.status, answer.code]).toEqual([again.status, again.code]);
  expect(['FORBIDDEN', 'NOT_FOUND', 'UNAUTHENTICATED']).toContain(answer.code);
  expect(await recordedOf(caller, 'DONE')).toEqual([]);
  // A request without a valid proof is nobody's.
  const times = again.status === 401 ? 1 : 2;
  for (;;) {
    const refused = await recordedOf(caller, 'REFUSED');
    const counted = refused.reduce((sum, one) => sum + one.times, 0);
    if (counted === times)
      return expect(new Set(refused.map(({ code }) => code))).toEqual(new Set([answer.code]));
    await sleep(20);
  }
}

const holding: HeldReads[] = [];
afterEach(() => {
  for (const held of holding.splice(0)) held.releaseAll();
});

describe('S23: what a caller decided by is gone before its deed begins', () => {
  const deeds = [
    'updateCredential',
    'rotateCredential',
    'revokeCredential',
    'deleteCredential',
    'revealCredential',
  ];
  test.each(
    deeds.flatMap((verb) => losses.map(([name, loss]): [string, string, Loss] => [verb, name, loss])),
  )('%s is refused where %s', async (verb, _, loss) => {
    const caller = await makeOperator();
    const input = { ...(await verbs[verb]?.on(caller)) };
    await ready(caller);
    const held = holdReads(server.db, rowOf(String(input['id'])));
    holding.push(held);
    const answering = ask(verb, input, caller.token);
    await held.standing(1);
    held.end();
    await server.rows(...loss(caller));
    held.releaseAll();
    await expectRefused(caller, verb, input, await answering);
  });
});

test('S23, S38: a role is not given by who holds it no more, though it allows nothing in Keyway', async () => {
  const { id, token, credential: own } = await makeCaller(server, ['CREDENTIAL_UPDATE', 'CREDENTIAL_READ']);
  const role = await makeRole(server, []);
  const held = await grant(server, id, role);
  const caller = { id, token, credential: own, grant: held };
  // It is seen all the same.
  await credential({ roles: [role] });
  const input = { ...(await target()), roles: [role] };
  await ready(caller);
  const reads = holdReads(server.db, rowOf(input.id));
  holding.push(reads);
  const answering = ask('updateCredential', input, token);
  await reads.standing(1);
  reads.end();
  await server.rows(...roleWithdrawn(caller));
  reads.releaseAll();
  await expectRefused(caller, 'updateCredential', input, await answering);
});

// The embedded database has one connection: nobody waits for a lock there.
if (process.env['TEST_DATABASE_URL'])
  describe('S23: what a caller decided by is gone when its deed has its locks', () => {
    const rows = Object.keys(verbs).flatMap((verb) =>
      losses
        .slice(verbs[verb]?.own ? 1 : 0, 2)
        .map(([name, loss]): [string, string, Loss] => [verb, name, loss]),
    );
    test.each(rows)('%s is refused where %s', async (verb, _, loss) => {
      const caller = await makeOperator();
      const input = { ...(await verbs[verb]?.on(caller)) };
      await ready(caller);
      const [answering] = await whileHeld(
        () => ask(verb, input, caller.token),
        (tx) => tx.rows(sql(loss(caller)[0]), loss(caller)[1]),
      );
      await expectRefused(caller, verb, input, await answering);
    });

    test('the token of an issuer expires, or its identity is taken away', async () => {
      for (const [exp, wait, text] of [
        [-28, 2_500, 'SELECT 1'],
        [60, 0, 'DELETE FROM identities WHERE account_id = :id'],
      ] as const) {
        const subject = unique('subject');
        const caller = await makeOperator({ identities: [{ issuer: issuer.name, subject }] });
        const input = await target();
        const now = server.db.now();
        const times = { iat: Math.floor(now / 1000) - 100, exp: Math.floor(now / 1000) + exp };
        const token = await signed(signer, claimsAt(now, issuer.name, subject, times));
        await ready(caller);
        const [answering] = await whileHeld(
          () => ask('rotateCredential', input, token),
          async (tx) => {
            await sleep(wait);
            await tx.rows(sql(text), { id: rowOf(caller.id) });
          },
        );
        const { code, data } = await answering;
        expect([code, data]).toEqual(['UNAUTHENTICATED', null]);
        expect(await recordedOf(caller, 'DONE')).toEqual([]);
      }
    });

    test('S28: a second factor is asked for where its account has come to require it', async () => {
      const caller = await makeOperator();
      const input = await target({ retrievable: true });
      await ready(caller);
      const [answering] = await whileHeld(
        () => ask('revealCredential', input, caller.token),
        (tx) =>
          tx.rows(sql('UPDATE accounts SET mfa_required = true WHERE id = :id'), { id: rowOf(caller.id) }),
      );
      expect([(await answering).code, await recordedOf(caller, 'DONE')]).toEqual(['FORBIDDEN', []]);
    });

    test('a caller who has lost what the deed does not need does it, once', async () => {
      const caller = await makeOperator();
      await grant(server, caller.id, await makeRole(server, ['CREDENTIAL_ROTATE']));
      const { id } = await target();
      await ready(caller);
      const [answering] = await whileHeld(
        () => ask('rotateCredential', { id }, caller.token),
        (tx) => tx.rows(sql(roleWithdrawn(caller)[0]), roleWithdrawn(caller)[1]),
      );
      expect(expectData(await answering).rotateCredential.issued.secret).toEqual(expect.any(String));
      expect(await recordedOf(caller, 'DONE')).toMatchObject([{ action: 'credential:rotate' }]);
      const [newest] = await server.rows(
        'SELECT max(number) AS number FROM credential_versions WHERE credential_id = :id',
        {
          id: rowOf(id),
        },
      );
      expect(newest).toEqual({ number: 2 });
    });
  });

describe('S23: what a deed takes from its own caller stands in its way no more than once', () => {
  const everything = [...everyPermission];
  test.each<[string, (caller: Calling) => Promise<[string, Input]>]>([
    ['its own token', async ({ credential: id }) => ['revokeCredential', { id }]],
    ['the secret of its own token', async ({ credential: id }) => ['rotateCredential', { id }]],
    ['its own role', async (caller) => ['withdrawRole', { grant: caller.grant }]],
    [
      'what its own account may do without a code',
      async ({ id }) => ['updateAccount', { id, mfaRequired: true }],
    ],
    [
      'the addresses of its own token',
      async ({ credential: id }) => ['updateCredential', { id, allowedIps: ['127.0.0.0/8'] }],
    ],
  ])('%s', async (_, deed) => {
    const caller = await makeOperator();
    const [verb, input] = await deed(caller);
    await ready(caller);
    expectData(await ask(verb, input, caller.token));
    // A role is on record with its account and at its place, which is everywhere.
    expect(await recordedOf(caller, 'DONE')).toHaveLength(verb === 'withdrawRole' ? 2 : 1);
  });

  test('what is part of what its role is held on', async () => {
    const organization = await makeAccount(server);
    const caller = await makeCaller(server, everything, { onAccount: organization });
    const calling = { ...caller, grant: '' };
    await ready(calling);
    for (const verb of ['deleteAccount', 'deleteProject']) {
      const id =
        verb === 'deleteAccount'
          ? await makeAccount(server, { parent: organization })
          : await makeProject(server, organization);
      expectData(await ask(verb, { id }, caller.token));
    }
    expect(await recordedOf(calling, 'DONE')).toMatchObject([
      { action: 'account:delete' },
      { action: 'project:delete' },
    ]);
  });
});

/** Begins a request, and has the work done when it waits for the last of its locks. */
async function whileHeld(
  begin: () => Promise<Answer>,
  work: (tx: Tx) => Promise<unknown>,
): Promise<[Promise<Answer>]> {
  return server.db.transaction(async (tx) => {
    // The last that a deed waits for is the chain of the audit; where it has none of its own, the store.
    await tx.rows(sql('LOCK TABLE audit_heads IN SHARE MODE'));
    await tx.rows(sql('LOCK TABLE stores IN EXCLUSIVE MODE'));
    const answering = begin();
    while ((await waitingDeeds(server)) === 0) await sleep(5);
    await work(tx);
    // Not awaited: it waits for this transaction.
    return [answering];
  });
}
