import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeCluster, type Cluster } from '../support/cluster.js';
import { hasLegalOrder, type Operation } from '../support/legal-order.js';
import { grant, makeAccount, makeCaller, makeCredential, makeRole } from '../support/make.js';
import { emptyPlace, onServer, spawnKeyway, urlOf, type Place, type Spawned } from '../support/process.js';
import { doorTo, type Answer, type Door } from '../support/server.js';

// What callers of two replicas are told, with faults between them and the database, has an order that the rules allow.

export interface Replicas {
  /** Which line this proves, and of what. */
  readonly title: string;
  /** How many histories are lived through. */
  readonly histories: number;
  /** The program of the second one, where it is another version. */
  readonly other?: string;
}

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const lanes = 3;
const stepsOfLane = 5;
/** At once, each with a credential of its own. */
const beside = 4;

let cluster: Cluster;
let place: Place;
let replicas: Spawned[];
let doors: Door[];

/** Starts two replicas, which end with the file, and has them asked. */
export function testHistories({ title, histories: count, other }: Replicas): void {
  beforeAll(() => startReplicas(other));
  afterAll(stopReplicas);
  test(
    `${title}: ${count} histories on two replicas, from seed ${seed}, have a legal order`,
    async () => {
      const faults: string[] = [];
      for (let from = 0; from < count; from += beside) {
        const draw = random(seed + from);
        const histories = await Promise.all(
          Array.from({ length: Math.min(beside, count - from) }, () => begun(draw)),
        );
        let isOver = false;
        const disturbing = disturb(draw, () => isOver);
        await Promise.all(histories.map((history) => history.live()));
        isOver = true;
        await disturbing;
        for (const history of histories) {
          const fault = history.fault();
          if (fault) faults.push(`seed ${seed + from}:\n  ${fault.join('\n  ')}`);
        }
        // What was begun while connections were ended is not to be taken for the next one's.
        await settled();
      }
      expect(faults).toEqual([]);
    },
    60_000 + count * 2_000,
  );
}

async function startReplicas(other: string | undefined): Promise<void> {
  cluster = await makeCluster();
  await onServer(cluster.url, 'CREATE DATABASE histories');
  place = await emptyPlace();
  const DATABASE_URL = Object.assign(new URL(cluster.url), { pathname: '/histories' }).href;
  const environment = {
    ...place.environment,
    DATABASE_URL,
    KEYWAY_REQUESTS_PER_CALLER: '1000',
  };
  // One after the other: the first makes the tables and the keys.
  replicas = [];
  const urls: string[] = [];
  for (let one = 0; one < 2; one++) {
    const program = one === 0 ? undefined : other;
    // A release before does not know this limit, and has none.
    const limits: Record<string, string> = program === undefined ? { KEYWAY_LIMITS: 'requests=2000' } : {};
    const replica = spawnKeyway(['serve'], { ...environment, ...limits }, { program });
    replicas.push(replica);
    urls.push(await urlOf(replica));
  }
  const token = readFileSync(join(place.folder, 'admin-token'), 'utf8').trim();
  doors = urls.map((url) => doorTo(url, token));
}

async function stopReplicas(): Promise<void> {
  for (const { child, ended } of replicas) {
    child.kill('SIGKILL');
    await ended;
  }
  await place.drop();
  await cluster.drop();
}

/** What decides about a credential and its account. */
interface State {
  readonly enabled: boolean;
  readonly revoked: boolean;
  /** Which secret works: those that were shown have numbers; that of a rotation without an answer has its own. */
  readonly secret: string;
  readonly granted: boolean;
}

/** The same numbers for the same seed. https://en.wikipedia.org/wiki/Xorshift */
function random(from: number): (below: number) => number {
  let state = (from + 1) * 2_654_435_761;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const isUnknown = ({ code }: Answer) =>
  code === 'UNAVAILABLE' || code === 'INTERNAL_SERVER_ERROR' || code === 'OUTCOME_UNKNOWN';

class History {
  readonly #operations: Operation<State>[] = [];
  readonly #secrets: string[] = [];

  constructor(
    private readonly draw: (below: number) => number,
    private readonly of: { id: string; accessKey: string; account: string; caller: string; grant: string },
    first: string,
  ) {
    this.#secrets.push(first);
  }

  async live(): Promise<void> {
    await Promise.all(
      Array.from({ length: lanes }, async () => {
        for (let step = 0; step < stepsOfLane; step++) {
          await this.#step(doors[this.draw(2)] as Door);
          if (this.draw(3) === 0) await sleep(this.draw(8));
        }
      }),
    );
  }

  async #step(door: Door): Promise<void> {
    const { id, accessKey, account, caller, grant: held } = this.of;
    switch (this.draw(10)) {
      case 0:
        return this.#change(door, 'revokeCredential', { id }, (state) => ({ ...state, revoked: true }));
      case 1:
      case 2: {
        const enabled = this.draw(2) === 0;
        return this.#change(door, 'updateAccount', { id: account, enabled }, (state) => ({
          ...state,
          enabled,
        }));
      }
      case 3:
        return this.#change(door, 'withdrawRole', { grant: held }, (state) => ({ ...state, granted: false }));
      case 4:
        return this.#rotate(door, id);
      case 5:
        return this.#read(door, id, caller);
      default:
        return this.#verify(door, accessKey, this.draw(this.#secrets.length));
    }
  }

  async #change(
    door: Door,
    verb: string,
    input: Record<string, unknown>,
    change: (state: State) => State,
  ): Promise<void> {
    const asked = performance.now();
    const named = `${verb[0]?.toUpperCase()}${verb.slice(1)}Input`;
    const answer = await told(
      door.ask(`mutation ($input: ${named}!) { ${verb}(input: $input) { __typename } }`, { input }),
    );
    const told_ = `${verb} ${JSON.stringify(input['enabled'] ?? '')}`;
    // Refused, such as for what is gone: nothing was changed.
    if (answer && !isUnknown(answer) && answer.code !== undefined) return;
    const isKnown = answer !== undefined && answer.code === undefined;
    this.#note(told_, asked, isKnown ? performance.now() : Infinity, change);
  }

  async #rotate(door: Door, id: string): Promise<void> {
    const asked = performance.now();
    const answer = await told(
      door.ask(
        `mutation ($input: RotateCredentialInput!) { rotateCredential(input: $input) { issued { secret } } }`,
        { input: { id } },
      ),
    );
    if (answer && !isUnknown(answer) && answer.code !== undefined) return;
    const shown = answer?.data?.rotateCredential?.issued?.secret as string | undefined;
    const secret = shown === undefined ? `of the rotation at ${asked}` : `${this.#secrets.push(shown) - 1}`;
    // A revoked credential is never rotated.
    this.#note(`rotate to ${secret}`, asked, shown === undefined ? Infinity : performance.now(), (state) =>
      state.revoked ? undefined : { ...state, secret },
    );
  }

  async #verify(door: Door, accessKey: string, number: number): Promise<void> {
    const asked = performance.now();
    const answer = await told(
      door.ask('query ($input: VerifyCredentialInput!) { verifyCredential(input: $input) { valid code } }', {
        input: { accessKey, proof: { secret: this.#secrets[number] } },
      }),
    );
    const valid = answer?.data?.verifyCredential?.valid as boolean | undefined;
    if (valid === undefined) return;
    const works = ({ enabled, revoked, secret }: State) => enabled && !revoked && secret === `${number}`;
    this.#note(`verify ${number}: ${valid}`, asked, performance.now(), (state) =>
      works(state) === valid ? state : undefined,
    );
  }

  async #read(door: Door, id: string, token: string): Promise<void> {
    const asked = performance.now();
    const answer = await told(door.ask('query ($id: ID!) { node(id: $id) { id } }', { id }, { token }));
    if (!answer || answer.code !== undefined) return;
    const isSeen = answer.data?.node != null;
    this.#note(`read: ${isSeen}`, asked, performance.now(), (state) =>
      state.granted === isSeen ? state : undefined,
    );
  }

  #note(what: string, asked: number, answered: number, apply: Operation<State>['apply']): void {
    this.#operations.push({ asked, answered, told: what, apply });
  }

  /** What happened, where no order of it is legal. */
  fault(): string[] | undefined {
    const start: State = { enabled: true, revoked: false, secret: '0', granted: true };
    if (hasLegalOrder(start, this.#operations)) return undefined;
    return [...this.#operations]
      .sort((one, other) => one.asked - other.asked)
      .map(({ asked, answered, told: what }) => `${asked.toFixed(1)}–${answered.toFixed(1)} ${what}`);
  }
}

/** The answer; undefined where none came. */
const told = (answer: Promise<Answer>): Promise<Answer | undefined> => answer.catch(() => undefined);

async function begun(draw: (below: number) => number): Promise<History> {
  const [door] = doors as [Door];
  const account = await makeAccount(door);
  const { id: caller, token } = await makeCaller(door);
  const role = await makeRole(door, ['CREDENTIAL_READ']);
  const held = await grant(door, caller, role, { onAccount: account });
  const { id, accessKey, secret } = await makeCredential(door, account);
  if (secret === null || accessKey === null) throw new Error('the secret was not shown');
  return new History(draw, { id, accessKey, account, caller: token, grant: held }, secret);
}

const endSessions = `
  SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = 'histories' AND pid <> pg_backend_pid() AND random() < 0.3`;

/** Ends connections to the database, or lets a replica stand still, while the histories are lived through. */
async function disturb(draw: (below: number) => number, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await sleep(30 + draw(120));
    if (draw(2) === 0) await onServer(cluster.url, endSessions);
    else {
      const pid = replicas[draw(2)]?.child.pid ?? 0;
      process.kill(pid, 'SIGSTOP');
      await sleep(20 + draw(150));
      process.kill(pid, 'SIGCONT');
    }
  }
}

/** Until both replicas answer again. */
async function settled(): Promise<void> {
  for (const { url } of doors)
    while (
      !(await fetch(`${url}/ready`).then(
        ({ ok }) => ok,
        () => false,
      ))
    )
      await sleep(20);
}
