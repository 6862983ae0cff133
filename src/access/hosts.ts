import type { SignedRequest } from '../signatures/scheme.js';

/** The host that a request was sent to by its one Host header, in lower case; undefined for none, and for two. */
export function hostOf({ headers }: Pick<SignedRequest, 'headers'>): string | undefined {
  const [host, ...others] = headers.filter(({ name }) => name.toLowerCase() === 'host');
  return others.length > 0 ? undefined : host?.value.trim().toLowerCase();
}

/** Whether a host is one of Keyway's `own`: of those without a port, at whatever port. */
export const isOwnHost = (host: string | undefined, own: readonly string[]): boolean =>
  host !== undefined && (own.includes(host) || own.includes(host.replace(/:\d+$/, '')));
