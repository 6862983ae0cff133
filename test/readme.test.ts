/**
 * @slow 25 s
 * @embedded pages and their examples
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { readConfig } from '../src/config/config.js';
import { jest } from '@jest/globals';
import { run as runCommand } from '../src/cli/cli.js';
import type { Connector } from '../src/connectors/connector.js';
import { registry } from '../src/connectors/registry.js';
import { wayOf } from '../src/credentials/outside/work.js';
import { VerificationCode } from '../src/credentials/verification/verification.js';
import { SignatureScheme } from '../src/signatures/scheme.js';
import { StoreCapability } from '../src/stores/store.js';
import { capabilitiesOf } from '../src/stores/supporting.js';
import { takeOver } from './support/authenticator.js';
import { command } from './support/command.js';
import { claimsAt, makeSigner, signed, startIssuer, trusting } from './support/issuer.js';
import { expectData, grant, makeAccount, makeCaller, makeCredential } from './support/make.js';
import { startTestServer, type TestServer } from './support/server.js';
import { blocks, pages, read, section } from './support/pages.js';
import { roleNamed } from './support/tenant.js';
import { nodeVersions, postgresVersions } from './support/other-versions.js';
import { run } from './support/verbs.js';
import { startVeracode } from './upstreams/veracode.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

/** What a curl line answers as it stands there, but for where the server and its token are. */
async function answerOf({ url, dataDir }: TestServer, line: string | undefined): Promise<unknown> {
  const script = (line ?? '')
    .replaceAll('http://127.0.0.1:4000', url)
    .replaceAll('.keyway/admin-token', `${dataDir}/admin-token`);
  const { stdout } = await promisify(execFile)('sh', ['-c', script], { timeout: 30_000 });
  return JSON.parse(stdout);
}

/** What a block of JavaScript has at its end, as it stands there but for where the server is. */
async function madeBy(
  block: string | undefined,
  names: string,
  environment: Record<string, string | null>,
): Promise<Record<string, unknown>> {
  const script = `${block?.replaceAll('http://127.0.0.1:4000', server.url)}\nconsole.log(JSON.stringify({ ${names} }));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    timeout: 30_000,
    env: Object.fromEntries(Object.entries(environment).map(([k, v]) => [k, v ?? ''])),
  });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
}

/** The first block of a language in a text. */
const first = (language: string, text: string): string => blocks(language, text)[0] ?? '';

test('the README names the versions that test:long starts Keyway with', () => {
  const named = section('README.md', 'Configuration');
  for (const version of [...nodeVersions, ...postgresVersions.map((of) => of.replace(/\.\d+-.*/, ''))])
    expect(named).toContain(version);
});

// How many blocks of code each page has. All are run below, but for two that any work
// begins with: the README's first, which starts Keyway, and that of CONTRIBUTING.md, which runs the tests.
const counts = {
  'CONTRIBUTING.md': { sh: 1 },
  'README.md': { json: 1, sh: 2 },
  'docs/access.md': { graphql: 7, sh: 2 },
  'docs/credentials.md': { graphql: 6 },
  'docs/errors.md': { graphql: 1, json: 1 },
  'docs/issuers.md': { json: 12 },
  'docs/mutation.md': { sh: 1 },
  'docs/requests.md': { graphql: 2, json: 1, sh: 1 },
  'docs/rotation.md': { graphql: 2 },
  'docs/signed-requests.md': { js: 2 },
  'docs/stores.md': { graphql: 6 },
  'docs/verification.md': { graphql: 5, js: 1, json: 1 },
};

test('every block of code in every page is run below', () => {
  const counted = pages.flatMap((page) => {
    const each = ['graphql', 'js', 'json', 'sh'].flatMap((language) => {
      const { length } = blocks(language, read(page));
      return length > 0 ? [[language, length] as const] : [];
    });
    return each.length > 0 ? [[page, Object.fromEntries(each)] as const] : [];
  });
  expect(Object.fromEntries(counted)).toEqual(counts);
});

test('the first query is answered by a fresh Keyway as the README says', async () => {
  const text = section('README.md', 'The first query');
  const fresh = await startTestServer();
  try {
    const told = JSON.parse(first('json', text)) as { extensions: { rateLimit: object } };
    Object.assign(told.extensions.rateLimit, {
      remaining: expect.any(Number) as unknown,
      resetAt: expect.stringMatching(/Z$/) as unknown,
    });
    expect(await answerOf(fresh, first('sh', text))).toEqual(told);
  } finally {
    await fresh.stop();
  }
});

test('the query with variables is answered without errors', async () => {
  expect(await answerOf(server, first('sh', section('docs/requests.md', 'With curl')))).toEqual({
    data: {
      account: { id: expect.stringMatching(/^acct_/) as unknown, kind: 'PERSON', title: 'Administrator' },
    },
    extensions: expect.objectContaining({ cost: 1 }) as unknown,
  });
});

test('what it shows of lists finds, page by page, what ends soon', async () => {
  const account = await makeAccount(server, { title: 'Harbour Office' });
  const expiresAt = '2190-01-01T00:00:00Z';
  const made: string[] = [];
  for (let count = 0; count < 51; count++)
    made.push((await makeCredential(server, account, { expiresAt })).id);
  const document = first('graphql', section('docs/requests.md', 'Lists'));
  const page = async (after: string | null) =>
    expectData(await server.ask(document, { before: '2190-01-02T00:00:00Z', after })).credentials;
  const one = await page(null);
  const two = await page(one.pageInfo.endCursor);
  expect([one.pageInfo.hasNextPage, two.pageInfo.hasNextPage]).toEqual([true, false]);
  const found = [...one.nodes, ...two.nodes] as { id: string; expiresAt: string }[];
  expect(one.totalCount).toBe(found.length);
  expect(found.map(({ id }) => id)).toEqual(expect.arrayContaining(made));
  expect(found.map((node) => node.expiresAt)).toEqual(found.map((node) => node.expiresAt).sort());
});

test('what it shows of repeating a request makes one account, and refuses the key for another input', async () => {
  const document = first('graphql', section('docs/requests.md', 'Repeating a request'));
  const ask = (asked = document) => server.ask(asked, { key: 'shipyard' });
  const made = expectData(await ask());
  expect(expectData(await ask())).toEqual(made);
  expect((await ask(document.replace('Shipyard', 'Dock'))).code).toBe('CONFLICT');
});

test('what it shows of creating, rotating and revealing shows the secret, and the one before', async () => {
  const documents = blocks('graphql', section('docs/credentials.md', 'Create, rotate, reveal'));
  expect(documents).toHaveLength(4);
  const answers: Record<string, { errors: unknown[]; data: unknown }> = {};
  const ids: Record<string, unknown> = {};
  for (const document of documents) {
    const { errors, data } = await server.ask(document, ids);
    ids['account'] ??= data?.createAccount?.account.id;
    ids['credential'] ??= data?.createCredential?.credential.id;
    answers[nameOf(document)] = { errors, data };
  }
  const secret = expect.any(String) as unknown;
  expect(answers).toMatchObject({
    CreateAccount: { errors: [] },
    CreateCredential: { errors: [], data: { createCredential: { issued: { secret } } } },
    RotateCredential: {
      errors: [],
      data: {
        rotateCredential: {
          credential: { status: 'ROTATING', versions: [{ state: 'CURRENT' }, { state: 'PREVIOUS' }] },
        },
      },
    },
    RevealCredential: { errors: [], data: { revealCredential: { issued: { secret }, other: { secret } } } },
  });
});

const nameOf = (document: string): string => /(?:query|mutation) (\w+)/.exec(document)?.[1] ?? '';

test('whoever reads one page after the other, and takes the ids from the answers, sees every example work', async () => {
  const readOn = [...read('README.md').matchAll(/\| \[(docs\/[\w-]+\.md)\]/g)].map(([, page = '']) => page);
  const vendor = await startVeracode();
  vendor.seed(1);
  const issuers = first('sh', section('docs/access.md', 'Outside identities'));
  const [, list = ''] = /='([\s\S]*)'/.exec(issuers) ?? [];
  const own = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true', KEYWAY_JWT_ISSUERS: list });
  try {
    // What the pages leave to the reader; all else is told by the answers.
    const { apiId, apiKey } = vendor.admin;
    const before = new Date(server.db.now() + 30 * 86_400_000).toISOString();
    const known: Record<string, unknown> = { apiId, apiKey, before, key: 'once' };
    const shown: Record<string, string> = {};
    for (const page of readOn)
      for (const document of blocks('graphql', read(page))) {
        const wanted = [...document.matchAll(/\$(\w+): [\w![\]]+/g)].map(([, name = '']) => name);
        const variables = Object.fromEntries(wanted.map((name) => [name, known[name]]));
        const asked = document.replace('https://api.veracode.com', vendor.url);
        const { data, errors } = await own.ask(asked, variables);
        shown[`${page} ${nameOf(document)}`] = errors.map(({ message }) => message).join(' ');
        Object.assign(known, learntFrom(own, data));
      }
    const { 'docs/errors.md NoRows': refusal, ...examples } = shown;
    expect(refusal).toBe('first: must be from 1 to 100.');
    expect(examples).toEqual(Object.fromEntries(Object.keys(examples).map((name) => [name, ''])));
    expect(Object.keys(shown)).toHaveLength(
      Object.values(counts).reduce((sum, each) => sum + ('graphql' in each ? each.graphql : 0), 0),
    );
  } finally {
    await own.stop();
    await vendor.stop();
  }
});

/** What an answer tells for the variables of later examples, by the names that the pages give to it. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
function learntFrom(keyway: TestServer, data: any): Record<string, unknown> {
  const ids = {
    account: data?.createAccount?.account.id,
    on: data?.createAccount?.account.id,
    credential: data?.createCredential?.credential?.id,
    temporary: data?.issueTemporaryCredential?.credential.id,
    [data?.createRole?.role.store ? 'storeRole' : 'role']: data?.createRole?.role.id ?? data?.role?.id,
    store: data?.createStore?.store.id,
    outside: data?.syncStore?.store.credentials.nodes.find(
      ({ reachesStore }: { reachesStore: boolean }) => !reachesStore,
    )?.id,
    code: data?.enrolMfa && takeOver(keyway, data.enrolMfa.otpauthUri).code(),
  };
  const { accessKey, secret } = data?.createCredential?.issued ?? {};
  const pair = accessKey && { accessKey, secret, inputs: [{ accessKey, proof: { secret } }] };
  return Object.fromEntries(
    Object.entries({ ...ids, ...pair }).filter(([, value]) => value !== undefined && value !== null),
  );
}

describe('what it shows of verifying', () => {
  const page = 'docs/verification.md';
  const route = section(page, 'By the route');
  const graph = section(page, 'In the graph');

  test('works for a service that may verify and nothing else, by the route and in the graph', async () => {
    const [prepare = '', createKey = ''] = blocks('graphql', section(page, 'Something to verify'));
    const prepared = expectData(await server.ask(prepare));
    const [account, role] = [prepared.createAccount.account.id, prepared.createRole.role.id];
    const made = expectData(await server.ask(createKey, { account, role }));
    const { accessKey, secret } = made.createCredential.issued;
    const { id, token } = await makeCaller(server);
    await grant(server, id, await roleNamed(server, 'KEYWAY_VERIFIER'), { onAccount: account });

    const environment = { TOKEN: token, KEY: accessKey, SECRET: secret };
    const told = 'valid, code, retryAfter, credential';
    const answer = await madeBy(first('js', route), told, environment);
    expect(answer).toEqual(filled(JSON.parse(first('json', route))));
    const wrong = await madeBy(first('js', route), told, { ...environment, KEY: 'HB' });
    expect(wrong).toEqual({ valid: false, code: 'NOT_VALID', retryAfter: null, credential: null });

    const [one = '', several = ''] = blocks('graphql', graph);
    const inGraph = await server.ask(one, { accessKey, secret }, { token });
    expect(expectData(inGraph).verifyCredential).toEqual({
      valid: true,
      code: 'VALID',
      credential: { name: 'Crane', account: { title: 'Port Office' } },
    });
    const inputs = [secret, 'wrong'].map((shown) => ({ accessKey, proof: { secret: shown } }));
    const both = await server.ask(several, { inputs }, { token });
    expect(expectData(both).verifyCredentials).toEqual([
      { valid: true, code: 'VALID' },
      { valid: false, code: 'NOT_VALID' },
    ]);
  });

  test('names every code, and no other', () => {
    expect(firstCells(section(page, 'What is answered'))).toEqual(Object.values(VerificationCode).sort());
  });
});

/** The value, where texts that end with an ellipsis stand for all that begin so. */
function filled(value: unknown): unknown {
  if (typeof value === 'string' && value.endsWith('…'))
    return expect.stringMatching(new RegExp(`^${value.slice(0, -1)}`)) as unknown;
  if (Array.isArray(value)) return value.map(filled);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, filled(member)]));
}

/** What a table lists: the names in code that its rows begin with, in order. */
const firstCells = (text: string): string[] =>
  [...text.matchAll(/^\| `(\w+)`/gm)].map(([, name = '']) => name).sort();

describe('what it shows of signing', () => {
  const page = 'docs/signed-requests.md';
  const signers = blocks('js', read(page));

  test('the request of the explorer is valid, once', async () => {
    const { accessKey, secret } = await makeCredential(server, await makeAccount(server));
    const variables = await madeBy(signers[0], 'timestamp, signature', { KEY: accessKey, SECRET: secret });
    const document = read('src/http/explorer/examples/26-verify-signed-request.graphql');
    const ask = async () =>
      expectData(await server.ask(document, { ...variables, accessKey })).verifyCredential;
    expect(await ask()).toMatchObject({ valid: true, code: 'VALID', credential: { accessKey } });
    expect(await ask()).toEqual({ valid: false, code: 'NOT_VALID', credential: null });
  });

  test('calls Keyway as the account of the key, and with another secret as nobody', async () => {
    const name = 'signing-readme';
    const { accessKey, secret } = await makeCredential(server, await makeAccount(server, { name }));
    const call = (SECRET: string | null) => madeBy(signers[1], 'data', { KEY: accessKey, SECRET });
    expect(await call(secret)).toEqual({ data: { viewer: { name } } });
    expect(await call(`${secret}x`)).toEqual({});
  });

  test('names every scheme, and no other', () => {
    expect(firstCells(section(page, 'Verify one'))).toEqual(Object.values(SignatureScheme).sort());
  });
});

describe('what it shows of rotation', () => {
  const page = 'docs/rotation.md';

  test('tells how far one has come', async () => {
    const { id: credential } = await makeCredential(server, await makeAccount(server));
    expectData(await run(server, 'rotateCredential', { id: credential, gracePeriod: 'PT1H' }));
    const { data, errors } = await server.ask(first('graphql', section(page, 'By hand')), { credential });
    expect(errors).toEqual([]);
    expect(data.credential).toMatchObject({
      status: 'ROTATING',
      rotation: { startedBy: { name: 'admin' }, safeToRetire: expect.any(Boolean) as unknown },
      versions: [
        { number: 2, state: 'CURRENT' },
        { number: 1, state: 'PREVIOUS' },
      ],
    });
  });

  test('sets a policy, by which the next one is due', async () => {
    const { id: credential } = await makeCredential(server, await makeAccount(server), { retrievable: true });
    const { updateCredential } = expectData(
      await server.ask(first('graphql', section(page, 'By a policy')), { credential }),
    );
    const { nextAt, ...policy } = updateCredential.credential.rotationPolicy;
    expect(policy).toEqual({ every: 'P90D', gracePeriod: 'P7D', overdueSince: null });
    expect(Math.abs(Date.parse(nextAt) - server.db.now() - 90 * 86_400_000)).toBeLessThan(60_000);
  });
});

test('what it shows of tokens and roles lets an account read, and its token no more than that', async () => {
  const account = await makeAccount(server, { kind: 'SERVICE' });
  const [create = '', find = '', give = ''] = blocks('graphql', section('docs/access.md', 'Roles'));
  expect(expectData(await server.ask(create, { account })).createRole.role.account).not.toBeNull();
  const { role } = expectData(await server.ask(find));
  expect(role.permissions).toContain('CREDENTIAL_READ');
  expectData(await server.ask(give, { account, role: role.id, on: account }));
  const { id } = await makeCredential(server, account);
  const made = await server.ask(first('graphql', section('docs/access.md', 'Who is calling')), { account });
  const token = expectData(made).createCredential.issued.secret;
  const seen = await server.ask('query ($id: ID!) { credential(id: $id) { id } }', { id }, { token });
  expect(expectData(seen).credential).toEqual({ id });
  expect((await run(server, 'updateCredential', { id, name: 'Other' }, { token })).code).toBe('FORBIDDEN');
});

test('what it shows of temporary credentials derives one', async () => {
  const { id } = await makeCredential(server, await makeAccount(server), { name: 'Crane' });
  const document = first('graphql', section('docs/credentials.md', 'Temporary credentials'));
  const { credential, issued } = expectData(
    await server.ask(document, { credential: id }),
  ).issueTemporaryCredential;
  expect(credential.parent).toEqual({ name: 'Crane' });
  expect(Math.abs(Date.parse(credential.expiresAt) - server.db.now() - 15 * 60_000)).toBeLessThan(60_000);
  expect(issued).toEqual({ accessKey: expect.any(String) as unknown, secret: expect.any(String) as unknown });
});

test('what it shows of a second factor takes it into use, and off on the machine', async () => {
  const text = section('docs/access.md', 'Second factor');
  const [enrol = '', confirm = ''] = blocks('graphql', text);
  const { id, token } = await makeCaller(server, ['CREDENTIAL_REVEAL'], {}, { name: 'ada' });
  expectData(await run(server, 'updateAccount', { id, mfaRequired: true }));
  const { id: credential } = await makeCredential(server, id, { retrievable: true });
  const enrolled = expectData(await server.ask(enrol, {}, { token })).enrolMfa;
  expect(enrolled.qrCode).toMatch(/^data:image\/svg\+xml/);
  const app = takeOver(server, enrolled.otpauthUri);
  const confirmed = expectData(await server.ask(confirm, { code: app.code() }, { token })).confirmMfa;
  expect(confirmed.recoveryCodes).toHaveLength(10);
  const reveal = (input: object) => run(server, 'revealCredential', { id: credential, ...input }, { token });
  expect((await reveal({})).code).toBe('FORBIDDEN');
  expect((await reveal({ mfaCode: app.code(1) })).errors).toEqual([]);
  expect((await reveal({ mfaCode: confirmed.recoveryCodes[0] })).errors).toEqual([]);

  const args = first('sh', text).trim().replace('npm run keyway -- ', '').split(' ');
  await server.restart(async () => expect((await command(server, ...args)).code).toBe(0));
  const { data } = await server.ask('{ viewer { name mfaEnrolled } }', {}, { token });
  expect(data.viewer).toEqual({ name: 'ada', mfaEnrolled: false });
});

test('what it shows of outside identities lets a subject of the issuer call as the account', async () => {
  const text = section('docs/access.md', 'Outside identities');
  const script = first('sh', text);
  const { stdout } = await promisify(execFile)('sh', ['-c', `${script}printf %s "$KEYWAY_JWT_ISSUERS"`]);
  const { jwtIssuers } = readConfig({ KEYWAY_JWT_ISSUERS: stdout });
  const [configured] = JSON.parse(stdout) as { issuer: string }[];
  expect(jwtIssuers).toMatchObject([{ issuer: configured?.issuer }]);

  // The issuer's address is nobody's: its keys are asked for where a stand-in has them.
  const signer = await makeSigner('ES256');
  const issuer = await startIssuer(signer);
  const trusted = await startTestServer(trusting({ ...configured, jwks: issuer.jwks }));
  try {
    const account = await makeAccount(trusted);
    const given = expectData(await trusted.ask(first('graphql', text), { account }));
    const [identity] = given.updateAccount.account.identities as { issuer: string; subject: string }[];
    const token = await signed(
      signer,
      claimsAt(trusted.db.now(), identity?.issuer ?? '', identity?.subject ?? ''),
    );
    const { data } = await trusted.ask('{ viewer { id } }', {}, { token });
    expect(data).toEqual({ viewer: { id: account } });
  } finally {
    await trusted.stop();
    await issuer.stop();
  }
});

test.each(blocks('json', read('docs/issuers.md')))(
  'what it shows of issuers can be configured: %s',
  (list) => {
    const shown = JSON.parse(list) as { issuer: string }[];
    const { jwtIssuers } = readConfig({ KEYWAY_JWT_ISSUERS: list });
    expect(jwtIssuers.map(({ issuer }) => issuer)).toEqual(shown.map(({ issuer }) => issuer));
  },
);

describe('what it shows of outside stores', () => {
  test('connects one, takes stock of it, and turns a secret in it', async () => {
    const vendor = await startVeracode();
    const [pair] = vendor.seed(1);
    const own = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
    try {
      const [connect = '', sync = '', scope = '', rotate = ''] = blocks('graphql', read('docs/stores.md'));
      const { apiId, apiKey } = vendor.admin;
      const there = connect.replace('https://api.veracode.com', vendor.url);
      const { store } = expectData(await own.ask(there, { apiId, apiKey })).createStore;
      expect(store.health).toEqual({ reachable: true });
      const synced = expectData(await own.ask(sync, { store: store.id })).syncStore.store;
      expect(synced.lastSync).toMatchObject({ added: 1, gone: 0, error: null });
      const account = await makeAccount(own);
      const given = expectData(await own.ask(scope, { store: store.id, account })).grantScope;
      expect(given.grant).toEqual({ scope: null });
      const found = synced.credentials.nodes.find(
        (one: { accessKey: string }) => one.accessKey === pair?.apiId,
      );
      const { credential, issued } = expectData(
        await own.ask(rotate, { outside: found.id }),
      ).rotateCredential;
      expect(credential.status).toBe('ACTIVE');
      expect(vendor.accepts(issued.accessKey, issued.secret)).toBe(true);
      expect(vendor.accepts(pair?.apiId ?? '', pair?.apiKey ?? '')).toBe(false);
    } finally {
      await own.stop();
      await vendor.stop();
    }
  });

  test('says of each kind of store what its connector can do, and no more', () => {
    const text = section('README.md', 'Stores and verbs');
    const [head = [], ...rows] = [...text.matchAll(/^\|(.*)\|$/gm)].map(([, row = '']) =>
      row.split('|').map((cell) => cell.trim().replaceAll('`', '')),
    );
    const [, ...kinds] = head;
    const outside = Object.values(registry).filter(({ kind }) => kind !== 'BUILT_IN');
    expect([...kinds].sort()).toEqual(outside.map(({ kind }) => kind).sort());
    const table = rows.slice(1).map(([name, ...cells]) => [name, ...cells]);
    const said = kinds.map((kind) => registry[kind] as Connector);
    expect(table).toEqual([
      ...Object.values(StoreCapability).map((capability) => [
        capability,
        ...said.map((one) => (capabilitiesOf(one).includes(capability) ? 'yes' : '–')),
      ]),
      ['Who makes a new secret', ...said.map(makerOf)],
      [
        'What becomes of the previous one',
        ...said.map(({ rotation }) => (rotation?.previous === 'lives' ? 'lives on' : 'ends')),
      ],
      ["Where the store's answer is lost", ...said.map(lostIn)],
    ]);
  });
});

/** Who makes a secret: what the caller may bring, Keyway may make for them only where it is a password. */
const makerOf = ({ rotation, kinds }: Connector): string => {
  if (rotation?.chosenBy === 'store') return 'the store';
  return kinds?.includes('PASSWORD') ? 'the caller, or Keyway for them' : 'the caller';
};

const lostIn = (connector: Connector): string => {
  switch (wayOf(connector)) {
    case 'ours':
      return 'repeated';
    case 'overlap':
      return 'found and removed, then made again';
    case 'replaced':
      return connector.reveal ? 'read again' : 'OUTCOME_UNKNOWN: rotate again';
  }
};

test.each([['docs/configuration.md'], ['.env.example']])(
  '%s names every variable that the configuration reads, and no other',
  (path) => {
    const named = (source: string) =>
      [...new Set(source.match(/\b(?:KEYWAY_[A-Z]+(?:_[A-Z]+)*|DATABASE_URL|NODE_ENV|PORT|HOST)\b/g))].sort();
    const roles = ['KEYWAY_ADMIN', 'KEYWAY_OPERATOR', 'KEYWAY_READER', 'KEYWAY_AUDITOR', 'KEYWAY_VERIFIER'];
    const others = [...roles, 'TEST_DATABASE_URL'];
    expect(named(read(path)).filter((name) => !others.includes(name))).toEqual(
      named(read('src/config/config.ts') + read('src/config/key-providers.ts')),
    );
  },
);

test('what it shows of an error is what is answered', async () => {
  const page = read('docs/errors.md');
  const { text } = await server.ask(first('graphql', page));
  const answer = JSON.parse(text) as { extensions: { rateLimit?: unknown } };
  // What is left of a minute is shown elsewhere.
  delete answer.extensions.rateLimit;
  expect(answer).toEqual(filled(JSON.parse(first('json', page))));
});

test('every command that it shows is one, with its options', async () => {
  const lines = first('text', section('docs/running.md', 'Command line')).trim().split('\n');
  expect(lines).toHaveLength(19);
  for (const line of lines) {
    const [command = ''] = line.replace(/^npm run (--silent )?keyway -- /, '').split(/ {2,}/);
    // Which key, and of which kind, is no part of its name.
    const [name = ''] = command.replace(/^(keys \w+) .*/, '$1').split(/ (?=-|\S+\.)/);
    const help = await helpOn(name);
    for (const word of [`Usage: keyway ${name}`, ...(command.match(/--\w+/g) ?? [])])
      expect(help).toContain(word);
  }
});

test('what it shows of a run of mutants names options and files that are there', () => {
  const shown = first('sh', read('docs/mutation.md'));
  const options = new Set([...shown.matchAll(/--(\w+)/g)].map(([, name]) => name));
  const known = [...read('test/mutation/run.mjs').matchAll(/^ {4}(\w+): \{ type: /gm)].map(
    ([, name]) => name,
  );
  expect([...options].sort()).toEqual(known.sort());
  for (const [path] of shown.matchAll(/src\/\S+/g)) expect(existsSync(path)).toBe(true);
});

/** What the command line says of a command. */
async function helpOn(name: string): Promise<string> {
  const shown = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    expect(await runCommand([...name.split(' '), '--help'], '0.0.0')).toBe(0);
    return shown.mock.calls.join('\n');
  } finally {
    shown.mockRestore();
  }
}

test('names every code that Keyway answers with today', async () => {
  const table = read('docs/errors.md');
  for (const code of [
    'UNAUTHENTICATED',
    'NOT_FOUND',
    'FORBIDDEN',
    'BAD_USER_INPUT',
    'CONFLICT',
    'LIMIT_EXCEEDED',
    'RATE_LIMITED',
    'UNSUPPORTED',
    'UNAVAILABLE',
    'STORE_REJECTED',
    'OUTCOME_UNKNOWN',
  ])
    expect(table).toContain(`\`${code}\``);
  const unknown = await server.ask('{ nothing }');
  const unreadable = await server.ask('{');
  for (const { code } of [unknown, unreadable]) expect(table).toContain(`\`${code}\``);
});
