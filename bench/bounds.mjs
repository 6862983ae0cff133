// What must hold on any machine, however busy: counts, which are exact, and ratios far below what is usual.

/** At most so many statements for a request that is alone, BEGIN and COMMIT included. */
const mostStatements = {
  keyway: { Q1: 4, Q2: 3, Q3: 2, M1: 6, M2: 8 },
  'keyway-reader': { Q1: 4, Q2: 3 },
  'keyway-graphql': { Q3: 2 },
};

/** At least so much of what the limit answers a second: some quarter of what a machine with two cores shows. */
const leastOfLimit = {
  keyway: { Q1: 0.05, Q2: 0.06, Q3: 0.06, M1: 0.015, M2: 0.012 },
  'keyway-reader': { Q1: 0.05, Q2: 0.06 },
  'keyway-graphql': { Q3: 0.025 },
};

/** @returns a sentence for each request that takes more statements than it may, of those that were measured. */
export const tooManyStatements = (medians, counts) =>
  each(mostStatements).flatMap(([name, request, most]) => {
    const count = counts[name]?.[request];
    return medians[name]?.[request] && !(count >= 1 && count <= most)
      ? [`${name} ${request}: ${count} statements, at most ${most}`]
      : [];
  });

/**
 * @returns a sentence for each request that is too slow, of those that were measured; the limit has to be among them. By
 * what the sentence is about: a contestant and a request.
 */
export const tooSlow = (medians) =>
  new Map(
    each(leastOfLimit).flatMap(([name, request, least]) => {
      const share = medians[name]?.[request]?.requestsPerSecond / medians.limit?.[request]?.requestsPerSecond;
      return medians[name]?.[request] && !(share >= least)
        ? [[`${name} ${request}`, `${share.toFixed(3)} of the limit, at least ${least}`]]
        : [];
    }),
  );

const each = (bounds) =>
  Object.entries(bounds).flatMap(([name, requests]) =>
    Object.entries(requests).map(([request, bound]) => [name, request, bound]),
  );
