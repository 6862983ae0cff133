import pg from 'pg';
import { longestLockMs, slowestStatementMs } from '../config/limits.js';
import type { Session } from './connections.js';

/** Settings of a session, by the server's names. */
export type Settings = ReadonlyMap<string, string>;

/** What each statement of Keyway's relies on, whatever the server, the database, the role or the address says. */
const ours: Settings = new Map([
  ['statement_timeout', `${slowestStatementMs}`],
  ['lock_timeout', `${longestLockMs}`],
  ['idle_in_transaction_session_timeout', '15000'],
  ['client_encoding', 'UTF8'],
  ['TimeZone', 'UTC'],
  ['DateStyle', 'ISO, YMD'],
  ['IntervalStyle', 'postgres'],
  ['bytea_output', 'hex'],
  ['standard_conforming_strings', 'on'],
  ['array_nulls', 'on'],
  ['extra_float_digits', '1'],
  ['default_transaction_isolation', 'read committed'],
  ['default_transaction_read_only', 'off'],
  ['default_transaction_deferrable', 'off'],
  ['jit', 'off'],
]);

/** What the embedded database needs of it: nobody else sets anything there, and it cannot be interrupted. */
export const embeddedSettings: Settings = new Map(
  [...ours].filter(([name]) => !/timeout|client_encoding|jit/.test(name)),
);

/** All that a session is set to: what others want, and over it what Keyway relies on. */
export function settingsOver(wanted: Settings): Settings {
  const own = new Set([...ours.keys()].map((name) => name.toLowerCase()));
  return new Map([...[...wanted].filter(([name]) => !own.has(name.toLowerCase())), ...ours]);
}

/** What a session is to be like. */
export interface SessionTerms {
  readonly settings: Settings;
  /** Whether it is known that a pooler is between. */
  readonly pooled: boolean;
  /** Whether its server may follow another one: what it is asked must bear that it is behind. */
  readonly mayFollow: boolean;
}

/**
 * Makes a new connection one of Keyway's. Where it leads to a session of its own, that one is set, once. Where a pooler
 * is between, a session may be another one with each transaction, and somebody else's between two of them: then nothing
 * is kept in it. What is set is set with each transaction, to its end, and no statement is prepared under a name.
 * @returns its session; undefined where a pooler is between.
 * @throws what the server says to a setting; 25006 where its server follows another one and must not.
 */
export async function beginSession(client: pg.PoolClient, terms: SessionTerms): Promise<Session | undefined> {
  const { processID } = client as unknown as { processID: number };
  const { rows } = await client.query<{ direct: boolean; startedAt: string }>({
    text: setDirect(terms),
    values: [terms.pooled ? -1 : processID, JSON.stringify(Object.fromEntries(terms.settings))],
    // Not a setting of its own in the types of `pg`, which knows it: nobody waits longer for a connection.
    ...{ query_timeout: 5_000 },
  });
  if (rows[0]?.direct) return { pid: processID, startedAt: rows[0].startedAt };
  Object.assign(client, { query: pooledQuery(client, terms) });
  return undefined;
}

/**
 * Fails (25006) on a server that follows another one, as PostgreSQL gives it no number for a transaction: it may not know yet
 * what has ended. While it is promoted it is asked already, as soon as it holds the lock of the primary.
 */
const standing = ({ mayFollow }: SessionTerms) =>
  mayFollow ? 'NULL' : 'CASE WHEN pg_is_in_recovery() THEN pg_current_xact_id() END';

/**
 * A pooler makes the number up by which a client could cancel a statement; without one, it is the server process's own
 * (https://www.postgresql.org/docs/current/protocol-message-formats.html, BackendKeyData).
 */
const setDirect = (terms: SessionTerms) => `
  SELECT ${standing(terms)}, pg_backend_pid() = $1::integer AS direct,
    (SELECT extract(epoch FROM backend_start)::text FROM pg_stat_activity WHERE pid = pg_backend_pid()) AS "startedAt",
    CASE WHEN pg_backend_pid() = $1::integer
    THEN (SELECT count(set_config(name, value, false)) FROM json_each_text($2::json) AS setting (name, value)) END`;

type Answer = pg.QueryResult | pg.QueryResult[];

/** `client.query` for a connection through a pooler. */
function pooledQuery(client: pg.PoolClient, terms: SessionTerms) {
  const query = client.query.bind(client) as unknown as (query: unknown, values?: unknown) => Promise<Answer>;
  const status = () =>
    (client as unknown as { getTransactionStatus(): string | null }).getTransactionStatus();
  const set = `SELECT ${standing(terms)}, ${[...terms.settings]
    .map(([name, value]) => `set_config(${pg.escapeLiteral(name)}, ${pg.escapeLiteral(value)}, true)`)
    .join(', ')}`;
  return async (given: string | pg.QueryConfig, values?: unknown[]): Promise<pg.QueryResult> => {
    const { text, values: own = values } = typeof given === 'string' ? { text: given } : given;
    if (status() !== 'I') return last(await query({ text, values: own }));
    if (/^\s*(START TRANSACTION|BEGIN)\s*$/i.test(text))
      return first(await query(`${startTransaction}; ${set}`));
    return last(
      await new Promise<Answer>((resolve, reject) => {
        const guarded = new GuardedQuery(set, { text, values: own ?? [] });
        guarded.callback = (error, answer) => (error ? reject(error) : resolve(answer));
        void query(guarded);
      }),
    );
  };
}

// What a server, a database or a role has for these cannot be changed any more once a transaction has begun.
const startTransaction = 'START TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE, NOT DEFERRABLE';

const first = (answer: Answer) => (Array.isArray(answer) ? answer[0] : answer) as pg.QueryResult;
const last = (answer: Answer) => (Array.isArray(answer) ? answer.at(-1) : answer) as pg.QueryResult;

/** What `pg` writes to. */
interface Wire {
  parse(message: { text: string }): void;
  bind(message: { values: unknown[] }): void;
  describe(message: { type: 'P' }): void;
  execute(message: object): void;
}

type PgQuery = new (config: { text: string; values: unknown[]; queryMode: 'extended' }) => {
  prepare(wire: Wire): void;
  submit(wire: Wire): Error | null;
};

/**
 * A statement that is sent with the settings before it, in one piece: all up to the Sync is one transaction
 * (https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING), so the settings hold for it
 * and end with it, and no round trip is added.
 */
class GuardedQuery extends (pg.Query as unknown as PgQuery) {
  callback: ((error: Error | null, answer: Answer) => void) | undefined;

  constructor(
    private readonly set: string,
    statement: { text: string; values: unknown[] },
  ) {
    super({ ...statement, queryMode: 'extended' });
  }

  override prepare(wire: Wire): void {
    wire.parse({ text: this.set });
    wire.bind({ values: [] });
    wire.describe({ type: 'P' });
    wire.execute({});
    super.prepare(wire);
  }
}
