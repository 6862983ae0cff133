import { FairLine, type Whose } from '../shares/line.js';

interface Piece {
  part: number;
  begin(): void;
}

/**
 * Lets work that holds the event loop begin as much at a time as one turn of it takes, with room for everybody else between
 * two turns. Callers are served in turn, so that one with forty pieces holds up another's by one.
 */
export class Turns {
  readonly #waiting = new FairLine<Piece>();

  /**
   * Resolves when it is the caller's turn. What follows at once, without waiting for anything, is its piece.
   * @param part how much of a turn the piece takes, from 0 to 1: what is small begins with others.
   */
  take(whose: Whose, part = 1): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.size === 0) setImmediate(this.#next);
      this.#waiting.add(whose, { part, begin: resolve });
    });
  }

  readonly #next = (): void => {
    for (let taken = 0; taken < 1;) {
      const next = this.#waiting.next();
      if (!next) break;
      taken += next.part;
      next.begin();
    }
    if (this.#waiting.size > 0) setImmediate(this.#next);
  };
}
