import type { Upstream } from '../../connectors/connector.js';
import { sql, type Database, type Sql } from '../../database/database.js';
import { KeywayError } from '../../errors.js';
import { newId } from '../../ids.js';
import { StoreError } from '../../connectors/store-error.js';
import { Slots, type Waiting } from '../../shares/slots.js';
import { nextInTurn } from '../../shares/tenant.js';
import { holdStore } from '../../stores/find.js';
import { noteHealth, problemIn } from '../../stores/health.js';
import { withStore, type OpenStore, type StoreParts } from '../../stores/open.js';
import { longestListing } from '../../config/limits.js';
import { markGone, takeIn } from './take-in.js';

const batch = 500;
const mostAtOnce = 8;
/** How long a sync reads on while others wait. */
const turnMs = 10_000;
const leaseSeconds = 60;
/** After a store that cannot be reached, and was not waited for. */
const againMs = 30_000;

interface Run extends Waiting {
  storeId: string;
  fence: number;
  startedAt: string;
  resumeFrom: string | null;
  /** No later than the part that is read now was asked for, by the clock of the database. */
  askedAt: string;
  unread: readonly string[];
  /** What was read of the listing by now, over all turns, and for how long. */
  parts: number;
  entries: number;
  readMs: number;
  /** When this turn began, or `readMs` was last counted, by this process's own monotonic clock. */
  countedAtMs: number;
}

/** How much is read of a listing, in all, and for how long at a time while others wait. */
interface Bounds {
  readonly parts: number;
  readonly entries: number;
  readonly readMs: number;
  readonly turnMs: number;
}

/** Somebody else goes on with it by now, this process is to stop, or others are to have their turn. */
class BrokenOff extends Error {}

/**
 * Syncs stores: brings what each lists into the inventory, batch by batch, each with the place to go on from.
 * One run at a time for each store; what breaks off is taken up there, by this process or another. The tenants are served
 * in turn, and a listing that takes long makes room for those that wait, between two parts.
 */
export class Syncs {
  readonly #slots = new Slots(mostAtOnce);
  #stopping = false;

  /**
   * @param everyMs how often a store is synced by itself; never, if 0
   * @param bounds how much is read of a listing
   */
  constructor(
    readonly parts: StoreParts,
    readonly everyMs: number,
    readonly bounds: Bounds = { ...longestListing, turnMs },
  ) {}

  /** Begins those that are due and goes on with those that nobody runs; returns without waiting for them. */
  async tick(): Promise<void> {
    const { db } = this.parts;
    if (this.everyMs > 0)
      for (const { id } of await db.rows<{ id: string }>(due, { everyMs: this.everyMs })) await begin(db, id);
    await this.goOn();
  }

  /** Goes on with those that are begun and that nobody runs; returns without waiting for them. */
  async goOn(): Promise<void> {
    void (await this.#slots.fill(
      async (asked) =>
        this.#stopping ? [] : this.parts.db.rows<Omit<Run, 'countedAtMs'>>(take, { ...asked }),
      (run) => this.#go({ ...run, countedAtMs: performance.now() }),
    ));
  }

  /** Breaks off what runs, at the end of its batch. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#slots.end();
  }

  async #go(run: Run): Promise<void> {
    try {
      await this.#run(run);
    } catch (error) {
      this.parts.log.error({ error, store: run.storeId }, 'a sync failed');
    }
  }

  async #run(run: Run): Promise<void> {
    const { db } = this.parts;
    try {
      await withStore(this.parts, run.storeId, (open) => this.#takeStock(open, run));
      await noteHealth(db, run.storeId, null);
    } catch (error) {
      if (error instanceof BrokenOff)
        return void (await db.rows(pause, { ...mine(run), waitMs: 0, error: null }));
      if (!(error instanceof KeywayError)) {
        // It would most likely go wrong again: the next sync is time enough.
        await db.rows(finish, { ...mine(run), error: 'INTERNAL_SERVER_ERROR' });
        throw error;
      }
      const { code } = error;
      // What Keyway's own count of calls puts off says nothing of the store.
      const wasAsked = error instanceof StoreError && (error.sent || code !== 'RATE_LIMITED');
      if (wasAsked) await noteHealth(db, run.storeId, problemIn(error));
      // What was refused will be refused again: that is for a person to look at.
      if (code !== 'UNAVAILABLE' && code !== 'RATE_LIMITED')
        return void (await db.rows(finish, { ...mine(run), error: code }));
      const waitMs = error instanceof StoreError ? (error.retryAfterMs ?? againMs) : againMs;
      await db.rows(pause, { ...mine(run), waitMs, error: code });
    }
  }

  async #takeStock({ store, connector, upstream }: OpenStore, run: Run): Promise<void> {
    const { db, log } = this.parts;
    const { keeps = [] } = connector;
    const listed = connector.list?.(this.#renewing(upstream, run), run.resumeFrom);
    if (!listed || store.accountId === null) throw new KeywayError('UNSUPPORTED');
    const of = { id: store.id, accountId: store.accountId };
    if (run.resumeFrom === null) run.unread = [];
    let isWhole = true;
    const turnEndsAt = performance.now() + this.bounds.turnMs;
    for await (const { entries, unread = [], incomplete, followed, sinceFirst, next } of listed) {
      isWhole = !incomplete;
      run.unread = [...new Set([...run.unread, ...unread])];
      run.parts++;
      run.entries += entries.length;
      let heldAt = run.askedAt;
      for (let start = 0; start === 0 || start < entries.length; start += batch) {
        if (this.#stopping) throw new BrokenOff();
        const part = entries.slice(start, start + batch);
        const isLast = start + batch >= entries.length;
        await db.transaction(async (tx) => {
          await holdStore(tx, store.id);
          // The place to go on from is that of the whole part: what is listed twice does no harm.
          heldAt = await hold(tx, run, isLast ? next : run.resumeFrom);
          const { added, changed, left, rolesLeft } =
            part.length === 0
              ? { added: 0, changed: 0, left: 0, rolesLeft: 0 }
              : await takeIn(tx, of, part, keeps, sinceFirst ? run.startedAt : run.askedAt, followed);
          if (left > 0) log.warn({ store: store.id, left }, 'a listing has entries that cannot be kept');
          await tx.rows(count, { id: run.id, added, changed, gone: 0, rolesLeft });
        });
      }
      run.resumeFrom = next;
      run.askedAt = heldAt;
      if (next !== null) this.#expectWithin(run);
      if (next !== null && performance.now() >= turnEndsAt && (await db.rows(waits)).length > 0)
        throw new BrokenOff();
    }
    for (let gone = isWhole ? batch : 0; gone === batch;) {
      gone = await db.transaction(async (tx) => {
        await hold(tx, run, run.resumeFrom);
        const marked = await markGone(tx, run, batch);
        await tx.rows(count, { id: run.id, added: 0, changed: 0, gone: marked, rolesLeft: 0 });
        return marked;
      });
    }
    await db.rows(finish, { ...mine(run), error: run.unread.length > 0 || !isWhole ? 'PARTIAL' : null });
  }

  /** The store, in the background, with the lease of the run kept while a part of the listing takes many calls. */
  #renewing(upstream: Upstream, run: Run): Upstream {
    let heldAt = performance.now();
    return {
      ...upstream,
      call: async (request) => {
        if (performance.now() - heldAt > (leaseSeconds * 1000) / 3) {
          await hold(this.parts.db, run, run.resumeFrom);
          heldAt = performance.now();
        }
        this.#expectWithin(run);
        return upstream.call({ ...request, background: true });
      },
    };
  }

  /** @throws LIMIT_EXCEEDED for a listing that goes on beyond what is read of one: nothing is called gone by it. */
  #expectWithin(run: Run): void {
    const { parts, entries, readMs } = this.bounds;
    countTime(run);
    if (run.parts >= parts || run.entries >= entries || run.readMs >= readMs)
      throw new KeywayError('LIMIT_EXCEEDED');
  }
}

/** Puts a run on record, where none is under way, and has one that waits go on at once. */
export async function begin(db: Pick<Database, 'rows'>, storeId: string): Promise<void> {
  await db.rows(insert, { id: newId(), storeId });
}

/**
 * Keeps the lease of a run, and how far it has come. Returns the time.
 * @throws BrokenOff where it is somebody else's by now
 */
async function hold(on: Sql, run: Run, next: string | null): Promise<string> {
  countTime(run);
  const { unread, parts, entries, readMs } = run;
  const [held] = await on.rows<{ at: string }>(advance, {
    ...mine(run),
    unread,
    next,
    parts,
    entries,
    readMs: Math.round(readMs),
  });
  if (!held) throw new BrokenOff();
  return held.at;
}

function countTime(run: Run): void {
  const now = performance.now();
  run.readMs += now - run.countedAtMs;
  run.countedAtMs = now;
}

const mine = ({ id, fence }: Run) => ({ id, fence });

const insert = sql(`
  INSERT INTO syncs AS s (id, store_id, started_at, lease_until, next_at)
  VALUES (:id, :storeId, clock_timestamp(), '-infinity', now())
  ON CONFLICT (store_id) WHERE finished_at IS NULL DO UPDATE SET next_at = least(s.next_at, now()) RETURNING id`);
const due = sql(`
  SELECT s.id FROM stores s WHERE s.deleted_at IS NULL AND s.sealed IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM syncs y WHERE y.store_id = s.id
      AND (y.finished_at IS NULL OR y.started_at > now() - CAST(:everyMs AS double precision) * interval '1 millisecond'))`);
const toGoOn = 'y.finished_at IS NULL AND y.next_at <= now() AND y.lease_until <= now()';
const take = sql(`
  WITH next AS MATERIALIZED (${nextInTurn(`
    SELECT y.id, s.account_id, y.next_at AS at FROM syncs y JOIN stores s ON s.id = y.store_id WHERE ${toGoOn}`)}
  ), taken AS (
    SELECT y.id, next.tenant FROM syncs y JOIN next ON next.id = y.id WHERE ${toGoOn} FOR UPDATE OF y SKIP LOCKED
  )
  UPDATE syncs y SET fence = y.fence + 1, lease_until = now() + interval '${leaseSeconds} seconds', error = NULL
  FROM taken WHERE y.id = taken.id
  RETURNING y.id, taken.tenant, y.store_id AS "storeId", y.fence, y.started_at AS "startedAt",
    y.resume_from AS "resumeFrom", y.unread, y.parts, y.entries, y.read_ms AS "readMs", clock_timestamp() AS "askedAt"`);
const waits = sql(`SELECT 1 AS one FROM syncs y WHERE ${toGoOn} LIMIT 1`);
const advance = sql(`
  UPDATE syncs SET resume_from = :next, unread = CAST(:unread AS text[]),
    parts = CAST(:parts AS integer), entries = CAST(:entries AS integer), read_ms = CAST(:readMs AS integer),
    lease_until = now() + interval '${leaseSeconds} seconds'
  WHERE id = :id AND fence = :fence AND finished_at IS NULL RETURNING clock_timestamp() AS at`);
const count = sql(`
  UPDATE syncs SET added = added + CAST(:added AS integer), changed = changed + CAST(:changed AS integer),
    gone = gone + CAST(:gone AS integer), roles_left = roles_left + CAST(:rolesLeft AS integer) WHERE id = :id RETURNING id`);
const pause = sql(`
  UPDATE syncs SET lease_until = now(), error = :error,
    next_at = now() + CAST(:waitMs AS double precision) * interval '1 millisecond'
  WHERE id = :id AND fence = :fence AND finished_at IS NULL RETURNING id`);
const finish = sql(`
  UPDATE syncs SET finished_at = clock_timestamp(), lease_until = now(), error = :error
  WHERE id = :id AND fence = :fence AND finished_at IS NULL RETURNING id`);
