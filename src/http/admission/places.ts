/** The part of all places that one name may have. */
const shareOfOne = 0.75;

/**
 * So many places, for whoever comes first, and three quarters of them for one name at most: what one has, however much it
 * sends, leaves room for others.
 */
export class Places {
  readonly #had = new Map<string, number>();
  #taken = 0;

  constructor(readonly most: number) {}

  /** Whether one is free, for all of these names. */
  haveRoom(names: readonly string[]): boolean {
    return this.#taken < this.most && names.every((name) => this.mayHave(name));
  }

  /** Whether this name has fewer than it may. */
  mayHave(name: string): boolean {
    return (this.#had.get(name) ?? 0) < Math.ceil(this.most * shareOfOne);
  }

  take(names: readonly string[]): void {
    this.#taken++;
    for (const name of names) this.countFor(name);
  }

  /** Counts one that is taken for one name more. */
  countFor(name: string): void {
    this.#had.set(name, (this.#had.get(name) ?? 0) + 1);
  }

  /** @param names all that it was counted for */
  giveBack(names: readonly string[]): void {
    this.#taken--;
    for (const name of names) {
      const left = (this.#had.get(name) ?? 0) - 1;
      if (left > 0) this.#had.set(name, left);
      else this.#had.delete(name);
    }
  }
}
