/**
 * @slow 25 s
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { schemes } from '../../src/signatures/schemes.js';
import { SignatureScheme, type SignedRequest } from '../../src/signatures/scheme.js';
import { read, remove, revoke, rotate, update } from '../credentials/verbs.js';
import {
  expectData,
  grant,
  makeAccount,
  makeCredential,
  makeRole,
  unique,
  type Made,
} from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import {
  callingSchemes,
  keyOf,
  presentation,
  question,
  questionByGet,
  send,
  signedBy,
  unsigned,
  type Reply,
} from '../support/signing.js';
import { run } from '../support/verbs.js';
import { changed, headerOf, withHeader } from '../signatures/requests.js';

const { HTTP_MESSAGE_SIGNATURES, NCP_SIGNATURE_V2, VERACODE_HMAC_SHA_256, LANDSCAPE_HMAC_SHA_256 } =
  SignatureScheme;
type Calling = (typeof callingSchemes)[number];

let server: TestServer;
/** Whose keys call, and may ask whether a credential of its own is good. */
let account: string;
let verifier: string;
beforeAll(async () => {
  server = await startTestServer();
  account = await makeAccount(server);
  verifier = await makeRole(server, ['CREDENTIAL_VERIFY']);
  await grant(server, account, verifier, { onAccount: account });
});
afterAll(() => server.stop());

const hex = { accessKey: { secretFormat: 'HEX' } };
/** A key that signs in any scheme. */
const makeKey = (input: Record<string, unknown> = {}) =>
  makeCredential(server, account, { secret: hex, ...input });
const viewer = '{ viewer { id } }';
const ask = () => question(server, viewer);
const signed = (key: Made, scheme: SignatureScheme, request = ask(), fromNowMs = 0) =>
  signedBy(server, key, scheme, request, fromNowMs);
const call = (key: Made, scheme: SignatureScheme, request?: SignedRequest) =>
  send(server, signed(key, scheme, request));
const seen = ({ status, code, data }: Reply) => [status, code ?? null, data?.viewer?.id ?? null];
const letIn = () => [200, null, account];
const turnedAway = [401, 'UNAUTHENTICATED', null];

/** What a verifier is told of a signed request. */
async function verdictOn(scheme: SignatureScheme, one: SignedRequest): Promise<{ code: string }> {
  const answer = await server.ask(
    'mutation ($input: VerifyCredentialInput!) { verifyCredential(input: $input) { code } }',
    { input: presentation(scheme, one) },
  );
  return expectData(answer).verifyCredential;
}

const without = (one: SignedRequest, name: string): SignedRequest => ({
  ...one,
  headers: one.headers.filter((header) => header.name.toLowerCase() !== name.toLowerCase()),
});
/** The same request with another value in the place of a header. */
const replaced = (one: SignedRequest, name: string, value: string): SignedRequest => ({
  ...one,
  headers: one.headers.map((header) =>
    header.name.toLowerCase() === name.toLowerCase() ? { name: header.name, value } : header,
  ),
});

describe.each(callingSchemes)('%s', (scheme) => {
  test('calls the graph by POST and GET, and asks whether a credential is good', async () => {
    const key = await makeKey({ roles: [verifier] });
    expect(seen(await call(key, scheme))).toEqual(letIn());
    expect(seen(await call(key, scheme, questionByGet(server, viewer)))).toEqual(letIn());
    const asked = unsigned(server, '/v1/verify', {
      accessKey: key.accessKey,
      proof: { secret: key.secret },
    });
    const { status, text } = await call(key, scheme, asked);
    expect([status, JSON.parse(text)]).toEqual([
      200,
      expect.objectContaining({ valid: true, code: 'VALID' }),
    ]);
  });

  test('S7: changes nothing by GET', async () => {
    const updater = await makeRole(server, ['CREDENTIAL_UPDATE', 'CREDENTIAL_READ']);
    await grant(server, account, updater, { onAccount: account });
    const key = await makeKey({ roles: [updater] });
    const renaming = `mutation { updateCredential(input: { id: "${key.id}", name: "by GET" }) { credential { name } } }`;
    const { status, data } = await call(key, scheme, questionByGet(server, renaming));
    expect([status, data]).toEqual([405, null]);
    expect((await read(server, key.id)).name).not.toBe('by GET');
    expect(
      expectData(await call(key, scheme, question(server, renaming))).updateCredential.credential.name,
    ).toBe('by GET');
  });

  test('S21: is taken once', async () => {
    const one = signed(await makeKey(), scheme);
    expect(seen(await send(server, one))).toEqual(letIn());
    for (let again = 0; again < 3; again++) expect(seen(await send(server, one))).toEqual(turnedAway);
  });

  test('S21: is taken once of 20 at the same moment', async () => {
    const one = signed(await makeKey(), scheme);
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(server, one)));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, ...Array<number>(19).fill(401)]);
  });

  test('S21: is taken once, whether to call or to be verified', async () => {
    const key = await makeKey({ roles: [verifier] });
    const [called, verified] = [
      signed(key, scheme),
      signed(key, scheme, questionByGet(server, '{ viewer { name } }')),
    ];
    expect(seen(await send(server, called))).toEqual(letIn());
    expect((await verdictOn(scheme, called)).code).toBe('NOT_VALID');
    expect((await verdictOn(scheme, verified)).code).toBe('VALID');
    expect(seen(await send(server, verified))).toEqual(turnedAway);
  });

  test.each([-290_000, 299_000])('S21: is taken %s ms from now, by the clock of the database', async (ms) => {
    expect(seen(await send(server, signed(await makeKey(), scheme, ask(), ms)))).toEqual(letIn());
  });

  test.each([-300_001, 310_000, -86_400_000, 86_400_000])(
    'S21: is late or early %s ms from now',
    async (ms) => {
      expect(seen(await send(server, signed(await makeKey(), scheme, ask(), ms)))).toEqual(turnedAway);
    },
  );

  test('S24: by an unknown key, or under a wrong secret, is refused alike', async () => {
    const key = await makeKey();
    const [unknown, wrong] = [
      await call({ ...key, accessKey: 'ab'.repeat(16) }, scheme),
      await call({ ...key, secret: 'ab'.repeat(64) }, scheme),
    ];
    expect([seen(unknown), seen(wrong)]).toEqual([turnedAway, turnedAway]);
    const plain = (text: string) => text.replace(/"id":"[^"]+"/, '');
    expect(plain(unknown.text)).toBe(plain(wrong.text));
    expect(seen(await call(key, scheme))).toEqual(letIn());
  });

  test('S21: with another method, path or query it is not what was signed', async () => {
    const key = await makeKey({ roles: [verifier] });
    const posted = () => signed(key, scheme);
    const got = () => signed(key, scheme, questionByGet(server, viewer));
    const forgeries: SignedRequest[] = [
      { ...posted(), method: 'GET', url: questionByGet(server, viewer).url, body: undefined },
      { ...posted(), url: '/v1/verify' },
      { ...posted(), url: '/graphql?' + 'x=1' },
      { ...got(), method: 'POST', body: ask().body },
      { ...got(), url: questionByGet(server, '{ viewer { name } }').url },
      { ...got(), url: `${got().url}&operationName=x` },
      { ...got(), url: got().url.replace('%20', '+') },
      { ...got(), url: got().url.replace('/graphql', '//graphql') },
      { ...got(), url: got().url.replace('/graphql', '/%67raphql') },
    ];
    for (const forgery of forgeries) expect(seen(await send(server, forgery))).not.toEqual(letIn());
    for (const forgery of forgeries.slice(0, 6))
      expect(seen(await send(server, forgery))).toEqual(turnedAway);
  });

  const signedHeaders: Record<Calling, string[]> = {
    HTTP_MESSAGE_SIGNATURES: ['signature', 'signature-input', 'content-digest', 'content-type', 'host'],
    NCP_SIGNATURE_V2: ['x-ncp-apigw-timestamp', 'x-ncp-iam-access-key', 'x-ncp-apigw-signature-v2'],
    VERACODE_HMAC_SHA_256: ['authorization', 'host'],
  };

  test.each(signedHeaders[scheme])('S21: with another %s it is not what was signed', async (name) => {
    const key = await makeKey();
    for (let at = 0; at < 200; at += 7) {
      const one = signed(key, scheme);
      // The port is no part of the host that Veracode signs.
      const value =
        name === 'host'
          ? headerOf(one, name).replace('127', '128')
          : changed(headerOf(one, name), { at, to: '7', how: 'changed' });
      if (value === undefined) continue;
      expect(seen(await send(server, replaced(one, name, value)))).toEqual(turnedAway);
      if (at >= headerOf(one, name).length) break;
    }
  });

  test.each(signedHeaders[scheme])('S21: without its %s, or with two, it is nothing', async (name) => {
    const key = await makeKey();
    const one = signed(key, scheme);
    const twice = withHeader(one, name, headerOf(one, name));
    for (const other of [...(name === 'host' ? [] : [without(one, name)]), twice]) {
      const answer = await send(server, other);
      // Two hosts, or none, are refused before anything of ours looks at them.
      expect(name === 'host' ? [400, 401] : [401]).toContain(answer.status);
      expect(answer.data).toBeNull();
    }
  });

  test('S21: with the host of another service it is not for Keyway, whoever sends it', async () => {
    const key = await makeKey();
    const before = server.logged.length;
    const relayed = (host: string) => signed(key, scheme, replaced(ask(), 'host', host));
    const unknown = await call({ ...key, accessKey: 'ab'.repeat(16) }, scheme);
    const plain = (text: string) => text.replace(/"id":"[^"]+"/, '');
    for (const host of [
      'shop.example',
      'Shop.Example:443',
      '127.0.0.2',
      'localhost.shop.example',
      '[::2]:80',
    ]) {
      const answer = await send(server, relayed(host));
      expect([host, seen(answer), plain(answer.text)]).toEqual([host, turnedAway, plain(unknown.text)]);
      const lines = server.logged.slice(before).filter((line) => line.includes(host.toLowerCase()));
      expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(['info']);
      expect(lines.join()).not.toMatch(new RegExp(`${key.secret}|${key.accessKey}|signature=`, 'i'));
    }
    // It was not used up: Keyway had no part in it.
    const one = relayed('shop.example');
    expect(seen(await send(server, one))).toEqual(turnedAway);
    expect((await verdictOn(scheme, one)).code).toBe('VALID');
    for (const host of ['localhost', 'LOCALHOST:1', '[::1]:4000', '127.0.0.1:65535'])
      expect([host, seen(await send(server, relayed(host)))]).toEqual([host, letIn()]);
  });

  describe('S23: at the next request', () => {
    const outcome = async (key: Made) => seen(await call(key, scheme));

    test.each<
      [string, (key: Made, name: string) => Promise<unknown>, ((key: Made) => Promise<unknown>) | null]
    >([
      [
        'is disabled, until it is enabled again',
        async ({ id }) => expectData(await update(server, { id, enabled: false })),
        async ({ id }) => expectData(await update(server, { id, enabled: true })),
      ],
      [
        'has expired',
        (_, name) => server.rows('UPDATE credentials SET expires_at = now() WHERE name = :name', { name }),
        null,
      ],
      ['is revoked', async ({ id }) => expectData(await revoke(server, { id })), null],
      ['is deleted', async ({ id }) => expectData(await remove(server, { id })), null],
      ['is rotated', async ({ id }) => expectData(await rotate(server, { id })), null],
      [
        'may be used from other addresses alone, until it may from here',
        async ({ id }) => expectData(await update(server, { id, allowedIps: ['192.0.2.0/24', '::1'] })),
        async ({ id }) => expectData(await update(server, { id, allowedIps: ['127.0.0.0/8'] })),
      ],
    ])('a key is refused that %s', async (_, end, mend) => {
      const name = unique('key');
      const key = await makeKey({ name });
      expect(await outcome(key)).toEqual(letIn());
      await end(key, name);
      expect(await outcome(key)).toEqual(turnedAway);
      if (!mend) return;
      await mend(key);
      expect(await outcome(key)).toEqual(letIn());
    });

    test.each(['account', 'owner'])('a key is refused while its %s is disabled', async (which) => {
      const own = await makeAccount(server);
      const owner = await makeAccount(server, { kind: 'PERSON' });
      const key = await makeCredential(server, own, { owner, secret: hex });
      for (const [enabled, status] of [
        [false, 401],
        [true, 200],
      ] as const) {
        expectData(await run(server, 'updateAccount', { id: which === 'account' ? own : owner, enabled }));
        expect((await call(key, scheme)).status).toBe(status);
      }
    });

    test('the secret before is taken within its grace period, and no longer', async () => {
      const name = unique('key');
      const key = await makeKey({ name });
      const { issued } = expectData(
        await rotate(server, { id: key.id, gracePeriod: 'PT1H' }),
      ).rotateCredential;
      const next = { ...key, secret: issued.secret as string };
      for (const one of [key, next]) expect(await outcome(one)).toEqual(letIn());
      await server.rows(
        `UPDATE credential_versions v SET valid_until = now() FROM credentials c
         WHERE c.id = v.credential_id AND c.name = :name AND v.state = 'PREVIOUS'`,
        { name },
      );
      expect([await outcome(key), await outcome(next)]).toEqual([turnedAway, letIn()]);
    });
  });

  test.each([null, ...Object.values(SignatureScheme)])('S21: a key that is bound to %s', async (bound) => {
    const key = await makeKey({
      secret: { accessKey: { secretFormat: 'HEX', ...(bound && { scheme: bound }) } },
    });
    const expected = bound === null || bound === scheme ? letIn() : turnedAway;
    expect(seen(await call(key, scheme))).toEqual(expected);
  });
});

test('S21: what was taken is known after a restart: nonces are in the database', async () => {
  const key = await makeKey();
  const before = callingSchemes.map((scheme) => ({ scheme, one: signed(key, scheme) }));
  for (const { one } of before) expect(seen(await send(server, one))).toEqual(letIn());
  await server.restart();
  for (const { scheme, one } of before) {
    expect(seen(await send(server, one))).toEqual(turnedAway);
    // The door listens elsewhere by now, but what was signed for the one before is for Keyway all the same.
    const fresh = signed(key, scheme, replaced(ask(), 'host', headerOf(one, 'host')));
    expect(seen(await send(server, fresh))).toEqual(letIn());
  }
});

test("S21: Keyway's own hosts are those that it is told of, and no others then", async () => {
  const key = await makeKey();
  const statuses = (hosts: string[]) =>
    Promise.all(
      hosts.map(async (host) => {
        const { status } = await call(key, HTTP_MESSAGE_SIGNATURES, replaced(ask(), 'host', host));
        return [host, status];
      }),
    );
  server.environment['KEYWAY_HOSTS'] = 'Keyway.example.com, api.example.com:8443';
  try {
    await server.restart();
    expect(await statuses(['keyway.example.com', 'KEYWAY.example.com:444', 'api.example.com:8443'])).toEqual([
      ['keyway.example.com', 200],
      ['KEYWAY.example.com:444', 200],
      ['api.example.com:8443', 200],
    ]);
    expect(
      await statuses(['api.example.com', 'api.example.com:443', 'a.keyway.example.com', 'localhost']),
    ).toEqual([
      ['api.example.com', 401],
      ['api.example.com:443', 401],
      ['a.keyway.example.com', 401],
      ['localhost', 401],
    ]);
    // A token says of itself whom it is for, whatever the host is.
    expect((await server.ask(viewer)).status).toBe(200);
  } finally {
    delete server.environment['KEYWAY_HOSTS'];
    await server.restart();
  }
});

test('a request under two keys with one nonce is two requests', async () => {
  const nonce = Buffer.alloc(16, 7);
  for (const scheme of [HTTP_MESSAGE_SIGNATURES, VERACODE_HMAC_SHA_256]) {
    for (const key of [await makeKey(), await makeKey()]) {
      const at = { ms: Math.round(server.db.now()), nonce };
      expect(seen(await send(server, schemes[scheme].sign(ask(), keyOf(key), at)))).toEqual(letIn());
      const again = schemes[scheme].sign(ask(), keyOf(key), { ...at, ms: at.ms + 1000 });
      expect(seen(await send(server, again))).toEqual(turnedAway);
    }
  }
});

describe('S21: the body under HTTP Message Signatures', () => {
  const renaming = (id: string, name: string) =>
    question(
      server,
      'mutation ($i: UpdateCredentialInput!) { updateCredential(input: $i) { credential { name } } }',
      {
        i: { id, name },
      },
    );
  let key: Made;
  beforeAll(async () => {
    const role = await makeRole(server, ['CREDENTIAL_UPDATE', 'CREDENTIAL_READ']);
    await grant(server, account, role, { onAccount: account });
    key = await makeKey({ roles: [role] });
  });
  const sign = (request: SignedRequest) => signed(key, HTTP_MESSAGE_SIGNATURES, request);
  const nameNow = async () => (await read(server, key.id)).name as string;

  test.each([false, true])('is the one that was signed, in pieces: %s', async (chunked) => {
    const name = unique('renamed');
    const answer = await send(server, sign(renaming(key.id, name)), chunked);
    expect(expectData(answer).updateCredential.credential.name).toBe(name);
  });

  test.each([false, true])('is no other, in pieces: %s', async (chunked) => {
    const before = await nameNow();
    const one = sign(renaming(key.id, 'right'));
    const other = { ...one, body: Buffer.from(String(one.body).replace('right', 'wrong')) };
    expect(other.body).toHaveLength(one.body?.length ?? 0);
    const longer = {
      ...sign(renaming(key.id, 'right')),
      body: Buffer.concat([one.body ?? Buffer.alloc(0), Buffer.from(' ')]),
    };
    const shorter = { ...sign(renaming(key.id, 'right')), body: one.body?.subarray(0, -1) };
    for (const forgery of [other, longer, shorter]) {
      const answer = await send(server, forgery, chunked);
      expect([answer.status, answer.code, answer.data]).toEqual([401, 'UNAUTHENTICATED', null]);
    }
    expect(await nameNow()).toBe(before);
  });

  test('is no other under a digest of its own', async () => {
    const before = await nameNow();
    const [one, other] = [sign(renaming(key.id, 'right')), sign(renaming(key.id, 'wrong'))];
    const forgery = replaced(
      { ...one, body: other.body },
      'content-digest',
      headerOf(other, 'content-digest'),
    );
    expect(seen(await send(server, forgery))).toEqual(turnedAway);
    expect(await nameNow()).toBe(before);
  });

  test.each([false, true])('is not left out, with a length of none: %s', async (sized) => {
    const one = sign(renaming(key.id, 'right'));
    const bare = { ...one, body: undefined };
    const answer = await send(server, sized ? withHeader(bare, 'Content-Length', '0') : bare);
    expect(seen(answer)).toEqual(turnedAway);
  });

  test('is none where none was signed', async () => {
    const got = () => sign(questionByGet(server, viewer));
    expect(seen(await send(server, got()))).toEqual(letIn());
    expect(seen(await send(server, { ...got(), body: Buffer.from('{}') }))).toEqual(turnedAway);
    expect(seen(await send(server, { ...got(), body: Buffer.from('{}') }, true))).toEqual(turnedAway);
    const posted = sign({ ...ask(), body: undefined });
    expect(seen(await send(server, { ...posted, body: ask().body }))).toEqual(turnedAway);
  });

  test('is that of a GET neither, where one was signed', async () => {
    const one = sign({ ...questionByGet(server, viewer), body: Buffer.from('{}') });
    expect(seen(await send(server, one))).toEqual(turnedAway);
    const bare = sign({ ...questionByGet(server, viewer), body: Buffer.from('{}') });
    expect(seen(await send(server, { ...bare, body: undefined }))).toEqual(turnedAway);
  });

  test('is asked for by /v1/verify too', async () => {
    const asking = await makeKey({ roles: [verifier] });
    const asked = (secret: string) =>
      signed(
        asking,
        HTTP_MESSAGE_SIGNATURES,
        unsigned(server, '/v1/verify', { accessKey: asking.accessKey, proof: { secret } }),
      );
    const [one, other] = [asked('wrong'), asked(String(asking.secret))];
    expect((await send(server, { ...one, body: other.body })).status).toBe(401);
    expect((await send(server, other)).status).toBe(200);
  });

  test('S60: is on record, where it was another, and is no use of the key', async () => {
    const other = await makeKey();
    const one = signed(other, HTTP_MESSAGE_SIGNATURES);
    const refusals = async () => {
      const [row] = await server.rows<{ times: number }>(
        `SELECT coalesce(sum(times), 0)::integer AS times FROM audit_events
         WHERE action = 'authenticate' AND code = 'UNAUTHENTICATED' AND outcome = 'REFUSED'`,
      );
      return row?.times ?? 0;
    };
    // What was refused before is on record within a second.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const before = await refusals();
    expect(seen(await send(server, { ...one, body: Buffer.from('{}') }))).toEqual(turnedAway);
    const used = await makeKey();
    expect(seen(await call(used, HTTP_MESSAGE_SIGNATURES))).toEqual(letIn());
    for (let attempt = 0; (await read(server, used.id)).lastUsedAt === null && attempt < 60; attempt++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await read(server, used.id)).lastUsedAt).not.toBeNull();
    expect((await read(server, other.id)).lastUsedAt).toBeNull();
    for (let attempt = 0; (await refusals()) === before && attempt < 60; attempt++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await refusals()).toBe(before + 1);
  });
});

describe('what is no proof for Keyway', () => {
  const form = (key: Made): SignedRequest => {
    const posted: SignedRequest = {
      method: 'POST',
      url: '/graphql',
      headers: [
        { name: 'Host', value: new URL(server.url).host },
        { name: 'Content-Type', value: 'application/x-www-form-urlencoded' },
      ],
      body: Buffer.from(`query=${encodeURIComponent(viewer)}`),
    };
    return signed(key, LANDSCAPE_HMAC_SHA_256, posted);
  };

  test.each([null, LANDSCAPE_HMAC_SHA_256])(
    'a request signed as Landscape’s are, the key bound to %s',
    async (bound) => {
      const key = await makeKey({ secret: { accessKey: bound ? { scheme: bound } : {} } });
      const got = signed(key, LANDSCAPE_HMAC_SHA_256, without(questionByGet(server, viewer), 'content-type'));
      for (const one of [got, withHeader(got, 'Content-Type', 'application/json'), form(key)])
        expect(seen(await send(server, one))).toEqual(turnedAway);
    },
  );

  test.each<[string, Record<string, unknown>]>([
    ['a token', { token: {} }],
    ['a password', { password: { username: 'signing-1', password: 'ab'.repeat(64) } }],
    ['provider keys', { providerKeys: { s3: { accessKey: 'SIGNING2', secretKey: 'ab'.repeat(64) } } }],
  ])('a signature by %s', async (_, secret) => {
    const made = await makeCredential(server, account, { secret });
    const texts = [made.secret, made.secret?.split('_').at(-1)?.slice(0, -6), 'ab'.repeat(64)];
    for (const text of texts.filter((one) => typeof one === 'string')) {
      const pair = { ...made, accessKey: made.accessKey ?? 'SIGNING2', secret: text };
      for (const scheme of [HTTP_MESSAGE_SIGNATURES, NCP_SIGNATURE_V2])
        expect(seen(await call(pair, scheme))).toEqual(turnedAway);
    }
  });

  test('a pair as it is, in any header', async () => {
    const { accessKey, secret } = await makeKey();
    const basic = Buffer.from(`${accessKey}:${secret}`).toString('base64');
    for (const value of [
      `Basic ${basic}`,
      `Bearer ${secret}`,
      `Bearer ${accessKey}:${secret}`,
      String(secret),
      '',
    ])
      expect(seen(await send(server, withHeader(ask(), 'Authorization', value)))).toEqual(turnedAway);
  });

  const families: [string, (key: Made) => SignedRequest][] = [
    ['a token', () => withHeader(ask(), 'Authorization', `Bearer ${server.adminToken}`)],
    ...callingSchemes.map((scheme): [string, (key: Made) => SignedRequest] => [
      scheme,
      (key) => signed(key, scheme),
    ]),
  ];
  const pairs = families.flatMap((one) => families.map((other) => [one, other] as const));

  test.each(pairs.map(([one, other]) => [one[0], other[0], one[1], other[1]] as const))(
    'two at once: %s and %s, each of which would do',
    async (_, __, one, other) => {
      const key = await makeKey();
      const [first, second] = [one(key), other(key)];
      const own = ask().headers.map(({ name }) => name.toLowerCase());
      const both = {
        ...first,
        headers: [
          ...first.headers,
          ...second.headers.filter(({ name }) => !own.includes(name.toLowerCase())),
        ],
      };
      expect(seen(await send(server, both))).toEqual(turnedAway);
      // Neither was used up by it.
      expect((await send(server, one(key))).status).toBe(200);
    },
  );

  test.each([
    ['signature', 'sig1=:AAAA:'],
    ['signature-input', 'sig1=()'],
    ['x-ncp-iam-access-key', 'any'],
    ['x-ncp-apigw-timestamp', '1'],
    ['x-ncp-apigw-signature-v1', 'any'],
    ['x-ncp-apigw-signature-v2', ''],
    ['AUTHORIZATION', 'Basic any'],
    ['authorization', ''],
  ])('a token with %s beside it', async (name, value) => {
    const token = withHeader(ask(), 'Authorization', `Bearer ${server.adminToken}`);
    expect((await send(server, token)).status).toBe(200);
    expect(seen(await send(server, withHeader(token, name, value)))).toEqual(turnedAway);
  });

  test.each([
    ['created', 'later than its end', (now: number) => ({ created: now, expires: now - 1 })],
    ['expires', 'over already', (now: number) => ({ created: now - 60, expires: now - 30 })],
  ])('S19: HTTP Message Signatures that say that they are over: %s', async (_, __, times) => {
    const key = await makeKey();
    const at = times(Math.floor(server.db.now() / 1000));
    expect(seen(await send(server, endingAt(key, at)))).toEqual(turnedAway);
    const living = { created: at.created, expires: Math.floor(server.db.now() / 1000) + 60 };
    expect(seen(await send(server, endingAt(key, living)))).toEqual(letIn());
  });
});

/** A request by HTTP Message Signatures that sets its own end, as clients of other makes do. */
function endingAt(key: Made, { created, expires }: { created: number; expires: number }): SignedRequest {
  const one = ask();
  const digest = `sha-256=:${createHash('sha256')
    .update(one.body ?? '')
    .digest('base64')}:`;
  const names = ['@method', '@authority', '@path', '@query', 'content-type', 'content-digest'];
  const parameters = `(${names.map((name) => `"${name}"`).join(' ')});created=${created};expires=${expires};nonce="${randomBytes(16).toString('hex')}";keyid="${key.accessKey}"`;
  const values = ['POST', headerOf(one, 'host'), '/graphql', '?', 'application/json', digest];
  const base = [
    ...names.map((name, index) => `"${name}": ${values[index]}`),
    `"@signature-params": ${parameters}`,
  ];
  const signature = createHmac('sha256', String(key.secret)).update(base.join('\n')).digest('base64');
  return [
    ['Content-Digest', digest],
    ['Signature-Input', `sig1=${parameters}`],
    ['Signature', `sig1=:${signature}:`],
  ].reduce((request, [name = '', value = '']) => withHeader(request, name, value), one);
}

test('the last use is noted, of the key and of the secret that signed', async () => {
  const key = await makeKey();
  expect(await read(server, key.id)).toMatchObject({ lastUsedAt: null, versions: [{ lastUsedAt: null }] });
  const { issued } = expectData(await rotate(server, { id: key.id, gracePeriod: 'PT1H' })).rotateCredential;
  const once = async (done: (credential: Awaited<ReturnType<typeof read>>) => boolean) => {
    for (let attempt = 0; attempt < 60; attempt++) {
      const credential = await read(server, key.id);
      if (done(credential)) return credential;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('the use was not noted');
  };
  await call(key, NCP_SIGNATURE_V2);
  const first = await once(
    ({ lastUsedAt, versions }) => lastUsedAt !== null && lastUsedAt === versions[1].lastUsedAt,
  );
  expect(first.versions).toMatchObject([{ lastUsedAt: null }, { lastUsedAt: first.lastUsedAt }]);
  await call({ ...key, secret: issued.secret }, HTTP_MESSAGE_SIGNATURES);
  const second = await once(
    ({ lastUsedAt, versions }) => versions[0].lastUsedAt !== null && lastUsedAt === versions[0].lastUsedAt,
  );
  expect(second.versions).toMatchObject([
    { lastUsedAt: second.lastUsedAt },
    { lastUsedAt: first.lastUsedAt },
  ]);
});

test('S39: callers that sign at the same time are each themselves', async () => {
  const callers = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const own = await makeAccount(server);
      return { own, key: await makeCredential(server, own, { secret: hex }) };
    }),
  );
  const asked = callers.flatMap(({ own, key }) =>
    callingSchemes.flatMap((scheme) =>
      Array.from({ length: 5 }, async (_, index) => {
        const one = question(server, `{ viewer { id } n${index}: credentials { nodes { id } } }`);
        // Where a scheme has no nonce, two equal requests in one millisecond are one.
        const data = expectData(await send(server, signed(key, scheme, one, index)));
        expect([data.viewer.id, data[`n${index}`].nodes]).toEqual([own, [{ id: key.id }]]);
      }),
    ),
  );
  await Promise.all(asked);
});
