import { longestDatabaseWaitMs, longestLateMs } from '../config/limits.js';
import { DatabaseUnavailable } from '../errors.js';

/** What is waited for. */
export interface Wait {
  /** Whether it is waited for to its end, as nobody could tell else what has become of it. */
  isFinal: boolean;
}

const leavable: Readonly<Wait> = { isFinal: false };

/**
 * How long one request may wait for the database, in all: past it nothing more is begun for it, and soon after it what is
 * still under way is left behind. What is waited for side by side counts once, and what a request does meanwhile, such as
 * calling a store, not at all.
 */
export class WaitLimit {
  /** What is under way, each with what leaves it behind. */
  readonly #underWay = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #sinceMs = 0;
  #waitedMs = 0;

  /** @param now milliseconds of a clock that is never set. */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** What is left of it, in milliseconds. */
  get leftMs(): number {
    const waitingMs = this.#underWay.size > 0 ? this.now() - this.#sinceMs : 0;
    return Math.max(0, longestDatabaseWaitMs - this.#waitedMs - waitingMs);
  }

  /** @throws UNAVAILABLE where nothing is left of it. */
  expectTimeLeft(): void {
    if (this.leftMs === 0) throw tooLong();
  }

  /**
   * Counts the time that `work` takes.
   * @throws UNAVAILABLE where nothing is left of it, and `work` is not begun; and where `work` is not final and takes much
   * longer than was left: it goes on without anybody, and can begin nothing more.
   */
  async during<Result>(work: () => Promise<Result>, wait: Readonly<Wait> = leavable): Promise<Result> {
    this.expectTimeLeft();
    return new Promise<Result>((resolve, reject) => {
      const leave = () => {
        if (!wait.isFinal) reject(tooLong());
      };
      this.#begin(leave);
      void work()
        .finally(() => this.#end(leave))
        .then(resolve, reject);
    });
  }

  #begin(leave: () => void): void {
    if (this.#underWay.size === 0) {
      this.#sinceMs = this.now();
      this.#timer = setTimeout(
        () => this.#leaveAll(),
        longestDatabaseWaitMs - this.#waitedMs + longestLateMs,
      );
    }
    this.#underWay.add(leave);
  }

  #end(leave: () => void): void {
    this.#underWay.delete(leave);
    if (this.#underWay.size > 0) return;
    clearTimeout(this.#timer);
    this.#waitedMs += this.now() - this.#sinceMs;
  }

  #leaveAll(): void {
    for (const leave of this.#underWay) leave();
  }
}

const tooLong = () => new DatabaseUnavailable('the request has waited for the database too long');
