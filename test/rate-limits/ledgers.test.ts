import { execFileSync } from 'node:child_process';
import { openLog } from '../../src/log.js';
import { ledgerIn } from '../../src/rate-limits/in-database.js';
import { openRedisLedger } from '../../src/rate-limits/in-redis.js';
import { WatchedLedger, type Ledger } from '../../src/rate-limits/ledger.js';
import { Quota } from '../../src/rate-limits/quota.js';
import { examineConfig } from '../../src/config/config.js';
import { unique } from '../support/make.js';
import { hasRedisServer, startRedisServer, startRedisStandIn, type TestRedis } from '../support/redis.js';
import { sharedServer } from '../support/server.js';

// What the processes of a Keyway are given of one limit, by each of the ledgers.

const limit = 3_000;
const log = openLog('silent', { write: () => undefined });

async function inRedis(redis: TestRedis): Promise<{ ledger: Ledger; stop: () => Promise<void> }> {
  const { config } = examineConfig({ KEYWAY_REDIS_URL: redis.url });
  if (!config?.redis) throw new Error('the setting names a Redis');
  const ledger = await openRedisLedger(config.redis);
  return {
    ledger,
    stop: async () => {
      await ledger.close();
      await redis.stop();
    },
  };
}

const ledgers: [string, () => Promise<{ ledger: Ledger; stop: () => Promise<void> }>][] = [
  [
    'the database',
    async () => ({ ledger: ledgerIn((await sharedServer()).db), stop: () => Promise.resolve() }),
  ],
  ['a stand-in of Redis', async () => inRedis(await startRedisStandIn())],
  ...(hasRedisServer
    ? ([['redis-server', async () => inRedis(await startRedisServer())]] as typeof ledgers)
    : []),
];

describe.each(ledgers)('by %s', (_, open) => {
  let ledger: Ledger;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    ({ ledger, stop } = await open());
  });
  afterAll(() => stop());

  const processOf = () => new Quota('points', limit, new WatchedLedger(ledger, log));
  const spendAll = async (quota: Quota, who: string): Promise<number> => {
    let spent = 0;
    while (spent <= limit && (await quota.spend(who, 1))) spent++;
    return spent;
  };

  test('S6: each of forty processes has something to spend, and all together no more than the limit', async () => {
    const who = unique('somebody');
    const all = Array.from({ length: 40 }, processOf);
    let spent = 0;
    for (const quota of all) {
      expect(await quota.spend(who, 1)).toBe(true);
      spent++;
    }
    for (const quota of all) spent += await spendAll(quota, who);
    expect(spent).toBe(limit);
  });

  test('S6: one that is alone has all of it, by ten blocks', async () => {
    expect(await spendAll(processOf(), unique('somebody'))).toBe(limit);
  });

  test('S6: who comes when less is left than it needs at once is given nothing', async () => {
    const who = unique('somebody');
    expect(await processOf().spend(who, limit - 5)).toBe(true);
    const late = processOf();
    expect(await late.spend(who, 6)).toBe(false);
  });
});

test.each([
  ['no list', ':7'],
  ['two numbers', '*2\r\n:1\r\n:1'],
  ['a text', '*3\r\n$3\r\none\r\n:1\r\n:1'],
  ['nothing', '*3\r\n$-1\r\n:1\r\n:1'],
  ['a part', '*3\r\n$3\r\n0.5\r\n:1\r\n:1'],
  ['fewer than none', '*3\r\n:-1\r\n:1\r\n:1'],
  ['more than was wanted', '*3\r\n:3001\r\n:3001\r\n:1'],
  ['a window that goes on for an hour', '*3\r\n:1\r\n:1\r\n:3600000'],
])('R27: of a Redis that answers with %s, each process counts by itself', async (_, told) => {
  const { ledger, stop } = await inRedis(await startRedisStandIn(undefined, `${told}\r\n`));
  try {
    const watched = new WatchedLedger(ledger, log);
    const quota = new Quota('points', limit, watched);
    expect(await quota.spend('somebody', limit)).toBe(true);
    expect(await quota.spend('somebody', 1)).toBe(false);
    expect(watched.isReachable).toBe(false);
  } finally {
    await stop();
  }
});

if (hasRedisServer)
  test('R27: a key in Redis to which somebody has given a far end, or none, keeps nobody out for longer', async () => {
    const redis = await startRedisServer();
    const { ledger, stop } = await inRedis(redis);
    const cli = (...words: string[]) =>
      execFileSync('redis-cli', ['-p', `${redis.port}`, ...words], { encoding: 'utf8' }).trim();
    try {
      const wanted = { name: 'somebody', points: limit, needed: 1, isFirst: false, limit };
      const { leftMs: window } = await ledger.take(wanted);
      const key = cli('KEYS', '*');
      for (const change of [
        ['EXPIRE', key, '2592000'],
        ['PERSIST', key],
      ]) {
        expect(cli(...change)).toBe('1');
        const { points, leftMs } = await ledger.take(wanted);
        expect([points, leftMs]).toEqual([0, window]);
      }
    } finally {
      await stop();
    }
  });
