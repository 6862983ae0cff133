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

/**
 * Serves the metrics of this process at /metrics, in the text format of Prometheus: those of Node, and
 * `keyway_store_circuit` with a 1 for the state that the circuit of each store is in. Labels are ids and words of
 * Keyway's own, nothing that anybody wrote.
 * @throws where the address is taken.
 */
export async function openMetrics(
  { host, port }: { host: string; port: number },
  gates: WatchedGates | undefined,
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
      for (const [store, circuit] of gates?.circuits() ?? [])
        for (const state of circuits) this.set({ store, state }, Number(state === circuit));
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

const listening = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
