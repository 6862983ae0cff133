import { isIP } from 'node:net';
import fc from 'fast-check';
import {
  addressAllowed,
  canonicalRange,
  clientAddress,
  rangeAround,
  withinRanges,
} from '../../src/access/addresses.js';
import { isPrivate, parseRange } from '../../src/config/ranges.js';
import { expectAlways } from '../support/property.js';

interface Address {
  bits: 32 | 128;
  value: bigint;
}

const v4 = fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map((value): Address => ({ bits: 32, value }));
// Groups that are zero or short are what spellings differ in.
const group = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(15), fc.nat(0xffff));
const v6 = fc
  .array(group, { minLength: 8, maxLength: 8 })
  .map((groups): Address => ({
    bits: 128,
    value: groups.reduce((sum, one) => (sum << 16n) | BigInt(one), 0n),
  }))
  // Those that are IPv4 in IPv6 are no addresses of rules.
  .filter(({ value }) => value >> 32n !== 0xffffn);
const address = fc.oneof(v4, v6);

const groupsOf = (value: bigint) =>
  Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(112 - 16 * index)) & 0xffffn));
const dotted = (value: bigint) => [24n, 16n, 8n, 0n].map((by) => (value >> by) & 255n).join('.');

/** RFC 5952, section 4, by itself: the longest run of zeros, the first of several, is left out. */
function canonical({ bits, value }: Address): string {
  if (bits === 32) return dotted(value);
  const groups = groupsOf(value).map((one) => one.toString(16));
  let [start, length] = [-1, 1];
  for (let from = 0; from < 8; from++) {
    let to = from;
    while (groups[to] === '0') to++;
    if (to - from > length) [start, length] = [from, to - from];
  }
  if (start < 0) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}

/** Another spelling of the same address (RFC 4291, section 2.2), by these choices. */
function spelled(
  { bits, value }: Address,
  [pad, upper, gap, dots]: readonly [number, boolean, number, boolean],
): string {
  if (bits === 32) return dotted(value);
  let groups = groupsOf(value).map((one) => one.toString(16).padStart((pad % 4) + 1, '0'));
  if (dots) groups = [...groups.slice(0, 6), dotted(value & 0xffff_ffffn)];
  const zero = groups.findIndex((one, index) => index >= gap && /^0+$/.test(one));
  let text = groups.join(':');
  if (zero >= 0) {
    let end = zero;
    while (/^0+$/.test(groups[end] ?? 'x')) end++;
    text = `${groups.slice(0, zero).join(':')}::${groups.slice(end).join(':')}`;
  }
  return upper ? text.toUpperCase() : text;
}
const choices = fc.tuple(fc.nat(3), fc.boolean(), fc.nat(8), fc.boolean());
/** IPv4 in IPv6 is refused by a rule, and only looks like it with dots. */
const undotted = choices.map(([pad, upper, gap]) => [pad, upper, gap, false] as const);
const prefixed = address.chain((one) => fc.tuple(fc.constant(one), fc.integer({ min: 0, max: one.bits })));

const networkOf = ({ bits, value }: Address, prefix: number): Address => ({
  bits,
  value: (value >> BigInt(bits - prefix)) << BigInt(bits - prefix),
});
const rangeText = (one: Address, prefix: number) =>
  canonical(one) + (prefix === one.bits ? '' : `/${prefix}`);
const isWithin = (one: Address, range: Address, prefix: number) =>
  one.bits === range.bits && networkOf(one, prefix).value === range.value;

test('S52: every spelling of a block has the one that RFC 5952 names, and that is its own', () =>
  expectAlways(
    fc.property(prefixed, undotted, ([one, prefix], how) => {
      const network = networkOf(one, prefix);
      const text = rangeText(network, prefix);
      expect(canonicalRange(`${spelled(network, how)}/${prefix}`)).toBe(text);
      expect(canonicalRange(text)).toBe(text);
    }),
    400,
  ));

test('S52: host bits are refused by a rule, and cut off where others write them', () =>
  expectAlways(
    fc.property(prefixed, choices, ([one, prefix], how) => {
      const network = networkOf(one, prefix);
      const text = `${spelled(one, how)}/${prefix}`;
      if (network.value !== one.value) expect(canonicalRange(text)).toBeUndefined();
      expect(rangeAround(text)).toBe(rangeText(network, prefix));
    }),
    400,
  ));

test('S52: whatever text is taken is spelled once, and is an address to others as well', () => {
  const near = fc.string({ unit: fc.constantFrom(...'0129afAF:./%x-[] \n') });
  expectAlways(
    fc.property(fc.oneof(near, fc.string({ unit: 'binary' })), (text) => {
      const range = canonicalRange(text);
      if (range === undefined) return;
      expect(canonicalRange(range)).toBe(range);
      expect(isIP(range.split('/')[0] ?? '')).not.toBe(0);
    }),
    2_000,
  );
});

test('S53, S55: an address passes by a list exactly where its first bits are those of one of its blocks', () =>
  expectAlways(
    fc.property(
      address,
      fc.array(prefixed, { minLength: 1, maxLength: 4 }),
      fc.nat(128),
      choices,
      (one, given, keep, how) => {
        // Half of the blocks lie around the address, else none ever would.
        const blocks = given.map(([range, prefix], index) =>
          index % 2 === 0
            ? { network: networkOf(range, prefix), prefix }
            : { network: networkOf(one, Math.min(keep, one.bits)), prefix: Math.min(keep, one.bits) },
        );
        const list = blocks.map(({ network, prefix }) => rangeText(network, prefix));
        const expected = blocks.some(({ network, prefix }) => isWithin(one, network, prefix));
        expect(addressAllowed(spelled(one, how), list)).toBe(expected);
        expect(withinRanges([canonical(one)], list)).toBe(expected);
        if (one.bits === 32) {
          expect(addressAllowed(`::ffff:${dotted(one.value)}`, list)).toBe(expected);
          expect(
            addressAllowed(
              `::ffff:${(one.value >> 16n).toString(16)}:${(one.value & 0xffffn).toString(16)}`,
              list,
            ),
          ).toBe(expected);
        }
      },
    ),
    400,
  ));

test('S53: nothing that is no address passes by a list, not even by one of everything', () =>
  expectAlways(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...'0129af:./%x ') })),
      (text) => {
        const isAddress = isIP(text.replace(/%.*$/, '')) !== 0;
        if (!isAddress) expect(addressAllowed(text, ['0.0.0.0/0', '::/0'])).toBe(false);
        expect(addressAllowed(undefined, ['0.0.0.0/0', '::/0'])).toBe(false);
      },
    ),
    400,
  ));

test('S38: blocks lie within others exactly where all of their addresses do', () =>
  expectAlways(
    fc.property(prefixed, fc.nat(128), ([one, outer], more) => {
      const inner = Math.min(one.bits, outer + more);
      const [wide, narrow] = [networkOf(one, outer), networkOf(one, inner)];
      expect(withinRanges([rangeText(narrow, inner)], [rangeText(wide, outer)])).toBe(true);
      expect(withinRanges([rangeText(wide, outer)], [rangeText(narrow, inner)])).toBe(inner === outer);
      expect(withinRanges([], [rangeText(wide, outer)])).toBe(false);
    }),
  ));

test('a block is one of private networks exactly where its first and its last address are', () =>
  expectAlways(
    fc.property(prefixed, ([one, prefix]) => {
      const [first, last] = [
        networkOf(one, prefix),
        { ...one, value: networkOf(one, prefix).value + 2n ** BigInt(one.bits - prefix) - 1n },
      ];
      const range = (text: string) => {
        const read = parseRange(text);
        if (!read) throw new Error(text);
        return isPrivate(read);
      };
      const last2 = canonicalRange(canonical(last));
      fc.pre(last2 !== undefined);
      // No two private networks lie side by side, so that what has both ends in them is within one; or has all addresses.
      if (range(rangeText(first, prefix)))
        expect([range(canonical(first)), range(canonical(last))]).toEqual([true, true]);
      else if (prefix >= 12) expect(range(canonical(first)) && range(canonical(last))).toBe(false);
    }),
  ));

describe('S54: behind proxies', () => {
  const proxies = ['10.0.0.0/8', 'fd00::/8'];
  const proxy = fc.oneof(
    fc.nat(255).map((last) => `10.1.2.${last}`),
    fc.nat(0xffff).map((last) => `fd00::${last.toString(16)}`),
  );
  const client = address.map(canonical).filter((one) => !addressAllowed(one, proxies));
  const junk = fc.oneof(
    fc.string({ unit: 'binary' }),
    client,
    fc.constantFrom('unknown', '_x', '', '"', '[', 'for=1.2.3.4'),
  );
  const written = (text: string, how: number) => {
    const bracketed = text.includes(':') ? `[${text}]` : text;
    return [text, bracketed, `${bracketed}:443`, `"${bracketed}:1"`, `  ${text} `][how % 5] ?? text;
  };

  test('the address is the right-most that is no proxy’s, whatever a client has put before it', () =>
    expectAlways(
      fc.property(
        fc.array(junk),
        client,
        fc.array(proxy),
        proxy,
        fc.nat(4),
        fc.boolean(),
        (before, one, hops, peer, how, split) => {
          const last = [written(one, how), ...hops.map((hop) => written(hop, how))];
          const header = split ? [before.join(', '), last.join(',')] : [...before, ...last].join(',');
          expect(clientAddress(peer, header, proxies)).toBe(one);
        },
      ),
      1_000,
    ));

  test('nothing that is sent changes it where the peer is no proxy', () =>
    expectAlways(
      fc.property(fc.array(junk), client, (header, peer) => {
        expect(clientAddress(peer, header, proxies)).toBe(peer);
      }),
    ));
});
