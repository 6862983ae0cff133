import { isIP } from 'node:net';
import fc from 'fast-check';
import {
  addressAllowed,
  canonicalRange,
  clientAddress,
  rangeAround,
  withinRanges,
} from '../../src/access/addresses.js';

describe('canonicalRange', () => {
  test.each([
    ['192.168.1.100', '192.168.1.100'],
    ['192.168.1.100/32', '192.168.1.100'],
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:0db8::/32', '2001:db8::/32'],
    ['2001:db8::1/128', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['::/0', '::/0'],
  ])('S52: spells %s in one way', (text, canonical) => {
    expect(canonicalRange(text)).toBe(canonical);
    expect(canonicalRange(canonical)).toBe(canonical);
  });

  test.each([
    ...[
      '',
      ' ',
      'localhost',
      '10',
      '10.0.0',
      '127.1',
      '10.0.0.0.0',
      '256.0.0.1',
      '0x7f.0.0.1',
      '010.0.0.1',
      '10.0.0.01',
    ],
    ...[
      '10.0.0.1/8',
      '10.0.0.0/33',
      '10.0.0.0/08',
      '10.0.0.0/',
      '10.0.0.0/-1',
      '10.0.0.0/8/8',
      '10.0.0.0/255.0.0.0',
    ],
    ...['2001:db8::1/32', '::/129', ':::', '1::2::3', '00001::', 'fe80::1%eth0', 'fe80::%eth0/64', '[::1]'],
    ...[
      '::ffff:10.0.0.1',
      '::ffff:a00:1',
      '::FFFF:0:0/96',
      '::10.0.0.1',
      '64:ff9b::10.0.0.1',
      ' 10.0.0.1',
      '10.0.0.1\n',
    ],
  ])('S52: refuses %j', (text) => expect(canonicalRange(text)).toBeUndefined());
});

test.each([
  ['192.168.1.5/24', '192.168.1.0/24'],
  ['192.168.1.5', '192.168.1.5'],
  ['2001:DB8::5/32', '2001:db8::/32'],
  ['10.0.0.1/0', '0.0.0.0/0'],
  ['010.0.0.1/8', undefined],
  ['10.0.0.1-10.0.0.9', undefined],
])('S52: takes %s of others for %s', (text, range) => expect(rangeAround(text)).toBe(range));

describe('addressAllowed', () => {
  const ranges = ['192.168.1.100', '10.0.0.0/8', '2001:db8::/32'];

  test('S53: an empty list lets everyone pass', () => {
    expect(addressAllowed('203.0.113.9', [])).toBe(true);
    expect(addressAllowed(undefined, [])).toBe(true);
  });

  test.each([undefined, '', 'unknown', '10.0.0.1, 10.0.0.2', '10.0.0.256', '::10.0.0.1'])(
    'S53: a list denies where the address is %j',
    (ip) => expect(addressAllowed(ip, ranges)).toBe(false),
  );

  test.each(['192.168.1.100', '10.255.255.255', '2001:db8:ffff::1'])('lets %s pass', (ip) =>
    expect(addressAllowed(ip, ranges)).toBe(true),
  );

  test.each(['192.168.1.101', '11.0.0.0', '9.255.255.255', '2001:db9::'])('stops %s', (ip) =>
    expect(addressAllowed(ip, ranges)).toBe(false),
  );

  test('S55: IPv4-mapped addresses match IPv4 rules, and the families never cross otherwise', () => {
    expect(addressAllowed('::ffff:10.1.2.3', ['10.0.0.0/8'])).toBe(true);
    expect(addressAllowed('::FFFF:a01:203', ['10.0.0.0/8'])).toBe(true);
    expect(addressAllowed('::ffff:10.1.2.3', ['::/0'])).toBe(false);
    expect(addressAllowed('10.1.2.3', ['::/0'])).toBe(false);
    expect(addressAllowed('2001:db8::1', ['0.0.0.0/0'])).toBe(false);
    expect(addressAllowed('::a01:203', ['10.0.0.0/8'])).toBe(false);
    expect(addressAllowed('64:ff9b::a01:203', ['0.0.0.0/0'])).toBe(false);
  });

  // The examples of RFC 4291, section 2.2, and RFC 5952, section 2.
  test.each<[address: string, range: string]>([
    ['ABCD:EF01:2345:6789:ABCD:EF01:2345:6789', 'abcd:ef01:2345:6789:abcd:ef01:2345:6789'],
    ['2001:DB8:0:0:8:800:200C:417A', '2001:db8::8:800:200c:417a'],
    ['2001:DB8::8:800:200C:417A', '2001:db8::8:800:200c:417a'],
    ['FF01:0:0:0:0:0:0:101', 'ff01::101'],
    ['FF01::101', 'ff01::101'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['0:0:0:0:0:0:13.1.68.3', '::d01:4403'],
    ['::13.1.68.3', '::d01:4403'],
    ['0:0:0:0:0:FFFF:129.144.52.38', '129.144.52.38'],
    ['::FFFF:129.144.52.38', '129.144.52.38'],
    ['0000:0000:0000:0000:0000:ffff:129.144.52.38', '129.144.52.38'],
    ['0::ffff:8190:3426', '129.144.52.0/24'],
    ['64:ff9b::192.0.2.33', '64:ff9b::/96'],
    ['0064:FF9B:0:0:0:0:192.0.2.33', '64:ff9b::c000:221'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8::0:1', '2001:db8::1'],
    ['2001:db8::aaaa:0:0:1', '2001:db8:0:0:aaaa::1'],
    ['fe80::192.0.2.33%eth0', 'fe80::c000:221'],
  ])('S55: %s is in %s, however it is written', (address, range) => {
    expect(addressAllowed(address, [range])).toBe(true);
    expect(
      addressAllowed(clientAddress('10.0.0.1', address.replace('%eth0', ''), ['10.0.0.1']), [range]),
    ).toBe(true);
  });

  test.each([
    '::ffff:129.144.52.038',
    '::ffff:129.144.52',
    '64:ff9b::192.0.2.256',
    '129.144.52.38::',
    '1.2.3.4:5::',
  ])('S53: %s is no address', (address) =>
    expect(addressAllowed(address, ['0.0.0.0/0', '::/0'])).toBe(false),
  );

  test('S52: an unreadable entry lets nobody pass', () =>
    expect(addressAllowed('10.0.0.1', ['10.0.0.1/8', 'anywhere'])).toBe(false));

  test('agrees with the arithmetic', () => {
    fc.assert(
      fc.property(
        fc.nat(0xffffffff),
        fc.nat(0xffffffff),
        fc.integer({ min: 0, max: 32 }),
        (ip, near, bits) => {
          const mask = bits === 0 ? 0n : (0xffffffffn << BigInt(32 - bits)) & 0xffffffffn;
          const network = BigInt(near) & mask;
          const allowed = addressAllowed(dotted(BigInt(ip)), [`${dotted(network)}/${bits}`]);
          expect(allowed).toBe((BigInt(ip) & mask) === network);
        },
      ),
    );
  });
});

describe('clientAddress', () => {
  const proxies = ['10.0.0.0/8', '2001:db8:1::/48'];

  test('S54: is the socket peer, whatever headers say, where the peer is no proxy', () => {
    expect(clientAddress('203.0.113.9', '198.51.100.1', proxies)).toBe('203.0.113.9');
    expect(clientAddress('203.0.113.9', ['10.0.0.1', 'garbage'], proxies)).toBe('203.0.113.9');
    expect(clientAddress('10.0.0.1', '198.51.100.1', [])).toBe('10.0.0.1');
    expect(clientAddress('::ffff:203.0.113.9', undefined, [])).toBe('203.0.113.9');
    expect(clientAddress('fe80::1%eth0', undefined, [])).toBe('fe80::1');
  });

  test('S54: is the right-most forwarded address that is no proxy', () => {
    expect(clientAddress('10.0.0.1', '203.0.113.9', proxies)).toBe('203.0.113.9');
    expect(clientAddress('::ffff:10.0.0.1', '198.51.100.1, 203.0.113.9', proxies)).toBe('203.0.113.9');
    expect(clientAddress('10.0.0.1', '203.0.113.9, 10.0.0.3,2001:db8:1::7', proxies)).toBe('203.0.113.9');
    expect(clientAddress('10.0.0.1', ['198.51.100.1', '203.0.113.9, 10.0.0.2'], proxies)).toBe('203.0.113.9');
    expect(clientAddress('2001:db8:1::7', '2001:DB8:2::1', proxies)).toBe('2001:db8:2::1');
  });

  test.each([
    ['203.0.113.9:50123', '203.0.113.9'],
    ['[2001:db8:2::1]', '2001:db8:2::1'],
    ['[2001:DB8:2::1]:443', '2001:db8:2::1'],
    ['"[2001:db8:2::1]:443"', '2001:db8:2::1'],
    ['"203.0.113.9"', '203.0.113.9'],
    ['[::ffff:203.0.113.9]:80', '203.0.113.9'],
    ['198.51.100.1:1, 203.0.113.9:2, 10.0.0.3:3', '203.0.113.9'],
    ['2001:db8:2::1:443', '2001:db8:2::1:443'],
  ])('S54: is read as proxies write it: %s', (header, address) =>
    expect(clientAddress('10.0.0.1', header, proxies)).toBe(address),
  );

  test('S54: what stands further left changes nothing', () => {
    for (const left of [
      '10.9.9.9',
      'garbage',
      ',',
      '198.51.100.1',
      '::ffff:192.168.1.100',
      '"; DROP',
      '10.0.0.1:80',
    ]) {
      expect(clientAddress('10.0.0.1', `${left}, 203.0.113.9`, proxies)).toBe('203.0.113.9');
      expect(clientAddress('10.0.0.1', [left, '203.0.113.9, 10.0.0.2'], proxies)).toBe('203.0.113.9');
    }
  });

  test('S54: nothing is known where the trusted part cannot be read', () => {
    for (const header of [
      'garbage',
      '203.0.113.9, garbage',
      '203.0.113.9:',
      '203.0.113.9:http',
      '203.0.113.9:443:1',
      '[203.0.113.9',
      '[2001:db8:2::1]443',
      '2001:db8:2::1]',
      '[]',
      '"203.0.113.9',
      '_hidden',
      '203.0.113.9,',
      'unknown',
      '010.0.0.1',
    ]) {
      expect(clientAddress('10.0.0.1', header, proxies)).toBeUndefined();
    }
    expect(clientAddress(undefined, '203.0.113.9', proxies)).toBeUndefined();
    expect(clientAddress('/run/keyway.sock', '203.0.113.9', proxies)).toBeUndefined();
  });

  test('is the peer where a proxy asks for itself', () => {
    expect(clientAddress('10.0.0.1', undefined, proxies)).toBe('10.0.0.1');
    expect(clientAddress('10.0.0.1', '', proxies)).toBe('10.0.0.1');
    expect(clientAddress('10.0.0.1', [], proxies)).toBe('10.0.0.1');
    expect(clientAddress('10.0.0.1', '10.0.0.2, 10.0.0.3', proxies)).toBe('10.0.0.1');
  });

  test('S54: no header makes it fail or answer anything but an address', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (headers) => {
        const address = clientAddress('10.0.0.1', headers, proxies);
        expect(address === undefined || isIP(address) > 0).toBe(true);
      }),
    );
  });
});

describe('withinRanges', () => {
  test.each<[string[], string[], boolean]>([
    [[], [], true],
    [['10.0.0.1'], [], true],
    [[], ['0.0.0.0/0'], false],
    [['10.0.0.1', '10.1.0.0/16'], ['10.0.0.0/8'], true],
    [['10.0.0.0/8'], ['10.0.0.0/8'], true],
    [['10.0.0.0/7'], ['10.0.0.0/8'], false],
    [['10.0.0.1', '11.0.0.1'], ['10.0.0.0/8'], false],
    [['10.0.0.1', '2001:db8::1'], ['2001:db8::/32', '10.0.0.1'], true],
    [['10.0.0.0/8'], ['::/0'], false],
    [['::/0'], ['0.0.0.0/0'], false],
    [['10.0.0.1/8'], ['0.0.0.0/0'], false],
  ])('S38: %j within %j: %s', (inner, outer, within) => expect(withinRanges(inner, outer)).toBe(within));
});

const dotted = (number: bigint) => [24n, 16n, 8n, 0n].map((shift) => (number >> shift) & 255n).join('.');
