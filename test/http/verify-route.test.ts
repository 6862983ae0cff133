import { setTimeout as sleep } from 'node:timers/promises';
import { renameSync } from 'node:fs';
import { parseId } from '../../src/ids.js';
import { Secret } from '../../src/secret.js';
import { schemes } from '../../src/signatures/schemes.js';
import { SignatureScheme } from '../../src/signatures/scheme.js';
import { requestProof, postVerify, askWhether } from '../credentials/verification/verifying.js';
import { request } from '../signatures/requests.js';
import {
  expectData,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  makeRole,
  unique,
  type Made,
} from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
let account: string;
let project: string;
/** A credential of each kind, all of the one project and role, and one that is disabled. */
let made: Record<'key' | 'token' | 'password' | 'disabled', Made>;
let role: string;
let caller: { id: string; token: string };

beforeAll(async () => {
  server = await startTestServer();
  account = await makeAccount(server);
  project = await makeProject(server, account);
  role = unique('role');
  const common = { project, roles: [await makeRole(server, [], { name: role })] };
  const of = (secret: object, more: object = {}) =>
    makeCredential(server, account, { secret, ...common, ...more });
  made = {
    key: await of({ accessKey: {} }, { expiresAt: '2099-01-01T00:00:00Z' }),
    token: await of({ token: {} }),
    password: await of({ password: { username: 'route-1' } }),
    disabled: await of({ accessKey: {} }, { enabled: false, project: null }),
  };
  caller = await makeCaller(server, ['CREDENTIAL_VERIFY'], { onAccount: account });
});
afterAll(() => server.stop());

type Input = unknown;

const pair = ({ accessKey, secret }: Made) => ({ accessKey, proof: { secret } });

/** A request of HTTP Message Signatures as its holder sends it, new each time. */
function proof() {
  const { accessKey, secret } = made.key;
  const one = request('PUT', 'https://api.example.com/x?y=1', { 'Content-Type': 'text/plain' }, 'body');
  const key = { accessKey: accessKey ?? '', secret: Secret.of(secret ?? '') };
  const scheme = SignatureScheme.HTTP_MESSAGE_SIGNATURES;
  return requestProof(scheme, schemes[scheme].sign(one, key, { ms: Math.floor(server.db.now()) }));
}

/** What stands in a field of a signed request, beside what must. */
const signedWith = (members: object) => ({
  proof: {
    signedRequest: { scheme: 'NCP_SIGNATURE_V2', method: 'GET', url: '/', headers: [], ...members },
  },
});

interface Told {
  code: string;
  message: string;
  fields: { path: string; message: string }[];
}

/** An error without its request's id and place; what the graph calls `input.x` is `x` by the route. */
function told(error: { message: string; extensions: { code: string; fields?: Told['fields'] } }): Told {
  const { code, fields = [] } = error.extensions;
  const bare = fields.map(({ path, message }) => ({ path: path.replace(/^input\.?/, ''), message }));
  return { code, message: error.message.replace(/^input\.?(?=[\w:])/, ''), fields: bare };
}

const selection = `valid code retryAfter credential {
  id kind name accessKey account { id } project { id } roles { id name } mfaAuthenticated expiresAt }`;

/** What each door answers to what is made for it. */
async function both(input: () => Input) {
  const graph = await server.ask(
    `mutation ($input: VerifyCredentialInput!) { verifyCredential(input: $input) { ${selection} } }`,
    { input: input() },
    caller,
  );
  const route = await postVerify(server, JSON.stringify(input()), caller);
  return {
    graph: graph.errors[0] ? told(graph.errors[0]) : graph.data.verifyCredential,
    route: route.body.errors ? told(route.body.errors[0]) : route.body,
    status: [graph.data === null ? graph.status : 200, route.status],
  };
}

describe('answers as the graph does', () => {
  const whose = (one: Made, kind: string, more: object = {}) => ({
    id: one.id,
    kind,
    name: expect.any(String),
    accessKey: one.accessKey,
    account: { id: account },
    project: { id: project },
    roles: [{ id: expect.any(String), name: role }],
    mfaAuthenticated: false,
    expiresAt: null,
    ...more,
  });
  const valid = (credential: object) => ({ valid: true, code: 'VALID', retryAfter: null, credential });
  const notValid = { valid: false, code: 'NOT_VALID', retryAfter: null, credential: null };

  test.each<[string, () => Input, () => object]>([
    [
      'an access key',
      () => pair(made.key),
      () => valid(whose(made.key, 'ACCESS_KEY', { expiresAt: '2099-01-01T00:00:00.000Z' })),
    ],
    [
      'a token',
      () => ({ proof: { secret: made.token.secret } }),
      () => valid(whose(made.token, 'TOKEN', { expiresAt: expect.any(String) })),
    ],
    [
      'a password in another spelling, with everything that can be asked',
      () => ({ ...pair(made.password), accessKey: 'ROUTE-1', ip: '192.0.2.1', roles: [role], project }),
      () => valid(whose(made.password, 'PASSWORD')),
    ],
    [
      'a signed request',
      proof,
      () => valid(whose(made.key, 'ACCESS_KEY', { expiresAt: '2099-01-01T00:00:00.000Z' })),
    ],
    [
      'nulls',
      () => ({ ...pair(made.password), ip: null, roles: null, project: null }),
      () => valid(whose(made.password, 'PASSWORD')),
    ],
    [
      'a disabled key without a project',
      () => pair(made.disabled),
      () => ({
        valid: false,
        code: 'DISABLED',
        retryAfter: null,
        credential: whose(made.disabled, 'ACCESS_KEY', { project: null }),
      }),
    ],
    [
      'one role that is no list',
      () => ({ ...pair(made.key), roles: role }),
      () => valid(expect.anything() as object),
    ],
    [
      'a role that it has not',
      () => ({ ...pair(made.key), roles: ['x'] }),
      () => ({
        valid: false,
        code: 'ROLE_MISSING',
        retryAfter: null,
        credential: expect.anything() as object,
      }),
    ],
    ['a wrong secret', () => ({ ...pair(made.key), proof: { secret: 'wrong' } }), () => notValid],
    ['an unknown token', () => ({ proof: { secret: `${made.token.secret}x` } }), () => notValid],
    ['a secret alone', () => ({ proof: { secret: 'alone' } }), () => notValid],
    ['a request without a signature', () => signedWith({}), () => notValid],
  ])('to %s', async (_, input, wanted) => {
    const { graph, route, status } = await both(input);
    expect(route).toEqual(wanted());
    expect(route).toEqual(graph);
    expect(status).toEqual([200, 200]);
  });

  const secret = 'x';
  const bad: [string, () => Input, string[]][] = [
    ['nothing', () => null, ['']],
    ['a text', () => 'text', ['']],
    ['a number', () => 7, ['']],
    ['a list of two', () => [{}, {}], ['']],
    ['an empty object', () => ({}), ['proof']],
    ['an unknown member', () => ({ ...pair(made.key), admin: true }), ['']],
    ['an unknown member of the proof', () => ({ proof: { secret, admin: true } }), ['proof']],
    ['an unknown member of a request', () => signedWith({ admin: true }), ['proof.signedRequest']],
    [
      'an unknown member of a header',
      () => signedWith({ headers: [{ name: 'a', value: 'b', c: 1 }] }),
      ['proof.signedRequest.headers.0'],
    ],
    ['a proof of nothing', () => ({ proof: {} }), ['proof']],
    ['a proof that is null', () => ({ proof: null }), ['proof']],
    ['a proof that is a text', () => ({ proof: 'text' }), ['proof']],
    ['a proof of a null', () => ({ proof: { secret: null } }), ['proof.secret']],
    ['two proofs', () => ({ proof: { secret, ...signedWith({}).proof } }), ['proof']],
    ['a secret and a null', () => ({ proof: { secret, signedRequest: null } }), ['proof']],
    ['a secret that is a number', () => ({ proof: { secret: 7 } }), ['proof.secret']],
    ['a secret that is empty', () => ({ proof: { secret: '' } }), ['proof.secret']],
    ['a secret that is too long', () => ({ proof: { secret: 'x'.repeat(4097) } }), ['proof.secret']],
    ['a secret with NUL', () => ({ proof: { secret: 'a\u0000b' } }), ['proof.secret']],
    ['a secret with half a character', () => ({ proof: { secret: 'a\ud800b' } }), ['proof.secret']],
    ['an access key of two lines', () => ({ accessKey: 'a\nb', proof: { secret } }), ['accessKey']],
    ['an access key that is empty', () => ({ accessKey: '', proof: { secret } }), ['accessKey']],
    ['an access key that is a number', () => ({ accessKey: 7, proof: { secret } }), ['accessKey']],
    [
      'an access key that is too long',
      () => ({ accessKey: 'x'.repeat(301), proof: { secret } }),
      ['accessKey'],
    ],
    ['an address that is empty', () => ({ ip: '', proof: { secret } }), ['ip']],
    ['an address with an escape', () => ({ ip: '192.0.2.1\u001b[2J', proof: { secret } }), ['ip']],
    ['a role that is a number', () => ({ roles: [7], proof: { secret } }), ['roles.0']],
    ['a role that is null', () => ({ roles: ['a', null], proof: { secret } }), ['roles.1']],
    ['a role of spaces', () => ({ roles: ['a', ' '], proof: { secret } }), ['roles.1']],
    ['too many roles', () => ({ roles: Array(101).fill('a'), proof: { secret } }), ['roles']],
    ['a project that is no id', () => ({ project: 'proj', proof: { secret } }), ['project']],
    ['a project that is an account', () => ({ project: account, proof: { secret } }), ['project']],
    ['a project that is an object', () => ({ project: {}, proof: { secret } }), ['project']],
    ['an unknown scheme', () => signedWith({ scheme: 'AWS4_HMAC_SHA256' }), ['proof.signedRequest.scheme']],
    ['a request without an address', () => signedWith({ url: undefined }), ['proof.signedRequest.url']],
    ['a method of two lines', () => signedWith({ method: 'GET\n' }), ['proof.signedRequest.method']],
    [
      'an address of a request that is too long',
      () => signedWith({ url: `/${'x'.repeat(16_000)}` }),
      ['proof.signedRequest.url'],
    ],
    [
      'a header of two lines',
      () => signedWith({ headers: [{ name: 'a', value: 'b\r\nc' }] }),
      ['proof.signedRequest.headers.0.value'],
    ],
    [
      'a header without a name',
      () => signedWith({ headers: [{ name: '', value: 'b' }] }),
      ['proof.signedRequest.headers.0.name'],
    ],
    ['headers that are null', () => signedWith({ headers: null }), ['proof.signedRequest.headers']],
    [
      'too many headers',
      () => signedWith({ headers: Array(101).fill({ name: 'a', value: 'b' }) }),
      ['proof.signedRequest.headers'],
    ],
    ['a body that is an object', () => signedWith({ body: {} }), ['proof.signedRequest.body']],
    ['a body with NUL', () => signedWith({ body: '\u0000' }), ['proof.signedRequest.body']],
    [
      'a body that is too long',
      () => signedWith({ body: 'x'.repeat(200_001) }),
      ['proof.signedRequest.body'],
    ],
    [
      'faults in many places',
      () => ({ accessKey: 7, ip: [], roles: {}, project: true, proof: { secret: {} }, more: 1 }),
      ['', 'accessKey', 'proof.secret', 'ip', 'roles', 'project'],
    ],
    [
      'rules broken in many places',
      () => ({ accessKey: '', ip: ' ', proof: { secret: '' }, ...{ roles: [''] } }),
      ['accessKey', 'proof.secret', 'ip', 'roles.0'],
    ],
    [
      'a thousand faults: of those the first hundred',
      () => signedWith({ headers: Array(1_000).fill(7) }),
      Array.from({ length: 100 }, (_, index) => `proof.signedRequest.headers.${index}`),
    ],
  ];

  test.each(bad)('S10, S11: BAD_USER_INPUT to %s', async (_, input, paths) => {
    const { graph, route, status } = await both(input);
    expect(route).toMatchObject({ code: 'BAD_USER_INPUT', fields: paths.map((path) => ({ path })) });
    expect(route).toEqual(graph);
    // What breaks a rule is refused inside the graph, which answers 200 to that.
    expect(status[1]).toBe(400);
  });

  test.each<[string, () => Input]>([
    ['a list of 1001 headers', () => signedWith({ headers: Array(1_001).fill({ name: 'a', value: 'b' }) })],
    ['a list of 1001 things that belong nowhere', () => ({ ...pair(made.key), more: Array(1_001).fill(1) })],
    ['what is nested too deep', () => JSON.parse(`${'{"proof":'.repeat(17)}1${'}'.repeat(17)}`) as unknown],
  ])('S2: LIMIT_EXCEEDED to %s', async (_, input) => {
    const { graph, route, status } = await both(input);
    expect(route).toMatchObject({ code: 'LIMIT_EXCEEDED', fields: [] });
    expect(route).toEqual(graph);
    expect(status).toEqual([400, 400]);
  });

  test('S6: a list of inputs is none: one credential a request', async () => {
    const { graph, route } = await both(() => [pair(made.key), pair(made.key)]);
    expect(route.code).toBe('BAD_USER_INPUT');
    expect(route).toEqual(graph);
  });

  test('FORBIDDEN to who may verify nowhere, with 403', async () => {
    const { token } = await makeCaller(server, ['CREDENTIAL_READ']);
    const graph = await askWhether(server, pair(made.key), { token });
    const route = await postVerify(server, pair(made.key), { token });
    expect(route.status).toBe(403);
    expect(told(route.body.errors[0])).toEqual(told(graph.errors[0] as never));
    expect(route.body.errors[0].extensions.code).toBe('FORBIDDEN');
  });
});

describe('the request', () => {
  test.each<[string, string | null]>([
    ['without a token', null],
    ['with a token of nobody', 'kw_pat_nobody'],
    ['with a credential that is no token', ''],
  ])('%s is UNAUTHENTICATED, whatever is in it', async (_, token) => {
    for (const body of [pair(made.key), '{', { more: 1 }]) {
      const answer = await postVerify(server, body, { token });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="keyway"');
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.body.errors).toHaveLength(1);
      expect(answer.body.errors[0].extensions.code).toBe('UNAUTHENTICATED');
    }
  });

  test('S14: no answer may be kept, and each has its id', async () => {
    const { token } = await makeCaller(server);
    const answers = [
      await postVerify(server, pair(made.key)),
      await postVerify(server, pair(made.disabled)),
      await postVerify(server, {}),
      await postVerify(server, pair(made.key), { token }),
    ];
    for (const { headers, body } of answers) {
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('content-type')).toMatch(/^application\/json/);
      if (body.errors) expect(body.errors[0].extensions.id).toBe(headers.get('x-request-id'));
    }
    expect(new Set(answers.map(({ headers }) => headers.get('x-request-id'))).size).toBe(answers.length);
  });

  test('S1: over 256 KiB is refused with 413', async () => {
    const answer = await postVerify(server, JSON.stringify(pair(made.key)).padEnd(256 * 1024 + 1));
    expect([answer.status, answer.body.errors[0].extensions.code]).toEqual([413, 'LIMIT_EXCEEDED']);
    const most = await postVerify(server, JSON.stringify(pair(made.key)).padEnd(256 * 1024));
    expect([most.status, most.body.code]).toEqual([200, 'VALID']);
  });

  test.each([
    ['content-encoding', 'gzip'],
    ['content-type', 'text/plain'],
    ['content-type', 'application/x-www-form-urlencoded'],
  ])('S1, S7: with the %s %s is refused with 415', async (name, value) => {
    const answer = await postVerify(server, pair(made.key), { headers: { [name]: value } });
    expect([answer.status, answer.body.errors[0].extensions.code]).toEqual([415, 'BAD_REQUEST']);
  });

  test.each([
    ['', 'BAD_REQUEST'],
    ['{', 'BAD_REQUEST'],
    ['undefined', 'BAD_REQUEST'],
    ['{"proof":{"secret":"x"}', 'BAD_REQUEST'],
    ['{"__proto__":{}}', 'BAD_USER_INPUT'],
    ['{"proof":{"constructor":1}}', 'BAD_USER_INPUT'],
  ])('S9, S12: with the body %j is refused in our words', async (body, code) => {
    const answer = await postVerify(server, body);
    expect([answer.status, answer.body.errors[0].extensions.code]).toEqual([400, code]);
    expect(answer.text).not.toContain('__proto__');
  });

  test('without any body is refused, too', async () => {
    const response = await fetch(`${server.url}/v1/verify`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.adminToken}` },
    });
    expect(response.status).toBe(400);
    const { errors } = (await response.json()) as { errors: { extensions: object }[] };
    expect(errors[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ path: '', message: 'is required' }],
    });
  });

  test.each(['GET', 'PUT', 'DELETE', 'HEAD'])('S7: by %s does nothing', async (method) => {
    const response = await fetch(`${server.url}/v1/verify`, {
      method,
      headers: { authorization: `Bearer ${server.adminToken}` },
    });
    expect(response.status).toBe(404);
  });
});

describe('on record', () => {
  const rowsOf = async (requestId: string | null) => {
    for (let waited = 0; waited < 3_000; waited += 50) {
      const rows = await server.rows('SELECT * FROM audit_events WHERE request_id = :requestId', {
        requestId,
      });
      if (rows.length > 0) return rows;
      await sleep(50);
    }
    return [];
  };

  test.each<[string, () => Promise<{ token: string; id: string | null }>, Input, object]>([
    [
      'FORBIDDEN',
      () => makeCaller(server),
      { proof: { secret: 'x' } },
      { action: 'credential:verify', outcome: 'REFUSED', code: 'FORBIDDEN', ip: '127.0.0.1' },
    ],
    [
      'a stranger',
      async () => ({ token: 'kw_nobody', id: null }),
      { proof: { secret: 'x' } },
      { action: 'authenticate', outcome: 'REFUSED', code: 'UNAUTHENTICATED', ip: '127.0.0.1' },
    ],
    [
      'BAD_USER_INPUT',
      () => makeCaller(server, ['CREDENTIAL_VERIFY']),
      { proof: { secret: '' } },
      { action: 'credential:verify', outcome: 'FAILED', code: 'BAD_USER_INPUT', ip: '127.0.0.1' },
    ],
  ])('S60: %s is, once', async (_, who, input, wanted) => {
    const { token, id } = await who();
    const { headers } = await postVerify(server, input as object, { token });
    expect(await rowsOf(headers.get('x-request-id'))).toEqual([
      expect.objectContaining({ ...wanted, actor_id: id === null ? null : parseId(id)?.uuid, times: 1 }),
    ]);
  });
});

test('S48: is UNAVAILABLE while the keys are not there', async () => {
  const locked = await startTestServer();
  try {
    expectData(await locked.ask('{ viewer { id } }'));
    await locked.restart(async () => {
      renameSync(`${locked.dataDir}/keys`, `${locked.dataDir}/gone`);
    });
    const answer = await postVerify(locked, { proof: { secret: 'x' } });
    expect([answer.status, answer.body.errors[0].extensions.code]).toEqual([503, 'UNAVAILABLE']);
  } finally {
    await locked.stop();
  }
});
