import type { Coverage } from './coverage.js';
import type { Checkpoint, CheckpointLine } from './line.js';

/** Which event a line is of: what ended up to it is not kept. */
export type PlacedLine = Pick<Checkpoint, 'account' | 'number' | 'hash' | 'epoch'>;

/** Finds among the lines of a month those that are held to their rows, in the order in which they were written. */
export class MonthReader {
  /** The chains of which it has the first line, signed. */
  readonly begun = new Set<string>();
  /** Each line that does not go on to the next one of its chain, and each that says what ended. */
  readonly others: CheckpointLine[] = [];
  readonly #highest = new Map<string, CheckpointLine>();
  readonly #last = new Map<string, CheckpointLine>();

  constructor(
    private readonly month: string,
    private readonly isSigned: (line: CheckpointLine) => boolean,
  ) {}

  take(
    lines: readonly (CheckpointLine | undefined)[],
    isTaken: (line: CheckpointLine) => boolean,
    covered: Coverage,
  ): void {
    for (const line of lines) {
      if (!line || !isTaken(line)) continue;
      const { account, number, since, month } = line.checkpoint;
      covered.add(line.checkpoint);
      if (since !== undefined && month === this.month && this.isSigned(line)) this.begun.add(account);
      const before = this.#last.get(account);
      if (before && !follows(line.checkpoint, before.checkpoint)) this.others.push(before);
      if (line.checkpoint.ended?.length) this.others.push(line);
      if (BigInt(number) >= BigInt(this.#highest.get(account)?.checkpoint.number ?? 0))
        this.#highest.set(account, line);
      this.#last.set(account, line);
    }
  }

  /** Takes the others out; undefined where one of them is not signed. */
  othersSigned(): PlacedLine[] | undefined {
    const others = this.others.splice(0);
    return others.every((line) => this.isSigned(line)) ? others.map(placed) : undefined;
  }

  /** The others that are left, and the highest line of each chain; undefined where one of them is not signed. */
  rest(): PlacedLine[] | undefined {
    const lines = [...new Set([...this.#highest.values(), ...this.others.splice(0)])];
    return lines.every((line) => this.isSigned(line)) ? lines.map(placed) : undefined;
  }
}

/** Whether a line may come after another one of its chain where nothing was cut. */
const follows = (line: Checkpoint, before: Checkpoint): boolean =>
  line.number === before.number ? line.hash === before.hash : BigInt(line.number) > BigInt(before.number);

const placed = ({ checkpoint: { account, number, hash, epoch } }: CheckpointLine): PlacedLine => ({
  account,
  number,
  hash,
  ...(epoch !== undefined && { epoch }),
});
