import { retryAfterMs } from '../../src/connectors/retry-after.js';

const date = 'Sun, 06 Nov 1994 08:49:30 GMT';
const asked = (value: string | undefined, sent: string | undefined = date) =>
  retryAfterMs({ headers: { 'retry-after': value, date: sent } });

test.each([
  ['0', 0],
  ['7', 7_000],
  ['3600', 3_600_000],
  ['3601', 3_600_000],
  ['1000000', 3_600_000],
  ['9'.repeat(400), 3_600_000],
  ['Sun, 06 Nov 1994 08:49:37 GMT', 7_000],
  ['Sunday, 06-Nov-94 08:49:37 GMT', 7_000],
  ['Sun Nov  6 08:49:37 1994', 7_000],
  ['Sun, 06 Nov 1994 08:49:30 GMT', 0],
  ['Fri, 06 Nov 2009 08:49:37 GMT', 3_600_000],
])('«%s» asks for %i ms', (value, ms) => {
  expect(asked(value)).toBe(ms);
});

test.each([
  undefined,
  ...['', '-1', '1.5', '+5', 'soon', '1e3', '1994-11-06T08:49:37Z', 'Sun, 06 Nov 1994 08:49:37'],
  ...['Sun, 99 Nov 1994 08:49:37 GMT', 'Sun, 06 Nov 1994 08:49:29 GMT'],
])('«%s» asks for nothing', (value) => {
  expect(asked(value)).toBeUndefined();
});

test.each([undefined, 'yesterday'])('a date is reckoned from now where the answer’s own is «%s»', (sent) => {
  const value = new Date(Date.now() + 60_000).toUTCString();
  expect(asked(value, sent ?? '')).toBeGreaterThan(50_000);
  expect(asked(value, sent ?? '')).toBeLessThanOrEqual(60_000);
});
