import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { expectData, grant, makeCaller } from '../support/make.js';
import { emptyPlace, spawnKeyway, urlOf, type Place, type Spawned } from '../support/process.js';
import { doorTo, type Door } from '../support/server.js';
import { faultsOf, launch, open, signIn } from './visit.js';

// The console over the six stores of the demonstration, as somebody sees it who has each of Keyway's own roles, or none.

const roles = [
  'KEYWAY_ADMIN',
  'KEYWAY_OPERATOR',
  'KEYWAY_READER',
  'KEYWAY_AUDITOR',
  'KEYWAY_VERIFIER',
  'none',
] as const;
type Role = (typeof roles)[number];

/** What the administrator is offered at a credential of each store: what its vendor can do with it. */
const offered: Readonly<Record<string, { credential: string; actions: readonly string[] }>> = {
  keyway: { credential: 'AWS Batch', actions: ['Rotate', 'Show the secret', 'Disable', 'Revoke'] },
  landscape: { credential: 'Onward, Inc.', actions: ['Rotate', 'Show the secret'] },
  seqera: { credential: 'github-bot', actions: ['Rotate', 'Revoke'] },
  veracode: { credential: 'pipeline@example.com', actions: ['Rotate', 'Revoke'] },
  apinizer: { credential: 'warehouse', actions: ['Rotate', 'Disable', 'Revoke'] },
  ncloud: { credential: 'backup', actions: ['Rotate', 'Issue a temporary one', 'Disable', 'Revoke'] },
};
const shownOnce = 'Show the secret';
/** What each role leaves of that. */
const left: Readonly<Record<Role, (action: string) => boolean>> = {
  KEYWAY_ADMIN: () => true,
  KEYWAY_OPERATOR: (action) => action !== shownOnce,
  KEYWAY_READER: () => false,
  KEYWAY_AUDITOR: () => false,
  KEYWAY_VERIFIER: () => false,
  none: () => false,
};
const seesAll = new Set<Role>(['KEYWAY_ADMIN', 'KEYWAY_OPERATOR', 'KEYWAY_READER', 'KEYWAY_AUDITOR']);

/** What only some may, at one credential, its store and its account. */
const mutations = {
  rotate: 'rotateCredential(input: { id: $credential }) { credential { id } }',
  reveal: 'revealCredential(input: { id: $credential }) { credential { id } }',
  update: 'updateCredential(input: { id: $credential, enabled: false }) { credential { id } }',
  revoke: 'revokeCredential(input: { id: $credential }) { credential { id } }',
  delete: 'deleteCredential(input: { id: $credential }) { credential { id } }',
  sync: 'syncStore(input: { id: $store }) { store { id } }',
  check: 'checkStore(input: { id: $store }) { store { id } }',
  disconnect: 'deleteStore(input: { id: $store }) { deletedId }',
  project: 'createProject(input: { account: $account, name: "forced" }) { project { id } }',
  role: 'createRole(input: { account: $account, name: "forced", permissions: [] }) { role { id } }',
  disable: 'updateAccount(input: { id: $account, enabled: false }) { account { id } }',
};

describe('the console over six stores', () => {
  let place: Place;
  let running: Spawned;
  let browser: Browser;
  let url: string;
  let door: Door;
  let found: { id: string; name: string; store: { id: string; name: string }; account: { id: string } }[];
  const tokens = new Map<Role, string>();

  beforeAll(async () => {
    place = await emptyPlace();
    running = spawnKeyway(['demo', '--stores'], place.environment);
    [browser, url] = await Promise.all([launch(), urlOf(running)]);
    door = doorTo(url, readFileSync(join(place.folder, 'admin-token'), 'utf8').trim());
    const { credentials } = expectData(
      await door.ask(
        '{ credentials(first: 100, filter: { status: [ACTIVE] }) { nodes { id name store { id name } account { id } } } }',
      ),
    );
    found = credentials.nodes;
    for (const name of roles) {
      const { id, token } = await makeCaller(door);
      tokens.set(name, token);
      if (name === 'none') continue;
      const { role } = expectData(
        await door.ask('query ($name: String!) { role(name: $name) { id } }', { name }),
      );
      await grant(door, id, role.id);
    }
  });
  afterAll(async () => {
    await browser?.close();
    running?.child.kill('SIGTERM');
    await running?.ended;
    await place?.drop();
  });

  const oneOf = (store: string) => {
    const one = found.find((each) => each.store.name === store && each.name === offered[store]?.credential);
    if (!one) throw new Error(`the demonstration has no ${offered[store]?.credential} in ${store}`);
    return one;
  };
  /** Signs in as somebody with this role, and hands on a way to the views by which the tab stays what it is. */
  async function signedIn(
    role: Role,
    work: (page: Page, to: (path: string) => Promise<void>) => Promise<void>,
  ) {
    const { context, page, complaints } = await open(browser, `${url}/`);
    try {
      await signIn(page, tokens.get(role) ?? '');
      await page.getByRole('heading', { name: 'Overview' }).waitFor();
      await work(page, async (path) => {
        await page.evaluate(`history.pushState(null, '', ${JSON.stringify(path)})`);
        await page.locator('h1').waitFor();
      });
      expect(complaints).toEqual([]);
    } finally {
      await context.close();
    }
  }

  test.each(roles)(
    '%s is offered what it may do in each view, and each view is one for everybody',
    async (role) => {
      await signedIn(role, async (page, to) => {
        const may = role === 'KEYWAY_ADMIN';
        const linkCount = (name: string) => page.getByRole('link', { name, exact: true }).count();
        for (const view of ['Overview', 'Credentials', 'Stores', 'Access', 'Audit']) {
          await page.getByRole('navigation').getByRole('link', { name: view, exact: true }).click();
          await page.getByRole('heading', { name: view, level: 1 }).waitFor();
          await page.getByText('Loading…').first().waitFor({ state: 'hidden' });
          expect({ view, faults: await faultsOf(page) }).toEqual({ view, faults: [] });
          if (view === 'Credentials')
            expect(await linkCount('New credential')).toBe(may || role === 'KEYWAY_OPERATOR' ? 1 : 0);
          if (view === 'Stores') {
            expect(await linkCount('Connect a store')).toBe(may ? 1 : 0);
            expect(await page.locator('main').getByRole('button', { name: /^Sync/ }).count()).toBe(
              may ? 5 : 0,
            );
          }
        }
        for (const [store, { actions }] of Object.entries(offered)) {
          await to(`/credentials/${oneOf(store).id}`);
          await page
            .getByRole('heading', { name: seesAll.has(role) ? 'Facts' : 'There is nothing here' })
            .waitFor();
          const told = await page.locator('.view').getByRole('button').allTextContents();
          expect({ store, told }).toEqual({ store, told: actions.filter(left[role]) });
        }
      });
    },
  );

  test.each(roles.filter((role) => role !== 'KEYWAY_ADMIN'))(
    '%s is refused what is not offered to it',
    async (role) => {
      const changes = Object.entries(mutations).filter(
        ([name]) => !(role === 'KEYWAY_OPERATOR' && ['rotate', 'update', 'revoke', 'delete'].includes(name)),
      );
      const { id, store, account } = oneOf('veracode');
      const given = { credential: id, store: store.id, account: account.id };
      for (const [name, text] of changes) {
        const declared = Object.keys(given).filter((one) => text.includes(`$${one}`));
        const { code } = await door.ask(
          `mutation (${declared.map((one) => `$${one}: ID!`).join(', ')}) { ${text} }`,
          Object.fromEntries(declared.map((one) => [one, given[one as keyof typeof given]])),
          { token: tokens.get(role) },
        );
        expect([name, code]).toEqual([name, seesAll.has(role) ? 'FORBIDDEN' : 'NOT_FOUND']);
      }
    },
  );

  test.each(Object.entries(offered))(
    'in %s each dialog opens, says what it is about, and is left without a change',
    async (store, { actions }) => {
      await signedIn('KEYWAY_ADMIN', async (page, to) => {
        const { id, name } = oneOf(store);
        await to(`/credentials/${id}`);
        for (const action of actions) {
          await page.locator('.view').getByRole('button', { name: action, exact: true }).click();
          const dialog = page.getByRole('dialog');
          await dialog.getByText(name).first().waitFor();
          expect({ action, faults: await faultsOf(page) }).toEqual({ action, faults: [] });
          await page.keyboard.press('Escape');
          await dialog.waitFor({ state: 'hidden' });
        }
        const { credential } = expectData(
          await door.ask('query ($id: ID!) { credential(id: $id) { status versions { number } } }', { id }),
        );
        expect(credential).toEqual({ status: 'ACTIVE', versions: [expect.anything()] });
      });
    },
  );

  test.each([
    ['seqera', []],
    ['apinizer', []],
    ['landscape', []],
    ['veracode', ['Rotate']],
  ])(
    'of what Keyway reaches %s with, that alone is offered which does not lock it out',
    async (store, actions) => {
      const own = found.find(({ name }) => name === `${store}: Keyway's own`);
      await signedIn('KEYWAY_ADMIN', async (page, to) => {
        await to(`/credentials/${own?.id}`);
        await page.getByRole('heading', { name: 'Facts' }).waitFor();
        const told = await page.locator('.view').getByRole('button').allTextContents();
        expect(told.filter((action) => action !== shownOnce)).toEqual(actions);
      });
    },
  );

  test.each([
    ['keyway', ['Expires', 'Allowed addresses', 'Server', 'Enabled']],
    ['apinizer', ['Expires', 'Allowed addresses', 'Enabled']],
    ['seqera', ['Server']],
    ['ncloud', ['Enabled']],
    ['veracode', []],
  ])('a new credential in %s is asked for what that store can keep to alone', async (store, labels) => {
    await signedIn('KEYWAY_ADMIN', async (page, to) => {
      await to('/credentials/new');
      await page.getByRole('button', { name: /^(?!Show).*Store/ }).click();
      await page.getByRole('option', { name: new RegExp(`^${store} ·`) }).click();
      await page.getByText('More settings').click();
      const form = page.locator('form');
      await form.getByText('Category').first().waitFor();
      const there: string[] = [];
      for (const label of ['Expires', 'Allowed addresses', 'Server', 'Enabled'])
        if ((await form.getByText(label, { exact: false }).filter({ visible: true }).count()) > 0)
          there.push(label);
      expect(there).toEqual(labels);
    });
  });
});
