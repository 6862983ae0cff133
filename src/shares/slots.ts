/**
 * What this process has under way of one kind of work. One tenant has half of the slots at most, so that there is always
 * one for another; which of a tenant's comes next is chosen where it waits, by `nextInTurn`.
 */
export class Slots {
  readonly #running = new Map<string, { tenant: string; ended: Promise<unknown> }>();

  constructor(readonly most: number) {}

  /** How many more may begin now. */
  get free(): number {
    return this.most - this.#running.size;
  }

  /** The parameters of `nextInTurn`. */
  asked(): { free: number; share: number; had: string[] } {
    const had = [...this.#running.values()].map(({ tenant }) => tenant);
    return { free: this.free, share: Math.ceil(this.most / 2), had };
  }

  /** The ids of what is under way. */
  running(): string[] {
    return [...this.#running.keys()];
  }

  /** Begins a piece of work, which never rejects and has a slot until it ends. Returns what it does. */
  begin<Result>(id: string, tenant: string, work: () => Promise<Result>): Promise<Result> {
    const ended = work().finally(() => this.#running.delete(id));
    this.#running.set(id, { tenant, ended });
    return ended;
  }

  /** Waits for all that is under way. */
  async end(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }
}
