import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../secret.js';
import type { SignatureScheme } from './scheme.js';

const digestLength = 32;

/**
 * HMAC-SHA-256 of a text under a secret as it is written (its UTF-8 bytes). Undefined for a secret that is empty, or was
 * wiped: anybody can sign with that.
 */
export function macUnder(secret: Secret, text: string): Buffer | undefined {
  const key = secret.exposeBytes();
  return isBlank(key) ? undefined : hmac(key, text);
}

export const hmac = (key: Uint8Array, text: string | Uint8Array): Buffer =>
  createHmac('sha256', key).update(text).digest();

export const sha256 = (bytes: Uint8Array | string): Buffer => createHash('sha256').update(bytes).digest();

/** Whether a key is all zeros. HMAC pads with zeros, so that each of up to 64 bytes is the empty key. */
export const isBlank = (key: Uint8Array): boolean => key.every((byte) => byte === 0);

/** Compares two digests in constant time. What is missing, or is no digest of 32 bytes, is equal to nothing. */
export const sameDigest = (one: Uint8Array | undefined, other: Uint8Array | undefined): boolean =>
  one?.length === digestLength && other?.length === digestLength && timingSafeEqual(one, other);

/** The digest that this is the base64 of; undefined for every spelling but the one that encoders write. */
export function digestOf(base64: string): Buffer | undefined {
  if (!/^[A-Za-z0-9+/]{43}=$/.test(base64)) return undefined;
  const digest = Buffer.from(base64, 'base64');
  // The last character has two bits to spare; with others in them it would be the same digest in another spelling.
  return digest.toString('base64') === base64 ? digest : undefined;
}

/** What tells a request from every other of its key: SHA-256 over the scheme's name and what is new each time. */
export const nonceOf = (scheme: `${SignatureScheme}`, fresh: Uint8Array | string): Buffer =>
  createHash('sha256').update(`${scheme}:`).update(fresh).digest();
