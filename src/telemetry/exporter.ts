import { readFileSync } from 'node:fs';
import { CompressionAlgorithm, OTLPExporterBase } from '@opentelemetry/otlp-exporter-base';
import {
  createOtlpHttpExportDelegate,
  httpAgentFactoryFromOptions,
} from '@opentelemetry/otlp-exporter-base/node-http';
import { JsonTraceSerializer, TraceExporterMetricsHelper } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { headersIn, type TracesAt } from '../config/traces-at.js';
import type { Log } from '../log.js';

/**
 * Sends spans to a collector by OTLP over HTTP, as JSON. Its official package would read the environment for itself, headers
 * among it: this is made of the parts beneath. The log says once that it fails, and once that it works again.
 */
export function openExporter({ url, headersFile }: TracesAt, log: Log, timeoutMillis: number): SpanExporter {
  const exporter = new OTLPExporterBase<ReadableSpan[]>(
    createOtlpHttpExportDelegate(
      {
        url,
        // Read each time: what is renewed is in the file from then on.
        headers: async () => ({
          'Content-Type': 'application/json',
          ...(headersFile !== undefined && exposed(readFileSync(headersFile, 'utf8'))),
        }),
        concurrencyLimit: 2,
        timeoutMillis,
        compression: CompressionAlgorithm.NONE,
        agentFactory: httpAgentFactoryFromOptions({ keepAlive: true }),
      },
      JsonTraceSerializer,
      'otlp_http_json_span_exporter',
      TraceExporterMetricsHelper,
      undefined,
    ),
  );
  let isFailing = false;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const hasFailed = result.error !== undefined;
        if (hasFailed !== isFailing) {
          isFailing = hasFailed;
          if (hasFailed)
            log.warn({ why: nameOf(result.error) }, 'traces cannot be sent, and are dropped meanwhile');
          else log.info({}, 'traces are sent again');
        }
        done(result);
      }),
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  };
}

const exposed = (text: string): Record<string, string> =>
  Object.fromEntries(headersIn(text).map(([name, value]) => [name, value.expose()]));

/** The code or name of an error alone: its text may hold an address. */
function nameOf(error: Error | undefined): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' || typeof code === 'number' ? String(code) : (error?.name ?? 'unknown');
}
