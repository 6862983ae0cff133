import { setTimeout as sleep } from 'node:timers/promises';
import { parseId } from '../../src/ids.js';
import { inDays } from '../credentials/verbs.js';
import {
  claimsAt,
  makeSigner,
  signed,
  startIssuer,
  trusting,
  type Signer,
  type TestIssuer,
} from '../support/issuer.js';
import { expectData, grant, makeAccount, makeCredential, makeRole, unique } from '../support/make.js';
import { startTestServer, type Answer, type TestServer } from '../support/server.js';
import { askSigned } from '../support/signing.js';
import { statementsOf } from '../support/statements.js';
import { run } from '../support/verbs.js';

let server: TestServer;
let issuer: TestIssuer;
/** Another one, whose subjects have the same names. */
let other: TestIssuer;
let signer: Signer;

beforeAll(async () => {
  signer = await makeSigner();
  issuer = await startIssuer(signer);
  other = await startIssuer(signer);
  server = await startTestServer(trusting(issuer.settings(), other.settings()));
});
afterAll(async () => {
  await server.stop();
  await issuer.stop();
  await other.stop();
});

const tokenOf = (subject: string, from = issuer) =>
  signed(signer, claimsAt(server.db.now(), from.name, subject));

/** An account that is called as by a subject of the issuer, with these permissions everywhere. */
async function makeIdentified(permissions: string[] = [], input: Record<string, unknown> = {}) {
  const subject = unique('subject');
  const identities = [{ issuer: issuer.name, subject }];
  const id = await makeAccount(server, { kind: 'PERSON', identities, ...input });
  if (permissions.length > 0) await grant(server, id, await makeRole(server, permissions));
  const token = await tokenOf(subject);
  const ask = (query: string, variables: Record<string, unknown> = {}) =>
    server.ask(query, variables, { token });
  return { id, subject, token, ask };
}

const viewer = '{ viewer { id } }';
const outcome = ({ data, code }: Answer) => (data?.viewer?.id as string | undefined) ?? code;

test('who is identified calls as the account, with what it may do', async () => {
  const caller = await makeIdentified(['ACCOUNT_READ']);
  const account = await makeAccount(server);
  expect(outcome(await caller.ask(viewer))).toBe(caller.id);
  const node = 'query ($id: ID!) { node(id: $id) { id } }';
  expect(expectData(await caller.ask(node, { id: account })).node).toEqual({ id: account });
  const answer = await run(server, 'updateAccount', { id: account, title: 'No' }, { token: caller.token });
  expect(answer.code).toBe('FORBIDDEN');
});

test('a subject is one of its issuer: the same name of another is nobody, or somebody else', async () => {
  const caller = await makeIdentified();
  const token = await tokenOf(caller.subject, other);
  expect((await server.ask(viewer, {}, { token })).status).toBe(401);
  const namesake = await makeAccount(server, {
    identities: [{ issuer: other.name, subject: caller.subject }],
  });
  expect(outcome(await server.ask(viewer, {}, { token }))).toBe(namesake);
  expect(outcome(await caller.ask(viewer))).toBe(caller.id);
});

test('who else may act as the account is told to no key of its own, and to no token that was narrowed', async () => {
  const { id, subject, ask } = await makeIdentified();
  const asked = '{ viewer { identities { subject } } }';
  const identities = [{ subject }];
  expect(expectData(await ask(asked)).viewer).toEqual({ identities });
  const token = async (permissions: string[] | null) =>
    (await makeCredential(server, id, { secret: { token: { permissions } } })).secret;
  expect(expectData(await server.ask(asked, {}, { token: await token(null) })).viewer).toEqual({
    identities,
  });
  for (const permissions of [[], ['ACCOUNT_READ', 'ACCOUNT_MANAGE']]) {
    const narrowed = await token(permissions);
    expect(expectData(await server.ask(asked, {}, { token: narrowed })).viewer).toEqual({ identities: [] });
  }
  const { accessKey, secret } = await makeCredential(server, id);
  const bySignature = await askSigned(server, { accessKey, secret }, asked);
  expect(expectData(bySignature).viewer).toEqual({ identities: [] });
});

test('one statement finds the caller and all that it may do', async () => {
  const caller = await makeIdentified(['ACCOUNT_READ', 'CREDENTIAL_READ']);
  const { result, statements } = await statementsOf(server, () => caller.ask('{ __typename }'));
  expectData(result);
  expect(statements.map(({ name }) => name)).toEqual(['identified-account']);
});

describe('S23: from the answer on', () => {
  const revocations: Record<string, (id: string) => Promise<Answer>> = {
    'the account is disabled': (id) => run(server, 'updateAccount', { id, enabled: false }),
    'the account is deleted': (id) => run(server, 'deleteAccount', { id }),
    'the identity is taken away': (id) => run(server, 'updateAccount', { id, identities: [] }),
    'the identity is replaced': (id) =>
      run(server, 'updateAccount', {
        id,
        identities: [{ issuer: issuer.name, subject: unique('subject') }],
      }),
  };

  test.each(Object.keys(revocations))('a token that was good calls no more: %s', async (name) => {
    const caller = await makeIdentified();
    expect(outcome(await caller.ask(viewer))).toBe(caller.id);
    const answer = await revocations[name]?.(caller.id);
    expect(answer?.errors).toEqual([]);
    const refused = await caller.ask(viewer);
    expect([refused.status, refused.code, refused.data]).toEqual([401, 'UNAUTHENTICATED', null]);
  });

  test('it calls again when the account is enabled', async () => {
    const caller = await makeIdentified();
    for (const enabled of [false, true, false, true]) {
      expectData(await run(server, 'updateAccount', { id: caller.id, enabled }));
      expect(outcome(await caller.ask(viewer))).toBe(enabled ? caller.id : 'UNAUTHENTICATED');
    }
  });

  test('a role that is granted or withdrawn counts', async () => {
    const caller = await makeIdentified();
    const account = await makeAccount(server);
    const sees = async () => {
      const answer = await caller.ask('query ($id: ID!) { node(id: $id) { id } }', { id: account });
      return expectData(answer).node !== null;
    };
    expect(await sees()).toBe(false);
    const granted = await grant(server, caller.id, await makeRole(server, ['ACCOUNT_READ']));
    expect(await sees()).toBe(true);
    expectData(await run(server, 'withdrawRole', { grant: granted }));
    expect(await sees()).toBe(false);
  });

  test('an identity that moved calls as the account that has it now', async () => {
    const caller = await makeIdentified();
    const next = await makeAccount(server);
    expectData(await run(server, 'updateAccount', { id: caller.id, identities: null }));
    const identities = [{ issuer: issuer.name, subject: caller.subject }];
    expectData(await run(server, 'updateAccount', { id: next, identities }));
    expect(outcome(await caller.ask(viewer))).toBe(next);
  });
});

test('S24: nobody, somebody disabled and somebody deleted are refused alike', async () => {
  const [disabled, deleted] = [await makeIdentified(), await makeIdentified()];
  expectData(await run(server, 'updateAccount', { id: disabled.id, enabled: false }));
  expectData(await run(server, 'deleteAccount', { id: deleted.id }));
  const tokens = [disabled.token, deleted.token, await tokenOf(unique('nobody'))];
  const told = [];
  for (const token of tokens) {
    const { status, text, headers } = await server.ask(viewer, {}, { token });
    told.push([status, text.replaceAll(headers.get('x-request-id') ?? 'none', 'ID')]);
  }
  for (const one of told) expect(one).toEqual(told[0]);
  expect(told[0]?.[0]).toBe(401);
});

test('S39: sequential and interleaved callers see their own', async () => {
  const callers = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const caller = await makeIdentified();
      const { id: credential } = await makeCredential(server, caller.id);
      return { ...caller, credential };
    }),
  );
  const document = '{ viewer { id identities { subject } } credentials { nodes { id } totalCount } }';
  const expectOwn = async ({ id, subject, credential, ask }: (typeof callers)[number]) =>
    expect(expectData(await ask(document))).toEqual({
      viewer: { id, identities: [{ subject }] },
      credentials: { nodes: [{ id: credential }], totalCount: 1 },
    });
  for (const caller of [...callers, ...[...callers].reverse()]) await expectOwn(caller);
  await Promise.all(Array.from({ length: 8 }, () => callers.map(expectOwn)).flat());
});

describe('S60: on record', () => {
  const rowsOf = (answer: Answer) =>
    server.rows('SELECT * FROM audit_events WHERE request_id = :id', {
      id: answer.headers.get('x-request-id'),
    });
  /** What is written soon after the answer. */
  async function rowsSoonOf(answer: Answer) {
    for (let waited = 0; waited < 3_000; waited += 50) {
      const rows = await rowsOf(answer);
      if (rows.length > 0) return rows;
      await sleep(50);
    }
    return [];
  }

  test('a deed names the account, and no credential', async () => {
    const caller = await makeIdentified(['ACCOUNT_MANAGE']);
    const answer = await run(
      server,
      'updateAccount',
      { id: caller.id, title: 'Me' },
      { token: caller.token },
    );
    expectData(answer);
    expect(await rowsOf(answer)).toMatchObject([
      {
        actor_id: parseId(caller.id)?.uuid,
        actor_credential_id: null,
        action: 'account:update',
        outcome: 'DONE',
        ip: '127.0.0.1',
      },
    ]);
    const event = expectData(
      await server.ask(
        `query ($actor: [ID!]) { auditEvents(filter: { actor: $actor }) { nodes { actor { id } actorCredential { id } } } }`,
        { actor: [caller.id] },
      ),
    ).auditEvents.nodes[0];
    expect(event).toEqual({ actor: { id: caller.id }, actorCredential: null });
  });

  test('a refusal names the account, and no credential', async () => {
    const caller = await makeIdentified();
    const id = await makeAccount(server);
    const answer = await run(server, 'updateAccount', { id, title: 'No' }, { token: caller.token });
    expect(answer.code).toBe('NOT_FOUND');
    expect(await rowsSoonOf(answer)).toMatchObject([
      { actor_id: parseId(caller.id)?.uuid, actor_credential_id: null, code: 'NOT_FOUND' },
    ]);
  });

  test('a token that is refused is a stranger', async () => {
    const answer = await server.ask(viewer, {}, { token: await tokenOf(unique('nobody')) });
    expect(await rowsSoonOf(answer)).toMatchObject([
      { actor_id: null, action: 'authenticate', code: 'UNAUTHENTICATED', outcome: 'REFUSED' },
    ]);
  });
});

test('R1: an idempotency key is one of its account, with whatever it calls', async () => {
  const caller = await makeIdentified(['ACCOUNT_READ', 'ACCOUNT_MANAGE']);
  const { secret } = await makeCredential(server, caller.id, { secret: { token: {} } });
  const input = { kind: 'PERSON', name: unique('once'), title: 'Once', idempotencyKey: unique('key') };
  const create = async (token: string) =>
    expectData(
      await server.ask(
        'mutation ($input: CreateAccountInput!) { createAccount(input: $input) { account { id } } }',
        { input },
        { token },
      ),
    ).createAccount.account.id as string;
  const id = await create(caller.token);
  expect(await create(caller.token)).toBe(id);
  expect(await create(String(secret))).toBe(id);
});

describe('S38: a token that is made by one who is identified', () => {
  const create = (token: string, account: string, input: Record<string, unknown> = {}) =>
    server.ask(
      `mutation ($input: CreateCredentialInput!) {
        createCredential(input: $input) { credential { expiresAt } issued { secret } }
      }`,
      { input: { account, name: 'own', secret: { token: {} }, ...input } },
      { token },
    );

  test('may do what the account may, ends with the one that it is made with, and is used like any other', async () => {
    const caller = await makeIdentified(['CREDENTIAL_CREATE']);
    const made = expectData(await create(caller.token, caller.id)).createCredential;
    const leftMs = Date.parse(made.credential.expiresAt) - server.db.now();
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(300_000);
    expect(outcome(await server.ask(viewer, {}, { token: made.issued.secret }))).toBe(caller.id);
    for (const days of [1, 367])
      expect((await create(caller.token, caller.id, { expiresAt: inDays(days) })).code).toBe('FORBIDDEN');
  });

  test('for an account that may do more is not had', async () => {
    const caller = await makeIdentified(['CREDENTIAL_CREATE', 'CREDENTIAL_READ']);
    const stronger = await makeAccount(server);
    await grant(server, stronger, await makeRole(server, ['AUDIT_READ']));
    expect((await create(caller.token, stronger)).code).toBe('FORBIDDEN');
  });
});

test('an account that must prove a second factor is shown no secret for an identity either', async () => {
  const caller = await makeIdentified(['CREDENTIAL_REVEAL', 'CREDENTIAL_READ'], { mfaRequired: true });
  const { id } = await makeCredential(server, caller.id, { retrievable: true });
  const reveal = await run(server, 'revealCredential', { id }, { token: caller.token });
  expect(reveal.code).toBe('FORBIDDEN');
  expectData(await run(server, 'updateAccount', { id: caller.id, mfaRequired: false }));
  expectData(await run(server, 'revealCredential', { id }, { token: caller.token }));
});

test('an issuer that is no longer configured vouches for nobody, and its identities stay', async () => {
  const subject = unique('subject');
  const identities = [issuer, other].map(({ name }) => ({ issuer: name, subject }));
  const fresh = await startTestServer(trusting(issuer.settings(), other.settings()));
  try {
    const id = await makeAccount(fresh, { identities });
    const ask = async (from: TestIssuer) =>
      outcome(await fresh.ask(viewer, {}, { token: await tokenOf(subject, from) }));
    expect([await ask(issuer), await ask(other)]).toEqual([id, id]);
    fresh.environment['KEYWAY_JWT_ISSUERS'] = JSON.stringify([issuer.settings()]);
    await fresh.restart();
    expect([await ask(issuer), await ask(other)]).toEqual([id, 'UNAUTHENTICATED']);
    const answer = await run(fresh, 'updateAccount', { id, identities });
    expect(answer.errors[0]?.extensions.fields?.map(({ path }) => path)).toEqual([
      'input.identities.1.issuer',
    ]);
    delete fresh.environment['KEYWAY_JWT_ISSUERS'];
    await fresh.restart();
    expect([await ask(issuer), await ask(other)]).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED']);
    const shown = await fresh.ask(
      'query ($id: ID!) { node(id: $id) { ... on Account { identities { issuer } } } }',
      {
        id,
      },
    );
    expect(expectData(shown).node.identities).toHaveLength(2);
  } finally {
    await fresh.stop();
  }
});
