import { performance } from 'node:perf_hooks';
import { ValueType, type Attributes, type HrTime } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  DataPointType,
  type DataPoint,
  type Histogram,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';

/** One series, as prom-client tells it; of a histogram with `…_bucket`, `…_sum` or `…_count`. */
interface Series {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number | undefined>>;
  readonly value: number;
}

/** A metric, as prom-client tells it. */
interface Meter {
  readonly name: string;
  readonly help: string;
  /** counter, gauge or histogram: it says otherwise of its type than it has */
  readonly type: unknown;
  readonly values: readonly Series[];
}

/** Reads all that is measured of a process. @throws where one of them cannot be read */
export type ReadMeters = () => Promise<readonly Meter[]>;

/**
 * Has the metrics of Prometheus collected for OpenTelemetry: the same names and labels, so that each has one owner. All are of
 * the time since the process began. What is no number, as it is not known, is left out: JSON has no way to write it.
 * https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
 */
export function producerOf(
  read: ReadMeters,
  scope: { readonly name: string; readonly version: string },
  resource: Resource,
): MetricProducer {
  const startTime = timeOf(performance.timeOrigin);
  return {
    collect: async () => {
      const meters = await read();
      const times = { startTime, endTime: timeOf(Date.now()) };
      const metrics = meters.map((meter) => dataOf(meter, times)).filter(hasPoints);
      return { resourceMetrics: { resource, scopeMetrics: [{ scope, metrics }] }, errors: [] };
    },
  };
}

type Times = Pick<DataPoint<unknown>, 'startTime' | 'endTime'>;

function dataOf({ name, help, type, values }: Meter, times: Times): MetricData {
  const common = {
    descriptor: { name, description: help, unit: unitOf(name), valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  if (type === 'histogram')
    return { ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints: histogramsOf(values, times) };
  const dataPoints = values
    .filter(({ value }) => Number.isFinite(value))
    .map(({ labels, value }) => ({ ...times, attributes: attributesOf(labels), value }));
  if (type === 'counter')
    return { ...common, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints };
  return { ...common, dataPointType: DataPointType.GAUGE, dataPoints };
}

const hasPoints = ({ dataPoints }: MetricData): boolean => dataPoints.length > 0;

/** Prometheus counts in a bucket what is in those before as well, and OpenTelemetry does not. */
function histogramsOf(values: readonly Series[], times: Times): DataPoint<Histogram>[] {
  const found = new Map<string, { attributes: Attributes; upTo: [number, number][]; sum: number }>();
  for (const { metricName = '', labels, value } of values) {
    const { le, ...others } = labels;
    const attributes = attributesOf(others);
    const key = JSON.stringify(Object.entries(attributes).sort());
    const one = found.get(key) ?? { attributes, upTo: [], sum: 0 };
    found.set(key, one);
    if (le !== undefined) one.upTo.push([le === '+Inf' ? Infinity : Number(le), value]);
    else if (metricName.endsWith('_sum')) one.sum = value;
  }
  return [...found.values()].map(({ attributes, upTo, sum }) => ({
    ...times,
    attributes,
    value: {
      buckets: {
        boundaries: upTo.map(([bound]) => bound).filter(Number.isFinite),
        counts: upTo.map(([, count], at) => count - (upTo[at - 1]?.[1] ?? 0)),
      },
      sum,
      count: upTo.at(-1)?.[1] ?? 0,
    },
  }));
}

/** As Prometheus has them: all of them texts. */
const attributesOf = (labels: Series['labels']): Attributes =>
  Object.fromEntries(
    Object.entries(labels).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );

/** A name of Prometheus ends with its unit, where it has one. By what UCUM calls it. */
const unitOf = (name: string): string => {
  const [, unit] = /_(seconds|bytes)(?:_total)?$/.exec(name) ?? [];
  return unit === 'seconds' ? 's' : unit === 'bytes' ? 'By' : '';
};

/** @param ms since 1970 */
function timeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.floor((ms - seconds * 1_000) * 1e6)];
}
