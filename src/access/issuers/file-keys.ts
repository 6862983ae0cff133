import { stat } from 'node:fs/promises';
import { largestKeySet } from '../../config/limits.js';
import { readSmallFile } from './files.js';
import { parseObject } from './jws.js';
import type { KeySource } from './key-source.js';

/**
 * Keys in a file. It is looked at for each token, so that a key that was taken out of it verifies nothing more; it is read
 * where it was changed.
 */
export function openFileKeys(path: string): KeySource {
  let readState: string | undefined;
  return {
    changed: async () => (await stateOf(path)) !== readState,
    read: async () => {
      // Before it is read: what is written meanwhile is read the next time.
      readState = await stateOf(path);
      return parseObject(await readSmallFile(path, largestKeySet));
    },
  };
}

async function stateOf(path: string): Promise<string | undefined> {
  try {
    const { mtimeNs, ctimeNs, size, ino } = await stat(path, { bigint: true });
    return [mtimeNs, ctimeNs, size, ino].join();
  } catch {
    return undefined;
  }
}
