import { setTimeout as sleep } from 'node:timers/promises';
import { encodeId, parseId } from '../../src/ids.js';
import { enrol, enrolAndConfirm } from '../support/authenticator.js';
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
import { startTestServer, type Answer, type TestServer } from '../support/server.js';
import { makeStore, seqeraAt } from '../stores/stores.js';
import { run } from '../support/verbs.js';
import { startSeqera, type Seqera } from '../upstreams/seqera.js';

let server: TestServer;
let seqera: Seqera;
let admin: { account: string; credential: string };
beforeAll(async () => {
  seqera = await startSeqera();
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  const [row] = await server.rows<{ account: string; credential: string }>(
    `SELECT a.id AS account, c.id AS credential FROM accounts a JOIN credentials c ON c.account_id = a.id
     WHERE a.name = 'admin'`,
  );
  if (!row) throw new Error('there is no administrator');
  admin = row;
});
afterAll(async () => {
  await server.stop();
  await seqera.stop();
});

interface AuditRow {
  account_id: string;
  actor_id: string | null;
  actor_credential_id: string | null;
  action: string;
  outcome: string;
  code: string | null;
  target_type: string | null;
  target_id: string | null;
  changed: string[];
  times: number;
  ip: string | null;
  request_id: string;
}

const rowsOf = (answer: Answer) =>
  server.rows<AuditRow>('SELECT * FROM audit_events WHERE request_id = :id', { id: requestOf(answer) });

const requestOf = (answer: Answer) => answer.headers.get('x-request-id') ?? 'none';

interface Deed {
  mutation: string;
  action: string;
  target: string;
  /** Where the payload holds the target's id. */
  found: (payload: Record<string, { id: string }>) => string | undefined;
  selection: string;
  input: () => Promise<Record<string, unknown>>;
  changed?: string[];
  /** In how many chains it stands, where it concerns several accounts. */
  chains?: number;
}

const payloadOf = (name: string) => ({
  selection: `${name} { id }`,
  found: (payload: Record<string, { id: string }>) => payload[name]?.id,
});
const idOf = (mutation: string) => ({
  selection: mutation,
  found: (payload: Record<string, unknown>) => payload[mutation] as string,
});

const credential = { target: 'Credential', ...payloadOf('credential') };
const secret = { ...credential, selection: 'credential { id } issued { secret }' };
const account = { target: 'Account', ...payloadOf('account') };
const project = { target: 'Project', ...payloadOf('project') };
const role = { target: 'Role', ...payloadOf('role') };

const store = { target: 'CredentialStore', ...payloadOf('store') };
const connected = async () => makeStore(server, await makeAccount(server), seqeraAt(seqera));

const ownAccount = { target: 'Account', found: () => encodeId('Account', admin.account) };
const withoutFactor = () => server.rows('DELETE FROM mfa_devices');

const made = async (input = {}) => (await makeCredential(server, await makeAccount(server), input)).id;

const deeds: Deed[] = [
  {
    ...account,
    mutation: 'createAccount',
    action: 'account:create',
    input: async () => ({ kind: 'PERSON', name: unique('account'), title: 'One' }),
  },
  {
    ...account,
    mutation: 'updateAccount',
    action: 'account:update',
    input: async () => ({ id: await makeAccount(server), title: 'Another' }),
    changed: ['title'],
  },
  {
    ...idOf('deletedId'),
    target: 'Account',
    mutation: 'deleteAccount',
    action: 'account:delete',
    input: async () => ({ id: await makeAccount(server) }),
  },
  {
    ...project,
    mutation: 'createProject',
    action: 'project:create',
    input: async () => ({ account: await makeAccount(server), name: unique('project') }),
  },
  {
    ...project,
    mutation: 'updateProject',
    action: 'project:update',
    input: async () => ({ id: await makeProject(server, await makeAccount(server)), title: 'Another' }),
    changed: ['title'],
  },
  {
    ...idOf('deletedId'),
    target: 'Project',
    mutation: 'deleteProject',
    action: 'project:delete',
    input: async () => ({ id: await makeProject(server, await makeAccount(server)) }),
  },
  {
    ...role,
    mutation: 'createRole',
    action: 'role:create',
    input: async () => ({ name: unique('role'), permissions: ['CREDENTIAL_READ'] }),
  },
  {
    ...role,
    mutation: 'updateRole',
    action: 'role:update',
    input: async () => ({ id: await makeRole(server, ['CREDENTIAL_READ']), description: 'Another' }),
    changed: ['description'],
  },
  {
    ...idOf('deletedId'),
    target: 'Role',
    mutation: 'deleteRole',
    action: 'role:delete',
    input: async () => ({ id: await makeRole(server, []) }),
  },
  {
    ...payloadOf('grant'),
    target: 'Grant',
    mutation: 'grantRole',
    chains: 2,
    action: 'role:grant',
    input: async () => ({ account: await makeAccount(server), role: await makeRole(server, ['ROLE_READ']) }),
  },
  {
    ...idOf('deletedId'),
    target: 'Grant',
    mutation: 'withdrawRole',
    chains: 2,
    action: 'role:withdraw',
    input: async () => ({
      grant: await grant(server, await makeAccount(server), await makeRole(server, ['ROLE_READ'])),
    }),
  },
  {
    ...secret,
    mutation: 'createCredential',
    action: 'credential:create',
    input: async () => ({
      account: await makeAccount(server),
      name: unique('credential'),
      secret: { accessKey: {} },
    }),
  },
  {
    ...credential,
    mutation: 'updateCredential',
    action: 'credential:update',
    input: async () => ({ id: await made(), description: 'Another' }),
    changed: ['description'],
  },
  {
    ...secret,
    mutation: 'rotateCredential',
    action: 'credential:rotate',
    input: async () => ({ id: await made() }),
  },
  {
    ...secret,
    selection: 'issued { secret }',
    found: () => undefined,
    mutation: 'revealCredential',
    action: 'credential:reveal',
    input: async () => ({ id: await made({ retrievable: true }) }),
  },
  {
    ...credential,
    mutation: 'revokeCredential',
    action: 'credential:revoke',
    input: async () => ({ id: await made() }),
  },
  {
    ...credential,
    mutation: 'deleteCredential',
    action: 'credential:delete',
    input: async () => ({ id: await made() }),
  },
  {
    ...store,
    mutation: 'createStore',
    action: 'store:create',
    input: async () => ({ name: unique('store'), connection: seqeraAt(seqera) }),
  },
  {
    ...store,
    mutation: 'updateStore',
    action: 'store:update',
    input: async () => ({ id: await connected(), name: unique('store'), connection: seqeraAt(seqera) }),
    changed: ['name', 'connection'],
  },
  {
    ...idOf('deletedId'),
    target: 'CredentialStore',
    mutation: 'deleteStore',
    action: 'store:delete',
    input: async () => ({ id: await connected() }),
  },
  {
    ...store,
    mutation: 'checkStore',
    action: 'store:check',
    input: async () => ({ id: await connected() }),
  },
  {
    target: 'CredentialStore',
    selection: 'grant { id: store { id } }',
    found: ({ grant }) => (grant as unknown as { id: { id: string } } | undefined)?.id.id,
    mutation: 'grantScope',
    chains: 2,
    action: 'scope:grant',
    input: async () => ({ store: await connected(), account: await makeAccount(server), scope: '4242' }),
  },
  {
    ...store,
    mutation: 'withdrawScope',
    chains: 2,
    action: 'scope:withdraw',
    input: async () => {
      const given = { store: await connected(), account: await makeAccount(server) };
      const text = 'mutation ($input: GrantScopeInput!) { grantScope(input: $input) { __typename } }';
      expectData(await server.ask(text, { input: given }));
      return given;
    },
  },
  {
    ...store,
    mutation: 'syncStore',
    action: 'store:sync',
    input: async () => ({ id: await connected() }),
  },
  {
    ...ownAccount,
    selection: 'otpauthUri',
    mutation: 'enrolMfa',
    action: 'account:enrol-mfa',
    input: async () => {
      await withoutFactor();
      return {};
    },
  },
  {
    ...ownAccount,
    selection: 'recoveryCodes',
    mutation: 'confirmMfa',
    action: 'account:confirm-mfa',
    input: async () => {
      await withoutFactor();
      return { code: (await enrol(server, server.adminToken)).code() };
    },
    changed: ['mfaEnrolled'],
  },
  {
    ...ownAccount,
    selection: 'account { id }',
    mutation: 'removeMfa',
    action: 'account:remove-mfa',
    input: async () => {
      await withoutFactor();
      return { code: (await enrolAndConfirm(server, server.adminToken)).code(1) };
    },
    changed: ['mfaEnrolled'],
  },
  {
    ...secret,
    mutation: 'issueTemporaryCredential',
    action: 'credential:issue',
    input: async () => ({ parent: await made() }),
  },
];

/** Those that change nothing: they are told of soon after their answers. */
const verifications = ['verifyCredential', 'verifyCredentials'];

function ask({ mutation, selection }: Deed, input: Record<string, unknown>) {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
  return server.ask(`mutation ($input: ${type}!) { ${mutation}(input: $input) { ${selection} } }`, { input });
}

test('S60: no mutation is missing here', async () => {
  const answer = await server.ask('{ __schema { mutationType { fields { name } } } }');
  const names = expectData(answer).__schema.mutationType.fields.map(({ name }: { name: string }) => name);
  expect(names.sort()).toEqual([...deeds.map(({ mutation }) => mutation), ...verifications].sort());
});

test.each(deeds)(
  'S60: $mutation leaves exactly one row in each chain that it concerns, which tells who did what',
  async (deed) => {
    const input = await deed.input();
    const answer = await ask(deed, input);
    const id = deed.found(expectData(answer)[deed.mutation]) ?? (input['id'] as string);
    const rows = await rowsOf(answer);
    expect(new Set(rows.map(({ account_id }) => account_id)).size).toBe(deed.chains ?? 1);
    expect(rows).toHaveLength(deed.chains ?? 1);
    for (const row of rows)
      expect(row).toMatchObject({
        actor_id: admin.account,
        actor_credential_id: admin.credential,
        action: deed.action,
        outcome: 'DONE',
        code: null,
        target_type: deed.target,
        target_id: parseId(id)?.uuid,
        times: 1,
        ip: '127.0.0.1',
        request_id: requestOf(answer),
        ...(deed.changed && { changed: deed.changed }),
      });
  },
);

describe('S60: where the audit cannot be written', () => {
  test.each(deeds)('$mutation fails, changes nothing and shows nothing', async (deed) => {
    const input = await deed.input();
    const before = await contents();
    await breakAudit();
    let answer: Answer;
    try {
      answer = await ask(deed, input);
    } finally {
      await mendAudit();
    }
    expect(answer.data?.[deed.mutation] ?? null).toBeNull();
    expect(answer.code).toBe('INTERNAL_SERVER_ERROR');
    expect(answer.errors).toHaveLength(1);
    expect(answer.text).not.toMatch(/secret|audit/i);
    expect(await contents()).toEqual(before);
    // The door stands as before: the same is done when the audit can be written again.
    expectData(await ask(deed, input));
  });
});

async function breakAudit() {
  await server.rows(`CREATE FUNCTION audit_is_out() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN RAISE EXCEPTION ''the audit is out''; END'`);
  await server.rows(`CREATE TRIGGER audit_is_out BEFORE INSERT ON audit_events FOR EACH ROW
    EXECUTE FUNCTION audit_is_out()`);
}

async function mendAudit() {
  await server.rows('DROP TRIGGER audit_is_out ON audit_events');
  await server.rows('DROP FUNCTION audit_is_out');
}

/**
 * All that a verb may change, table by table; not the audit's own, nor when something was last used or how often it was
 * verified, nor how often the codes of a second factor were tried or a store was called, nor what a caller has spent in a
 * minute: that is counted whatever becomes of the deed.
 */
async function contents(): Promise<Record<string, string[]>> {
  const tables = await server.rows<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'
     AND table_name NOT IN ('audit_events', 'audit_heads', 'credential_uses', 'credential_days', 'verification_days',
       'keyring_keys', 'migrations', 'rate_limits')`,
  );
  const kept: Record<string, string[]> = {};
  for (const { name } of tables) {
    const rows = await server.rows<{ row: string }>(
      `SELECT (to_jsonb(t) - CAST(:apart AS text[]))::text AS row FROM ${name} t ORDER BY 1`,
      { apart: ['last_used_at', 'failures', 'calls_in_window', 'window_ends_at'] },
    );
    kept[name] = rows.map(({ row }) => row);
  }
  return kept;
}

/** The row of a refusal, which is written soon after the answer. */
async function refusalOf(answer: Answer): Promise<AuditRow | undefined> {
  for (let waited = 0; waited < 3_000; waited += 50) {
    const [row] = await rowsOf(answer);
    if (row) return row;
    await sleep(50);
  }
  return undefined;
}

describe('S60: each verification is on record', () => {
  const documents = {
    verifyCredential:
      'mutation ($input: VerifyCredentialInput!) { verifyCredential(input: $input) { code } }',
    verifyCredentials:
      'mutation ($input: VerifyCredentialInput!) { verifyCredentials(inputs: [$input]) { code } }',
  };

  test.each(Object.entries(documents))(
    'by %s, with who asked, of what, and how it ended',
    async (_, document) => {
      const account = await makeAccount(server);
      const project = await makeProject(server, account);
      const caller = await makeCaller(server, ['CREDENTIAL_VERIFY'], { onAccount: account });
      const { id, accessKey, secret } = await makeCredential(server, account, { project });
      const common = {
        actor_id: parseId(caller.id)?.uuid,
        actor_credential_id: parseId(caller.credential)?.uuid,
        action: 'credential:verify',
        changed: [],
        times: 1,
        ip: '127.0.0.1',
      };
      const known = {
        ...common,
        account_id: parseId(account)?.uuid,
        project_id: parseId(project)?.uuid,
        target_type: 'Credential',
        target_id: parseId(id)?.uuid,
      };
      const unknown = { ...common, account_id: parseId(caller.id)?.uuid, target_type: null, target_id: null };
      for (const [input, row] of [
        [
          { accessKey, proof: { secret } },
          { ...known, outcome: 'DONE', code: null },
        ],
        [
          { accessKey, proof: { secret }, roles: ['x'] },
          { ...known, outcome: 'REFUSED', code: 'ROLE_MISSING' },
        ],
        // What was meant is told to those who may read of it, and not to who asked.
        [
          { accessKey, proof: { secret: 'x' } },
          { ...known, outcome: 'REFUSED', code: 'NOT_VALID' },
        ],
        [
          { accessKey: `${accessKey}x`, proof: { secret } },
          { ...unknown, outcome: 'REFUSED', code: 'NOT_VALID' },
        ],
      ] as const) {
        const answer = await server.ask(document, { input }, caller);
        expect(await refusalOf(answer)).toMatchObject(row);
        expect(await rowsOf(answer)).toHaveLength(1);
      }
    },
  );

  test('counted, where many are alike', async () => {
    const caller = await makeCaller(server, ['CREDENTIAL_VERIFY']);
    const { accessKey, secret } = await makeCredential(server, await makeAccount(server));
    const input = { accessKey, proof: { secret } };
    const many = 40;
    await Promise.all(
      Array.from({ length: many }, () => server.ask(documents.verifyCredential, { input }, caller)),
    );
    const count = () =>
      server.rows<{ times: number }>('SELECT times FROM audit_events WHERE actor_id = :actor', {
        actor: parseId(caller.id)?.uuid,
      });
    for (let waited = 0; waited < 3_000 && total(await count()) < many; waited += 50) await sleep(50);
    const rows = await count();
    expect(total(rows)).toBe(many);
    expect(rows.length).toBeLessThan(many / 2);
  });
});

describe('S60: what its store refuses is on record as failed, with the code that was answered', () => {
  const secret = { providerKeys: { github: { username: 'bot', password: unique('password') } } };

  test.each([
    ['create', 'POST'],
    ['update', 'PUT'],
    ['delete', 'DELETE'],
  ])('%s', async (verb, method) => {
    const account = await makeAccount(server);
    const store = await makeStore(server, account, seqeraAt(seqera));
    const { id } = await makeCredential(server, account, { store, secret });
    const creation = { account, store, name: unique('made'), secret };
    const input = { create: creation, update: { id, description: 'another' }, delete: { id } }[verb] ?? {};
    seqera.meet({ kind: 'fail', status: 400 }, { method }, 5);
    const answer = await run(server, `${verb}Credential`, input);
    seqera.clear();
    expect(answer.code).toBe('STORE_REJECTED');
    const rows = await server.rows<AuditRow>(
      'SELECT * FROM audit_events WHERE request_id = :id AND target_id IS NOT NULL ORDER BY id',
      { id: requestOf(answer) },
    );
    // What is asked of it counts at once.
    const asked = { action: 'credential:revoking', outcome: 'DONE', changed: ['status'] };
    expect(rows).toEqual([
      ...(verb === 'delete' ? [expect.objectContaining(asked)] : []),
      expect.objectContaining({
        action: `credential:${verb}`,
        outcome: 'FAILED',
        code: 'STORE_REJECTED',
        target_type: 'Credential',
        changed: [],
        actor_id: admin.account,
        ...(verb !== 'create' && { target_id: parseId(id)?.uuid }),
      }),
    ]);
  });
});

describe('S60: refusals are on record', () => {
  const rename = (id: string, title: string) => ({
    query: 'mutation ($input: UpdateAccountInput!) { updateAccount(input: $input) { account { id } } }',
    variables: { input: { id, title } },
  });

  test('a stranger is, without an actor', async () => {
    const answer = await server.ask('{ viewer { id } }', {}, { token: 'kw_nobody' });
    expect(answer.status).toBe(401);
    expect(await refusalOf(answer)).toMatchObject({
      action: 'authenticate',
      outcome: 'REFUSED',
      code: 'UNAUTHENTICATED',
      actor_id: null,
      target_id: null,
      ip: '127.0.0.1',
    });
  });

  test('FORBIDDEN is, with what it was about', async () => {
    const { id } = await makeCredential(server, await makeAccount(server));
    const caller = await makeCaller(server, ['CREDENTIAL_READ']);
    const answer = await server.ask(
      'mutation ($id: ID!) { updateCredential(input: { id: $id, name: "mine" }) { credential { id } } }',
      { id },
      { token: caller.token },
    );
    expect(answer.code).toBe('FORBIDDEN');
    expect(await refusalOf(answer)).toMatchObject({
      actor_id: parseId(caller.id)?.uuid,
      actor_credential_id: parseId(caller.credential)?.uuid,
      action: 'credential:update',
      outcome: 'REFUSED',
      code: 'FORBIDDEN',
      target_type: 'Credential',
      target_id: parseId(id)?.uuid,
    });
  });

  test('NOT_FOUND is', async () => {
    const caller = await makeCaller(server);
    const { query, variables } = rename(await makeAccount(server), 'Mine');
    const answer = await server.ask(query, variables, { token: caller.token });
    expect(answer.code).toBe('NOT_FOUND');
    expect(await refusalOf(answer)).toMatchObject({
      actor_id: parseId(caller.id)?.uuid,
      action: 'account:update',
      outcome: 'REFUSED',
      code: 'NOT_FOUND',
    });
  });

  test('CONFLICT is, as a failure', async () => {
    const name = unique('twice');
    await makeAccount(server, { name });
    const answer = await server.ask(
      'mutation ($input: CreateAccountInput!) { createAccount(input: $input) { account { id } } }',
      { input: { kind: 'PERSON', name, title: 'Twice' } },
    );
    expect(answer.code).toBe('CONFLICT');
    expect(await refusalOf(answer)).toMatchObject({
      actor_id: admin.account,
      action: 'account:create',
      outcome: 'FAILED',
      code: 'CONFLICT',
    });
  });

  test('BAD_USER_INPUT inside a verb is, as a failure and without the input', async () => {
    const answer = await server.ask(
      'mutation ($input: UpdateAccountInput!) { updateAccount(input: $input) { account { id } } }',
      { input: { id: await makeProject(server, await makeAccount(server)), title: 'Anybody' } },
    );
    expect(answer.code).toBe('BAD_USER_INPUT');
    expect(await refusalOf(answer)).toMatchObject({
      action: 'account:update',
      outcome: 'FAILED',
      code: 'BAD_USER_INPUT',
      changed: [],
    });
  });

  test('a refused reveal is', async () => {
    const account = await makeAccount(server);
    const caller = await makeCaller(server, ['CREDENTIAL_READ']);
    const { id } = await makeCredential(server, account, { retrievable: true });
    const answer = await server.ask(
      'mutation ($id: ID!) { revealCredential(input: { id: $id }) { issued { secret } } }',
      { id },
      { token: caller.token },
    );
    expect(answer.code).toBe('FORBIDDEN');
    expect(await refusalOf(answer)).toMatchObject({ action: 'credential:reveal', code: 'FORBIDDEN' });
  });

  test('equal ones are counted in one row, none forgotten', async () => {
    const caller = await makeCaller(server);
    const { query, variables } = rename(await makeAccount(server), 'Mine');
    const many = 40;
    await Promise.all(
      Array.from({ length: many }, () => server.ask(query, variables, { token: caller.token })),
    );
    const actor = parseId(caller.id)?.uuid;
    const count = async () =>
      server.rows<{ times: number }>(
        `SELECT times FROM audit_events WHERE actor_id = :actor AND code = 'NOT_FOUND'`,
        { actor },
      );
    for (let waited = 0; waited < 3_000 && total(await count()) < many; waited += 50) await sleep(50);
    const rows = await count();
    expect(total(rows)).toBe(many);
    expect(rows.length).toBeLessThan(many / 2);
  });

  test('they wait where they cannot be written, and are written when they can', async () => {
    const caller = await makeCaller(server);
    const { query, variables } = rename(await makeAccount(server), 'Mine');
    await breakAudit();
    let answer: Answer;
    try {
      answer = await server.ask(query, variables, { token: caller.token });
      await sleep(1_200);
      expect(await rowsOf(answer)).toEqual([]);
    } finally {
      await mendAudit();
    }
    expect(await refusalOf(answer)).toMatchObject({ code: 'NOT_FOUND' });
  });
});

const total = (rows: { times: number }[]) => rows.reduce((sum, { times }) => sum + times, 0);
