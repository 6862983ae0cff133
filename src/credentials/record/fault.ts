import type { PresentedKey } from '../../access/presented-key.js';
import { fault, joinParent } from '../../access/works.js';
import { sql, type Sql } from '../../database/database.js';

/** Why a credential does not work just now, by the clock of the database; null where it does, or where there is none. */
export async function faultOfCredential(db: Sql, id: string): Promise<PresentedKey['fault']> {
  const [found] = await db.rows<Pick<PresentedKey, 'fault'>>(read, { id });
  return found?.fault ?? null;
}

const read = sql(`
  SELECT ${fault} AS fault FROM credentials c JOIN accounts a ON a.id = c.account_id ${joinParent} WHERE c.id = :id`);
