import { sql, type Database } from '../database.js';

const batch = 500;

/**
 * Wipes previous secrets whose grace period has ended, and finishes their rotations. They stopped working at its end
 * by the database's clock; this only tidies up after it. Returns how many there were.
 */
export async function retireOutlived(db: Database): Promise<number> {
  let retired = 0;
  for (;;) {
    const rows = await db.transaction((tx) => tx.rows(retire, { batch }));
    retired += rows.length;
    if (rows.length < batch) return retired;
  }
}

const retire = sql(`
  WITH outlived AS (
    SELECT credential_id, number, valid_until FROM credential_versions
    WHERE state = 'PREVIOUS' AND valid_until <= now() ORDER BY valid_until LIMIT CAST(:batch AS integer)
    FOR UPDATE SKIP LOCKED
  ), finished AS (
    UPDATE rotations r SET state = 'FINISHED', finished_at = o.valid_until
    FROM outlived o WHERE r.credential_id = o.credential_id AND r.from_number = o.number AND r.state = 'SWITCHED'
  )
  UPDATE credential_versions v SET state = 'RETIRED',
    verifier = NULL, verifier_key_id = NULL, password_hash = NULL, pepper_id = NULL, sealed = NULL, kek_id = NULL
  FROM outlived o WHERE v.credential_id = o.credential_id AND v.number = o.number
  RETURNING v.number`);
