import { isIP } from 'node:net';
import { availableParallelism, homedir } from 'node:os';
import { resolve } from 'node:path';
import { callerSettings, isOfCaller, tokenOfCaller, type CallerSettings } from './caller.js';
import { readAuditStreamAt, type AuditStreamAt } from './audit-stream-at.js';
import { isSameDatabase, readCheckpointsAt, type CheckpointsAt } from './checkpoints-at.js';
import {
  signalAddress,
  readCollector,
  signals,
  type MetricsTo,
  type Signal,
  type TracesAt,
} from './collector-at.js';
import { DatabaseUrlError, isLocal, readDatabaseUrl } from './database-url.js';
import { usualUnderWay } from './limits.js';
import { keyProviderSettings, readKeyProviders, type KeyProviderSettings } from './key-providers.js';
import { readJwtIssuers, type JwtIssuer } from './jwt-issuers.js';
import { isPrivate, parseRange } from './ranges.js';
import { readRateLimits, type RateLimitSettings } from './rate-limits.js';
import { readRedisAt, type RedisAt } from './redis-at.js';
import { readRequestLimits, type RequestLimits } from './request-limits.js';
import { readScimDirectories, type ScimDirectory } from './scim-directories.js';

/** How this Keyway is set up. Read once from the environment, checked, frozen. */
export interface Config {
  readonly production: boolean;
  readonly host: string;
  readonly port: number;
  /** A PostgreSQL connection string; the embedded database where there is none. */
  readonly databaseUrl: string | undefined;
  /** Of a server that follows the one of `databaseUrl`, from which queries may be read; none, if undefined. */
  readonly databaseReadUrl: string | undefined;
  /** Most connections to PostgreSQL at once. */
  readonly databasePool: number;
  /** How many processes serve beside each other. */
  readonly processes: number;
  /** Where the embedded database, the key files and the first token lie. */
  readonly dataDir: string;
  readonly keysDir: string;
  /** Where the checkpoints of the audit log lie, and how many months of them are kept. */
  readonly checkpoints: CheckpointsAt;
  readonly checkpointMonths: number;
  /** Who keeps the KEKs. */
  readonly keyProviders: KeyProviderSettings;
  readonly logLevel: string;
  /** Origins that browsers may call from, besides Keyway's own. */
  readonly corsOrigins: readonly string[];
  /** The path that Keyway's addresses begin with where a proxy passes it on, such as /keyway; none, if empty. */
  readonly basePath: string;
  /** How long a connection without a request stays open, in milliseconds. */
  readonly keepAliveMs: number;
  /** How long Keyway goes on serving after SIGTERM, not ready any more, in milliseconds. */
  readonly stopDelayMs: number;
  /** Addresses and CIDR blocks of proxies whose forwarding header is believed. */
  readonly trustedProxies: readonly string[];
  /** What Keyway is called by: where signed requests to it are sent. In lower case, with or without a port. */
  readonly hosts: readonly string[];
  /** Whose tokens are taken besides Keyway's own. */
  readonly jwtIssuers: readonly JwtIssuer[];
  /** The people that identity providers keep by SCIM. */
  readonly scim: readonly ScimDirectory[];
  /** Addresses and CIDR blocks that are not public, and that Keyway may call all the same. */
  readonly outboundRanges: readonly string[];
  /** Addresses and CIDR blocks of one's own network that Keyway may call, also by http. */
  readonly outboundHttpRanges: readonly string[];
  /** Whether Keyway may call loopback addresses, and by http: for trials and tests. */
  readonly outboundLocal: boolean;
  /** Where the audit log is streamed to; nowhere, where undefined. */
  readonly auditStream: AuditStreamAt | undefined;
  /** What a request may be like. */
  readonly limits: RequestLimits;
  /** How many requests of one account may be under way at once. */
  readonly requestsPerCaller: number;
  /** What callers may spend, and be refused, in a minute. */
  readonly rateLimits: RateLimitSettings;
  /** Where it is kept what they have spent; in the database, where undefined. */
  readonly redis: RedisAt | undefined;
  /** How often each store is synced by itself, in milliseconds; never, if 0. */
  readonly syncEveryMs: number;
  /** Where metrics are served, apart from all else; nowhere, where undefined. */
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
  /** Where traces are sent; nowhere, where undefined. */
  readonly traces: TracesAt | undefined;
  /** Where metrics are sent, served or not; nowhere, where undefined. */
  readonly metricsTo: MetricsTo | undefined;
  /** Whether people are served the console. */
  readonly console: boolean;
  readonly explorer: boolean;
  /** What the explorer's example connects as a store; the demo's stand-in alone, whose keys are nobody's. */
  readonly exampleStore?: Readonly<Record<'storeAddress' | 'storeKey' | 'storeSecret', unknown>> | undefined;
  readonly introspection: boolean;
}

const ranges =
  'addresses or CIDR blocks such as 10.0.0.0/8, without bits behind the prefix or IPv4 inside IPv6';

type Environment = Record<string, string | undefined>;

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/**
 * Reads the configuration.
 * @param always what is so whatever the environment says
 * @throws one Error that tells every fault at once, by variable name and never with its value.
 */
export function readConfig(given: Environment = process.env, always: Environment = {}): Config {
  const { config, faults } = examineConfig(given, always);
  if (faults.length > 0)
    throw new Error(`Keyway cannot start:\n${faults.map((line) => `  ${line}`).join('\n')}`);
  return config;
}

/** The configuration as far as it can be read, and what is said of it. */
export interface ExaminedConfig {
  /** Where a setting is faulty, with what it is without that. */
  readonly config: Config;
  /** What no start goes on with, each by the name of its variable and never with its value. */
  readonly faults: readonly string[];
  /** What a start goes on with, and is hardly meant so; in the same words. */
  readonly doubts: readonly string[];
}

/** The same as `readConfig` for whoever is to look at it: it throws nothing, and tells what is doubtful as well. */
export function examineConfig(given: Environment = process.env, always: Environment = {}): ExaminedConfig {
  const environment = { ...withoutServices(given), ...always };
  const faults: string[] = [];
  const fault = (name: string, message: string) => void faults.push(`${name} ${message}`);
  const text = (name: string) => environment[name]?.trim() || undefined;
  // Node puts U+FFFD in the place of a byte that is no UTF-8.
  for (const [name, value = ''] of Object.entries(environment))
    if (isRead(name) && /[\uFFFD\p{Cs}]/u.test(value))
      fault(name, 'has bytes that are not UTF-8: write it in UTF-8, or in ASCII alone');

  const whole = (name: string, fallback: number, least: number, most: number) => {
    const value = text(name);
    if (value === undefined) return fallback;
    if (/^\d{1,9}$/.test(value) && Number(value) >= least && Number(value) <= most) return Number(value);
    fault(name, `must be a whole number from ${least} to ${most}`);
    return fallback;
  };
  const flag = (name: string, fallback: boolean) => {
    const value = text(name);
    if (value === undefined) return fallback;
    if (value === 'true' || value === 'false') return value === 'true';
    fault(name, 'must be true or false');
    return fallback;
  };
  const list = (name: string, fits: (item: string) => boolean, what: string) => {
    const items = (text(name) ?? '').split(',').flatMap((item) => item.trim() || []);
    if (!items.every(fits)) fault(name, `must be ${what}, separated by commas`);
    return items;
  };

  const path = (name: string) => {
    const value = (text(name) ?? '').replace(/\/$/, '');
    if (/^(\/[A-Za-z0-9._~-]+)*$/.test(value)) return value;
    fault(name, 'must be a path such as /keyway');
    return '';
  };

  const issuers = (name: string, local: boolean) => {
    const read = readJwtIssuers(text(name) ?? '[]', local);
    read.faults.forEach((message) => fault(name, message));
    return read.issuers;
  };

  const directories = (name: string, known: readonly JwtIssuer[]) => {
    const read = readScimDirectories(text(name) ?? '[]', new Set(known.map(({ issuer }) => issuer)));
    read.faults.forEach((message) => fault(name, message));
    return read.directories;
  };

  const processes = (name: string) => {
    const given = text(name) ?? '1';
    if (given === 'auto') return usualProcesses(text('DATABASE_URL'));
    const count = /^[1-9]\d?$/.test(given) ? Number(given) : mostProcesses + 1;
    if (count > mostProcesses) fault(name, `must be auto, or a whole number from 1 to ${mostProcesses}`);
    else if (count > 1 && text('DATABASE_URL') === undefined)
      fault(name, 'must be 1 without DATABASE_URL: the embedded database is for one process');
    return count;
  };

  const auditStream = (name: string) => {
    const given = text(name);
    if (given === undefined) return undefined;
    const file = text('KEYWAY_AUDIT_STREAM_TOKEN_FILE');
    const at = readAuditStreamAt(given, file && folderAt(file));
    if (typeof at !== 'string') return at;
    fault(name, at);
    return undefined;
  };

  const collector = (name: string): Pick<Config, 'traces' | 'metricsTo'> => {
    const given = text(name);
    if (given === undefined) return { traces: undefined, metricsTo: undefined };
    const sent = list('KEYWAY_OTEL_SIGNALS', isSignal, 'traces, metrics, or both');
    const sampling = text('KEYWAY_OTEL_SAMPLING') ?? '0.1';
    if (!/^(0(\.\d{1,6})?|1(\.0{1,6})?)$/.test(sampling))
      fault('KEYWAY_OTEL_SAMPLING', 'must be a number from 0 to 1, such as 0.05');
    const everyMs = whole('KEYWAY_OTEL_METRICS_SECONDS', 60, 1, 3_600) * 1_000;
    const url = readCollector(given);
    if (typeof url === 'string') fault(name, url);
    const file = text('KEYWAY_OTEL_HEADERS_FILE');
    const headersFile = file === undefined ? undefined : folderAt(file);
    const at = (signal: Signal) =>
      typeof url !== 'string' && (sent.length === 0 || sent.includes(signal))
        ? { url: signalAddress(signal, url), headersFile }
        : undefined;
    const [traces, metricsTo] = [at('traces'), at('metrics')];
    return {
      traces: traces && { ...traces, sampling: Number(sampling) },
      metricsTo: metricsTo && { ...metricsTo, everyMs },
    };
  };

  const limits = (name: string) => {
    const read = readRequestLimits(text(name) ?? '');
    read.faults.forEach((message) => fault(name, message));
    return read.limits;
  };

  const rateLimits = (name: string) => {
    const read = readRateLimits(text(name) ?? '');
    read.faults.forEach((message) => fault(name, message));
    return read.limits;
  };

  const redis = (name: string) => {
    const prefix = text('KEYWAY_REDIS_PREFIX') ?? 'keyway';
    if (!/^[\w.-]{1,40}$/.test(prefix))
      fault('KEYWAY_REDIS_PREFIX', 'must be 1 to 40 letters, digits, or any of . _ -');
    const given = text(name);
    if (given === undefined) return undefined;
    const file = text('KEYWAY_REDIS_PASSWORD_FILE');
    const at = readRedisAt(given, { passwordFile: file && folderAt(file), prefix });
    if (typeof at !== 'string') return at;
    fault(name, at);
    return undefined;
  };

  const checkpoints = (name: string, usual: string): CheckpointsAt => {
    const given = text(name) ?? usual;
    const at = readCheckpointsAt(given, environment);
    if (at === 'fault') fault(name, 'must be a folder, s3://bucket/prefix, or postgres://user@host/database');
    return at === undefined || at === 'fault' ? { kind: 'folder', path: folderAt(given) } : at;
  };

  const production = text('NODE_ENV') === 'production';
  const host = text('HOST') ?? '127.0.0.1';
  const hosts = list('KEYWAY_HOSTS', isHost, 'hosts such as keyway.example.com or keyway.example.com:8443');
  const outboundLocal = flag('KEYWAY_OUTBOUND_LOCAL', false);
  const jwtIssuers = issuers('KEYWAY_JWT_ISSUERS', outboundLocal);
  const dataDir = folderAt(text('KEYWAY_DATA_DIR') ?? '.keyway');
  const config: Config = {
    production,
    host,
    port: whole('PORT', 4000, 0, 65535),
    databaseUrl: text('DATABASE_URL'),
    databaseReadUrl: text('KEYWAY_DATABASE_READ_URL'),
    databasePool: whole('KEYWAY_DATABASE_POOL', 10, 2, 500),
    processes: processes('KEYWAY_PROCESSES'),
    dataDir,
    keysDir: folderAt(text('KEYWAY_KEYS_DIR') ?? `${dataDir}/keys`),
    checkpoints: checkpoints('KEYWAY_CHECKPOINTS', dataDir),
    checkpointMonths: whole('KEYWAY_CHECKPOINT_MONTHS', 13, 2, 1_200),
    keyProviders: readKeyProviders({ text, fault, production }),
    logLevel: text('KEYWAY_LOG_LEVEL') ?? 'info',
    corsOrigins: list(
      'KEYWAY_CORS_ORIGINS',
      isOrigin,
      'origins such as https://app.example.com, without a path or a wildcard',
    ),
    basePath: path('KEYWAY_BASE_PATH'),
    keepAliveMs: whole('KEYWAY_KEEP_ALIVE_SECONDS', 90, 1, 3_600) * 1_000,
    stopDelayMs: whole('KEYWAY_STOP_DELAY_SECONDS', 3, 0, 300) * 1_000,
    trustedProxies: list('KEYWAY_TRUSTED_PROXIES', isRange, ranges),
    hosts: lowered(hosts.length > 0 ? hosts : [...loopback, isIP(host) === 6 ? `[${host}]` : host]),
    jwtIssuers,
    scim: directories('KEYWAY_SCIM', jwtIssuers),
    outboundRanges: list('KEYWAY_OUTBOUND_RANGES', isRange, ranges),
    outboundHttpRanges: list(
      'KEYWAY_OUTBOUND_HTTP_RANGES',
      isPrivateRange,
      'private addresses or CIDR blocks such as 10.0.0.0/8: what is sent by http can be read on its way',
    ),
    outboundLocal,
    auditStream: auditStream('KEYWAY_AUDIT_STREAM'),
    limits: limits('KEYWAY_LIMITS'),
    requestsPerCaller: whole('KEYWAY_REQUESTS_PER_CALLER', usualUnderWay, 1, 100_000),
    rateLimits: rateLimits('KEYWAY_RATE_LIMITS'),
    redis: redis('KEYWAY_REDIS_URL'),
    syncEveryMs: whole('KEYWAY_SYNC_MINUTES', 15, 0, 10_080) * 60_000,
    metrics: text('KEYWAY_METRICS_PORT')
      ? { host: text('KEYWAY_METRICS_HOST') ?? '127.0.0.1', port: whole('KEYWAY_METRICS_PORT', 0, 0, 65535) }
      : undefined,
    ...collector('KEYWAY_OTEL_ENDPOINT'),
    console: flag('KEYWAY_CONSOLE', !production),
    explorer: flag('KEYWAY_EXPLORER', !production),
    introspection: flag('KEYWAY_INTROSPECTION', !production),
  };

  if (!logLevels.includes(config.logLevel))
    fault('KEYWAY_LOG_LEVEL', `must be one of ${logLevels.join(', ')}`);
  if (config.databaseUrl !== undefined)
    databaseFaults(config.databaseUrl, production).forEach((f) => fault('DATABASE_URL', f));
  if (config.databaseReadUrl !== undefined) {
    const { databaseUrl: own, databaseReadUrl: url } = config;
    const wrong = databaseFaults(url, production);
    wrong.forEach((f) => fault('KEYWAY_DATABASE_READ_URL', f));
    if (own === undefined)
      fault('KEYWAY_DATABASE_READ_URL', 'needs DATABASE_URL: the server that it follows');
    else if (wrong.concat(databaseFaults(own, production)).length === 0 && isSameDatabase(own, url))
      fault('KEYWAY_DATABASE_READ_URL', 'must lead to another server than DATABASE_URL');
  }
  if (config.checkpoints.kind === 'postgres') {
    const { url } = config.checkpoints;
    const wrong = databaseFaults(url, production);
    wrong.forEach((f) => fault('KEYWAY_CHECKPOINTS', f));
    const own = config.databaseUrl;
    const areRead = own !== undefined && wrong.concat(databaseFaults(own, production)).length === 0;
    if (areRead && isSameDatabase(own, url))
      fault(
        'KEYWAY_CHECKPOINTS',
        'must not lead to the database of DATABASE_URL: what is lost there is lost with it',
      );
  }
  if (production) {
    if (config.introspection) fault('KEYWAY_INTROSPECTION', 'must not be true in production');
    if (outboundLocal) fault('KEYWAY_OUTBOUND_LOCAL', 'must not be true in production');
    if (['trace', 'debug'].includes(config.logLevel))
      fault('KEYWAY_LOG_LEVEL', 'must not be trace or debug in production');
    if (text('NODE_TLS_REJECT_UNAUTHORIZED') === '0')
      fault('NODE_TLS_REJECT_UNAUTHORIZED', 'must not be 0 in production');
    if (/(^|[\s=])--inspect/.test(text('NODE_OPTIONS') ?? ''))
      fault('NODE_OPTIONS', 'must not open the inspector in production');
  }
  for (const name of Object.keys(environment)) {
    if (name.startsWith('KEYWAY_') && !known.has(name) && !isOfCaller(name))
      fault(name, 'is not a setting of Keyway');
  }
  return {
    config: Object.freeze(config),
    faults,
    doubts: doubtsOf(config, (name) => text(name) !== undefined),
  };
}

/** What the environment says to the commands that call a Keyway. */
export const readCaller = (given: Environment = process.env): CallerSettings => callerSettings(given);

/** The environment of a program that a command runs: its own, without the token for Keyway, and with what is added. */
export function environmentWith(
  added: Readonly<Record<string, string>>,
  given: Environment = process.env,
): Environment {
  return {
    ...Object.fromEntries(Object.entries(given).filter(([name]) => name !== tokenOfCaller)),
    ...added,
  };
}

/** Settings that contradict each other, or open more than they seem to. */
function doubtsOf(config: Config, isSet: (name: string) => boolean): string[] {
  const { host, port, metrics, production } = config;
  const isOpen = !isLocal(host);
  const all: readonly (readonly [boolean, string])[] = [
    [
      metrics === undefined && isSet('KEYWAY_METRICS_HOST'),
      'KEYWAY_METRICS_HOST has no effect: set KEYWAY_METRICS_PORT too',
    ],
    ...collectorSettings.map(
      (name) =>
        [
          !isSet('KEYWAY_OTEL_ENDPOINT') && isSet(name),
          `${name} has no effect: set KEYWAY_OTEL_ENDPOINT too`,
        ] as const,
    ),
    [
      config.metricsTo !== undefined && config.traces === undefined && isSet('KEYWAY_OTEL_SAMPLING'),
      'KEYWAY_OTEL_SAMPLING has no effect: KEYWAY_OTEL_SIGNALS names metrics alone',
    ],
    [
      config.traces !== undefined && config.metricsTo === undefined && isSet('KEYWAY_OTEL_METRICS_SECONDS'),
      'KEYWAY_OTEL_METRICS_SECONDS has no effect: KEYWAY_OTEL_SIGNALS names traces alone',
    ],
    [
      metrics !== undefined && port !== 0 && metrics.port === port,
      'KEYWAY_METRICS_PORT is the same as PORT: metrics need a port of their own',
    ],
    [
      config.explorer && !config.introspection,
      'KEYWAY_EXPLORER shows an explorer without help: it completes and explains nothing while KEYWAY_INTROSPECTION is false',
    ],
    [
      !production && isOpen,
      'NODE_ENV is not production, while HOST lets other machines in: they are shown the console, the explorer and the schema',
    ],
    [
      isOpen && !isSet('KEYWAY_HOSTS'),
      'KEYWAY_HOSTS is not set, while HOST lets other machines in: requests that they sign are refused',
    ],
    [
      config.trustedProxies.some((range) => /\/0$/.test(range)),
      'KEYWAY_TRUSTED_PROXIES names all addresses: any caller can say that it is another one',
    ],
    [
      config.rateLimits.points > 0 && config.rateLimits.points < config.limits.query.cost,
      'KEYWAY_RATE_LIMITS allows fewer points in a minute than one operation may cost (KEYWAY_LIMITS): such an operation is always refused',
    ],
    [
      config.redis === undefined && ['KEYWAY_REDIS_PASSWORD_FILE', 'KEYWAY_REDIS_PREFIX'].some(isSet),
      'KEYWAY_REDIS_PASSWORD_FILE and KEYWAY_REDIS_PREFIX have no effect: set KEYWAY_REDIS_URL too',
    ],
    [
      config.outboundLocal,
      'KEYWAY_OUTBOUND_LOCAL lets Keyway call this machine, also by http: for trials only',
    ],
    [
      production && config.databaseUrl === undefined,
      'DATABASE_URL is not set: the embedded database may lose in a power failure what was answered',
    ],
  ];
  return all.flatMap(([applies, doubt]) => (applies ? [doubt] : []));
}

const isRead = (name: string) =>
  known.has(name) || ['PORT', 'HOST', 'DATABASE_URL', 'NODE_ENV'].includes(name);

/** What is said of a collector, besides where it is. */
const collectorSettings = [
  'KEYWAY_OTEL_HEADERS_FILE',
  'KEYWAY_OTEL_SIGNALS',
  'KEYWAY_OTEL_SAMPLING',
  'KEYWAY_OTEL_METRICS_SECONDS',
] as const;

const known = new Set([
  'KEYWAY_DATA_DIR',
  'KEYWAY_KEYS_DIR',
  'KEYWAY_CHECKPOINTS',
  'KEYWAY_CHECKPOINT_MONTHS',
  ...keyProviderSettings,
  'KEYWAY_DATABASE_POOL',
  'KEYWAY_DATABASE_READ_URL',
  'KEYWAY_PROCESSES',
  'KEYWAY_LOG_LEVEL',
  'KEYWAY_CORS_ORIGINS',
  'KEYWAY_BASE_PATH',
  'KEYWAY_KEEP_ALIVE_SECONDS',
  'KEYWAY_STOP_DELAY_SECONDS',
  'KEYWAY_TRUSTED_PROXIES',
  'KEYWAY_HOSTS',
  'KEYWAY_JWT_ISSUERS',
  'KEYWAY_SCIM',
  'KEYWAY_OUTBOUND_RANGES',
  'KEYWAY_OUTBOUND_HTTP_RANGES',
  'KEYWAY_OUTBOUND_LOCAL',
  'KEYWAY_AUDIT_STREAM',
  'KEYWAY_AUDIT_STREAM_TOKEN_FILE',
  'KEYWAY_LIMITS',
  'KEYWAY_REQUESTS_PER_CALLER',
  'KEYWAY_RATE_LIMITS',
  'KEYWAY_REDIS_URL',
  'KEYWAY_REDIS_PASSWORD_FILE',
  'KEYWAY_REDIS_PREFIX',
  'KEYWAY_SYNC_MINUTES',
  'KEYWAY_METRICS_HOST',
  'KEYWAY_METRICS_PORT',
  'KEYWAY_OTEL_ENDPOINT',
  ...collectorSettings,
  'KEYWAY_CONSOLE',
  'KEYWAY_EXPLORER',
  'KEYWAY_INTROSPECTION',
]);

/**
 * Kubernetes puts the address of each Service into the environment of a container, by names made of the Service's: for one
 * called `keyway` or `keyway-metrics`, they begin as settings of Keyway do. What has such a name and such a value is no
 * setting. A value of another form is: `KEYWAY_METRICS_PORT=9464`, said in a manifest, is what is meant.
 * https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
function withoutServices(environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(environment).filter(
      ([name, value]) => !ofService.some(([names, values]) => names.test(name) && values.test(value ?? '')),
    ),
  );
}

const ofService: readonly (readonly [RegExp, RegExp])[] = [
  [/^KEYWAY(_\w+)?_SERVICE_HOST$/, /^[\w.:-]*$/],
  [/^KEYWAY(_\w+)?_SERVICE_PORT(_\w+)?$/, /^\d+$/],
  [/^KEYWAY(_\w+)?_PORT(_\d+_(TCP|UDP|SCTP))?$/, /^(tcp|udp|sctp):\/\//i],
  [/^KEYWAY(_\w+)?_PORT_\d+_(TCP|UDP|SCTP)_PROTO$/, /^(tcp|udp|sctp)$/i],
  [/^KEYWAY(_\w+)?_PORT_\d+_(TCP|UDP|SCTP)_PORT$/, /^\d+$/],
  [/^KEYWAY(_\w+)?_PORT_\d+_(TCP|UDP|SCTP)_ADDR$/, /^[\w.:-]*$/],
];

/** Where no shell has done it, ~ is the home folder too. */
const folderAt = (path: string): string => resolve(path.replace(/^~(?=\/|$)/, () => homedir()));

function databaseFaults(address: string, production: boolean): string[] {
  try {
    const { tls } = readDatabaseUrl(address);
    if (tls === 'none') return ['must use TLS, unless the server is on this machine'];
    if (tls === 'unverified' && production) return ['must verify the TLS certificate in production'];
    return [];
  } catch (error) {
    if (error instanceof DatabaseUrlError) return [error.message];
    throw error;
  }
}

const mostProcesses = 64;

/** A process for each core that there is; where the database is on this machine, one core is left to it. */
function usualProcesses(databaseUrl: string | undefined): number {
  if (databaseUrl === undefined) return 1;
  const cores = availableParallelism();
  return Math.min(mostProcesses, Math.max(1, isOnThisMachine(databaseUrl) ? cores - 1 : cores));
}

function isOnThisMachine(databaseUrl: string): boolean {
  try {
    return isLocal(readDatabaseUrl(databaseUrl).host ?? '');
  } catch {
    // What is wrong with the address is told by its own name.
    return false;
  }
}

const loopback = ['localhost', '127.0.0.1', '[::1]'];
const lowered = (hosts: readonly string[]) => [...new Set(hosts.map((host) => host.toLowerCase()))];
const isHost = (item: string) =>
  /^(?:[a-z0-9._-]{1,255}|\[[0-9a-f:.]{2,45}\])(?::[1-9]\d{0,4})?$/i.test(item);
// A browser names one origin, and it is compared as it is.
const isOrigin = (item: string) => URL.canParse(item) && new URL(item).origin === item && !item.includes('*');
const isSignal = (item: string) => signals.some((signal) => signal === item);
const isRange = (item: string) => parseRange(item) !== undefined;
const isPrivateRange = (item: string) => {
  const range = parseRange(item);
  return range !== undefined && isPrivate(range);
};
