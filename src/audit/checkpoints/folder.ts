import {
  closeSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  type Stats,
} from 'node:fs';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readLine } from './line.js';
import { bySegment, isMonth, monthOf, byBytes, type CheckpointPlace, type Mark } from './place.js';
import type { ReadLines, Segment } from './place.js';

/**
 * A folder with a file for each month: `audit-checkpoints.2026-11.jsonl`. Other files whose names begin and end like that
 * are read as well: those of another replica that were put beside, and `audit-checkpoints.jsonl` of earlier versions.
 */
export class CheckpointFolder implements CheckpointPlace {
  constructor(
    readonly name: string,
    private readonly stem = 'audit-checkpoints',
  ) {}

  segments(): Promise<Segment[]> {
    const found = namesIn(this.name).flatMap((name) => {
      const part = this.#partOf(name);
      const stat =
        part === undefined ? undefined : statSync(join(this.name, name), { throwIfNoEntry: false });
      if (part === undefined || !stat?.isFile()) return [];
      const month = isMonth(part) ? part : monthOf(stat.mtime);
      return [{ name, month, identity: identityOf(stat), length: stat.size }];
    });
    return Promise.resolve(bySegment(found));
  }

  /** What stands between the beginning and the end of the name of a file with lines. */
  #partOf(name: string): string | undefined {
    if (!name.startsWith(this.stem) || !name.endsWith('.jsonl')) return undefined;
    const part = name.slice(this.stem.length, -'.jsonl'.length);
    return part === '' ? part : /^\.[^.]+$/.test(part) ? part.slice(1) : undefined;
  }

  async *read({ name }: Segment, after?: Mark): AsyncGenerator<ReadLines> {
    yield* partsOfFile(join(this.name, name), Number(after?.after ?? 0));
  }

  append(month: string, lines: readonly string[]): Promise<string> {
    return appendTo(this.#fileOf(month), lines);
  }

  async begin(
    _month: string,
    lines: AsyncIterable<readonly string[]>,
    record: () => Promise<void>,
  ): Promise<string[]> {
    const next = join(this.name, `${this.stem}.next`);
    rmSync(next, { force: true });
    for await (const part of lines) await appendTo(next, part);
    const before = await this.segments();
    await record();
    const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
    // The lines that hold are there before the others are gone.
    if (statSync(next, { throwIfNoEntry: false })) renameSync(next, this.#fileOf(`accepted-${time}`));
    return before.map(({ name }) => {
      const kept = join(this.name, `${name}.${time}`);
      renameSync(join(this.name, name), kept);
      return kept;
    });
  }

  remove({ name }: Segment): Promise<void> {
    rmSync(join(this.name, name), { force: true });
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #fileOf(part: string): string {
    return join(this.name, `${this.stem}.${part}.jsonl`);
  }
}

/** The lines of one file, part by part, so that it may be as long as it is; nothing where there is no such file. */
export async function* linesOfFile(path: string): AsyncGenerator<ReadLines['lines']> {
  for (const { lines } of partsOfFile(path, 0)) yield lines;
}

const partBytes = 1 << 20;

/** @param from a byte */
function* partsOfFile(path: string, from: number): Generator<ReadLines> {
  const file = opened(path);
  if (file === undefined) return;
  try {
    let [at, rest] = [from, Buffer.alloc(0)];
    for (;;) {
      const part = Buffer.alloc(partBytes);
      const length = readSync(file, part, 0, partBytes, at + rest.length);
      if (length === 0) return;
      const bytes = Buffer.concat([rest, part.subarray(0, length)]);
      const end = bytes.lastIndexOf(0x0a) + 1;
      rest = bytes.subarray(end);
      at += end;
      const lines = bytes.toString('utf8', 0, end).split('\n').filter(Boolean);
      yield { lines: lines.map(readLine), to: { after: String(at) } };
    }
  } finally {
    closeSync(file);
  }
}

const identityOf = ({ ino, birthtimeMs }: Pick<Stats, 'ino' | 'birthtimeMs'>): string =>
  `${ino} ${birthtimeMs}`;

const mostWritten = 1 << 18;

/** Adds lines to a file, which is made for its owner alone; resolves with its identity when they are on the disk. */
async function appendTo(path: string, lines: readonly string[]): Promise<string> {
  const file = await openForMore(path);
  try {
    // A line that a crash cut off gets an end. No line is in two writes: other processes write to the same file.
    let text = (await endsInside(file)) ? '\n' : '';
    for (const part of byBytes(lines, mostWritten)) {
      await writeWhole(file, Buffer.from(`${text}${part.join('\n')}\n`));
      text = '';
    }
    await file.datasync();
    return identityOf(await file.stat());
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
  if (bytesWritten < part.length) throw new Error('the file of checkpoints takes no more');
}

/** Whether the last line of a file has no end. */
async function endsInside(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] !== 0x0a;
}

function opened(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
