import { setTimeout as sleep } from 'node:timers/promises';
import { JsonMetricsSerializer, MetricsExporterMetricsHelper } from '@opentelemetry/otlp-transformer';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import type { MetricsTo } from '../config/collector-at.js';
import type { Log } from '../log.js';
import { openExporter } from './exporter.js';
import { producerOf, type ReadMeters } from './metric-producer.js';
import { resourceOf, type Instance } from './resource.js';

/** Metrics that are sent again and again. */
export interface SentMetrics {
  /** Sends them for the last time, for two seconds at most. */
  stop(): Promise<void>;
}

const longestSendMs = 5_000;
const longestStopMs = 2_000;

/**
 * Sends what is measured to a collector, which may be down: nothing waits for it, and what could not be sent is not sent
 * later, as the next time tells all that was counted since the process began.
 * @throws an Error to show where the file of headers cannot be used.
 */
export function sendMetrics(at: MetricsTo, instance: Instance, read: ReadMeters, log: Log): SentMetrics {
  const timeoutMs = Math.min(longestSendMs, at.everyMs);
  const exporter = openExporter(
    at,
    { signal: 'metrics', serializer: JsonMetricsSerializer, helper: MetricsExporterMetricsHelper },
    log,
    timeoutMs,
  );
  const resource = resourceOf(instance);
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: at.everyMs,
    exportTimeoutMillis: timeoutMs,
    metricProducers: [producerOf(read, { name: 'keyway', version: instance.version }, resource)],
  });
  const provider = new MeterProvider({ resource, readers: [reader] });
  return {
    stop: () =>
      Promise.race([
        provider.shutdown().catch(() => undefined),
        sleep(longestStopMs, undefined, { ref: false }),
      ]),
  };
}
