import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../database/database.js';
import { unavailable } from '../../errors.js';
import type { Keyring, Link } from '../../keyring/keyring.js';
import type { Log } from '../../log.js';
import { heldBecause } from '../held.js';
import {
  behind,
  belowFloor,
  firstOfEach,
  floorOf,
  linesHeld,
  ofHeads,
  unlikeTheirRows,
  type Break,
} from './breaks.js';
import { Coverage, type Apart } from './coverage.js';
import { linesOf, readHeads, readHeadsOf, type ChainHead } from './heads.js';
import { isSigned, lineText, type Checkpoint, type CheckpointLine } from './line.js';
import { allLines, monthOf, type CheckpointPlace, type Mark, type Segment } from './place.js';

/**
 * Writes down, outside the database and signed, where each account's chain stands, and holds the chains to what is
 * written. A chain that is behind a line, or unlike it, is never written down again: until an operator has acted and
 * Keyway is started anew, no event is recorded, and so nothing is changed. The lines of each month begin with one of each
 * chain, so that a start reads the last two months alone, and the oldest ones can be let go.
 */
export class Checkpoints {
  /** What the lines say of each chain: its highest one. No chain goes back behind it. */
  readonly #highest = new Map<string, Checkpoint>();
  /** How far each segment was read, by its name. */
  readonly #read = new Map<string, ReadSegment>();
  /** The month that is written, and the chains that have their first line in it. */
  #month: string;
  readonly #begun = new Set<string>();
  /** Which segment this process has written to last. */
  #written: { month: string; identity: string } | undefined;
  /** Whether what it had written before was moved away. */
  #isMoved = false;
  #breaks: readonly Break[] = [];
  readonly #coverage = new Coverage();
  /** Lines that are about to be written, and what writes them. */
  #waiting: Checkpoint[] = [];
  #writing: Promise<void> = Promise.resolve();
  /** Whether all is begun anew: what ended meanwhile is written to that. */
  #isSetAside = false;

  /** @param months how many months of lines are kept, that of now among them */
  constructor(
    private readonly db: Database,
    private readonly keyring: Keyring,
    readonly place: CheckpointPlace,
    private readonly log: Log,
    private readonly months: number,
    private readonly now: () => Date = () => new Date(),
  ) {
    this.#month = monthOf(now());
  }

  /** Where the log is not what the file says, as far as that was found without reading all of it; empty where it is. */
  get breaks(): readonly Break[] {
    return this.#breaks;
  }

  /** @throws UNAVAILABLE where the audit log is not what the file says: nothing may be added to it. */
  expectWhole(): void {
    if (this.#breaks.length > 0) throw unavailable('the audit log is not what its checkpoints say');
  }

  /**
   * Holds the chains to what is written, and adds a line for each that has grown, with a number above all that was written
   * of it, and for each that this month has none of yet. Once a chain was found that is behind or unlike, nothing is
   * written any more.
   */
  async write(): Promise<void> {
    const { heads, grown, segments } = await this.#look();
    if (this.#breaks.length > 0) return;
    const isGrown = new Set(grown);
    let left = heads.filter((head) => isGrown.has(head) || !this.#begun.has(head.account));
    while (left.length > 0) {
      const { lines, rest } = await linesOf(this.db, this.#coverage, left);
      await this.#append(lines.map((line) => this.#first(line)));
      for (const line of lines) {
        this.#highest.set(line.account, line);
        this.#begun.add(line.account);
      }
      left = [...rest];
    }
    await this.#letGo(segments);
  }

  /** The line as it is to be written, where it may be the first one of its chain in this month. */
  #first(line: Checkpoint): Checkpoint {
    const { account, from } = line;
    if (this.#begun.has(account) || from === undefined) return line;
    return { ...line, since: this.#coverage.since(account, from) };
  }

  /** Counted, and not by the calendar alone: a clock that is years ahead lets no more than one month go. */
  async #letGo(segments: readonly Segment[]): Promise<void> {
    const months = [...new Set([...segments.map(({ month }) => month), this.#month])].sort();
    const kept = new Set(months.slice(-this.months));
    for (const segment of segments.filter(({ month }) => !kept.has(month))) {
      await this.place.remove(segment);
      this.#read.delete(segment.name);
    }
  }

  /**
   * Writes down what ended by events that are committed; resolves when it is on the disk, so that whoever has the answer
   * can rely on it. What cannot be written, or not within two seconds, is left to the next `write`, and the log says so:
   * what is done is done, and its caller is to hear of it.
   */
  async noteEnded(events: readonly Link[]): Promise<void> {
    if (this.#breaks.length > 0 || this.#isSetAside) return;
    const { lines, apart } = this.#coverage.take(events);
    if (lines.length === 0 && apart.length === 0) return;
    const written = this.#linesApart(apart).then((more) => this.#append([...lines, ...more]));
    const failed = (error: unknown) =>
      this.log.error(
        { error },
        'what ended could not be written to the checkpoints, and will be tried again',
      );
    const late = new AbortController();
    const slow = sleep(longestWriteMs, 'slow', { signal: late.signal }).catch(() => undefined);
    if ((await Promise.race([written.catch(failed), slow])) === 'slow')
      this.log.error({}, 'what ended is not in the checkpoints yet: their file is slow');
    late.abort();
  }

  /** The lines of chains to which others have added events meanwhile: of all that the database has of them. */
  async #linesApart(apart: readonly Apart[]): Promise<Checkpoint[]> {
    if (apart.length === 0) return [];
    try {
      const accounts = apart.map(({ account }) => account);
      const all: Checkpoint[] = [];
      for (let left = await this.db.rows<ChainHead>(readHeadsOf, { accounts }); left.length > 0;) {
        const { lines, rest } = await linesOf(this.db, this.#coverage, left);
        for (const line of lines) this.#coverage.cover(line);
        all.push(...lines);
        left = [...rest];
      }
      return all;
    } catch {
      return apart.flatMap(({ lines }) => lines);
    }
  }

  /** Writes lines: those that many wait for, at once. What cannot be written is not covered. */
  async #append(lines: readonly Checkpoint[]): Promise<void> {
    for (const line of lines) this.#coverage.cover(line);
    this.#waiting.push(...lines);
    await (this.#writing = this.#writing.catch(() => undefined).then(() => this.#appendWaiting()));
  }

  async #appendWaiting(): Promise<void> {
    const lines = this.#waiting;
    if (lines.length === 0) return;
    this.#waiting = [];
    try {
      const month = this.#month;
      const identity = await this.place.append(
        month,
        lines.map((line) => lineText(this.keyring, line)),
      );
      const before = this.#written;
      this.#isMoved ||= before?.month === month && before.identity !== identity;
      this.#written = { month, identity };
    } catch (error) {
      this.#coverage.takeBack(lines);
      throw error;
    }
  }

  /**
   * Holds the chains to what was written since the last look, by whichever process. Costs three statements, however much
   * that is: of each chain its highest line is looked up, each one that does not go on to the next line of its chain, and
   * each that says what ended.
   */
  async check(): Promise<void> {
    const { heads, segments } = await this.#look();
    if (heads.length > 0 && segments.length === 0)
      this.log.warn(
        { place: this.place.name },
        'there are no checkpoints of this database: what it may have lost is not known',
      );
  }

  /**
   * Forgets what was found, and begins anew, with the lines that hold: an operator has looked, and the chains are to go on
   * as they are.
   * @param record puts that on record; where it fails, all stays as it is.
   * @returns where the lines of before are then
   */
  async setAside(record: () => Promise<void>): Promise<string[]> {
    const found = this.#breaks;
    [this.#breaks, this.#isSetAside] = [[], true];
    try {
      const kept = await this.place.begin(this.#month, this.#held(), record);
      this.#highest.clear();
      this.#read.clear();
      this.#begun.clear();
      this.#coverage.clear();
      this.#waiting = [];
      [this.#isMoved, this.#written] = [false, undefined];
      return kept;
    } catch (error) {
      this.#breaks = found;
      throw error;
    } finally {
      this.#isSetAside = false;
    }
  }

  /** What ended before is to be known yet where a still earlier state is put back. */
  async *#held(): AsyncGenerator<string[]> {
    for await (const { held } of linesHeld(this.db, this.keyring, allLines(this.place)))
      yield held.map((line) => lineText(this.keyring, line));
  }

  /** @returns where the chains stand now, those that have grown since their last lines, and what there is to read */
  async #look(): Promise<Look> {
    if (this.#breaks.length > 0) return { heads: [], grown: [], segments: [] };
    const segments = await this.#segments();
    const news = await this.#takeNews(segments);
    const highest = this.#highest;
    const heads = await this.db.rows<ChainHead>(readHeads);
    const grown = heads.filter(
      ({ account, number, toldFrom }) =>
        highest.get(account)?.number !== number ||
        this.#coverage.writtenAfter(account, toldFrom) < BigInt(number),
    );
    const before = grown.flatMap(({ account }) => highest.get(account) ?? []);
    const now = new Map(heads.map((head) => [head.account, head]));
    const floor = floorOf(this.keyring, highest.values());
    this.#breaks = firstOfEach([
      ...(await unlikeTheirRows(this.db, [...new Set([...news, ...before])])),
      ...[...highest.values()].flatMap((line) => behind(line, now.get(line.account))),
      ...(await unlikeTheirRows(this.db, grown, ofHeads)),
      ...grown.flatMap(({ account, number, epoch = '' }) =>
        this.keyring.auditEpochs().indexOf(epoch) < floor ? [{ account, number, reason: belowFloor }] : [],
      ),
    ]);
    if (this.#breaks.length > 0) this.log.error({ chains: this.#breaks }, heldBecause);
    return { heads, grown, segments };
  }

  /** What there is to read, and which month it is by now. */
  async #segments(): Promise<Segment[]> {
    // Of before the look: what is written meanwhile is not in it.
    const written = this.#written;
    const segments = await this.place.segments();
    const month = monthOf(this.now());
    const identities = new Set(segments.map(({ identity }) => identity));
    let isMoved = this.#isMoved || (written?.month === this.#month && !identities.has(written.identity));
    for (const [name, known] of this.#read) {
      const segment = segments.find((one) => one.name === name);
      if (segment?.identity === known.identity && (segment.length ?? 0) >= (known.length ?? 0)) continue;
      this.#read.delete(name);
      isMoved ||= known.month === this.#month;
    }
    // A month that was moved away is begun anew, and is to have all.
    if (isMoved) {
      this.#begun.clear();
      this.#coverage.clear();
      [this.#isMoved, this.#written] = [false, undefined];
    }
    if (month !== this.#month) this.#begun.clear();
    this.#month = month;
    return segments;
  }

  /** Reads on. Returns the lines that are to be looked up. */
  async #takeNews(segments: readonly Segment[]): Promise<Checkpoint[]> {
    const months = [...new Set(segments.map(({ month }) => month))].sort().slice(-monthsRead);
    const some = segments.filter(({ month }) => months.includes(month));
    let news = await this.#newsIn(some, () => true);
    // Asked of these alone: it takes longer than reading a line. One that nobody signed must not hide one that was.
    if (!news.lines.every((line) => isSigned(this.keyring, line)))
      news = await this.#newsIn(some, (line) => isSigned(this.keyring, line));
    for (const segment of some) {
      const mark = news.marks.get(segment.name);
      if (mark) this.#read.set(segment.name, { ...segment, mark });
    }
    for (const account of news.begun) this.#begun.add(account);
    this.#coverage.join(news.covered);
    const before: Checkpoint[] = [];
    for (const { checkpoint } of news.lines) {
      const known = this.#highest.get(checkpoint.account);
      if (BigInt(checkpoint.number) < BigInt(known?.number ?? 0)) continue;
      if (known) before.push(known);
      this.#highest.set(checkpoint.account, checkpoint);
    }
    return [...before, ...news.lines.map(({ checkpoint }) => checkpoint)];
  }

  /**
   * Of each chain its highest line among those that were not read yet, each one that does not go on to the next line of
   * its chain, and each that says what ended, which was written without a look; and what all of them cover.
   */
  async #newsIn(segments: readonly Segment[], isTaken: (line: CheckpointLine) => boolean): Promise<News> {
    const covered = new Coverage();
    const highest = new Map<string, CheckpointLine>();
    const last = new Map<string, CheckpointLine>();
    const others: CheckpointLine[] = [];
    const begun = new Set<string>();
    const marks = new Map<string, Mark>();
    for (const segment of segments)
      for await (const { lines, to } of this.place.read(segment, this.#read.get(segment.name)?.mark)) {
        marks.set(segment.name, to);
        for (const line of lines) {
          if (!line || !isTaken(line)) continue;
          const { account, number, since } = line.checkpoint;
          covered.add(line.checkpoint);
          if (since !== undefined && segment.month === this.#month) begun.add(account);
          const before = last.get(account);
          if (before && !follows(line.checkpoint, before.checkpoint)) others.push(before);
          if (line.checkpoint.ended?.length) others.push(line);
          if (BigInt(number) >= BigInt(highest.get(account)?.checkpoint.number ?? 0))
            highest.set(account, line);
          last.set(account, line);
        }
      }
    return { lines: [...new Set([...highest.values(), ...others])], covered, begun, marks };
  }
}

interface Look {
  readonly heads: readonly ChainHead[];
  readonly grown: readonly ChainHead[];
  readonly segments: readonly Segment[];
}

interface ReadSegment extends Segment {
  readonly mark: Mark;
}

interface News {
  readonly lines: readonly CheckpointLine[];
  readonly covered: Coverage;
  /** The chains of which the month of now has the first line. */
  readonly begun: ReadonlySet<string>;
  readonly marks: ReadonlyMap<string, Mark>;
}

/** Whether a line may come after another one of its chain where nothing was cut. */
const follows = (line: Checkpoint, before: Checkpoint): boolean =>
  line.number === before.number ? line.hash === before.hash : BigInt(line.number) > BigInt(before.number);

/** The month before is read as well: that of now may not have begun with all chains. */
const monthsRead = 2;
const longestWriteMs = 2_000;
