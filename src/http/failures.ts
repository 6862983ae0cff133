import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionError, FastifyReply, FastifyRequest } from 'fastify';
import { KeywayError, type Code } from '../errors.js';
import { answerOf, publicError, seconds, type PublicError } from '../graph/errors/answer.js';
import { newId } from '../ids.js';
import type { RequestLimits } from '../config/request-limits.js';
import type { Log } from '../log.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { mediaTypeFor } from './media-type.js';

/** The headers of every answer. */
export const always = (id: string) => ({
  'x-request-id': id,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
});

/** Answers what comes in by a socket and is no HTTP request, or not soon enough. */
export function refuseBytes(
  error: ConnectionError,
  socket: Socket,
  { log, telemetry, limits }: { log: Log; telemetry: Telemetry; limits: RequestLimits },
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const id = newId();
  const statusCode = unreadable[error.code ?? ''] ?? 400;
  const { answer } = answerOf({ statusCode }, id, excessOf[error.code ?? '']?.(limits));
  const limit = limitOf[error.code ?? ''];
  if (limit !== undefined) telemetry.refused(limit);
  endWith(socket, statusCode, id, answer);
  log.info({ id, status: statusCode, cause: error.code }, 'a request could not be read');
}

/** Answers who takes Keyway for a proxy: Node would hang up without a word, and no longer looks after the socket. */
export function refuseTunnel(socket: Duplex, log: Log): void {
  const id = newId();
  const refusal = new KeywayError('BAD_REQUEST', 'The request is one to a proxy, which this is not.');
  socket.on('error', () => undefined);
  socket.once('finish', () => socket.destroy());
  endWith(socket, 400, id, publicError(refusal, id));
  log.info({ id, status: 400, cause: 'CONNECT' }, 'a request could not be read');
}

function endWith(socket: Duplex, status: number, id: string, answer: PublicError): void {
  const body = JSON.stringify({ errors: [answer] });
  const headers = {
    ...always(id),
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n'));
}

/** Answers a header Expect that asks for what nobody knows. */
export function refuseExpectation(response: ServerResponse): void {
  const id = newId();
  const { status, answer } = answerOf({ statusCode: 417 }, id);
  const body = JSON.stringify({ errors: [answer] });
  const about = {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  };
  response.writeHead(status, { ...always(id), ...about }).end(body);
}

/** The HTTP status of what Node's parser tells. */
const unreadable: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Which limit what Node's parser tells is about. */
const excessOf: Readonly<Record<string, (limits: RequestLimits) => string>> = {
  HPE_HEADER_OVERFLOW: ({ headers }) => `The headers have more than ${headers} bytes.`,
  ERR_HTTP_REQUEST_TIMEOUT: ({ headersSeconds, requestSeconds }) =>
    `The request did not come in time: ${headersSeconds} seconds are allowed for its headers, and ${requestSeconds} for all of it. Send it again.`,
};

const limitOf: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: 'headers',
  ERR_HTTP_REQUEST_TIMEOUT: 'requestSeconds',
};

/**
 * Answers what went wrong outside the graph.
 * @param largest how many bytes a body may have, where it could be about that
 */
export function answerFailure(reply: FastifyReply, error: unknown, log: Log, largest?: number): FastifyReply {
  const { id, headers } = reply.request;
  const isBody = largest !== undefined && (error as { statusCode?: number }).statusCode === 413;
  const { status, answer } = answerOf(error, id, isBody ? excessOfBody(headers, largest) : undefined);
  if (answer.extensions.code === 'INTERNAL_SERVER_ERROR') log.error({ id, error }, 'a request failed inside');
  const retryInMs = error instanceof KeywayError ? error.retryInMs : undefined;
  if (retryInMs !== undefined) void reply.header('retry-after', seconds(retryInMs));
  if (answer.extensions.code === 'UNAUTHENTICATED')
    void reply.header('www-authenticate', 'Bearer realm="keyway"');
  return send(
    reply,
    status,
    answer,
    error instanceof KeywayError ? error.limit : isBody ? 'body' : undefined,
  );
}

function excessOfBody(headers: FastifyRequest['headers'], largest: number): string {
  const bytes = Number(headers['content-length']);
  return bytes > largest
    ? `The body has ${bytes} bytes; ${largest} are allowed.`
    : `The body has more than ${largest} bytes.`;
}

/** Refuses a request in our words. */
export function refuse(reply: FastifyReply, status: number, code: Code, message: string): FastifyReply {
  return send(reply, status, publicError(new KeywayError(code, message), reply.request.id));
}

/** What answers of the graph say of a request that never came to be an operation. */
export const costless = { extensions: { cost: 0 } };

function send(reply: FastifyReply, status: number, answer: PublicError, limit?: string): FastifyReply {
  // What is refused before there is a route has none yet.
  reply.request.outcome = { ...reply.request.outcome, code: answer.extensions.code, limit };
  const isOfGraph = /^\/graphql(\?|$)/.test(reply.request.url);
  return typed(reply)
    .code(status)
    .send({ errors: [answer], ...(isOfGraph && costless) });
}

/** What the graph refuses is of the media type that its answers are of. */
function typed(reply: FastifyReply): FastifyReply {
  const { routeOptions, headers } = reply.request;
  const type = routeOptions.url === '/graphql' ? mediaTypeFor(headers.accept) : undefined;
  return reply.type(`${type ?? 'application/json'}; charset=utf-8`);
}
