import { readFileSync } from 'node:fs';
import { instantOf } from '../../src/connectors/times.js';

interface Spelling {
  system: string;
  text: string | null;
  utc: string | null;
}

const { cases } = JSON.parse(readFileSync('test/vectors/timestamps.json', 'utf8')) as { cases: Spelling[] };

test.each(cases)('reads «$text» of $system as $utc', ({ text, utc }) => {
  expect(instantOf(text)).toBe(utc);
});

test.each([
  ['2025-03-01T09:30:00+02:00', '2025-03-01T07:30:00.000Z'],
  ['2025-03-01T09:30:00.123456789-0130', '2025-03-01T11:00:00.123Z'],
  ['2025-03-01 09:30:00 GMT', '2025-03-01T09:30:00.000Z'],
  ['2025-03-01T09:30:00.5', '2025-03-01T09:30:00.500Z'],
  [1_740_821_400, '2025-03-01T09:30:00.000Z'],
  [1_740_821_400_123, '2025-03-01T09:30:00.123Z'],
])('reads «%s» as %s', (text, utc) => {
  expect(instantOf(text)).toBe(utc);
});

test.each([
  'tomorrow',
  '2025-03-01',
  '2025-13-01T09:30:00Z',
  '2025-03-01T09:30:00 CET',
  '10000-01-01T00:00:00Z',
  '9999-12-31T23:59:59-01:00',
  '0000-12-31T23:59:59Z',
  253_402_300_800_000,
  -1,
  NaN,
  {},
])('reads %j as no instant', (text) => {
  expect(instantOf(text)).toBeUndefined();
});
