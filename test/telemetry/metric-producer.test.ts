/**
 * @embedded no database
 */
import { resourceFromAttributes } from '@opentelemetry/resources';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { openLog } from '../../src/log.js';
import { producerOf } from '../../src/telemetry/metric-producer.js';
import { sendMetrics } from '../../src/telemetry/sent-metrics.js';

/** What is collected of a registry, by name. */
async function collected(registry: Registry) {
  const scope = { name: 'keyway', version: '0' };
  const producer = producerOf(() => registry.getMetricsAsJSON(), scope, resourceFromAttributes({}));
  const { resourceMetrics, errors } = await producer.collect();
  expect(errors).toEqual([]);
  expect(resourceMetrics.scopeMetrics.map((one) => one.scope)).toEqual([scope]);
  return new Map(
    resourceMetrics.scopeMetrics.flatMap(({ metrics }) =>
      metrics.map(({ descriptor, dataPoints }) => [
        descriptor.name,
        dataPoints.map(({ attributes, value }) => ({ attributes, value })),
      ]),
    ),
  );
}

const inRegistry = () => {
  const registry = new Registry();
  return { registry, registers: [registry], help: 'Something.' };
};

test('a bucket has what is in it alone, up to its bound, for each of the labels', async () => {
  const { registry, ...at } = inRegistry();
  const histogram = new Histogram({
    name: 'took_seconds',
    labelNames: ['a', 'b'],
    buckets: [0.1, 1, 10],
    ...at,
  });
  for (const value of [0.1, 0.5, 1, 5, 100, 200]) histogram.observe({ a: 'x', b: 'y' }, value);
  histogram.observe({ a: 'x' }, 2);
  histogram.zero({ b: 'y' });
  const boundaries = [0.1, 1, 10];
  expect((await collected(registry)).get('took_seconds')).toEqual([
    {
      attributes: { a: 'x', b: 'y' },
      value: { buckets: { boundaries, counts: [1, 2, 1, 2] }, sum: 306.6, count: 6 },
    },
    { attributes: { a: 'x' }, value: { buckets: { boundaries, counts: [0, 0, 1, 0] }, sum: 2, count: 1 } },
    { attributes: { b: 'y' }, value: { buckets: { boundaries, counts: [0, 0, 0, 0] }, sum: 0, count: 0 } },
  ]);
});

test('what is no number is left out, and labels that are numbers are texts', async () => {
  const { registry, ...at } = inRegistry();
  const gauge = new Gauge({ name: 'there', labelNames: ['n'], ...at });
  gauge.set({ n: 7 }, -1.5);
  gauge.set({ n: 'unknown' }, NaN);
  gauge.set({ n: 'endless' }, Infinity);
  new Gauge({ name: 'unknown', ...at }).set(NaN);
  new Counter({ name: 'none_total', ...at });
  const found = await collected(registry);
  expect(found.get('there')).toEqual([{ attributes: { n: '7' }, value: -1.5 }]);
  expect(found.has('unknown')).toBe(false);
  expect(found.get('none_total')).toEqual([{ attributes: {}, value: 0 }]);
});

test('R19: what cannot be read once is read the next time', async () => {
  const { registry, ...at } = inRegistry();
  let fails = true;
  new Gauge({
    name: 'there',
    collect() {
      if (fails) throw new Error('it cannot be read');
      this.set(1);
    },
    ...at,
  });
  await expect(collected(registry)).rejects.toThrow('it cannot be read');
  fails = false;
  expect((await collected(registry)).get('there')).toEqual([{ attributes: {}, value: 1 }]);
});

test('nothing is sent where the file of headers cannot be used', () => {
  const at = { url: 'http://127.0.0.1:1/v1/metrics', headersFile: '/nowhere/at-all', everyMs: 60_000 };
  const send = () => sendMetrics(at, { id: 'one', version: '0' }, async () => [], openLog('silent'));
  expect(send).toThrow('KEYWAY_OTEL_HEADERS_FILE names a file that cannot be read (ENOENT)');
});
