import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';

// What runs by itself now and then is told from what a request asks by where it was begun.

// Of the worker: its files share a server, and the module is loaded anew for each of them.
const kept = globalThis as { requestsOfWorker?: AsyncLocalStorage<true> };
const ofRequests = (kept.requestsOfWorker ??= known());

function known(): AsyncLocalStorage<true> {
  const requests = new AsyncLocalStorage<true>();
  // https://nodejs.org/docs/latest-v20.x/api/diagnostics_channel.html#http
  subscribe('http.server.request.start', () => requests.enterWith(true));
  return requests;
}

/** Whether what asks this is done for a request, or within `asRequest`, whatever it has waited for meanwhile. */
export const isOfRequest = (): boolean => ofRequests.getStore() === true;

/** Does what is then taken for what a request does. */
export const asRequest = <Result>(work: () => Result): Result => ofRequests.run(true, work);
