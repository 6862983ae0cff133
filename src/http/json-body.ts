import { badInput, KeywayError } from '../errors.js';
import { utf8 } from '../secret.js';

const deepest = 32;
const refusedKeys = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * The value that a body is the JSON of. A byte order mark before it is passed over, as RFC 8259, section 8.1, allows.
 * @throws BAD_REQUEST for what is not UTF-8; and what `parseJson` throws.
 */
export function readJsonBody(bytes: Uint8Array): unknown {
  const text = utf8(bytes);
  if (text === undefined)
    throw unreadable('The body is not UTF-8: encode it as UTF-8 and send it again. Nothing was changed.');
  return parseJson(text.replace(/^\uFEFF/, ''), 'body');
}

/**
 * The value that a JSON text stands for: plain objects and arrays, at most 32 levels deep, without a key that could
 * reach an object's prototype.
 * @param what what the text is, in a word for the caller
 * @throws BAD_REQUEST for any other text, and BAD_USER_INPUT for such a value. The error holds nothing of it: the
 * parser's own message quotes the text.
 */
export function parseJson(text: string, what: string): unknown {
  const value = parse(text, what);
  const refused = (message: string) => badInput(what, message);
  const waiting: { value: unknown; level: number }[] = [{ value, level: 1 }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { value: at, level } = next;
    if (typeof at !== 'object' || at === null) continue;
    if (level > deepest) throw refused(`is nested more than ${deepest} levels deep`);
    for (const [key, member] of Object.entries(at)) {
      if (refusedKeys.has(key)) throw refused('has a key that is not allowed');
      waiting.push({ value: member, level: level + 1 });
    }
  }
  return value;
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable(what === 'body' ? 'The body is not JSON.' : `The parameter ${what} must be JSON.`);
  }
}

const unreadable = (message: string) => new KeywayError('BAD_REQUEST', message);
