import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../../src/config/config.js';
import { sql, type Database } from '../../src/database/database.js';
import type { Registry } from '../../src/connectors/registry.js';
import { openLog } from '../../src/log.js';
import { start, type Running } from '../../src/cli/main.js';
import './of-requests.js';
import { readyPlace } from './process.js';

export interface GraphqlError {
  message: string;
  path?: (string | number)[];
  locations?: { line: number; column: number }[];
  extensions: { code: string; id?: string; fields?: { path: string; message: string }[] };
}

/** What came back. `data` is left loose: each test knows what it asked for. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  data: any;
  errors: GraphqlError[];
  /** The code of the first error. */
  code: string | undefined;
  /** What the log tells of a failure inside. */
  failure?: string | undefined;
}

export interface AskOptions {
  /** Whose token; the administrator's where left out, none where null. */
  token?: string | null;
  headers?: Record<string, string>;
}

/** A Keyway as its callers reach it. */
export interface Door {
  readonly url: string;
  readonly adminToken: string;
  ask(query: string, variables?: Record<string, unknown>, options?: AskOptions): Promise<Answer>;
}

/** A Keyway that others use as well: what a test asserts is about what it made itself. */
export interface SharedServer extends Door {
  readonly dataDir: string;
  /** Every line that was logged, by all. */
  readonly logged: readonly string[];
  /** The server's own database, for looking into tables. */
  readonly db: Database;
  /** Rows of a statement with `:name` parameters. */
  rows<Row extends object = Record<string, unknown>>(
    text: string,
    parameters?: Record<string, unknown>,
  ): Promise<Row[]>;
}

export interface TestServer extends SharedServer {
  /** The environment that this server was configured by, for starting another process on the same database. */
  readonly environment: Record<string, string>;
  /** Ends the server, for another process to have its data; `restart` brings it back. */
  pause(): Promise<void>;
  /** Ends the server, and starts it again on the same data; what is done between has the database for itself. */
  restart(between?: () => Promise<void>): Promise<void>;
  /** Keeps the state of the database, while the server is paused. Returns what puts it back. */
  keepState(): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

/** The door of a Keyway that serves elsewhere, in a process of its own. */
export const doorTo = (url: string, adminToken: string): Door => ({
  url,
  adminToken,
  ask: (query, variables, { token = adminToken, headers = {} } = {}) =>
    ask(url, query, variables, token, headers),
});

/**
 * A Keyway of its own on a copy of the template: real HTTP, real database. End it with `stop()`.
 * @param connectors the kinds of stores that it knows; all that Keyway comes with, where left out.
 */
export async function startTestServer(
  overrides: Record<string, string> = {},
  connectors?: Registry,
): Promise<TestServer> {
  const place = await readyPlace();
  const dataDir = place.folder;
  const environment: Record<string, string> = {
    ...place.environment,
    KEYWAY_LOG_LEVEL: 'info',
    KEYWAY_SYNC_MINUTES: '0',
    ...overrides,
  };
  const logged: string[] = [];
  const log = openLog(environment['KEYWAY_LOG_LEVEL'] ?? 'info', { write: (line) => void logged.push(line) });
  let running: Running = await start(readConfig(environment), log, connectors);
  const adminToken = readFileSync(join(dataDir, 'admin-token'), 'utf8').trim();

  return {
    get url() {
      return running.url;
    },
    get db() {
      return running.db;
    },
    adminToken,
    dataDir,
    environment,
    logged,
    ask: async (query, variables, options = {}) => {
      const token = options.token === undefined ? adminToken : options.token;
      const answer = await ask(running.url, query, variables, token, options.headers ?? {});
      const id = answer.errors.map(({ extensions }) => extensions.id).find(Boolean);
      return { ...answer, failure: id && logged.find((line) => line.includes(id)) };
    },
    rows: (text, parameters = {}) => running.db.rows(sql(text), parameters),
    pause: () => running.stop(),
    restart: async (between) => {
      await running.stop();
      await between?.();
      running = await start(readConfig(environment), log, connectors);
    },
    keepState: () => place.keepState(),
    stop: async () => {
      await running.stop();
      await place.drop();
    },
  };
}

/**
 * The Keyway of this worker of Jest, which its files share: it reaches stores on this machine, and is ended when the
 * worker is. For whoever makes the accounts that it asks about, and asserts nothing of what others may have made: lists
 * of an administrator, the log, and what is done to the whole process want `startTestServer`.
 */
export async function sharedServer(): Promise<SharedServer> {
  const kept = globalThis as { keywayOfWorker?: Promise<TestServer> };
  const server = await (kept.keywayOfWorker ??= startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' }));
  // A file before may have moved the clock of this process, which the server goes by until it sets its own anew.
  await server.db.setClock();
  return server;
}

/**
 * Another Keyway on the same database, in the same process: on PostgreSQL alone, as the embedded one has one Keyway.
 * End it with `stop()`, before the server.
 */
export async function startReplica(server: TestServer): Promise<Door & { stop(): Promise<void> }> {
  const running = await start(readConfig(server.environment), openLog('fatal'));
  return { ...doorTo(running.url, server.adminToken), stop: () => running.stop() };
}

async function ask(
  url: string,
  query: string,
  variables: Record<string, unknown> | undefined,
  token: string | null,
  headers: Record<string, string>,
): Promise<Answer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: JSON.stringify({ query, variables }),
  });
  const text = await response.text();
  const { data = null, errors = [] } = JSON.parse(text) as Partial<Pick<Answer, 'data' | 'errors'>>;
  return {
    status: response.status,
    headers: response.headers,
    text,
    data: data as unknown,
    errors,
    code: errors[0]?.extensions.code,
  };
}
