import {
  at,
  expectNoContent,
  faultOfStatus,
  listAt,
  neededAt,
  refusal,
  textAt,
  unreadableAnswer,
} from '../answers.js';
import type { Known, Scope, StoreAnswer, StoreRequest, Trust, Upstream } from '../connector.js';
import { missingPath } from '../endpoint.js';
import { shownOf } from '../scopes.js';
import { textSetting } from '../settings.js';
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
    path: [...basePath(upstream), 'credentials', ...path],
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
  expectTaken(upstream, answer, request);
  return answer;
}

/** @throws StoreError for an answer that is not a good one, with the permission that is missing, where that is told. */
function expectTaken(upstream: Upstream, answer: StoreAnswer, { method, body }: StoreRequest): void {
  const fault = seqeraFault(answer);
  if (fault) throw refused(upstream, fault, answer, body);
  if (method === 'GET' || method === 'POST') expectOwn(answer);
  else expectNoContent(answer);
}

function refused(upstream: Upstream, fault: StoreFault, answer: StoreAnswer, sent?: unknown): StoreError {
  const missing = fault === 'FORBIDDEN' ? permissionsIn(answer) : undefined;
  return refusal(fault, answer, errorIdIn(upstream, answer, sent), missing);
}

/**
 * The permissions that the token lacks, in words of ours: the platform names them in a form of its own
 * (seqeralabs/tower-cli, pull request 572).
 */
function permissionsIn({ json }: StoreAnswer): string | undefined {
  const list =
    /\bMissing permission(?:\(s\))?: ((?:"?[a-z][a-z_-]{0,40}:[a-z][a-z_-]{0,40}"?(?:, ?)?){1,10})\.?$/i.exec(
      textAt(json, 'message') ?? '',
    )?.[1];
  return (
    list && `The store does not allow Keyway to do this: its token lacks ${list.replace(/"/g, '').trim()}.`
  );
}

/** The path of an installation's API, where it is below the address. */
const basePath = (upstream: Pick<Upstream, 'settings'>): string[] =>
  textSetting(upstream, 'basePath') === 'api' ? ['api'] : [];

/** All credentials of a scope, as the store tells of them, but for those that are marked as deleted. */
export async function entriesIn(upstream: Upstream, scope: string): Promise<readonly unknown[]> {
  const { json } = await goodWithin(upstream, scope, { method: 'GET', path: [], large: true });
  const entries = listAt(json, 'credentials');
  for (const entry of entries) neededAt(entry, 'id');
  return entries.filter(isThere);
}

/** One credential, as the store tells of it; undefined where it is not there any more. */
export async function entryOf(
  upstream: Upstream,
  known: Pick<Known, 'scope' | 'externalId'>,
): Promise<unknown> {
  const answer = await within(upstream, known.scope, { method: 'GET', path: [known.externalId] });
  if (await isGone(upstream, known, answer)) return undefined;
  expectOwn(answer);
  const entry = at(answer.json, 'credentials');
  // Gone is what the store says is gone, and nothing else.
  if (neededAt(entry, 'id') !== known.externalId) throw unreadableAnswer();
  return isThere(entry) ? entry : undefined;
}

/**
 * What the store's record of a credential goes by since a change: the time of it, as it is written. Null where the store
 * does not say it, or not now. And what a role has to trust since, where the store made an id for that.
 */
export async function sinceChange(
  upstream: Upstream,
  { scope, externalId }: Pick<Known, 'scope' | 'externalId'>,
): Promise<{ revision: string | null; trust?: Trust }> {
  const answer = await shownOf(scope, () =>
    goodWithin(upstream, scope, { method: 'GET', path: [externalId] }),
  );
  const json = answer instanceof StoreError ? undefined : answer.json;
  const entry = at(json, 'credentials');
  const trust = trustIn(entry, textAt(json, 'setupSnippet'));
  return { revision: textAt(entry, 'id') === externalId ? revisionIn(entry) : null, ...(trust && { trust }) };
}

/** What a role has to trust so that it can be assumed; null where there is no external id for it. */
export function trustIn(entry: unknown, policy: string | null): Trust | null {
  const externalId = textAt(at(entry, 'keys'), 'externalId');
  return externalId === null ? null : { externalId, policy };
}

export const revisionIn = (entry: unknown): string | null => textAt(entry, 'lastUpdated');

/** Whether an answer about one credential means that it is gone. @throws StoreError for any other that is not good. */
export async function isGone(
  upstream: Upstream,
  { scope, externalId }: Pick<Known, 'scope' | 'externalId'>,
  answer: StoreAnswer,
): Promise<boolean> {
  const fault = seqeraFault(answer);
  if (fault === undefined) return false;
  // An unknown id is answered like one that the token may not see: only the list tells them apart.
  if (fault === 'FORBIDDEN' || fault === 'NOT_FOUND') {
    const entries = await beforehand(() => entriesIn(upstream, scope));
    if (!entries.some((entry) => textAt(entry, 'id') === externalId)) return true;
    throw refused(upstream, 'FORBIDDEN', answer);
  }
  throw refused(upstream, fault, answer);
}

/**
 * Asks who the token is of, and finds out where the API is: at the address, or below it, as in installations of one's
 * own. Returns what is to be kept of that.
 * @throws StoreError
 */
export async function findApi(upstream: Upstream): Promise<Upstream['settings']> {
  const answer = await ask(upstream, whoAmI);
  if (isElsewhere(answer) && missingPath(upstream, ['api']).length > 0) {
    const below = { ...upstream, settings: { basePath: 'api' } };
    const other = await ask(below, whoAmI);
    if (!isElsewhere(other)) {
      expectWho(below, other);
      return below.settings;
    }
  }
  expectWho(upstream, answer);
  return {};
}

const whoAmI = ['user-info'];

/** Pages for people, or nothing at all. What fails, or does not take the token, may be the API. */
const isElsewhere = ({ status, json }: StoreAnswer): boolean =>
  json === undefined && (status < 400 || status === 403 || status === 404);

function expectWho(upstream: Upstream, answer: StoreAnswer): void {
  expectTaken(upstream, answer, { method: 'GET', path: whoAmI });
  // Any JSON could come from somebody else.
  const user = at(answer.json, 'user');
  if (textAt(user, 'id') === null && textAt(user, 'userName') === null) throw unreadableAnswer();
}

/** The workspaces that the token sees, of all its organisations. */
export async function workspacesOf(upstream: Upstream): Promise<readonly Scope[]> {
  const organisations = listAt(await read(upstream, ['orgs']), 'organizations');
  const found: Scope[] = [];
  for (const organisation of organisations.slice(0, mostOrganisations)) {
    const org = neededAt(organisation, 'orgId');
    const workspaces = await shownOf(org, async (id) =>
      listAt(await read(upstream, ['orgs', id, 'workspaces']), 'workspaces'),
    );
    if (workspaces instanceof StoreError) continue;
    for (const one of workspaces) {
      const names = [textAt(organisation, 'name'), textAt(one, 'name')].filter((name) => name !== null);
      found.push({ id: neededAt(one, 'id'), name: names.join('/') });
    }
  }
  return found;
}

const mostOrganisations = 20;

const ask = (upstream: Upstream, path: readonly string[]): Promise<StoreAnswer> =>
  upstream.call({
    method: 'GET',
    path: [...basePath(upstream), ...path],
    sign: () => bearer(upstream),
  });

async function read(upstream: Upstream, path: readonly string[]): Promise<unknown> {
  const answer = await ask(upstream, path);
  expectTaken(upstream, answer, { method: 'GET', path });
  return answer.json;
}

/** A page of somebody on the way is no object. */
function expectOwn({ json }: StoreAnswer): void {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw unreadableAnswer();
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
