/** @embedded what vendors answer */
// What a store says of a credential is shown, and what it does not say is not made up.
import { faultPaths } from '../credentials/verbs.js';
import { expectData, makeAccount, makeCaller } from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import { makeStore } from '../stores/stores.js';
import { startLandscape } from '../upstreams/landscape.js';
import type { NcloudSubAccount } from '../upstreams/ncloud-state.js';
import { startNcloud, type Ncloud } from '../upstreams/ncloud.js';
import { startVeracode, type Veracode } from '../upstreams/veracode.js';
import { outside } from './conformance.js';
import { connect, type World } from './world.js';

let server: SharedServer;
beforeAll(async () => {
  server = await sharedServer();
});

const fields = 'status enabled allowedIps problem createdAt externalId reachesStore';
const read = async (id: string) =>
  expectData(await server.ask(`query ($id: ID!) { credential(id: $id) { ${fields} } }`, { id })).credential;
const all = async (store: string) =>
  expectData(
    await server.ask(
      `query ($id: ID!) { credentials(filter: { store: [$id] }, first: 100) { nodes { ${fields} } } }`,
      {
        id: store,
      },
    ),
  ).credentials.nodes;

function ownerIn(at: Ncloud, accessKey: string): NcloudSubAccount {
  const owner = [...at.subAccounts.values()].find(({ keys }) => keys.has(accessKey));
  if (!owner) throw new Error('no sub account has this key');
  return owner;
}

async function withWorld(name: string, work: (world: World) => Promise<void>): Promise<void> {
  const found = outside.find((store) => store.name === name);
  if (!found) throw new Error('there is no such store');
  const world = await connect(server, found);
  try {
    await work(world);
  } finally {
    await world.standIn.stop();
  }
}

describe('Veracode', () => {
  test.each(['before it is listed', 'later'])('a user who is disabled %s is never ACTIVE', async (when) => {
    const at = await startVeracode();
    try {
      const { apiId, apiKey } = at.admin;
      const account = await makeAccount(server);
      const store = await makeStore(server, account, { veracode: { endpoint: at.url, apiId, apiKey } });
      const user = at.addUser();
      at.addPair(user.user_id);
      const sync = () =>
        server.ask('mutation ($id: ID!) { syncStore(input: { id: $id }) { store { id } } }', { id: store });
      const found = async () =>
        (await all(store)).find(({ externalId }: { externalId: string }) => externalId === user.user_id);
      if (when === 'later') {
        await sync();
        expect(await found()).toMatchObject({ status: 'ACTIVE', enabled: true, allowedIps: [] });
      }
      Object.assign(at.users.get(user.user_id) ?? {}, {
        ...{ active: false, ip_restricted: true, allowed_ip_addresses: ['192.0.2.7'] },
      });
      await sync();
      expect(await found()).toMatchObject({
        status: 'DISABLED',
        enabled: false,
        allowedIps: ['192.0.2.7'],
      });
      // What the store does not show any more is not known, and not «any address».
      at.meet({ kind: 'fail', status: 403 }, { path: new RegExp(`/users/${user.user_id}`) });
      await sync();
      expect(await found()).toMatchObject({ status: 'DISABLED', enabled: false, allowedIps: null });
    } finally {
      await at.stop();
    }
  });

  test.each([
    [{ active: false }, { status: 'DISABLED', enabled: false, allowedIps: [] }],
    [{ login_enabled: false }, { status: 'DISABLED', enabled: false, allowedIps: [] }],
    [
      { ip_restricted: true, allowed_ip_addresses: ['192.0.2.7'] },
      { status: 'ACTIVE', enabled: true, allowedIps: ['192.0.2.7'] },
    ],
  ])('S52: what is made or rotated for a user who is %j is shown so by the answer', (change, expected) =>
    withWorld('Veracode', async (world) => {
      const at = world.standIn as Veracode;
      const { scope } = world.wish() as { scope: string };
      Object.assign(at.users.get(scope) ?? {}, change);
      const { id } = await world.make({ scope });
      expect(await read(id)).toMatchObject(expected);
      // Taken in while all was well.
      const { id: other, externalId } = await world.takeIn();
      const user = at.users.get(externalId) ?? {};
      const before = { ...user };
      Object.assign(user, change);
      const rotated = () =>
        server.ask(
          `mutation ($id: ID!) { rotateCredential(input: { id: $id }) { credential { ${fields} } } }`,
          { id: other },
        );
      expect(expectData(await rotated()).rotateCredential.credential).toMatchObject(expected);
      // Once more, when Keyway knows it.
      expect(expectData(await rotated()).rotateCredential.credential).toMatchObject(expected);
      Object.assign(user, before);
      const well = { status: 'ACTIVE', enabled: true, allowedIps: [] };
      expect(expectData(await rotated()).rotateCredential.credential).toMatchObject(well);
      await world.sync();
      expect(await read(other)).toMatchObject(well);
    }),
  );

  test('a pair that is made for a disabled user is DISABLED, and nothing is known of its addresses yet', () =>
    withWorld('Veracode', async (world) => {
      const { scope } = world.wish() as { scope: string };
      world.standIn.meet(
        { kind: 'fail', status: 200, body: { user_id: scope, active: false } },
        { method: 'GET', path: new RegExp(`/users/${scope}`) },
      );
      const { id } = await world.make({ scope });
      expect(await read(id)).toMatchObject({ status: 'DISABLED', allowedIps: null });
    }));
});

describe.each(['NAVER Cloud, Sub Account 1', 'NAVER Cloud, Sub Account 2'])('%s', (name) => {
  test('keeps when the store made a key, a temporary one and Keyway’s own among them', () =>
    withWorld(name, async (world) => {
      const { id } = await world.make();
      const made = (await read(id)).createdAt as string;
      expect(made).toMatch(/:\d\d(\.000)?Z$/);
      const issued = expectData(await world.run('issueTemporaryCredential', { parent: id }));
      const temporary = issued.issueTemporaryCredential.credential;
      expect(Date.parse(temporary.createdAt) % 1000).toBe(0);
      await world.sync();
      const own = (await all(world.store)).find(
        ({ reachesStore }: { reachesStore: boolean }) => reachesStore,
      );
      expect(Date.parse(own.createdAt) % 1000).toBe(0);
      expect(own).toMatchObject({ status: 'ACTIVE', enabled: true, allowedIps: [] });
    }));

  test.each([{ active: false }, { canAPIGatewayAccess: false }])(
    'no key of a sub account that is %j is ACTIVE, whoever made it and when',
    async (change) => {
      const version = name.endsWith('1') ? 1 : 2;
      const at = await startNcloud({ version });
      try {
        const { accessKey, secretKey } = at.manager;
        const account = await makeAccount(server);
        const store = await makeStore(server, account, {
          ncloud: {
            ...{ stsEndpoint: at.url, subAccountEndpoint: at.url, accessKey, secretKey },
            subAccountApiVersion: version,
          },
        });
        const owner = at.addSubAccount('switched-off', change);
        const key = at.addKey(owner.subAccountId);
        await server.ask('mutation ($id: ID!) { syncStore(input: { id: $id }) { store { id } } }', {
          id: store,
        });
        const found = (await all(store)).find(
          ({ externalId }: { externalId: string }) => externalId === key.accessKey,
        );
        expect(found).toMatchObject({ status: 'DISABLED', enabled: false });
        const made = await server.ask(
          'mutation ($input: CreateCredentialInput!) { createCredential(input: $input) { credential { id status enabled } } }',
          { input: { store, account, name: 'made', scope: owner.subAccountId, secret: { accessKey: {} } } },
        );
        const { credential } = expectData(made).createCredential;
        expect(credential).toMatchObject({ status: 'DISABLED', enabled: false });
        const on = await server.ask(
          'mutation ($input: UpdateCredentialInput!) { updateCredential(input: $input) { credential { id } } }',
          { input: { id: credential.id, enabled: true } },
        );
        expect(on.code).toBe('CONFLICT');
        expect((await read(credential.id)).status).toBe('DISABLED');
      } finally {
        await at.stop();
      }
    },
  );

  test.each(['active', 'canAPIGatewayAccess'] as const)(
    'a key whose sub account was switched off (%s) since is not rotated, and shown as DISABLED',
    (flag) =>
      withWorld(name, async (world) => {
        const at = world.standIn as Ncloud;
        const { id, scope, externalId: accessKey, issued } = await world.make();
        const owner = at.subAccounts.get(scope);
        if (!owner) throw new Error('the sub account is not there');
        owner[flag] = false;
        const refused = await world.run('rotateCredential', { id });
        expect(refused.code).toBe('CONFLICT');
        expect(refused.errors[0]?.message).toMatch(/sub account .* is switched off/);
        expect(await read(id)).toMatchObject({ status: 'DISABLED', enabled: false, allowedIps: [] });
        expect([...owner.keys.keys()]).toEqual([accessKey]);
        expect((await world.run('issueTemporaryCredential', { parent: id })).code).toBe('CONFLICT');
        owner[flag] = true;
        await world.sync();
        expect(await read(id)).toMatchObject({ status: 'ACTIVE', enabled: true });
        expect(at.accepts(accessKey, issued.secret ?? '')).toBe(true);
        expectData(await world.run('rotateCredential', { id }));
      }),
  );

  test('a key that was suspended there since is not rotated, shown as DISABLED, and rotated as such then', () =>
    withWorld(name, async (world) => {
      const at = world.standIn as Ncloud;
      const { id, scope, externalId: accessKey } = await world.make();
      const keys = at.subAccounts.get(scope)?.keys;
      const key = keys?.get(accessKey);
      if (!keys || !key) throw new Error('the key is not there');
      key.active = false;
      const refused = await world.run('rotateCredential', { id });
      expect(refused.code).toBe('CONFLICT');
      expect(refused.errors[0]?.message).toMatch(/key is suspended/);
      expect([...keys.keys()]).toEqual([accessKey]);
      expect(await read(id)).toMatchObject({ status: 'DISABLED', enabled: false, allowedIps: [] });
      const { issued } = expectData(await world.run('rotateCredential', { id })).rotateCredential;
      expect(keys.get(issued.accessKey)?.active).toBe(false);
      expect(await read(id)).toMatchObject({ status: 'DISABLED', enabled: false });
    }));

  test.each([
    [[{ type: 'IP', source: '192.0.2.7' } as const], ['192.0.2.7']],
    // What Keyway cannot read as an address is an address that nobody calls from.
    [[{ type: 'VPC', source: '1234' } as const], ['255.255.255.255']],
    [[], ['255.255.255.255']],
  ])('S52: a sub account that is let in from %j alone is shown so by every answer', (sources, allowedIps) =>
    withWorld(name, async (world) => {
      const at = world.standIn as Ncloud;
      const { id, externalId } = await world.takeIn();
      const owner = ownerIn(at, externalId);
      Object.assign(owner, { useApiAllowSource: true, apiAllowSources: sources });
      await world.sync();
      expect(await read(id)).toMatchObject({ status: 'ACTIVE', enabled: true, allowedIps });
      const { id: made } = await world.make({ scope: owner.subAccountId });
      expect(await read(made)).toMatchObject({ status: 'ACTIVE', enabled: true, allowedIps });
      // Keyway itself may not call from there: that a key is not taken from here says nothing of it.
      owner.keys.delete(externalId);
      const rotated = expectData(await world.run('rotateCredential', { id: made })).rotateCredential;
      expect([...owner.keys.keys()]).toContain(rotated.issued.accessKey);
      owner.useApiAllowSource = false;
      expectData(await world.run('rotateCredential', { id: made }));
      expect(await read(made)).toMatchObject({ allowedIps: [] });
    }),
  );

  test('what the parent of a temporary credential signs is told from what Keyway does', () =>
    withWorld(name, async (world) => {
      const at = world.standIn as Ncloud;
      const { id, scope, externalId } = await world.make();
      const key = at.subAccounts.get(scope)?.keys.get(externalId);
      if (key) key.active = false;
      const refused = await world.run('issueTemporaryCredential', { parent: id });
      expect(refused.code).toBe('CONFLICT');
      expect(refused.errors[0]?.message).toMatch(/secret of the parent/);
    }));

  test('what is made there has a switch and addresses that are known', () =>
    withWorld(name, async (world) => {
      const { id } = await world.make();
      expect(await read(id)).toMatchObject({ status: 'ACTIVE', enabled: true, allowedIps: [] });
      await world.sync();
      expect(await read(id)).toMatchObject({ status: 'ACTIVE', enabled: true, allowedIps: [] });
    }));
});

test('Landscape says nothing of switches and addresses, and so does Keyway', async () => {
  const at = await startLandscape({ accounts: [{ name: 'first' }] });
  try {
    const { email, password } = at.person;
    const account = await makeAccount(server);
    const store = await makeStore(server, account, { landscape: { endpoint: at.url, email, password } });
    await server.ask('mutation ($id: ID!) { syncStore(input: { id: $id }) { store { id } } }', { id: store });
    for (const one of await all(store)) expect(one).toMatchObject({ enabled: null, allowedIps: null });
  } finally {
    await at.stop();
  }
});

test('Apinizer says all of it', () =>
  withWorld('Apinizer', async (world) => {
    const { id } = await world.takeIn();
    expect(await read(id)).toMatchObject({ status: 'ACTIVE', enabled: true, allowedIps: [], problem: null });
    const made = await world.make();
    expect(await read(made.id)).toMatchObject({ enabled: true, allowedIps: [] });
  }));

describe('the parts of a store that a credential may be made in', () => {
  const scopesOf = async (store: string) =>
    expectData(
      await server.ask(
        'query ($id: ID!) { node(id: $id) { ... on CredentialStore { scopes { id name } } } }',
        {
          id: store,
        },
      ),
    ).node.scopes;

  test('an account of Landscape without a pair is listed, named where none is given, and gets one', async () => {
    const at = await startLandscape({
      accounts: [
        { name: 'onward', title: 'Onward, Inc.' },
        { name: 'upside', title: 'Upside Software, Ltd.', pair: null },
      ],
    });
    try {
      const { email, password } = at.person;
      const account = await makeAccount(server);
      const store = await makeStore(server, account, { landscape: { endpoint: at.url, email, password } });
      expect(await scopesOf(store)).toEqual([
        { id: 'onward', name: 'Onward, Inc.' },
        { id: 'upside', name: 'Upside Software, Ltd.' },
      ]);
      const create = (input: object) =>
        server.ask(
          'mutation ($input: CreateCredentialInput!) { createCredential(input: $input) { credential { scope } } }',
          { input: { store, account, name: 'made', secret: { accessKey: {} }, ...input } },
        );
      const refused = await create({});
      expect(faultPaths(refused)).toEqual(['input.scope']);
      expect(refused.text).toMatch(/one of onward, upside/);
      expect(expectData(await create({ scope: 'upside' })).createCredential.credential.scope).toBe('upside');
    } finally {
      await at.stop();
    }
  });

  test.each(['Apinizer', 'Veracode', 'NAVER Cloud, Sub Account 1', 'NAVER Cloud, Sub Account 2'])(
    '%s lists them too',
    (name) =>
      withWorld(name, async (world) => {
        const { id } = await world.make();
        const { scope } = await world.read(id);
        const scopes = (await scopesOf(world.store)) as { id: string; name: string }[];
        expect(scopes.map((one) => one.id)).toContain(scope);
      }),
  );

  test('Keyway’s own store has none', async () => {
    expect(
      expectData(await server.ask('{ store(name: "keyway") { scopes { id } } }')).store.scopes,
    ).toBeNull();
  });

  test('they are for those who manage the store, or may create there', () =>
    withWorld('Apinizer', async (world) => {
      const { token } = await makeCaller(server, ['CREDENTIAL_READ'], { onAccount: world.account });
      const before = world.standIn.calls.length;
      const answer = await server.ask(
        'query ($id: ID!) { node(id: $id) { ... on CredentialStore { name scopes { id } } } }',
        { id: world.store },
        { token },
      );
      expect(answer.data.node.scopes).toBeNull();
      expect(answer.errors.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN']);
      expect(world.standIn.calls).toHaveLength(before);
    }));
});
