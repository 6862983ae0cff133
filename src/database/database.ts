import pg from 'pg';
import {
  DataSource,
  type Logger,
  type EntityManager,
  MigrationExecutor,
  type ObjectLiteral,
  type SelectQueryBuilder,
} from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { connectionTo, type PoolOptions } from './connect.js';
import { Connections, type Handing, type Traced } from './connections.js';
import { askRights, expectRights, type RoleRights } from './rights.js';
import { openEmbedded } from './embedded.js';
import { watch, type Served } from './served.js';
import type { Silence } from './silence.js';
import { WaitLimit, type Wait } from './wait-limit.js';
import { conflict, DatabaseUnavailable, KeywayError, outcomeUnknown } from '../errors.js';
import { setTimeout as sleep } from 'node:timers/promises';

/** A statement with named parameters, made once and run often. */
export interface Statement {
  readonly text: string;
  /** The parameters' names in the order of `$1`, `$2` … */
  readonly names: readonly string[];
  /** What PostgreSQL keeps it prepared under; left out where each run is to be planned for its own values. */
  readonly name?: string;
}

/** What a statement brings back of one row. */
export type ReadRow = Readonly<Record<string, unknown>>;

export type Parameters = Readonly<Record<string, unknown>>;

/** A condition for a WHERE, with its parameters. */
export interface Condition {
  readonly sql: string;
  readonly parameters: Parameters;
  /** Tells apart the statements that are made with it: conditions of one shape have the same SQL. */
  readonly shape: string;
}

/** All of these conditions at once. */
export const every = (...conditions: readonly Condition[]): Condition => ({
  sql: conditions.map(({ sql }) => sql).join(' AND '),
  parameters: Object.assign({}, ...conditions.map(({ parameters }) => parameters)) as Parameters,
  shape: conditions.map(({ shape }) => shape).join(),
});

/** A condition whose SQL alone tells it apart. */
export const condition = (sql: string, parameters: Parameters = {}): Condition => ({
  sql,
  parameters,
  shape: sql,
});

/** Something that statements run on: the database, or a transaction. */
export interface Sql {
  rows<Row extends object>(statement: Statement, parameters?: Parameters): Promise<Row[]>;
}

/** One transaction. `em` writes by repository, `rows` reads by statement; both are undone together. */
export interface Tx extends Sql {
  readonly em: EntityManager;
  /** Has something done once the transaction is committed, before `transaction` answers. It must not fail. */
  afterCommit(work: () => Promise<void>): void;
}

export interface DatabaseOptions {
  /** A PostgreSQL connection string, or undefined for the embedded database. */
  url: string | undefined;
  /** The embedded database's folder; in memory where left out. */
  folder?: string | undefined;
  /** As of `openEmbedded`. */
  image?: string;
  poolSize?: number;
  entities: (new () => object)[];
  migrations: (new () => object)[];
  onPoolError?: (error: Error) => void;
  /** Hears of each statement as it is run, by its text. */
  traced?: Traced | undefined;
  /** Is told where it takes so long until another process that had the folder counts as gone. */
  onFolderWait?: (goneMs: number) => void;
}

interface Client {
  query(query: {
    text: string;
    values: unknown[];
    name?: string;
  }): Promise<{ rows: object[]; command: string }>;
  /** What the driver asks for its limits with each statement. */
  readonly connectionParameters?: { query_timeout?: number | undefined };
  /** Closes the connection: its pool does not hand it out again. */
  end?(): Promise<void>;
}

interface Pool {
  connect(): Promise<Client & { release(): void }>;
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
  readonly options: { readonly max: number };
}

/** What a transaction brought, and what is to be done now that it is committed. */
interface Committed<Result> {
  readonly result: Result;
  readonly after: readonly (() => Promise<void>)[];
}

const poolOf = (source: DataSource): unknown => (source.driver as PostgresDriver).master;

const nothing = () => undefined;
// TypeORM's own would print statements and their values; what fails is thrown, and logged where it is caught.
const silent: Logger = {
  logQuery: nothing,
  logQueryError: nothing,
  logQuerySlow: nothing,
  logSchemaBuild: nothing,
  logMigration: nothing,
  log: nothing,
};

const usualPoolSize = 10;
const mostStatements = 1_000;
const mostPrepared = 300;
const retries = 3;
const aloneTimeoutMs = 60_000;

/** The database behind Keyway: PostgreSQL, or PGlite behind the same door. */
export class Database implements Sql {
  // No `#` names here: a database for one request has this one as its prototype.
  private readonly statements = new Map<string, Statement>();
  private readonly numbers = new WeakMap<Statement, number>();
  private readonly given = { numbers: 0 };
  private readonly pool: Pool;
  private readonly limit?: WaitLimit;
  private offsetMs = 0;
  private offMs = 0;
  /** The same for whoever may wait as long as it takes. */
  readonly unlimited: Database = this;

  private constructor(
    readonly source: DataSource,
    readonly embedded: boolean,
    private readonly served: Served<Client> | undefined,
    /** On how many connections what is read for many requests may be under way: the others are left to the rest. */
    readonly mostShared: number,
    /** Whether a pooler is between Keyway and its PostgreSQL. */
    readonly pooled: boolean,
  ) {
    this.pool = poolOf(source) as Pool;
  }

  /** Connects. @throws as `connectionTo`, and as `openEmbedded`. */
  static async open(options: DatabaseOptions): Promise<Database> {
    const embedded = options.url === undefined;
    const connections = new Connections(options.traced);
    const reached = options.url === undefined ? undefined : await connectionTo(options.url, connections);
    const extra = reached?.options;
    const poolSize = options.poolSize ?? usualPoolSize;
    const source = new DataSource({
      type: 'postgres',
      ...(options.url === undefined
        ? { driver: await openEmbedded(options.folder, options.image, options.onFolderWait, options.traced) }
        : { poolSize, extra, driver: pg }),
      entities: options.entities,
      migrations: options.migrations,
      migrationsTableName: 'migrations',
      synchronize: false,
      installExtensions: false,
      logging: false,
      logger: silent,
      poolErrorHandler: (error: Error) => options.onPoolError?.(error),
    });
    await source.initialize();
    return new Database(
      source,
      embedded,
      extra && watch<Client>(poolOf(source) as Handing, connections, extra),
      embedded ? 1 : Math.ceil(poolSize / 2),
      reached?.pooled ?? false,
    );
  }

  /**
   * The same for one request, which may wait so long for it: what would begin later is UNAVAILABLE. The embedded database
   * waits for nobody but this process, and has no such limit.
   */
  within(limit = new WaitLimit()): Database {
    return this.served ? Object.assign(Object.create(this) as Database, { limit }) : this;
  }

  /** Counts towards the limit what else of the database is waited for. @throws UNAVAILABLE where nothing is left of it. */
  during<Result>(work: () => Promise<Result>, wait?: Wait): Promise<Result> {
    return this.limit ? this.limit.during(work, wait) : work();
  }

  /** The same for the request that `other` is for. */
  withinAs(other: Database): Database {
    return other.limit ? this.within(other.limit) : this;
  }

  /**
   * What single statements read from a server that follows this one's, by that pool of connections to it: it has no
   * transactions. It is watched over until `stop`.
   */
  readBy(pool: Handing, connections: Connections, options: PoolOptions): { db: Database; stop: () => void } {
    const served = watch<Client>(pool, connections, options);
    const db = Object.create(this) as Database;
    const transaction = () => Promise.reject(new Error('what only follows has no transactions'));
    Object.assign(db, { pool, served, unlimited: db, transaction });
    return { db, stop: () => served.stop() };
  }

  /**
   * A statement from a query builder, built once for each key. Parameters stand in its text as `:name`.
   * @param around adds what the builder has no words for: order, limit, lateral joins.
   * @param prepared false where every run is to be planned for its own values, as for lists that are filtered.
   */
  statement(
    key: string,
    build: (source: DataSource) => SelectQueryBuilder<ObjectLiteral> | string,
    around: (sql: string) => string = (sql) => sql,
    prepared = true,
  ): Statement {
    const known = this.statements.get(key);
    if (known) return known;
    const built = build(this.source);
    const made = numbered(around(typeof built === 'string' ? built : built.getQuery()));
    const statement =
      prepared && this.statements.size < mostPrepared ? { ...made, name: `k${this.statements.size}` } : made;
    if (this.statements.size < mostStatements) this.statements.set(key, statement);
    return statement;
  }

  /** How many connections there are, how many may be, and how many wait for one. */
  get connections(): { inUse: number; idle: number; waiting: number; most: number } {
    const { totalCount, idleCount, waitingCount, options } = this.pool;
    return { inUse: totalCount - idleCount, idle: idleCount, waiting: waitingCount, most: options.max };
  }

  /** Tells statements apart, in fewer characters than their texts. */
  numberOf(statement: Statement): number {
    const known = this.numbers.get(statement) ?? ++this.given.numbers;
    this.numbers.set(statement, known);
    return known;
  }

  /** The time by the clock of the database, in milliseconds since 1970: no farther off than a round trip takes. */
  now(): number {
    return performance.timeOrigin + performance.now() + this.offsetMs;
  }

  /** Sets `now` by the database's clock; the quickest of some round trips tells most exactly. */
  async setClock(): Promise<void> {
    let quickest = Infinity;
    for (let sample = 0; sample < 3; sample++) {
      const sent = performance.now();
      const [answer] = await this.rows<{ ms: string }>(readClock);
      const tookMs = performance.now() - sent;
      if (!answer || tookMs >= quickest) continue;
      quickest = tookMs;
      this.offsetMs = Number(answer.ms) - (performance.timeOrigin + sent + tookMs / 2);
      this.offMs = tookMs / 2;
    }
  }

  /** By how many milliseconds `now` may be off. */
  get nowIsOffMs(): number {
    return this.offMs;
  }

  /**
   * Runs a statement by itself.
   * @throws UNAVAILABLE where the database cannot be had, is lost before it answers, or has the whole table locked, and
   * where nothing is left of the limit; CONFLICT for a row that ended while another came to name it.
   */
  rows<Row extends object>(statement: Statement, parameters: Parameters = {}): Promise<Row[]> {
    return this.during(() => this.single(statement, parameters));
  }

  private async single<Row extends object>(statement: Statement, parameters: Parameters): Promise<Row[]> {
    const client = await this.client();
    try {
      return await run<Row>(client, statement, parameters);
    } catch (error) {
      // What is read has no other change in its way: somebody alters the table, or writes it anew.
      throw isLockTimeout(error) ? new DatabaseUnavailable(error) : this.told(client, error);
    } finally {
      this.served?.silence.letGo(client);
      client.release();
    }
  }

  /**
   * Runs `work` in one transaction: all of it, or nothing. Serialization failures and deadlocks are tried again up to
   * three times, so `work` must have no effect outside the database.
   * @throws UNAVAILABLE where the database cannot be had, or is lost before the end, and where nothing is left of the limit
   * before the COMMIT: nothing was changed. OUTCOME_UNKNOWN where it was lost over the COMMIT. CONFLICT for a lock that was
   * not had in time, and for a row that ended while another came to name it. What `work` throws, after undoing it.
   */
  async transaction<Result>(work: (tx: Tx) => Promise<Result>): Promise<Result> {
    const wait = { isFinal: false };
    const { result, after } = await this.during(() => this.tried(work, wait), wait);
    for (const one of after) await one();
    return result;
  }

  private async tried<Result>(work: (tx: Tx) => Promise<Result>, wait: Wait): Promise<Committed<Result>> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.once(work, wait);
      } catch (error) {
        if (!isTransient(error)) throw error;
        if (attempt === retries) throw new DatabaseUnavailable(error);
        await sleep(Math.random() * 20 * 2 ** attempt);
      }
    }
  }

  private async once<Result>(work: (tx: Tx) => Promise<Result>, wait: Wait): Promise<Committed<Result>> {
    const runner = this.source.createQueryRunner();
    const client = await this.hold(
      () => runner.connect() as Promise<Client>,
      () => void runner.release(),
    );
    let undone = Promise.resolve();
    const after: (() => Promise<void>)[] = [];
    const afterCommit = (one: () => Promise<void>) => void after.push(one);
    try {
      if (this.limit) this.served?.connections.limit(client, this.limit);
      await runner.startTransaction();
      const rows = <Row extends object>(statement: Statement, parameters: Parameters = {}) =>
        run<Row>(client, statement, parameters);
      const result = await work({ em: runner.manager, rows, afterCommit });
      this.limit?.expectTimeLeft();
      this.served?.connections.unlimit(client);
      wait.isFinal = !this.served?.connections.isLost(client);
      const { command } = await client.query(commit);
      // So PostgreSQL answers where a statement had failed and its error was swallowed.
      if (command !== 'COMMIT') throw new FailedCommit();
      return { result, after };
    } catch (error) {
      if (wait.isFinal && !isRefusal(error)) {
        close(client);
        throw outcomeUnknown(error);
      }
      wait.isFinal = false;
      this.served?.connections.unlimit(client);
      // Where even this fails, nobody must find the transaction open on the connection that they are handed.
      if (runner.isTransactionActive) undone = runner.rollbackTransaction().catch(() => close(client));
      throw isTransient(error) ? error : this.told(client, error);
    } finally {
      const ended = undone.then(() => {
        this.served?.silence.letGo(client);
        return runner.release();
      });
      // Who has waited too long does not wait for this as well: without a COMMIT nothing is changed.
      if (this.limit?.leftMs !== 0) await ended;
    }
  }

  private client(): Promise<Client & { release(): void }> {
    return this.hold(
      () => this.pool.connect(),
      (late) => late.release(),
    );
  }

  private hold<Held extends Client>(
    connect: () => Promise<Held>,
    giveBack: (late: Held) => void,
  ): Promise<Held> {
    const silence = this.served?.silence as Silence<Held> | undefined;
    const held = silence ? silence.hold(connect, giveBack, this.limit?.leftMs) : connect();
    return held.catch(noConnection);
  }

  /** What an error on this connection is to callers; one that is of no more use goes back to nobody. */
  private told(client: Client, error: unknown): unknown {
    // TypeORM wraps whatever its statements end with.
    const thrown = databaseError(error);
    if (thrown instanceof KeywayError) return thrown;
    const { code = '', message = '' } = thrown ?? {};
    // A lock that was not had in time, and a row that ended while another came to name it.
    if (isLockTimeout(error) || code === '23503') return conflict();
    if (isTransient(error) || overloadedCodes.test(code)) return new DatabaseUnavailable(error);
    const isLost = this.served?.connections.isLost(client) ?? false;
    if (!isLost && !lostCodes.test(code) && message !== noAnswerInTime) return error;
    close(client);
    return new DatabaseUnavailable(error);
  }

  /**
   * Runs `work` while no other Keyway on this database does the same. The embedded database has one process alone.
   * @throws UNAVAILABLE where another one takes longer than a minute.
   */
  async alone<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.embedded) return work();
    const client = await this.client();
    try {
      // A lock of a session would be somebody else's where a pooler is between.
      await client.query(startTransaction);
      await run(client, letIdle, {});
      for (const until = Date.now() + aloneTimeoutMs; ; await sleep(50)) {
        const [answer] = await run<{ locked: boolean }>(client, tryLock, {});
        if (answer?.locked) break;
        if (Date.now() > until) throw new DatabaseUnavailable('another Keyway is starting on this database');
      }
      return await work();
    } finally {
      await client.query(rollback).catch(() => close(client));
      this.served?.silence.letGo(client);
      client.release();
    }
  }

  /**
   * Brings the tables up to date. Each migration is one transaction: it is done whole, or not at all.
   * @param mayBeAdded whether a newer Keyway may have added to them.
   * @returns what that has added
   * @throws an Error to show, where a newer Keyway has brought them further than this one knows, and where the role
   * lacks a right for it; nothing is changed then.
   */
  async migrate(mayBeAdded = false): Promise<{ added: string[] }> {
    const { added } = await this.expectToMigrate(mayBeAdded);
    await this.runMigrations();
    return { added };
  }

  /**
   * Expects that `migrate` would succeed, and changes nothing.
   * @returns how many changes of the tables are done, how many there are, and the names of others that a newer Keyway made.
   * @throws as `migrate`
   */
  async expectToMigrate(mayBeAdded = false): Promise<{ done: number; all: number; added: string[] }> {
    const known = new Set(this.source.migrations.map(({ name, constructor }) => name ?? constructor.name));
    const [there] = await this.rows<{ there: boolean }>(migrated);
    const made = there?.there ? await this.rows<{ name: string }>(migrationsDone) : [];
    const done = made.filter(({ name }) => known.has(name));
    const added = made.filter(({ name }) => !known.has(name)).map(({ name }) => name);
    const unknown = mayBeAdded ? added.filter((name) => !isExpansion(name)) : added;
    if (unknown.length > 0)
      throw new Error(
        `Keyway cannot start:\n  its database is of a later version, with changes that this one does not know (${unknown.join(', ')}): start that version or a newer one, or bring back a backup from before`,
      );
    if (!this.embedded && done.length < known.size)
      expectRights((await this.rows<RoleRights>(rightsToMigrate))[0]);
    return { done: done.length, all: known.size, added };
  }

  /** They take as long as there are rows: the driver's own limit for a statement is lifted meanwhile. */
  private async runMigrations(): Promise<void> {
    const runner = this.source.createQueryRunner();
    const client = (await runner.connect()) as Client;
    const parameters = client.connectionParameters ?? {};
    const { query_timeout: usual } = parameters;
    try {
      parameters.query_timeout = 0;
      const executor = new MigrationExecutor(this.source, runner);
      executor.transaction = 'each';
      await executor.executePendingMigrations();
    } finally {
      parameters.query_timeout = usual;
      await runner.release();
    }
  }

  async close(): Promise<void> {
    this.served?.stop();
    await this.source.destroy();
  }
}

/** A statement out of SQL text with `:name` parameters. */
export function sql(text: string): Statement {
  return numbered(text);
}

/** True for the failure of a unique index or constraint of that name. */
export function violates(error: unknown, constraint: string): boolean {
  const { code, constraint: name } = databaseError(error) ?? {};
  return code === '23505' && name === constraint;
}

/** True for the failure of a value that a statement was given, and not of the database. */
export const isBadValue = (error: unknown): boolean => /^22/.test(databaseError(error)?.code ?? '');

/**
 * Whether the version before can start on what a migration has made: what that reads is there, and what it writes is taken.
 * Told by its name, which is all that version has of it.
 */
const isExpansion = (name: string): boolean => name.startsWith('Expand');

const startTransaction = { text: 'START TRANSACTION', values: [] };
const commit = { text: 'COMMIT', values: [] };
const rollback = { text: 'ROLLBACK', values: [] };
const letIdle: Statement = { text: 'SET LOCAL idle_in_transaction_session_timeout = 0', names: [] };
const tryLock: Statement = { text: 'SELECT pg_try_advisory_xact_lock(4205139) AS locked', names: [] };
const migrated: Statement = {
  text: "SELECT to_regclass(quote_ident(current_schema()) || '.migrations') IS NOT NULL AS there",
  names: [],
};
const rightsToMigrate: Statement = { text: askRights, names: [] };
const migrationsDone: Statement = { text: 'SELECT name FROM migrations ORDER BY id', names: [] };
const readClock: Statement = { text: 'SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms', names: [] };

function numbered(text: string): Statement {
  const names: string[] = [];
  const place = (_: string, name: string) => {
    if (!names.includes(name)) names.push(name);
    return `$${names.indexOf(name) + 1}`;
  };
  return { text: text.replace(/(?<![:\w]):([a-zA-Z]\w*)/g, place), names };
}

async function run<Row extends object>(
  client: Client,
  statement: Statement,
  parameters: Parameters,
): Promise<Row[]> {
  const values = statement.names.map((name) => {
    const value = parameters[name];
    // A parameter forgotten would widen or empty the result in silence.
    if (value === undefined) throw new Error(`statement parameter ${name} is missing`);
    return value;
  });
  const { name, text } = statement;
  const { rows } = await client.query(name === undefined ? { text, values } : { text, values, name });
  return rows as Row[];
}

/** Whatever keeps a connection from being had, it is the same to callers. */
function noConnection(error: unknown): never {
  if (error instanceof DatabaseUnavailable) throw error;
  throw new DatabaseUnavailable(error);
}

const close = (client: Client): void => void client.end?.().catch(() => undefined);

/** No room left for connections, memory or files, and a statement that took too long: the connection itself is sound. */
const overloadedCodes = /^(53|57014)/;

/**
 * The connection failed, the server shuts down or ended the session, the system failed; or the server is a standby, which
 * changes nothing (25006; 0A000 where it is asked for a transaction that could): the next connection may lead to the
 * primary.
 */
const lostCodes = /^(08|57P|58|25006|0A000|25P03|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN)/;

/** What `pg` says where `query_timeout` has passed: it has no code for it. */
export const noAnswerInTime = 'Query read timeout';

class FailedCommit extends Error {
  constructor() {
    super('a transaction that had failed was committed');
  }
}

/** Whether the server itself refused a COMMIT, so that it is known not to have happened. */
const isRefusal = (error: unknown): boolean =>
  error instanceof FailedCommit ||
  /^(2|40001|40P01|42|5[345]|57014|P0)/.test(databaseError(error)?.code ?? '');

/** Serialization failures and deadlocks: nothing was done, and the same again may succeed. */
function isTransient(error: unknown): boolean {
  return /^(40001|40P01)$/.test(databaseError(error)?.code ?? '');
}

const isLockTimeout = (error: unknown): boolean => databaseError(error)?.code === '55P03';

function databaseError(error: unknown): { code?: string; constraint?: string; message?: string } | undefined {
  if (!(error instanceof Error)) return undefined;
  const inner: unknown = (error as { driverError?: unknown }).driverError ?? error;
  return inner as { code?: string; constraint?: string; message?: string };
}
