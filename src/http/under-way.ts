import { rateLimited } from '../errors.js';

/** How many requests of each caller are under way: one that sends all at once leaves room for the others. */
export class UnderWay {
  readonly #counts = new Map<string, number>();

  /** @param most how many each may have at once. */
  constructor(private readonly most: number) {}

  /**
   * Counts one more of this caller.
   * @returns what counts it off again.
   * @throws RATE_LIMITED
   */
  enter(caller: string): () => void {
    const count = this.#counts.get(caller) ?? 0;
    if (count >= this.most)
      throw rateLimited(
        'requestsPerCaller',
        `This account has ${this.most} requests under way, which is the most that it may have: wait for some of them.`,
        1_000,
      );
    this.#counts.set(caller, count + 1);
    return () => this.#leave(caller);
  }

  #leave(caller: string): void {
    const count = (this.#counts.get(caller) ?? 0) - 1;
    if (count > 0) this.#counts.set(caller, count);
    else this.#counts.delete(caller);
  }
}
