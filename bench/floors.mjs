// The floors under Keyway's speed, as shares of the limit in the same run: far below what it reaches, so that a busy
// machine does not fail them and a mistake that makes it several times slower does.
export const floors = {
  keyway: { Q1: 0.08, Q2: 0.05, Q3: 0.1, M1: 0.025, M2: 0.015 },
  'keyway-reader': { Q1: 0.02 },
  'keyway-graphql': { Q3: 0.1 },
};

/** A sentence for each floor that was not reached. */
export function failedFloors(medians) {
  return Object.entries(floors).flatMap(([name, wanted]) =>
    Object.entries(wanted).flatMap(([request, floor]) => {
      const share = medians[name]?.[request]?.requestsPerSecond / medians.limit?.[request]?.requestsPerSecond;
      return share < floor ? [`${name} ${request}: ${share.toFixed(3)} of the limit, ${floor} wanted`] : [];
    }),
  );
}
