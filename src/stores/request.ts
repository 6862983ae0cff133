import type { StoreRequest } from '../connectors/connector.js';
import { StoreError } from '../connectors/store-error.js';

/** A request to a store, ready to be sent. */
export interface Sendable {
  url: URL;
  method: StoreRequest['method'];
  headers: Record<string, string>;
  body: string | undefined;
}

/**
 * Builds a request out of its parts, each encoded, under one of the store's own addresses; nothing in them leads
 * elsewhere (S57).
 * @throws StoreError for a segment that would climb, a header that would break out, and an address that is not there.
 */
export function requestOf(addresses: Readonly<Record<string, string>>, request: StoreRequest): Sendable {
  const { at = 'endpoint' } = request;
  const base = Object.hasOwn(addresses, at) ? addresses[at] : undefined;
  if (base === undefined) throw requestRefused('the store has no such address');
  // What is of nothing there could be of all: the list, where one of it was meant.
  if (request.path.slice(0, -1).includes('')) throw requestRefused('a segment of the path is empty');
  const path = request.path.map(encoded).join('/');
  const url = new URL(`${base.replace(/\/+$/, '')}/${path}`);
  for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value);
  if (url.origin !== new URL(base).origin) throw requestRefused('the request leads to another host');
  const { body, type } = bodyOf(request.body);
  const { method } = request;
  const headers = {
    accept: 'application/json',
    ...(type !== undefined && { 'content-type': type }),
    ...request.headers,
    ...request.sign?.({ method, url, body }),
  };
  for (const value of Object.values(headers)) {
    if (/[^\t\x20-\x7e]/.test(value)) throw requestRefused('a header has characters that no header can have');
  }
  return { url, method, headers, body };
}

function encoded(segment: string): string {
  // What stands for «here» and «up» is taken out of every path, however it is encoded (RFC 3986, section 5.2.4).
  if (segment === '.' || segment === '..') throw requestRefused('a path must not climb');
  return encodeURIComponent(segment);
}

function bodyOf(body: unknown): { body: string | undefined; type: string | undefined } {
  if (body === undefined) return { body: undefined, type: undefined };
  if (body instanceof URLSearchParams)
    return { body: body.toString(), type: 'application/x-www-form-urlencoded' };
  try {
    return { body: JSON.stringify(body), type: 'application/json' };
  } catch {
    // What a vendor said is sent back to it, and may be nested without end.
    throw requestRefused('the body cannot be written as JSON');
  }
}

const requestRefused = (cause: string) => new StoreError('INVALID_INPUT', { sent: false, cause });
