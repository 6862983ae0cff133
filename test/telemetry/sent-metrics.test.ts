/**
 * @slow 90 s
 */
import { performance } from 'node:perf_hooks';
import { verify } from '../credentials/verification/verifying.js';
import { checkStore, makeStore, seqeraAt } from '../stores/stores.js';
import { expectData, makeAccount, makeCredential } from '../support/make.js';
import {
  samplesIn,
  startCollector,
  type ReceivedMetrics,
  type TestCollector,
} from '../support/otlp-collector.js';
import { metricsOf, scrape, untilSo, type Sample } from '../support/scrape.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { startSeqera } from '../upstreams/seqera.js';

let collector: TestCollector;
beforeEach(async () => (collector = await startCollector()));
afterEach(() => collector.stop());

const sending = (more: Record<string, string> = {}) =>
  startTestServer({
    KEYWAY_OUTBOUND_LOCAL: 'true',
    KEYWAY_OTEL_ENDPOINT: collector.url,
    KEYWAY_OTEL_METRICS_SECONDS: '1',
    ...more,
  });

/** Waits until metrics have come so often from now on. */
const received = async (times: number): Promise<ReceivedMetrics> => {
  const before = collector.metrics.length;
  await untilSo(
    async () => collector.metrics.length,
    (count) => count >= before + times,
  );
  const last = collector.metrics.at(-1);
  if (!last || collector.metrics.length < before + times) throw new Error('no metrics have come');
  return last;
};

const keyOf = ({ name, labels }: Sample) =>
  `${name} ${JSON.stringify(Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1)))}`;
const byKey = (samples: readonly Sample[]) =>
  new Map(samples.map((sample): [string, number] => [keyOf(sample), sample.value]));

/** Of what is counted by Keyway, and of the circuits. */
const valueIn = (metrics: ReceivedMetrics | undefined, name: string, labels: Record<string, string> = {}) =>
  metrics && byKey(samplesIn(metrics)).get(keyOf({ name, labels, value: 0 }));

describe('what is sent is what is served', () => {
  // Of the time since it was read last, by whoever, or by kinds of what Node is at just then: there is not always any.
  const isPassing = ({ name }: Pick<Sample, 'name'>) =>
    /^nodejs_(eventloop_lag_|active_(resources|requests|handles)$)/.test(name);

  test('each sample, with its name, labels, type, description and value', async () => {
    const keyway = await sending({ KEYWAY_METRICS_PORT: '0', KEYWAY_OTEL_SAMPLING: '1' });
    const seqera = await startSeqera();
    try {
      const account = await makeAccount(keyway);
      const { accessKey, secret } = await makeCredential(keyway, account);
      await verify(keyway, { accessKey, proof: { secret } });
      await verify(keyway, { accessKey, proof: { secret: 'wrong' } });
      expectData(await checkStore(keyway, { id: await makeStore(keyway, account, seqeraAt(seqera)) }));
      await keyway.ask(`{ viewer ${'{ parent '.repeat(12)} { id } ${'}'.repeat(12)} }`);

      const before = await scrape(metricsOf(keyway));
      // The first of two may have been read before that.
      const sent = await received(2);
      const after = await scrape(metricsOf(keyway));
      const [least, most] = [byKey(before.samples), byKey(after.samples)];
      const found = byKey(samplesIn(sent));

      const expected = before.samples.filter((one) => !isPassing(one) && !Number.isNaN(one.value));
      expect(expected.length).toBeGreaterThan(100);
      expect(expected.map(keyOf).filter((key) => !found.has(key))).toEqual([]);
      const standing = samplesIn(sent).filter((one) => !isPassing(one));
      expect(standing.map(keyOf).filter((key) => !most.has(key))).toEqual([]);

      const types = new Map(
        [...after.text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => [name, type]),
      );
      const helps = new Map(
        [...after.text.matchAll(/^# HELP (\w+) (.*)$/gm)].map(([, name, help]) => [name, help]),
      );
      for (const { name, type, description, unit, isCumulative, neverFalls } of sent.metrics) {
        expect([name, type, description]).toEqual([name, types.get(name), helps.get(name)]);
        expect([name, unit]).toEqual([
          name,
          /_seconds(_total)?$/.test(name) ? 's' : /_bytes$/.test(name) ? 'By' : '',
        ]);
        if (type !== 'gauge') expect([name, isCumulative]).toEqual([name, true]);
        if (type === 'counter') expect([name, neverFalls]).toEqual([name, true]);
      }

      const baseOf = (name: string) => name.replace(/_(bucket|sum|count)$/, '');
      const grows = (name: string) =>
        types.get(name) === 'counter' || types.get(baseOf(name)) === 'histogram' || /_timestamp_/.test(name);
      let compared = 0;
      for (const { name, labels, value } of samplesIn(sent)) {
        const key = keyOf({ name, labels, value });
        const [from, to] = [least.get(key) ?? 0, most.get(key) ?? NaN];
        expect([key, Number.isFinite(value)]).toEqual([key, true]);
        if (grows(name)) expect([key, from <= value && value <= to]).toEqual([key, true]);
        // What stands still meanwhile.
        else if (!name.startsWith('keyway_') || from !== to || name.startsWith('keyway_database_')) continue;
        else expect([key, value]).toEqual([key, to]);
        compared++;
      }
      expect(compared).toBeGreaterThan(80);

      // Of the same process as its traces, which began before its metrics were read.
      const [traced] = collector.resources;
      expect(sent.resource).toEqual(traced);
      expect(sent.resource).toMatchObject({ 'service.name': 'keyway' });
      for (const { fromMs, atMs } of sent.metrics.flatMap(({ points }) => points)) {
        expect(Math.abs(fromMs - performance.timeOrigin)).toBeLessThan(2);
        expect(atMs).toBeGreaterThan(fromMs);
      }
    } finally {
      await keyway.stop();
      await seqera.stop();
    }
  });

  test('also where nothing is served', async () => {
    const keyway = await sending();
    try {
      expect((await keyway.ask('{ viewer { id } }')).code).toBeUndefined();
      const ok = { route: '/graphql', kind: 'query', code: 'OK' };
      await untilSo(
        async () => valueIn(collector.metrics.at(-1), 'keyway_request_duration_seconds_count', ok),
        (count) => count === 1,
      );
      expect(valueIn(collector.metrics.at(-1), 'keyway_request_duration_seconds_count', ok)).toBe(1);
      expect(valueIn(collector.metrics.at(-1), 'keyway_part_up', { part: 'database' })).toBe(1);
      expect(metricsOf(keyway)).toBe('');
    } finally {
      await keyway.stop();
    }
  });
});

test('S63: nothing that a caller or a store wrote is in what is sent', async () => {
  const keyway = await sending({ KEYWAY_OTEL_METRICS_SECONDS: '3600' });
  const seqera = await startSeqera({ token: 'tok-MARKER-of-the-store' });
  try {
    const headers = { 'x-request-id': 'MARKER', 'user-agent': 'MARKER', traceparent: 'MARKER' };
    const account = await makeAccount(keyway, { name: 'MARKER-account' });
    const { accessKey } = await makeCredential(keyway, account, { name: 'MARKER-name' });
    await keyway.ask('query MARKER { MARKER: viewer { id } }', {}, { headers });
    await keyway.ask('{ MARKER }', {}, { headers });
    await keyway.ask('{ credentials(filter: { search: "MARKER" }) { nodes { id } } }');
    await keyway.ask('{ viewer { id } }', {}, { token: 'MARKER' });
    await verify(keyway, { accessKey, proof: { secret: 'MARKER' } });
    await fetch(`${keyway.url}/MARKER?MARKER=MARKER`, { method: 'PROPFIND', headers });
    const store = await makeStore(keyway, account, seqeraAt(seqera), { name: 'MARKER-store' });
    seqera.meet({ kind: 'fail', status: 500 }, {}, 3);
    expectData(await checkStore(keyway, { id: store }));
    await keyway.stop();
    const all = collector.metricBodies.join('\n');
    expect(all).toContain('keyway_store_call_duration_seconds');
    expect(all).toContain('GRAPHQL_VALIDATION_FAILED');
    for (const text of ['MARKER', 'PROPFIND', accessKey, keyway.adminToken, seqera.url])
      expect(all).not.toContain(text);
  } finally {
    await seqera.stop();
  }
});

describe('what is sent', () => {
  const ask = async (keyway: TestServer) => expectData(await keyway.ask('{ viewer { id } }'));

  test('is traces alone, where nothing else is named', async () => {
    const keyway = await sending({ KEYWAY_OTEL_SIGNALS: 'traces', KEYWAY_OTEL_SAMPLING: '1' });
    await ask(keyway);
    await keyway.stop();
    expect(collector.spans.length).toBeGreaterThan(0);
    expect(collector.metrics).toEqual([]);
  });

  test('is metrics alone, where nothing else is named', async () => {
    const keyway = await sending({ KEYWAY_OTEL_SIGNALS: 'metrics', KEYWAY_OTEL_SAMPLING: '1' });
    await ask(keyway);
    await keyway.stop();
    expect(collector.metrics.length).toBeGreaterThan(0);
    expect(collector.bodies).toEqual([]);
  });
});

test('what was counted last is sent when Keyway stops, and a process that starts anew is another one', async () => {
  const keyway = await sending({ KEYWAY_OTEL_METRICS_SECONDS: '3600' });
  const { accessKey, secret } = await makeCredential(keyway, await makeAccount(keyway));
  await verify(keyway, { accessKey, proof: { secret } });
  await keyway.restart();
  expect(collector.metrics).toHaveLength(1);
  expect(valueIn(collector.metrics[0], 'keyway_verifications_total', { code: 'VALID' })).toBe(1);
  expect(valueIn(collector.metrics[0], 'keyway_part_up', { part: 'serving' })).toBe(0);
  await keyway.stop();
  expect(collector.metrics).toHaveLength(2);
  const [first, second] = collector.metrics.map(({ resource }) => resource['service.instance.id']);
  expect(first).not.toBe(second);
});

describe('R18, R19: a collector that does not take metrics', () => {
  const failing = ({ logged }: TestServer) =>
    logged.filter((line) => line.includes('metrics cannot be sent'));
  const rejected: unknown[] = [];
  const onRejection = (error: unknown) => void rejected.push(error);
  beforeAll(() => void process.on('unhandledRejection', onRejection));
  afterAll(() => void process.off('unhandledRejection', onRejection));
  afterEach(() => expect(rejected).toEqual([]));

  test.each([500, 503, 404])('%s: is told of once, and once when it takes them again', async (answer) => {
    collector.answer = answer;
    const keyway = await sending({ KEYWAY_OTEL_SIGNALS: 'metrics' });
    try {
      await received(3);
      expectData(await keyway.ask('{ viewer { id } }'));
      await untilSo(
        async () => failing(keyway),
        (lines) => lines.length > 0,
      );
      collector.answer = undefined;
      const isBack = () => keyway.logged.filter((line) => line.includes('metrics are sent again'));
      await untilSo(
        async () => isBack(),
        (lines) => lines.length > 0,
      );
      await received(1);
      expect([failing(keyway).length, isBack().length]).toEqual([1, 1]);
    } finally {
      await keyway.stop();
    }
  });

  test('is told of once where it is not there, without its address', async () => {
    const keyway = await sending({
      KEYWAY_OTEL_ENDPOINT: 'http://127.0.0.1:1',
      KEYWAY_OTEL_SIGNALS: 'metrics',
    });
    await untilSo(
      async () => failing(keyway),
      (lines) => lines.length > 0,
    );
    expectData(await keyway.ask('{ viewer { id } }'));
    await keyway.stop();
    expect(failing(keyway)).toHaveLength(1);
    expect(failing(keyway)[0]).not.toContain('127.0.0.1');
  });

  test('holds nothing up where it does not answer: neither requests nor the end', async () => {
    collector.answer = 'hang';
    const keyway = await sending({ KEYWAY_METRICS_PORT: '0' });
    await received(1);
    for (let times = 0; times < 20; times++) expectData(await keyway.ask('{ viewer { id } }'));
    // Metrics are still served, and are counted on.
    const ok = { route: '/graphql', kind: 'query', code: 'OK' };
    const served = byKey((await scrape(metricsOf(keyway))).samples);
    expect(
      served.get(keyOf({ name: 'keyway_request_duration_seconds_count', labels: ok, value: 0 })),
    ).toBeGreaterThanOrEqual(19);
    // It goes on asking, one at a time.
    await received(2);
    const from = performance.now();
    await keyway.stop();
    expect(performance.now() - from).toBeLessThan(8_000);
  });
});
