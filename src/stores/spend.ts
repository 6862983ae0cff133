import type { Registry } from '../connectors/registry.js';
import { sql, type Database } from '../database/database.js';
import type { Log } from '../log.js';
import { WriteBehind } from '../database/write-behind.js';
import type { WatchedGates } from './gate.js';

interface Spent {
  storeId: string;
  calls: number;
}

const atOnce = 500;

/** Notes how many calls went to each store that limits them, so that its budget can be seen from everywhere. */
export class StoreCalls {
  readonly #queue: WriteBehind<Spent>;

  constructor(
    db: Database,
    private readonly gates: WatchedGates,
    connectors: Registry,
    log: Log,
  ) {
    const budgets = Object.values(connectors).flatMap(({ kind, budget }) =>
      budget ? { kind, ...budget } : [],
    );
    const kinds = budgets.map(({ kind }) => kind);
    const windows = budgets.map(({ windowMs }) => windowMs);
    this.#queue = new WriteBehind<Spent>({
      atOnce,
      write: (spent) =>
        db.transaction(async (tx) => {
          const ids = spent.map(({ storeId }) => storeId);
          await tx.rows(note, { ids, calls: spent.map(({ calls }) => calls), kinds, windows });
        }),
      join: (newer, older) => void (newer.calls += older.calls),
      failed: (error, waiting) => log.error({ error, waiting }, 'calls to stores could not be noted yet'),
    });
  }

  /** Writes what was sent since. What cannot be written waits on, and the log says so. */
  flush(): Promise<void> {
    for (const [storeId, calls] of this.gates.takeSpent()) {
      const known = this.#queue.waiting(storeId);
      if (known) known.calls += calls;
      else this.#queue.add(storeId, { storeId, calls });
    }
    return this.#queue.flush();
  }
}

// The rows are locked in the order of their ids, so that no two writers wait for each other.
const note = sql(`
  WITH spent AS MATERIALIZED (
    SELECT s.id, each.calls, w.ms, s.window_ends_at > now() AS "isOpen"
    FROM unnest(CAST(:ids AS uuid[]), CAST(:calls AS integer[])) AS each (id, calls)
    JOIN stores s ON s.id = each.id
    JOIN unnest(CAST(:kinds AS text[]), CAST(:windows AS integer[])) AS w (kind, ms) ON w.kind = s.kind
    ORDER BY s.id FOR NO KEY UPDATE OF s
  )
  UPDATE stores s SET
    calls_in_window = spent.calls + CASE WHEN spent."isOpen" THEN s.calls_in_window ELSE 0 END,
    window_ends_at = CASE WHEN spent."isOpen" THEN s.window_ends_at ELSE now() + spent.ms * interval '1 ms' END
  FROM spent WHERE s.id = spent.id`);
