import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Sample } from './scrape.js';

/** A span as a collector receives it. */
export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  name: string;
  kind: number;
  attributes: Record<string, unknown>;
  status: number;
  /** When it began and ended, in milliseconds since 1970. */
  fromMs: number;
  untilMs: number;
}

/** Metrics that a collector received together. */
export interface ReceivedMetrics {
  /** Whose they are. */
  resource: Record<string, unknown>;
  metrics: ReceivedMetric[];
  headers: IncomingHttpHeaders;
}

export interface ReceivedMetric {
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  description: string;
  unit: string;
  /** Of the time since the process began, where it is no gauge. */
  isCumulative: boolean;
  neverFalls: boolean;
  points: ReceivedPoint[];
}

interface ReceivedPoint {
  labels: Record<string, string>;
  fromMs: number;
  atMs: number;
  /** Of a histogram the sum; null where none was told. */
  value: number | null;
  /** Of a histogram: how many there are in each bucket, and up to which bound, but for the last. */
  counts?: number[];
  bounds?: number[];
  count?: number;
}

/** A collector of OpenTelemetry: OTLP over HTTP, with JSON (https://opentelemetry.io/docs/specs/otlp/#otlphttp). */
export interface TestCollector {
  readonly url: string;
  readonly spans: ReceivedSpan[];
  readonly metrics: ReceivedMetrics[];
  /** Whose traces they are. */
  readonly resources: Record<string, unknown>[];
  /** All that came of traces, as it came, and of metrics. */
  readonly bodies: string[];
  readonly metricBodies: string[];
  /** Those of traces. */
  readonly headers: IncomingHttpHeaders[];
  /** How it answers: 200 where undefined; «hang» answers nothing until it is another one. */
  answer: number | 'hang' | undefined;
  stop(): Promise<void>;
}

type Attribute = { key: string; value: Record<string, unknown> };
interface Resource {
  attributes: Attribute[];
}

interface TracesPayload {
  resourceSpans: {
    resource: Resource;
    scopeSpans: {
      spans: (Pick<ReceivedSpan, 'traceId' | 'spanId' | 'name' | 'kind'> & {
        parentSpanId?: string;
        startTimeUnixNano: string;
        endTimeUnixNano: string;
        attributes: Attribute[];
        status: { code?: number };
      })[];
    }[];
  }[];
}

interface Point {
  attributes: Attribute[];
  startTimeUnixNano: string;
  timeUnixNano: string;
  asDouble?: number;
  sum?: number;
  count?: number;
  bucketCounts?: number[];
  explicitBounds?: number[];
}
interface Points {
  dataPoints: Point[];
  aggregationTemporality?: number;
  isMonotonic?: boolean;
}
interface MetricsPayload {
  resourceMetrics: {
    resource: Resource;
    scopeMetrics: {
      metrics: {
        name: string;
        description: string;
        unit: string;
        sum?: Points;
        gauge?: Points;
        histogram?: Points;
      }[];
    }[];
  }[];
}

/** Each as the value that it has, whatever its type is called. */
const valuesOf = (attributes: readonly Attribute[]): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

const msOf = (nanoseconds: string) => Number(nanoseconds) / 1e6;

const spansIn = ({ resourceSpans }: TracesPayload): ReceivedSpan[] =>
  resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ traceId, spanId, parentSpanId, name, kind, attributes, status, ...times }) => ({
        traceId,
        spanId,
        // An empty one is none.
        parentSpanId: parentSpanId || undefined,
        name,
        kind,
        attributes: valuesOf(attributes),
        status: status.code ?? 0,
        fromMs: msOf(times.startTimeUnixNano),
        untilMs: msOf(times.endTimeUnixNano),
      })),
    ),
  );

const metricsIn = ({ resourceMetrics }: MetricsPayload, headers: IncomingHttpHeaders): ReceivedMetrics[] =>
  resourceMetrics.map(({ resource, scopeMetrics }) => ({
    resource: valuesOf(resource.attributes),
    headers,
    metrics: scopeMetrics.flatMap(({ metrics }) =>
      metrics.map(({ name, description, unit, sum, gauge, histogram }) => ({
        name,
        description,
        unit,
        type: sum ? ('counter' as const) : gauge ? ('gauge' as const) : ('histogram' as const),
        isCumulative: (sum ?? histogram)?.aggregationTemporality === 2,
        neverFalls: sum?.isMonotonic === true,
        points: (sum ?? gauge ?? histogram)?.dataPoints.map(pointOf) ?? [],
      })),
    ),
  }));

const pointOf = ({ attributes, startTimeUnixNano, timeUnixNano, ...told }: Point): ReceivedPoint => ({
  labels: valuesOf(attributes) as Record<string, string>,
  fromMs: msOf(startTimeUnixNano),
  atMs: msOf(timeUnixNano),
  // What is no number is null in JSON, and no value for a collector.
  value: told.asDouble ?? told.sum ?? null,
  ...(told.bucketCounts && {
    counts: told.bucketCounts,
    bounds: told.explicitBounds ?? [],
    count: told.count ?? 0,
  }),
});

/** What was received, as it would be served at /metrics. */
export const samplesIn = ({ metrics }: ReceivedMetrics): Sample[] =>
  metrics.flatMap(({ name, points }) =>
    points.flatMap(({ labels, value: told, counts, bounds = [], count = 0 }) => {
      const value = told ?? NaN;
      if (!counts) return [{ name, labels, value }];
      let upTo = 0;
      return [
        ...counts.map((more, at) => ({
          name: `${name}_bucket`,
          labels: { ...labels, le: at < bounds.length ? String(bounds[at]) : '+Inf' },
          value: (upTo += more),
        })),
        { name: `${name}_sum`, labels, value },
        { name: `${name}_count`, labels, value: count },
      ];
    }),
  );

export async function startCollector(): Promise<TestCollector> {
  const hanging: ServerResponse[] = [];
  let answer: TestCollector['answer'];
  const collector = {
    url: '',
    spans: [] as ReceivedSpan[],
    metrics: [] as ReceivedMetrics[],
    resources: [] as Record<string, unknown>[],
    bodies: [] as string[],
    metricBodies: [] as string[],
    headers: [] as IncomingHttpHeaders[],
    get answer() {
      return answer;
    },
    set answer(now: TestCollector['answer']) {
      answer = now;
      if (now !== 'hang') for (const one of hanging.splice(0)) one.writeHead(now ?? 200).end('{}');
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const where = `${request.method} ${request.url}`;
      if (where === 'POST /v1/traces') {
        const payload = JSON.parse(body) as TracesPayload;
        collector.headers.push(request.headers);
        collector.bodies.push(body);
        collector.spans.push(...spansIn(payload));
        collector.resources.push(
          ...payload.resourceSpans.map(({ resource }) => valuesOf(resource.attributes)),
        );
      } else if (where === 'POST /v1/metrics') {
        collector.metricBodies.push(body);
        collector.metrics.push(...metricsIn(JSON.parse(body) as MetricsPayload, request.headers));
      } else return void response.writeHead(404).end();
      if (answer === 'hang') hanging.push(response);
      else response.writeHead(answer ?? 200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  collector.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return collector;
}
