import { ncpScheme } from '../../signatures/ncp.js';
import { at, expectGood, flagAt, listIn, neededAt, textAt, type FaultOf } from '../answers.js';
import type { StoreAnswer, StoreRequest, Upstream } from '../connector.js';
import { missingPath } from '../endpoint.js';
import { ncloudCode, ncloudFault } from './faults.js';
import { ownPair, signedBy } from '../signing.js';

export interface SubAccount {
  id: string;
  loginId: string;
  fullName: string | null;
  email: string | null;
  /** Undefined where nothing is said of it. */
  allowedIps: readonly string[] | undefined;
}

const mostOnPage = 100;

/**
 * A page of the sub accounts. Version 1 counts pages from 0. Where version 2 begins to count is not published, so page 0
 * is asked for without a number there; page 1 may then be the same again.
 */
export async function pageOfSubAccounts(
  upstream: Upstream,
  page: number,
  size = mostOnPage,
): Promise<{ subAccounts: SubAccount[]; isLast: boolean }> {
  const query: Record<string, string> =
    versionOf(upstream) === 1
      ? { page: String(page), size: String(size) }
      : { ...(page > 0 && { pageNo: String(page) }), pageSize: String(size) };
  const { json } = await askSubAccounts(upstream, { method: 'GET', path: [], query }, ncloudFault);
  const subAccounts = listIn(json, ['items', 'subAccounts']).map(subAccountIn);
  const goesOn = flagAt(json, 'hasNext') ?? subAccounts.length >= size;
  return { subAccounts, isLast: !goesOn || subAccounts.length === 0 };
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
  return { id, loginId, fullName, email: textAt(json, 'email'), allowedIps: allowedIpsIn(json) };
}

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
