import { sql, type Tx } from '../database/database.js';
import { conflict } from '../errors.js';

// A service that verifies asks for a role by its name. So whoever may make roles in a part of an organization makes none
// there by the name of one above: at each place a name means one role.

/**
 * Keeps others from making roles that are no store's, and from moving them, to the end of the transaction: two that know
 * nothing of each other would take one name.
 */
export const holdNames = async (tx: Tx): Promise<void> => void (await tx.rows(hold));

/**
 * @param accountId where the role is to live; null for one that is for all accounts
 * @throws CONFLICT where the name is in use at a place where the role could be used.
 */
export async function expectUnused(tx: Tx, name: string, accountId: string | null): Promise<void> {
  await holdNames(tx);
  const [used] = await tx.rows<{ all: boolean; here: boolean }>(inUse, { name, account: accountId });
  if (!used) return;
  if (used.here) throw conflict('The name of the role is in use there.');
  throw conflict(
    used.all
      ? 'The name of the role is in use, by a role for all accounts.'
      : 'The name of the role is in use, by a role of an account above or below.',
  );
}

const hold = sql('SELECT pg_advisory_xact_lock(4205140)');

// What was deleted has no use for its roles any more.
const inUse = sql(`
  WITH RECURSIVE above (id) AS (
    SELECT CAST(:account AS uuid)
    UNION
    SELECT a.parent_id FROM above b JOIN accounts a ON a.id = b.id WHERE a.parent_id IS NOT NULL
  ), named AS (
    SELECT r.id, r.account_id FROM roles r LEFT JOIN accounts a ON a.id = r.account_id
    WHERE r.name = :name AND r.store_id IS NULL AND a.deleted_at IS NULL
  ), path (role_id, home, id) AS (
    SELECT n.id, n.account_id, n.account_id FROM named n WHERE n.account_id IS NOT NULL
    UNION
    SELECT p.role_id, p.home, a.parent_id FROM path p JOIN accounts a ON a.id = p.id WHERE a.parent_id IS NOT NULL
  )
  SELECT n.account_id IS NULL AS all, n.account_id IS NOT DISTINCT FROM CAST(:account AS uuid) AS here
  FROM named n
  WHERE n.account_id IS NULL OR CAST(:account AS uuid) IS NULL OR n.account_id IN (SELECT id FROM above)
    OR EXISTS (SELECT FROM path p WHERE p.role_id = n.id AND p.id = CAST(:account AS uuid))
  ORDER BY here DESC, "all" DESC LIMIT 1`);
