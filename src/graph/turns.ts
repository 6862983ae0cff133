import { FairLine, type Whose } from '../shares/line.js';

/**
 * Lets work that holds the event loop begin one piece at a time, with room for everybody else between two pieces. Callers
 * are served in turn, so that one with forty pieces holds up another's by one.
 */
export class Turns {
  readonly #waiting = new FairLine<() => void>();

  /** Resolves when it is the caller's turn. What follows at once, without waiting for anything, is its piece. */
  take(whose: Whose): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.size === 0) setImmediate(this.#next);
      this.#waiting.add(whose, resolve);
    });
  }

  readonly #next = (): void => {
    const begin = this.#waiting.next();
    if (this.#waiting.size > 0) setImmediate(this.#next);
    begin?.();
  };
}
