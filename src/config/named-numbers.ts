/** The least, the usual and the most that a number can be set to. */
export type NumberRange = readonly [least: number, usual: number, most: number];

/**
 * Reads numbers such as `depth=10,cost=20000`.
 * @param orNone what 0 stands for, where it may be given too
 * @returns those that are named, and what is wrong with the text, without its values
 */
export function readNamedNumbers<Name extends string>(
  text: string,
  ranges: Readonly<Record<Name, NumberRange>>,
  example: string,
  orNone?: string,
): { given: ReadonlyMap<Name, number>; faults: string[] } {
  const faults: string[] = [];
  const given = new Map<Name, number>();
  for (const part of text.split(',').flatMap((item) => item.trim() || [])) {
    const [, name = '', digits = ''] = /^([A-Za-z]+)=(\d{1,10})$/.exec(part) ?? [];
    const known = Object.hasOwn(ranges, name) ? (name as Name) : undefined;
    const value = Number(digits);
    if (!known) faults.push(`must be a list such as ${example}, of ${Object.keys(ranges).join(', ')}`);
    else if (given.has(known)) faults.push(`must name ${name} once`);
    else if (!isWithin(value, ranges[known]) && !(value === 0 && orNone !== undefined))
      faults.push(`must have ${name} from ${ranges[known][0]} to ${ranges[known][2]}${or(orNone)}`);
    else given.set(known, value);
  }
  return { given, faults };
}

const isWithin = (value: number, [least, , most]: NumberRange) => value >= least && value <= most;
const or = (none: string | undefined) => (none === undefined ? '' : `, or 0 for ${none}`);
