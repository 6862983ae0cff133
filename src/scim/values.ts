import { longestName } from '../config/limits.js';
import { isLine } from '../inputs/rules.js';
import { EmailAddress } from '../inputs/scalars.js';
import { unfit } from './refusal.js';

/** Values of a request: an attribute may be written in whatever case (RFC 7643, section 2.1). */
export type Members = Readonly<Record<string, unknown>>;

/** Identifiers that others give: as long as a subject of an identity may be. */
export const longestIdentifier = 255;

export const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A member of an object, by its name in small letters, in whatever case it is written; null is as if it were left out. */
export function attributeOf(object: Members, name: string): unknown {
  const key = Object.keys(object).find((one) => one.toLowerCase() === name);
  return key === undefined ? undefined : (object[key] ?? undefined);
}

/** Whether an object has this member, also as null. */
export const hasAttribute = (object: Members, name: string): boolean =>
  Object.keys(object).some((one) => one.toLowerCase() === name);

/** @throws ScimRefusal invalidSyntax for a body that is no object */
export function expectMembers(body: unknown): Members {
  if (!isMembers(body)) throw unfit('invalidSyntax', 'The body must be a JSON object.');
  return body;
}

/** A text of one line. @throws ScimRefusal invalidValue, naming the attribute */
export function lineOf(name: string, value: unknown, most = longestIdentifier): string {
  if (!isLine(value, most))
    throw unfit(
      'invalidValue',
      `${name} must be one line of 1 to ${most} characters, without control characters.`,
    );
  return value;
}

/** The same where there may be none: what is left out, null and empty are nothing. */
export const lineOrNothing = (name: string, value: unknown, most = longestName): string | null =>
  value === undefined || value === null || value === '' ? null : lineOf(name, value, most);

/** The e-mail address of one of `emails`, or of a text; or nothing. @throws ScimRefusal invalidValue */
export function emailOf(given: unknown): string | null {
  const value = isMembers(given) ? attributeOf(given, 'value') : given;
  if (value === undefined || value === null || value === '') return null;
  try {
    return EmailAddress.parseValue(value);
  } catch {
    throw unfit('invalidValue', 'emails must have an e-mail address as value.');
  }
}
