/**
 * @slow 40 s
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Statement } from '../../../src/database/database.js';
import { parseId } from '../../../src/ids.js';
import { mintAccessKey, mintPassword, mintToken } from '../../../src/keyring/token.js';
import { withoutLimits } from '../../support/answers.js';
import {
  expectData,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  makeRole,
  unique,
  type Made,
} from '../../support/make.js';
import { slowReads } from '../../support/held-reads.js';
import { startTestServer, type Answer, type TestServer } from '../../support/server.js';
import { statementsOf, takingsOf } from '../../support/statements.js';
import { run } from '../../support/verbs.js';
import { placesOf, read, remove, revoke, rotate, update } from '../verbs.js';
import { askOfAll, askWhether, codeOf, postVerify, verify, verifyAll, type Verdict } from './verifying.js';

let server: TestServer;
let account: string;
/** Who may verify what belongs to the account, and nothing else. */
let verifier: { id: string; token: string; credential: string };
/** Who may verify all that there is, but what belongs to the account: another's. */
let elsewhere: { id: string; token: string; credential: string };

beforeAll(async () => {
  // Behind a proxy that is believed, so that a forwarded address is the caller's.
  server = await startTestServer({ KEYWAY_TRUSTED_PROXIES: '127.0.0.0/8' });
  account = await makeAccount(server);
  verifier = await makeCaller(server, ['CREDENTIAL_VERIFY'], { onAccount: account });
  elsewhere = await makeCaller(server, ['CREDENTIAL_VERIFY'], { onAccount: await makeAccount(server) });
});
afterAll(() => server.stop());

type Input = Record<string, unknown>;

const notValid: Verdict = { valid: false, code: 'NOT_VALID', credential: null };
const valid = ({ id }: Made): Verdict => ({ valid: true, code: 'VALID', credential: { id } });

const kinds = {
  'an access key': () => ({ accessKey: {} }),
  'a token': () => ({ token: {} }),
  'a password': () => ({ password: { username: unique('user') } }),
};
type Kind = keyof typeof kinds;
const eachKind = test.each(Object.keys(kinds) as Kind[]);

const makeKey = (input: Input = {}) => makeCredential(server, account, input);
const makeOf = (kind: Kind, input: Input = {}) => makeKey({ secret: kinds[kind](), ...input });

/** What its holder presents. */
const presented = ({ accessKey, secret }: Made, more: Input = {}): Input => ({
  accessKey,
  proof: { secret },
  ...more,
});

/** The same with another secret: of a token, with one that fits its check digits. */
function wrong(made: Made, more: Input = {}): Input {
  const { accessKey, secret } = made;
  const other = /kw_(pat|key|svc)_/.test(secret ?? '')
    ? mintToken('key', { id: accessKey ?? '' }).token.expose()
    : `${secret?.slice(0, -1)}~`;
  return presented({ ...made, secret: other }, more);
}

/** What nobody has. */
const strangers: Record<Kind, () => Input> = {
  'an access key': () => {
    const { accessKey, secret } = mintAccessKey();
    return { accessKey, proof: { secret: secret.expose() } };
  },
  'a token': () => ({ proof: { secret: mintToken('key').token.expose() } }),
  'a password': () => ({ accessKey: unique('nobody'), proof: { secret: mintPassword().expose() } }),
};

/** Sets columns of a credential behind the server's back, as another replica would. */
const set = ({ id }: { id: string }, columns: string) =>
  server.rows(`UPDATE credentials SET ${columns} WHERE id = :id`, { id: parseId(id)?.uuid });

const verdictOn = (input: Input) => verify(server, input, verifier);
const codeOn = (input: Input) => codeOf(server, input, verifier);

describe('the right secret', () => {
  test.each<[string, Input]>([
    ['an access key', { accessKey: {} }],
    ['an access key with a prefix', { accessKey: { prefix: 'ACME-' } }],
    ['an access key in HEX', { accessKey: { secretFormat: 'HEX' } }],
    ['an access key in HEX with a prefix', { accessKey: { secretFormat: 'HEX', prefix: 'vera01ei-' } }],
    ['an access key in BASE64', { accessKey: { secretFormat: 'BASE64' } }],
    ['a token', { token: {} }],
    ['a token with a prefix', { token: { prefix: 'acme_' } }],
    ['a password that was made', { password: { username: 'ada-1' } }],
    ['a password that was chosen', { password: { username: 'ada-2', password: ' Größe  zählt ' } }],
  ])('of %s is valid, and tells whose it is', async (_, secret) => {
    const made = await makeKey({ secret });
    expect(await verdictOn(presented(made))).toEqual(valid(made));
    expect(await verdictOn(wrong(made))).toEqual(notValid);
  });

  test('of a token is valid without its id, and not beside another one', async () => {
    const [made, other] = [await makeOf('a token'), await makeOf('a token')];
    const proof = { secret: made.secret };
    expect(await verdictOn({ proof })).toEqual(valid(made));
    for (const accessKey of [other.accessKey, 'ada', `${made.accessKey} `])
      expect(await verdictOn({ accessKey, proof })).toEqual(notValid);
  });

  test('of an access key or password is valid with its public half alone', async () => {
    for (const kind of ['an access key', 'a password'] as const) {
      const [made, other] = [await makeOf(kind), await makeOf(kind)];
      const proof = { secret: made.secret };
      for (const input of [{ proof }, { accessKey: null, proof }, { accessKey: other.accessKey, proof }])
        expect(await verdictOn(input)).toEqual(notValid);
      expect(await verdictOn(presented(made))).toEqual(valid(made));
    }
  });

  test('S27: of a password is valid in every spelling of its user name, whatever that looks like', async () => {
    const names = [
      'ada.lovelace@example.com',
      'abcdefghijklmnopqrstuvwxyz',
      `svc.${'0123456789abcdef'.repeat(2)}`,
    ];
    for (const username of names) {
      const made = await makeKey({ secret: { password: { username } } });
      const wide = username.replace(/^./, (one) => String.fromCharCode(one.charCodeAt(0) + 0xfee0));
      for (const accessKey of [username, username.toUpperCase(), wide])
        expect(await verdictOn(presented(made, { accessKey }))).toEqual(valid(made));
      for (const accessKey of [`${username} `, ` ${username}`, `${username}.`])
        expect(await verdictOn(presented(made, { accessKey }))).toEqual(notValid);
    }
  });

  test('of another kind is not: a part of a token, the key of a pair, keys of a provider', async () => {
    const token = await makeOf('a token');
    const part = token.secret?.split('_')[3]?.slice(0, 43);
    const key = await makeKey({ secret: { accessKey: { prefix: 'acme' } } });
    const value = 'provider-secret-0001';
    const name = unique('provider');
    await makeKey({ name, secret: { providerKeys: { k8s: { token: value } } } });
    for (const input of [
      { accessKey: token.accessKey, proof: { secret: part } },
      { accessKey: token.accessKey, proof: { secret: token.secret?.slice(0, -6) } },
      { proof: { secret: ` ${token.secret} ` } },
      { accessKey: key.accessKey?.slice(4), proof: { secret: key.secret } },
      { accessKey: key.accessKey, proof: { secret: key.secret?.slice(4) } },
      { accessKey: key.accessKey?.toLowerCase(), proof: { secret: key.secret } },
      { accessKey: name, proof: { secret: value } },
    ])
      expect(await verdictOn(input)).toEqual(notValid);
  });
});

describe('the reason is told where the secret was right', () => {
  /** How each comes about, on a credential of any kind, and what must be asked for it to show. */
  const reasons: Record<string, { cause: (made: Made) => Promise<unknown>; asking?: Input }> = {
    DISABLED: { cause: ({ id }) => update(server, { id, enabled: false }) },
    EXPIRED: { cause: (made) => set(made, 'expires_at = now()') },
    REVOKED: { cause: ({ id }) => revoke(server, { id }) },
    IP_NOT_ALLOWED: { cause: ({ id }) => update(server, { id, allowedIps: ['192.0.2.1'] }) },
    ROLE_MISSING: { cause: async () => undefined, asking: { roles: ['KEYWAY_READER'] } },
  };

  test.each(
    Object.keys(reasons).flatMap((code) =>
      (Object.keys(kinds) as Kind[]).map((kind) => [code, kind] as const),
    ),
  )('S23: %s, of %s', async (code, kind) => {
    const { cause, asking } = reasons[code] ?? { cause: async () => undefined };
    const made = await makeOf(kind);
    expect(await verdictOn(presented(made))).toEqual(valid(made));
    await cause(made);
    expect(await verdictOn(presented(made, asking))).toEqual({
      valid: false,
      code,
      credential: { id: made.id },
    });
    expect(await verdictOn(wrong(made, asking))).toEqual(notValid);
  });

  test('the most final one comes first', async () => {
    const [of, carried, role] = [await makeAccount(server), unique('carried'), unique('missing')];
    const project = await makeProject(server, of);
    const made = await makeCredential(server, of, {
      project,
      roles: [await makeRole(server, [], { name: carried })],
    });
    await makeRole(server, [], { name: role });
    await set(made, `revoked_at = now(), expires_at = now(), enabled = false, allowed_ips = '{192.0.2.1}'`);
    const enable = async (enabled: boolean) =>
      expectData(await run(server, 'updateAccount', { id: of, enabled }));
    await enable(false);
    let asking: Input = {
      project: await makeProject(server, of),
      ip: '198.51.100.1',
      roles: [carried, role],
    };
    const steps: [string, () => Promise<unknown>][] = [
      ['NOT_VALID', async () => (asking = { ...asking, project })],
      ['REVOKED', () => set(made, 'revoked_at = NULL')],
      ['EXPIRED', () => set(made, 'expires_at = NULL')],
      ['DISABLED', () => set(made, 'enabled = true')],
      ['DISABLED', () => enable(true)],
      ['IP_NOT_ALLOWED', async () => (asking = { ...asking, ip: '192.0.2.1' })],
      ['ROLE_MISSING', async () => (asking = { ...asking, roles: [carried] })],
      ['VALID', async () => undefined],
    ];
    for (const [code, mend] of steps) {
      expect(await codeOf(server, presented(made, asking))).toBe(code);
      expect(await codeOf(server, wrong(made, asking))).toBe('NOT_VALID');
      await mend();
    }
  });

  test('S19: a credential is valid up to its end, by the clock of the database', async () => {
    const made = await makeKey();
    await set(made, `expires_at = now() + interval '1 hour'`);
    expect(await codeOn(presented(made))).toBe('VALID');
    await set(made, 'expires_at = now()');
    expect(await codeOn(presented(made))).toBe('EXPIRED');
    await set(made, 'expires_at = NULL');
    expect(await codeOn(presented(made))).toBe('VALID');
  });

  test('a credential whose standing is not known is not valid, and not told of', async () => {
    const made = await makeKey();
    for (const standing of ['PENDING', 'UNKNOWN']) {
      await set(made, `standing = '${standing}'`);
      expect(await verdictOn(presented(made))).toEqual(notValid);
    }
  });
});

describe('the address', () => {
  const ranges = ['192.0.2.0/24', '2001:db8:1::/48'];
  let made: Made;
  beforeAll(async () => {
    made = await makeKey({ allowedIps: ranges });
  });

  test.each([
    '192.0.2.0',
    '192.0.2.255',
    '::ffff:192.0.2.7',
    '::FFFF:c000:207',
    '0:0:0:0:0:ffff:c000:0207',
    '2001:db8:1::1',
    '2001:DB8:0001:0:0:0:0:1',
  ])('S55: %s is within', async (ip) => {
    expect(await codeOn(presented(made, { ip }))).toBe('VALID');
  });

  test.each([
    ...['192.0.1.255', '192.0.3.0', '2001:db8:2::', '::ffff:192.0.3.0'],
    // An IPv4 address in any other IPv6 one is another address (RFC 4291, 2.5.5.1; RFC 6052).
    ...['::192.0.2.7', '::c000:207', '64:ff9b::c000:207', '::ffff:0:c000:207', '2002:c000:207::'],
    // What has no one reading is no address.
    ...[
      '192.0.2.07',
      '192.0.2',
      '192.0.2.0/24',
      '0xc0.0.2.7',
      '3221225991',
      '192.0.2.7:443',
      '[2001:db8:1::1]',
    ],
    ...['192.0.2.7 ', '192.0.2.7, 192.0.2.7', '192.0.2.7,10.0.0.1', '2001:db8:1::1%eth0', 'localhost', '*'],
  ])('S53, S55: %j is not', async (ip) => {
    expect(await codeOn(presented(made, { ip }))).toBe('IP_NOT_ALLOWED');
  });

  test('S53: that is not told is within no list, and needed for none that is empty', async () => {
    const anywhere = await makeKey();
    for (const more of [{}, { ip: null }]) {
      expect(await codeOn(presented(made, more))).toBe('IP_NOT_ALLOWED');
      expect(await codeOn(presented(anywhere, more))).toBe('VALID');
    }
    expect(await codeOn(presented(anywhere, { ip: 'nowhere' }))).toBe('VALID');
  });

  test('S54: is the one that is asked about, never that of who asks', async () => {
    const here = await makeKey({ allowedIps: ['127.0.0.1', '192.0.2.7'] });
    const told: Record<string, string>[] = [
      {},
      { 'x-forwarded-for': '192.0.2.7' },
      { forwarded: 'for=192.0.2.7' },
    ];
    for (const headers of told) {
      const options = { token: verifier.token, headers };
      expect(await codeOf(server, presented(here), options)).toBe('IP_NOT_ALLOWED');
      expect((await postVerify(server, presented(here), options)).body.code).toBe('IP_NOT_ALLOWED');
      const there = presented(here, { ip: '198.51.100.1' });
      expect(await codeOf(server, there, options)).toBe('IP_NOT_ALLOWED');
    }
    const options = { token: verifier.token, headers: { 'x-forwarded-for': '198.51.100.1' } };
    expect(await codeOf(server, presented(here, { ip: '192.0.2.7' }), options)).toBe('VALID');
  });

  test('S53: is free again by null alone', async () => {
    const { id } = made;
    expect((await update(server, { id, allowedIps: [] })).code).toBe('BAD_USER_INPUT');
    expect(await codeOn(presented(made, { ip: '198.51.100.1' }))).toBe('IP_NOT_ALLOWED');
    expectData(await update(server, { id, allowedIps: null }));
    expect(await codeOn(presented(made, { ip: '198.51.100.1' }))).toBe('VALID');
  });
});

describe('the roles', () => {
  test('must all be carried, by their names', async () => {
    const names = [unique('role'), unique('role'), unique('role')];
    const roles = [];
    for (const name of names) roles.push(await makeRole(server, [], { name }));
    const made = await makeKey({ roles: roles.slice(0, 2) });
    const [one = '', two = '', other = ''] = names;
    for (const asked of [[], null, [one], [two, one], [one, one]])
      expect(await codeOn(presented(made, { roles: asked }))).toBe('VALID');
    for (const asked of [[other], [one, other], [one.toUpperCase()], [` ${one}`], ['nobody-has-it']])
      expect(await codeOn(presented(made, { roles: asked }))).toBe('ROLE_MISSING');
  });

  test('are told to who may verify and nothing else', async () => {
    const name = unique('role');
    const made = await makeKey({ roles: [await makeRole(server, [], { name })] });
    const answer = await server.ask(
      `mutation ($input: VerifyCredentialInput!) { verifyCredential(input: $input) {
        credential { id account { id } roles { name } } } }`,
      { input: presented(made) },
      verifier,
    );
    const { credential } = expectData(answer).verifyCredential;
    expect(credential).toEqual({ id: made.id, account: { id: account }, roles: [{ name }] });
    const { body } = await postVerify(server, presented(made), verifier);
    expect(body.credential.roles).toEqual([{ id: expect.any(String), name }]);
  });
});

test('the project must be its own', async () => {
  const [own, other] = [await makeProject(server, account), await makeProject(server, account)];
  const [within, without] = [await makeKey({ project: own }), await makeKey()];
  expect(await verdictOn(presented(within, { project: own }))).toEqual(valid(within));
  expect(await verdictOn(presented(within, { project: null }))).toEqual(valid(within));
  for (const input of [presented(within, { project: other }), presented(without, { project: own })])
    expect(await verdictOn(input)).toEqual(notValid);
});

describe('a rotation', () => {
  eachKind('of %s: the previous secret is valid within its grace period, and told apart', async (kind) => {
    const secret = kinds[kind]();
    const made = await makeKey({ secret });
    const rotated = async () => {
      const answer = await rotate(server, { id: made.id, gracePeriod: 'PT1H' });
      return { ...made, secret: expectData(answer).rotateCredential.issued.secret as string };
    };
    const previous: Verdict = { valid: true, code: 'VALID_PREVIOUS_SECRET', credential: { id: made.id } };
    const second = await rotated();
    expect(await verdictOn(presented(second))).toEqual(valid(made));
    expect(await verdictOn(presented(made))).toEqual(previous);
    const third = await rotated();
    expect(await verdictOn(presented(third))).toEqual(valid(made));
    expect(await verdictOn(presented(second))).toEqual(previous);
    expect(await verdictOn(presented(made))).toEqual(notValid);

    await server.rows(
      `UPDATE credential_versions SET valid_until = now() WHERE credential_id = :id AND state = 'PREVIOUS'`,
      { id: parseId(made.id)?.uuid },
    );
    expect(await verdictOn(presented(second))).toEqual(notValid);
    expect(await verdictOn(presented(third))).toEqual(valid(made));
  });

  test('S22: without grace ends the secret before at once', async () => {
    const made = await makeKey();
    const { issued } = expectData(await rotate(server, { id: made.id })).rotateCredential;
    expect(await verdictOn(presented(made))).toEqual(notValid);
    expect(await verdictOn(presented({ ...made, secret: issued.secret }))).toEqual(valid(made));
  });

  test('is safe to end once the previous secret was not seen for a day', async () => {
    const made = await makeKey();
    const { issued } = expectData(
      await rotate(server, { id: made.id, gracePeriod: 'PT48H' }),
    ).rotateCredential;
    const safe = async () => (await read(server, made.id)).rotation.safeToRetire as boolean;
    expect(await safe()).toBe(true);
    await verdictOn(presented({ ...made, secret: issued.secret }));
    await noted(made.id, 2);
    expect(await safe()).toBe(true);
    await verdictOn(presented(made));
    await noted(made.id, 1);
    expect(await safe()).toBe(false);
    await server.rows(
      `UPDATE credential_versions SET last_used_at = last_used_at - interval '1 day' WHERE credential_id = :id`,
      { id: parseId(made.id)?.uuid },
    );
    expect(await safe()).toBe(true);
  });
});

/** When a version was last used, once that is noted: within a second, and some time for a slow machine. */
async function noted(id: string, number: number): Promise<string> {
  for (let waited = 0; waited < 3_000; waited += 50) {
    const { versions } = await read(server, id);
    const { lastUsedAt } = versions.find((version: { number: number }) => version.number === number);
    if (lastUsedAt !== null) return lastUsedAt;
    await sleep(50);
  }
  throw new Error('the use was not noted');
}

describe('the last use', () => {
  eachKind('of %s is noted, of the credential and of the secret that was seen', async (kind) => {
    const made = await makeOf(kind);
    const { issued } = expectData(
      await rotate(server, { id: made.id, gracePeriod: 'PT1H' }),
    ).rotateCredential;
    const before = server.db.now();
    await verdictOn(presented(made));
    const first = await noted(made.id, 1);
    expect(Date.parse(first)).toBeGreaterThanOrEqual(Math.floor(before));
    expect(Date.parse(first)).toBeLessThanOrEqual(server.db.now());
    expect(await read(server, made.id)).toMatchObject({
      lastUsedAt: first,
      versions: [{ lastUsedAt: null }, {}],
    });
    await verdictOn(presented({ ...made, secret: issued.secret }));
    const second = await noted(made.id, 2);
    expect(await read(server, made.id)).toMatchObject({
      lastUsedAt: second,
      versions: [{ lastUsedAt: second }, { lastUsedAt: first }],
    });
  });

  test('is none where it was not good', async () => {
    const disabled = await makeKey({ enabled: false });
    const used = await makeKey();
    await verifyAll(server, [
      presented(disabled),
      wrong(disabled),
      presented(used, { roles: ['KEYWAY_READER'] }),
      wrong(used),
    ]);
    const later = await makeKey();
    await verdictOn(presented(later));
    await noted(later.id, 1);
    for (const { id } of [disabled, used]) expect((await read(server, id)).lastUsedAt).toBeNull();
  });

  test('is written when Keyway stops', async () => {
    const made = await makeKey();
    expect(await codeOn(presented(made))).toBe('VALID');
    await server.restart();
    expect((await read(server, made.id)).lastUsedAt).not.toBeNull();
  });
});

describe('S24: one answer for all that is not to be told', () => {
  /** Answers of both doors, whole but for what tells one request from another. */
  async function answersTo(input: Input, token: string) {
    const graph = await askWhether(server, input, { token });
    const route = await postVerify(server, input, { token });
    return [graph, route].map(({ status, headers, text }) => {
      const kept = [...headers].filter(([name]) => !/^(date|x-request-id|(x-)?ratelimit.*)$/.test(name));
      // What the caller has left of its minute is less each time, whatever it asks.
      return { status, headers: kept, text: withoutLimits(text) };
    });
  }

  eachKind('of %s', async (kind) => {
    const project = await makeProject(server, account);
    const right = async (input: Input = {}) => makeOf(kind, { project, ...input });
    const [disabled, expired, revoked, deleted, restricted, foreign] = [
      await right({ enabled: false }),
      await right(),
      await right(),
      await right(),
      await right({ allowedIps: ['192.0.2.1'] }),
      await right({ allowedIps: ['192.0.2.1'], roles: [await makeRole(server, [])] }),
    ];
    await set(expired, 'expires_at = now()');
    await revoke(server, { id: revoked.id });
    await remove(server, { id: deleted.id });
    const rotated = await right();
    await rotate(server, { id: rotated.id, gracePeriod: 'PT1H' });
    const other = await makeProject(server, account);
    const cases: [string, Input, string][] = [
      ['a wrong secret', wrong(await right()), verifier.token],
      ['another project', presented(await right(), { project: other }), verifier.token],
      ['disabled, and a wrong secret', wrong(disabled), verifier.token],
      ['expired, and a wrong secret', wrong(expired), verifier.token],
      ['revoked, and a wrong secret', wrong(revoked), verifier.token],
      ['a wrong address and a wrong secret', wrong(restricted, { ip: '192.0.2.2' }), verifier.token],
      ['a wrong secret within a grace period', wrong(rotated), verifier.token],
      ['deleted', presented(deleted), verifier.token],
      ['right, to one who may verify elsewhere', presented(await right()), elsewhere.token],
      ['disabled, to one who may verify elsewhere', presented(disabled), elsewhere.token],
      ['previous, to one who may verify elsewhere', presented(rotated), elsewhere.token],
      [
        'everything at once, to one who may verify elsewhere',
        presented(foreign, { ip: '192.0.2.2', project: other, roles: ['KEYWAY_READER'] }),
        elsewhere.token,
      ],
    ];
    const [graph, route] = await answersTo(strangers[kind](), verifier.token);
    expect(graph?.text).toContain('NOT_VALID');
    for (const [name, input, token] of cases)
      expect({ name, answers: await answersTo(input, token) }).toEqual({ name, answers: [graph, route] });
  });
});

describe('S23: from the answer on', () => {
  const ends: [
    string,
    string,
    (made: Made, of: { account: string; owner: string; role: string }) => Promise<unknown>,
    Input?,
  ][] = [
    ['revoked', 'REVOKED', ({ id }) => revoke(server, { id })],
    ['disabled', 'DISABLED', ({ id }) => update(server, { id, enabled: false })],
    [
      'of a disabled account',
      'DISABLED',
      (_, of) => run(server, 'updateAccount', { id: of.account, enabled: false }),
    ],
    [
      'of a deleted account',
      'NOT_VALID',
      async (_, of) => {
        const transferTo = await makeAccount(server);
        return run(server, 'deleteAccount', { id: of.account, transferTo, revokeCredentials: true });
      },
    ],
    [
      'of a disabled owner',
      'DISABLED',
      (_, of) => run(server, 'updateAccount', { id: of.owner, enabled: false }),
    ],
    ['without its role', 'ROLE_MISSING', ({ id }) => update(server, { id, roles: [] })],
    [
      'without a role that was deleted',
      'ROLE_MISSING',
      async ({ id }, { role }) => {
        expectData(await update(server, { id, roles: [] }));
        return run(server, 'deleteRole', { id: role });
      },
    ],
    ['for other addresses', 'IP_NOT_ALLOWED', ({ id }) => update(server, { id, allowedIps: ['192.0.2.2'] })],
    ['deleted', 'NOT_VALID', ({ id }) => remove(server, { id })],
    [
      'in another project',
      'NOT_VALID',
      async ({ id }, of) => update(server, { id, project: await makeProject(server, of.account) }),
    ],
    ['rotated', 'NOT_VALID', ({ id }) => rotate(server, { id })],
  ];

  test.each(ends)('a credential that is %s is %s, whatever was asked meanwhile', async (_, code, end) => {
    const of = await makeAccount(server);
    const name = unique('role');
    const role = await makeRole(server, [], { name });
    const project = await makeProject(server, of);
    const owner = await makeAccount(server, { kind: 'PERSON' });
    const made = await makeCredential(server, of, { owner, project, roles: [role] });
    const asking = presented(made, { ip: '192.0.2.1', roles: [name], project });
    expect(await codeOf(server, asking)).toBe('VALID');
    // Others go on asking for it all the time, so that whatever they share is shared now.
    let ended = false;
    const others = Promise.all(
      Array.from({ length: 4 }, async () => {
        const codes = [];
        while (!ended) codes.push(await codeOf(server, asking));
        return codes;
      }),
    );
    try {
      expectData((await end(made, { account: of, owner, role })) as Answer);
      expect(await codeOf(server, asking)).toBe(code);
      expect((await postVerify(server, asking)).body.code).toBe(code);
    } finally {
      ended = true;
    }
    for (const codes of await others) {
      expect(new Set(['VALID', code])).toEqual(new Set(['VALID', code, ...codes]));
      expect(codes).toEqual([...codes].sort((one, two) => Number(two === 'VALID') - Number(one === 'VALID')));
    }
  });

  test('S22: what is derived ends with its parent, and is only where that one is', async () => {
    const name = unique('role');
    const role = await makeRole(server, [], { name });
    const parent = await makeKey({ roles: [role] });
    const issued = async (input: Input = {}): Promise<Made> => {
      const answer = await server.ask(
        `mutation ($input: IssueTemporaryCredentialInput!) { issueTemporaryCredential(input: $input) {
          credential { id } issued { accessKey secret } } }`,
        { input: { parent: parent.id, ...input } },
      );
      const { credential, issued: pair } = expectData(answer).issueTemporaryCredential;
      return { id: credential.id, ...pair };
    };
    const [one, other] = [await issued(), await issued()];
    const asking = presented(one, { ip: '192.0.2.1', roles: [name] });
    expect(await verdictOn(asking)).toEqual(valid(one));
    const steps: [string, () => Promise<unknown>, () => Promise<unknown>][] = [
      [
        'DISABLED',
        () => update(server, { id: parent.id, enabled: false }),
        () => update(server, { id: parent.id, enabled: true }),
      ],
      ['EXPIRED', () => set(parent, 'expires_at = now()'), () => set(parent, 'expires_at = NULL')],
      [
        'IP_NOT_ALLOWED',
        () => update(server, { id: parent.id, allowedIps: ['192.0.2.2'] }),
        () => update(server, { id: parent.id, allowedIps: null }),
      ],
      [
        'ROLE_MISSING',
        () => update(server, { id: parent.id, roles: [] }),
        () => update(server, { id: parent.id, roles: [role] }),
      ],
    ];
    for (const [code, cause, mend] of steps) {
      await cause();
      expect(await codeOn(asking)).toBe(code);
      await mend();
      expect(await codeOn(asking)).toBe('VALID');
    }
    await rotate(server, { id: parent.id, gracePeriod: 'PT1H' });
    expect(await codeOn(asking)).toBe('VALID');
    await rotate(server, { id: parent.id });
    expect(await codeOn(asking)).toBe('REVOKED');
    expect(await codeOn(presented(other))).toBe('REVOKED');
  });

  test('what another process changes in the database is seen by the next', async () => {
    const made = await makeKey();
    for (let round = 0; round < 50; round++) {
      expect(await codeOn(presented(made))).toBe('VALID');
      await set(made, 'enabled = false');
      expect(await codeOn(presented(made))).toBe('DISABLED');
      await set(made, 'enabled = true');
    }
  });

  test('a caller whose right was withdrawn verifies nothing more', async () => {
    const made = await makeKey();
    const caller = await makeCaller(server, ['CREDENTIAL_VERIFY'], { onAccount: account });
    expect(await codeOf(server, presented(made), caller)).toBe('VALID');
    await server.rows('DELETE FROM grants WHERE account_id = :id', { id: parseId(caller.id)?.uuid });
    expect((await askWhether(server, presented(made), caller)).code).toBe('FORBIDDEN');
    expect((await postVerify(server, presented(made), caller)).status).toBe(403);
  });
});

describe('many at once', () => {
  const wantedOf = (made: readonly Made[]) =>
    made.map((one, index) => (index % 3 === 1 ? notValid : valid(one)));
  const inputsOf = (made: readonly Made[]) =>
    made.map((one, index) => (index % 3 === 1 ? wrong(one) : presented(one)));

  test('are answered in order, the same credential as often as it is asked for', async () => {
    const made = [];
    for (const kind of ['an access key', 'a token', 'a password', 'an access key', 'a token'] as const)
      made.push(await makeOf(kind));
    const asked = [...made, ...made.slice(0, 2), ...made.slice(3)];
    expect(await verifyAll(server, inputsOf(asked), verifier)).toEqual(wantedOf(asked));
    expect(await verifyAll(server, [], verifier)).toEqual([]);
  });

  test('a fault in one of them is told with its number, and none is answered', async () => {
    const made = await makeKey();
    const inputs = [presented(made), presented(made, { project: account }), presented(made)];
    const answer = await askOfAll(server, inputs, verifier);
    expect([answer.code, answer.data]).toEqual(['BAD_USER_INPUT', null]);
    expect(answer.errors[0]?.extensions.fields?.map(({ path }) => path)).toEqual(['inputs.1.project']);
    const line = [presented(made), presented(made, { accessKey: 'two\nlines' })];
    const { errors } = await askOfAll(server, line, verifier);
    expect(errors[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ path: 'inputs.1.accessKey' }],
    });
  });

  test('a hundred are the most', async () => {
    const made = await makeKey();
    const asked = Array.from({ length: 101 }, () => presented(made));
    const { result, statements } = await statementsOf(server, () => askOfAll(server, asked, verifier));
    expect([result.code, result.data]).toEqual(['LIMIT_EXCEEDED', null]);
    expect(result.errors[0]?.message).toBe('101 credentials are to be verified; 100 are allowed at once.');
    expect(statements).toHaveLength(1);
    expect(await verifyAll(server, asked.slice(1), verifier)).toEqual(Array(100).fill(valid(made)));
  });
});

describe('the statements', () => {
  // One finds the caller and what it may do.
  const asking = 1;
  const sizes = [1, 10, 100];
  let made: Record<'an access key' | 'a token', Made[]>;
  beforeAll(async () => {
    made = { 'an access key': [], 'a token': [] };
    for (const kind of ['an access key', 'a token'] as const)
      for (let count = 0; count < 100; count += 10)
        made[kind].push(...(await Promise.all(Array.from({ length: 10 }, () => makeOf(kind)))));
  });

  const asked = (selection: string) =>
    `mutation ($inputs: [VerifyCredentialInput!]!) { verifyCredentials(inputs: $inputs) { ${selection} } }`;

  async function expectCounted(inputs: Input[], code: string, count: number, selection = 'valid code') {
    const { result, statements } = await statementsOf(server, () =>
      server.ask(asked(selection), { inputs }, verifier),
    );
    const answers: Verdict[] = expectData(result).verifyCredentials;
    expect(answers).toHaveLength(inputs.length);
    expect([...new Set(answers.map((answer) => answer.code))]).toEqual([code]);
    // Their texts, so that a failure tells which there are.
    expect(statements.map(({ text }) => text)).toHaveLength(count);
  }

  test.each(['an access key', 'a token'] as const)('of %s are one, for 1, 10 and 100', async (kind) => {
    for (const size of sizes) {
      const some = made[kind].slice(0, size);
      await expectCounted(
        some.map((one) => presented(one)),
        'VALID',
        asking + 1,
      );
      await expectCounted(
        some.map((one) => wrong(one)),
        'NOT_VALID',
        asking + 1,
      );
      const strange = some.map(() => strangers[kind]());
      await expectCounted(strange, 'NOT_VALID', asking + 1);
    }
    // What is not valid is counted: by addresses that this process has no block of, side by side, and not once more.
    const guessed = made[kind].map((one, index) =>
      wrong(one, { ip: `2001:db8:${kind.length}:${index % 20}::${index}` }),
    );
    for (const wanted of [20, 0]) {
      const { takings, atOnce } = await takingsOf(server, () => verifyAll(server, guessed, verifier));
      expect(takings.filter((limit) => limit === 'guesses')).toHaveLength(wanted);
      expect(atOnce).toBeGreaterThanOrEqual(wanted);
    }
    const { takings } = await takingsOf(server, () =>
      verifyAll(
        server,
        made[kind].map((one) => wrong(one)),
        verifier,
      ),
    );
    expect(takings).not.toContain('guesses');
  });

  test.each(['an access key', 'a token'] as const)('of %s are one by the route, too', async (kind) => {
    const [one] = made[kind];
    const input = presented(one as Made, { ip: '192.0.2.1', roles: [], project: null });
    const { result, statements } = await statementsOf(server, () => postVerify(server, input, verifier));
    expect(result.body).toMatchObject({ code: 'VALID', credential: { id: one?.id } });
    expect(statements).toHaveLength(asking + 1);
  });

  test('of what is told of the credentials is one more, and one for all that they name', async () => {
    for (const size of sizes) {
      const inputs = made['an access key'].slice(0, size).map((one) => presented(one));
      const selection = 'valid code credential { id name status account { name } roles { name } }';
      await expectCounted(inputs, 'VALID', asking + 3, selection);
    }
  });

  test('of what can be no secret are none', async () => {
    const [token] = made['a token'];
    const mistyped = { proof: { secret: `${token?.secret?.slice(0, -1)}~` } };
    await expectCounted([mistyped], 'NOT_VALID', asking);
  });

  test('of passwords are a constant number more, for 1 and 10', async () => {
    const passwords: Made[] = [];
    for (let count = 0; count < 10; count++) passwords.push(await makeOf('a password'));
    for (const size of [1, 10]) {
      const some = passwords.slice(0, size);
      // Tries are counted before a password is looked at, and those who knew it are given theirs back.
      await expectCounted(
        some.map((one) => presented(one)),
        'VALID',
        asking + 3,
      );
      await expectCounted(
        some.map((one) => wrong(one)),
        'NOT_VALID',
        asking + 2,
      );
    }
  });
});

describe('S39: those who ask at the same moment', () => {
  const isNarrowed = ({ names }: Statement) => names.includes('verifyAccounts');

  test('each see what they may, however many share a statement', async () => {
    const tenants = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const of = await makeAccount(server);
        const made = [
          await makeCredential(server, of),
          await makeCredential(server, of, { secret: { token: {} } }),
        ];
        const project = await makeProject(server, of);
        const within = await makeCredential(server, of, { project });
        return {
          made: [...made, within],
          callers: [
            await makeCaller(server, ['CREDENTIAL_VERIFY'], { onAccount: of }),
            await makeCaller(server, ['CREDENTIAL_VERIFY'], { onAccount: of }),
          ],
          narrow: await makeCaller(server, ['CREDENTIAL_VERIFY'], { onProject: project }),
          within,
        };
      }),
    );
    const all = tenants.flatMap(({ made }) => made);
    const inputs = all.map((one) => presented(one));
    const askers = [
      ...tenants.flatMap(({ callers, made }) => callers.map(({ token }) => ({ token, sees: made }))),
      ...tenants.map(({ narrow, within }) => ({ token: narrow.token, sees: [within] })),
      { token: elsewhere.token, sees: [] as Made[] },
      { token: server.adminToken, sees: all },
    ];
    const rounds = 10;
    // Each twice, one behind the other: of those who come together, some ask for the same.
    const inOrder = Array.from({ length: rounds / 2 }, () => askers.flatMap((one) => [one, one])).flat();
    const quickAgain = slowReads(server.db, 100, isNarrowed);
    const { statements } = await statementsOf(server, () =>
      Promise.all(
        inOrder.map(async ({ token, sees }, index) => {
          // In another order each time, so that the same place in a batch is another's.
          const order = all.map((_, place) => (place + index) % all.length);
          const answers = await verifyAll(
            server,
            order.map((place) => inputs[place] ?? {}),
            { token },
          );
          const wanted = order.map((place) => {
            const one = all[place] as Made;
            return sees.includes(one) ? valid(one) : notValid;
          });
          expect(answers).toEqual(wanted);
        }),
      ),
    ).finally(quickAgain);
    // Had nothing been shared, there would be one for each that is narrowed to some tenant.
    expect(statements.filter(isNarrowed).length).toBeLessThan(rounds * (askers.length - 1));
  });
});

describe('who may not', () => {
  test('S29: is FORBIDDEN, whatever is presented, before any of it is looked at', async () => {
    const made = await makeKey();
    const caller = await makeCaller(server, ['CREDENTIAL_READ', 'CREDENTIAL_REVEAL', 'CREDENTIAL_CREATE']);
    for (const input of [presented(made), wrong(made), strangers['a token']()]) {
      const { result, statements } = await statementsOf(server, () => askWhether(server, input, caller));
      expect([result.code, result.data]).toEqual(['FORBIDDEN', null]);
      expect(statements).toHaveLength(1);
      expect((await askOfAll(server, [input], caller)).code).toBe('FORBIDDEN');
    }
    expect((await read(server, made.id)).lastUsedAt).toBeNull();
  });

  test('a token narrowed to other permissions neither', async () => {
    const caller = await makeCaller(server, ['CREDENTIAL_VERIFY', 'CREDENTIAL_READ']);
    const { secret: token } = await makeCredential(server, caller.id, {
      secret: { token: { permissions: ['CREDENTIAL_READ'] } },
    });
    expect((await askWhether(server, presented(await makeKey()), { token })).code).toBe('FORBIDDEN');
  });
});

describe('on record', () => {
  interface Counted {
    action: string;
    outcome: string;
    code: string | null;
    times: number;
  }

  /** What is on record of a caller, once it is so many decisions: within a second, and some time for a slow machine. */
  async function recorded({ id }: { id: string }, decisions: number): Promise<Counted[]> {
    let rows: Counted[] = [];
    for (let waited = 0; waited < 3_000; waited += 50) {
      rows = await server.rows<Counted>(
        `SELECT action, outcome, code, sum(times)::integer AS times FROM audit_events
         WHERE actor_id = :id GROUP BY action, outcome, code ORDER BY outcome, code`,
        { id: parseId(id)?.uuid },
      );
      if (rows.reduce((sum, { times }) => sum + times, 0) >= decisions) break;
      await sleep(50);
    }
    return rows;
  }

  test('S60: each verification is counted, once, with how it ended', async () => {
    const caller = await makeCaller(server, ['CREDENTIAL_VERIFY'], { onAccount: account });
    const made = await makeKey();
    const disabled = await makeKey({ enabled: false });
    await verify(server, presented(made), caller);
    await postVerify(server, presented(made), caller);
    await verifyAll(
      server,
      [presented(made), wrong(made), presented(disabled), strangers['a token']()],
      caller,
    );
    await askWhether(server, presented(made, { project: account }), caller);
    const action = 'credential:verify';
    expect(await recorded(caller, 7)).toEqual([
      { action, outcome: 'DONE', code: null, times: 3 },
      { action, outcome: 'FAILED', code: 'BAD_USER_INPUT', times: 1 },
      { action, outcome: 'REFUSED', code: 'DISABLED', times: 1 },
      { action, outcome: 'REFUSED', code: 'NOT_VALID', times: 2 },
    ]);
  });

  test('S60: a refused caller is, by either door', async () => {
    const caller = await makeCaller(server);
    const made = await makeKey();
    await askWhether(server, presented(made), caller);
    await askOfAll(server, [presented(made), presented(made)], caller);
    await postVerify(server, presented(made), caller);
    expect(await recorded(caller, 3)).toEqual([
      { action: 'credential:verify', outcome: 'REFUSED', code: 'FORBIDDEN', times: 3 },
    ]);
  });

  test('S10, S41: nothing that was presented, right or wrong, is kept or told anywhere', async () => {
    const secrets: string[] = [];
    for (const kind of Object.keys(kinds) as Kind[]) {
      const made = await makeOf(kind);
      const [right, mistaken] = [presented(made), wrong(made)];
      secrets.push(made.secret ?? '', (mistaken['proof'] as { secret: string }).secret);
      for (const input of [right, mistaken]) {
        const answers = [await askWhether(server, input), await postVerify(server, input)];
        for (const { text } of answers) for (const secret of secrets) expect(text).not.toContain(secret);
      }
      const input = { ...right, accessKey: `${made.secret}\n` };
      for (const { text } of [await askWhether(server, input), await postVerify(server, input)]) {
        expect(text).toContain('BAD_USER_INPUT');
        expect(text).not.toContain(made.secret);
      }
    }
    const strange = `${unique('nobody')}-was-here`;
    await verify(server, { accessKey: strange, proof: { secret: 'a-password-of-nobody' }, ip: strange });
    await sleep(1_200);
    expect(await placesOf(server, [...secrets, strange, 'a-password-of-nobody'])).toEqual([]);
  });
});
