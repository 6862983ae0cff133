import type { RequestContext } from '../access/context.js';

/** How long a window is: what was taken in it counts until its end. */
export const quotaWindowMs = 60_000;

/** A part of a limit that a process wants to have. */
export interface PointsWanted {
  /** Whose limit it is, and which. */
  readonly name: string;
  readonly points: number;
  /** How many of them are spent at once: fewer are of no use. */
  readonly needed: number;
  /** Whether the process has taken nothing in this window yet. */
  readonly isFirst: boolean;
  /** What all processes may take together in one window. */
  readonly limit: number;
}

/**
 * The part of the rest that a process is given which comes when there is no whole block left any more: so that there is
 * something for each, however many there are.
 */
export const shareOfRest = 10;

/** What it was given of that. */
export interface PointsTaken {
  /** What was wanted, or the rest where that is less; of that, who comes first is given a share, or what it needs. */
  readonly points: number;
  /** What has been taken in this window by all, this included. */
  readonly taken: number;
  /** How long the window goes on, in milliseconds. It began with the first that was taken. */
  readonly leftMs: number;
}

/** Where all processes take their parts from, so that together they never have more than there is. */
export interface Ledger {
  /** How long a request waits for an answer, in milliseconds. */
  readonly patienceMs: number;
  /** @throws where it cannot be reached, with words that hold nothing secret */
  take(wanted: PointsWanted): Promise<PointsTaken>;
  close(): Promise<void>;
}

/** How long a ledger that has not answered is left alone. */
const restMs = 1_000;

/**
 * A ledger that may be away: then nobody waits for it, one asks again each second, and the log tells once that it went and
 * once that it came back.
 */
export class WatchedLedger {
  #isAway = false;
  #restsUntil = 0;

  /** @param now milliseconds of a clock that is never set */
  constructor(
    private readonly ledger: Ledger,
    private readonly log: Pick<RequestContext['log'], 'info' | 'warn'>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Whether it answered when it was last asked. */
  get isReachable(): boolean {
    return !this.#isAway;
  }

  /** Whether it is worth asking. */
  get isDue(): boolean {
    return !this.#isAway || this.now() >= this.#restsUntil;
  }

  /** Takes points; undefined where it is away. Never throws. */
  async take(wanted: PointsWanted): Promise<PointsTaken | undefined> {
    if (!this.isDue) return undefined;
    // Who asks first is the one that tries; the others go on without it.
    if (this.#isAway) this.#restsUntil = this.now() + restMs;
    try {
      const granted = await within(this.ledger.patienceMs, this.ledger.take(wanted));
      if (this.#isAway) this.log.info('what callers spend is counted over all processes again');
      this.#isAway = false;
      return granted;
    } catch (error) {
      this.#restsUntil = this.now() + restMs;
      if (!this.#isAway)
        this.log.warn(
          { error },
          'what callers spend cannot be counted over all processes: each counts by itself until it can',
        );
      this.#isAway = true;
      return undefined;
    }
  }

  close(): Promise<void> {
    return this.ledger.close();
  }
}

class NoAnswer extends Error {
  constructor(ms: number) {
    super(`there was no answer within ${ms} ms`);
  }
}

/**
 * What comes in time. Time is counted in turns of the event loop: an answer that lies unread while this process is busy is
 * in time too.
 */
function within<Result>(ms: number, answer: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    let left = turns;
    const timer = setInterval(() => {
      if (--left === 0) reject(new NoAnswer(ms));
    }, ms / turns);
    answer.then(resolve, reject).finally(() => clearInterval(timer));
  });
}

const turns = 20;
