import { sql, type Database } from '../database/database.js';

const batch = 500;

/** Deletes the answers to idempotency keys whose 24 hours are over. Returns how many there were. */
export async function forgetOldAnswers(db: Database): Promise<number> {
  let forgotten = 0;
  for (;;) {
    const rows = await db.transaction((tx) => tx.rows(forget, { batch }));
    forgotten += rows.length;
    if (rows.length < batch) return forgotten;
  }
}

const forget = sql(`
  DELETE FROM idempotency_keys WHERE (account_id, key_hash) IN (
    SELECT account_id, key_hash FROM idempotency_keys WHERE expires_at <= now()
    ORDER BY expires_at LIMIT CAST(:batch AS integer) FOR UPDATE SKIP LOCKED)
  RETURNING id`);
