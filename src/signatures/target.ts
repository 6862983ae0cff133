import { only, type Headers } from './headers.js';
import type { SignedRequest } from './scheme.js';

/** Where a request goes, in the spellings that schemes sign. */
export interface Target {
  /** As it was sent. */
  readonly method: string;
  /** Host and port in lower case, without the port that goes without saying (RFC 9110, section 4.2.3). */
  readonly authority: string;
  /** What the Host header says, or would say: in lower case, with whatever port was written. */
  readonly hostHeader: string;
  /** The host alone, in lower case; an IPv6 address in its brackets. */
  readonly host: string;
  /** Byte for byte as it was sent; `/` where it was left out. */
  readonly path: string;
  /** What stands behind the question mark, byte for byte; undefined without one. */
  readonly query: string | undefined;
}

/**
 * The target of a request whose address is absolute, or a path with one Host header beside it; where both name a host,
 * they have to agree. Undefined for everything else, and wherever two readers could see two targets: spaces, control
 * and non-ASCII characters, a fragment, a user, an odd host or port.
 */
export function targetOf({ method, url }: SignedRequest, headers: Headers): Target | undefined {
  const parts = /^(?:(https?|HTTPS?):\/\/([^/?#]+))?(\/[^?#]*)?(?:\?([^#]*))?$/.exec(url);
  if (!parts || !/^[\x21-\x7e]+$/.test(url) || !isToken(method)) return undefined;
  const [, protocol = '', authority, path = '/', query] = parts;
  if (authority === undefined && !url.startsWith('/')) return undefined;
  const fromUrl = placeOf(authority, protocol);
  const fromHeader = placeOf(only(headers, 'host'), protocol);
  const told = [authority, headers.get('host')].filter((one) => one !== undefined).length;
  const read = [fromUrl, fromHeader].filter((one) => one !== undefined);
  // What was told and could not be read, a Host header said twice among it, must not be passed over.
  if (read.length !== told || read.some((one) => one.authority !== read[0]?.authority)) return undefined;
  const place = fromHeader ?? fromUrl;
  return place && { method, ...place, path, query };
}

/** The path and the query as they were sent, with the question mark. */
export const pathAndQuery = ({ path, query }: Target): string =>
  query === undefined ? path : `${path}?${query}`;

// A method is a token (RFC 9110, section 9.1), and none that anybody uses is longer.
const isToken = (text: string) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/.test(text);

const defaultPorts = new Map([
  ['http', '80'],
  ['https', '443'],
]);

/** Behind a bare path nobody knows which port is the default, so there it stays as it was written. */
function placeOf(text: string | undefined, protocol: string) {
  const hostHeader = text?.toLowerCase() ?? '';
  const [, host, port] =
    /^([a-z0-9._-]{1,255}|\[[0-9a-f:.]{2,45}\])(?::([1-9]\d{0,4}))?$/.exec(hostHeader) ?? [];
  if (host === undefined) return undefined;
  const implied = port === undefined || port === defaultPorts.get(protocol.toLowerCase());
  return { authority: implied ? host : hostHeader, hostHeader, host };
}
