// How Keyway's figures hang on how much there is, on how much is asked for at once, and by how many.
import { openBed } from './bed.mjs';
import { measureRounds } from './measure.mjs';
import { summary } from './report.mjs';

const short = { rounds: 1, seconds: 4, warmSeconds: 2, connections: 32 };
const beside = ['keyway', 'keyway-reader', 'mercurius', 'limit'];

/**
 * Each table: what it is about, its columns, and how it is measured.
 * @returns one row a contestant (and request): its name and a figure for each column, requests a second
 */
export const tables = {
  growth: {
    title: 'Q1 by how many credentials there are',
    columns: [1_000, 10_000, 100_000, 1_000_000],
    async measure({ bed, keep }) {
      return rowsOf(this.columns, async (credentials) => {
        const own = credentials === bed.credentials ? bed : await openBed(credentials, keep);
        try {
          return await rates(own, ['keyway', 'keyway-reader', 'limit'], { only: ['Q1'] });
        } finally {
          if (own !== bed) await own.close();
        }
      });
    },
  },
  pages: {
    title: 'Q1 by how many items a page has',
    columns: [10, 50, 100],
    measure({ bed }) {
      return rowsOf(this.columns, (first) => rates(bed, beside, { only: ['Q1'], first }));
    },
  },
  connections: {
    title: 'Q1 by how many connections ask at once',
    columns: [1, 8, 32, 128, 200],
    measure({ bed }) {
      return rowsOf(this.columns, (connections) => rates(bed, beside, { only: ['Q1'], connections }));
    },
  },
  processes: {
    title: 'Keyway by how many processes serve',
    columns: [1, 2, 4],
    measure({ bed, only }) {
      return rowsOf(this.columns, (processes) =>
        rates(bed, ['keyway'], { only, env: { KEYWAY_PROCESSES: String(processes) } }),
      );
    },
  },
};

/** Requests a second of each contestant and request. */
async function rates(bed, chosen, options) {
  const medians = summary(await measureRounds(bed, chosen, { ...short, ...options }));
  return Object.entries(medians).flatMap(([contestant, requests]) =>
    Object.entries(requests).map(([request, { requestsPerSecond }]) => ({
      name: `${contestant} ${request}`,
      rate: Math.round(requestsPerSecond),
    })),
  );
}

async function rowsOf(columns, measureAt) {
  const rows = new Map();
  for (const column of columns)
    for (const { name, rate } of await measureAt(column)) rows.set(name, [...(rows.get(name) ?? []), rate]);
  return [...rows].map(([name, figures]) => ({ name, figures }));
}
