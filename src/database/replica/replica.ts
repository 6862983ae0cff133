import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { connectionTo, type PoolOptions } from '../connect.js';
import { Connections } from '../connections.js';
import { sql, type Database } from '../database.js';

/** Where a query is read from. */
export interface ReadFrom {
  readonly db: Database;
  /** By the clock of the database, in milliseconds since 1970: what is read has all that was committed by then. */
  readonly asOf: number;
}

export interface ReplicaOptions {
  /** A PostgreSQL connection string, which leads to one server. */
  readonly url: string;
  readonly poolSize: number;
  /** Is told once why it is not read from, by an Error to show, and once that it is again, by undefined. */
  readonly onChange: (trouble: unknown) => void;
}

/**
 * A server that follows the one of the database, and answers queries for it. It may be behind: so the primary is asked
 * first how far it is, and what follows is read from only where it has come as far, on the same timeline. A query that
 * begins after a change was answered sees that change. Where the server is not as far soon, or not to be had, the primary
 * answers, and this one is left alone for a while.
 */
export class Replica {
  #reader: Promise<Reader> | undefined;
  #aloneUntilMs = 0;
  #isTold = false;

  constructor(
    private readonly primary: Database,
    private readonly options: ReplicaOptions,
  ) {}

  /**
   * @param own the primary as this request may wait for it.
   * @throws UNAVAILABLE where the primary cannot be had.
   */
  async forQuery(own: Database): Promise<ReadFrom> {
    if (performance.now() < this.#aloneUntilMs) return { db: own, asOf: own.now() };
    const [position] = await own.rows<Position>(whereItIs);
    if (!position) return { db: own, asOf: own.now() };
    const reader = await this.#thatHas(position);
    return { db: reader ? reader.db.withinAs(own) : own, asOf: Number(position.ms) };
  }

  async close(): Promise<void> {
    await (await this.#reader?.catch(() => undefined))?.close();
  }

  async #thatHas(position: Position): Promise<Reader | undefined> {
    const stopped = new AbortController();
    const tooLate = sleep(longestCheckMs, 'late' as const, { signal: stopped.signal, ref: false });
    try {
      const reader = await Promise.race([this.#follow(position), tooLate.catch(() => 'late' as const)]);
      if (reader === 'late')
        throw new Error(`${setting} names a server that did not answer within ${longestCheckMs} ms`);
      if (reader) this.#tell(undefined);
      else this.#leaveAlone(behindMs);
      return reader;
    } catch (error) {
      this.#leaveAlone(brokenMs);
      this.#tell(error);
      this.#forget();
      return undefined;
    } finally {
      stopped.abort();
    }
  }

  /** @returns what has come as far; undefined where it has not after some looks. @throws where it is not to be had. */
  async #follow(position: Position): Promise<Reader | undefined> {
    const reader = await (this.#reader ??= this.#open());
    for (const waitMs of looks) {
      if (waitMs > 0) await sleep(waitMs);
      const [answer] = await reader.db.rows<{ has: boolean }>(hasCome, { ...position });
      if (answer?.has) return reader;
    }
    return undefined;
  }

  async #open(): Promise<Reader> {
    const connections = new Connections();
    const { options } = await connectionTo(this.options.url, connections, true).catch(bySetting);
    const begin = options['onConnect'] as (client: pg.ClientBase) => Promise<void>;
    let known: string | undefined;
    const onConnect = async (client: pg.ClientBase) => {
      await begin(client);
      const { rows } = await client.query<{ server: string }>(whichServer);
      // One may be as far as it has to be while another is not.
      if ((known ??= rows[0]?.server) !== rows[0]?.server)
        throw new Error(`${setting} leads to several servers`);
    };
    const wanted: PoolOptions = { ...options, max: this.options.poolSize, onConnect };
    const pool = new pg.Pool(wanted);
    pool.on('error', () => undefined);
    const { db, stop } = this.primary.readBy(pool, connections, options);
    return { db, close: () => (stop(), pool.end()) };
  }

  #forget(): void {
    const forgotten = this.#reader;
    this.#reader = undefined;
    void forgotten?.then((reader) => reader.close()).catch(() => undefined);
  }

  #leaveAlone(forMs: number): void {
    this.#aloneUntilMs = performance.now() + forMs;
  }

  #tell(trouble: unknown): void {
    const isTrouble = trouble !== undefined;
    if (isTrouble !== this.#isTold) this.options.onChange(trouble);
    this.#isTold = isTrouble;
  }
}

const setting = 'KEYWAY_DATABASE_READ_URL';

/** Keyway starts without it, and its address is another. */
function bySetting(error: unknown): never {
  const { message } = error as Error;
  throw new Error(message.replace(/^Keyway cannot start:\n {2}DATABASE_URL/, setting), { cause: error });
}

interface Reader {
  readonly db: Database;
  close(): Promise<void>;
}

interface Position {
  readonly lsn: string;
  readonly timeline: string;
  readonly ms: string;
}

/** When it is looked how far it has come, each so many milliseconds after the one before. */
const looks = [0, 5, 10, 20, 40];
/** How long all of that may take. */
const longestCheckMs = 400;
/** For how long it is left alone where it is behind, and where it is not to be had. */
const behindMs = 500;
const brokenMs = 5_000;

// What is visible by now has its COMMIT before this position. The first eight digits are the timeline's.
const whereItIs = sql(`
  SELECT CAST(pg_current_wal_insert_lsn() AS text) AS lsn,
    left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) AS timeline,
    extract(epoch FROM clock_timestamp()) * 1000 AS ms`);

// One that followed a primary which is none any more may have what was never acknowledged, at the same positions.
const hasCome = sql(`
  SELECT coalesce(pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= CAST(:lsn AS pg_lsn)
    AND (SELECT lpad(upper(to_hex(min_recovery_end_timeline)), 8, '0') = :timeline FROM pg_control_recovery()), false) AS has`);

const whichServer = `
  SELECT concat_ws(' ', inet_server_addr(), inet_server_port(), extract(epoch FROM pg_postmaster_start_time())) AS server`;
