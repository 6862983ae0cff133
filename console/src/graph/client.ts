import { cacheExchange } from '@urql/exchange-graphcache';
import type { CombinedError } from 'urql';
import { Client, fetchExchange, mapExchange } from 'urql';
import { possibleTypes, ViewerDocument } from './documents.ts';

/** What has no id of its own, and is a part of what holds it. */
const parts = [
  'CredentialConnection',
  'CredentialVersion',
  'AuditEventConnection',
  'AccountConnection',
  'ProjectConnection',
  'DayCount',
  'Holder',
  'HolderConnection',
  'Insight',
  'IssuedSecret',
  'KeyValue',
  'PageInfo',
  'RateLimit',
  'RoleConnection',
  'RotationDay',
  'RotationHealth',
  'RotationPolicy',
  'StatusCount',
  'StoreBudget',
  'StoreChange',
  'StoreHealth',
  'StoreRotation',
  'StoreScope',
  'StoreSync',
  'WeekCount',
];

/**
 * Asks this Keyway with this token. What came is kept in memory for as long as the client is: an object that a mutation
 * brings anew is shown anew wherever it stands.
 * @param ended what to do where the token is not accepted any more
 */
export function clientFor(token: string, ended: () => void): Client {
  return new Client({
    url: new URL('graphql', document.baseURI).href,
    preferGetMethod: false,
    fetch: fetchInTime,
    requestPolicy: 'cache-and-network',
    fetchOptions: {
      headers: { authorization: `Bearer ${token}` },
      credentials: 'omit',
      cache: 'no-store',
    },
    exchanges: [
      mapExchange({
        onError(error) {
          if (codeOf(error) === 'UNAUTHENTICATED') ended();
        },
      }),
      cacheExchange({ possibleTypes, keys: Object.fromEntries(parts.map((name) => [name, () => null])) }),
      fetchExchange,
    ],
  });
}

/** Longer than Keyway takes for anything: what has no answer by then has lost it on the way. */
const longestAnswerMs = 60_000;

const fetchInTime: typeof fetch = async (address, init) => {
  const ending = new AbortController();
  const end = () => ending.abort(new DOMException('There was no answer in time.', 'TimeoutError'));
  const timer = setTimeout(end, longestAnswerMs);
  const { signal } = init ?? {};
  try {
    return await fetch(address, {
      ...init,
      signal: signal ? AbortSignal.any([signal, ending.signal]) : ending.signal,
    });
  } finally {
    clearTimeout(timer);
  }
};

/** Asks who a token is of, by a client of its own. */
export const askWho = (token: string) =>
  clientFor(token, () => {})
    .query(ViewerDocument, {})
    .toPromise();

interface Extensions {
  code?: string;
  id?: string;
  fields?: readonly { path: string; message: string }[];
}

const extensionsOf = (error: CombinedError): Extensions => error.graphQLErrors[0]?.extensions ?? {};

/** @returns the code of the error by docs/errors.md, or undefined where Keyway did not answer. */
export const codeOf = (error: CombinedError): string | undefined => extensionsOf(error).code;

/** @returns the id that finds the request in Keyway's log. */
export const requestIdOf = (error: CombinedError): string | undefined => extensionsOf(error).id;

/** @returns whether the error is about this member of the input. */
export const isAbout = (error: CombinedError, field: string): boolean =>
  (extensionsOf(error).fields ?? []).some(({ path }) => path === field || path.endsWith(`.${field}`));

/** @returns what is wrong with each part of the input, by its path. */
export const faultsOf = (error: CombinedError | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (error ? (extensionsOf(error).fields ?? []) : []).map(({ path, message }) => [path, message]),
  );
