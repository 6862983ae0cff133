import type { SignedRequest } from './scheme.js';

/** Every value that a header was sent with, by its name in lower case. */
export type Headers = ReadonlyMap<string, readonly string[]>;

/** The headers by which a request says who signed it, of all schemes and of tokens. */
const proving = [
  'authorization',
  'x-ncp-apigw-signature-v1',
  'x-ncp-apigw-signature-v2',
  'signature',
  'signature-input',
];

/**
 * The headers of a request that proves who sent it by means of `own` alone. Undefined for one that carries another
 * proof as well, since a request has one signer, and for one with a name that no header can have.
 */
export function headersOf({ headers }: SignedRequest, own: readonly string[]): Headers | undefined {
  const all = new Map<string, string[]>();
  for (const { name, value } of headers) {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) return undefined;
    const key = name.toLowerCase();
    const values = all.get(key);
    if (values) values.push(value);
    else all.set(key, [value]);
  }
  return proving.some((name) => all.has(name) && !own.includes(name)) ? undefined : all;
}

/**
 * The value of a header that was sent once, without the blanks around it. Undefined for one that is missing or was sent
 * twice, and for a value that is not printable ASCII: what is signed must have one reading.
 */
export function only(headers: Headers, name: string): string | undefined {
  const [value, ...others] = headers.get(name) ?? [];
  if (value === undefined || others.length > 0 || !/^[\t\x20-\x7e]*$/.test(value)) return undefined;
  return value.trim();
}

/** The request with these headers, in place of all of the same names, or of the names in `dropped`. */
export function withHeaders(
  request: SignedRequest,
  added: Readonly<Record<string, string>>,
  dropped: readonly string[] = [],
): SignedRequest {
  const gone = new Set([...Object.keys(added), ...dropped].map((name) => name.toLowerCase()));
  const kept = request.headers.filter(({ name }) => !gone.has(name.toLowerCase()));
  return {
    ...request,
    headers: [...kept, ...Object.entries(added).map(([name, value]) => ({ name, value }))],
  };
}
