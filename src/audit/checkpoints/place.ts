import type { CheckpointLine, GenerationSeal } from './line.js';

/**
 * Where checkpoints lie, outside the database that they are of. Lines are added to it and never changed; those of each
 * month are apart, so that old months can be let go.
 */
export interface CheckpointPlace {
  /** What a person knows it by: no password is in it. */
  readonly name: string;
  /**
   * What is there, the oldest month first; of what was begun anew, what this seal fits.
   * @throws where the place does not answer, as all of these do
   */
  segments(seal: GenerationSeal): Promise<Segment[]>;
  /** The whole lines of a segment that were added after this mark, or all of them, part by part. */
  read(segment: Segment, after?: Mark): AsyncGenerator<ReadLines>;
  /**
   * Adds lines to those of a month, such as 2026-11, where `segments` was asked for before; resolves when they would
   * outlive a crash.
   * @returns the identity of the segment that has them
   */
  append(month: string, lines: readonly string[]): Promise<string>;
  /**
   * Begins anew with these lines, once `record` has succeeded; until then, and where it fails, all is as before.
   * @returns where what was there before is now
   */
  begin(
    lines: AsyncIterable<MonthLines>,
    seal: GenerationSeal,
    record: () => Promise<void>,
  ): Promise<string[]>;
  /** Whether lines may be added; only a place that knows that without adding any can be asked. */
  mayAppend?(): Promise<boolean>;
  /** Lets a segment go, where the place allows that. */
  remove(segment: Segment): Promise<void>;
  close(): Promise<void>;
}

/** The lines of a month, or a part of them. */
export interface Segment {
  readonly name: string;
  /** Such as 2026-11. */
  readonly month: string;
  /** Another one where another segment has taken its name. */
  readonly identity: string;
  /** In bytes, where the place knows it: a segment only ever grows. */
  readonly length?: number;
}

/** How far a segment was read. */
export interface Mark {
  readonly after: string;
  /** What was read after that already. */
  readonly seen?: ReadonlySet<string>;
}

export interface ReadLines {
  /** A line that is none is undefined. */
  readonly lines: (CheckpointLine | undefined)[];
  readonly to: Mark;
}

/** Lines of one month, as they are written. */
export interface MonthLines {
  readonly month: string;
  readonly lines: readonly string[];
}

/** All lines of a place, part by part. */
export async function* allLines(
  place: CheckpointPlace,
  seal: GenerationSeal,
): AsyncGenerator<ReadLines['lines']> {
  for await (const { lines } of linesByMonth(place, seal)) yield lines;
}

/** The same, with the month of each part. */
export async function* linesByMonth(
  place: CheckpointPlace,
  seal: GenerationSeal,
): AsyncGenerator<{ month: string; lines: ReadLines['lines'] }> {
  for (const segment of await place.segments(seal))
    for await (const { lines } of place.read(segment)) yield { month: segment.month, lines };
}

/** The month of a moment, in UTC. */
export const monthOf = (time: Date): string => time.toISOString().slice(0, 7);

export const isMonth = (text: string): boolean => /^\d{4}-(0[1-9]|1[0-2])$/.test(text);

/** The oldest first; of one month, by their names. */
export const bySegment = (segments: readonly Segment[]): Segment[] =>
  [...segments].sort((one, other) =>
    one.month === other.month ? compare(one.name, other.name) : compare(one.month, other.month),
  );

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
