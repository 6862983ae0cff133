/**
 * @slow 25 s
 */
import { expectData, makeAccount, makeCaller, makeCredential, type Made } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { signedBy, send, unsigned } from '../support/signing.js';
import { takingsOf } from '../support/statements.js';
import { SignatureScheme } from '../../src/signatures/scheme.js';
import { run } from '../support/verbs.js';
import { askOfAll, codeOf, postVerify } from '../credentials/verification/verifying.js';
import { burst, codesOf, inOneWindow, limited } from './bursts.js';

const [points, failures] = [100, 10];
let server: TestServer;
let account: string;
/** Callers that are made before there are limits. */
let callers: { id: string; token: string; credential: string; other: Made }[];
let key: Made;
let signer: Made;
const next = () => {
  const caller = callers.pop();
  if (!caller) throw new Error('make more callers');
  return caller;
};

beforeAll(async () => {
  server = await startTestServer({ KEYWAY_METRICS_PORT: '0' });
  account = await makeAccount(server);
  [key, signer] = await Promise.all([makeCredential(server, account), makeCredential(server, account)]);
  callers = await Promise.all(
    Array.from({ length: 30 }, async () => {
      const caller = await makeCaller(server, ['CREDENTIAL_VERIFY', 'CREDENTIAL_READ'], {
        onAccount: account,
      });
      return { ...caller, other: await makeCredential(server, caller.id, { secret: { token: {} } }) };
    }),
  );
  await limited(server, `points=${points},failures=${failures}`);
});
afterAll(() => server.stop());

const viewer = '{ viewer { id } }';

test('S6: of 200 requests at once as many run as there are points, and the others are told when they may', async () => {
  await inOneWindow(async () => {
    const { token } = next();
    const { result: answers, takings } = await takingsOf(server, () => burst([server], { token }, 200));
    expect(codesOf(answers)).toEqual({ 200: points, RATE_LIMITED: 100 });
    // Ten blocks, and the question whether there is another.
    expect(takings.length).toBeGreaterThanOrEqual(10);
    expect(takings.length).toBeLessThanOrEqual(11);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(100);
    for (const { errors, headers, data, text } of refused) {
      expect(data).toBeNull();
      expect(text).toContain('"rateLimit":{"limit":100,"remaining":0,');
      expect(errors[0]?.message).toMatch(
        /^This account may spend 100 points in a minute, and has spent 100; this costs 1\. It is free again in \d+ seconds?\.$/,
      );
      const wait = Number(headers.get('retry-after'));
      expect(wait).toBeGreaterThanOrEqual(1);
      expect(wait).toBeLessThanOrEqual(60);
      expect(headers.get('x-ratelimit-remaining')).toBe('0');
    }
    // Another account has its own.
    expect((await server.ask(viewer, {}, { token: next().token })).status).toBe(200);
  });
});

test('S6: the first request of a window takes a block by one statement, and the next ones need none', async () => {
  await inOneWindow(async () => {
    const { token } = next();
    for (const wanted of [['points'], [], []]) {
      const { result, takings } = await takingsOf(server, () => server.ask(viewer, {}, { token }));
      expect([result.status, takings]).toEqual([200, wanted]);
    }
  });
});

test('S6: each answer tells how much is left, in headers and in the graph', async () => {
  await inOneWindow(async () => {
    const { token } = next();
    const before = Math.floor(server.db.now() / 1_000);
    for (const left of [99, 98]) {
      const { text, headers } = await server.ask(viewer, {}, { token });
      const { rateLimit } = (JSON.parse(text) as { extensions: { rateLimit: Record<string, unknown> } })
        .extensions;
      expect(rateLimit).toEqual({ limit: 100, remaining: left, cost: 1, resetAt: expect.any(String) });
      expect(headers.get('x-ratelimit-limit')).toBe('100');
      expect(headers.get('x-ratelimit-remaining')).toBe(String(left));
      const reset = Number(headers.get('x-ratelimit-reset'));
      expect(reset).toBeGreaterThan(before);
      expect(reset).toBeLessThanOrEqual(before + 120);
      expect(Math.abs(Date.parse(String(rateLimit?.['resetAt'])) / 1_000 - reset)).toBeLessThan(5);
      expect(headers.get('ratelimit-policy')).toBe('"minute";q=100;w=60');
      expect(headers.get('ratelimit')).toMatch(new RegExp(`^"minute";r=${left};t=\\d+$`));
    }
  });
});

const limitOf = ({ text }: { text: string }) =>
  (JSON.parse(text) as { extensions: { rateLimit: { remaining: number; cost: number } } }).extensions
    .rateLimit;
const remaining = ({ headers }: { headers: Headers }) => headers.get('x-ratelimit-remaining');

test('S6: what never comes to be an operation costs a point as well, and is refused where there is none', async () => {
  await inOneWindow(async () => {
    const { token } = next();
    const json = 'application/json';
    const post = (path: string, type: string, body: string) =>
      fetch(`${server.url}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': type },
        body,
      });
    let left = points;
    for (const [path, type, body, status] of [
      ['/graphql', json, '{', 400],
      ['/graphql', json, '[]', 400],
      ['/graphql', json, '{}', 400],
      ['/graphql', 'text/plain', '{}', 415],
      ['/v1/verify', json, '{', 400],
      ['/v1/verify', json, '{}', 400],
      ['/v1/verify', 'text/plain', '{}', 415],
    ] as const) {
      const answer = await post(path, type, body);
      expect([path, body, answer.status, remaining(answer)]).toEqual([path, body, status, String(--left)]);
    }
    const byGet = await fetch(`${server.url}/graphql?query={viewer{id}}`, {
      headers: { authorization: `Bearer ${token}`, 'content-type': 'text/plain' },
    });
    expect([byGet.status, remaining(byGet)]).toEqual([415, String(--left)]);
    // The body and the headers say the same: of a document that cannot be read, of one that asks for too much.
    for (const document of ['{', `{ ${'a { '.repeat(40)} b ${'}'.repeat(40)} }`]) {
      const answer = await server.ask(document, {}, { token });
      expect([answer.status, remaining(answer)]).toEqual([400, String(--left)]);
      expect(limitOf(answer)).toMatchObject({ remaining: left, cost: 1 });
    }
    await burst([server], { token }, left);
    for (const path of ['/graphql', '/v1/verify']) expect((await post(path, json, '{')).status).toBe(429);
    const unread = await server.ask('{', {}, { token });
    expect([unread.status, unread.code]).toEqual([429, 'RATE_LIMITED']);
    const refused = await server.ask(viewer, {}, { token });
    expect(limitOf(refused)).toMatchObject({ remaining: 0, cost: 0 });
  });
});

test('S6: a signed body that cannot be read is charged to its signer, once it is known to be its own', async () => {
  await inOneWindow(async () => {
    const request = { ...unsigned(server, '/graphql', {}), body: Buffer.from('{') };
    const sent = async () =>
      send(server, signedBy(server, signer, SignatureScheme.HTTP_MESSAGE_SIGNATURES, request));
    const { result, takings } = await takingsOf(server, sent);
    expect([result.status, takings]).toEqual([400, ['points']]);
  });
});

test('S6: only who has no valid proof is told how the limit of its address stands', async () => {
  const headers = { authorization: `Bearer ${next().token}`, accept: 'image/png' };
  const unacceptable = await fetch(`${server.url}/graphql`, { method: 'POST', headers });
  expect([unacceptable.status, unacceptable.headers.has('x-ratelimit-limit')]).toEqual([406, false]);
  const stranger = await server.ask(viewer, {}, { token: null });
  expect([stranger.status, stranger.headers.get('x-ratelimit-limit')]).toEqual([401, String(failures)]);
});

test('S6: what is verified counts item by item, however it is asked', async () => {
  await inOneWindow(async () => {
    const { token } = next();
    const input = { accessKey: key.accessKey, proof: { secret: key.secret } };
    const one = await postVerify(server, input, { token });
    expect([one.status, one.headers.get('x-ratelimit-remaining')]).toEqual([200, '99']);
    const many = await askOfAll(server, Array<object>(30).fill(input) as never, { token });
    expectData(many);
    expect(Number(many.headers.get('x-ratelimit-remaining'))).toBeLessThanOrEqual(69);
    const more = await askOfAll(server, Array<object>(30).fill(input) as never, { token });
    expect([more.status, more.code]).toEqual([429, 'RATE_LIMITED']);
    // To wait for what no minute has is of no use.
    const most = await askOfAll(server, Array<object>(60).fill(input) as never, { token });
    expect([most.status, most.code, most.headers.has('retry-after')]).toEqual([400, 'LIMIT_EXCEEDED', false]);
    expect(most.errors[0]?.message).toMatch(
      /and this account may spend 100 in a minute: ask for less at once\.$/,
    );
  });
});

test('S6: what a proof is refused is limited for that proof alone, and it may still revoke', async () => {
  await inOneWindow(async () => {
    const { token, other } = next();
    for (let count = 0; count < failures; count++)
      expect((await run(server, 'revokeCredential', { id: key.id }, { token })).code).toBe('FORBIDDEN');
    const refused = await server.ask(viewer, {}, { token });
    expect([refused.status, refused.code]).toEqual([429, 'RATE_LIMITED']);
    expect(refused.errors[0]?.message).toMatch(
      /^What was asked with this proof was refused or not found 10 times, and 10 are allowed/,
    );
    expect((await server.ask(viewer, {}, { token: other.secret })).status).toBe(200);
    expectData(await run(server, 'revokeCredential', { id: other.id }, { token }));
  });
});

test('S6: where all points of an account are spent, its credentials can be revoked all the same', async () => {
  await inOneWindow(async () => {
    const caller = next();
    const emergency = { token: caller.other.secret };
    await burst([server], caller, 120);
    expect((await server.ask(viewer, {}, emergency)).status).toBe(429);
    expectData(await run(server, 'revokeCredential', { id: caller.credential }, emergency));
    expect((await server.ask(viewer, {}, { token: caller.token })).code).toBe('UNAUTHENTICATED');
    // Nothing else comes in beside, and what is revoked already buys nothing to read.
    const again = (selection: string) =>
      server.ask(
        `mutation { __typename revokeCredential(input: { id: "${caller.credential}" }) { credential { ${selection} } } }`,
        {},
        emergency,
      );
    for (let count = 0; count < 3; count++) {
      const nested = await again('account { credentials(first: 50) { nodes { id } } }');
      expect([nested.status, nested.code]).toEqual([429, 'RATE_LIMITED']);
      expectData(await again('id status'));
    }
    const beside = await server.ask(
      `mutation { revokeCredential(input: { id: "${caller.credential}" }) { credential { id } }
        rotateCredential(input: { id: "${caller.credential}" }) { credential { id } } }`,
      {},
      emergency,
    );
    expect(beside.status).toBe(429);
  });
});

test('S6: proofs that are none are limited for their address, and a good one comes in from there', async () => {
  await inOneWindow(async () => {
    // No other test comes from there.
    await server.rows("DELETE FROM rate_limits WHERE name LIKE 'strangers:%' RETURNING name");
    await server.restart();
    const answers = await burst([server], { token: 'kw_wrong' }, 30);
    expect(codesOf(answers)).toEqual({ RATE_LIMITED: 20, UNAUTHENTICATED: failures });
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.errors[0]?.message).toMatch(/^No valid token was presented\. From this address/);
    expect(refused?.headers.get('x-ratelimit-limit')).toBe(String(failures));
    expect((await server.ask(viewer, {}, { token: next().token })).status).toBe(200);
  });
});

test('S6: who guesses at a service is limited by address, and locks out nobody elsewhere', async () => {
  await inOneWindow(async () => {
    const { token } = next();
    const right = { accessKey: key.accessKey, proof: { secret: key.secret } };
    const wrong = { accessKey: key.accessKey, proof: { secret: 'wrong' } };
    const here = { ip: '192.0.2.1' };
    for (let count = 0; count < failures; count++)
      expect((await postVerify(server, { ...wrong, ...here }, { token })).body.code).toBe('NOT_VALID');
    expect((await postVerify(server, { ...right, ...here }, { token })).body.code).toBe('RATE_LIMITED');
    expect(await codeOf(server, { ...right, ip: '192.0.2.2' }, { token })).toBe('VALID');
    expect(await codeOf(server, right, { token })).toBe('VALID');
  });
});

test('S6: where a service tells no address, nobody who knows an access key locks its holder out', async () => {
  await inOneWindow(async () => {
    const { token } = next();
    const of = (secret: string | null) => ({ accessKey: key.accessKey, proof: { secret } });
    for (let count = 0; count < 2 * failures; count++)
      expect((await postVerify(server, of('wrong'), { token })).body.code).toBe('NOT_VALID');
    expect((await postVerify(server, of(key.secret), { token })).body.code).toBe('VALID');
  });
});

test('S6: who has many addresses of IPv6 has one limit of guesses', async () => {
  await inOneWindow(async () => {
    const { token } = next();
    const at = (ip: string, secret = key.secret) => ({ accessKey: key.accessKey, proof: { secret }, ip });
    for (let count = 1; count <= failures; count++)
      expect((await postVerify(server, at(`2001:db8::${count}`, 'wrong'), { token })).body.code).toBe(
        'NOT_VALID',
      );
    expect((await postVerify(server, at('2001:db8::ffff'), { token })).body.code).toBe('RATE_LIMITED');
    expect((await postVerify(server, at('2001:db8:0:1::1'), { token })).body.code).toBe('VALID');
  });
});

test('S6: what is spent stays spent over a restart, and a wrong clock of this machine changes nothing', async () => {
  await inOneWindow(async () => {
    const { token } = next();
    expect(codesOf(await burst([server], { token }, 60))).toEqual({ 200: 60 });
    await server.restart();
    const more = codesOf(await burst([server], { token }, 60));
    expect(more).toEqual({ 200: 40, RATE_LIMITED: 20 });
  });
});

test('S6: after the minute all points are there again', async () => {
  const { token } = next();
  await burst([server], { token }, 101);
  await server.rows("UPDATE rate_limits SET ends_at = now() WHERE name LIKE 'points:%' RETURNING name");
  // Who has no block asks again.
  await server.restart();
  expect((await server.ask(viewer, {}, { token })).headers.get('x-ratelimit-remaining')).toBe('99');
});

test('S63: metrics tell what each limit refused, without a word of who it was', async () => {
  const address = [...server.logged.join('').matchAll(/"metrics":"(http:[^"]+)"/g)].at(-1)?.[1] ?? '';
  const { token } = next();
  await burst([server], { token }, 103);
  const text = await (await fetch(address)).text();
  expect(text).toMatch(/^keyway_refusals_total\{limit="points"\} \d+$/m);
  expect(text).toMatch(/^keyway_rate_limits_shared 1$/m);
});
