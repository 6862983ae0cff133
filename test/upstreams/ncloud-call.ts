import type { NcloudKey, NcloudState, NcloudSubAccount } from './ncloud-state.js';
import type { Answered, Arrived } from './stand-in.js';

/** A call that has come through the gateway. */
export interface NcloudCall {
  request: Arrived;
  /** What signed it. */
  key: NcloudKey;
  /** The variable parts of the path, in their order. */
  parts: string[];
}

export interface NcloudRoute {
  service: 'sts' | 'subaccount';
  version: 1 | 2;
  method: string;
  /** Behind `/api/v1` or `/api/v2`. */
  path: RegExp;
  /** The right that the sub account of the signing key needs. */
  needs?: 'view' | 'manage';
  handle(call: NcloudCall): Answered;
}

export interface NcloudSettings {
  state: NcloudState;
  now: () => number;
  mostKeys: number;
  needsSuspending: boolean;
  mfaDevices: ReadonlyMap<string, string>;
}

/** A whole number of a query, within its bounds; undefined where it is none. */
export function numberIn(
  query: URLSearchParams,
  name: string,
  { least, most = Number.MAX_SAFE_INTEGER, usual }: { least: number; most?: number; usual: number },
): number | undefined {
  const text = query.get(name);
  if (text === null) return usual;
  const number = /^\d{1,15}$/.test(text) ? Number(text) : -1;
  return number >= least && number <= most ? number : undefined;
}

/** ISO 8601 to the second, as NAVER Cloud writes it. */
export const timeText = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');

/** How many keys of a sub account are active: the limit is of those. */
export const activeKeys = ({ keys }: NcloudSubAccount): number =>
  [...keys.values()].filter(({ active }) => active).length;

/** Whether a sub account has the policy for something, or one that includes it. */
export function mayDo(needs: NcloudRoute['needs'], owner: NcloudSubAccount | undefined): boolean {
  if (needs === undefined) return true;
  const enough = ['NCP_ADMINISTRATOR', 'NCP_SUB_ACCOUNT_MANAGER'];
  if (needs === 'view') enough.push('NCP_SUB_ACCOUNT_VIEWER');
  // No policies hold for the main account.
  return owner === undefined || owner.policies.some((policy) => enough.includes(policy));
}
