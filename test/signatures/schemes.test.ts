/**
 * @slow 20 s
 */
import fc from 'fast-check';
import { Secret } from '../../src/secret.js';
import { type SignedRequest, SignatureScheme } from '../../src/signatures/scheme.js';
import { schemes } from '../../src/signatures/schemes.js';
import { changeOf, headerOf, request, unsignedOf, withChange, withHeader } from './requests.js';

const names = Object.values(SignatureScheme);

/** The parts of a signed request of which no character may be another. */
const signedParts: Record<SignatureScheme, readonly string[]> = {
  VERACODE_HMAC_SHA_256: ['method', 'url', 'authorization'],
  NCP_SIGNATURE_V2: [
    'method',
    'url',
    'x-ncp-apigw-timestamp',
    'x-ncp-iam-access-key',
    'x-ncp-apigw-signature-v2',
  ],
  LANDSCAPE_HMAC_SHA_256: ['method', 'url', 'body'],
  HTTP_MESSAGE_SIGNATURES: [
    'method',
    'url',
    'body',
    'content-type',
    'content-digest',
    'signature',
    'signature-input',
  ],
};

const partOf = (one: SignedRequest, part: string) =>
  part === 'method' || part === 'url'
    ? one[part]
    : part === 'body'
      ? (one.body?.toString('latin1') ?? '')
      : headerOf(one, part);

/** Where the scheme of the address begins to matter: http for https is another door, and signed by none. */
const sameBehindScheme = (one: SignedRequest, other: SignedRequest) =>
  one.url.replace(/^https?:/, '') === other.url.replace(/^https?:/, '');

describe.each(names)('%s', (name) => {
  const scheme = schemes[name];

  test('S21: what is signed is read, and holds under its secret alone', () => {
    fc.assert(
      fc.property(unsignedOf[name], ({ one, key, ms, nonce }) => {
        const claim = scheme.read(scheme.sign(one, key, { ms, nonce }));
        expect(claim?.holds(key.secret)).toBe(true);
        expect(claim?.accessKeys).toContain(key.accessKey);
        expect(Math.abs((claim?.signedAtMs ?? 0) - ms)).toBeLessThan(1000);
        expect(claim?.endsAtMs).toBeNull();
        expect(claim?.nonce).toHaveLength(32);
        const text = key.secret.expose();
        for (const other of [`${text.slice(0, -1)}${text.endsWith('0') ? '1' : '0'}`, text.slice(0, -2), ''])
          expect(claim?.holds(Secret.of(other))).toBe(false);
      }),
    );
  });

  test('S21: any one character of a signed part changed, lost, doubled or in the other case, it does not hold', () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(
        unsignedOf[name],
        fc.constantFrom(...signedParts[name]),
        changeOf,
        ({ one, key, ms, nonce }, part, change) => {
          const signed = scheme.sign(one, key, { ms, nonce });
          fc.pre(partOf(signed, part) !== '');
          const other = withChange(signed, part, change);
          fc.pre(other !== undefined && (part !== 'url' || !sameBehindScheme(signed, other)));
          const claim = other && scheme.read(other);
          const spelt = scheme.read(signed)?.accessKeys;
          // Under another name it is of another key.
          expect(claim?.holds(key.secret) && claim.accessKeys.some((name) => spelt?.includes(name))).not.toBe(
            true,
          );
          seen.set(part, (seen.get(part) ?? 0) + 1);
        },
      ),
      { numRuns: 3_000 },
    );
    expect([...seen.keys()].sort()).toEqual([...signedParts[name]].sort());
    for (const count of seen.values()) expect(count).toBeGreaterThan(100);
  });

  test('S21: the case of every letter of path and query is signed', () => {
    const [key] = fc.sample(unsignedOf[name], 1).map((one) => one.key);
    const letters = '/aB/cD?eF=gH';
    const one = request('GET', `https://api.example.com${letters}`, { 'Content-Type': 'text/plain' });
    const signed = key && scheme.sign(one, key, { ms: 1_700_000_000_000 });
    for (const letter of letters.replace(/[^a-z]/gi, '')) {
      const other = letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
      const url = signed?.url.replaceAll(/\/aB\/cD|eF=gH/g, (part) => part.replace(letter, other)) ?? '';
      expect(url).not.toBe(signed?.url);
      expect(key && signed && scheme.read({ ...signed, url })?.holds(key.secret)).toBe(false);
    }
  });

  test('S21: it is no request of any other scheme', () => {
    fc.assert(
      fc.property(unsignedOf[name], ({ one, key, ms, nonce }) => {
        const signed = scheme.sign(one, key, { ms, nonce });
        expect(names.filter((other) => schemes[other].read(signed))).toEqual([name]);
      }),
    );
  });

  test('S21: a request with the proof of another scheme beside its own is of neither', () => {
    fc.assert(
      fc.property(
        unsignedOf[name],
        fc.constantFrom(
          'Authorization',
          'signature',
          'Signature-Input',
          'X-NCP-APIGW-Signature-v1',
          'x-ncp-apigw-signature-v2',
        ),
        ({ one, key, ms, nonce }, proof) => {
          const both = withHeader(scheme.sign(one, key, { ms, nonce }), proof, 'Bearer of another');
          expect(names.filter((other) => schemes[other].read(both))).toEqual([]);
        },
      ),
    );
  });

  test('S21: its nonce is that of the scheme and of this request alone', () => {
    fc.assert(
      fc.property(unsignedOf[name], ({ one, key, ms, nonce }) => {
        const nonceOf = (at: { ms: number; nonce?: Buffer }) =>
          scheme.read(scheme.sign(one, key, at))?.nonce.toString('hex');
        expect(nonceOf({ ms, nonce })).toBe(nonceOf({ ms, nonce }));
        const later = { ms: ms + 1000, nonce: Buffer.concat([nonce, nonce]) };
        expect(nonceOf(later)).not.toBe(nonceOf({ ms, nonce }));
      }),
    );
  });

  test('a request that is signed again carries the new signature alone', () => {
    fc.assert(
      fc.property(unsignedOf[name], ({ one, key, ms, nonce }) => {
        const first = scheme.sign(one, key, { ms, nonce });
        expect(scheme.sign(first, key, { ms: ms + 5000, nonce })).toEqual(
          scheme.sign(one, key, { ms: ms + 5000, nonce }),
        );
      }),
    );
  });

  test('a secret that is empty, or was wiped, is nobody’s', () => {
    fc.assert(
      fc.property(unsignedOf[name], ({ one, key, ms }) => {
        const signed = scheme.sign(one, key, { ms });
        const wiped = Secret.of(key.secret.expose());
        wiped.wipe();
        expect(scheme.read(signed)?.holds(wiped)).toBe(false);
        for (const nobody of [wiped, Secret.of(''), Secret.of(Buffer.alloc(64))])
          expect(() => scheme.sign(one, { ...key, secret: nobody }, { ms })).toThrow(refused);
      }),
      { numRuns: 20 },
    );
  });

  test('what cannot be signed so that it is read is BAD_USER_INPUT, naming the request', () => {
    fc.assert(
      fc.property(unsignedOf[name], ({ one, key, ms }) => {
        for (const odd of [
          { one: { ...one, url: 'elsewhere' } },
          { one: { ...one, method: 'G T' } },
          { one: withHeader(one, 'Host', 'other.example') },
          { one: withHeader(one, 'Not a header', '') },
          { key: { ...key, accessKey: 'two words' } },
          { key: { ...key, accessKey: '' } },
          { key: { ...key, accessKey: '\ud800' } },
          { ms: NaN },
          { ms: -1 },
          { ms: 1e300 },
          { ms: Infinity },
        ])
          expect(() => scheme.sign(odd.one ?? one, odd.key ?? key, { ms: odd.ms ?? ms })).toThrow(refused);
      }),
      { numRuns: 20 },
    );
  });

  test('no request makes it throw, whatever is in it', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.constantFrom(
        '__proto__',
        'constructor',
        '%',
        '=',
        '&&',
        '(',
        ';',
        '\0',
        '\ud800',
        ':AA==:',
        'sig1=()',
      ),
    );
    const names = fc.oneof(text, fc.constantFrom('Host', ...Object.values(signedParts).flat()));
    const odd = fc.record({
      method: fc.oneof(text, fc.constantFrom('GET', 'POST')),
      url: fc.oneof(text, fc.constantFrom('/', '/?access_key_id=%&__proto__=1', 'https://h')),
      headers: fc.array(fc.record({ name: names, value: text }), { maxLength: 12 }),
      body: fc.option(
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        { nil: undefined },
      ),
    });
    fc.assert(
      fc.property(odd, (one) => {
        expect(scheme.read(one)?.holds(Secret.of('any')) ?? false).toBe(false);
      }),
      { numRuns: 2_000 },
    );
    // And, of what was signed, with any text in the place of any part.
    fc.assert(
      fc.property(
        unsignedOf[name],
        fc.constantFrom(...signedParts[name]),
        text,
        ({ one, key, ms, nonce }, part, other) => {
          const signed = scheme.sign(one, key, { ms, nonce });
          fc.pre(partOf(signed, part) !== other);
          const replaced =
            part === 'method' || part === 'url' || part === 'body'
              ? { ...signed, [part]: part === 'body' ? Buffer.from(other) : other }
              : withHeader(
                  { ...signed, headers: signed.headers.filter((each) => each.name.toLowerCase() !== part) },
                  part,
                  other,
                );
          expect(scheme.read(replaced)?.holds(key.secret) ?? false).toBe(false);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test('a megabyte of anything in any place is read in no time, and does not hold', () => {
    const hexKey = {
      accessKey: '0123456789abcdef'.repeat(2),
      secret: Secret.of('0123456789abcdef'.repeat(8)),
    };
    const type = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const signed = scheme.sign(request('POST', 'https://api.example.com/', type, ''), hexKey, {
      ms: 1_700_000_000_000,
    });
    const holds = (one: SignedRequest) => scheme.read(one)?.holds(hexKey.secret) ?? false;
    expect(holds(signed)).toBe(true);
    const fill = ['a', ' ', '%20', 'a=1&', '&', ';', '"', '(', '\\', ':', '=', ',', '/', '?', '0', '[', '\t'];
    for (const each of fill) {
      const long = each.repeat(1_048_576 / each.length);
      expect(holds({ ...signed, method: long })).toBe(false);
      expect(holds({ ...signed, url: `https://${long}` })).toBe(false);
      expect(holds({ ...signed, url: `https://api.example.com/?${long}` })).toBe(false);
      for (const { name: header, value } of signed.headers) {
        const others = signed.headers.filter((other) => other.name !== header);
        const longer = { ...signed, headers: [...others, { name: header, value: value + long + value }] };
        // The content's type is signed in one scheme, and in another only has to begin as a form's.
        if (header === 'Content-Type') scheme.read(longer);
        else expect(holds(longer)).toBe(false);
      }
    }
  });
});

const refused = expect.objectContaining({
  code: 'BAD_USER_INPUT',
  fields: [{ path: 'request', message: 'cannot be signed in this scheme with this key' }],
}) as Error;
