import { readFileSync } from 'node:fs';
import { Secret } from '../../src/secret.js';
import { landscapeScheme, landscapeText } from '../../src/signatures/landscape.js';
import { canonicalParameters } from '../../src/signatures/parameters.js';
import type { SignedRequest } from '../../src/signatures/scheme.js';
import { headerOf, request, target, withHeader } from './requests.js';

interface Vector {
  name: string;
  method: 'GET' | 'POST';
  host: string;
  path: string;
  params: Record<string, string>;
  secretKey: string;
  canonicalQuery: string;
  stringToSign: string;
  signature: string;
  signatureParamStrict: string;
  signatureParamPythonClient: string;
}

const { vectors } = JSON.parse(readFileSync('test/vectors/landscape-legacy-hmac.json', 'utf8')) as {
  vectors: Vector[];
};
const formType = { 'Content-Type': 'application/x-www-form-urlencoded' };
const own = new Set(['access_key_id', 'signature_method', 'signature_version', 'timestamp']);

/** A request with these parameters, in the query of a GET or the form of a POST: absolute, or a path with a Host. */
function sent({ method, host, path }: Vector, text: string, how: 'absolute' | 'path'): SignedRequest {
  const where = how === 'absolute' ? `https://${host}${path}` : path || '/';
  const headers: Record<string, string> = how === 'absolute' ? {} : { Host: host };
  return method === 'POST'
    ? request(method, where, { ...headers, ...formType }, text)
    : request(method, text === '' ? where : `${where}?${text}`, headers);
}

/** The same parameters as a browser writes them: in any order, a space as a plus. */
const asForm = (params: Record<string, string>) =>
  new URLSearchParams(Object.entries(params).reverse()).toString();

describe('the vectors', () => {
  test('are ten', () => expect(vectors).toHaveLength(10));

  test.each(vectors)('$name: the canonical query and the text to sign are the printed ones', (vector) => {
    const parameters = Object.entries(vector.params);
    expect(canonicalParameters(parameters.reverse())).toBe(vector.canonicalQuery);
    for (const how of ['absolute', 'path'] as const)
      expect(landscapeText(target(sent(vector, '', how)), parameters)).toBe(vector.stringToSign);
  });

  test.each(vectors)('$name: we sign it so', (vector) => {
    const { params, secretKey, canonicalQuery, signature, signatureParamStrict } = vector;
    const others = Object.fromEntries(Object.entries(params).filter(([name]) => !own.has(name)));
    const key = { accessKey: params.access_key_id ?? '', secret: Secret.of(secretKey) };
    const text = `${canonicalQuery}&signature=${signatureParamStrict}`;
    for (const how of ['absolute', 'path'] as const) {
      const signed = landscapeScheme.sign(sent(vector, asForm(others), how), key, {
        ms: Date.parse(params.timestamp ?? '') + 999,
      });
      expect(signed).toEqual(sent(vector, text, how));
      const found = new URLSearchParams(
        vector.method === 'POST' ? signed.body?.toString() : signed.url.split('?')[1],
      );
      expect(found.get('signature')).toBe(signature);
    }
  });

  test.each(vectors)('$name: we take it, as each client writes it', (vector) => {
    const { params, secretKey, canonicalQuery, signature } = vector;
    const python = `${canonicalQuery}&signature=${vector.signatureParamPythonClient}`;
    const strict = `signature=${vector.signatureParamStrict}&${canonicalQuery}`;
    for (const how of ['absolute', 'path'] as const) {
      for (const text of [python, strict, asForm({ ...params, signature })]) {
        const claim = landscapeScheme.read(sent(vector, text, how));
        expect(claim?.holds(Secret.of(secretKey))).toBe(true);
        expect(claim?.holds(Secret.of(secretKey.slice(1)))).toBe(false);
        expect(claim?.accessKeys).toEqual([params.access_key_id]);
        expect(claim?.signedAtMs).toBe(Date.parse(params.timestamp ?? ''));
      }
    }
  });

  test('S21: of each two that differ in host, path, method or parameters the signature is another', () => {
    const texts = new Map(vectors.map(({ stringToSign, signature }) => [stringToSign, signature]));
    // One pair differs in nothing but the case of the host, which is none.
    expect(texts.size).toBe(9);
    expect(new Set(texts.values()).size).toBe(9);
  });
});

describe('a claim', () => {
  const key = {
    accessKey: 'EXAMPLEACCESSKEY0001',
    secret: Secret.of('exampleSecretKeyForTestingOnly0123456789'),
  };
  const at = { ms: Date.UTC(2024, 0, 31, 8, 7) };
  const got = landscapeScheme.sign(
    request('GET', 'https://landscape.example.com/api/?action=GetRoles&note=a%2Fb'),
    key,
    at,
  );
  const posted = landscapeScheme.sign(
    request('POST', 'https://landscape.example.com/api/?action=GetRoles', {}, 'note=a%2Fb%20c'),
    key,
    at,
  );
  const holds = (one: SignedRequest) => landscapeScheme.read(one)?.holds(key.secret);
  const withText = (change: (text: string) => string): SignedRequest[] => [
    { ...got, url: got.url.replace(/(?<=\?).*/, change) },
    { ...posted, body: Buffer.from(change(posted.body?.toString() ?? ''), 'latin1') },
  ];

  test('is of what is signed in the query of a GET, and in query and form of a POST', () => {
    expect([got, posted].map(holds)).toEqual([true, true]);
    expect(headerOf(posted, 'content-type')).toBe(formType['Content-Type']);
    expect(got).toMatchObject({ headers: [], body: undefined });
  });

  test.each<[string, SignedRequest]>([
    ['http instead of https', { ...got, url: got.url.replace('https', 'http') }],
    ['the case of the host', { ...got, url: got.url.replace('landscape', 'LandScape') }],
    [
      'whether the address is absolute',
      withHeader({ ...got, url: got.url.slice(29) }, 'Host', 'landscape.example.com'),
    ],
    [
      'the order of parameters',
      { ...got, url: `${got.url.replace(/action=GetRoles&/, '')}&action=GetRoles` },
    ],
    [
      'whether a parameter is in query or form',
      {
        ...posted,
        url: posted.url.replace(/\?.*/, ''),
        body: Buffer.from(`${posted.body?.toString()}&action=GetRoles`),
      },
    ],
    ['what is percent-encoded without need', { ...got, url: got.url.replace('GetRoles', '%47et%52oles') }],
    [
      'whether escapes are in capitals or in small letters',
      { ...got, url: got.url.replace(/%../g, (escape) => escape.toLowerCase()) },
    ],
    [
      'whether a space is %20 or a plus',
      { ...posted, body: Buffer.from((posted.body?.toString() ?? '').replace('%20', '+')) },
    ],
    [
      'the charset of the form',
      { ...posted, headers: [{ name: 'content-type', value: `${formType['Content-Type']}; charset=utf-8` }] },
    ],
    ['other headers', withHeader(got, 'X-Other', 'é')],
  ])('does not cover %s', (_, other) => {
    expect(other).not.toEqual(got);
    expect(other).not.toEqual(posted);
    expect(holds(other)).toBe(true);
  });

  test('S21: covers the host with its port, the path and the method', () => {
    const other = (from: string, to: string) => holds({ ...got, url: got.url.replace(from, to) });
    expect(other('.com', '.com:8443')).toBe(false);
    expect(other('landscape.', 'landscape2.')).toBe(false);
    expect(other('/api/', '/api')).toBe(false);
    expect(holds({ ...got, method: 'POST', body: Buffer.alloc(0) })).toBe(false);
    const ported = landscapeScheme.sign(request('GET', 'https://landscape.example.com:443/api/'), key, at);
    // The vendor's client signs a port that was written, even one that goes without saying.
    expect(holds(ported)).toBe(true);
    expect(holds({ ...ported, url: ported.url.replace(':443', '') })).toBe(false);
  });

  test('S21: is of no other parameter than those that were signed, in query or form', () => {
    for (const extra of ['admin=1', '__proto__=1', 'constructor=1', 'action2=GetRoles']) {
      expect(holds({ ...got, url: `${got.url}&${extra}` })).toBe(false);
      expect(holds({ ...posted, url: `${posted.url}&${extra}` })).toBe(false);
      expect(holds({ ...posted, body: Buffer.from(`${posted.body?.toString()}&${extra}`) })).toBe(false);
    }
  });

  test('a name of an object’s own is a name like all others', () => {
    const odd = request('GET', 'https://landscape.example.com/?__proto__=1&constructor=2&toString=');
    expect(holds(landscapeScheme.sign(odd, key, at))).toBe(true);
  });

  const tooMany = Array.from({ length: 1000 }, (_, index) => `p${index}=`).join('&');
  test.each<[string, (text: string) => string]>([
    ['a parameter twice', (text) => `${text}&note=a%2Fb`],
    ['a parameter twice, encoded otherwise', (text) => `${text}&%6Eote=x`],
    ['no signature', (text) => text.replace(/&signature=.*/, '')],
    ['an empty signature', (text) => text.replace(/(&signature=).*/, '$1')],
    [
      'a signature with a bare plus, which is a space',
      (text) => text.replace(/(&signature=).*/, `$1${'+'.repeat(43)}%3D`),
    ],
    ['another method of signing', (text) => text.replace('HmacSHA256', 'HmacSHA1')],
    ['another version of signing', (text) => text.replace('signature_version=2', 'signature_version=1')],
    ['no access key', (text) => text.replace(/access_key_id=\w+/, 'access_key_id=')],
    ['no time', (text) => text.replace(/&timestamp=[^&]*/, '')],
    ['a part without an equals sign', (text) => `${text}&x`],
    ['a part without a name', (text) => `${text}&=x`],
    ['an empty part', (text) => `${text}&`],
    ['a bare semicolon', (text) => `${text}&x=a;b=c`],
    ['an escape in small letters among others in capitals', (text) => text.replace('%3A', '%3a')],
    ['a broken percent', (text) => `${text}&x=%zz`],
    ['what is not UTF-8', (text) => `${text}&x=%ff`],
    ['more than a thousand parameters', (text) => `${text}&${tooMany}`],
  ])('is undefined with %s', (_, change) => {
    for (const other of withText(change)) {
      expect([got, posted]).not.toContainEqual(other);
      expect(landscapeScheme.read(other)).toBeUndefined();
    }
  });

  test.each([
    '2024-01-31T08:07:00',
    '2024-01-31 08:07:00Z',
    '2024-01-31T08:07:00.000Z',
    '2024-01-31T08:07:00+00:00',
    '2024-02-30T08:07:00Z',
    '2024-01-31T24:00:00Z',
    '2024-13-01T00:00:00Z',
    '1706688420',
    '1969-12-31T23:59:59Z',
    '+010000-01-01T00:00:00Z',
  ])('is undefined at %s', (time) => {
    for (const other of withText((text) => text.replace(/(?<=timestamp=)[^&]*/, encodeURIComponent(time))))
      expect(landscapeScheme.read(other)).toBeUndefined();
  });

  test.each<[string, SignedRequest]>([
    ['a method that Landscape does not know', { ...posted, method: 'PUT' }],
    ['a method in lower case', { ...got, method: 'get' }],
    ['a form that is not known', { ...posted, body: undefined }],
    ['a body that is no form', { ...posted, headers: [{ name: 'Content-Type', value: 'application/json' }] }],
    ['a body without a type', { ...posted, headers: [] }],
    ['two types', withHeader(posted, 'content-type', formType['Content-Type'])],
    ['a body behind a GET', { ...got, body: Buffer.from('x=1') }],
    [
      'a form in the body of a GET',
      withHeader({ ...got, body: Buffer.from('x=1') }, 'Content-Type', formType['Content-Type']),
    ],
    [
      'bytes in the form that are not ASCII',
      { ...posted, body: Buffer.concat([posted.body ?? Buffer.alloc(0), Buffer.from('&x=é')]) },
    ],
    ['a bearer token', withHeader(got, 'Authorization', 'Bearer x')],
  ])('is undefined of a request with %s', (_, other) => {
    expect(landscapeScheme.read(other)).toBeUndefined();
  });
});
