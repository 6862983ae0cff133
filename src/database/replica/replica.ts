import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { connectionTo, type PoolOptions } from '../connect.js';
import { Connections, type Traced } from '../connections.js';
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
  /** Hears of each statement. */
  readonly traced?: Traced | undefined;
}

/**
 * A server that follows the one of the database, and answers queries for it. It may be behind: so the primary is asked
 * first how far it is, and what follows is read from only where it has come as far, on the same timeline. A query that
 * begins after a change was answered sees that change. Where the server is not as far soon, or not to be had, the primary
 * answers, and this one is left alone for a while.
 */
export class Replica {
  #reader: Reader | undefined;
  #opening: Promise<void> | undefined;
  readonly #leaving = new Set<Reader>();
  #aloneUntilMs = 0;
  #isTold = false;

  constructor(
    private readonly primary: Database,
    private readonly options: ReplicaOptions,
  ) {}

  /** Whether it was read from, or was only behind, when it was last asked. */
  get isWell(): boolean {
    return !this.#isTold;
  }

  /**
   * @param own the primary as this request may wait for it.
   * @throws UNAVAILABLE where the primary cannot be had.
   */
  async forQuery(own: Database): Promise<ReadFrom> {
    const here = () => ({ db: own, asOf: own.now() - own.nowIsOffMs });
    if (performance.now() < this.#aloneUntilMs) return here();
    const reader = this.#reader;
    if (!reader) {
      // Nobody waits for connections to be made, which takes many round trips.
      void this.opened();
      return here();
    }
    const [position] = await own.rows<Position>(whereItIs);
    if (!position) return here();
    const isThere = await this.#hasCome(reader, position);
    return { db: isThere ? reader.db.withinAs(own) : own, asOf: Number(position.ms) };
  }

  /** Resolves once it was tried to open it: it is read from then, or it was told why not. */
  opened(): Promise<void> {
    return (this.#opening ??= this.#open()
      .then(
        (reader) => void (this.#reader = reader),
        (error: unknown) => this.#notNow(error),
      )
      .finally(() => (this.#opening = undefined)));
  }

  async close(): Promise<void> {
    this.#aloneUntilMs = Infinity;
    const ending = (async () => {
      await this.#opening;
      const readers = [...this.#leaving, ...(this.#reader ? [this.#reader] : [])];
      await Promise.all(readers.map((reader) => reader.close()));
    })();
    await Promise.race([ending.catch(() => undefined), sleep(longestCloseMs, undefined, { ref: false })]);
  }

  async #hasCome(reader: Reader, position: Position): Promise<boolean> {
    try {
      const has = await within(longestCheckMs, looksAt(reader, position));
      if (has === undefined)
        throw new Error(`${setting} names a server that did not answer in ${longestCheckMs} ms`);
      if (!has) this.#leaveAlone(behindMs);
      this.#tell(undefined);
      return has;
    } catch (error) {
      this.#notNow(error);
      if (error instanceof AnotherServer) this.#forget(reader);
      return false;
    }
  }

  async #open(): Promise<Reader> {
    const connections = new Connections(this.options.traced);
    const { options, pooled } = await connectionTo(this.options.url, connections, true).catch(bySetting);
    // Each transaction could be on another server behind it.
    if (pooled) throw new Error(`${setting} leads through a pooler: name the server itself`);
    const begin = options['onConnect'] as (client: pg.ClientBase) => Promise<void>;
    const [followed] = await this.primary.rows<Followed>(readDatabase);
    let known: Served | undefined;
    let other: AnotherServer | undefined;
    const onConnect = async (client: pg.ClientBase) => {
      await begin(client);
      const [met] = (await client.query<Served & Followed>(whichServer)).rows;
      known ??= met;
      other = anotherDatabase(followed, met) ?? anotherServer(known, met);
      if (other) throw other;
    };
    const wanted: PoolOptions = { ...options, max: this.options.poolSize, onConnect };
    const pool = new pg.Pool(wanted);
    pool.on('error', () => undefined);
    const { db, stop } = this.primary.readBy(pool, connections, options);
    const close = async () => {
      stop();
      await pool.end();
    };
    return { db, close, other: () => other };
  }

  /** Those who read from it already go on; nobody reads from it for as long as that by one request. */
  #forget(reader: Reader): void {
    if (this.#reader !== reader) return;
    this.#reader = undefined;
    this.#leaving.add(reader);
    const leave = () => void reader.close().finally(() => this.#leaving.delete(reader));
    setTimeout(leave, longestUseMs).unref();
  }

  #notNow(error: unknown): void {
    this.#leaveAlone(brokenMs);
    this.#tell(error);
  }

  #leaveAlone(forMs: number): void {
    this.#aloneUntilMs = Math.max(this.#aloneUntilMs, performance.now() + forMs);
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
  /** Why the last connection was refused, where it leads to another server than the first. */
  readonly other: () => AnotherServer | undefined;
  close(): Promise<void>;
}

/** Which server a connection leads to, and since when that runs. */
interface Served {
  readonly at: string;
  readonly since: string;
}

/** Which database it is, on whichever server: a copy of it has the same numbers. */
interface Followed {
  readonly system: string;
  readonly database: string;
}

class AnotherServer extends Error {}

/** Where its log has come says nothing of that: another one's may well be as far. */
function anotherDatabase(
  followed: Followed | undefined,
  met: Followed | undefined,
): AnotherServer | undefined {
  if (followed?.system !== met?.system)
    return new AnotherServer(`${setting} names a server that does not follow that of DATABASE_URL`);
  if (followed?.database === met?.database) return undefined;
  return new AnotherServer(`${setting} names another database than DATABASE_URL`);
}

/** One may be as far as it has to be while another is not; and one that was started anew is met anew. */
function anotherServer(known: Served | undefined, met: Served | undefined): AnotherServer | undefined {
  if (known?.at !== met?.at) return new AnotherServer(`${setting} leads to several servers`);
  if (known?.since === met?.since) return undefined;
  return new AnotherServer(`${setting} leads to a server that was started anew`);
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
/** For how long it is left alone where it is behind, and where it is not to be had or slow. */
const behindMs = 500;
const brokenMs = 5_000;
/** Longer than a request waits for a database in all. */
const longestUseMs = 15_000;
const longestCloseMs = 2_000;

/** @returns whether it has come as far after some looks. @throws where it is not to be had. */
async function looksAt({ db, other }: Reader, position: Position): Promise<boolean> {
  for (const waitMs of looks) {
    if (waitMs > 0) await sleep(waitMs);
    const [answer] = await db.rows<{ has: boolean }>(hasCome, { ...position }).catch((error: unknown) => {
      throw other() ?? error;
    });
    if (answer?.has) return true;
  }
  return false;
}

/** What comes in time, or undefined. An answer that lay unread while this process was busy is in time too. */
function within<Result>(ms: number, answer: Promise<Result>): Promise<Result | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => setImmediate(resolve, undefined), ms);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

// What is visible by now has its COMMIT before this position. The first eight digits are the timeline's. The clock is read
// first: what was committed by then is before the position.
const whereItIs = sql(`
  WITH began AS MATERIALIZED (SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms)
  SELECT ms, CAST(pg_current_wal_insert_lsn() AS text) AS lsn,
    left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) AS timeline
  FROM began`);

// One that followed a primary which is none any more may have what was never acknowledged, at the same positions.
const hasCome = sql(`
  SELECT coalesce(pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= CAST(:lsn AS pg_lsn)
    AND (SELECT lpad(upper(to_hex(min_recovery_end_timeline)), 8, '0') = :timeline FROM pg_control_recovery()), false) AS has`);

const whichDatabase = `
  SELECT (SELECT system_identifier FROM pg_control_system())::text AS system,
    (SELECT oid FROM pg_database WHERE datname = current_database())::text AS database`;
const readDatabase = sql(whichDatabase);
const whichServer = `
  SELECT own.*, concat_ws(' ', inet_server_addr(), inet_server_port()) AS at,
    extract(epoch FROM pg_postmaster_start_time())::text AS since
  FROM (${whichDatabase}) own`;
