import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { NcloudClient } from 'ncloud-mcp-server/dist/client/ncloud-client.js';
import { gatewayCodes, gatewayError, olderError } from './ncloud-errors.js';
import { ncloudSigner } from './ncloud-signature.js';
import { startNcloud, type Ncloud, type NcloudOptions } from './ncloud.js';

interface Vector {
  name: string;
  timestamp: string;
  accessKey: string;
  secretKey: string;
  method: string;
  url: string;
  headers: Record<string, string>;
}

const { vectors } = JSON.parse(readFileSync('test/vectors/ncp-signature-v2.json', 'utf8')) as {
  vectors: Vector[];
};

describe('the signature check', () => {
  const signerOf = ({ method, url, headers, accessKey, secretKey, timestamp }: Vector, laterMs = 0) =>
    ncloudSigner(
      { method, target: url, headers },
      (key) => (key === accessKey ? secretKey : undefined),
      Number(timestamp) + laterMs,
    );

  test.each(vectors)('$name: is taken', (vector) => {
    expect(signerOf(vector)).toBe(vector.accessKey);
  });

  test.each(vectors)('$name: is refused with one byte changed, wherever it is', (vector) => {
    const { method, url, secretKey, headers } = vector;
    const changed: Vector[] = [
      { ...vector, method: `${method}S` },
      { ...vector, url: `${url.slice(0, -1)}~` },
      { ...vector, secretKey: `${secretKey.slice(0, -1)}~` },
      ...Object.entries(headers).map(([name, value]) => ({
        ...vector,
        headers: {
          ...headers,
          [name]: `${value.slice(0, -2)}${value.at(-2) === '7' ? 8 : 7}${value.slice(-1)}`,
        },
      })),
      ...Object.keys(headers).map((name) => ({ ...vector, headers: { ...headers, [name]: '' } })),
    ];
    expect(changed.map((one) => signerOf(one))).toEqual(changed.map(() => undefined));
  });

  test('holds for 5 minutes on both sides, and no longer', () => {
    const [vector] = vectors as [Vector];
    const [edge, beyond] = [5 * 60_000, 5 * 60_000 + 1];
    expect([-beyond, -edge, edge, beyond].map((ms) => signerOf(vector, ms) !== undefined)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});

const startMs = Date.parse('2026-01-31T08:07:00.500Z');
const servers: Ncloud[] = [];

async function start(options: NcloudOptions = {}): Promise<Ncloud> {
  const server = await startNcloud(options);
  servers.push(server);
  return server;
}

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

type Pair = { accessKey: string; secretKey: string };

/** Sends a request that is signed at a time of ours. */
async function call(
  { url }: { url: string },
  { accessKey, secretKey }: Pair,
  [method, path, body]: [string, string, unknown?],
  { ms = startMs, type = 'application/json' } = {},
) {
  const target = `${new URL(url).pathname === '/' ? '' : new URL(url).pathname}${path}`;
  const text = `${method} ${target}\n${ms}\n${accessKey}`;
  const headers: Record<string, string> = {
    'x-ncp-apigw-timestamp': String(ms),
    'x-ncp-iam-access-key': accessKey,
    'x-ncp-apigw-signature-v2': createHmac('sha256', secretKey).update(text).digest('base64'),
    ...(type !== '' && { 'content-type': type }),
  };
  const sent = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(`${new URL(url).origin}${target}`, { method, headers, body: sent });
  const answer = await response.text();
  return { status: response.status, body: answer === '' ? undefined : JSON.parse(answer) };
}

const at = { clockMs: () => startMs };
const gateway = (errorCode: keyof typeof gatewayCodes, message: string) => ({
  error: { errorCode, message },
});

describe('the gateway', () => {
  test('200: refuses whom it does not know, a wrong secret, an old request and a suspended key', async () => {
    const server = await start(at);
    const refused = { status: 401, body: gateway('200', 'Authentication Failed') };
    const list: [string, string] = ['GET', '/api/v1/sub-accounts'];
    const { manager } = server;
    expect((await call(server, manager, list)).status).toBe(200);
    expect(await call(server, { ...manager, accessKey: 'ncp_iam_nobody00000000000000' }, list)).toEqual(
      refused,
    );
    expect(await call(server, { ...manager, secretKey: 'another' }, list)).toEqual(refused);
    expect(await call(server, manager, list, { ms: startMs - 5 * 60_000 - 1 })).toEqual(refused);
    manager.active = false;
    expect(await call(server, manager, list)).toEqual(refused);
  });

  test('200: refuses the keys of a sub account that is switched off, or has no access to the gateway', async () => {
    const server = await start(at);
    const one = server.addSubAccount('ops', { policies: ['NCP_ADMINISTRATOR'] });
    const key = server.addKey(one.subAccountId);
    const list: [string, string] = ['GET', '/api/v1/sub-accounts'];
    const statuses: number[] = [];
    for (const [active, canAPIGatewayAccess] of [
      [true, true],
      [false, true],
      [true, false],
    ] as const) {
      Object.assign(one, { active, canAPIGatewayAccess });
      statuses.push((await call(server, key, list)).status);
      expect(server.accepts(key.accessKey, key.secretKey)).toBe(active && canAPIGatewayAccess);
    }
    expect(statuses).toEqual([200, 401, 401]);
  });

  test('210: refuses a sub account without the policy, and lets one with the viewer’s list', async () => {
    const server = await start(at);
    const [nobody, viewer] = [[], ['NCP_SUB_ACCOUNT_VIEWER' as const]].map((policies, index) =>
      server.addSubAccount(`one-${index}`, { policies }),
    );
    if (!nobody || !viewer) throw new Error('two were made');
    const keys = `/api/v1/sub-accounts/${viewer.subAccountId}/access-keys`;
    const denied = { status: 401, body: gateway('210', 'Permission Denied') };
    const [ofNobody, ofViewer] = [server.addKey(nobody.subAccountId), server.addKey(viewer.subAccountId)];
    expect(await call(server, ofNobody, ['GET', keys])).toEqual(denied);
    expect((await call(server, ofViewer, ['GET', keys])).status).toBe(200);
    expect(await call(server, ofViewer, ['POST', keys])).toEqual(denied);
    expect(viewer.keys.size).toBe(1);
  });

  test.each([
    ['GET', '/api/v1/nothing'],
    ['PATCH', '/api/v1/sub-accounts'],
    ['GET', '/sts/api/v1/sub-accounts'],
    ['GET', '/subaccount/api/v1/credentials'],
    ['GET', '/elsewhere/api/v1/credentials'],
    ['GET', '/'],
  ])('300: does not find %s %s', async (method, path) => {
    const server = await start(at);
    expect(await call(server, server.manager, [method, path])).toEqual({
      status: 404,
      body: gateway('300', 'Not Found Exception'),
    });
  });

  test('300: serves one version of Sub Account where the other is not there', async () => {
    for (const [version, statuses] of [
      [1, [200, 404]],
      [2, [404, 200]],
    ] as const) {
      const server = await start({ ...at, version });
      const answers = [1, 2].map((one) =>
        call(server, server.manager, ['GET', `/subaccount/api/v${one}/sub-accounts`]),
      );
      expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(statuses);
      expect((await call(server, server.manager, ['GET', '/sts/api/v1/credentials'])).status).toBe(200);
    }
  });

  test('has the status and the text of each code that tests may let it answer with', async () => {
    const server = await start(at);
    for (const code of Object.keys(gatewayCodes) as (keyof typeof gatewayCodes)[]) {
      server.meet({ kind: 'fail', ...gatewayError(code) });
      const [status, message] = gatewayCodes[code];
      expect(await call(server, server.manager, ['GET', '/api/v1/credentials'])).toEqual({
        status,
        body: gateway(code, message),
      });
    }
    server.meet({ kind: 'fail', ...olderError(401, '800', 'made up') });
    expect(await call(server, server.manager, ['GET', '/api/v1/credentials'])).toEqual({
      status: 401,
      body: { responseError: { returnCode: '800', returnMessage: 'made up' } },
    });
  });
});

describe('STS', () => {
  const credentials: [string, string] = ['GET', '/sts/api/v1/credentials'];

  test('describes a permanent key without its secret, the main account’s too', async () => {
    const server = await start(at);
    for (const key of [server.manager, server.main])
      expect(await call(server, key, credentials)).toEqual({
        status: 200,
        body: { accessKey: key.accessKey, createTime: '2026-01-31T08:07:00Z' },
      });
  });

  test('is served at its own address and at that of the gateway', async () => {
    const server = await start(at);
    const { manager } = server;
    const { status, body } = await call({ url: `${server.url}/sts` }, manager, [
      'GET',
      '/api/v1/caller-identity',
    ]);
    expect([status, body]).toEqual([200, { id: manager.subAccountId }]);
    expect((await call(server, manager, ['GET', '/api/v1/caller-identity'])).body).toEqual(body);
  });

  test('makes a temporary key that describes itself with its secret, works until it ends, and then is unknown', async () => {
    let now = startMs;
    const server = await start({ clockMs: () => now });
    const made = await call(server, server.manager, ['POST', '/api/v1/credentials', { durationSec: 900 }]);
    expect(made).toEqual({
      status: 200,
      body: {
        accessKey: expect.stringMatching(/^ncp_iam_\w{20}$/),
        keySecret: expect.stringMatching(/^ncp_iam_\w{34}$/),
        createTime: '2026-01-31T08:07:00Z',
        expireTime: '2026-01-31T08:22:00Z',
        useMfa: false,
      },
    });
    const key = { accessKey: made.body.accessKey as string, secretKey: made.body.keySecret as string };
    expect(await call(server, key, credentials)).toEqual(made);
    expect((await call(server, key, ['GET', '/api/v1/sub-accounts'])).status).toBe(200);
    expect(await call(server, key, ['POST', '/api/v1/credentials'])).toEqual({
      status: 401,
      body: gateway('210', 'Permission Denied'),
    });
    now += 900_000;
    expect(server.accepts(key.accessKey, key.secretKey)).toBe(false);
    expect(await call(server, key, credentials, { ms: now })).toEqual({
      status: 404,
      body: { errorCode: 404, message: expect.any(String) },
    });
    expect((await call(server, key, ['GET', '/api/v1/sub-accounts'], { ms: now })).body).toEqual(
      gateway('200', 'Authentication Failed'),
    );
  });

  test('makes temporary keys that end with their parent', async () => {
    const server = await start(at);
    const { body } = await call(server, server.manager, ['POST', '/api/v1/credentials']);
    expect(body.expireTime).toBe('2026-01-31T09:07:00Z');
    expect(server.accepts(body.accessKey, body.keySecret)).toBe(true);
    server.manager.active = false;
    expect(server.accepts(body.accessKey, body.keySecret)).toBe(false);
  });

  test.each([
    [599, '[599]'],
    [43_201, '[43201]'],
    ['60', '["60"]'],
    [900.5, '[900.5]'],
    ['soon', '["soon"]'],
  ])('400: does not make one for %p seconds', async (durationSec, shown) => {
    const server = await start(at);
    expect(await call(server, server.manager, ['POST', '/api/v1/credentials', { durationSec }])).toEqual({
      status: 400,
      body: { errorCode: 400, message: `durationSec valid range: 600 - 43200 : ${shown}` },
    });
  });

  test.each([600, '600', 43_200])('makes one for %p seconds', async (durationSec) => {
    const server = await start(at);
    const made = await call(server, server.manager, ['POST', '/api/v1/credentials', { durationSec }]);
    expect(made.status).toBe(200);
  });

  test('401: asks for the code that the device shows', async () => {
    const server = await start({ ...at, mfaDevices: { phone: '012345' } });
    const make = (body: object) => call(server, server.manager, ['POST', '/api/v1/credentials', body]);
    const right = { serialNumber: 'phone', tokenCode: 12_345 };
    expect(await make(right)).toMatchObject({ status: 200, body: { useMfa: true } });
    for (const wrong of [
      { ...right, tokenCode: 12_346 },
      { ...right, serialNumber: 'other' },
      { serialNumber: 'phone' },
      { tokenCode: 12_345 },
    ])
      expect(await make(wrong)).toEqual({
        status: 401,
        body: { errorCode: 401, message: expect.any(String) },
      });
    server.mfaDevices.set('phone', '999999');
    expect((await make(right)).status).toBe(401);
  });

  test('refuses a body that is no JSON object, a call without a content type, and the main account', async () => {
    const server = await start(at);
    const create: [string, string] = ['POST', '/api/v1/credentials'];
    expect(await call(server, server.manager, [...create, '[1]'])).toMatchObject({
      status: 400,
      body: { errorCode: 400 },
    });
    expect(await call(server, server.manager, [...create, '{'])).toMatchObject({ status: 400 });
    expect(await call(server, server.manager, credentials, { type: '' })).toEqual({
      status: 400,
      body: gateway('100', 'Bad Request Exception'),
    });
    expect((await call(server, server.main, create)).body).toEqual(gateway('210', 'Permission Denied'));
  });
});

describe('Sub Account, version 1', () => {
  test('pages through sub accounts from 0, and finds by login id, name and number', async () => {
    const server = await start(at);
    server.seed(12);
    const list = (query: string) =>
      call(server, server.manager, ['GET', `/subaccount/api/v1/sub-accounts${query}`]);
    const pages = [await list(''), await list('?page=1&size=10'), await list('?page=2')];
    expect(pages.map(({ body: { items, ...rest } }) => [items.length, rest])).toEqual([
      [
        10,
        {
          page: 0,
          totalPages: 2,
          totalItems: 13,
          hasPrevious: false,
          hasNext: true,
          isFirst: true,
          isLast: false,
        },
      ],
      [
        3,
        {
          page: 1,
          totalPages: 2,
          totalItems: 13,
          hasPrevious: true,
          hasNext: false,
          isFirst: false,
          isLast: true,
        },
      ],
      [
        0,
        {
          page: 2,
          totalPages: 2,
          totalItems: 13,
          hasPrevious: true,
          hasNext: false,
          isFirst: false,
          isLast: true,
        },
      ],
    ]);
    expect(pages[0]?.body.items[1]).toMatchObject({
      loginId: 'seeded-1',
      active: true,
      createTime: '2026-01-31T08:07:00Z',
    });
    expect((await list('?searchColumn=loginId&searchWord=keyway')).body.totalItems).toBe(1);
    expect((await list('?searchColumn=subAccountNo&searchWord=13')).body.totalItems).toBe(1);
    for (const bad of ['?page=-1', '?size=0', '?page=x', '?searchColumn=memo'])
      expect(await list(bad)).toMatchObject({ status: 400, body: { errorCode: 9002 } });
  });

  test('shows one, with its policies and without its keys', async () => {
    const server = await start(at);
    const { manager } = server;
    const { status, body } = await call(server, manager, [
      'GET',
      `/api/v1/sub-accounts/${manager.subAccountId}`,
    ]);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      subAccountId: manager.subAccountId,
      policies: [{ policyName: 'NCP_SUB_ACCOUNT_MANAGER' }],
    });
    expect(JSON.stringify(body)).not.toContain('ncp_iam_');
  });

  test('makes, lists, suspends, resumes and deletes keys; the secret is in one answer', async () => {
    const server = await start(at);
    const { subAccountId } = server.addSubAccount('ops');
    const old = server.addKey(subAccountId, new Date('2020-02-03T04:05:06Z'));
    const path = `/api/v1/sub-accounts/${subAccountId}/access-keys`;
    const ask = (method: string, body?: unknown) => call(server, server.manager, [method, path, body]);
    const made = await ask('POST');
    expect(made).toEqual({
      status: 200,
      body: {
        accessKey: expect.stringMatching(/^ncp_iam_\w{20}$/),
        keySecret: expect.stringMatching(/^ncp_iam_/),
        createTime: '2026-01-31T08:07:00Z',
      },
    });
    const { accessKey, keySecret } = made.body as { accessKey: string; keySecret: string };
    const works = () => server.accepts(accessKey, keySecret);
    expect(works()).toBe(true);
    expect(await ask('PUT', { accessKey, active: false })).toEqual({ status: 200, body: { success: true } });
    expect(works()).toBe(false);
    expect((await ask('GET')).body).toEqual([
      { accessKey: old.accessKey, active: true, createTime: '2020-02-03T04:05:06Z' },
      { accessKey, active: false, createTime: '2026-01-31T08:07:00Z' },
    ]);
    await ask('PUT', { accessKey, active: true });
    expect(works()).toBe(true);
    expect(await ask('DELETE', { accessKey })).toEqual({ status: 200, body: { success: true } });
    expect(works()).toBe(false);
    expect((await ask('GET')).body).toHaveLength(1);
  });

  test('9012, 30, 904, 9002: refuses a key too many, what is not there and what is badly put', async () => {
    const server = await start({ ...at, mostKeys: 1 });
    const { subAccountId } = server.addSubAccount('ops');
    const { accessKey } = server.addKey(subAccountId);
    const path = `/api/v1/sub-accounts/${subAccountId}/access-keys`;
    const refusal = (status: number, errorCode: number) => ({
      status,
      body: { errorCode, message: expect.any(String) },
    });
    const ask = (method: string, at: string, body?: unknown) =>
      call(server, server.manager, [method, at, body]);
    expect(await ask('POST', path)).toEqual(refusal(409, 9012));
    for (const [method, at] of [
      ['GET', '/api/v1/sub-accounts/nobody'],
      ['GET', '/api/v1/sub-accounts/nobody/access-keys'],
      ['POST', '/api/v1/sub-accounts/nobody/access-keys'],
    ] as const)
      expect(await ask(method, at)).toEqual(refusal(401, 30));
    const others = server.manager.accessKey;
    expect(await ask('PUT', path, { accessKey: others, active: false })).toEqual(refusal(400, 904));
    expect(await ask('DELETE', path, { accessKey: others })).toEqual(refusal(400, 904));
    expect(await ask('DELETE', path)).toEqual(refusal(400, 9002));
    expect(await ask('PUT', path, { accessKey, active: 'no' })).toEqual(refusal(400, 9002));
  });

  test.each([true, false])('deletes an active key, unless it must be suspended first: %p', async (must) => {
    const server = await start({ ...at, needsSuspending: must });
    const { subAccountId } = server.addSubAccount('ops');
    const key = server.addKey(subAccountId);
    const { accessKey } = key;
    const remove = () =>
      call(server, server.manager, [
        'DELETE',
        `/api/v1/sub-accounts/${subAccountId}/access-keys`,
        { accessKey },
      ]);
    if (must) {
      expect(await remove()).toMatchObject({ status: 400, body: { errorCode: 9010 } });
      key.active = false;
    }
    expect((await remove()).status).toBe(200);
  });
});

describe('Sub Account, version 2', () => {
  test('pages through sub accounts from 0, a hundred at most', async () => {
    const server = await start(at);
    server.seed(22);
    const list = (query: string) =>
      call(server, server.manager, ['GET', `/subaccount/api/v2/sub-accounts${query}`]);
    expect((await list('')).body).toMatchObject({
      ...{ totalElements: 23, totalPages: 2, pageNo: 0, pageSize: 20 },
    });
    const { body } = await list('?pageNo=1&pageSize=20');
    expect(body.subAccounts.map(({ loginId }: { loginId: string }) => loginId)).toEqual([
      'seeded-20',
      'seeded-21',
      'seeded-22',
    ]);
    expect((await list('?pageNo=9')).body.subAccounts).toEqual([]);
    expect(await list('?pageSize=101')).toMatchObject({
      status: 400,
      body: { error: { errorCode: 'BadRequest', fieldErrors: [{ field: 'pageSize' }] } },
    });
    expect((await list('?pageNo=-1')).status).toBe(400);
    expect(body.subAccounts[0]).not.toHaveProperty('email');
  });

  test('makes, lists, suspends and deletes keys, which are named in the path', async () => {
    const server = await start({ ...at, needsSuspending: true });
    const { subAccountId } = server.addSubAccount('ops');
    server.addKey(subAccountId);
    const path = `/api/v2/sub-accounts/${subAccountId}/access-keys`;
    const ask = (method: string, rest = '', body?: unknown) =>
      call(server, server.manager, [method, `${path}${rest}`, body]);
    const made = await ask('POST');
    expect(made).toEqual({
      status: 201,
      body: {
        accessKey: expect.any(String),
        createdDateTime: '2026-01-31T08:07:00Z',
        keySecret: expect.any(String),
      },
    });
    const { accessKey, keySecret } = made.body as { accessKey: string; keySecret: string };
    expect(await ask('POST')).toMatchObject({
      ...{ status: 400, body: { error: { errorCode: 'LimitExceeded' } } },
    });
    expect((await ask('DELETE', `/${accessKey}`)).status).toBe(409);
    expect(await ask('POST', `/${accessKey}/change-status`, { active: false })).toEqual({ status: 204 });
    expect(server.accepts(accessKey, keySecret)).toBe(false);
    expect((await ask('GET')).body.accessKeys[1]).toEqual({
      accessKey,
      active: false,
      createdDateTime: '2026-01-31T08:07:00Z',
    });
    expect(await ask('DELETE', `/${accessKey}`)).toEqual({ status: 204 });
    expect((await ask('GET')).body.accessKeys).toHaveLength(1);
  });

  test('answers with a code of its own for what is not there, and Forbidden to one without the policy', async () => {
    const server = await start(at);
    const { subAccountId } = server.addSubAccount('ops');
    const key = server.addKey(subAccountId);
    const one = `/api/v2/sub-accounts/${subAccountId}`;
    const missing = (field: string) => ({
      status: 400,
      body: {
        error: {
          errorCode: 'BadRequest',
          message: expect.any(String),
          fieldErrors: [{ field, message: expect.any(String) }],
        },
      },
    });
    const ask = (path: string, method = 'GET', by: Pair = server.manager) => call(server, by, [method, path]);
    expect((await ask(one)).body).toMatchObject({ subAccountId, createdDateTime: '2026-01-31T08:07:00Z' });
    const gone = (errorCode: string) => ({
      status: 404,
      body: { error: { errorCode, message: expect.any(String) } },
    });
    expect(await ask('/api/v2/sub-accounts/nobody')).toEqual(gone('SubAccountNotFound'));
    expect(await ask(`${one}/access-keys/none`, 'DELETE')).toEqual(gone('AccessKeyNotFound'));
    expect(await ask(`${one}/access-keys/${key.accessKey}/change-status`, 'POST')).toEqual(missing('active'));
    expect(await ask(one, 'GET', key)).toEqual({
      status: 403,
      body: { error: { errorCode: 'Forbidden', message: expect.any(String) } },
    });
  });
});

describe('ncloud-mcp-server', () => {
  const client = ({ url: baseUrl }: Ncloud, { accessKey, secretKey }: Pair) =>
    new NcloudClient({ baseUrl, accessKey, secretKey });

  test('lists sub accounts, and makes, lists, suspends and deletes their keys', async () => {
    const server = await start();
    const { subAccountId } = server.addSubAccount('김 ops');
    const by = client(server, server.manager);
    const ask = (method: string, body?: Record<string, unknown>) =>
      by.requestRaw(method, `/api/v1/sub-accounts/${subAccountId}/access-keys`, undefined, body);
    expect(
      await by.requestRaw('GET', '/api/v1/sub-accounts', { searchColumn: 'loginId', searchWord: '김 ops' }),
    ).toMatchObject({ totalItems: 1, items: [{ subAccountId }] });
    const made = (await ask('POST')) as unknown as { accessKey: string; keySecret: string };
    const { accessKey, keySecret: secretKey } = made;
    const itself = client(server, { accessKey, secretKey });
    expect(await itself.requestRaw('GET', '/sts/api/v1/credentials')).toMatchObject({ accessKey });
    await ask('PUT', { accessKey, active: false });
    expect(await ask('GET')).toMatchObject([{ accessKey, active: false }]);
    await ask('DELETE', { accessKey });
    expect(await ask('GET')).toEqual([]);
  });

  test('reports 210 for a key without rights, and 200 for a wrong secret', async () => {
    const server = await start();
    const key = server.addKey(server.addSubAccount('ops').subAccountId);
    const list = (pair: Pair) => client(server, pair).requestRaw('GET', '/api/v1/sub-accounts');
    await expect(list(key)).rejects.toThrow(/: 210\n.*Permission Denied/);
    await expect(list({ ...key, secretKey: 'another' })).rejects.toThrow(/: 200\n.*Authentication Failed/);
  });
});
