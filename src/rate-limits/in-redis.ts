import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { passwordOf, type RedisAt } from '../config/redis-at.js';
import { quotaWindowMs, shareOfRest, type PointsTaken, type Ledger } from './ledger.js';

/** How long a request waits for Redis, in milliseconds: it goes on without. */
const patienceMs = 200;

/** How long a connection may take, and how long after one that failed the next is tried, in milliseconds. */
const slowestConnectionMs = 2_000;
const againMs = 500;

/** How often an idle connection is used, and after how long a silent one is given up, in milliseconds. */
const pingEveryMs = 5_000;
const longestSilenceMs = 12_000;

/** A ledger in Redis, which can be asked whether it is there. */
export interface RedisLedger extends Ledger {
  /** @throws where it does not answer, or does not let Keyway in */
  ping(): Promise<void>;
}

/**
 * Opens the ledger in Redis: one script takes, and the clock is that of Redis. Where the first connection fails, others are
 * tried beside, again and again; until one is there, whatever is asked fails at once.
 */
export async function openRedisLedger(at: RedisAt): Promise<RedisLedger> {
  // Loaded where it is used: reading it takes as long as a good part of a start.
  const { createClient } = await import('@redis/client');
  const { host, port, path, tls, database, prefix } = at;
  const common = {
    connectTimeout: slowestConnectionMs,
    socketTimeout: longestSilenceMs,
    reconnectStrategy: againMs,
  };
  const client = createClient({
    socket: path
      ? { ...common, path, tls: false }
      : // An address is no name of a server (RFC 6066): the certificate is held to it all the same.
        { ...common, host, port, ...(tls && { tls, ...(isIP(host) === 0 && { servername: host }) }) },
    ...((at.password ?? at.passwordFile) !== undefined && {
      credentialsProvider: {
        type: 'async-credentials-provider' as const,
        credentials: () => credentialsOf(at),
      },
    }),
    database,
    name: 'keyway',
    // What waits for a connection would be counted late, when its caller has gone on.
    disableOfflineQueue: true,
    pingInterval: pingEveryMs,
    // What every server speaks.
    RESP: 2,
    maintNotifications: 'disabled',
  });
  let lastFailure: unknown;
  client.on('error', (error: unknown) => (lastFailure = error));
  const settled = Promise.race([
    once(client, 'ready'),
    once(client, 'error'),
    // One that takes connections and says nothing holds up no start.
    sleep(slowestConnectionMs, undefined, { ref: false }),
  ]);
  client.connect().catch((error: unknown) => (lastFailure = error));
  await settled.catch(() => undefined);

  const expectConnected = () => {
    if (!client.isReady) throw new Error('there is no connection to Redis', { cause: lastFailure });
  };
  const run = async (key: string, values: string[]): Promise<unknown> => {
    const options = { keys: [key], arguments: values };
    try {
      return await client.evalSha(scriptHash, options);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return client.eval(script, options);
    }
  };
  return {
    patienceMs,
    take: async ({ name, points, needed, isFirst, limit }) => {
      expectConnected();
      const values = [points, limit, quotaWindowMs, needed, isFirst ? shareOfRest : 0];
      return grantedBy(await run(`${prefix}:rate:${name}`, values.map(String)), points);
    },
    ping: async () => {
      expectConnected();
      await client.ping();
    },
    close: async () => client.destroy(),
  };
}

/** Asked for with each connection: a password that is changed is the one of the next. */
async function credentialsOf(at: RedisAt) {
  const { username } = at;
  return { ...(username !== undefined && { username }), password: passwordOf(at)?.expose() ?? '' };
}

function grantedBy(answer: unknown, wanted: number): PointsTaken {
  const [points, taken, leftMs] = Array.isArray(answer) ? (answer as unknown[]) : [];
  if (
    !isWithin(points, wanted) ||
    !isWithin(taken, Number.MAX_SAFE_INTEGER) ||
    !isWithin(leftMs, quotaWindowMs)
  )
    throw new Error('Redis answered with something else than three numbers that there can be');
  return { points, taken, leftMs };
}

const isWithin = (value: unknown, most: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most;

// A key without an end, or with one that others have given it, could keep somebody out for ever.
const script = `
  local taken = tonumber(redis.call('GET', KEYS[1]) or '0')
  local points, share = tonumber(ARGV[1]), tonumber(ARGV[5])
  local rest = tonumber(ARGV[2]) - taken
  if share > 0 and rest <= points then points = math.max(tonumber(ARGV[4]), math.ceil(rest / share)) end
  points = math.max(0, math.min(points, rest))
  if points > 0 then taken = redis.call('INCRBY', KEYS[1], points) end
  local left = redis.call('PTTL', KEYS[1])
  if left < 0 or left > tonumber(ARGV[3]) then
    left = tonumber(ARGV[3])
    redis.call('PEXPIRE', KEYS[1], left)
  end
  return { points, taken, left }`;
const scriptHash = createHash('sha1').update(script).digest('hex');
