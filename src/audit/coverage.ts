import type { Link } from '../keyring/keyring.js';
import type { Checkpoint } from './checkpoint-file.js';
import { endingOf, type KeptEnding } from './ending.js';

/** How far a chain is known, by the numbers of its events. */
interface Known {
  /** What ended after this event is written down */
  from: bigint;
  /** up to this one. */
  written: bigint;
  /** And from there to here nothing has ended. */
  seen: bigint;
}

/** So many endings at most are in one line. */
export const mostEndings = 1_000;

/**
 * Up to which event of each chain all that ended is written down. A line is written for what ended as soon as it is
 * committed; where other processes have added events between, it covers its own events alone, and a later line, which is
 * made of what the database has, covers the rest.
 */
export class Coverage {
  readonly #known = new Map<string, Known>();

  /** The number up to which all that ended after this event is written down; that event where nothing is. */
  writtenAfter(account: string, event: string): bigint {
    const known = this.#known.get(account);
    const after = BigInt(event);
    return known && known.from <= after && known.written > after ? known.written : after;
  }

  clear(): void {
    this.#known.clear();
  }

  /** Takes note of a line that is written. */
  add({ account, number, from }: Pick<Checkpoint, 'account' | 'number' | 'from'>): void {
    if (from === undefined) return;
    const [start, end] = [BigInt(from), BigInt(number)];
    const known = this.#known.get(account);
    // Of two spans that do not meet the earlier one is kept: a later line covers both.
    if (!known || end < known.from) this.#known.set(account, { from: start, written: end, seen: end });
    else if (start <= known.written) {
      known.from = least(known.from, start);
      known.written = most(known.written, end);
      known.seen = most(known.seen, end);
    }
  }

  /** Takes note of all that another one knows to be written. */
  join(other: Coverage): void {
    for (const [account, { from, written }] of other.#known)
      this.add({ account, from: String(from), number: String(written) });
  }

  /** Takes note of events that are committed, which follow each other in each chain. @returns the lines that are to be written */
  take(links: readonly Link[]): Checkpoint[] {
    const chains = new Map<string, Link[]>();
    for (const link of links) {
      const chain = chains.get(link.account);
      if (chain) chain.push(link);
      else chains.set(link.account, [link]);
    }
    return [...chains].flatMap(([account, events]) => this.#takeChain(account, events));
  }

  #takeChain(account: string, events: readonly Link[]): Checkpoint[] {
    const [first] = events;
    if (!first) return [];
    const before = BigInt(first.number) - 1n;
    const known = this.#knownOf(account, before);
    const follows = known?.seen === before;
    const lines: Checkpoint[] = [];
    let from = String(follows ? known.written : before);
    let ended: KeptEnding[] = [];
    for (const [index, event] of events.entries()) {
      const { number, at, ended: one } = event;
      if (one) ended.push({ number, at, type: one.type, id: one.id, ...endingOf(one.text) });
      const isLast = index === events.length - 1;
      if (ended.length === 0 || (!isLast && ended.length < mostEndings)) continue;
      lines.push({ ...lineAt(event), from, ended });
      [from, ended] = [event.number, []];
    }
    if (follows) {
      known.seen = BigInt(events.at(-1)?.number ?? before);
      known.written = BigInt(from);
    }
    return lines;
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

const least = (one: bigint, other: bigint): bigint => (one < other ? one : other);
const most = (one: bigint, other: bigint): bigint => (one > other ? one : other);

const lineAt = ({ account, number, hash, at, epoch }: Link): Checkpoint => ({
  account,
  number,
  hash,
  at,
  epoch,
});
