import type { Server } from 'node:http';
import type { Log } from '../log.js';

/** Between two lines of the log about connections that were refused. */
const quietMs = 10_000;

/** Lets no more connections be open at once than this: further ones are closed as they come, and the log says so. */
export function limitConnections(server: Server, most: number, log: Log): void {
  server.maxConnections = most;
  let [refused, toldMs] = [0, -quietMs];
  server.on('drop', () => {
    refused++;
    if (performance.now() - toldMs < quietMs) return;
    log.warn({ refused, limit: most }, 'connections were refused: as many are open as KEYWAY_LIMITS allows');
    [refused, toldMs] = [0, performance.now()];
  });
}
