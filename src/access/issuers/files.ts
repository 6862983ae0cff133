import { open } from 'node:fs/promises';
import { unavailable } from '../../errors.js';

/**
 * The bytes of a file that the configuration names.
 * @throws UNAVAILABLE where it cannot be read, is empty or holds more than `mostBytes`
 */
export async function readSmallFile(path: string, mostBytes: number): Promise<Buffer> {
  const file = await open(path).catch((error: unknown) => {
    throw unavailable(error);
  });
  try {
    const buffer = Buffer.alloc(mostBytes + 1);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    if (bytesRead === 0) throw unavailable('the file is empty');
    if (bytesRead > mostBytes) throw unavailable('the file is too large');
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
