import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { createSigner, createVerifier, httpbis } from 'http-message-signatures';
import { Secret } from '../../src/secret.js';
import { httpMessageScheme, signatureBase } from '../../src/signatures/http-message.js';
import type { SignedRequest } from '../../src/signatures/scheme.js';
import { headerOf, request, unsignedOf, withHeader } from './requests.js';

const secretText = 'a shared secret, of UTF-8: é';
const key = { accessKey: 'AKEXAMPLE', secret: Secret.of(secretText) };
const created = 1_618_884_473;
const nonce = Buffer.alloc(16, 0xab);
const components = ['@method', '@authority', '@path', '@query', 'content-type', 'content-digest'];

const sha256 = (body: string | Buffer) => createHash('sha256').update(body).digest('base64');
const hmac = (secret: string | Buffer, text: string) =>
  createHmac('sha256', secret).update(text).digest('base64');

describe('RFC 9421', () => {
  test('appendix B.2.5: the base of the example and its hmac-sha256 are the printed ones', () => {
    const parameters = '("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"';
    const base = signatureBase(
      [
        ['date', 'Tue, 20 Apr 2021 02:07:55 GMT'],
        ['@authority', 'example.com'],
        ['content-type', 'application/json'],
      ],
      parameters,
    );
    expect(base).toBe(
      `"date": Tue, 20 Apr 2021 02:07:55 GMT\n"@authority": example.com\n"content-type": application/json\n` +
        `"@signature-params": ${parameters}`,
    );
    const shared = 'uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==';
    expect(hmac(Buffer.from(shared, 'base64'), base)).toBe('pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=');
  });

  test('section 2.2: each component of our profile, of the request that its examples are of', () => {
    const one = request(
      'POST',
      'http://www.Example.com:80/path?param=value&foo=bar&baz=batman',
      { 'Content-Type': ' application/json ' },
      '{"hello": "world"}',
    );
    const signed = httpMessageScheme.sign(one, key, { ms: created * 1000, nonce });
    const parameters =
      '("@method" "@authority" "@path" "@query" "content-type" "content-digest")' +
      ';created=1618884473;nonce="abababababababababababababababab";keyid="AKEXAMPLE";alg="hmac-sha256"';
    expect(headerOf(signed, 'signature-input')).toBe(`sig1=${parameters}`);
    // RFC 9530 prints this digest of the same body.
    const digest = 'sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:';
    expect(headerOf(signed, 'content-digest')).toBe(digest);
    const base = [
      '"@method": POST',
      '"@authority": www.example.com',
      '"@path": /path',
      '"@query": ?param=value&foo=bar&baz=batman',
      '"content-type": application/json',
      `"content-digest": ${digest}`,
      `"@signature-params": ${parameters}`,
    ].join('\n');
    expect(headerOf(signed, 'signature')).toBe(`sig1=:${hmac(secretText, base)}:`);
  });
});

describe('the package http-message-signatures', () => {
  const plain = ({ method, url, headers }: SignedRequest) => ({
    method,
    url,
    headers: Object.fromEntries(headers.map(({ name, value }) => [name, value])),
  });

  test('signs what we take', async () => {
    await fc.assert(
      fc.asyncProperty(
        unsignedOf.HTTP_MESSAGE_SIGNATURES,
        fc.shuffledSubarray(components, { minLength: components.length }),
        fc.shuffledSubarray(['created', 'nonce', 'keyid', 'alg', 'expires', 'tag'], { minLength: 6 }),
        async ({ one, key: { accessKey, secret }, ms, nonce: fresh }, fields, params) => {
          const withDigest = withHeader(one, 'Content-Digest', `sha-256=:${sha256(one.body ?? '')}:`);
          const [at, end] = [new Date(ms), new Date(ms + 60_000)];
          const signed = await httpbis.signMessage(
            {
              key: createSigner(secret.expose(), 'hmac-sha256', accessKey),
              fields,
              params,
              paramValues: { created: at, expires: end, nonce: fresh.toString('base64url'), tag: 'a "tag"' },
            },
            plain(withDigest),
          );
          const claim = httpMessageScheme.read({
            ...request(one.method, one.url, signed.headers),
            body: one.body,
          });
          expect(claim?.accessKeys).toEqual([accessKey]);
          expect(claim?.signedAtMs).toBe(Math.floor(ms / 1000) * 1000);
          expect(claim?.endsAtMs).toBe(Math.floor(ms / 1000 + 60) * 1000);
          expect(claim?.holds(secret)).toBe(true);
          expect(claim?.holds(Secret.of('another'))).toBe(false);
        },
      ),
    );
  });

  test('takes what we sign, and nothing that was changed since', async () => {
    await fc.assert(
      fc.asyncProperty(unsignedOf.HTTP_MESSAGE_SIGNATURES, async ({ one, key: mine, ms, nonce: fresh }) => {
        const signed = httpMessageScheme.sign(one, mine, { ms, nonce: fresh });
        const verify = (other: SignedRequest) =>
          httpbis.verifyMessage(
            {
              keyLookup: async ({ keyid }) =>
                keyid === mine.accessKey
                  ? { algs: ['hmac-sha256'], verify: createVerifier(mine.secret.expose(), 'hmac-sha256') }
                  : null,
              requiredFields: components,
              requiredParams: ['created', 'nonce', 'keyid', 'alg'],
              notAfter: new Date(ms),
              all: true,
            },
            plain(other),
          );
        expect(await verify(signed)).toBe(true);
        expect(await verify({ ...signed, url: `${signed.url}x` })).toBe(false);
      }),
    );
  });
});

const body = Buffer.from('{"hello": "world"}');
const target = 'https://api.example.com/graphql?a=1';
const names = components.map((name) => `"${name}"`).join(' ');
const required = `;created=${created};nonce="0123456789-_ABCDEFghij";keyid="AKEXAMPLE"`;

/** A request of ours but for what is given, rightly signed over what it says, whatever that is. */
function signedWith({
  list = `(${names})`,
  parameters = required,
  label = 'sig1',
  headers = {},
}: {
  list?: string;
  parameters?: string;
  label?: string;
  headers?: Record<string, string>;
}): SignedRequest {
  const all: Record<string, string> = {
    'content-type': 'application/json',
    'content-digest': `sha-256=:${sha256(body)}:`,
    ...headers,
  };
  const values: Record<string, string> = {
    '@method': 'POST',
    '@authority': 'api.example.com',
    '@path': '/graphql',
    '@query': '?a=1',
    '@scheme': 'https',
    '@target-uri': target,
    ...all,
  };
  const lines = list
    .slice(1, -1)
    .split(' ')
    .map((name) => `${name}: ${values[name.replace(/"([^"]*)".*/, '$1')] ?? ''}`);
  const base = [...lines, `"@signature-params": ${list}${parameters}`].join('\n');
  return request(
    'POST',
    target,
    {
      ...all,
      'signature-input': `${label}=${list}${parameters}`,
      signature: `${label}=:${hmac(secretText, base)}:`,
    },
    body,
  );
}

const replaced = (one: SignedRequest, name: string, value: string): SignedRequest => ({
  ...one,
  headers: one.headers.map((header) => (header.name === name ? { name, value } : header)),
});

describe('a claim', () => {
  const holds = (one: SignedRequest) => httpMessageScheme.read(one)?.holds(key.secret);
  const signed = signedWith({});

  test('is of the components in any order, with a nonce of 128 bits in hexadecimal or base64', () => {
    expect(holds(signed)).toBe(true);
    const reversed = `(${names.split(' ').reverse().join(' ')})`;
    expect(holds(signedWith({ list: reversed }))).toBe(true);
    for (const fresh of [
      'f'.repeat(32),
      'A'.repeat(21) + 'z',
      'x'.repeat(256),
      `a \\"b\\\\c\\" ${'n'.repeat(22)}`,
    ])
      expect(
        holds(signedWith({ parameters: `;created=${created};nonce="${fresh}";keyid="AKEXAMPLE"` })),
      ).toBe(true);
    for (const label of ['a', 'sig-b25', '*']) expect(holds(signedWith({ label }))).toBe(true);
  });

  test('S21: tells when it was signed, when it ends, and by which key', () => {
    expect(httpMessageScheme.read(signed)).toMatchObject({
      accessKeys: ['AKEXAMPLE'],
      signedAtMs: created * 1000,
      endsAtMs: null,
    });
    const ending = signedWith({
      parameters: `${required};expires=${created + 60};alg="hmac-sha256";tag="t"`,
    });
    expect(httpMessageScheme.read(ending)?.endsAtMs).toBe((created + 60) * 1000);
    expect(holds(ending)).toBe(true);
  });

  test('S21: has the nonce that it says, whatever else of it is another', () => {
    const later = signedWith({ parameters: required.replace(`${created}`, `${created + 1}`) });
    const other = signedWith({ parameters: required.replace('ghij', 'gHij') });
    expect(holds(later)).toBe(true);
    expect(httpMessageScheme.read(later)?.nonce).toEqual(httpMessageScheme.read(signed)?.nonce);
    expect(httpMessageScheme.read(other)?.nonce).not.toEqual(httpMessageScheme.read(signed)?.nonce);
  });

  test.each<[string, SignedRequest]>([
    ['http instead of https', { ...signed, url: signed.url.replace('https', 'http') }],
    [
      'the case of the host, or its default port',
      { ...signed, url: signed.url.replace('api.example.com', 'API.example.com:443') },
    ],
    [
      'whether the address is absolute',
      withHeader({ ...signed, url: '/graphql?a=1' }, 'Host', 'api.example.com'),
    ],
    [
      'the label',
      {
        ...signed,
        headers: signed.headers.map(({ name, value }) => ({
          name,
          value: value.replace(/^sig1=/, 'other='),
        })),
      },
    ],
    ['blanks around a header', replaced(signed, 'content-type', ' application/json\t')],
    ['other headers', withHeader(signed, 'X-Other', 'é')],
    ['a body that is not known', { ...signed, body: undefined }],
  ])('does not cover %s', (_, other) => {
    expect(other).not.toEqual(signed);
    expect(holds(other)).toBe(true);
  });

  test('S21: covers the case of the method', () => {
    expect(holds({ ...signed, method: 'post' })).toBe(false);
  });

  test('does not cover a question mark with nothing behind it', () => {
    const one = request('POST', 'https://api.example.com/a', { 'Content-Type': 'text/plain' }, '');
    const bare = httpMessageScheme.sign(one, key, { ms: created * 1000 });
    expect(holds({ ...bare, url: `${bare.url}?` })).toBe(true);
    expect(holds({ ...bare, url: `${bare.url}?x` })).toBe(false);
  });

  test('S21: of a body that is known is undefined where the digest is another', () => {
    expect(holds({ ...signed, body: Buffer.from('{"hello": "World"}') })).toBeUndefined();
    expect(holds({ ...signed, body: Buffer.alloc(0) })).toBeUndefined();
    expect(
      holds({
        ...signed,
        headers: replaced(signed, 'content-digest', `sha-256=:${sha256('x')}:`).headers,
        body: Buffer.from('x'),
      }),
    ).toBe(false);
  });

  test.each(components)('S21: does not leave out %s', (left) => {
    const list = `(${components
      .filter((name) => name !== left)
      .map((name) => `"${name}"`)
      .join(' ')})`;
    expect(httpMessageScheme.read(signedWith({ list }))).toBeUndefined();
    // Nor has it the same length by saying another twice.
    const twice = list.replace(/\((\S+)/, '($1 $1');
    expect(httpMessageScheme.read(signedWith({ list: twice }))).toBeUndefined();
  });

  const withParameters = (parameters: string) => signedWith({ parameters });
  test.each<[string, SignedRequest]>([
    ['one component more', signedWith({ list: `(${names} "@scheme")` })],
    ['a component twice', signedWith({ list: `(${names} "@method")` })],
    ['one header more', signedWith({ list: `(${names} "x-other")`, headers: { 'x-other': 'x' } })],
    ['another for one of ours', signedWith({ list: `(${names.replace('@authority', '@target-uri')})` })],
    ['a component with a parameter', signedWith({ list: `(${names.replace('"@query"', '"@query";req')})` })],
    [
      'a component that is a token',
      signedWith({ list: `(${names.replace('"content-type"', 'content-type')})` }),
    ],
    ['no components', signedWith({ list: '()' })],
    ['a component in upper case', signedWith({ list: `(${names.replace('content-type', 'Content-Type')})` })],
    ['no created', withParameters(required.replace(/;created=\d+/, ''))],
    ['no nonce', withParameters(required.replace(/;nonce="[^"]*"/, ''))],
    ['no keyid', withParameters(required.replace(/;keyid="[^"]*"/, ''))],
    ['a parameter that is not known', withParameters(`${required};x=1`)],
    ['a parameter named after an object’s own', withParameters(`${required};constructor="x"`)],
    ['a parameter twice', withParameters(`${required};created=${created}`)],
    ['created as text', withParameters(required.replace(/created=\d+/, `created="${created}"`))],
    ['created as a decimal', withParameters(required.replace(/created=\d+/, `created=${created}.0`))],
    ['created within a second', withParameters(required.replace(/created=\d+/, `created=${created}.5`))],
    ['created as a date', withParameters(required.replace(/created=\d+/, `created=@${created}`))],
    ['created before 1970', withParameters(required.replace(/created=\d+/, 'created=-1'))],
    ['created in no year', withParameters(required.replace(/created=\d+/, 'created=1000000000000'))],
    ['expires as text', withParameters(`${required};expires="never"`)],
    ['expires in no year', withParameters(`${required};expires=999999999999999`)],
    ['a nonce of 21 characters', withParameters(required.replace('0123456789', '012345678'))],
    [
      'a nonce of 31 hexadecimal digits',
      withParameters(required.replace(/nonce="[^"]*"/, `nonce="${'a'.repeat(31)}"`)),
    ],
    [
      'a nonce of 257 characters',
      withParameters(required.replace(/nonce="[^"]*"/, `nonce="${'x'.repeat(257)}"`)),
    ],
    ['a nonce of bytes', withParameters(required.replace(/nonce="[^"]*"/, `nonce=:${'A'.repeat(44)}:`))],
    ['an empty keyid', withParameters(required.replace('AKEXAMPLE', ''))],
    ['a keyid of two words', withParameters(required.replace('AKEXAMPLE', 'A K'))],
    ['a keyid of 257 characters', withParameters(required.replace('AKEXAMPLE', 'A'.repeat(257)))],
    ['another algorithm', withParameters(`${required};alg="rsa-v1_5-sha256"`)],
    ['an algorithm that is a token', withParameters(`${required};alg=hmac-sha256`)],
    ['a tag that is no text', withParameters(`${required};tag`)],
    ['a long tag', withParameters(`${required};tag="${'x'.repeat(4096)}"`)],
    ['blanks where none are written', withParameters(required.replaceAll(';', '; '))],
    ['blanks within the list', signedWith({ list: `( ${names} )` })],
    [
      'another label for the signature',
      replaced(signed, 'signature', headerOf(signed, 'signature').replace('sig1', 'sig2')),
    ],
    ['a second signature', replaced(signed, 'signature', `${headerOf(signed, 'signature')}, b=:AAAA:`)],
    ['a second input', replaced(signed, 'signature-input', `${headerOf(signed, 'signature-input')}, b=()`)],
    [
      'the same entry twice',
      replaced(signed, 'signature', [1, 2].map(() => headerOf(signed, 'signature')).join(', ')),
    ],
    ['two Signature headers', withHeader(signed, 'Signature', headerOf(signed, 'signature'))],
    [
      'two Signature-Input headers',
      withHeader(signed, 'Signature-Input', headerOf(signed, 'signature-input')),
    ],
    ['a signature with a parameter', replaced(signed, 'signature', `${headerOf(signed, 'signature')};x`)],
    [
      'a signature that is text',
      replaced(signed, 'signature', headerOf(signed, 'signature').replace(/:.*:/, '"x"')),
    ],
    ['a signature of other length', replaced(signed, 'signature', 'sig1=:AAAA:')],
    [
      'a signature without its padding',
      replaced(signed, 'signature', headerOf(signed, 'signature').replace(/=:$/, ':')),
    ],
    ['a digest of SHA-512', signedWith({ headers: { 'content-digest': `sha-512=:${sha256(body)}:` } })],
    [
      'two digests',
      signedWith({ headers: { 'content-digest': `sha-256=:${sha256(body)}:, sha-512=:AAAA:` } }),
    ],
    [
      'the digest twice',
      signedWith({ headers: { 'content-digest': `sha-256=:${sha256('x')}:, sha-256=:${sha256(body)}:` } }),
    ],
    ['a cut digest', signedWith({ headers: { 'content-digest': `sha-256=:${sha256(body).slice(0, 40)}:` } })],
    [
      'a digest with a parameter',
      signedWith({ headers: { 'content-digest': `sha-256=:${sha256(body)}:;x` } }),
    ],
    ['two Content-Digest headers', withHeader(signed, 'Content-Digest', `sha-256=:${sha256(body)}:`)],
    ['two types of content', withHeader(signed, 'Content-Type', 'application/json')],
    ['a line feed in the type', signedWith({ headers: { 'content-type': 'a/b\n"x": y' } })],
    ['a type that is not ASCII', signedWith({ headers: { 'content-type': 'a/é' } })],
    [
      'no type of content',
      { ...signed, headers: signed.headers.filter(({ name }) => name !== 'content-type') },
    ],
    ['a bearer token beside', withHeader(signed, 'Authorization', 'Bearer x')],
  ])('is undefined with %s', (_, other) => {
    expect(other).not.toEqual(signed);
    expect(httpMessageScheme.read(other)).toBeUndefined();
  });
});

test('a request without a Content-Type, or with a nonce of 15 bytes, is not signed', () => {
  const one = request('GET', target, { 'Content-Type': 'text/plain' });
  const refused = expect.objectContaining({ code: 'BAD_USER_INPUT' }) as Error;
  expect(() => httpMessageScheme.sign({ ...one, headers: [] }, key, { ms: 1 })).toThrow(refused);
  expect(() => httpMessageScheme.sign(one, key, { ms: 1, nonce: Buffer.alloc(15) })).toThrow(refused);
  const fresh = [1, 2].map(() =>
    httpMessageScheme.read(httpMessageScheme.sign(one, key, { ms: 1 }))?.nonce.toString('hex'),
  );
  expect(new Set(fresh).size).toBe(2);
});
