import {
  networkOf,
  parseAddress,
  parseExactly,
  parseRange,
  size,
  whole,
  type Range,
} from '../config/ranges.js';

/**
 * Whether a client at this address may pass a list of ranges. An empty list lets everyone pass; any other lets nobody
 * pass whose address is not known or not readable. IPv4 and IPv6 never match each other, but an IPv4-mapped IPv6
 * address counts as the IPv4 address that it is.
 */
export function addressAllowed(ip: string | undefined, ranges: readonly string[]): boolean {
  if (ranges.length === 0) return true;
  const address = parseAddress(ip);
  return address !== undefined && inside(whole(address), ranges);
}

/**
 * Where a request comes from: the socket's peer or, behind trusted proxies, the right-most forwarded address that is
 * not theirs. What a client writes into the header itself stands further left and is never looked at. Undefined where
 * the trusted part cannot be read: then nothing can be said about the client.
 */
export function clientAddress(
  peer: string | undefined,
  forwardedFor: string | string[] | undefined,
  trustedProxies: readonly string[],
): string | undefined {
  const socket = parseAddress(peer);
  if (!socket || !inside(whole(socket), trustedProxies)) return socket?.toString();
  const header = [forwardedFor ?? []].flat().join(',');
  for (const entry of header.trim() === '' ? [] : header.split(',').reverse()) {
    const address = parseAddress(withoutPort(entry.trim()));
    if (!address) return undefined;
    if (!inside(whole(address), trustedProxies)) return address.toString();
  }
  return socket.toString();
}

/**
 * Whether each range of `inner` lies inside one range of `outer`. An empty list means «anywhere»: everything lies in
 * it, and it lies in nothing else.
 */
export function withinRanges(inner: readonly string[], outer: readonly string[]): boolean {
  if (outer.length === 0) return true;
  if (inner.length === 0) return false;
  return inner.every((text) => {
    const range = parseRange(text);
    return range !== undefined && inside(range, outer);
  });
}

/**
 * The one spelling of an address or CIDR block: a single address without a suffix, IPv6 as in RFC 5952. Undefined for
 * everything that could mean two things: leading zeros, host bits, zones, IPv4 inside IPv6.
 */
export function canonicalRange(text: string): string | undefined {
  const range = parseRange(text);
  if (!range) return undefined;
  return range.bits === size(range.address)
    ? range.address.toString()
    : `${range.address.toString()}/${range.bits}`;
}

/** As `canonicalRange`, for what others write: the block that an address with bits behind its prefix is in. */
export function rangeAround(text: string): string | undefined {
  const [address = '', bits, ...more] = text.split('/');
  const known = parseExactly(address);
  if (!known || bits === undefined || more.length > 0 || !/^\d{1,3}$/.test(bits)) return canonicalRange(text);
  if (Number(bits) > size(known)) return undefined;
  return canonicalRange(`${networkOf(known, Number(bits)).toString()}/${bits}`);
}

/**
 * The address of a forwarded node as proxies write it: with a port (Azure Application Gateway, IIS), IPv6 in brackets, and
 * either in quotes, as RFC 7239 has it.
 */
function withoutPort(node: string): string {
  const text = /^"(.*)"$/.exec(node)?.[1] ?? node;
  return /^\[([^[\]]*)\](?::\d{1,5})?$/.exec(text)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(text)?.[1] ?? text;
}

const inside = (inner: Range, ranges: readonly string[]) =>
  ranges.some((text) => {
    const outer = parseRange(text);
    if (!outer || outer.address.kind() !== inner.address.kind()) return false;
    return inner.bits >= outer.bits && inner.address.match(outer.address, outer.bits);
  });
