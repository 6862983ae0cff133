import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../database/database.js';
import { unavailable } from '../../errors.js';
import type { Keyring, Link } from '../../keyring/keyring.js';
import type { Log } from '../../log.js';
import { heldBecause } from '../held.js';
import {
  behind,
  belowFloor,
  comparedWithRows,
  firstOfEach,
  floorOf,
  linesAtOnce,
  ofHeads,
  unlikeTheirRows,
  type Break,
} from './breaks.js';
import { Coverage, type Apart } from './coverage.js';
import { linesOf, readHeads, readHeadsOf, type ChainHead } from './heads.js';
import {
  isSigned,
  lineText,
  sealOf,
  type Checkpoint,
  type CheckpointLine,
  type GenerationSeal,
} from './line.js';
import { MonthReader, type PlacedLine } from './month-reader.js';
import {
  linesByMonth,
  monthOf,
  type CheckpointPlace,
  type Mark,
  type MonthLines,
  type Segment,
} from './place.js';

/**
 * Writes down, outside the database and signed, where each account's chain stands, and holds the chains to what is
 * written. A chain that is behind a line, or unlike it, is never written down again: until an operator has acted and
 * Keyway is started anew, no event is recorded, and so nothing is changed. The lines of each month begin with one of each
 * chain, so that a start reads the last two months alone, and the oldest ones can be let go.
 */
export class Checkpoints {
  /** What the lines say of each chain: its highest one. No chain goes back behind it. */
  readonly #highest = new Map<string, PlacedLine>();
  /** How far each segment was read, by its name, and the oldest month of them. */
  readonly #read = new Map<string, ReadSegment>();
  #oldest: string | undefined;
  /** Segments that could not be let go. */
  readonly #stuck = new Set<string>();
  /** The month that is written, and the chains that have their first line in it. */
  #month: string;
  readonly #begun = new Set<string>();
  /** Which segment this process has written to last. */
  #written: { month: string; identity: string } | undefined;
  /** Whether what it had written before was moved away. */
  #isMoved = false;
  #breaks: readonly Break[] = [];
  #heldAtMs = performance.now();
  readonly #coverage = new Coverage();
  /** Lines that are about to be written, and what writes them. */
  #waiting: Checkpoint[] = [];
  #writing: Promise<void> = Promise.resolve();
  /** Whether all is begun anew: what ended meanwhile is written to that. */
  #isSetAside = false;

  readonly #seal: GenerationSeal;

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
    this.#seal = sealOf(keyring);
  }

  /** Where the log is not what the lines say, as far as that was found without reading all of them; empty where it is. */
  get breaks(): readonly Break[] {
    return this.#breaks;
  }

  /** How many seconds ago all chains that had grown were last written down here. */
  get ageSeconds(): number {
    return (performance.now() - this.#heldAtMs) / 1_000;
  }

  /** @throws UNAVAILABLE where the audit log is not what the lines say: nothing may be added to it. */
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
    this.#heldAtMs = performance.now();
    await this.#letGo(segments);
  }

  /** The line as it is to be written, where it may be the first one of its chain in this month. */
  #first(line: Checkpoint): Checkpoint {
    const { account, from } = line;
    if (this.#begun.has(account) || from === undefined) return line;
    return { ...line, since: this.#coverage.since(account, from), month: this.#month };
  }

  /**
   * Counted, and not by the calendar alone: a clock that is years ahead lets one month go at most. What cannot be let
   * go stays, and is in nobody's way.
   */
  async #letGo(segments: readonly Segment[]): Promise<void> {
    const past = segments.filter(({ month }) => month <= this.#month);
    const months = [...new Set([...past.map(({ month }) => month), this.#month])].sort();
    const first = months.slice(-this.months)[0] ?? this.#month;
    for (const segment of past.filter(({ month, name }) => month < first && !this.#stuck.has(name)))
      try {
        await this.place.remove(segment);
        this.#read.delete(segment.name);
      } catch (error) {
        this.#stuck.add(segment.name);
        this.log.warn({ error, month: segment.month }, 'an old month of checkpoints cannot be let go');
      }
  }

  /**
   * Writes down what ended by events that are committed; resolves when it would outlive a crash, so that whoever has the answer
   * can rely on it. What cannot be written, or not within two seconds, is left to the next `write`, and the log says so:
   * what is done is done, and its caller is to hear of it.
   */
  async noteEnded(events: readonly Link[]): Promise<void> {
    if (this.#breaks.length > 0 || this.#isSetAside) return;
    const { lines, apart } = this.#coverage.take(events);
    if (lines.length === 0 && apart.length === 0) return;
    // At once: a line that is written before these would say that it has told all up to it.
    const own = this.#append(lines);
    const written = Promise.all([own, this.#linesApart(apart).then((more) => this.#append(more))]);
    const failed = (error: unknown) =>
      this.log.error(
        { error },
        'what ended could not be written to the checkpoints, and will be tried again',
      );
    const late = new AbortController();
    const slow = sleep(longestWriteMs, 'slow', { signal: late.signal }).catch(() => undefined);
    if ((await Promise.race([written.catch(failed), slow])) === 'slow')
      this.log.error({}, 'what ended is not in the checkpoints yet: their place is slow');
    late.abort();
  }

  /** The lines of chains to which others have added events meanwhile: of all that the database has of them. */
  async #linesApart(apart: readonly Apart[]): Promise<Checkpoint[]> {
    if (apart.length === 0) return [];
    const all: Checkpoint[] = [];
    try {
      const accounts = apart.map(({ account }) => account);
      for (let left = await this.db.rows<ChainHead>(readHeadsOf, { accounts }); left.length > 0;) {
        const { lines, rest } = await linesOf(this.db, this.#coverage, left);
        for (const line of lines) this.#coverage.cover(line);
        all.push(...lines);
        left = [...rest];
      }
      return all;
    } catch {
      // What is covered by then is written as well.
      return [...all, ...apart.flatMap(({ lines }) => lines)];
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
   * Holds the chains to what was written since the last look, by whichever process. Costs three statements, and one more
   * for each ten thousand lines that are looked up: of each chain its highest line is looked up, each one that does not go on to the next line of its chain, and
   * each that says what ended.
   */
  async check(): Promise<Checked> {
    const { heads, grown, segments } = await this.#look();
    if (heads.length > 0 && segments.length === 0)
      this.log.warn(
        { place: this.place.name },
        'there are no checkpoints of this database: what it may have lost is not known',
      );
    return { chains: heads.length, grown: grown.length, isBegun: segments.length > 0 };
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
      const kept = await this.place.begin(this.#held(), this.#seal, record);
      this.#highest.clear();
      this.#read.clear();
      this.#oldest = undefined;
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
  async *#held(): AsyncGenerator<MonthLines> {
    for await (const { month, lines } of linesByMonth(this.place, this.#seal)) {
      const { held } = await comparedWithRows(this.db, this.keyring, lines);
      yield { month, lines: held.map((line) => lineText(this.keyring, line)) };
    }
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
    const breaks = firstOfEach([
      ...news.breaks,
      ...(await unlikeTheirRows(this.db, [...new Set([...news.lines, ...before])])),
      ...[...highest.values()].flatMap((line) => behind(line, now.get(line.account))),
      ...(await unlikeTheirRows(this.db, grown, ofHeads)),
      ...grown.flatMap(({ account, number, epoch = '' }) =>
        this.keyring.auditEpochs().indexOf(epoch) < floor ? [{ account, number, reason: belowFloor }] : [],
      ),
    ]);
    // Not before: of what a look has read that failed, nothing was held to its rows.
    for (const segment of news.read) this.#read.set(segment.name, segment);
    this.#oldest = news.oldest;
    this.#breaks = breaks;
    if (this.#breaks.length > 0) this.log.error({ chains: this.#breaks }, heldBecause);
    return { heads, grown, segments };
  }

  /** What there is to read, and which month it is by now. */
  async #segments(): Promise<Segment[]> {
    // Of before the look: what is written meanwhile is not in it.
    const written = this.#written;
    const segments = await this.place.segments(this.#seal);
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

  /** Reads on. */
  async #takeNews(segments: readonly Segment[]): Promise<News> {
    // Asked of what is looked up alone: it takes longer than reading a line. One that nobody signed must not hide one that was.
    const news =
      (await this.#newsIn(segments, () => true)) ??
      (await this.#newsIn(segments, (line) => isSigned(this.keyring, line)));
    if (!news) throw new Error('a line that is signed is not');
    for (const account of news.begun) this.#begun.add(account);
    this.#coverage.join(news.covered);
    const before: PlacedLine[] = [];
    for (const line of news.lines) {
      const known = this.#highest.get(line.account);
      if (BigInt(line.number) < BigInt(known?.number ?? 0)) continue;
      if (known) before.push(known);
      this.#highest.set(line.account, line);
    }
    return { ...news, lines: [...before, ...news.lines] };
  }

  /**
   * Reads what was not read yet: at first from two months on that have begun, so that each chain has a line in one of them.
   * Where there are more lines to look up than one statement takes, it looks them up meanwhile.
   * @returns undefined where one of those that are looked up is not signed
   */
  async #newsIn(
    segments: readonly Segment[],
    isTaken: (line: CheckpointLine) => boolean,
  ): Promise<News | undefined> {
    const found = { covered: new Coverage(), begun: new Set<string>(), read: [] as ReadSegment[] };
    const [breaks, lines] = [[] as Break[], [] as PlacedLine[]];
    let [oldest, complete] = [this.#oldest, 0];
    for (const month of [...new Set(segments.map((segment) => segment.month))].sort().reverse()) {
      if (this.#oldest === undefined ? complete === monthsRead : month < this.#oldest) break;
      oldest = oldest === undefined || month < oldest ? month : oldest;
      const reader = new MonthReader(month, (line) => isSigned(this.keyring, line));
      for (const segment of segments.filter((one) => one.month === month))
        for await (const part of this.place.read(segment, this.#read.get(segment.name)?.mark)) {
          found.read.push({ ...segment, mark: part.to });
          reader.take(part.lines, isTaken, found.covered);
          if (reader.others.length < linesAtOnce) continue;
          const others = reader.othersSigned();
          if (!others) return undefined;
          breaks.push(...(await unlikeTheirRows(this.db, others)));
        }
      const rest = reader.rest();
      if (!rest) return undefined;
      lines.push(...rest);
      if (reader.begun.size > 0 && month <= this.#month) complete++;
      if (month === this.#month) for (const account of reader.begun) found.begun.add(account);
    }
    return { ...found, breaks, lines, oldest };
  }
}

/** How many chains the database has, of how many there is no line yet of where they stand now, and whether there is any. */
export interface Checked {
  readonly chains: number;
  readonly grown: number;
  readonly isBegun: boolean;
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
  /** Lines that are to be looked up yet, and what was found about others. */
  readonly lines: readonly PlacedLine[];
  readonly breaks: readonly Break[];
  readonly covered: Coverage;
  /** The chains of which the month of now has the first line. */
  readonly begun: ReadonlySet<string>;
  readonly read: readonly ReadSegment[];
  readonly oldest: string | undefined;
}

/** The month before is read as well: that of now may not have begun with all chains. */
const monthsRead = 2;
const longestWriteMs = 2_000;
