import type { Database } from '../database.js';
import { unavailable } from '../errors.js';
import type { Keyring } from '../keyring/keyring.js';
import type { Log } from '../log.js';
import { AuditOutcome } from './audit-event.js';
import { link, type Told } from './chain.js';

/** A refusal or failure, as it is queued; equal ones are counted together. */
export type Refusal = Omit<Told, 'times' | 'changed'>;

const mostWaiting = 10_000;

/** Records who was turned away, from what and with which code, in batches: a flood of refusals costs few rows. */
export class Refusals {
  #waiting = new Map<string, Told>();
  #flushing: Promise<void> = Promise.resolve();

  constructor(
    private readonly db: Database,
    private readonly keyring: Keyring,
    private readonly log: Log,
  ) {}

  /** Takes it in, to be on record within a second. @throws UNAVAILABLE where too many wait already. */
  note(refusal: Refusal): void {
    const key = JSON.stringify({ ...refusal, requestId: undefined });
    const known = this.#waiting.get(key);
    if (known) known.times++;
    else if (this.#waiting.size >= mostWaiting) throw unavailable();
    else this.#waiting.set(key, { ...refusal, changed: [], times: 1 });
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
    // By account, so that two batches never lock chains in opposite orders.
    const events = [...batch.values()].sort((one, other) => (one.accountId < other.accountId ? -1 : 1));
    try {
      await this.db.transaction(async (tx) => {
        for (const event of events) await link(tx, this.keyring, event);
      });
    } catch (error) {
      this.log.error({ error, refusals: events.length }, 'refusals could not be recorded yet');
      for (const [key, event] of batch) {
        const newer = this.#waiting.get(key);
        if (newer) newer.times += event.times;
        else this.#waiting.set(key, event);
      }
    }
  }
}

/** Whether a code says that somebody was turned away, and not that something went wrong. */
export const outcomeOf = (code: string): AuditOutcome =>
  ['UNAUTHENTICATED', 'FORBIDDEN', 'NOT_FOUND', 'RATE_LIMITED', 'LIMIT_EXCEEDED'].includes(code)
    ? AuditOutcome.REFUSED
    : AuditOutcome.FAILED;
