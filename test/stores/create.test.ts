import { parseId } from '../../src/ids.js';
import { faultPaths, placesOf } from '../credentials/verbs.js';
import { expectData, makeAccount, makeCaller, unique } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { startApinizer } from '../upstreams/apinizer.js';
import { startLandscape } from '../upstreams/landscape.js';
import { startNcloud } from '../upstreams/ncloud.js';
import { startSeqera, type Seqera } from '../upstreams/seqera.js';
import type { StandIn } from '../upstreams/stand-in.js';
import { startVeracode } from '../upstreams/veracode.js';
import { createStore, ownKeyOf, readStore, seqeraAt } from './stores.js';

let server: TestServer;
let seqera: Seqera;
let account: string;
const standIns: StandIn[] = [];

beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  seqera = await startSeqera();
  standIns.push(seqera);
  account = await makeAccount(server);
});
afterEach(() => standIns.forEach((one) => one.clear()));
afterAll(async () => {
  await server.stop();
  await Promise.all(standIns.map((one) => one.stop()));
});

const started = async <One extends StandIn>(starting: Promise<One>): Promise<One> => {
  const one = await starting;
  standIns.push(one);
  return one;
};
const storesNamed = (name: string) => server.rows('SELECT id FROM stores WHERE name = :name', { name });

/** Each way to connect a store: what is given, and what is recorded of the credential that Keyway reaches it with. */
const ways: [string, () => Promise<{ given: object; own: object; secrets: string[]; store: object }>][] = [
  [
    'LANDSCAPE by a pair of keys',
    async () => {
      const at = await started(startLandscape());
      const pair = at.accounts.get('acme')?.pair;
      if (!pair) throw new Error('the account has no pair');
      return {
        given: {
          landscape: {
            endpoint: at.url,
            accessKey: pair.accessKey,
            secretKey: pair.secretKey,
            account: 'acme',
          },
        },
        own: { kind: 'ACCESS_KEY', accessKey: pair.accessKey },
        secrets: [pair.secretKey],
        store: { kind: 'LANDSCAPE', endpoint: `${at.url}/`, region: null, budget: null },
      };
    },
  ],
  [
    'LANDSCAPE by a password',
    async () => {
      const at = await started(startLandscape());
      const { email, password } = at.person;
      return {
        given: { landscape: { endpoint: at.url, email, password } },
        own: { kind: 'PASSWORD', accessKey: email },
        secrets: [password],
        store: { kind: 'LANDSCAPE' },
      };
    },
  ],
  [
    'LANDSCAPE by the password of a person of a directory',
    async () => {
      const at = await started(startLandscape({ person: { identity: 'jane' } }));
      const { password } = at.person;
      return {
        given: { landscape: { endpoint: at.url, identity: 'jane', password } },
        own: { kind: 'PASSWORD', accessKey: 'jane' },
        secrets: [password],
        store: { kind: 'LANDSCAPE' },
      };
    },
  ],
  [
    'SEQERA',
    async () => ({
      given: { seqera: { endpoint: seqera.url, token: seqera.token, workspaces: ['4242'] } },
      own: { kind: 'TOKEN', accessKey: null },
      secrets: [seqera.token],
      store: { kind: 'SEQERA', region: null, budget: { limit: 20, window: 'PT1S' } },
    }),
  ],
  [
    'VERACODE',
    async () => {
      const at = await started(startVeracode());
      const { apiId, apiKey } = at.admin;
      return {
        given: { veracode: { endpoint: at.url, apiId, apiKey } },
        own: { kind: 'ACCESS_KEY', accessKey: apiId },
        secrets: [apiKey],
        store: { kind: 'VERACODE', budget: { limit: 500, window: 'PT1M' } },
      };
    },
  ],
  [
    'APINIZER',
    async () => {
      const at = await started(startApinizer());
      return {
        given: {
          apinizer: { endpoint: at.url, token: at.token, projects: ['Orders'], adminProject: 'root' },
        },
        own: { kind: 'TOKEN', accessKey: null },
        secrets: [at.token],
        store: { kind: 'APINIZER' },
      };
    },
  ],
  ...[1, 2].map((version): (typeof ways)[number] => [
    `NCLOUD by version ${version}`,
    async () => {
      const at = await started(startNcloud());
      const { accessKey, secretKey } = at.manager;
      return {
        given: {
          ncloud: {
            stsEndpoint: `${at.url}/api/v1`,
            subAccountEndpoint: `${at.url}/api/v${version}`,
            accessKey,
            secretKey,
            subAccountApiVersion: version,
          },
        },
        own: { kind: 'ACCESS_KEY', accessKey },
        secrets: [secretKey],
        store: { kind: 'NCLOUD' },
      };
    },
  ]),
];

describe('a store is connected', () => {
  test.each(ways)('of %s, with what Keyway reaches it with in the inventory', async (_, way) => {
    const { given, own, secrets, store } = await way();
    const name = unique('store');
    const answer = await createStore(server, { account, name, connection: given });
    const made = expectData(answer).createStore.store;
    expect(made).toMatchObject({
      name,
      ...store,
      health: { reachable: true, circuit: 'CLOSED', problem: null, checkedAt: expect.any(String) },
      lastSync: null,
    });
    expect(made.capabilities).toContain('LIST');
    const { id, region, endpoint, capabilities, health } = made;
    expect(await readStore(server, id)).toMatchObject({ id, name, region, endpoint, capabilities, health });
    expect(await ownKeyOf(server, made.id)).toMatchObject({
      ...own,
      name: `${name}: Keyway's own`,
      status: 'ACTIVE',
      retrievable: false,
      owner: null,
      account: { id: account },
      versions: [{ number: 1, state: 'CURRENT', accessKey: (own as { accessKey: string | null }).accessKey }],
    });
    // S41, S42: nowhere in plain, whatever the spelling.
    expect(await placesOf(server, secrets)).toEqual([]);
    for (const secret of secrets) {
      expect(answer.text).not.toContain(secret);
      expect(server.logged.join('')).not.toContain(secret);
    }
  });

  test("for the caller's own account, where none is named", async () => {
    const caller = await makeCaller(server, ['STORE_MANAGE']);
    const name = unique('store');
    const answer = await createStore(server, { name, connection: seqeraAt(seqera) }, caller);
    expect((await ownKeyOf(server, expectData(answer).createStore.store.id)).account.id).toBe(caller.id);
  });

  test('where it is, by the name of its host or the letter in its key', async () => {
    const at = await started(startVeracode());
    const { apiId, apiKey } = at.admin;
    const letter = /^vera01(.)i-/.exec(apiId)?.[1] ?? '';
    const connection = { veracode: { endpoint: at.url, apiId, apiKey } };
    const answer = await createStore(server, { account, name: unique('store'), connection });
    const regions: Record<string, string | null> = { g: 'global', e: 'eu', f: 'fedramp', '': null };
    expect(expectData(answer).createStore.store.region).toBe(regions[letter]);
  });
});

describe('a store is not connected, and nothing is kept', () => {
  const faults: [string, string, Parameters<StandIn['meet']>[0]][] = [
    ['takes the credential', 'STORE_REJECTED', { kind: 'fail', status: 401 }],
    ['allows it', 'STORE_REJECTED', { kind: 'fail', status: 403 }],
    ['knows the path', 'STORE_REJECTED', { kind: 'fail', status: 404 }],
    ['answers', 'UNAVAILABLE', { kind: 'refuse' }],
    ['works', 'UNAVAILABLE', { kind: 'fail', status: 500, body: { message: 'MARKER-VENDOR' } }],
    ['answers in JSON', 'UNAVAILABLE', { kind: 'garbage' }],
    ['has time', 'RATE_LIMITED', { kind: 'fail', status: 429, headers: { 'retry-after': '60' } }],
  ];

  test.each(faults)('S58: that no longer %s: %s', async (_, code, fault) => {
    seqera.meet(fault, {}, 3);
    const name = unique('store');
    const answer = await createStore(server, { account, name, connection: seqeraAt(seqera) });
    expect([answer.code, answer.data]).toEqual([code, null]);
    expect(answer.text).not.toMatch(/MARKER-VENDOR|127\.0\.0\.1|no JSON/);
    expect(server.logged.join('')).not.toMatch(/MARKER-VENDOR|no JSON/);
    expect(await storesNamed(name)).toEqual([]);
    // What was tried in vain stands in the way of nobody.
    seqera.clear();
    expectData(await createStore(server, { account, name, connection: seqeraAt(seqera) }));
  });

  test('with a secret that is wrong: STORE_REJECTED, and the secret is nowhere', async () => {
    const token = 'MARKER-7f3a9c51d2';
    const connection = seqeraAt(seqera, { token });
    const answer = await createStore(server, { account, name: unique('store'), connection });
    expect([answer.code, answer.data]).toEqual(['STORE_REJECTED', null]);
    expect(answer.text + server.logged.join('')).not.toContain(token);
    expect(await placesOf(server, [token])).toEqual([]);
  });

  test('under a name that is in use: CONFLICT', async () => {
    const input = { account, name: unique('store'), connection: seqeraAt(seqera) };
    expectData(await createStore(server, input));
    const before = await server.rows('SELECT id FROM credentials');
    expect((await createStore(server, input)).code).toBe('CONFLICT');
    expect(await server.rows('SELECT id FROM credentials')).toHaveLength(before.length);
  });

  test('for an account that is not there for the caller, or not theirs to manage stores of', async () => {
    const input = { account, name: unique('store'), connection: seqeraAt(seqera) };
    const stranger = await makeCaller(server, ['STORE_MANAGE'], { onAccount: await makeAccount(server) });
    expect((await createStore(server, input, stranger)).code).toBe('NOT_FOUND');
    const reader = await makeCaller(server, ['ACCOUNT_READ'], { onAccount: account });
    expect((await createStore(server, input, reader)).code).toBe('FORBIDDEN');
    expect((await createStore(server, { ...input, account: null }, reader)).code).toBe('FORBIDDEN');
  });
});

describe('a connection that cannot be one is BAD_USER_INPUT, and nobody is called', () => {
  const given = { endpoint: 'https://marker.example.com', token: 'MARKER-TOKEN-1' };
  const keys = { accessKey: 'MARKER-KEY', secretKey: 'MARKER-SECRET' };
  const { endpoint } = given;
  const ncloud = { stsEndpoint: endpoint, subAccountEndpoint: endpoint, ...keys };
  const pair = { endpoint, apiId: 'MARKER-ID', apiKey: 'MARKER-KEY' };
  const cases: [string, object, string][] = [
    ['with a query', { seqera: { ...given, endpoint: `${endpoint}/?q=1` } }, 'seqera.endpoint'],
    ['with an empty query', { seqera: { ...given, endpoint: `${endpoint}/?` } }, 'seqera.endpoint'],
    ['with a fragment', { seqera: { ...given, endpoint: `${endpoint}/#x` } }, 'seqera.endpoint'],
    ['with a user', { seqera: { ...given, endpoint: 'https://a:b@marker.example.com' } }, 'seqera.endpoint'],
    ['of another scheme', { seqera: { ...given, endpoint: 'file:///etc/passwd' } }, 'seqera.endpoint'],
    ['of STS with a query', { ncloud: { ...ncloud, stsEndpoint: `${endpoint}?x` } }, 'ncloud.stsEndpoint'],
    [
      'of a version that is none',
      { ncloud: { ...ncloud, subAccountApiVersion: 3 } },
      'ncloud.subAccountApiVersion',
    ],
    ['with no way in', { landscape: { endpoint } }, 'landscape.accessKey'],
    ['with half a pair', { landscape: { endpoint, accessKey: 'MARKER-KEY' } }, 'landscape.secretKey'],
    ['with the other half', { landscape: { endpoint, secretKey: 'MARKER-KEY' } }, 'landscape.accessKey'],
    ['with no password', { landscape: { endpoint, email: 'marker@example.com' } }, 'landscape.password'],
    ['with two ways in', { landscape: { endpoint, ...keys, jwt: 'MARKER-JWT' } }, 'landscape.jwt'],
    [
      'with a password and a token',
      { landscape: { endpoint, email: 'marker@example.com', password: 'MARKER-P', jwt: 'MARKER-JWT' } },
      'landscape.jwt',
    ],
    [
      'with a key of Veracode that is no hexadecimal',
      { veracode: { endpoint, apiId: 'a'.repeat(32), apiKey: 'MARKER-KEY' } },
      'veracode.apiKey',
    ],
    [
      'with a key of Veracode that lost its last digit',
      { veracode: { endpoint, apiId: 'a'.repeat(32), apiKey: 'b'.repeat(127) } },
      'veracode.apiKey',
    ],
    [
      'with an id of Veracode that is none',
      { veracode: { endpoint, apiId: 'MARKER-ID', apiKey: 'b'.repeat(128) } },
      'veracode.apiId',
    ],
    [
      'with a second key of Veracode that is none',
      {
        veracode: {
          endpoint,
          apiId: 'a'.repeat(32),
          apiKey: 'b'.repeat(128),
          fallbackApiId: 'c'.repeat(32),
          fallbackApiKey: 'MARKER-KEY',
        },
      },
      'veracode.fallbackApiKey',
    ],
    ['with an empty token', { seqera: { ...given, token: '' } }, 'seqera.token'],
    ['with a line end in a token', { seqera: { ...given, token: 'MARKER-1\n' } }, 'seqera.token'],
    ['with another letter in a token', { apinizer: { ...given, token: 'MARKER-é' } }, 'apinizer.token'],
    ['with a space in a JWT', { landscape: { endpoint, jwt: 'MARKER-1 MARKER-2' } }, 'landscape.jwt'],
    ['with a line end in a key', { veracode: { ...pair, apiKey: 'MARKER-1\n' } }, 'veracode.apiKey'],
    ['with another letter in an id', { veracode: { ...pair, apiId: 'MARKER-é' } }, 'veracode.apiId'],
    [
      'with a space in the id of a second pair',
      { veracode: { ...pair, fallbackApiId: 'MARKER 1', fallbackApiKey: 'MARKER-1' } },
      'veracode.fallbackApiId',
    ],
    [
      'with a tab in the key of a second pair',
      { veracode: { ...pair, fallbackApiId: 'MARKER-1', fallbackApiKey: 'MARKER\t1' } },
      'veracode.fallbackApiKey',
    ],
    ['with another letter in a key', { ncloud: { ...ncloud, accessKey: 'MARKER-é' } }, 'ncloud.accessKey'],
    [
      'with two names for one person',
      { landscape: { endpoint, email: 'marker@example.com', identity: 'marker', password: 'MARKER-P' } },
      'landscape.identity',
    ],
    ['with a name and no password', { landscape: { endpoint, identity: 'marker' } }, 'landscape.password'],
  ];

  test.each(cases)('%s', async (_, connection, path) => {
    const answer = await createStore(server, { account, name: unique('store'), connection });
    expect([answer.code, answer.data]).toEqual(['BAD_USER_INPUT', null]);
    expect(faultPaths(answer)).toEqual([`input.connection.${path}`]);
    expect(answer.text).not.toMatch(/marker/i);
  });

  test('of two kinds, or of none', async () => {
    for (const connection of [{}, { seqera: given, apinizer: given }]) {
      const answer = await createStore(server, { account, name: unique('store'), connection });
      expect([answer.code, answer.text.includes('MARKER')]).toEqual(['BAD_USER_INPUT', false]);
    }
  });

  test('S36: with a member that is not one', async () => {
    const connection = { seqera: { ...given, kind: 'BUILT_IN' } };
    const answer = await createStore(server, { account, name: unique('store'), connection });
    expect(answer.code).toBe('BAD_USER_INPUT');
  });
});

/** A connection of each kind to this machine, and the field that leads there. */
const toThisMachine = (): [string, object][] => {
  const endpoint = 'https://localhost:1';
  const pair = { accessKey: 'an-access-key', secretKey: 'a-secret-key' };
  const hex = { apiId: 'a'.repeat(32), apiKey: 'b'.repeat(128) };
  return [
    ['landscape.endpoint', { landscape: { endpoint, ...pair } }],
    ['landscape.endpoint', { landscape: { endpoint, email: 'a@example.com', password: 'a-password' } }],
    ['seqera.endpoint', { seqera: { endpoint, token: 'a-token' } }],
    ['veracode.endpoint', { veracode: { endpoint, ...hex } }],
    ['apinizer.endpoint', { apinizer: { endpoint, token: 'a-token' } }],
    ['ncloud.stsEndpoint', { ncloud: { stsEndpoint: endpoint, subAccountEndpoint: endpoint, ...pair } }],
  ];
};

describe('S56: without the setting for trials', () => {
  let strict: TestServer;
  beforeAll(async () => {
    strict = await startTestServer();
  });
  afterAll(() => strict.stop());

  test('http is BAD_USER_INPUT, and so is what is not public, or leads there; neither is called', async () => {
    const calls = seqera.calls.length;
    const plain = await createStore(strict, { name: unique('store'), connection: seqeraAt(seqera) });
    expect([plain.code, faultPaths(plain)]).toEqual(['BAD_USER_INPUT', ['input.connection.seqera.endpoint']]);
    const endpoint = seqera.url.replace('http:', 'https:');
    for (const at of [
      endpoint,
      'https://localhost:1',
      'https://[::1]/',
      'https://169.254.169.254/',
      'https://10.0.0.1/',
    ]) {
      const connection = seqeraAt(seqera, { endpoint: at });
      const answer = await createStore(strict, { name: unique('store'), connection });
      expect([answer.code, faultPaths(answer)]).toEqual([
        'BAD_USER_INPUT',
        ['input.connection.seqera.endpoint'],
      ]);
      expect(answer.errors[0]?.extensions.fields?.[0]?.message).toContain('KEYWAY_OUTBOUND_RANGES');
      expect(answer.text).not.toContain(at);
    }
    expect(seqera.calls).toHaveLength(calls);
    expect(await strict.rows("SELECT id FROM stores WHERE kind <> 'BUILT_IN'")).toEqual([]);
  });

  test.each(toThisMachine())('names %s, which is not public', async (path, connection) => {
    const answer = await createStore(strict, { name: unique('store'), connection });
    expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', [`input.connection.${path}`]]);
  });
});

test('R1: a repeated request makes one store, and is answered the same', async () => {
  const input = {
    account,
    name: unique('store'),
    connection: seqeraAt(seqera),
    idempotencyKey: unique('key'),
  };
  const answers = await Promise.all([1, 2, 3].map(() => createStore(server, input)));
  const ids = answers.map((answer) => expectData(answer).createStore.store.id);
  expect(new Set(ids).size).toBe(1);
  const own = await server.rows('SELECT id FROM credentials WHERE store_id = :id', {
    id: parseId(ids[0])?.uuid,
  });
  expect(own).toHaveLength(1);
  const other = await createStore(server, { ...input, name: unique('store') });
  expect(other.code).toBe('CONFLICT');
});

test('S42: the secret is sealed to its store, and opens in no other', async () => {
  const [one, other] = [unique('store'), unique('store')];
  for (const name of [one, other])
    expectData(await createStore(server, { account, name, connection: seqeraAt(seqera) }));
  await server.rows(
    `UPDATE stores SET sealed = o.sealed FROM stores o WHERE stores.name = :one AND o.name = :other`,
    { one, other },
  );
  const { store } = expectData(
    await server.ask('query ($name: String!) { store(name: $name) { id } }', { name: one }),
  );
  const answer = await server.ask('mutation ($id: ID!) { checkStore(input: { id: $id }) { store { id } } }', {
    id: store.id,
  });
  expect([answer.code, answer.data]).toEqual(['INTERNAL_SERVER_ERROR', null]);
});
