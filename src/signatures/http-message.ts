import { randomBytes } from 'node:crypto';
import { digestIn, listOf, memberOf, type Parameterized } from './fields.js';
import { headersOf, only, withHeaders, type Headers } from './headers.js';
import { macUnder, nonceOf, sameDigest, sha256 } from './mac.js';
import {
  isAccessKey,
  scheme,
  type Claim,
  type SignedRequest,
  type SigningKey,
  type SigningTime,
} from './scheme.js';
import { targetOf, type Target } from './target.js';

/**
 * HTTP Message Signatures (RFC 9421) with hmac-sha256, in one strict profile: one signature, over exactly the components
 * below, with `created`, `nonce` and `keyid`. The body is covered by its Content-Digest (RFC 9530), and held against it
 * where it is known. Not covered: whether the address is http or https, a question mark with nothing behind it, other
 * headers, and the label.
 */
export const httpMessageScheme = scheme(read, write);

const components = ['@method', '@authority', '@path', '@query', 'content-type', 'content-digest'];
const proofs = ['signature-input', 'signature'];
const algorithm = 'hmac-sha256';

function read(request: SignedRequest): Claim | undefined {
  const headers = headersOf(request, proofs);
  const target = headers && targetOf(request, headers);
  const [input, given, content] = [...proofs, 'content-digest'].map(
    (name) => headers && memberOf(headers, name),
  );
  if (!target || !input || !given || input.label !== given.label || content?.label !== 'sha-256')
    return undefined;
  const cover = coverOf(input.value);
  const signature = digestIn(given);
  const digest = digestIn(content);
  if (!cover || !signature || !digest) return undefined;
  if (request.body && !sameDigest(sha256(request.body), digest)) return undefined;
  const base = baseOf(cover.names, input.text, target, headers);
  if (base === undefined) return undefined;
  return {
    accessKeys: [cover.keyid],
    signedAtMs: cover.created * 1000,
    endsAtMs: cover.expires === undefined ? null : cover.expires * 1000,
    nonce: nonceOf('HTTP_MESSAGE_SIGNATURES', cover.nonce),
    holds: (secret) => sameDigest(macUnder(secret, base), signature),
  };
}

/** The digest of the body is put in; a body that is left out is an empty one. A Content-Type has to be there. */
function write(
  request: SignedRequest,
  { accessKey: keyid, secret }: SigningKey,
  { ms, nonce = randomBytes(16) }: SigningTime,
): SignedRequest | undefined {
  const digest = sha256(request.body ?? '').toString('base64');
  const digested = withHeaders(request, { 'Content-Digest': `sha-256=:${digest}:` });
  const headers = headersOf(digested, proofs);
  const target = headers && targetOf(digested, headers);
  const created = Math.floor(ms / 1000);
  if (!target || !isSecond(created)) return undefined;
  const parameters = listOf(components, { created, nonce: nonce.toString('hex'), keyid, alg: algorithm });
  const base = baseOf(components, parameters, target, headers);
  const signature = base && macUnder(secret, base);
  if (!signature) return undefined;
  return withHeaders(digested, {
    'Signature-Input': `sig1=${parameters}`,
    Signature: `sig1=:${signature.toString('base64')}:`,
  });
}

/** What is signed: a line for each component, and one for the signature's parameters (RFC 9421, section 2.5). */
export const signatureBase = (
  lines: readonly (readonly [name: string, value: string])[],
  parameters: string,
): string =>
  [...lines, ['@signature-params', parameters] as const]
    .map(([name, value]) => `"${name}": ${value}`)
    .join('\n');

function baseOf(
  names: readonly string[],
  parameters: string,
  target: Target,
  headers: Headers,
): string | undefined {
  const lines: [string, string][] = [];
  for (const name of names) {
    const value = valueOf(name, target, headers);
    if (value === undefined) return undefined;
    lines.push([name, value]);
  }
  return signatureBase(lines, parameters);
}

/** RFC 9421, section 2.2: the method keeps its case, and a query that is missing is as one that is empty. */
function valueOf(name: string, target: Target, headers: Headers): string | undefined {
  switch (name) {
    case '@method':
      return target.method;
    case '@authority':
      return target.authority;
    case '@path':
      return target.path;
    case '@query':
      return `?${target.query ?? ''}`;
    default:
      return only(headers, name);
  }
}

interface Cover {
  names: string[];
  created: number;
  expires: number | undefined;
  nonce: string;
  keyid: string;
}

/** What a signature covers and says of itself; undefined for anything more, less or other than the profile. */
function coverOf([items, parameters]: Parameterized<unknown>): Cover | undefined {
  if (!Array.isArray(items) || items.length !== components.length) return undefined;
  const names = (items as Parameterized<unknown>[]).map(([name, own]) => (own.size === 0 ? name : undefined));
  if (!components.every((name) => names.includes(name))) return undefined;
  // What is left over once each was taken is nothing that is known here.
  const rest = new Map(parameters);
  const take = (name: string) => {
    const taken = rest.get(name);
    rest.delete(name);
    return taken;
  };
  const [created, expires, nonce, keyid] = ['created', 'expires', 'nonce', 'keyid'].map(take);
  const [alg = algorithm, tag = ''] = ['alg', 'tag'].map(take);
  if (rest.size > 0 || alg !== algorithm || typeof tag !== 'string') return undefined;
  if (!isSecond(created) || !(expires === undefined || isSecond(expires))) return undefined;
  if (typeof nonce !== 'string' || !isNonce(nonce)) return undefined;
  if (typeof keyid !== 'string' || !isAccessKey(keyid)) return undefined;
  return { names: names as string[], created, expires, nonce, keyid };
}

/** Seconds since 1970, of up to twelve digits: their milliseconds are then exact, and an instant. */
const isSecond = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 1e12;

/** At least 128 bits, whether in hexadecimal or in base64. */
const isNonce = (text: string): boolean =>
  text.length >= (/^[0-9a-f]+$/i.test(text) ? 32 : 22) && text.length <= 256;
