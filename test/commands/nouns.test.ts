/** @embedded the command line */
import { keyway } from '../support/command-line.js';
import { unique } from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import { isSecretField } from '../../src/commands/secret-input.js';
import type { Connector } from '../../src/connectors/connector.js';
import * as vendors from '../../src/connectors/vendors.js';

let server: SharedServer;
beforeAll(async () => {
  server = await sharedServer();
});
const ask = (args: string[], around: object = {}) =>
  keyway([...args, '--json'], { url: server.url, token: server.adminToken, ...around });
const json = async (args: string[]) => {
  const { code, out, err } = await ask(args);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out);
};

test('accounts, projects and roles are made, shown, changed, granted, withdrawn and deleted by their names', async () => {
  const [account, project, role] = [unique('account'), unique('project'), unique('role')];
  const made = await json(['account', 'create', account, '--kind', 'organization', '--title', 'Harbour']);
  expect(made).toMatchObject({ name: account, kind: 'ORGANIZATION' });
  await json(['project', 'create', project, '--account', account]);
  await json(['role', 'create', role, '--account', account, '--permission', 'credential-read']);
  expect((await json(['role', 'update', role, '--permission', 'credential-rotate'])).permissions).toEqual([
    'CREDENTIAL_ROTATE',
  ]);
  const grant = await json(['role', 'grant', role, '--to', account, '--on-project', project]);
  expect((await json(['account', 'show', account])).grants).toEqual([
    { id: grant.id, role: { name: role }, onAccount: null, onProject: { name: project } },
  ]);
  expect((await json(['role', 'withdraw', grant.id])).deletedId).toBe(grant.id);
  expect(
    (await json(['account', 'list', '--search', account])).map(({ name }: { name: string }) => name),
  ).toEqual([account]);
  expect((await json(['account', 'update', account, '--enabled', 'false'])).enabled).toBe(false);
  for (const [noun, name] of [
    ['role', role],
    ['project', project],
    ['account', account],
  ] as const) {
    await json([noun, 'delete', name, '--yes']);
    expect((await ask([noun, 'show', name])).code).toBe(5);
  }
  const events = await json([
    'audit',
    'list',
    '--target',
    made.id,
    '--since',
    '1h',
    '--action',
    'account:create',
  ]);
  expect(events).toHaveLength(1);
  expect((await json(['audit', 'show', events[0].id])).hash).toMatch(/^[0-9a-f]+$/);
});

test('stores are listed and shown, and one that does not answer is not connected', async () => {
  expect((await json(['store', 'list'])).map(({ kind }: { kind: string }) => kind)).toContain('BUILT_IN');
  const args = [
    'store',
    'connect',
    unique('store'),
    '--kind',
    'seqera',
    '--set',
    'endpoint=http://127.0.0.1:9',
    '--ask',
    'token',
  ];
  const { code, err } = await ask(args, { stdin: 'a-secret-value\n' });
  expect(code).toBe(7);
  expect(err).not.toContain('a-secret-value');
  const dry = await ask([...args, '--dry-run'], { stdin: 'a-secret-value\n' });
  expect(JSON.parse(dry.out)).toMatchObject({
    variables: { input: { connection: { seqera: { token: '[secret]' } } } },
  });
});

test('no secret of a connection or a provider can be given as an argument', () => {
  const asked = Object.values<Connector>(vendors).flatMap(({ connection }) =>
    Object.entries(connection?.asks ?? {}),
  );
  const secrets = asked.filter(([, { is }]) => is === 'secret' || is === 'secretWord').map(([name]) => name);
  expect(secrets).toContain('fallbackApiKey');
  expect(secrets.filter((name) => !isSecretField(name))).toEqual([]);
  for (const name of [
    'secretKey',
    'password',
    'token',
    'jwt',
    'apiKey',
    'fallbackApiKey',
    'privateKey',
    'passphrase',
    'clientSecret',
    'webhookSecret',
    'batchKey',
    'storageKey',
    'data',
    'connectionId',
  ])
    expect([name, isSecretField(name)]).toEqual([name, true]);
  for (const name of ['endpoint', 'accessKey', 'apiId', 'workspaces', 'username', 'tokenAudience', 'prefix'])
    expect([name, isSecretField(name)]).toEqual([name, false]);
});
