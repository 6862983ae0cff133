import { at } from './answers.js';

/** What an answer says under a name, as `instantOf` reads it; undefined also where it says nothing there. */
export const instantAt = (json: unknown, name: string): string | null | undefined =>
  at(json, name) === undefined ? undefined : instantOf(at(json, name));

/**
 * An instant in any of the vendors' spellings, as RFC 3339 in UTC with milliseconds; null for none. Besides RFC 3339
 * with up to nine digits of a second these are an offset without a colon, a space with the name of the zone, and a
 * number of seconds or milliseconds since 1970. Undefined where it is no instant at all, or none of the years 1 to 9999.
 */
export function instantOf(text: unknown): string | null | undefined {
  if (text === null || text === undefined || text === '') return null;
  if (typeof text === 'number') return text > 0 ? written(text < leastMs ? text * 1000 : text) : undefined;
  const parts = typeof text === 'string' ? spelling.exec(text) : null;
  if (!parts) return undefined;
  const [, date, time, fraction = '', sign, hours, minutes] = parts;
  const offset = sign === undefined ? 'Z' : `${sign}${hours}:${minutes}`;
  const ms = Date.parse(`${date}T${time}.${fraction.padEnd(3, '0').slice(0, 3)}${offset}`);
  return written(ms);
}

/** The database has no year 0, and a year of five digits is written otherwise. */
function written(ms: number): string | undefined {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return undefined;
  const text = date.toISOString();
  return /^(?!0000)\d{4}-/.test(text) ? text : undefined;
}

/** Less than that in milliseconds would be a day in 1970; in seconds it goes beyond the year 2286. */
const leastMs = 10_000_000_000;

const spelling =
  /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z| ?UTC| ?GMT|([+-])(\d\d):?(\d\d))?$/;
