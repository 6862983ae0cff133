import { asking, type Ask, type Got } from './asking.js';
import { startApinizer, type Apinizer, type ApinizerOptions } from './apinizer.js';
import { apinizerApi, faultsOfCalls } from './openapi.js';
import { notAmong, publishedErrors } from './published-errors.js';

const api = apinizerApi();
const started: Apinizer[] = [];
let at: number;
beforeEach(() => {
  at = Date.UTC(2024, 5, 1);
});

async function start(options: ApinizerOptions = {}): Promise<{ apinizer: Apinizer; ask: Ask }> {
  const apinizer = await startApinizer({ now: () => at, ...options });
  started.push(apinizer);
  return { apinizer, ask: asking(apinizer.url, { authorization: `Bearer ${apinizer.token}` }) };
}
afterEach(() => Promise.all(started.splice(0).map((one) => one.stop())));

const all = '/apiops/projects/Orders/credentials/';
const alice = {
  username: 'alice',
  password: 'example-only',
  email: 'alice@example.com',
  fullName: 'Alice',
  description: 'a',
  roleNameList: ['READER'],
  enabled: true,
  ipList: ['203.0.113.0/24', '2001:db8::1'],
  expireDate: null as string | null,
};
const orders = { credentialAccessList: [{ name: 'Orders', type: 'API_PROXY' }] };

describe('the API file', () => {
  test.each(['pages', 'file'] as const)(
    'holds for requests and answers, deployed as in %s',
    async (deployment) => {
      const { apinizer, ask } = await start({ deployment });
      const held: Ask = async (method, path, body) => {
        const got = await ask(method, path, body);
        expect(api.faultsOfAnswer(method, path, got.status, got.body)).toEqual([]);
        return got;
      };
      const answers = [
        await held('POST', all, { ...alice, expireDate: '2025-12-31T23:59:59.000Z' }),
        await held('GET', all),
        await held('PUT', all, alice),
        await held('PATCH', `${all}alice/`, { password: 'example-only-2' }),
        await held('PUT', `${all}alice/access/`, orders),
        await held('GET', `${all}alice/access/`),
        await held('DELETE', `${all}alice/access/`, orders),
        await held('DELETE', `${all}alice/`),
        await held('POST', all, { ...alice, email: '' }),
      ];
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200, 200, 200, 400]);
      expect(answers.map(({ body }) => body.status).slice(0, 8)).toEqual(Array(8).fill('SUCCESS'));
      expect(faultsOfCalls(api, apinizer.calls)).toEqual([]);
      const denied = await asking(apinizer.url)('GET', all);
      expect(api.faultsOfAnswer('GET', all, 401, denied.body)).toEqual([]);
    },
  );

  test('would tell of a wrong member and of a call that there is not', () => {
    expect(api.faultsOfRequest('POST', all, { ...alice, roleNameList: 'READER' })).not.toEqual([]);
    expect(api.faultsOfRequest('POST', all, { ...alice, expireDate: 'tomorrow' })).not.toEqual([]);
    expect(api.faultsOfRequest('PUT', `${all}alice/access/`, {})).not.toEqual([]);
    expect(api.faultsOfRequest('GET', `${all}alice/`)).not.toEqual([]);
    expect(api.faultsOfRequest('GET', all.slice(0, -1))).not.toEqual([]);
    expect(api.faultsOfAnswer('GET', all, 404)).not.toEqual([]);
  });
});

test('answers as the older page does, with no member more', async () => {
  const { ask } = await start({ generation: 'older' });
  await ask('POST', all, alice);
  const { body } = await ask('GET', all);
  expect(Object.keys(body as object)).toEqual(['success', 'resultList']);
  const members = ['email', 'fullName', 'description', 'username', 'password', 'roleNameList', 'enabled'];
  expect(Object.keys(body.resultList[0] as object)).toEqual([...members, 'ipList', 'expireDate']);
  const unknown = await ask('GET', '/apiops/projects/MyProject/credentials/');
  expect([unknown.status, unknown.body]).toEqual([
    404,
    {
      error: 'not_found',
      error_description: 'Project(MyProject) was not found or user does not have privilege to access it!',
    },
  ]);
});

test('produces each error that is known of the vendor', async () => {
  const answers: Got[] = [];
  for (const generation of ['current', 'older'] as const) {
    const { apinizer, ask } = await start({ generation });
    const wrong = asking(apinizer.url, { authorization: 'Bearer x' });
    apinizer.tokens.set('ended', at);
    const ended = asking(apinizer.url, { authorization: 'Bearer ended' });
    apinizer.failing.add('production');
    answers.push(
      await wrong('GET', all),
      await ended('GET', all),
      await ask('POST', all, alice),
      await ask('POST', all, alice),
      await ask('DELETE', `${all}nobody/`),
      await ask('GET', '/apiops/projects/Demo/credentials/'),
      await ask('POST', all, { ...alice, email: '' }),
      await ask('PUT', `${all}alice/access/`, orders),
      await ask('PUT', `${all}alice/access/`, orders),
      await ask('POST', '/apiops/auth/token', 'grant_type=password'),
    );
    apinizer.permissions.delete('MANAGE');
    answers.push(await ask('POST', all, alice));
  }
  expect(notAmong(publishedErrors('apinizer'), answers)).toEqual([]);
});

describe.each(['current', 'older'] as const)('of the %s generation, a credential', (generation) => {
  const failed = (got: Got): [number, string] => [
    got.status,
    (generation === 'current' ? got.body.resultMessage : got.body.error_description) as string,
  ];
  const notFound = generation === 'current' ? 400 : 404;

  test('is made, listed without its password, and taken by the gateway', async () => {
    const { apinizer, ask } = await start({ generation });
    const made = await ask('POST', all, alice);
    expect(made.body).toMatchObject({
      ...(generation === 'current' ? { status: 'SUCCESS' } : { success: true }),
      deploymentResult: { success: true, environmentResults: [{ environmentName: 'staging' }, {}] },
    });
    expect((await ask('GET', all)).body.resultList).toMatchObject([{ ...alice, password: null }]);
    expect((await ask('GET', '/apiops/projects/admin/credentials/')).body.resultList).toHaveLength(1);
    expect(apinizer.accepts('alice', 'example-only')).toBe(true);
    expect(apinizer.accepts('alice', 'another')).toBe(false);
    expect(apinizer.accepts('bob', 'example-only')).toBe(false);
  });

  test('has a user name that is its own in all projects', async () => {
    const { ask } = await start({ generation, projects: ['Orders', 'Ünits & more'] });
    const other = `/apiops/projects/${encodeURIComponent('Ünits & more')}/credentials/`;
    await ask('POST', all, { ...alice, username: 'a/b c' });
    expect((await ask('POST', other, { ...alice, username: 'a/b c' })).status).toBe(400);
    expect((await ask('GET', other)).body.resultList).toEqual([]);
    expect(failed(await ask('DELETE', `${other}a%2Fb%20c/`))).toEqual([
      notFound,
      'Credential (username: a/b c) was not found!',
    ]);
    expect((await ask('DELETE', `${all}a%2Fb%20c/`)).status).toBe(200);
    expect((await ask('POST', other, { ...alice, username: 'a/b c' })).status).toBe(200);
  });

  test('is replaced as a whole, with its password', async () => {
    const { apinizer, ask } = await start({ generation });
    await ask('POST', all, alice);
    const { username, email, fullName, password } = alice;
    await ask('PUT', all, { username, email, fullName, password: 'next', enabled: false });
    const [one] = (await ask('GET', all)).body.resultList;
    expect(one).toMatchObject({ roleNameList: [], ipList: [], enabled: false, expireDate: null });
    expect(one).not.toHaveProperty('description');
    expect([apinizer.accepts('alice', password), apinizer.accepts('alice', 'next')]).toEqual([false, false]);
    const keyless = { username, email, fullName };
    expect(failed(await ask('PUT', all, keyless))).toEqual([400, 'Credential password can not be empty!']);
    expect((await ask('PUT', all, { ...alice, username: 'bob' })).status).toBe(notFound);
  });

  test('gets another password by itself', async () => {
    const { apinizer, ask } = await start({ generation });
    await ask('POST', all, alice);
    await ask('PATCH', `${all}alice/`, { password: 'next' });
    expect([apinizer.accepts('alice', 'example-only'), apinizer.accepts('alice', 'next')]).toEqual([
      false,
      true,
    ]);
    expect((await ask('PATCH', `${all}alice/`, { password: '' })).status).toBe(400);
    expect((await ask('PATCH', `${all}bob/`, { password: 'x' })).status).toBe(notFound);
  });

  test('opens nothing once it is past its date', async () => {
    const { apinizer, ask } = await start({ generation });
    await ask('POST', all, { ...alice, expireDate: '2024-06-02T00:00:00.000Z' });
    expect(apinizer.accepts('alice', 'example-only')).toBe(true);
    at = Date.UTC(2024, 5, 2);
    expect(apinizer.accepts('alice', 'example-only')).toBe(false);
    expect((await ask('GET', all)).body.resultList).toHaveLength(1);
  });

  test('is stored, and not live, where an environment fails', async () => {
    const { apinizer, ask } = await start({ generation });
    await ask('POST', all, alice);
    apinizer.failing.add('production');
    const { status, body } = await ask('PATCH', `${all}alice/`, { password: 'next' });
    expect([status, body.deploymentResult.success]).toEqual([200, false]);
    expect(body.deploymentResult.environmentResults).toMatchObject([{ success: true }, { success: false }]);
    expect(apinizer.accepts('alice', 'next')).toBe(true);
    expect(apinizer.accepts('alice', 'next', 'staging')).toBe(true);
    expect(apinizer.accepts('alice', 'next', 'production')).toBe(false);
    expect(apinizer.accepts('alice', 'example-only', 'production')).toBe(true);
    const deleted = await ask('DELETE', `${all}alice/`);
    expect(deleted.body.deploymentResult.detailList).toMatchObject([
      { envName: 'staging', success: true },
      { envName: 'production', success: false },
    ]);
  });

  test('is granted access, once, to what there is', async () => {
    const { ask } = await start({ generation });
    await ask('POST', all, alice);
    const path = `${all}alice/access/`;
    const shop = { credentialAccessList: [{ name: 'Shop', type: 'API_PROXY_GROUP' }] };
    for (const one of [orders, shop]) expect((await ask('PUT', path, one)).status).toBe(200);
    expect((await ask('PUT', path, orders)).status).toBe(400);
    const none = { credentialAccessList: [{ name: 'X', type: 'API_PROXY' }] };
    expect(failed(await ask('PUT', path, none))).toEqual([400, 'API Proxy (name:X) is not found']);
    const untyped = { credentialAccessList: [{ name: 'X' }] };
    expect(failed(await ask('PUT', path, untyped))[1]).toBe(
      'Credential access object type can not be empty!',
    );
    for (const one of [orders, orders, none]) expect((await ask('DELETE', path, one)).status).toBe(200);
    expect((await ask('GET', path)).body.resultList).toEqual(shop.credentialAccessList);
    expect((await ask('GET', `${all}bob/access/`)).status).toBe(notFound);
  });

  test.each([
    ['no user name', { username: '' }, 'Credential username can not be empty!'],
    ['no password', { password: undefined }, 'Credential password can not be empty!'],
    ['no full name', { fullName: ' ' }, 'Credential full name can not be empty!'],
    ['no address', { email: undefined }, 'Credential email can not be empty!'],
    [
      'a role that there is not',
      { roleNameList: ['READER', 'KING'] },
      'Credential role (name:KING) is not found',
    ],
    ['an address that is none', { ipList: ['203.0.113.0/33'] }, 'Credential ip list is not valid!'],
    ['a date that is none', { expireDate: '2025-12-31' }, 'Credential expire date is not valid!'],
  ])('is refused with %s', async (_, change, text) => {
    const { apinizer, ask } = await start({ generation });
    expect(failed(await ask('POST', all, { ...alice, ...change }))).toEqual([400, text]);
    expect(apinizer.credentials.size).toBe(0);
  });

  test('may be one of ten thousand, and may vanish', async () => {
    const { apinizer, ask } = await start({ generation });
    const names = apinizer.seed(10_000, (index) => ({ fullName: `One ${index}` }));
    expect((await ask('GET', all)).body.resultList).toHaveLength(10_000);
    const [first = ''] = names;
    expect([apinizer.remove(first), apinizer.remove(first)]).toEqual([true, false]);
    expect((await ask('GET', all)).body.resultList).toHaveLength(9_999);
  });
});

test('a path without the last slash, and a single credential, are not there', async () => {
  const { ask } = await start();
  await ask('POST', all, alice);
  for (const path of [all.slice(0, -1), `${all}alice/`, '/apiops/projects', '/apiops/'])
    expect((await ask('GET', path)).status).toBe(404);
});

test('lists the projects, of which admin is one', async () => {
  const { ask } = await start({ projects: ['Orders', 'Demo'] });
  const { body } = await ask('GET', '/apiops/projects/');
  expect(body).toMatchObject({ status: 'SUCCESS', resultCount: 3 });
  expect(body.resultList.map(({ name }: { name: string }) => name)).toEqual(['admin', 'Orders', 'Demo']);
  const members = ['id', 'name', 'description', 'relativePath', 'enableRelativePath', 'tags'];
  expect(Object.keys(body.resultList[0] as object)).toEqual(members);
});

test('gives a token of an hour for a user name and a password', async () => {
  const { apinizer } = await start();
  const ask = asking(apinizer.url);
  const { name, password } = apinizer.user;
  const form = (secret: string) =>
    new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: name,
      client_secret: secret,
    }).toString();
  const { body } = await ask('POST', '/apiops/auth/token', form(password));
  expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 3600 });
  const headers = { authorization: `Bearer ${body.access_token}` };
  expect((await ask('GET', all, undefined, headers)).status).toBe(200);
  at += 3_600_000;
  expect((await ask('GET', all, undefined, headers)).body.resultMessage).toBe('Token was expired!');
  const wrong = await ask('POST', '/apiops/auth/token', form('x'));
  expect([wrong.status, wrong.body.error]).toEqual([401, 'unauthorized_client']);
});

test.each(['withheld', 'masked'] as const)(
  'shows what is secret in the metadata %s',
  async (secretMetadata) => {
    const { ask } = await start({ secretMetadata });
    const metadata = [
      { key: 'team', value: 'a', secret: false },
      { key: 'pin', value: 'the-pin', secret: true },
    ];
    await ask('POST', all, { ...alice, metadata });
    const got = await ask('GET', all);
    expect(got.text).not.toContain('the-pin');
    expect(got.body.resultList[0].metadata).toEqual([
      metadata[0],
      { key: 'pin', secret: true, ...(secretMetadata === 'masked' && { value: '***' }) },
    ]);
  },
);
