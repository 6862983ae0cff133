import { setTimeout as sleep } from 'node:timers/promises';

const longestMs = 180_000;

/**
 * Looks again and again until something is found, and resolves with that.
 * @throws with what was waited for, when it has taken three minutes.
 */
export async function until<Found>(
  what: string,
  look: () => Found | undefined | Promise<Found | undefined>,
): Promise<Found> {
  for (const from = performance.now(); performance.now() - from < longestMs; await sleep(100)) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
  }
  throw new Error(`for three minutes this was not so: ${what}`);
}
