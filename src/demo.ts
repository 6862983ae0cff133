import type { Keyway } from './keyway.js';
import type { Log } from './log.js';

/** Fills an empty Keyway with the examples. */
export async function fill(_: Keyway, __: Log): Promise<string> {
  return '';
}
