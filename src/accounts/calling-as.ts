import { authorizeActing } from '../access/acting.js';
import { may, owners, type Place } from '../access/authorize.js';
import type { Principal } from '../access/principal.js';
import type { Held } from '../access/rights.js';
import { sql, type Tx } from '../database/database.js';
import { forbidden } from '../errors.js';

/**
 * Who lets others call as an account, or call again, may do all that it may, and to what it owns what owners may: by a
 * right, and not by owning it.
 * @param held the grants that count; all of the account, where left out
 * @throws FORBIDDEN
 */
export async function authorizeCallingAs(
  principal: Principal,
  tx: Tx,
  accountId: string,
  held?: readonly Held[],
): Promise<void> {
  await authorizeActing(principal, { accountId, permissions: null, allowedIps: [] }, tx, held);
  for (const place of await tx.rows<Place>(placesOwned, { accountId })) {
    if (![...owners].every((permission) => may(principal, permission, { ...place, owner: accountId })))
      throw forbidden('The account owns credentials that it may do more with than you may.');
  }
}

const placesOwned = sql(`
  SELECT DISTINCT account_id AS "accountId", project_id AS "projectId" FROM credentials
  WHERE (owner_id = :accountId OR owner_id IS NULL AND account_id = :accountId) AND deleted_at IS NULL`);
