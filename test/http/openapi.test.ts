import { renameSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { VerificationCode } from '../../src/credentials/verification/verification.js';
import { postVerify, type RouteAnswer } from '../credentials/verification/verifying.js';
import { inOneWindow, limited } from '../rate-limits/bursts.js';
import { expectData, makeAccount, makeCaller, makeCredential, makeRole, unique } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { run } from '../support/verbs.js';

let server: TestServer;
let account: string;
let described: Described;
let ajv: Ajv2020;

/** What of the document is looked at. */
interface Described {
  openapi: string;
  servers: { url: string }[];
  paths: Record<string, Record<string, { responses: Record<string, { headers?: Record<string, object> }> }>>;
}

beforeAll(async () => {
  server = await startTestServer();
  account = await makeAccount(server);
  described = await documentOf(server);
  ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(described, 'openapi.json');
});
afterAll(() => server.stop());

const documentOf = async ({ url }: { url: string }) =>
  (await (await fetch(`${url}/v1/openapi.json`)).json()) as Described;

/** What of a body is not as the document says; empty where all is. */
function misfits(pointer: string, body: unknown): string[] {
  const validate = ajv.getSchema(`openapi.json#${pointer}`) as ValidateFunction | undefined;
  if (!validate) throw new Error(`nothing is described at ${pointer}`);
  void validate(body);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`);
}

const answerAt = (path: string, method: string, status: number) =>
  `/paths/${path.replaceAll('/', '~1')}/${method}/responses/${status}/content/application~1json/schema`;

/** What of an answer of the route of verification is not as the document says. */
function misfitsOf({ status, headers, body }: RouteAnswer): string[] {
  const told = described.paths['/v1/verify']?.['post']?.responses[status]?.headers ?? {};
  const untold = ['retry-after', 'x-request-id', 'ratelimit', 'ratelimit-policy', 'x-ratelimit-limit'].filter(
    (name) => headers.has(name) && !Object.keys(told).some((one) => one.toLowerCase() === name),
  );
  return [...misfits(answerAt('/v1/verify', 'post', status), body), ...untold];
}

const fitsInput = (body: unknown) => misfits('/components/schemas/VerifyCredentialInput', body);

test('is a valid document of OpenAPI 3.1, for everybody', async () => {
  const response = await fetch(`${server.url}/v1/openapi.json`);
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    'application/json; charset=utf-8',
  ]);
  const validator = new Validator();
  expect(await validator.validate((await response.json()) as Record<string, unknown>)).toEqual({
    valid: true,
  });
  expect(validator.version).toBe('3.1');
  expect(described.servers).toEqual([{ url: '/' }]);
});

test('a document that is none is found out', async () => {
  const wrong = { ...described, paths: { '/v1/verify': { post: { responses: { 200: {} } } } } };
  expect(await new Validator().validate({ ...wrong })).toMatchObject({ valid: false });
});

test('each path in it is there, and each has every text that it needs', async () => {
  expect(Object.keys(described.paths).sort()).toEqual([
    '/health',
    '/ready',
    '/v1/openapi.json',
    '/v1/verify',
  ]);
  const texts: unknown[] = [];
  JSON.stringify(described, (key, value: unknown) => {
    if (key === 'description') texts.push(value);
    return value;
  });
  expect(texts.length).toBeGreaterThan(40);
  expect(texts.filter((text) => typeof text === 'string' && text.trim() !== '')).toHaveLength(texts.length);
});

test('below a path prefix it says so', async () => {
  const below = await startTestServer({ KEYWAY_BASE_PATH: '/keyway' });
  try {
    expect((await documentOf({ url: `${below.url}/keyway` })).servers).toEqual([{ url: '/keyway' }]);
  } finally {
    await below.stop();
  }
});

describe('fits what is answered', () => {
  const make = (input: object = {}) => makeCredential(server, account, input as Record<string, unknown>);
  const shown = ({ accessKey, secret }: { accessKey: string | null; secret: string | null }) => ({
    accessKey,
    proof: { secret },
  });
  const changed = async (mutation: string, more: object = {}) => {
    const made = await make();
    expectData(await run(server, mutation, { id: made.id, ...more }));
    return shown(made);
  };

  const questions: Record<VerificationCode, () => Promise<object>> = {
    VALID: async () => {
      const roles = [await makeRole(server, [])];
      return { ...shown(await make({ roles, expiresAt: '2099-01-01T00:00:00Z' })), ip: '192.0.2.1' };
    },
    VALID_PREVIOUS_SECRET: () => changed('rotateCredential', { gracePeriod: 'PT1H' }),
    NOT_VALID: async () => ({ proof: { secret: 'wrong' } }),
    DISABLED: async () => shown(await make({ enabled: false })),
    EXPIRED: async () => {
      const made = await make({ name: unique('expired') });
      await server.rows('UPDATE credentials SET expires_at = now() WHERE access_key = :accessKey', {
        accessKey: made.accessKey,
      });
      return shown(made);
    },
    REVOKED: () => changed('revokeCredential'),
    IP_NOT_ALLOWED: async () => shown(await make({ allowedIps: ['192.0.2.0/24'] })),
    ROLE_MISSING: async () => ({ ...shown(await make()), roles: ['none'] }),
    RATE_LIMITED: async () => {
      const asked = shown(await make({ rateLimit: { uses: 1, window: 'PT1H' } }));
      await postVerify(server, asked);
      return asked;
    },
  };

  test.each(Object.values(VerificationCode))('%s', async (code) => {
    const asked = await questions[code]();
    expect(fitsInput(asked)).toEqual([]);
    const answer = await postVerify(server, asked);
    expect([answer.status, answer.body.code]).toEqual([200, code]);
    expect(misfitsOf(answer)).toEqual([]);
  });

  test.each<[number, string, () => Promise<RouteAnswer>]>([
    [400, 'BAD_USER_INPUT', () => postVerify(server, { proof: { secret: '' } })],
    [400, 'BAD_REQUEST', () => postVerify(server, '{')],
    [401, 'UNAUTHENTICATED', () => postVerify(server, {}, { token: 'kw_nobody' })],
    [403, 'FORBIDDEN', async () => postVerify(server, { proof: { secret: 'x' } }, await makeCaller(server))],
    [413, 'LIMIT_EXCEEDED', () => postVerify(server, ' '.repeat(300_000))],
    [415, 'BAD_REQUEST', () => postVerify(server, {}, { headers: { 'content-type': 'text/plain' } })],
  ])('%i %s', async (status, code, ask) => {
    const answer = await ask();
    expect([answer.status, answer.body.errors[0].extensions.code]).toEqual([status, code]);
    expect(misfitsOf(answer)).toEqual([]);
  });

  test('429, and 503', async () => {
    const other = await startTestServer();
    try {
      const caller = await makeCaller(other, ['CREDENTIAL_VERIFY']);
      await limited(other, 'points=100');
      let answer: RouteAnswer | undefined;
      await inOneWindow(async () => {
        const bodies = Array.from({ length: 150 }, () => ({ proof: { secret: 'x' } }));
        const answers = await Promise.all(bodies.map((body) => postVerify(other, body, caller)));
        answer = answers.find(({ status }) => status === 429);
        expect(answer).toBeDefined();
      });
      if (!answer) throw new Error('nobody was refused');
      expect([answer.status, answer.headers.has('retry-after')]).toEqual([429, true]);
      expect(misfitsOf(answer)).toEqual([]);
      await other.restart(async () => renameSync(`${other.dataDir}/keys`, `${other.dataDir}/gone`));
      const closed = await postVerify(other, { proof: { secret: 'x' } });
      expect(closed.status).toBe(503);
      expect(misfitsOf(closed)).toEqual([]);
      for (const path of ['/ready', '/v1/openapi.json']) {
        const response = await fetch(`${other.url}${path}`);
        expect([path, response.status]).toEqual([path, 503]);
        expect(misfits(answerAt(path, 'get', 503), await response.json())).toEqual([]);
      }
    } finally {
      await other.stop();
    }
  });

  test.each(['/health', '/ready', '/v1/openapi.json'])('%s', async (path) => {
    const response = await fetch(`${server.url}${path}`);
    expect(misfits(answerAt(path, 'get', response.status), await response.json())).toEqual([]);
  });
});

const signed = (members: object) => ({
  proof: { signedRequest: { scheme: 'NCP_SIGNATURE_V2', method: 'GET', url: '/', headers: [], ...members } },
});
const secret = 'x';

test.each<[string, object, string]>([
  ['nothing', {}, 'proof'],
  ['an unknown member', { proof: { secret }, admin: true }, ''],
  ['a proof of nothing', { proof: {} }, 'proof'],
  ['two proofs', { proof: { secret, ...signed({}).proof } }, 'proof'],
  ['a proof of a null', { proof: { secret: null } }, 'proof.secret'],
  ['an empty secret', { proof: { secret: '' } }, 'proof.secret'],
  ['a long secret', { proof: { secret: 'x'.repeat(4_097) } }, 'proof.secret'],
  ['a long access key', { accessKey: 'x'.repeat(301), proof: { secret } }, 'accessKey'],
  ['an empty address', { ip: '', proof: { secret } }, 'ip'],
  ['too many roles', { roles: Array(101).fill('a'), proof: { secret } }, 'roles'],
  ['an empty role', { roles: ['a', ''], proof: { secret } }, 'roles.1'],
  ['a project that is no id', { project: 'a b', proof: { secret } }, 'project'],
  ['a cost below zero', { cost: -1, proof: { secret } }, 'cost'],
  ['a cost of half', { cost: 0.5, proof: { secret } }, 'cost'],
  ['an unknown scheme', signed({ scheme: 'AWS4_HMAC_SHA256' }), 'proof.signedRequest.scheme'],
  ['a request without an address', signed({ url: undefined }), 'proof.signedRequest.url'],
  [
    'a header without a name',
    signed({ headers: [{ name: '', value: 'b' }] }),
    'proof.signedRequest.headers.0.name',
  ],
  [
    'a long header',
    signed({ headers: [{ name: 'a', value: 'b'.repeat(20_000) }] }),
    'proof.signedRequest.headers.0.value',
  ],
])('refuses %s, as the route does', async (_, body, path) => {
  const sent = JSON.parse(JSON.stringify(body)) as object;
  expect(fitsInput(sent)).not.toEqual([]);
  const answer = await postVerify(server, sent);
  expect(answer.body.errors[0].extensions.fields[0].path).toBe(path);
});

test.each<[string, object]>([
  ['the longest secret', { proof: { secret: 'x'.repeat(4_096) } }],
  ['nulls', { accessKey: null, ip: null, roles: null, project: null, cost: null, proof: { secret } }],
  ['the most roles', { roles: Array(100).fill('a'), proof: { secret } }],
  ['a signed request with an empty body', signed({ body: '' })],
])('takes %s, as the route does', async (_, body) => {
  expect(fitsInput(body)).toEqual([]);
  expect((await postVerify(server, body)).status).toBe(200);
});
