import { base64, bytes, hex, macOf, signatureBaseOf } from './mac.js';

/** An access key that requests are signed with. */
export interface SigningKey {
  accessKey: string;
  /** Its secret key, as text. */
  secret: string;
}

/** What is signed of a request: all of it, but for headers that say nothing of what is done. */
export interface Unsigned {
  method: string;
  /** An address, such as a `URL`. */
  url: { readonly host: string; readonly pathname: string; readonly search: string };
  contentType: string;
  body: string;
}

/**
 * The headers that sign a request by HTTP Message Signatures (RFC 9421) with hmac-sha256, as Keyway takes it: method, host,
 * path, query, content type, digest of the body, time, nonce and key. A signature holds once, for 300 seconds.
 * @param at by the clock of this machine, in milliseconds since 1970
 */
export async function signatureHeaders(
  { method, url, contentType, body }: Unsigned,
  { accessKey, secret }: SigningKey,
  { at = Date.now(), nonce = freshNonce() }: { at?: number; nonce?: string } = {},
): Promise<Record<string, string>> {
  const digest = `sha-256=:${base64(await crypto.subtle.digest('SHA-256', bytes(body)))}:`;
  const covered = [
    ['@method', method],
    ['@authority', url.host],
    ['@path', url.pathname],
    ['@query', url.search || '?'],
    ['content-type', contentType],
    ['content-digest', digest],
  ] as const;
  const names = covered.map(([name]) => `"${name}"`).join(' ');
  const parameters = `(${names});created=${Math.floor(at / 1000)};nonce="${nonce}";keyid="${accessKey}";alg="hmac-sha256"`;
  return {
    'content-digest': digest,
    'signature-input': `sig1=${parameters}`,
    signature: `sig1=:${await macOf(bytes(secret), signatureBaseOf(covered, parameters))}:`,
  };
}

const freshNonce = () => hex(crypto.getRandomValues(new Uint8Array(16)));
