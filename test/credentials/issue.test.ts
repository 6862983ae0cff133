/**
 * @slow 20 s
 */
import { randomUUID } from 'node:crypto';
import { encodeId, parseId } from '../../src/ids.js';
import {
  expectData,
  grant,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  makeRole,
  unique,
  type Made,
} from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import { askSigned, callingSchemes, question, send, signedBy } from '../support/signing.js';
import { run } from '../support/verbs.js';
import { sql } from '../../src/database/database.js';
import { derivedFrom, issue, issued, issueSigned, madeBy, standingOf, verdictOn } from './temporary.js';
import { faultPaths, inDays, placesOf, read, remove, revoke, rotate, statusWith, update } from './verbs.js';

let server: SharedServer;
let account: string;
let roles: { id: string; name: string }[];
beforeAll(async () => {
  server = await sharedServer();
  account = await makeAccount(server);
  roles = await Promise.all(
    ['one', 'two', 'three'].map(async (start) => {
      const name = unique(start);
      return { id: await makeRole(server, [], { name }), name };
    }),
  );
});

const minuteMs = 60_000;
const works = { code: 'VALID', status: 200 };
const roleIds = () => roles.map(({ id }) => id);
const parentOf = (input: Record<string, unknown> = {}) => makeCredential(server, account, input);
const answered = async (parent: string, input: Record<string, unknown> = {}, token?: string) =>
  expectData(await issue(server, { parent, ...input }, token === undefined ? {} : { token }))
    .issueTemporaryCredential;
const childOf = async (parent: string, input: Record<string, unknown> = {}) => issued(server, parent, input);
const stands = (pair: Made) => standingOf(server, pair);
const statusOf = async (id: string) => (await read(server, id)).status;
const at = (text: string) => Date.parse(text);

describe('a temporary credential', () => {
  test('is an access key with its end, and what its parent is beside', async () => {
    const project = await makeProject(server, account);
    const owner = await makeAccount(server, { kind: 'PERSON' });
    const name = unique('parent');
    const parent = await parentOf({ name, project, owner, roles: roleIds() });
    const { credential, issued: pair } = await answered(parent.id);
    expect(credential).toMatchObject({
      kind: 'ACCESS_KEY',
      name,
      status: 'ACTIVE',
      enabled: true,
      mfaAuthenticated: false,
      allowedIps: [],
      retrievable: false,
      revision: 1,
      account: { id: account },
      owner: { id: owner },
      project: { id: project },
      parent: { id: parent.id },
      store: { name: 'keyway' },
    });
    expect(credential.roles.map(({ id }: { id: string }) => id).sort()).toEqual(roleIds().sort());
    expect(pair).toMatchObject({
      accessKey: credential.accessKey,
      secret: expect.stringMatching(/^[0-9A-Za-z]{43}$/) as unknown,
      keys: null,
      expiresAt: credential.expiresAt,
    });
    expect(credential.accessKey).not.toBe(parent.accessKey);
    expect(Math.abs(at(credential.createdAt) - server.db.now())).toBeLessThan(10_000);
    expect(await derivedFrom(server, parent.id)).toEqual([{ id: credential.id, status: 'ACTIVE' }]);
  });

  test.each([
    "expires_at = expires_at + interval '90 days'",
    'expires_at = NULL',
    'parent_id = NULL',
    "allowed_ips = '{10.0.0.0/8}'",
    "permissions = '{}'",
    'retrievable = true',
    "rotate_every = 'P1D', rotate_grace = 'PT0S', rotation_due_at = now()",
    'owner_id = account_id',
  ])('S38: keeps its terms also from a version that does not know what it is: %s', async (set) => {
    const id = parseId((await childOf((await parentOf()).id)).id)?.uuid ?? '';
    await expect(
      server.db.rows(sql(`UPDATE credentials SET ${set} WHERE id = :id`), { id }),
    ).rejects.toMatchObject({ code: '23514', constraint: 'credentials_temporary_terms' });
    await server.db.rows(sql('UPDATE credentials SET enabled = false, revoked_at = now() WHERE id = :id'), {
      id,
    });
  });

  test('S38: has no second secret, whatever version makes one', async () => {
    const id = parseId((await childOf((await parentOf()).id)).id)?.uuid ?? '';
    const second = sql(`INSERT INTO credential_versions (credential_id, number, state)
      VALUES (:id, 2, 'PENDING')`);
    await expect(server.db.rows(second, { id })).rejects.toMatchObject({
      code: '23514',
      constraint: 'credential_versions_temporary',
    });
  });

  const fields = 'accessKey createdAt expiresAt mfaAuthenticated';

  test('S41: is read back with the same fields, and never with its secret', async () => {
    const { credential, issued: pair } = await answered((await parentOf()).id, { retrievable: true });
    const answer = await server.ask(`query ($id: ID!) { credential(id: $id) { ${fields} } }`, {
      id: credential.id,
    });
    const { accessKey, createdAt, expiresAt, mfaAuthenticated } = credential;
    expect(expectData(answer).credential).toEqual({ accessKey, createdAt, expiresAt, mfaAuthenticated });
    expect(answer.text).not.toContain(pair.secret);
  });

  test('shows more than a permanent key, which has an access key and a creation alone', async () => {
    const { id, accessKey } = await parentOf();
    const answer = await server.ask(`query ($id: ID!) { credential(id: $id) { ${fields} } }`, { id });
    expect(expectData(answer).credential).toEqual({
      accessKey,
      createdAt: expect.any(String) as unknown,
      expiresAt: null,
      mfaAuthenticated: false,
    });
  });

  test.each([
    [{}, /^[A-Z2-7]{20}$/, /^[0-9A-Za-z]{43}$/],
    [{ prefix: 'ncp_iam_' }, /^ncp_iam_[A-Z2-7]{20}$/, /^ncp_iam_[0-9A-Za-z]{43}$/],
    [{ secretFormat: 'HEX' }, /^[0-9a-f]{32}$/, /^[0-9a-f]{128}$/],
    [{ secretFormat: 'BASE64' }, /^[A-Z2-7]{20}$/, /^[0-9A-Za-z+/]{43}=$/],
    [
      { scheme: 'VERACODE_HMAC_SHA_256', prefix: 'vera01ei-' },
      /^vera01ei-[0-9a-f]{32}$/,
      /^vera01ei-[0-9a-f]{128}$/,
    ],
  ])('has the form of its parent, made with %j', async (accessKey, publicForm, secretForm) => {
    const parent = await parentOf({ secret: { accessKey } });
    const pair = await childOf(parent.id);
    expect(pair.accessKey).toMatch(publicForm);
    expect(pair.secret).toMatch(secretForm);
    expect([pair.accessKey, pair.secret]).not.toContain(parent.accessKey);
    expect((await verdictOn(server, pair)).code).toBe('VALID');
  });

  test('S21: signs by the scheme of its parent alone', async () => {
    const parent = await parentOf({ secret: { accessKey: { scheme: 'VERACODE_HMAC_SHA_256' } } });
    const pair = await childOf(parent.id);
    const statuses = await Promise.all(
      callingSchemes.map(async (scheme) => {
        const asked = signedBy(server, pair, scheme, question(server, '{ viewer { id } }'));
        return [scheme, (await send(server, asked)).status];
      }),
    );
    expect(Object.fromEntries(statuses)).toEqual({
      HTTP_MESSAGE_SIGNATURES: 401,
      NCP_SIGNATURE_V2: 401,
      VERACODE_HMAC_SHA_256: 200,
    });
  });

  test.each([
    ['a token', { token: { prefix: 'my-' } }, /^my-[A-Z2-7]{20}$/],
    ['a password', { password: { username: 'issue-parent-1' } }, /^[A-Z2-7]{20}$/],
  ])('is a pair also where it is derived from %s', async (_, secret, form) => {
    const parent = await parentOf({ secret });
    const pair = await childOf(parent.id);
    expect(pair.accessKey).toMatch(form);
    expect(await stands(pair)).toEqual(works);
  });

  test('S38: of a narrowed token may do no more than that, whatever its roles say', async () => {
    const person = await makeAccount(server, { kind: 'PERSON' });
    const role = await makeRole(server, ['CREDENTIAL_READ', 'ROLE_READ']);
    await grant(server, person, role, { onAccount: account });
    const token = await makeCredential(server, person, {
      secret: { token: { permissions: ['ROLE_READ'] } },
      roles: [role],
    });
    const pair = await childOf(token.id);
    const other = await parentOf();
    const asked = await askSigned(
      server,
      pair,
      'query ($id: ID!) { credential(id: $id) { id } roles { totalCount } }',
      { id: other.id },
    );
    expect(expectData(asked).credential).toBeNull();
    expect(expectData(asked).roles.totalCount).toBeGreaterThan(5);
  });

  test('is one of many', async () => {
    const { id } = await parentOf();
    const pairs = await Promise.all(Array.from({ length: 10 }, () => childOf(id)));
    expect(new Set(pairs.flatMap(({ accessKey, secret }) => [accessKey, secret])).size).toBe(20);
    for (const pair of pairs) expect((await verdictOn(server, pair)).code).toBe('VALID');
  });

  test.each([
    [{}, false, false],
    [{}, true, true],
    [{ retrievable: null }, true, true],
    [{ retrievable: false }, true, false],
    [{ retrievable: true }, false, true],
  ])(
    'asked for with %j of a parent whose being retrievable is %s, can be revealed: %s',
    async (input, of, is) => {
      const { id } = await parentOf({ retrievable: of });
      expect((await answered(id, input)).credential.retrievable).toBe(is);
    },
  );
});

describe('S20: its life', () => {
  test.each([
    ['PT10M', 10],
    ['PT600S', 10],
    ['PT10M0.001S', 10 + 0.001 / 60],
    ['PT36H', 36 * 60],
    ['P1DT12H', 36 * 60],
    ['PT2160M', 36 * 60],
    ['PT35H59M59.999S', 36 * 60 - 0.001 / 60],
    [undefined, 60],
    [null, 60],
  ])('of %s is so long', async (duration, minutes) => {
    const { credential } = await answered((await parentOf()).id, duration === undefined ? {} : { duration });
    expect(at(credential.expiresAt) - at(credential.createdAt)).toBe(Math.round(minutes * minuteMs));
  });

  test.each(['PT9M59S', 'PT9M59.999S', 'PT36H1S', 'PT36H0.001S', 'PT1S', 'PT0S', 'P0D', 'P2D', 'P100Y'])(
    'of %s is refused',
    async (duration) => {
      const { id } = await parentOf();
      const answer = await issue(server, { parent: id, duration });
      expect([answer.code, faultPaths(answer), answer.data]).toEqual([
        'BAD_USER_INPUT',
        ['input.duration'],
        null,
      ]);
      expect(await derivedFrom(server, id)).toEqual([]);
    },
  );

  test.each(['-PT1H', 'PT', '', 'forever', '3600', 3600, 'P101Y'])('of %j is none', async (duration) => {
    const { id } = await parentOf();
    const answer = await issue(server, { parent: id, duration });
    expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', ['input.duration']]);
    expect(await derivedFrom(server, id)).toEqual([]);
  });

  test('S38: ends no later than its parent', async () => {
    const expiresAt = inDays(1);
    const { id } = await parentOf({ expiresAt });
    const longer = await answered(id, { duration: 'PT36H' });
    expect(at(longer.credential.expiresAt)).toBe(at(expiresAt));
    expect(longer.issued.expiresAt).toBe(longer.credential.expiresAt);
    const shorter = await answered(id, { duration: 'PT23H' });
    expect(at(shorter.credential.expiresAt) - at(shorter.credential.createdAt)).toBe(23 * 60 * minuteMs);
  });

  test('S38: ends sooner than the shortest that can be asked for, where its parent does', async () => {
    const name = unique('parent');
    const { id } = await parentOf({ name });
    await server.rows(
      `UPDATE credentials SET expires_at = now() + interval '90 seconds' WHERE name = :name`,
      {
        name,
      },
    );
    const { credential } = await answered(id, { duration: 'PT10M' });
    expect(at(credential.expiresAt)).toBe(at((await read(server, id)).expiresAt));
  });

  test('S38: of one’s own ends no later than the token that one calls with', async () => {
    const expiresAt = new Date(Date.now() + 20 * minuteMs).toISOString();
    const person = await makeCaller(server);
    const { secret: token } = await makeCredential(server, person.id, { secret: { token: {} }, expiresAt });
    const { id } = await makeCredential(server, person.id);
    const own = await answered(id, {}, String(token));
    expect(at(own.credential.expiresAt)).toBe(at(expiresAt));
    const shorter = await answered(id, { duration: 'PT15M' }, String(token));
    expect(at(shorter.credential.expiresAt) - at(shorter.credential.createdAt)).toBe(15 * minuteMs);
  });

  test('of somebody else’s is not bound to the token that one calls with', async () => {
    const operator = await makeCaller(server, ['CREDENTIAL_CREATE'], { onAccount: account });
    const { secret: token } = await makeCredential(server, operator.id, {
      secret: { token: {} },
      expiresAt: new Date(Date.now() + 20 * minuteMs).toISOString(),
    });
    const { credential } = await answered((await parentOf()).id, {}, String(token));
    expect(at(credential.expiresAt) - at(credential.createdAt)).toBe(60 * minuteMs);
  });

  test('S19: ends by the clock of the database, before anything has tidied up', async () => {
    const name = unique('parent');
    const parent = await parentOf({ name });
    const pair = await childOf(parent.id);
    expect(await stands(pair)).toEqual(works);
    await server.rows(
      'UPDATE credentials SET expires_at = now() WHERE name = :name AND parent_id IS NOT NULL',
      {
        name,
      },
    );
    expect(await stands(pair)).toEqual({ code: 'EXPIRED', status: 401 });
    expect(await statusOf(pair.id)).toBe('EXPIRED');
    expect(await stands(parent)).toEqual(works);
  });
});

describe('S38: its roles', () => {
  const rolesOf = async (pair: { id: string }): Promise<string[]> =>
    (await read(server, pair.id)).roles.map(({ id }: { id: string }) => id);

  test.each<[string, () => unknown, () => string[]]>([
    ['left out', () => undefined, roleIds],
    ['null', () => null, roleIds],
    ['all', roleIds, roleIds],
    ['some', () => roleIds().slice(1), () => roleIds().slice(1)],
    ['one, said twice', () => [roles[0]?.id, roles[0]?.id], () => roleIds().slice(0, 1)],
    ['none', () => [], () => []],
  ])('are those that were asked for: %s', async (_, wanted, expected) => {
    const { id } = await parentOf({ roles: roleIds() });
    const given = wanted();
    const pair = await childOf(id, given === undefined ? {} : { roles: given });
    expect((await rolesOf(pair)).sort()).toEqual(expected().sort());
    const verdict = await verdictOn(server, pair);
    expect(verdict.credential.roles.map((role: { id: string }) => role.id).sort()).toEqual(expected().sort());
  });

  test('that the parent does not carry are refused, and so are those that nobody has, in the same words', async () => {
    const { id } = await parentOf({ roles: roleIds().slice(0, 2) });
    const answers = await Promise.all(
      [roles[2]?.id, encodeId('Role', randomUUID())].map((role) =>
        issue(server, { parent: id, roles: [roles[0]?.id, role] }),
      ),
    );
    for (const answer of answers) {
      expect([answer.code, answer.data]).toEqual(['FORBIDDEN', null]);
      expect(answer.errors[0]?.message).toBe(answers[0]?.errors[0]?.message);
    }
    expect(await derivedFrom(server, id)).toEqual([]);
  });

  test('S31: that are no roles are BAD_USER_INPUT, by name', async () => {
    const { id } = await parentOf({ roles: roleIds() });
    const answer = await issue(server, { parent: id, roles: [roles[0]?.id, account] });
    expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', ['input.roles.1']]);
    const many = await issue(server, { parent: id, roles: Array<string>(101).fill(roles[0]?.id ?? '') });
    expect([many.code, faultPaths(many)]).toEqual(['BAD_USER_INPUT', ['input.roles']]);
  });

  test('S23: are gone with those of its parent, and come back with them', async () => {
    const { id } = await parentOf({ roles: roleIds() });
    const pair = await childOf(id, { roles: roleIds().slice(0, 2) });
    const [kept, lost] = roles;
    const ask = async (role: typeof kept) => (await verdictOn(server, pair, { roles: [role?.name] })).code;
    expect([await ask(kept), await ask(lost)]).toEqual(['VALID', 'VALID']);
    expectData(await update(server, { id, roles: [kept?.id] }));
    expect([await ask(kept), await ask(lost)]).toEqual(['VALID', 'ROLE_MISSING']);
    expectData(await update(server, { id, roles: roleIds() }));
    expect([await ask(kept), await ask(lost), await ask(roles[2])]).toEqual([
      'VALID',
      'VALID',
      'ROLE_MISSING',
    ]);
  });

  test('keep no role from being deleted that its parent has lost', async () => {
    const role = await makeRole(server, []);
    const { id } = await parentOf({ roles: [role] });
    await childOf(id);
    expect((await run(server, 'deleteRole', { id: role })).code).toBe('CONFLICT');
    expectData(await update(server, { id, roles: [] }));
    expectData(await run(server, 'deleteRole', { id: role }));
  });

  test('S23: that its parent lost let it do nothing in Keyway any more', async () => {
    const person = await makeAccount(server, { kind: 'PERSON' });
    const role = await makeRole(server, ['CREDENTIAL_READ']);
    await grant(server, person, role, { onAccount: account });
    const parent = await makeCredential(server, person, { roles: [role] });
    const [pair, other] = [await childOf(parent.id), await parentOf()];
    const sees = async () =>
      expectData(
        await askSigned(server, pair, 'query ($id: ID!) { credential(id: $id) { id } }', { id: other.id }),
      ).credential !== null;
    expect(await sees()).toBe(true);
    expectData(await update(server, { id: parent.id, roles: [] }));
    expect(await sees()).toBe(false);
  });
});

describe('S38: its addresses', () => {
  const here = ['127.0.0.0/8', '10.0.0.0/8'];

  test.each<[string[], unknown, string[]]>([
    [here, undefined, here],
    [here, null, here],
    [here, ['127.0.0.1', '10.1.0.0/16'], ['127.0.0.1', '10.1.0.0/16']],
    [here, here, here],
    [here, ['10.1.0.0/16', '10.1.0.0/16'], ['10.1.0.0/16']],
    [[], undefined, []],
    [[], null, []],
    [[], [], []],
    [[], ['192.0.2.1', '2001:DB8::/32'], ['192.0.2.1', '2001:db8::/32']],
  ])('under a parent with %j, asked for as %j, are %j', async (allowedIps, asked, expected) => {
    const { id } = await parentOf({ allowedIps });
    const { credential } = await answered(id, asked === undefined ? {} : { allowedIps: asked });
    expect(credential.allowedIps).toEqual(expected);
  });

  test.each<[unknown, string, string[]]>([
    [['192.0.2.1'], 'FORBIDDEN', []],
    [['127.0.0.1', '192.0.2.1'], 'FORBIDDEN', []],
    [['126.0.0.0/7'], 'FORBIDDEN', []],
    [['0.0.0.0/0'], 'FORBIDDEN', []],
    [['::1'], 'FORBIDDEN', []],
    [[], 'BAD_USER_INPUT', ['input.allowedIps']],
    [['127.0.0.1/8'], 'BAD_USER_INPUT', ['input.allowedIps.0']],
    [['127.0.0.1', 'here'], 'BAD_USER_INPUT', ['input.allowedIps.1']],
    [Array<string>(101).fill('127.0.0.1'), 'BAD_USER_INPUT', ['input.allowedIps']],
  ])('S53: under a restricted parent cannot be %j', async (allowedIps, code, paths) => {
    const { id } = await parentOf({ allowedIps: here });
    const answer = await issue(server, { parent: id, allowedIps });
    expect([answer.code, faultPaths(answer), answer.data]).toEqual([code, paths, null]);
    expect(await derivedFrom(server, id)).toEqual([]);
  });

  test('S53: hold wherever it is used, and those of its parent as well, as they are then', async () => {
    const { id } = await parentOf();
    const pair = await childOf(id, { allowedIps: here });
    const from = async (ip: string | undefined) =>
      (await verdictOn(server, pair, ip === undefined ? {} : { ip })).code;
    expect([await from('127.0.0.1'), await from('10.9.9.9')]).toEqual(['VALID', 'VALID']);
    expect([await from('192.0.2.1'), await from(undefined)]).toEqual(['IP_NOT_ALLOWED', 'IP_NOT_ALLOWED']);
    const asked = async () => (await askSigned(server, pair, '{ viewer { id } }')).status;
    expect(await asked()).toBe(200);

    expectData(await update(server, { id, allowedIps: ['10.0.0.0/8', '192.0.2.0/24'] }));
    expect([await from('127.0.0.1'), await from('10.9.9.9')]).toEqual(['IP_NOT_ALLOWED', 'VALID']);
    expect([await from('192.0.2.1'), await from(undefined)]).toEqual(['IP_NOT_ALLOWED', 'IP_NOT_ALLOWED']);
    expect(await asked()).toBe(401);
  });
});

describe('what derives nothing', () => {
  test('provider keys are UNSUPPORTED', async () => {
    const { id } = await parentOf({ secret: { providerKeys: { k8s: { token: 'issue-secret-0001' } } } });
    const answer = await issue(server, { parent: id });
    expect([answer.code, answer.data]).toEqual(['UNSUPPORTED', null]);
  });

  test('a temporary credential is UNSUPPORTED, to its holder as well', async () => {
    const pair = await childOf((await parentOf()).id);
    const answer = await issue(server, { parent: pair.id });
    expect([answer.code, answer.data]).toEqual(['UNSUPPORTED', null]);
    expect((await issueSigned(server, pair, { parent: pair.id })).code).toBe('UNSUPPORTED');
    expect(await derivedFrom(server, pair.id)).toEqual([]);
  });

  test('a store without the verb is UNSUPPORTED', async () => {
    const name = unique('elsewhere');
    const { id } = await parentOf({ name });
    const store = randomUUID();
    await server.rows(`INSERT INTO stores (id, name, kind) VALUES (:store, :name, 'SEQERA')`, {
      store,
      name,
    });
    await server.rows('UPDATE credentials SET store_id = :store WHERE name = :name', { store, name });
    const answer = await issue(server, { parent: id });
    expect([answer.code, answer.data]).toEqual(['UNSUPPORTED', null]);
  });

  test('S31: another type’s id is BAD_USER_INPUT, and nobody’s is NOT_FOUND', async () => {
    const typed = await issue(server, { parent: account });
    expect([typed.code, faultPaths(typed)]).toEqual(['BAD_USER_INPUT', ['input.parent']]);
    expect((await issue(server, { parent: encodeId('Credential', randomUUID()) })).code).toBe('NOT_FOUND');
  });
});

describe('S38: who may', () => {
  test.each(['onAccount', 'onProject'] as const)('CREDENTIAL_CREATE %s lets one', async (where) => {
    const project = await makeProject(server, account);
    const { id } = await parentOf({ project });
    const place = where === 'onAccount' ? { onAccount: account } : { onProject: project };
    const { token } = await makeCaller(server, ['CREDENTIAL_CREATE'], place);
    expect(await stands(await issued(server, id, {}, { token }))).toEqual(works);
    const elsewhere = await makeCredential(server, await makeAccount(server));
    expect((await issue(server, { parent: elsewhere.id }, { token })).code).toBe('NOT_FOUND');
  });

  test.each(['CREDENTIAL_UPDATE', 'CREDENTIAL_ROTATE', 'CREDENTIAL_REVOKE', 'CREDENTIAL_REVEAL'])(
    '%s, and to see it, does not',
    async (permission) => {
      const { token } = await makeCaller(server, [permission, 'CREDENTIAL_READ'], { onAccount: account });
      const { id } = await parentOf();
      expect((await issue(server, { parent: id }, { token })).code).toBe('FORBIDDEN');
      expect(await derivedFrom(server, id)).toEqual([]);
    },
  );

  test('S30: to a stranger it is NOT_FOUND', async () => {
    const { token } = await makeCaller(server);
    expect((await issue(server, { parent: (await parentOf()).id }, { token })).code).toBe('NOT_FOUND');
  });

  test('its owner may, and the account that it belongs to where nobody else owns it', async () => {
    const person = await makeCaller(server);
    const owned = await parentOf({ owner: person.id });
    const own = await makeCredential(server, person.id);
    for (const { id } of [owned, own]) {
      expect(await stands(await issued(server, id, {}, person))).toEqual(works);
    }
    const others = await makeCredential(server, person.id, { owner: account });
    expect((await issue(server, { parent: others.id }, person)).code).toBe('NOT_FOUND');
  });

  test.each([
    [['CREDENTIAL_READ'], 'FORBIDDEN'],
    [['CREDENTIAL_READ', 'CREDENTIAL_CREATE', 'CREDENTIAL_REVOKE'], 'FORBIDDEN'],
    [['CREDENTIAL_READ', 'CREDENTIAL_ROTATE'], undefined],
  ])('its owner with a token narrowed to %j: %s', async (permissions, code) => {
    const person = await makeAccount(server, { kind: 'PERSON' });
    const { secret: token } = await makeCredential(server, person, { secret: { token: { permissions } } });
    const { id } = await makeCredential(server, person);
    expect((await issue(server, { parent: id }, { token })).code).toBe(code);
  });

  test('whoever signs with the parent may, and with no other key of the account', async () => {
    const person = await makeAccount(server, { kind: 'PERSON' });
    const [parent, other] = [await makeCredential(server, person), await makeCredential(server, person)];
    const pair = madeBy(await issueSigned(server, parent, { parent: parent.id }));
    expect(await stands(pair)).toEqual(works);
    for (const key of [other, pair]) {
      const answer = await issueSigned(server, key, { parent: parent.id });
      expect([answer.code, answer.data]).toEqual(['NOT_FOUND', null]);
    }
  });

  test('whoever signs with the parent gets its roles, though its account holds more', async () => {
    const person = await makeAccount(server, { kind: 'PERSON' });
    const role = await makeRole(server, ['CREDENTIAL_READ']);
    await grant(server, person, role);
    const parent = await makeCredential(server, person, { roles: [role] });
    const pair = madeBy(await issueSigned(server, parent, { parent: parent.id }));
    const asked = await askSigned(server, pair, 'query ($id: ID!) { credential(id: $id) { id } }', {
      id: parent.id,
    });
    expect(expectData(asked).credential.id).toBe(parent.id);
  });

  test('S38: nobody gets more than they hold, through the roles of the parent', async () => {
    const elsewhere = await makeAccount(server);
    const role = await makeRole(server, ['CREDENTIAL_READ', 'CREDENTIAL_CREATE']);
    const { token } = await makeCaller(server, ['CREDENTIAL_READ', 'CREDENTIAL_CREATE'], {
      onAccount: account,
    });
    const person = await makeAccount(server, { kind: 'PERSON', parent: account });
    await grant(server, person, role, { onAccount: elsewhere });
    const { id } = await makeCredential(server, person, { roles: [role] });
    const answer = await issue(server, { parent: id }, { token });
    expect([answer.code, answer.data]).toEqual(['FORBIDDEN', null]);
    expect(await derivedFrom(server, id)).toEqual([]);
    expect((await issue(server, { parent: id, roles: [] }, { token })).code).toBeUndefined();
  });
});

describe('S38: a role that means something to services alone', () => {
  const keyWith = async (role: string) => parentOf({ roles: [role] });
  const rolesOn = async (pair: Made): Promise<object[]> => (await read(server, pair.id)).roles;

  test('is derived by nobody who could give it to no key, nor get the one that has it', async () => {
    const role = await makeRole(server, [], { account });
    const { id } = await keyWith(role);
    const caller = await makeCaller(server, ['CREDENTIAL_CREATE'], { onAccount: account });
    expect((await issue(server, { parent: id }, caller)).code).toBe('FORBIDDEN');
    expect((await issue(server, { parent: id, roles: [role] }, caller)).code).toBe('FORBIDDEN');
    expect(await derivedFrom(server, id)).toEqual([]);
    expect(await rolesOn(await issued(server, id, { roles: [] }, caller))).toEqual([]);
  });

  test.each([['ROLE_GIVE'], ['CREDENTIAL_ROTATE']])('is derived by who has %s there', async (also) => {
    const role = await makeRole(server, [], { account });
    const { id } = await keyWith(role);
    const caller = await makeCaller(server, ['CREDENTIAL_CREATE', also], { onAccount: account });
    expect(await rolesOn(await issued(server, id, {}, caller))).toEqual([
      expect.objectContaining({ id: role }),
    ]);
  });

  test('is derived by who may reveal the parent, where that is kept', async () => {
    const role = await makeRole(server, [], { account });
    const permissions = ['CREDENTIAL_CREATE', 'CREDENTIAL_REVEAL'];
    const caller = await makeCaller(server, permissions, { onAccount: account });
    const kept = await parentOf({ roles: [role], retrievable: true });
    expectData(await issue(server, { parent: kept.id }, caller));
    expect((await issue(server, { parent: (await keyWith(role)).id }, caller)).code).toBe('FORBIDDEN');
  });

  test('is shown again to no narrower token of the same account', async () => {
    const role = await makeRole(server, [], { account });
    const { id } = await keyWith(role);
    const permissions = ['CREDENTIAL_CREATE', 'CREDENTIAL_ROTATE'];
    const caller = await makeCaller(server, permissions, { onAccount: account });
    const narrow = await makeCredential(server, caller.id, {
      secret: { token: { permissions: ['CREDENTIAL_CREATE'] } },
    });
    const input = { parent: id, idempotencyKey: randomUUID() };
    const { secret } = madeBy(await issue(server, input, caller));
    const again = await issue(server, input, { token: String(narrow.secret) });
    expect(again.code).toBe('FORBIDDEN');
    expect(again.text).not.toContain(secret);
  });
});

describe('with an idempotency key', () => {
  const secretOf = (answer: Awaited<ReturnType<typeof issue>>) =>
    expectData(answer).issueTemporaryCredential.issued.secret as string | null;

  test('R1: has one effect and one answer, also 20 times at once', async () => {
    const { id } = await parentOf();
    const input = { parent: id, idempotencyKey: randomUUID() };
    const answers = await Promise.all(Array.from({ length: 20 }, () => issue(server, input)));
    expect(new Set(answers.map(secretOf)).size).toBe(1);
    expect(secretOf(await issue(server, input))).toMatch(/^[0-9A-Za-z]{43}$/);
    expect(await derivedFrom(server, id)).toHaveLength(1);
  });

  test('R2: another input is CONFLICT, and another caller’s is another', async () => {
    const { id } = await parentOf();
    const input = { parent: id, idempotencyKey: randomUUID() };
    const first = await issue(server, input);
    expect((await issue(server, { ...input, duration: 'PT2H' })).code).toBe('CONFLICT');
    const other = await makeCaller(server, ['CREDENTIAL_CREATE'], { onAccount: account });
    expect(secretOf(await issue(server, input, other))).not.toBe(secretOf(first));
    expect(await derivedFrom(server, id)).toHaveLength(2);
  });

  test.each<[string, (parent: string, pair: Made, name: string) => Promise<unknown>]>([
    ['it is revoked', async (_, { id }) => expectData(await revoke(server, { id }))],
    ['it is deleted', async (_, { id }) => expectData(await remove(server, { id }))],
    ['it is disabled', async (_, { id }) => expectData(await update(server, { id, enabled: false }))],
    [
      'it has expired',
      (_, __, name) =>
        server.rows(
          'UPDATE credentials SET expires_at = now() WHERE name = :name AND parent_id IS NOT NULL',
          {
            name,
          },
        ),
    ],
    ['its parent is revoked', async (id) => expectData(await revoke(server, { id }))],
    ['its parent is disabled', async (id) => expectData(await update(server, { id, enabled: false }))],
    ['its parent is rotated', async (id) => expectData(await rotate(server, { id }))],
    [
      'its parent has expired',
      (_, __, name) =>
        server.rows('UPDATE credentials SET expires_at = now() WHERE name = :name AND parent_id IS NULL', {
          name,
        }),
    ],
  ])('R3: shows the secret again, and once %s, only which one it was', async (_, end) => {
    const name = unique('parent');
    const { id } = await parentOf({ name });
    const input = { parent: id, idempotencyKey: randomUUID() };
    const first = await issue(server, input);
    const pair = madeBy(first);
    expect(secretOf(await issue(server, input))).toBe(secretOf(first));
    await end(id, pair, name);
    const again = expectData(await issue(server, input)).issueTemporaryCredential;
    expect(again.credential.id).toBe(pair.id);
    expect(again.issued).toMatchObject({ accessKey: pair.accessKey, secret: null });
  });

  test('R3: shows the secret again although its parent has fewer addresses by now', async () => {
    const { id } = await parentOf();
    const input = { parent: id, allowedIps: ['192.0.2.0/24'], idempotencyKey: randomUUID() };
    const first = await issue(server, input);
    expectData(await update(server, { id, allowedIps: ['192.0.2.7'] }));
    expect(secretOf(await issue(server, input))).toBe(secretOf(first));
  });

  test('S38: shows nobody again what they could not be given now', async () => {
    const person = await makeAccount(server, { kind: 'PERSON' });
    const role = await makeRole(server, ['ROLE_READ']);
    await grant(server, person, role);
    const token = async (permissions?: string[]) =>
      (await makeCredential(server, person, { secret: { token: permissions ? { permissions } : {} } }))
        .secret;
    const { id } = await makeCredential(server, person, { roles: [role] });
    const input = { parent: id, idempotencyKey: randomUUID() };
    const first = await issue(server, input, { token: await token() });
    expect(first.code).toBeUndefined();
    const narrow = await token(['CREDENTIAL_READ', 'CREDENTIAL_ROTATE']);
    const again = await issue(server, input, { token: narrow });
    expect([again.code, again.data]).toEqual(['FORBIDDEN', null]);
    expect(again.text).not.toContain(secretOf(first));
  });
});

describe('S60: the record', () => {
  const eventsOf = async (target: string) =>
    expectData(
      await server.ask(
        `query ($target: [ID!]) { auditEvents(filter: { target: $target }) { nodes {
          action outcome code changed actor { id } actorCredential { id } } } }`,
        { target: [target] },
      ),
    ).auditEvents.nodes;

  test('holds who derived it, and with what', async () => {
    const project = await makeProject(server, account);
    const { id } = await parentOf({ project });
    const caller = await makeCaller(server, ['CREDENTIAL_CREATE'], { onProject: project });
    const pair = await issued(server, id, {}, caller);
    expect(await eventsOf(pair.id)).toEqual([
      {
        action: 'credential:issue',
        outcome: 'DONE',
        code: null,
        changed: [],
        actor: { id: caller.id },
        actorCredential: { id: caller.credential },
      },
    ]);
    const places = await server.rows(
      `SELECT e.account_id = c.account_id AS account, e.project_id = c.project_id AS project
       FROM audit_events e JOIN credentials c ON c.id = e.target_id
       WHERE c.access_key = :accessKey AND e.action = 'credential:issue'`,
      { accessKey: pair.accessKey },
    );
    expect(places).toEqual([{ account: true, project: true }]);
  });

  test('holds the parent’s key, where that signed', async () => {
    const parent = await parentOf();
    const pair = madeBy(await issueSigned(server, parent, { parent: parent.id }));
    expect(await eventsOf(pair.id)).toMatchObject([
      { action: 'credential:issue', actor: { id: account }, actorCredential: { id: parent.id } },
    ]);
  });

  test('holds who was turned away, and from what', async () => {
    const { id } = await parentOf();
    const caller = await makeCaller(server, ['CREDENTIAL_READ'], { onAccount: account });
    expect((await issue(server, { parent: id }, caller)).code).toBe('FORBIDDEN');
    for (let attempt = 0; attempt < 60; attempt++) {
      const refused = (await eventsOf(id)).filter(
        ({ outcome }: { outcome: string }) => outcome === 'REFUSED',
      );
      if (refused.length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
      else {
        expect(refused).toMatchObject([
          { action: 'credential:issue', code: 'FORBIDDEN', actor: { id: caller.id } },
        ]);
        return;
      }
    }
    throw new Error('the refusal is not on record');
  });

  test('is made with it: where that cannot be, nothing is', async () => {
    const { id } = await parentOf();
    await server.rows(`CREATE FUNCTION no_issue() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'the disk of the record is full'; END $$`);
    await server.rows(
      `CREATE TRIGGER no_issue BEFORE INSERT ON audit_events FOR EACH ROW
       WHEN (NEW.action = 'credential:issue') EXECUTE FUNCTION no_issue()`,
    );
    try {
      const answer = await issue(server, { parent: id });
      expect([answer.code, answer.data]).toEqual(['INTERNAL_SERVER_ERROR', null]);
    } finally {
      await server.rows('DROP TRIGGER no_issue ON audit_events');
      await server.rows('DROP FUNCTION no_issue');
    }
    expect(await derivedFrom(server, id)).toEqual([]);
  });
});

test('S41: its secret is in no table, no line of the log and no list', async () => {
  const parent = await parentOf({ retrievable: true });
  const input = { parent: parent.id, idempotencyKey: randomUUID() };
  const pair = madeBy(await issue(server, input));
  await issue(server, input);
  await stands(pair);
  expect(await placesOf(server, [String(pair.secret)])).toEqual([]);
  const listed = await server.ask(
    `query ($id: ID!, $key: String) {
      credential(id: $id) { derived { nodes { id accessKey versions { number accessKey } } } }
      credentials(filter: { search: $key }) { nodes { id accessKey name description versions { number } } }
      auditEvents(first: 100) { nodes { action changed } } }`,
    { id: parent.id, key: pair.accessKey },
  );
  expect(expectData(listed).credentials.nodes).toMatchObject([{ id: pair.id }]);
  expect(listed.text).not.toContain(pair.secret);
});

describe('once it is issued', () => {
  test.each<[string, () => unknown]>([
    ['roles', () => roleIds()],
    ['roles', () => []],
    ['roles', () => null],
    ['allowedIps', () => ['127.0.0.1']],
    ['allowedIps', () => null],
    ['expiresAt', () => inDays(1)],
    ['expiresAt', () => null],
    ['owner', () => account],
    ['owner', () => null],
    ['project', () => null],
    ['rotationPolicy', () => ({ every: 'P1D', gracePeriod: 'PT1H' })],
    ['rotationPolicy', () => null],
  ])('its terms are fixed: a change of %s is UNSUPPORTED', async (name, value) => {
    const pair = await childOf((await parentOf({ roles: roleIds() })).id);
    const before = await read(server, pair.id);
    const answer = await update(server, { id: pair.id, name: 'renamed', [name]: value() });
    expect([answer.code, answer.data]).toEqual(['UNSUPPORTED', null]);
    expect(await read(server, pair.id)).toEqual(before);
  });

  test('what it is called may change, and whether it is enabled', async () => {
    const pair = await childOf((await parentOf()).id);
    const changes = { name: unique('renamed'), description: 'For the night', category: 'nightly' };
    const answer = await update(server, { id: pair.id, ...changes, enabled: false });
    expect(expectData(answer).updateCredential.credential).toMatchObject({
      ...changes,
      status: 'DISABLED',
      revision: 2,
    });
    expect(await stands(pair)).toEqual({ code: 'DISABLED', status: 401 });
    expectData(await update(server, { id: pair.id, enabled: true }));
    expect(await stands(pair)).toEqual(works);
  });

  test('it is not rotated: UNSUPPORTED', async () => {
    const pair = await childOf((await parentOf()).id);
    const answer = await rotate(server, { id: pair.id });
    expect([answer.code, answer.data]).toEqual(['UNSUPPORTED', null]);
    expect(await stands(pair)).toEqual(works);
  });

  test('it is no token: as a bearer it is nothing', async () => {
    const pair = await childOf((await parentOf()).id);
    for (const text of [pair.secret, pair.accessKey])
      expect(await statusWith(server, String(text))).toBe(401);
  });
});
