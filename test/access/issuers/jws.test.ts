import { readFileSync } from 'node:fs';
import { CompactSign, exportJWK, FlattenedSign, generateKeyPair, type JWK } from 'jose';
import { jwsHeader, parseObject, verifyJws } from '../../../src/access/issuers/jws.js';
import type { JwsAlgorithm } from '../../../src/config/jwt-issuers.js';
import { KeywayError } from '../../../src/errors.js';

const all: JwsAlgorithm[] = ['EdDSA', 'ES256', 'PS256', 'RS256'];

interface Vectors {
  numberOfTests: number;
  testGroups: {
    comment: string;
    public?: JWK;
    private?: JWK;
    tests: { tcId: number; comment: string; jws: string; result: 'valid' | 'invalid' }[];
  }[];
}

const vectors = JSON.parse(readFileSync('test/vectors/json_web_signature_test.json', 'utf8')) as Vectors;

async function answer(
  compact: string,
  keys: unknown,
  allowed: readonly JwsAlgorithm[] = all,
): Promise<string> {
  try {
    await verifyJws(compact, keys, allowed);
    return 'accepted';
  } catch (error) {
    return error instanceof KeywayError ? error.code : String(error);
  }
}

const algOf = (compact: string): unknown => {
  try {
    return (JSON.parse(Buffer.from(compact.split('.')[0] ?? '', 'base64url').toString()) as JWK).alg;
  } catch {
    return undefined;
  }
};

test('S45: the published JWS vectors of our algorithms are accepted, the invalid and all others refused', async () => {
  let seen = 0;
  const accepted = new Map<string, number>();
  for (const group of vectors.testGroups) {
    for (const { tcId, jws, result } of group.tests) {
      const key = group.public ?? group.private;
      const alg = algOf(jws);
      // Two groups sign with PS384 what their own key says is PS256: not an algorithm of ours either way.
      const valid = result === 'valid' && all.some((name) => name === alg);
      expect([tcId, await answer(jws, key)]).toEqual([tcId, valid ? 'accepted' : 'UNAUTHENTICATED']);
      expect([tcId, await answer(jws, { keys: [key] })]).toEqual([
        tcId,
        valid ? 'accepted' : 'UNAUTHENTICATED',
      ]);
      if (valid) accepted.set(String(alg), (accepted.get(String(alg)) ?? 0) + 1);
      seen++;
    }
  }
  expect(seen).toBe(vectors.numberOfTests);
  expect(Object.fromEntries(accepted)).toEqual({ ES256: 2, RS256: 8, PS256: 6 });
});

describe('keys of our own', () => {
  const publics: Record<string, JWK> = {};
  const privates: Record<string, CryptoKey> = {};

  beforeAll(async () => {
    for (const alg of all) {
      const pair = await generateKeyPair(alg, { extractable: true });
      publics[alg] = { ...(await exportJWK(pair.publicKey)), kid: `of ${alg}` };
      privates[alg] = pair.privateKey;
    }
  });

  const sign = (alg: string, header: Record<string, unknown> = {}, payload = '{"sub":"me"}') =>
    new CompactSign(Buffer.from(payload))
      .setProtectedHeader({ alg, ...header })
      .sign(privates[alg] as CryptoKey, { crit: { exp: true, 'urn:x': true } });

  test.each(all)('%s is verified, and header and payload come back', async (alg) => {
    const compact = await sign(alg, { kid: `of ${alg}`, typ: 'at+jwt' });
    const { header, payload } = await verifyJws(compact, publics[alg], [alg]);
    expect(header).toEqual({ alg, kid: `of ${alg}`, typ: 'at+jwt' });
    expect(payload.toString()).toBe('{"sub":"me"}');
  });

  test.each(all)(
    'S16: %s is refused where it is not listed, or where the key says another algorithm',
    async (alg) => {
      const compact = await sign(alg);
      const others = all.filter((name) => name !== alg);
      expect(await answer(compact, publics[alg], others)).toBe('UNAUTHENTICATED');
      expect(await answer(compact, publics[alg], [])).toBe('UNAUTHENTICATED');
      for (const other of [...others, 'HS256', 'none', 7, null]) {
        expect(await answer(compact, { ...publics[alg], alg: other })).toBe('UNAUTHENTICATED');
      }
      expect(await answer(compact, { ...publics[alg], alg })).toBe('accepted');
    },
  );

  test('S16: an RSA key for PS256 takes no RS256, nor the reverse', async () => {
    expect(await answer(await sign('RS256'), { ...publics.RS256, alg: 'PS256' })).toBe('UNAUTHENTICATED');
    expect(await answer(await sign('PS256'), { ...publics.PS256, alg: 'RS256' })).toBe('UNAUTHENTICATED');
  });

  test('S16: alg none, and a symmetric algorithm over the public key, are refused', async () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const key = publics.RS256;
    for (const alg of ['none', 'None', 'NONE', '']) {
      expect(await answer(`${part({ alg })}.${part({ sub: 'me' })}.`, key)).toBe('UNAUTHENTICATED');
    }
    for (const bytes of [JSON.stringify(key), key?.n ?? '']) {
      const compact = await new CompactSign(Buffer.from('{}'))
        .setProtectedHeader({ alg: 'HS256' })
        .sign(Buffer.from(bytes.padEnd(32)));
      expect(await answer(compact, key)).toBe('UNAUTHENTICATED');
      const symmetric = { kty: 'oct', k: Buffer.from(bytes.padEnd(32)).toString('base64url') };
      expect(await answer(compact, symmetric, ['HS256' as JwsAlgorithm])).toBe('UNAUTHENTICATED');
    }
  });

  test('S16: any crit is refused, known elsewhere or not', async () => {
    for (const header of [
      { crit: ['exp'], exp: 1 },
      { crit: ['urn:x'], 'urn:x': 1 },
    ]) {
      expect(await answer(await sign('ES256', header), publics.ES256)).toBe('UNAUTHENTICATED');
    }
    const { protected: header, signature } = await new FlattenedSign(Buffer.from('payload'))
      .setProtectedHeader({ alg: 'ES256', crit: ['b64'], b64: false })
      .sign(privates.ES256 as CryptoKey);
    expect(await answer(`${header}.payload.${signature}`, publics.ES256)).toBe('UNAUTHENTICATED');
  });

  test('S17: addresses and keys in the header are not followed', async () => {
    const fetched: unknown[] = [];
    const real = globalThis.fetch;
    globalThis.fetch = async (input) => {
      fetched.push(input);
      throw new Error('no');
    };
    try {
      const header = {
        jku: 'https://evil.example/jwks',
        x5u: 'file:///etc/passwd',
        x5c: ['AAAA'],
        jwk: publics.ES256,
      };
      const attack = await sign('ES256', { ...header, kid: '../../etc/passwd' });
      const other = await exportJWK((await generateKeyPair('ES256')).publicKey);
      expect(await answer(attack, other)).toBe('UNAUTHENTICATED');
      expect(await answer(attack, { keys: [] })).toBe('UNAUTHENTICATED');
      expect(await answer(await sign('ES256', header), publics.ES256)).toBe('accepted');
    } finally {
      globalThis.fetch = real;
    }
    expect(fetched).toEqual([]);
  });

  test('in a set, kid and algorithm choose the one key; two that fit are none', async () => {
    const keys = Object.values(publics);
    for (const alg of all) {
      expect(await answer(await sign(alg, { kid: `of ${alg}` }), { keys })).toBe('accepted');
      expect(await answer(await sign(alg, { kid: 'unknown' }), { keys })).toBe('UNAUTHENTICATED');
    }
    expect(await answer(await sign('EdDSA'), { keys })).toBe('accepted');
    expect(await answer(await sign('RS256'), { keys })).toBe('UNAUTHENTICATED');
    expect(await answer(await sign('EdDSA'), { keys: [...keys, publics.EdDSA] })).toBe('UNAUTHENTICATED');
  });

  test('a key for another use, or with members that are wrong, verifies nothing', async () => {
    const compact = await sign('ES256');
    const key = publics.ES256;
    for (const odd of [
      { ...key, use: 'enc' },
      { ...key, key_ops: ['sign'] },
      { ...key, key_ops: 'verify' },
      { ...key, crv: 'P-384' },
      { ...key, x: 'AAAA' },
      { ...key, x: 7 },
      { ...key, kty: 'RSA' },
      undefined,
      null,
      'key',
      [key],
      { keys: key },
      { keys: [null, 7, 'x'] },
      {},
    ]) {
      expect(await answer(compact, odd)).toBe('UNAUTHENTICATED');
    }
  });

  test('the newer name of EdDSA is taken from a key', async () => {
    expect(await answer(await sign('EdDSA'), { ...publics.EdDSA, alg: 'Ed25519' })).toBe('accepted');
  });

  test('RSA below 2048 bit is refused', async () => {
    const { publicKey, privateKey } = await crypto.subtle.generateKey(
      {
        name: 'RSASSA-PKCS1-v1_5',
        hash: 'SHA-256',
        modulusLength: 1024,
        publicExponent: new Uint8Array([1, 0, 1]),
      },
      true,
      ['sign', 'verify'],
    );
    const input = `${Buffer.from('{"alg":"RS256"}').toString('base64url')}.e30`;
    const signature = await crypto.subtle.sign('RSASSA-PKCS1-v1_5', privateKey, Buffer.from(input));
    const compact = `${input}.${Buffer.from(signature).toString('base64url')}`;
    expect(await answer(compact, await crypto.subtle.exportKey('jwk', publicKey))).toBe('UNAUTHENTICATED');
  });

  test('one token has one spelling: padding, loose bits and strange characters are refused', async () => {
    const compact = await sign('EdDSA');
    expect(await answer(compact, publics.EdDSA)).toBe('accepted');
    const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const loose = compact.slice(0, -1) + last.charAt(last.indexOf(compact.slice(-1)) + 1);
    for (const odd of [
      loose,
      `${compact}=`,
      `${compact}\n`,
      ` ${compact}`,
      compact.replace('.', ' .'),
      `${compact}.`,
    ]) {
      expect(await answer(odd, publics.EdDSA)).toBe('UNAUTHENTICATED');
    }
  });

  test('an error tells nothing of the token', async () => {
    const compact = await sign('EdDSA', { kid: 'MARK' });
    const error: unknown = await verifyJws(compact, publics.RS256, all).catch((fault: unknown) => fault);
    expect(error).toMatchObject({ code: 'UNAUTHENTICATED', message: 'No valid token was presented.' });
    expect(String((error as Error).cause)).not.toMatch(/MARK|eyJ/);
  });
});

describe('parseObject', () => {
  const parse = (text: string | Uint8Array) =>
    parseObject(typeof text === 'string' ? Buffer.from(text) : text);
  const refused = expect.objectContaining({ code: 'UNAUTHENTICATED' }) as Error;

  test('gives the object', () => {
    expect(parse('{"a":{"b":1,"c":[{"b":2},{"b":3}]},"b":"{\\"b\\":1,\\"b\\":2}"}')).toEqual({
      a: { b: 1, c: [{ b: 2 }, { b: 3 }] },
      b: '{"b":1,"b":2}',
    });
  });

  test.each([
    '{"sub":"a","sub":"b"}',
    '{"sub":"a","s\\u0075b":"b"}',
    '{"sub":"a" , "x":{"y":[1,{"z":1}]}, "sub" : "b"}',
    '{"a":[{"b":1,"b":2}]}',
    '{"__proto__":1,"__proto__":2}',
  ])('S16: a name that is said twice is refused: %s', (text) => expect(() => parse(text)).toThrow(refused));

  test.each([
    '',
    '[]',
    'null',
    '"a"',
    '7',
    '{',
    '{"a":1}x',
    '\ufeff{}',
    Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d),
  ])('what is no object in UTF-8 is refused: %j', (text) => expect(() => parse(text)).toThrow(refused));
});

test('a header without an algorithm, or with a kid that is no text, is refused', () => {
  const compact = (header: unknown) =>
    `${Buffer.from(JSON.stringify(header)).toString('base64url')}.e30.AAAA`;
  for (const header of [{}, { alg: 7 }, { alg: 'ES256', kid: 7 }, { alg: 'ES256', kid: null }, [], 'x']) {
    expect(() => jwsHeader(compact(header))).toThrow(
      expect.objectContaining({ code: 'UNAUTHENTICATED' }) as Error,
    );
  }
  expect(jwsHeader(compact({ alg: 'ES256', kid: 'a' }))).toEqual({ alg: 'ES256', kid: 'a' });
});
