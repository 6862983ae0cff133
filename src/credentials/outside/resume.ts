import { sql, type Sql, type Statement } from '../../database/database.js';
import { Slots, type Waiting } from '../../shares/slots.js';
import { nextInTurn } from '../../shares/tenant.js';
import type { StoreParts } from '../../stores/open.js';
import { advance } from './advance.js';
import { clear } from './clear.js';
import { leaseFrom, leaseMs, type Lease } from './lease.js';

const mostIntents = 32;
const mostLeftovers = 16;

interface Taken extends Waiting {
  fence: number;
}

/**
 * Takes up what a crash, or a store that did not answer, has left; and what is due by now. The tenants are served in
 * turn, and of each what is due for the longest. What only has to be ended has slots of its own: it waits longest where a
 * store refuses, and keeps no change waiting.
 */
export class Resumption {
  readonly #intents = new Slots(mostIntents);
  readonly #leftovers = new Slots(mostLeftovers);

  constructor(readonly parts: StoreParts) {}

  /** Takes up what is due and nobody's, and returns without waiting for the stores. */
  async tick(): Promise<void> {
    await this.#take(this.#intents, takeIntents, 'intent', (lease) => advance(this.parts, lease, true));
    await this.#take(this.#leftovers, takeLeftovers, 'leftover', (lease) => clear(this.parts, lease));
  }

  /** Waits for what is under way. */
  async stop(): Promise<void> {
    await Promise.all([this.#intents.end(), this.#leftovers.end()]);
  }

  async #take(slots: Slots, statement: Statement, of: Lease['of'], work: (lease: Lease) => Promise<void>) {
    let claimedAtMs = performance.now();
    void (await slots.fill(
      (asked) => {
        claimedAtMs = performance.now();
        return this.parts.db.rows<Taken>(statement, { ...asked, leaseMs });
      },
      async ({ id, fence }) => {
        try {
          await work(leaseFrom(id, fence, claimedAtMs, of));
        } catch (error) {
          this.parts.log.error({ error, [of]: id }, 'a change in a store failed and will be tried again');
        }
      },
    ));
  }
}

/** How many changes wait to be done by their store, for how many seconds the oldest; and what came out unknown. */
export async function openNow(
  db: Sql,
): Promise<{ openIntents: number; openIntentsSeconds: number; unknown: number }> {
  const [now] = await db.rows<Awaited<ReturnType<typeof openNow>>>(countOpen);
  return now ?? { openIntents: 0, openIntentsSeconds: 0, unknown: 0 };
}

const countOpen = sql(`
  SELECT CAST(count(*) AS integer) AS "openIntents",
    coalesce(max(extract(epoch FROM now() - i.created_at))::double precision, 0) AS "openIntentsSeconds",
    (SELECT CAST(count(*) AS integer) FROM credentials c
      WHERE c.standing <> 'KNOWN' AND c.standing = 'UNKNOWN' AND c.revoked_at IS NULL) AS unknown
  FROM intents i WHERE i.state = 'OPEN'`);

/**
 * SQL that leases rows `t` of a table to this process. Of each store that has any, no more are looked at than can be
 * taken: a store with very many makes the choice no slower.
 * @param listed the rows that wait at all, by whose stores there is an index
 */
const taking = (table: string, listed: string, due: string): string => {
  const open = `${listed} AND ${due} <= now() AND t.lease_until <= now()`;
  const ofStores = `
    WITH RECURSIVE with_open (store_id) AS (
      (SELECT t.store_id FROM ${table} t WHERE ${listed} ORDER BY t.store_id LIMIT 1)
      UNION ALL
      SELECT (SELECT t.store_id FROM ${table} t WHERE ${listed} AND t.store_id > w.store_id
        ORDER BY t.store_id LIMIT 1) FROM with_open w WHERE w.store_id IS NOT NULL
    )
    SELECT first.id, s.account_id, first.at FROM with_open w JOIN stores s ON s.id = w.store_id
    CROSS JOIN LATERAL (
      SELECT t.id, ${due} AS at FROM ${table} t WHERE t.store_id = w.store_id AND ${open}
      ORDER BY ${due} LIMIT CAST(:share AS integer)) first`;
  return `
    WITH next AS MATERIALIZED (${nextInTurn(ofStores)}
    ), taken AS (
      SELECT t.id, next.tenant FROM ${table} t JOIN next ON next.id = t.id WHERE ${open} FOR UPDATE OF t SKIP LOCKED
    )
    UPDATE ${table} t SET fence = t.fence + 1, lease_until = now() + CAST(:leaseMs AS integer) * interval '1 millisecond'
    FROM taken WHERE t.id = taken.id
    RETURNING t.id, t.fence, taken.tenant`;
};

const takeIntents = sql(taking('intents', "t.state = 'OPEN'", 't.next_at'));
const takeLeftovers = sql(taking('leftovers', 'true', 't.due_at'));
