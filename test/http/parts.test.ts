/**
 * @slow 20 s
 */
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claimsAt, makeSigner, signed, startIssuer, trusting } from '../support/issuer.js';
import { metricsOf, scrape, valueOf } from '../support/scrape.js';
import { startTestServer, type TestServer } from '../support/server.js';

const measured = { KEYWAY_METRICS_PORT: '0' };

/** What is told to who runs Keyway. */
async function partsOf(server: Pick<TestServer, 'logged'>) {
  const response = await fetch(new URL('/ready', metricsOf(server)));
  return { status: response.status, body: (await response.json()) as unknown };
}

const up = { status: 'up', missing: [], impaired: [] };

test('S64: which part is missing is told beside the metrics, by its name alone; callers hear up or down', async () => {
  const server = await startTestServer(measured);
  const away = mkdtempSync(join(tmpdir(), 'keyway-keys-'));
  try {
    expect(await partsOf(server)).toEqual({ status: 200, body: up });
    expect(await valueOf(metricsOf(server), 'keyway_part_up', { part: 'keys' })).toBe(1);
    const keys = join(server.dataDir, 'keys');
    renameSync(keys, join(away, 'keys'));
    await server.restart();
    expect(await partsOf(server)).toEqual({
      status: 503,
      body: { status: 'down', missing: ['keys'], impaired: [] },
    });
    expect(await valueOf(metricsOf(server), 'keyway_part_up', { part: 'keys' })).toBe(0);
    const toCallers = await fetch(`${server.url}/ready`);
    expect([toCallers.status, await toCallers.json()]).toEqual([503, { status: 'down' }]);
    renameSync(join(away, 'keys'), keys);
  } finally {
    await server.stop();
    rmSync(away, { recursive: true, force: true });
  }
});

test('an issuer that cannot be asked is told by the part alone, and Keyway is ready all the same', async () => {
  const signer = await makeSigner();
  const issuer = await startIssuer(signer);
  const server = await startTestServer({ ...measured, ...trusting(issuer.settings()) });
  try {
    expect(await partsOf(server)).toEqual({ status: 200, body: up });
    await issuer.pause();
    const token = await signed(signer, claimsAt(Date.now(), issuer.name, 'somebody'));
    await server.ask('{ viewer { id } }', {}, { token });
    expect(await partsOf(server)).toEqual({ status: 200, body: { ...up, impaired: ['issuers'] } });
    expect((await fetch(`${server.url}/ready`)).status).toBe(200);
    expect((await scrape(metricsOf(server))).text).not.toContain(new URL(issuer.name).host);
  } finally {
    await server.stop();
    await issuer.stop();
  }
});

test('beside the metrics only these two are answered, and only by GET', async () => {
  const server = await startTestServer(measured);
  try {
    const ask = async (path: string, method = 'GET') =>
      (await fetch(new URL(path, metricsOf(server)), { method })).status;
    expect([await ask('/ready'), await ask('/metrics')]).toEqual([200, 200]);
    expect([await ask('/ready', 'POST'), await ask('/ready/'), await ask('/')]).toEqual([404, 404, 404]);
  } finally {
    await server.stop();
  }
});
