import { unavailable } from '../errors.js';

/** Runs a task when it is its turn, and answers as the task does. */
export type Queue = <T>(task: () => Promise<T>) => Promise<T>;

/**
 * A queue that lets `slots` tasks run at once and `waiting` more wait, in the order in which they came. One more is
 * UNAVAILABLE at once, so that no wait is without end.
 */
export function openQueue(slots: number, waiting: number): Queue {
  let running = 0;
  const queue: (() => void)[] = [];
  return async (task) => {
    if (running < slots) running++;
    else if (queue.length >= waiting) throw unavailable(new Error('too many tasks wait'));
    // The one that leaves passes on its slot, so the count stays as it is.
    else await new Promise<void>((enter) => queue.push(enter));
    try {
      return await task();
    } finally {
      const next = queue.shift();
      if (next) next();
      else running--;
    }
  };
}
