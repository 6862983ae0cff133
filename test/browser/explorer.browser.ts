import { mkdtemp, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { startTestServer } from '../support/server.js';

/** A fresh tab at the explorer, with all that it asked for and all that it complained about. */
interface Visit {
  context: BrowserContext;
  page: Page;
  requests: string[];
  complaints: string[];
}

describe('the explorer in a browser', () => {
  let server: Awaited<ReturnType<typeof startTestServer>>;
  let browser: Browser;
  let visit: Visit;

  beforeAll(async () => {
    server = await startTestServer();
    browser = await chromium.launch({
      executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
  });

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  beforeEach(async () => {
    visit = await open(browser, `${server.url}/explore`);
  });

  afterEach(async () => {
    await visit.context.close();
  });

  test('without a token it says where one comes from, and asks the server for nothing', async () => {
    const { page, requests, complaints } = visit;
    await hint(page, 'none');
    expect(await page.locator('#keyway-hint').textContent()).toContain('admin-token');
    await answer(page, 'UNAUTHENTICATED');
    expect(requests).toEqual([`${server.url}/explore`]);
    expect(complaints).toEqual([]);
  });

  test('a token that Keyway does not know is refused, with a word on where to find one', async () => {
    const { page } = visit;
    await enter(page, 'kw_pat_unknown');
    await hint(page, 'refused');
    expect(await page.locator('#keyway-hint').textContent()).toContain('admin-token');
  });

  test('what cannot be a token is never sent', async () => {
    const { page, requests } = visit;
    await enter(page, 'two words');
    await hint(page, 'malformed');
    expect(requests).toEqual([`${server.url}/explore`]);
  });

  test('with the token it reads the graph and runs the first example, and asks no other host', async () => {
    const { page, requests, complaints } = visit;
    await enter(page, server.adminToken);
    await hint(page, 'good');

    await page.getByLabel('Show Documentation Explorer').click();
    await page.locator('.graphiql-doc-explorer', { hasText: 'CredentialStore' }).waitFor();

    await page.locator('.graphiql-execute-button').click();
    await answer(page, 'totalCount');

    const screenshot = join(await mkdtemp(join(tmpdir(), 'keyway-explorer-')), 'first-example.png');
    await page.screenshot({ path: screenshot });
    expect((await stat(screenshot)).size).toBeGreaterThan(10_000);

    expect(requests.filter((url) => url === `${server.url}/graphql`).length).toBeGreaterThan(1);
    expect(requests.filter((url) => !url.startsWith(`${server.url}/`))).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test('a click on a tab opens it, and the list of examples reaches those out of sight', async () => {
    const { page, complaints } = visit;
    await page.getByTitle('Viewer').click();
    await editor(page, 'query Viewer');
    await page.locator('#keyway-tabs').focus();
    await page.locator('#keyway-tabs').selectOption('RotateCredential');
    await editor(page, 'mutation RotateCredential');
    expect(complaints).toEqual([]);
  });

  test('a reload leaves the same tabs, the same one open, and what was typed there', async () => {
    const { page, complaints } = visit;
    const tabs = await page.locator('.graphiql-tab').count();
    await page.getByTitle('Expiring', { exact: true }).click();
    await editor(page, 'query Expiring');
    await saved(page, 'query Expiring');
    await page.reload();
    await editor(page, 'query Expiring');
    await page.locator('.graphiql-query-editor .view-lines').click();
    await page.keyboard.type('# typed here');
    await saved(page, 'typed here');
    await page.reload();
    await editor(page, 'typed here');
    expect(await page.locator('.graphiql-tab').count()).toBe(tabs);
    expect(complaints).toEqual([]);
  });

  test('an answer fills in the examples after it, once it is sent, and what is missing is named', async () => {
    const { page, complaints } = visit;
    await enter(page, server.adminToken);
    await hint(page, 'good');
    await choose(page, 'CreateProject');
    await saved(page, 'mutation CreateProject');
    await page.locator('.graphiql-execute-button').click();
    await answer(page, 'CreateAccount first');
    await choose(page, 'CreateAccount');
    await saved(page, 'mutation CreateAccount');
    await page.locator('.graphiql-execute-button').click();
    await answer(page, 'createAccount');
    await choose(page, 'CreateProject');
    await saved(page, 'mutation CreateProject');
    await page.locator('.graphiql-execute-button').click();
    await answer(page, 'createProject');
    expect(await page.locator('#keyway-hint').textContent()).toBe('Filled in from answers before: account');
    await page.locator('.graphiql-editor-tool .view-lines', { hasText: 'acct_…' }).waitFor();
    expect(complaints).toEqual([]);
  });

  test('an example that was edited is opened again beside it, with its variables', async () => {
    const { page, complaints } = visit;
    const tabs = await page.locator('.graphiql-tab').count();
    await choose(page, 'Expiring');
    await editor(page, 'query Expiring');
    await page.locator('.graphiql-query-editor .view-lines').click();
    await page.keyboard.press('Control+A');
    await page.keyboard.type('query Mine { viewer { id ');
    await saved(page, 'query Mine');
    await choose(page, 'Expiring');
    await editor(page, 'query Expiring');
    await saved(page, 'query Expiring');
    await page.locator('.graphiql-editor-tool .view-lines', { hasText: '"before"' }).waitFor();
    expect(await page.locator('.graphiql-tab').count()).toBe(tabs + 1);
    // As it was, it is not opened twice; and what was typed is there.
    await choose(page, 'Expiring');
    await editor(page, 'query Expiring');
    expect(await page.locator('.graphiql-tab').count()).toBe(tabs + 1);
    await choose(page, 'Mine');
    await editor(page, 'query Mine');
    expect(complaints).toEqual([]);
  });

  test.each(['light', 'dark'] as const)(
    'on a system that is %s its text can be read in each theme',
    async (colorScheme) => {
      const { page } = visit;
      await page.emulateMedia({ colorScheme });
      for (const theme of ['System', 'Light', 'Dark']) {
        await page.getByLabel('Open settings dialog').click();
        await page.getByRole('button', { name: theme }).click();
        await page.waitForTimeout(150);
        for (const place of readable) {
          const contrast = await page.evaluate<number>(`(${contrastOf})(${JSON.stringify(place)})`);
          expect([theme, place, contrast >= 4.5, contrast]).toEqual([theme, place, true, contrast]);
        }
        await page.keyboard.press('Escape');
      }
    },
  );

  test('on a telephone all that is needed to run an example is in sight', async () => {
    const { page } = visit;
    await enter(page, server.adminToken);
    await hint(page, 'good');
    await page.setViewportSize({ width: 390, height: 844 });
    await page.waitForTimeout(300);
    for (const place of ['.graphiql-execute-button', '#keyway-token', '#keyway-tabs', '.graphiql-response']) {
      const box = await page.locator(place).boundingBox();
      expect([place, box && box.x >= 0 && box.x + box.width <= 390 && box.y >= 0 && box.y < 844]).toEqual([
        place,
        true,
      ]);
    }
    await page.locator('.graphiql-execute-button').click();
    await answer(page, 'totalCount');
  });

  test('the token lives in the tab alone, and is gone when cleared', async () => {
    const { context, page } = visit;
    await enter(page, server.adminToken);
    await hint(page, 'good');
    expect(page.url()).toBe(`${server.url}/explore`);
    expect(JSON.stringify(await context.storageState())).not.toContain(server.adminToken);

    const other = await context.newPage();
    await other.goto(`${server.url}/explore`);
    await hint(other, 'none');

    await page.locator('#keyway-clear').click();
    await hint(page, 'none');
    expect(await page.evaluate<string>('JSON.stringify(sessionStorage)')).not.toContain(server.adminToken);
    expect(await page.locator('#keyway-token').inputValue()).toBe('');
  });

  test('behind a path it asks for what lies beside it', async () => {
    const behind = await startTestServer({ KEYWAY_BASE_PATH: '/keyway' });
    const { context, page, requests, complaints } = await open(browser, `${behind.url}/keyway/explore`);
    try {
      await enter(page, behind.adminToken);
      await hint(page, 'good');
      await page.locator('.graphiql-execute-button').click();
      await answer(page, 'totalCount');
      const asked = new Set(requests.map((url) => url.slice(behind.url.length)));
      expect([...asked]).toEqual(['/keyway/explore', '/keyway/graphql']);
      expect(complaints).toEqual([]);
    } finally {
      await context.close();
      await behind.stop();
    }
  });

  test('no link fills the editor, and the address never holds what is typed', async () => {
    const { page } = visit;
    await page.goto(`${server.url}/explore?query=${encodeURIComponent('mutation Planted { __typename }')}`);
    await editor(page, 'query Credentials');
    await page.locator('.graphiql-query-editor .view-lines').click();
    await page.keyboard.type('# typed here');
    await editor(page, 'typed here');
    expect(page.url()).toBe(`${server.url}/explore`);
  });
});

const choose = async (page: Page, label: string) => {
  await page.locator('#keyway-tabs').focus();
  await page.locator('#keyway-tabs').selectOption({ label });
};

/** Where text stands that a theme may hide. */
const readable = [
  '#keyway-mark',
  '#keyway-bar label',
  '#keyway-hint',
  '#keyway-tabs',
  '.graphiql-dialog-section-title',
];

/** The contrast of a text to what it stands on, as WCAG counts it; run in the page. */
const contrastOf = String.raw`(place) => {
  const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const chain = [];
  for (let at = document.querySelector(place); at; at = at.parentElement) chain.unshift(getComputedStyle(at));
  const painted = (colors) => {
    pen.fillStyle = getComputedStyle(document.body).colorScheme === 'dark' ? '#000' : '#fff';
    for (const color of [pen.fillStyle, ...colors]) {
      pen.fillStyle = color;
      pen.fillRect(0, 0, 1, 1);
    }
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((part) => (part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const papers = chain.map((style) => style.backgroundColor);
  const [low, high] = [papers, [...papers, chain.at(-1).color]].map((colors) => luminance(painted(colors))).sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}`;

async function open(browser: Browser, url: string): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const requests: string[] = [];
  const complaints: string[] = [];
  context.on('request', (request) => {
    // The editor's workers come out of the page itself.
    if (!/^(blob|data):/.test(request.url())) requests.push(request.url());
  });
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  context.on('weberror', (fault) => complaints.push(fault.error().message));
  const page = await context.newPage();
  await page.goto(url);
  await editor(page, 'query Credentials');
  await saved(page, 'query Credentials');
  return { context, page, requests, complaints };
}

async function enter(page: Page, token: string): Promise<void> {
  await page.getByLabel('Token').fill(token);
  await page.keyboard.press('Enter');
}

const hint = (page: Page, state: string) => page.locator(`#keyway-bar[data-state="${state}"]`).waitFor();

/** Waits for GraphiQL to save the open tab, which it does half a second after the last change. */
async function saved(page: Page, text: string): Promise<void> {
  const query = async () => {
    const state = await page.evaluate<Saved | null>(
      `JSON.parse(sessionStorage.getItem('graphiql:tabState'))`,
    );
    return state?.tabs[state.activeTabIndex]?.query ?? '';
  };
  while (!(await query()).includes(text)) await page.waitForTimeout(100);
}

interface Saved {
  activeTabIndex: number;
  tabs: { query: string | null }[];
}

// The editors write a no-break space for each space.
const editor = (page: Page, text: string) =>
  page.locator('.graphiql-query-editor .view-lines', { hasText: spaced(text) }).waitFor();

const answer = (page: Page, text: string) =>
  page.locator('.graphiql-response .view-lines', { hasText: spaced(text) }).waitFor();

const spaced = (text: string) => new RegExp(text.replaceAll(' ', '\\s'));
