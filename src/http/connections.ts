import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Log } from '../log.js';
import type { Telemetry } from '../telemetry/telemetry.js';

/** Between two lines of the log about connections that were refused. */
const quietMs = 10_000;

/**
 * Lets no more connections be open at once than this: further ones are closed as they come, and the log says so. Not by
 * `maxConnections`: a process that is one of several would hand them on to the others, and they back, without end.
 */
export function limitConnections(server: Server, most: number, log: Log, telemetry: Telemetry): void {
  let [open, refused, toldMs] = [0, 0, -quietMs];
  server.prependListener('connection', (socket: Socket) => {
    open++;
    socket.once('close', () => open--);
    if (open <= most) return;
    refused++;
    telemetry.refused('connections');
    socket.destroy();
    if (performance.now() - toldMs < quietMs) return;
    log.warn({ refused, limit: most }, 'connections were refused: as many are open as KEYWAY_LIMITS allows');
    [refused, toldMs] = [0, performance.now()];
  });
}

/**
 * Ends a connection on which nothing moves for so long: its caller stops in the middle of sending, or does not take its
 * answer. Not while the answer is being made: that may take longer, and Node would leave its caller with a closed connection.
 */
export function endStalled(server: Server, stalledMs: number): void {
  server.setTimeout(stalledMs);
  server.on('request', (request, response) => {
    response.on('timeout', (socket: Socket) => {
      if (!request.complete || response.headersSent) socket.destroy();
    });
  });
}
