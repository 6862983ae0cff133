import type { RequestContext } from '../access/context.js';
import { credentialScope, everything, seesAllOf } from '../access/scope.js';
import { condition, every, type Condition } from '../database/database.js';
import type { Insight } from './insight.js';

/** Tells insights of one request apart. */
export const keyOf = ({ accountId, storeId }: Insight): string => `${accountId ?? ''}:${storeId ?? ''}`;

/** Which credentials `c` an insight counts: those that the caller may see, of its account and its store. */
export function seenBy({ principal }: RequestContext, { accountId, storeId }: Insight): Condition {
  const isWhole = accountId !== null && seesAllOf(principal, 'accounts')(accountId);
  const conditions = [
    isWhole ? everything : credentialScope(principal),
    ...(accountId === null
      ? []
      : [condition('c.account_id = CAST(:ofAccount AS uuid)', { ofAccount: accountId })]),
    ...(storeId === null ? [] : [condition('c.store_id = CAST(:inStore AS uuid)', { inStore: storeId })]),
  ].filter((one) => one !== everything);
  return conditions.length === 0 ? everything : every(...conditions);
}
