import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { expectData, makeAccount, makeCaller, makeCredential, makeProject, unique } from '../support/make.js';
import { enrolAndConfirm } from '../support/authenticator.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { startApinizer, type Apinizer } from '../upstreams/apinizer.js';
import { startNcloud } from '../upstreams/ncloud.js';
import { faultsOf, fitsWindow, inTab, launch, open, signIn, type Visit } from './visit.js';

describe('what is made and changed in the console', () => {
  let server: TestServer;
  let apinizer: Apinizer;
  let browser: Browser;
  let account: string;
  let title: string;
  let visit: Visit;

  beforeAll(async () => {
    server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
    apinizer = await startApinizer();
    browser = await launch();
    title = 'The shop of all';
    account = await makeAccount(server, { name: 'shop', title });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await apinizer?.stop();
  });
  beforeEach(async () => {
    visit = await open(browser, server.url);
  });
  afterEach(async () => {
    await visit.context.close();
  });

  /** Signs in and goes to a view. */
  const at = async (path: string, token = server.adminToken): Promise<Page> => {
    const { page } = visit;
    await page.goto(server.url + path);
    await signIn(page, token);
    await page.locator('h1').waitFor();
    return page;
  };
  const credential = async (id: string) => {
    const asked = `query ($id: ID!) { credential(id: $id) { name kind status enabled allowedIps expiresAt description
      account { id } owner { id } store { kind } rotationPolicy { every gracePeriod } versions { number } } }`;
    return expectData(await server.ask(asked, { id })).credential;
  };
  const idIn = (page: Page) => new URL(page.url()).pathname.split('/').at(-1) ?? '';
  /** Leaves a secret that nobody has looked at, which is asked about once. */
  const closeUntaken = async (page: Page) => {
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Copy it now').waitFor();
    await dialog.getByRole('button', { name: 'Close', exact: true }).click();
    await dialog.getByText('Nothing of it was shown').waitFor();
    await dialog.getByRole('button', { name: 'Close it all the same' }).click();
    await dialog.waitFor({ state: 'hidden' });
  };
  const chooseAccount = async (page: Page, label: string) => {
    await page.getByRole('combobox', { name: label }).fill('shop');
    await page.getByRole('option', { name: title }).click();
  };

  test('a credential is created, its secret shown once, and what was filled in is what is there', async () => {
    const page = await at('/credentials/new');
    await chooseAccount(page, 'Account');
    await page.getByRole('textbox', { name: /^Name/ }).fill('  Payments  ');
    await page.getByLabel('Description').fill('of the shop\nand more');
    await page.getByLabel('Every').first().fill('30');
    await page.getByLabel('Grace period').first().fill('2');
    await page.getByText('More settings').click();
    await page.getByLabel('Allowed addresses').fill('192.0.2.1\n192.0.2.0/28');
    await page.getByRole('button', { name: 'Create' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Copy it now').waitFor();
    await dialog.getByRole('button', { name: 'Show' }).click();
    const secret = (await dialog.locator('.value').last().textContent()) ?? '';
    const accessKey = (await dialog.locator('.value').first().textContent()) ?? '';
    expect(secret.length).toBeGreaterThan(20);
    await dialog.getByRole('button', { name: 'Close' }).click();
    await page.waitForURL(/\/credentials\/cred_/);
    expect(await page.content()).not.toContain(secret);
    const made = await credential(idIn(page));
    expect(made).toMatchObject({
      name: 'Payments',
      kind: 'ACCESS_KEY',
      status: 'ACTIVE',
      description: 'of the shop\nand more',
      account: { id: account },
      rotationPolicy: { every: 'P30D', gracePeriod: 'P2D' },
    });
    expect([...made.allowedIps].sort()).toEqual(['192.0.2.0/28', '192.0.2.1']);
    const { data } = await server.ask(
      'mutation ($input: VerifyCredentialInput!) { verifyCredential(input: $input) { code } }',
      { input: { accessKey, proof: { secret }, ip: '192.0.2.1' } },
    );
    expect(data.verifyCredential.code).toBe('VALID');
    expect(visit.complaints).toEqual([]);
  });

  test('what is wrong is said at its field, what was typed stays, and the next try is another request', async () => {
    const page = await at('/credentials/new');
    await chooseAccount(page, 'Account');
    await page.getByRole('button', { name: /Kind/ }).click();
    await page.getByRole('option', { name: 'Password' }).click();
    await page.getByRole('textbox', { name: /^Name/ }).fill('Jo');
    const username = unique('jo');
    await page.getByLabel('User name').fill(username);
    const field = page.locator('input[type=password]');
    await field.fill('short');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByText('must be 12 to 1024 bytes').first().waitFor();
    expect(await page.getByLabel('User name').inputValue()).toBe(username);
    expect(await page.content()).not.toContain('>short<');
    await field.fill('correct horse battery');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('dialog').getByText('Copy it now').waitFor();
  });

  test('a store is connected once its system takes the token, and a credential is created in it', async () => {
    const page = await at('/stores/new');
    const name = unique('gateway');
    await page.getByLabel('Name in Keyway').fill(name);
    await chooseAccount(page, 'Account that it belongs to');
    await page.getByRole('textbox', { name: /^Endpoint/ }).fill(apinizer.url);
    await page.getByRole('textbox', { name: /^Token/ }).fill('no such token');
    await page.getByRole('button', { name: 'Try and connect' }).click();
    await page.getByRole('alert').waitFor();
    expect(await server.rows('SELECT id FROM stores WHERE name = :name', { name })).toEqual([]);
    await page.getByRole('textbox', { name: /^Token/ }).fill(apinizer.token);
    await page.getByRole('button', { name: 'Try and connect' }).click();
    await page.getByRole('heading', { name }).waitFor();

    await page.getByRole('link', { name: 'Credentials', exact: true }).click();
    await page.getByRole('link', { name: 'New credential' }).click();
    await page.getByRole('button', { name: /Store/ }).click();
    await page.getByRole('option', { name: new RegExp(name) }).click();
    // The one kind that such a store makes.
    await page.getByRole('button', { name: /Kind/ }).getByText('Password').waitFor();
    await chooseAccount(page, 'Account');
    const [project = ''] = [...apinizer.projects];
    await page.getByRole('button', { name: /Scope/ }).click();
    await page.getByRole('option', { name: project }).first().click();
    const username = unique('partner');
    await page.getByRole('textbox', { name: /^Name/ }).fill(username);
    await page.getByLabel('User name').fill(username);
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByText('is required by this store').first().waitFor();
    await page.getByLabel('Full name').fill('Par Tner');
    await page.getByLabel('E-mail address').fill('partner@example.com');
    await page.getByRole('button', { name: 'Create' }).click();
    await closeUntaken(page);
    await page.waitForURL(/\/credentials\/cred_/);
    expect(await credential(idIn(page))).toMatchObject({ kind: 'PASSWORD', store: { kind: 'APINIZER' } });
  });

  test('why a store cannot be reached, and its sync not be done, is said in words', async () => {
    const gone = await startApinizer();
    const name = unique('gone');
    const asked = `mutation ($name: String!, $account: ID!, $apinizer: ApinizerConnectionInput!) {
      createStore(input: { name: $name, account: $account, connection: { apinizer: $apinizer } }) { store { id } } }`;
    const reach = { endpoint: gone.url, token: gone.token };
    expectData(await server.ask(asked, { name, account, apinizer: reach }));
    await gone.stop();
    const page = await at('/stores');
    const card = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name }) });
    await card.getByRole('button', { name: 'Check the connection' }).click();
    await card.getByText('Not reachable').waitFor();
    await card.getByText('It did not answer').waitFor();
    await card.getByRole('button', { name: 'Sync now' }).click();
    await card.getByText(/Stopped, and goes on later.* It did not answer/).waitFor();
  });

  test('a store is brought in, what expires is found from the first screen, rotated, and seen to be unused', async () => {
    const word = unique('soon');
    const soon = new Date(Date.now() + 5 * 86_400_000).toISOString();
    await makeCredential(server, account, { name: word, expiresAt: soon });
    const page = await at('/stores/new');
    const name = unique('gateway');
    await page.getByLabel('Name in Keyway').fill(name);
    await page.getByRole('textbox', { name: /^Endpoint/ }).fill(apinizer.url);
    await page.getByRole('textbox', { name: /^Token/ }).fill(apinizer.token);
    await page.getByRole('button', { name: 'Try and connect' }).click();
    await page.getByRole('button', { name: `Sync now: ${name}` }).click();
    await page
      .locator('.card', { hasText: name })
      .getByText(/\d+ new, \d+ changed/)
      .waitFor();

    await page.getByRole('link', { name: 'Overview' }).click();
    await page.getByRole('link', { name: 'expire within 30 days' }).click();
    await page.getByRole('row', { name: word }).click();
    await page.getByRole('button', { name: 'Rotate' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();
    await closeUntaken(page);
    await page.getByText('previous, still works').waitFor();
    await page.getByText('The previous secret is not used any more').waitFor();
  });

  test('where Keyway alone uses the new secret, nobody is told to copy it', async () => {
    const ncloud = await startNcloud();
    try {
      const { accessKey, secretKey } = ncloud.manager;
      const reach = { stsEndpoint: ncloud.url, subAccountEndpoint: ncloud.url, accessKey, secretKey };
      const asked = `mutation ($name: String!, $account: ID!, $ncloud: NcloudConnectionInput!) {
        createStore(input: { name: $name, account: $account, connection: { ncloud: $ncloud } }) { store { id } } }`;
      const made = expectData(await server.ask(asked, { name: unique('cloud'), account, ncloud: reach }));
      const store = made.createStore.store.id;
      const sync = 'mutation ($store: ID!) { syncStore(input: { id: $store }) { store { id } } }';
      expectData(await server.ask(sync, { store }));
      const listed = `query ($store: ID!, $key: String!) {
        credentials(filter: { store: [$store], search: $key }) { nodes { id } } }`;
      const { nodes } = expectData(await server.ask(listed, { store, key: accessKey })).credentials;
      const page = await at(`/credentials/${nodes[0].id}`);
      await page.getByRole('button', { name: 'Rotate' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('button', { name: 'Rotate' }).click();
      await dialog.getByText('The secret itself is not shown').waitFor();
      await dialog.getByRole('button', { name: 'Close', exact: true }).click();
      await dialog.waitFor({ state: 'hidden' });
      await page.getByText('The new secret is in use, and the previous one still works').waitFor();
    } finally {
      await ncloud.stop();
    }
  });

  test('a temporary credential is issued out of one', async () => {
    const { id } = await makeCredential(server, account, { name: unique('parent') });
    const page = await at(`/credentials/${id}`);
    await page.getByRole('button', { name: 'Issue a temporary one' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Issue a temporary one' }).click();
    await dialog.getByText('Copy it now').waitFor();
    const derived = `query ($id: ID!) { credential(id: $id) { derived { nodes { expiresAt } } } }`;
    expect(expectData(await server.ask(derived, { id })).credential.derived.nodes).toHaveLength(1);
  });

  test('what is taken along as a file is lines of which each is ended', async () => {
    const { id } = await makeCredential(server, account, { name: unique('of a / file') });
    const page = await at(`/credentials/${id}`);
    await page.getByRole('button', { name: 'Rotate' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Rotate' }).click();
    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      dialog.getByRole('button', { name: 'Download as .env' }).click(),
    ]);
    expect(saved.suggestedFilename()).toMatch(/^of-a-file-.*\.env$/);
    expect(readFileSync((await saved.path()) ?? '', 'utf8')).toMatch(/^\w+='?\S+\n\w+='?\S+\n$/);
    // It was taken: nobody is asked whether it was.
    await dialog.getByRole('button', { name: 'Close', exact: true }).click();
    await dialog.waitFor({ state: 'hidden' });
  });

  test('several are chosen: each gets a result of its own, and what was issued stays until it is closed', async () => {
    const word = unique('several');
    const names = ['a', 'b', 'c'].map((letter) => `${word} ${letter}`);
    const ids: string[] = [];
    for (const name of names) ids.push((await makeCredential(server, account, { name })).id);
    const page = await at(`/credentials?search=${word}&order=NAME`);
    await page.getByRole('row', { name: names[2] }).waitFor();
    await page.getByRole('columnheader').first().locator('label').click();
    await page.getByText('3 chosen').waitFor();
    // Revoked by somebody else meanwhile.
    const revoke = 'mutation ($id: ID!) { revokeCredential(input: { id: $id }) { reasonRecorded } }';
    expectData(await server.ask(revoke, { id: ids[1] }));
    await page.getByRole('button', { name: 'Rotate' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('2 of 3 done, 1 refused').waitFor();
    expect(await dialog.getByRole('button', { name: 'Show the secret' }).count()).toBe(2);
    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      dialog.getByRole('button', { name: 'Download the secrets' }).click(),
    ]);
    const secrets = JSON.parse(readFileSync(await saved.path(), 'utf8'));
    expect(secrets.map(({ id }: { id: string }) => id)).toEqual([ids[0], ids[2]]);
    await dialog.getByRole('button', { name: 'Close' }).click();
    for (const [at, count] of [2, 1, 2].entries())
      expect((await credential(ids[at] ?? '')).versions).toHaveLength(count);

    await page.getByText('chosen').waitFor({ state: 'hidden' });
    await page.getByRole('columnheader').first().locator('label').click();
    await page.getByRole('button', { name: 'Set the owner' }).click();
    await chooseAccount(page, 'Owner');
    await page.getByRole('dialog').getByRole('button', { name: 'Set the owner' }).click();
    await page.getByRole('dialog').getByText('2 of 3 done, 1 refused').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    expect((await credential(ids[2] ?? '')).owner).toEqual({ id: account });
  });

  test('where a second factor is asked for, each of several takes a code, and the rest waits for the next', async () => {
    const word = unique('guarded');
    const ids: string[] = [];
    for (const letter of ['a', 'b'])
      ids.push((await makeCredential(server, account, { name: `${word} ${letter}` })).id);
    const { id, token } = await makeCaller(server, ['CREDENTIAL_READ', 'CREDENTIAL_ROTATE'], {
      onAccount: account,
    });
    const { recoveryCodes } = await enrolAndConfirm(server, token);
    const demand =
      'mutation ($id: ID!) { updateAccount(input: { id: $id, mfaRequired: true }) { account { id } } }';
    expectData(await server.ask(demand, { id }));
    const page = await at(`/credentials?search=${word}&order=NAME`, token);
    await page.getByRole('row', { name: `${word} b` }).waitFor();
    await page.getByRole('columnheader').first().locator('label').click();
    await page.getByRole('button', { name: 'Rotate' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();
    const dialog = page.getByRole('dialog');
    const versions = async () =>
      Promise.all(ids.map(async (one) => ((await credential(one)).versions as unknown[]).length));
    await dialog.getByText('0 of 2 done, 1 refused').waitFor();
    for (const [index, expected] of [
      [2, 1],
      [2, 2],
    ].entries()) {
      await dialog.getByLabel('Code of the second factor').fill(recoveryCodes[index] ?? '');
      await dialog.getByRole('button', { name: 'Go on with what is left' }).click();
      await dialog.getByRole('button', { name: 'Show the secret' }).nth(index).waitFor();
      expect(await versions()).toEqual(expected);
    }
    await dialog.getByText('2 of 2 done').waitFor();
  });

  test('a secret is shown once the code of the second factor is given, and a wrong one is told at its field', async () => {
    const { id } = await makeCredential(server, account, { name: unique('guarded'), retrievable: true });
    const caller = await makeCaller(server, ['CREDENTIAL_READ', 'CREDENTIAL_REVEAL'], { onAccount: account });
    const { recoveryCodes } = await enrolAndConfirm(server, caller.token);
    const demand =
      'mutation ($id: ID!) { updateAccount(input: { id: $id, mfaRequired: true }) { account { id } } }';
    expectData(await server.ask(demand, { id: caller.id }));
    const page = await at(`/credentials/${id}`, caller.token);
    await page.getByRole('button', { name: 'Show the secret' }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.getByLabel('Code of the second factor').count()).toBe(0);
    await dialog.getByRole('button', { name: 'Show the secret' }).click();
    await dialog.getByLabel('Code of the second factor').fill('000000');
    await dialog.getByRole('button', { name: 'Show the secret' }).click();
    await dialog.getByText('was not accepted').first().waitFor();
    await dialog.getByLabel('Code of the second factor').fill(recoveryCodes[0] ?? '');
    await dialog.getByRole('button', { name: 'Show the secret' }).click();
    await dialog.getByText('Copy it now').waitFor();
  });

  test('a stop leaves what is not begun, and going on does that alone', async () => {
    const word = unique('stopped');
    const ids: string[] = [];
    for (const letter of ['a', 'b', 'c'])
      ids.push((await makeCredential(server, account, { name: `${word} ${letter}` })).id);
    const page = await at(`/credentials?search=${word}&order=NAME`);
    await page.getByRole('row', { name: `${word} c` }).waitFor();
    await page.getByRole('columnheader').first().locator('label').click();
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    let asked = 0;
    await page.route('**/graphql', async (route) => {
      if ((route.request().postData() ?? '').includes('mutation RevokeCredential')) {
        asked++;
        if (asked === 1) await held;
      }
      await route.continue();
    });
    await page.getByRole('button', { name: 'Revoke' }).click();
    const confirm = page.getByRole('dialog');
    expect(await confirm.getByRole('button', { name: 'Revoke' }).isDisabled()).toBe(true);
    await confirm.getByLabel('Type 3 to confirm').fill('3');
    await confirm.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('button', { name: 'Stop' }).click();
    release();
    await page.getByText('1 of 3 done').waitFor();
    expect((await credential(ids[1] ?? '')).status).toBe('ACTIVE');
    await page.getByRole('button', { name: 'Go on with what is left' }).click();
    await page.getByText('3 of 3 done').waitFor();
    expect(asked).toBe(3);
    for (const id of ids) expect((await credential(id)).status).toBe('REVOKED');
  });

  test('what was chosen of one list is not chosen of another, and all are those that were seen', async () => {
    const word = unique('listed');
    for (const letter of ['a', 'b']) await makeCredential(server, account, { name: `${word} ${letter}` });
    const page = await at(`/credentials?search=${word}`);
    await page.getByRole('row', { name: `${word} a` }).waitFor();
    await page.getByRole('columnheader').first().locator('label').click();
    await page.getByText('2 chosen').waitFor();
    await page.getByRole('button', { name: 'Remove the filter Search' }).click();
    await page.getByText('2 chosen').waitFor({ state: 'hidden' });
    await page.getByRole('row').nth(5).waitFor();
    expect(await page.getByText('chosen', { exact: false }).count()).toBe(0);
  });

  test('what several are changed by goes on over whatever view is opened, with what was issued', async () => {
    const word = unique('kept');
    for (const letter of ['a', 'b', 'c'])
      await makeCredential(server, account, { name: `${word} ${letter}` });
    const page = await at('/stores');
    await page.getByRole('link', { name: 'Credentials', exact: true }).click();
    await page.getByLabel('Search', { exact: true }).fill(word);
    await page.keyboard.press('Enter');
    await page.getByText('3 credentials').waitFor();
    await page.getByRole('columnheader').first().locator('label').click();
    await page.getByRole('button', { name: 'Rotate' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();
    await page.goBack();
    await page.goBack();
    await page.waitForURL(/\/stores$/);
    await page.getByRole('dialog').getByText('3 of 3 done').waitFor();
    expect(await page.getByRole('button', { name: 'Show the secret' }).count()).toBe(3);
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    await page.getByText('were not saved yet').waitFor();
  });

  test('an answer that is lost is found again by a dialog that is opened anew', async () => {
    const { id } = await makeCredential(server, account, { name: unique('lost') });
    const page = await at(`/credentials/${id}`);
    let isLost = false;
    await page.route('**/graphql', async (route) => {
      if (isLost || !(route.request().postData() ?? '').includes('mutation RotateCredential'))
        return route.continue();
      isLost = true;
      await route.fetch();
      return route.abort('connectionreset');
    });
    await page.getByRole('button', { name: 'Rotate' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();
    await page.getByRole('dialog').getByText('is not done twice').waitFor();
    await page.getByText('Secret 2').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Rotate' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();
    await page.getByRole('dialog').getByText('Copy it now').waitFor();
    expect((await credential(id)).versions).toHaveLength(2);
  });

  test('what is asked for stays the same, and is answered, where somebody else was faster', async () => {
    const name = unique('raced');
    const { id } = await makeCredential(server, account, { name });
    const page = await at(`/credentials/${id}`);
    const dialog = page.getByRole('dialog');
    const change = async (text: string) =>
      expectData(await server.ask(`mutation ($id: ID!) { ${text} }`, { id }));
    const enabled = async () => (await credential(id)).enabled as boolean;
    await page.getByRole('button', { name: 'Disable' }).click();
    await change('updateCredential(input: { id: $id, enabled: false }) { credential { id } }');
    await dialog.getByRole('button', { name: 'Disable' }).click();
    await dialog.getByRole('alert').waitFor();
    await page.locator('.view').getByText('Disabled').waitFor();
    await dialog.getByRole('heading', { name: `Disable ${name}` }).waitFor();
    await dialog.getByRole('button', { name: 'Disable' }).click();
    await dialog.waitFor({ state: 'hidden' });
    expect(await enabled()).toBe(false);

    await page.getByRole('button', { name: 'Rotate' }).click();
    await change('revokeCredential(input: { id: $id }) { credential { id } }');
    await dialog.getByRole('button', { name: 'Rotate' }).click();
    await page.locator('.view').getByText('Revoked').waitFor();
    await dialog.getByRole('alert').getByText('revoked').waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'hidden' });
    expect(await page.locator('.view').getByRole('button').count()).toBe(0);
  });

  test('a secret that is shown stays where the token ends, and so does what was typed', async () => {
    const { id } = await makeCredential(server, account, { name: unique('ended') });
    const caller = await makeCaller(server, ['CREDENTIAL_READ', 'CREDENTIAL_ROTATE', 'CREDENTIAL_CREATE'], {
      onAccount: account,
    });
    const made = await makeCredential(server, caller.id, { secret: { token: {} } });
    const page = await at(`/credentials/${id}`, String(made.secret));
    await page.getByRole('button', { name: 'Rotate' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();
    await page.getByRole('dialog').getByText('Copy it now').waitFor();
    const asked = page.waitForEvent('dialog');
    await page.evaluate('setTimeout(() => location.reload())');
    await (await asked).dismiss();
    const revoke = 'mutation ($id: ID!) { revokeCredential(input: { id: $id }) { reasonRecorded } }';
    expectData(await server.ask(revoke, { id: made.id }));
    await page.getByRole('dialog').getByRole('button', { name: 'Show' }).click();
    expect(await page.locator('.value').last().textContent()).toMatch(/^[^•]{20,}$/);
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();

    await page.getByRole('link', { name: 'Credentials', exact: true }).click();
    await page.getByText('Your token is no longer accepted').waitFor();
    await signIn(page, caller.token);
    await page.getByText('Your token is no longer accepted').waitFor({ state: 'hidden' });
    await page.getByRole('heading', { name: 'Credentials' }).waitFor();
  });

  test('what names nothing that is there is not sent', async () => {
    const page = await at('/credentials/new');
    await page.getByRole('textbox', { name: /^Name/ }).fill('unowned');
    await chooseAccount(page, 'Account');
    await page.getByRole('combobox', { name: 'Owner' }).fill('nobody of this name');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByText('Choose one of the list').waitFor();
    expect(await server.rows("SELECT id FROM credentials WHERE name = 'unowned'")).toEqual([]);
  });

  test('a new password is what was typed, with its spaces', async () => {
    const username = unique('spaced');
    const { id } = await makeCredential(server, account, { secret: { password: { username } } });
    const page = await at(`/credentials/${id}`);
    await page.getByRole('button', { name: 'Rotate' }).click();
    const field = page.getByLabel('New password');
    await field.fill('short');
    await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();
    await page.locator('.react-aria-FieldError', { hasText: 'must be 12' }).waitFor();
    await field.fill('  a password of spaces  ');
    await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();
    await page.getByRole('dialog').getByText('Copy it now').waitFor();
    const { data } = await server.ask(
      'mutation ($input: VerifyCredentialInput!) { verifyCredential(input: $input) { code } }',
      { input: { accessKey: username, proof: { secret: '  a password of spaces  ' } } },
    );
    expect(data.verifyCredential.code).toBe('VALID');
  });

  test('a day that there is not is said so, and the page stays', async () => {
    const page = await at('/credentials?expiresBefore=2026-99-99');
    await page.getByRole('alert').getByText('BAD_USER_INPUT').waitFor();
    await page.goto(`${server.url}/audit?since=2026-13-45&outcome=toString`);
    await signIn(page, server.adminToken);
    await page.getByRole('alert').getByText('BAD_USER_INPUT').waitFor();
  });

  test('who may make nothing is told so, also by address', async () => {
    const caller = await makeCaller(server);
    const page = await at('/credentials/new', caller.token);
    await page.getByText('There is no store that you can create').waitFor();
    await page.goto(`${server.url}/stores/new`);
    await signIn(page, caller.token);
    await page.getByText('You may connect no store').waitFor();
  });

  test('columns stand in the address, and a view is kept by a name', async () => {
    await makeCredential(server, account, { name: 'one for views' });
    const page = await at('/credentials');
    await page.getByRole('button', { name: 'Columns' }).click();
    await page.locator('#columns label', { hasText: 'Project' }).click();
    await page.locator('#columns label', { hasText: 'Account' }).click();
    await page.waitForURL(/columns=/);
    await page.getByRole('columnheader', { name: 'Account' }).waitFor();
    expect(await page.getByRole('columnheader', { name: 'Project' }).count()).toBe(0);
    const address = page.url();
    await page.getByRole('button', { name: 'Saved views' }).click();
    await page.getByLabel('Name for this view').fill('By account');
    await page.getByRole('button', { name: 'Save this view' }).click();
    await page.goto(`${server.url}/credentials`);
    await signIn(page, server.adminToken);
    await page.getByRole('columnheader', { name: 'Project' }).waitFor();
    await page.getByRole('button', { name: 'Saved views' }).click();
    await page.getByRole('button', { name: 'By account', exact: true }).click();
    await page.waitForURL(address);
    await page.getByRole('columnheader', { name: 'Account' }).waitFor();
    await page.getByRole('button', { name: 'Remove By account' }).click();
    expect(await page.getByRole('button', { name: 'By account', exact: true }).count()).toBe(0);
  });

  test('the tree of accounts leads to who can do what', async () => {
    const unit = await makeAccount(server, { name: 'unit', title: 'Unit of the shop', parent: account });
    await makeProject(server, unit, { name: 'checkout', title: 'Checkout' });
    const { id: reader } = await makeCaller(
      server,
      ['CREDENTIAL_REVEAL'],
      { onAccount: unit },
      { title: 'Rea Der', name: unique('rea') },
    );
    const page = await at('/access');
    const tree = page.locator('.tree').first();
    await tree.locator('.tree').getByRole('link', { name: 'Unit of the shop' }).click();
    await page.getByRole('heading', { name: 'Unit of the shop' }).waitFor();
    await page.getByRole('link', { name: 'Checkout' }).waitFor();
    await page.getByText('Who can do this here?').click();
    await page.locator('details').getByRole('link', { name: 'Rea Der' }).waitFor();
    await page.locator('details').getByRole('link', { name: 'Rea Der' }).click();
    await page.waitForURL(`${server.url}/access/${reader}`);
    await page.getByText('What it holds').waitFor();
  });

  test('the audit is filtered by its address and saved as lines', async () => {
    const { id } = await makeCredential(server, account, { name: 'audited' });
    const page = await at(`/audit?target=${id}`);
    await page.getByRole('cell', { name: 'credential:create' }).waitFor();
    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export as JSON lines' }).click(),
    ]);
    const lines = readFileSync(await saved.path(), 'utf8')
      .trim()
      .split('\n');
    expect(lines.map((line) => JSON.parse(line).action)).toEqual(['credential:create']);
    await page.getByLabel('Before').fill('2020-01-01');
    await page.keyboard.press('Enter');
    await page.getByText('There are no events').waitFor();
  });

  test.each([
    ['light', 1440],
    ['dark', 390],
  ] as const)(
    'axe finds nothing on the views where something is made or looked up: %s, %i pixels wide',
    (colorScheme, width) =>
      inTab(browser, colorScheme, width, async (page) => {
        for (const [path, heading] of [
          ['/credentials/new', 'New credential'],
          ['/stores/new', 'Connect a store'],
          ['/access', 'Access'],
          [`/access/${account}`, title],
        ] as const) {
          await page.goto(server.url + path);
          await signIn(page, server.adminToken);
          await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
          await page
            .locator('.card')
            .nth(path === '/access' ? 1 : 0)
            .waitFor();
          expect(await faultsOf(page)).toEqual([]);
          expect(await fitsWindow(page)).toBe(true);
        }
      }),
    180_000,
  );
});
