import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { expectData, makeAccount } from '../support/make.js';
import { spawnKeyway, urlOf, type Spawned } from '../support/process.js';
import { doorTo, startTestServer, type Answer, type Door, type TestServer } from '../support/server.js';
import { steps } from '../credentials/outside/steps.js';
import { Trial, type Seen } from '../credentials/outside/trial.js';

/** How often each step is died after; `ROUNDS` says otherwise. */
const rounds = Number(process.env['ROUNDS'] ?? 10);
/** `STEP` names the steps to run alone, by a part of their names. */
const asked = steps.filter(([name]) => name.includes(process.env['STEP'] ?? ''));
/** So many places at once, each with processes of its own: most of a round is waiting for a lease to end. */
const lanes = 3;
const stableWithinMs = 60_000;
/** So many requests of one place are under way: what is tested here is not what a flood of them does. */
const mostAtOnce = 8;

const running: Spawned[] = [];
const servers: TestServer[] = [];
const trials: Trial[] = [];
/** What went wrong, and how many rounds were gone through, by the name of the step. */
const faults = new Map<string, string[]>();
const done = new Map<string, number>();
afterAll(async () => {
  for (const { vendor } of trials) await vendor.standIn.stop();
  for (const { child, ended } of running) {
    child.kill('SIGKILL');
    await ended;
  }
  for (const server of servers) await server.stop();
});

async function lane(todo: { round: number }): Promise<void> {
  const server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  servers.push(server);
  const account = await makeAccount(server);
  const mine: Trial[] = [];
  // No more connections are tried at once than Keyway lets.
  for (const [name, step] of asked) mine.push(await Trial.open(name, step, server, account));
  trials.push(...mine);
  await server.pause();
  let process = await serve(server, mine);
  while (todo.round-- > 0) process = await round(server, process, mine);
  process.child.kill('SIGKILL');
  await process.ended;
  await server.restart();
  const open = await server.rows(
    `SELECT i.verb, i.state, c.name FROM intents i JOIN credentials c ON c.id = i.credential_id
     WHERE i.state = 'OPEN'
     UNION ALL
     SELECT 'RETIRE', 'LEFT', c.name FROM leftovers l JOIN credentials c ON c.id = l.credential_id
     WHERE l.access_key IS NOT NULL AND l.due_at < now() + interval '1 minute'`,
  );
  expect(open).toEqual([]);
}

async function serve(server: TestServer, mine: readonly Trial[]): Promise<Spawned> {
  const process = spawnKeyway(['serve'], server.environment);
  running.push(process);
  const door = gently(doorTo(await urlOf(process), server.adminToken));
  for (const trial of mine) trial.door = door;
  return process;
}

async function round(server: TestServer, process: Spawned, mine: readonly Trial[]): Promise<Spawned> {
  await each(mine, (trial) => trial.prepare());
  await alone(async () => {
    await each(mine, (trial) => trial.park());
    await each(mine, expectNoneLost);
    process.child.kill('SIGKILL');
    await process.ended;
  });
  await each(mine, (trial) => trial.bury());
  const next = await serve(server, mine);
  const restartedMs = performance.now();
  await each(mine, expectNoneLost);
  // The leases of the dead process have to end first; one of many asks when they have.
  if (mine[0]) await outcomeOf(mine[0], restartedMs + stableWithinMs);
  await each(mine, (trial) => expectSettled(trial, restartedMs + stableWithinMs));
  for (const { name } of mine) done.set(name, (done.get(name) ?? 0) + 1);
  return next;
}

/** R10: whatever has happened, what Keyway shows works, and there is one current secret. */
async function expectNoneLost(trial: Trial): Promise<void> {
  const { verb } = trial.step;
  if (verb === 'create' || verb === 'revoke') return;
  expect(count(await trial.seen(), 'CURRENT')).toBe(1);
  // Where the vendor ends the secret before at once, a look may have found by now that the one that works is not kept.
  if (trial.isSecretKept) expect((await trial.revealed()).some((one) => trial.accepts(one))).toBe(true);
}

async function expectSettled(trial: Trial, byMs: number): Promise<void> {
  const { step, spot } = trial;
  const answer = await outcomeOf(trial, byMs);
  const seen = await until(() => trial.seen(), isStable(trial), byMs);
  await expectNoSecondEffect(trial, answer);
  if (step.ends === 'unknown') {
    expect(answer.code).toBe('OUTCOME_UNKNOWN');
    return expectHealed(trial, byMs);
  }
  const { credential, issued } = expectData(answer).done;
  expect(seen.id).toBe(credential.id);
  expect(told(seen, step.verb)).toEqual(step.askedAgain ? [null, 'UNAVAILABLE'] : [null]);
  if (step.verb === 'revoke') {
    expect([seen.status, spot.has()]).toEqual(['REVOKED', []]);
    return;
  }
  const revealed = await trial.revealed(seen.id);
  const switched = step.ends === 'switched';
  expect(revealed.map((one) => trial.accepts(one))).toEqual(switched ? [true, true] : [true]);
  expect([count(seen, 'CURRENT'), seen.status]).toEqual([1, switched ? 'ROTATING' : 'ACTIVE']);
  // Neither a second one, nor one that nobody has.
  if (!trial.isUnlisted) expect(spot.has()).toHaveLength(revealed.length);
  if (trial.isKeyed) expect(spot.has().sort()).toEqual(revealed.map(({ accessKey }) => accessKey).sort());
  if (step.verb === 'update') expect(seen.fullName).toBe('Changed');
  else expect(trial.accepts(issued)).toBe(true);
  if (step.verb === 'rotate') expect(seen.rotation?.state).toBe(switched ? 'SWITCHED' : 'FINISHED');
}

const isStable =
  ({ step: { verb, ends } }: Trial) =>
  ({ rotation, status }: Seen) =>
    verb !== 'rotate' || ends !== 'done' || (rotation?.state === 'FINISHED' && status !== 'ROTATING');

/** R4: the idempotency key holds across the crash. */
async function expectNoSecondEffect(trial: Trial, answer: Answer): Promise<void> {
  const writes = trial.writes();
  const again = await trial.send();
  expect([again.code, isDeepStrictEqual(again.data, answer.data)]).toEqual([answer.code, true]);
  expect(trial.writes()).toBe(writes);
}

/** What became of a write: the answer to its idempotency key, once there is a final one. */
const outcomeOf = (trial: Trial, byMs: number): Promise<Answer> =>
  until(
    () => trial.send(),
    ({ errors }) => !errors[0]?.message.startsWith('The store has not answered yet'),
    byMs,
  );

/** The class that loses a secret with an answer says so, and a new rotation heals it. */
async function expectHealed(trial: Trial, byMs: number): Promise<void> {
  const lost = await trial.seen();
  expect([lost.status, lost.rotation?.state ?? 'OUTCOME_UNKNOWN']).toEqual(['UNKNOWN', 'OUTCOME_UNKNOWN']);
  expect(told(lost, trial.step.verb)).toEqual(['OUTCOME_UNKNOWN']);
  // So many processes at once are slow at times: an answer that comes too late is one that is lost as well.
  const isKnown = ({ code }: Answer) => code !== 'OUTCOME_UNKNOWN';
  expectData(await until(() => trial.heal(lost.id), isKnown, byMs));
  const healed = await trial.seen();
  expect([healed.status, count(healed, 'CURRENT')]).toEqual(['ACTIVE', 1]);
  const revealed = await trial.revealed(lost.id);
  expect(revealed.map((one) => trial.accepts(one))).toEqual([true]);
}

const count = ({ versions }: Seen, state: string) => versions.filter((one) => one.state === state).length;
/** The codes of what is on record of a verb: null for what was done. */
const told = ({ auditEvents }: Seen, verb: string) =>
  auditEvents.nodes.filter(({ action }) => action === `credential:${verb}`).map(({ code }) => code);

async function until<Thing>(
  look: () => Promise<Thing>,
  isRight: (thing: Thing) => boolean,
  byMs: number,
): Promise<Thing> {
  for (;;) {
    const found = await look();
    if (isRight(found)) return found;
    if (performance.now() > byMs) throw new Error('it did not become stable in time');
    await sleep(250);
  }
}

/** All of them at once; what goes wrong is noted under the name of the step. */
async function each(mine: readonly Trial[], work: (trial: Trial) => Promise<void>): Promise<void> {
  await Promise.all(
    mine.map((trial) =>
      work(trial).catch((error: unknown) => {
        const told = error instanceof Error ? error.message : String(error);
        faults.set(trial.name, [...(faults.get(trial.name) ?? []), told]);
      }),
    ),
  );
}

/** Lets a few requests through at a time. */
function gently(door: Door): Door {
  const waiting: (() => void)[] = [];
  let free = mostAtOnce;
  const taking = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
  return { ...door, ask: (...given) => taking(() => door.ask(...given)) };
}

let last: Promise<unknown> = Promise.resolve();
/** One place at a time: what stands still at a vendor does so for 5 s at most. */
function alone(work: () => Promise<void>): Promise<void> {
  const turn = last.then(work);
  last = turn.catch(() => undefined);
  return turn;
}

beforeAll(
  async () => {
    const todo = { round: rounds };
    await Promise.all(Array.from({ length: Math.min(lanes, rounds) }, () => lane(todo)));
  },
  120_000 + rounds * 90_000,
);

describe('R9: R10: a process that is killed leaves nothing behind', () => {
  test.each(asked.map(([name]) => name))('%s', (name) => {
    expect(faults.get(name) ?? []).toEqual([]);
    expect(done.get(name)).toBe(rounds);
  });
});
