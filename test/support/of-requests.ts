import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';

// What runs by itself now and then is told from what a request asks by where it was begun.

interface Telling {
  readonly requests: AsyncLocalStorage<true>;
  /** For how many it is told. */
  wanted: number;
}

// Of the worker: its files share a server, and the module is loaded anew for each of them.
const kept = globalThis as { requestsOfWorker?: Telling };
const telling = (kept.requestsOfWorker ??= known());

function known(): Telling {
  const known = { requests: new AsyncLocalStorage<true>(), wanted: 0 };
  // https://nodejs.org/docs/latest-v20.x/api/diagnostics_channel.html#http
  subscribe('http.server.request.start', () => {
    if (known.wanted > 0) known.requests.enterWith(true);
  });
  return known;
}

/**
 * Has requests that begin from now on be told by `isOfRequest`, until what it returns is called: Node looks after each
 * promise meanwhile, which would be a twentieth of the time of all tests.
 */
export function tellRequests(): () => void {
  telling.wanted++;
  return () => {
    if (--telling.wanted === 0) telling.requests.disable();
  };
}

/** Whether what asks this is done for a request, or within `asRequest`, whatever it has waited for meanwhile. */
export const isOfRequest = (): boolean => telling.requests.getStore() === true;

/** Does what is then taken for what a request does. */
export async function asRequest<Result>(work: () => Promise<Result>): Promise<Result> {
  const end = tellRequests();
  try {
    return await telling.requests.run(true, work);
  } finally {
    end();
  }
}
