import { randomBytes } from 'node:crypto';
import type { Secret } from '../secret.js';
import { headersOf, only, withHeaders } from './headers.js';
import { hmac, isBlank, nonceOf, sameDigest } from './mac.js';
import {
  scheme,
  type Claim,
  type Scheme,
  type SignedRequest,
  type SigningKey,
  type SigningTime,
} from './scheme.js';
import { pathAndQuery, targetOf, type Target } from './target.js';

/**
 * VERACODE-HMAC-SHA-256 (docs.veracode.com/r/c_hmac_signing), as the vendor's Python library signs. Covered are id, host
 * without port, path with query, and method. Not covered: the port, other headers and the body.
 */
export const veracodeScheme: Scheme = {
  ...scheme(read, write),
  hexPairs: {
    takesPrefix,
    rule: "must be a region's, as vera01ei-, or an even number of hexadecimal digits: Veracode's signers take no other",
  },
};

const shape =
  /^VERACODE-HMAC-SHA-256 id=([0-9A-Za-z-]{32,146}),ts=(\d{1,15}),nonce=((?:[0-9A-Fa-f]{2}){8,64}),sig=([0-9A-Fa-f]{64})$/;

// Signers write digits in small letters or in capitals, and methods too; in both at once a letter was changed on the way.
const isMixed = (text: string) => /[a-z]/.test(text) && /[A-Z]/.test(text);

/** Before the first hyphen of a key stand eight characters, of which the seventh names the region. */
const prefixed = /^[0-9A-Za-z]{6}[efg][0-9A-Za-z]-(?=[0-9a-f]+$)/i;
const regions = ['vera01ei-', 'vera01fi-', 'vera01gi-'];

function read(request: SignedRequest): Claim | undefined {
  const headers = headersOf(request, ['authorization']);
  const target = headers && targetOf(request, headers);
  const parts = headers && shape.exec(only(headers, 'authorization') ?? '');
  if (!target || !parts) return undefined;
  // Every group has matched where the whole has.
  const [id, ts, nonce, sig] = parts.slice(1) as [string, string, string, string];
  const bare = bareId(id);
  if (bare === undefined || [nonce, sig, target.method].some(isMixed)) return undefined;
  const nonceBytes = Buffer.from(nonce, 'hex');
  const signature = Buffer.from(sig, 'hex');
  const data = dataOf(bare, target);
  return {
    accessKeys: spellings(id, bare),
    signedAtMs: Number(ts),
    endsAtMs: null,
    nonce: nonceOf('VERACODE_HMAC_SHA_256', nonce.toLowerCase()),
    holds: (secret) => sameDigest(signatureOf(secret, nonceBytes, ts, data), signature),
  };
}

function write(
  request: SignedRequest,
  { accessKey, secret }: SigningKey,
  { ms, nonce = randomBytes(16) }: SigningTime,
): SignedRequest | undefined {
  const headers = headersOf(request, ['authorization']);
  const target = headers && targetOf(request, headers);
  const id = bareId(accessKey);
  if (!target || id === undefined) return undefined;
  const ts = String(ms);
  const signature = signatureOf(secret, nonce, ts, dataOf(id, target));
  if (!signature) return undefined;
  const [nonceHex, sig] = [nonce.toString('hex'), signature.toString('hex')];
  return withHeaders(request, {
    Authorization: `VERACODE-HMAC-SHA-256 id=${id},ts=${ts},nonce=${nonceHex},sig=${sig}`,
  });
}

/** What is signed. No value is encoded: an id is hexadecimal, a path begins with `/` and a method has no `=`. */
export const dataOf = (id: string, target: Target): string =>
  `id=${id.toLowerCase()}&host=${target.host}&url=${pathAndQuery(target)}&method=${target.method.toUpperCase()}`;

/** The keys that are derived one from another; the data is signed with the last. */
export function derivedKeys(secret: Uint8Array, nonce: Uint8Array, ts: string): [Buffer, Buffer, Buffer] {
  const kNonce = hmac(secret, nonce);
  const kDate = hmac(kNonce, ts);
  return [kNonce, kDate, hmac(kDate, 'vcode_request_version_1')];
}

/** A key without the prefix of its region; undefined where the prefix, or what is behind it, is no such thing. */
export function withoutPrefix(key: string): string | undefined {
  const bare = key.replace(prefixed, '');
  return /^[0-9a-f]+$/i.test(bare) ? bare : undefined;
}

/** Whether signers take a pair of hexadecimal digits with this prefix before both of its halves. */
export function takesPrefix(prefix: string): boolean {
  const bare = withoutPrefix(`${prefix}00`);
  return bare !== undefined && bare.length % 2 === 0;
}

/**
 * An API id without the prefix of its region; undefined where it is none. The lengths are those that the vendor's own
 * signers insist on.
 */
export function bareId(id: string): string | undefined {
  const bare = withoutPrefix(id);
  return bare !== undefined && bare.length >= 32 && bare.length <= 137 ? bare : undefined;
}

/** Signers leave the prefix out of the header, so a bare id may be on record behind any of them. */
const spellings = (id: string, bare: string): string[] => [
  id,
  ...(id === bare ? regions.map((prefix) => prefix + id) : []),
];

/** An API key without the prefix of its region; undefined where it is not whole bytes in hexadecimal digits. */
export function bareKey(key: string): string | undefined {
  const bare = withoutPrefix(key);
  return bare !== undefined && bare.length % 2 === 0 ? bare : undefined;
}

function signatureOf(secret: Secret, nonce: Uint8Array, ts: string, data: string): Buffer | undefined {
  const hex = bareKey(secret.expose());
  if (hex === undefined) return undefined;
  const key = Buffer.from(hex, 'hex');
  if (isBlank(key)) return undefined;
  const keys = derivedKeys(key, nonce, ts);
  const signature = hmac(keys[2], data);
  for (const spent of [key, ...keys]) spent.fill(0);
  return signature;
}
