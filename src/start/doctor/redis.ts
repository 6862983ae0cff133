import type { Config } from '../../config/config.js';
import { openRedisLedger } from '../../rate-limits/in-redis.js';
import { lookAt, type Finding } from './finding.js';

/** Whether the Redis answers in which it is counted what callers spend; nothing, where there is none. */
export async function ofRedis({ redis }: Config): Promise<readonly Finding[]> {
  if (!redis) return [];
  return lookAt('redis', async (say) => {
    const ledger = await openRedisLedger(redis);
    try {
      await ledger.ping();
      return [say.ok('it answers')];
    } catch {
      return [
        say.warning(
          'it does not answer, or does not let Keyway in: each process counts by itself what callers spend',
          'see whether this machine reaches KEYWAY_REDIS_URL, and the user, the password and the certificate are right',
        ),
      ];
    } finally {
      await ledger.close();
    }
  });
}
