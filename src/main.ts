import 'reflect-metadata';
import type { FastifyInstance } from 'fastify';
import type { AddressInfo } from 'node:net';
import { Refusals } from './audit/refusals.js';
import type { Config } from './config.js';
import { registry } from './connectors/registry.js';
import { LastUsed } from './credentials/last-used.js';
import { sql, type Database } from './database.js';
import { openHttp } from './http.js';
import { startJobs } from './jobs.js';
import { openKeyway, type Keyway } from './keyway.js';
import type { Log } from './log.js';
import { openSchema } from './schema.js';

/** A Keyway that is serving. */
export interface Running {
  /** Where it listens: http://127.0.0.1:4000 */
  readonly url: string;
  readonly tokenPath: string | undefined;
  readonly db: Database;
  /** Stops: no new requests, those under way finish within 10 s, and what waits is written. */
  stop(): Promise<void>;
}

const slowestStopMs = 10_000;

/**
 * Starts Keyway.
 * @throws what `openKeyway` throws, and where the address is taken.
 */
export async function start(config: Config, log: Log): Promise<Running> {
  const keyway = await openKeyway(config, log);
  const { db } = keyway;
  let stopping = false;
  const ready = async () => !stopping && keyway.keyring !== undefined && (await answers(db));
  const serving = keyway.keyring ? await serve(keyway, log) : undefined;
  if (!keyway.keyring)
    log.error({ keys: keyway.missing }, 'not ready: the database was written with keys that are not here');
  let app: FastifyInstance | undefined;
  try {
    app = await openHttp({ config, log, parts: serving?.parts, ready });
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    await app?.close();
    await serving?.jobs.stop();
    await db.close();
    throw error;
  }
  const http = app;

  const stop = async () => {
    stopping = true;
    const timer = setTimeout(() => http.server.closeAllConnections(), slowestStopMs);
    // A connection whose last request has finished would be kept alive, and with it the server.
    const idle = setInterval(() => http.server.closeIdleConnections(), 50);
    await http.close();
    clearTimeout(timer);
    clearInterval(idle);
    await serving?.jobs.stop();
    await db.close();
  };
  let stopped: Promise<void> | undefined;
  return {
    url: urlOf(http),
    tokenPath: keyway.keyring ? keyway.tokenPath : undefined,
    db,
    stop: () => (stopped ??= stop()),
  };
}

async function serve({ db, keyring, checkpoints, wraps }: Keyway, log: Log) {
  const refusals = new Refusals(db, keyring, log);
  const lastUsed = new LastUsed(db, log);
  const parts = { db, keyring, connectors: registry, schema: await openSchema(), refusals, lastUsed };
  return { parts, jobs: startJobs({ db, keyring, log, lastUsed, refusals, checkpoints, wraps }) };
}

const answers = (db: Database): Promise<boolean> =>
  db.rows(ping).then(
    () => true,
    () => false,
  );

function urlOf(app: FastifyInstance): string {
  const { address, port, family } = app.server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

const ping = sql('SELECT 1');
