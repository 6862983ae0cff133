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
])('reads «%s» as %s', (text, utc) => {
  expect(instantOf(text)).toBe(utc);
});

test.each(['tomorrow', '2025-03-01', '2025-13-01T09:30:00Z', '2025-03-01T09:30:00 CET', 1_740_821_400, {}])(
  'reads %j as no instant',
  (text) => {
    expect(instantOf(text)).toBeUndefined();
  },
);
