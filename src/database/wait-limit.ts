import { longestDatabaseWaitMs } from '../config/limits.js';
import { DatabaseUnavailable } from '../errors.js';

/**
 * How long one request may wait for the database, in all: past it nothing more is begun for it. What is under way then
 * comes to its end, as a statement that takes long may be an honest one. What is waited for side by side counts once, and
 * what a request does meanwhile, such as calling a store, not at all.
 */
export class WaitLimit {
  #underWay = 0;
  #sinceMs = 0;
  #waitedMs = 0;

  /** @param now milliseconds of a clock that is never set. */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** What is left of it, in milliseconds. */
  get leftMs(): number {
    const waitingMs = this.#underWay > 0 ? this.now() - this.#sinceMs : 0;
    return Math.max(0, longestDatabaseWaitMs - this.#waitedMs - waitingMs);
  }

  /** @throws UNAVAILABLE where nothing is left of it. */
  expectTimeLeft(): void {
    if (this.leftMs === 0) throw new DatabaseUnavailable('the request has waited for the database too long');
  }

  /** Counts the time that `work` takes. @throws UNAVAILABLE where nothing is left of it: `work` is not begun then. */
  async during<Result>(work: () => Promise<Result>): Promise<Result> {
    this.expectTimeLeft();
    if (this.#underWay++ === 0) this.#sinceMs = this.now();
    try {
      return await work();
    } finally {
      if (--this.#underWay === 0) this.#waitedMs += this.now() - this.#sinceMs;
    }
  }
}
