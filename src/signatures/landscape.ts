import { headersOf, only, withHeaders, type Headers } from './headers.js';
import { digestOf, macUnder, nonceOf, sameDigest } from './mac.js';
import { canonicalParameters, encoded, parseParameters, type Parameter } from './parameters.js';
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
 * The signed parameters of Landscape's legacy API (documentation.ubuntu.com/landscape, «How to use the legacy API via
 * HTTP requests»). Covered are method, Host header, path and every parameter of query and form, whatever their order and
 * encoding; its escapes are in capitals, or in small letters, throughout. Not covered: other headers. It has no nonce: of
 * two equal requests in one second the second looks like a replay.
 */
export const landscapeScheme = scheme(read, write);

const formType = 'application/x-www-form-urlencoded';
const constants: readonly Parameter[] = [
  ['signature_method', 'HmacSHA256'],
  ['signature_version', '2'],
];
const ownNames = new Set(['access_key_id', 'timestamp', 'signature', ...constants.map(([name]) => name)]);

function read(request: SignedRequest): Claim | undefined {
  const { target, query, form } = partsOf(request) ?? {};
  if (!target || !query || !form) return undefined;
  const all = [...query, ...form];
  const byName = new Map(all);
  const signature = digestOf(byName.get('signature') ?? '');
  const signedAtMs = instantOf(byName.get('timestamp') ?? '');
  const accessKey = byName.get('access_key_id') ?? '';
  if (byName.size < all.length || !constants.every(([name, value]) => byName.get(name) === value))
    return undefined;
  if (!signature || signedAtMs === undefined || !isAccessKey(accessKey)) return undefined;
  const text = landscapeText(
    target,
    all.filter(([name]) => name !== 'signature'),
  );
  return {
    accessKeys: [accessKey],
    signedAtMs,
    endsAtMs: null,
    nonce: nonceOf('LANDSCAPE_HMAC_SHA_256', signature),
    holds: (secret) => sameDigest(macUnder(secret, text), signature),
  };
}

/** Of a POST the form is signed and filled, which may be missing before; of a GET the query. */
function write(
  request: SignedRequest,
  { accessKey, secret }: SigningKey,
  { ms }: SigningTime,
): SignedRequest | undefined {
  const posted = request.method === 'POST';
  const unsigned = posted ? withForm(request) : request;
  const parts = partsOf(unsigned);
  if (!parts) return undefined;
  const { target, query, form } = parts;
  const own: Parameter[] = [...constants, ['access_key_id', accessKey], ['timestamp', secondOf(ms)]];
  const filled = [...(posted ? form : query).filter(([name]) => !ownNames.has(name)), ...own];
  const signature = macUnder(secret, landscapeText(target, posted ? [...query, ...filled] : filled));
  if (!signature) return undefined;
  const text = `${canonicalParameters(filled)}&signature=${encoded(signature.toString('base64'))}`;
  if (posted) return { ...unsigned, body: Buffer.from(text) };
  return { ...unsigned, url: `${request.url.split('?', 1)[0] ?? ''}?${text}` };
}

function withForm(request: SignedRequest): SignedRequest {
  const typed = request.headers.some(({ name }) => name.toLowerCase() === 'content-type');
  const withType = typed ? request : withHeaders(request, { 'Content-Type': formType });
  return { ...withType, body: request.body ?? Buffer.alloc(0) };
}

/** What is signed. The host is in lower case, as documented; the vendor's Python client does not see to that itself. */
export const landscapeText = (target: Target, parameters: readonly Parameter[]): string =>
  [target.method, target.hostHeader, target.path, canonicalParameters(parameters)].join('\n');

/**
 * The parameters of the query and of the form. Undefined for methods other than GET and POST, and for a body that no
 * signature of this scheme covers: one that is no form, or a form that is not known.
 */
function partsOf(
  request: SignedRequest,
): { target: Target; query: Parameter[]; form: Parameter[] } | undefined {
  const headers = headersOf(request, []);
  const target = headers && targetOf(request, headers);
  if (!target || !['GET', 'POST'].includes(target.method)) return undefined;
  const asked = target.query ?? '';
  const posted = coveredBody(request, headers)?.toString('latin1');
  // An escape reads alike in small letters and in capitals; in both at once a letter was changed on the way.
  if (posted === undefined || (/%.?[a-f]/.test(asked + posted) && /%.?[A-F]/.test(asked + posted)))
    return undefined;
  const query = parseParameters(asked);
  const form = parseParameters(posted);
  return query && form && { target, query, form };
}

function coveredBody({ method, body }: SignedRequest, headers: Headers): Buffer | undefined {
  const type = headers.has('content-type') ? only(headers, 'content-type') : '';
  if (type === undefined) return undefined;
  if (method === 'POST' && type.split(';', 1)[0]?.trim().toLowerCase() === formType) return body;
  return body === undefined || body.length === 0 ? Buffer.alloc(0) : undefined;
}

// Written back it has to be the same: of the spellings that are parsed one is documented, and the 30th of February would
// be in March.
function instantOf(text: string): number | undefined {
  const ms = Date.parse(text);
  return ms >= 0 && secondOf(ms) === text ? ms : undefined;
}

function secondOf(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? '' : `${date.toISOString().slice(0, 19)}Z`;
}
