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
import { startTestServer, type AskOptions, type TestServer } from '../support/server.js';
import { statementsOf } from '../support/statements.js';
import { readNode, run } from '../support/verbs.js';

let server: TestServer;
let issuer: TestIssuer;
let signer: Signer;
/** Each test has an organization of its own at the issuer. */
let org: string;

beforeAll(async () => {
  signer = await makeSigner();
  issuer = await startIssuer(signer);
  server = await startTestServer(trusting(issuer.settings()));
});
beforeEach(() => {
  org = unique('org');
});
afterAll(async () => {
  await server.stop();
  await issuer.stop();
});

const main = (repository = '*') => `repo:${org}/${repository}:ref:refs/heads/main`;
const exact = (subject: string) => ({ issuer: issuer.name, subject });
const pattern = (subject: string) => ({ ...exact(subject), pattern: true });
const give = (id: string, identities: unknown[], options?: AskOptions) =>
  run(server, 'updateAccount', { id, identities }, options);
const having = async (...identities: unknown[]) => makeAccount(server, { identities });

/** Whom a token of this subject calls as, or why it does not. */
async function callerOf(subject: string): Promise<string | undefined> {
  const token = await signed(signer, claimsAt(server.db.now(), issuer.name, subject));
  const { data, code } = await server.ask('{ viewer { id } }', {}, { token });
  return (data?.viewer.id as string | undefined) ?? code;
}

/** The token of one who may manage these accounts alone, and do there what an account without rights can. */
async function managerOf(...accounts: string[]): Promise<string> {
  const id = await makeAccount(server);
  const role = await makeRole(server, [
    'ACCOUNT_MANAGE',
    'CREDENTIAL_READ',
    'CREDENTIAL_ROTATE',
    'CREDENTIAL_REVOKE',
  ]);
  for (const onAccount of accounts) await grant(server, id, role, { onAccount });
  return String((await makeCredential(server, id, { secret: { token: {} } })).secret);
}

test('all whom a pattern matches call as its account, and nobody else', async () => {
  const id = await having(pattern(main()));
  expect(await callerOf(main('app'))).toBe(id);
  expect(await callerOf(main('web.site'))).toBe(id);
  for (const other of [
    main(''),
    main('a/b'),
    main('a:b'),
    `${main('app')}2`,
    `x${main('app')}`,
    main('app').replace(org, `${org}2`),
    main('app').replace('main', 'other'),
    main('app').toUpperCase(),
  ])
    expect([other, await callerOf(other)]).toEqual([other, 'UNAUTHENTICATED']);
  expect(
    (await readNode(server, id, '... on Account { identities { subject pattern } }')).identities,
  ).toEqual([{ subject: main(), pattern: true }]);
});

test('what has a meaning in expressions has none in a pattern, and a star none in what is no pattern', async () => {
  const odd = `repo:${org}/(a|b)[c].{2}^$\\d+?é\u{1f511}`;
  const id = await having(pattern(`${odd}:*`), exact(main()));
  expect(await callerOf(`${odd}:x`)).toBe(id);
  expect(await callerOf(odd.replace('.', 'x') + ':x')).toBe('UNAUTHENTICATED');
  expect(await callerOf(`repo:${org}/a:x`)).toBe('UNAUTHENTICATED');
  expect(await callerOf(main())).toBe(id);
  expect(await callerOf(main('app'))).toBe('UNAUTHENTICATED');
});

test('an identity of its own comes before a pattern, and of patterns the one with the longer beginning', async () => {
  const broad = await having(pattern(`repo:${org}/**`));
  const narrow = await having(pattern(`repo:${org}/app-*:ref:refs/heads/main`));
  const own = await having(exact(main('app-one')));
  const callers = async () => [
    await callerOf(main('app-one')),
    await callerOf(main('app-two')),
    await callerOf(main('other')),
  ];
  expect(await callers()).toEqual([own, narrow, broad]);
  // S23: what is taken from one falls to no other while that one has the name.
  expectData(await run(server, 'updateAccount', { id: own, enabled: false }));
  expect(await callers()).toEqual(['UNAUTHENTICATED', narrow, broad]);
  expectData(await run(server, 'updateAccount', { id: narrow, enabled: false }));
  expect(await callers()).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED', broad]);
  expectData(await give(broad, []));
  expect(await callers()).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED', 'UNAUTHENTICATED']);
});

test('one statement finds the caller, also by a pattern', async () => {
  await having(pattern(main()));
  const token = await signed(signer, claimsAt(server.db.now(), issuer.name, main('app')));
  const { result, statements } = await statementsOf(server, () =>
    server.ask('{ __typename }', {}, { token }),
  );
  expectData(result);
  expect(statements.map(({ name }) => name)).toEqual(['identified-account']);
});

describe('S38: who does not manage the other account', () => {
  test('cannot take one of its users away', async () => {
    const wanted = exact(main('app'));
    const holder = await having(pattern(main()));
    const id = await makeAccount(server);
    const refused = await give(id, [wanted], { token: await managerOf(id) });
    expect([refused.code, refused.errors[0]?.message]).toEqual([
      'CONFLICT',
      'An identity belongs to another account.',
    ]);
    expect((await readNode(server, id, '... on Account { identities { subject } }')).identities).toEqual([]);
    expectData(await give(id, [wanted], { token: await managerOf(id, holder) }));
  });

  test('may give what overlaps nothing', async () => {
    await having(pattern(main()), exact(`repo:${org}/x:environment:prod`));
    const id = await makeAccount(server);
    expectData(await give(id, [exact(`repo:${org}/x:pull_request`)], { token: await managerOf(id) }));
  });
});

describe('S38: a pattern is given by who manages all accounts', () => {
  test.each<[string, () => object]>([
    ['that nobody has', () => pattern(main())],
    ['that another account has', () => pattern(`repo:${org}/taken-*:x`)],
    ['that takes many away', () => pattern(`repo:${org}/taken-app-*:x`)],
    ['that waits behind another', () => pattern(`repo:${org}/**`)],
  ])('and by nobody else: one %s', async (_, wanted) => {
    const holder = await having(pattern(`repo:${org}/taken-*:x`));
    const id = await makeAccount(server);
    // The same whether it overlaps or not, and whether the account with the other is managed or not.
    const managers = [await managerOf(id), await managerOf(id, holder)];
    for (const token of managers)
      expect((await give(id, [wanted()], { token })).errors[0]?.message).toBe(
        'A pattern of identities takes ACCOUNT_MANAGE everywhere.',
      );
    expect((await give(id, [wanted()], { token: String(managers[0]) })).code).toBe('FORBIDDEN');
    expect((await readNode(server, id, '... on Account { identities { subject } }')).identities).toEqual([]);
  });

  test('who manages the account keeps one and takes it away', async () => {
    const id = await having(pattern(main()), exact(`repo:${org}/x:pull_request`));
    const token = await managerOf(id);
    expectData(await give(id, [pattern(main())], { token }));
    expectData(await give(id, [], { token }));
    expect(await callerOf(main('app'))).toBe('UNAUTHENTICATED');
  });
});

test('patterns of two accounts that begin alike must not overlap, whoever gives them', async () => {
  const id = await having(pattern(main()));
  const other = await makeAccount(server);
  const refused = await give(other, [pattern(`repo:${org}/*:ref:refs/heads/*`)]);
  expect([refused.code, refused.errors[0]?.message]).toEqual([
    'CONFLICT',
    'A pattern of another account begins with the same letters, and matches some of the same users.',
  ]);
  expect((await give(other, [pattern(main())])).code).toBe('CONFLICT');
  // Those of one account may.
  expectData(await give(id, [pattern(main()), pattern(`repo:${org}/*:ref:refs/heads/*`)]));
  expect(await callerOf(main('app'))).toBe(id);
});

test('of two that overlap and are given at once, one is given', async () => {
  const accounts = await Promise.all(Array.from({ length: 4 }, () => makeAccount(server)));
  const answers = await Promise.all(accounts.map((id) => give(id, [pattern(main())])));
  expect(answers.map(({ code }) => code).filter((code) => code !== 'CONFLICT')).toEqual([undefined]);
});

test('a hundred patterns begin alike, and no more', async () => {
  const form = (count: number) => pattern(`repo:${org}/*:ref:refs/heads/b${count}`);
  for (let from = 0; from < 100; from += 20)
    await having(...Array.from({ length: 20 }, (_, index) => form(from + index)));
  const refused = await give(await makeAccount(server), [form(100)]);
  expect([refused.code, refused.errors[0]?.message]).toEqual([
    'CONFLICT',
    'There are 100 patterns that begin like one of these.',
  ]);
});

test('S11: what is no pattern is BAD_USER_INPUT, and nothing changes', async () => {
  const id = await having(exact('kept'));
  const { code, errors } = await give(id, [exact('other'), pattern('repo:*')]);
  expect([code, errors[0]?.extensions.fields?.[0]?.path]).toEqual([
    'BAD_USER_INPUT',
    'input.identities.1.subject',
  ]);
  expect(await callerOf('kept')).toBe(id);
});
