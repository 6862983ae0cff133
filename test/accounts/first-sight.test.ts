import { parseId } from '../../src/ids.js';
import {
  claimsAt,
  makeSigner,
  signed,
  startIssuer,
  trusting,
  type Signer,
  type TestIssuer,
} from '../support/issuer.js';
import { expectData, makeAccount, makeRole, unique } from '../support/make.js';
import { startTestServer, type Answer, type TestServer } from '../support/server.js';
import { longestTransactionOf, statementsOf } from '../support/statements.js';
import { readNode, run } from '../support/verbs.js';
import { inTurn } from '../support/waiting.js';

let server: TestServer;
let issuer: TestIssuer;
let signer: Signer;
let acme: string;
let small: string;
let closed: string;
let leaving: string[];
/** One issuer of each kind, all with the same keys. */
const names = ['usual', 'few', 'shut', 'robots', 'plain', 'left', 'kept'];
const [usual, few, shut, robots, plain, left, kept] = names.map((name) => `urn:${name}`);

beforeAll(async () => {
  signer = await makeSigner();
  issuer = await startIssuer(signer);
  server = await startTestServer(trusting(issuer.settings()));
  acme = await makeAccount(server);
  small = await makeAccount(server);
  closed = await makeAccount(server);
  leaving = [await makeAccount(server), await makeAccount(server)];
  const reader = await makeRole(server, ['ACCOUNT_READ']);
  const when = [{ claim: 'groups', is: 'users' }];
  const named = (name = '', more: Record<string, unknown> = {}) => issuer.settings({ issuer: name, ...more });
  server.environment['KEYWAY_JWT_ISSUERS'] = JSON.stringify([
    named(usual, {
      accounts: { parent: acme, name: 'acme', title: 'email', when },
      roles: [{ claim: 'groups', is: 'users', role: reader, onAccount: acme }],
    }),
    named(few, { accounts: { parent: small, most: 2, when } }),
    named(shut, { accounts: { parent: closed, when } }),
    named(robots, { accounts: { parent: acme, kind: 'SERVICE', when } }),
    named(plain),
    named(left, { accounts: { parent: leaving[0], when } }),
    named(kept, { accounts: { parent: leaving[1], when } }),
  ]);
  await server.restart();
});
afterAll(async () => {
  await server.stop();
  await issuer.stop();
});

const document =
  '{ viewer { id kind name title email enabled parent { id } grants { id } identities { issuer subject pattern } } }';
async function ask(subject: string, more: Record<string, unknown> = {}, name = usual): Promise<Answer> {
  const claims = { ...claimsAt(server.db.now(), name ?? '', subject), groups: ['users'], ...more };
  return server.ask(document, {}, { token: await signed(signer, claims) });
}
const countOf = async (issuerName = usual) =>
  (
    await server.rows<{ count: number }>(
      'SELECT count(*)::int AS count FROM identities WHERE issuer = :issuerName',
      {
        issuerName,
      },
    )
  )[0]?.count;

test('who has no account gets one by the rule, once, and keeps it', async () => {
  const subject = unique('user');
  const answer = await ask(subject, { email: 'ada@example.com' });
  const { viewer } = expectData(answer);
  expect(viewer).toEqual({
    id: viewer.id,
    kind: 'PERSON',
    name: expect.stringMatching(/^acme-[0-9a-f]{20}$/) as string,
    title: 'ada@example.com',
    email: null,
    enabled: true,
    parent: { id: acme },
    grants: [],
    identities: [{ issuer: usual, subject, pattern: false }],
  });
  const again = expectData(await ask(subject, { email: 'other@example.com' })).viewer;
  expect([again.id, again.title]).toEqual([viewer.id, 'ada@example.com']);
  // Also without what it took to be let in.
  expect(expectData(await ask(subject, { groups: [] })).viewer.id).toBe(viewer.id);

  const uuid = parseId(viewer.id as string)?.uuid;
  const rows = await server.rows('SELECT * FROM audit_events WHERE target_id = :uuid', { uuid });
  expect(rows).toMatchObject([
    {
      account_id: uuid,
      actor_id: uuid,
      actor_credential_id: null,
      action: 'account:create',
      outcome: 'DONE',
      changed: ['identities'],
      request_id: answer.headers.get('x-request-id'),
      ip: '127.0.0.1',
    },
  ]);
});

test('however many requests come at once, one account is made', async () => {
  const subject = unique('user');
  const answers = await Promise.all(Array.from({ length: 8 }, () => ask(subject)));
  expect(new Set(answers.map((answer) => expectData(answer).viewer.id)).size).toBe(1);
});

test('the log says which user of which issuer called, beside the account', async () => {
  const subject = unique('user');
  const answer = await ask(subject);
  const { id } = expectData(answer).viewer as { id: string };
  const request = String(answer.headers.get('x-request-id'));
  const line = server.logged.find((one) => one.includes(request) && one.includes('"request"'));
  expect(JSON.parse(line ?? '')).toMatchObject({ issuer: usual, subject, account: parseId(id)?.uuid });
});

test('who does not fit the rule, and who comes from elsewhere, gets none', async () => {
  const before = [await countOf(), await countOf(plain)];
  for (const groups of [undefined, [], ['others'], 'user'])
    expect((await ask(unique('user'), { groups })).code).toBe('UNAUTHENTICATED');
  expect((await ask(unique('user'), {}, plain)).code).toBe('UNAUTHENTICATED');
  expect((await ask('user\u202e')).code).toBe('UNAUTHENTICATED');
  expect((await ask(unique('user'), { aud: 'elsewhere' })).code).toBe('UNAUTHENTICATED');
  expect([await countOf(), await countOf(plain)]).toEqual(before);
});

test('S23: who was disabled stays out, also where the account is that of a pattern', async () => {
  const subject = unique('user');
  const { id } = expectData(await ask(subject)).viewer as { id: string };
  expectData(await run(server, 'updateAccount', { id, enabled: false }));
  expect((await ask(subject)).code).toBe('UNAUTHENTICATED');
  const org = unique('org');
  const all = await makeAccount(server, {
    identities: [{ issuer: usual, subject: `of:${org}:*`, pattern: true }],
  });
  expect(expectData(await ask(`of:${org}:one`)).viewer.id).toBe(all);
  expectData(await run(server, 'updateAccount', { id: all, enabled: false }));
  expect((await ask(`of:${org}:one`)).code).toBe('UNAUTHENTICATED');
});

test('what it may do is what its token brings', async () => {
  const { id } = expectData(await ask(unique('user'))).viewer as { id: string };
  expect((await readNode(server, id, '... on Account { grants { id } }')).grants).toEqual([]);
  const token = async (groups: string[]) =>
    signed(signer, { ...claimsAt(server.db.now(), usual ?? '', unique('reader')), groups });
  const sees = async (groups: string[]) =>
    (
      await server.ask(
        'query ($id: ID!) { node(id: $id) { id } }',
        { id: acme },
        { token: await token(groups) },
      )
    ).data;
  expect(await sees(['users'])).toEqual({ node: { id: acme } });
});

test('no more are made than the rule says, and those that are there go on', async () => {
  const [one, two] = [unique('user'), unique('user')];
  expectData(await ask(one, {}, few));
  expectData(await ask(two, {}, few));
  expect((await ask(unique('user'), {}, few)).code).toBe('UNAUTHENTICATED');
  expect(server.logged.join('')).toContain('there are as many accounts as accounts.most says');
  expectData(await ask(one, {}, few));
});

test('where there are as many as there may be, the next are refused without a transaction', async () => {
  const refused = async () => (await ask(unique('user'), {}, few)).code;
  for (const subject of [unique('user'), unique('user')]) await ask(subject, {}, few);
  expect(await refused()).toBe('UNAUTHENTICATED');
  const { result, longest } = await longestTransactionOf(server, refused);
  expect([result, longest]).toEqual(['UNAUTHENTICATED', 0]);
  const { statements } = await statementsOf(server, refused);
  expect(statements).toHaveLength(2);
});

test('S23: whose identity is taken away stays out while the account is there, and who is deleted gets another', async () => {
  const subject = unique('user');
  const { id } = expectData(await ask(subject)).viewer as { id: string };
  expectData(await run(server, 'updateAccount', { id, identities: [] }));
  expect((await ask(subject)).code).toBe('UNAUTHENTICATED');
  expectData(await run(server, 'deleteAccount', { id }));
  const another = expectData(await ask(subject)).viewer as { id: string };
  expect(another.id).not.toBe(id);
});

test('who is given an account meanwhile is told no fault of ours', async () => {
  const [subject, other] = [unique('user'), await makeAccount(server)];
  const uuid = parseId(other)?.uuid;
  // Another request, between the look and the deed; the transaction that is undone undoes it too.
  await server.rows(`
    CREATE FUNCTION given_meanwhile() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO identities (account_id, issuer, subject) VALUES ('${uuid}', '${usual}', '${subject}'); RETURN NEW;
    END $$`);
  await server.rows(
    'CREATE TRIGGER given_meanwhile BEFORE INSERT ON accounts FOR EACH ROW EXECUTE FUNCTION given_meanwhile()',
  );
  try {
    expect((await ask(subject)).code).toBe('UNAUTHENTICATED');
  } finally {
    await server.rows('DROP TRIGGER given_meanwhile ON accounts');
    await server.rows('DROP FUNCTION given_meanwhile');
  }
  expectData(await ask(subject));
});

test('none is made below an account that is disabled or gone', async () => {
  const code = async () => (await ask(unique('user'), {}, shut)).code;
  expectData(await run(server, 'updateAccount', { id: closed, enabled: false }));
  expect(await code()).toBe('UNAUTHENTICATED');
  expectData(await run(server, 'updateAccount', { id: closed, enabled: true }));
  // A server remembers for a few seconds that there was none.
  await server.restart();
  expect(await code()).toBeUndefined();
  const [made] = expectData(
    await server.ask('query ($parent: [ID!]) { accounts(filter: { parent: $parent }) { nodes { id } } }', {
      parent: [closed],
    }),
  ).accounts.nodes as { id: string }[];
  for (const id of [made?.id, closed]) expectData(await run(server, 'deleteAccount', { id }));
  expect(await code()).toBe('UNAUTHENTICATED');
  expect(server.logged.join('')).toContain(
    'the parent of new accounts (accounts.parent) is not there, or is disabled',
  );
});

test('a title that is no line of text is the subject', async () => {
  for (const email of [undefined, '', ' ', 7, ['a'], 'a\nb', 'a\u202eb', 'x'.repeat(201)]) {
    const subject = unique('user');
    expect([email, expectData(await ask(subject, { email })).viewer.title]).toEqual([email, subject]);
  }
  const robot = expectData(await ask('robot', { name: 'The robot' }, robots)).viewer;
  expect([robot.kind, robot.title, robot.name]).toEqual([
    'SERVICE',
    'The robot',
    expect.stringMatching(/^user-[0-9a-f]{20}$/),
  ]);
});

// The embedded database has one connection: no two transactions meet on it.
if (process.env['TEST_DATABASE_URL'])
  describe('R5: at the moment at which the account above is deleted', () => {
    const remove = (id = '') => run(server, 'deleteAccount', { id });

    test('none is made where that was first', async () => {
      const [deleted, answer] = await inTurn(
        server,
        () => remove(leaving[0]),
        () => ask(unique('user'), {}, left),
      );
      expectData(deleted);
      expect([answer.code, await countOf(left)]).toEqual(['UNAUTHENTICATED', 0]);
    });

    test('one that was first is seen', async () => {
      const [answer, deleted] = await inTurn(
        server,
        () => ask(unique('user'), {}, kept),
        () => remove(leaving[1]),
      );
      expectData(answer);
      expect([deleted.code, await countOf(kept)]).toEqual(['CONFLICT', 1]);
    });
  });
