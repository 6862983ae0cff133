import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** What an answer is: a status with a body, or none ever. */
export type StandInAnswer = { status: number; body: unknown } | 'hangs';

/** A provider of keys on this machine, and how it is disturbed. */
export interface StandInOfKeys {
  readonly url: string;
  /** What it was asked, oldest first: by path or target, and the body. */
  readonly asked: { what: string; headers: IncomingMessage['headers']; body: Record<string, unknown> }[];
  /** Until it is undefined, every request is answered with this. */
  disturbed: StandInAnswer | undefined;
  /** Ends it; `start` brings it back at the same address. */
  down(): Promise<void>;
  up(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server that answers JSON with JSON; by TLS, as `localhost`, where it has a certificate. */
export async function startStandIn(
  nameOf: (request: IncomingMessage) => string,
  answer: (what: string, body: Record<string, unknown>, headers: IncomingMessage['headers']) => StandInAnswer,
  contentType: string,
  tls?: { key: string; cert: string },
): Promise<StandInOfKeys> {
  const asked: StandInOfKeys['asked'] = [];
  const state: { disturbed: StandInAnswer | undefined } = { disturbed: undefined };
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString() || '{}') as Record<string, unknown>;
    const what = nameOf(request);
    asked.push({ what, headers: request.headers, body });
    const given = state.disturbed ?? answer(what, body, request.headers);
    if (given === 'hangs') return;
    response.writeHead(given.status, { 'content-type': contentType }).end(JSON.stringify(given.body));
  };
  const listener = (request: IncomingMessage, response: ServerResponse) => void handle(request, response);
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const down = async () => {
    if (!server.listening) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return {
    url: tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`,
    asked,
    get disturbed() {
      return state.disturbed;
    },
    set disturbed(given) {
      state.disturbed = given;
    },
    down,
    up: async () => {
      if (server.listening) return;
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
    stop: down,
  };
}
