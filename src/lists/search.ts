import { condition, type Condition } from '../database/database.js';

const shortest = 3;

/**
 * A case-insensitive search for a part of a text that begins with a line break. Parts of one or two characters are
 * looked for at the beginnings of words alone: nothing shorter than three characters can be found by an index elsewhere.
 */
export function searching(text: string, search: string): Condition {
  const escaped = search.replace(/[\\%_]/g, (character) => `\\${character}`);
  if (search.length >= shortest)
    return { ...condition(`${text} LIKE '%' || lower(:search) || '%'`), parameters: { search: escaped } };
  return {
    ...condition(
      `(${text} LIKE '% ' || lower(:search) || '%' OR ${text} LIKE '%' || chr(10) || lower(:search) || '%')`,
    ),
    parameters: { search: escaped },
  };
}
