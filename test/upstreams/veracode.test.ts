import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { bare, veracodeSigner } from './veracode-signature.js';
import { startVeracode, type Veracode, type VeracodeOptions } from './veracode.js';

const JupiterOne = createRequire(import.meta.url)('@jupiterone/veracode-client') as new (
  id: string,
  key: string,
) => {
  apiBaseRest: string;
  calculateAuthorizationHeader(url: string, method: string): string;
  _restRequest(options: { endpoint: string; query?: string }): Promise<{ user_name: string }[]>;
};

interface Vector {
  name: string;
  id: string;
  secret: string;
  host: string;
  url: string;
  method: string;
  ts: number;
  authorization: string;
}

const { vectors, prefixes, negative } = JSON.parse(
  readFileSync('test/vectors/veracode-hmac.json', 'utf8'),
) as {
  vectors: Vector[];
  prefixes: { credential: string; stripped?: string }[];
  negative: { name: string; base: string; change: Partial<Vector> }[];
};

describe('the signature check', () => {
  const signerOf = ({ method, url, host, id, secret, ts, authorization }: Vector, laterMs = 0) =>
    veracodeSigner(
      { method, target: url, headers: { host, authorization } },
      (one) => (one === bare(id) ? secret : undefined),
      ts + laterMs,
    )?.apiId;

  test.each(vectors)('$name: is taken, at any port', (vector) => {
    expect(signerOf(vector)).toBe(bare(vector.id));
    expect(signerOf({ ...vector, host: `${vector.host}:8443` })).toBe(bare(vector.id));
  });

  test.each(vectors)('$name: is refused with one byte changed, wherever it is', (vector) => {
    const { method, url, host, secret, authorization } = vector;
    const inHeader = (name: string) =>
      authorization.replace(new RegExp(`(?<=${name}=\\w*)(\\w)(?=,|$)`), (last) =>
        last === '1' ? '2' : '1',
      );
    const changed: Vector[] = [
      { ...vector, method: `${method}S` },
      { ...vector, url: `${url.slice(0, -1)}~` },
      { ...vector, host: `${host}m` },
      { ...vector, secret: `${secret.slice(0, -1)}${secret.endsWith('1') ? 2 : 1}` },
      ...['id', 'ts', 'nonce', 'sig'].map((name) => ({ ...vector, authorization: inHeader(name) })),
      { ...vector, authorization: authorization.replace('SHA-256', 'SHA-512') },
      { ...vector, authorization: authorization.replaceAll(',', ', ') },
    ];
    expect(changed.filter((one) => one.authorization !== authorization)).toHaveLength(6);
    expect(changed.map((one) => signerOf(one))).toEqual(changed.map(() => undefined));
  });

  test.each(negative)('$name: is another signature', ({ base, change }) => {
    const vector = vectors.find(({ name }) => name === base);
    if (!vector) throw new Error(`no vector ${base}`);
    expect(signerOf({ ...vector, ...change })).toBeUndefined();
  });

  test.each(prefixes)('$credential is without its prefix, or nothing', ({ credential, stripped }) => {
    expect(bare(credential)).toBe(stripped);
  });

  test('does not take an id with its prefix', () => {
    const vector = vectors.find(({ id }) => id.startsWith('vera01ei-'));
    if (!vector) throw new Error('no vector with a prefix');
    const { authorization, id } = vector;
    expect(
      signerOf({ ...vector, authorization: authorization.replace(/id=\w+/, `id=${id}`) }),
    ).toBeUndefined();
  });

  test('holds for some minutes on both sides, and not for ten', () => {
    const [vector] = vectors as [Vector];
    const minutes = [-10, -1, 1, 10].map((count) => signerOf(vector, count * 60_000) !== undefined);
    expect(minutes).toEqual([false, true, true, false]);
  });
});

const startMs = Date.parse('2025-03-01T09:30:00.000Z');
const servers: Veracode[] = [];

async function start(options: VeracodeOptions = {}): Promise<Veracode> {
  const server = await startVeracode({ clockMs: () => startMs, ...options });
  servers.push(server);
  return server;
}

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

type Pair = { apiId: string; apiKey: string };
const base = '/api/authn/v2';

/** The header that the pair signs with, at a time of ours. */
function headerOf({ apiId, apiKey }: Pair, method: string, target: string, ms: number): string {
  const hmac = (key: Buffer, message: Buffer | string) => createHmac('sha256', key).update(message).digest();
  const [id, key] = [apiId, apiKey].map((half) => half.replace(/^\w{8}-/, '')) as [string, string];
  const nonce = randomBytes(16);
  const signing = hmac(hmac(hmac(Buffer.from(key, 'hex'), nonce), String(ms)), 'vcode_request_version_1');
  const sig = hmac(signing, `id=${id}&host=127.0.0.1&url=${target}&method=${method}`).toString('hex');
  return `VERACODE-HMAC-SHA-256 id=${id},ts=${ms},nonce=${nonce.toString('hex')},sig=${sig}`;
}

async function call(
  { url }: Veracode,
  pair: Pair,
  [method, path, body]: [string, string, unknown?],
  { ms = startMs, type = 'application/json', at = base, authorization = '' } = {},
) {
  const target = `${at}${path}`;
  const headers = {
    authorization: authorization || headerOf(pair, method, target, ms),
    ...(type !== '' && { 'content-type': type }),
  };
  const sent = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(`${url}${target}`, { method, headers, body: sent });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
  };
}

const words = expect.any(String) as string;

describe('the door', () => {
  test('401: refuses whom it does not know, and says no more than the id of the conversation', async () => {
    const server = await start();
    const strangers: Pair[] = [
      { ...server.admin, apiId: 'ab'.repeat(16) },
      { ...server.admin, apiKey: 'ab'.repeat(64) },
    ];
    for (const stranger of strangers) {
      const { status, headers, body } = await call(server, stranger, ['GET', '/users/self']);
      const conversation = headers.get('x-conversation-id');
      expect(conversation).toMatch(/^[0-9a-f-]{36}$/);
      expect([status, body]).toEqual([
        401,
        { http_code: 401, http_status: 'Unauthorized', message: conversation },
      ]);
    }
    expect((await call(server, server.admin, ['GET', '/users/self'], { ms: startMs - 600_001 })).status).toBe(
      401,
    );
  });

  test('401: takes a signature once, however its nonce is written', async () => {
    const server = await start();
    const authorization = headerOf(server.admin, 'GET', `${base}/users/self`, startMs);
    const shouted = authorization.replace(/(?<=nonce=)\w+/, (nonce) => nonce.toUpperCase());
    const statuses: number[] = [];
    for (const one of [authorization, authorization, shouted])
      statuses.push(
        (await call(server, server.admin, ['GET', '/users/self'], { authorization: one })).status,
      );
    expect(statuses).toEqual([200, 401, 401]);
  });

  test('401: refuses the pair of a disabled user, and takes it again once the user is enabled', async () => {
    const server = await start();
    const user = server.addUser();
    const pair = server.addPair(user.user_id);
    const statuses: number[] = [];
    for (const active of [true, false, true]) {
      await call(server, server.admin, [
        'PUT',
        `/users/${user.user_id}?partial=true&incremental=true`,
        { active },
      ]);
      expect(server.accepts(pair.apiId, pair.apiKey)).toBe(active);
      statuses.push((await call(server, pair, ['GET', '/users/self'])).status);
    }
    expect(statuses).toEqual([200, 401, 200]);
  });

  test('403: lets others than administrators look at themselves alone', async () => {
    const server = await start();
    const user = server.addUser();
    const pair = server.addPair(user.user_id);
    const adminId = server.admin.userId;
    for (const [method, path] of [
      ['GET', '/users'],
      ['GET', `/users/search?api_id=${pair.apiId}`],
      ['GET', `/users/${adminId}`],
      ['PUT', `/users/${user.user_id}?partial=true`],
      ['GET', `/api_credentials/user_id/${adminId}`],
      ['POST', `/api_credentials/user_id/${adminId}`],
      ['DELETE', `/api_credentials/user_id/${adminId}`],
    ] as const) {
      const { status, body } = await call(server, pair, [method, path]);
      expect([path, status]).toEqual([path, 403]);
      expect(body).toEqual({ id: words, code: 'FORBIDDEN', title: words, detail: words, status: '403' });
    }
    for (const path of ['/users/self', '/api_credentials', `/api_credentials/${pair.apiId}`, '/principal'])
      expect([path, (await call(server, pair, ['GET', path])).status]).toEqual([path, 200]);
    expect((await call(server, pair, ['DELETE', `/api_credentials/${server.admin.apiId}`])).status).toBe(404);
    expect(server.accepts(server.admin.apiId, server.admin.apiKey)).toBe(true);
  });

  test('404: has nothing at other addresses, and the health check at two', async () => {
    const server = await start();
    const { admin } = server;
    for (const [path, at] of [
      ['/nothing', base],
      ['/users/self', ''],
      ['/users/self', '/api/authn/v1'],
    ] as const)
      expect(await call(server, admin, ['GET', path], { at })).toMatchObject({
        status: 404,
        body: { _embedded: { api_errors: [{ id: words, code: 'NOT_FOUND', title: words, status: '404' }] } },
      });
    for (const at of [base, ''])
      expect((await call(server, admin, ['GET', '/healthcheck/status'], { at })).status).toBe(200);
  });

  test('429: answers so many calls a minute, and says when the next may come', async () => {
    let now = startMs;
    const server = await start({ clockMs: () => now, perMinute: 2 });
    const ask = () => call(server, server.admin, ['GET', '/users/self'], { ms: now });
    await ask();
    now += 43_000;
    expect((await ask()).status).toBe(200);
    const refused = await ask();
    expect([refused.status, refused.headers.get('retry-after'), refused.body]).toEqual([
      429,
      '17',
      undefined,
    ]);
    now += 17_000;
    expect((await ask()).status).toBe(200);
    expect((await ask()).status).toBe(429);
  });

  test.each([
    ['http', { http_code: 403, http_status: 'Forbidden', message: words }],
    ['errors', { errors: [words], status: 403 }],
    [
      'embedded',
      { _embedded: { api_errors: [{ id: words, code: 'FORBIDDEN', title: words, status: '403' }] } },
    ],
    ['oauth', { error: 'access_denied', error_description: words }],
    ['flat', { id: words, code: 'FORBIDDEN', title: words, detail: words, status: '403' }],
  ] as const)('refuses in the shape asked for: %s', async (errorShape, body) => {
    const server = await start({ errorShape });
    const pair = server.addPair(server.addUser().user_id);
    expect(await call(server, pair, ['GET', '/users'])).toMatchObject({ status: 403, body });
    const wrong = await call(server, { ...pair, apiKey: 'ab'.repeat(64) }, ['GET', '/users']);
    expect([wrong.status, Object.keys(wrong.body)]).toEqual([401, Object.keys(body)]);
  });
});

describe('the pair of a user', () => {
  test.each([
    ['itself', '/api_credentials'],
    ['an administrator', '/api_credentials/user_id/'],
  ])('is generated, read without its secret and revoked, by %s', async (who, path) => {
    const server = await start();
    const user = server.addUser({ user_name: 'somebody' });
    const old = server.addPair(user.user_id);
    const isSelf = who === 'itself';
    const at = isSelf ? path : `${path}${user.user_id}`;
    const made = await call(server, isSelf ? old : server.admin, ['POST', at, isSelf ? {} : undefined]);
    expect([made.status, made.body]).toEqual([
      200,
      {
        api_id: expect.stringMatching(/^vera01gi-[0-9a-f]{32}$/),
        api_secret: expect.stringMatching(/^vera01gs-[0-9a-f]{128}$/),
        expiration_ts: '2026-03-01T09:30:00.000+0000',
        _links: expect.any(Object),
      },
    ]);
    const pair = { apiId: made.body.api_id as string, apiKey: made.body.api_secret as string };
    expect(server.accepts(old.apiId, old.apiKey)).toBe(false);
    expect(server.accepts(pair.apiId, pair.apiKey)).toBe(true);
    const by = isSelf ? pair : server.admin;
    const readable = { ...made.body };
    delete readable.api_secret;
    for (const one of [at, `/api_credentials/${pair.apiId}`])
      expect((await call(server, by, ['GET', one])).body).toEqual(readable);
    const revoked = await call(server, by, ['DELETE', at]);
    expect([revoked.status, revoked.body]).toEqual([200, undefined]);
    expect(server.accepts(pair.apiId, pair.apiKey)).toBe(false);
    const after = await call(server, server.admin, ['GET', `/api_credentials/user_id/${user.user_id}`]);
    expect(after.body).toEqual({
      ...readable,
      revocation_user: isSelf ? 'somebody' : 'keyway-admin',
      revocation_ts: '2025-03-01T09:30:00.000+0000',
    });
    const again = await call(server, server.admin, ['DELETE', `/api_credentials/${pair.apiId}`]);
    expect(again.status).toBe(404);
  });

  test('lives on for a day behind a newer one, if asked to, and is revoked by its id before that', async () => {
    let now = startMs;
    const server = await start({ clockMs: () => now, oldLives: '24h' });
    const user = server.addUser();
    const old = server.addPair(user.user_id);
    const path = `/api_credentials/user_id/${user.user_id}`;
    const { body } = await call(server, server.admin, ['POST', path]);
    const works = (pair: Pair) => server.accepts(pair.apiId, pair.apiKey);
    expect([works(old), server.accepts(body.api_id, body.api_secret)]).toEqual([true, true]);
    const seen = await call(server, server.admin, ['GET', `/api_credentials/${old.apiId}`]);
    expect(seen.body.revocation_ts).toBe('2025-03-02T09:30:00.000+0000');
    now += 86_399_999;
    expect(works(old)).toBe(true);
    now += 1;
    expect(works(old)).toBe(false);

    const older = server.addPair(user.user_id);
    server.addPair(user.user_id);
    expect(works(older)).toBe(true);
    await call(server, server.admin, ['DELETE', `/api_credentials/${older.apiId}`], { ms: now });
    expect(works(older)).toBe(false);
  });

  test('ends after one calendar year', async () => {
    let now = Date.parse('2027-06-01T00:00:00Z');
    const server = await start({ clockMs: () => now });
    const { apiId, apiKey } = server.admin;
    now = Date.parse('2028-05-31T23:59:59.999Z');
    expect(server.accepts(apiId, apiKey)).toBe(true);
    now += 1;
    expect(server.accepts(apiId, apiKey)).toBe(false);
    expect((await call(server, server.admin, ['GET', '/users/self'], { ms: now })).status).toBe(401);
  });

  test.each([
    ['rfc3339', '2026-03-01T09:30:00Z'],
    ['offset', '2026-03-01T09:30:00.000+0000'],
    ['zone', '2026-03-01 09:30:00 UTC'],
  ] as const)('shows times as they are spelt somewhere: %s', async (dates, expected) => {
    const server = await start({ dates });
    const { body } = await call(server, server.admin, ['GET', '/api_credentials']);
    expect(body.expiration_ts).toBe(expected);
  });

  test('404: is not there where there is none, and, if asked to, once it is revoked', async () => {
    const server = await start({ showsRevoked: false });
    const user = server.addUser();
    const path = `/api_credentials/user_id/${user.user_id}`;
    const statuses = async () => [
      (await call(server, server.admin, ['GET', path])).status,
      (await call(server, server.admin, ['DELETE', path])).status,
    ];
    expect(await statuses()).toEqual([404, 404]);
    const { apiId } = server.addPair(user.user_id);
    expect(await statuses()).toEqual([200, 200]);
    expect(await statuses()).toEqual([404, 404]);
    expect((await call(server, server.admin, ['GET', `/api_credentials/${apiId}`])).status).toBe(404);
    for (const [method, at] of [
      ['GET', '/api_credentials/nobody'],
      ['POST', '/api_credentials/user_id/nobody'],
    ] as const)
      expect((await call(server, server.admin, [method, at])).status).toBe(404);
  });

  test('is neither generated nor revoked without a content type, nor with a body that is no object', async () => {
    const server = await start();
    const { user_id } = server.addUser();
    const { apiId, apiKey } = server.addPair(user_id);
    const path = `/api_credentials/user_id/${user_id}`;
    for (const method of ['POST', 'DELETE'])
      expect((await call(server, server.admin, [method, path], { type: '' })).status).toBe(415);
    expect((await call(server, server.admin, ['POST', path, '['])).status).toBe(400);
    expect(server.accepts(apiId, apiKey)).toBe(true);
  });
});

describe('users', () => {
  test('come in pages, the single form saying more; nothing is embedded where there are none', async () => {
    const server = await start();
    server.seed(4);
    const ask = async (query: string) => (await call(server, server.admin, ['GET', `/users${query}`])).body;
    const second = await ask('?page=1&size=2');
    expect(second.page).toEqual({ number: 1, size: 2, total_elements: 5, total_pages: 3 });
    expect(second._links).toEqual({
      first: { href: `${server.url}${base}/users?page=0&size=2` },
      prev: { href: `${server.url}${base}/users?page=0&size=2` },
      self: { href: `${server.url}${base}/users?page=1&size=2` },
      next: { href: `${server.url}${base}/users?page=2&size=2` },
      last: { href: `${server.url}${base}/users?page=2&size=2` },
    });
    const [one] = second._embedded.users;
    expect(Object.keys(one)).toEqual(expect.not.arrayContaining(['active', 'roles', 'teams']));
    const single = (await call(server, server.admin, ['GET', `/users/${one.user_id}`])).body;
    const { login_enabled: mayLogIn, ...rest } = one;
    expect(mayLogIn).toBe(true);
    expect(single).toMatchObject({ ...rest, active: true, roles: [], teams: [] });
    const beyond = await ask('?page=9');
    expect(beyond).not.toHaveProperty('_embedded');
    expect(beyond.page).toEqual({ number: 9, size: 20, total_elements: 5, total_pages: 1 });
    expect(beyond._links).not.toHaveProperty('next');
    expect((await ask('?user_name=keyway-admin')).page.total_elements).toBe(1);
    const bad = await call(server, server.admin, ['GET', '/users?size=0']);
    expect(bad).toMatchObject({
      status: 400,
      body: {
        _embedded: {
          api_errors: [{ code: 'BAD_REQUEST', status: '400', source: { pointer: '/size', parameter: '' } }],
        },
      },
    });
  });

  test('are found by the id of their pair, with its prefix or without', async () => {
    const server = await start();
    const [pair] = server.seed(3);
    if (!pair) throw new Error('three were made');
    const found = async (query: string) =>
      (await call(server, server.admin, ['GET', `/users/search?${query}`])).body;
    for (const id of [pair.apiId, pair.apiId.slice(9)]) {
      const { page, _embedded } = await found(`api_id=${id}`);
      expect([page.total_elements, _embedded.users[0].user_id]).toEqual([1, pair.userId]);
    }
    expect(await found('api_id=a-b')).toMatchObject({ page: { total_elements: 0, total_pages: 0 } });
    expect((await found('user_type=api')).page.total_elements).toBe(1);
    expect((await found('search_term=USER-')).page.total_elements).toBe(3);
    expect((await call(server, server.admin, ['GET', '/users/search?x=1'])).status).toBe(400);
  });

  test('are changed in part, or emptied of what is missing', async () => {
    const server = await start();
    const { user_id } = server.addUser({ roles: [{ role_name: 'reviewer' }] });
    const put = (query: string, body: unknown) =>
      call(server, server.admin, ['PUT', `/users/${user_id}${query}`, body]);
    const partly = await put('?partial=true&incremental=true', { roles: [{ role_name: 'creator' }] });
    expect(partly.body).toMatchObject({
      active: true,
      roles: [{ role_name: 'reviewer' }, { role_name: 'creator' }],
    });
    expect((await put('?partial=true', { roles: [] })).body).toMatchObject({ active: true, roles: [] });
    expect((await put('', { user_name: 'x' })).body).toMatchObject({
      user_name: 'x',
      active: false,
      email_address: '',
    });
    expect(await put('?partial=true', { active: 'no' })).toMatchObject({
      status: 400,
      body: { _embedded: { api_errors: [{ source: { pointer: '/active' } }] } },
    });
  });

  test('see who they are', async () => {
    const server = await start();
    const user_id = server.admin.userId;
    expect((await call(server, server.admin, ['GET', '/users/self'])).body).toMatchObject({ user_id });
    expect((await call(server, server.admin, ['GET', '/principal'])).body).toMatchObject({
      user_id,
      token: words,
    });
  });
});

describe('@jupiterone/veracode-client', () => {
  // Its clock is that of the process, and it knows no prefixes.
  const clientOf = (server: Veracode, { apiId, apiKey }: Pair) => {
    const client = new JupiterOne(apiId.slice(-32), apiKey.slice(-128));
    client.apiBaseRest = `${server.url}${base}/`;
    return client;
  };

  test('walks through all users', async () => {
    const server = await start({ clockMs: () => Date.now() });
    server.seed(44);
    const users = await clientOf(server, server.admin)._restRequest({ endpoint: 'users' });
    expect(new Set(users.map(({ user_name }) => user_name)).size).toBe(45);
    expect(server.calls.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  test('signs with an old pair, which has no prefix, and is refused with another key', async () => {
    const server = await start({ clockMs: () => Date.now() });
    const pair = server.addPair(server.addUser({ roles: [{ role_name: 'Administrator' }] }).user_id, {
      prefixed: false,
    });
    expect(pair.apiId).toMatch(/^[0-9a-f]{32}$/);
    expect(await clientOf(server, pair)._restRequest({ endpoint: 'users' })).toHaveLength(2);
    const wrong = clientOf(server, { ...pair, apiKey: 'ab'.repeat(64) });
    await expect(wrong._restRequest({ endpoint: 'users' })).rejects.toThrow('401');
    const url = `${server.url}${base}/api_credentials`;
    const authorization = clientOf(server, pair).calculateAuthorizationHeader(url, 'POST');
    const headers = { authorization, 'content-type': 'application/json' };
    expect((await fetch(url, { method: 'POST', headers })).status).toBe(200);
  });
});
