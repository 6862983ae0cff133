import type { Link } from '../../keyring/keyring.js';
import type { Checkpoint } from './line.js';
import { endingOf, type KeptEnding } from '../ending.js';

/** How far a chain is known, by the numbers of its events. */
interface Known {
  /** What ended after this event is written down */
  from: bigint;
  /** up to this one. */
  written: bigint;
  /** And from there to here nothing has ended. */
  seen: bigint;
}

/** What a line says of how far its chain is covered. */
type Span = Pick<Checkpoint, 'account' | 'number' | 'from' | 'since'>;

/** So many endings at most are in one line. */
export const mostEndings = 1_000;

/**
 * Up to which event of each chain all that ended is written down. A line is written for what ended as soon as it is
 * committed; where other processes have added events between, it is made of what the database has.
 */
export class Coverage {
  readonly #known = new Map<string, Known>();

  /** The number up to which all that ended after this event is written down; that event where nothing is. */
  writtenAfter(account: string, event: string): bigint {
    const known = this.#known.get(account);
    const after = BigInt(event);
    return known && known.from <= after && known.written > after ? known.written : after;
  }

  /** The number from which all that ended up to this event is written down; that event where nothing is. */
  since(account: string, event: string): string {
    const known = this.#known.get(account);
    const to = BigInt(event);
    return known && known.from <= to && to <= known.written ? String(known.from) : event;
  }

  clear(): void {
    this.#known.clear();
  }

  /** Takes note of a line that is written. */
  add({ account, number, from, since = from }: Span): void {
    if (since === undefined) return;
    const [start, end] = [BigInt(since), BigInt(number)];
    const known = this.#known.get(account);
    // Of two spans that do not meet the earlier one is kept: a later line covers both.
    if (!known || end < known.from) this.#known.set(account, { from: start, written: end, seen: end });
    else if (start <= known.written) {
      known.from = least(known.from, start);
      known.written = most(known.written, end);
      known.seen = most(known.seen, end);
    }
  }

  /** The same for a line that goes on from what is covered: it stands alone, where it begins after that. */
  cover(line: Span): void {
    const known = this.#known.get(line.account);
    if (known && line.from !== undefined && BigInt(line.from) > known.written)
      this.#known.delete(line.account);
    this.add(line);
  }

  /** Takes note that lines could not be written after all. */
  takeBack(lines: readonly Span[]): void {
    for (const { account, from } of lines) {
      const known = this.#known.get(account);
      if (!known || from === undefined) continue;
      known.written = most(known.from, least(known.written, BigInt(from)));
      known.seen = known.written;
    }
  }

  /** Takes note of all that another one knows to be written. */
  join(other: Coverage): void {
    for (const [account, { from, written }] of other.#known)
      this.add({ account, from: String(from), number: String(written) });
  }

  /**
   * Takes note of events that are committed, which follow each other in each chain.
   * @returns the lines that are to be written, and apart those of chains to which others have added events before them
   */
  take(links: readonly Link[]): { lines: Checkpoint[]; apart: Apart[] } {
    const chains = new Map<string, Link[]>();
    for (const link of links) {
      const chain = chains.get(link.account);
      if (chain) chain.push(link);
      else chains.set(link.account, [link]);
    }
    const taken = { lines: [] as Checkpoint[], apart: [] as Apart[] };
    for (const [account, events] of chains) {
      const before = BigInt(events[0]?.number ?? 1) - 1n;
      const known = this.#knownOf(account, before);
      if (known?.seen === before) {
        const lines = linesFrom(String(known.written), events);
        known.seen = BigInt(events.at(-1)?.number ?? before);
        taken.lines.push(...lines);
      } else {
        const lines = linesFrom(String(before), events);
        if (lines.length > 0) taken.apart.push({ account, lines });
      }
    }
    return taken;
  }

  /** What is known of a chain, which is known from its beginning where this is that. */
  #knownOf(account: string, before: bigint): Known | undefined {
    const known = this.#known.get(account);
    if (known || before > 0n) return known;
    const begun = { from: 0n, written: 0n, seen: 0n };
    this.#known.set(account, begun);
    return begun;
  }
}

/** Lines of a chain that cover its latest events alone. */
export interface Apart {
  readonly account: string;
  readonly lines: readonly Checkpoint[];
}

/** The lines that say what ended by these events, which cover all of the chain from this event on. */
function linesFrom(start: string, events: readonly Link[]): Checkpoint[] {
  const lines: Checkpoint[] = [];
  let from = start;
  let ended: KeptEnding[] = [];
  for (const [index, event] of events.entries()) {
    const { number, at, ended: one } = event;
    if (one) ended.push({ number, at, type: one.type, id: one.id, ...endingOf(one.text) });
    const isLast = index === events.length - 1;
    if (ended.length === 0 || (!isLast && ended.length < mostEndings)) continue;
    lines.push({ ...lineAt(event), from, ended });
    [from, ended] = [event.number, []];
  }
  return lines;
}

const least = (one: bigint, other: bigint): bigint => (one < other ? one : other);
const most = (one: bigint, other: bigint): bigint => (one > other ? one : other);

const lineAt = ({ account, number, hash, at, epoch }: Link): Checkpoint => ({
  account,
  number,
  hash,
  at,
  epoch,
});
