import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dayMs, duration, durationMs } from '../src/time.js';

test('a length of time has one spelling, which lasts as long', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 36_500 * dayMs }), (ms) => {
      const text = duration(ms);
      expect(durationMs(text)).toBe(ms);
      expect(duration(durationMs(text))).toBe(text);
    }),
  );
});

test('no statement leaves it to the database how long a length is: its months and years are those of the calendar', () => {
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.ts'),
  );
  expect(sources.length).toBeGreaterThan(200);
  const counting = /\binterval '[^']*(day|week|mon|year)|\bAS interval\b|::\s*interval\b|make_interval/i;
  expect(sources.filter((path) => counting.test(readFileSync(join('src', path), 'utf8')))).toEqual([]);
});
