import { texts } from '../texts.ts';

const units = [
  ['years', 'year'],
  ['months', 'month'],
  ['weeks', 'week'],
  ['days', 'day'],
  ['hours', 'hour'],
  ['minutes', 'minute'],
  ['seconds', 'second'],
] as const;

/** @returns an ISO 8601 duration in words: `P1DT12H` as `1 day 12 hours`; as it is, where it is none. */
export function durationInWords(duration: string): string {
  const match =
    /^P(?:(?<years>\d+)Y)?(?:(?<months>\d+)M)?(?:(?<weeks>\d+)W)?(?:(?<days>\d+)D)?(?:T(?:(?<hours>\d+)H)?(?:(?<minutes>\d+)M)?(?:(?<seconds>[\d.]+)S)?)?$/.exec(
      duration,
    );
  if (!match?.groups) return duration;
  const { groups } = match;
  const words = units
    .filter(([group]) => groups[group] !== undefined)
    .map(([group, unit]) => inUnit(Number(groups[group]), unit));
  return words.length > 0 ? words.join(' ') : duration;
}

const inUnit = (value: number, unit: string) =>
  new Intl.NumberFormat(texts.locale, { style: 'unit', unit, unitDisplay: 'long' }).format(value);
