import { parseDictionary, serializeDictionary, serializeInnerList } from 'structured-headers';
import { only, type Headers } from './headers.js';

/** The one member of a dictionary header: structured fields, as RFC 9651 has them. */
export interface Member {
  readonly label: string;
  /** What stands behind the label and its equals sign, character for character. */
  readonly text: string;
  /** A bare item, or the items of an inner list; each with its parameters behind it. */
  readonly value: Parameterized<unknown>;
}

export type Parameterized<T> = readonly [value: T, parameters: ReadonlyMap<string, unknown>];

const longest = 4096;

/**
 * The member of a dictionary header that has exactly one, and is written as RFC 9651 (section 4.1) writes it: parsers
 * drop names that are said twice, and two spellings would be one signature. Undefined for every other header.
 */
export function memberOf(headers: Headers, name: string): Member | undefined {
  const header = only(headers, name);
  if (header === undefined || header.length > longest) return undefined;
  try {
    const members = parseDictionary(header);
    const [first] = members;
    if (!first || members.size > 1 || serializeDictionary(members) !== header) return undefined;
    const [label, value] = first;
    return { label, text: header.slice(label.length + 1), value };
  } catch {
    // It is no dictionary.
    return undefined;
  }
}

/** The 32 bytes that a member is; undefined for everything else, and for one with parameters. */
export function digestIn({ value: [bytes, parameters] }: Member): Buffer | undefined {
  if (!(bytes instanceof ArrayBuffer) || bytes.byteLength !== 32 || parameters.size > 0) return undefined;
  return Buffer.from(bytes);
}

/** A list of names with parameters behind it, as a header has it. */
export const listOf = (
  names: readonly string[],
  parameters: Readonly<Record<string, string | number>>,
): string =>
  serializeInnerList([
    names.map((name) => [name, new Map<string, string>()]),
    new Map(Object.entries(parameters)),
  ]);
