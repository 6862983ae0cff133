import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Arrived } from './stand-in.js';

const farthestMs = 5 * 60_000;

/**
 * The access key that signed a request, as NAVER Cloud's API Gateway finds it (api.ncloud-docs.com/docs/en/common-ncpapi).
 * Method and target count exactly as on the request line; host, headers and body do not.
 * @param secretOf the secret of an access key; undefined where there is none.
 * @returns undefined where a header is missing, the clocks are more than 5 minutes apart or the signature is another.
 */
export function ncloudSigner(
  { method, target, headers }: Pick<Arrived, 'method' | 'target' | 'headers'>,
  secretOf: (accessKey: string) => string | undefined,
  nowMs: number,
): string | undefined {
  const timestamp = headers['x-ncp-apigw-timestamp'];
  const accessKey = headers['x-ncp-iam-access-key'];
  const signature = headers['x-ncp-apigw-signature-v2'];
  if (typeof timestamp !== 'string' || typeof accessKey !== 'string' || typeof signature !== 'string')
    return undefined;
  if (!/^\d{1,15}$/.test(timestamp) || Math.abs(nowMs - Number(timestamp)) > farthestMs) return undefined;
  const secret = secretOf(accessKey);
  if (secret === undefined) return undefined;
  const text = `${method} ${target}\n${timestamp}\n${accessKey}`;
  // Compared as text, for base64 leaves some bits of the last character open.
  const expected = Buffer.from(createHmac('sha256', secret).update(text).digest('base64'));
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected) ? accessKey : undefined;
}
