import { AsyncResource } from 'node:async_hooks';

/** What waits for a slot, with the tenant that it is of. */
export interface Waiting {
  readonly id: string;
  readonly tenant: string;
}

/** The parameters of `nextInTurn`. */
interface Asked {
  readonly free: number;
  readonly share: number;
  readonly had: readonly string[];
}

/**
 * What this process has under way of one kind of work. One tenant has half of the slots at most, so that there is always
 * one for another; which of a tenant's comes next is chosen where it waits, by `nextInTurn`.
 */
export class Slots {
  readonly #running = new Set<{ id: string; tenant: string; ended: Promise<unknown> }>();
  /** Where this was made, outside of any request: one that has it look is not the one that the work is done for. */
  readonly #apart = new AsyncResource('Slots');
  #filling: Promise<unknown> = Promise.resolve();

  constructor(readonly most: number) {}

  /**
   * Begins what `take` finds for the slots that are free, and returns what `work` does with each, without waiting for it.
   * @param work never rejects, and has a slot until it ends.
   */
  fill<Taken extends Waiting, Result>(
    take: (asked: Asked) => Promise<readonly Taken[]>,
    work: (taken: Taken) => Promise<Result>,
  ): Promise<Promise<Result>[]> {
    // One after another: two that look at once would both count on the same slots.
    const filled = this.#apart.runInAsyncScope(() =>
      this.#filling.then(async () => {
        const asked = this.#asked();
        return asked.free <= 0 ? [] : (await take(asked)).map((taken) => this.#begin(taken, work(taken)));
      }),
    );
    this.#filling = filled.catch(() => undefined);
    return filled;
  }

  /** The ids of what is under way. */
  running(): string[] {
    return [...this.#running].map(({ id }) => id);
  }

  /** Waits for all that is under way. */
  async end(): Promise<void> {
    await this.#filling;
    await Promise.all([...this.#running].map(({ ended }) => ended));
  }

  #asked(): Asked {
    const had = [...this.#running].map(({ tenant }) => tenant);
    return { free: this.most - had.length, share: Math.ceil(this.most / 2), had };
  }

  #begin<Result>({ id, tenant }: Waiting, work: Promise<Result>): Promise<Result> {
    // Not by its id: what was taken again after its lease ended has another slot.
    const ended = work.finally(() => this.#running.delete(running));
    const running = { id, tenant, ended };
    this.#running.add(running);
    return ended;
  }
}
