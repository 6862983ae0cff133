import { ncpScheme } from '../../signatures/ncp.js';
import {
  at,
  countAt,
  expectGood,
  flagAt,
  listIn,
  neededAt,
  textAt,
  unreadableAnswer,
  type FaultOf,
} from '../answers.js';
import type { StoreAnswer, StoreRequest, Upstream } from '../connector.js';
import { missingPath } from '../endpoint.js';
import { ncloudCode, ncloudFault } from './faults.js';
import type { UserPage } from '../scopes.js';
import { ownPair, signedBy } from '../signing.js';

export interface SubAccount {
  id: string;
  loginId: string;
  fullName: string | null;
  email: string | null;
  /** Undefined where nothing is said of it. */
  allowedIps: readonly string[] | undefined;
  /** Whether it may call at all, so that its keys work; undefined where nothing is said of it. */
  mayCall: boolean | undefined;
}

/** How many sub accounts a page has at most. */
export const subAccountsOnPage = 100;

/** A page of the sub accounts, counted from 0. Version 2 lists neither addresses nor e-mail: `findSubAccount` has them. */
export async function pageOfSubAccounts(
  upstream: Upstream,
  page: number,
  size = subAccountsOnPage,
): Promise<UserPage<SubAccount>> {
  const query: Record<string, string> =
    versionOf(upstream) === 1
      ? { page: String(page), size: String(size) }
      : { pageNo: String(page), pageSize: String(size) };
  const { json } = await askSubAccounts(upstream, { method: 'GET', path: [], query }, ncloudFault);
  const [list, count] =
    versionOf(upstream) === 1 ? ['items', 'totalItems'] : ['subAccounts', 'totalElements'];
  const users = listIn(json, list).map(subAccountIn);
  const total = countAt(json, count);
  const isLeft = total === undefined ? users.length >= size : (page + 1) * size < total;
  return { users, total, isLast: !(flagAt(json, 'hasNext') ?? isLeft) };
}

/** All that is said of one sub account. @throws StoreError NOT_FOUND where it is not there. */
export async function findSubAccount(upstream: Upstream, id: string, faults: FaultOf): Promise<SubAccount> {
  const { json } = await askSubAccounts(upstream, { method: 'GET', path: [id] }, faults);
  const found = subAccountIn(json);
  if (found.id !== id) throw unreadableAnswer();
  return found;
}

/** Asks Sub Account, as Keyway itself. @throws StoreError for an answer that is not a good one. */
export async function askSubAccounts(
  upstream: Upstream,
  request: StoreRequest,
  faults: FaultOf,
): Promise<StoreAnswer> {
  const base = missingPath(upstream, ['api', `v${versionOf(upstream)}`]);
  const answer = await upstream.call({
    ...request,
    path: [...base, 'sub-accounts', ...request.path],
    sign: signedBy(ncpScheme, ownPair(upstream, 'accessKey', 'secretKey'), upstream),
  });
  expectGood(answer, faults, ncloudCode(answer));
  return answer;
}

/** Which of the two versions the store speaks; the first where nothing was said. */
export const versionOf = ({ settings }: Pick<Upstream, 'settings'>): 1 | 2 =>
  Number(settings['subAccountApiVersion']) === 2 ? 2 : 1;

function subAccountIn(json: unknown): SubAccount {
  const id = textAt(json, 'subAccountId') ?? neededAt(json, 'id');
  const fullName = textAt(json, 'name');
  const loginId = textAt(json, 'loginId') ?? fullName ?? id;
  const email = textAt(json, 'email');
  return { id, loginId, fullName, email, allowedIps: allowedIpsIn(json), mayCall: mayCallIn(json) };
}

/** It may where it is switched on and let through the gateway, which the versions have a name each for. */
function mayCallIn(json: unknown): boolean | undefined {
  const flags = [
    flagAt(json, 'active'),
    flagAt(json, 'canAPIGatewayAccess') ?? flagAt(json, 'apiGatewayAccessible'),
  ];
  return all(flags);
}

/** Whether all of them hold; undefined where none is false, and nothing is known of one. */
export const all = (flags: readonly (boolean | undefined)[]): boolean | undefined =>
  flags.includes(false) ? false : flags.includes(undefined) ? undefined : true;

function allowedIpsIn(json: unknown): readonly string[] | undefined {
  const restricted = flagAt(json, 'useApiAllowSource');
  if (restricted !== true) return restricted === false ? [] : undefined;
  const sources = at(json, 'apiAllowSources');
  const texts = Array.isArray(sources)
    ? sources.filter((one) => at(one, 'type') === 'IP').map((one) => textAt(one, 'source'))
    : [];
  const ips = texts.filter((text) => text !== null);
  // None at all would be read as no restriction, and there is one.
  return ips.length > 0 ? ips : ['unknown'];
}
