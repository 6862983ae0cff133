import type { Deed } from '../audit/record.js';
import { sql, type Tx } from '../database/database.js';

/**
 * Deletes the roles of an account that is deleted, but for those that somebody still holds there, to read its audit log.
 * Call it when all else of the account has ended.
 * @returns the deeds to record
 */
export async function dropRoles(tx: Tx, accountId: string): Promise<Deed[]> {
  const dropped = await tx.rows<{ id: string }>(drop, { accountId });
  return dropped.map(({ id }) => ({
    action: 'role:delete',
    target: { type: 'Role', id },
    accountId,
    ends: { gone: 'DELETED' },
  }));
}

// In the order in which others lock them. What carries such a role has ended.
const drop = sql(`
  WITH unheld AS MATERIALIZED (
    SELECT r.id FROM roles r
    WHERE r.account_id = :accountId AND NOT EXISTS (SELECT FROM grants g WHERE g.role_id = r.id)
    ORDER BY r.id FOR UPDATE),
  carried AS (DELETE FROM credential_roles cr USING unheld u WHERE cr.role_id = u.id)
  DELETE FROM roles r USING unheld u WHERE r.id = u.id RETURNING r.id`);
