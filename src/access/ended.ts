import { sql, type Sql } from '../database/database.js';
import { Permission, type Principal } from './principal.js';

/** What was deleted, or went to an heir, of the accounts on which a caller reads the audit log. */
export interface EndedPlaces {
  accounts: string[];
  projects: string[];
  /** Accounts that were part of one of these when it was deleted, and live on elsewhere. */
  former: string[];
}

/**
 * Finds what was deleted below the accounts on which the principal has AUDIT_READ. Asked for by those who read the log, and
 * before it is read: the statement that reads it is planned for few accounts or many.
 */
export async function endedFor(db: Sql, { rights }: Principal): Promise<EndedPlaces> {
  const reach = rights.get(Permission.AUDIT_READ);
  const nothing = { accounts: [], projects: [], former: [] };
  if (!reach || reach.everywhere || reach.accounts.size === 0) return nothing;
  const [ended] = await db.rows<EndedPlaces>(endedOf, { accounts: [...reach.accounts] });
  return ended ?? nothing;
}

/** SQL for what was deleted below these accounts: accounts, and projects of any of them, as arrays. */
export function endedBelow(accounts: string): { accounts: string; projects: string } {
  const below = `ARRAY(
    WITH RECURSIVE below (id) AS (
      SELECT a.id FROM accounts a WHERE a.parent_id = ANY(CAST(${accounts} AS uuid[])) AND a.deleted_at IS NOT NULL
      UNION
      SELECT a.id FROM below b JOIN accounts a ON a.parent_id = b.id
    ) SELECT id FROM below)`;
  return {
    accounts: below,
    projects: `ARRAY(SELECT p.id FROM projects p WHERE p.deleted_at IS NOT NULL
      AND (p.account_id = ANY(CAST(${accounts} AS uuid[])) OR p.account_id = ANY(${below})))`,
  };
}

const below = endedBelow(':accounts');
const endedOf = {
  ...sql(`
  SELECT CAST(${below.accounts} AS text[]) AS accounts, CAST(${below.projects} AS text[]) AS projects,
    ARRAY(SELECT f.account_id::text FROM audit_former_parts f
      WHERE f.of_account_id = ANY(CAST(:accounts AS uuid[])) OR f.of_account_id = ANY(${below.accounts})) AS former`),
  name: 'ended-of',
};
