import { sql, type Database } from './database.js';

const staleMs = 60 * 60_000;

/**
 * What the autovacuum of a server does, for the embedded database, which has no such process
 * (https://www.postgresql.org/docs/current/routine-vacuuming.html): without it statements are planned as for empty
 * tables, and the room of rows that were changed is never used again.
 * A table is due an hour after it was last seen to, and sooner where it has grown to twice its size.
 */
export class Upkeep {
  /** When each table was last seen to. */
  readonly #seenTo = new Map<string, number>();
  readonly #openedMs: number;

  /** @param now milliseconds of a clock that is never set. */
  constructor(
    private readonly db: Database,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#openedMs = now();
  }

  /** Sees to the tables that are due, one after the other: others' statements have their turn between them. */
  async tick(): Promise<void> {
    const tables = await this.db.rows<{ name: string; grown: boolean }>(sizes);
    for (const { name, grown } of tables) {
      const sinceMs = this.now() - (this.#seenTo.get(name) ?? this.#openedMs);
      if (!grown && sinceMs < staleMs) continue;
      this.#seenTo.set(name, this.now());
      await this.db.source.query(`VACUUM (ANALYZE) ${name}`);
    }
  }
}

// In pages, as each VACUUM counts them. Small tables are read whole, however they are planned.
const sizes = sql(`
  SELECT quote_ident(relname) AS name, pg_relation_size(oid) / 8192 > 2 * relpages + 16 AS grown
  FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY relname`);
