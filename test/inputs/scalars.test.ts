import fc from 'fast-check';
import { GraphQLError, type GraphQLScalarType, Kind, parseValue, type ValueNode } from 'graphql';
import { DateTime, Duration, EmailAddress, IPRange, NonNegativeInt, URL } from '../../src/inputs/scalars.js';
import { durationMs } from '../../src/time.js';

const scalars = [DateTime, Duration, IPRange, EmailAddress, URL, NonNegativeInt];
const marker = 'MARKER-7f3a';

function refused(scalar: GraphQLScalarType, value: unknown): void {
  expect(() => scalar.parseValue(value)).toThrow(GraphQLError);
}

describe('every scalar', () => {
  test.each(scalars)('%s: has a description', (scalar) => {
    expect(scalar.description).toBeTruthy();
    if (scalar !== NonNegativeInt) expect(scalar.specifiedByURL).toMatch(/^https:/);
  });

  const values = [marker, `${marker}@`, 771234.5, -771234, true, null, [marker], { key: marker }, '', ' '];
  const literals = [`"${marker}"`, `"""${marker}"""`, '-771234', '771234.5', 'true', 'null', `["${marker}"]`];
  const nodes: ValueNode[] = [
    ...[...literals, `{ key: "${marker}" }`].map((text) => parseValue(text)),
    { kind: Kind.ENUM, value: marker.replace('-', '_') },
  ];

  test.each(scalars)('S10: %s refuses without the submitted value', (scalar) => {
    const attempts = [
      ...values.map((value) => () => scalar.parseValue(value)),
      ...nodes.map((node) => () => scalar.parseLiteral(node)),
    ];
    for (const attempt of attempts) {
      const error = thrown(attempt);
      expect(error).toBeInstanceOf(GraphQLError);
      const told = JSON.stringify([(error as GraphQLError).message, (error as GraphQLError).extensions]);
      expect(told).toContain('BAD_USER_INPUT');
      expect(told).not.toMatch(/MARKER|77123/);
    }
  });

  test.each(scalars)('%s: does not blame the caller for a value that cannot be written', (scalar) => {
    for (const value of [marker, {}, null, NaN, -1]) {
      const error = thrown(() => scalar.serialize(value));
      expect(error).toBeInstanceOf(TypeError);
      expect((error as Error).message).not.toContain(marker);
    }
  });
});

describe('DateTime', () => {
  test.each([
    ['2026-11-22T01:14:43Z', '2026-11-22T01:14:43.000Z'],
    ['2026-11-22t01:14:43z', '2026-11-22T01:14:43.000Z'],
    ['2026-11-22T01:14:43.1Z', '2026-11-22T01:14:43.100Z'],
    ['2026-11-22T01:14:43.123456Z', '2026-11-22T01:14:43.123456Z'],
    ['2026-11-22T01:14:43.123000Z', '2026-11-22T01:14:43.123Z'],
    ['2026-11-22T01:14:43.1234567899Z', '2026-11-22T01:14:43.123456Z'],
    ['2026-11-22T01:14:43+05:30', '2026-11-21T19:44:43.000Z'],
    ['2026-12-31T23:30:00.5-01:00', '2027-01-01T00:30:00.500Z'],
    ['2024-02-29T00:00:00-00:00', '2024-02-29T00:00:00.000Z'],
  ])('reads %s', (text, inner) => {
    expect(DateTime.parseValue(text)).toBe(inner);
    expect(DateTime.parseLiteral({ kind: Kind.STRING, value: text })).toBe(inner);
    expect(DateTime.parseValue(inner)).toBe(inner);
  });

  test.each([
    '2026-11-22T01:14:43',
    '2026-11-22',
    '2026-11-22 01:14:43Z',
    '2026-11-22T01:14Z',
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-11-22T24:00:00Z',
    '2026-11-22T23:59:60Z',
    '2026-11-22T01:14:43+24:00',
    '2026-11-22T01:14:43+0530',
    '2026-11-22T01:14:43.Z',
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    '+12026-11-22T01:14:43Z',
    ' 2026-11-22T01:14:43Z',
    '2026-11-22T01:14:43Z\n',
    'infinity',
    1_763_774_083_000,
  ])('refuses %j', (value) => refused(DateTime, value));

  test.each([
    ['2026-11-22 01:14:43.123456+00', '2026-11-22T01:14:43.123Z'],
    ['2026-11-22 01:14:43.9999+00:00', '2026-11-22T01:14:43.999Z'],
    ['2026-11-22 01:14:43+00', '2026-11-22T01:14:43.000Z'],
    ['2026-11-22 01:14:43.1+00', '2026-11-22T01:14:43.100Z'],
    ['2026-11-22 01:14:43.5+05:30', '2026-11-21T19:44:43.500Z'],
    ['2026-11-22 01:14:43-03', '2026-11-22T04:14:43.000Z'],
    ['1890-01-01 00:00:00+00:53:28', '1889-12-31T23:06:32.000Z'],
    ['2026-11-22T01:14:43.123456Z', '2026-11-22T01:14:43.123Z'],
    [new Date('2026-11-22T01:14:43.12Z'), '2026-11-22T01:14:43.120Z'],
  ])('writes %s', (inner, text) => expect(DateTime.serialize(inner)).toBe(text));

  test.each(['infinity', '-infinity', '0044-03-15 12:00:00+00 BC', '12026-01-01 00:00:00+00', new Date(NaN)])(
    'does not write %s',
    (inner) => expect(() => DateTime.serialize(inner)).toThrow(TypeError),
  );

  test('writes the same instant that it read', () => {
    const dates = fc.date({
      min: new Date('0001-01-02T00:00:00Z'),
      max: new Date('9999-12-30'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(dates, fc.integer({ min: -1439, max: 1439 }), (date, offset) => {
        const sign = offset < 0 ? '-' : '+';
        const clock = new Date(Math.abs(offset) * 60_000).toISOString().slice(11, 16);
        const local = new Date(date.getTime() + offset * 60_000).toISOString();
        fc.pre(/^(?!0000)\d/.test(local));
        const inner: unknown = DateTime.parseValue(local.replace('Z', `${sign}${clock}`));
        expect(DateTime.serialize(inner)).toBe(date.toISOString());
      }),
    );
  });
});

describe('Duration', () => {
  const [second, hour, day] = [1000, 3_600_000, 86_400_000];
  test.each([
    ['PT0S', 'PT0S', 0],
    ['P0D', 'PT0S', 0],
    ['PT15M', 'PT15M', 900 * second],
    ['P90D', 'P90D', 90 * day],
    ['P2W', 'P14D', 14 * day],
    ['P1Y2M3W4DT5H6M7.5S', 'P450DT5H6M7.5S', (365 + 60 + 21 + 4) * day + 5 * hour + 367.5 * second],
    ['PT007.100S', 'PT7.1S', 7100],
    ['P1M', 'P30D', 30 * day],
    ['P12M', 'P360D', 360 * day],
    ['P1Y', 'P365D', 365 * day],
    ['PT36H', 'P1DT12H', 36 * hour],
    ['PT90M', 'PT1H30M', 90 * 60 * second],
    ['PT86400S', 'P1D', day],
    ['P1DT0.001S', 'P1DT0.001S', day + 1],
    ['PT1M', 'PT1M', 60 * second],
    ['P0Y1DT0H', 'P1D', day],
    ['P100Y', 'P36500D', 36_500 * day],
  ])('reads %s', (text, inner, ms) => {
    expect(Duration.parseValue(text)).toBe(inner);
    expect(Duration.serialize(text)).toBe(inner);
    expect(Duration.serialize(inner)).toBe(inner);
    expect(durationMs(text)).toBe(ms);
    expect(durationMs(inner)).toBe(ms);
  });

  test.each([
    ...[
      '',
      'P',
      'PT',
      'P1DT',
      '-P1D',
      'P-1D',
      '+P1D',
      'p1d',
      '1D',
      'P1',
      'P1H',
      'PT1D',
      'P1D2W',
      'PT1.5H',
      'PT1,5S',
    ],
    ...['PT1.2345S', 'PT.5S', 'PT1S ', 'P101Y', 'P999999999999Y', 'P1.5D', 'P36500DT0.001S', 90],
  ])('S20: refuses %j', (value) => refused(Duration, value));

  test('measures nothing that is no duration', () => expect(() => durationMs('-P1D')).toThrow(RangeError));
});

describe('IPRange', () => {
  test('S52: takes an address or block in its one spelling', () => {
    expect(IPRange.parseValue('192.168.1.100')).toBe('192.168.1.100');
    expect(IPRange.parseLiteral({ kind: Kind.STRING, value: '2001:DB8:0:0::1/128' })).toBe('2001:db8::1');
    expect(IPRange.serialize('10.0.0.1/32')).toBe('10.0.0.1');
    refused(IPRange, '10.0.0.1/8');
  });
});

describe('EmailAddress', () => {
  test('keeps the spelling', () =>
    expect(EmailAddress.parseValue('Ada@Example.com')).toBe('Ada@Example.com'));

  test.each([
    'ada',
    'ada@',
    '@example.com',
    'a b@example.com',
    'ada@example.com\n',
    `${'a'.repeat(250)}@x.io`,
  ])('refuses %j', (value) => refused(EmailAddress, value));
});

describe('URL', () => {
  test.each([
    ['https://Example.com', 'https://example.com/'],
    ['http://127.0.0.1:9091/api/?a=b', 'http://127.0.0.1:9091/api/?a=b'],
    ['https://bücher.example/', 'https://xn--bcher-kva.example/'],
  ])('reads %s', (text, inner) => {
    expect(URL.parseValue(text)).toBe(inner);
    expect(URL.serialize(inner)).toBe(inner);
  });

  test.each([
    ...[
      'javascript:alert(1)',
      'ftp://example.com/',
      '//example.com/',
      '/path',
      'https:example.com',
      'https://',
    ],
    ...[
      'https://user:pw@example.com/',
      'https://user@example.com/',
      'https:///example.com',
      'https:\\\\example.com',
    ],
    ...['https://exa\tmple.com/', ' https://example.com/', 'https://a b/', 'https://example.com:99999/'],
    `https://example.com/${'a'.repeat(2048)}`,
  ])('refuses %j', (value) => refused(URL, value));
});

describe('NonNegativeInt', () => {
  test('reads and writes counts', () => {
    expect(NonNegativeInt.parseValue(0)).toBe(0);
    expect(NonNegativeInt.parseLiteral({ kind: Kind.INT, value: '12' })).toBe(12);
    expect(NonNegativeInt.serialize(5_000_000_000)).toBe(5_000_000_000);
    expect(NonNegativeInt.serialize('1000000')).toBe(1_000_000);
  });

  test.each([-1, 1.5, '1', 2 ** 53, Infinity])('refuses %j', (value) => refused(NonNegativeInt, value));
});

function thrown(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
