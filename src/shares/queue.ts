import { FairLine, type Whose } from './line.js';

/** Runs a task when it is its turn, and answers as the task does. */
export type Queue = <T>(whose: Whose, task: () => Promise<T>) => Promise<T>;

interface Waiting {
  enter(): void;
  refuse(error: Error): void;
}

/**
 * A queue that lets `slots` tasks run at once and `waiting` more wait, by turns. Of one more than that, the last of who
 * has most waiting is refused at once, so that no wait is without end, and none is refused for what another has waiting.
 * @param full what is thrown then
 */
export function openQueue(slots: number, waiting: number, full: () => Error): Queue {
  let running = 0;
  const line = new FairLine<Waiting>();
  const turn = (whose: Whose) =>
    new Promise<void>((enter, refuse) => {
      line.add(whose, { enter, refuse });
      if (line.size > waiting) line.drop()?.refuse(full());
    });
  return async (whose, task) => {
    if (running < slots) running++;
    // The one that leaves passes on its slot, so the count stays as it is.
    else await turn(whose);
    try {
      return await task();
    } finally {
      const next = line.next();
      if (next) next.enter();
      else running--;
    }
  };
}
