/**
 * @slow 15 s
 */
import { readFileSync } from 'node:fs';
import { expectData, makeAccount, makeCredential } from '../support/make.js';
import { metricsOf, scrape, untilSo } from '../support/scrape.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { checkStore, makeStore, seqeraAt } from '../stores/stores.js';
import { startSeqera, type Seqera } from '../upstreams/seqera.js';
import { verify } from '../credentials/verification/verifying.js';

// docs/metrics.md is the list of what there is: operators write rules and dashboards by it.

interface Listed {
  name: string;
  type: string;
  labels: string[];
}

const page = readFileSync('docs/metrics.md', 'utf8');
const listed: Listed[] = [
  ...page.matchAll(/^\| `(keyway_\w+)` *\| (\w+) *\| ([^|]*?) *\| [^|]+ \| (?:max|min|sum) *\| [^|]+ \|$/gm),
].map(([, name = '', type = '', labels = '']) => ({
  name,
  type,
  labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label).sort(),
}));

let server: TestServer;
let seqera: Seqera;
let address: string;

beforeAll(async () => {
  server = await startTestServer({
    KEYWAY_OUTBOUND_LOCAL: 'true',
    KEYWAY_METRICS_PORT: '0',
    KEYWAY_AUDIT_STREAM: 'http://127.0.0.1:1/nobody',
  });
  address = metricsOf(server);
  seqera = await startSeqera();
});
afterAll(async () => {
  await server.stop();
  await seqera.stop();
});

test('each metric that is served stands in the page with its type, and no other', async () => {
  expect(listed.length).toBeGreaterThan(20);
  const { text } = await scrape(address);
  const served = [...text.matchAll(/^# TYPE (keyway_\w+) (\w+)$/gm)].map(
    ([, name, type]) => `${name} ${type}`,
  );
  expect(served.sort()).toEqual(listed.map(({ name, type }) => `${name} ${type}`).sort());
});

test('each series has the labels of the page', async () => {
  const account = await makeAccount(server);
  const { accessKey, secret } = await makeCredential(server, account);
  await verify(server, { accessKey, proof: { secret } });
  expectData(await checkStore(server, { id: await makeStore(server, account, seqeraAt(seqera)) }));
  await server.ask(`{ ${'a'.repeat(3)} ${'{ b '.repeat(40)} ${'}'.repeat(40)} }`);
  const parts = new Set(listed.flatMap(({ labels }) => (labels.length > 0 ? labels : [])));
  expect(parts.size).toBeGreaterThan(10);
  // What appears by itself, once it was done: jobs, and how far the stream is behind.
  const late = [
    'keyway_job_last_success_timestamp_seconds',
    'keyway_job_failures_total',
    'keyway_keyring_rows',
  ];
  const baseOf = (name: string) => name.replace(/_(bucket|sum|count)$/, '');
  const { samples } = await untilSo(
    () => scrape(address),
    ({ samples: all }) =>
      listed.every(({ name }) => late.includes(name) || all.some((sample) => baseOf(sample.name) === name)),
  );
  const found = new Map<string, Set<string>>();
  for (const { name, labels } of samples.filter((sample) => sample.name.startsWith('keyway_')))
    for (const label of ['', ...Object.keys(labels).filter((one) => one !== 'le')])
      found.set(baseOf(name), (found.get(baseOf(name)) ?? new Set()).add(label));
  for (const { name, labels } of listed) {
    if (late.includes(name) && !found.has(name)) continue;
    expect([name, ...[...(found.get(name) ?? [])].filter(Boolean).sort()]).toEqual([name, ...labels]);
  }
});

test('each part that /ready can name stands in the page', async () => {
  const told = [...page.matchAll(/^\| `([\w-]+)` *\| (?:missing|impaired) *\|/gm)].map(([, part]) => part);
  const partsUp = async () =>
    (await scrape(address)).samples.flatMap(({ name, labels }) =>
      name === 'keyway_part_up' ? (labels['part'] ?? []) : [],
    );
  // That of the stream is there once it was counted how far it is behind.
  const parts = await untilSo(partsUp, (found) => found.includes('audit-stream'));
  expect(parts).toEqual(expect.arrayContaining(['serving', 'database', 'audit-stream', 'checkpoints']));
  expect(told).toEqual(expect.arrayContaining([...parts, 'issuers']));
});
