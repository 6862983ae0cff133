import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeCluster, type Cluster } from '../support/cluster.js';
import { makeAccount } from '../support/make.js';
import {
  emptyPlace,
  onServer,
  runKeyway,
  spawnKeyway,
  urlOf,
  type Place,
  type Spawned,
} from '../support/process.js';
import { scrape } from '../support/scrape.js';
import { doorTo, type Answer, type Door } from '../support/server.js';

// What grows with time alone: memory, connections, timers, locks.

/** How long, in minutes, of which the first third is let go by; `SOAK_MINUTES` says otherwise. */
const minutes = Number(process.env['SOAK_MINUTES'] ?? 15);
const lanes = 6;
const faultEveryMs = 15_000;
const sampleEveryMs = 2_000;

let cluster: Cluster;
let place: Place;
let keyway: Spawned;
let door: Door;
let account: string;
const environment = () => ({
  ...place.environment,
  DATABASE_URL: cluster.url,
  KEYWAY_METRICS_PORT: '0',
});
beforeAll(async () => {
  cluster = await makeCluster();
  place = await emptyPlace();
  keyway = spawnKeyway(['serve'], environment());
  const url = await urlOf(keyway);
  door = doorTo(url, readFileSync(join(place.folder, 'admin-token'), 'utf8').trim());
  account = await makeAccount(door);
});
afterAll(async () => {
  keyway.child.kill('SIGKILL');
  await keyway.ended;
  await place.drop();
  await cluster.drop();
});

test(
  `R38: ${minutes} minutes of all that callers do, with faults, leave no more behind than the first third`,
  async () => {
    const endMs = performance.now() + minutes * 60_000;
    const isOver = () => performance.now() > endMs;
    const codes = new Map<string, number>();
    const living = Array.from({ length: lanes }, (_, lane) => live(lane, isOver, codes));
    const disturbing = disturb(isOver);
    const samples: Sample[] = [];
    const fromMs = performance.now();
    while (!isOver()) {
      await sleep(sampleEveryMs);
      const found = await sample(performance.now() - fromMs).catch(() => undefined);
      if (found) samples.push(found);
    }
    await Promise.all([...living, disturbing]);

    const wholeMs = minutes * 60_000;
    const between = (from: number, to: number) =>
      samples.filter(({ atMs }) => atMs >= from * wholeMs && atMs < to * wholeMs);
    const [early, late] = [between(1 / 3, 1 / 2), between(5 / 6, 1)];
    expect(Math.min(early.length, late.length)).toBeGreaterThan(10);
    // The least of each: what is let go by the next collection, or is under way just then, does not stay.
    const leastOf = (some: Sample[], name: keyof Sample) => Math.min(...some.map((one) => one[name]));
    const grown = (['heapBytes', 'residentBytes', 'connections', 'timers', 'locks', 'files'] as const)
      .map((name) => ({ name, early: leastOf(early, name), late: leastOf(late, name) }))
      // Of a few, one more is more than a tenth.
      .filter((one) => one.late > Math.max(one.early * 1.1, one.early + 2));
    expect(grown).toEqual([]);
    // Nothing but what a fault explains: a connection may end over a COMMIT.
    const explained = ['done', 'UNAVAILABLE', 'OUTCOME_UNKNOWN'];
    expect([...codes.keys()].filter((code) => !explained.includes(code))).toEqual([]);
    expect(codes.get('done')).toBeGreaterThan(minutes * 60);
    expect(await runKeyway(['audit', 'verify'], environment())).toMatchObject({
      code: 0,
      output: expect.stringContaining('The audit log is whole') as string,
    });
  },
  (minutes + 3) * 60_000,
);

/** The lives of credentials, one after the other; what becomes of each step is counted. */
async function live(lane: number, isOver: () => boolean, codes: Map<string, number>): Promise<void> {
  const count = (code: string) => void codes.set(code, (codes.get(code) ?? 0) + 1);
  for (let life = 0; !isOver(); life++)
    try {
      await liveOnce(`lived-${lane}-${life}`, () => count('done'));
    } catch (error) {
      count(error instanceof Failed ? error.message : String(error));
      await sleep(50);
    }
}

/** The code of an answer that is none. */
class Failed extends Error {}

async function liveOnce(name: string, done: () => void): Promise<void> {
  const ask = async (document: string, variables: Record<string, unknown>) => {
    const answer: Answer = await door.ask(document, variables);
    if (answer.code !== undefined) throw new Failed(answer.code);
    done();
    return answer.data as Record<string, Shown>;
  };
  const made = await ask(create, { account, name });
  const { credential, issued } = made['createCredential'] as Shown;
  const { id } = credential;
  const verified = (secret: string) => ask(verify, { accessKey: issued.accessKey, secret });
  await verified(issued.secret);
  await verified('wrong');
  const rotated = await ask(rotate, { id });
  await verified((rotated['rotateCredential'] as Shown).issued.secret);
  await ask(update, { id });
  await ask(list, { search: name });
  await ask(tree, {});
  await ask(revoke, { id });
  await ask(remove, { id });
}

interface Shown {
  credential: { id: string };
  issued: { accessKey: string; secret: string };
}
const shown = 'credential { id } issued { accessKey secret }';
const create = `mutation ($account: ID!, $name: String!) {
  createCredential(input: { account: $account, name: $name, secret: { accessKey: {} } }) { ${shown} } }`;
const rotate = `mutation ($id: ID!) { rotateCredential(input: { id: $id, gracePeriod: "PT1S" }) { ${shown} } }`;
const update = `mutation ($id: ID!) { updateCredential(input: { id: $id, description: "told" }) { credential { id } } }`;
const revoke = 'mutation ($id: ID!) { revokeCredential(input: { id: $id }) { credential { id } } }';
const remove = 'mutation ($id: ID!) { deleteCredential(input: { id: $id }) { credential { id } } }';
const verify = `mutation ($accessKey: String!, $secret: String!) {
  verifyCredential(input: { accessKey: $accessKey, proof: { secret: $secret } }) { code } }`;
const list = `query ($search: String!) {
  credentials(first: 20, filter: { search: $search }) { totalCount nodes { id name status } } }`;
const tree =
  '{ accounts(first: 5) { nodes { name credentials(first: 5) { nodes { name roles { name } store { name } } } } } }';

const endSessions = `
  SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = 'postgres' AND pid <> pg_backend_pid() AND random() < 0.5`;

/** One fault after the other: connections that end, and a process and a database that stand still. */
async function disturb(isOver: () => boolean): Promise<void> {
  const faults = [
    () => onServer(cluster.url, endSessions),
    async () => {
      keyway.child.kill('SIGSTOP');
      await sleep(500);
      keyway.child.kill('SIGCONT');
    },
    async () => {
      cluster.pause();
      await sleep(2_000);
      cluster.resume();
    },
  ];
  for (let count = 0; !isOver(); count++) {
    await sleep(faultEveryMs);
    await faults[count % faults.length]?.();
  }
}

interface Sample {
  readonly atMs: number;
  readonly heapBytes: number;
  readonly residentBytes: number;
  readonly timers: number;
  readonly files: number;
  readonly connections: number;
  readonly locks: number;
}

async function sample(atMs: number): Promise<Sample> {
  const address = /"metrics":"(http:[^"]+)"/.exec(keyway.output())?.[1] ?? '';
  const { samples } = await scrape(address);
  const of = (name: string, type?: string) => {
    const found = samples.find(
      (one) => one.name === name && (type === undefined || one.labels['type'] === type),
    );
    if (!found && type === undefined) throw new Error(`there is no metric ${name}`);
    return found?.value ?? 0;
  };
  const [inDatabase = { connections: 0, locks: 0 }] = await onServer<{ connections: number; locks: number }>(
    cluster.url,
    counted,
  );
  return {
    atMs,
    heapBytes: of('nodejs_heap_size_used_bytes'),
    residentBytes: of('process_resident_memory_bytes'),
    timers: of('nodejs_active_resources', 'Timeout'),
    files: of('process_open_fds'),
    ...inDatabase,
  };
}

const counted = `
  SELECT (SELECT count(*)::integer FROM pg_stat_activity WHERE application_name = 'keyway') AS connections,
    (SELECT count(*)::integer FROM pg_locks l WHERE l.pid <> pg_backend_pid()) AS locks`;
