/**
 * @embedded pages and their examples
 */
import { jest } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInThisContext } from 'node:vm';
import { Database } from '../../../src/database/database.js';
import { carrying } from '../../../src/http/explorer/carrying.script.js';
import { examples, nameOf, type Example } from '../../../src/http/explorer/examples.js';
import { Secret } from '../../../src/secret.js';
import { schemes } from '../../../src/signatures/schemes.js';
import { SignatureScheme } from '../../../src/signatures/scheme.js';
import { takeOver } from '../../support/authenticator.js';
import { command } from '../../support/command.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { startNcloud, type Ncloud } from '../../upstreams/ncloud.js';

type Known = Map<string, string>;

/** The script of the page that carries values on, as the page runs it. */
interface Carrier {
  fill(variables: Record<string, unknown>): {
    variables: Record<string, unknown>;
    filled: string[];
    problems: string[];
  };
  keep(operation: string, data: unknown): void;
  forget(): void;
}
const carrier = runInThisContext(`(() => {${carrying} return carrier; })()`) as (
  session: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>,
  demo: boolean,
) => Carrier;

/** The memory of a tab. */
function session() {
  const held = new Map<string, string>();
  return {
    held,
    getItem: (key: string) => held.get(key) ?? null,
    setItem: (key: string, value: string) => void held.set(key, value),
    removeItem: (key: string) => void held.delete(key),
  };
}

/** What a person makes of earlier answers before they run an example. */
const madeFor: Record<
  string,
  (server: TestServer, example: Example, known: Known) => Record<string, string>
> = {
  VerifySignedRequest: signedParts,
  ConfirmMfa: (server, _, known) => ({ code: appOf(server, known).code() }),
  // A code is good once: the next one is waited for.
  RevealWithCode: (server, _, known) => ({ code: appOf(server, known).code(1) }),
};

describe.each([
  ['fresh', false],
  ['filled with the examples of the seed pages', true],
])('on a Keyway that is %s', (_, filled) => {
  let all = examples();
  const tab = session();
  const carried = carrier(tab, true);
  const known: Known = new Map();
  const answers = new Map<string, Awaited<ReturnType<TestServer['ask']>>>();
  const built = new Set<string>();
  let server: TestServer;
  let cloud: Ncloud;

  // The examples build on one another, so they are run once, as a person would: from the first tab to the last.
  beforeAll(async () => {
    const build = jest.spyOn(Database.prototype, 'statement');
    server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
    cloud = await startNcloud();
    for (const name of ['backup', 'encoder']) cloud.addKey(cloud.addSubAccount(name).subAccountId);
    const { accessKey, secretKey } = cloud.manager;
    // As the demo has it.
    all = examples(new Date(), { storeAddress: cloud.url, storeKey: accessKey, storeSecret: secretKey });
    if (filled) await server.restart(async () => void (await command(server, 'demo')));
    for (const example of all) {
      const name = nameOf(example);
      const made = madeFor[name]?.(server, example, known) ?? {};
      const opened = JSON.parse(example.variables ?? '{}') as Record<string, unknown>;
      const { variables, problems } = carried.fill({ ...opened, ...made });
      expect({ name, problems }).toEqual({ name, problems: [] });
      for (const [variable, value] of Object.entries(variables)) known.set(variable, String(value));
      const answer = await server.ask(example.query, variables);
      answers.set(example.file, answer);
      carried.keep(name, answer.data);
      if (name === 'EnrolMfa') known.set('otpauthUri', answer.data.enrolMfa.otpauthUri);
    }
    for (const [key] of build.mock.calls) built.add(key);
    build.mockRestore();
  });
  afterAll(async () => {
    await server.stop();
    await cloud.stop();
  });

  test.each(all)('$file is answered without errors', ({ file }) => {
    const answer = answers.get(file);
    expect({ status: answer?.status, errors: answer?.errors }).toEqual({ status: 200, errors: [] });
  });

  test('S41: what the page keeps beyond its memory are ids alone', () => {
    const kept = JSON.parse(tab.held.get('keyway:ids') ?? '{}') as Record<string, string>;
    expect(Object.keys(kept).sort()).toEqual(
      ['account', 'owner', 'project', 'role', 'grant', 'credential', 'temporary', 'store', 'outside'].sort(),
    );
    for (const id of Object.values(kept)) expect(id).toMatch(/^(acct|proj|role|gran|cred|stor)_\w+$/);
    expect([...tab.held.keys()]).toEqual(['keyway:ids']);
  });

  test('an audit event is found by its id too', async () => {
    const build = jest.spyOn(Database.prototype, 'statement');
    const { id } = (await server.ask('{ auditEvents(first: 1) { nodes { id } } }')).data.auditEvents.nodes[0];
    const answer = await server.ask('query ($id: ID!) { node(id: $id) { id } }', { id });
    expect(answer.data).toEqual({ node: { id } });
    for (const [key] of build.mock.calls) built.add(key);
    build.mockRestore();
  });

  test('all of that runs every statement that is built from the entities', () => {
    const keys = sources().flatMap((text) =>
      [...text.matchAll(/\.statement\(\s*[`']([^`'$]+)/g)].map(([, key = '']) => key),
    );
    expect(keys.length).toBeGreaterThan(30);
    const missing = keys.filter((key) => ![...built].some((one) => one.startsWith(key)));
    expect(missing.filter((key) => !byJobs.includes(key)).sort()).toEqual(runElsewhere);
  });

  const answerOf = (name: string) => {
    const example = all.find((one) => nameOf(one) === name);

    return answers.get(example?.file ?? '')?.data;
  };

  test('each example shows what it is there to show', () => {
    expect(answerOf('Credentials').credentials.totalCount).toBe(filled ? 14 : 1);
    expect(answerOf('Viewer').viewer.name).toBe('admin');
    expect(answerOf('ByName').project.grants).toHaveLength(1);
    expect(answerOf('Nodes').nodes.map((node: { __typename: string }) => node.__typename)).toEqual([
      'Project',
      'Role',
    ]);
    expect(answerOf('CreateAccessKey').createCredential.issued.accessKey).toMatch(/^LH/);
    expect(answerOf('UpdateCredential').updateCredential.credential.revision).toBe(2);
    expect(answerOf('RotateCredential').rotateCredential.credential.status).toBe('ROTATING');
    expect(answerOf('RotateCredential').rotateCredential.issued.exports).toContain('export BEACON_');
    expect(
      answerOf('Versions').credential.versions.map((version: { state: string }) => version.state),
    ).toEqual(['CURRENT', 'PREVIOUS']);
    const { issued, other } = answerOf('RevealCredential').revealCredential;
    expect(issued.secret).toBe(answerOf('RotateCredential').rotateCredential.issued.secret);
    expect(other.secret).toBe(answerOf('CreateAccessKey').createCredential.issued.secret);
    expect(answerOf('RevokeCredential').revokeCredential.credential).toMatchObject({
      status: 'REVOKED',
      derived: { nodes: [{ status: 'REVOKED' }] },
    });
    expect(answerOf('DeleteCredential').deleteCredential.credential.status).toBe('DELETED');
    expect(answerOf('AuditEvents').auditEvents.totalCount).toBeGreaterThan(10);
  });

  test('each example of a verification tells whose it is, and why it is not valid', () => {
    const valid = (name: string) => ({ valid: true, code: 'VALID', credential: { name } });
    expect(answerOf('VerifyKey').verifyCredential).toMatchObject({
      ...valid('Beacon signer'),
      credential: { account: { name: 'lighthouse' }, roles: [{ name: 'beacon-operator' }] },
    });
    expect(answerOf('VerifyToken').verifyCredential).toMatchObject(valid("Lamp control's token"));
    expect(answerOf('VerifyPassword').verifyCredential).toMatchObject(valid("Keeper's login"));
    expect(answerOf('VerifySignedRequest').verifyCredential).toMatchObject(valid('Beacon signer'));
    expect(answerOf('VerifySeveral').verifyCredentials).toMatchObject([
      { valid: false, code: 'IP_NOT_ALLOWED', credential: { name: 'Beacon signer' } },
      valid("Keeper's login"),
      valid("Lamp control's token"),
    ]);
  });

  test('the example of a temporary credential is one of the access key, for as long as it says', () => {
    const { issued } = answerOf('IssueTemporary').issueTemporaryCredential;
    const { createdAt, expiresAt, ...credential } = answerOf('TemporaryCredential').credential;
    expect(credential).toMatchObject({
      accessKey: issued.accessKey,
      status: 'ACTIVE',
      mfaAuthenticated: false,
      allowedIps: ['192.0.2.17'],
      roles: [{ name: 'beacon-operator' }],
      parent: { name: 'Beacon signer', derived: { totalCount: 1 } },
    });
    expect(Date.parse(expiresAt) - Date.parse(createdAt)).toBe(15 * 60_000);
  });

  test('the examples of a store bring it into the graph, turn a key in it, derive from that, and let it go', () => {
    expect(answerOf('CheckStore').checkStore.store.health).toMatchObject({ reachable: true, problem: null });
    const { lastSync } = answerOf('SyncStore').syncStore.store;
    expect(lastSync).toMatchObject({ added: 2, gone: 0, error: null, finishedAt: expect.any(String) });
    expect(answerOf('Stores').stores).toContainEqual(
      expect.objectContaining({ kind: 'NCLOUD', rotation: { chosenBy: 'STORE', previous: 'LIVES' } }),
    );
    const [outside] = answerOf('StoreCredentials').credentials.nodes;
    expect(outside).toMatchObject({ name: 'backup', reachesStore: false });
    expect(answerOf('GrantScope').grantScope.grant).toMatchObject({ store: { name: expect.any(String) } });
    const { credential, issued } = answerOf('RotateOutside').rotateCredential;
    expect(credential).toMatchObject({ name: 'backup', status: 'ROTATING' });
    expect(issued.accessKey).not.toBe(outside.accessKey);
    const temporary = answerOf('IssueOutside').issueTemporaryCredential;
    expect(temporary.credential).toMatchObject({ status: 'ACTIVE', parent: { name: 'backup' } });
    expect(answerOf('DisconnectStore').revokeCredential.credential.status).toBe('REVOKED');
    expect(cloud.accepts(issued.accessKey, issued.secret)).toBe(false);
  });

  test('the example of what ends soon looks across the stores', () => {
    const nodes = answerOf('ExpiringEverywhere').credentials.nodes as { store: { kind: string } }[];
    expect(nodes.length > 0).toBe(filled);
    expect(nodes.every(({ store }) => store.kind === 'BUILT_IN')).toBe(true);
  });

  test('the examples of a second factor take it into use, ask for it, and take it off again', async () => {
    const { account, recoveryCodes } = answerOf('ConfirmMfa').confirmMfa;
    expect(account).toEqual({ name: 'admin', mfaEnrolled: true });
    expect(recoveryCodes).toHaveLength(10);
    const { secret } = answerOf('RotateCredential').rotateCredential.issued;
    expect(answerOf('RevealWithCode').revealCredential.issued.secret).toBe(secret);
    expect(answerOf('RemoveMfa').removeMfa.account).toEqual({ name: 'admin', mfaEnrolled: false });
    const { data } = await server.ask('{ viewer { mfaEnrolled } }');
    expect(data.viewer.mfaEnrolled).toBe(false);
  });

  test('R1: the example of an idempotency key, run again, answers the same and makes nothing new', async () => {
    // The last example took its account away, so it is run in another.
    const made = await server.ask(
      'mutation { createAccount(input: { kind: ORGANIZATION, name: "keeper", title: "Keeper" }) { account { id } } }',
    );
    const account = made.data?.createAccount.account.id as string;
    const example = all.find((one) => nameOf(one) === 'CreateOnce');
    const variables = { account, idempotencyKey: 'another-horn' };
    const first = await server.ask(example?.query ?? '', variables);
    const second = await server.ask(example?.query ?? '', variables);
    expect(first.data.createCredential.issued.secret).toMatch(/^[0-9a-f]{128}$/);
    expect(second.data).toEqual(first.data);
  });

  test('the last example leaves nothing of the others', async () => {
    const { data, errors } = await server.ask(`{
      account(name: "lighthouse") { id }
      project(name: "beacon") { id }
      role(name: "beacon-operator") { id }
    }`);
    expect(errors).toEqual([]);
    expect(data).toMatchObject({ account: null, project: null, role: null });
  });
});

test('what a person typed is sent as typed, and what nobody has filled in is named with where it comes from', () => {
  const tab = session();
  const carried = carrier(tab, false);
  const said = carried.fill({
    credential: 'cred_…',
    code: '…',
    search: 'a name that ends …',
    nested: { a: '…' },
  });
  expect(said.filled).toEqual([]);
  expect(said.problems).toEqual([
    expect.stringMatching(/“credential” .*run CreateAccessKey first/) as unknown,
    expect.stringMatching(/“code” .*: type it\.$/) as unknown,
  ]);
  carried.keep('CreateAccessKey', {
    createCredential: { credential: { id: 'cred_1' }, issued: { accessKey: 'LH1', secret: 'hidden' } },
  });
  expect(carried.fill({ credential: 'cred_mine', secret: '…' })).toEqual({
    variables: { credential: 'cred_mine', secret: 'hidden' },
    filled: ['secret'],
    problems: [],
  });
  // After a reload the ids are there, and the secret is not.
  const after = carrier(tab, false).fill({ credential: 'cred_…', secret: '…' });
  expect(after.variables).toEqual({ credential: 'cred_1', secret: '…' });
  carried.forget();
  expect(tab.held.size).toBe(0);
});

test('no credential is picked out of a store that is not the demo’s', () => {
  const carried = carrier(session(), false);
  carried.keep('StoreCredentials', { credentials: { nodes: [{ id: 'cred_1' }] } });
  expect(carried.fill({ outside: 'cred_…' }).problems).toHaveLength(1);
});

test.each([[null], [undefined], [{}], [{ createAccount: null }]])(
  'an answer of %j carries nothing',
  (data) => {
    const tab = session();
    carrier(tab, true).keep('CreateAccount', data);
    expect(tab.held.get('keyway:ids')).toBe('{}');
  },
);

/** The parts that a signer puts into the headers of the request in the example. */
function signedParts(server: TestServer, { query }: Example, known: Known) {
  const [, method = '', url = ''] = /method: "(.*)"\s+url: "(.*)"/.exec(query) ?? [];
  const key = { accessKey: known.get('accessKey') ?? '', secret: Secret.of(known.get('secret') ?? '') };
  const { headers } = schemes[SignatureScheme.NCP_SIGNATURE_V2].sign({ method, url, headers: [] }, key, {
    ms: Math.floor(server.db.now()),
  });
  const sent = new Map(headers.map(({ name, value }) => [name, value]));
  const [timestamp = '', signature = ''] = ['timestamp', 'signature-v2'].map((name) =>
    sent.get(`x-ncp-apigw-${name}`),
  );
  return { timestamp, signature };
}

const appOf = (server: TestServer, known: Known) => takeOver(server, known.get('otpauthUri') ?? '');

/** For what no example shows; each is run by the test named beside it. */
const runElsewhere = [
  'account of a store:', // stores/create.test.ts, for a store of an account
  'changes in stores:', // credentials/outside/evidence.test.ts, for what is under way in a store
  ...['count of ', 'group:', 'page of ', 'user:'].map((what) => `scim ${what}`), // scim/users.test.ts, scim/groups.test.ts
  'scope grants of stores:', // stores/scopes/grant-scope.test.ts
  'store:', // stores/store.test.ts, by id or name
];

/** What a job may have run meanwhile, or not; each is run by the test named beside it. */
const byJobs = [
  'credential due', // credentials/due/rotate-due.test.ts
];

const sources = () =>
  readdirSync('src', { recursive: true })
    .map((name) => join('src', String(name)))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(name, 'utf8'));
