import { badInput } from '../../errors.js';
import type { Secret } from '../../secret.js';
import { ncpScheme } from '../../signatures/ncp.js';
import type { SigningKey } from '../../signatures/scheme.js';
import { at, expectGood, keyAt, refusal, secretAt, textAt, unreadableAnswer } from '../answers.js';
import type { IssueWish, Minted, StoreAnswer, StoreRequest, Upstream } from '../connector.js';
import { missingPath } from '../endpoint.js';
import { ncloudCode, ncloudFault } from './faults.js';
import { mintedPair, signedBy } from '../signing.js';
import { StoreError } from '../store-error.js';
import { instantAt, instantOf } from '../times.js';

const shortestSec = 600;
const longestSec = 43_200;

/** A temporary pair that is derived from a permanent one: api.ncloud-docs.com/docs/en/management-sts-creatests. */
export async function makeTemporary(
  upstream: Upstream,
  parent: SigningKey,
  { durationMs, mfa }: IssueWish,
): Promise<Minted> {
  const durationSec = Math.floor(durationMs / 1000);
  if (durationSec < shortestSec || durationSec > longestSec)
    throw badInput('input.duration', 'must be between PT10M and PT12H for this store');
  const factor = mfa ? { serialNumber: mfa.device, tokenCode: tokenCodeOf(mfa.code) } : {};
  const body = { durationSec, ...factor };
  const answer = await ask(upstream, parent, { method: 'POST', path: ['credentials'], body });
  if (ncloudFault(answer) === 'UNAUTHENTICATED')
    throw refusal('CONFLICT', answer, ncloudCode(answer), parentNotTaken);
  expectGood(answer, ncloudFault, ncloudCode(answer));
  return temporaryIn(answer.json);
}

/** It is the parent that signs, and not what Keyway reaches the store with. */
const parentNotTaken =
  'The store does not take the secret of the parent credential: it is suspended or ended there, or its sub account is switched off or let in from other addresses.';

/**
 * What STS says of the pair that signs the request; undefined if it does not accept that pair, or no longer.
 * @throws StoreError for any other refusal.
 */
export async function describePair(upstream: Upstream, pair: SigningKey): Promise<unknown> {
  const answer = await ask(upstream, pair, { method: 'GET', path: ['credentials'] });
  // STS knows no such temporary pair, or its time is over; where the gateway knows no such address its code is another.
  const over = answer.status === 404 && ncloudCode(answer) === '404';
  if (over || ncloudFault(answer) === 'UNAUTHENTICATED') return undefined;
  expectGood(answer, ncloudFault, ncloudCode(answer));
  if (textAt(answer.json, 'accessKey') !== pair.accessKey) throw unreadableAnswer();
  return answer.json;
}

/** A temporary pair as STS shows it, with its secret, to a caller who has it. */
export function temporaryIn(json: unknown): Minted {
  const expiresAt = instantOf(at(json, 'expireTime'));
  if (!expiresAt) throw unreadableAnswer();
  const pair = mintedPair(keyAt(json, 'accessKey'), secretAt(json, 'keySecret'));
  const createdAt = instantAt(json, 'createTime');
  return { ...pair, expiresAt, createdAt, mfa: at(json, 'useMfa') === true };
}

/** @throws StoreError where STS does not know who signs as this pair. */
export async function expectKnown(upstream: Upstream, pair: SigningKey): Promise<void> {
  const answer = await ask(upstream, pair, { method: 'GET', path: ['credentials'] });
  const fault = ncloudFault(answer);
  // Not every pair is said to be described there; who it is, each may ask.
  const elsewhere = fault === 'NOT_FOUND' || fault === 'FORBIDDEN' || fault === 'INVALID_INPUT';
  const told = elsewhere ? await ask(upstream, pair, { method: 'GET', path: ['caller-identity'] }) : answer;
  expectGood(told, ncloudFault, ncloudCode(told));
  const about = textAt(told.json, 'accessKey');
  const isToldOf = elsewhere ? textAt(told.json, 'id') !== null : about !== null;
  if (!isToldOf || (about ?? pair.accessKey) !== pair.accessKey) throw unreadableAnswer();
}

/** Whether NAVER Cloud takes what this pair signs, whatever it may do there. */
export async function isAccepted(upstream: Upstream, pair: SigningKey): Promise<boolean> {
  try {
    await expectKnown(upstream, pair);
    return true;
  } catch (error) {
    const fault = error instanceof StoreError ? error.fault : undefined;
    if (fault === 'FORBIDDEN') return true;
    // A temporary pair is not found once its time is over.
    if (fault === 'UNAUTHENTICATED' || fault === 'NOT_FOUND') return false;
    throw error;
  }
}

const ask = (upstream: Upstream, pair: SigningKey, request: StoreRequest): Promise<StoreAnswer> =>
  upstream.call({
    ...request,
    at: 'sts',
    path: [...missingPath(upstream, ['api', 'v1'], 'sts'), ...request.path],
    // STS wants it with every request, those without a body among them.
    headers: { 'content-type': 'application/json' },
    sign: signedBy(ncpScheme, pair, upstream),
  });

/** The code is an integer there. One that begins with a zero would be another as a number, so it goes as a text. */
function tokenCodeOf(code: Secret): number | string {
  const text = code.expose();
  if (!/^\d{1,10}$/.test(text)) throw new StoreError('MFA_REJECTED', { sent: false });
  return text.startsWith('0') ? text : Number(text);
}
