/** How much one may have tried at once, and how often it may fail in a time. */
export interface TryBounds {
  readonly atOnce: number;
  readonly failures: number;
  readonly windowMs: number;
}

/** What each tries that may well fail, and takes long where it does. What succeeds is counted only while it is tried. */
export class Tries {
  readonly #underWay = new Map<string, number>();
  readonly #failed = new Map<string, number>();
  #endsAtMs = 0;

  /** @param refused what is thrown for more than that, with when it may be tried again, in milliseconds */
  constructor(
    readonly bounds: TryBounds,
    readonly refused: (retryInMs: number) => Error,
  ) {}

  async run<Result>(who: string, work: () => Promise<Result>): Promise<Result> {
    const now = performance.now();
    if (now >= this.#endsAtMs) {
      this.#failed.clear();
      this.#endsAtMs = now + this.bounds.windowMs;
    }
    const underWay = this.#underWay.get(who) ?? 0;
    if (underWay >= this.bounds.atOnce) throw this.refused(1_000);
    if ((this.#failed.get(who) ?? 0) >= this.bounds.failures) throw this.refused(this.#endsAtMs - now);
    this.#underWay.set(who, underWay + 1);
    try {
      return await work();
    } catch (error) {
      this.#failed.set(who, (this.#failed.get(who) ?? 0) + 1);
      throw error;
    } finally {
      const left = (this.#underWay.get(who) ?? 0) - 1;
      if (left > 0) this.#underWay.set(who, left);
      else this.#underWay.delete(who);
    }
  }
}
