import { StoreError, SpoiledSecret } from '../../src/connectors/store-error.js';
import { keyAt, secretAt, textAt } from '../../src/connectors/answers.js';
import { expectData, unique } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { startLandscape } from '../upstreams/landscape.js';
import { startNcloud } from '../upstreams/ncloud.js';
import { openStandIn } from '../upstreams/stand-in.js';
import { startVeracode } from '../upstreams/veracode.js';
import { createStore, makeStore } from '../stores/stores.js';
import { makeAccount } from '../support/make.js';

const odd = ['a\0b', 'a\nb', 'a\u001b[31m', 'a\u202eb', 'k'.repeat(3_000), '   '];

test.each(odd)('a key is held to the rules of what callers give: %j', (text) => {
  expect(() => keyAt({ key: text }, 'key')).toThrow(SpoiledSecret);
});

test.each(['a\0b', 'a\tb', 'a\ud800', 's'.repeat(20_000)])('a secret too: %j', (text) => {
  expect(() => secretAt({ secret: text }, 'secret')).toThrow(SpoiledSecret);
});

test('what is not there is no key, and a number that was rounded is none', () => {
  for (const json of [undefined, {}, { key: '' }, { key: null }, { key: ['a'] }, { key: 2 ** 60 }])
    expect(() => keyAt(json, 'key')).toThrow(StoreError);
  expect(textAt({ id: 4242 }, 'id')).toBe('4242');
  expect([keyAt({ key: 'ncp_iam_A' }, 'key'), secretAt({ secret: 'ä b' }, 'secret')]).toEqual([
    'ncp_iam_A',
    'ä b',
  ]);
});

describe('through Keyway', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  });
  afterAll(() => server.stop());

  const create = async (store: string, account: string, scope: string) =>
    server.ask(
      `mutation ($input: CreateCredentialInput!) { createCredential(input: $input) {
        credential { id } issued { accessKey secret exports } } }`,
      { input: { store, account, scope, name: unique('made'), secret: { accessKey: {} } } },
    );

  const statuses = async (store: string) => {
    const text = `query ($store: [ID!]) { credentials(filter: { store: $store, includeDeleted: true }) {
      nodes { status reachesStore accessKey } } }`;
    const { nodes } = expectData(await server.ask(text, { store: [store] })).credentials as {
      nodes: { status: string; reachesStore: boolean; accessKey: string | null }[];
    };
    return nodes.filter(({ reachesStore }) => !reachesStore).map(({ status }) => status);
  };

  test.each([1, 2])(
    'a key that cannot be kept is ended where it was made (NAVER Cloud, version %s)',
    async (version) => {
      const at = await startNcloud();
      try {
        const { accessKey, secretKey } = at.manager;
        const ncloud = {
          stsEndpoint: at.url,
          subAccountEndpoint: at.url,
          accessKey,
          secretKey,
          subAccountApiVersion: version,
        };
        const account = await makeAccount(server);
        const store = await makeStore(server, account, { ncloud });
        const owner = at.addSubAccount(unique('owner'));
        // Another server's answer to a request that this one has done: the key is there.
        const made = at.addKey(owner.subAccountId);
        const answer = { accessKey: made.accessKey, keySecret: 'a\0b' };
        at.meet({ kind: 'fail', status: 201, body: answer }, { method: 'POST', path: /access-keys$/ });
        const { errors } = await create(store, account, owner.subAccountId);
        expect(errors[0]?.extensions.code).toBe('STORE_REJECTED');
        expect(errors[0]?.message).toMatch(/ended there again/);
        expect(owner.keys.size).toBe(0);
        expect(await statuses(store)).toEqual(['DELETED']);
      } finally {
        await at.stop();
      }
    },
  );

  test('a pair that cannot be kept is UNKNOWN, and the message says what to do (Veracode)', async () => {
    const at = await startVeracode();
    try {
      const { apiId, apiKey } = at.admin;
      const account = await makeAccount(server);
      const store = await makeStore(server, account, { veracode: { endpoint: at.url, apiId, apiKey } });
      const user = at.addUser();
      const body = { api_id: `vera01gi-${'0'.repeat(3_000)}`, api_secret: 'ab'.repeat(64) };
      at.meet({ kind: 'fail', status: 200, body }, { method: 'POST' });
      const { errors } = await create(store, account, user.user_id);
      expect(errors[0]?.extensions.code).toBe('OUTCOME_UNKNOWN');
      expect(errors[0]?.message).toMatch(/Rotate again/);
      expect(await statuses(store)).toEqual(['UNKNOWN']);
    } finally {
      await at.stop();
    }
  });

  test('so is one that the store goes on to show (Landscape), and it does not stay under way', async () => {
    const at = await startLandscape({ accounts: [{ name: 'first', pair: null }] });
    try {
      const { email, password } = at.person;
      const account = await makeAccount(server);
      const store = await makeStore(server, account, { landscape: { endpoint: at.url, email, password } });
      const { name } = at.addAccount(unique('empty'), { pair: null });
      const body = { access_key: 'A\u0007', secret_key: 's', account_name: name, account_title: name };
      at.meet({ kind: 'fail', status: 200, body }, { method: 'POST', path: /credentials$/ });
      const { errors } = await create(store, account, name);
      expect(errors[0]?.extensions.code).toBe('OUTCOME_UNKNOWN');
      expect(await statuses(store)).toEqual(['UNKNOWN']);
    } finally {
      await at.stop();
    }
  });

  test.each([{}, [], { user: null }, { status: 'ok' }, 'text'])(
    'not any JSON is an answer to who is asking: %j',
    async (body) => {
      const at = await openStandIn(() => ({ status: 200, body }));
      try {
        const connection = { seqera: { endpoint: at.url, token: 'a-token' } };
        const account = await makeAccount(server);
        const { errors } = await createStore(server, { account, name: unique('store'), connection });
        expect(errors[0]?.extensions.code).toBe('UNAVAILABLE');
      } finally {
        await at.stop();
      }
    },
  );

  test('an answer that is not UTF-8 is none', async () => {
    const body = Buffer.from('{"user":{"id":7,"userName":"J\u00e4ger"}}', 'latin1');
    const at = await openStandIn(() => ({ status: 200, body }));
    try {
      const connection = { seqera: { endpoint: at.url, token: 'a-token' } };
      const account = await makeAccount(server);
      const { errors } = await createStore(server, { account, name: unique('store'), connection });
      expect(errors[0]?.extensions.code).toBe('UNAVAILABLE');
    } finally {
      await at.stop();
    }
  });
});
