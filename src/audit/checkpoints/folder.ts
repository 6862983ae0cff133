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
import { join } from 'node:path';
import { appendLines } from '../append-lines.js';
import { readLine, type GenerationSeal } from './line.js';
import { bySegment, isMonth, monthOf, type CheckpointPlace, type Mark, type MonthLines } from './place.js';
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
      const month = isMonth(part.slice(0, 7)) ? part.slice(0, 7) : monthOf(stat.mtime);
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

  async append(month: string, lines: readonly string[]): Promise<string> {
    return identityOf(await appendLines(this.#fileOf(month), lines));
  }

  async begin(
    lines: AsyncIterable<MonthLines>,
    _seal: GenerationSeal,
    record: () => Promise<void>,
  ): Promise<string[]> {
    const before = await this.segments();
    const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const next = new Set<string>();
    for await (const { month, lines: part } of lines) {
      const name = `${month}-accepted-${time}`;
      if (!next.has(name)) rmSync(this.#draftOf(name), { force: true });
      next.add(name);
      await appendLines(this.#draftOf(name), part);
    }
    await record();
    // The lines that hold are there before the others are gone.
    for (const name of next) renameSync(this.#draftOf(name), this.#fileOf(name));
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

  #draftOf(part: string): string {
    return `${this.#fileOf(part)}.draft`;
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
