import { at } from './answers.js';

/** What an answer says under a name, as `instantOf` reads it; undefined also where it says nothing there. */
export const instantAt = (json: unknown, name: string): string | null | undefined =>
  at(json, name) === undefined ? undefined : instantOf(at(json, name));

/**
 * An instant in any of the vendors' spellings, as RFC 3339 in UTC with milliseconds; null for none. Besides RFC 3339
 * with up to nine digits of a second these are an offset without a colon, and a space with the name of the zone.
 * Undefined where it is no instant at all.
 */
export function instantOf(text: unknown): string | null | undefined {
  if (text === null || text === undefined || text === '') return null;
  const parts = typeof text === 'string' ? spelling.exec(text) : null;
  if (!parts) return undefined;
  const [, date, time, fraction = '', sign, hours, minutes] = parts;
  const offset = sign === undefined ? 'Z' : `${sign}${hours}:${minutes}`;
  const ms = Date.parse(`${date}T${time}.${fraction.padEnd(3, '0').slice(0, 3)}${offset}`);
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}

const spelling =
  /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z| ?UTC| ?GMT|([+-])(\d\d):?(\d\d))?$/;
