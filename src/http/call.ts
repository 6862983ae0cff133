import type { FastifyRequest } from 'fastify';
import { clientAddress } from '../access/addresses.js';
import type { Call } from '../access/authenticate.js';
import type { Config } from '../config/config.js';

/** The caller's address; undefined where it cannot be trusted. */
export const addressOf = (
  { socket, headers }: FastifyRequest,
  { trustedProxies }: Pick<Config, 'trustedProxies'>,
): string | undefined => clientAddress(socket.remoteAddress, headers['x-forwarded-for'], trustedProxies);

/**
 * A request, as far as it tells who sent it. What was signed is the address as the caller knows it.
 * @param at when it came, by the clock of the database, in milliseconds since 1970
 */
export const callOf = (
  request: FastifyRequest,
  config: Pick<Config, 'trustedProxies'>,
  at: number,
): Call => ({
  method: request.method,
  url: request.originalUrl,
  headers: headersOf(request.raw.rawHeaders),
  ip: addressOf(request, config),
  at,
});

/** The headers as they were sent, repeated ones too. */
const headersOf = (raw: readonly string[]) =>
  raw.flatMap((name, index) => (index % 2 === 0 ? [{ name, value: raw[index + 1] ?? '' }] : []));
