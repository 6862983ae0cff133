import type { Upstream } from '../../connectors/connector.js';
import { sql, type Sql } from '../../database/database.js';
import { KeywayError } from '../../errors.js';
import { longestQueueMs, slowestStoreMs } from '../../config/limits.js';
import { forChange } from '../../stores/open.js';
import type { IntentDetails } from './intent.js';

/**
 * The right to work on an intent for a limited time. Who takes it up later has a higher fence, and only that one
 * settles.
 */
export interface Lease {
  readonly id: string;
  readonly fence: number;
  /** What is leased. */
  readonly of: 'intent' | 'leftover';
  /** Until when calls may be begun, by this process's own monotonic clock. */
  heldUntilMs: number;
}

/** How long an intent is another's; longer than a call takes at most. */
export const leaseMs = 12_000;
/** A call waits for its place at the store, and then for its answer. */
const longestCallMs = longestQueueMs + slowestStoreMs;
/** For the way to the database and back. */
const marginMs = 500;

/** Somebody else acts on the intent by now, or it is settled. */
export class LeaseLost extends Error {}

/** @param claimedAtMs by `performance.now()`, before the database was asked for it */
export const leaseFrom = (
  id: string,
  fence: number,
  claimedAtMs: number,
  of: Lease['of'] = 'intent',
): Lease => ({
  id,
  fence,
  of,
  heldUntilMs: claimedAtMs + leaseMs - marginMs,
});

/** The store, as far as the lease of a change goes: no call is begun that could outlast it (R12). */
export function leased(db: Sql, upstream: Upstream, lease: Lease): Upstream {
  const changing = forChange(upstream);
  return {
    ...changing,
    call: async (request) => {
      await hold(db, lease);
      return changing.call(request);
    },
  };
}

/** Makes sure that a call ends within the lease. @throws LeaseLost */
async function hold(db: Sql, lease: Lease): Promise<void> {
  const now = performance.now();
  if (now + longestCallMs < lease.heldUntilMs) return;
  if (now >= lease.heldUntilMs) throw new LeaseLost();
  if (!(await isRenewed(db, lease))) throw new LeaseLost();
  lease.heldUntilMs = now + leaseMs - marginMs;
}

/** If the database cannot tell, the lease counts as lost: who has it then finds out what was done. */
async function isRenewed(db: Sql, { id, fence, of }: Lease): Promise<boolean> {
  try {
    return (await db.rows(of === 'intent' ? renew : renewLeftover, { id, fence, leaseMs })).length > 0;
  } catch (error) {
    if (error instanceof KeywayError) return false;
    throw error;
  }
}

/** Puts on record when its store was asked for something, and what was there before. @throws LeaseLost */
export async function noteAsked(
  db: Sql,
  { id, fence }: Pick<Lease, 'id' | 'fence'>,
  noted: IntentDetails,
): Promise<void> {
  const kept = await db.rows(note, { id, fence, noted: JSON.stringify(noted) });
  if (kept.length === 0) throw new LeaseLost();
}

const note = sql(`
  UPDATE intents SET details = details || CAST(:noted AS jsonb)
  WHERE id = :id AND fence = :fence AND state = 'OPEN' RETURNING id`);
const renewLeftover = sql(`
  UPDATE leftovers SET lease_until = now() + CAST(:leaseMs AS integer) * interval '1 millisecond'
  WHERE id = :id AND fence = :fence AND lease_until > now() RETURNING id`);
const renew = sql(`
  UPDATE intents SET lease_until = now() + CAST(:leaseMs AS integer) * interval '1 millisecond'
  WHERE id = :id AND fence = :fence AND state = 'OPEN' AND lease_until > now() RETURNING id`);
