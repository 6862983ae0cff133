import { createServer, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface Asked {
  query: string;
  variables: Record<string, unknown>;
  headers: IncomingMessage['headers'];
}

export interface PlayedAnswer {
  status?: number;
  headers?: Record<string, string>;
  body: unknown;
}

/** A server that answers as it is told to, and hangs up where that is null; for what a real one hardly ever does. */
export interface PlayedGraph {
  readonly url: string;
  /** What it was asked, in order. */
  readonly asked: readonly Asked[];
  stop(): Promise<void>;
}

/** Starts one. @param answer what it says to the request of this number, counted from 0 */
export async function playGraph(
  answer: (asked: Asked, number: number) => PlayedAnswer | null,
): Promise<PlayedGraph> {
  const asked: Asked[] = [];
  const server: Server = createServer((request, response) => {
    let text = '';
    request.on('data', (data: Buffer) => (text += data.toString()));
    request.on('end', () => {
      const one = { ...(JSON.parse(text) as Asked), headers: request.headers };
      const told = answer(one, asked.push(one) - 1);
      if (told === null) return request.socket.destroy();
      response.writeHead(told.status ?? 200, { 'content-type': 'application/json', ...told.headers });
      response.end(typeof told.body === 'string' ? told.body : JSON.stringify(told.body));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
