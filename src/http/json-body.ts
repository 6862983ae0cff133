import { KeywayError } from '../errors.js';

const deepest = 32;
const refusedKeys = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * The value that a JSON text stands for: plain objects and arrays, at most 32 levels deep, without a key that could
 * reach an object's prototype.
 * @throws BAD_USER_INPUT for any other text. The error holds nothing of it: the parser's own message quotes the text.
 */
export function parseJsonBody(text: string): unknown {
  const body = parse(text);
  const waiting: { value: unknown; level: number }[] = [{ value: body, level: 1 }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { value, level } = next;
    if (typeof value !== 'object' || value === null) continue;
    if (level > deepest) throw bodyRefused(`The body is nested more than ${deepest} levels deep.`);
    for (const [key, member] of Object.entries(value)) {
      if (refusedKeys.has(key)) throw bodyRefused('The body has a key that is not allowed.');
      waiting.push({ value: member, level: level + 1 });
    }
  }
  return body;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw bodyRefused('The body is not JSON.');
  }
}

const bodyRefused = (message: string) => new KeywayError('BAD_USER_INPUT', message);
