import { sql } from '../../database/database.js';
import type { StoreParts } from '../../stores/open.js';
import { Slots, type Waiting } from '../../shares/slots.js';
import { nextInTurn } from '../../shares/tenant.js';
import { advance } from './advance.js';
import { leaseFrom, leaseMs } from './lease.js';

const mostAtOnce = 32;

interface Taken extends Waiting {
  fence: number;
}

/**
 * Takes up what a crash, or a store that did not answer, has left; and what is due by now. The tenants are served in
 * turn, and of each what is due for the longest.
 */
export class Resumption {
  readonly #slots = new Slots(mostAtOnce);

  constructor(readonly parts: StoreParts) {}

  /** Takes up what is due and nobody's, and returns without waiting for the stores. */
  async tick(): Promise<void> {
    let claimedAtMs = performance.now();
    void (await this.#slots.fill(
      (asked) => {
        claimedAtMs = performance.now();
        return this.parts.db.rows<Taken>(take, { ...asked, leaseMs });
      },
      (taken) => this.#go(taken, claimedAtMs),
    ));
  }

  /** Waits for what is under way. */
  stop(): Promise<void> {
    return this.#slots.end();
  }

  async #go({ id, fence }: Taken, claimedAtMs: number): Promise<void> {
    try {
      await advance(this.parts, leaseFrom(id, fence, claimedAtMs), true);
    } catch (error) {
      this.parts.log.error({ error, intent: id }, 'an intent failed and will be tried again');
    }
  }
}

const open = "i.state = 'OPEN' AND i.next_at <= now() AND i.lease_until <= now()";
// Of each store that has any, no more than can be taken: a store with very many makes the choice no slower.
const ofStores = `
  WITH RECURSIVE with_open (store_id) AS (
    (SELECT i.store_id FROM intents i WHERE i.state = 'OPEN' ORDER BY i.store_id LIMIT 1)
    UNION ALL
    SELECT (SELECT i.store_id FROM intents i WHERE i.state = 'OPEN' AND i.store_id > w.store_id
      ORDER BY i.store_id LIMIT 1) FROM with_open w WHERE w.store_id IS NOT NULL
  )
  SELECT first.id, s.account_id, first.at FROM with_open w JOIN stores s ON s.id = w.store_id
  CROSS JOIN LATERAL (
    SELECT i.id, i.next_at AS at FROM intents i WHERE i.store_id = w.store_id AND ${open}
    ORDER BY i.next_at LIMIT CAST(:share AS integer)) first`;
const take = sql(`
  WITH next AS MATERIALIZED (${nextInTurn(ofStores)}
  ), taken AS (
    SELECT i.id, next.tenant FROM intents i JOIN next ON next.id = i.id WHERE ${open} FOR UPDATE OF i SKIP LOCKED
  )
  UPDATE intents i SET fence = i.fence + 1, lease_until = now() + CAST(:leaseMs AS integer) * interval '1 millisecond'
  FROM taken WHERE i.id = taken.id
  RETURNING i.id, i.fence, taken.tenant`);
