import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { addGauges, type Measured } from '../telemetry/gauges.js';
import { Meters } from '../telemetry/meters.js';
import type { ReadMeters } from '../telemetry/metric-producer.js';
import { downIn, readinessOf, type Readiness } from '../telemetry/parts.js';
import { gatherFromAll, tellParent } from './metrics-of-all.js';

/** The door for who watches over Keyway, apart from that of callers: it asks nobody who they are. */
export interface Metrics {
  /** http://127.0.0.1:9464/metrics */
  readonly url: string;
  stop(): Promise<void>;
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** What is measured of this process, from its start on. */
export interface OpenMeters {
  /** What is to be told. */
  readonly telemetry: Meters;
  /** Says what else is looked at when metrics are read. */
  measure(measured: Measured): void;
  /**
   * Serves the metrics at /metrics, in the text format of Prometheus, and at /ready which parts are missing.
   * @throws where the address is taken.
   */
  serve(address: Address): Promise<Metrics>;
  /** Tells the process that started this one what is measured here, whenever `openMetricsOfAll` there asks for it. */
  tell(): void;
  /** What is measured of this process by now. */
  readonly read: ReadMeters;
}

/** Begins to measure: the metrics of Node, and what docs/metrics.md lists. */
export function openMeters(): OpenMeters {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const telemetry = new Meters(registry);
  let parts: Measured['parts'] = async () => ({ serving: false });
  return {
    telemetry,
    measure(measured) {
      ({ parts } = measured);
      addGauges(registry, measured);
    },
    serve: (address) =>
      serve(address, {
        contentType: registry.contentType,
        metrics: () => registry.metrics(),
        readiness: async () => readinessOf(downIn(await parts())),
      }),
    tell: () => tellParent(registry),
    read: () => registry.getMetricsAsJSON(),
  };
}

/**
 * Serves what the processes that this one has started tell, as one: sums, where docs/metrics.md says nothing else.
 * @throws where the address is taken.
 */
export function openMetricsOfAll(address: Address): Promise<Metrics> {
  const { contentType } = new Registry();
  const metrics = gatherFromAll();
  return serve(address, { contentType, metrics, readiness: async () => readinessIn(await metrics()) });
}

/** What the processes tell of their parts; while there is none that tells, Keyway does not serve. */
function readinessIn(text: string): Readiness {
  const parts = [...text.matchAll(/^keyway_part_up\{part="([\w-]+)"\} ([01])$/gm)];
  return readinessOf(
    parts.length === 0 ? ['serving'] : parts.flatMap(([, part = '', isUp]) => (isUp === '0' ? [part] : [])),
  );
}

interface Collected {
  readonly contentType: string;
  readonly metrics: () => Promise<string>;
  readonly readiness: () => Promise<Readiness>;
}

async function serve({ host, port }: Address, collected: Collected): Promise<Metrics> {
  const server = createServer((request, response) => {
    if (request.method === 'GET' && request.url === '/metrics')
      return void answerMetrics(response, collected);
    if (request.method === 'GET' && request.url === '/ready') return void answerReady(response, collected);
    response.writeHead(404).end();
  });
  await listening(server, host, port);
  const { address, family, port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}/metrics`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const answerMetrics = (response: ServerResponse, { metrics, contentType }: Collected) =>
  metrics().then(
    (text) => response.writeHead(200, { 'content-type': contentType }).end(text),
    () => response.writeHead(500).end(),
  );

async function answerReady(response: ServerResponse, { readiness }: Collected): Promise<void> {
  const told = await readiness().catch(() => readinessOf(['serving']));
  response
    .writeHead(told.status === 'up' ? 200 : 503, { 'content-type': 'application/json; charset=utf-8' })
    .end(`${JSON.stringify(told)}\n`);
}

const listening = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
