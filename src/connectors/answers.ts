import type { Minted, StoreAnswer } from './connector.js';
import { retryAfterMs } from './retry-after.js';
import { SpoiledSecret, StoreError, type StoreFault } from './store-error.js';

/** What an answer means; undefined where it is a good one. */
export type FaultOf = (answer: StoreAnswer) => StoreFault | undefined;

/** @throws StoreError for an answer that is not a good one. */
export function expectGood(answer: StoreAnswer, faultOf: FaultOf, word?: string | null): void {
  const fault = faultOf(answer);
  if (fault) throw refusal(fault, answer, word);
}

/**
 * The error for an answer that is not a good one.
 * @param word the vendor's code of the error or an id of it, for the log: nothing that could be a secret.
 * @param message words of ours, where there are better ones than the usual
 */
export function refusal(
  fault: StoreFault,
  answer: StoreAnswer,
  word?: string | null,
  message?: string,
): StoreError {
  const known = word ? `, ${word}` : '';
  return new StoreError(fault, {
    ...(message !== undefined && { message }),
    retryAfterMs: retryAfterMs(answer),
    cause: `the store answered ${answer.status}${known}`,
  });
}

/**
 * The answer of a store that says that it has done something by having nothing to say: whatever has a content is
 * somebody else's on the way, such as a page to sign in.
 * @throws StoreError
 */
export function expectNoContent({ status }: StoreAnswer): void {
  if (status !== 204) throw unreadableAnswer();
}

/** What a status alone says, where nothing better does. */
export function faultOfStatus(status: number): StoreFault | undefined {
  if (status >= 200 && status < 300) return undefined;
  return byStatus.get(status) ?? (status >= 500 ? 'UPSTREAM_ERROR' : 'INVALID_INPUT');
}

const byStatus: ReadonlyMap<number, StoreFault> = new Map<number, StoreFault>([
  [401, 'UNAUTHENTICATED'],
  [403, 'FORBIDDEN'],
  [404, 'NOT_FOUND'],
  [409, 'CONFLICT'],
  [429, 'RATE_LIMITED'],
  [502, 'UPSTREAM_UNAVAILABLE'],
  [503, 'UPSTREAM_UNAVAILABLE'],
  [504, 'UPSTREAM_UNAVAILABLE'],
]);

/** What an answer says under a name; undefined where it says nothing there, whatever it is. */
export const at = (json: unknown, name: string): unknown =>
  typeof json === 'object' && json !== null && Object.hasOwn(json, name)
    ? (json as Record<string, unknown>)[name]
    : undefined;

/** A text that is not empty, or the digits of a number; null for anything else. */
export const textAt = (json: unknown, name: string): string | null => {
  const value = at(json, name);
  // A longer number is no longer the one that was sent.
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : null;
  return typeof value === 'string' && value !== '' ? value : null;
};

/** How many there are of something; undefined for anything else. */
export const countAt = (json: unknown, name: string): number | undefined => {
  const value = at(json, name);
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined;
};

/** Yes or no; undefined for anything else. */
export const flagAt = (json: unknown, name: string): boolean | undefined => {
  const value = at(json, name);
  return typeof value === 'boolean' ? value : undefined;
};

/** A code of an error, which may be a number; null for what is none. It is to be compared: a secret looks the same. */
export const codeAt = (json: unknown, name: string): string | null => {
  const value = at(json, name);
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && /^[A-Za-z0-9_.-]{1,64}$/.test(text) ? text : null;
};

/** A code for the log: one of these words, or a number too short for a one-time code. Anything else could be a secret. */
export const loggable = (code: string | null, words: ReadonlySet<string>): string | null =>
  code !== null && (words.has(code) || /^\d{1,5}$/.test(code)) ? code : null;

/** A list. @throws StoreError where the answer has none there: it is not the answer that was asked for. */
export function listAt(json: unknown, name: string): readonly unknown[] {
  const value = at(json, name);
  if (!Array.isArray(value)) throw unreadableAnswer();
  return value;
}

/**
 * The list that an answer has under this name, or as its only one.
 * @throws StoreError where there is none, or no telling which; where the answer is a list itself.
 */
export function listIn(json: unknown, name: string): readonly unknown[] {
  if (Array.isArray(json)) throw unreadableAnswer();
  if (at(json, name) !== undefined) return listAt(json, name);
  const [only, ...others] = Object.values(json ?? {}).filter(Array.isArray);
  if (only === undefined || others.length > 0) throw unreadableAnswer();
  return only;
}

/** A text that must be there. @throws StoreError where it is not. */
export function neededAt(json: unknown, name: string): string {
  const value = textAt(json, name);
  if (value === null) throw unreadableAnswer();
  return value;
}

/**
 * The public half of a secret that a store has just made, or its id there: held to the rules of what callers give.
 * @throws StoreError where there is none; SpoiledSecret for one with control characters, or that is too long
 */
export function keyAt(json: unknown, name: string): string {
  const key = neededAt(json, name);
  if (!isVisible(key, 1, longestKey)) throw new SpoiledSecret();
  return key;
}

/**
 * A secret that a store has just made, as a plain text.
 * @throws StoreError where there is none; SpoiledSecret for one with control characters, or that is too long
 */
export function secretAt(json: unknown, name: string): string {
  const secret = neededAt(json, name);
  if (!isSecret(secret)) throw new SpoiledSecret();
  return secret;
}

/**
 * A secret that a store has made or shown, held to the rules of what callers give, whatever its connector read.
 * @throws SpoiledSecret for one that cannot be kept as it is
 */
export function keepable<One extends Minted>(minted: One): One {
  const { accessKey, secret } = minted;
  if (accessKey !== null && !isVisible(accessKey, 1, longestKey)) throw new SpoiledSecret();
  if (secret && !isSecret(secret.expose())) throw new SpoiledSecret();
  return minted;
}

const isSecret = (text: string): boolean =>
  text !== '' && !unclean.test(text) && Buffer.byteLength(text) <= mostBytes;

/** A public half of a secret (access key, API id, user name) has no more characters: no vendor has longer ones. */
export const longestKey = 200;

/** A secret that a store makes has no more bytes. */
const mostBytes = 16_384;

/**
 * What no text may hold, from callers and from stores alike: control characters, lone surrogates, line separators, and
 * what turns the direction of text around (UAX 9).
 */
export const unclean = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u;

/**
 * Whether it is text of `min` to `max` characters that can be seen, without what no text may hold.
 * @param allowed what it may hold nevertheless
 */
export function isVisible(value: unknown, min: number, max: number, allowed?: RegExp): value is string {
  // One character has at most two code units: what is longer is not worth counting.
  if (typeof value !== 'string' || value.length > 2 * max) return false;
  const characters = [...value].length;
  if (characters < min || characters > max || unclean.test(allowed ? value.replace(allowed, '') : value))
    return false;
  return characters === 0 || visible.test(value);
}

const visible = /[^\s\p{Default_Ignorable_Code_Point}]/u;

/** An answer that cannot be read: what it was an answer to may have been done. */
export const unreadableAnswer = (): StoreError =>
  new StoreError('UPSTREAM_ERROR', { cause: 'the answer is not of the shape that the contract names' });
