import { sql, type Database } from '../database.js';
import type { Log } from '../log.js';

/** Notes uses as they happen and writes them in batches: neither a use nor its writing waits for the other. */
export class LastUsed {
  #waiting = new Map<string, { id: string; number: number; at: string }>();
  #flushing: Promise<void> = Promise.resolve();

  constructor(
    private readonly db: Database,
    private readonly log: Log,
  ) {}

  /** @param at database time of the use, in UTC */
  note(id: string, number: number, at: string): void {
    this.#waiting.set(`${id}:${number}`, { id, number, at });
  }

  /** Writes what waits. What cannot be written waits on, and the log says so. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#write());
    return this.#flushing;
  }

  async #write(): Promise<void> {
    if (this.#waiting.size === 0) return;
    const batch = this.#waiting;
    this.#waiting = new Map();
    // In the order of their ids, so that two batches never lock rows in opposite orders.
    const uses = [...batch.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
    const parameters = {
      ids: uses.map(({ id }) => id),
      numbers: uses.map(({ number }) => number),
      ats: uses.map(({ at }) => at),
    };
    try {
      await this.db.transaction(async (tx) => {
        await tx.rows(usedCredentials, parameters);
        await tx.rows(usedVersions, parameters);
      });
    } catch (error) {
      this.log.error({ error, uses: uses.length }, 'uses could not be noted yet');
      for (const [key, use] of batch) if (!this.#waiting.has(key)) this.#waiting.set(key, use);
    }
  }
}

const used =
  'unnest(CAST(:ids AS uuid[]), CAST(:numbers AS integer[]), CAST(:ats AS timestamptz[])) AS used (id, number, at)';

const usedCredentials = sql(`
  UPDATE credential_uses u SET last_used_at = greatest(u.last_used_at, used.at), unused_since = greatest(u.unused_since, used.at)
  FROM (SELECT id, max(at) AS at FROM unnest(CAST(:ids AS uuid[]), CAST(:ats AS timestamptz[])) AS each (id, at) GROUP BY id) used
  WHERE u.credential_id = used.id`);

const usedVersions = sql(`
  UPDATE credential_versions v SET last_used_at = greatest(v.last_used_at, used.at)
  FROM ${used} WHERE v.credential_id = used.id AND v.number = used.number`);
