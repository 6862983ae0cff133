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

/** A table for each request. @param counts statements a request, as of `statementsOfEach`. */
export function table(medians, counts = {}) {
  return Object.entries(requests)
    .filter(([request]) => Object.values(medians).some((one) => one[request]))
    .map(
      ([request, about]) =>
        `### ${request}: ${about}\n\n${header}\n${lines(medians, request, counts).join('\n')}\n`,
    )
    .join('\n');
}

/** What a further table has measured. @param rows as of `tables`. */
export const furtherTable = ({ title, columns }, rows) => `### ${title}

| requests a second | ${columns.map((column) => column.toLocaleString('en')).join(' | ')} | last / first |
|---|${columns.map(() => '--:|').join('')}--:|
${rows
  .map(
    ({ name, figures }) => `| ${[name, ...figures, (figures.at(-1) / figures[0]).toFixed(2)].join(' | ')} |`,
  )
  .join('\n')}
`;

/** The page of results, beside which its picture lies. */
export const page = (
  medians,
  counts,
  further,
  { credentials, rounds, seconds, connections },
) => `# Keyway beside its peers

${credentials.toLocaleString('en')} credentials, ${connections} connections, each asking again as soon as it is answered; medians of ${rounds} rounds
of ${seconds} s, in turns. The load, the servers and PostgreSQL share the processors: read the ratios, not the rates. Times of
the processor are for one request. The peers and the limit know no callers, permissions or audit; Keyway does all three.
Made by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}: ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'CPU'}, Node ${process.versions.node}.

![Requests a second](results.svg)

${table(medians, counts)}
${further.join('\n')}`;

const header = `| | requests a second | / limit | p50 ms | p99 ms | server µs | PostgreSQL µs | statements | memory MB | start ms |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|`;

function lines(medians, request, counts) {
  const limit = medians.limit?.[request]?.requestsPerSecond;
  return Object.entries(medians)
    .filter(([, measured]) => measured[request])
    .map(([name, { [request]: one }]) => {
      const share = limit ? (one.requestsPerSecond / limit).toFixed(2) : '';
      const ms = [one.p50Ms, one.p99Ms].map((value) => value.toFixed(1));
      const whole = [one.serverUs, one.postgresUs, counts[name]?.[request], one.memoryMb, one.startMs].map(
        (value) => (value === undefined ? '' : Math.round(value)),
      );
      return `| ${[name, Math.round(one.requestsPerSecond), share, ...ms, ...whole].join(' | ')} |`;
    });
}

function median(values) {
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
