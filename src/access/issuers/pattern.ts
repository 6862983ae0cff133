import { mostWildcards } from '../../config/limits.js';

/**
 * A pattern of subjects. `*` stands for one or more characters other than `/` and `:`, which divide the names that issuers
 * give, and `**` for one or more of any. All else stands for itself; there is no way to mean a star.
 */
export interface SubjectPattern {
  /** What stands before the first star: every subject that matches begins with it. */
  prefix: string;
  /** The same as a regular expression of PostgreSQL's. */
  expression: string;
}

/**
 * The pattern in a text; or, in words, what is wrong with it. Two names have to stand before the first star, each with a `/`
 * or `:` behind it: it is in them that issuers say whose something is (`repo:acme/`, `system:serviceaccount:`,
 * `spiffe://acme/`), and what comes before is the same for all the world.
 */
export function readPattern(text: string): SubjectPattern | string {
  const parts = partsOf(text);
  const stars = parts.filter(isStars).length;
  if (stars === 0) return 'must have a * in it, as a pattern';
  if (stars > mostWildcards) return `must have at most ${mostWildcards} times a * or ** in it`;
  if (parts.some((part) => part.length > 2 && isStars(part)))
    return 'must not have more than ** at one place';
  const [prefix = ''] = parts;
  if (isStars(prefix) || namesIn(prefix) < 2)
    return 'must have at least two names with a / or : behind each before its first *, so that it is for a part of the issuer alone';
  const expression = parts.map((part) => (isStars(part) ? (part === '*' ? '[^/:]+' : '.+') : escaped(part)));
  return { prefix, expression: `^${expression.join('')}$` };
}

/** The prefixes that a pattern for this subject can have. */
export function prefixesOf(subject: string): string[] {
  const prefixes: string[] = [];
  let names = 0;
  let prefix = '';
  let before = '/';
  for (const character of subject) {
    if (names >= 2) prefixes.push(prefix);
    if (isDivider(character) && !isDivider(before)) names++;
    prefix += character;
    before = character;
  }
  return prefixes;
}

/**
 * Whether there is a subject that both patterns match. Whatever both can take leads further in one of them or in both, so one
 * pass in order finds all pairs of places that some beginning of a subject leads to.
 */
export function overlap(one: string, other: string): boolean {
  const [left, right] = [stepsOf(one), stepsOf(other)];
  const width = right.length + 1;
  const reached = new Uint8Array((left.length + 1) * width);
  reached[0] = 1;
  for (let i = 0; i <= left.length; i++) {
    for (let j = 0; j < width; j++) {
      if (reached[i * width + j] !== 1) continue;
      const [a, b] = [left[i], right[j]];
      if (a?.repeats) reached[(i + 1) * width + j] = 1;
      if (b?.repeats) reached[i * width + j + 1] = 1;
      if (a && b && meet(a, b)) reached[(a.repeats ? i : i + 1) * width + (b.repeats ? j : j + 1)] = 1;
    }
  }
  return reached[left.length * width + right.length] === 1;
}

/** A character, or those of a star; taken once, or as often as one likes and also never. */
interface Step {
  takes: string;
  divides: boolean;
  repeats: boolean;
}

const stepsOf = (text: string): Step[] =>
  partsOf(text).flatMap<Step>((part) =>
    isStars(part)
      ? [false, true].map((repeats) => ({ takes: part, divides: false, repeats }))
      : [...part].map((takes) => ({ takes, divides: isDivider(takes), repeats: false })),
  );

function meet(one: Step, other: Step): boolean {
  if (one.takes === other.takes || one.takes === '**' || other.takes === '**') return true;
  return (one.takes === '*' && !other.divides) || (other.takes === '*' && !one.divides);
}

const partsOf = (text: string): string[] => text.split(/(\*+)/).filter((part) => part !== '');
const isStars = (part: string): boolean => /^\*+$/.test(part);
const isDivider = (character: string): boolean => character === '/' || character === ':';
/** How many names have a divider behind them. */
const namesIn = (text: string): number => text.match(/[^/:][/:]/g)?.length ?? 0;
const escaped = (text: string): string => text.replace(/[\\^$.|?+(){}[\]]/g, '\\$&');
