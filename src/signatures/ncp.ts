import { headersOf, only, withHeaders } from './headers.js';
import { digestOf, macUnder, nonceOf, sameDigest } from './mac.js';
import {
  isAccessKey,
  scheme,
  type Claim,
  type SignedRequest,
  type SigningKey,
  type SigningTime,
} from './scheme.js';
import { pathAndQuery, targetOf, type Target } from './target.js';

/**
 * The signature of NAVER Cloud's API gateway (api.ncloud-docs.com/docs/en/common-ncpapi). Covered are method, path with
 * query, time and access key. Not covered: the host, other headers and the body. It has no nonce: of two equal requests
 * in one millisecond the second looks like a replay.
 */
export const ncpScheme = scheme(read, write);

const timestamp = 'x-ncp-apigw-timestamp';
const accessKeyName = 'x-ncp-iam-access-key';
// Older kits send the same signature under the name of version 1.
const signatures = ['x-ncp-apigw-signature-v2', 'x-ncp-apigw-signature-v1'] as const;

function read(request: SignedRequest): Claim | undefined {
  const headers = headersOf(request, signatures);
  const target = headers && targetOf(request, headers);
  const sent = signatures.filter((name) => headers?.has(name));
  if (!target || !sent[0] || sent[1]) return undefined;
  const time = only(headers, timestamp) ?? '';
  const accessKey = only(headers, accessKeyName) ?? '';
  const signature = digestOf(only(headers, sent[0]) ?? '');
  if (!/^\d{1,15}$/.test(time) || !isAccessKey(accessKey) || !signature) return undefined;
  const text = ncpText(target, time, accessKey);
  return {
    accessKeys: [accessKey],
    signedAtMs: Number(time),
    endsAtMs: null,
    nonce: nonceOf('NCP_SIGNATURE_V2', signature),
    holds: (secret) => sameDigest(macUnder(secret, text), signature),
  };
}

function write(
  request: SignedRequest,
  { accessKey, secret }: SigningKey,
  { ms }: SigningTime,
): SignedRequest | undefined {
  const headers = headersOf(request, signatures);
  const target = headers && targetOf(request, headers);
  const signature = target && macUnder(secret, ncpText(target, String(ms), accessKey));
  if (!signature) return undefined;
  const added = {
    [timestamp]: String(ms),
    [accessKeyName]: accessKey,
    [signatures[0]]: signature.toString('base64'),
  };
  return withHeaders(request, added, signatures);
}

/** What is signed: nothing in it can hold a line feed, and only what is first a space. */
export const ncpText = (target: Target, time: string, accessKey: string): string =>
  `${target.method} ${pathAndQuery(target)}\n${time}\n${accessKey}`;
