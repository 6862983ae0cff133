import { sql, type Sql } from '../database/database.js';

/** Whether an account is another one, or part of it, or part of a part. */
export async function isWithin(db: Sql, account: string, ancestor: string): Promise<boolean> {
  return account === ancestor || (await db.rows(above, { account, ancestor })).length > 0;
}

const above = {
  ...sql(`
  WITH RECURSIVE above (id) AS (
    SELECT parent_id FROM accounts WHERE id = :account
    UNION
    SELECT a.parent_id FROM above JOIN accounts a ON a.id = above.id
  )
  SELECT id FROM above WHERE id = :ancestor`),
  name: 'accounts-above',
};
