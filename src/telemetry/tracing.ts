import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Span,
  type SpanContext,
} from '@opentelemetry/api';
import { JsonTraceSerializer, TraceExporterMetricsHelper } from '@opentelemetry/otlp-transformer';
import { AlwaysOnSampler, BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { TracesAt } from '../config/collector-at.js';
import type { Log } from '../log.js';
import { openExporter } from './exporter.js';
import { resourceOf, type Instance } from './resource.js';
import { summaryOf } from './statement-summary.js';
import type { Note, RequestSpan, Step, Telemetry } from './telemetry.js';

/** Tells how long requests and their parts take, to a collector of OpenTelemetry. */
export interface Tracing extends Pick<Telemetry, 'begin' | 'within'> {
  /** A statement of the database, as a span of the request that is under way; without one it is only run. */
  readonly statement: <Result>(text: string, run: () => Promise<Result>) => Promise<Result>;
  /** Sends what waits, for three seconds at most. */
  stop(): Promise<void>;
}

/** What waits to be sent, in spans: what is more is dropped, so that a collector that is down costs no more memory. */
const mostWaiting = 2_048;
const longestSendMs = 5_000;
const longestStopMs = 3_000;

/**
 * Opens the way to a collector, which may be down: nothing waits for it. What is told is words of Keyway's own: routes, verbs,
 * tables, kinds of stores and codes (S63). Which requests are traced is drawn for each request here, so that no caller can
 * have it traced or not. https://opentelemetry.io/docs/specs/otlp/
 * @throws an Error to show where the file of headers cannot be used.
 */
export function openTracing(at: TracesAt, instance: Instance, log: Log): Tracing {
  const exporter = openExporter(
    at,
    { signal: 'traces', serializer: JsonTraceSerializer, helper: TraceExporterMetricsHelper },
    log,
    longestSendMs,
  );
  const provider = new TracerProvider({
    sampler: new AlwaysOnSampler(),
    resource: resourceOf(instance),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter,
        maxQueueSize: mostWaiting,
        maxExportBatchSize: 512,
        scheduledDelayMillis: 1_000,
        exportTimeoutMillis: longestSendMs,
      }),
    ],
  });
  const tracer = provider.getTracer('keyway', instance.version);
  const underWay = new AsyncLocalStorage<Context>();

  function within<Result>(
    { name, kind = 'internal', attributes = {} }: Step,
    work: (note: Note) => Promise<Result>,
  ): Promise<Result> {
    const parent = underWay.getStore();
    if (!parent) return work(ignore);
    const span = tracer.startSpan(name, { kind: kinds[kind], attributes }, parent);
    const note: Note = (more) => void span.setAttributes(more);
    return underWay.run(trace.setSpan(parent, span), () => ended(span, work(note)));
  }

  return {
    begin: (caller) => {
      if (Math.random() >= at.sampling) return undefined;
      const parent = contextOf(caller);
      // With a start that is given, the end is by the same clock, as the starts of all within are. The SDK adds up two
      // clocks otherwise, read one after the other: a pause between them has the request end before what it asked for.
      const start = { kind: SpanKind.SERVER, startTime: Date.now() };
      const span = tracer.startSpan('request', start, parent);
      return requestSpan(span, underWay, trace.setSpan(parent, span));
    },
    within,
    statement: (text, run) => {
      if (!underWay.getStore()) return run();
      const { operation, summary } = summaryOf(text);
      const attributes = {
        'db.system.name': 'postgresql',
        'db.operation.name': operation,
        'db.query.summary': summary,
      };
      return within({ name: summary, kind: 'client', attributes }, run);
    },
    stop: () =>
      Promise.race([provider.shutdown().catch(ignore), sleep(longestStopMs, undefined, { ref: false })]),
  };
}

const ignore = () => undefined;

const kinds = { internal: SpanKind.INTERNAL, client: SpanKind.CLIENT };

function requestSpan(span: Span, underWay: AsyncLocalStorage<Context>, context: Context): RequestSpan {
  const { traceId, spanId } = span.spanContext();
  return {
    traceId,
    spanId,
    run: (work) => underWay.run(context, work),
    end({ method, route = 'none', kind = 'none', code, status }) {
      span.updateName(`${methodOf(method)} ${route}`);
      const attributes: Attributes = {
        'http.request.method': methodOf(method),
        'http.route': route,
        'http.response.status_code': status,
        'keyway.kind': kind,
        ...(code !== undefined && { 'keyway.code': code }),
      };
      span.setAttributes(attributes);
      if (status >= 500 || ours.has(code ?? '')) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}

/** What is not its caller's to mend. */
const ours: ReadonlySet<string> = new Set(['INTERNAL_SERVER_ERROR', 'OUTCOME_UNKNOWN', 'UNAVAILABLE']);

/** Of what a caller can send there are any number: others are told as the specification says. */
const methodOf = (method: string): string =>
  ['GET', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'DELETE'].includes(method) ? method : '_OTHER';

/** Ends a span with the work: its error is told by the code alone. */
async function ended<Result>(span: Span, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    span.setAttribute('error.type', codeOf(error));
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' && /^[A-Z0-9_]{1,40}$/.test(code) ? code : 'INTERNAL_SERVER_ERROR';
}

/** Of the header that a caller has sent, the trace and the span alone: what else it says is its caller's text. */
function contextOf(caller: string | undefined): Context {
  const [, traceId, spanId] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(caller ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || /^0+$/.test(traceId) || /^0+$/.test(spanId))
    return ROOT_CONTEXT;
  const parent: SpanContext = { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
  return trace.setSpanContext(ROOT_CONTEXT, parent);
}
