/** @embedded the command line */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyway } from '../support/command-line.js';
import { runKeyway } from '../support/process.js';
import { sharedServer, type SharedServer } from '../support/server.js';

let server: SharedServer;
let folder: string;
beforeAll(async () => {
  server = await sharedServer();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyway-profiles-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = () => join(folder, 'profiles.json');
const logIn = (...more: string[]) =>
  keyway(['login', server.url, ...more], { folder, stdin: `${server.adminToken}\n` });

test('login keeps the token for this user alone, and whoami calls by it', async () => {
  const { code, out, err } = await logIn();
  expect({ code, out }).toEqual({ code: 0, out: '' });
  expect(err).toContain('You are admin at');
  expect(err).not.toContain(server.adminToken);
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  const who = await keyway(['whoami', '--json'], { folder });
  expect(who.code).toBe(0);
  expect(JSON.parse(who.out)).toMatchObject({ name: 'admin', title: 'Administrator', enabled: true });
});

test('a token that is not good is not kept', async () => {
  const { code, err } = await keyway(['login', server.url], { folder, stdin: 'wrong-token\n' });
  expect(code).toBe(3);
  expect(err).toContain('UNAUTHENTICATED');
  expect(err).not.toContain('wrong-token');
  expect(existsSync(file())).toBe(false);
});

test('a person is asked for the token, and what is typed is not shown', async () => {
  const { code, err } = await keyway(['login', server.url], { folder, typed: server.adminToken });
  expect(code).toBe(0);
  expect(err).toContain('token: ');
  expect(err).not.toContain(server.adminToken);
});

test('a file of profiles that others may read is refused, and nothing is sent', async () => {
  await logIn();
  chmodSync(file(), 0o640);
  const { code, err } = await keyway(['whoami'], { folder });
  expect(code).toBe(3);
  expect(err).toContain('can be read by others');
  expect(err).not.toContain(server.adminToken);
});

test('a file that is none of profiles is told, and not written over', async () => {
  writeFileSync(file(), '{"profiles":[1]}', { mode: 0o600 });
  expect((await logIn()).code).toBe(3);
  expect(readFileSync(file(), 'utf8')).toBe('{"profiles":[1]}');
});

test('logout removes the token from the file, and no other profile takes its place unasked', async () => {
  await logIn('--profile', 'one');
  await logIn('--profile', 'two');
  expect((await keyway(['logout'], { folder })).code).toBe(0);
  expect((await keyway(['whoami'], { folder })).code).toBe(3);
  expect((await keyway(['whoami', '--profile', 'one'], { folder })).code).toBe(0);
  expect((await keyway(['logout', '--profile', 'one'], { folder })).code).toBe(0);
  expect(readFileSync(file(), 'utf8')).not.toContain(server.adminToken);
  expect((await keyway(['logout'], { folder })).code).toBe(5);
});

test('the token of a profile goes to no other address: one that is named alone wants a token of its own', async () => {
  await logIn();
  const { code, err } = await keyway(['whoami'], { folder, url: 'https://elsewhere.example.com' });
  expect(code).toBe(3);
  expect(err).toContain('KEYWAY_TOKEN is not');
});

test.each(['profile', 'constructor', '__proto__'])('a profile %s that is not there is told', async (name) => {
  await logIn();
  const { code, err } = await keyway(['whoami', '--profile', name], { folder });
  expect({ code, isTold: err.includes('NOT_FOUND') }).toEqual({ code: 5, isTold: true });
});

test.each([
  ['http://keyway.example.com', 'must begin with https://'],
  ['http://127.0.0.1.example.com', 'must begin with https://'],
  ['https://ada:secret-value@keyway.example.com', 'must have no user'],
  ['ftp://keyway.example.com', 'must be an address'],
  ['secret-value', 'must be an address'],
])('login %s is refused before anything is sent', async (url, told) => {
  const { code, err } = await keyway(['login', url], { folder, stdin: 'token\n' });
  expect(code).toBe(2);
  expect(err).toContain(told);
  expect(err).not.toContain('secret-value');
});

test('the program itself takes address and token from the environment, and is one to be used from scripts', async () => {
  const environment = {
    KEYWAY_URL: server.url,
    KEYWAY_TOKEN: server.adminToken,
    XDG_CONFIG_HOME: folder,
    NODE_OPTIONS: '',
  };
  const good = await runKeyway(['whoami', '--output', 'env'], environment);
  expect(good.code).toBe(0);
  expect(good.output).toContain("KEYWAY_NAME='admin'\n");
  expect(good.output).not.toContain(server.adminToken);
  expect((await runKeyway(['whoami', '--nonsense'], environment)).code).toBe(2);
});
