import { isIP } from 'node:net';
import type { Config } from '../../config/config.js';
import { openOutbound } from '../../outbound/outbound.js';
import { expectFree } from '../listening.js';
import { lookAt, type Finding } from './finding.js';

/** Whether Keyway can listen where it is to, or does so already. */
export const ofAddress = (config: Config): Promise<readonly Finding[]> =>
  lookAt('address', async (say) => {
    try {
      await expectFree(config);
      return [say.ok('it is free')];
    } catch (error) {
      const ready = await readyAt(config);
      if (ready === undefined) {
        const { message } = error as Error;
        return [
          error instanceof Error && error.cause ? say.wrong(message) : say.wrong('it cannot be listened at'),
        ];
      }
      return [
        ready
          ? say.ok('a Keyway serves there, and is ready')
          : say.warning('a Keyway serves there, and is not ready', 'its log says why'),
      ];
    }
  });

/** Whether a Keyway that listens there is ready; undefined where none does. */
async function readyAt({ host, port, basePath }: Config): Promise<boolean | undefined> {
  const outbound = openOutbound({ allowedRanges: [], local: true });
  try {
    const url = new URL(`http://${hereOf(host)}:${port}${basePath}/ready`);
    const { status, body } = await outbound.get(url, { timeoutMs: 3_000, mostBytes: 4_096 });
    const { status: said } = JSON.parse(body.toString()) as { status?: unknown };
    return said === 'up' || said === 'down' ? status === 200 : undefined;
  } catch {
    return undefined;
  } finally {
    await outbound.close();
  }
}

function hereOf(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return isIP(host) === 6 ? `[${host}]` : host;
}
