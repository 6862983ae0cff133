import { inspect } from 'node:util';
import { parse, print } from 'graphql';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import {
  Keyway,
  KeywayError,
  Secret,
  type Fetch,
  type KeywayOptions,
  type SignedRequestInput,
} from '../../packages/client/src/index.js';
import { macOf, signatureBaseOf } from '../../packages/client/src/mac.js';
import { signatureHeaders } from '../../packages/client/src/sign.js';
import { httpMessageScheme } from '../../src/signatures/http-message.js';
import { Secret as OurSecret } from '../../src/secret.js';
import { makeAccount, makeCaller, makeCredential, unique, type Made } from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';

let server: SharedServer;
let keyway: Keyway;
let account: string;
let made: Made;

beforeAll(async () => {
  server = await sharedServer();
  keyway = new Keyway({ url: server.url, token: server.adminToken });
  account = await makeAccount(server);
  made = await makeCredential(server, account, { retrievable: true });
});

const presented = () => ({ accessKey: made.accessKey, proof: { secret: made.secret ?? '' } });

/** What an action is refused with. */
const refusalOf = async (work: Promise<unknown>): Promise<KeywayError> =>
  work.then(
    () => Promise.reject(new Error('it was not refused')),
    (error: unknown) => (error instanceof KeywayError ? error : Promise.reject(error as Error)),
  );

describe('asks', () => {
  test('whether what was presented is good', async () => {
    expect(await keyway.verify(presented())).toMatchObject({
      valid: true,
      code: 'VALID',
      credential: { id: made.id, account: { id: account } },
    });
    expect(await keyway.verify({ proof: { secret: 'wrong' } })).toEqual({
      valid: false,
      code: 'NOT_VALID',
      retryAfter: null,
      credential: null,
    });
  });

  test('with a token that is got for each request', async () => {
    const asking = new Keyway({ url: `${server.url}/`, token: async () => server.adminToken });
    expect((await asking.verify(presented())).valid).toBe(true);
  });

  test('by a document, of text or parsed', async () => {
    const text = 'query ($id: ID!) { credential(id: $id) { id name } }';
    const variables = { id: made.id };
    const wanted = { credential: { id: made.id, name: expect.any(String) } };
    expect(await keyway.query(text, variables)).toEqual(wanted);
    expect(await keyway.query(parse(text), variables)).toEqual(wanted);
    const bare = parse(text, { noLocation: true });
    await expect(keyway.query(bare, variables)).rejects.toThrow(TypeError);
    const printing = new Keyway({ url: server.url, token: server.adminToken, print });
    expect(await printing.query(bare, variables)).toEqual(wanted);
  });

  test('by a document with types', async () => {
    const document = parse('query Named($id: ID!) { credential(id: $id) { name } }') as TypedDocumentNode<
      { credential: { name: string } | null },
      { id: string }
    >;
    const { credential } = await keyway.query(document, { id: made.id });
    const name: string | undefined = credential?.name;
    expect(name).toEqual(expect.any(String));
  });

  test('for lists page by page, until whoever reads has enough', async () => {
    const owner = await makeAccount(server);
    for (let count = 0; count < 5; count++) await makeCredential(server, owner);
    let requests = 0;
    const counting = client({
      fetch: (...sent) => {
        requests++;
        return overWire(...sent);
      },
    });
    const ids: string[] = [];
    for await (const { id } of counting.credentials({ filter: { account: [owner] }, pageSize: 2 }))
      ids.push(id);
    expect([new Set(ids).size, requests]).toEqual([5, 3]);
    for await (const one of counting.credentials({ filter: { account: [owner] }, pageSize: 2 })) {
      expect(one.account.id).toBe(owner);
      break;
    }
    expect(requests).toBe(4);
  });

  test('for every list that there is', async () => {
    for (const list of [
      keyway.accounts(),
      keyway.projects(),
      keyway.roles(),
      keyway.auditEvents({ pageSize: 1 }),
    ])
      for await (const { id } of list) {
        expect(id).toMatch(/^[a-z]+_/);
        break;
      }
    expect(await keyway.credential(made.id)).toMatchObject({ id: made.id, kind: 'ACCESS_KEY' });
    expect(await keyway.credential(made.id.replace(/.$/, (last) => (last === '0' ? '1' : '0')))).toBeNull();
  });
});

describe('changes', () => {
  test('a credential through its life, and shows no secret by itself', async () => {
    const { credential, issued } = await keyway.createCredential({
      account,
      name: unique('life'),
      retrievable: true,
      secret: { accessKey: {} },
    });
    const secret = issued?.secret?.expose() ?? '';
    expect(secret.length).toBeGreaterThan(20);
    expect(inspect(issued) + JSON.stringify(issued) + String(issued?.secret)).not.toContain(secret);
    expect(inspect(issued)).toContain('Secret([secret])');
    const { id } = credential;
    const shown = await keyway.revealCredential({ id });
    expect([shown.issued.secret?.expose(), shown.others]).toEqual([secret, []]);
    const temporary = await keyway.issueTemporaryCredential({ parent: id, duration: 'PT15M' });
    expect(temporary.issued.expiresAt).not.toBeNull();
    const rotated = await keyway.rotateCredential({ id, gracePeriod: 'PT1H' });
    const { accessKey } = credential;
    expect(rotated.issued.secret?.expose()).not.toBe(secret);
    expect((await keyway.verify({ accessKey, proof: { secret } })).code).toBe('VALID_PREVIOUS_SECRET');
    expect((await keyway.updateCredential({ id, description: 'changed' })).description).toBe('changed');
    expect((await keyway.revokeCredential({ id, reason: 'done' })).credential.status).toBe('REVOKED');
    expect((await keyway.deleteCredential({ id })).status).toBe('DELETED');
  });

  test('keys of a provider are out of sight as well', async () => {
    const value = 'a-key-of-a-provider-0001';
    const { credential } = await keyway.createCredential({
      account,
      name: unique('keys'),
      retrievable: true,
      secret: { providerKeys: { k8s: { token: value } } },
    });
    const { issued } = await keyway.revealCredential({ id: credential.id });
    expect(inspect(issued, { depth: 9 }) + JSON.stringify(issued)).not.toContain(value);
    expect(issued.keys?.map((key) => key.value.expose())).toContain(value);
  });
});

const overWire = fetch as unknown as Fetch;
const client = (options: Partial<KeywayOptions>) =>
  new Keyway({ url: server.url, token: server.adminToken, ...options });

/** Lets the first so many answers be lost after Keyway has given them; keeps what was sent. */
function losing(count: number) {
  const bodies: string[] = [];
  const lossy: Fetch = async (url, init) => {
    bodies.push(init.body);
    const answer = await overWire(url, init);
    if (bodies.length <= count) throw new TypeError('fetch failed');
    return answer;
  };
  return { bodies, fetch: lossy };
}

/** Answers so at first, instead of Keyway. */
function refusing(status: number, headers: Record<string, string>, text: string) {
  let asked = 0;
  const refuse: Fetch = async (url, init) =>
    asked++ === 0 ? new Response(text, { status, headers }) : overWire(url, init);
  return { fetch: refuse, count: () => asked };
}

const refusal = (code: string) =>
  JSON.stringify({ errors: [{ message: code, extensions: { code, id: 'r1' } }] });

describe('sends again', () => {
  test('what is lost on the way: a change with the same idempotency key has one effect', async () => {
    const { bodies, fetch: lossy } = losing(2);
    const name = unique('lost');
    const { credential } = await client({ fetch: lossy }).createCredential({
      account,
      name,
      secret: { accessKey: {} },
    });
    expect(bodies).toHaveLength(3);
    expect(new Set(bodies).size).toBe(1);
    const found = [];
    for await (const one of keyway.credentials({ filter: { account: [account], search: name } }))
      found.push(one.id);
    expect(found).toEqual([credential.id]);
  });

  test('a verification, but not one of a signed request, which holds once', async () => {
    const { bodies, fetch: lossy } = losing(1);
    expect((await client({ fetch: lossy }).verify(presented())).valid).toBe(true);
    expect(bodies).toHaveLength(2);
    const once = losing(1);
    const signedRequest: SignedRequestInput = {
      scheme: 'NCP_SIGNATURE_V2',
      method: 'GET',
      url: '/',
      headers: [],
    };
    const error = await refusalOf(client({ fetch: once.fetch }).verify({ proof: { signedRequest } }));
    expect([error.code, once.bodies.length]).toEqual(['UNREACHABLE', 1]);
  });

  test('a change of a document only with an idempotency key', async () => {
    const once = losing(1);
    const document =
      'mutation ($input: RevokeCredentialInput!) { revokeCredential(input: $input) { reasonRecorded } }';
    const { id } = await makeCredential(server, account);
    const error = await refusalOf(client({ fetch: once.fetch }).mutate(document, { input: { id } }));
    expect([error.code, once.bodies.length]).toEqual(['UNREACHABLE', 1]);
    const keyed = losing(1);
    const input = { id, idempotencyKey: unique('key') };
    await client({ fetch: keyed.fetch }).mutate(document, { input });
    expect(keyed.bodies).toHaveLength(2);
  });

  test.each([
    [503, {}, 'UNAVAILABLE'],
    [429, { 'retry-after': '0' }, 'RATE_LIMITED'],
  ])('what is refused with %i, after the time that it says', async (status, headers, code) => {
    const { fetch: refuse, count } = refusing(status, headers, refusal(code));
    expect((await client({ fetch: refuse }).verify(presented())).valid).toBe(true);
    expect(count()).toBe(2);
  });

  test('not after a longer time than it may wait, which the error tells', async () => {
    const { fetch: refuse, count } = refusing(429, { 'retry-after': '60' }, refusal('RATE_LIMITED'));
    const error = await refusalOf(client({ fetch: refuse }).verify(presented()));
    expect(error).toMatchObject({ code: 'RATE_LIMITED', status: 429, retryAfterMs: 60_000, requestId: 'r1' });
    expect(count()).toBe(1);
  });

  test('not what is refused for good, and never more often than it may', async () => {
    const { fetch: refuse, count } = refusing(403, {}, refusal('FORBIDDEN'));
    expect((await refusalOf(client({ fetch: refuse }).verify(presented()))).code).toBe('FORBIDDEN');
    expect(count()).toBe(1);
    const { bodies, fetch: lossy } = losing(9);
    await refusalOf(client({ fetch: lossy, retries: 1 }).verify(presented()));
    expect(bodies).toHaveLength(2);
  });
});

describe('tells why not', () => {
  test('with code, field and request', async () => {
    const error = await refusalOf(keyway.verify({ proof: { secret: '' } }));
    expect(error).toMatchObject({ code: 'BAD_USER_INPUT', status: 400, field: 'proof.secret' });
    expect(error.requestId).toEqual(expect.any(String));
    const ofGraph = await refusalOf(
      keyway.createCredential({ account, name: '', secret: { accessKey: {} } }),
    );
    expect(ofGraph).toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.name' });
    const { token } = await makeCaller(server);
    expect((await refusalOf(client({ token }).verify(presented()))).code).toBe('FORBIDDEN');
    const nobody = await refusalOf(client({ token: 'kw_nobody' }).verify(presented()));
    expect([nobody.code, nobody.status]).toEqual(['UNAUTHENTICATED', 401]);
  });

  test('without the token, the address and the secret', async () => {
    const { secret } = made;
    const failing: Fetch = async (url, init) => {
      throw new Error(`${url} ${JSON.stringify(init)}`);
    };
    const error = await refusalOf(client({ fetch: failing, retries: 0 }).verify(presented()));
    const told = inspect(error, { depth: 9, showHidden: true });
    for (const hidden of [server.adminToken, secret ?? '', server.url]) expect(told).not.toContain(hidden);
    expect(error.code).toBe('UNREACHABLE');
  });

  test('where no answer comes in time', async () => {
    const silent: Fetch = (_, { signal }) =>
      new Promise((_resolve, reject) =>
        (signal as AbortSignal).addEventListener('abort', () => reject(new Error('aborted'))),
      );
    const error = await refusalOf(client({ fetch: silent, timeoutMs: 1, retries: 0 }).verify(presented()));
    expect([error.code, error.status]).toEqual(['TIMEOUT', null]);
  });

  test('where whoever asks has enough: at once, also between two tries, and with the reason given', async () => {
    const reason = new Error('enough');
    const ending = new AbortController();
    let asked = 0;
    const silent: Fetch = (_, { signal }) =>
      new Promise((_resolve, reject) => {
        asked++;
        (signal as AbortSignal).addEventListener('abort', () => reject(new Error('aborted')));
        ending.abort(reason);
      });
    const keyway = client({ fetch: silent }).with({ signal: ending.signal });
    await expect(keyway.credential(made.id)).rejects.toBe(reason);
    await expect(keyway.credential(made.id)).rejects.toBe(reason);
    expect(asked).toBe(1);

    const between = new AbortController();
    const { fetch: refuse, count } = refusing(503, { 'retry-after': '4' }, refusal('UNAVAILABLE'));
    const told: Fetch = async (...given) => {
      setTimeout(() => between.abort(reason), 1);
      return refuse(...given);
    };
    await expect(client({ fetch: told, signal: between.signal }).verify(presented())).rejects.toBe(reason);
    expect(count()).toBe(1);
  });

  test.each([
    [200, '<html>'],
    [502, '<html>'],
    [200, 'null'],
  ])('where something else answers: %i %s', async (status, text) => {
    const { fetch: other } = refusing(status, {}, text);
    expect((await refusalOf(client({ fetch: other }).verify(presented()))).code).toBe('UNREADABLE');
  });

  test.each<[string, Partial<KeywayOptions>]>([
    ['both proofs', { key: { accessKey: 'a', secret: 'b' } }],
    ['no proof', { token: undefined }],
    ['another machine without encryption', { url: 'http://keyway.example.com' }],
    ['no address', { url: 'keyway' }],
  ])('to options with %s', (_, options) => {
    expect(() => client(options)).toThrow(/^(give|url)/);
    expect(() => client({ url: 'http://keyway.example.com', allowHttp: true })).not.toThrow();
  });
});

describe('signs', () => {
  test('what Keyway takes, for the route and for the graph', async () => {
    const { id, accessKey, secret } = await makeCredential(server, account);
    const signing = new Keyway({
      url: server.url,
      key: { accessKey: accessKey ?? '', secret: secret ?? '' },
    });
    expect(await signing.query('{ viewer { id } }')).toEqual({ viewer: { id: account } });
    expect((await signing.credential(id))?.id).toBe(id);
    expect((await refusalOf(signing.verify(presented()))).code).toBe('FORBIDDEN');
    const wrong = new Keyway({ url: server.url, key: { accessKey: accessKey ?? '', secret: 'x' } });
    expect((await refusalOf(wrong.query('{ viewer { id } }'))).code).toBe('UNAUTHENTICATED');
  });

  test('RFC 9421, appendix B.2.5: the hmac-sha256 of the example is the printed one', async () => {
    const parameters = '("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"';
    const base = signatureBaseOf(
      [
        ['date', 'Tue, 20 Apr 2021 02:07:55 GMT'],
        ['@authority', 'example.com'],
        ['content-type', 'application/json'],
      ],
      parameters,
    );
    const shared = 'uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==';
    expect(await macOf(Uint8Array.from(Buffer.from(shared, 'base64')), base)).toBe(
      'pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=',
    );
  });

  test.each([
    'https://API.example.com/graphql',
    'http://localhost:80/a/b?c=%20d&e',
    'http://127.0.0.1:4000/?',
  ])('as the server itself does: %s', async (address) => {
    const [secret, accessKey, ms] = ['of UTF-8: é', 'AKEXAMPLE', 1_618_884_473_000];
    const url = new URL(address);
    const body = '{"é":1}';
    const signed = await signatureHeaders(
      { method: 'POST', url, contentType: 'application/json', body },
      { accessKey, secret },
      { at: ms, nonce: 'ab'.repeat(16) },
    );
    const own = httpMessageScheme.sign(
      {
        method: 'POST',
        url: url.href,
        headers: [{ name: 'Content-Type', value: 'application/json' }],
        body: Buffer.from(body),
      },
      { accessKey, secret: OurSecret.of(secret) },
      { ms, nonce: Buffer.alloc(16, 0xab) },
    );
    const theirs = own?.headers.map(({ name, value }) => [name.toLowerCase(), value] as const) ?? [];
    expect(Object.fromEntries(theirs)).toMatchObject(signed);
  });
});

test('a secret is told by asking for it alone', () => {
  const secret = new Secret('hunter2');
  const shown = [
    String(secret),
    JSON.stringify({ secret }),
    inspect(secret),
    inspect({ secret }, { showHidden: true }),
  ];
  expect(shown.join()).not.toContain('hunter2');
  expect(Object.keys(secret)).toEqual([]);
  expect(secret.expose()).toBe('hunter2');
});

test('a Secret is never sent as the words that hide it', async () => {
  const secret = new Secret('a-secret-that-is-long-enough') as unknown as string;
  const sent: string[] = [];
  const asking = client({ fetch: async (url, init) => (sent.push(init.body), overWire(url, init)) });
  const proof = { secret: { password: { username: unique('user'), password: secret } } };
  const wrong = asking.createCredential({ name: unique('of a Secret'), account, ...proof });
  await expect(wrong).rejects.toThrow(
    new TypeError('password must be a text: of a Secret, what expose() returns'),
  );
  await expect(asking.verify({ proof: { secret } })).rejects.toThrow(TypeError);
  expect(sent).toEqual([]);
  expect(() => new Keyway({ url: server.url, key: { accessKey: 'x', secret } })).toThrow(TypeError);
});

test.each([
  ['of other letters', 'tökén'],
  ['of two lines', 'one\ntwo'],
  ['empty', '  '],
])('a token that no header takes is told at once, and not repeated: %s', async (_, token) => {
  let sent = 0;
  const asking = client({
    token: () => Promise.resolve(token),
    fetch: () => Promise.reject(new Error(`${++sent}`)),
  });
  const refusal = await asking.query('{ viewer { id } }').catch((error: Error) => error);
  expect(refusal).toBeInstanceOf(TypeError);
  expect(String(refusal)).not.toContain(token.trim() || 'nothing');
  expect(sent).toBe(0);
});

test('a token may come with the end of its line, as files have it', async () => {
  const asking = client({ token: `${server.adminToken}\n` });
  expect(await asking.query('{ viewer { name } }')).toEqual({ viewer: { name: 'admin' } });
});
