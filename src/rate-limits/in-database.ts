import { Column, Entity, PrimaryColumn } from 'typeorm';
import { longestDatabaseWaitMs } from '../config/limits.js';
import { sql, type Database, type Sql } from '../database/database.js';
import { quotaWindowMs, shareOfRest, type PointsTaken, type Ledger } from './ledger.js';

/** What has been taken of a limit in its window. */
@Entity('rate_limits')
export class TakenOfLimit {
  @PrimaryColumn('text')
  name: string;

  @Column('integer')
  taken: number;

  /** What the last one that took was granted. */
  @Column('integer')
  granted: number;

  @Column('timestamptz', { name: 'ends_at' })
  endsAt: string;
}

/** The ledger in the database: one statement takes, outside of any transaction, and the clock is the database's. */
export const ledgerIn = (db: Database): Ledger => ({
  patienceMs: longestDatabaseWaitMs,
  take: async ({ name, points, needed, isFirst, limit }) => {
    const [granted] = await db.rows<PointsTaken>(take, { name, points, needed, isFirst, limit });
    if (!granted) throw new Error('nothing came back of a row that is always there');
    return granted;
  },
  close: () => Promise.resolve(),
});

/** Forgets windows that have ended. Returns how many there were. */
export async function forgetWindows(db: Sql): Promise<number> {
  for (let forgotten = 0; ;) {
    const rows = await db.rows(forget, { batch });
    forgotten += rows.length;
    if (rows.length < batch) return forgotten;
  }
}

const batch = 1_000;

// A row's own lock makes those that take at the same moment one after the other, over all replicas. A window that seems to
// begin later than the one who looks is that of a statement that began later and was first; one that ends much later is
// left from before the clock was set back.
const length = `(${quotaWindowMs} * interval '1 millisecond')`;
const isOpen = `(r.ends_at > now() AND r.ends_at < now() + 2 * ${length})`;
const before = `CASE WHEN ${isOpen} THEN r.taken ELSE 0 END`;
const rest = `(CAST(:limit AS integer) - ${before})`;
const open = `greatest(0, least(${rest}, CASE WHEN CAST(:isFirst AS boolean) AND ${rest} <= CAST(:points AS integer)
  THEN greatest(CAST(:needed AS integer), CAST(ceil(${rest} / ${shareOfRest}.0) AS integer))
  ELSE CAST(:points AS integer) END))`;
const take = {
  ...sql(`
  INSERT INTO rate_limits AS r (name, taken, granted, ends_at)
  VALUES (CAST(:name AS text), CAST(:points AS integer), CAST(:points AS integer), now() + ${length})
  ON CONFLICT (name) DO UPDATE SET taken = ${before} + ${open}, granted = ${open},
    ends_at = CASE WHEN ${isOpen} THEN r.ends_at ELSE excluded.ends_at END
  RETURNING r.granted AS points, r.taken,
    CAST(extract(epoch FROM r.ends_at - now()) * 1000 AS double precision) AS "leftMs"`),
  name: 'take-of-limit',
};

const forget = sql(`
  DELETE FROM rate_limits WHERE name IN (
    SELECT name FROM rate_limits WHERE ends_at <= now() ORDER BY ends_at
    LIMIT CAST(:batch AS integer) FOR UPDATE SKIP LOCKED)
  RETURNING 1`);
