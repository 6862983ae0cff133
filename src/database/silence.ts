import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseUnavailable } from '../errors.js';

/** How long nothing may be answered, while something waits for it, before the database is asked whether it is there. */
const quietMs = 2_500;
/** How long that question may take: with the two, whoever waits is answered within six seconds. */
const probeMs = 1_500;
const lookMs = 250;

/**
 * Notices that a database has stopped answering without a word: it is paused, or its packets go nowhere. Then every
 * connection that waits for it is given up, and nothing is begun, until it answers again. A statement that only takes
 * long is none of that.
 */
export class Silence<Client> {
  /** What waits for an answer. */
  readonly #held = new Set<Client>();
  /** What waits for a connection. */
  readonly #queue = new Set<() => void>();
  readonly #timer: NodeJS.Timeout;
  #answeredAtMs = performance.now();
  #isLooking = false;
  #isSilent = false;

  /**
   * @param probe resolves or rejects as soon as the database says anything, on a connection of its own
   * @param giveUp ends a connection, so that whoever waits for it is told
   */
  constructor(
    private readonly probe: () => Promise<unknown>,
    private readonly giveUp: (client: Client) => void,
  ) {
    this.#timer = setInterval(() => void this.#look(), lookMs);
    this.#timer.unref();
  }

  /**
   * Takes a connection, until `letGo`.
   * @param giveBack what is done with one that comes too late.
   * @throws UNAVAILABLE while the database is silent, and as soon as it is; what `connect` throws.
   */
  hold(connect: () => Promise<Client>, giveBack: (client: Client) => void): Promise<Client> {
    return new Promise((resolve, reject) => {
      const fallSilent = () => reject(new DatabaseUnavailable('the database has stopped answering'));
      if (this.#isSilent) return fallSilent();
      this.#queue.add(fallSilent);
      connect().then(
        (client) => {
          if (!this.#queue.delete(fallSilent)) return giveBack(client);
          this.#held.add(client);
          resolve(client);
        },
        (error: Error) => {
          this.#queue.delete(fallSilent);
          reject(error);
        },
      );
    });
  }

  letGo(client: Client): void {
    this.#held.delete(client);
  }

  /** To be told whenever the database has said something. */
  answered(): void {
    this.#answeredAtMs = performance.now();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#isLooking || !(this.#isSilent || this.#isQuiet())) return;
    this.#isLooking = true;
    const isHere = await this.#isHere();
    this.#isLooking = false;
    if (isHere) this.answered();
    if (!isHere && !this.#isSilent) {
      for (const client of this.#held) this.giveUp(client);
      for (const fallSilent of this.#queue) fallSilent();
      this.#queue.clear();
    }
    this.#isSilent = !isHere;
  }

  #isQuiet(): boolean {
    const waiting = this.#held.size + this.#queue.size > 0;
    return waiting && performance.now() - this.#answeredAtMs >= quietMs;
  }

  #isHere(): Promise<boolean> {
    const said = this.probe().then(
      () => true,
      () => true,
    );
    return Promise.race([said, sleep(probeMs, false)]);
  }
}
