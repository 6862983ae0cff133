import { sql } from '../../database/database.js';
import type { StoreParts } from '../../stores/open.js';
import { advance } from './advance.js';
import { clear } from './clear.js';
import { leaseFrom, leaseMs } from './lease.js';

const mostAtOnce = 16;

/** Takes up what a crash, or a store that did not answer, has left; and what is due by now. */
export class Resumption {
  readonly #running = new Set<Promise<void>>();

  constructor(readonly parts: StoreParts) {}

  /** Takes up what is due and nobody's, and returns without waiting for the stores. */
  async tick(): Promise<void> {
    const free = mostAtOnce - this.#running.size;
    if (free <= 0) return;
    const claimedAtMs = performance.now();
    const { db, log } = this.parts;
    const begin = (id: string, work: Promise<void>) => {
      const run = work
        .catch((error: unknown) =>
          log.error({ error, intent: id }, 'an intent failed and will be tried again'),
        )
        .finally(() => this.#running.delete(run));
      this.#running.add(run);
    };
    const intents = await db.rows<Taken>(take, { free, leaseMs });
    for (const { id, fence } of intents)
      begin(id, advance(this.parts, leaseFrom(id, fence, claimedAtMs), true));
    if (intents.length === free) return;
    const clearing = performance.now();
    const leftovers = await db.rows<Taken>(takeLeftovers, { free: free - intents.length, leaseMs });
    for (const { id, fence } of leftovers)
      begin(id, clear(this.parts, leaseFrom(id, fence, clearing, 'leftover')));
  }

  /** Waits for what is under way. */
  async stop(): Promise<void> {
    await Promise.all(this.#running);
  }
}

interface Taken {
  id: string;
  fence: number;
}

const takeLeftovers = sql(`
  UPDATE leftovers SET fence = fence + 1, lease_until = now() + CAST(:leaseMs AS integer) * interval '1 millisecond'
  WHERE id IN (
    SELECT id FROM leftovers WHERE due_at <= now() AND lease_until <= now()
    ORDER BY due_at LIMIT CAST(:free AS integer) FOR UPDATE SKIP LOCKED)
  RETURNING id, fence`);
const take = sql(`
  UPDATE intents SET fence = fence + 1, lease_until = now() + CAST(:leaseMs AS integer) * interval '1 millisecond'
  WHERE id IN (
    SELECT id FROM intents WHERE state = 'OPEN' AND next_at <= now() AND lease_until <= now()
    ORDER BY next_at LIMIT CAST(:free AS integer) FOR UPDATE SKIP LOCKED)
  RETURNING id, fence`);
