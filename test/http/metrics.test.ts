/**
 * @slow 20 s
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { runKeyway } from '../support/process.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { parseId } from '../../src/ids.js';
import { expectData, makeAccount, makeCredential } from '../support/make.js';
import { checkStore, makeStore, seqeraAt } from '../stores/stores.js';
import { metricsOf, untilSo, valueOf } from '../support/scrape.js';
import { postVerify, verify } from '../credentials/verification/verifying.js';
import { startSeqera, type Seqera } from '../upstreams/seqera.js';

let server: TestServer;
let seqera: Seqera;
let store: string;
let address: string;

beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true', KEYWAY_METRICS_PORT: '0' });
  address = metricsOf(server);
  seqera = await startSeqera();
  store = await makeStore(server, await makeAccount(server), seqeraAt(seqera));
});
afterAll(async () => {
  await server.stop();
  await seqera.stop();
});

/** The lines of one metric. */
const metric = async (name: string): Promise<string[]> => {
  const text = await (await fetch(address)).text();
  return text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
};

const check = async () => expectData(await checkStore(server, { id: store }));

test('are served apart, in the format of Prometheus, with those of the process', async () => {
  const response = await fetch(address);
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    expect.stringContaining('text/plain; version=0.0.4'),
  ]);
  expect(await metric('process_resident_memory_bytes')).toHaveLength(1);
  expect((await fetch(`${server.url}/metrics`)).status).toBe(404);
  expect((await fetch(new URL('/', address))).status).toBe(404);
  expect((await fetch(address, { method: 'POST' })).status).toBe(404);
});

test('R21: tell the state of the circuit of each store', async () => {
  await check();
  const [found] = await server.rows<{ id: string }>("SELECT id FROM stores WHERE kind = 'SEQERA'");
  const id = found?.id;
  const states = (closed: number, open: number) => [
    `keyway_store_circuit{store="${id}",state="CLOSED"} ${closed}`,
    `keyway_store_circuit{store="${id}",state="OPEN"} ${open}`,
    `keyway_store_circuit{store="${id}",state="HALF_OPEN"} 0`,
  ];
  expect(await metric('keyway_store_circuit')).toEqual(states(1, 0));
  seqera.meet({ kind: 'fail', status: 500 }, {}, 5);
  for (let count = 0; count < 5; count++) await check();
  expect(await metric('keyway_store_circuit')).toEqual(states(0, 1));
});

test('tell how many rotations are late, and how late', async () => {
  expect(await metric('keyway_rotations_overdue')).toEqual(['keyway_rotations_overdue 0']);
  expect(await metric('keyway_rotation_overdue_seconds')).toEqual(['keyway_rotation_overdue_seconds 0']);
  const account = await makeAccount(server);
  // Not to be had afterwards, so that it stays late.
  const rotationPolicy = { every: 'P30D', gracePeriod: 'PT0S' };
  for (const hours of [2, 1]) {
    const { id } = await makeCredential(server, account, { rotationPolicy });
    await server.rows(
      `UPDATE credentials SET rotation_due_at = now() - make_interval(hours => ${hours}) WHERE id = :id RETURNING id`,
      { id: parseId(id)?.uuid },
    );
  }
  expect(await metric('keyway_rotations_overdue')).toEqual(['keyway_rotations_overdue 2']);
  const [line = ''] = await metric('keyway_rotation_overdue_seconds');
  expect(Math.round(Number(line.split(' ')[1]) / 600)).toBe(12);
});

const value = (name: string, labels: Record<string, string> = {}) => valueOf(address, name, labels);

/** By how much a series has grown meanwhile. */
async function growth(name: string, labels: Record<string, string>, work: () => Promise<unknown>) {
  const before = (await value(name, labels)) ?? 0;
  await work();
  // It is counted when all of the answer was sent, which its reader may see sooner.
  const after = await untilSo(
    async () => (await value(name, labels)) ?? 0,
    (count) => count > before,
  );
  return after - before;
}

test('count requests by route, kind and code, with how long they took', async () => {
  const count = 'keyway_request_duration_seconds_count';
  const requests = (route: string, kind: string, code: string, work: () => Promise<unknown>) =>
    growth(count, { route, kind, code }, work);
  const ask = (text: string, token?: null) => () => server.ask(text, {}, token === null ? { token } : {});
  expect(await requests('/graphql', 'query', 'OK', ask('{ viewer { id } }'))).toBe(1);
  // Again as one that is known by its text.
  for (let times = 0; times < 3; times++)
    expect(await requests('/graphql', 'query', 'OK', ask('query { viewer { id name } }'))).toBe(1);
  expect(await requests('/graphql', 'mutation', 'OK', () => makeAccount(server))).toBe(1);
  const failing = 'mutation { deleteCredential(input: { id: "cred_0" }) { __typename } }';
  expect(await requests('/graphql', 'mutation', 'BAD_USER_INPUT', ask(failing))).toBe(1);
  expect(await requests('/graphql', 'none', 'UNAUTHENTICATED', ask('{ viewer { id } }', null))).toBe(1);
  expect(await requests('/graphql', 'none', 'GRAPHQL_PARSE_FAILED', ask('{'))).toBe(1);
  expect(await requests('/graphql', 'query', 'GRAPHQL_VALIDATION_FAILED', ask('{ nobody }'))).toBe(1);
  const get = (path: string) => () => fetch(`${server.url}${path}`);
  expect(await requests('none', 'none', 'NOT_FOUND', get('/nothing/here'))).toBe(1);
  expect(await requests('/ready', 'none', 'OK', get('/ready'))).toBe(1);
  const post = () => postVerify(server, {});
  expect(await requests('/v1/verify', 'none', 'BAD_USER_INPUT', post)).toBe(1);
});

test('count verifications by their codes', async () => {
  const { accessKey, secret } = await makeCredential(server, await makeAccount(server));
  const pair = (given: unknown) => () => verify(server, { accessKey, proof: { secret: given } });
  expect(await growth('keyway_verifications_total', { code: 'VALID' }, pair(secret))).toBe(1);
  expect(await growth('keyway_verifications_total', { code: 'NOT_VALID' }, pair('wrong'))).toBe(1);
});

test('count refusals by the limit that was passed', async () => {
  const refusals = (limit: string, work: () => Promise<unknown>) =>
    growth('keyway_refusals_total', { limit }, work);
  const deep = `{ viewer ${'{ parent '.repeat(12)} { id } ${'}'.repeat(12)} }`;
  expect(await refusals('depth', () => server.ask(deep))).toBe(1);
  expect(await refusals('pageSize', () => server.ask('{ accounts(first: 5000) { nodes { id } } }'))).toBe(1);
  expect(await refusals('body', () => server.ask('{ viewer { id } }', { more: 'x'.repeat(300_000) }))).toBe(
    1,
  );
  const headers = { 'x-large': 'x'.repeat(70_000) };
  expect(await refusals('headers', () => fetch(`${server.url}/health`, { headers }))).toBe(1);
});

test('count calls to stores by vendor and result', async () => {
  const calls = (result: string, work: () => Promise<unknown>) =>
    growth('keyway_store_call_duration_seconds_count', { vendor: 'SEQERA', result }, work);
  const other = await makeStore(server, await makeAccount(server), seqeraAt(seqera));
  const checkOther = async () => expectData(await checkStore(server, { id: other }));
  expect(await calls('OK', checkOther)).toBeGreaterThan(0);
  seqera.meet({ kind: 'fail', status: 403 });
  expect(await calls('REFUSED', checkOther)).toBe(1);
  seqera.meet({ kind: 'fail', status: 500 });
  expect(await calls('FAILED', checkOther)).toBe(1);
  seqera.meet({ kind: 'drop' }, {}, 3);
  expect(await calls('NO_ANSWER', checkOther)).toBeGreaterThan(0);
});

test('tell of connections to the database, of jobs and of what waits', async () => {
  const most = server.environment['DATABASE_URL'] === undefined ? 1 : 10;
  expect(await value('keyway_database_connections_max')).toBe(most);
  const inUse = await value('keyway_database_connections', { state: 'in_use' });
  const idle = await value('keyway_database_connections', { state: 'idle' });
  expect([inUse, idle].every((count) => count !== undefined && count >= 0 && count <= most)).toBe(true);
  expect(await value('keyway_database_waiting')).toBeGreaterThanOrEqual(0);
  expect(await value('keyway_audit_queue')).toBeGreaterThanOrEqual(0);
  const checkpointAge = (await value('keyway_checkpoint_age_seconds')) ?? NaN;
  expect(checkpointAge).toBeGreaterThanOrEqual(0);
  const succeeded = () => value('keyway_job_last_success_timestamp_seconds', { name: 'decisions' });
  const at = await untilSo(succeeded, (found) => found !== undefined);
  expect(Math.abs(Date.now() / 1_000 - (at ?? 0))).toBeLessThan(120);
});

test('tell how many changes wait for a store, for how long, and what came out unknown', async () => {
  expect(await value('keyway_intents_open')).toBe(0);
  expect(await value('keyway_intent_open_seconds')).toBe(0);
  expect(await value('keyway_credentials_unknown')).toBe(0);
  const { id } = await makeCredential(server, await makeAccount(server));
  const row = { id: parseId(id)?.uuid };
  await server.rows("UPDATE credentials SET standing = 'UNKNOWN' WHERE id = :id RETURNING id", row);
  expect(await value('keyway_credentials_unknown')).toBe(1);
  await server.rows("UPDATE credentials SET standing = 'KNOWN' WHERE id = :id RETURNING id", row);
  // In a lease that lasts: nobody takes it up meanwhile.
  await server.rows(
    `INSERT INTO intents (id, credential_id, store_id, verb, lease_until, next_at, created_at, request_id)
     SELECT gen_random_uuid(), c.id, c.store_id, 'UPDATE', now() + interval '1 hour', now() + interval '1 hour',
       now() - interval '1 hour', 'made' FROM credentials c WHERE c.id = :id RETURNING id`,
    row,
  );
  expect(await value('keyway_intents_open')).toBe(1);
  expect(Math.round(((await value('keyway_intent_open_seconds')) ?? 0) / 600)).toBe(6);
  await server.rows('DELETE FROM intents WHERE credential_id = :id RETURNING id', row);
});

test('name the version, and what it runs on', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const database = server.environment['DATABASE_URL'] === undefined ? 'embedded' : 'postgresql';
  expect(await value('keyway_build_info', { version, node: process.versions.node, database })).toBe(1);
});

test('S63: have no label that anybody wrote', async () => {
  await server.ask('query MARKER_OPERATION { viewer { id } }');
  await server.ask('{ credentials(filter: { search: "MARKER-TEXT" }) { nodes { id } } }');
  expect(await (await fetch(address)).text()).not.toMatch(/MARKER|keyway-seqera/);
});

test('are nowhere where no port is given', async () => {
  const other = await startTestServer();
  try {
    expect((await fetch(`${other.url}/metrics`)).status).toBe(404);
  } finally {
    await other.stop();
  }
});

test('S47: tell how many rows name each older key, while there is one', async () => {
  expect(await metric('keyway_keyring_rows')).toEqual([]);
  expect(await metric('keyway_keyring_unreadable')).toEqual(['keyway_keyring_unreadable 0']);
  const [count] = await server.rows<{ rows: number }>(
    'SELECT count(*)::integer AS rows FROM credential_versions WHERE verifier IS NOT NULL AND verifier_key_id = :id',
    { id: 'k1' },
  );
  expect((await runKeyway(['keys', 'rotate', 'pepper'], server.environment)).code).toBe(0);
  expect((await runKeyway(['keys', 'rotate', 'verifier'], server.environment)).code).toBe(0);
  const rows = [
    `keyway_keyring_rows{kind="verifier",id="k1"} ${count?.rows}`,
    'keyway_keyring_rows{kind="pepper",id="k1"} 0',
  ];
  for (
    let waited = 0;
    waited < 20_000 && (await metric('keyway_keyring_rows')).length < rows.length;
    waited += 200
  )
    await sleep(200);
  expect(await metric('keyway_keyring_rows')).toEqual(rows);
});

test('tell how far the stream of the audit log is behind', async () => {
  const streaming = await startTestServer({
    KEYWAY_METRICS_PORT: '0',
    KEYWAY_AUDIT_STREAM: 'http://127.0.0.1:1/nobody',
  });
  try {
    const metrics = /"metrics":"(http:[^"]+)"/.exec(streaming.logged.join(''))?.[1] ?? '';
    let text = '';
    for (let wait = 0; wait < 100 && !/^keyway_audit_stream_behind [1-9]/m.test(text); wait++) {
      await sleep(100);
      text = await (await fetch(metrics)).text();
    }
    expect(text).toMatch(/^keyway_audit_stream_behind [1-9]\d*$/m);
    expect(text).toMatch(/^keyway_audit_stream_behind_seconds \d/m);
    expect(streaming.logged.join('')).toContain('the audit log cannot be streamed');
  } finally {
    await streaming.stop();
  }
  expect(await metric('keyway_audit_stream_behind')).toEqual([]);
});
