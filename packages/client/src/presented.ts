import type { SignedRequestInput, VerifyCredentialInput } from './graph.js';

/** A request that a service got: of Express, of Fastify, of Node itself, or one that looks like them. */
export interface IncomingRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** The address as it was received, where `url` has been changed since. */
  readonly originalUrl?: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The headers as they were received. Fastify has them in `raw`. */
  readonly rawHeaders?: readonly string[] | undefined;
  readonly raw?: { readonly rawHeaders?: readonly string[] | undefined } | undefined;
  /** Who sent it: as the framework is told to find that out behind a proxy. */
  readonly ip?: string | undefined;
}

/**
 * What a request presents: a signature by HTTP Message Signatures, a bearer token, or an access key or user name with its
 * secret by HTTP Basic; undefined where it presents nothing.
 * @param body its body as text, which a signature covers
 * @throws TypeError where a signed request has a body, and `body` is left out: it could be another one
 */
export function presentedBy(
  request: IncomingRequest,
  body?: string,
): Pick<VerifyCredentialInput, 'accessKey' | 'proof'> | undefined {
  const { headers } = request;
  if (headers['signature-input'] !== undefined)
    return { proof: { signedRequest: signedRequestOf(request, body) } };
  const [, scheme = '', given = ''] = /^(bearer|basic) +(\S+)$/i.exec(String(headers['authorization'])) ?? [];
  if (scheme.toLowerCase() === 'bearer') return { proof: { secret: given } };
  if (scheme.toLowerCase() === 'basic') return basicOf(given);
  return undefined;
}

function signedRequestOf(request: IncomingRequest, body: string | undefined): SignedRequestInput {
  const { method = 'GET', url = '/', originalUrl = url, headers } = request;
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (hasBody && body === undefined)
    throw new TypeError('the body of a signed request is needed: give it as the option body');
  const raw = request.rawHeaders ?? request.raw?.rawHeaders ?? [];
  return {
    scheme: 'HTTP_MESSAGE_SIGNATURES',
    method,
    url: originalUrl,
    headers: raw.flatMap((name, at) => (at % 2 === 0 ? [{ name, value: raw[at + 1] ?? '' }] : [])),
    // A signature covers an empty body as well as another.
    body: body ?? '',
  };
}

function basicOf(given: string) {
  try {
    const text = new TextDecoder().decode(Uint8Array.from(atob(given), (one) => one.charCodeAt(0)));
    const colon = text.indexOf(':');
    return colon < 1
      ? undefined
      : { accessKey: text.slice(0, colon), proof: { secret: text.slice(colon + 1) } };
  } catch {
    return undefined;
  }
}
