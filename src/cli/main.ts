import 'reflect-metadata';
import type { FastifyInstance } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { openKeySets } from '../access/issuers/key-sets.js';
import { openSink } from '../audit/stream/sink.js';
import { AuditStream } from '../audit/stream/stream.js';
import type { Break } from '../audit/checkpoints/breaks.js';
import { Decisions } from '../audit/decisions.js';
import type { Config } from '../config/config.js';
import { registry, type Registry } from '../connectors/registry.js';
import { LastUsed } from '../credentials/record/last-used.js';
import { openNow, Resumption } from '../credentials/outside/resume.js';
import { DueRotations } from '../credentials/due/rotate-due.js';
import { Syncs } from '../credentials/sync/syncs.js';
import { DatabaseAway } from '../database/connect.js';
import { sql, type Database } from '../database/database.js';
import { Upkeep } from '../database/upkeep.js';
import { watchConnections, type Closing } from '../http/closing.js';
import { openHttp } from '../http/http.js';
import { startJobs } from './jobs.js';
import { keyStandings } from '../start/key-rows.js';
import { openKeyway, type Keyway } from '../start/keyway.js';
import { keywayAddress, listening, metricsAddress } from '../start/listening.js';
import { readiness } from '../start/readiness.js';
import { Rewrap } from '../start/rewrap.js';
import type { Log } from '../log.js';
import { overdueNow } from '../credentials/record/policy.js';
import type { Metrics, OpenMeters } from '../http/metrics.js';
import { installed } from '../config/installed.js';
import { readFileSync } from 'node:fs';
import { areReady, type PartsUp } from '../telemetry/parts.js';
import { noTelemetry, type Telemetry } from '../telemetry/telemetry.js';
import type { MeasuredServing } from '../telemetry/gauges.js';
import type { Meters } from '../telemetry/meters.js';
import type { SentMetrics } from '../telemetry/sent-metrics.js';
import type { Tracing } from '../telemetry/tracing.js';
import { openOutbound } from '../outbound/outbound.js';
import { forgetWindows, ledgerIn } from '../rate-limits/in-database.js';
import { RateLimits } from '../rate-limits/rate-limits.js';
import { openRedisLedger } from '../rate-limits/in-redis.js';
import { openSchema, traceVerbs } from '../graph/schema.js';
import { openGates } from '../stores/gate.js';
import { StoreCalls } from '../stores/spend.js';

/** A Keyway that is serving. */
export interface Running {
  /** Where it listens: http://127.0.0.1:4000 */
  readonly url: string;
  readonly tokenPath: string | undefined;
  /** Keys that the database was written with and that are not here: while there are any, it is not ready. */
  readonly missing: readonly string[];
  /** Why KEKs of the start are not unwrapped yet: while there is any, it is not ready, and serves all that needs none of them. */
  readonly lacking: readonly string[];
  /** Where the audit log is not what its checkpoints say: while there is any, it is not ready and answers nothing. */
  readonly breaks: readonly Break[];
  readonly db: Database;
  /** Does what one of several processes does for all, from now on. */
  takeSharedJobs(): void;
  /**
   * Stops. At once it is not ready any more, and each answer ends its connection; for `delayMs` it goes on serving, until
   * whoever sends it requests has seen that. Then it takes no new ones, those under way finish within 10 s, connections
   * that stay without one end after `idleMs`, and what waits is written. Without the two, nobody is waited for who might
   * still send a request.
   */
  stop(waiting?: StopWaiting): Promise<void>;
}

/** What a stop waits for, in milliseconds: see `Running.stop`. */
export interface StopWaiting {
  readonly delayMs: number;
  readonly idleMs: number;
}

const slowestStopMs = 10_000;

/**
 * Starts Keyway. Where the configuration asks for several processes, as one of them: then what one does for all is begun by
 * `takeSharedJobs`, and its metrics are told to the process that started it.
 * @param connectors the kinds of stores that there are.
 * @param open opens its database and its keys.
 * @throws what `open` throws, and where an address is taken.
 */
export async function start(
  config: Config,
  log: Log,
  connectors = registry,
  open: typeof openKeyway = openKeyway,
): Promise<Running> {
  const here = { id: randomUUID(), version: versionHere() };
  const tracing =
    config.traces && (await import('../telemetry/tracing.js')).openTracing(config.traces, here, log);
  const keyway = await open(config, log, { traced: tracing?.statement, serves: true });
  const { db } = keyway;
  let stopping = false;
  const breaks = () => (keyway.keyring ? keyway.checkpoints.breaks : []);
  const answers = readiness(() => db.rows(ping));
  const lacking = () => (keyway.keyring ? keyway.keys.lacking : []);
  const meters = (config.metrics ?? config.metricsTo) && (await import('../http/metrics.js')).openMeters();
  const telemetry = telemetryOf(meters?.telemetry, tracing);
  const serving = keyway.keyring ? await serve(config, keyway, { log, telemetry }, connectors) : undefined;
  const parts = async (): Promise<PartsUp> => ({
    serving: !stopping,
    keys: keyway.keyring !== undefined,
    'key-provider': lacking().length === 0,
    'audit-log': breaks().length === 0,
    database: await answers(),
    ...serving?.otherParts(),
  });
  const ready = async () => areReady(await parts());
  if (!keyway.keyring)
    log.error({ keys: keyway.missing }, 'not ready: the database was written with keys that are not here');
  let app: FastifyInstance | undefined;
  let closing: Closing | undefined;
  let metrics: Metrics | undefined;
  let sending: SentMetrics | undefined;
  try {
    meters?.measure({
      version: here.version,
      database: db.embedded ? 'embedded' : 'postgresql',
      parts,
      pool: () => db.connections,
      serving: serving?.measured,
    });
    metrics = meters && (await serveMetrics(meters, config, log));
    if (meters && config.metricsTo)
      sending = (await import('../telemetry/sent-metrics.js')).sendMetrics(
        config.metricsTo,
        here,
        meters.read,
        log,
      );
    const opened = (app = await openHttp({ config, log, telemetry, parts: serving?.parts, ready, breaks }));
    closing = watchConnections(opened.server);
    await listening(keywayAddress, () => opened.listen({ host: config.host, port: config.port }));
  } catch (error) {
    await app?.close();
    await metrics?.stop();
    await serving?.stop();
    await Promise.all([tracing?.stop(), sending?.stop()]);
    await keyway.close();
    throw error;
  }
  const [http, connections] = [app, closing];
  if (config.processes === 1) serving?.jobs.takeShared();

  const stop = async ({ delayMs, idleMs }: StopWaiting) => {
    stopping = true;
    connections.leave();
    if (delayMs > 0) await sleep(delayMs);
    await connections.close({ idleMs, slowestMs: slowestStopMs });
    await http.close();
    await metrics?.stop();
    await serving?.stop();
    await Promise.all([tracing?.stop(), sending?.stop()]);
    await keyway.close();
  };
  let stopped: Promise<void> | undefined;
  return {
    url: urlOf(http),
    tokenPath: keyway.keyring ? keyway.tokenPath : undefined,
    missing: keyway.keyring ? [] : keyway.missing,
    get lacking() {
      return lacking();
    },
    get breaks() {
      return breaks();
    },
    db,
    takeSharedJobs: () => serving?.jobs.takeShared(),
    stop: (waiting = { delayMs: 0, idleMs: 0 }) => (stopped ??= stop(waiting)),
  };
}

/**
 * Opens a Keyway as soon as its database can be reached. Until then callers are answered UNAVAILABLE, and /ready 503.
 * @param stopAsked ends the waiting.
 * @returns `openKeyway`; it throws besides StoppedWaiting.
 */
export function openOnceThere(stopAsked: Promise<unknown>): typeof openKeyway {
  return async (config, log, purpose) => {
    let door: FastifyInstance | undefined;
    try {
      for (;;) {
        try {
          return await openKeyway(config, log, purpose);
        } catch (error) {
          if (!(error instanceof DatabaseAway)) throw error;
          door ??= await openClosedDoor(config, log, error);
        }
        if (await Promise.race([stopAsked.then(() => true), sleep(againMs, false)]))
          throw new StoppedWaiting();
      }
    } finally {
      await door?.close();
    }
  };
}

/** It was asked to stop before there was a database. */
export class StoppedWaiting extends Error {}

const againMs = 1_000;

async function openClosedDoor(config: Config, log: Log, { message }: Error): Promise<FastifyInstance> {
  const door = await openHttp({
    config,
    log,
    telemetry: noTelemetry,
    parts: undefined,
    ready: () => Promise.resolve(false),
    breaks: () => [],
  });
  await listening(keywayAddress, () => door.listen({ host: config.host, port: config.port }));
  const why = message.split('\n').at(-1)?.trim();
  log.warn(
    { url: urlOf(door), why },
    'the database cannot be reached: Keyway waits for it, and is not ready',
  );
  return door;
}

async function serve(
  config: Config,
  { db, replica, keyring, checkpoints, wraps, keys }: Keyway,
  { log, telemetry }: { log: Log; telemetry: Telemetry },
  connectors: Registry,
) {
  const decisions = new Decisions(db, keyring, log);
  const lastUsed = new LastUsed(db, log);
  const outbound = openOutbound({
    allowedRanges: config.outboundRanges,
    httpRanges: config.outboundHttpRanges,
    local: config.outboundLocal,
  });
  const gates = openGates(outbound, log, { telemetry });
  const stores = { db, keyring, connectors, gates, log };
  const syncs = new Syncs(stores, config.syncEveryMs);
  const resumption = new Resumption(stores);
  const keySets = openKeySets(config.jwtIssuers, outbound, log);
  const ledger = config.redis ? await openRedisLedger(config.redis) : ledgerIn(db);
  const schema = await openSchema(connectors);
  if (config.traces) traceVerbs(schema, telemetry.within);
  const parts = {
    db,
    replica,
    keyring,
    keyStandings: (from: Database) => keyStandings(from, keyring),
    connectors,
    gates,
    syncs,
    keySets,
    schema,
    decisions,
    lastUsed,
    rateLimits: new RateLimits(config.rateLimits, ledger, log, telemetry),
  };
  const rewrap = new Rewrap({ db, keyring, wraps, log });
  const storeCalls = new StoreCalls(db, gates, connectors, log);
  const auditStream = config.auditStream && new AuditStream(db, openSink(config.auditStream), log);
  const jobs = startJobs({
    db,
    log,
    lastUsed,
    decisions,
    storeCalls,
    checkpoints,
    reserveWraps: async () => {
      if (keyring.hasKek(keyring.currentKekId())) await wraps.reserve(keyring.currentKekId());
    },
    keys,
    rewrap,
    rotations: new DueRotations(stores),
    syncs,
    resumption,
    auditStream,
    upkeep: db.embedded ? new Upkeep(db) : undefined,
    telemetry,
    forgetWindows: () => forgetWindows(db),
  });
  // What another process writes or streams is its to tell of.
  const checkpointAge = () => (jobs.areShared ? checkpoints.ageSeconds : undefined);
  const measured: MeasuredServing = {
    circuits: () => gates.circuits(),
    tables: async () => {
      const [{ count, longestS }, open] = await Promise.all([overdueNow(db), openNow(db)]);
      return { overdue: count, overdueSeconds: longestS, ...open };
    },
    keys: rewrap,
    keksWaiting: () => keys.waiting,
    limitsAreShared: () => parts.rateLimits.isShared,
    streamLag: () => auditStream?.lag,
    auditQueue: () => decisions.waiting,
    checkpointAge,
  };
  return {
    parts,
    jobs,
    measured,
    otherParts: (): PartsUp => ({
      checkpoints: jobs.areShared ? checkpoints.ageSeconds < oldestCheckpointS : undefined,
      issuers: keySets.size > 0 ? ![...keySets.values()].some(({ hasFailed }) => hasFailed) : undefined,
      replica: replica?.isWell,
      'audit-stream': auditStream?.lag && !auditStream.isFailing,
    }),
    stop: async () => {
      await jobs.stop();
      await outbound.close();
      await parts.rateLimits.close();
    },
  };
}

/** Beside other processes these are told to the one that started them, which serves them. */
async function serveMetrics(
  meters: OpenMeters,
  { metrics: at, processes }: Config,
  log: Log,
): Promise<Metrics | undefined> {
  if (!at) return undefined;
  if (processes > 1) return void meters.tell();
  const metrics = await listening(metricsAddress, () => meters.serve(at));
  log.info({ metrics: metrics.url }, 'metrics are served');
  return metrics;
}

/** What hears of what Keyway does: those that listen, and nobody for the rest. */
function telemetryOf(meters: Meters | undefined, tracing: Tracing | undefined): Telemetry {
  return {
    ...(meters
      ? {
          answered: (request) => meters.answered(request),
          refused: (limit) => meters.refused(limit),
          verified: (code) => meters.verified(code),
          called: (call) => meters.called(call),
          jobEnded: (job, hasFailed) => meters.jobEnded(job, hasFailed),
        }
      : noTelemetry),
    begin: tracing ? tracing.begin : noTelemetry.begin,
    within: tracing ? tracing.within : noTelemetry.within,
  };
}

const versionHere = () =>
  (JSON.parse(readFileSync(installed('package.json'), 'utf8')) as { version: string }).version;

/** They are written each minute. */
const oldestCheckpointS = 300;

function urlOf(app: FastifyInstance): string {
  const { address, port, family } = app.server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

const ping = sql('SELECT 1');
