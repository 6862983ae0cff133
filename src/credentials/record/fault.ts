import { fault, type Fault } from '../../access/works.js';
import { sql, type Sql } from '../../database/database.js';

/** Why a credential does not work just now, by the clock of the database; null where it does, or where there is none. */
export async function faultOfCredential(db: Sql, id: string): Promise<Fault | null> {
  const [found] = await db.rows<{ fault: Fault | null }>(read, { id });
  return found?.fault ?? null;
}

const read = sql(`SELECT ${fault} AS fault FROM credentials c WHERE c.id = :id`);
