import type { RequestContext } from '../access/context.js';
import { largestPage } from '../config/limits.js';
import type { Condition } from '../database/database.js';
import { readFilter, type Filter } from './filter.js';
import { unfit } from './refusal.js';
import type { Resource } from './user.js';

export const listSchema = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';

/**
 * How many resources a page may begin behind. SCIM counts pages by the number of their first resource, and the database walks
 * over all that are before it.
 */
export const mostSkipped = 100_000;

/** What is asked of a list (RFC 7644, section 3.4.2). */
export interface ListQuestion {
  readonly filter: Filter | undefined;
  /** From 1 on. */
  readonly startIndex: number;
  /** 0 asks only how many there are. */
  readonly count: number;
}

/** A page, and how many there are in all. */
export interface Listed<Row> {
  readonly rows: readonly Row[];
  readonly total: number;
}

/**
 * What the parameters of an address ask for. What is sorted by is passed over, as RFC 7644, section 3.4.2.3, has it where
 * sorting is not supported.
 * @throws ScimRefusal invalidFilter, invalidValue, and tooMany for a page that begins too far behind
 */
export function readAsked(search: URLSearchParams): ListQuestion {
  const filter = search.get('filter');
  const startIndex = Math.max(1, wholeIn(search, 'startIndex', 1));
  if (startIndex > mostSkipped + 1)
    throw unfit('tooMany', `A page begins at most at ${mostSkipped + 1}: ask by a filter.`);
  return {
    filter: filter === null || filter.trim() === '' ? undefined : readFilter(filter),
    startIndex,
    count: Math.min(largestPage, Math.max(0, wholeIn(search, 'count', largestPage))),
  };
}

function wholeIn(search: URLSearchParams, name: string, usual: number): number {
  const text = search.get(name);
  if (text === null || text === '') return usual;
  if (!/^-?\d{1,9}$/.test(text)) throw unfit('invalidValue', `${name} must be a whole number.`);
  return Number(text);
}

/** A page by two statements, or by one where that page is all there is. Its rows are read with SQL of these parts. */
export async function listed<Row extends object>(
  { db }: RequestContext,
  { name, columns, from, order }: { name: string; columns: string; from: string; order: string },
  where: Condition,
  { startIndex, count }: ListQuestion,
): Promise<Listed<Row>> {
  const page = db.statement(
    `scim page of ${name}:${where.shape}`,
    () => `SELECT ${columns} FROM ${from} WHERE ${where.sql}
      ORDER BY ${order} LIMIT CAST(:count AS integer) OFFSET CAST(:skipped AS integer)`,
    undefined,
    false,
  );
  const skipped = startIndex - 1;
  const rows = count === 0 ? [] : await db.rows<Row>(page, { ...where.parameters, count, skipped });
  if (skipped === 0 && rows.length < count) return { rows, total: rows.length };
  const all = db.statement(
    `scim count of ${name}:${where.shape}`,
    () => `SELECT CAST(count(*) AS integer) AS total FROM ${from} WHERE ${where.sql}`,
    undefined,
    false,
  );
  const [counted] = await db.rows<{ total: number }>(all, where.parameters);
  return { rows, total: counted?.total ?? 0 };
}

/** A page as SCIM has it. */
export const listResponse = (resources: readonly Resource[], total: number, startIndex = 1): Resource => ({
  schemas: [listSchema],
  totalResults: total,
  startIndex,
  itemsPerPage: resources.length,
  Resources: resources,
});

/** Which attributes are answered with, and which are not (RFC 7644, section 3.9). */
export interface WantedAttributes {
  readonly only: readonly string[] | undefined;
  readonly without: readonly string[];
}

export function readWanted(search: URLSearchParams): WantedAttributes {
  const names = (name: string) =>
    search
      .getAll(name)
      .flatMap((text) => text.split(','))
      .map((text) =>
        text
          .trim()
          .toLowerCase()
          .replace(/^urn:ietf:params:scim:schemas:core:2\.0:(user|group):/, ''),
      )
      .filter((text) => text !== '');
  const only = names('attributes');
  return { only: only.length > 0 ? only : undefined, without: names('excludedAttributes') };
}

/** Whether an attribute is asked for, by its name in small letters. */
export const isWanted = ({ only, without }: WantedAttributes, name: string): boolean =>
  only ? only.some((one) => one === name || one.startsWith(`${name}.`)) : !without.includes(name);

/** The resource with what is asked for alone; `id` and `schemas` are in every answer. */
export function selected(resource: Resource, wanted: WantedAttributes): Resource {
  if (!wanted.only && wanted.without.length === 0) return resource;
  return Object.fromEntries(
    Object.entries(resource).filter(
      ([name]) => name === 'id' || name === 'schemas' || isWanted(wanted, name.toLowerCase()),
    ),
  );
}
