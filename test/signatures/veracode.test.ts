import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Secret } from '../../src/secret.js';
import type { SignedRequest } from '../../src/signatures/scheme.js';
import { dataOf, derivedKeys, veracodeScheme, withoutPrefix } from '../../src/signatures/veracode.js';
import { headerOf, request, target, withHeader } from './requests.js';

const JupiterOne = createRequire(import.meta.url)('@jupiterone/veracode-client') as new (
  id: string,
  key: string,
) => { calculateAuthorizationHeader(url: string, method: string): string };

interface Vector {
  name: string;
  id: string;
  secret: string;
  host: string;
  url: string;
  method: string;
  ts: number;
  nonce: string;
  data: string;
  kNonce: string;
  kDate: string;
  kSignature: string;
  signature: string;
  authorization: string;
}

const file = JSON.parse(readFileSync('test/vectors/veracode-hmac.json', 'utf8')) as {
  vectors: Vector[];
  prefixes: { credential: string; stripped?: string; error?: string }[];
  negative: { name: string; base: string; change: Partial<Vector>; mustDiffer: true }[];
};

/** The request of a vector: absolute, or a path with a Host header. One is described as sent to another port. */
const addressed = ({ name, method, host, url }: Vector, how: 'absolute' | 'path') => {
  const authority = name === 'host-without-port' ? `${host}:8443` : host;
  return how === 'absolute'
    ? request(method, `https://${authority}${url}`)
    : request(method, url, { Host: authority });
};
const keyOf = ({ id, secret }: Vector) => ({ accessKey: id, secret: Secret.of(secret) });
const atOf = ({ ts, nonce }: Vector) => ({ ms: ts, nonce: Buffer.from(nonce, 'hex') });
const isRefused = expect.objectContaining({ code: 'BAD_USER_INPUT' }) as Error;

describe('the vectors', () => {
  test('are ten signatures, seven prefixes and three changes', () => {
    expect([file.vectors, file.prefixes, file.negative].map((list) => list.length)).toEqual([10, 7, 3]);
  });

  test.each(file.vectors)('$name: the data and each derived key are the printed ones', (vector) => {
    const { id, secret, nonce, ts, data, kNonce, kDate, kSignature } = vector;
    expect(dataOf(withoutPrefix(id) ?? '', target(addressed(vector, 'absolute')))).toBe(data);
    const key = Buffer.from(withoutPrefix(secret) ?? '', 'hex');
    const keys = derivedKeys(key, Buffer.from(nonce, 'hex'), String(ts));
    expect(keys.map((one) => one.toString('hex'))).toEqual([kNonce, kDate, kSignature]);
  });

  test.each(file.vectors)('$name: we sign it so', (vector) => {
    const { nonce, authorization, signature } = vector;
    // A nonce is bytes; we write them in lower case.
    const expected = authorization.replace(nonce, nonce.toLowerCase());
    for (const how of ['absolute', 'path'] as const) {
      const signed = veracodeScheme.sign(addressed(vector, how), keyOf(vector), atOf(vector));
      expect(headerOf(signed, 'Authorization')).toBe(expected);
      expect(expected.endsWith(`,sig=${signature}`)).toBe(true);
    }
  });

  test.each(file.vectors)('$name: we take it', (vector) => {
    for (const how of ['absolute', 'path'] as const) {
      const claim = veracodeScheme.read(
        withHeader(addressed(vector, how), 'Authorization', vector.authorization),
      );
      expect(claim?.holds(Secret.of(vector.secret))).toBe(true);
      expect(claim?.signedAtMs).toBe(vector.ts);
      expect(claim?.accessKeys).toContain(vector.id);
    }
  });

  test.each(file.negative)(
    'S21: $name: the signature is another, and the first does not hold',
    ({ base, change }) => {
      const vector = file.vectors.find(({ name }) => name === base);
      if (!vector) throw new Error(`no vector ${base}`);
      const other = { ...vector, ...change };
      const signed = headerOf(
        veracodeScheme.sign(addressed(other, 'absolute'), keyOf(other), atOf(other)),
        'Authorization',
      );
      expect(signed).not.toBe(vector.authorization);
      const claim = veracodeScheme.read(
        withHeader(addressed(other, 'absolute'), 'Authorization', vector.authorization),
      );
      expect(claim?.holds(Secret.of(vector.secret))).toBe(false);
    },
  );

  test.each(file.prefixes)('$credential is without its prefix, or refused', ({ credential, stripped }) => {
    expect(withoutPrefix(credential)).toBe(stripped);
    const one = request('GET', 'https://api.veracode.com/');
    const key = { accessKey: credential, secret: Secret.of('ab'.repeat(64)) };
    const half = { accessKey: 'ab'.repeat(16), secret: Secret.of(credential) };
    if (stripped === undefined) {
      expect(() => veracodeScheme.sign(one, key, { ms: 1 })).toThrow(isRefused);
      expect(() => veracodeScheme.sign(one, half, { ms: 1 })).toThrow(isRefused);
    } else {
      expect(headerOf(veracodeScheme.sign(one, key, { ms: 1 }), 'Authorization')).toContain(
        ` id=${stripped},ts=1,`,
      );
      const signed = veracodeScheme.sign(one, half, { ms: 1 });
      expect(veracodeScheme.read(signed)?.holds(Secret.of(stripped))).toBe(true);
    }
  });
});

describe('what JupiterOne’s client signs', () => {
  const id = '0123456789abcdef0123456789abcdef';
  const secret = 'fedcba9876543210'.repeat(8);

  test.each([
    ['GET', 'https://api.veracode.com/appsec/v1/applications?page=0&size=50&name=a%20b%2Fc'],
    ['POST', 'https://analysiscenter.veracode.com:8443/api/5.0/createapp.do'],
    ['DELETE', 'https://API.veracode.eu'],
  ])('%s %s is taken, under its secret alone', (method, url) => {
    const before = Date.now();
    const header = new JupiterOne(id, secret).calculateAuthorizationHeader(url, method);
    const claim = veracodeScheme.read(request(method, url, { Authorization: header }));
    expect(claim?.holds(Secret.of(secret))).toBe(true);
    expect(claim?.holds(Secret.of(`vera01gs-${secret}`))).toBe(true);
    expect(claim?.holds(Secret.of(`0${secret.slice(1)}`))).toBe(false);
    expect(claim?.signedAtMs).toBeGreaterThanOrEqual(before);
    expect(claim?.accessKeys).toEqual([id, `vera01ei-${id}`, `vera01fi-${id}`, `vera01gi-${id}`]);
  });
});

test('S21: a secret of zeros is nobody’s: it makes the same signatures as none at all', () => {
  const [url, zeros] = ['https://api.veracode.com/', '0'.repeat(128)];
  const header = new JupiterOne('ab'.repeat(16), zeros).calculateAuthorizationHeader(url, 'GET');
  expect(veracodeScheme.read(request('GET', url, { Authorization: header }))?.holds(Secret.of(zeros))).toBe(
    false,
  );
});

describe('a claim', () => {
  const id = '0123456789abcdef0123456789abcdef';
  const key = { accessKey: id, secret: Secret.of('ab'.repeat(64)) };
  const at = { ms: 1_700_000_000_000, nonce: Buffer.alloc(16, 7) };
  const one = request(
    'POST',
    'https://api.example.com/users?a=1',
    { 'Content-Type': 'application/json' },
    '{}',
  );
  const signed = veracodeScheme.sign(one, key, at);
  const proof = headerOf(signed, 'Authorization');
  const withProof = (text: string, base: SignedRequest = one) =>
    veracodeScheme.read(withHeader(base, 'Authorization', text));

  test('names the id as it was sent, and behind each region, most exact first', () => {
    for (const sent of [id, id.toUpperCase()])
      expect(withProof(proof.replace(id, sent))?.accessKeys).toEqual([
        sent,
        `vera01ei-${sent}`,
        `vera01fi-${sent}`,
        `vera01gi-${sent}`,
      ]);
    expect(withProof(proof.replace(id, `vera01ei-${id}`))?.accessKeys).toEqual([`vera01ei-${id}`]);
    expect(withProof(proof.replace(id, `VERA01EI-${id}`))?.accessKeys).toEqual([`VERA01EI-${id}`]);
    expect(withProof(proof.replace(id, `vera01ei-${id}`))?.holds(key.secret)).toBe(true);
    expect(withProof(proof.replace(id, `vera01zi-${id}`))).toBeUndefined();
  });

  test('S21: has the same nonce however its digits are written, so that a replay is seen', () => {
    const hex = at.nonce.toString('hex').replaceAll('07', '0A');
    const lower = withProof(proof.replace(/nonce=\w+/, `nonce=${hex.toLowerCase()}`));
    expect(withProof(proof.replace(/nonce=\w+/, `nonce=${hex}`))?.nonce).toEqual(lower?.nonce);
    expect(lower?.nonce).not.toEqual(withProof(proof)?.nonce);
  });

  test.each<[string, SignedRequest]>([
    ['http instead of https', { ...signed, url: signed.url.replace('https', 'http') }],
    ['the port', { ...signed, url: signed.url.replace('.com', '.com:8443') }],
    ['the case of the host', { ...signed, url: signed.url.replace('api', 'API') }],
    ['whether the method is in capitals or in small letters', { ...signed, method: 'post' }],
    [
      'whether the address is absolute',
      withHeader({ ...signed, url: '/users?a=1' }, 'host', 'api.example.com'),
    ],
    ['the body', { ...signed, body: Buffer.from('[]') }],
    ['other headers', withHeader({ ...signed, headers: signed.headers.slice(1) }, 'X-Other', 'é')],
  ])('does not cover %s', (_, other) => {
    expect(veracodeScheme.read(other)?.holds(key.secret)).toBe(true);
  });

  const letteredNonce = { ...at, nonce: Buffer.from('0a1b2c3d4e5f60718293a4b5c6d7e8f9', 'hex') };
  const lettered = headerOf(veracodeScheme.sign(one, key, letteredNonce), 'Authorization');

  test('does not cover whether hexadecimal digits are in capitals or in small letters', () => {
    for (const part of ['nonce', 'sig', '(?:nonce|sig)']) {
      const capitals = lettered.replace(new RegExp(`(?<=${part}=)\\w+`, 'g'), (digits) =>
        digits.toUpperCase(),
      );
      expect(capitals).not.toBe(lettered);
      expect(withProof(capitals)?.holds(key.secret)).toBe(true);
    }
  });

  test('S21: is undefined with capitals and small letters in one of its parts', () => {
    for (const part of ['nonce', 'sig']) {
      const mixed = lettered.replace(new RegExp(`(?<=${part}=\\d*)[a-f]`), (digit) => digit.toUpperCase());
      expect(mixed).not.toBe(lettered);
      expect(withProof(mixed)).toBeUndefined();
    }
    for (const method of ['pOST', 'Post', 'POSt'])
      expect(veracodeScheme.read({ ...signed, method })).toBeUndefined();
  });

  test.each<[string, string]>([
    ['another order', proof.replace(/(ts=\d+),(nonce=\w+)/, '$2,$1')],
    ['a member twice', proof.replace(/(ts=\d+)/, '$1,$1')],
    ['a member more', `${proof},x=1`],
    ['a member less', proof.replace(/,ts=\d+/, '')],
    ['blanks between', proof.replaceAll(',', ', ')],
    ['another scheme’s name', proof.replace('SHA-256', 'SHA-512')],
    ['a name in lower case', proof.toLowerCase()],
    ['a short id', proof.replace(id, id.slice(1))],
    ['a short id behind a prefix', proof.replace(id, `vera01ei-${id.slice(1)}`)],
    ['a long id', proof.replace(id, 'a'.repeat(138))],
    ['an id that is not hexadecimal', proof.replace(id, `g${id.slice(1)}`)],
    ['a time of sixteen digits', proof.replace(/ts=/, 'ts=170')],
    ['a negative time', proof.replace(/ts=/, 'ts=-')],
    ['a nonce of seven bytes', proof.replace(/nonce=\w+/, `nonce=${'ab'.repeat(7)}`)],
    ['a nonce of 65 bytes', proof.replace(/nonce=\w+/, `nonce=${'ab'.repeat(65)}`)],
    ['half a byte', proof.replace(/nonce=\w+/, `nonce=${'a'.repeat(33)}`)],
    ['a cut signature', proof.slice(0, -2)],
    ['two in one', `${proof}, ${proof}`],
  ])('is undefined with %s', (_, text) => {
    expect(withProof(text)).toBeUndefined();
  });

  test('is undefined with the header twice', () => {
    expect(veracodeScheme.read(withHeader(signed, 'authorization', proof))).toBeUndefined();
  });

  test.each([
    '',
    'xyz',
    'ab'.repeat(64) + 'a',
    `${'ab'.repeat(64)}\n`,
    'vera-abab',
    `vera01zs-${'ab'.repeat(64)}`,
  ])('does not hold under the secret %j, which is none of this scheme', (secret) => {
    expect(veracodeScheme.read(signed)?.holds(Secret.of(secret))).toBe(false);
  });
});
