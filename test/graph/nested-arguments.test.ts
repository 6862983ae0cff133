import { expectData, makeAccount, makeCredential, unique } from '../support/make.js';
import { startTestServer, type Answer, type TestServer } from '../support/server.js';

let server: TestServer;
let account: string;
beforeAll(async () => {
  server = await startTestServer();
  account = await makeAccount(server);
});
afterAll(() => server.stop());

type Variables = Record<string, unknown>;

/** How much is on record of what was done and tried. */
const recorded = async () =>
  (await server.rows("SELECT count(*)::integer AS n FROM audit_events WHERE outcome = 'DONE'"))[0]?.['n'];

/** Expects that this is refused, naming these fields, before anything is done. */
async function expectRefused(query: string, variables: Variables, paths: string[]): Promise<Answer> {
  const before = await recorded();
  const answer = await server.ask(query, variables);
  expect([answer.status, answer.code, await recorded()]).toEqual([400, 'BAD_USER_INPUT', before]);
  expect(answer.data).toBeNull();
  expect(answer.errors.flatMap(({ extensions: { fields = [] } }) => fields.map(({ path }) => path))).toEqual(
    paths,
  );
  return answer;
}

/** The mutations that answer with a secret, and an input that each would take. */
const deeds: [string, string, () => Promise<Variables>][] = [
  ['createCredential', 'CreateCredentialInput', async () => ({ account, name: unique('made') })],
  ['rotateCredential', 'RotateCredentialInput', async () => ({ id: (await made()).id })],
  ['revealCredential', 'RevealCredentialInput', async () => ({ id: (await made()).id })],
  ['issueTemporaryCredential', 'IssueTemporaryCredentialInput', async () => ({ parent: (await made()).id })],
];
const made = () => makeCredential(server, account, { retrievable: true });

describe.each(deeds)('%s is not done', (verb, type, inputOf) => {
  /** The mutation with this selection, and a valid input. */
  const refused = async (selection: string, paths: string[], variables: Variables = {}, more = '') => {
    const given = await inputOf();
    const input = verb === 'createCredential' ? { ...given, secret: { accessKey: {} } } : given;
    const declared = [`$input: ${type}!`, more].join(' ');
    const query = `mutation (${declared}) { ${verb}(input: $input) { ${selection} } }
      fragment Exported on IssuedSecret { mine: exports(prefix: "my-app") }`;
    const whole = selection.includes('...Exported') ? query : (query.split('fragment')[0] ?? '');
    return expectRefused(whole, { input, ...variables }, paths);
  };

  test('where a prefix cannot be one', async () => {
    const { errors, text } = await refused('issued { secret exports(prefix: "my-app") }', ['prefix']);
    expect(errors[0]).toMatchObject({ locations: [{ line: 1 }] });
    expect(text).not.toContain('my-app');
  });

  test('where that is under an alias, in a fragment or in a variable', async () => {
    await refused('issued { secret lines: exports(prefix: "") }', ['prefix']);
    await refused('issued { secret ...Exported }', ['prefix']);
    await refused('issued { ... on IssuedSecret { ...Exported } }', ['prefix']);
    await refused('issued { exports(prefix: $of) }', ['prefix'], { of: 'my app' }, '$of: String');
    await refused('issued { exports(prefix: $of) }', ['prefix'], {}, '$of: String = "my-app"');
  });

  test('where a cursor beneath it is none of that list', async () => {
    for (const list of ['auditEvents', 'derived'])
      await refused(`issued { secret } credential { ${list}(after: "abc") { totalCount } }`, ['after']);
    await refused('credential { account { subAccounts(after: "") { totalCount } } }', ['after']);
    await refused('credential { account { projects(after: "abc") { totalCount } } }', ['after']);
    const at = 'account { credentials(after: $at, orderBy: { by: NAME }) { totalCount } }';
    await refused(`credential { ${at} }`, ['after'], { at: 'abc' }, '$at: String');
  });

  test('where a filter beneath it cannot mean anything', async () => {
    for (const parent of ['account', 'store', 'project', 'roles']) {
      const under = (filter: string) =>
        `credential { ${parent} { credentials(filter: ${filter}) { totalCount } } }`;
      await refused(under('{ search: "" }'), ['filter.search']);
      await refused(under(`{ owner: ["${account}", "no-such-id"] }`), ['filter.owner.1']);
    }
  });

  test('where a directive beneath it has no value', async () => {
    const without = { where: null };
    await refused('issued { secret @include(if: $where) }', ['if'], without, '$where: Boolean = true');
    await refused('... @skip(if: $where) { issued { secret } }', ['if'], without, '$where: Boolean = true');
  });
});

test('what a mutation leaves out is not looked at', async () => {
  const { id } = await made();
  const answer = await server.ask(
    `mutation ($id: ID!, $of: String, $lines: Boolean!) {
      rotateCredential(input: { id: $id }) { issued { secret exports(prefix: $of) @include(if: $lines) } }
    }`,
    { id, of: '', lines: false },
  );
  expect(expectData(answer).rotateCredential.issued).toEqual({ secret: expect.any(String) });
});

test('what is right is done, with cursors, filters and prefixes', async () => {
  const { id } = await made();
  const page = await server.ask(
    'query ($id: ID!) { credential(id: $id) { auditEvents { pageInfo { endCursor } } } }',
    { id },
  );
  const at = expectData(page).credential.auditEvents.pageInfo.endCursor;
  const answer = await server.ask(
    `mutation ($id: ID!, $at: String, $owner: [ID!], $of: String = null) {
      rotateCredential(input: { id: $id }) {
        issued { exports(prefix: $of) named: exports(prefix: "MY_APP", shell: FISH) }
        credential {
          auditEvents(first: 1, after: $at) { totalCount }
          account { credentials(filter: { owner: $owner, status: [ACTIVE] }, orderBy: { by: NAME }) { totalCount } }
        }
      }
    }`,
    { id, at, owner: [account] },
  );
  const { issued, credential } = expectData(answer).rotateCredential;
  expect(issued).toEqual({
    exports: expect.stringContaining('KEYWAY_SECRET'),
    named: expect.stringContaining('MY_APP_SECRET'),
  });
  expect(credential.auditEvents.totalCount).toBeGreaterThan(0);
});

describe('S49: a chosen value that shell lines cannot carry', () => {
  const key = '-----BEGIN KEY-----\r\nMARKER\r\n-----END KEY-----';
  const create = (of: string) =>
    `mutation ($input: CreateCredentialInput!) { createCredential(input: $input) { issued { ${of} } } }`;
  const input = () => ({
    account,
    name: unique('made'),
    secret: { providerKeys: { ssh: { privateKey: key } } },
  });

  test('makes nothing where the lines are asked for', async () => {
    const path = 'input.secret.providerKeys.ssh.privateKey';
    const { text } = await expectRefused(create('exports'), { input: input() }, [path]);
    expect(text).not.toContain('MARKER');
  });

  test('is taken where they are not', async () => {
    const { issued } = expectData(
      await server.ask(create('keys { value }'), { input: input() }),
    ).createCredential;
    expect(issued.keys).toContainEqual({ value: key });
  });

  test('is for the field alone that it was given to', async () => {
    const both = `mutation ($input: CreateCredentialInput!, $id: ID!) {
      createCredential(input: $input) { credential { id } }
      rotateCredential(input: { id: $id }) { issued { ...Lines } }
    }
    fragment Lines on IssuedSecret { exports }`;
    expectData(await server.ask(both, { input: input(), id: (await made()).id }));
  });
});

test('S3: a document over a limit is refused for that, and its arguments are not looked at', async () => {
  const deep = `mutation ($id: ID!) { ${'a'
    .repeat(30)
    .split('')
    .map(
      (letter, index) =>
        `${letter}${index}: rotateCredential(input: { id: $id }) { issued { exports(prefix: "") } }`,
    )
    .join(' ')} }`;
  expect((await server.ask(deep, { id: (await made()).id })).code).toBe('LIMIT_EXCEEDED');
});

describe('an error that nobody could foresee, after the deed', () => {
  /** As if a part of the database failed just then. */
  async function without<Result>(table: string, work: () => Promise<Result>): Promise<Result> {
    await server.rows(`ALTER TABLE ${table} RENAME TO ${table}_away`);
    try {
      return await work();
    } finally {
      await server.rows(`ALTER TABLE ${table}_away RENAME TO ${table}`);
    }
  }
  const rotate = (id: string, of: string, idempotencyKey?: string) =>
    server.ask(
      `mutation ($input: RotateCredentialInput!) { rotateCredential(input: $input) { issued { secret } credential { ${of} } } }`,
      { input: { id, idempotencyKey } },
    );

  test('R3: takes the secret along, and the repeated request has it again', async () => {
    const { id } = await made();
    const key = unique('key');
    const of = 'account { identities { issuer } } versions { number }';
    const answer = await without('identities', () => rotate(id, of, key));
    expect([answer.code, answer.data]).toEqual(['INTERNAL_SERVER_ERROR', null]);
    const { issued, credential } = expectData(await rotate(id, of, key)).rotateCredential;
    expect([issued.secret, credential.versions.length]).toEqual([expect.any(String), 2]);
  });
});
