import {
  at,
  expectNoContent,
  flagAt,
  keyAt,
  listAt,
  neededAt,
  secretAt,
  unreadableAnswer,
} from '../answers.js';
import type { FaultOf } from '../answers.js';
import type { Minted, StoreAnswer, Upstream } from '../connector.js';
import { ncloudFault, saidCode } from './faults.js';
import { askSubAccounts, versionOf } from './sub-accounts.js';
import { mintedPair } from '../signing.js';
import { SpoiledSecret, StoreError } from '../store-error.js';
import { instantAt } from '../times.js';

/** An access key of a sub account, as it is listed. */
export interface ListedKey {
  accessKey: string;
  active: boolean | undefined;
  createdAt: string | null | undefined;
}

/** @throws StoreError NOT_FOUND where the sub account is not there. */
export async function keysOf(upstream: Upstream, subAccount: string): Promise<ListedKey[]> {
  const path = [subAccount, 'access-keys'];
  const { json } = await askSubAccounts(upstream, { method: 'GET', path }, faultOfOne);
  return keysIn(json, versionOf(upstream)).map((key) => ({
    accessKey: neededAt(key, 'accessKey'),
    active: flagAt(key, 'active'),
    createdAt: createdIn(key),
  }));
}

/** Version 1 answers with the list itself. A list in any other place says nothing of keys that are not in it. */
const keysIn = (json: unknown, version: 1 | 2): readonly unknown[] =>
  version === 1 && Array.isArray(json) ? json : listAt(json, version === 1 ? 'items' : 'accessKeys');

/** When a key was made: the two versions have a name each for it. */
const createdIn = (key: unknown) => instantAt(key, 'createTime') ?? instantAt(key, 'createdDateTime');

/** As `keysOf`; none where the sub account is not there. */
export async function keysThere(upstream: Upstream, subAccount: string): Promise<ListedKey[]> {
  try {
    return await keysOf(upstream, subAccount);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/**
 * Makes a key, which is active. One that cannot be kept is ended there again.
 * @throws StoreError LIMIT_EXCEEDED where the sub account has as many as it may; SpoiledSecret for one that cannot be
 * kept and could not be ended
 */
export async function makeKey(
  upstream: Upstream,
  subAccount: string,
): Promise<Minted & { accessKey: string }> {
  const path = [subAccount, 'access-keys'];
  const { json } = await askSubAccounts(upstream, { method: 'POST', path }, faultOfMaking);
  try {
    const pair = mintedPair(keyAt(json, 'accessKey'), secretAt(json, 'keySecret'));
    return { ...pair, createdAt: createdIn(json) };
  } catch (error) {
    if (error instanceof SpoiledSecret)
      await endSpoiled(upstream, subAccount, neededAt(json, 'accessKey'), error);
    throw error;
  }
}

async function endSpoiled(upstream: Upstream, subAccount: string, accessKey: string, spoiled: SpoiledSecret) {
  try {
    await endKey(upstream, subAccount, accessKey);
  } catch (error) {
    throw error instanceof StoreError ? spoiled : error;
  }
  throw new StoreError('INVALID_INPUT', {
    message: 'The store made a key that is none by its own contract, and it was ended there again.',
  });
}

/** Lets a key in again, or suspends it. */
export async function setActive(
  upstream: Upstream,
  subAccount: string,
  accessKey: string,
  active: boolean,
): Promise<void> {
  const path = [subAccount, 'access-keys'];
  const request =
    versionOf(upstream) === 1
      ? { method: 'PUT' as const, path, body: { accessKey, active } }
      : { method: 'POST' as const, path: [...path, accessKey, 'change-status'], body: { active } };
  expectDone(upstream, await askSubAccounts(upstream, request, faultOfOne));
}

/** Suspends a key and takes it away; content where it is gone already. */
export async function endKey(upstream: Upstream, subAccount: string, accessKey: string): Promise<void> {
  try {
    await setActive(upstream, subAccount, accessKey, false);
    await removeKey(upstream, subAccount, accessKey);
  } catch (error) {
    if (!isMissing(error)) throw error;
    // Another refusal can look like a key that is missing. That it is missing, the list tells.
    const left = await keysThere(upstream, subAccount);
    if (left.some((key) => key.accessKey === accessKey)) throw error;
  }
}

export const isMissing = (error: unknown): boolean =>
  error instanceof StoreError && error.fault === 'NOT_FOUND';

async function removeKey(upstream: Upstream, subAccount: string, accessKey: string): Promise<void> {
  const path = [subAccount, 'access-keys'];
  const parts =
    versionOf(upstream) === 1
      ? { path, body: { accessKey } }
      : { path: [...path, accessKey], body: undefined };
  expectDone(upstream, await askSubAccounts(upstream, { method: 'DELETE', ...parts }, faultOfOne));
}

/** Version 1 says that it was done; version 2 has nothing to say. */
function expectDone(upstream: Upstream, answer: StoreAnswer): void {
  if (versionOf(upstream) !== 1) return expectNoContent(answer);
  if (at(answer.json, 'success') !== true) throw unreadableAnswer();
}

/** What an answer to a request about a single sub account or key means. */
export const faultOfOne: FaultOf = (answer) => {
  const fault = ncloudFault(answer);
  const code = saidCode(answer);
  // Servers of version 2 before its codes of today answer so where a single thing is missing.
  if (fault === 'INVALID_INPUT' && code === 'BadRequest') return 'NOT_FOUND';
  // A server that says so does not know this address, and says nothing about what is behind it.
  const isStranger = fault === 'NOT_FOUND' && (code === null || code === '300');
  return isStranger ? 'INVALID_INPUT' : fault;
};

/**
 * Servers of version 2 before its codes of today have none of their own for a key too many. Keys have no names: there is
 * nothing else that could clash.
 */
const faultOfMaking: FaultOf = (answer) => {
  const fault = faultOfOne(answer);
  return fault === 'CONFLICT' ? 'LIMIT_EXCEEDED' : fault;
};
