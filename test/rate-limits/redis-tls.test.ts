/**
 * @slow 20 s
 * @embedded the limits in Redis, whatever the database is
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSigned } from '../support/certificate.js';
import { emptyPlace, spawnKeyway, urlOf, type Place, type Spawned } from '../support/process.js';
import { hasRedisWithTls, startRedisServer, startRedisStandIn, type TestRedis } from '../support/redis.js';
import { doorTo } from '../support/server.js';

// Authorities are read once by Node, so each Keyway here is a process of its own.

const folder = mkdtempSync(join(tmpdir(), 'keyway-redis-tls-'));
const inFiles = (name: string, { cert, key }: { cert: string; key: string }) => {
  const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key);
  return files;
};
const own = inFiles('own', selfSigned('localhost', '127.0.0.1'));
const elsewhere = inFiles('elsewhere', selfSigned('redis.example.com'));

const kinds: [string, (tls: typeof own) => Promise<TestRedis>][] = [
  ['a stand-in', startRedisStandIn],
  ...(hasRedisWithTls ? ([['redis-server', (tls) => startRedisServer(undefined, tls)]] as typeof kinds) : []),
];

let place: Place;
beforeAll(async () => void (place = await emptyPlace()));
afterAll(async () => {
  await place.drop();
  rmSync(folder, { recursive: true });
});

/** Asks a Keyway that counts there, and tells whether it is counted over all processes, and what was printed. */
async function counted(
  redis: string,
  authority: string | undefined,
): Promise<{ isShared: boolean; output: string }> {
  const keyway: Spawned = spawnKeyway(['serve'], {
    ...place.environment,
    KEYWAY_METRICS_PORT: '0',
    KEYWAY_REDIS_URL: redis,
    ...(authority !== undefined && { NODE_EXTRA_CA_CERTS: authority }),
  });
  let isShared: boolean;
  try {
    const url = await urlOf(keyway);
    const token = readFileSync(join(place.folder, 'admin-token'), 'utf8').trim();
    const answer = await doorTo(url, token).ask('{ viewer { id } }');
    expect([answer.status, answer.errors]).toEqual([200, []]);
    const metrics = /"metrics":"(http:[^"]+)"/.exec(keyway.output())?.[1] ?? '';
    isShared = /^keyway_rate_limits_shared 1$/m.test(await (await fetch(metrics)).text());
  } finally {
    keyway.child.kill();
    await keyway.ended;
  }
  return { isShared, output: keyway.output() };
}

describe.each(kinds)('rediss:// to %s', (_, startRedis) => {
  test('S6: is counted in by its name and by its address, where its certificate is of an authority that Node knows', async () => {
    const redis = await startRedis(own);
    try {
      for (const url of [redis.url, redis.url.replace('127.0.0.1', 'localhost')]) {
        const { isShared, output } = await counted(url, own.cert);
        expect([url, isShared]).toEqual([url, true]);
        expect(output).not.toMatch(/cannot be counted|DeprecationWarning/);
      }
    } finally {
      await redis.stop();
    }
  });

  test('R19: with a certificate of nobody, or of another name, nothing is counted there, and requests go on', async () => {
    for (const [certificate, authority] of [
      [own, undefined],
      [elsewhere, elsewhere.cert],
    ] as const) {
      const redis = await startRedis(certificate);
      try {
        for (const url of [redis.url, redis.url.replace('127.0.0.1', 'localhost')]) {
          const { isShared, output } = await counted(url, authority);
          expect([url, isShared]).toEqual([url, false]);
          expect(output).toContain('cannot be counted over all processes');
        }
      } finally {
        await redis.stop();
      }
    }
  });
});
