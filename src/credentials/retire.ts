import { sql, type Database } from '../database/database.js';
import { endOrphans } from './record/end.js';

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
      const outlived = await tx.rows<{ id: string }>(retire, { batch });
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

const retire = sql(`
  WITH outlived AS (
    SELECT v.credential_id, v.number, v.valid_until FROM credential_versions v
    JOIN credentials c ON c.id = v.credential_id AND c.external_id IS NULL
    WHERE v.state = 'PREVIOUS' AND v.valid_until <= now() ORDER BY v.valid_until LIMIT CAST(:batch AS integer)
    FOR UPDATE OF v SKIP LOCKED
  ), finished AS (
    UPDATE rotations r SET state = 'FINISHED', finished_at = o.valid_until
    FROM outlived o WHERE r.credential_id = o.credential_id AND r.from_number = o.number AND r.state = 'SWITCHED'
  )
  UPDATE credential_versions v SET state = 'RETIRED',
    verifier = NULL, verifier_key_id = NULL, password_hash = NULL, pepper_id = NULL, sealed = NULL, kek_id = NULL
  FROM outlived o WHERE v.credential_id = o.credential_id AND v.number = o.number
  RETURNING v.credential_id AS id`);
