import fc from 'fast-check';
import { headersOf, only } from '../../src/signatures/headers.js';
import type { SignedRequest, SigningKey, SignatureScheme } from '../../src/signatures/scheme.js';
import { targetOf, type Target } from '../../src/signatures/target.js';
import { Secret } from '../../src/secret.js';

/** A request with these headers, in their order. */
export const request = (
  method: string,
  url: string,
  headers: Readonly<Record<string, string>> = {},
  body?: string | Buffer,
): SignedRequest => ({
  method,
  url,
  headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
  body: typeof body === 'string' ? Buffer.from(body) : body,
});

/** The same request with one header more. */
export const withHeader = (one: SignedRequest, name: string, value: string): SignedRequest => ({
  ...one,
  headers: [...one.headers, { name, value }],
});

/** The value of the one header of this name; empty where there is none, or more than one. */
export function headerOf({ headers }: SignedRequest, name: string): string {
  const values = headers.filter((one) => one.name.toLowerCase() === name.toLowerCase());
  return values.length === 1 ? (values[0]?.value ?? '') : '';
}

/** The target of a request that has one. */
export function target(one: SignedRequest): Target {
  const headers =
    headersOf(one, ['authorization', 'signature', 'signature-input']) ?? new Map<string, string[]>();
  const found = targetOf(one, headers);
  if (!found) throw new Error(`no target, Host being ${only(headers, 'host')}`);
  return found;
}

/** A text with one character changed, lost or doubled, or in the other case. */
export const changeOf = fc.record({
  at: fc.nat(10_000),
  to: fc.constantFrom(
    ...Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)),
    ' ',
    '\n',
    'é',
  ),
  how: fc.constantFrom('changed' as const, 'recased' as const, 'lost' as const, 'doubled' as const),
});
export type Change = typeof changeOf extends fc.Arbitrary<infer T> ? T : never;

/** The changed text; undefined where it would be the same. */
export function changed(text: string, { at, to, how }: Change): string | undefined {
  const place = at % text.length;
  const here = text.charAt(place);
  const recased = here === here.toLowerCase() ? here.toUpperCase() : here.toLowerCase();
  const now = { changed: to, recased, lost: '', doubled: here + here }[how];
  const other = text.slice(0, place) + now + text.slice(place + 1);
  return other === text ? undefined : other;
}

/** An address with its host in lower case: the one part of a request that is the same in any other. */
const withLowerHost = (url: string) => url.replace(/(?<=^https?:\/\/)[^/?#]*/i, (host) => host.toLowerCase());

/** A request with one of its texts changed; undefined where nothing that matters is another. */
export function withChange(one: SignedRequest, part: string, change: Change): SignedRequest | undefined {
  if (part === 'method' || part === 'url') {
    const text = changed(one[part], change);
    return text === undefined || withLowerHost(text) === withLowerHost(one[part])
      ? undefined
      : { ...one, [part]: text };
  }
  if (part === 'body') {
    const text = changed(one.body?.toString('latin1') ?? '', change);
    return text === undefined ? undefined : { ...one, body: Buffer.from(text, 'latin1') };
  }
  const text = changed(headerOf(one, part), change);
  const sameHost = part === 'host' && text?.toLowerCase() === headerOf(one, part).toLowerCase();
  if (text === undefined || sameHost) return undefined;
  const headers = one.headers.map(({ name, value }) =>
    name.toLowerCase() === part ? { name, value: text } : { name, value },
  );
  return { ...one, headers };
}

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
const word = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_~'), minLength: 1, maxLength: 8 });
const host = fc.constantFrom('api.example.com', 'localhost', '192.0.2.7', '[2001:db8::1]');
const path = fc.array(word, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join('/')}`);
const query = fc
  .uniqueArray(word, { minLength: 1, maxLength: 3 })
  .map((names) => names.map((name, index) => `${name}=v%2F${index}%20`).join('&'));
const target_ = fc
  .tuple(host, path, fc.option(query))
  .map(([name, where, what]) => `https://${name}${where}${what === null ? '' : `?${what}`}`);
const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE');

/** What is signed in a property: a request without a signature, a key that fits its scheme, and when. */
export interface Unsigned {
  one: SignedRequest;
  key: SigningKey;
  ms: number;
  nonce: Buffer;
}

const ms = fc.integer({ min: 1_000_000_000_000, max: 4_000_000_000_000 });
const nonce = fc.uint8Array({ minLength: 16, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
const plainKey = fc
  .tuple(hex(20), hex(43))
  .map(([id, secret]): SigningKey => ({ accessKey: `K${id}`, secret: Secret.of(`S/+${secret}`) }));
const hexKey = fc
  .tuple(hex(32), hex(124), fc.constantFrom('', 'vera01gi-'))
  .map(([id, secret, prefix]): SigningKey => ({
    accessKey: prefix + id,
    secret: Secret.of(`${prefix}f1${secret}f1`),
  }));
const bodied = fc
  .tuple(method, target_, fc.string({ maxLength: 30 }))
  .map(([how, url, body]) => request(how, url, { 'Content-Type': 'application/json' }, body));
const form = fc
  .tuple(target_, fc.constantFrom('', 'action=GetRoles', 'persons.1=a%40b&persons.2=%C3%A9'))
  .map(([url, body]) => request('POST', url, { 'Content-Type': 'application/x-www-form-urlencoded' }, body));
// The host is not signed in every scheme: where it is not, the address is a path alone.
const hosted = bodied.map(({ url, ...others }): SignedRequest => {
  const [, name = '', where = ''] = /^https:\/\/([^/]+)(.*)$/.exec(url) ?? [];
  return withHeader({ ...others, url: where }, 'Host', name);
});
const got = target_.map((url) => request('GET', url));

/** Requests of every shape that a scheme signs. */
export const unsignedOf: Record<SignatureScheme, fc.Arbitrary<Unsigned>> = {
  VERACODE_HMAC_SHA_256: fc.record({ one: bodied, key: hexKey, ms, nonce }),
  NCP_SIGNATURE_V2: fc.record({ one: hosted, key: plainKey, ms, nonce }),
  LANDSCAPE_HMAC_SHA_256: fc.record({ one: fc.oneof(form, got), key: plainKey, ms, nonce }),
  HTTP_MESSAGE_SIGNATURES: fc.record({ one: bodied, key: plainKey, ms, nonce }),
};
