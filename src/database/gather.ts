import { setImmediate as turn } from 'node:timers/promises';
import type { Database } from './database.js';

/** A batch of one question is not cut, however many keys it has; several go together up to so many keys. */
const mostGathered = 200;
const mostInFlight = 2;
/**
 * A batch waits for the one before it, so that it is one of many, and statements are few; but not for one that takes its
 * time, in milliseconds. With 32 connections a page costs half as many statements as where two are always under way.
 */
const usualPatienceMs = 20;
/**
 * How many are answered in one turn of the event loop: what they do with it, and be it their whole answers, everybody else
 * waits for, those too who are only to be refused.
 */
const mostAnswered = 5;

/** What is on its way to the database for many at once, bounded over all that is asked. */
export interface Wire {
  /** Resolves when there is room; `leave` makes it again. */
  enter(): Promise<void>;
  leave(): void;
}

/** A wire with room for so many batches. */
export function openWire(room: number): Wire {
  const waiting: (() => void)[] = [];
  let free = room;
  return {
    enter: () => (free > 0 ? (free--, Promise.resolve()) : new Promise((resolve) => waiting.push(resolve))),
    leave: () => {
      const next = waiting.shift();
      if (next) next();
      else free++;
    },
  };
}

interface LaneOptions<Key> {
  /** How many keys of several questions go together, each counted as much as `weigh` says. */
  mostKeys?: number;
  weigh?: (key: Key) => number;
  wire?: Wire;
  /** How long a batch waits for the one before it; 0 for not at all. */
  patienceMs?: number;
  /** Is told when nothing waits in it any more, and nothing is under way. */
  onIdle?: () => void;
  /** Whether a failure is one of what was asked for, so that the others of the batch can still be answered. */
  isOfKeys?: (error: unknown) => boolean;
}

/**
 * Asks once for what requests ask for at the same time. What is shared is a statement, never an answer that came
 * before: a batch is sent after everything in it was asked for, and nothing of it is kept.
 */
export class Lane<Key, Found> {
  #waiting: Question<Key, Found>[] = [];
  #inFlight = 0;
  /** Those of them that are worth waiting for. */
  #quick = 0;
  #planned = false;

  /** @param read answers keys in their order, with the scope that each carries in its SQL. */
  constructor(
    private readonly read: (keys: readonly Key[]) => Promise<readonly Found[]>,
    private readonly options: LaneOptions<Key> = {},
  ) {}

  /** Answers keys in their order. */
  async ask(keys: readonly Key[]): Promise<readonly Found[]> {
    const question: Question<Key, Found> = { keys, resolve: unheard, reject: unheard };
    const told = hear(question);
    this.#waiting.push(question);
    this.#plan();
    const found = await told;
    if (found !== sendIt) return found;
    // After an await: the batch is sent in the name of a request whose question is in it, whichever batch has made room.
    const answered = hear(question) as Promise<readonly Found[]>;
    void this.#send();
    return answered;
  }

  #plan(): void {
    if (this.#planned || this.#inFlight === mostInFlight || this.#quick > 0) return;
    if (this.#waiting.length === 0) return;
    this.#planned = true;
    // After the requests that have come in with this turn of the event loop.
    setImmediate(() => this.#waiting[0]?.resolve(sendIt));
  }

  async #send(): Promise<void> {
    const { wire } = this.options;
    await wire?.enter();
    this.#planned = false;
    this.#inFlight++;
    const batch = this.#cut();
    // What is left over makes another of many.
    const end = this.#waiting.length > 0 ? undefined : this.#holdBack();
    this.#plan();
    try {
      await this.#answer(batch);
    } finally {
      wire?.leave();
      end?.();
      this.#inFlight--;
      this.#plan();
      if (this.#inFlight === 0 && !this.#planned) this.options.onIdle?.();
    }
  }

  /** Holds back what comes after. @returns what ends that, as time does. */
  #holdBack(): (() => void) | undefined {
    const { patienceMs = usualPatienceMs } = this.options;
    if (patienceMs === 0) return undefined;
    let held = true;
    const end = () => {
      if (held) this.#quick--;
      held = false;
      clearTimeout(timer);
    };
    this.#quick++;
    const timer = setTimeout(() => {
      end();
      this.#plan();
    }, patienceMs);
    return end;
  }

  #cut(): Question<Key, Found>[] {
    const { mostKeys = mostGathered, weigh = () => 1 } = this.options;
    let weight = 0;
    const end = this.#waiting.findIndex(({ keys }, index) => {
      for (const key of keys) weight += weigh(key);
      return weight > mostKeys && index > 0;
    });
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
  }

  async #answer(batch: readonly Question<Key, Found>[]): Promise<void> {
    try {
      const [only, ...others] = batch;
      const keys = only && others.length === 0 ? only.keys : batch.flatMap((one) => one.keys);
      // Whoever waits to send the next batch does not wait for this one's to go on.
      void handOut(batch, await this.read(keys));
    } catch (error) {
      if (batch.length > 1 && this.options.isOfKeys?.(error)) await this.#answerEach(batch);
      else for (const { reject } of batch) reject(error);
    }
  }

  /** One after another, so that what one has asked wrongly fails nobody else. */
  async #answerEach(batch: readonly Question<Key, Found>[]): Promise<void> {
    for (const one of batch) await this.#answer([one]);
  }
}

interface Question<Key, Found> {
  readonly keys: readonly Key[];
  resolve: (found: readonly Found[] | typeof sendIt) => void;
  reject: (error: unknown) => void;
}

/** Tells each question its answers, a few in a turn of the event loop. */
async function handOut<Key, Found>(
  batch: readonly Question<Key, Found>[],
  found: readonly Found[],
): Promise<void> {
  let [from, told] = [0, 0];
  for (const { keys, resolve, reject } of batch) {
    if (told++ === mostAnswered) {
      await turn();
      told = 1;
    }
    const answers = found.slice(from, (from += keys.length));
    if (found.length < from) reject(new Error('a batch was answered in part'));
    else resolve(answers);
  }
}

/** What the first of those that wait is told when it is time to send a batch. */
const sendIt = Symbol('send it');
const unheard = () => undefined;

/** What a question is told next. */
const hear = <Key, Found>(question: Question<Key, Found>): Promise<readonly Found[] | typeof sendIt> =>
  new Promise((resolve, reject) => Object.assign(question, { resolve, reject }));

/** Gathers questions of one key each. The parameters are those of `Lane`. */
export function gather<Key, Found>(
  read: (keys: readonly Key[]) => Promise<readonly Found[]>,
  options: LaneOptions<Key> = {},
): (key: Key) => Promise<Found> {
  const lane = new Lane(read, options);
  return async (key) => (await lane.ask([key]))[0] as Found;
}

/**
 * The same with requests that have a database each: what one waits for here counts towards its limit, and a batch, which
 * is of many, has none. The options are those of `Lane`.
 */
export function gatherOn<Key, Found>(
  read: (db: Database, keys: readonly Key[]) => Promise<readonly Found[]>,
  options: LaneOptions<Key> = {},
): (db: Database, key: Key) => Promise<Found> {
  const gathering = new WeakMap<Database, (key: Key) => Promise<Found>>();
  return (db, key) => {
    const { unlimited } = db;
    const ask = gathering.get(unlimited) ?? gather((keys: readonly Key[]) => read(unlimited, keys), options);
    gathering.set(unlimited, ask);
    return db.during(() => ask(key));
  };
}
