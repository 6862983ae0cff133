import { AsyncResource } from 'node:async_hooks';

/** What a queue does with what waits in it. */
export interface Writing<Item> {
  /** How many are written at once, so that no write takes long. */
  readonly atOnce: number;
  /** Writes these: all of them, or none where it throws. */
  write(items: Item[]): Promise<void>;
  /** Takes what could not be written into what has come under the same key meanwhile. */
  join(newer: Item, older: Item): void;
  /** Hears of what could not be written, and waits on. */
  failed(error: unknown, waiting: number): void;
}

/** Holds what is to be written soon, one of a key, and writes it in batches: who adds to it waits for nothing. */
export class WriteBehind<Item> {
  /** Where this was made, outside of any request: what is written is of many. */
  readonly #apart = new AsyncResource('WriteBehind');
  #waiting = new Map<string, Item>();
  #underWay = 0;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(private readonly writing: Writing<Item>) {}

  /** How many are not written yet, those under way among them. */
  get size(): number {
    return this.#waiting.size + this.#underWay;
  }

  /** What waits under this key, and may still be changed; undefined where nothing does. */
  waiting(key: string): Item | undefined {
    return this.#waiting.get(key);
  }

  /** Adds one, where none waits under this key. */
  add(key: string, item: Item): void {
    this.#waiting.set(key, item);
  }

  /**
   * Writes what waits now. What cannot be written waits on, and nothing is thrown. While a flush is under way, all who
   * ask share one more, which begins after it: however slow the writing, flushes do not pile up.
   */
  flush(): Promise<void> {
    this.#next ??= this.#apart.runInAsyncScope(() =>
      this.#running.then(() => {
        this.#next = undefined;
        return this.#write();
      }),
    );
    this.#running = this.#next;
    return this.#next;
  }

  async #write(): Promise<void> {
    const batch = [...this.#waiting];
    this.#waiting = new Map();
    const { atOnce } = this.writing;
    for (let from = 0; from < batch.length; from += atOnce) {
      this.#underWay = batch.length - from;
      try {
        await this.writing.write(batch.slice(from, from + atOnce).map(([, item]) => item));
      } catch (error) {
        this.#putBack(batch.slice(from));
        this.writing.failed(error, this.size);
        return;
      }
    }
    this.#underWay = 0;
  }

  /** Behind what has come meanwhile, which then does not wait for what can never be written. */
  #putBack(batch: [string, Item][]): void {
    this.#underWay = 0;
    for (const [key, item] of batch) {
      const newer = this.#waiting.get(key);
      if (newer) this.writing.join(newer, item);
      else this.#waiting.set(key, item);
    }
  }
}
