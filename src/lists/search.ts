import { condition, type Condition } from '../database/database.js';

const shortest = 3;

/**
 * A search for a part of a text, whatever the case and however its letters are composed.
 * Parts of one or two characters are looked for at the beginnings of words alone: nothing shorter than three characters
 * can be found by an index elsewhere.
 * @param text in the form that the database's `keyway_words` gives, which has every word at the beginning of a line.
 */
export function searching(text: string, search: string): Condition {
  // Before what LIKE reads is escaped: there are other ways to write a percent sign.
  const composed = search.normalize('NFKC');
  const from = [...composed].length < shortest ? "'%' || chr(10)" : "'%'";
  return {
    ...condition(`${text} LIKE ${from} || keyway_words(:search) || '%'`),
    parameters: { search: composed.replace(/[\\%_]/g, (character) => `\\${character}`) },
  };
}
