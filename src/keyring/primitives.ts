import { Buffer } from 'node:buffer';
import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import { KeywayError } from '../errors.js';

const cipher = 'aes-256-gcm';
const keyLength = 32;
const nonceLength = 12;
const tagLength = 16;
const digestLength = 32;

/** The one answer to whatever does not open: nobody learns from it what was wrong. */
export const unreadableRecord = (): KeywayError =>
  new KeywayError('INTERNAL_SERVER_ERROR', undefined, { cause: new Error('a sealed record does not open') });

/**
 * AES-256-GCM: the ciphertext with its 16-byte tag behind it.
 * @throws INTERNAL_SERVER_ERROR for a key that is not 256 bit or a nonce that is not 96 bit.
 */
export function aesGcmSeal(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array, aad: Uint8Array): Buffer {
  if (key.length !== keyLength || nonce.length !== nonceLength)
    throw new KeywayError('INTERNAL_SERVER_ERROR');
  const sealer = createCipheriv(cipher, key, nonce, { authTagLength: tagLength });
  sealer.setAAD(aad);
  return Buffer.concat([sealer.update(plain), sealer.final(), sealer.getAuthTag()]);
}

/**
 * The plaintext behind `aesGcmSeal`, and not one byte of it unless the whole tag is right.
 * @throws INTERNAL_SERVER_ERROR, always the same, for everything else.
 */
export function aesGcmOpen(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Buffer {
  const end = sealed.length - tagLength;
  if (key.length !== keyLength || nonce.length !== nonceLength || end < 0) throw unreadableRecord();
  // Without authTagLength the runtime takes a tag of four bytes as well.
  const opener = createDecipheriv(cipher, key, nonce, { authTagLength: tagLength });
  opener.setAAD(aad);
  opener.setAuthTag(sealed.subarray(end));
  const plain = opener.update(sealed.subarray(0, end));
  try {
    opener.final();
    return plain;
  } catch {
    plain.fill(0);
    throw unreadableRecord();
  }
}

/**
 * HKDF (RFC 5869) with SHA-256.
 * @throws INTERNAL_SERVER_ERROR for a size that HKDF cannot give (over 255 digests).
 */
export function hkdfSha256(
  key: Uint8Array,
  salt: Uint8Array,
  info: Uint8Array | string,
  size: number,
): Buffer {
  if (!Number.isInteger(size) || size < 1 || size > 255 * digestLength) {
    throw new KeywayError('INTERNAL_SERVER_ERROR');
  }
  // The runtime's own takes twice as long, and every seal and open needs two.
  const extracted = hmacSha256(salt, key);
  const derived = Buffer.alloc(size);
  let block: Buffer = Buffer.alloc(0);
  for (let count = 1; (count - 1) * digestLength < size; count++) {
    const next = hmacSha256(extracted, block, info, Buffer.of(count));
    next.copy(derived, (count - 1) * digestLength);
    block.fill(0);
    block = next;
  }
  block.fill(0);
  extracted.fill(0);
  return derived;
}

/** HMAC-SHA-256 over the parts as they follow each other; what tells them apart is the caller's. */
export function hmacSha256(key: Uint8Array, ...parts: (string | Uint8Array)[]): Buffer {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

/** Compares two SHA-256 digests in constant time; whatever is not 32 bytes long, a cut tag included, is unequal. */
export const equalDigests = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === digestLength && other.length === digestLength && timingSafeEqual(one, other);

/** A part behind its length in `bytes` big-endian bytes, so that no two lists of parts give the same bytes. */
export function lengthPrefixed(part: string | Uint8Array, bytes: 2 | 4): Buffer {
  const size = typeof part === 'string' ? Buffer.byteLength(part, 'utf8') : part.length;
  if (size >= 256 ** bytes) throw new KeywayError('INTERNAL_SERVER_ERROR');
  // All of it is written here: the prefix, and as many bytes as it says.
  const whole = Buffer.allocUnsafe(bytes + size);
  whole.writeUIntBE(size, 0, bytes);
  if (typeof part === 'string') whole.write(part, bytes, 'utf8');
  else whole.set(part, bytes);
  return whole;
}
