import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { Keyring } from '../keyring/keyring.js';
import type { KeptEnding } from './ending.js';

/** Where a chain stood at a time: a tail that is cut off later is missed by it. */
export interface Checkpoint {
  readonly account: string;
  /** The number of the chain's last event by then, and its hash in hexadecimal. */
  readonly number: string;
  readonly hash: string;
  readonly at: string;
  /** The epoch of that event. Lines of earlier versions do not say it. */
  readonly epoch?: string;
  /**
   * All that ended in the events of the chain after this one, up to `number`, is in `ended`. Lines of earlier versions do
   * not say what ended.
   */
  readonly from?: string;
  readonly ended?: readonly KeptEnding[];
}

/** A line as it was read: whether these keys signed it is asked by `isSigned`. */
export interface CheckpointLine {
  readonly checkpoint: Checkpoint;
  readonly mac: string;
}

/** Lines of a file, and how far it was read. */
export interface ReadLines {
  /** A line that is none is undefined. */
  readonly lines: (CheckpointLine | undefined)[];
  /** The byte after the last whole line. */
  readonly to: number;
}

const partBytes = 1 << 20;

/**
 * Reads the whole lines of a file of checkpoints from a byte on, part by part, so that it may be as long as it is.
 * Nothing where there is no such file.
 */
export function* readCheckpoints(path: string, from: number): Generator<ReadLines> {
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
      yield { lines: lines.map(lineOf), to: at };
    }
  } finally {
    closeSync(file);
  }
}

/** How long the file is, in bytes; 0 where there is none. */
export function lengthOf(path: string): number {
  const file = opened(path);
  if (file === undefined) return 0;
  try {
    return fstatSync(file).size;
  } finally {
    closeSync(file);
  }
}

/**
 * Adds signed lines to the file, which is made for its owner alone; resolves when they are on the disk.
 * @param whole the byte after its last whole line: what stands behind it was cut by a crash, and gets an end.
 */
export async function appendCheckpoints(
  path: string,
  keyring: Keyring,
  checkpoints: readonly Checkpoint[],
  whole: number,
): Promise<void> {
  const lines = checkpoints.map(
    (checkpoint) => `${JSON.stringify({ ...checkpoint, mac: macOf(keyring, checkpoint) })}\n`,
  );
  const cut = lengthOf(path) > whole ? '\n' : '';
  const file = await open(path, 'a', 0o600);
  try {
    // No line in two writes: other processes write to the same file.
    for (const part of partsOfLines([cut, ...lines])) await writeWhole(file, part);
    await file.datasync();
  } finally {
    await file.close();
  }
}

const mostWritten = 1 << 18;

function* partsOfLines(lines: readonly string[]): Generator<Buffer> {
  let part = '';
  for (const line of lines) {
    if (part.length + line.length > mostWritten && part !== '') {
      yield Buffer.from(part);
      part = '';
    }
    part += line;
  }
  if (part !== '') yield Buffer.from(part);
}

async function writeWhole(file: FileHandle, part: Buffer): Promise<void> {
  const { bytesWritten } = await file.write(part);
  if (bytesWritten < part.length) throw new Error('the file of checkpoints takes no more');
}

/** Whether these keys made the line, the current one or an older one. */
export function isSigned(keyring: Keyring, { checkpoint, mac }: CheckpointLine): boolean {
  return keyring.macMatches(purpose, Buffer.from(mac, 'hex'), ...partsOf(checkpoint));
}

const purpose = 'audit-checkpoint';

const macOf = (keyring: Keyring, checkpoint: Checkpoint): string =>
  keyring.mac(purpose, ...partsOf(checkpoint)).toString('hex');

const partsOf = ({ account, number, hash, at, epoch, from, ended }: Checkpoint): string[] => [
  ...[account, number, hash, at],
  ...(epoch === undefined ? [] : [epoch]),
  ...(from === undefined ? [] : [from, JSON.stringify(ended)]),
];

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function lineOf(line: string): CheckpointLine | undefined {
  try {
    const { mac, ...checkpoint } = JSON.parse(line) as Checkpoint & { mac: string };
    const { account, number, hash, at, epoch = '', from = '0', ended = [] } = checkpoint;
    const isText = [account, number, hash, at, epoch, from, mac].every((part) => typeof part === 'string');
    const isPlace = [number, from].every((part) => /^\d{1,18}$/.test(part));
    const fits = isText && isPlace && uuid.test(account) && /^[0-9a-f]{64}$/.test(hash);
    return fits && Array.isArray(ended) ? { checkpoint, mac } : undefined;
  } catch {
    return undefined;
  }
}

function opened(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
