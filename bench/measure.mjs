// Interleaved rounds: in each, every contestant is started, checked, warmed up, measured and ended.
import { contestants, start } from './contestants.mjs';
import { expectRight } from './agree.mjs';
import { askerOf, questionsFor, writeBodies } from './bodies.mjs';
import { memoryOf, secondsOf } from './processor.mjs';
import { load } from './wrk.mjs';

/** Measures so many rounds. @returns one record a contestant, request and round. */
export async function measureRounds(bed, chosen, { rounds, ...options }) {
  const records = [];
  for (let round = 0; round < rounds; round++)
    for (const name of chosen) records.push(...(await measureOne(bed, name, options)));
  return records;
}

async function measureOne(bed, name, { only, seconds, warmSeconds, connections, first, env, postmaster }) {
  const contestant = contestants[name];
  const server = await start(contestant, {
    databaseUrl: bed.databaseOf(contestant),
    dataDir: bed.dataDir,
    env,
  });
  const records = [];
  try {
    const asker = await askerOf(contestant, bed, server.url);
    for (const request of contestant.requests.filter((one) => only.includes(one))) {
      const questions = questionsFor(contestant, bed, request);
      await expectRight(name, server, asker, request, questions);
      const { file, path } = writeBodies(bed, name, asker, request, questions, first);
      const loaded = { url: server.url + path, token: asker.token, file, connections };
      await load({ ...loaded, seconds: warmSeconds, check: true });
      const figures = await withProcessor(server.pid, postmaster, () => load({ ...loaded, seconds }));
      const record = { contestant: name, request, ...figures, startMs: server.startMs, connections };
      console.error(`${name} ${request}: ${Math.round(record.requestsPerSecond)} a second`);
      records.push(record);
    }
  } finally {
    await server.stop();
  }
  return records;
}

/** Adds the processor time that the server and PostgreSQL took for each request, in µs, and the server's memory. */
async function withProcessor(pid, postmaster, use) {
  const used = () => [secondsOf(pid), postmaster ? secondsOf(postmaster) : undefined];
  const before = used();
  const figures = await use();
  const [serverUs, postgresUs] = used().map((seconds, at) =>
    seconds === undefined ? undefined : ((seconds - before[at]) / figures.requests) * 1e6,
  );
  return { ...figures, serverUs, postgresUs, memoryMb: memoryOf(pid) };
}
