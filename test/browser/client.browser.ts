import { build } from 'esbuild';
import { chromium, type Browser } from 'playwright-core';
import { makeAccount, makeCredential } from '../support/make.js';
import { startTestServer } from '../support/server.js';

test('the client asks, signs and keeps secrets to itself in a browser', async () => {
  const server = await startTestServer();
  let browser: Browser | undefined;
  try {
    const { outputFiles } = await build({
      entryPoints: ['packages/client/src/index.ts'],
      bundle: true,
      format: 'esm',
      platform: 'browser',
      write: false,
    });
    const account = await makeAccount(server);
    const { accessKey, secret } = await makeCredential(server, account, { retrievable: true });
    browser = await chromium.launch({
      executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
    });
    const page = await browser.newPage();
    await page.goto(`${server.url}/health`);
    const seen = await page.evaluate(
      async ({ bundle, url, token, key }) => {
        const address = URL.createObjectURL(new Blob([bundle], { type: 'text/javascript' }));
        const { Keyway } = (await import(address)) as typeof import('../../packages/client/src/index.js');
        const keyway = new Keyway({ url, token });
        const verification = await keyway.verify({
          accessKey: key.accessKey,
          proof: { secret: key.secret },
        });
        const id = verification.credential?.id ?? '';
        const { issued } = await keyway.revealCredential({ id });
        const viewer = await new Keyway({ url, key }).query('{ viewer { id } }');
        const refused = await keyway.verify({ proof: { secret: '' } }).catch((error: unknown) => error);
        return {
          code: verification.code,
          shown: JSON.stringify(issued),
          same: issued.secret?.expose() === key.secret,
          viewer,
          field: (refused as { field: string }).field,
        };
      },
      {
        bundle: outputFiles[0]?.text ?? '',
        url: server.url,
        token: server.adminToken,
        key: { accessKey: accessKey ?? '', secret: secret ?? '' },
      },
    );
    expect(seen).toMatchObject({ code: 'VALID', same: true, field: 'proof.secret' });
    expect(seen.viewer).toEqual({ viewer: { id: account } });
    expect(seen.shown).not.toContain(secret);
  } finally {
    await browser?.close();
    await server.stop();
  }
});
