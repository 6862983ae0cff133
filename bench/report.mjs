// What came out: medians of the rounds, as an object, a table and a page.
import { cpus } from 'node:os';
import { requests } from './questions.mjs';

const figures = [
  'requestsPerSecond',
  'p50Ms',
  'p99Ms',
  'serverUs',
  'postgresUs',
  'memoryMb',
  'startMs',
  'bytes',
];

/** The medians of each contestant and request. */
export function summary(records) {
  const medians = {};
  for (const { contestant, request } of records) {
    const rounds = records.filter((one) => one.contestant === contestant && one.request === request);
    medians[contestant] ??= {};
    medians[contestant][request] ??= Object.fromEntries(
      figures.map((figure) => [figure, median(rounds.map((one) => one[figure]))]),
    );
  }
  return medians;
}

/** A table for each request. */
export function table(medians) {
  return Object.entries(requests)
    .filter(([request]) => Object.values(medians).some((one) => one[request]))
    .map(
      ([request, about]) => `### ${request}: ${about}\n\n${header}\n${lines(medians, request).join('\n')}\n`,
    )
    .join('\n');
}

/** The page of results. */
export const page = (medians, { credentials, rounds, seconds, connections }) => `# Keyway beside its peers

${credentials.toLocaleString('en')} credentials, ${connections} connections, each asking again as soon as it is answered; medians of ${rounds} rounds
of ${seconds} s, in turns. The load, the servers and PostgreSQL share the processors: read the ratios, not the rates. Times of
the processor are for one request. The peers and the limit know no callers, permissions or audit; Keyway does all three.
Made by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}: ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'CPU'}, Node ${process.versions.node}.

${table(medians)}`;

const header = `| | requests a second | / limit | p50 ms | p99 ms | server µs | PostgreSQL µs | memory MB | start ms |
|---|--:|--:|--:|--:|--:|--:|--:|--:|`;

function lines(medians, request) {
  const limit = medians.limit?.[request]?.requestsPerSecond;
  return Object.entries(medians)
    .filter(([, measured]) => measured[request])
    .map(([name, { [request]: one }]) => {
      const share = limit ? (one.requestsPerSecond / limit).toFixed(2) : '';
      const ms = [one.p50Ms, one.p99Ms].map((value) => value.toFixed(1));
      const whole = [one.serverUs, one.postgresUs, one.memoryMb, one.startMs].map((value) =>
        value === undefined ? '' : Math.round(value),
      );
      return `| ${[name, Math.round(one.requestsPerSecond), share, ...ms, ...whole].join(' | ')} |`;
    });
}

function median(values) {
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
