import { may } from '../../access/authorize.js';
import type { RequestContext } from '../../access/context.js';
import { Permission } from '../../access/principal.js';
import { sql, type Sql } from '../../database/database.js';
import { forbidden } from '../../errors.js';
import type { CredentialStore } from '../store.js';

/**
 * A scope is a user, a project or an account of the vendor's, and the next may be its administrator: a credential is
 * created in one by who manages the store, or was granted the scope and calls with all that its account has.
 * @param db the transaction at hand, where there is one: it may hold the only connection.
 * @throws FORBIDDEN
 */
export async function authorizeScope(
  { principal, db: own }: RequestContext,
  { id, accountId }: Pick<CredentialStore, 'id' | 'accountId'>,
  scope: string | null | undefined,
  db: Sql = own,
): Promise<void> {
  if (may(principal, Permission.STORE_MANAGE, { accountId })) return;
  const isWhole = principal.limits === null;
  const given = { store: id, account: principal.accountId, scope: scope ?? '' };
  if (isWhole && (await db.rows(granted, given)).length > 0) return;
  throw forbidden(
    'Credentials in this scope of the store are created by who has STORE_MANAGE in its account, and by accounts that were granted the scope (grantScope), with a token that is not narrowed.',
  );
}

const granted = sql(`
  SELECT 1 AS one FROM scope_grants WHERE store_id = :store AND account_id = :account AND scope = :scope`);
