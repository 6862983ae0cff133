import { renameSync } from 'node:fs';
import { sql, type Database, type Sql } from '../database/database.js';
import { unavailable } from '../errors.js';
import type { Keyring } from '../keyring/keyring.js';
import type { Log } from '../log.js';
import {
  appendCheckpoints,
  isSigned,
  lengthOf,
  readCheckpoints,
  type Checkpoint,
  type CheckpointLine,
} from './checkpoint-file.js';
import { heldBecause } from './held.js';

/** The first event at which a chain is not what it was. */
export interface Break {
  account: string;
  number: string;
  reason: string;
}

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
    const lines = this.#complete ? grown : heads;
    if (this.#breaks.length > 0 || lines.length === 0) return;
    appendCheckpoints(this.path, this.keyring, lines, this.#read);
    this.#complete = true;
    this.#length = lengthOf(this.path);
    for (const line of lines) this.#highest.set(line.account, line);
  }

  /**
   * Holds the chains to what the file has gained since the last look, from whichever process. Costs three statements,
   * however long the file is: of each chain its highest line is looked up, and each one that does not go on to the next
   * line of its chain.
   */
  async check(): Promise<void> {
    await this.#look();
  }

  /**
   * Forgets what was found and what the file says, and begins another file: an operator has looked, and the chains are to
   * go on as they are. The file stays beside it, by the time of now.
   * @param record puts that on record; where it fails, all stays as it is.
   * @returns where the file is then
   */
  async setAside(record: () => Promise<void>): Promise<string> {
    const found = this.#breaks;
    this.#breaks = [];
    try {
      await record();
    } catch (error) {
      this.#breaks = found;
      throw error;
    }
    const kept = `${this.path}.${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
    if (lengthOf(this.path) > 0) renameSync(this.path, kept);
    this.#highest.clear();
    [this.#read, this.#length, this.#complete] = [0, 0, false];
    return kept;
  }

  /** @returns where the chains stand now, and those of them that the file has no line of yet */
  async #look(): Promise<{ heads: readonly Checkpoint[]; grown: readonly Checkpoint[] }> {
    if (this.#breaks.length > 0) return { heads: [], grown: [] };
    const news = this.#takeNews();
    const highest = this.#highest;
    const heads = await this.db.rows<Checkpoint>(readHeads);
    const grown = heads.filter(({ account, number }) => highest.get(account)?.number !== number);
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
    const length = lengthOf(this.path);
    // It was moved away: what begins anew is to have all.
    if (length < this.#length) [this.#read, this.#complete] = [0, false];
    this.#length = length;
    const from = this.#read;
    let news = this.#linesFrom(from, () => true);
    // Asked of these alone: it takes longer than reading a line. One that nobody signed must not hide one that was.
    if (!news.every((line) => isSigned(this.keyring, line)))
      news = this.#linesFrom(from, (line) => isSigned(this.keyring, line));
    for (const { checkpoint } of news) {
      const known = this.#highest.get(checkpoint.account);
      if (BigInt(checkpoint.number) >= BigInt(known?.number ?? 0))
        this.#highest.set(checkpoint.account, checkpoint);
    }
    return news.map(({ checkpoint }) => checkpoint);
  }

  /** Of each chain its highest line from this byte on, and each one that does not go on to the next line of its chain. */
  #linesFrom(from: number, isTaken: (line: CheckpointLine) => boolean): CheckpointLine[] {
    const highest = new Map<string, CheckpointLine>();
    const last = new Map<string, CheckpointLine>();
    const fallen: CheckpointLine[] = [];
    for (const { lines, to } of readCheckpoints(this.path, from)) {
      this.#read = to;
      for (const line of lines) {
        if (!line || !isTaken(line)) continue;
        const { account, number } = line.checkpoint;
        const before = last.get(account);
        if (before && !follows(line.checkpoint, before.checkpoint)) fallen.push(before);
        if (BigInt(number) >= BigInt(highest.get(account)?.checkpoint.number ?? 0))
          highest.set(account, line);
        last.set(account, line);
      }
    }
    return [...highest.values(), ...fallen];
  }
}

/**
 * Which of these lines have another event in their place, or none. One statement, by the index of the chains.
 * @param reasons what is told of either
 */
export async function unlikeTheirRows(
  db: Sql,
  lines: readonly Checkpoint[],
  reasons: { another: string; missing: string } = ofLines,
): Promise<Break[]> {
  if (lines.length === 0) return [];
  const found = await db.rows<{ account: string; number: string; there: boolean }>(unlike, {
    accounts: lines.map(({ account }) => account),
    numbers: lines.map(({ number }) => number),
    hashes: lines.map(({ hash }) => hash),
  });
  return found.map(({ account, number, there }) => ({
    account,
    number,
    reason: there ? reasons.another : reasons.missing,
  }));
}

/**
 * The place of the latest epoch that lines name, among those that these keys know: no event that they do not cover is of
 * an earlier one.
 */
export const floorOf = (keyring: Keyring, lines: Iterable<Checkpoint>): number => {
  const epochs = keyring.auditEpochs();
  let floor = -1;
  for (const { epoch = '' } of lines) floor = Math.max(floor, epochs.indexOf(epoch));
  return floor;
};

export const belowFloor = 'is of an earlier epoch than checkpoints from before it name';
/** What is told against a checkpoint, and against the head of a chain. */
export const ofLines = {
  another: 'is not what its checkpoint says',
  missing: 'is missing, and a checkpoint knows of it',
};
export const ofHeads = {
  another: 'cannot be told: the head of the chain is another',
  missing: 'is missing, and the head of the chain knows of it',
};

/** Whether a line may come after another one of its chain where nothing was cut. */
const follows = (line: Checkpoint, before: Checkpoint): boolean =>
  line.number === before.number ? line.hash === before.hash : BigInt(line.number) > BigInt(before.number);

/** What a chain's head itself tells against a line. */
function behind({ account, number, hash }: Checkpoint, head: Checkpoint | undefined): Break[] {
  if (!head) return [{ account, number: '1', reason: ofLines.missing }];
  if (BigInt(head.number) < BigInt(number))
    return [{ account, number: String(BigInt(head.number) + 1n), reason: ofLines.missing }];
  return head.number === number && head.hash !== hash ? [{ account, number, reason: ofLines.another }] : [];
}

function firstOfEach(breaks: readonly Break[]): Break[] {
  const first = new Map<string, Break>();
  for (const one of breaks) {
    const known = first.get(one.account);
    if (!known || BigInt(one.number) < BigInt(known.number)) first.set(one.account, one);
  }
  return [...first.values()];
}

const readHeads = sql(`
  SELECT account_id AS account, number::text AS number, encode(hash, 'hex') AS hash, clock_timestamp()::text AS at, epoch
  FROM audit_heads WHERE number > 0`);
const unlike = sql(`
  SELECT line.account, line.number::text AS number, e.hash IS NOT NULL AS there
  FROM unnest(CAST(:accounts AS uuid[]), CAST(:numbers AS bigint[]), CAST(:hashes AS text[])) AS line (account, number, hash)
  LEFT JOIN audit_events e ON e.account_id = line.account AND e.number = line.number
  WHERE e.hash IS DISTINCT FROM decode(line.hash, 'hex')`);
