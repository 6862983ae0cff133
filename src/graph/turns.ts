/**
 * Lets work that holds the event loop begin one piece at a time, with room for everybody else between two pieces. Callers
 * are served in turn, so that one with forty pieces holds up another's by one.
 */
export class Turns {
  readonly #waiting = new Map<string, (() => void)[]>();

  /** Resolves when it is the caller's turn. What follows at once, without waiting for anything, is its piece. */
  take(caller: string): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.size === 0) setImmediate(this.#next);
      this.#waiting.set(caller, [...(this.#waiting.get(caller) ?? []), resolve]);
    });
  }

  readonly #next = (): void => {
    const [first] = this.#waiting;
    if (!first) return;
    const [caller, [begin, ...others]] = first;
    this.#waiting.delete(caller);
    // Behind those who wait as well.
    if (others.length > 0) this.#waiting.set(caller, others);
    if (this.#waiting.size > 0) setImmediate(this.#next);
    begin?.();
  };
}
