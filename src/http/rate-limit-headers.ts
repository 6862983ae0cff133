import { serializeList } from 'structured-headers';

/** How a limit stands to whom is answered. */
interface Told {
  readonly limit: number;
  readonly remaining: number;
  readonly leftMs: number;
}

/**
 * The headers that tell a limit of a minute: those that most clients know, with the end of the window in seconds since
 * 1970, and those that are to be the standard, with the seconds until then.
 * https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/11/
 * @param nowMs by the clock of the database, in milliseconds since 1970
 */
export function rateLimitHeaders({ limit, remaining, leftMs }: Told, nowMs: number): Record<string, string> {
  const leftS = Math.ceil(leftMs / 1_000);
  return {
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': String(Math.ceil((nowMs + leftMs) / 1_000)),
    'ratelimit-policy': item({ q: limit, w: 60 }),
    ratelimit: item({ r: remaining, t: leftS }),
  };
}

/** What a page of another origin is let read. */
export const exposedHeaders = [
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'X-Request-Id',
] as const;

const item = (parameters: Record<string, number>) =>
  serializeList([['minute', new Map(Object.entries(parameters))]]);
