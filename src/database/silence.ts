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
  #foundAtMs = performance.now();
  #isLooking = false;
  #isSilent = false;

  /**
   * @param probe resolves or rejects as soon as the database says anything, on a connection of its own
   * @param giveUp ends a connection, so that whoever waits for it is told
   * @param answeredAtMs when the database answered anything last, by `performance.now()`
   */
  constructor(
    private readonly probe: () => Promise<unknown>,
    private readonly giveUp: (client: Client) => void,
    private readonly answeredAtMs: () => number,
  ) {
    this.#timer = setInterval(() => void this.#look(), lookMs);
    this.#timer.unref();
  }

  /**
   * Takes a connection, until `letGo`.
   * @param giveBack what is done with one that comes too late.
   * @param longestMs how long it is waited for.
   * @throws UNAVAILABLE while the database is silent, and as soon as it is; where none is had in time; what `connect`
   * throws.
   */
  hold(
    connect: () => Promise<Client>,
    giveBack: (client: Client) => void,
    longestMs?: number,
  ): Promise<Client> {
    return new Promise((resolve, reject) => {
      const leave = (cause: string) => {
        this.#queue.delete(fallSilent);
        reject(new DatabaseUnavailable(cause));
      };
      const fallSilent = () => leave('the database has stopped answering');
      if (this.#isSilent) return fallSilent();
      this.#queue.add(fallSilent);
      const timer =
        longestMs === undefined ? undefined : setTimeout(leave, longestMs, 'no connection was free in time');
      connect()
        .finally(() => clearTimeout(timer))
        .then(
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

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#isLooking || !(this.#isSilent || this.#isQuiet())) return;
    this.#isLooking = true;
    const isHere = await this.#isHere();
    this.#isLooking = false;
    if (isHere) this.#foundAtMs = performance.now();
    if (!isHere && !this.#isSilent) {
      for (const client of this.#held) this.giveUp(client);
      for (const fallSilent of this.#queue) fallSilent();
    }
    this.#isSilent = !isHere;
  }

  #isQuiet(): boolean {
    const waiting = this.#held.size + this.#queue.size > 0;
    const saidAtMs = Math.max(this.#foundAtMs, this.answeredAtMs());
    return waiting && performance.now() - saidAtMs >= quietMs;
  }

  #isHere(): Promise<boolean> {
    const said = this.probe().then(
      () => true,
      () => true,
    );
    return Promise.race([said, sleep(probeMs, false)]);
  }
}
