import { KeywayError, rateLimited } from '../errors.js';
import type { QuotaStanding } from './quota.js';

/** The limits that there are. */
export type LimitName = 'points' | 'revoking' | 'failures' | 'strangers' | 'guesses';

/** What is said of each, and never of anybody else than who asked. */
const wording: Readonly<Record<LimitName, (standing: QuotaStanding, asked: number) => string>> = {
  points: ({ limit, remaining }, asked) =>
    `This account may spend ${limit} points in a minute, and has spent ${limit - remaining}; this costs ${asked}.`,
  revoking: ({ limit, remaining }, asked) =>
    `This account has spent its points, and of the ${limit} that are kept for revoking by this proof ${limit - remaining} are spent; this costs ${asked}.`,
  failures: ({ limit, remaining }) =>
    `What was asked with this proof was refused or not found ${limit - remaining} times, and ${limit} are allowed in a minute.`,
  strangers: ({ limit, remaining }) =>
    `No valid token was presented. From this address that was so ${limit - remaining} times, and ${limit} are allowed in a minute.`,
  guesses: ({ limit }) => `This was not valid ${limit} times in a minute.`,
};

/** The error for a limit that is used up. */
export function spent(limit: LimitName, standing: QuotaStanding, asked: number): KeywayError {
  const retryInMs = Math.max(1, standing.leftMs);
  const wait = Math.ceil(retryInMs / 1_000);
  return rateLimited(
    limit,
    `${wording[limit](standing, asked)} It is free again in ${wait} ${wait === 1 ? 'second' : 'seconds'}.`,
    retryInMs,
  );
}

/** The error for what costs more points than there are in a minute: to wait is of no use. */
export const tooDear = (limit: number, asked: number): KeywayError =>
  new KeywayError(
    'LIMIT_EXCEEDED',
    `This costs ${asked} points, and this account may spend ${limit} in a minute: ask for less at once.`,
    { limit: 'points' satisfies LimitName },
  );
