import { sql, type Tx } from '../../database/database.js';
import { conflict } from '../../errors.js';

/** SQL for the number of the newest secret of a credential `c`, whatever became of it: each rotation makes a higher one. */
export const newestOf = '(SELECT max(n.number) FROM credential_versions n WHERE n.credential_id = c.id)';

/** The newest secret that a credential had when it was read. */
export interface Newest {
  id: string;
  newest: number;
}

/**
 * Of rotations that began before another one was on record, none goes on: whoever asked for it did not know of that.
 * @param tx holds the credential's row
 * @throws CONFLICT where the credential has a newer secret than it had then.
 */
export async function expectNewest(tx: Tx, { id, newest }: Newest): Promise<void> {
  if (!(await isNewest(tx, { id, newest })))
    throw conflict('Another rotation of this credential was under way.');
}

/** Whether it is the newest by now. @param tx holds the credential's row */
export async function isNewest(tx: Tx, { id, newest }: Newest): Promise<boolean> {
  return (await tx.rows(newer, { id, newest })).length === 0;
}

// A statement of its own, after the one that waits for the row: that one sees what there was when its wait began.
const newer = sql(`
  SELECT number FROM credential_versions WHERE credential_id = :id AND number > CAST(:newest AS integer) LIMIT 1`);
