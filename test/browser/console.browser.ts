import type { Browser } from 'playwright-core';
import {
  expectData,
  grant,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  makeRole,
} from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { faultsOf, fitsWindow, inTab, launch, open, signIn, type Visit } from './visit.js';

describe('the console in a browser', () => {
  let server: TestServer;
  let browser: Browser;
  let account: string;
  let visit: Visit;
  let made: { id: string; name: string };

  beforeAll(async () => {
    server = await startTestServer();
    browser = await launch();
    account = await makeAccount(server, { name: 'shop' });
    for (let at = 0; at < 60; at++)
      await makeCredential(server, account, { name: `key ${String(at).padStart(2, '0')}` });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  beforeEach(async () => {
    made = { name: `payments ${Math.random()}`, id: '' };
    made.id = (await makeCredential(server, account, { name: made.name, secret: { token: {} } })).id;
    visit = await open(browser, `${server.url}/credentials`);
  });
  afterEach(async () => {
    await visit.context.close();
  });

  test('asks for a token, refuses what is none without sending it, and says when Keyway does not know it', async () => {
    const { page, requests, complaints } = visit;
    await signIn(page, 'two words');
    await page.getByText('A token has no spaces').waitFor();
    expect(requests.filter((url) => url.endsWith('/graphql'))).toEqual([]);
    expect(complaints).toEqual([]);
    await signIn(page, 'kw_pat_unknown');
    await page.getByText('does not accept this token').waitFor();
  });

  test('shows what is there, asks no other host, and keeps the token in memory alone', async () => {
    const { context, page, requests, complaints } = visit;
    await signIn(page, server.adminToken);
    await page.getByRole('heading', { name: 'Credentials' }).waitFor();
    await page.getByRole('row', { name: made.name }).waitFor();
    expect(requests.filter((url) => !url.startsWith(`${server.url}/`))).toEqual([]);
    expect(complaints).toEqual([]);
    const stored = await page.evaluate<string>(
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }])',
    );
    expect(JSON.stringify(await context.storageState()) + stored + page.url()).not.toContain(
      server.adminToken,
    );
    await page.reload();
    await page.getByLabel('Token').waitFor();
  });

  test('no text becomes HTML in the page', async () => {
    const { page } = visit;
    await signIn(page, server.adminToken);
    await page.getByRole('heading', { name: 'Credentials' }).waitFor();
    const put = (text: string) =>
      page.evaluate(`document.createElement('p').innerHTML = ${JSON.stringify(text)}`);
    await put('');
    for (const text of ['<b>bold</b>', ' ', 'plain']) await expect(put(text)).rejects.toThrow(/TrustedHTML/);
    await expect(
      page.evaluate("trustedTypes.createPolicy('other', { createHTML: (text) => text })"),
    ).rejects.toThrow();
  });

  test('a link with filters and an order shows just that, and what is chosen stands in the address', async () => {
    const { page } = visit;
    const [first, last] = ['key 00', 'key 59'];
    await page.goto(`${server.url}/credentials?search=key&account=${account}&order=NAME&direction=DESC`);
    await signIn(page, server.adminToken);
    await page.getByText('60 credentials').waitFor();
    await page.getByRole('row').nth(1).filter({ hasText: last }).waitFor();
    await page.getByRole('columnheader', { name: 'Name' }).click();
    await page.waitForURL(/direction=ASC/);
    await page.getByRole('row').nth(1).filter({ hasText: first }).waitFor();
    await page.getByRole('button', { name: 'More filters' }).click();
    await page.getByRole('combobox', { name: 'Role' }).fill('role_0000000000000000000000');
    await page.waitForURL(/role=role_0/);
    await page.getByText('No credential matches').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Remove the filter Role' }).click();
    await page.getByText('60 credentials').waitFor();
    await page.getByRole('button', { name: 'Status' }).click();
    await page.getByRole('option', { name: 'Revoked', exact: true }).click();
    await page.waitForURL(/status=REVOKED/);
    await page.getByText('No credential matches').waitFor();
    await page.getByRole('button', { name: 'Remove the filter Status' }).click();
    await page.getByText('60 credentials').waitFor();
    await page.goBack();
    await page.getByText('No credential matches').waitFor();
  });

  test('the first screen counts what needs somebody, and each number opens its list', async () => {
    const { page, complaints } = visit;
    await page.goto(server.url);
    await signIn(page, server.adminToken);
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    const unowned = page.getByRole('link', { name: 'have no owner' });
    const count = Number(/\d+/.exec((await unowned.textContent()) ?? '')?.[0]);
    expect(count).toBeGreaterThanOrEqual(61);
    await page.locator('.bars canvas').nth(3).waitFor();
    await page.getByText('As a table: Rotations by day').click();
    await unowned.click();
    await page.getByText(`${count} credentials`).waitFor();
    expect(complaints).toEqual([]);
  });

  test('a filter finds what it is to have among more than are listed, and is called by its name', async () => {
    const { page, complaints } = visit;
    // More than are asked for at once, all before the one that is looked for.
    for (let at = 0; at < 55; at++) await makeProject(server, account, { name: `crowd-${at}` });
    const project = await makeProject(server, account, { name: 'far-away', title: 'The far one' });
    const within = await makeCredential(server, account, { name: 'within', project });
    await page.goto(`${server.url}/credentials?project=${project}`);
    await signIn(page, server.adminToken);
    await page.getByText('1 credential', { exact: true }).waitFor();
    const chip = page.getByRole('listitem').filter({ hasText: 'Project: The far one' });
    await chip.waitFor();
    await page.getByRole('button', { name: 'Remove the filter Project' }).click();
    await chip.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'More filters' }).click();
    const field = page.getByRole('combobox', { name: 'Project' });
    await field.fill('away');
    await page.getByRole('option', { name: 'The far one (far-away)' }).click();
    await page.waitForURL((url) => url.searchParams.get('project') === project);
    await page.getByRole('row', { name: 'within' }).waitFor();
    await field.fill('nothing of that name');
    await page.getByText('Nothing found').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('searchbox').click();
    expect(await field.inputValue()).toBe('The far one');
    await field.fill('');
    await page.waitForURL((url) => !url.searchParams.has('project'));
    // Of one name, in two accounts.
    const mall = await makeAccount(server, { title: 'The mall' });
    await makeRole(server, [], { name: 'TWICE', account });
    const role = await makeRole(server, [], { name: 'TWICE', account: mall });
    await page.keyboard.press('Escape');
    await page.getByRole('combobox', { name: 'Role' }).fill('twice');
    await page.getByRole('option', { name: 'TWICE (The mall)' }).click();
    await page.waitForURL((url) => url.searchParams.get('role') === role);
    expect(within.id).toMatch(/^cred_/);
    expect(complaints).toEqual([]);
  });

  test('all of a list can be reached, a page after the other', async () => {
    const { page } = visit;
    await page.goto(`${server.url}/credentials?search=key&account=${account}&order=NAME`);
    await signIn(page, server.adminToken);
    await page.getByRole('row', { name: 'key 00' }).waitFor();
    const table = page.getByRole('grid');
    while (!(await page.getByRole('row', { name: 'key 59' }).isVisible())) {
      await table.evaluate((element) => element.scrollBy(0, 2_000));
      await page.waitForTimeout(50);
    }
  });

  test('by the keyboard alone: into a row, rotated, the secret shown when asked, and gone with the dialog', async () => {
    const { page, complaints } = visit;
    await page.goto(`${server.url}/credentials?search=${encodeURIComponent(made.name)}`);
    await signIn(page, server.adminToken);
    const row = page.getByRole('row', { name: made.name });
    await row.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: made.name }).waitFor();
    await page.getByRole('button', { name: 'Rotate' }).focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('A new secret is made and shown once').waitFor();
    await dialog.getByRole('button', { name: 'Rotate' }).focus();
    await page.keyboard.press('Enter');
    await dialog.getByText('Copy it now').waitFor();
    const shown = dialog.locator('.value').last();
    expect(await shown.textContent()).toMatch(/^•+$/);
    await dialog.getByRole('button', { name: 'Show' }).focus();
    await page.keyboard.press('Enter');
    const secret = (await shown.textContent()) ?? '';
    const { data } = await server.ask(
      'mutation ($input: VerifyCredentialInput!) { verifyCredential(input: $input) { code } }',
      { input: { proof: { secret } } },
    );
    expect(data.verifyCredential.code).toBe('VALID');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    expect(await page.content()).not.toContain(secret);
    await page.getByText('Secret 2').waitFor();
    await page.getByText('previous, still works').waitFor();
    expect(complaints).toEqual([]);
  });

  test('a secret is hidden after a minute', async () => {
    const { page } = visit;
    await page.clock.install();
    await page.goto(`${server.url}/credentials/${made.id}`);
    await signIn(page, server.adminToken);
    await page.getByRole('button', { name: 'Rotate' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Rotate' }).click();
    await dialog.getByText('Copy it now').waitFor();
    await page.clock.fastForward(61_000);
    await dialog.getByText('The secret is hidden again').waitFor();
    expect(await dialog.locator('.value').count()).toBe(0);
  });

  test('a dialog whose answer never comes says so after a minute, and can be sent again', async () => {
    const { page } = visit;
    await page.clock.install();
    await page.goto(`${server.url}/credentials/${made.id}`);
    await signIn(page, server.adminToken);
    const keys: string[] = [];
    await page.route('**/graphql', async (route) => {
      const body = route.request().postData() ?? '';
      if (!body.includes('mutation RotateCredential')) return route.continue();
      keys.push(JSON.parse(body).variables.input.idempotencyKey);
      return keys.length > 1 ? route.continue() : undefined;
    });
    await page.getByRole('button', { name: 'Rotate' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Rotate' }).click();
    await dialog.getByRole('button', { name: 'Working…' }).waitFor();
    await page.clock.fastForward(61_000);
    await dialog.getByText('Keyway cannot be reached').waitFor();
    await dialog.getByRole('button', { name: 'Rotate' }).click();
    await dialog.getByText('Copy it now').waitFor();
    expect(keys).toEqual([keys[0], keys[0]]);
  });

  test('to revoke, the name is typed; then it is over, and on record', async () => {
    const { page } = visit;
    await page.goto(`${server.url}/credentials/${made.id}`);
    await signIn(page, server.adminToken);
    await page.getByRole('button', { name: 'Revoke' }).click();
    const dialog = page.getByRole('dialog');
    const button = dialog.getByRole('button', { name: 'Revoke' });
    expect(await button.isDisabled()).toBe(true);
    await dialog.getByLabel('Reason').fill('found in a public place');
    await dialog.getByLabel('Type').fill(made.name);
    await button.click();
    await dialog.waitFor({ state: 'hidden' });
    await page.locator('.view').getByText('Revoked').waitFor();
    await page.getByText('found in a public place').waitFor();
    await page.getByRole('cell', { name: 'credential:revoke' }).first().waitFor();
    expect(await page.getByRole('button', { name: 'Rotate' }).count()).toBe(0);
    const { data } = await server.ask('query ($id: ID!) { credential(id: $id) { status } }', { id: made.id });
    expect(data.credential.status).toBe('REVOKED');
  });

  test.each([
    ['on this machine', '127.0.0.1'],
    ['on a page that came by plain HTTP, which has less of the browser', 'keyway.test'],
  ])('it is disabled and enabled again, %s', async (_, host) => {
    const { page } = visit;
    await page.goto(`http://${host}:${new URL(server.url).port}/credentials/${made.id}`);
    await signIn(page, server.adminToken);
    for (const [action, status] of [
      ['Disable', 'Disabled'],
      ['Enable', 'Active'],
    ] as const) {
      await page.getByRole('button', { name: action }).click();
      await page.getByRole('dialog').getByRole('button', { name: action }).click();
      await page.locator('.view').getByText(status, { exact: true }).waitFor();
    }
  });

  test('an answer that is lost is asked for again with the same key: nothing is done twice', async () => {
    const { page } = visit;
    await page.goto(`${server.url}/credentials/${made.id}`);
    await signIn(page, server.adminToken);
    await page.getByRole('button', { name: 'Rotate' }).click();
    const dialog = page.getByRole('dialog');
    let lost = 0;
    await page.route('**/graphql', async (route) => {
      if (!(route.request().postData() ?? '').includes('mutation RotateCredential') || lost > 0)
        return route.continue();
      lost++;
      // Keyway does it, and the answer goes astray.
      await route.fetch();
      return route.abort('connectionreset');
    });
    await dialog.getByRole('button', { name: 'Rotate' }).click();
    await dialog.getByText('Keyway cannot be reached').waitFor();
    await dialog.getByRole('button', { name: 'Rotate' }).click();
    await dialog.getByText('Copy it now').waitFor();
    const { data } = await server.ask('query ($id: ID!) { credential(id: $id) { versions { number } } }', {
      id: made.id,
    });
    expect([lost, data.credential.versions.length]).toEqual([1, 2]);
  });

  test('what one may not do is not offered', async () => {
    const { page } = visit;
    const project = await makeProject(server, account);
    const { token } = await makeCaller(server, ['CREDENTIAL_READ'], { onProject: project });
    const { id } = await makeCredential(server, account, { name: 'seen by all', project });
    await page.goto(`${server.url}/credentials/${id}`);
    await signIn(page, token);
    await page.getByRole('heading', { name: 'Facts' }).waitFor();
    expect(await page.locator('.view').getByRole('button').count()).toBe(0);
    await page.getByRole('link', { name: 'Credentials', exact: true }).click();
    await page.getByRole('row', { name: 'seen by all' }).waitFor();
    expect(await page.getByRole('link', { name: 'New credential' }).count()).toBe(0);
    // Its own token it may rotate and revoke, as its owner; this one it may only see.
    await page.getByRole('row', { name: 'seen by all' }).locator('label').click();
    await page.getByText('1 chosen').waitFor();
    expect(await page.getByRole('toolbar').getByRole('button').allTextContents()).toEqual(['Choose none']);
    await page.getByRole('link', { name: 'Stores' }).click();
    await page.getByRole('heading', { name: 'Stores', level: 1 }).waitFor();
    expect(await page.getByRole('link', { name: 'Connect a store' }).count()).toBe(0);
  });

  test('what one may not do any more is told in words, and nothing is changed', async () => {
    const { page } = visit;
    const project = await makeProject(server, account);
    const caller = await makeCaller(server);
    const role = await makeRole(server, ['CREDENTIAL_READ', 'CREDENTIAL_UPDATE']);
    const granted = await grant(server, caller.id, role, { onProject: project });
    await grant(server, caller.id, await makeRole(server, ['CREDENTIAL_READ']), { onProject: project });
    const { id } = await makeCredential(server, account, { name: 'seen by all', project });
    await page.goto(`${server.url}/credentials/${id}`);
    await signIn(page, caller.token);
    await page.getByRole('button', { name: 'Disable' }).click();
    const withdraw = 'mutation ($id: ID!) { withdrawRole(input: { grant: $id }) { deletedId } }';
    expectData(await server.ask(withdraw, { id: granted }));
    await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
    await page.getByRole('alert').getByText('FORBIDDEN').waitFor();
    const { data } = await server.ask('query ($id: ID!) { credential(id: $id) { enabled } }', { id });
    expect(data.credential.enabled).toBe(true);
  });

  test('whose token is revoked meanwhile is asked for another, and told why', async () => {
    const { page } = visit;
    const caller = await makeCaller(server);
    await signIn(page, caller.token);
    await page.getByRole('heading', { name: 'Credentials' }).waitFor();
    const revoke = 'mutation ($id: ID!) { revokeCredential(input: { id: $id }) { reasonRecorded } }';
    expectData(await server.ask(revoke, { id: caller.credential }));
    await page.getByRole('link', { name: 'Stores' }).click();
    await page.getByText('Your token is no longer accepted').waitFor();
    await page.getByLabel('Token').waitFor();
  });

  test('behind a path it lies below it, on a view that is loaded again too', async () => {
    const behind = await startTestServer({ KEYWAY_BASE_PATH: '/keyway' });
    const { context, page, requests, complaints } = await open(browser, `${behind.url}/keyway/credentials`);
    try {
      await signIn(page, behind.adminToken);
      await page.getByRole('row').nth(1).click();
      await page.waitForURL(/\/keyway\/credentials\/cred_/);
      await page.reload();
      await signIn(page, behind.adminToken);
      await page.getByRole('heading', { name: 'Facts' }).waitFor();
      expect(requests.filter((url) => !url.startsWith(`${behind.url}/keyway/`))).toEqual([]);
      expect(complaints).toEqual([]);
    } finally {
      await context.close();
      await behind.stop();
    }
  });

  test.each([
    ['light', 1440],
    ['dark', 1440],
    ['light', 390],
    ['dark', 390],
    ['light', 2560],
  ] as const)(
    'axe finds nothing on any view: %s, %i pixels wide',
    (colorScheme, width) =>
      inTab(browser, colorScheme, width, async (page) => {
        await page.goto(`${server.url}/`);
        await page.getByLabel('Token').waitFor();
        expect(await faultsOf(page)).toEqual([]);
        await signIn(page, server.adminToken);
        await page.locator('.bars canvas').nth(3).waitFor();
        expect(await faultsOf(page)).toEqual([]);
        await page.getByRole('link', { name: 'Credentials', exact: true }).click();
        await page.getByRole('row', { name: made.name }).waitFor();
        expect(await faultsOf(page)).toEqual([]);
        await page.getByRole('button', { name: 'More filters' }).click();
        await page.getByLabel('Unused for').waitFor();
        expect(await faultsOf(page)).toEqual([]);
        await page.getByRole('button', { name: 'More filters' }).click();
        await page.getByRole('row', { name: made.name }).click();
        await page.getByRole('cell', { name: 'credential:create' }).first().waitFor();
        expect(await faultsOf(page)).toEqual([]);
        await page.getByRole('button', { name: 'Revoke' }).click();
        await page.getByRole('dialog').waitFor();
        expect(await faultsOf(page)).toEqual([]);
        await page.keyboard.press('Escape');
        for (const view of ['Stores', 'Audit']) {
          await page.getByRole('link', { name: view }).click();
          await page.getByRole('heading', { name: view, level: 1 }).waitFor();
          await page.locator('.card, tbody tr').first().waitFor();
          expect(await faultsOf(page)).toEqual([]);
          expect(await fitsWindow(page)).toBe(true);
        }
      }),
    180_000,
  );
});
