import { readFileSync } from 'node:fs';
import pg from 'pg';
import { DatabaseUrlError, readDatabaseUrl, type DatabaseAddress } from '../config/database-url.js';
import { slowestStatementMs } from '../config/limits.js';
import type { PgConnection, Connections, Session } from './connections.js';
import type { SeenSession, Server } from './dead-connections.js';
import { beginSession, settingsOver, type Settings } from './session.js';

/** What a pool of connections is made with, in the words of `pg`, for TypeORM's `extra`. */
export type PoolOptions = Record<string, unknown>;

/**
 * Meets the server, and tells how connections to it are made, each of them as `beginSession` does it, and whether a pooler
 * is between.
 * @param connections is told of each one.
 * @param mayFollow whether the server may follow another one.
 * @throws an Error to show, which names DATABASE_URL and what is to be done, where Keyway cannot work with what is
 * there, and where it cannot be reached or lets nobody in by this address.
 */
export async function connectionTo(
  url: string,
  connections: Pick<Connections, 'add' | 'begin'>,
  mayFollow = false,
): Promise<{ options: PoolOptions; pooled: boolean }> {
  const address = readDatabaseUrl(url);
  const options = ofDatabaseUrl(() => clientOptions(address));
  const { settings, pooled } = await meet(new pg.Client(options), address, mayFollow);
  const onConnect = async (client: pg.PoolClient) => {
    // The types of `pg` know nothing of what is beneath it.
    const connection = client as unknown as PgConnection;
    connections.add(connection);
    connections.begin(
      connection,
      await beginSession(client, { settings, pooled: address.pooled, mayFollow }),
    );
  };
  return { options: { ...options, onConnect }, pooled };
}

/**
 * How `pg` reaches this address.
 * @throws DatabaseUrlError where a file that it names cannot be read
 */
export const clientOptions = (address: DatabaseAddress) => ({
  host: address.host,
  port: address.port,
  user: address.user,
  password: address.password,
  database: address.database,
  ssl:
    address.tls === 'local' ? false : { rejectUnauthorized: address.tls !== 'unverified', ...files(address) },
  enableChannelBinding: address.channelBinding,
  application_name: address.applicationName,
  connectionTimeoutMillis: address.connectTimeoutMs,
  // Longer than the server's own limit: it is for a server that no longer answers at all.
  query_timeout: slowestStatementMs + 2_000,
  idleTimeoutMillis: 60_000,
  keepAlive: true,
  types: { getTypeParser: textTimestamps },
});

/**
 * Resolves as soon as the server lets in a connection of its own. It asks nothing: a pooler whose sessions are all busy
 * would not answer, and is there all the same. @throws what `pg` says.
 */
export const askWhetherThere = (options: PoolOptions): Promise<void> =>
  byNewConnection(options, () => Promise.resolve());

/** Has something done with the server, by a connection of its own. @throws what `pg` says. */
export const askServerItself = (
  options: PoolOptions,
  work: (server: Server) => Promise<void>,
): Promise<void> =>
  byNewConnection(options, (client) => {
    const by = (text: string) => async (sessions: readonly Session[]) => {
      const of = [sessions.map(({ pid }) => pid), sessions.map(({ startedAt }) => startedAt)];
      return (await client.query<SeenSession>(text, of)).rows;
    };
    return work({ find: by(findSessions), endIdle: by(endIdleSessions) });
  });

async function byNewConnection(
  options: PoolOptions,
  work: (client: pg.Client) => Promise<void>,
): Promise<void> {
  const client = new pg.Client({ ...options, connectionTimeoutMillis: 2_000, query_timeout: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

const ofSessions = `
  FROM unnest($1::integer[], $2::text[]) AS known (pid, "startedAt")
  JOIN pg_stat_activity now ON now.pid = known.pid AND extract(epoch FROM now.backend_start)::text = known."startedAt"`;
const findSessions = `
  SELECT known.pid, known."startedAt", CASE WHEN state LIKE 'idle%'
    THEN extract(epoch FROM clock_timestamp() - state_change)::double precision * 1000 END AS "idleMs" ${ofSessions}`;
const endIdleSessions = `SELECT pg_terminate_backend(known.pid) ${ofSessions} WHERE state LIKE 'idle%'`;

/** Asks the server what it is, and finds out where the tables are, once for all connections. */
async function meet(
  client: pg.Client,
  address: DatabaseAddress,
  mayFollow: boolean,
): Promise<{ settings: Settings; pooled: boolean }> {
  const wanted = new Map(address.settings);
  const own = client as unknown as pg.PoolClient;
  client.on('error', () => undefined);
  await client.connect().catch((error: unknown) => {
    throw cannotStart(whyNotConnected(error), error, isAway(error) ? DatabaseAway : Error);
  });
  try {
    const terms = { settings: settingsOver(wanted), pooled: address.pooled, mayFollow };
    const session = await beginSession(own, terms).catch(refusedSession);
    const { rows } = await own.query<Met>(askServer, [address.schema ?? null]);
    const met = rows[0];
    if (!met) throw new Error('the database told nothing of itself');
    const fault = faultOf(met, session === undefined, address.schema !== undefined);
    if (fault !== undefined) throw cannotStart(fault);
    return { settings: settingsOver(wanted.set('search_path', met.path)), pooled: session === undefined };
  } finally {
    await client.end().catch(() => undefined);
  }
}

interface Met {
  version: number;
  encoding: string;
  /** Where tables are made and looked for first; null where there is no such schema. */
  schema: string | null;
  /** Another schema on the search path that has Keyway's tables, where the first has none. */
  elsewhere: string | null;
  path: string;
  isolation: string;
}

function faultOf(met: Met, pooled: boolean, named: boolean): string | undefined {
  if (met.version < oldestVersion) return 'must name a PostgreSQL of version 14 or newer';
  if (met.encoding !== 'UTF8')
    return "must name a database whose encoding is UTF8: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0";
  if (met.schema === null)
    return named
      ? 'names a schema that is not there, or that its role may not use: CREATE SCHEMA … AUTHORIZATION …'
      : 'leads to no schema: set the search_path of its role to one that is there, or name it with the parameter schema';
  if (met.elsewhere !== null && !named)
    return 'leads to a schema without tables of Keyway, and past it to one that has them: name that one with the parameter schema';
  if (pooled && met.isolation !== 'read committed')
    return "leads through a pooler to sessions of another isolation: ALTER ROLE … SET default_transaction_isolation = 'read committed'";
  return undefined;
}

const oldestVersion = 140_000;

// Beside the tables, the trigrams of pg_trgm must be found, wherever that extension was made.
const askServer = `
  WITH wanted AS (
    SELECT COALESCE((SELECT ARRAY[nspname] FROM pg_namespace WHERE nspname = $1),
      CASE WHEN $1::text IS NULL THEN current_schemas(false) ELSE '{}' END)::text[] AS schemas
  ), extension AS (
    SELECT nspname::text AS schema FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'pg_trgm'
  ), made AS (
    SELECT nspname::text AS schema FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relname = 'audit_heads' AND relkind = 'r'
  )
  SELECT current_setting('server_version_num')::integer AS version, current_setting('server_encoding') AS encoding,
    CASE WHEN has_schema_privilege(schemas[1], 'USAGE') THEN schemas[1] END AS schema,
    (SELECT schema FROM made WHERE schema = ANY(schemas) AND NOT EXISTS (SELECT FROM made WHERE schema = schemas[1]) LIMIT 1)
      AS elsewhere,
    (SELECT string_agg(quote_ident(schema), ', ' ORDER BY place) FROM (
      SELECT schema, min(place) AS place
      FROM unnest(schemas || ARRAY(SELECT schema FROM extension)) WITH ORDINALITY AS path (schema, place) GROUP BY schema
    ) path) AS path,
    current_setting('transaction_isolation') AS isolation
  FROM wanted`;

function files({ files }: DatabaseAddress): Record<string, Buffer> {
  const names = { ca: 'sslrootcert', cert: 'sslcert', key: 'sslkey' } as const;
  return Object.fromEntries(
    Object.entries(files).map(([name, path]) => {
      try {
        return [name, readFileSync(path)];
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        throw new DatabaseUrlError(
          `names a file with ${names[name as keyof typeof names]} that cannot be read (${code})`,
        );
      }
    }),
  );
}

function refusedSession(error: unknown): never {
  const { code = '' } = error as { code?: string };
  if (code === '25006')
    throw cannotStart(
      'leads to a standby, which takes no changes and may be behind: name the primary',
      error,
      DatabaseAway,
    );
  // A class of its own for what is no setting, has no such value or is not for this role.
  if (/^(22023|42704|42501|55P02|42602)$/.test(code))
    throw cannotStart('asks by its parameter options for a setting that the database refuses', error);
  throw error;
}

/**
 * Says by its code why the server was not reached, to follow upon the name of the variable that leads to it: what others say
 * of it may hold names and passwords.
 */
export function whyNotConnected(error: unknown): string {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  const shown = code === '' ? '' : ` (${code})`;
  const known = reasons[code];
  if (known !== undefined) return `${known}${shown}`;
  if (/CERT|VERIFY|SELF_SIGNED|TLS/.test(code))
    return `leads to a server whose certificate is not trusted: name its authority by the parameter sslrootcert${shown}`;
  // The one sentence of pg's that has no code.
  if (message === noTls) return 'leads to a server without TLS, which is only taken on this machine';
  return `leads to a server that cannot be reached${shown}`;
}

/** The server cannot be reached now, and may be later. */
export class DatabaseAway extends Error {}

/** What is no fault of the address, or of who has set it. */
function isAway(error: unknown): boolean {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  return code === ''
    ? withoutCode.has(message)
    : /^(08|53300|57P|ECONN|EHOST|ENET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN)/.test(code);
}

/** What pg says where a server does not answer in time, or hangs up. */
const withoutCode = new Set(['timeout expired', 'Connection terminated unexpectedly']);

const reasons: Readonly<Record<string, string>> = {
  '28P01': 'names a user or a password that the server refuses',
  '28000': 'names a user that the server does not let in, or not from here or without TLS',
  '3D000': 'names a database that is not there',
  '53300': 'leads to a server that takes no more connections',
  '57P03': 'leads to a server that is still starting or stopping',
};

/** https://github.com/brianc/node-postgres/blob/master/packages/pg/lib/connection.js */
const noTls = 'The server does not support SSL connections';

const cannotStart = (
  fault: string,
  cause?: unknown,
  Kind: new (...given: ConstructorParameters<typeof Error>) => Error = Error,
): Error => new Kind(`Keyway cannot start:\n  DATABASE_URL ${fault}`, { cause });

function ofDatabaseUrl<Read>(read: () => Read): Read {
  try {
    return read();
  } catch (error) {
    throw error instanceof DatabaseUrlError ? cannotStart(error.message) : error;
  }
}

const asText = (value: string) => value;
const timestamps = new Set<number>([1184, 1114]);

function textTimestamps(oid: number, format?: 'text' | 'binary'): unknown {
  return timestamps.has(oid) ? asText : pg.types.getTypeParser(oid, format);
}
