import { renameSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../database/database.js';
import { unavailable } from '../errors.js';
import type { Keyring, Link } from '../keyring/keyring.js';
import type { Log } from '../log.js';
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
import {
  appendCheckpoints,
  isSigned,
  lengthOf,
  readCheckpoints,
  type Checkpoint,
  type CheckpointLine,
} from './checkpoint-file.js';
import { Coverage, type Apart } from './coverage.js';
import { linesOf, readHeads, readHeadsOf, type ChainHead } from './heads.js';
import { heldBecause } from './held.js';

/**
 * Writes down, outside the database and signed, where each account's chain stands, and holds the chains to what is
 * written. A chain that is behind a line, or unlike it, is never written down again: until an operator has acted and
 * Keyway is started anew, no event is recorded, and so nothing is changed.
 */
export class Checkpoints {
  /** What the file says of each chain: its highest line. No chain goes back behind it. */
  readonly #highest = new Map<string, Checkpoint>();
  /** How far the file was read, and how long it was after that. */
  #read = 0;
  #length = 0;
  /** Whether the file has a line for each chain that is in `#highest`. */
  #complete = true;
  #breaks: readonly Break[] = [];
  readonly #coverage = new Coverage();
  /** Lines that are about to be written, and what writes them. */
  #waiting: Checkpoint[] = [];
  #writing: Promise<void> = Promise.resolve();
  /** Whether another file is begun: what ended meanwhile is written to that. */
  #isSetAside = false;

  constructor(
    private readonly db: Database,
    private readonly keyring: Keyring,
    readonly path: string,
    private readonly log: Log,
  ) {}

  /** Where the log is not what the file says, as far as that was found without reading all of it; empty where it is. */
  get breaks(): readonly Break[] {
    return this.#breaks;
  }

  /** @throws UNAVAILABLE where the audit log is not what the file says: nothing may be added to it. */
  expectWhole(): void {
    if (this.#breaks.length > 0) throw unavailable('the audit log is not what its checkpoints say');
  }

  /**
   * Holds the chains to the file, and adds a line for each that has grown, with a number above all that the file has of
   * it. Once a chain was found that is behind or unlike, nothing is written any more.
   */
  async write(): Promise<void> {
    const { heads, grown } = await this.#look();
    const behind = this.#complete ? grown : heads;
    if (this.#breaks.length > 0 || behind.length === 0) return;
    for (let left = behind; left.length > 0;) {
      const { lines, rest } = await linesOf(this.db, this.#coverage, left);
      await this.#append(lines);
      for (const line of lines) this.#highest.set(line.account, line);
      left = rest;
    }
    this.#complete = true;
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
    this.#noticeMoved();
    try {
      await appendCheckpoints(this.path, this.keyring, lines, this.#read);
    } catch (error) {
      this.#coverage.takeBack(lines);
      throw error;
    }
    this.#length = lengthOf(this.path);
  }

  /** A file that was moved away is begun anew, and is to have all. */
  #noticeMoved(): void {
    if (lengthOf(this.path) < this.#length) [this.#read, this.#length, this.#complete] = [0, 0, false];
  }

  /**
   * Holds the chains to what the file has gained since the last look, from whichever process. Costs three statements,
   * however long the file is: of each chain its highest line is looked up, each one that does not go on to the next line
   * of its chain, and each that says what ended.
   */
  async check(): Promise<void> {
    await this.#look();
  }

  /**
   * Forgets what was found, and begins another file, with the lines that hold: an operator has looked, and the chains are
   * to go on as they are. The file stays beside it, by the time of now.
   * @param record puts that on record; where it fails, the file stays as it is.
   * @returns where the file is then
   */
  async setAside(record: () => Promise<void>): Promise<string> {
    const found = this.#breaks;
    [this.#breaks, this.#isSetAside] = [[], true];
    const next = `${this.path}.next`;
    const kept = `${this.path}.${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
    try {
      rmSync(next, { force: true });
      await this.#copyHeld(next);
      await record();
      if (lengthOf(this.path) > 0) renameSync(this.path, kept);
      if (lengthOf(next) > 0) renameSync(next, this.path);
    } catch (error) {
      this.#breaks = found;
      throw error;
    } finally {
      this.#isSetAside = false;
    }
    this.#highest.clear();
    this.#coverage.clear();
    this.#waiting = [];
    [this.#read, this.#length, this.#complete] = [0, 0, false];
    return kept;
  }

  /** What ended before is to be known yet where a still earlier state is put back. */
  async #copyHeld(path: string): Promise<void> {
    let lines: Checkpoint[] = [];
    const append = async () => {
      await appendCheckpoints(path, this.keyring, lines, lengthOf(path));
      lines = [];
    };
    for await (const { line, holds } of linesHeld(this.db, this.keyring, this.path)) {
      if (line && holds) lines.push(line);
      if (lines.length === linesAtOnce) await append();
    }
    if (lines.length > 0) await append();
  }

  /** @returns where the chains stand now, and those of them that the file has no line of yet */
  async #look(): Promise<{ heads: readonly ChainHead[]; grown: readonly ChainHead[] }> {
    if (this.#breaks.length > 0) return { heads: [], grown: [] };
    const news = this.#takeNews();
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
    return { heads, grown };
  }

  /** Reads on in the file. Returns the lines that are to be looked up. */
  #takeNews(): Checkpoint[] {
    this.#noticeMoved();
    this.#length = lengthOf(this.path);
    const from = this.#read;
    let { news, covered } = this.#linesFrom(from, () => true);
    // Asked of these alone: it takes longer than reading a line. One that nobody signed must not hide one that was.
    if (!news.every((line) => isSigned(this.keyring, line)))
      ({ news, covered } = this.#linesFrom(from, (line) => isSigned(this.keyring, line)));
    this.#coverage.join(covered);
    const before: Checkpoint[] = [];
    for (const { checkpoint } of news) {
      const known = this.#highest.get(checkpoint.account);
      if (BigInt(checkpoint.number) < BigInt(known?.number ?? 0)) continue;
      if (known) before.push(known);
      this.#highest.set(checkpoint.account, checkpoint);
    }
    return [...before, ...news.map(({ checkpoint }) => checkpoint)];
  }

  /**
   * Of each chain its highest line from this byte on, each one that does not go on to the next line of its chain, and each
   * that says what ended, which was written without a look; and what all of them cover.
   */
  #linesFrom(from: number, isTaken: (line: CheckpointLine) => boolean) {
    const covered = new Coverage();
    const highest = new Map<string, CheckpointLine>();
    const last = new Map<string, CheckpointLine>();
    const others: CheckpointLine[] = [];
    for (const { lines, to } of readCheckpoints(this.path, from)) {
      this.#read = to;
      for (const line of lines) {
        if (!line || !isTaken(line)) continue;
        const { account, number } = line.checkpoint;
        covered.add(line.checkpoint);
        const before = last.get(account);
        if (before && !follows(line.checkpoint, before.checkpoint)) others.push(before);
        if (line.checkpoint.ended?.length) others.push(line);
        if (BigInt(number) >= BigInt(highest.get(account)?.checkpoint.number ?? 0))
          highest.set(account, line);
        last.set(account, line);
      }
    }
    return { news: [...new Set([...highest.values(), ...others])], covered };
  }
}

/** Whether a line may come after another one of its chain where nothing was cut. */
const follows = (line: Checkpoint, before: Checkpoint): boolean =>
  line.number === before.number ? line.hash === before.hash : BigInt(line.number) > BigInt(before.number);

const linesAtOnce = 10_000;
const longestWriteMs = 2_000;
