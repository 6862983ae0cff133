import { setTimeout as sleep } from 'node:timers/promises';

/** How long whoever asks waits to hear that the database answers: probes have no patience either. */
const longestPingMs = 2_000;

/**
 * Whether the database answers, within two seconds. It is asked once for all who want to know at the same time, so that
 * one that does not answer is not left with more and more questions.
 * @param ping rejects where it does not.
 */
export function readiness(ping: () => Promise<unknown>, withinMs = longestPingMs): () => Promise<boolean> {
  let underWay: Promise<boolean> | undefined;
  const ask = () =>
    ping()
      .then(
        () => true,
        () => false,
      )
      .finally(() => (underWay = undefined));
  return () => Promise.race([(underWay ??= ask()), sleep(withinMs, false, { ref: false })]);
}
