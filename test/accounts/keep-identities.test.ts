import { parseId } from '../../src/ids.js';
import { trusting } from '../support/issuer.js';
import {
  expectData,
  grant,
  makeAccount,
  makeCaller,
  makeCredential,
  makeRole,
  unique,
} from '../support/make.js';
import { statementsOf } from '../support/statements.js';
import { startTestServer, type AskOptions, type TestServer } from '../support/server.js';
import { readNode, run as runOn } from '../support/verbs.js';

const issuer = 'https://id.example.com';
const other = 'https://other.example.com';
let server: TestServer;

beforeAll(async () => {
  const settings = { jwks: 'https://id.example.com/keys', audience: 'keyway', algorithms: ['ES256'] };
  server = await startTestServer(trusting({ issuer, ...settings }, { issuer: other, ...settings }));
});
afterAll(() => server.stop());

const someone = (from = issuer) => ({ issuer: from, subject: unique('subject') });
const run = (mutation: string, input: Record<string, unknown>, options?: AskOptions) =>
  runOn(server, mutation, input, options);
const give = (id: string, identities: unknown, options?: AskOptions) =>
  run('updateAccount', { id, identities }, options);
const identitiesOf = async (id: string) =>
  (await readNode(server, id, '... on Account { identities { issuer subject } }')).identities;

describe('identities', () => {
  test('are given at creation, and read in one order', async () => {
    const subjects = ['b', 'a'].map((start) => unique(start));
    const [b = '', a = ''] = subjects;
    const id = await makeAccount(server, {
      identities: [
        { issuer: other, subject: a },
        { issuer, subject: b },
        { issuer, subject: a },
      ],
    });
    expect(await identitiesOf(id)).toEqual([
      { issuer, subject: a },
      { issuer, subject: b },
      { issuer: other, subject: a },
    ]);
    expect(await identitiesOf(await makeAccount(server))).toEqual([]);
    expect(await identitiesOf(await makeAccount(server, { identities: null }))).toEqual([]);
  });

  test('are replaced by an update, kept where it leaves them out, and gone with null or none', async () => {
    const [one, two, three] = [someone(), someone(), someone(other)];
    const id = await makeAccount(server, { identities: [one, two] });
    expectData(await give(id, [two, three]));
    expect(await identitiesOf(id)).toEqual([two, three]);
    expectData(await run('updateAccount', { id, title: 'Kept' }));
    expect(await identitiesOf(id)).toEqual([two, three]);
    for (const none of [null, []]) {
      expectData(await give(id, [one]));
      expectData(await give(id, none));
      expect(await identitiesOf(id)).toEqual([]);
    }
  });

  test('are on record as changed, where they are', async () => {
    const [one, two] = [someone(), someone()];
    const id = await makeAccount(server, { identities: [one, two] });
    const changedBy = async (input: Record<string, unknown>) => {
      const answer = await run('updateAccount', { id, ...input });
      const [row] = await server.rows<{ changed: string[] }>(
        'SELECT changed FROM audit_events WHERE request_id = :request',
        { request: answer.headers.get('x-request-id') },
      );
      return row?.changed;
    };
    expect(await changedBy({ identities: [two, one] })).toEqual([]);
    expect(await changedBy({ identities: [one] })).toEqual(['identities']);
    expect(await changedBy({ identities: [one, two], title: 'Both' })).toEqual(['title', 'identities']);
    expect(await changedBy({ identities: null })).toEqual(['identities']);
    expect(await changedBy({ identities: [] })).toEqual([]);
  });

  test('that change are a change of the account', async () => {
    const id = await makeAccount(server);
    const before = (await readNode(server, id, '... on Account { updatedAt }')).updatedAt as string;
    expectData(await give(id, [someone()]));
    const { updatedAt } = await readNode(server, id, '... on Account { updatedAt }');
    expect(updatedAt > before).toBe(true);
  });

  test('are told apart by every letter', async () => {
    const { subject } = someone();
    const subjects = [subject, subject.toUpperCase(), `${subject} `, `${subject}\u00e9`, `${subject}e\u0301`];
    const ids = [];
    for (const one of subjects)
      ids.push(await makeAccount(server, { identities: [{ issuer, subject: one }] }));
    for (const [index, id] of ids.entries())
      expect(await identitiesOf(id)).toEqual([{ issuer, subject: subjects[index] }]);
  });

  test('are at most 20', async () => {
    const many = Array.from({ length: 20 }, () => someone());
    const id = await makeAccount(server, { identities: many });
    expect(await identitiesOf(id)).toHaveLength(20);
    const { code, errors } = await give(id, [...many, someone()]);
    expect([code, errors[0]?.extensions.fields]).toEqual([
      'BAD_USER_INPUT',
      [{ path: 'input.identities', message: 'must be a list of at most 20 items' }],
    ]);
    expect(await identitiesOf(id)).toHaveLength(20);
  });

  test.each<[string, (good: object) => unknown[], string]>([
    ['the same twice', (good) => [good, someone(), good], 'input.identities.2'],
    [
      'an issuer that is not configured',
      (good) => [good, { ...someone(), issuer: 'https://mark.example.com' }],
      'input.identities.1.issuer',
    ],
    [
      'an issuer in other letters',
      () => [{ ...someone(), issuer: issuer.toUpperCase() }],
      'input.identities.0.issuer',
    ],
    ['an empty issuer', () => [{ ...someone(), issuer: '' }], 'input.identities.0.issuer'],
    ['an empty subject', (good) => [good, { issuer, subject: '' }], 'input.identities.1.subject'],
    [
      'a subject of 256 characters',
      () => [{ issuer, subject: 'x'.repeat(256) }],
      'input.identities.0.subject',
    ],
    ['a subject with NUL', () => [{ issuer, subject: 'mark\0' }], 'input.identities.0.subject'],
    [
      'a subject that turns text around',
      () => [{ issuer, subject: 'mark\u202e' }],
      'input.identities.0.subject',
    ],
    ['a subject that is no text', () => [{ issuer, subject: 7 }], 'input.identities.0.subject'],
  ])('S10, S11: %s is BAD_USER_INPUT, and nothing changes', async (_, given, path) => {
    const good = someone();
    const id = await makeAccount(server, { identities: [good] });
    for (const answer of [
      await give(id, given(good)),
      await run('createAccount', {
        kind: 'PERSON',
        name: unique('refused'),
        title: 'Refused',
        identities: given(someone()),
      }),
    ]) {
      const paths = answer.errors[0]?.extensions.fields?.map((field) => field.path);
      expect([answer.code, paths]).toEqual(['BAD_USER_INPUT', [path]]);
      expect(answer.text).not.toContain('mark');
    }
    expect(await identitiesOf(id)).toEqual([good]);
    expect(await server.rows(`SELECT id FROM accounts WHERE title = 'Refused'`)).toEqual([]);
  });

  test('of another account are CONFLICT, and nothing changes', async () => {
    const [theirs, mine] = [someone(), someone()];
    const holder = await makeAccount(server, { identities: [theirs] });
    const id = await makeAccount(server, { identities: [mine] });
    const name = unique('conflict');
    expect((await give(id, [someone(), theirs])).code).toBe('CONFLICT');
    const created = await run('createAccount', { kind: 'PERSON', name, title: 'X', identities: [theirs] });
    expect(created.code).toBe('CONFLICT');
    expect(await server.rows('SELECT id FROM accounts WHERE name = :name', { name })).toEqual([]);
    expect([await identitiesOf(id), await identitiesOf(holder)]).toEqual([[mine], [theirs]]);
    expectData(await give(holder, []));
    expectData(await give(id, [theirs]));
    expect(await identitiesOf(id)).toEqual([theirs]);
  });

  test('R5: given to two accounts at once belong to one', async () => {
    const wanted = someone();
    const ids = await Promise.all(Array.from({ length: 6 }, () => makeAccount(server)));
    const codes = await Promise.all(ids.map(async (id) => (await give(id, [wanted])).code ?? 'done'));
    expect(codes.sort()).toEqual([...Array.from({ length: 5 }, () => 'CONFLICT'), 'done']);
    const held = await Promise.all(ids.map(identitiesOf));
    expect(held.filter((list) => list.length > 0)).toEqual([[wanted]]);
  });

  test('R1, R2: are given once under one key', async () => {
    const [one, two] = [someone(), someone()];
    const id = await makeAccount(server);
    const send = (identities: object[]) =>
      run('updateAccount', { id, identities, idempotencyKey: `key of ${one.subject}` });
    expectData(await send([one]));
    expectData(await give(id, [two]));
    expectData(await send([one]));
    expect(await identitiesOf(id)).toEqual([two]);
    expect((await send([two])).code).toBe('CONFLICT');
  });

  test('end with their account, and are free for another', async () => {
    const one = someone();
    const id = await makeAccount(server, { identities: [one] });
    const heir = await makeAccount(server);
    expectData(await run('deleteAccount', { id, transferTo: heir }));
    expect(await identitiesOf(heir)).toEqual([]);
    expect(await server.rows('SELECT 1 FROM identities WHERE subject = :subject', one)).toEqual([]);
    expectData(await give(heir, [one]));
  });
});

describe('S32: identities are shown', () => {
  const read = async (id: string, token: string) =>
    expectData(
      await server.ask(
        'query ($id: ID!) { node(id: $id) { ... on Account { name identities { subject } } } }',
        { id },
        { token },
      ),
    ).node;

  test('to the account itself and to those who manage it, and to nobody else that sees it', async () => {
    const one = someone();
    const parent = await makeAccount(server);
    const self = await makeCaller(server, [], {}, { parent, identities: [one] });
    const shown = [{ subject: one.subject }];
    expect((await read(self.id, self.token)).identities).toEqual(shown);
    const permissions = ['ACCOUNT_READ', 'CREDENTIAL_READ', 'ROLE_MANAGE', 'AUDIT_READ', 'PROJECT_MANAGE'];
    const managers = [
      await makeCaller(server, ['ACCOUNT_MANAGE']),
      await makeCaller(server, ['ACCOUNT_MANAGE'], { onAccount: parent }),
    ];
    for (const { token } of managers) expect((await read(self.id, token)).identities).toEqual(shown);
    const reader = await makeCaller(server, permissions);
    await grant(server, reader.id, await makeRole(server, ['ACCOUNT_MANAGE']), {
      onAccount: await makeAccount(server),
    });
    const seen = await read(self.id, reader.token);
    expect([typeof seen.name, seen.identities]).toEqual(['string', []]);
    const stranger = await makeCaller(server);
    expect(await read(self.id, stranger.token)).toBeNull();
  });

  test('S39: to each caller its own, also interleaved', async () => {
    const callers = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const one = someone();
        return { ...(await makeCaller(server, [], {}, { identities: [one] })), one };
      }),
    );
    const ask = async ({ token, one }: (typeof callers)[number]) => {
      const answer = await server.ask('{ viewer { identities { issuer subject } } }', {}, { token });
      expect(expectData(answer).viewer.identities).toEqual([one]);
    };
    await Promise.all(Array.from({ length: 5 }, () => callers.map(ask)).flat());
  });

  test('by one statement for however many accounts', async () => {
    const parent = await makeAccount(server);
    for (let made = 0; made < 12; made++) await makeAccount(server, { parent, identities: [someone()] });
    const counts: number[] = [];
    for (const first of [1, 12]) {
      const { result, statements } = await statementsOf(server, () =>
        server.ask(
          `query ($parent: ID!, $first: Int!) {
            accounts(filter: { parent: [$parent] }, first: $first) { nodes { identities { subject } } }
          }`,
          { parent, first },
        ),
      );
      const { nodes } = expectData(result).accounts;
      expect(nodes.map(({ identities }: { identities: object[] }) => identities.length)).toEqual(
        Array.from({ length: first }, () => 1),
      );
      counts.push(statements.length);
    }
    expect(counts).toEqual([3, 3]);
  });
});

describe('S38: nobody gives an identity', () => {
  const manager = (more: string[] = [], place = {}) =>
    makeCaller(server, ['ACCOUNT_READ', 'ACCOUNT_MANAGE', ...more], place);
  const powerful = async (permissions: string[], place = {}) => {
    const id = await makeAccount(server, { kind: 'SERVICE', identities: [someone()] });
    await grant(server, id, await makeRole(server, permissions), place);
    return id;
  };

  test('to an account that may do more than they', async () => {
    const { token } = await manager();
    const id = await powerful(['AUDIT_READ']);
    const before = await identitiesOf(id);
    expect((await give(id, [...before, someone()], { token })).code).toBe('FORBIDDEN');
    expect((await give(id, [someone()], { token })).code).toBe('FORBIDDEN');
    expect(await identitiesOf(id)).toEqual(before);
    const { token: auditor } = await manager(['AUDIT_READ']);
    expectData(await give(id, [...before, someone()], { token: auditor }));
  });

  test('to an account that may do the same, but also elsewhere', async () => {
    const [here, there] = [await makeAccount(server), await makeAccount(server)];
    const caller = await makeCaller(server, ['ACCOUNT_READ', 'ACCOUNT_MANAGE', 'CREDENTIAL_READ'], {
      onAccount: here,
    });
    const part = await makeAccount(server, { parent: here });
    await grant(server, part, await makeRole(server, ['CREDENTIAL_READ']), { onAccount: here });
    expectData(await give(part, [someone()], { token: caller.token }));
    await grant(server, part, await makeRole(server, ['CREDENTIAL_READ']), { onAccount: there });
    expect((await give(part, [someone()], { token: caller.token })).code).toBe('FORBIDDEN');
  });

  test('to an account that owns what they may not rotate', async () => {
    const { token } = await manager();
    const owner = await makeAccount(server);
    const elsewhere = await makeAccount(server);
    expectData(await give(owner, [someone()], { token }));
    const { id } = await makeCredential(server, elsewhere, { owner });
    expect((await give(owner, [someone()], { token })).code).toBe('FORBIDDEN');
    const owners = ['CREDENTIAL_READ', 'CREDENTIAL_ROTATE', 'CREDENTIAL_REVOKE'];
    const { token: there } = await manager(owners);
    expectData(await give(owner, [someone()], { token: there }));
    expectData(await run('deleteCredential', { id }));
    expectData(await give(owner, [someone()], { token }));
    await makeCredential(server, owner);
    expect((await give(owner, [someone()], { token })).code).toBe('FORBIDDEN');
  });

  test('but who manages the account may take one away, or leave it', async () => {
    const { token } = await manager();
    const [one, two] = [someone(), someone()];
    const id = await makeAccount(server, { identities: [one, two] });
    await grant(server, id, await makeRole(server, ['AUDIT_READ']));
    expectData(await give(id, [one, two], { token }));
    expectData(await give(id, [two], { token }));
    expect(await identitiesOf(id)).toEqual([two]);
    expectData(await give(id, null, { token }));
  });

  test.each<[string, Record<string, unknown>]>([
    ['is narrowed to some permissions', { secret: { token: { permissions: ['ACCOUNT_MANAGE'] } } }],
    ['may be used from some addresses', { allowedIps: ['127.0.0.0/8'] }],
    ['is not narrowed, but ends', {}],
  ])('to themselves, by a token that %s', async (_, input) => {
    const id = await makeAccount(server);
    await grant(server, id, await makeRole(server, ['ACCOUNT_MANAGE']));
    // What the account owns it may rotate by itself, whatever it was granted.
    const made = await makeCredential(server, id, { secret: { token: {} }, ...input });
    expect((await give(id, [someone()], { token: String(made.secret) })).code).toBe('FORBIDDEN');
    expect(await identitiesOf(id)).toEqual([]);
  });

  test('to an account that they may not manage', async () => {
    const id = await makeAccount(server);
    const { token } = await makeCaller(server, ['ACCOUNT_READ', 'ROLE_MANAGE', 'CREDENTIAL_CREATE']);
    expect((await give(id, [someone()], { token })).code).toBe('FORBIDDEN');
    const { token: blind } = await makeCaller(server);
    expect((await give(id, [someone()], { token: blind })).code).toBe('NOT_FOUND');
    expect(await identitiesOf(id)).toEqual([]);
  });

  test('and a refusal is on record', async () => {
    const { token, id: actor } = await manager();
    const id = await powerful(['AUDIT_READ']);
    const answer = await give(id, [someone()], { token });
    const request = answer.headers.get('x-request-id');
    for (let waited = 0; waited < 60; waited++) {
      const rows = await server.rows('SELECT * FROM audit_events WHERE request_id = :request', { request });
      if (rows.length > 0) {
        expect(rows).toMatchObject([
          { action: 'account:update', code: 'FORBIDDEN', actor_id: parseId(actor)?.uuid },
        ]);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('the refusal is not on record');
  });
});
