import { sql, type Database } from '../../database/database.js';
import type { Log } from '../../log.js';
import { instant } from '../../time.js';
import { WriteBehind } from '../../database/write-behind.js';

/** What happened with a credential on one day of UTC, by one of its secrets, and is not written yet. */
interface Use {
  id: string;
  /** The secret that was used; null for what was refused. */
  number: number | null;
  /** The last use of it, in milliseconds since 1970; null for what was refused. */
  at: number | null;
  day: string;
  /** Verifications that were good, and that were refused: calls of Keyway itself are neither. */
  good: number;
  refused: number;
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
      // Where the connection is lost over the COMMIT, what was counted may be counted twice.
      write: (uses) => db.transaction(async (tx) => void (await tx.rows(noteUses, columnsOf(uses)))),
      join,
      failed: (error, waiting) => log.error({ error, waiting }, 'uses could not be noted yet'),
    });
  }

  /**
   * Notes that a secret was presented and accepted, and counts nothing.
   * @param at database time of the use, in milliseconds since 1970; of several of one version the latest is kept.
   */
  note(id: string, number: number, at: number): void {
    this.#add({ id, number, at, day: dayOf(at), good: 0, refused: 0 });
  }

  /**
   * Counts a verification on its day.
   * @param number the secret that was good, whose use is noted; null where it was refused
   * @param at as of `note`
   */
  verified(id: string, number: number | null, at: number): void {
    const day = dayOf(at);
    if (number === null) this.#add({ id, number, at: null, day, good: 0, refused: 1 });
    else this.#add({ id, number, at, day, good: 1, refused: 0 });
  }

  #add(use: Use): void {
    const isCounted = use.good + use.refused > 0;
    const key = `${use.id}:${use.number ?? ''}:${isCounted ? use.day : ''}`;
    const known = this.#queue.waiting(key);
    if (known) return join(known, use);
    this.#queue.add(key, use);
    // Once for every so many, and not for each one beyond: a database that is away would be asked without end.
    if (this.#queue.size % mostWaiting === 0) void this.flush();
  }

  /** Writes what waits. What cannot be written waits on, and the log says so. */
  flush(): Promise<void> {
    return this.#queue.flush();
  }
}

function join(kept: Use, { at, good, refused }: Use): void {
  if (at !== null && (kept.at ?? 0) < at) kept.at = at;
  kept.good += good;
  kept.refused += refused;
}

const dayOf = (at: number) => instant(at).slice(0, 10);

const columnsOf = (uses: Use[]) => ({
  ids: uses.map(({ id }) => id),
  numbers: uses.map(({ number }) => number),
  ats: uses.map(({ at }) => (at === null ? null : instant(at))),
  days: uses.map(({ day }) => day),
  goods: uses.map(({ good }) => good),
  refusals: uses.map(({ refused }) => refused),
});

// The rows of the credentials are locked first, in the order of their ids, so that no two writers wait for each other;
// whoever holds a credential's row has its versions and its days to itself. The sums of a day are written by all, and so
// last. What another wrote that is later stays as it is.
const noteUses = sql(`
  WITH given AS MATERIALIZED (
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:numbers AS integer[]), CAST(:ats AS timestamptz[]),
      CAST(:days AS date[]), CAST(:goods AS bigint[]), CAST(:refusals AS bigint[]))
      AS each (id, number, at, day, good, refused)
  ), locked AS MATERIALIZED (
    SELECT u.credential_id AS id, last.at
    FROM (SELECT id, max(at) AS at FROM given GROUP BY id) last
    JOIN credential_uses u ON u.credential_id = last.id
    ORDER BY u.credential_id FOR NO KEY UPDATE OF u
  ), noted AS (
    UPDATE credential_uses u SET last_used_at = locked.at, unused_since = greatest(u.unused_since, locked.at)
    FROM locked WHERE u.credential_id = locked.id AND u.last_used_at < locked.at
  ), versions AS (
    UPDATE credential_versions v SET last_used_at = used.at
    FROM (SELECT id, number, max(at) AS at FROM given WHERE number IS NOT NULL GROUP BY id, number) used
    WHERE v.credential_id = used.id AND v.number = used.number
      AND (v.last_used_at IS NULL OR v.last_used_at < used.at) AND (SELECT count(*) FROM locked) >= 0
  ), counted AS (
    INSERT INTO credential_days AS d (credential_id, day, good, refused)
    SELECT g.id, g.day, sum(g.good), sum(g.refused) FROM given g JOIN locked ON locked.id = g.id
    WHERE g.good + g.refused > 0 AND (SELECT count(*) FROM locked) >= 0
    GROUP BY g.id, g.day
    ON CONFLICT (credential_id, day) DO UPDATE SET good = d.good + excluded.good, refused = d.refused + excluded.refused
    RETURNING 1
  )
  INSERT INTO verification_days AS d (day, good, refused)
  SELECT g.day, sum(g.good), sum(g.refused) FROM given g JOIN locked ON locked.id = g.id
  WHERE g.good + g.refused > 0 AND (SELECT count(*) FROM counted) >= 0
  GROUP BY g.day ORDER BY g.day
  ON CONFLICT (day) DO UPDATE SET good = d.good + excluded.good, refused = d.refused + excluded.refused`);
