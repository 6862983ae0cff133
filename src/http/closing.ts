import type { Server as HttpServer } from 'node:http';
import { Server, type Socket } from 'node:net';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';

const lookMs = 25;
/** After so many looks at which nothing further had come, a request that has begun is not one that was sent whole. */
const quietLooks = 80;

/** How a server stops, so that no request that was sent whole goes without its answer. */
export interface Closing {
  /** From now on each answer says that its connection ends with it. New connections are still taken. */
  leave(): void;
  /**
   * Takes no new connections, and resolves when all are closed: those that are without a request for `idleMs`, in which
   * what was sent by then comes, those that stop in the middle of sending one, and those that still have one after
   * `slowestMs`.
   */
  close(limits: { idleMs: number; slowestMs: number }): Promise<void>;
}

/** So long may a turn of the event loop take for hardly anybody to have come in it, and so many are waited for. */
const shortTurnMs = 2;
const mostTurns = 200;

/**
 * Waits for a turn of the event loop that has just taken all connections: what still waits when the port closes is reset.
 * One that was long has kept those waiting that came in it.
 */
async function untilTaken(): Promise<void> {
  for (let turns = 0; turns < mostTurns; turns++) {
    const sinceMs = performance.now();
    await setImmediate();
    if (performance.now() - sinceMs < shortTurnMs) return;
  }
}

interface Connection {
  requests: number;
  /** Bytes that had come when its last request was answered: more are a request that is on its way. */
  bytesDone: number;
  idleSinceMs: number;
  /** Bytes that had come at the last look, and how many looks have seen no more. */
  bytesSeen: number;
  quietFor: number;
}

/** Watches the connections of a server from its first one on. */
export function watchConnections(server: HttpServer): Closing {
  let leaving = false;
  const connections = new Map<Socket, Connection>();
  server.on('connection', (socket: Socket) => {
    const idleSinceMs = performance.now();
    connections.set(socket, { requests: 0, bytesDone: 0, idleSinceMs, bytesSeen: 0, quietFor: 0 });
    socket.once('close', () => connections.delete(socket));
  });
  // Before the listener that answers.
  server.prependListener('request', ({ socket }, response) => {
    const connection = connections.get(socket);
    if (leaving) response.setHeader('connection', 'close');
    if (!connection) return;
    connection.requests++;
    response.once('close', () => {
      connection.requests--;
      connection.bytesDone = socket.bytesRead;
      connection.idleSinceMs = performance.now();
    });
  });

  const endIdle = (closingSinceMs: number, idleMs: number) => {
    for (const [socket, connection] of connections) {
      const { requests, bytesDone, idleSinceMs, bytesSeen } = connection;
      const { bytesRead } = socket;
      // By looks and not by the clock: what came while the event loop was held is read between two of them.
      connection.quietFor = bytesRead === bytesSeen ? connection.quietFor + 1 : 0;
      connection.bytesSeen = bytesRead;
      if (requests > 0) continue;
      const isIdle =
        bytesRead === bytesDone && performance.now() - Math.max(idleSinceMs, closingSinceMs) >= idleMs;
      if (isIdle || connection.quietFor >= quietLooks) socket.destroy();
    }
  };

  return {
    leave: () => void (leaving = true),
    async close({ idleMs, slowestMs }) {
      leaving = true;
      await untilTaken();
      // Not the one of HTTP servers: that one cuts connections whose next request may be on its way.
      Server.prototype.close.call(server);
      // What the last of them had sent is read in a turn of its own.
      await untilTaken();
      const sinceMs = performance.now();
      while (connections.size > 0 && performance.now() - sinceMs < slowestMs) {
        endIdle(sinceMs, idleMs);
        await sleep(lookMs);
      }
      server.closeAllConnections();
    },
  };
}
