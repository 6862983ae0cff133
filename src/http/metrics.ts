import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { circuits, type WatchedGates } from '../stores/gate.js';

/** The door for what collects metrics, apart from that of callers: it asks nobody who they are. */
export interface Metrics {
  /** http://127.0.0.1:9464/metrics */
  readonly url: string;
  stop(): Promise<void>;
}

/** What of Keyway is measured. */
export interface Measured {
  gates: WatchedGates;
  /** How many rotations are late, and for how many seconds the one that is late the longest. */
  overdue(): Promise<{ count: number; longestS: number }>;
}

/**
 * Serves the metrics of this process at /metrics, in the text format of Prometheus: those of Node,
 * `keyway_store_circuit` with a 1 for the state that the circuit of each store is in, and the rotations that are late
 * (`keyway_rotations_overdue`, `keyway_rotation_overdue_seconds`), which are NaN while the database does not answer.
 * Labels are ids and words of Keyway's own, nothing that anybody wrote.
 * @throws where the address is taken.
 */
export async function openMetrics(
  { host, port }: { host: string; port: number },
  measured: Measured | undefined,
): Promise<Metrics> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'keyway_store_circuit',
    help: 'Whether the circuit of a store is in this state (1) or not (0), as this process sees it.',
    labelNames: ['store', 'state'],
    registers: [registry],
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
    async collect() {
      this.set((await overdue()).count);
    },
  });
  new Gauge({
    name: 'keyway_rotation_overdue_seconds',
    help: 'How long the rotation that is late the longest has been late, in seconds; 0 if none is.',
    registers: [registry],
    async collect() {
      this.set((await overdue()).longestS);
    },
  });
  const server = createServer((request, response) => {
    const found = request.method === 'GET' && request.url === '/metrics';
    if (!found) return void response.writeHead(404).end();
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  await listening(server, host, port);
  const { address, family, port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}/metrics`,
    stop: async () => {
      registry.clear();
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
