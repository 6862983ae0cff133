import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { clientAddress } from '../../access/addresses.js';
import type { Config } from '../../config/config.js';
import { mostRevoking } from '../../config/limits.js';
import type { Log } from '../../log.js';
import { neighbourhoodOf } from '../../config/ranges.js';
import type { Telemetry } from '../../telemetry/telemetry.js';
import { addressBelow } from '../head.js';
import { Admitted } from './admitted.js';
import { aFewInATurn } from './beginning.js';
import { Places } from './places.js';
import { shed } from './shed.js';

/** Between two lines of the log about requests that were refused. */
const quietMs = 10_000;

/** What tells whether Keyway is there, or may be sent more: it is answered whatever else is under way. */
const alwaysAnswered = /^\/(health|ready)(\?|$)/;

/** How many requests begin in one turn of the event loop: some milliseconds of work. */
const mostBegun = 5;

/** A longer body is not looked at: what revokes is short. */
const longestLooked = 16_384;

interface AdmissionOptions {
  config: Pick<Config, 'basePath' | 'corsOrigins' | 'limits' | 'trustedProxies'>;
  log: Log;
  telemetry: Telemetry;
  /** The names of the mutations that have places kept for them. */
  revoking: readonly string[];
}

/**
 * Lets as many requests be under way at once as `requests` of KEYWAY_LIMITS says, and answers each further one at once, ahead
 * of all that Fastify does: what a refusal costs is taken from those who are served. A few places more are kept for revoking.
 * @returns what a request was let in as; undefined for one that needs no place.
 */
export function limitRequests(
  server: Server,
  { config, log, telemetry, revoking }: AdmissionOptions,
): (request: IncomingMessage) => Admitted | undefined {
  const { basePath, limits, trustedProxies } = config;
  const usual = new Places(limits.requests);
  const kept = new Places(mostRevoking);
  const admitted = new WeakMap<IncomingMessage, Admitted>();
  const names = revoking.map((name) => Buffer.from(name));
  const inTurn = aFewInATurn(mostBegun);
  let [refused, toldMs] = [0, -quietMs];

  const countRefused = () => {
    refused++;
    telemetry.refused('requests');
    if (performance.now() - toldMs < quietMs) return;
    log.warn(
      { refused, limit: limits.requests },
      'requests were refused: as many are under way as KEYWAY_LIMITS allows',
    );
    [refused, toldMs] = [0, performance.now()];
  };
  const refuse = (request: IncomingMessage, response: ServerResponse) => {
    countRefused();
    shed(request, response, config);
  };
  const admit = (places: Places, request: IncomingMessage, response: ServerResponse) => {
    const { socket, headers } = request;
    const address = clientAddress(socket.remoteAddress, headers['x-forwarded-for'], trustedProxies);
    const name = `address ${neighbourhoodOf(address) ?? ''}`;
    if (!places.haveRoom([name])) return false;
    const one = new Admitted(places, name, places === kept);
    admitted.set(request, one);
    response.once('close', () => one.end());
    return true;
  };

  // Fastify's own, which answers.
  const [answer] = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  const serve = (request: IncomingMessage, response: ServerResponse) =>
    inTurn(() => {
      // Who has left meanwhile is not waited for.
      if (!response.destroyed) answer?.(request, response);
    });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { url = '' } = request;
    const path = addressBelow(basePath, url);
    if (alwaysAnswered.test(path)) return void answer?.(request, response);
    if (admit(usual, request, response)) return serve(request, response);
    if (!mayRevoke(request, path)) return refuse(request, response);
    // The body mostly comes in the packet that its headers came in.
    request.once('readable', () => {
      const part = request.read() as Buffer | null;
      if (part) request.unshift(part);
      if (part && names.some((name) => part.includes(name)) && admit(kept, request, response))
        serve(request, response);
      else refuse(request, response);
    });
  });
  return (request) => admitted.get(request);
}

const mayRevoke = ({ method, headers }: IncomingMessage, path: string) =>
  method === 'POST' && path === '/graphql' && Number(headers['content-length']) <= longestLooked;
