import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Database, sql } from '../../src/database/database.js';
import { verifyAll } from '../credentials/verification/verifying.js';
import { makeCluster, type Cluster } from '../support/cluster.js';
import { expectData, makeAccount, makeCredential, unique } from '../support/make.js';
import { openPooler, type Pooler } from '../support/pooler.js';
import {
  emptyPlace,
  onServer,
  runKeyway,
  spawnKeyway,
  urlOf,
  type Place,
  type Spawned,
} from '../support/process.js';
import { openProxy } from '../support/proxy.js';
import { doorTo, type Door } from '../support/server.js';
import { run } from '../support/verbs.js';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await makeCluster();
});
afterAll(() => cluster.drop());

describe.each(['session', 'transaction'] as const)('behind PgBouncer in %s mode', (mode) => {
  let pooler: Pooler;
  let place: Place;
  let keyways: Spawned[];
  let doors: Door[];
  let url: string;
  let direct: string;

  beforeAll(async () => {
    const name = unique('pooled').replaceAll('-', '_');
    await onServer(cluster.url, `CREATE DATABASE ${name}`);
    // What Keyway does not want of a session, it does not get through the pooler either.
    for (const what of [
      "DateStyle = 'SQL, DMY'",
      "TimeZone = 'Asia/Seoul'",
      'statement_timeout = 0',
      "bytea_output = 'escape'",
    ])
      await onServer(cluster.url, `ALTER DATABASE ${name} SET ${what}`);
    pooler = await openPooler(cluster.url, mode);
    direct = Object.assign(new URL(cluster.url), { pathname: `/${name}` }).href;
    url = pooler.urlOf(direct);
    place = await emptyPlace();
    const environment = { ...place.environment, DATABASE_URL: url };
    // The keys are made by a first start; two then start at the same moment.
    expect(await runKeyway(['migrate'], environment)).toMatchObject({ code: 0 });
    keyways = [1, 2].map(() => spawnKeyway(['serve'], environment));
    const token = readFileSync(join(place.folder, 'admin-token'), 'utf8').trim();
    doors = await Promise.all(keyways.map(async (keyway) => doorTo(await urlOf(keyway), token)));
  });
  afterAll(async () => {
    for (const { child } of keyways) child.kill('SIGTERM');
    await Promise.all(keyways.map(({ ended }) => ended));
    await pooler.drop();
    await place.drop();
  });
  const door = (index: number) => doors[index % 2] as Door;

  const opened: Database[] = [];
  const opening = async (address: string) => {
    const db = await Database.open({ url: address, entities: [], migrations: [], poolSize: 10 });
    opened.push(db);
    return db;
  };
  afterEach(async () => {
    for (const db of opened.splice(0)) await db.close();
  });

  test('every verb does what it does, sixty at once by two replicas', async () => {
    const lives = Array.from({ length: 60 }, async (_, index) => {
      const account = await makeAccount(door(index));
      const { id, accessKey, secret } = await makeCredential(door(index + 1), account, {
        retrievable: true,
      });
      const ask = async (mutation: string, input: Record<string, unknown>) =>
        expectData(await run(door(index), mutation, { id, ...input }));
      const codes = async () =>
        (await verifyAll(door(index + 1), [{ accessKey, proof: { secret } }])).map(({ code }) => code);
      expect(await codes()).toEqual(['VALID']);
      await ask('updateCredential', { description: unique('told') });
      await ask('rotateCredential', { gracePeriod: 'PT0S' });
      await ask('revealCredential', {});
      const listed = await door(index).ask(
        'query ($id: ID!) { node(id: $id) { ... on Credential { status createdAt account { credentials { totalCount } } } } }',
        { id },
      );
      expect(expectData(listed).node).toMatchObject({
        createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        account: { credentials: { totalCount: 1 } },
      });
      await ask('revokeCredential', {});
      expect(await codes()).not.toEqual(['VALID']);
      await ask('deleteCredential', {});
    });
    await Promise.all(lives);
    // Those answered above are on record, each in its place.
    expect(await runKeyway(['audit', 'verify'], { ...place.environment, DATABASE_URL: url })).toMatchObject({
      code: 0,
    });
  });

  test('no statement is without its limits, in a transaction and outside of one', async () => {
    const db = await opening(url);
    const shown =
      sql(`SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
      current_setting('idle_in_transaction_session_timeout') AS idle, current_setting('TimeZone') AS zone,
      current_setting('DateStyle') AS style, pg_sleep(0.01)::text AS slept`);
    const set = { statement: '10s', lock: '5s', idle: '15s', zone: 'UTC', style: 'ISO, YMD' };
    const outside = await Promise.all(Array.from({ length: 40 }, () => db.rows(shown)));
    const inside = await Promise.all(
      Array.from({ length: 40 }, () => db.transaction((tx) => tx.rows(shown))),
    );
    for (const [row] of [...outside, ...inside]) expect(row).toMatchObject(set);
  });

  test('a statement that takes too long is ended by the server, and a lock is waited for no longer than it may be', async () => {
    const db = await opening(url);
    const slow = db.rows(sql('SELECT pg_sleep(30)'));
    const began = Date.now();
    await expect(slow).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(Date.now() - began).toBeLessThan(11_500);
    expect(
      await onServer(
        direct,
        "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND state = 'active' AND pid <> pg_backend_pid()",
      ),
    ).toEqual([]);
    const lock = sql('LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE');
    await db.transaction(async (tx) => {
      await tx.rows(lock);
      await expect(db.transaction((other) => other.rows(lock))).rejects.toMatchObject({ code: 'CONFLICT' });
    });
  });

  test('nothing of it stays in a session that others are lent', async () => {
    const db = await opening(url);
    await Promise.all(Array.from({ length: 20 }, () => db.rows(sql('SELECT 1'))));
    await Promise.all(Array.from({ length: 20 }, () => db.transaction((tx) => tx.rows(sql('SELECT 1')))));
    const [own] = await onServer<{ style: string; limit: string }>(
      url,
      "SELECT current_setting('DateStyle') AS style, current_setting('statement_timeout') AS limit",
    );
    expect(own).toEqual({ style: 'SQL, DMY', limit: '0' });
    expect(
      await onServer(
        direct,
        "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
      ),
    ).toEqual([]);
  });

  test('an error leaves the session usable, and a failed transaction is not taken for a done one', async () => {
    const db = await opening(url);
    await expect(db.rows(sql('SELECT 1 / 0'))).rejects.toMatchObject({ code: '22012' });
    const swallowed = db.transaction((tx) => tx.rows(sql('SELECT 1 / 0')).catch(() => undefined));
    await expect(swallowed).rejects.toThrow('a transaction that had failed was committed');
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, n) => db.rows(sql('SELECT CAST(:n AS integer) AS n'), { n })),
    );
    expect(all).toEqual(Array.from({ length: 20 }, (_, n) => [{ n }]));
  });

  test('R28: a server that follows another one is asked nothing, in a transaction and outside of one', async () => {
    const proxy = await openProxy(cluster.url);
    const between = await openPooler(proxy.url, mode);
    const standby = await cluster.standby();
    try {
      const db = await opening(between.urlOf(url));
      const one = sql('SELECT 1 AS one');
      expect(await db.rows(one)).toEqual([{ one: 1 }]);
      proxy.leadTo(standby.url);
      for (let tries = 0; tries < 5; tries++)
        for (const ask of [() => db.rows(one), () => db.transaction((tx) => tx.rows(one))])
          await expect(ask()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await expect(opening(between.urlOf(url))).rejects.toThrow('leads to a standby');
      await standby.promote();
      while ((await db.rows(one).catch(() => [])).length === 0) await sleep(50);
      expect(await db.transaction((tx) => tx.rows(one))).toEqual([{ one: 1 }]);
      await opened.pop()?.close();
    } finally {
      await between.drop();
      await proxy.stop();
      await standby.drop();
    }
  });

  test('sessions of another isolation are refused', async () => {
    const name = new URL(url).pathname.slice(1);
    await onServer(cluster.url, `ALTER DATABASE ${name} SET default_transaction_isolation = 'serializable'`);
    const other = await openPooler(cluster.url, mode);
    try {
      await expect(opening(other.urlOf(url))).rejects.toThrow('sessions of another isolation');
    } finally {
      await other.drop();
      await onServer(cluster.url, `ALTER DATABASE ${name} RESET default_transaction_isolation`);
    }
  });
});
