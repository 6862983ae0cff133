/** @embedded the command line */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { keyway } from '../support/command-line.js';
import { makeAccount, makeCredential, unique } from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';

// A secret goes to the program that is run, and to nobody else.

let server: SharedServer;
let account: string;
let made: { id: string; name: string; secret: string };
beforeAll(async () => {
  server = await sharedServer();
  account = await makeAccount(server);
  const name = unique('for a program');
  const { id, secret } = await makeCredential(server, account, { name, retrievable: true });
  made = { id, name, secret: secret ?? '' };
});

const around = () => ({ ...process.env, KEYWAY_URL: server.url, KEYWAY_TOKEN: server.adminToken });
const bin = (args: string[]) =>
  new Promise<{ code: unknown; out: string; err: string }>((resolve) =>
    execFile(process.execPath, ['bin/keyway.js', ...args], { env: around() }, (error, out, err) =>
      resolve({ code: error ? error.code : 0, out, err }),
    ),
  );
/** A program that is run by Node, whatever else is on this machine. */
const node = (script: string, ...args: string[]) => ['--', process.execPath, '-e', script, ...args];

test('a program has the secret in its environment, its own arguments and its exit code, and not the token', async () => {
  const script = `const { KEYWAY_SECRET, KEYWAY_TOKEN = 'none' } = process.env;
    console.log(KEYWAY_SECRET, KEYWAY_TOKEN, JSON.stringify(process.argv.slice(1))); process.exit(7)`;
  const { code, out, err } = await bin([
    'run',
    '--credential',
    made.name,
    ...node(script, 'two words', '--json'),
  ]);
  expect(code).toBe(7);
  expect(out).toBe(`${made.secret} none ["two words","--json"]\n`);
  expect(err).toBe('');
});

test('the names of its variables can be chosen, and two credentials may not have the same', async () => {
  const shown = await bin([
    ...['run', '--credential', made.id, '--prefix', 'SHOP'],
    ...node('console.log(Object.keys(process.env).filter((name) => name.startsWith("SHOP_")).sort().join())'),
  ]);
  expect(shown).toEqual({ code: 0, out: 'SHOP_ACCESS_KEY,SHOP_SECRET\n', err: '' });
  const twice = await bin([
    ...['run', '--credential', made.id, '--credential', made.id],
    ...node('console.log("it ran")'),
  ]);
  expect([twice.code, twice.out]).toEqual([2, '']);
  expect(twice.err).toContain('KEYWAY_ACCESS_KEY');
  expect(twice.err).not.toContain(made.secret);
});

test('what cannot be revealed runs nothing; a program that is not there is told', async () => {
  const { id } = await makeCredential(server, account);
  const refused = await bin(['run', '--credential', id, ...node('console.log("it ran")')]);
  expect(refused.out).toBe('');
  expect(refused.code).not.toBe(0);
  const missing = await bin(['run', '--credential', made.id, '--', 'no-such-program-of-keyway']);
  expect([missing.code, missing.out]).toEqual([127, '']);
  expect(missing.err).toContain('The program is not there.');
});

test('a signal is the program’s to take, and a program that a signal ended is told as shells do', async () => {
  const run = (script: string) =>
    spawn(process.execPath, ['bin/keyway.js', 'run', '--credential', made.id, ...node(script)], {
      env: around(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  const taking = run(
    'process.on("SIGTERM", () => process.exit(3)); setInterval(() => {}, 1000); console.log("ready")',
  );
  await once(taking.stdout, 'data');
  taking.kill('SIGTERM');
  expect((await once(taking, 'exit'))[0]).toBe(3);
  const ended = run('process.kill(process.pid, "SIGKILL")');
  expect((await once(ended, 'exit'))[0]).toBe(137);
});

describe('exec-credential', () => {
  const exec = async (...args: string[]) => {
    const told = await keyway(['exec-credential', ...args], { url: server.url, token: server.adminToken });
    return { ...told, read: told.code === 0 ? JSON.parse(told.out) : undefined };
  };

  test('kubectl reads a token, and when it ends', async () => {
    const expiresAt = '2999-01-01T00:00:00.000Z';
    const { id, secret } = await makeCredential(server, account, {
      secret: { token: {} },
      retrievable: true,
      expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
    });
    const { read } = await exec('--credential', id, '--for', 'kubernetes');
    expect(read).toEqual({
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: secret, expirationTimestamp: expect.any(String) },
    });
    expect(read.status.expirationTimestamp < expiresAt).toBe(true);
  });

  test('AWS reads a pair of keys, kept or derived for a while', async () => {
    const { read: kept } = await exec('--credential', made.id, '--for', 'aws');
    expect(kept).toEqual({ Version: 1, AccessKeyId: expect.any(String), SecretAccessKey: made.secret });
    const { read: derived } = await exec('--credential', made.id, '--for', 'aws', '--issue', '15m');
    expect(derived.AccessKeyId).not.toBe(kept.AccessKeyId);
    expect(Date.parse(derived.Expiration)).not.toBeNaN();
    const { data } = await server.ask(
      'mutation ($input: VerifyCredentialInput!) { verifyCredential(input: $input) { code } }',
      { input: { accessKey: derived.AccessKeyId, proof: { secret: derived.SecretAccessKey } } },
    );
    expect(data.verifyCredential.code).toBe('VALID');
  });

  test('keys of AWS that Keyway keeps for it', async () => {
    const { id } = await makeCredential(server, account, {
      retrievable: true,
      secret: { providerKeys: { aws: { accessKey: 'AKIAIOSFODNN7EXAMPLE', secretKey: 'of-nobody' } } },
    });
    const { read } = await exec('--credential', id, '--for', 'aws');
    expect(read).toEqual({ Version: 1, AccessKeyId: 'AKIAIOSFODNN7EXAMPLE', SecretAccessKey: 'of-nobody' });
    const { code, out, err } = await exec('--credential', id, '--for', 'kubernetes');
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('has not a token');
  });
});
