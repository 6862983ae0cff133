import fc from 'fast-check';
import { NotConnected, openOutbound, type Outbound } from '../../src/outbound/outbound.js';
import { expectAlways } from '../support/property.js';

const usual = { timeoutMs: 2_000, mostBytes: 1_000 };
const notThere = 'the address is not one that calls may go to';

/** What is wrong with a call, by the innermost cause. */
async function whyNot(outbound: Outbound, address: string): Promise<unknown> {
  try {
    await outbound.get(new URL(address), usual);
  } catch (error) {
    const { cause } = error as Error;
    return cause instanceof NotConnected
      ? cause.cause instanceof NotConnected
        ? cause.cause.cause
        : cause.cause
      : cause;
  }
  return 'answered';
}

const closed: [network: number, bits: number][] = [
  [0x00000000, 8], [0x0a000000, 8], [0x64400000, 10], [0x7f000000, 8], [0xa9fe0000, 16], [0xac100000, 12],
  [0xc0000000, 24], [0xc0000200, 24], [0xc0a80000, 16], [0xc6120000, 15], [0xc6336400, 24], [0xcb007100, 24],
  [0xe0000000, 4], [0xf0000000, 4],
]; // prettier-ignore
const v4 = fc
  .constantFrom(...closed)
  .chain(([network, bits]) => fc.nat(2 ** (32 - bits) - 1).map((host) => network + host));

const bytesOf = (value: number) => [24, 16, 8, 0].map((by) => Math.floor(value / 2 ** by) % 256);
const groupsOf = (value: number) =>
  [Math.floor(value / 65_536), value % 65_536].map((group) => group.toString(16));

/** An IPv4 address as browsers, C libraries and IPv6 write it. */
function spellings(value: number): string[] {
  const [a = 0, b = 0, c = 0, d = 0] = bytesOf(value);
  const [high, low] = groupsOf(value);
  return [
    `${a}.${b}.${c}.${d}`,
    `${value}`,
    `0x${value.toString(16)}`,
    `0${value.toString(8)}`,
    `0x${a.toString(16)}.0${b.toString(8)}.${c}.${d}`,
    `${a}.${b}.${c * 256 + d}`,
    `${a}.${(b * 256 + c) * 256 + d}`,
    `${a}.${b}.${c}.${d}.`,
    `[::ffff:${a}.${b}.${c}.${d}]`,
    `[::ffff:${high}:${low}]`,
    `[::${high}:${low}]`,
    `[64:ff9b::${high}:${low}]`,
    `[64:ff9b:1::${high}:${low}]`,
    `[2002:${high}:${low}::1]`,
  ];
}

const hex = (bits: number) => fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n });
const v6 = fc
  .constantFrom<[bigint, number]>(
    [0xfcn, 8],
    [0xfdn, 8],
    [0xfe8n, 12],
    [0xfecn, 12],
    [0xffn, 8],
    [0x20010db8n, 32],
    [0x20010000n, 32],
    [0n, 64],
    [0x0100_0000_0000_0000n, 64],
  )
  .chain(([network, bits]) => hex(128 - bits).map((host) => (network << BigInt(128 - bits)) | host))
  .map((value) =>
    value
      .toString(16)
      .padStart(32, '0')
      .replace(/(.{4})(?=.)/g, '$1:'),
  );

const closedOutbound = (resolved?: string) =>
  openOutbound({
    allowedRanges: [],
    local: false,
    ...(resolved !== undefined && {
      resolve: async () => [{ address: resolved, family: resolved.includes(':') ? 6 : 4 }],
    }),
  });

describe('S56: an address that is not public', () => {
  const ways = Array.from({ length: spellings(0).length }, (_, index) => index);

  test('is not called, in whatever spelling it is given', async () => {
    const outbound = closedOutbound();
    await expectAlways(
      fc.asyncProperty(v4, fc.constantFrom(...ways), async (value, way) => {
        const address = `https://${spellings(value)[way]}/`;
        // What is no address in this spelling is a name that no page can have.
        if (URL.canParse(address))
          expect([address, await whyNot(outbound, address)]).toEqual([address, notThere]);
      }),
      500,
    );
    await outbound.close();
  });

  test('of IPv6 is not called, given as it is or as what a name leads to', () =>
    expectAlways(
      fc.asyncProperty(v6, async (address) => {
        const [direct, named] = [closedOutbound(), closedOutbound(address)];
        expect([address, await whyNot(direct, `https://[${address}]/`)]).toEqual([address, notThere]);
        expect([address, await whyNot(named, 'https://keys.example.com/')]).toEqual([address, notThere]);
        await Promise.all([direct.close(), named.close()]);
      }),
      100,
    ));

  test('is not called where a name leads to it, in whatever spelling the name is answered', () =>
    expectAlways(
      fc.asyncProperty(v4, fc.constantFrom(...ways), async (value, way) => {
        const resolved = spellings(value)[way]?.replace(/^\[|\]$/g, '') ?? '';
        const outbound = closedOutbound(resolved);
        expect([resolved, await whyNot(outbound, 'https://keys.example.com/')]).toEqual([resolved, notThere]);
        await outbound.close();
      }),
      100,
    ));
});
