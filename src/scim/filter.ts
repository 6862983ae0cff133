import { unfit } from './refusal.js';

/** What a filter compares an attribute with. */
export type FilterValue = string | number | boolean | null;

/** How a filter compares (RFC 7644, section 3.4.2.2), but for the order of values, which nothing here has. */
export type Comparison = 'eq' | 'ne' | 'co' | 'sw' | 'ew';

/** A filter, read. Attributes are in small letters, without the name of a schema. */
export type Filter =
  | { readonly is: Comparison; readonly attribute: string; readonly value: FilterValue }
  | { readonly is: 'pr'; readonly attribute: string }
  | { readonly is: 'and' | 'or'; readonly all: readonly Filter[] }
  | { readonly is: 'not'; readonly of: Filter };

/** Comparisons of one filter: identity providers ask for one or two. */
const mostComparisons = 20;

const comparisons: readonly Comparison[] = ['eq', 'ne', 'co', 'sw', 'ew'];

/**
 * Reads a filter as RFC 7644, section 3.4.2.2, has it, without attributes in brackets.
 * @throws ScimRefusal invalidFilter for any other text, for an order (`gt`, `ge`, `lt`, `le`), and for one with more than
 * 20 comparisons or parentheses
 */
export function readFilter(text: string): Filter {
  const tokens = tokensOf(text);
  let at = 0;
  let comparing = 0;
  const word = () => tokens[at]?.toLowerCase();
  const take = () => {
    const token = tokens[at++];
    if (token === undefined) throw unreadable();
    return token;
  };

  const listOf = (is: 'and' | 'or', part: () => Filter): Filter => {
    const first = part();
    const all = [first];
    for (; word() === is;) {
      at++;
      all.push(part());
    }
    return all.length === 1 ? first : { is, all };
  };
  const either = (): Filter => listOf('or', both);
  const both = (): Filter => listOf('and', one);
  const grouped = (): Filter => {
    if (take() !== '(') throw unreadable();
    const inner = either();
    if (take() !== ')') throw unreadable();
    return inner;
  };

  function one(): Filter {
    if (++comparing > mostComparisons) throw unfit('invalidFilter', 'The filter has too many comparisons.');
    if (word() === '(') return grouped();
    if (word() === 'not' && tokens[at + 1] === '(') {
      at++;
      return { is: 'not', of: grouped() };
    }
    const attribute = attributeIn(take());
    const operator = take().toLowerCase();
    if (operator === 'pr') return { is: 'pr', attribute };
    const is = comparisons.find((known) => known === operator);
    if (!is) throw unfit('invalidFilter', 'The filter compares by what is not known here.');
    return { is, attribute, value: valueIn(take()) };
  }

  const filter = either();
  if (at < tokens.length) throw unreadable();
  return filter;
}

/**
 * The name of an attribute in small letters, without the schema of users or groups before it.
 * @throws ScimRefusal invalidFilter for what is none
 */
function attributeIn(token: string): string {
  const name = withoutSchema(token);
  if (!/^[a-z$][\w$-]*(\.[a-z$][\w$-]*)?$/.test(name)) throw unreadable();
  return name;
}

/** An attribute in small letters, without the name of a schema of ours before it. */
export const withoutSchema = (name: string): string =>
  name.toLowerCase().replace(/^urn:ietf:params:scim:schemas:core:2\.0:(user|group):/, '');

/** Whether this is the name of a schema of ours, in whatever case. */
export const isOwnSchema = (name: string): boolean =>
  /^urn:ietf:params:scim:schemas:core:2\.0:(user|group)$/i.test(name);

function valueIn(token: string): FilterValue {
  if (!/^("|-?\d|true$|false$|null$)/i.test(token)) throw unreadable();
  try {
    return JSON.parse(token.startsWith('"') ? token : token.toLowerCase()) as FilterValue;
  } catch {
    throw unreadable();
  }
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  const next = /\s*(?:([()])|("(?:[^"\\]|\\.)*")|([^\s()"]+))/suy;
  const end = text.trimEnd().length;
  while (next.lastIndex < end) {
    const match = next.exec(text);
    if (!match) throw unreadable();
    tokens.push(match[1] ?? match[2] ?? match[3] ?? '');
  }
  return tokens;
}

const unreadable = () => unfit('invalidFilter', 'The filter cannot be read.');
