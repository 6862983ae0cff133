import { wrongUsage } from './failure.js';
import { findId, type Findable } from './find.js';
import type { CommandSession } from './session.js';
import { flagOf, isFields, type Fields } from './terminal/texts.js';

/** What a flag's value is: as it stands, of the words of an enum, or the name or id of something that the graph knows. */
export type FlagKind =
  'text' | 'number' | 'boolean' | 'enum' | 'duration' | 'time' | 'time-ago' | Findable | 'json';

/** A flag or an argument, and the place in the variables that its value goes to. */
export interface Flag {
  /** The place, such as `filter.expiresBefore`. */
  readonly path: string;
  readonly name: string;
  readonly kind: FlagKind;
  readonly does: string;
  /** Whether it may be given several times, for a list. */
  readonly isList: boolean;
  readonly isRequired: boolean;
}

/** A flag that is named as the last part of its path, and taken as it stands, unless it is said otherwise. */
export const flag = (
  path: string,
  does: string,
  { kind = 'text', name, isList = false, isRequired = false }: Partial<Omit<Flag, 'path' | 'does'>> = {},
): Flag => ({
  path,
  does,
  kind,
  name: name ?? flagOf(path.split('.').at(-1) ?? path),
  isList,
  isRequired,
});

/**
 * The variables that the flags say; names in them are looked up.
 * @param given what was typed, by the names of the flags in camel case
 * @throws BAD_USER_INPUT with the flag's name for what cannot be its value, NOT_FOUND for a name that nothing has
 */
export async function variablesFrom(
  session: CommandSession,
  flags: readonly Flag[],
  given: Fields,
): Promise<Fields> {
  let variables: Fields = {};
  for (const one of flags) {
    const value = given[camel(one.name)];
    if (value === undefined) continue;
    const values = Array.isArray(value) ? (value as string[]) : [value as string];
    const read: unknown[] = [];
    for (const text of values) read.push(await valueOf(session, one, text));
    variables = withValue(variables, one.path.split('.'), one.isList ? read : read[0]);
  }
  return variables;
}

/** The variables with a value at a place; what is on the way there is made. */
export function withValue(
  variables: Fields,
  [first = '', ...rest]: readonly string[],
  value: unknown,
): Fields {
  const inner = variables[first];
  return {
    ...variables,
    [first]: rest.length === 0 ? value : withValue(isFields(inner) ? inner : {}, rest, value),
  };
}

/** `expires-at` as commander and the graph have it: `expiresAt`. */
export const camel = (name: string): string =>
  name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

/** `access-key` as an enum of the graph has it: `ACCESS_KEY`. */
export const enumOf = (word: string): string => word.replaceAll('-', '_').toUpperCase();

async function valueOf(
  session: CommandSession,
  { kind, name: called, isRequired }: Flag,
  text: string,
): Promise<unknown> {
  // What must be there is an argument, and has no hyphens.
  const name = isRequired ? called : `--${called}`;
  switch (kind) {
    case 'text':
      return text;
    case 'number':
      if (!/^-?\d{1,15}$/.test(text)) throw wrongUsage(name, 'must be a whole number');
      return Number(text);
    case 'boolean':
      if (text !== 'true' && text !== 'false') throw wrongUsage(name, 'must be true or false');
      return text === 'true';
    case 'enum':
      if (!/^[A-Za-z][\w-]*$/.test(text)) throw wrongUsage(name, 'must be a word such as access-key');
      return enumOf(text);
    case 'duration':
      return durationOf(text);
    case 'time':
      return timeOf(text, 1);
    case 'time-ago':
      return timeOf(text, -1);
    case 'json':
      return jsonOf(text, name);
    default:
      return findId(session, kind, text, name);
  }
}

/** What a text of JSON says. @throws BAD_USER_INPUT by the name of where it came from */
export function jsonOf(text: string, name: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw wrongUsage(name, 'must be JSON');
  }
}

const unitMs: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `90d` for people, `P90D` for the graph; what is of another form, the graph reads. */
function durationOf(text: string): string {
  const [, count, unit = ''] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  if (count === undefined) return text;
  return 'dw'.includes(unit) ? `P${count}${unit.toUpperCase()}` : `PT${count}${unit.toUpperCase()}`;
}

/** `30d` is so long from now, or ago; what is of another form, the graph reads. */
function timeOf(text: string, direction: 1 | -1): string {
  const [, count, unit = ''] = /^(\d{1,6})([smhdw])$/.exec(text) ?? [];
  if (count === undefined) return text;
  return new Date(Date.now() + direction * Number(count) * (unitMs[unit] ?? 0)).toISOString();
}
