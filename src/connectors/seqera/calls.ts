import {
  at,
  expectGood,
  faultOfStatus,
  listAt,
  neededAt,
  refusal,
  textAt,
  unreadableAnswer,
} from '../answers.js';
import type { Known, StoreAnswer, StoreRequest, Upstream } from '../connector.js';
import { beforehand, StoreError, type StoreFault } from '../store-error.js';

/** What an answer of the platform's means. It says so by the status; its texts may change at any time. */
export function seqeraFault({ status, json }: StoreAnswer): StoreFault | undefined {
  const isInUse = status === 409 && Array.isArray(at(json, 'conflicts'));
  return isInUse ? 'IN_USE' : faultOfStatus(status);
}

/** A request within a workspace, or in the personal space of the token's owner where `scope` is empty. */
export function within(
  upstream: Upstream,
  scope: string,
  { path, query, ...request }: StoreRequest,
): Promise<StoreAnswer> {
  return upstream.call({
    ...request,
    path: ['credentials', ...path],
    query: { ...query, ...(scope !== '' && { workspaceId: scope }) },
    sign: () => bearer(upstream),
  });
}

/** A good answer of such a request. @throws StoreError for any other. */
export async function goodWithin(
  upstream: Upstream,
  scope: string,
  request: StoreRequest,
): Promise<StoreAnswer> {
  const answer = await within(upstream, scope, request);
  expectGood(answer, seqeraFault, errorIdIn(upstream, answer, request.body));
  expectOwn(answer);
  return answer;
}

/** All credentials of a scope, as the store tells of them, but for those that are marked as deleted. */
export async function entriesIn(upstream: Upstream, scope: string): Promise<readonly unknown[]> {
  const { json } = await goodWithin(upstream, scope, { method: 'GET', path: [], large: true });
  return listAt(json, 'credentials').filter(isThere);
}

/** One credential, as the store tells of it; undefined where it is not there any more. */
export async function entryOf(
  upstream: Upstream,
  known: Pick<Known, 'scope' | 'externalId'>,
): Promise<unknown> {
  const answer = await within(upstream, known.scope, { method: 'GET', path: [known.externalId] });
  if (await isGone(upstream, known, answer)) return undefined;
  const entry = at(answer.json, 'credentials');
  // Gone is what the store says is gone, and nothing else.
  if (neededAt(entry, 'id') !== known.externalId) throw unreadableAnswer();
  return isThere(entry) ? entry : undefined;
}

/**
 * What the store's record of a credential goes by: the time of its last change, as it is written. Null where the store
 * does not say it, or not now.
 */
export async function revisionOf(upstream: Upstream, known: Pick<Known, 'scope' | 'externalId'>) {
  try {
    return revisionIn(await entryOf(upstream, known));
  } catch (error) {
    if (error instanceof StoreError) return null;
    throw error;
  }
}

export const revisionIn = (entry: unknown): string | null => textAt(entry, 'lastUpdated');

/** Whether an answer about one credential means that it is gone. @throws StoreError for any other that is not good. */
export async function isGone(
  upstream: Upstream,
  { scope, externalId }: Pick<Known, 'scope' | 'externalId'>,
  answer: StoreAnswer,
): Promise<boolean> {
  const fault = seqeraFault(answer);
  if (fault === undefined) {
    expectOwn(answer);
    return false;
  }
  // An unknown id is answered like one that the token may not see: only the list tells them apart.
  if (fault === 'FORBIDDEN' || fault === 'NOT_FOUND') {
    const entries = await beforehand(() => entriesIn(upstream, scope));
    if (!entries.some((entry) => textAt(entry, 'id') === externalId)) return true;
    throw refusal('FORBIDDEN', answer, errorIdIn(upstream, answer));
  }
  throw refusal(fault, answer, errorIdIn(upstream, answer));
}

/** Asks who the token is of. */
export async function askWhoAmI(upstream: Upstream): Promise<void> {
  const answer = await upstream.call({ method: 'GET', path: ['user-info'], sign: () => bearer(upstream) });
  expectGood(answer, seqeraFault, errorIdIn(upstream, answer));
  // Any JSON could come from somebody else.
  const user = at(answer.json, 'user');
  if (textAt(user, 'id') === null && textAt(user, 'userName') === null) throw unreadableAnswer();
}

/** Without a content it is 204; a page of somebody on the way is neither that nor JSON. */
function expectOwn({ status, json }: StoreAnswer): void {
  if (status !== 204 && json === undefined) throw unreadableAnswer();
}

/** The id by which the vendor finds an error again, for the log; undefined for what was sent, which may be a secret. */
function errorIdIn({ secrets }: Upstream, { json }: StoreAnswer, sent: unknown = null): string | undefined {
  const id = / Error ID: ([0-9A-Za-z]{22})$/.exec(textAt(json, 'message') ?? '')?.[1];
  const isEcho = id !== undefined && `${JSON.stringify(sent)} ${secrets['token']?.expose()}`.includes(id);
  return isEcho ? undefined : id;
}

const isThere = (entry: unknown): boolean => at(entry, 'deleted') !== true;

function bearer({ secrets: { token } }: Upstream): Record<string, string> {
  if (!token) throw new StoreError('UNAUTHENTICATED', { sent: false, cause: 'the connection has no token' });
  return { authorization: `Bearer ${token.expose()}` };
}
