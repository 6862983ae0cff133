import type { StoreError } from '../connectors/store-error.js';
import { sql, type Sql } from '../database/database.js';
import type { Code } from '../errors.js';

/** Why a store does not answer as it should, as its health tells it. */
export const problemIn = ({ code }: StoreError): Code =>
  code === 'UNAVAILABLE' || code === 'RATE_LIMITED' ? code : 'STORE_REJECTED';

/**
 * Puts on record what came of asking a store just now. Returns whether there is such a store.
 * @param problem why it did not answer as it should; null where it did
 */
export const noteHealth = async (db: Sql, id: string, problem: Code | null): Promise<boolean> =>
  (await db.rows(note, { id, problem })).length > 0;

/**
 * Puts on record that a store did what it was asked to, unless somebody holds the store: they may be waiting for what
 * this transaction holds.
 */
export const noteAnswer = (db: Sql, id: string) => db.rows(noteUnlessHeld, { id });

const note = sql(`
  UPDATE stores SET reachable = (CAST(:problem AS text) IS NULL), problem = :problem, checked_at = clock_timestamp()
  WHERE id = :id AND deleted_at IS NULL RETURNING id`);
const noteUnlessHeld = sql(`
  UPDATE stores SET reachable = true, problem = NULL, checked_at = clock_timestamp()
  WHERE id IN (SELECT id FROM stores WHERE id = :id AND deleted_at IS NULL FOR NO KEY UPDATE SKIP LOCKED)`);
