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
 * The pattern in a text; or, in words, what is wrong with it. Two `/` or `:` have to stand before the first star: it is
 * in them that issuers say whose something is (`repo:acme/`, `system:serviceaccount:`), and what comes before is the same
 * for all the world.
 */
export function readPattern(text: string): SubjectPattern | string {
  const parts = partsOf(text);
  const stars = parts.filter(isStars).length;
  if (stars === 0) return 'must have a * in it, as a pattern';
  if (stars > mostWildcards) return `must have at most ${mostWildcards} times a * or ** in it`;
  if (parts.some((part) => part.length > 2 && isStars(part)))
    return 'must not have more than ** at one place';
  const [prefix = ''] = parts;
  if (isStars(prefix) || dividersIn(prefix) < 2)
    return 'must have at least two / or : before its first *, so that it is for a part of the issuer alone';
  const expression = parts.map((part) => (isStars(part) ? (part === '*' ? '[^/:]+' : '.+') : escaped(part)));
  return { prefix, expression: `^${expression.join('')}$` };
}

/** The prefixes that a pattern for this subject can have. */
export function prefixesOf(subject: string): string[] {
  const prefixes: string[] = [];
  let dividers = 0;
  let prefix = '';
  for (const character of subject) {
    if (dividers >= 2) prefixes.push(prefix);
    dividers += dividersIn(character);
    prefix += character;
  }
  return prefixes;
}

/** Whether there is a subject that both patterns match. */
export function overlap(one: string, other: string): boolean {
  const [left, right] = [stepsOf(one), stepsOf(other)];
  const seen = new Set<number>();
  const waiting: [number, number][] = [[0, 0]];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [i, j] = next;
    const key = i * (right.length + 1) + j;
    if (seen.has(key)) continue;
    seen.add(key);
    const [a, b] = [left[i], right[j]];
    if (!a && !b) return true;
    if (a?.repeats) waiting.push([i + 1, j]);
    if (b?.repeats) waiting.push([i, j + 1]);
    if (a && b && meet(a.takes, b.takes)) waiting.push([a.repeats ? i : i + 1, b.repeats ? j : j + 1]);
  }
  return false;
}

/** A character, or those of a star; taken once, or as often as one likes and also never. */
interface Step {
  takes: string;
  repeats: boolean;
}

const stepsOf = (text: string): Step[] =>
  partsOf(text).flatMap((part) =>
    isStars(part)
      ? [false, true].map((repeats) => ({ takes: part, repeats }))
      : [...part].map((takes) => ({ takes, repeats: false })),
  );

function meet(one: string, other: string): boolean {
  if (one === other || one === '**' || other === '**') return true;
  if (one === '*') return dividersIn(other) === 0;
  return other === '*' && dividersIn(one) === 0;
}

const partsOf = (text: string): string[] => text.split(/(\*+)/).filter((part) => part !== '');
const isStars = (part: string): boolean => /^\*+$/.test(part);
const dividersIn = (text: string): number => text.replace(/[^/:]/g, '').length;
const escaped = (text: string): string => text.replace(/[\\^$.|?+(){}[\]]/g, '\\$&');
