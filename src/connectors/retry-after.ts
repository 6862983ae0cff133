import type { StoreAnswer } from './connector.js';

/** However long a store asks for, it is asked again after this. */
const longestMs = 3_600_000;

/**
 * How long a store asks to be left alone (RFC 9110, section 10.2.3): in seconds, or until a date, which is reckoned from
 * the answer's own, so that no two clocks are compared. At most an hour; undefined where it says nothing that holds.
 */
export function retryAfterMs({ headers }: Pick<StoreAnswer, 'headers'>): number | undefined {
  const value = headers['retry-after'];
  if (typeof value !== 'string') return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : dateOf(value) - sentAt(headers['date']);
  return ms >= 0 ? Math.min(ms, longestMs) : undefined;
}

const sentAt = (date: StoreAnswer['headers'][string]): number => {
  const ms = typeof date === 'string' ? dateOf(date) : NaN;
  return Number.isNaN(ms) ? Date.now() : ms;
};

/** A date in any of the three forms of HTTP (section 5.6.7), in milliseconds since 1970; NaN for anything else. */
function dateOf(text: string): number {
  if (usual.test(text) || older.test(text)) return Date.parse(text);
  // In the oldest form the zone is not written down.
  return oldest.test(text) ? Date.parse(`${text} GMT`) : NaN;
}

const usual = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;
const older = /^[A-Z][a-z]{5,8}, \d\d-[A-Z][a-z]{2}-\d\d \d\d:\d\d:\d\d GMT$/;
const oldest = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/;
