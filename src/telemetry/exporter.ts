import { readFileSync } from 'node:fs';
import { CompressionAlgorithm, OTLPExporterBase } from '@opentelemetry/otlp-exporter-base';
import {
  createOtlpHttpExportDelegate,
  httpAgentFactoryFromOptions,
} from '@opentelemetry/otlp-exporter-base/node-http';
import type { IExporterMetricsHelper, ISerializer } from '@opentelemetry/otlp-transformer';
import { expectHeaders, headersIn, type CollectorAt, type Signal } from '../config/collector-at.js';
import type { Log } from '../log.js';

/** How the official packages write one signal. */
interface Form<Items> {
  readonly signal: Signal;
  readonly serializer: ISerializer<Items, unknown>;
  readonly helper: IExporterMetricsHelper<Items>;
}

/** Sends what it is given, once; it never throws. */
type Exporter<Items> = Pick<OTLPExporterBase<Items>, 'export' | 'forceFlush' | 'shutdown'>;

/**
 * Sends to a collector by OTLP over HTTP, as JSON. The official packages that do so would read the environment for themselves,
 * headers among it: this is made of the parts beneath. The log says once that it fails, and once that it works again.
 * @throws an Error to show where the file of headers cannot be used.
 */
export function openExporter<Items>(
  { url, headersFile }: CollectorAt,
  { signal, serializer, helper }: Form<Items>,
  log: Log,
  timeoutMillis: number,
): Exporter<Items> {
  if (headersFile !== undefined) expectHeaders(headersFile);
  const exporter = new OTLPExporterBase<Items>(
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
      serializer,
      `otlp_http_json_${helper.name}_exporter`,
      helper,
      undefined,
    ),
  );
  let isFailing = false;
  return {
    export: (items, done) =>
      exporter.export(items, (result) => {
        const hasFailed = result.error !== undefined;
        if (hasFailed !== isFailing) {
          isFailing = hasFailed;
          if (hasFailed)
            log.warn({ why: nameOf(result.error) }, `${signal} cannot be sent, and are dropped meanwhile`);
          else log.info({}, `${signal} are sent again`);
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
