import type { Upstream } from './connector.js';

/**
 * The segments of `path` that the store's address does not end with already: people give an address with what all of
 * a vendor's paths begin with, or without.
 * @param name which of the store's addresses.
 */
export function missingPath(
  { addresses }: Pick<Upstream, 'addresses'>,
  path: readonly string[],
  name = 'endpoint',
): string[] {
  const own = segmentsOf(addresses[name]);
  for (let there = path.length; there > 0; there--) {
    const end = own.slice(-there);
    if (end.length === there && end.every((segment, index) => segment === path[index]))
      return path.slice(there);
  }
  return [...path];
}

const segmentsOf = (address: string | undefined): string[] =>
  address === undefined ? [] : new URL(address).pathname.split('/').filter(Boolean);
