import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

/** A fresh tab at the console, with all that it asked for and all that it complained about. */
export interface Visit {
  context: BrowserContext;
  page: Page;
  requests: string[];
  complaints: string[];
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Chromium, as the tests want it: the one of this machine, for which keyway.test is here. */
export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-sync',
      '--host-resolver-rules=MAP keyway.test 127.0.0.1',
      // Letters look the same whatever the machine says of them.
      '--font-render-hinting=none',
      '--disable-lcd-text',
      '--disable-font-subpixel-positioning',
    ],
  });

/** Works in a tab of that width and in those colours. */
export async function inTab(
  browser: Browser,
  colorScheme: 'light' | 'dark',
  width: number,
  work: (page: Page) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 } });
  try {
    await work(await context.newPage());
  } finally {
    await context.close();
  }
}

/** Whether nothing but what scrolls by itself is wider than the window. */
export const fitsWindow = (page: Page): Promise<boolean> =>
  page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth');

/** What axe finds wrong with the page as it is, in a line each. Its script is put in past the policy of the page. */
export async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate<string[]>(`axe.run().then(({ violations }) =>
    violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 120)).join(' | ')))`);
}

/** A fresh tab at this address, which asks for a token. */
export async function open(browser: Browser, url: string): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const requests: string[] = [];
  const complaints: string[] = [];
  context.on('request', (request) => requests.push(request.url()));
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  context.on('weberror', (fault) => complaints.push(fault.error().message));
  const page = await context.newPage();
  await page.goto(url);
  await page.getByLabel('Token').waitFor();
  return { context, page, requests, complaints };
}

/** Signs in on a page that asks for a token. */
export async function signIn(page: Page, token: string): Promise<void> {
  await page.locator('input[name=token]').fill(token);
  await page.keyboard.press('Enter');
}
