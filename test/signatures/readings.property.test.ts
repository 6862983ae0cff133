import fc from 'fast-check';
import { parseDictionary, serializeDictionary } from 'structured-headers';
import { digestIn, memberOf } from '../../src/signatures/fields.js';
import { headersOf, only } from '../../src/signatures/headers.js';
import { digestOf } from '../../src/signatures/mac.js';
import { schemes } from '../../src/signatures/schemes.js';
import { SignatureScheme, type SignedRequest } from '../../src/signatures/scheme.js';
import { targetOf } from '../../src/signatures/target.js';
import { expectAlways, withBitTurned } from '../support/property.js';
import { unsignedOf } from './requests.js';

const names = Object.values(SignatureScheme);
/** The headers that a scheme signs or is read from. */
const signedHeaders: Record<SignatureScheme, readonly string[]> = {
  VERACODE_HMAC_SHA_256: ['authorization'],
  NCP_SIGNATURE_V2: ['x-ncp-apigw-timestamp', 'x-ncp-iam-access-key', 'x-ncp-apigw-signature-v2'],
  LANDSCAPE_HMAC_SHA_256: [],
  HTTP_MESSAGE_SIGNATURES: ['signature', 'signature-input', 'content-digest', 'content-type'],
};
/** Those that cover it. */
const bodies = new Set([SignatureScheme.HTTP_MESSAGE_SIGNATURES, SignatureScheme.LANDSCAPE_HMAC_SHA_256]);
/** Behind the scheme and the host, which each scheme covers in its own way. */
const fromPath = (url: string) => /^https?:\/\/[^/?]+/.exec(url)?.[0].length ?? 0;

describe.each(names)('S21: a request that is signed by %s', (name) => {
  test('is refused once any bit of what was signed is turned', () =>
    expectAlways(
      fc.property(unsignedOf[name], fc.nat(), fc.nat(), ({ one, key, ms, nonce }, which, bit) => {
        const signed = schemes[name].sign(one, key, { ms, nonce });
        const own = signedHeaders[name];
        const parts = [...own, 'url', 'method', ...(bodies.has(name) && signed.body?.length ? ['body'] : [])];
        const part = parts[which % parts.length] ?? 'method';
        const before = fromPath(signed.url);
        const turn = (text: string) =>
          text === '' ? text : withBitTurned(Buffer.from(text, 'latin1'), bit).toString('latin1');
        const edited: SignedRequest = {
          ...signed,
          ...(part === 'url' && { url: signed.url.slice(0, before) + turn(signed.url.slice(before)) }),
          ...(part === 'method' && { method: turn(signed.method) }),
          ...(part === 'body' && signed.body && { body: withBitTurned(signed.body, bit) }),
          headers: signed.headers.map((header) =>
            header.name.toLowerCase() === part ? { ...header, value: turn(header.value) } : header,
          ),
        };
        fc.pre(JSON.stringify(edited) !== JSON.stringify(signed));
        const claim = schemes[name].read(edited);
        const good = schemes[name].read(signed);
        // Under another name it is of another key.
        const isOwn = claim?.accessKeys.some((one) => good?.accessKeys.includes(one));
        expect(claim?.holds(key.secret) === true && isOwn).toBe(false);
        expect(good?.holds(key.secret)).toBe(true);
      }),
      300,
    ));
});

test('the base64 of a digest has one spelling', () =>
  expectAlways(
    fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.nat(43),
      fc.base64String({ minLength: 4, maxLength: 4 }),
      (bytes, at, [put = '']) => {
        const text = Buffer.from(bytes).toString('base64');
        expect(digestOf(text)).toEqual(Buffer.from(bytes));
        const edited = text.slice(0, at) + put + text.slice(at + 1);
        const read = digestOf(edited);
        if (edited !== text) expect(read && Buffer.compare(read, bytes) === 0).toBeFalsy();
        if (read) expect(read.toString('base64')).toBe(edited);
      },
    ),
    500,
  ));

describe('a header of structured fields', () => {
  const headers = (value: string) => new Map([['signature', [value]]]);
  const label = fc.stringMatching(/^[a-z*][a-z0-9_.*-]{0,8}$/);
  const bare = fc.oneof(
    fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Uint8Array.from(bytes).buffer),
    fc.stringMatching(/^[ -~]{0,12}$/),
    fc.integer({ min: -999, max: 999 }),
    fc.boolean(),
  );

  test('with one member is read as it was written, and with two not at all', () =>
    expectAlways(
      fc.property(label, bare, label, (name, value, other) => {
        const text = serializeDictionary(new Map([[name, [value, new Map()]]]));
        const member = memberOf(headers(text), 'signature');
        expect(member?.label).toBe(name);
        expect(member && `${name}${member.text === '' ? '' : '='}${member.text}`).toBe(text);
        expect(member && digestIn(member)?.buffer instanceof ArrayBuffer).toBe(value instanceof ArrayBuffer);
        expect(memberOf(headers(`${text}, ${other}=1`), 'signature')).toBeUndefined();
        expect(memberOf(new Map([['signature', [text, text]]]), 'signature')).toBeUndefined();
      }),
      500,
    ));

  test('is read in one spelling alone, and nothing makes it fail', () => {
    const near = fc.string({ unit: fc.constantFrom(...'sig1=:;,"()? \tabAB09+/_*\\%@') });
    expectAlways(
      fc.property(fc.oneof(near, fc.string({ unit: 'binary' })), (text) => {
        const member = memberOf(headers(text), 'signature');
        if (member) expect(serializeDictionary(parseDictionary(text.trim()))).toBe(text.trim());
      }),
      2_000,
    );
  });
});

test('a target is read byte for byte, and only where there is one reading of it', () => {
  const path = fc.stringMatching(/^\/[!-"$->@-~]{0,12}$/);
  const query = fc.option(fc.stringMatching(/^[!-"$-~]{0,12}$/), { nil: undefined });
  const host = fc.constantFrom(
    'api.example.com',
    'localhost',
    '192.0.2.7',
    '[2001:db8::1]',
    'API.Example.com',
  );
  const port = fc.constantFrom('', ':80', ':443', ':8443');
  expectAlways(
    fc.property(
      fc.constantFrom('http', 'https', 'HTTPS'),
      host,
      port,
      path,
      query,
      fc.boolean(),
      (protocol, name, at, where, asked, isAbsolute) => {
        const behind = where + (asked === undefined ? '' : `?${asked}`);
        const url = isAbsolute ? `${protocol}://${name}${at}${behind}` : behind;
        const request = { method: 'GET', url, headers: [{ name: 'Host', value: name + at }] };
        const headers = headersOf(request, []);
        const target = headers && targetOf(request, headers);
        expect(target).toMatchObject({
          path: where,
          query: asked,
          host: name.toLowerCase(),
          hostHeader: (name + at).toLowerCase(),
        });
        const implied = { http: ':80', https: ':443', HTTPS: ':443' }[protocol];
        expect(target?.authority).toBe(name.toLowerCase() + (isAbsolute && at === implied ? '' : at));
        const evil = { ...request, headers: [{ name: 'Host', value: 'evil.example' }] };
        const evilHeaders = headersOf(evil, []);
        if (isAbsolute) expect(evilHeaders && targetOf(evil, evilHeaders)).toBeUndefined();
      },
    ),
    500,
  );
});

test('a header that was sent twice, in whatever case of its name, is not read', () =>
  expectAlways(
    fc.property(
      fc.stringMatching(/^[a-z-]{1,12}$/),
      fc.stringMatching(/^[ -~]{0,12}$/),
      fc.stringMatching(/^[ -~]{0,12}$/),
      (name, one, other) => {
        fc.pre(!['authorization', 'signature', 'signature-input'].includes(name));
        const once = headersOf({ method: 'GET', url: '/', headers: [{ name, value: one }] }, []);
        expect(once && only(once, name)).toBe(one.trim());
        const twice = headersOf(
          {
            method: 'GET',
            url: '/',
            headers: [
              { name, value: one },
              { name: name.toUpperCase(), value: other },
            ],
          },
          [],
        );
        expect(twice && only(twice, name)).toBeUndefined();
      },
    ),
  ));
