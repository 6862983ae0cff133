import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { asking, type Ask, type Got } from './asking.js';
import { isSignedBy, signedText, type LegacyRequest, type Pair } from './landscape-proof.js';
import { startLandscape, type Landscape, type LandscapeOptions } from './landscape.js';
import { notAmong, publishedErrors } from './published-errors.js';

interface Vector {
  name: string;
  method: string;
  host: string;
  path: string;
  params: Record<string, string>;
  secretKey: string;
  stringToSign: string;
  signature: string;
}
const { vectors } = JSON.parse(readFileSync('test/vectors/landscape-legacy-hmac.json', 'utf8')) as {
  vectors: Vector[];
};
const requestOf = ({ method, host, path, params, signature }: Vector): LegacyRequest => ({
  method,
  host,
  path,
  parameters: new Map(Object.entries({ ...params, signature })),
});

const started: Landscape[] = [];
let at: number;
beforeEach(() => {
  at = Date.UTC(2024, 0, 31, 8, 7);
});

async function start(options: LandscapeOptions = {}): Promise<{ landscape: Landscape; ask: Ask }> {
  const landscape = await startLandscape({ now: () => at, ...options });
  started.push(landscape);
  return { landscape, ask: asking(`${landscape.url}/api/v2`) };
}
afterEach(() => Promise.all(started.splice(0).map((one) => one.stop())));

const pairOf = (landscape: Landscape, account = 'acme'): Pair => {
  const pair = landscape.pairs().get(account);
  if (!pair) throw new Error(`No pair for ${account}.`);
  return pair;
};
const loginBy = (ask: Ask, { accessKey, secretKey }: Pair, more = {}) =>
  ask('POST', '/login/access-key', { access_key: accessKey, secret_key: secretKey, ...more });
const bearer = ({ body }: Got) => ({ authorization: `Bearer ${body.token}` });

/** The same server, asked by one who has logged in. */
async function inside(options: LandscapeOptions = {}) {
  const { landscape, ask } = await start(options);
  const login = await loginBy(ask, pairOf(landscape));
  const headers = bearer(login);
  return { landscape, outside: ask, login, headers, ask: asking(`${landscape.url}/api/v2`, headers) };
}

/** A signed form for the legacy API of this server. */
function signed(
  landscape: Landscape,
  parameters: Record<string, string>,
  { accessKey, secretKey } = pairOf(landscape),
) {
  const all = {
    version: '2011-08-01',
    access_key_id: accessKey,
    signature_method: 'HmacSHA256',
    signature_version: '2',
    timestamp: new Date(at).toISOString().replace('.000', ''),
    ...parameters,
  };
  const { host } = new URL(landscape.url);
  const text = signedText({ method: 'POST', host, path: '/api/', parameters: new Map(Object.entries(all)) });
  const signature = createHmac('sha256', secretKey).update(text).digest('base64');
  return new URLSearchParams({ ...all, signature }).toString();
}

describe('a signature', () => {
  test.each(vectors)('$name: is taken', (vector) => {
    expect(signedText(requestOf(vector))).toBe(vector.stringToSign);
    expect(isSignedBy(vector.secretKey, requestOf(vector))).toBe(true);
  });

  test.each(vectors)('$name: is refused with one byte changed', (vector) => {
    const request = requestOf(vector);
    const changed = (text: string) => `${[...text].slice(0, -1).join('')}${text.endsWith('x') ? 'y' : 'x'}`;
    const others: LegacyRequest[] = [
      { ...request, method: request.method === 'GET' ? 'POST' : 'GET' },
      { ...request, host: changed(request.host) },
      { ...request, path: `${request.path}x` },
      { ...request, parameters: new Map([...request.parameters, ['more', '']]) },
      ...[...request.parameters].map(([name, value]) => ({
        ...request,
        parameters: new Map([...request.parameters, [name, changed(value)]]),
      })),
    ];
    expect(others.filter((one) => isSignedBy(vector.secretKey, one))).toEqual([]);
    expect(isSignedBy(changed(vector.secretKey), request)).toBe(false);
  });
});

describe('a login', () => {
  test('by access key or password answers with a token, whose claims are the published ones', async () => {
    const { landscape, ask } = await start();
    const { email, password } = landscape.person;
    for (const got of [
      await loginBy(ask, pairOf(landscape)),
      await ask('POST', '/login', { email, password }),
    ]) {
      expect(got.status).toBe(200);
      const { token, ...others } = got.body;
      expect(others).toEqual({
        accounts: [
          { default: true, name: 'acme', title: 'The acme' },
          { name: 'beta', title: 'The beta' },
        ],
        current_account: 'acme',
        email,
        name: 'Gateway Bot',
      });
      const claims: unknown = JSON.parse(
        Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString(),
      );
      expect(claims).toEqual({ iat: at / 1000, exp: at / 1000 + 86_400, sub: email, acc: 'acme', id: 17 });
    }
  });

  test('goes to the account of the pair, or to the one that is asked for', async () => {
    const { landscape, ask } = await start();
    expect((await loginBy(ask, pairOf(landscape, 'beta'))).body.current_account).toBe('beta');
    const { email, password } = landscape.person;
    const into = (account: string) => ask('POST', '/login', { email, password, account });
    expect((await into('beta')).body.current_account).toBe('beta');
    expect((await into('gamma')).body.error).toBe('UnknownAccount');
  });

  test('fails with what is of nobody, and with what is missing', async () => {
    const { landscape, ask } = await start();
    const { accessKey, secretKey } = pairOf(landscape);
    const mixed = { accessKey, secretKey: pairOf(landscape, 'beta').secretKey };
    expect((await loginBy(ask, mixed)).body).toMatchObject({ error: 'InvalidCredentials' });
    expect((await loginBy(ask, { accessKey: 'x', secretKey })).status).toBe(401);
    expect((await ask('POST', '/login/access-key', { access_key: accessKey })).body.error).toBe(
      'MissingParameter',
    );
    const { email } = landscape.person;
    expect((await ask('POST', '/login', { email, password: 'x' })).status).toBe(401);
    expect((await ask('POST', '/login', { email, identity: email, password: 'x' })).status).toBe(400);
  });

  test('needs to say that it is JSON, unless the server is not strict', async () => {
    for (const strict of [true, false]) {
      const { landscape, ask } = await start({ strict });
      const { accessKey, secretKey } = pairOf(landscape);
      const text = JSON.stringify({ access_key: accessKey, secret_key: secretKey });
      expect((await ask('POST', '/login/access-key', text)).status).toBe(strict ? 415 : 200);
    }
  });
});

describe('a token', () => {
  test('ends when its login said', async () => {
    const { landscape, ask } = await start();
    const headers = bearer(await loginBy(ask, pairOf(landscape), { expiry_minutes: 1 }));
    const look = async () => (await ask('GET', '/person', undefined, headers)).status;
    expect(await look()).toBe(200);
    at += 60_000;
    expect(await look()).toBe(401);
  });

  test.each(['me', 'account', 'system', 'system/account/acme'])('ends by invalidate-%s', async (what) => {
    const { ask } = await inside();
    const ended = await ask('POST', `/tokens/invalidate-${what}`, {});
    expect([ended.status, ended.text]).toEqual([200, '']);
    expect((await ask('GET', '/person')).body.error).toBe('Unauthorised');
  });

  test('of one account is given for one of another', async () => {
    const { landscape, ask } = await inside();
    const { body } = await ask('POST', '/switch-account', { account_name: 'beta' });
    expect(Object.keys(body as object)).toEqual(['token']);
    const there = asking(landscape.url, { authorization: `Bearer ${body.token}` });
    expect((await there('GET', '/api/v2/person')).body.preferred_account).toBe('beta');
    expect((await ask('POST', '/switch-account', { account_name: 'gamma' })).status).toBe(404);
  });

  test('is refused with another signature', async () => {
    const { headers, outside } = await inside();
    const [head, claims] = headers.authorization.split('.');
    for (const wrong of [`${head}.${claims}.`, `${head}.${claims}.x`, 'Bearer x', 'Bearer'])
      expect((await outside('GET', '/person', undefined, { authorization: wrong })).status).toBe(401);
  });
});

describe('the pairs', () => {
  test('are shown in clear, with the members of the vendor’s page', async () => {
    const { landscape, ask } = await inside();
    const { body } = await ask('GET', '/credentials');
    const { accessKey, secretKey } = pairOf(landscape);
    expect(body.credentials).toHaveLength(2);
    expect(body.credentials[0]).toEqual({
      access_key: accessKey,
      account_name: 'acme',
      account_title: 'The acme',
      endpoint: 'https://localhost:9091/api/',
      exports: `export LANDSCAPE_API_URI='${landscape.url}/api/'\nexport LANDSCAPE_API_KEY='${accessKey}'\nexport LANDSCAPE_API_SECRET='${secretKey}'`,
      secret_key: secretKey,
    });
  });

  test('are replaced at once, while tokens go on', async () => {
    const { landscape, ask, outside } = await inside();
    const old = pairOf(landscape);
    const { body } = await ask('POST', '/credentials', { account: 'acme' });
    const made = { accessKey: body.access_key as string, secretKey: body.secret_key as string };
    expect(Object.keys(body as object).sort()).toEqual(
      ['access_key', 'account_name', 'account_title', 'endpoint', 'exports', 'secret_key'].sort(),
    );
    expect(pairOf(landscape)).toEqual(made);
    expect([made, old].map((one) => landscape.accepts(one.accessKey, one.secretKey))).toEqual([true, false]);
    expect([(await loginBy(outside, made)).status, (await loginBy(outside, old)).status]).toEqual([200, 401]);
    expect((await ask('GET', '/credentials')).status).toBe(200);
  });

  test('are made for the current account where none is named, and for no account of others', async () => {
    const { landscape, ask } = await inside();
    const old = pairOf(landscape);
    expect((await ask('POST', '/credentials', {})).body.account_name).toBe('acme');
    expect(pairOf(landscape)).not.toEqual(old);
    expect((await ask('POST', '/credentials', { account: 'gamma' })).body.error).toBe('UnknownAccount');
  });

  test.each(['null', 'empty', 'absent'] as const)('may be none, written as %s', async (none) => {
    const { landscape, ask } = await inside({
      none,
      accounts: [{ name: 'acme' }, { name: 'beta', pair: null }],
    });
    const one = (await ask('GET', '/credentials')).body.credentials[1];
    expect(one.access_key).toBe({ null: null, empty: '', absent: undefined }[none]);
    expect('secret_key' in one).toBe(none !== 'absent');
    expect(landscape.accepts('', '')).toBe(false);
    await ask('POST', '/credentials', { account: 'beta' });
    expect(landscape.pairs().get('beta')).not.toBeNull();
  });

  test('come and go with the accounts of the person', async () => {
    const { landscape, ask } = await inside();
    landscape.accounts.delete('beta');
    landscape.addAccount('gamma', { title: 'Gamma Ltd', pair: null });
    const { body } = await ask('GET', '/credentials');
    expect(body.credentials.map((one: { account_title: string }) => one.account_title)).toEqual([
      'The acme',
      'Gamma Ltd',
    ]);
  });
});

describe('the legacy API', () => {
  const query = '/api/?version=2011-08-01&action=';

  test('takes signatures and tokens', async () => {
    const { landscape, headers } = await inside();
    const ask = asking(landscape.url);
    const roles = await ask('POST', '/api/', signed(landscape, { action: 'GetRoles' }));
    expect(roles.body[0]).toMatchObject({ name: 'GlobalAdmin', persons: ['bot@acme.example'] });
    expect((await ask('GET', `${query}GetRoles`, undefined, headers)).body).toEqual(roles.body);
    const administrators = await ask('GET', `${query}GetAdministrators`, undefined, headers);
    expect(administrators.body).toEqual([
      { id: 17, name: 'Gateway Bot', email: 'bot@acme.example', roles: ['GlobalAdmin'] },
    ]);
    const groups = await ask('GET', `${query}GetAccessGroups`, undefined, headers);
    expect(groups.body).toEqual([{ name: 'global', title: 'Global access', parent: '' }]);
  });

  test('refuses a signature of another request, key or time', async () => {
    const { landscape } = await start();
    const ask = asking(landscape.url);
    const form = signed(landscape, { action: 'GetRoles' });
    const codeOf = async (path: string, body: string) => (await ask('POST', path, body)).body.error as string;
    expect(await codeOf('/api/', `${form}&names.1=Auditor`)).toBe('SignatureDoesNotMatch');
    expect(await codeOf('/api', form)).toBe('SignatureDoesNotMatch');
    const { accessKey } = pairOf(landscape);
    const wrong = { accessKey, secretKey: 'x' };
    expect(await codeOf('/api/', signed(landscape, { action: 'GetRoles' }, wrong))).toBe(
      'SignatureDoesNotMatch',
    );
    expect(await codeOf('/api/', signed(landscape, {}, { ...wrong, accessKey: 'x' }))).toBe('AuthFailure');
    at += 301_000;
    expect(await codeOf('/api/', form)).toBe('AuthFailure');
  });

  test('keeps roles, people and access groups of each account', async () => {
    const { landscape } = await start();
    const ask = asking(landscape.url);
    const act = async (parameters: Record<string, string>) =>
      (await ask('POST', '/api/', signed(landscape, parameters))).body;
    await act({ action: 'CreateRole', name: 'Ops', description: 'a' });
    await act({ action: 'AddPermissionsToRole', name: 'Ops', 'permissions.1': 'ViewComputer' });
    await act({ action: 'CreateAccessGroup', title: 'Lab 1' });
    await act({ action: 'AddAccessGroupsToRole', name: 'Ops', 'access_groups.1': 'lab-1' });
    await act({ action: 'InviteAdministrator', name: 'Ann', email: 'ann@acme.example', 'roles.1': 'Ops' });
    expect(await act({ action: 'GetRoles', 'names.1': 'Ops' })).toEqual([
      {
        name: 'Ops',
        description: 'a',
        permissions: ['ViewComputer'],
        persons: ['ann@acme.example'],
        access_groups: ['lab-1'],
      },
    ]);
    expect(landscape.accounts.get('beta')?.roles).toHaveLength(2);
    await act({ action: 'DisableAdministrator', email: 'ann@acme.example' });
    expect(await act({ action: 'GetRoles', 'names.1': 'Ops' })).toMatchObject([{ persons: [] }]);
    await act({ action: 'RemoveRole', name: 'Ops' });
    expect(await act({ action: 'GetRoles' })).toHaveLength(2);
    expect(await act({ action: 'RemoveRole', name: 'GlobalAdmin' })).toMatchObject({ error: 'ReadOnlyRole' });
  });
});

test('produces each error that is known of the vendor, of which three by a fault', async () => {
  const { landscape, ask, outside } = await inside();
  const legacy = asking(landscape.url);
  const act = (parameters: Record<string, string>) => legacy('POST', '/api/', signed(landscape, parameters));
  const both = await act({ action: 'InviteAdministrator', name: 'x', email: 'x', 'roles.1': 'x' });
  expect(both).toMatchObject({
    status: 400,
    body: { error: 'MultiError', errors: [{ error: 'InvalidEmailAddress' }, { error: 'UnknownRole' }] },
  });
  const answers = [
    await outside('GET', '/person'),
    await legacy('POST', '/api', signed(landscape, { action: 'GetRoles' })),
    await act({ action: 'CreateRole' }),
    await act({ action: 'RemoveRole', name: 'x' }),
    await act({ action: 'CreateRole', name: 'Auditor' }),
  ];
  const left = notAmong(publishedErrors('landscape'), answers);
  expect(left.map(({ status }) => status)).toEqual([500, 400, 502]);
  for (const { status, body } of left) {
    landscape.meet({ kind: 'fail', status, body });
    answers.push(await ask('GET', '/credentials'));
  }
  expect(notAmong(left, answers)).toEqual([]);
  expect((await ask('GET', '/credentials')).status).toBe(200);
});
