// The operations of the five vendors' pages, each done through Keyway at the vendor itself.
import { makeStore } from '../stores/stores.js';
import { expectData, makeAccount } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { startApinizer } from '../upstreams/apinizer.js';
import { startLandscape } from '../upstreams/landscape.js';
import { startNcloud } from '../upstreams/ncloud.js';
import { startSeqera } from '../upstreams/seqera.js';
import type { StandIn } from '../upstreams/stand-in.js';
import { startVeracode } from '../upstreams/veracode.js';

let server: TestServer;
let account: string;
const standIns: StandIn[] = [];
beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  account = await makeAccount(server);
});
afterAll(async () => {
  await server.stop();
  await Promise.all(standIns.map((one) => one.stop()));
});

const started = async <One extends StandIn>(starting: Promise<One>): Promise<One> => {
  const one = await starting;
  standIns.push(one);
  return one;
};

/** Connects a store and takes stock of it; its id. */
async function connected(connection: Record<string, unknown>): Promise<string> {
  const id = await makeStore(server, account, connection);
  const answer = await server.ask(
    'mutation ($id: ID!) { syncStore(input: { id: $id }) { store { lastSync { error finishedAt } } } }',
    { id },
  );
  expect(expectData(answer).syncStore.store.lastSync.error).toBeNull();
  return id;
}

/** The page's list, by GraphQL: all credentials of a store, but for what Keyway reaches it with. */
async function list(store: string, fields: string) {
  const answer = await server.ask(
    `query ($id: ID!) {
      credentials(filter: { store: [$id] }, orderBy: { by: NAME, direction: ASC }) {
        nodes { id reachesStore ${fields} }
      }
    }`,
    { id: store },
  );
  const { nodes } = expectData(answer).credentials;
  return { nodes: nodes.filter((one: { reachesStore: boolean }) => !one.reachesStore), text: answer.text };
}

const mutate = async (name: string, input: Record<string, unknown>, selection: string) => {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input!`;
  return server.ask(`mutation ($input: ${type}) { ${name}(input: $input) { ${selection} } }`, { input });
};
const done = async (name: string, input: Record<string, unknown>, selection: string) =>
  expectData(await mutate(name, input, selection))[name];

const instant = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as unknown;

describe('Landscape', () => {
  const twoAccounts = () =>
    started(
      startLandscape({
        accounts: [
          { name: 'onward', title: 'Onward, Inc.' },
          { name: 'upside', title: 'Upside Software, Ltd.' },
        ],
      }),
    );
  const connect = ({ url, person: { email, password } }: Awaited<ReturnType<typeof twoAccounts>>) =>
    connected({ landscape: { endpoint: url, email, password } });
  const shown = 'issued { accessKey secret endpoint exports(prefix: "LANDSCAPE_API") }';

  test('GET /credentials: the access key, account and title of each, and where it is; the secret by revealing', async () => {
    const at = await twoAccounts();
    const store = await connect(at);
    const { nodes, text } = await list(store, 'accessKey scope name store { endpoint }');
    const endpoint = `${at.url}/`;
    const pairOf = (name: string) => at.pairs().get(name);
    expect(nodes).toEqual([
      expect.objectContaining({
        ...{ accessKey: pairOf('onward')?.accessKey, scope: 'onward', name: 'Onward, Inc.' },
        store: { endpoint },
      }),
      expect.objectContaining({
        ...{ accessKey: pairOf('upside')?.accessKey, scope: 'upside', name: 'Upside Software, Ltd.' },
        store: { endpoint },
      }),
    ]);
    for (const pair of at.pairs().values()) expect(text).not.toContain(pair?.secretKey);
    const { issued } = await done('revealCredential', { id: nodes[0].id }, shown);
    const secret = pairOf('onward')?.secretKey;
    const presentedAt = `${at.url}/api/`;
    expect(issued).toMatchObject({
      ...{ accessKey: pairOf('onward')?.accessKey, secret, endpoint: presentedAt },
    });
    expect(issued.exports).toContain(`export LANDSCAPE_API_SECRET='${secret}'`);
  });

  test('POST /credentials: the pair of one account is made anew, and the other account keeps its own', async () => {
    const at = await twoAccounts();
    const store = await connect(at);
    const [before, other] = [at.pairs().get('onward'), at.pairs().get('upside')];
    const [{ id }] = (await list(store, 'scope')).nodes;
    const { issued } = await done('rotateCredential', { id }, shown);
    expect(issued.accessKey).not.toBe(before?.accessKey);
    expect(at.accepts(issued.accessKey, issued.secret)).toBe(true);
    expect(at.accepts(before?.accessKey ?? '', before?.secretKey ?? '')).toBe(false);
    expect(at.accepts(other?.accessKey ?? '', other?.secretKey ?? '')).toBe(true);
    expect(issued.exports).toContain(`export LANDSCAPE_API_ACCESS_KEY='${issued.accessKey}'`);
  });
});

describe('Seqera Platform', () => {
  const page = {
    name: 'Git Hub Access Credentials',
    description: 'Git Hub corporate account',
    category: 'repositories',
  };
  const keys = (password: string) => ({ providerKeys: { github: { username: 'me', password } } });
  const fields = 'externalId name description provider category createdAt lastUsedAt updatedAt deletedAt';

  test('List and Describe credentials: all fields of the page, and none of the keys', async () => {
    const at = await started(startSeqera());
    const lastUsed = '2020-11-10T12:20:18.024019Z';
    const password = 'of-a-github-account';
    const [externalId] = at.seed(1, () => ({
      ...page,
      ...{ provider: 'github', keys: { username: 'me', password }, lastUsed },
      dateCreated: '2020-11-10T11:20:18.024019Z',
    }));
    const { nodes, text } = await list(
      await connected({ seqera: { endpoint: at.url, token: at.token } }),
      fields,
    );
    const expected = {
      ...{ externalId, ...page, provider: 'GITHUB', updatedAt: instant, deletedAt: null },
      ...{ createdAt: '2020-11-10T11:20:18.024Z', lastUsedAt: '2020-11-10T12:20:18.024Z' },
    };
    expect(nodes).toEqual([expect.objectContaining(expected)]);
    expect(text).not.toContain(password);
    const described = await server.ask(`query ($id: ID!) { credential(id: $id) { ${fields} } }`, {
      id: nodes[0].id,
    });
    expect(expectData(described).credential).toEqual(expected);
  });

  test('Create, Update and Delete credential: the platform has what was given, whole, and then no more', async () => {
    const at = await started(startSeqera());
    const store = await connected({ seqera: { endpoint: at.url, token: at.token } });
    // The platform takes no spaces in a name any more, as the page's example has them.
    const input = { store, account, ...page, name: 'git-hub-access', secret: keys('one') };
    const { credential } = await done('createCredential', input, 'credential { id externalId }');
    const { id, externalId } = credential;
    expect(at.credentials.get(externalId)).toMatchObject({
      ...page,
      name: 'git-hub-access',
      provider: 'github',
    });
    expect(at.accepts(externalId, { username: 'me', password: 'one' })).toBe(true);

    await done('updateCredential', { id, name: 'git-hub', category: null }, 'credential { id }');
    expect(at.credentials.get(externalId)).toMatchObject({ ...page, name: 'git-hub', category: null });
    await done('rotateCredential', { id, secret: keys('two') }, 'credential { id }');
    expect(at.credentials.get(externalId)).toMatchObject({ name: 'git-hub' });
    expect(at.accepts(externalId, { username: 'me', password: 'two' })).toBe(true);

    await done('deleteCredential', { id }, 'credential { status }');
    expect(at.credentials.has(externalId)).toBe(false);
  });
});

describe('Veracode', () => {
  const connect = async () => {
    const at = await started(startVeracode());
    const user = at.addUser({ user_name: 'api-user', permissions: [{ permission_name: 'apiUser' }] });
    const pair = at.addPair(user.user_id);
    const { apiId, apiKey } = at.admin;
    const store = await connected({ veracode: { endpoint: at.url, apiId, apiKey } });
    return { at, store, user, pair };
  };
  const ownKey = async (store: string, accessKey: string) => {
    const text = `query ($id: ID!) { credentials(filter: { store: [$id] }) { nodes { id accessKey reachesStore } } }`;
    const { nodes } = expectData(await server.ask(text, { id: store })).credentials;
    expect(nodes).toContainEqual({ id: expect.any(String), accessKey, reachesStore: true });
    return nodes.find((one: { accessKey: string }) => one.accessKey === accessKey);
  };
  const generated = 'credential { expiresAt versions { state } } issued { accessKey secret expiresAt }';

  test('Generate API credentials for your account: Keyway itself has a new pair, where it has another way in', async () => {
    const { at, store, user, pair } = await connect();
    user.roles = [{ role_name: 'adminapi' }];
    const { apiId, apiKey } = at.admin;
    const fallback = { fallbackApiId: pair.apiId, fallbackApiKey: pair.apiKey };
    const connection = { veracode: { endpoint: at.url, apiId, apiKey, ...fallback } };
    await done('updateStore', { id: store, connection }, 'store { id }');
    const { id } = await ownKey(store, apiId);
    const { credential, issued } = await done('rotateCredential', { id }, generated);
    expect(at.accepts(apiId, apiKey)).toBe(false);
    expect(issued).toMatchObject({ accessKey: expect.stringMatching(/^vera/), secret: null });
    expect(credential.versions[0]).toEqual({ state: 'CURRENT' });
    expect(at.calls.findLast(({ method }) => method === 'POST')?.path).toBe('/api/authn/v2/api_credentials');
    expect(await list(store, 'accessKey')).toMatchObject({ nodes: expect.any(Array) });
  });

  test('Generate API credentials for your account: without another way in, a CONFLICT that sends nothing', async () => {
    const { at, store } = await connect();
    const own = await ownKey(store, at.admin.apiId);
    const calls = at.calls.length;
    const { code, errors } = await mutate('rotateCredential', { id: own.id }, generated);
    expect(code).toBe('CONFLICT');
    expect(errors[0]?.message).toMatch(/^Keyway reaches its store with it/);
    expect(at.calls).toHaveLength(calls);
    expect(at.accepts(at.admin.apiId, at.admin.apiKey)).toBe(true);
  });

  test('Generate API credentials for an API user: a new pair that ends in a year, and the one before ends', async () => {
    const { at, store, user, pair } = await connect();
    const { nodes } = await list(store, 'accessKey scope name expiresAt');
    expect(nodes).toEqual([
      expect.objectContaining({
        accessKey: pair.apiId,
        scope: user.user_id,
        name: 'api-user',
        expiresAt: instant,
      }),
    ]);
    const { credential, issued } = await done('rotateCredential', { id: nodes[0].id }, generated);
    expect(at.accepts(issued.accessKey, issued.secret)).toBe(true);
    expect(at.accepts(pair.apiId, pair.apiKey)).toBe(false);
    expect(credential).toMatchObject({
      expiresAt: issued.expiresAt,
      versions: [{ state: 'CURRENT' }, { state: 'RETIRED' }],
    });
    const days = (Date.parse(issued.expiresAt) - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBeGreaterThanOrEqual(365);
    expect(Math.round(days)).toBeLessThanOrEqual(366);
  });
});

describe.each(['current', 'older'] as const)('Apinizer, %s', (generation) => {
  test('List credentials: all fields of the page, and never a password', async () => {
    const at = await started(startApinizer({ generation, roles: ['API_USER', 'DEVELOPER'] }));
    const password = 'of-an-api-user';
    at.seed(1, () => ({
      ...{ email: 'user@example.com', fullName: 'John Doe', description: 'API user credential' },
      ...{ username: 'api-user', password, roleNameList: ['API_USER', 'DEVELOPER'], enabled: true },
      ...{ ipList: ['192.168.1.100', '10.0.0.0/8'], expireDate: '2124-12-31T23:59:59.000Z' },
    }));
    at.seed(1, () => ({
      username: 'disabled',
      fullName: 'Nobody',
      description: '',
      enabled: false,
      password,
    }));
    const store = await connected({ apinizer: { endpoint: at.url, token: at.token } });
    const fields = 'email fullName description accessKey roles { name } enabled allowedIps expiresAt scope';
    const { nodes, text } = await list(store, fields);
    expect(nodes).toEqual([
      expect.objectContaining({
        ...{ email: 'user@example.com', fullName: 'John Doe', description: 'API user credential' },
        ...{ accessKey: 'api-user', roles: [{ name: 'API_USER' }, { name: 'DEVELOPER' }], enabled: true },
        ...{ allowedIps: ['192.168.1.100', '10.0.0.0/8'], expiresAt: '2124-12-31T23:59:59.000Z' },
        scope: 'Orders',
      }),
      expect.objectContaining({
        accessKey: 'disabled',
        roles: [],
        enabled: false,
        allowedIps: [],
        expiresAt: null,
      }),
    ]);
    expect(text).not.toContain(password);
  });
});

describe.each([1, 2] as const)('NAVER Cloud, Sub Account %i', (version) => {
  const connect = async () => {
    const at = await started(startNcloud({ version }));
    at.addSubAccount('builds');
    const { accessKey, secretKey } = at.manager;
    const addresses = { stsEndpoint: at.url, subAccountEndpoint: at.url };
    const ncloud = { ...addresses, accessKey, secretKey, subAccountApiVersion: version };
    const store = await connected({ ncloud });
    const scope = [...at.subAccounts.values()].find(({ loginId }) => loginId === 'builds')?.subAccountId;
    const input = { store, account, name: 'builds', scope, secret: { accessKey: {} } };
    const made = await done('createCredential', input, 'credential { id } issued { accessKey secret }');
    return { at, store, id: made.credential.id, issued: made.issued };
  };

  test('Get credentials, permanent: the access key and when it was made, and no more', async () => {
    const { store, issued } = await connect();
    const { nodes, text } = await list(store, 'accessKey createdAt expiresAt mfaAuthenticated');
    const permanent = { accessKey: issued.accessKey, createdAt: instant, expiresAt: null };
    expect(nodes).toEqual([expect.objectContaining({ ...permanent, mfaAuthenticated: false })]);
    expect(text).not.toContain(issued.secret);
  });

  test('Get credentials, temporary: access key, creation, end and second factor, and the secret again by revealing', async () => {
    const { at, id } = await connect();
    at.mfaDevices.set('device-1', '123456');
    const storeMfa = { device: 'device-1', code: '123456' };
    for (const [input, useMfa] of [
      [{}, false],
      [{ storeMfa }, true],
    ] as const) {
      const { credential, issued } = await done(
        'issueTemporaryCredential',
        { parent: id, duration: 'PT1H', ...input },
        'credential { id accessKey createdAt expiresAt mfaAuthenticated } issued { accessKey secret }',
      );
      const { accessKey, secret } = issued;
      expect(at.accepts(accessKey, secret)).toBe(true);
      expect(credential).toMatchObject({ accessKey, createdAt: instant, mfaAuthenticated: useMfa });
      const seconds = (Date.parse(credential.expiresAt) - Date.parse(credential.createdAt)) / 1000;
      expect(Math.abs(seconds - 3600)).toBeLessThan(30);
      const again = await done('revealCredential', { id: credential.id }, 'issued { accessKey secret }');
      expect(again.issued).toEqual({ accessKey, secret });
    }
  });
});
