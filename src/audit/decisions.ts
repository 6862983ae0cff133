import type { Decision } from '../access/context.js';
import type { Database } from '../database/database.js';
import { unavailable } from '../errors.js';
import type { Keyring } from '../keyring/keyring.js';
import { mostDecisions } from '../config/limits.js';
import type { Log } from '../log.js';
import { WriteBehind } from '../database/write-behind.js';
import { linkAll, type Told } from './chain.js';
import { eventOf } from './decision.js';

/** From so many different ones on, those that have a crowd are told by it alone. */
const crowded = 200;
/** The heads of their chains are held while they are written, and deeds on the same accounts wait for that. */
const atOnce = 500;

/**
 * Decisions that are put on record after they were made: refusals, failures and verifications, in batches. Each is
 * counted in one event, and a flood of them costs few. Where the answer to a commit is lost, what was in it is written
 * again: counted twice rather than not at all.
 */
export class Decisions {
  readonly #queue: WriteBehind<Told>;

  constructor(db: Database, keyring: Keyring, log: Log) {
    this.#queue = new WriteBehind<Told>({
      atOnce,
      write: (told) => db.transaction((tx) => linkAll(tx, keyring, told)),
      join: (newer, older) => void (newer.times += older.times),
      failed: (error, waiting) => log.error({ error, waiting }, 'decisions could not be recorded yet'),
    });
  }

  /**
   * Takes a decision in, to be on record within a second.
   * @param crowd what is counted in its place while too many different ones wait to tell each by itself
   * @throws UNAVAILABLE where too many wait to take in another
   */
  note(decision: Decision, crowd?: Decision): void {
    const told = crowd && this.#queue.size >= crowded ? crowd : decision;
    const key = decisionKey(told);
    const known = this.#queue.waiting(key);
    if (known) known.times++;
    else if (this.#queue.size >= mostDecisions) throw unavailable();
    else this.#queue.add(key, eventOf(told));
  }

  /** How many wait to be put on record. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Writes what waits. What cannot be written waits on, and the log says so. */
  flush(): Promise<void> {
    return this.#queue.flush();
  }
}

/**
 * The same for two decisions if and only if they tell the same, whatever is in them; the request is left aside. All are
 * made by `decisionOf`, with their members in one order.
 */
export function decisionKey(told: Decision): string {
  let key = '';
  for (const [name, value] of Object.entries({ ...told })) if (name !== 'requestId') key += part(value);
  return key;
}

// With its length before it, no text can end early and go on as the next part.
const part = (value: string | null): string => (value === null ? '-' : `${value.length}:${value}`);
