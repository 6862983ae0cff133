import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AggregatorRegistry, collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { circuits, type WatchedGates } from '../stores/gate.js';

/** The door for what collects metrics, apart from that of callers: it asks nobody who they are. */
export interface Metrics {
  /** http://127.0.0.1:9464/metrics */
  readonly url: string;
  stop(): Promise<void>;
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** What of Keyway is measured. */
export interface Measured {
  gates: WatchedGates;
  /** How many rotations are late, and for how many seconds the one that is late the longest. */
  overdue(): Promise<{ count: number; longestS: number }>;
  /** How many rows named keys that are not current when they were last counted, and what could not be brought to another. */
  keys: {
    readonly counts: readonly { kind: string; id: string; rows: number }[];
    readonly unreadable: number;
  };
  /** How far the stream of the audit log is behind; undefined where there is none. */
  auditStream:
    { readonly lag: { readonly events: number; readonly seconds: number } | undefined } | undefined;
  /** How many each limit of a minute has refused so far, and whether they are counted over all processes. */
  rateLimits: { readonly refusals: ReadonlyMap<string, number>; readonly isShared: boolean };
}

/**
 * Serves the metrics of this process at /metrics, in the text format of Prometheus.
 * @throws where the address is taken.
 */
export const openMetrics = (address: Address, measured: Measured | undefined): Promise<Metrics> =>
  serve(address, measure(measured));

/**
 * Tells the process that started this one what is measured here, whenever `openMetricsOfAll` there asks for it.
 * https://github.com/siimon/prom-client#usage-with-nodejss-cluster-module
 */
export function tellMetrics(measured: Measured | undefined): void {
  AggregatorRegistry.setRegistries([measure(measured)]);
  new AggregatorRegistry();
}

/**
 * Serves what the processes that this one has started tell, as one: sums, where nothing else is said, such as of memory; of
 * Keyway's own metrics the highest.
 * @throws where the address is taken.
 */
export function openMetricsOfAll(address: Address): Promise<Metrics> {
  const all = new AggregatorRegistry();
  const { contentType } = all;
  return serve(address, { contentType, metrics: () => all.clusterMetrics() });
}

/**
 * What is measured: the metrics of Node, `keyway_store_circuit` with a 1 for the state that the circuit of each store is in,
 * the rotations that are late (`keyway_rotations_overdue`, `keyway_rotation_overdue_seconds`), which are NaN while the
 * database does not answer, the rows that name older keys (`keyway_keyring_rows`, `keyway_keyring_unreadable`), and whom
 * the limits of a minute refused (`keyway_rate_limited_total`, `keyway_rate_limits_shared`). Labels
 * are ids and words of Keyway's own, nothing that anybody wrote.
 */
function measure(measured: Measured | undefined): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'keyway_store_circuit',
    help: 'Whether the circuit of a store is in this state (1) or not (0), as this process sees it, or any of several.',
    labelNames: ['store', 'state'],
    registers: [registry],
    aggregator: 'max',
    collect() {
      this.reset();
      for (const [store, circuit] of measured?.gates.circuits() ?? [])
        for (const state of circuits) this.set({ store, state }, Number(state === circuit));
    },
  });
  const overdue = async () => (await measured?.overdue().catch(() => undefined)) ?? unknown;
  new Gauge({
    name: 'keyway_rotations_overdue',
    help: 'Credentials whose rotation policy is late; NaN while the database does not answer.',
    registers: [registry],
    aggregator: 'max',
    async collect() {
      this.set((await overdue()).count);
    },
  });
  new Gauge({
    name: 'keyway_rotation_overdue_seconds',
    help: 'How long the rotation that is late the longest has been late, in seconds; 0 if none is.',
    registers: [registry],
    aggregator: 'max',
    async collect() {
      this.set((await overdue()).longestS);
    },
  });
  new Gauge({
    name: 'keyway_keyring_rows',
    help: 'Rows that name this key, for each key that is older than the current one; counted once a minute while there are any, by the process that brings rows to the current key.',
    labelNames: ['kind', 'id'],
    registers: [registry],
    aggregator: 'max',
    collect() {
      this.reset();
      for (const { kind, id, rows } of measured?.keys.counts ?? []) this.set({ kind, id }, rows);
    },
  });
  new Gauge({
    name: 'keyway_keyring_unreadable',
    help: 'Sealed records that could not be opened, and so not be brought to the current key.',
    registers: [registry],
    aggregator: 'max',
    collect() {
      this.set(measured?.keys.unreadable ?? 0);
    },
  });
  const lag = () => measured?.auditStream?.lag;
  new Gauge({
    name: 'keyway_audit_stream_behind',
    help: 'Events of the audit log that were not streamed yet; counted each ten seconds by the process that streams them, and absent for others.',
    registers: [registry],
    aggregator: 'max',
    collect() {
      this.remove();
      const events = lag()?.events;
      if (events !== undefined) this.set(events);
    },
  });
  new Gauge({
    name: 'keyway_audit_stream_behind_seconds',
    help: 'How old the oldest event is that was not streamed yet, in seconds; 0 if there is none.',
    registers: [registry],
    aggregator: 'max',
    collect() {
      this.remove();
      const seconds = lag()?.seconds;
      if (seconds !== undefined) this.set(seconds);
    },
  });
  new Counter({
    name: 'keyway_rate_limited_total',
    help: 'What was refused by each limit of a minute: points, revoking, failures, strangers (no valid proof), guesses (what is verified).',
    labelNames: ['limit'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [limit, count] of measured?.rateLimits.refusals ?? []) this.inc({ limit }, count);
    },
  });
  new Gauge({
    name: 'keyway_rate_limits_shared',
    help: 'Whether the limits of a minute are counted over all processes (1), or by each for itself (0), as what they are kept in did not answer when it was last asked.',
    registers: [registry],
    aggregator: 'min',
    collect() {
      this.set(Number(measured?.rateLimits.isShared ?? true));
    },
  });
  return registry;
}

interface Collected {
  readonly contentType: string;
  metrics(): Promise<string>;
  clear?(): void;
}

async function serve({ host, port }: Address, collected: Collected): Promise<Metrics> {
  const server = createServer((request, response) => {
    const found = request.method === 'GET' && request.url === '/metrics';
    if (!found) return void response.writeHead(404).end();
    collected.metrics().then(
      (text) => response.writeHead(200, { 'content-type': collected.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  await listening(server, host, port);
  const { address, family, port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}/metrics`,
    stop: async () => {
      collected.clear?.();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const unknown = { count: NaN, longestS: NaN };

const listening = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
