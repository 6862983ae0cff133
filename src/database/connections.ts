import type { WaitLimit } from './wait-limit.js';

/** Runs a statement, and may tell how long it takes. */
export type Traced = <Answer>(text: string, run: () => Promise<Answer>) => Promise<Answer>;

/** A session of a server: no other one, of any server at any time, is taken for it. */
export interface Session {
  readonly pid: number;
  /** When the server began it, in seconds since 1970, with all digits. */
  readonly startedAt: string;
}

/** A statement whose answer has not come yet. */
export interface Outstanding {
  readonly client: PgConnection;
  /** Undefined where it is not known, as behind a pooler. */
  readonly session: Session | undefined;
  /** When it was sent, by `performance.now()`. */
  readonly sinceMs: number;
}

/** A connection of `pg`, as far as it is looked at here. */
export interface PgConnection {
  query(...given: unknown[]): Promise<unknown>;
  on(event: 'error' | 'end', heard: () => void): unknown;
  end(): Promise<unknown>;
  readonly connection: { readonly stream: { destroy(): unknown } };
}

/** A pool of `pg-pool`, as far as it tells who has its connections. */
export interface Handing {
  on(event: 'acquire', heard: (client: PgConnection) => void): unknown;
  on(event: 'release', heard: (error: unknown, client: PgConnection) => void): unknown;
}

/**
 * What is known of the connections to a server. Each statement passes here, also those that TypeORM sends.
 */
export class Connections {
  readonly #all = new Set<PgConnection>();
  readonly #inUse = new WeakSet<PgConnection>();
  readonly #lost = new WeakSet<object>();
  readonly #limits = new WeakMap<object, WaitLimit>();
  readonly #outstanding = new Map<PgConnection, Outstanding>();
  #answeredAtMs = performance.now();

  constructor(private readonly traced?: Traced) {}

  /** When anything was answered last, by `performance.now()`. */
  get answeredAtMs(): number {
    return this.#answeredAtMs;
  }

  get outstanding(): Iterable<Outstanding> {
    return this.#outstanding.values();
  }

  /** Whether its answer has still not come. */
  isOutstanding(statement: Outstanding): boolean {
    return this.#outstanding.get(statement.client) === statement;
  }

  /** Whether it broke, or was given up. */
  isLost(client: object): boolean {
    return this.#lost.has(client);
  }

  /** Takes in a connection that was made just now. */
  add(client: PgConnection): void {
    this.#all.add(client);
    this.#inUse.add(client);
    // `pg-pool` listens to idle ones alone, and an error that nobody hears ends the process.
    client.on('error', () => this.#lost.add(client));
    client.on('end', () => this.#all.delete(client));
  }

  /** Has each of its statements pass here from now on. @param session undefined where a pooler is between. */
  begin(client: PgConnection, session: Session | undefined): void {
    const query = client.query.bind(client);
    const watched = async (...given: unknown[]) => {
      this.#limits.get(client)?.expectTimeLeft();
      const statement = { client, session, sinceMs: performance.now() };
      this.#outstanding.set(client, statement);
      try {
        const run = () => query(...given);
        const answer = await (this.traced ? this.traced(textOf(given[0]), run) : run());
        this.#answeredAtMs = performance.now();
        return answer;
      } finally {
        if (this.isOutstanding(statement)) this.#outstanding.delete(client);
      }
    };
    Object.assign(client, { query: watched });
  }

  /** Knows from then on which connections somebody has. */
  watch(pool: Handing): void {
    pool.on('acquire', (client) => this.#inUse.add(client));
    pool.on('release', (_, client) => this.#inUse.delete(client));
  }

  /** Has no statement begun on this connection when nothing is left of the limit, until it is `unlimited`. */
  limit(client: object, limit: WaitLimit): void {
    this.#limits.set(client, limit);
  }

  unlimit(client: object): void {
    this.#limits.delete(client);
  }

  /** Ends a connection, so that whoever waits for it is told. */
  giveUp(client: { end?(): Promise<unknown> }): void {
    this.#lost.add(client);
    void client.end?.().catch(() => undefined);
  }

  /** Ends those that nobody has. Their pool hears of it, and makes new ones. */
  dropIdle(): void {
    // What is gone answers no farewell, which `end` would wait for.
    for (const client of this.#all) if (!this.#inUse.has(client)) client.connection.stream.destroy();
  }
}

/** `pg` takes a text, or what has one. */
function textOf(given: unknown): string {
  if (typeof given === 'string') return given;
  const { text } = (given ?? {}) as { text?: unknown };
  return typeof text === 'string' ? text : '';
}
