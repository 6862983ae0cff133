import type { Browser } from 'playwright-core';
import { grant, makeAccount, makeCredential, makeProject, makeRole } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { expectPicture, forPictures } from './pictures.js';
import { launch, signIn } from './visit.js';

describe('how the console looks', () => {
  let server: TestServer;
  let browser: Browser;
  let account: string;
  let credential: string;

  beforeAll(async () => {
    server = await startTestServer();
    browser = await launch();
    account = await makeAccount(server, { name: 'shop', title: 'The Shop, Inc.' });
    const owner = await makeAccount(server, {
      kind: 'PERSON',
      name: 'jo',
      title: 'Jo Doe',
      parent: account,
    });
    const project = await makeProject(server, account, { name: 'checkout', title: 'Checkout' });
    await grant(server, owner, await makeRole(server, ['CREDENTIAL_READ'], { name: 'READERS' }), {
      onProject: project,
    });
    const soon = new Date(Date.now() + 10 * 86_400_000).toISOString();
    const kinds = [{ accessKey: {} }, { token: {} }, { password: { username: 'shop' } }];
    for (const [at, secret] of kinds.entries())
      credential = (
        await makeCredential(server, account, {
          name: `payments ${at}`,
          secret,
          project,
          owner,
          expiresAt: soon,
        })
      ).id;
    credential = (
      await makeCredential(server, account, {
        name: 'deploy',
        secret: { token: {} },
        expiresAt: soon,
        retrievable: true,
        enabled: false,
      })
    ).id;
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  test.each([
    ['light', 1440],
    ['dark', 1440],
    ['light', 390],
  ] as const)(
    'each view is as it was when somebody looked at it: %s, %i pixels wide',
    async (colorScheme, width) => {
      const context = await forPictures(browser, colorScheme, width);
      const page = await context.newPage();
      const picture = (name: string) => expectPicture(page, `${name}-${colorScheme}-${width}`);
      try {
        await page.goto(server.url);
        await page.getByLabel('Token').waitFor();
        await picture('sign-in');
        const views: readonly [string, string, string][] = [
          ['overview', '/', '.bars canvas >> nth=3'],
          ['credentials', '/credentials?order=NAME', '[role=row]:has-text("payments 2")'],
          ['credential', `/credentials/${credential}`, 'td:has-text("credential:create")'],
          ['create', '/credentials/new', 'fieldset'],
          ['stores', '/stores', 'li.card'],
          ['connect', '/stores/new', '.form'],
          ['access', '/access', 'dd'],
          ['account', `/access/${account}`, '.tree'],
          ['audit', '/audit?action=credential:create', 'tbody tr'],
        ];
        for (const [name, path, there] of views) {
          await page.goto(server.url + path);
          await signIn(page, server.adminToken);
          await page.locator(there).first().waitFor();
          await page.waitForFunction("!document.body.innerText.includes('Loading…')");
          await picture(name);
        }
        await page.goto(`${server.url}/credentials/${credential}`);
        await signIn(page, server.adminToken);
        await page.getByRole('button', { name: 'Revoke' }).click();
        await page.getByRole('dialog').waitFor();
        await picture('revoke');
      } finally {
        await context.close();
      }
    },
    180_000,
  );
});
