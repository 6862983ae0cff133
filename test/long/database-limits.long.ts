import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, makeCluster, makeFolder, type Cluster } from '../support/cluster.js';
import { openProxy } from '../support/proxy.js';
import { emptyPlace, onServer, spawnKeyway, urlOf, type Place, type Spawned } from '../support/process.js';
import { doorTo, type Door } from '../support/server.js';
import { expectData, makeAccount, makeCredential } from '../support/make.js';

// What a Keyway does on a PostgreSQL that takes nothing more, or whose statements outlast their callers.

let cluster: Cluster;
let place: Place;
let keyway: Spawned | undefined;
let server: Door;

beforeEach(async () => {
  cluster = await makeCluster();
  place = await emptyPlace();
});
afterEach(async () => {
  await stopKeyway();
  await cluster.drop();
  await place.drop();
});

async function stopKeyway(): Promise<void> {
  if (keyway?.child.exitCode === null) keyway.child.kill('SIGTERM');
  await keyway?.ended;
}

async function serve(url = cluster.url, more: Record<string, string> = {}): Promise<void> {
  keyway = spawnKeyway(['serve'], { ...place.environment, ...more, DATABASE_URL: url });
  const at = await urlOf(keyway);
  const ready = async () => (await fetch(`${at}/ready`)).status === 200;
  while (!(await ready())) await sleep(100);
  server = doorTo(at, readFileSync(join(place.folder, 'admin-token'), 'utf8').trim());
}

const create = (account: string, name: string) =>
  server.ask(
    `mutation ($account: ID!, $name: String!, $text: String!) { createCredential(input: {
      account: $account, name: $name, description: $text, secret: { accessKey: {} } }) { credential { name } } }`,
    { account, name, text: 'x'.repeat(900) },
  );

/** A key, and whether it is still verified and listed. */
async function aKey(account: string) {
  const { accessKey, secret } = await makeCredential(server, account);
  return async () => {
    const answer = await server.ask(
      'mutation ($input: VerifyCredentialInput!) { verifyCredential(input: $input) { code } }',
      { input: { accessKey, proof: { secret } } },
    );
    const listed = await server.ask('{ credentials(first: 100) { totalCount nodes { id status } } }');
    return [answer.data?.verifyCredential.code ?? answer.text, listed.errors];
  };
}

/** Creates until it is refused. */
async function createUntilRefused(account: string): Promise<{ made: string[]; refused: string[] }> {
  const made: string[] = [];
  for (let count = 0; count < 2_000; count++) {
    const name = `made-${count}`;
    const answer = await create(account, name);
    if (answer.errors.length > 0) {
      expect(answer.code).toBe('UNAVAILABLE');
      return { made, refused: [name] };
    }
    made.push(name);
  }
  throw new Error('was never refused');
}

async function expectKept(
  url: string,
  { made, refused }: { made: string[]; refused: string[] },
): Promise<void> {
  const rows = await onServer<{ name: string }>(url, 'SELECT name FROM credentials');
  const kept = new Set(rows.map(({ name }) => name));
  expect(made.filter((name) => !kept.has(name))).toEqual([]);
  expect(refused.filter((name) => kept.has(name))).toEqual([]);
}

test('R15: where the disk is full, changes are UNAVAILABLE and not done, reads and verification go on, and nothing acknowledged is lost', async () => {
  const disk = makeFolder();
  const isOwnDisk =
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=96m,mode=0777', 'tmpfs', disk]).status === 0;
  // A disk belongs to whoever mounted it.
  if (isOwnDisk) spawnSync('chown', ['postgres:postgres', disk]);
  const filler = join(disk, 'filler');
  const raise = `CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$;
    CREATE TRIGGER no_space BEFORE INSERT ON credentials FOR EACH ROW EXECUTE FUNCTION no_space()`;
  try {
    const url = cluster.url.replace(/\/postgres$/, '/small');
    if (isOwnDisk) await onServer(cluster.url, `CREATE TABLESPACE small LOCATION '${disk}'`);
    await onServer(cluster.url, `CREATE DATABASE small${isOwnDisk ? ' TABLESPACE small' : ''}`);
    await serve(url);
    const account = await makeAccount(server);
    const goesOn = await aKey(account);
    // Whoever may not mount a disk of its own has PostgreSQL say what it says on a full one.
    if (isOwnDisk) fill(filler);
    else await onServer(url, raise);
    const all = await createUntilRefused(account);
    for (let count = 0; count < 5; count++) {
      all.refused.push(`refused-${count}`);
      expect(await create(account, `refused-${count}`)).toMatchObject({ code: 'UNAVAILABLE' });
      expect(await goesOn()).toEqual(['VALID', []]);
    }
    expect(keyway?.child.exitCode).toBeNull();
    if (isOwnDisk) rmSync(filler);
    else await onServer(url, 'DROP TRIGGER no_space ON credentials');
    while ((await create(account, 'again')).errors.length > 0) await sleep(100);
    await expectKept(url, all);
    expect(keyway?.output()).not.toContain('a request failed inside');
  } finally {
    await stopKeyway();
    await cluster.stop('immediate');
    if (isOwnDisk) spawnSync('umount', [disk]);
    rmSync(disk, { recursive: true, force: true });
  }
}, 180_000);

/** Writes until there is no room. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  const block = Buffer.alloc(4_096, 1);
  try {
    for (;;) writeSync(file, block);
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  } finally {
    closeSync(file);
  }
}

test('R15: where nothing can be written, changes are UNAVAILABLE and not done, and reads and verification go on', async () => {
  await serve(cluster.url);
  const account = await makeAccount(server);
  const goesOn = await aKey(account);
  // A standby would be asked nothing at all, and a session's own setting goes before that of the server: so each table says
  // what PostgreSQL says where it is read-only.
  await onServer(cluster.url, sayReadOnly);
  const all = await createUntilRefused(account);
  for (let count = 0; count < 5; count++) {
    expect(await create(account, `refused-${count}`)).toMatchObject({ code: 'UNAVAILABLE' });
    expect(await goesOn()).toEqual(['VALID', []]);
  }
  await onServer(cluster.url, 'DROP FUNCTION read_only CASCADE');
  while ((await create(account, 'again')).errors.length > 0) await sleep(100);
  await expectKept(cluster.url, { made: all.made, refused: [...all.refused, 'refused-0', 'refused-4'] });
  expect(keyway?.output()).not.toContain('a request failed inside');
}, 120_000);

const sayReadOnly = `
  CREATE FUNCTION read_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'cannot execute in a read-only transaction' USING ERRCODE = '25006'; END $$;
  DO $$ DECLARE name regclass; BEGIN
    FOR name IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP
      EXECUTE format('CREATE TRIGGER read_only BEFORE INSERT OR UPDATE OR DELETE ON %s EXECUTE FUNCTION read_only()', name);
    END LOOP;
  END $$`;

test('R27: a start with the database down is possible: callers are told, readiness too, and it goes on by itself', async () => {
  const port = await freePort();
  const away = Object.assign(new URL(cluster.url), { port: String(port) }).href;
  keyway = spawnKeyway(['serve'], { ...place.environment, DATABASE_URL: away });
  const waiting = await urlOf(keyway);
  expect((await fetch(`${waiting}/health`)).status).toBe(200);
  expect((await fetch(`${waiting}/ready`)).status).toBe(503);
  const refused = await doorTo(waiting, 'none').ask('{ viewer { name } }');
  expect(refused).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
  expect(keyway.output()).toContain('leads to a server that cannot be reached (ECONNREFUSED)');
  // Somebody who has had enough of it is heard.
  const other = await emptyPlace();
  const impatient = spawnKeyway(['serve'], { ...other.environment, DATABASE_URL: away });
  await urlOf(impatient);
  impatient.child.kill('SIGTERM');
  expect(await impatient.ended).toBe(0);
  await other.drop();

  const proxy = await openProxy(cluster.url, port);
  try {
    while (!keyway.output().includes('Keyway is up')) await sleep(100);
    const urls = [...keyway.output().matchAll(/"url":"(http:[^"]+)"/g)].map(([, url = '']) => url);
    server = doorTo(urls.at(-1) ?? '', readFileSync(join(place.folder, 'admin-token'), 'utf8').trim());
    expect((await fetch(`${urls.at(-1)}/ready`)).status).toBe(200);
    expect((await server.ask('{ viewer { name } }')).errors).toEqual([]);
    expect(keyway.output().match(/Keyway waits for it/g)).toHaveLength(1);
  } finally {
    await stopKeyway();
    await proxy.stop();
  }
}, 120_000);

test('R25: the statement of a caller who has left ends, by its time limit at the latest, and has changed nothing', async () => {
  await serve(cluster.url, { KEYWAY_DATABASE_POOL: '2' });
  const account = await makeAccount(server);
  await onServer(
    cluster.url,
    `CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN IF NEW.name = 'slow' THEN PERFORM pg_sleep(600); END IF; RETURN NEW; END $$;
     CREATE TRIGGER be_slow BEFORE INSERT ON credentials FOR EACH ROW EXECUTE FUNCTION be_slow()`,
  );
  const working = async () =>
    (await onServer(cluster.url, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).length;
  // As many as there are connections: none is left for others until they end.
  const left = [0, 1].map(() => {
    const leaving = new AbortController();
    const answer = fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${server.adminToken}` },
      body: JSON.stringify({
        query: `mutation { createCredential(input: { account: "${account}", name: "slow", secret: { accessKey: {} } }) { credential { id } } }`,
      }),
      signal: leaving.signal,
    });
    return { leaving, answer };
  });
  while ((await working()) === 0) await sleep(20);
  for (const { leaving, answer } of left) {
    leaving.abort();
    await expect(answer).rejects.toThrow();
  }
  const from = performance.now();
  while ((await working()) > 0) await sleep(100);
  // The limit of a statement is 10 s; the rest is for a machine that is busy with other things.
  expect(performance.now() - from).toBeLessThan(20_000);
  expectData(await create(account, 'next'));
  expect(await onServer(cluster.url, "SELECT name FROM credentials WHERE name IN ('slow', 'next')")).toEqual([
    { name: 'next' },
  ]);
}, 120_000);
