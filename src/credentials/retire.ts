import type { Database } from '../database/database.js';
import { endOrphans } from './record/end.js';
import { finishOutlived } from './record/rotations.js';
import { wipeOutlived } from './record/versions.js';

const batch = 500;

/**
 * Wipes previous secrets of Keyway's own store whose grace period has ended, finishes their rotations and ends what was
 * derived from them. They stopped working at its end by the database's clock; this only tidies up after it. Returns how
 * many there were.
 */
export async function retireOutlived(db: Database): Promise<number> {
  let retired = 0;
  for (;;) {
    const rows = await db.transaction(async (tx) => {
      const outlived = await wipeOutlived(tx, batch);
      await finishOutlived(tx, outlived);
      await endOrphans(
        tx,
        outlived.map(({ id }) => id),
      );
      return outlived;
    });
    retired += rows.length;
    if (rows.length < batch) return retired;
  }
}
