/**
 * @slow 20 s
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { forgetOldAnswers } from '../../src/idempotency/forget.js';
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
import { startTestServer, type Answer, type AskOptions, type TestServer } from '../support/server.js';
import { inDays, placesOf, statusWith } from '../credentials/verbs.js';
import { makeStore, seqeraAt } from '../stores/stores.js';
import { startSeqera, type Seqera } from '../upstreams/seqera.js';

let server: TestServer;
let seqera: Seqera;
let account: string;
beforeAll(async () => {
  seqera = await startSeqera();
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  account = await makeAccount(server);
});
afterAll(async () => {
  await server.stop();
  await seqera.stop();
});

type Input = Record<string, unknown>;

const selections: Record<string, string> = {
  createCredential: 'credential { id accessKey revision } issued { accessKey secret }',
  updateCredential: 'credential { id name revision updatedAt }',
  rotateCredential: 'credential { id revision versions { number } } issued { accessKey secret }',
  revokeCredential: 'credential { id status revision revokedAt }',
  deleteCredential: 'credential { id status revision deletedAt }',
  issueTemporaryCredential: 'credential { id accessKey expiresAt revision } issued { accessKey secret }',
  createAccount: 'account { id name createdAt }',
  updateAccount: 'account { id title updatedAt }',
  deleteAccount: 'deletedId',
  createProject: 'project { id name createdAt }',
  updateProject: 'project { id title updatedAt }',
  deleteProject: 'deletedId',
  createRole: 'role { id name createdAt }',
  updateRole: 'role { id description updatedAt }',
  deleteRole: 'deletedId',
  createStore: 'store { id name }',
  updateStore: 'store { id name }',
  deleteStore: 'deletedId',
  checkStore: 'store { id health { checkedAt } }',
  syncStore: 'store { id lastSync { startedAt finishedAt } }',
  grantRole: 'grant { id createdAt }',
  withdrawRole: 'deletedId',
  grantScope: 'grant { scope createdAt }',
  withdrawScope: 'store { id }',
};

const send = (name: string, input: Input, options?: AskOptions): Promise<Answer> => {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
  const text = `mutation ($input: ${type}!) { ${name}(input: $input) { ${selections[name] ?? 'deletedId'} } }`;
  return server.ask(text, { input }, options);
};
const sent = async (name: string, input: Input, options?: AskOptions) =>
  expectData(await send(name, input, options))[name];

/** How many deeds are on record, of an action or of all: one that concerns two accounts is in the chain of each. */
const deeds = async (action = ''): Promise<number> => {
  const [row] = await server.rows<{ count: number }>(
    `SELECT count(DISTINCT (request_id, action, target_id))::integer AS count FROM audit_events
     WHERE outcome = 'DONE' AND action LIKE :action AND action <> 'credential:reveal'`,
    { action: `${action}%` },
  );
  return row?.count ?? 0;
};
const keysKept = async (): Promise<number> => (await server.rows('SELECT id FROM idempotency_keys')).length;

/** Runs `work` while no row of this action can be put on record. */
async function withoutRecord(action: string, raise: string, work: () => Promise<void>): Promise<void> {
  await server.rows(
    `CREATE FUNCTION no_record() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${raise}; RETURN NEW; END $$`,
  );
  await server.rows(`CREATE TRIGGER no_record BEFORE INSERT ON audit_events FOR EACH ROW
    WHEN (NEW.action = '${action}' AND NEW.outcome = 'DONE') EXECUTE FUNCTION no_record()`);
  try {
    await work();
  } finally {
    await server.rows('DROP TRIGGER no_record ON audit_events');
    await server.rows('DROP FUNCTION no_record');
  }
}

const store = () => makeStore(server, account, seqeraAt(seqera));
const credential = async () => (await makeCredential(server, account)).id;
/** Each mutation that takes a key, with an input for it and another one. */
const mutations: [string, () => Promise<Input>, Input][] = [
  ['createCredential', async () => ({ account, name: 'One', secret: { token: {} } }), { name: 'Another' }],
  ['updateCredential', async () => ({ id: await credential(), name: 'One' }), { name: 'Another' }],
  ['rotateCredential', async () => ({ id: await credential() }), { gracePeriod: 'PT1H' }],
  ['revokeCredential', async () => ({ id: await credential() }), { reason: 'Another' }],
  ['deleteCredential', async () => ({ id: await credential() }), { id: '' }],
  ['issueTemporaryCredential', async () => ({ parent: await credential() }), { duration: 'PT2H' }],
  [
    'createAccount',
    async () => ({ kind: 'PERSON', name: unique('once'), title: 'One' }),
    { title: 'Another' },
  ],
  ['updateAccount', async () => ({ id: await makeAccount(server), title: 'One' }), { title: 'Another' }],
  ['deleteAccount', async () => ({ id: await makeAccount(server) }), { revokeCredentials: true }],
  ['createProject', async () => ({ account, name: unique('once') }), { title: 'Another' }],
  [
    'updateProject',
    async () => ({ id: await makeProject(server, account), title: 'One' }),
    { title: 'Another' },
  ],
  ['deleteProject', async () => ({ id: await makeProject(server, account) }), { id: '' }],
  ['createRole', async () => ({ name: unique('once'), permissions: [] }), { description: 'Another' }],
  [
    'updateRole',
    async () => ({ id: await makeRole(server, []), description: 'One' }),
    { description: 'Another' },
  ],
  ['deleteRole', async () => ({ id: await makeRole(server, []) }), { id: '' }],
  ['createStore', async () => ({ name: unique('once'), connection: seqeraAt(seqera) }), { name: 'another' }],
  ['updateStore', async () => ({ id: await store(), connection: seqeraAt(seqera) }), { name: 'another' }],
  ['deleteStore', async () => ({ id: await store() }), { id: '' }],
  ['checkStore', async () => ({ id: await store() }), { id: '' }],
  ['syncStore', async () => ({ id: await store() }), { id: '' }],
  [
    'grantRole',
    async () => ({ account: await makeAccount(server), role: await makeRole(server, []) }),
    { onAccount: '' },
  ],
  [
    'withdrawRole',
    async () => ({ grant: await grant(server, await makeAccount(server), await makeRole(server, [])) }),
    { grant: '' },
  ],
  [
    'grantScope',
    async () => ({ store: await store(), account: await makeAccount(server), scope: 'Orders' }),
    { scope: 'Another' },
  ],
  [
    'withdrawScope',
    async () => {
      const input = { store: await store(), account: await makeAccount(server), scope: 'Orders' };
      await sent('grantScope', input);
      return input;
    },
    { scope: 'Another' },
  ],
];

describe('each mutation', () => {
  test('R1: is tried here, and has a selection', async () => {
    const schema = await server.ask(
      '{ __schema { mutationType { fields { name args { type { ofType { inputFields { name } } } } } } } }',
    );
    const fields: {
      name: string;
      args: { type: { ofType: { inputFields: { name: string }[] | null } } }[];
    }[] = expectData(schema).__schema.mutationType.fields;
    const taking = fields.filter(({ args }) =>
      args[0]?.type.ofType.inputFields?.some(({ name }) => name === 'idempotencyKey'),
    );
    expect(taking.map(({ name }) => name).sort()).toEqual(mutations.map(([name]) => name).sort());
    expect(Object.keys(selections).sort()).toEqual(mutations.map(([name]) => name).sort());
    // Of those without a key, three change nothing; the others are of a factor that there is once, or not at all.
    expect(
      fields
        .filter((field) => !taking.includes(field))
        .map(({ name }) => name)
        .sort(),
    ).toEqual([
      'confirmMfa',
      'enrolMfa',
      'removeMfa',
      'revealCredential',
      'verifyCredential',
      'verifyCredentials',
    ]);
  });

  test.each(mutations)(
    'R1: %s with the same key and input answers the same, with one effect',
    async (name, input) => {
      const given = { ...(await input()), idempotencyKey: unique('key') };
      const before = await deeds();
      const first = await sent(name, given);
      expect(await deeds()).toBe(before + 1);
      for (let again = 0; again < 2; again++) expect(await sent(name, given)).toEqual(first);
      // The order in which the members stand is nothing to the server.
      expect(await sent(name, Object.fromEntries(Object.entries(given).reverse()))).toEqual(first);
      expect(await deeds()).toBe(before + 1);
    },
  );

  test.each(mutations)(
    'R2: %s with the same key and another input is CONFLICT',
    async (name, input, other) => {
      const given = { ...(await input()), idempotencyKey: unique('key') };
      const [[member, value] = ['', '']] = Object.entries(other);
      // Where the ids are all there is to an input, another of them.
      const changed = value === '' ? (member === 'onAccount' ? account : (await input())[member]) : value;
      await sent(name, given);
      const before = await deeds();
      const answer = await send(name, { ...given, [member]: changed });
      expect([answer.code, answer.data]).toEqual(['CONFLICT', null]);
      expect(await deeds()).toBe(before);
    },
  );
});

test.each(mutations)(
  'S38: %s that was answered is answered to no token of the account that may do less',
  async (name, input) => {
    const given = { ...(await input()), idempotencyKey: unique('key') };
    await sent(name, given);
    const viewer = expectData(await server.ask('{ viewer { id } }')).viewer.id;
    const { secret } = await makeCredential(server, viewer, {
      secret: { token: { permissions: ['AUDIT_READ'] } },
    });
    const again = await send(name, given, { token: secret });
    expect(again.data).toBeNull();
    expect(['FORBIDDEN', 'NOT_FOUND']).toContain(again.code);
  },
);

test.each(['createStore', 'updateStore', 'checkStore', 'syncStore'])(
  'R1: %s that was answered before asks its vendor nothing',
  async (name) => {
    const [, input] = mutations.find(([one]) => one === name) ?? [];
    const given = { ...(await input?.()), idempotencyKey: unique('key') };
    await sent(name, given);
    const calls = seqera.calls.length;
    await sent(name, given);
    expect([calls > 0, seqera.calls.length]).toEqual([true, calls]);
  },
);

describe('R1: fifty at once', () => {
  test('of a creation make one credential, and all are shown its secret', async () => {
    const input = { account, name: unique('fifty'), secret: { token: {} }, idempotencyKey: unique('key') };
    const answers = await Promise.all(Array.from({ length: 50 }, () => sent('createCredential', input)));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(await statusWith(server, answers[0].issued.secret)).toBe(200);
    const rows = await server.rows('SELECT 1 FROM credentials WHERE name = :name', { name: input.name });
    expect(rows).toHaveLength(1);
  });

  test('of a password make one credential, however long each takes to hash', async () => {
    const password = { username: unique('fifty') };
    const input = { account, name: 'x', secret: { password }, idempotencyKey: unique('key') };
    const answers = await Promise.all(Array.from({ length: 50 }, () => sent('createCredential', input)));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0].issued).toMatchObject({ accessKey: password.username, secret: expect.any(String) });
  });

  test('of a rotation make one version, and all are shown its secret', async () => {
    const { id } = await makeCredential(server, account, { secret: { token: {} } });
    const input = { id, idempotencyKey: unique('key') };
    const answers = await Promise.all(Array.from({ length: 50 }, () => sent('rotateCredential', input)));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0].credential.versions).toEqual([{ number: 2 }, { number: 1 }]);
    expect(await statusWith(server, answers[0].issued.secret)).toBe(200);
  });
});

describe('a key', () => {
  test('R2: of another mutation is CONFLICT', async () => {
    const { id } = await makeCredential(server, account);
    const idempotencyKey = unique('key');
    await sent('revokeCredential', { id, idempotencyKey });
    expect((await send('deleteCredential', { id, idempotencyKey })).code).toBe('CONFLICT');
  });

  test('R2: of another caller is another key', async () => {
    const permissions = ['CREDENTIAL_CREATE', 'CREDENTIAL_READ'];
    const callers = [await makeCaller(server, permissions), await makeCaller(server, permissions)];
    const input = { account, name: 'x', secret: { accessKey: {} }, idempotencyKey: unique('key') };
    const made = [];
    for (const { token } of callers) made.push(await sent('createCredential', input, { token }));
    expect(made[0].credential.id).not.toBe(made[1].credential.id);
    expect(made[0].issued.secret).not.toBe(made[1].issued.secret);
    expect(await sent('createCredential', input, { token: callers[1]?.token ?? null })).toEqual(made[1]);
  });

  test('R1: is the account’s, whichever of its tokens it comes with', async () => {
    const caller = await makeCaller(server, ['CREDENTIAL_CREATE', 'CREDENTIAL_READ']);
    const { secret } = await makeCredential(server, caller.id, { secret: { token: {} } });
    const input = { account, name: 'x', secret: { accessKey: {} }, idempotencyKey: unique('key') };
    const first = await sent('createCredential', input, { token: caller.token });
    expect(await sent('createCredential', input, { token: secret })).toEqual(first);
  });

  test.each(['', 'two\nlines', 'ä', 'x'.repeat(201)])('S11: %j is none', async (idempotencyKey) => {
    const before = await keysKept();
    const answer = await send('createRole', { name: unique('once'), permissions: [], idempotencyKey });
    expect(answer.code).toBe('BAD_USER_INPUT');
    expect(await keysKept()).toBe(before);
  });

  test('S38: does not outlive the right that it was used with', async () => {
    const caller = await makeCaller(server);
    const role = await makeRole(server, ['CREDENTIAL_CREATE', 'CREDENTIAL_READ']);
    const held = await grant(server, caller.id, role, { onAccount: account });
    const input = { account, name: 'x', secret: { accessKey: {} }, idempotencyKey: unique('key') };
    await sent('createCredential', input, { token: caller.token });
    await sent('withdrawRole', { grant: held });
    const answer = await send('createCredential', input, { token: caller.token });
    expect([answer.code, answer.data]).toEqual(['NOT_FOUND', null]);
  });
});

describe('R3: the secret of a replay', () => {
  const creation = async () => {
    const input = { account, name: unique('replayed'), secret: { token: {} }, idempotencyKey: unique('key') };
    return { input, first: await sent('createCredential', input) };
  };
  const ends: [string, (id: string) => Promise<unknown>][] = [
    ['rotated', (id) => sent('rotateCredential', { id })],
    ['rotated with grace', (id) => sent('rotateCredential', { id, gracePeriod: 'PT1H' })],
    ['revoked', (id) => sent('revokeCredential', { id })],
    [
      'disabled',
      async (id) =>
        server.ask(
          'mutation ($id: ID!) { updateCredential(input: { id: $id, enabled: false }) { credential { id } } }',
          { id },
        ),
    ],
    ['deleted', (id) => sent('deleteCredential', { id })],
  ];

  test.each(ends)('of a creation is gone once the credential was %s', async (_, end) => {
    const { input, first } = await creation();
    expect(await sent('createCredential', input)).toEqual(first);
    await end(first.credential.id);
    const replay = await send('createCredential', input);
    expect(expectData(replay).createCredential).toMatchObject({
      credential: { id: first.credential.id, accessKey: first.credential.accessKey },
      issued: null,
    });
    expect(replay.text).not.toContain(first.issued.secret);
  });

  test.each(ends)('of a rotation is gone once the credential was %s', async (_, end) => {
    const { first: made } = await creation();
    const input = { id: made.credential.id, idempotencyKey: unique('key') };
    const first = await sent('rotateCredential', input);
    expect(await sent('rotateCredential', input)).toEqual(first);
    await end(made.credential.id);
    const replay = await send('rotateCredential', input);
    expect(expectData(replay).rotateCredential).toMatchObject({
      credential: { id: made.credential.id },
      issued: { accessKey: first.issued.accessKey, secret: null },
    });
    expect(replay.text).not.toContain(first.issued.secret);
  });

  test('S19: is gone once the credential has expired', async () => {
    const { input, first } = await creation();
    await server.rows('UPDATE credentials SET expires_at = now() WHERE name = :name', { name: input.name });
    expect((await sent('createCredential', input)).issued).toBeNull();
    expect(first.issued.secret).toEqual(expect.any(String));
  });

  test('S60: is on record as a reveal', async () => {
    const { input, first } = await creation();
    await sent('createCredential', input);
    const answer = await server.ask(
      'query ($id: ID!) { auditEvents(filter: { target: [$id] }) { nodes { action } } }',
      { id: first.credential.id },
    );
    expect(expectData(answer).auditEvents.nodes).toEqual([
      { action: 'credential:reveal' },
      { action: 'credential:create' },
    ]);
  });

  test('is kept sealed, under the digest of its key', async () => {
    const { input, first } = await creation();
    expect(await placesOf(server, [first.issued.secret, input.idempotencyKey])).toEqual([]);
  });

  test('is answered from a record of another row to nobody', async () => {
    const [one, other] = [await creation(), await creation()];
    const [of, to] = [one.first.credential.id, other.first.credential.id];
    const rows = await server.rows<{ keyHash: Buffer; sealed: Buffer }>(
      'SELECT key_hash AS "keyHash", sealed FROM idempotency_keys ORDER BY created_at DESC LIMIT 2',
    );
    expect(of).not.toBe(to);
    const [newest, before] = rows;
    if (!newest || !before) throw new Error('the answers were not kept');
    await server.rows('UPDATE idempotency_keys SET sealed = :sealed WHERE key_hash = :keyHash', {
      keyHash: Buffer.from(newest.keyHash),
      sealed: Buffer.from(before.sealed),
    });
    const answer = await send('createCredential', other.input);
    expect([answer.code, answer.data]).toEqual(['INTERNAL_SERVER_ERROR', null]);
    expect(answer.text).not.toContain(one.first.issued.secret);
  });
});

describe('R3: after 24 hours', () => {
  test('the answer is forgotten: the same request has its effect again, with nothing left of the first', async () => {
    const input = { account, name: unique('daily'), secret: { token: {} }, idempotencyKey: unique('key') };
    const first = await sent('createCredential', input);
    const [kept] = await server.rows<{ hours: number }>(
      `SELECT extract(epoch FROM expires_at - created_at)::integer / 3600 AS hours FROM idempotency_keys
       ORDER BY created_at DESC LIMIT 1`,
    );
    expect(kept?.hours).toBe(24);
    await server.rows('UPDATE idempotency_keys SET expires_at = now()');
    const second = await sent('createCredential', input);
    expect(second.credential.id).not.toBe(first.credential.id);
    expect(await sent('createCredential', input)).toEqual(second);
  });

  test('the record is deleted, and no other', async () => {
    await server.rows('UPDATE idempotency_keys SET expires_at = now()');
    const input = { name: unique('once'), permissions: [], idempotencyKey: unique('key') };
    const first = await sent('createRole', input);
    expect(await forgetOldAnswers(server.db)).toBeGreaterThan(0);
    expect(await keysKept()).toBe(1);
    expect(await forgetOldAnswers(server.db)).toBe(0);
    expect(await sent('createRole', input)).toEqual(first);
  });
});

describe('R1: what is past by the time of the replay', () => {
  test('is answered as it was: a creation, after the end that it named', async () => {
    const input = {
      account,
      name: unique('soon'),
      secret: { accessKey: {} },
      expiresAt: inDays(1.5 / 86_400),
      idempotencyKey: unique('key'),
    };
    const first = await sent('createCredential', input);
    await sleep(1_600);
    const { credential: again, issued } = await sent('createCredential', input);
    expect([again, issued]).toEqual([first.credential, null]);
    expect((await send('createCredential', { ...input, idempotencyKey: null })).code).toBe('BAD_USER_INPUT');
  });
});

describe('R4: an effect that fails leaves no claim', () => {
  test('of a conflict: the same key works once its cause is gone', async () => {
    const project = await makeProject(server, account);
    const { id } = await makeCredential(server, account, { project });
    const input = { id: project, idempotencyKey: unique('key') };
    const before = await keysKept();
    expect((await send('deleteProject', input)).code).toBe('CONFLICT');
    expect(await keysKept()).toBe(before);
    await sent('deleteCredential', { id });
    expect(await sent('deleteProject', input)).toEqual({ deletedId: project });
  });

  test.each(mutations)(
    'of a record that cannot be made: %s changes nothing, and works afterwards',
    async (name, input) => {
      const given = { ...(await input()), idempotencyKey: unique('key') };
      const action = actions[name] ?? '';
      const before = [await keysKept(), await countRows()];
      await withoutRecord(action, "RAISE EXCEPTION 'the disk is full of MARKER-0001'", async () => {
        const answer = await send(name, given);
        expect([answer.code, answer.data]).toEqual(['INTERNAL_SERVER_ERROR', null]);
        expect(answer.text).not.toContain('MARKER-0001');
        expect([await keysKept(), await countRows()]).toEqual(before);
      });
      const first = await sent(name, given);
      expect(await sent(name, given)).toEqual(first);
    },
  );

  // The embedded database has one connection, which is the process's own: it cannot be cut from within.
  if (process.env['TEST_DATABASE_URL']) {
    test('R14: of a connection cut before the commit: nothing is left, and the same key works', async () => {
      const input = { account, name: unique('cut'), secret: { token: {} }, idempotencyKey: unique('key') };
      const before = [await keysKept(), await countRows()];
      await withoutRecord('credential:create', 'PERFORM pg_terminate_backend(pg_backend_pid())', async () => {
        const answer = await send('createCredential', input);
        expect([answer.code, answer.data]).toEqual(['UNAVAILABLE', null]);
      });
      expect([await keysKept(), await countRows()]).toEqual(before);
      const first = await sent('createCredential', input);
      expect(await sent('createCredential', input)).toEqual(first);
    });
  }
});

describe('without a key', () => {
  test('each request has its effect', async () => {
    const input = { account, name: 'x', secret: { accessKey: {} }, expiresAt: inDays(1) };
    const [one, other] = [await sent('createCredential', input), await sent('createCredential', input)];
    expect(one.credential.id).not.toBe(other.credential.id);
  });
});

const actions: Record<string, string> = {
  checkStore: 'store:check',
  syncStore: 'store:sync',
  ...Object.fromEntries(
    ['create', 'update', 'rotate', 'revoke', 'delete'].map((verb) => [
      `${verb}Credential`,
      `credential:${verb}`,
    ]),
  ),
  ...Object.fromEntries(
    ['Account', 'Project', 'Role', 'Store'].flatMap((noun) =>
      ['create', 'update', 'delete'].map((verb) => [`${verb}${noun}`, `${noun.toLowerCase()}:${verb}`]),
    ),
  ),
  issueTemporaryCredential: 'credential:issue',
  grantRole: 'role:grant',
  withdrawRole: 'role:withdraw',
  grantScope: 'scope:grant',
  withdrawScope: 'scope:withdraw',
};

/** How much there is of everything that a mutation changes, and how often it was changed. */
const countRows = () =>
  server.rows(`SELECT
    (SELECT count(*)::integer FROM accounts WHERE deleted_at IS NULL) AS accounts,
    (SELECT max(updated_at) FROM accounts) AS "accountsAt",
    (SELECT count(*)::integer FROM projects WHERE deleted_at IS NULL) AS projects,
    (SELECT max(updated_at) FROM projects) AS "projectsAt",
    (SELECT count(*)::integer FROM stores WHERE deleted_at IS NULL) AS stores,
    (SELECT max(updated_at) FROM stores) AS "storesAt",
    (SELECT count(*)::integer FROM roles) AS roles,
    (SELECT max(updated_at) FROM roles) AS "rolesAt",
    (SELECT count(*)::integer FROM grants) AS grants,
    (SELECT count(*)::integer FROM credential_versions) AS versions,
    (SELECT count(*)::integer FROM credential_versions WHERE state = 'CURRENT') AS "currentVersions",
    (SELECT count(*)::integer FROM credentials WHERE deleted_at IS NULL) AS credentials,
    (SELECT sum(revision)::integer FROM credentials) AS revisions`);
