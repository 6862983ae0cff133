import { sql, type Database } from '../../database/database.js';
import type { Log } from '../../log.js';
import { instant } from '../../time.js';
import { WriteBehind } from '../../database/write-behind.js';

interface Use {
  id: string;
  number: number;
  at: number;
}

/** So many that wait are written at once, whatever the hour. */
const mostWaiting = 100_000;
/** The rows are held while they are written: rotating one of these credentials waits for that. */
const atOnce = 250;

/** Notes uses as they happen and writes them in batches: neither a use nor its writing waits for the other. */
export class LastUsed {
  readonly #queue: WriteBehind<Use>;

  constructor(db: Database, log: Log) {
    this.#queue = new WriteBehind<Use>({
      atOnce,
      write: (uses) => db.transaction(async (tx) => void (await tx.rows(noteUses, columnsOf(uses)))),
      join: later,
      failed: (error, waiting) => log.error({ error, waiting }, 'uses could not be noted yet'),
    });
  }

  /** @param at database time of the use, in milliseconds since 1970; of several of one version the latest is kept. */
  note(id: string, number: number, at: number): void {
    const key = `${id}:${number}`;
    const known = this.#queue.waiting(key);
    if (known) return later(known, { at });
    this.#queue.add(key, { id, number, at });
    // Once for every so many, and not for each one beyond: a database that is away would be asked without end.
    if (this.#queue.size % mostWaiting === 0) void this.flush();
  }

  /** Writes what waits. What cannot be written waits on, and the log says so. */
  flush(): Promise<void> {
    return this.#queue.flush();
  }
}

function later(kept: Use, { at }: { at: number }): void {
  if (kept.at < at) kept.at = at;
}

const columnsOf = (uses: Use[]) => ({
  ids: uses.map(({ id }) => id),
  numbers: uses.map(({ number }) => number),
  ats: uses.map(({ at }) => instant(at)),
});

// The rows of the credentials are locked first, in the order of their ids, so that no two writers wait for each other;
// whoever holds a credential's row has its versions to itself. What another wrote that is later stays as it is.
const noteUses = sql(`
  WITH used AS MATERIALIZED (
    SELECT id, number, at
    FROM unnest(CAST(:ids AS uuid[]), CAST(:numbers AS integer[]), CAST(:ats AS timestamptz[])) AS each (id, number, at)
    ORDER BY id, number
  ), locked AS MATERIALIZED (
    SELECT u.credential_id AS id, last.at
    FROM (SELECT DISTINCT ON (id) id, at FROM used ORDER BY id, at DESC) last
    JOIN credential_uses u ON u.credential_id = last.id
    ORDER BY u.credential_id FOR NO KEY UPDATE OF u
  ), noted AS (
    UPDATE credential_uses u SET last_used_at = locked.at, unused_since = greatest(u.unused_since, locked.at)
    FROM locked WHERE u.credential_id = locked.id AND u.last_used_at < locked.at
  )
  UPDATE credential_versions v SET last_used_at = used.at
  FROM used WHERE v.credential_id = used.id AND v.number = used.number
    AND (v.last_used_at IS NULL OR v.last_used_at < used.at) AND (SELECT count(*) FROM locked) >= 0`);
