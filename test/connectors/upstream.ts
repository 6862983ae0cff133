import type { StoreAnswer, StoreRequest, Upstream } from '../../src/connectors/connector.js';
import { StoreError } from '../../src/connectors/store-error.js';
import { Secret } from '../../src/secret.js';

/** What a test opens a store with; secrets as plain texts. */
export interface Opened {
  addresses: Record<string, string>;
  settings?: Upstream['settings'];
  secrets?: Record<string, string>;
  now?: () => number;
}

/** A store opened for a connector under test: by fetch, with one attempt a call. */
export function openUpstream({
  addresses,
  settings = {},
  secrets = {},
  now = () => Date.now(),
}: Opened): Upstream {
  let session: Promise<unknown> | undefined;
  return {
    addresses,
    settings,
    secrets: Object.fromEntries(Object.entries(secrets).map(([name, text]) => [name, Secret.of(text)])),
    now,
    call: (request) => call(addresses, request),
    session: <Thing>(make: () => Promise<Thing>, again = false) => {
      if (session === undefined || again) session = make();
      // One connector keeps one kind of session.
      return session as Promise<Thing>;
    },
  };
}

async function call(addresses: Record<string, string>, request: StoreRequest): Promise<StoreAnswer> {
  const { method, headers = {}, sign } = request;
  const url = urlOf(addresses[request.at ?? 'endpoint'] ?? '', request);
  const { body: given } = request;
  const form = given instanceof URLSearchParams ? given : undefined;
  const body = given === undefined ? undefined : form ? form.toString() : JSON.stringify(given);
  const type = form ? 'application/x-www-form-urlencoded' : 'application/json';
  const response = await fetch(url, {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': type }),
      ...headers,
      ...sign?.({ method, url, body }),
    },
    redirect: 'manual',
    ...(body !== undefined && { body }),
  }).catch((cause: unknown) => {
    throw new StoreError('UPSTREAM_UNAVAILABLE', { cause });
  });
  const text = await response.text().catch((cause: unknown) => {
    throw new StoreError('UPSTREAM_UNAVAILABLE', { cause });
  });
  return { status: response.status, headers: Object.fromEntries(response.headers), json: jsonOf(text) };
}

function urlOf(address: string, { path, query = {} }: StoreRequest): URL {
  const wrong = path.some(
    (segment, index) => ['.', '..'].includes(segment) || (segment === '' && index < path.length - 1),
  );
  if (wrong) throw new StoreError('INVALID_INPUT', { sent: false });
  const url = new URL(address);
  url.pathname = [url.pathname.replace(/\/+$/, ''), ...path.map(encodeURIComponent)].join('/');
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
