import { mostVerified } from '../../config/limits.js';
import { sql, type Database } from '../../database/database.js';
import { gatherOn } from '../../database/gather.js';
import { refillAfter, usesLeftAt } from './limits.js';

/** Uses that are wanted of the limits of a credential. */
export interface UsesWanted {
  /** The credential whose limits they are. */
  id: string;
  /** How many; 0 asks whether there would be one, and takes none. */
  cost: number;
}

/** What became of it. */
export interface UsesTaken {
  taken: boolean;
  /** Where they were not taken: after how many seconds they may be. Null where waiting alone does not help. */
  retryAfter: number | null;
}

/**
 * Takes uses, one after another in their order: each as a whole, or not at all. Decided and counted by one statement and
 * by the clock of the database, so that however many ask at once, on whatever replica, none is taken beyond a limit. What
 * is asked for at the same time goes together, so that many uses of one credential do not wait for each other on a
 * connection each. A credential whose limits were removed meanwhile has none.
 */
export const takeUses: (db: Database, wanted: readonly UsesWanted[]) => Promise<readonly UsesTaken[]> =
  gatherOn<readonly UsesWanted[], readonly UsesTaken[]>(
    async (db, asked) => {
      const all = asked.flat();
      const rows = await db.rows<UsesTaken & { number: number }>(take, {
        ids: all.map(({ id }) => id),
        costs: all.map(({ cost }) => cost),
      });
      const found = new Map(rows.map(({ number, taken, retryAfter }) => [number, { taken, retryAfter }]));
      let number = 0;
      return asked.map((wanted) => wanted.map(() => found.get(++number) ?? unlimited));
    },
    { mostKeys: mostVerified, weigh: (wanted) => wanted.length },
  );

const unlimited: UsesTaken = { taken: true, retryAfter: null };

// The rows are locked in the order of their ids, so that no two statements wait for each other. The time is read when all
// are had: what waited for another counts after it.
//
// A use counts for the tenth of the window that it falls into, and as long as any part of that tenth lies within the
// window: so there are never more uses in any window than allowed, and one counts for a tenth too long at most. A clock
// that was set back stands still until it is as late as it was.
//
// The rows that are written are named by their ids once more, so that a plan that was made while there were few of them
// finds them by the index when there are many.
const needed = 'greatest(a.cost, 1)';
const take = {
  ...sql(`
  WITH RECURSIVE asked AS MATERIALIZED (
    SELECT CAST(n AS integer) AS number, id, cost, row_number() OVER (PARTITION BY id ORDER BY n) AS turn
    FROM unnest(CAST(:ids AS uuid[]), CAST(:costs AS integer[])) WITH ORDINALITY AS given (id, cost, n)
  ), locked AS MATERIALIZED (
    SELECT l.* FROM credential_limits l WHERE l.credential_id = ANY(CAST(:ids AS uuid[]))
    ORDER BY l.credential_id FOR NO KEY UPDATE
  ), clock AS MATERIALIZED (
    SELECT clock_timestamp() AS now, count(*) AS had FROM locked
  ), found AS MATERIALIZED (
    SELECT l.credential_id AS id, l.rate_uses, l.rate_seconds, tenth.slot, l.refill_amount,
      l.slots[passed.slots + 1 :] || array_fill(0, ARRAY[passed.slots]) AS slots,
      ${usesLeftAt('clock.now')} AS uses_left, ${refillAfter('clock.now')} AS refill_at
    FROM locked l CROSS JOIN clock
    CROSS JOIN LATERAL (SELECT greatest(l.slot,
      CAST(floor(extract(epoch FROM clock.now) * 10 / l.rate_seconds) AS bigint)) AS slot) tenth
    CROSS JOIN LATERAL (SELECT CAST(least(tenth.slot - l.slot, 11) AS integer) AS slots) passed
  ), taken (id, turn, number, taken, remaining) AS (
    SELECT f.id, CAST(0 AS bigint), 0, false,
      least(f.rate_uses - (SELECT sum(used) FROM unnest(f.slots) used), f.uses_left)
    FROM found f
    UNION ALL
    SELECT a.id, a.turn, a.number, t.remaining >= ${needed},
      t.remaining - CASE WHEN t.remaining >= ${needed} THEN a.cost ELSE 0 END
    FROM taken t JOIN asked a ON a.id = t.id AND a.turn = t.turn + 1
  ), counted AS MATERIALIZED (
    SELECT f.id, f.rate_uses, f.rate_seconds, f.slot, f.refill_amount, f.refill_at, t.uses,
      CASE WHEN f.rate_uses IS NULL THEN f.slots ELSE f.slots[: 10] || CAST(f.slots[11] + t.uses AS integer) END AS slots,
      f.uses_left - t.uses AS uses_left, (SELECT sum(used) FROM unnest(f.slots) used) + t.uses AS used
    FROM found f
    JOIN (SELECT id, max(remaining) - min(remaining) AS uses FROM taken GROUP BY id) t ON t.id = f.id
  ), kept AS (
    UPDATE credential_limits l
    SET slot = c.slot, slots = c.slots, uses_left = c.uses_left, refill_at = c.refill_at
    FROM counted c WHERE l.credential_id = c.id AND l.credential_id = ANY(CAST(:ids AS uuid[])) AND c.uses > 0
  )
  SELECT t.number, t.taken, CASE WHEN NOT t.taken AND by_rate.wait + by_uses.wait IS NOT NULL
    THEN CAST(greatest(ceil(greatest(by_rate.wait, by_uses.wait)), 1) AS integer) END AS "retryAfter"
  FROM taken t
  JOIN asked a ON a.number = t.number
  JOIN counted c ON c.id = t.id
  CROSS JOIN clock
  CROSS JOIN LATERAL (SELECT CASE
    WHEN c.rate_uses IS NULL OR c.rate_uses - c.used >= ${needed} THEN 0
    WHEN c.rate_uses >= ${needed} THEN (
      SELECT (c.slot + min(tenths)) * c.rate_seconds / 10.0 - extract(epoch FROM clock.now)
      FROM (SELECT tenths, sum(uses) OVER (ORDER BY tenths) AS freed
        FROM unnest(c.slots) WITH ORDINALITY AS each (uses, tenths)) ends
      WHERE c.rate_uses - c.used + freed >= ${needed})
    END AS wait) by_rate
  CROSS JOIN LATERAL (SELECT CASE
    WHEN c.uses_left IS NULL OR c.uses_left >= ${needed} THEN 0
    WHEN c.refill_amount >= ${needed} THEN extract(epoch FROM c.refill_at - clock.now)
    END AS wait) by_uses`),
  name: 'take-uses',
};
