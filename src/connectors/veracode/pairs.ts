import { bareId, bareKey } from '../../signatures/veracode.js';
import { expectGood, keyAt, secretAt, textAt, unreadableAnswer } from '../answers.js';
import type { Minted, StoreAnswer, StoreRequest, Upstream } from '../connector.js';
import { mintedPair } from '../signing.js';
import { SpoiledSecret } from '../store-error.js';
import { instantAt } from '../times.js';
import { askVeracode, askVeracodeAs, pairsOf } from './api.js';
import { veracodeCode, veracodeFault } from './faults.js';

/** The pair of a user, without its key. */
export interface ListedPair {
  apiId: string;
  expiresAt: string | null | undefined;
  /** When it ends, or ended, before that; it may lie ahead. */
  revokedAt: string | null | undefined;
}

/**
 * The pair of a user; undefined where there is none. Whether that is a 404 or an answer without an id is not published.
 */
export async function pairOfUser(upstream: Upstream, userId: string): Promise<ListedPair | undefined> {
  const answer = await askPair(upstream, 'GET', userId);
  if (veracodeFault(answer) === 'NOT_FOUND' || answer.status === 204) return undefined;
  expectGood(answer, veracodeFault, veracodeCode(answer));
  const { json } = answer;
  // What is no answer of Veracode's must not pass for a user without a pair.
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw unreadableAnswer();
  const apiId = textAt(json, 'api_id');
  if (apiId === null) {
    // What tells of something else tells nothing of a pair.
    if (!Object.keys(json).every((name) => members.has(name))) throw unreadableAnswer();
    return undefined;
  }
  return {
    apiId,
    expiresAt: instantAt(json, 'expiration_ts'),
    revokedAt: instantAt(json, 'revocation_ts'),
  };
}

/** What an answer about a pair has (docs.veracode.com/r/c_identity_creds_expire, and the vendor's own clients). */
const members: ReadonlySet<string> = new Set([
  ...['api_id', 'api_secret', 'expiration_ts', 'last_used_ts', 'revocation_ts', 'revocation_user', '_links'],
]);

/** Makes a new pair for a user, which ends the one before. The answer alone has its key. */
export async function makePair(upstream: Upstream, userId: string): Promise<Minted> {
  return madeIn(await askPair(upstream, 'POST', userId, { body: {}, headers: asJson }));
}

/** Makes a new pair for Keyway itself; by the second administrator, if its own no longer works. */
export async function makeOwnPair(upstream: Upstream, userId: string): Promise<Minted> {
  const [own, fallback] = pairsOf(upstream);
  const answer = await askVeracodeAs(upstream, own, {
    method: 'POST',
    path: ['api_credentials'],
    body: {},
    headers: asJson,
  });
  return fallback && veracodeFault(answer) === 'UNAUTHENTICATED'
    ? makePair(upstream, userId)
    : madeIn(answer);
}

function madeIn(answer: StoreAnswer): Minted {
  expectGood(answer, veracodeFault, veracodeCode(answer));
  const { json } = answer;
  const [apiId, apiKey] = [keyAt(json, 'api_id'), secretAt(json, 'api_secret')];
  // Nothing could be signed with another.
  if (bareId(apiId) === undefined || bareKey(apiKey) === undefined) throw new SpoiledSecret();
  return { ...mintedPair(apiId, apiKey), expiresAt: instantAt(json, 'expiration_ts') };
}

/** Ends the pair of a user, at once and for good; content where there is none. */
export async function endPair(upstream: Upstream, userId: string): Promise<void> {
  const answer = await askPair(upstream, 'DELETE', userId, { headers: asJson });
  const isMissing = veracodeFault(answer) === 'NOT_FOUND';
  if (!isMissing) expectGood(answer, veracodeFault, veracodeCode(answer));
  // Which status says that it is done is not published, but there is nothing else to say. Whatever says more, or that the
  // pair is missing, may be somebody else on the way: whether the pair works is looked at.
  if (!isMissing && saysNothing(answer)) return;
  const left = await pairOfUser(upstream, userId);
  if (left && typeof left.revokedAt !== 'string' && !isPast(left.expiresAt, upstream.now()))
    throw unreadableAnswer();
}

const saysNothing = ({ json, headers }: StoreAnswer): boolean =>
  json === undefined && (headers['content-type'] === undefined || headers['content-length'] === '0');

export const isRevoked = ({ revokedAt }: ListedPair, nowMs: number): boolean => isPast(revokedAt, nowMs);

export const isLive = (pair: ListedPair, nowMs: number): boolean =>
  !isRevoked(pair, nowMs) && !isPast(pair.expiresAt, nowMs);

const isPast = (instant: string | null | undefined, nowMs: number): boolean =>
  typeof instant === 'string' && Date.parse(instant) <= nowMs;

// Veracode wants it with requests that have no body as well.
const asJson = { 'content-type': 'application/json' };

const askPair = (
  upstream: Upstream,
  method: StoreRequest['method'],
  userId: string,
  more: Partial<StoreRequest> = {},
): Promise<StoreAnswer> =>
  askVeracode(upstream, { ...more, method, path: ['api_credentials', 'user_id', userId] });
