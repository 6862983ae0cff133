import type { Condition } from '../database/database.js';
import { parseId } from '../ids.js';
import { keyOfName } from './directory.js';
import type { Comparison, Filter, FilterValue } from './filter.js';
import { unfit } from './refusal.js';

/** How an attribute is compared: letter by letter, as a name, as an id of a row, or as yes and no. */
export interface Comparable {
  /** SQL for its value; of a name, for what it is compared by. */
  readonly sql: string;
  readonly as: 'text' | 'name' | 'account' | 'uuid' | 'boolean';
}

/** The attributes that a list may be filtered by, in small letters. */
export type Comparables = Readonly<Record<string, Comparable>>;

/**
 * The condition that a filter stands for.
 * @throws ScimRefusal invalidFilter for an attribute that is not among these, and for a value or a comparison that it
 * cannot have
 */
export function filtering(filter: Filter, known: Comparables): Condition {
  const parameters: Record<string, string | boolean> = {};
  const given = (value: string | boolean) => {
    const name = `filter${Object.keys(parameters).length}`;
    parameters[name] = value;
    return `:${name}`;
  };

  function sqlOf(one: Filter): string {
    if ('all' in one) return `(${one.all.map(sqlOf).join(` ${one.is} `)})`;
    if (one.is === 'not') return `(${sqlOf(one.of)}) IS NOT TRUE`;
    const attribute = Object.hasOwn(known, one.attribute) ? known[one.attribute] : undefined;
    if (!attribute)
      throw unfit('invalidFilter', 'The filter is about an attribute that lists cannot be filtered by.');
    if (one.is === 'pr') return `${attribute.sql} IS NOT NULL`;
    return compared(attribute, one.is, one.value);
  }

  function compared({ sql, as }: Comparable, is: Comparison, value: FilterValue): string {
    if (is === 'ne') return `(${compared({ sql, as }, 'eq', value)}) IS NOT TRUE`;
    if (value === null && is === 'eq') return `${sql} IS NULL`;
    if (as === 'boolean') {
      const truth = truthOf(value);
      if (truth === undefined || is !== 'eq') throw misfit();
      return `${sql} = CAST(${given(truth)} AS boolean)`;
    }
    if (typeof value !== 'string' || value.includes('\0')) throw misfit();
    if (as === 'account' || as === 'uuid') {
      if (is !== 'eq') throw misfit();
      const uuid = as === 'account' ? accountIn(value) : uuidIn(value);
      return uuid === undefined ? 'false' : `${sql} = CAST(${given(uuid)} AS uuid)`;
    }
    const text = as === 'name' ? keyOfName(value) : value;
    if (is === 'eq') return `${sql} = CAST(${given(text)} AS text)`;
    const escaped = text.replace(/[\\%_]/g, (character) => `\\${character}`);
    const pattern = `${is === 'sw' ? '' : '%'}${escaped}${is === 'ew' ? '' : '%'}`;
    return `${sql} LIKE CAST(${given(pattern)} AS text)`;
  }

  const sql = sqlOf(filter);
  return { sql, parameters, shape: sql };
}

/** Entra sends yes and no as text. */
export function truthOf(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  const text = typeof value === 'string' ? value.toLowerCase() : '';
  return text === 'true' ? true : text === 'false' ? false : undefined;
}

/** The UUID of an account by its public id; undefined for what is none. */
export function accountIn(id: string): string | undefined {
  const parsed = parseId(id);
  return parsed?.type === 'Account' ? parsed.uuid : undefined;
}

/** A UUID, as groups are called by; undefined for what is none. */
export const uuidIn = (id: string): string | undefined =>
  /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) ? id : undefined;

const misfit = () => unfit('invalidFilter', 'The filter compares an attribute with what it cannot be.');
