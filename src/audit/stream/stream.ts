import { sql, type Database } from '../../database/database.js';
import { newId } from '../../ids.js';
import type { Log } from '../../log.js';
import type { AuditEvent } from '../audit-event.js';
import { hashedColumns } from '../columns.js';
import type { AuditSink } from './sink.js';
import { whyNotTaken } from './sink-fault.js';
import { streamedEvent } from './streamed-event.js';

/** How far a stream is behind the log. */
export interface StreamLag {
  readonly events: number;
  /** How old the oldest of them is, in seconds. */
  readonly seconds: number;
}

/**
 * Hands the events of the audit log to a sink: each at least once, those of a chain in their order. How far each chain was
 * handed over is in the database, so that any Keyway goes on where another has stopped; one does so at a time.
 */
export class AuditStream {
  readonly #owner = newId();
  /** The chain after which the next look begins: none keeps the others waiting. */
  #from = none;
  #isClosing = false;
  #failures = 0;
  #waitUntilMs = 0;
  #lag: StreamLag | undefined;
  #lagSeenMs = -Infinity;

  constructor(
    private readonly db: Database,
    private readonly sink: AuditSink,
    private readonly log: Log,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** What was behind at the last count; undefined where another Keyway streams. */
  get lag(): StreamLag | undefined {
    return this.#lag;
  }

  /** Whether the sink has not taken what it was handed last. */
  get isFailing(): boolean {
    return this.#failures > 0;
  }

  /** Hands over what there is, unless another Keyway does, or the sink has failed a short while ago. */
  async tick(): Promise<void> {
    if (this.now() < this.#waitUntilMs) return;
    for (let round = 0; round < roundsATick && !this.#isClosing; round++) {
      if ((await this.db.rows(holdLease, { owner: this.#owner })).length === 0) {
        this.#lag = undefined;
        return;
      }
      const rows = await this.#next();
      if (rows.length === 0 && !this.sink.owes) break;
      if (!(await this.#handOver(rows))) break;
    }
    await this.#count();
  }

  /** Begins nothing more, and breaks off what is being sent: it comes again. */
  async leave(): Promise<void> {
    this.#isClosing = true;
    await this.sink.close();
  }

  /** Lets another Keyway go on, once the last tick has ended. */
  async close(): Promise<void> {
    await this.leave();
    await this.db.rows(endLease, { owner: this.#owner }).catch(() => undefined);
  }

  async #next(): Promise<AuditEvent[]> {
    const rows = await this.db.rows<AuditEvent>(readNext, { from: this.#from, most });
    const last = rows.at(-1);
    if (last) this.#from = last.accountId;
    else if (this.#from !== none) {
      this.#from = none;
      return this.db.rows<AuditEvent>(readNext, { from: none, most });
    }
    return rows;
  }

  /** @returns whether there is reason to go on */
  async #handOver(rows: readonly AuditEvent[]): Promise<boolean> {
    try {
      await this.sink.send(rows.map(streamedEvent));
    } catch (error) {
      this.#failures++;
      const waitMs = Math.min(longestWaitMs, 500 * 2 ** Math.min(this.#failures, 10));
      this.#waitUntilMs = this.now() + waitMs;
      if (this.#failures === 1)
        this.log.error(
          { why: whyNotTaken(error), sink: this.sink.name },
          'the audit log cannot be streamed, and will be tried again',
        );
      return false;
    }
    if (this.#failures > 0) this.log.info({ sink: this.sink.name }, 'the audit log is streamed again');
    this.#failures = 0;
    const ends = new Map(rows.map(({ accountId, number }) => [accountId, number]));
    const moved = await this.db.rows(move, {
      owner: this.#owner,
      accounts: [...ends.keys()],
      numbers: [...ends.values()],
    });
    return moved.length > 0;
  }

  /** Counts what is behind, now and then: that looks at each chain. */
  async #count(): Promise<void> {
    if (this.now() - this.#lagSeenMs < countEveryMs) return;
    this.#lagSeenMs = this.now();
    const [lag] = await this.db.rows<StreamLag>(countBehind);
    this.#lag = lag;
  }
}

const none = '00000000-0000-0000-0000-000000000000';
const most = 500;
/** Then other work of this process has its turn. */
const roundsATick = 20;
const countEveryMs = 10_000;
const longestWaitMs = 60_000;
const leaseSeconds = 30;

const holdLease = sql(`
  INSERT INTO audit_stream_lease AS l (id, owner, until_at)
  VALUES (1, CAST(:owner AS uuid), now() + interval '${leaseSeconds} seconds')
  ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, until_at = excluded.until_at
    WHERE l.owner = excluded.owner OR l.until_at <= now()
  RETURNING l.id`);
const endLease = sql('DELETE FROM audit_stream_lease WHERE owner = CAST(:owner AS uuid)');
const behind = `audit_heads h LEFT JOIN audit_streamed s ON s.account_id = h.account_id
  WHERE h.number > coalesce(s.number, 0)`;
const readNext = sql(`
  SELECT ${hashedColumns}
  FROM (
    SELECT h.account_id, coalesce(s.number, 0) AS after FROM ${behind} AND h.account_id > CAST(:from AS uuid)
    ORDER BY h.account_id LIMIT CAST(:most AS integer)
  ) chain
  CROSS JOIN LATERAL (
    SELECT * FROM audit_events e WHERE e.account_id = chain.account_id AND e.number > chain.after
    ORDER BY e.number LIMIT 100
  ) e
  ORDER BY e.account_id, e.number LIMIT CAST(:most AS integer)`);
// Only by who holds the lease: another one may have gone on meanwhile.
const move = sql(`
  INSERT INTO audit_streamed AS s (account_id, number)
  SELECT sent.account_id, sent.number
  FROM unnest(CAST(:accounts AS uuid[]), CAST(:numbers AS bigint[])) AS sent (account_id, number),
    (SELECT FROM audit_stream_lease WHERE owner = CAST(:owner AS uuid) AND until_at > now() FOR UPDATE) AS held
  ON CONFLICT (account_id) DO UPDATE SET number = greatest(s.number, excluded.number)
  RETURNING 1`);
const countBehind = sql(`
  SELECT coalesce(sum(h.number - coalesce(s.number, 0)), 0)::double precision AS events,
    coalesce(extract(epoch FROM now() - min((
      SELECT e.at FROM audit_events e WHERE e.account_id = h.account_id AND e.number = coalesce(s.number, 0) + 1
    ))), 0)::double precision AS seconds
  FROM ${behind}`);
