import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeCluster, type Cluster } from '../support/cluster.js';
import {
  emptyPlace,
  onServer,
  runKeyway,
  spawnKeyway,
  urlOf,
  type Place,
  type Spawned,
} from '../support/process.js';
import { openProxy, type Proxy } from '../support/proxy.js';

/** How often each fault is done; `ROUNDS` says otherwise. */
const rounds = Number(process.env['ROUNDS'] ?? 10);
const clients = 20;
const soonMs = 10_000;

let cluster: Cluster;
let standby: Cluster | undefined;
let proxy: Proxy;
let place: Place;
let keyway: Spawned;
let url: string;
let token: string;
let account: string;

beforeEach(async () => {
  cluster = await makeCluster();
  proxy = await openProxy(cluster.url);
  place = await emptyPlace();
  keyway = spawnKeyway(['serve'], { ...place.environment, DATABASE_URL: proxy.url });
  url = await urlOf(keyway);
  token = readFileSync(join(place.folder, 'admin-token'), 'utf8').trim();
  account = ((await ask('{ viewer { id } }')).data as { viewer: { id: string } }).viewer.id;
});
afterEach(async () => {
  if (keyway.child.exitCode === null) keyway.child.kill('SIGTERM');
  await keyway.ended;
  await proxy.stop();
  await standby?.drop();
  standby = undefined;
  await cluster.drop();
  await place.drop();
});

interface Answer {
  data: Record<string, unknown> | null;
  errors?: { message: string; extensions: { code: string } }[];
}

async function ask(query: string, variables: object = {}): Promise<Answer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()) as Answer;
}

const create = (name: string, idempotencyKey?: string) =>
  ask(
    `mutation ($account: ID!, $name: String!, $idempotencyKey: String) {
      createCredential(input: { account: $account, name: $name, idempotencyKey: $idempotencyKey, secret: { accessKey: {} } }) {
        credential { name } } }`,
    { account, name, idempotencyKey },
  );

/** Gives a credential the description `late commit`. */
async function describeLately(name: string): Promise<Answer> {
  const found = await ask(
    'query ($name: String!) { credentials(first: 1, filter: { search: $name }) { nodes { id } } }',
    {
      name,
    },
  );
  const { nodes } = found.data?.['credentials'] as { nodes: [{ id: string }] };
  return ask(
    `mutation ($id: ID!) {
      updateCredential(input: { id: $id, description: "late commit" }) { credential { description } } }`,
    { id: nodes[0].id },
  );
}

const list = () =>
  ask('{ credentials(first: 20) { totalCount nodes { id status account { id } store { id } } } }');

/** Creates and reads without a pause from many clients at once, until it is ended. */
function load() {
  const told = new Map<string, number>();
  const acknowledged: string[] = [];
  const notMade: string[] = [];
  const took: number[] = [];
  let going = true;
  const client = async (number: number) => {
    for (let count = 0; going; count++) {
      const name = `made-${number}-${count}`;
      const isRead = count % 4 === 3;
      const from = performance.now();
      const { errors: [error] = [] } = await (isRead ? list() : create(name));
      took.push(performance.now() - from);
      if (!error && !isRead) acknowledged.push(name);
      if (error) {
        const { code } = error.extensions;
        told.set(code, (told.get(code) ?? 0) + 1);
        if (code !== 'UNAVAILABLE') expect(error.message).not.toContain('nothing was changed');
        else if (!isRead) notMade.push(name);
        await sleep(20);
      }
    }
  };
  const all = Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  return {
    told,
    acknowledged,
    notMade,
    took,
    end: async () => {
      going = false;
      await all;
    },
  };
}

/** Resolves when a change is made again. */
async function untilBack(): Promise<void> {
  const from = performance.now();
  for (let count = 0; ; count++) {
    if (!(await create(`back-${performance.now()}-${count}`)).errors) break;
    await sleep(50);
  }
  expect(performance.now() - from).toBeLessThan(soonMs);
}

/**
 * Does a fault again and again under load: nothing ends, nothing acknowledged is lost, and callers are told the truth.
 * @returns what the slowest request took, in milliseconds.
 */
async function underLoad(fault: () => Promise<void>, server = () => cluster): Promise<number> {
  const { told, acknowledged, notMade, took, end } = load();
  for (let round = 0; round < rounds; round++) {
    await sleep(500 + Math.random() * 500);
    await fault();
    await untilBack();
  }
  await end();
  expect(keyway.child.exitCode).toBeNull();
  expect([...told.keys()].filter((code) => code !== 'UNAVAILABLE' && code !== 'OUTCOME_UNKNOWN')).toEqual([]);
  expect(told.get('UNAVAILABLE')).toBeGreaterThan(0);
  expect(keyway.output()).not.toContain('a request failed inside');
  expect(keyway.output()).not.toContain('nobody cared');
  const rows = await onServer<{ name: string }>(server().url, 'SELECT name FROM credentials');
  const kept = new Set(rows.map(({ name }) => name));
  // R14: «nothing was changed» is said where that is known.
  expect(notMade.filter((name) => kept.has(name))).toEqual([]);
  expect(acknowledged.length).toBeGreaterThan(rounds * 5);
  expect(acknowledged.filter((name) => !kept.has(name))).toEqual([]);
  return Math.max(...took);
}

/** 6 s are what a request may wait; the rest is for a machine that is busy with other things. */
const longestWaitMs = 8_000;

const most = 60_000 + rounds * 20_000;
const endAll = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'keyway'`;

test(
  'R14: R18: all connections are ended under load',
  async () => void (await underLoad(async () => void (await onServer(cluster.url, endAll)))),
  most,
);

test.each(['fast', 'immediate'] as const)(
  'R14: R18: the database is restarted under load, %s',
  async (mode) => void (await underLoad(() => cluster.restart(mode))),
  most,
);

test(
  'R14: R18: R28: a failover leads to a server that is asked nothing until it is promoted',
  async () => {
    const failOver = async () => {
      const next = await cluster.standby();
      await untilFollowed();
      await cluster.stop('fast');
      proxy.leadTo(next.url);
      // It may not know yet what has ended.
      for (const answer of [await create(`refused-${performance.now()}`), await list()])
        expect(answer.errors?.[0]?.extensions.code).toBe('UNAVAILABLE');
      await standby?.drop();
      [standby, cluster] = [cluster, next];
      await cluster.promote();
    };
    await underLoad(failOver);
  },
  most,
);

test('R28: after a silence no connection from before it is used, as its server may have been replaced meanwhile', async () => {
  await Promise.all(Array.from({ length: clients }, () => list()));
  const old = async () => {
    const ofKeyway = `application_name = 'keyway' AND backend_start < '${at}'`;
    return (await onServer(cluster.url, `SELECT pid FROM pg_stat_activity WHERE ${ofKeyway}`)).length;
  };
  const [{ at } = { at: '' }] = await onServer<{ at: string }>(cluster.url, 'SELECT now()::text AS at');
  expect(await old()).toBeGreaterThan(1);
  cluster.pause();
  try {
    expect((await create('silence')).errors?.[0]?.extensions.code).toBe('UNAVAILABLE');
  } finally {
    cluster.resume();
  }
  await untilBack();
  const from = performance.now();
  while ((await old()) > 0) await sleep(50);
  // Far less than the minute after which one that is idle ends by itself.
  expect(performance.now() - from).toBeLessThan(soonMs);
});

test('R28: on a standby nothing starts, and the doctor says what it is', async () => {
  standby = await cluster.standby();
  const environment = { ...place.environment, DATABASE_URL: standby.url };
  for (const command of ['migrate', 'doctor'])
    expect(await runKeyway([command], environment)).toEqual({
      code: 1,
      output: expect.stringContaining('DATABASE_URL leads to a standby'),
    });
});

test('R14: what a synchronous standby does not have is answered as done to nobody, and seen by nobody', async () => {
  standby = await cluster.standby();
  await onServer(cluster.url, "ALTER SYSTEM SET synchronous_standby_names = '*'");
  await onServer(cluster.url, 'SELECT pg_reload_conf()');
  const isSynchronous = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'";
  while ((await onServer(cluster.url, isSynchronous)).length === 0) await sleep(100);
  const name = 'on one disk only';
  const made = () => create(name, 'the same');
  standby.pause();
  try {
    // Longer than the limit that the server has for a statement: it must not count for the wait for the standby.
    expect((await made()).errors?.[0]?.extensions.code).toBe('OUTCOME_UNKNOWN');
    expect((await made()).errors?.[0]?.extensions.code).toMatch(/^(UNAVAILABLE|CONFLICT)$/);
    const found = `SELECT name FROM credentials WHERE name = '${name}'`;
    expect(await onServer(cluster.url, found)).toEqual([]);
  } finally {
    standby.resume();
  }
  while ((await made()).errors) await sleep(100);
  const kept = await onServer<{ name: string }>(cluster.url, 'SELECT name FROM credentials');
  expect(kept.filter((one) => one.name === name)).toHaveLength(1);
}, 60_000);

test(
  'R16: a database that stands still is told in time, of requests as of readiness, and nothing is done twice after it',
  async () => {
    const took: number[] = [];
    const acknowledged: string[] = [];
    const told = new Set<string>();
    const unknown: string[] = [];
    let going = true;
    const client = async (number: number) => {
      for (let count = 0; going; count++) {
        const name = `paused-${number}-${count}`;
        const from = performance.now();
        const { errors: [error] = [] } = await (count % 4 === 3 ? list() : create(name));
        took.push(performance.now() - from);
        if (!error && count % 4 !== 3) acknowledged.push(name);
        if (error) told.add(error.extensions.code);
        if (error?.extensions.code === 'OUTCOME_UNKNOWN') unknown.push(name);
        if (error) await sleep(50);
      }
    };
    const all = Array.from({ length: clients }, (_, number) => client(number));
    for (let round = 0; round < rounds; round++) {
      await sleep(1_000);
      cluster.pause();
      const from = performance.now();
      try {
        while ((await fetch(`${url}/ready`)).status === 200) await sleep(50);
        expect(performance.now() - from).toBeLessThan(10_000);
        await sleep(3_000);
      } finally {
        cluster.resume();
      }
      await untilBack();
      while ((await fetch(`${url}/ready`)).status !== 200) await sleep(50);
    }
    going = false;
    await Promise.all(all);
    expect(Math.max(...took)).toBeLessThan(longestWaitMs);
    expect(told.has('UNAVAILABLE')).toBe(true);
    expect([...told].filter((code) => !['UNAVAILABLE', 'OUTCOME_UNKNOWN'].includes(code))).toEqual([]);
    const rows = await onServer<{ name: string }>(
      cluster.url,
      "SELECT name FROM credentials WHERE name LIKE 'paused-%'",
    );
    const kept = rows.map(({ name }) => name).sort();
    expect(kept).toEqual([...new Set(kept)]);
    // What was told as not done is not there, also later.
    expect(kept.filter((name) => !acknowledged.includes(name) && !unknown.includes(name))).toEqual([]);
    expect(acknowledged.filter((name) => !kept.includes(name))).toEqual([]);
    expect(keyway.output()).not.toContain('a request failed inside');
  },
  most,
);

test(
  'R14: R16: the connections that stand go dead under load, while new ones work',
  async () => {
    const slowest = await underLoad(async () => proxy.forgetStanding());
    expect(slowest).toBeLessThan(longestWaitMs);
  },
  most,
);

test('R16: one request that finds a connection dead spares the next ones the wait, and readiness tells', async () => {
  for (let round = 0; round < rounds; round++) {
    await Promise.all(Array.from({ length: clients }, () => list()));
    proxy.forgetStanding();
    const first = await timed(() => create(`first-${round}`));
    expect(first.answer.errors?.[0]?.extensions.code).toBe('UNAVAILABLE');
    expect(first.tookMs).toBeLessThan(longestWaitMs);
    const next = await Promise.all(Array.from({ length: clients }, () => timed(list)));
    expect(next.flatMap(({ answer }) => answer.errors ?? [])).toEqual([]);
    proxy.forgetStanding();
    const readiness: number[] = [];
    const from = performance.now();
    while (readiness.at(-1) !== 200) {
      const { answer, tookMs } = await timed(() => fetch(`${url}/ready`));
      readiness.push(answer.status);
      expect(tookMs).toBeLessThan(longestWaitMs);
    }
    expect(readiness[0]).toBe(503);
    expect(performance.now() - from).toBeLessThan(soonMs);
  }
  expect(await onServer(cluster.url, "SELECT name FROM credentials WHERE name LIKE 'first-%'")).toEqual([]);
}, 240_000);

test('R16: where each packet is late, a request that takes many statements ends in time, and has changed nothing', async () => {
  const made = await create('before');
  expect(made.errors).toBeUndefined();
  proxy.delay(1_200);
  const { answer, tookMs } = await timed(() => create('late'));
  expect(answer.errors).toMatchObject([
    { message: expect.stringContaining('nothing was changed'), extensions: { code: 'UNAVAILABLE' } },
  ]);
  expect(tookMs).toBeLessThan(longestWaitMs);
  // What takes few goes on.
  expect((await ask('{ viewer { id } }')).data).toEqual({ viewer: { id: account } });
  proxy.delay(0);
  expect((await create('after')).errors).toBeUndefined();
  const kept = await onServer<{ name: string }>(cluster.url, 'SELECT name FROM credentials');
  expect(kept.map(({ name }) => name)).toEqual(expect.arrayContaining(['before', 'after']));
  expect(kept.map(({ name }) => name)).not.toContain('late');
});

test('R16: a statement that only takes long is not cut off, whether it works or waits for another', async () => {
  await onServer(
    cluster.url,
    `CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN IF NEW.name = 'slow' THEN PERFORM pg_sleep(4); END IF; RETURN NEW; END $$;
     CREATE TRIGGER be_slow BEFORE INSERT ON credentials FOR EACH ROW EXECUTE FUNCTION be_slow()`,
  );
  expect((await create('slow')).errors).toBeUndefined();
  const lock = 'SELECT account_id FROM audit_heads FOR UPDATE';
  const holding = onServer(cluster.url, `BEGIN; ${lock}; SELECT pg_sleep(4); COMMIT`);
  await sleep(500);
  expect((await create('waits')).errors).toBeUndefined();
  await holding;
}, 60_000);

test('R14: R16: what began in time and ends long after it is left behind, but for a COMMIT, and callers are told the truth', async () => {
  await onServer(
    cluster.url,
    `CREATE FUNCTION be_late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       IF EXISTS (SELECT FROM credentials c WHERE c.id = NEW.credential_id AND c.name = TG_ARGV[0]) THEN
         PERFORM pg_sleep(CAST(TG_ARGV[1] AS float));
       END IF;
       RETURN NULL; END $$;
     CREATE TRIGGER first_late AFTER INSERT ON credential_versions FOR EACH ROW EXECUTE FUNCTION be_late('late', '2');
     CREATE TRIGGER then_late AFTER INSERT ON credential_uses FOR EACH ROW EXECUTE FUNCTION be_late('late', '7');
     CREATE CONSTRAINT TRIGGER late_commit AFTER INSERT ON credential_versions DEFERRABLE INITIALLY DEFERRED
       FOR EACH ROW EXECUTE FUNCTION be_late('late commit', '7');
     CREATE FUNCTION be_late_too() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN IF NEW.description = 'late commit' THEN PERFORM pg_sleep(7); END IF; RETURN NULL; END $$;
     CREATE CONSTRAINT TRIGGER late_commit_too AFTER UPDATE ON credentials DEFERRABLE INITIALLY DEFERRED
       FOR EACH ROW EXECUTE FUNCTION be_late_too()`,
  );
  const left = await timed(() => create('late'));
  expect(left.answer.errors).toMatchObject([
    { message: expect.stringContaining('nothing was changed'), extensions: { code: 'UNAVAILABLE' } },
  ]);
  expect(left.tookMs).toBeGreaterThan(5_500);
  expect(left.tookMs).toBeLessThan(longestWaitMs);
  // What its answer tells was there before the COMMIT.
  const committed = await timed(() => create('late commit'));
  expect(committed.answer.errors).toBeUndefined();
  expect(committed.tookMs).toBeGreaterThan(6_500);
  // It is on record, and no time is left to read for its answer.
  await create('changed');
  const changed = await timed(() => describeLately('changed'));
  expect(changed.answer.errors?.[0]?.extensions.code).toBe('OUTCOME_UNKNOWN');
  expect(changed.tookMs).toBeGreaterThan(6_500);
  expect(await onServer(cluster.url, "SELECT description FROM credentials WHERE name = 'changed'")).toEqual([
    { description: 'late commit' },
  ]);
  // By now the statement that was left behind has ended too.
  const kept = await onServer<{ name: string }>(
    cluster.url,
    "SELECT name FROM credentials WHERE name LIKE 'late%'",
  );
  expect(kept.map(({ name }) => name)).toEqual(['late commit']);
}, 60_000);

async function timed<Answer>(work: () => Promise<Answer>): Promise<{ answer: Answer; tookMs: number }> {
  const from = performance.now();
  const answer = await work();
  return { answer, tookMs: performance.now() - from };
}

/** Waits until a standby follows: from then on, what the primary has acknowledged reaches it before the primary stops. */
async function untilFollowed(): Promise<void> {
  const following = `SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'`;
  while ((await onServer(cluster.url, following)).length === 0) await sleep(100);
}
