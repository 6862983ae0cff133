import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql';
import { GraphQLEmailAddress } from 'graphql-scalars';
import { URL as WebAddress } from 'node:url';
import { canonicalRange } from '../access/addresses.js';
import { longestDuration } from '../config/limits.js';
import { duration, durationMs } from '../time.js';

/**
 * A value that a scalar of ours does not take. The message tells what it takes, never the value. It is a GraphQLError
 * because graphql-js writes the submitted value around any other.
 */
export class ScalarRefusal extends GraphQLError {
  constructor(message: string, node?: ValueNode) {
    super(message, { nodes: node, extensions: { code: 'BAD_USER_INPUT' } });
  }
}

/** An instant. Inside, it is RFC 3339 text in UTC with three or six digits of a second. */
export const DateTime = textScalar({
  name: 'DateTime',
  description:
    'A date and time as in RFC 3339 (ISO 8601): `2026-11-22T01:14:43.123Z`. Answers are in UTC, with milliseconds. Inputs may have any offset from UTC, but must have one (or `Z`).',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339',
  expected: 'an instant as in RFC 3339, with an offset or Z, between the years 1 and 9999',
  read: readInstant,
  write: writeInstant,
});

/** A day of UTC. Inside, it is text as it is outside. */
export const Day = textScalar({
  name: 'Date',
  description: 'A day of UTC as in RFC 3339 (ISO 8601): `2026-11-22`.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339#section-5.6',
  expected: 'a day as in RFC 3339, between the years 1 and 9999',
  read: (text) => (/^\d{4}-\d\d-\d\d$/.test(text) && utcSeconds(text, '00:00:00', 0) ? text : undefined),
});

/** A length of time. Inside, it is text in its one spelling, so that equal lengths are equal. */
export const Duration = textScalar({
  name: 'Duration',
  description:
    'An ISO 8601 duration: `PT15M` is 15 minutes, `P90D` is 90 days. A year counts as 365 days and a month as 30. At most 100 years, never negative. Answers use days, hours, minutes and seconds only: `P1Y` is answered as `P365D`.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339#appendix-A',
  expected: `a duration as in ISO 8601, not negative and at most ${longestDuration}`,
  read: readDuration,
});

/** One address or block of addresses, in its one spelling. */
export const IPRange = textScalar({
  name: 'IPRange',
  description:
    'One address or CIDR block, IPv4 or IPv6: `192.168.1.100`, `10.0.0.0/8`, `2001:db8::/32`. A block must be written with its first address. Leading zeros and IPv4 addresses inside IPv6 addresses are refused.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc4632',
  expected: 'an IPv4 or IPv6 address, or a CIDR block that starts at its first address',
  read: canonicalRange,
});

/** An e-mail address, kept as it was written. */
export const EmailAddress = textScalar({
  name: 'EmailAddress',
  description: 'An e-mail address as HTML defines it, at most 254 characters: `ada@example.com`.',
  specifiedByURL: 'https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address',
  expected: 'an e-mail address',
  read: readEmailAddress,
});

/** An http or https address, in its one spelling. */
export const URL = textScalar({
  name: 'URL',
  description:
    'An absolute URL that starts with `https://` or `http://`, without a user name or password in it, at most 2048 characters.',
  specifiedByURL: 'https://url.spec.whatwg.org/',
  expected: 'an absolute http or https address without a user name or password',
  read: readWebAddress,
});

/** A count. */
export const NonNegativeInt = new GraphQLScalarType<number, number>({
  name: 'NonNegativeInt',
  description: 'A whole number of 0 or more. It can be larger than an `Int`.',
  serialize: (value) => {
    // PostgreSQL's counts are bigint, which its driver hands over as text.
    const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
    if (!isCount(number)) throw new TypeError('NonNegativeInt: this value cannot be written');
    return number;
  },
  parseValue: (value) => {
    if (!isCount(value)) throw refusal('a whole number that is not negative');
    return value;
  },
  parseLiteral: (node) => {
    const value = node.kind === Kind.INT ? Number(node.value) : undefined;
    if (!isCount(value)) throw refusal('a whole number that is not negative', node);
    return value;
  },
});

interface TextScalar {
  name: string;
  description: string;
  specifiedByURL: string;
  expected: string;
  /** The inner value of what a caller sent; undefined refuses it. */
  read(text: string): string | undefined;
  /** The outer form of an inner value, where `read` does not give it. */
  write?(value: unknown): string | undefined;
}

function textScalar(scalar: TextScalar): GraphQLScalarType<string, string> {
  const read = (value: unknown) => (typeof value === 'string' ? scalar.read(value) : undefined);
  return new GraphQLScalarType<string, string>({
    name: scalar.name,
    description: scalar.description,
    specifiedByURL: scalar.specifiedByURL,
    serialize: (value) => {
      const text = scalar.write ? scalar.write(value) : read(value);
      if (text === undefined) throw new TypeError(`${scalar.name}: this value cannot be written`);
      return text;
    },
    parseValue: (value) => {
      const text = read(value);
      if (text === undefined) throw refusal(scalar.expected);
      return text;
    },
    parseLiteral: (node) => {
      const text = node.kind === Kind.STRING ? read(node.value) : undefined;
      if (text === undefined) throw refusal(scalar.expected, node);
      return text;
    },
  });
}

const refusal = (expected: string, node?: ValueNode) => new ScalarRefusal(`must be ${expected}`, node);

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

const rfc3339 = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d+))?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))$/i;

function readInstant(text: string): string | undefined {
  const [, date = '', time = '', fraction = '', sign, hours, minutes] = rfc3339.exec(text) ?? [];
  const offset = (sign === '-' ? -60_000 : 60_000) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0));
  const seconds = utcSeconds(date, time, offset);
  if (seconds === undefined) return undefined;
  const micros = fraction.slice(0, 6).padEnd(6, '0');
  return `${seconds}.${micros.endsWith('000') ? micros.slice(0, 3) : micros}Z`;
}

const writtenInUtc = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:Z|\+00(?::?00)?)$/;
const writtenElsewhere =
  /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d+))?([+-])(\d\d)(?::?(\d\d))?(?::(\d\d))?$/;

function writeInstant(value: unknown): string | undefined {
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? undefined : readInstant(value.toISOString());
  if (typeof value !== 'string') return undefined;
  // A page of credentials has hundreds of these, and PostgreSQL has checked them: no Date in between.
  const utc = writtenInUtc.exec(value);
  if (utc) return `${utc[1]}T${utc[2]}.${millis(utc[3])}Z`;
  const [, date = '', time = '', fraction, sign, hours, minutes, seconds] =
    writtenElsewhere.exec(value) ?? [];
  const offset = Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
  const shifted = utcSeconds(date, time, (sign === '-' ? -1000 : 1000) * offset);
  return shifted === undefined ? undefined : `${shifted}.${millis(fraction)}Z`;
}

const millis = (fraction = '') => fraction.slice(0, 3).padEnd(3, '0');

function utcSeconds(date: string, time: string, offsetMs: number): string | undefined {
  const local = Date.parse(`${date}T${time}Z`);
  // Date rolls 30 February over to March, and 24:00 to the next day.
  if (Number.isNaN(local) || !new Date(local).toISOString().startsWith(`${date}T${time}`)) return undefined;
  const utc = new Date(local - offsetMs).toISOString();
  return /^(?!0000)\d{4}-/.test(utc) ? utc.slice(0, 19) : undefined;
}

const longestMs = durationMs(longestDuration);

function readDuration(text: string): string | undefined {
  try {
    const ms = durationMs(text);
    return ms <= longestMs ? duration(ms) : undefined;
  } catch {
    return undefined;
  }
}

function readEmailAddress(text: string): string | undefined {
  if (text.length > 254) return undefined;
  try {
    return GraphQLEmailAddress.parseValue(text);
  } catch {
    return undefined;
  }
}

function readWebAddress(text: string): string | undefined {
  // The parser of browsers drops tabs and line ends and repairs slashes; what it would repair is refused.
  if (text.length > 2048 || !/^https?:\/\/[^/\\]/i.test(text) || /[\s\\\p{Cc}\p{Cs}]/u.test(text))
    return undefined;
  if (!WebAddress.canParse(text)) return undefined;
  const address = new WebAddress(text);
  return address.username === '' && address.password === '' ? address.href : undefined;
}
