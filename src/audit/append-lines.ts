import type { Stats } from 'node:fs';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

const mostWritten = 1 << 18;

/** What has no disk below it is no place for lines that must be there later. */
export class NoFile extends Error {}

/**
 * Adds lines to a file, which is made for its owner alone; resolves when they are on the disk, with what the file is then.
 * @throws NoFile for a pipe or a device, before anything is written; ENOSPC and others where the file takes no more
 */
export async function appendLines(path: string, lines: readonly string[]): Promise<Stats> {
  const file = await openForMore(path);
  try {
    if (!(await file.stat()).isFile()) throw new NoFile('it is no file, but a pipe or a device');
    // A line that a crash cut off gets an end. No line is in two writes: other processes write to the same file.
    let text = (await endsInside(file)) ? '\n' : '';
    for (const part of byBytes(lines, mostWritten)) {
      await writeWhole(file, Buffer.from(`${text}${part.join('\n')}\n`));
      text = '';
    }
    await file.datasync();
    return await file.stat();
  } finally {
    await file.close();
  }
}

async function openForMore(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'a+', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return open(path, 'a+', 0o600);
  }
}

async function writeWhole(file: FileHandle, part: Buffer): Promise<void> {
  const { bytesWritten } = await file.write(part);
  if (bytesWritten < part.length)
    throw Object.assign(new Error('the file takes no more'), { code: 'ENOSPC' });
}

/** Whether the last line of a file has no end. */
async function endsInside(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] !== 0x0a;
}

/** Lines in parts of so many bytes at most, but for a line that is longer. */
export function* byBytes(lines: readonly string[], mostBytes: number): Generator<string[]> {
  let [part, bytes] = [[] as string[], 0];
  for (const line of lines) {
    const own = Buffer.byteLength(line) + 1;
    if (bytes + own > mostBytes && part.length > 0) {
      yield part;
      [part, bytes] = [[], 0];
    }
    part.push(line);
    bytes += own;
  }
  if (part.length > 0) yield part;
}
