import { sql, type Database } from '../database/database.js';
import { unavailable } from '../errors.js';
import type { Log } from '../log.js';

const block = 65_536;
const warnAt = 2 ** 30;
const most = 2 ** 31;

/**
 * Counts how often each KEK has wrapped a data key: after 2^31 times its random nonces could repeat. Counted ahead in
 * blocks, so that a crash can only count too many.
 */
export class WrapCount {
  #left = new Map<string, number>();

  constructor(
    private readonly db: Database,
    private readonly log: Log,
  ) {}

  /** Takes one of the block. @throws UNAVAILABLE where the key must not be used any more. */
  take(kekId: string): void {
    const left = this.#left.get(kekId) ?? 0;
    if (left < 1) throw unavailable(`no wraps left for key ${kekId}`);
    this.#left.set(kekId, left - 1);
  }

  /** Reserves another block where less than half of one is left. */
  async reserve(id: string): Promise<void> {
    const left = this.#left.get(id) ?? 0;
    if (left > block / 2) return;
    const [counted] = await this.db.rows<{ wraps: string }>(count, { id, block, most });
    if (!counted) {
      this.log.error({ kek: id }, 'the key has wrapped as often as is safe: add another and make it current');
      return;
    }
    if (Number(counted.wraps) > warnAt)
      this.log.warn({ kek: id, wraps: counted.wraps }, 'the key should be replaced soon');
    this.#left.set(id, (this.#left.get(id) ?? 0) + block);
  }
}

/** Whether a KEK has wrapped so often that it should be replaced soon. Changes nothing. */
export async function isKekWorn(db: Database, id: string): Promise<boolean> {
  const [counted] = await db.rows<{ wraps: string }>(readCount, { id });
  return Number(counted?.wraps ?? 0) > warnAt;
}

const readCount = sql(`SELECT wraps::text AS wraps FROM keyring_keys WHERE kind = 'kek' AND id = :id`);
const count = sql(`
  UPDATE keyring_keys SET wraps = wraps + CAST(:block AS bigint)
  WHERE kind = 'kek' AND id = :id AND wraps + CAST(:block AS bigint) <= CAST(:most AS bigint) RETURNING wraps::text AS wraps`);
