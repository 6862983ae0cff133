import { networkOf, parseAddress } from '../config/ranges.js';

/** A provider gives one customer all addresses of IPv6 that begin alike: https://www.rfc-editor.org/rfc/rfc6177 */
const customerBits = 64;

/** Where an address is, however it is written: itself, or of IPv6 the customer whose it is; undefined for no address. */
export function neighbourhoodOf(text: string | undefined): string | undefined {
  const address = parseAddress(text);
  if (!address) return undefined;
  return address.kind() === 'ipv4' ? address.toString() : networkOf(address, customerBits).toString();
}
