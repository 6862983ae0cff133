import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Browser, Page } from 'playwright-core';
import { trusting } from '../support/issuer.js';
import { makeAccount, makeCredential, unique } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { faultsOf, launch, open, type Visit } from './visit.js';

describe('signing in to the console at an issuer', () => {
  let issuer: ChildProcess;
  let address: string;
  let server: TestServer;
  let browser: Browser;
  let visit: Visit;

  beforeAll(async () => {
    // In a process of its own, as its package comes.
    issuer = spawn(process.execPath, ['test/browser/issuer.mjs'], { stdio: ['pipe', 'pipe', 'ignore'] });
    if (!issuer.stdout) throw new Error('there is nothing to read');
    const lines = createInterface(issuer.stdout)[Symbol.asyncIterator]();
    address = String((await lines.next()).value);
    const resource = 'https://keyway.example.com';
    server = await startTestServer(
      trusting({
        issuer: address,
        audience: 'keyway',
        console: { clientId: 'keyway-console', name: 'Acme', parameters: { resource } },
      }),
    );
    issuer.stdin?.write(`${server.url}/\n`);
    await lines.next();
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    const ended = new Promise((resolve) => issuer.once('exit', resolve));
    issuer.stdin?.end();
    await ended;
  });
  beforeEach(async () => {
    visit = await open(browser, server.url);
  });
  afterEach(async () => {
    await visit.context.close();
  });

  const person = async () => {
    const subject = unique('jo');
    await makeAccount(server, {
      kind: 'PERSON',
      name: subject,
      title: 'Jo of Acme',
      identities: [{ issuer: address, subject }],
    });
    return subject;
  };

  /** Signs in on the pages of the issuer, and agrees. */
  async function signInThere(page: Page, subject: string): Promise<void> {
    await page.getByRole('button', { name: 'Sign in at Acme' }).click();
    await page.locator('input[name=login]').fill(subject);
    await page.locator('input[name=password]').fill('any');
    await page.getByRole('button', { name: /sign-in/i }).click();
    await page.getByRole('button', { name: /continue/i }).click();
  }

  test('leads there and back to the view that was open; the token is in memory alone, and no code stays', async () => {
    const subject = await person();
    await makeCredential(server, await makeAccount(server), {});
    const { page, context } = visit;
    const view = `${server.url}/credentials?search=nothing&order=NAME`;
    await page.goto(view);
    await page.getByRole('button', { name: 'Sign in at Acme' }).waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await signInThere(page, subject);
    await page.getByText('Signed in as Jo of Acme').waitFor();
    expect(page.url()).toBe(view);
    await page.getByText('No credential matches').waitFor();
    const kept = JSON.stringify([
      await context.storageState(),
      await page.evaluate<string>('JSON.stringify([{ ...localStorage }, { ...sessionStorage }])'),
    ]);
    expect(kept).not.toMatch(/eyJ|verifier|code_/);
    await page.reload();
    await page.getByRole('button', { name: 'Sign in at Acme' }).waitFor();
  });

  test('signing out ends it here and there', async () => {
    const subject = await person();
    const { page } = visit;
    await signInThere(page, subject);
    await page.getByText('Signed in as Jo of Acme').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(`${address}/**`);
    expect(page.url()).not.toContain('eyJ');
    await page.getByRole('button', { name: /yes/i }).click();
    await page.waitForURL(`${server.url}/**`);
    await page.getByRole('button', { name: 'Sign in at Acme' }).click();
    await page.locator('input[name=login]').waitFor();
  });

  test('whom Keyway does not know is told so', async () => {
    const { page } = visit;
    await signInThere(page, unique('stranger'));
    await page.getByText('you may have no account here').waitFor();
    await page.getByLabel('Token').waitFor();
  });

  test('who does not agree there, or comes back with what was not asked for, is not signed in', async () => {
    const { page, requests } = visit;
    await page.getByRole('button', { name: 'Sign in at Acme' }).click();
    await page.locator('input[name=login]').waitFor();
    await page.goto(`${server.url}/?error=access_denied&state=forged&iss=${encodeURIComponent(address)}`);
    await page.getByText('did not sign you in').waitFor();
    expect(page.url()).toBe(`${server.url}/`);
    await page.goto(`${server.url}/?code=forged&state=forged`);
    await page.getByText('did not sign you in').waitFor();
    expect(page.url()).toBe(`${server.url}/`);
    await page.evaluate("sessionStorage.setItem('keyway-away', '{bad')");
    await page.goto(`${server.url}/?code=forged&state=forged`);
    await page.getByText('did not sign you in').waitFor();
    expect(requests.filter((url) => url.startsWith(`${address}/token`))).toEqual([]);
  });

  test('an issuer that cannot be reached is told of, and a token still signs in', async () => {
    const { page } = visit;
    await page.route(`${address}/**`, (route) => route.abort());
    await page.getByRole('button', { name: 'Sign in at Acme' }).click();
    await page.getByRole('alert').getByText('Acme cannot be reached').waitFor();
    await page.getByLabel('Token').fill(server.adminToken);
    await page.keyboard.press('Enter');
    await page.getByText('Signed in as Administrator').waitFor();
  });
});
