import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Arrived } from './stand-in.js';

/** How far the clocks may be apart; the vendor publishes no number, and this one is assumed. */
export const farthestMs = 5 * 60_000;

/** Who signed, and what must not come again. */
export interface VeracodeProof {
  /** In lower case and without a prefix. */
  apiId: string;
  nonce: string;
}

const shape =
  /^VERACODE-HMAC-SHA-256 id=([0-9A-Fa-f]{32,137}),ts=(\d{1,15}),nonce=((?:[0-9A-Fa-f]{2}){1,64}),sig=([0-9A-Fa-f]{64})$/;

/**
 * Reads and checks the Authorization header of a request (docs.veracode.com/r/c_hmac_signing). Covered are id, host
 * without port, target as it was sent, and method. The id stands there without its prefix.
 * @param keyOf the key of an id in lower case and without a prefix; undefined where there is none.
 * @returns undefined where it is no such header, the clocks are too far apart or the signature is another.
 */
export function veracodeSigner(
  { method, target, headers }: Pick<Arrived, 'method' | 'target' | 'headers'>,
  keyOf: (apiId: string) => string | undefined,
  nowMs: number,
): VeracodeProof | undefined {
  const parts = shape.exec(headers.authorization ?? '');
  if (!parts || headers.host === undefined) return undefined;
  const [, id = '', ts = '', nonce = '', sig = ''] = parts;
  const apiId = id.toLowerCase();
  const key = keyOf(apiId);
  const hex = key === undefined ? undefined : bare(key);
  if (hex === undefined || Math.abs(nowMs - Number(ts)) > farthestMs) return undefined;
  const host = headers.host.replace(/:\d+$/, '').toLowerCase();
  const data = `id=${apiId}&host=${host}&url=${target}&method=${method.toUpperCase()}`;
  const kNonce = hmac(Buffer.from(hex, 'hex'), Buffer.from(nonce, 'hex'));
  const kDate = hmac(kNonce, ts);
  const kSignature = hmac(kDate, 'vcode_request_version_1');
  if (!timingSafeEqual(hmac(kSignature, data), Buffer.from(sig, 'hex'))) return undefined;
  return { apiId, nonce: nonce.toLowerCase() };
}

/**
 * An id or a key in lower case and without the prefix of its region; undefined where the prefix is not of eight
 * characters, or names no region.
 */
export function bare(half: string): string | undefined {
  const lower = half.toLowerCase();
  const end = lower.indexOf('-');
  if (end < 0) return lower;
  return end === 8 && 'efg'.includes(lower.charAt(6)) ? lower.slice(end + 1) : undefined;
}

const hmac = (key: Buffer, message: Buffer | string): Buffer =>
  createHmac('sha256', key).update(message).digest();
