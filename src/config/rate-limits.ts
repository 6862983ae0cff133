import { mostRates, usualRates } from './limits.js';
import { readNamedNumbers } from './named-numbers.js';

/** What is allowed in a minute; without a limit where 0. */
export interface RateLimitSettings {
  /** Points of cost that an account may spend. */
  readonly points: number;
  /** Refusals that a proof, an address, or an address that a service tells may meet. */
  readonly failures: number;
}

/** The least, the usual, and the most that each can be set to. */
export const rateRanges = {
  points: [100, usualRates.points, mostRates.points],
  failures: [10, usualRates.failures, mostRates.failures],
} as const;

/**
 * Reads limits such as `points=600000,failures=0`; each that is not named is as usual.
 * @returns what is wrong with the text besides, without its values
 */
export function readRateLimits(text: string): { limits: RateLimitSettings; faults: string[] } {
  const { given, faults } = readNamedNumbers(text, rateRanges, 'points=600000,failures=1000', 'no limit');
  const of = (name: keyof typeof rateRanges) => given.get(name) ?? rateRanges[name][1];
  return {
    limits: Object.freeze({ points: of('points'), failures: of('failures') }),
    faults: [...new Set(faults)],
  };
}
