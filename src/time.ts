/** Milliseconds since 1970 of an instant, in PostgreSQL's spelling of UTC or in that of RFC 3339. */
export const instantMs = (text: string): number =>
  Date.parse(text.replace(' ', 'T').replace(/\+00(:00)?$/, 'Z'));

/** An instant, given in milliseconds since 1970, as RFC 3339 text in UTC. */
export const instant = (ms: number): string => new Date(ms).toISOString();

/** A day of 24 hours, in milliseconds. */
export const dayMs = 86_400_000;

/**
 * How long an ISO 8601 duration lasts, in milliseconds; a year is 365 days and a month 30. This is the one place that
 * says so: the database, where a month is one of the calendar, is only ever given milliseconds.
 * @throws RangeError for text that is no duration.
 */
export function durationMs(text: string): number {
  const counts = iso8601.exec(text)?.slice(1);
  if (!counts) throw new RangeError('not a duration');
  return Math.round(unitsMs.reduce((sum, unitMs, index) => sum + unitMs * Number(counts[index] ?? 0), 0));
}

/** A length of time, given in milliseconds, in its one spelling: days, hours, minutes and seconds, as in P1DT12H. */
export function duration(ms: number): string {
  let rest = ms;
  const spell = ([unitMs, suffix]: readonly [number, string]) => {
    const count = suffix === 'S' ? rest / unitMs : Math.floor(rest / unitMs);
    rest -= count * unitMs;
    return count === 0 ? '' : `${count}${suffix}`;
  };
  const [days = '', ...ofDay] = spelled.map(spell);
  const time = ofDay.join('');
  return `P${days}${time && `T${time}`}`.replace(/^P$/, 'PT0S');
}

const [hourMs, minuteMs, secondMs] = [3_600_000, 60_000, 1000] as const;
const unitsMs = [365 * dayMs, 30 * dayMs, 7 * dayMs, dayMs, hourMs, minuteMs, secondMs];
const spelled = [
  [dayMs, 'D'],
  [hourMs, 'H'],
  [minuteMs, 'M'],
  [secondMs, 'S'],
] as const;
const iso8601 =
  /^P(?=[\dT])(?:(\d{1,12})Y)?(?:(\d{1,12})M)?(?:(\d{1,12})W)?(?:(\d{1,12})D)?(?:T(?=\d)(?:(\d{1,12})H)?(?:(\d{1,12})M)?(?:(\d{1,12}(?:\.\d{1,3})?)S)?)?$/;
