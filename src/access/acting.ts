import type { Sql } from '../database/database.js';
import { forbidden } from '../errors.js';
import { withinRanges } from './addresses.js';
import { instantMs } from '../time.js';
import type { Permission, Principal } from './principal.js';
import { covers, rightsOf } from './rights.js';

/** What lets its bearer act as an account: a token, or an identity elsewhere. */
export interface ActingAs {
  accountId: string;
  /** What it is narrowed to; null where it may do all that the account may. */
  permissions: readonly Permission[] | null;
  /** Where it may be used from; empty for anywhere. */
  allowedIps: readonly string[];
}

/**
 * Nobody gives or is shown what may do more than they may themselves. For one's own account, that is what the token is
 * narrowed to that one calls with, and where it may be used from.
 * @param db the transaction at hand, where there is one: it may hold the only connection.
 * @throws FORBIDDEN
 */
export async function authorizeActing(principal: Principal, as: ActingAs, db: Sql): Promise<void> {
  if (!covers(principal.rights, await rightsOf(db, as.accountId, as.permissions)))
    throw forbidden(
      'This may do more than you may: you can make, change or take only what may do no more than you.',
    );
  if (as.accountId !== principal.accountId) return;
  if (principal.limits && !as.permissions?.every((permission) => principal.limits?.includes(permission)))
    throw forbidden(
      'What acts as your account may have no more permissions than the token that you call with.',
    );
  if (!withinRanges(as.allowedIps, principal.allowedIps))
    throw forbidden(
      'What acts as your account may be used from no more addresses than the token that you call with.',
    );
}

/**
 * What somebody makes to act as oneself ends no later than what one calls with, whatever that is: a token of Keyway's or
 * of an issuer's, a pair. What has no end, such as an identity, is for another account to give.
 * @param end when it ends; null for what does not.
 * @throws FORBIDDEN
 */
export function authorizeEnd(principal: Principal, accountId: string, end: string | null): void {
  if (accountId !== principal.accountId || principal.expiresAt === null) return;
  if (end === null || instantMs(end) > instantMs(principal.expiresAt))
    throw forbidden(
      'What acts as your account must end no later than the token, key or identity that you call with.',
    );
}
