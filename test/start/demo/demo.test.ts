/**
 * @slow 25 s
 * @embedded what the demonstration makes
 */
import { examples } from '../../../src/http/explorer/examples.js';
import { command, type Ended } from '../../support/command.js';
import { expectData } from '../../support/make.js';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { barePlace, emptyPlace, runKeyway, spawnKeyway, urlOf, type Spawned } from '../../support/process.js';
import { doorTo, startTestServer, type Door, type TestServer } from '../../support/server.js';

let server: TestServer;
let first: Ended;
let second: Ended;

beforeAll(async () => {
  server = await startTestServer();
  // Two processes cannot share the embedded database: the server makes way for the command.
  await server.restart(async () => {
    first = await command(server, 'demo');
    second = await command(server, 'demo');
  });
});
afterAll(() => server.stop());

test('fills an empty Keyway, and says what it made and what to do next', () => {
  expect(first.code).toBe(0);
  for (const word of ['onward', 'upside', 'MyProject', 'API_USER', 'npm start', 'admin-token'])
    expect(first.stdout).toContain(word);
});

test('refuses a Keyway that is not empty, in words that say so, and changes nothing', async () => {
  expect(second.code).toBe(1);
  expect(second.stdout).toBe('');
  expect(second.stderr).toMatch(/This Keyway is not empty.* Name .*KEYWAY_DATA_DIR/);
  expect(expectData(await server.ask('{ accounts { totalCount } }')).accounts.totalCount).toBe(7);
});

test('S41: shows no secret', async () => {
  const { credentials } = expectData(
    await server.ask(
      '{ credentials(first: 100, filter: { kind: [ACCESS_KEY, PROVIDER_KEYS] }) { nodes { id retrievable } } }',
    ),
  );
  const said = first.stdout + first.stderr;
  expect(said).not.toMatch(/kw_(pat|key|svc)_/);
  let revealed = 0;
  for (const { id, retrievable } of credentials.nodes as { id: string; retrievable: boolean }[]) {
    if (!retrievable) continue;
    const answer = await server.ask(
      'mutation ($id: ID!) { revealCredential(input: { id: $id }) { issued { secret keys { value } } } }',
      { id },
    );
    const { secret, keys } = expectData(answer).revealCredential.issued;
    for (const value of [secret, ...((keys ?? []) as { value: string }[]).map((key) => key.value)]) {
      if (value === null) continue;
      revealed++;
      expect(said).not.toContain(value);
    }
  }
  expect(revealed).toBeGreaterThan(2);
});

test('makes the accounts, the project and the roles of the examples', async () => {
  const data = expectData(
    await server.ask(`{
      onward: account(name: "onward") { kind title subAccounts { nodes { kind title } } }
      upside: account(name: "upside") { kind title }
      project(name: "MyProject") { account { name } credentials { nodes { name roles { name } } } }
      roles { nodes { name builtIn } }
    }`),
  );
  expect(data.onward).toMatchObject({ kind: 'ORGANIZATION', title: 'Onward, Inc.' });
  expect(data.onward.subAccounts.nodes).toContainEqual({ kind: 'PERSON', title: 'John Doe' });
  expect(data.upside).toEqual({ kind: 'ORGANIZATION', title: 'Upside Software, Ltd.' });
  expect(data.project.account.name).toBe('onward');
  expect(data.project.credentials.nodes).toEqual(
    expect.arrayContaining([
      { name: 'api-user', roles: [{ name: 'API_USER' }, { name: 'DEVELOPER' }] },
      { name: 'admin', roles: [{ name: 'ADMIN' }] },
    ]),
  );
  for (const name of ['API_USER', 'DEVELOPER', 'ADMIN'])
    expect(data.roles.nodes).toContainEqual({ name, builtIn: false });
});

test.each([
  ['of kind access key', { kind: ['ACCESS_KEY'] }],
  ['of kind token, besides the first', { kind: ['TOKEN'], search: 'service' }],
  ['of kind password', { kind: ['PASSWORD'] }],
  ['of GitHub', { provider: ['GITHUB'] }],
  ['that expired', { status: ['EXPIRED'] }],
  ['that is disabled', { status: ['DISABLED'] }],
  ['that is rotating', { status: ['ROTATING'] }],
  ['that was revoked', { status: ['REVOKED'] }],
  ['that is not used any more', { unusedFor: 'P90D', status: ['ACTIVE'] }],
  ['that nobody answers for', { withoutOwner: true }],
  ['whose rotation is due soon', { rotationDueBefore: new Date(Date.now() + 15 * 86_400_000).toISOString() }],
  [
    'that ends soon',
    { expiresBefore: new Date(Date.now() + 30 * 86_400_000).toISOString(), status: ['ACTIVE'] },
  ],
])('has a credential %s', async (_, filter) => {
  const answer = await server.ask(
    'query ($filter: CredentialFilter) { credentials(filter: $filter) { totalCount nodes { account { kind } } } }',
    { filter },
  );
  expect(expectData(answer).credentials.totalCount).toBeGreaterThan(0);
});

test('has credentials that were used, and some that never were', async () => {
  const { credentials } = expectData(
    await server.ask('{ credentials(first: 100) { nodes { name lastUsedAt } } }'),
  );
  const used = new Map<string, string | null>(
    (credentials.nodes as { name: string; lastUsedAt: string | null }[]).map(({ name, lastUsedAt }) => [
      name,
      lastUsedAt,
    ]),
  );
  expect(used.get('Git Hub Access Credentials')).toMatch(/^2020-11-10T12:20:18/);
  expect(used.get('AWS Batch')).toBeNull();
});

test('S60: each of them is on record, as made by the administrator', async () => {
  const { auditEvents, credentials } = expectData(
    await server.ask(`{
      auditEvents(first: 100, filter: { action: ["credential:create"] }) { nodes { actor { name } outcome targetId } }
      credentials(first: 100) { nodes { id name } }
    }`),
  );
  const events = auditEvents.nodes as { actor: { name: string } | null; outcome: string; targetId: string }[];
  for (const { id, name } of credentials.nodes as { id: string; name: string }[]) {
    if (name === 'First token') continue;
    expect(events).toContainEqual({ actor: { name: 'admin' }, outcome: 'DONE', targetId: id });
  }
});

describe('with all stores', () => {
  let place: Awaited<ReturnType<typeof emptyPlace>>;
  let running: Spawned;
  let door: Door;

  beforeAll(async () => {
    place = await emptyPlace();
    running = spawnKeyway(['demo', '--stores'], place.environment);
    const url = await urlOf(running);
    door = doorTo(url, readFileSync(join(place.folder, 'admin-token'), 'utf8').trim());
  });
  afterAll(async () => {
    running.child.kill('SIGTERM');
    await running.ended;
    await place.drop();
  });

  test('serves one graph over six stores, each taken stock of', async () => {
    const { stores } = expectData(
      await door.ask(`{ stores {
        name health { reachable } lastSync { error finishedAt added }
        credentials(first: 10) { nodes { name expiresAt owner { name } project { name } roles { name } } }
      } }`),
    );
    const names = (stores as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual(['apinizer', 'keyway', 'landscape', 'ncloud', 'seqera', 'veracode']);
    for (const { name, health, lastSync } of stores) {
      expect(health).toEqual({ reachable: true });
      if (name !== 'keyway')
        expect(lastSync).toEqual({ error: null, finishedAt: expect.any(String), added: expect.any(Number) });
    }
    expect(stores[0].credentials.nodes).toContainEqual({
      name: 'partner-api',
      expiresAt: expect.any(String),
      owner: { name: 'john.doe' },
      project: { name: 'MyProject' },
      roles: [{ name: 'READER' }, { name: 'WRITER' }],
    });
  });

  test('has what ends within 30 days in each store that knows of an end', async () => {
    const before = new Date(Date.now() + 30 * 86_400_000).toISOString();
    const answer = await door.ask(
      `query ($before: DateTime!) {
        credentials(first: 50, filter: { expiresBefore: $before, status: [ACTIVE] }) { nodes { store { name } } }
      }`,
      { before },
    );
    const stores = (expectData(answer).credentials.nodes as { store: { name: string } }[]).map(
      ({ store }) => store.name,
    );
    expect(new Set(stores)).toEqual(new Set(['apinizer', 'keyway', 'veracode']));
  });

  test('runs the examples of stores, one after the other, on the store that they name', async () => {
    const [first, ...rest] = examples().filter(({ file }) => file >= '38' && file < '48');
    const [, name] = /"store" is the id of "(\w+)"/.exec(first?.query ?? '') ?? [];
    const { store, viewer } = expectData(
      await door.ask('query ($name: String!) { store(name: $name) { id } viewer { id } }', { name }),
    );
    const known: Record<string, string> = { 'stor_…': store.id, 'acct_…': viewer.id };
    for (const { file, query, variables = '{}' } of rest) {
      const given = Object.entries(JSON.parse(variables) as Record<string, string>);
      const filled = Object.fromEntries(given.map(([key, value]) => [key, known[value] ?? value]));
      const { data, errors } = await door.ask(query, filled);
      expect({ file, errors }).toEqual({ file, errors: [] });
      if (file.startsWith('42')) known['cred_…'] = data.credentials.nodes[0].id;
    }
  });

  test('S41: shows no secret of a store', () => {
    expect(running.output()).toContain('seqera');
    expect(running.output()).not.toMatch(/vera01gs-|tok-|ncp_iam_|kw_(pat|key|svc)_/);
  });

  test('makes nothing where the address is taken, so that it can be asked for again', async () => {
    const other = await barePlace();
    try {
      const taken = { ...other.environment, PORT: new URL(door.url).port };
      const { code, output } = await runKeyway(['demo', '--stores'], taken);
      expect([code, output]).toEqual([1, expect.stringContaining('The address is taken')]);
      expect(readdirSync(other.folder)).toEqual([]);
    } finally {
      await other.drop();
    }
  });

  test('S67: is refused in production, as what it needs is', async () => {
    const { code, output } = await runKeyway(['demo', '--stores'], { NODE_ENV: 'production' });
    expect(code).toBe(1);
    expect(output).toContain('not for production');
    expect(output).not.toContain('KEYWAY_OUTBOUND_LOCAL');
  });

  test('ends with its stand-ins when it is asked to', async () => {
    running.child.kill('SIGTERM');
    expect(await running.ended).toBe(0);
  });
});

test('the stand-ins are named by the demo alone, so that all else runs without them', () => {
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const naming = sources.filter((name) =>
    /['"`][./]*(?:dist\/)?test\//.test(readFileSync(join('src', name), 'utf8')),
  );
  expect(naming).toEqual(['start/demo/stores.ts']);
  // By an address that is made when it runs: the compiler wants no file there.
  expect(readFileSync('src/start/demo/stores.ts', 'utf8')).not.toMatch(/(?:from|import\() ?'[./]*test\//);
});
