import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import type { Connections, Outstanding, Session } from './connections.js';

/** How long a statement may be without an answer before it is looked for at the server. */
const longestQuietMs = 2_000;
/** How long an answer may be on its way, beside what the way takes just now. */
const longestWayMs = 250;
const tickMs = 250;
const againMs = 1_000;
/** What is undone at the server lets others go on there: then the next look comes sooner. */
const soonMs = 100;

/** A session as the server shows it, by pg_stat_activity. */
export interface SeenSession extends Session {
  /** For how long it has done nothing, and so has told all that it had to tell; null while it works. */
  readonly idleMs: number | null;
}

/** The server, by a connection that was made just now. */
export interface Server {
  /** Those of these that it has. */
  find(sessions: readonly Session[]): Promise<readonly SeenSession[]>;
  /** Ends those of these that do nothing, and undoes what they did. */
  endIdle(sessions: readonly Session[]): Promise<unknown>;
}

/**
 * Notices connections whose packets go nowhere, while new ones work: their server has been replaced behind its address,
 * or something between has forgotten them. Where a statement has long had no answer, the server is asked by a new
 * connection whether it has that session, and whether it works. A statement that only takes long is never given up.
 */
export class DeadConnections {
  readonly #timer: NodeJS.Timeout;
  #isLooking = false;
  #lookAtMs = 0;

  /** @param ask has something done with the server, by a new connection, and rejects where there is none. */
  constructor(
    private readonly connections: Connections,
    private readonly ask: (work: (server: Server) => Promise<void>) => Promise<void>,
    private readonly quietMs = longestQuietMs,
  ) {
    this.#timer = setInterval(() => void this.#tick(), tickMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Looks for quiet statements at the server, and gives up those that it knows nothing of, until there is none. */
  async look(): Promise<void> {
    if (this.#quiet().length === 0) return;
    // Where there is no new connection, nothing is known of those that stand: `Silence` looks into that.
    await this.ask(async (server) => {
      while (await this.#hasEnded(server)) await sleep(soonMs);
    }).catch(() => undefined);
  }

  async #tick(): Promise<void> {
    if (this.#isLooking || performance.now() < this.#lookAtMs) return;
    this.#isLooking = true;
    await this.look();
    this.#isLooking = false;
    this.#lookAtMs = performance.now() + againMs;
  }

  /** @returns whether there may be more to give up soon. */
  async #hasEnded(server: Server): Promise<boolean> {
    const quiet = this.#quiet();
    if (quiet.length === 0) return false;
    const fromMs = performance.now();
    const found = await server.find(quiet.map(({ session }) => session));
    const wayMs = performance.now() - fromMs + longestWayMs;
    const idle = new Map(found.map((seen) => [nameOf(seen), seen.idleMs]));
    // Answers that have arrived meanwhile are read first.
    await turn();
    const left = quiet.filter(({ statement }) => this.connections.isOutstanding(statement));
    const idleOf = ({ session }: { session: Session }) => {
      const idleMs = idle.get(nameOf(session));
      return idleMs === undefined ? Infinity : idleMs;
    };
    const dead = left.filter((one) => (idleOf(one) ?? 0) > wayMs);
    for (const { statement } of dead) this.connections.giveUp(statement.client);
    if (dead.length > 0) {
      // Those that were made before are likely no better, and no request need find that out by waiting.
      this.connections.dropIdle();
      // At the server they may hold locks, which others wait for.
      await server.endIdle(dead.map(({ session }) => session));
    }
    return left.some((one) => idleOf(one) !== null);
  }

  #quiet(): { statement: Outstanding; session: Session }[] {
    const now = performance.now();
    return [...this.connections.outstanding].flatMap((statement) =>
      statement.session && now - statement.sinceMs >= this.quietMs
        ? [{ statement, session: statement.session }]
        : [],
    );
  }
}

const nameOf = ({ pid, startedAt }: Session) => `${pid} ${startedAt}`;
