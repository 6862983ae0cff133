import { veracodeScheme } from '../../signatures/veracode.js';
import type { SigningKey } from '../../signatures/scheme.js';
import type { StoreAnswer, StoreRequest, Upstream } from '../connector.js';
import { missingPath } from '../endpoint.js';
import { ownPair, signedBy } from '../signing.js';
import { veracodeFault } from './faults.js';

/** The pairs that Keyway has there: its own, and that of a second administrator where there is one. */
export const pairsOf = (upstream: Upstream): [SigningKey, ...SigningKey[]] => [
  ownPair(upstream, 'apiId', 'apiKey'),
  ...(upstream.secrets['fallbackApiKey'] ? [ownPair(upstream, 'fallbackApiId', 'fallbackApiKey')] : []),
];

/** Whether two texts are one API id: its prefix may be left out, and its case. */
export const isSameId = (one: string, other: string): boolean => bare(one) === bare(other);

/** An API id as it was given with the connection, where it is one of Keyway's. */
export const asGiven = (upstream: Upstream, apiId: string): string =>
  pairsOf(upstream).find(({ accessKey }) => isSameId(accessKey, apiId))?.accessKey ?? apiId;

const bare = (apiId: string): string => apiId.slice(apiId.indexOf('-') + 1).toLowerCase();

/**
 * Asks the Identity API, as Keyway itself; as the second administrator if Keyway's own pair no longer works. Links in
 * its answers are never followed. Nothing that is asked here is about the caller itself.
 */
export async function askVeracode(upstream: Upstream, request: StoreRequest): Promise<StoreAnswer> {
  const [own, fallback] = pairsOf(upstream);
  const answer = await askVeracodeAs(upstream, own, request);
  return fallback && veracodeFault(answer) === 'UNAUTHENTICATED'
    ? askVeracodeAs(upstream, fallback, request)
    : answer;
}

/** Asks as the one whose pair it is. */
export const askVeracodeAs = (
  upstream: Upstream,
  pair: SigningKey,
  request: StoreRequest,
): Promise<StoreAnswer> =>
  upstream.call({
    ...request,
    path: [...missingPath(upstream, ['api', 'authn', 'v2']), ...request.path],
    sign: signedBy(veracodeScheme, pair, upstream),
  });
