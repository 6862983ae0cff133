import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askOfAll, askWhether } from '../credentials/verification/verifying.js';
import { createStore, makeStore, seqeraAt } from '../stores/stores.js';
import { expectData, makeAccount, makeCaller, makeCredential, unique } from '../support/make.js';
import { readyPlace, spawnKeyway, urlOf, type Spawned } from '../support/process.js';
import { doorTo, type Door, type SharedServer } from '../support/server.js';
import { startSeqera, type Seqera } from '../upstreams/seqera.js';

// One tenant does what it may and as much of it as it can, beside another that does what is usual. The server has a
// process of its own: these callers must not share its event loop.
const rounds = Number(process.env['ROUNDS'] ?? 5) * 40;
const theirStores = 12;

let place: Awaited<ReturnType<typeof readyPlace>>;
let keyway: Spawned;
// What is asked of it here goes through its door.
let server: SharedServer;
let slow: Seqera;
let quick: Seqera;
beforeAll(async () => {
  slow = await startSeqera();
  quick = await startSeqera();
  quick.seed(20);
  place = await readyPlace();
  keyway = spawnKeyway(['serve'], {
    ...place.environment,
    KEYWAY_OUTBOUND_LOCAL: 'true',
    KEYWAY_SYNC_MINUTES: '0',
  });
  const token = readFileSync(join(place.folder, 'admin-token'), 'utf8').trim();
  server = doorTo(await urlOf(keyway), token) as SharedServer;
});
afterAll(async () => {
  keyway.child.kill();
  await keyway.ended;
  await place.drop();
  await Promise.all([slow.stop(), quick.stop()]);
});

const managerOf = async (account: string) =>
  (
    await makeCaller(
      server,
      ['CREDENTIAL_VERIFY', 'STORE_MANAGE'],
      { onAccount: account },
      { parent: account },
    )
  ).token;

const sync = (door: Door, id: string, token: string) =>
  door.ask(
    'mutation ($id: ID!) { syncStore(input: { id: $id }) { store { lastSync { finishedAt error } } } }',
    { id },
    { token },
  );

/** The usual tenant's sync of its store, and the check of a password that is right. */
async function usual(): Promise<{ syncs(): Promise<void>; passwords(): Promise<void> }> {
  const account = await makeAccount(server);
  const token = await managerOf(account);
  const store = await makeStore(server, account, seqeraAt(quick));
  const password = { username: unique('somebody'), password: 'correct horse battery' };
  await makeCredential(server, account, { secret: { password } });
  const input = { accessKey: password.username, proof: { secret: password.password } };
  return {
    syncs: async () => {
      const { lastSync } = expectData(await sync(server, store, token)).syncStore.store;
      expect(lastSync.finishedAt).not.toBeNull();
      expect(lastSync.error).toBeNull();
    },
    passwords: async () => {
      const answer = await askWhether(server, input, { token });
      expect(expectData(answer).verifyCredential.valid).toBe(true);
    },
  };
}

/** Does this again and again until it is told to end. */
function keepDoing(all: readonly (() => Promise<unknown>)[]): () => Promise<void> {
  let isOver = false;
  const doing = all.map(async (work) => {
    while (!isOver) await Promise.all([work(), sleep(100)]);
  });
  return async () => {
    isOver = true;
    await Promise.all(doing);
  };
}

/** More stores than there are places for syncs, each slow to list, and connections to hosts that are not there. */
async function hostileStores() {
  const account = await makeAccount(server);
  const token = await managerOf(account);
  const stores: string[] = [];
  for (let made = 0; made < theirStores; made++)
    stores.push(await makeStore(server, await makeAccount(server, { parent: account }), seqeraAt(slow)));
  slow.meet({ kind: 'slow', ms: 4_000 }, { path: /credentials/ }, 1_000);
  const connection = { seqera: { endpoint: 'https://store.keyway.invalid', token: 'x'.repeat(40) } };
  const connect = () => createStore(server, { account, name: unique('store'), connection }, { token });
  return [...stores.map((id) => () => sync(server, id, token)), connect, connect, connect, connect];
}

/** Names that nobody has, fifty at a time, and always some that wait. */
async function hostileNames() {
  const token = await managerOf(await makeAccount(server));
  const nobody = () => ({ accessKey: unique('nobody'), proof: { secret: 'a password of nobody' } });
  const ask = () => askOfAll(server, Array.from({ length: 50 }, nobody), { token });
  return [ask, ask];
}

// A hash is not interrupted: with one thread, one of theirs comes before each of another's.
test.each([
  // A store is called so many times a second and no more: who syncs without a pause waits for that, and for nobody else.
  ['syncs', 'less than half', hostileStores, 1.5, 100],
  ['passwords', 'less than two times', hostileNames, 3, 0],
] as const)(
  'R20: beside a hostile tenant the p99 of the %s of another grows by %s',
  async (kind, _, hostile, most, pauseMs) => {
    const { [kind]: work } = await usual();
    const theirs = await hostile();
    // Once, for compilers and caches, and for the threads to begin.
    await p99Of(work, pauseMs);
    const ratios: number[] = [];
    // Somebody else may be busy on the same machine, in one of the two halves.
    for (let attempt = 0; attempt < 3 && !(Math.min(...ratios) < most); attempt++) {
      const alone = await p99Of(work, pauseMs);
      const end = keepDoing(theirs);
      const beside = await p99Of(work, pauseMs);
      await end();
      ratios.push(beside / alone);
    }
    expect(Math.min(...ratios)).toBeLessThan(most);
  },
  600_000,
);

/** @param pauseMs between two rounds */
async function p99Of(work: () => Promise<void>, pauseMs: number): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const from = performance.now();
    await work();
    times.push(performance.now() - from);
    await sleep(pauseMs);
  }
  return times.sort((one, other) => one - other)[Math.floor(times.length * 0.99)] ?? Infinity;
}
