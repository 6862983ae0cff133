import { createHash } from 'node:crypto';
import { quotaWindowMs, type WatchedLedger } from './ledger.js';

/** Who it is stands in no ledger: it may be what somebody presented. */
const nameOf = (kind: string, who: string): string =>
  `${kind}:${createHash('sha256').update(who).digest('base64url')}`;

/** How much of a limit there is to somebody. */
export interface QuotaStanding {
  readonly limit: number;
  /** What can still be spent in this window, as far as this process knows. */
  readonly remaining: number;
  /** How long the window goes on, in milliseconds. */
  readonly leftMs: number;
}

/** What this process has taken of somebody's limit, and not spent yet. */
interface Block {
  points: number;
  /** What all have taken, as it was when this one last did. */
  taken: number;
  /** When the window ends, or shortly before, by a clock that is never set; never, while nothing was taken. */
  endsAt: number;
  /** Whether there is nothing more to be had in this window. */
  isLast: boolean;
  /** Whether it is this process's own, as the ledger is away. */
  isOwn: boolean;
  /** What was spent in such times, of which the ledger knows nothing. */
  spentAlone: number;
  taking?: Promise<void> | undefined;
}

/** Has what is waited for counted by somebody. */
export type During = (work: () => Promise<void>) => Promise<void>;

const uncounted: During = (work) => work();

/** Whose blocks are kept at most: one that is forgotten loses its holder a block, and lets nobody have more. */
const mostBlocks = 20_000;

/** How many blocks a limit has: each costs a round trip, and a process never holds more than one unspent. */
const blocks = 10;

/** Two windows end at least so far from each other, and what is known of the end of one differs by less. */
const apartMs = quotaWindowMs / 2;

/**
 * One limit, of whomever it is asked for: so many points in a minute. This process takes them from the ledger in blocks and
 * spends them by itself, so that all processes together never spend more than the limit, and each at most a block less.
 */
export class Quota {
  readonly #blocks = new Map<string, Block>();

  /**
   * @param kind tells it from others in the ledger
   * @param now milliseconds of a clock that is never set
   */
  constructor(
    private readonly kind: string,
    readonly limit: number,
    private readonly ledger: WatchedLedger,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * Spends points of somebody's.
   * @param during has the time counted for which a block is waited for
   * @returns whether there were as many; where not, none is spent
   * @throws what `during` does
   */
  async spend(who: string, points: number, during = uncounted): Promise<boolean> {
    if (this.limit === 0) return true;
    if (points > this.limit) return false;
    for (;;) {
      const block = this.#blockOf(who);
      const mayAsk = !block.isOwn || this.ledger.isDue;
      if (block.points >= points && !(block.isOwn && mayAsk)) {
        block.points -= points;
        if (block.isOwn) block.spentAlone += points;
        return true;
      }
      if (block.isLast && !(block.isOwn && mayAsk)) return false;
      await during(() => (block.taking ??= this.#take(who, block, points)));
    }
  }

  /** Whether nothing is left of somebody's, as far as this process knows. */
  isSpent(who: string): boolean {
    const block = this.#blocks.get(who);
    return block !== undefined && block.isLast && block.points === 0 && block.endsAt > this.now();
  }

  standing(who: string): QuotaStanding {
    const { limit } = this;
    const block = this.#blocks.get(who);
    const leftMs = (block?.endsAt ?? 0) - this.now();
    if (!block || leftMs <= 0 || leftMs === Infinity)
      return { limit, remaining: limit, leftMs: quotaWindowMs };
    return { limit, remaining: Math.max(0, limit - block.taken + block.points), leftMs };
  }

  #blockOf(who: string): Block {
    const known = this.#blocks.get(who);
    if (known && known.endsAt > this.now()) return known;
    const block = { points: 0, taken: 0, endsAt: Infinity, isLast: false, isOwn: false, spentAlone: 0 };
    this.#blocks.delete(who);
    const [oldest] = this.#blocks.size >= mostBlocks ? this.#blocks.keys() : [];
    if (oldest !== undefined) this.#blocks.delete(oldest);
    this.#blocks.set(who, block);
    return block;
  }

  async #take(who: string, block: Block, wanted: number): Promise<void> {
    const { limit } = this;
    const held = block.isOwn ? 0 : block.points;
    const needed = wanted - held;
    const points = Math.min(limit, Math.max(Math.ceil(limit / blocks), needed));
    const isFirst = block.endsAt === Infinity;
    const askedAt = this.now();
    const granted = await this.ledger.take({ name: nameOf(this.kind, who), points, needed, isFirst, limit });
    block.taking = undefined;
    if (!granted) return this.#goOnAlone(block);
    // The ledger reckoned what is left after it was asked: what is taken is never spent after the window.
    const endsAt = askedAt + granted.leftMs;
    const isSame = !block.isOwn && Math.abs(endsAt - block.endsAt) < apartMs;
    block.points = granted.points + (isSame ? block.points : 0);
    block.taken = granted.taken;
    block.endsAt = isSame ? Math.min(block.endsAt, endsAt) : endsAt;
    block.isLast = granted.points < needed || granted.taken >= limit;
    block.isOwn = false;
  }

  /**
   * All that nobody has taken in this window, as far as this process knows, for it alone: how many others there are it does
   * not know.
   */
  #goOnAlone(block: Block): void {
    if (block.isOwn) return;
    block.points = Math.max(0, this.limit - block.taken + block.points - block.spentAlone);
    block.taken = this.limit;
    if (block.endsAt === Infinity) block.endsAt = this.now() + quotaWindowMs;
    block.isLast = true;
    block.isOwn = true;
  }
}
