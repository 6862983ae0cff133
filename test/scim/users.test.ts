/**
 * @slow 20 s
 */
import { parseId } from '../../src/ids.js';
import { verify } from '../credentials/verification/verifying.js';
import { expectData, makeAccount, makeCaller, makeCredential, makeProject, unique } from '../support/make.js';
import {
  actionsOf,
  askScim,
  errorSchema,
  patchOf,
  startDirectories,
  userSchema,
  type Directories,
  type Provider,
} from './directories.js';

let all: Directories;
let acme: Provider;
let other: Provider;
beforeAll(async () => {
  all = await startDirectories();
  ({ acme, other } = all);
});
afterAll(() => all.stop());

const uuidOf = (id: string) => parseId(id)?.uuid ?? '';

/** As https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups has it. */
const byEntra = (userName: string, externalId: string) => ({
  schemas: [userSchema, 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'],
  externalId,
  userName,
  active: true,
  emails: [{ primary: true, type: 'work', value: 'ada@example.com' }],
  meta: { resourceType: 'User' },
  name: { formatted: 'Ada King', familyName: 'King', givenName: 'Ada' },
  roles: [],
});

/** As https://developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20 has it. */
const byOkta = (userName: string, externalId: string) => ({
  schemas: [userSchema],
  userName,
  name: { givenName: 'Grace', familyName: 'Hopper' },
  emails: [{ primary: true, value: 'grace@example.com', type: 'work' }],
  displayName: 'Grace Hopper',
  locale: 'en-US',
  externalId,
  groups: [],
  password: 'not-kept-1234',
  active: true,
});

describe('a person as Entra provisions them', () => {
  const userName = `${unique('Ada')}@Example.com`;
  const oid = unique('oid');
  let id: string;

  test('is looked for, is not there, and is made', async () => {
    const path = `/Users?filter=userName+eq+${encodeURIComponent(JSON.stringify(userName))}`;
    const before = await acme.ask('GET', path);
    expect(before).toMatchObject({ status: 200, body: { totalResults: 0, Resources: [] } });
    const made = await acme.ask('POST', '/Users', byEntra(userName, oid));
    expect(made.status).toBe(201);
    expect(made.headers.get('content-type')).toMatch(/^application\/scim\+json/);
    expect(made.body).toMatchObject({
      schemas: [userSchema],
      userName,
      externalId: oid,
      displayName: 'Ada King',
      name: { givenName: 'Ada', familyName: 'King' },
      emails: [{ value: 'ada@example.com', type: 'work', primary: true }],
      active: true,
      meta: { resourceType: 'User', version: made.headers.get('etag') },
    });
    id = made.body.id;
    expect(made.headers.get('location')).toBe(`/scim/v2/Users/${id}`);
    expect(made.body.meta.location).toBe(`/scim/v2/Users/${id}`);
    const inSmall = encodeURIComponent(JSON.stringify(userName.toLowerCase()));
    const after = await acme.ask('GET', `/Users?filter=USERNAME+EQ+${inSmall}`);
    expect(after.body).toMatchObject({
      totalResults: 1,
      startIndex: 1,
      itemsPerPage: 1,
      Resources: [{ id }],
    });
    expect((await acme.ask('GET', `/Users/${id}`)).body).toEqual(made.body);
  });

  test('calls as the account, by the token of the issuer', async () => {
    expect(expectData(await acme.askAs(oid))).toEqual({ viewer: { id } });
  });

  test('is changed by operations with capitals, and with paths that name what is not kept', async () => {
    const changed = await acme.ask(
      'PATCH',
      `/Users/${id}`,
      patchOf(
        { op: 'Replace', path: 'emails[type eq "work"].value', value: 'lovelace@example.com' },
        { op: 'Replace', path: 'name.familyName', value: 'Lovelace' },
        { op: 'Add', path: 'title', value: 'Countess' },
        {
          op: 'Add',
          path: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department',
          value: 'Engines',
        },
        { op: 'Add', value: { displayName: 'Ada Lovelace', 'name.givenName': 'Augusta' } },
      ),
    );
    expect(changed).toMatchObject({
      status: 200,
      body: {
        displayName: 'Ada Lovelace',
        name: { givenName: 'Augusta', familyName: 'Lovelace' },
        emails: [{ value: 'lovelace@example.com' }],
      },
    });
    expect(changed.text).not.toMatch(/Countess|Engines/);
  });

  test('is disabled by a text in the place of a boolean, at the next request, and comes back', async () => {
    const off = patchOf({ op: 'Replace', path: 'active', value: 'False' });
    expect(await acme.ask('PATCH', `/Users/${id}`, off)).toMatchObject({
      status: 200,
      body: { active: false },
    });
    expect((await acme.askAs(oid)).code).toBe('UNAUTHENTICATED');
    const on = patchOf({ op: 'Replace', path: 'active', value: 'True' });
    expect(await acme.ask('PATCH', `/Users/${id}`, on)).toMatchObject({
      status: 200,
      body: { active: true },
    });
    expect(expectData(await acme.askAs(oid)).viewer.id).toBe(id);
  });

  test('S23: is taken away: nothing proves them at the next request, once on record', async () => {
    expect(await acme.ask('DELETE', `/Users/${id}`)).toMatchObject({ status: 204, text: '' });
    expect((await acme.askAs(oid)).code).toBe('UNAUTHENTICATED');
    expect((await acme.ask('GET', `/Users/${id}`)).status).toBe(404);
    expect((await acme.ask('DELETE', `/Users/${id}`)).status).toBe(404);
    expect(await actionsOf(all.server, uuidOf(id))).toEqual([
      'account:create',
      'account:update',
      'account:update',
      'account:update',
      'account:delete',
    ]);
    const left = await all.server.rows('SELECT 1 AS one FROM scim_users WHERE user_name = :userName', {
      userName,
    });
    expect(left).toEqual([]);
  });

  test('may come back by the same names, as another account', async () => {
    const again = await acme.ask('POST', '/Users', byEntra(userName, oid));
    expect(again.status).toBe(201);
    expect(again.body.id).not.toBe(id);
    expect(expectData(await acme.askAs(oid)).viewer.id).toBe(again.body.id);
  });
});

describe('a person as Okta provisions them', () => {
  const userName = `${unique('grace')}@example.com`;
  const uid = unique('00u');
  let id: string;

  test('is made, and replaced as a whole', async () => {
    const made = await other.ask('POST', '/Users', byOkta(userName, uid));
    expect(made.status).toBe(201);
    expect(made.text).not.toContain('not-kept-1234');
    ({ id } = made.body);
    const body = { ...byOkta(userName, uid), id, displayName: 'Rear Admiral Hopper', emails: [] };
    const replaced = await other.ask('PUT', `/Users/${id}`, body);
    expect(replaced).toMatchObject({ status: 200, body: { id, displayName: 'Rear Admiral Hopper' } });
    expect(replaced.body.emails).toBeUndefined();
  });

  test('is disabled by a replace without a path', async () => {
    const off = patchOf({ op: 'replace', value: { active: false } });
    expect(await other.ask('PATCH', `/Users/${id}`, off)).toMatchObject({
      status: 200,
      body: { active: false },
    });
    expect((await other.askAs(userName)).code).toBe('UNAUTHENTICATED');
    const on = patchOf({ op: 'replace', value: { id, active: true } });
    expect(await other.ask('PATCH', `/Users/${id}`, on)).toMatchObject({
      status: 200,
      body: { active: true },
    });
  });

  test.each<[string, (active: boolean) => object]>([
    ['a value below the name of the schema', (active) => ({ value: { [userSchema]: { active } } })],
    ['a path that is the name of the schema', (active) => ({ path: userSchema, value: { active } })],
    ['a path below it', (active) => ({ path: `${userSchema}:active`, value: active })],
  ])('is disabled also by %s', async (_, changing) => {
    for (const active of [false, true])
      expect(
        await other.ask('PATCH', `/Users/${id}`, patchOf({ op: 'replace', ...changing(active) })),
      ).toMatchObject({ status: 200, body: { active } });
  });

  test('has the identity that the setting says, also by another name', async () => {
    expect(expectData(await other.askAs(userName)).viewer.id).toBe(id);
    const next = `${unique('hopper')}@example.com`;
    const renamed = await other.ask('PUT', `/Users/${id}`, byOkta(next, uid));
    expect(renamed).toMatchObject({ status: 200, body: { userName: next } });
    expect((await other.askAs(userName)).code).toBe('UNAUTHENTICATED');
    expect(expectData(await other.askAs(next)).viewer.id).toBe(id);
  });
});

describe('a PUT that leaves something out', () => {
  test('leaves who the person is, unless it says that it is nobody', async () => {
    const { id, userName, externalId } = await acme.makeUser();
    const put = (more: object) => acme.ask('PUT', `/Users/${id}`, { userName, ...more });
    expect(await put({ displayName: 'Ada' })).toMatchObject({
      status: 200,
      body: { externalId, displayName: 'Ada' },
    });
    expect(expectData(await acme.askAs(externalId)).viewer.id).toBe(id);
    const gone = await put({ externalId: null });
    expect(gone.status).toBe(200);
    expect(gone.body.externalId).toBeUndefined();
    expect((await acme.askAs(externalId)).code).toBe('UNAUTHENTICATED');
  });

  test('S23: enables nobody who is disabled', async () => {
    const { id, userName, externalId } = await acme.makeUser({ active: false });
    const put = (more: object) => acme.ask('PUT', `/Users/${id}`, { userName, externalId, ...more });
    expect((await put({ displayName: 'Ada' })).body).toMatchObject({ active: false, displayName: 'Ada' });
    expect((await put({ active: null })).body).toMatchObject({ active: false });
    expect((await acme.askAs(externalId)).code).toBe('UNAUTHENTICATED');
    expect((await put({ active: true })).body).toMatchObject({ active: true });
    expect((await put({})).body).toMatchObject({ active: true });
  });
});

test('a further address takes the place of none that is kept, and one that is the primary does', async () => {
  const [work, home] = ['work@example.com', 'home@example.com'];
  const { id } = await acme.makeUser();
  const adding = async (...value: object[]) => {
    const answer = await acme.ask('PATCH', `/Users/${id}`, patchOf({ op: 'add', path: 'emails', value }));
    return (answer.body.emails as { value: string }[]).map((email) => email.value);
  };
  expect(await adding({ value: home, type: 'home' })).toEqual([home]);
  expect(await adding({ value: home, type: 'home' }, { value: work, type: 'work' })).toEqual([work]);
  expect(await adding({ value: home, type: 'home' })).toEqual([work]);
  expect(await adding()).toEqual([work]);
  expect(await adding({ value: home, type: 'home', primary: true })).toEqual([home]);
});

describe('what ends', () => {
  const makeKeys = async (id: string) => ({
    key: await makeCredential(all.server, id),
    token: await makeCredential(all.server, id, { secret: { token: {} } }),
  });
  const works = async (key: { accessKey: string | null; secret: string | null }) =>
    (await verify(all.server, { accessKey: key.accessKey, proof: { secret: key.secret } })).valid as unknown;
  const statusWith = async (token: string | null) =>
    (await all.server.ask('{ viewer { id } }', {}, { token })).status;

  test('S23: a person who is disabled can do nothing with key or token, and all of it after being enabled', async () => {
    const { id } = await acme.makeUser();
    const { key, token } = await makeKeys(id);
    expect([await works(key), await statusWith(token.secret)]).toEqual([true, 200]);
    await acme.ask('PATCH', `/Users/${id}`, patchOf({ op: 'replace', path: 'active', value: false }));
    expect([await works(key), await statusWith(token.secret)]).toEqual([false, 401]);
    await acme.ask('PATCH', `/Users/${id}`, patchOf({ op: 'replace', path: 'active', value: true }));
    expect([await works(key), await statusWith(token.secret)]).toEqual([true, 200]);
  });

  test('with an heir, keys are handed over and tokens end', async () => {
    const { id } = await acme.makeUser();
    const { key, token } = await makeKeys(id);
    expect((await acme.ask('DELETE', `/Users/${id}`)).status).toBe(204);
    expect([await works(key), await statusWith(token.secret)]).toEqual([true, 401]);
    const found = await all.server.ask(
      'query ($id: ID!) { node(id: $id) { ... on Credential { account { id } } } }',
      {
        id: key.id,
      },
    );
    expect(expectData(found).node.account.id).toBe(all.heir);
  });

  test('without an heir, all of it ends', async () => {
    const { id } = await other.makeUser();
    const { key, token } = await makeKeys(id);
    expect((await other.ask('DELETE', `/Users/${id}`)).status).toBe(204);
    expect([await works(key), await statusWith(token.secret)]).toEqual([false, 401]);
  });

  test('what cannot be deleted is disabled all the same, and told of', async () => {
    const { id } = await other.makeUser();
    const { token } = await makeKeys(id);
    await makeProject(all.server, id);
    const refused = await other.ask('DELETE', `/Users/${id}`);
    expect(refused).toMatchObject({ status: 409, body: { schemas: [errorSchema], status: '409' } });
    expect(refused.body.detail).toMatch(/It is disabled/);
    expect(await statusWith(token.secret)).toBe(401);
    expect((await other.ask('GET', `/Users/${id}`)).body.active).toBe(false);
  });
});

describe('versions', () => {
  test('a change that expects another version is refused, and one that expects this one is made', async () => {
    const { id, meta } = await acme.makeUser();
    const change = (version: string, title: string) =>
      acme.ask('PATCH', `/Users/${id}`, patchOf({ op: 'replace', path: 'displayName', value: title }), {
        'if-match': version,
      });
    const first = await change(meta.version, 'One');
    expect(first.status).toBe(200);
    expect(first.body.meta.version).not.toBe(meta.version);
    expect(await change(meta.version, 'Two')).toMatchObject({ status: 412, body: { status: '412' } });
    expect((await acme.ask('DELETE', `/Users/${id}`, undefined, { 'if-match': meta.version })).status).toBe(
      412,
    );
    expect((await change('*', 'Three')).body.displayName).toBe('Three');
  });

  test('what changes nothing is no event and no other version', async () => {
    const made = await acme.makeUser();
    const { id, meta } = made;
    const same = await acme.ask('PUT', `/Users/${id}`, made);
    expect(same).toMatchObject({ status: 200, body: { meta: { version: meta.version } } });
    expect(await actionsOf(all.server, uuidOf(id))).toEqual(['account:create']);
  });

  test('of changes at once, none is lost', async () => {
    const { id } = await acme.makeUser();
    const paths = { 'name.givenName': 'Mary', 'name.familyName': 'Shelley' };
    const answers = await Promise.all(
      Object.entries(paths).map(([path, value]) =>
        acme.ask('PATCH', `/Users/${id}`, patchOf({ op: 'replace', path, value })),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect((await acme.ask('GET', `/Users/${id}`)).body.name).toEqual({
      givenName: 'Mary',
      familyName: 'Shelley',
    });
  });
});

describe('what is refused', () => {
  test.each([
    [
      'a userName in use, in another case',
      (user: { userName: string }) => ({ userName: user.userName.toUpperCase() }),
    ],
    ['an identity in use', (user: { externalId: string }) => ({ externalId: user.externalId })],
  ])('%s', async (_, of) => {
    const user = await acme.makeUser();
    const again = { userName: `${unique('other')}@example.com`, externalId: unique('oid'), ...of(user) };
    expect(await acme.ask('POST', '/Users', again)).toMatchObject({
      status: 409,
      body: { schemas: [errorSchema], status: '409', scimType: 'uniqueness' },
    });
  });

  test.each([
    ['POST', {}, 'invalidValue'],
    ['POST', { userName: 'a\u0000b' }, 'invalidValue'],
    ['POST', { userName: 'secret-value', active: 'secret-value' }, 'invalidValue'],
    ['POST', { userName: 'x', emails: [{ value: 'secret-value' }] }, 'invalidValue'],
    ['POST', [], 'invalidSyntax'],
    ['POST', '{', 'invalidSyntax'],
    ['PATCH', { Operations: [] }, 'invalidSyntax'],
    ['PATCH', patchOf({ op: 'secret-value', path: 'active', value: true }), 'invalidSyntax'],
    ['PATCH', patchOf({ op: 'replace', path: 'secret-value', value: true }), 'invalidPath'],
    ['PATCH', patchOf({ op: 'replace', path: 'active[', value: true }), 'invalidPath'],
    ['PATCH', patchOf({ op: 'replace', path: 'userName' }), 'invalidValue'],
    ['PATCH', patchOf({ op: 'remove', path: 'userName' }), 'invalidValue'],
    ['PATCH', patchOf({ op: 'remove' }), 'noTarget'],
    ['PATCH', patchOf({ op: 'replace', path: 'meta.created', value: 'secret-value' }), 'mutability'],
  ])('%s of %j: %s, without its value', async (method, body, scimType) => {
    const path = method === 'POST' ? '/Users' : `/Users/${(await acme.makeUser()).id}`;
    const refused = await acme.ask(method, path, body);
    expect(refused).toMatchObject({
      status: 400,
      body: { schemas: [errorSchema], status: '400', scimType, detail: expect.any(String) as unknown },
    });
    expect(refused.text).not.toContain('secret-value');
  });

  test.each([
    ['filter=secret-value', 'invalidFilter'],
    ['filter=password+eq+%22secret-value%22', 'invalidFilter'],
    ['filter=userName+gt+%22secret-value%22', 'invalidFilter'],
    ['filter=userName+eq+1', 'invalidFilter'],
    ['startIndex=secret-value', 'invalidValue'],
    ['startIndex=100002', 'tooMany'],
  ])('a list by %s: %s', async (query, scimType) => {
    const refused = await acme.ask('GET', `/Users?${query}`);
    expect(refused).toMatchObject({ status: 400, body: { status: '400', scimType } });
    expect(refused.text).not.toContain('secret-value');
  });

  test('whoever has no token, is no client, or may not manage accounts', async () => {
    const stranger = await askScim(all.server, null, 'GET', '/Users');
    expect(stranger).toMatchObject({ status: 401, body: { schemas: [errorSchema], status: '401' } });
    expect(stranger.headers.get('www-authenticate')).toMatch(/^Bearer/);
    const admin = await askScim(all.server, all.server.adminToken, 'GET', '/Users');
    expect(admin).toMatchObject({ status: 403, body: { status: '403' } });
    const narrowed = await makeCredential(all.server, acme.client, {
      secret: { token: { permissions: ['ACCOUNT_READ'] } },
    });
    for (const [method, path, body] of [
      ['GET', '/Users', undefined],
      ['POST', '/Users', { userName: 'x' }],
      ['GET', '/Groups', undefined],
    ] as const)
      expect((await askScim(all.server, narrowed.secret, method, path, body)).status).toBe(403);
  });

  test('a media type that is none of JSON, and an address where there is nothing', async () => {
    const text = await acme.ask('POST', '/Users', 'x', { 'content-type': 'text/plain' });
    expect(text).toMatchObject({ status: 415, body: { schemas: [errorSchema], status: '415' } });
    expect(await acme.ask('GET', '/Nothing')).toMatchObject({ status: 404, body: { status: '404' } });
    const json = { 'content-type': 'application/json' };
    expect((await acme.ask('POST', '/Users', { userName: unique('json') }, json)).status).toBe(201);
  });
});

test('S30: nobody of another directory is seen or changed', async () => {
  const { id, userName } = await acme.makeUser();
  const by = (account: string) => ({
    GET: undefined,
    PUT: { userName: account },
    PATCH: patchOf({ op: 'replace', path: 'active', value: false }),
    DELETE: undefined,
  });
  // Nor is an account that no identity provider made, of this tenant or of another.
  const byHand = await makeAccount(all.server, { kind: 'PERSON', parent: other.parent });
  const foreign = (await makeCaller(all.server)).id;
  for (const account of [id, byHand, foreign, 'acct_0', 'not-an-id'])
    for (const [method, body] of Object.entries(by(userName)))
      expect(await other.ask(method, `/Users/${account}`, body)).toMatchObject({
        status: 404,
        body: { schemas: [errorSchema], status: '404' },
      });
  const path = `/Users?filter=userName+eq+${encodeURIComponent(JSON.stringify(userName))}`;
  expect((await other.ask('GET', path)).body.totalResults).toBe(0);
  expect((await acme.ask('GET', `/Users/${id}`)).body).toMatchObject({ userName, active: true });
});

test('a refusal is on the audit log of who was refused', async () => {
  // No other test of this file is refused this.
  expect((await other.ask('DELETE', '/Groups/not-an-id')).status).toBe(404);
  const refused = () =>
    all.server.rows(
      `SELECT 1 AS one FROM audit_events WHERE account_id = CAST(:id AS uuid) AND action = 'group:delete'
       AND outcome = 'REFUSED' AND code = 'NOT_FOUND'`,
      { id: uuidOf(other.client) },
    );
  for (let tries = 0; tries < 50 && (await refused()).length === 0; tries++)
    await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await refused()).toHaveLength(1);
});

describe('lists', () => {
  const family = unique('Family');
  let users: { id: string; userName: string; externalId: string; displayName: string }[];
  beforeAll(async () => {
    users = [];
    for (const given of ['Ada', 'Bob%', 'Cleo_'])
      users.push(
        await acme.makeUser({
          displayName: `${given} ${family}`,
          name: { givenName: given, familyName: family },
          active: given !== 'Cleo_',
        }),
      );
  });
  const found = async (filter: string, more = '') => {
    const answer = await acme.ask('GET', `/Users?filter=${encodeURIComponent(filter)}${more}`);
    expect(answer).toMatchObject({ status: 200 });
    return answer.body;
  };
  const names = async (filter: string) =>
    (await found(filter)).Resources.map(
      ({ displayName }: { displayName: string }) => displayName.split(' ')[0],
    );

  test('by each attribute and comparison', async () => {
    const of = `name.familyName eq ${JSON.stringify(family.toUpperCase())}`;
    const [ada, bob] = users;
    expect(await names(of)).toEqual(['Ada', 'Bob%', 'Cleo_']);
    expect(await names(`id eq "${ada?.id}"`)).toEqual(['Ada']);
    expect(await names(`externalId eq "${bob?.externalId}"`)).toEqual(['Bob%']);
    expect(await names(`externalId eq "${bob?.externalId.toUpperCase()}"`)).toEqual([]);
    expect(await names(`${of} and displayName sw "ada"`)).toEqual(['Ada']);
    expect(await names(`${of} and displayName co "b% "`)).toEqual(['Bob%']);
    expect(await names(`${of} and displayName co "a%f"`)).toEqual([]);
    expect(await names(`${of} and not (displayName sw "b")`)).toEqual(['Ada', 'Cleo_']);
    expect(await names(`${of} and (active eq false or name.givenName eq "ada")`)).toEqual(['Ada', 'Cleo_']);
    expect(await names(`${of} and emails pr`)).toEqual([]);
    expect(await names(`${of} and active ne true`)).toEqual(['Cleo_']);
    expect(await names(`urn:ietf:params:scim:schemas:core:2.0:User:userName eq "${ada?.userName}"`)).toEqual([
      'Ada',
    ]);
  });

  test('in pages, with what is asked for alone', async () => {
    const of = `name.familyName eq "${family}"`;
    const page = await found(of, '&startIndex=2&count=1&attributes=userName');
    expect(page).toEqual({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
      totalResults: 3,
      startIndex: 2,
      itemsPerPage: 1,
      Resources: [{ schemas: [userSchema], id: users[1]?.id, userName: users[1]?.userName }],
    });
    expect(await found(of, '&count=0')).toMatchObject({ totalResults: 3, Resources: [] });
    expect(await found(of, '&startIndex=9')).toMatchObject({ totalResults: 3, Resources: [] });
    const [first] = (await found(of, '&excludedAttributes=name,meta&count=1')).Resources;
    expect(Object.keys(first).sort()).toEqual([
      'active',
      'displayName',
      'externalId',
      'id',
      'schemas',
      'userName',
    ]);
  });
});

test('what there is of SCIM is told as it is', async () => {
  const { body } = await acme.ask('GET', '/ServiceProviderConfig');
  expect(body).toMatchObject({
    patch: { supported: true },
    bulk: { supported: false },
    filter: { supported: true, maxResults: 100 },
    changePassword: { supported: false },
    sort: { supported: false },
    etag: { supported: true },
    authenticationSchemes: [{ type: 'oauthbearertoken' }],
  });
  const types = await acme.ask('GET', '/ResourceTypes');
  expect(types.body.Resources.map(({ id }: { id: string }) => id)).toEqual(['User', 'Group']);
  for (const { id, schema } of types.body.Resources) {
    expect((await acme.ask('GET', `/ResourceTypes/${id}`)).body.schema).toBe(schema);
    expect((await acme.ask('GET', `/Schemas/${schema}`)).body).toMatchObject({ id: schema, name: id });
  }
  expect((await acme.ask('GET', '/Schemas')).body.totalResults).toBe(2);
  expect((await acme.ask('GET', '/Schemas/urn:none')).status).toBe(404);
  expect((await askScim(all.server, null, 'GET', '/Schemas')).status).toBe(401);
});
