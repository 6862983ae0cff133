import { readFileSync } from 'node:fs';
import type { Got } from './asking.js';

/** An error answer that is known of a vendor, and what Keyway should make of it. */
export interface PublishedError {
  system: string;
  status: number;
  body: unknown;
  neutral: string;
  note?: string;
}

/** The error answers that are known of this vendor. */
export function publishedErrors(system: string): PublishedError[] {
  const { cases } = JSON.parse(readFileSync('test/vectors/error-shapes.json', 'utf8')) as {
    cases: PublishedError[];
  };
  return cases.filter((one) => one.system === system);
}

/** Those of them that none of these answers is like. */
export const notAmong = (errors: PublishedError[], answers: Got[]): PublishedError[] =>
  errors.filter(({ status, body }) => !answers.some((got) => got.status === status && isLike(body, got)));

const isLike = (body: unknown, got: Got) =>
  typeof body === 'string' ? body === got.text : got.body !== undefined && fits(body, got.body);

/** Same members all the way down; a text begins as the published one does, where that one is not made up. */
function fits(published: unknown, found: unknown): boolean {
  if (typeof published === 'string')
    return typeof found === 'string' && (published.includes('made-up text') || found.startsWith(published));
  if (Array.isArray(published))
    return Array.isArray(found) && published.every((one) => found.some((other) => fits(one, other)));
  if (typeof published !== 'object' || published === null) return published === found;
  if (typeof found !== 'object' || found === null) return false;
  const [members, others] = [Object.entries(published), new Map(Object.entries(found))];
  return (
    members.length === others.size &&
    members.every(([name, one]) => others.has(name) && fits(one, others.get(name)))
  );
}
