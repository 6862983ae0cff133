import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** A request as it arrived. */
export interface Arrived {
  method: string;
  /** Path and query, exactly as on the request line. */
  target: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: string;
}

/** An answer: a text and bytes go out as they are, anything else as JSON. */
export interface Answered {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
}

/** What a request meets with, instead of the usual. */
export type Fault =
  /** The usual answer, so much later. */
  | { kind: 'slow'; ms: number }
  /** This answer, and no work done. */
  | ({ kind: 'fail' } & Answered)
  /** The connection ends, and no work was done. */
  | { kind: 'refuse' }
  /** The work is done, and the connection ends without an answer. */
  | { kind: 'drop' }
  /** The work is done, and the answer is no JSON. */
  | { kind: 'garbage' }
  /** The work is done, and the answer is 64 MiB long. */
  | { kind: 'huge' };

/** Which requests: those that fit every member given. */
export interface Match {
  method?: string;
  /** Looked for in the path with its query. */
  path?: RegExp;
}

/** A request that stands still until it is let go. */
export interface Held {
  request: Arrived;
  release(): void;
}

/** A server on loopback in the place of a vendor's. */
export interface StandIn {
  readonly url: string;
  /** Every request that arrived, with the status that it was answered with; none yet, or ever, where undefined. */
  readonly calls: (Arrived & { status: number | undefined })[];
  /** The next requests that fit meet with this fault. */
  meet(fault: Fault, match?: Match, times?: number): void;
  /** Stops the next request that fits, before its work is done or after it; resolves once it stands still. */
  hold(when: 'before' | 'after', match?: Match): Promise<Held>;
  /** Forgets all faults and lets go of all that is held. */
  clear(): void;
  stop(): Promise<void>;
}

interface Waiting<Thing> {
  match: Match;
  thing: Thing;
}

/** Serves by `handle`, on a free port of loopback, with what tests may want to go wrong. */
export async function openStandIn(handle: (request: Arrived) => Answered): Promise<StandIn> {
  const calls: StandIn['calls'] = [];
  let faults: Waiting<Fault>[] = [];
  let holds: Waiting<{ when: 'before' | 'after'; reached: (held: Held) => void }>[] = [];
  const held = new Set<() => void>();

  const stand = async (when: 'before' | 'after', request: Arrived): Promise<void> => {
    const found = holds.find(({ match, thing }) => thing.when === when && fits(match, request));
    if (!found) return;
    holds = holds.filter((one) => one !== found);
    await new Promise<void>((resolve) => {
      const release = () => {
        held.delete(release);
        resolve();
      };
      held.add(release);
      found.thing.reached({ request, release });
    });
  };

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await arrived(incoming);
    const call: StandIn['calls'][number] = { ...request, status: undefined };
    calls.push(call);
    const met = faults.find(({ match }) => fits(match, request));
    if (met) faults = faults.filter((one) => one !== met);
    const fault = met?.thing;
    await stand('before', request);
    if (fault?.kind === 'refuse') return void incoming.socket.destroy();
    const answer = fault?.kind === 'fail' ? fault : handle(request);
    await stand('after', request);
    if (fault?.kind === 'drop') return void incoming.socket.destroy();
    if (fault?.kind === 'slow') await sleep(fault.ms);
    call.status = answer.status;
    await send(response, fault, answer);
  }

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch(() => incoming.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const clear = () => {
    faults = [];
    holds = [];
    for (const release of [...held]) release();
  };

  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    meet: (fault, match = {}, times = 1) => {
      for (let count = 0; count < times; count++) faults.push({ match, thing: fault });
    },
    hold: (when, match = {}) =>
      new Promise((reached) => void holds.push({ match, thing: { when, reached } })),
    clear,
    stop: async () => {
      clear();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const fits = ({ method, path }: Match, request: Arrived): boolean =>
  (method === undefined || method === request.method) && (path === undefined || path.test(request.target));

async function arrived(incoming: IncomingMessage): Promise<Arrived> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const { method = 'GET', url: target = '/', headers } = incoming;
  const { pathname: path, searchParams: query } = new URL(target, 'http://stand-in');
  return { method, target, path, query, headers, body: Buffer.concat(chunks).toString() };
}

async function send(response: ServerResponse, fault: Fault | undefined, answer: Answered): Promise<void> {
  const { status, headers = {}, body } = answer;
  if (fault?.kind === 'huge') return sendHuge(response);
  const isText = body === undefined || typeof body === 'string' || Buffer.isBuffer(body);
  const text = fault?.kind === 'garbage' ? '<<< no JSON >>>' : isText ? (body ?? '') : JSON.stringify(body);
  response.writeHead(status, { ...(!isText && { 'content-type': 'application/json' }), ...headers });
  response.end(text);
}

async function sendHuge(response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json' });
  const mebibyte = Buffer.alloc(1_048_576, 0x20);
  // Whoever has read enough of it ends the connection.
  await pipeline(Readable.from(Array.from({ length: 64 }, () => mebibyte)), response).catch(() => undefined);
}
