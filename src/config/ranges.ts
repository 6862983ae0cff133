import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

export type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** All addresses that begin with the same bits. */
export interface Range {
  readonly address: Address;
  readonly bits: number;
}

/** How many bits an address of this family has. */
export const size = (address: Address): number => (address.kind() === 'ipv4' ? 32 : 128);

/** The range that is this address alone. */
export const whole = (address: Address): Range => ({ address, bits: size(address) });

/**
 * An address or CIDR block as a rule names it. Undefined for everything that could mean two things: leading zeros, host
 * bits, zones, IPv4 inside IPv6.
 */
export function parseRange(text: string): Range | undefined {
  const match = /^([^/%.]+|[\d.]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text);
  const address = match?.[1] === undefined ? undefined : parseExactly(match[1]);
  if (!address || isMapped(address)) return undefined;
  const bits = match?.[2] === undefined ? size(address) : Number(match[2]);
  if (bits > size(address)) return undefined;
  return networkOf(address, bits).toString() === address.toString() ? { address, bits } : undefined;
}

/** The address with nothing behind its first bits. */
export const networkOf = (address: Address, bits: number): Address =>
  (address.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6).networkAddressFromCIDR(
    `${address.toString()}/${bits}`,
  );

/** A provider gives one customer all addresses of IPv6 that begin alike: https://www.rfc-editor.org/rfc/rfc6177 */
const customerBits = 64;

/** Where an address is, however it is written: itself, or of IPv6 the customer whose it is; undefined for no address. */
export function neighbourhoodOf(text: string | undefined): string | undefined {
  const address = parseAddress(text);
  if (!address) return undefined;
  return address.kind() === 'ipv4' ? address.toString() : networkOf(address, customerBits).toString();
}

/** Whether all of a range is of a network of one's own: RFC 1918, 4193 and 6598, and this machine. */
export const isPrivate = ({ address, bits }: Range): boolean =>
  privateRanges.some(
    (range) =>
      range.address.kind() === address.kind() &&
      range.bits <= bits &&
      networkOf(address, range.bits).toString() === range.address.toString(),
  );

/**
 * The address of a client, in any of the spellings of RFC 4291, section 2.2. An IPv4-mapped one is the IPv4 address that
 * it is.
 */
export function parseAddress(text: string | undefined): Address | undefined {
  // A zone names one of the peer's own interfaces (RFC 4007): it says nothing about the address.
  const address = parseExactly(text?.replace(/(?<=^fe80:.*)%[\w.-]{1,32}$/i, '') ?? '');
  return isMapped(address) ? address.toIPv4Address() : address;
}

/** An address that is written as RFC 4291 has it, without a zone; what is IPv4-mapped stays so. */
// node:net knows the strict grammar; ipaddr.js also takes octal parts, and reads ::192.0.2.1 as an IPv4-mapped address.
export function parseExactly(text: string): Address | undefined {
  if (isIP(text) === 0 || text.includes('%')) return undefined;
  if (!text.includes(':')) return ipaddr.parse(text);
  return ipaddr.parse(text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, inHexadecimal));
}

/** The last 32 bits of an IPv6 address as the two groups that they are. */
const inHexadecimal = (_: string, ...parts: string[]): string => {
  const [a = 0, b = 0, c = 0, d = 0] = parts.map(Number);
  return [a * 256 + b, c * 256 + d].map((group) => group.toString(16)).join(':');
};

const isMapped = (address: Address | undefined): address is ipaddr.IPv6 =>
  address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress();

const privateRanges = [
  ...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '127.0.0.0/8'],
  ...['fc00::/7', '::1'],
].flatMap((text) => parseRange(text) ?? []);
