import { setTimeout as sleep } from 'node:timers/promises';
import { runKeyway } from '../support/process.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { parseId } from '../../src/ids.js';
import { expectData, makeAccount, makeCredential } from '../support/make.js';
import { checkStore, makeStore, seqeraAt } from '../stores/stores.js';
import { startSeqera, type Seqera } from '../upstreams/seqera.js';

let server: TestServer;
let seqera: Seqera;
let store: string;
let address: string;

beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true', KEYWAY_METRICS_PORT: '0' });
  address = /"metrics":"(http:[^"]+)"/.exec(server.logged.join(''))?.[1] ?? '';
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
