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
