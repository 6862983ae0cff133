/**
 * @embedded pages and their examples
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeAccount, makeCaller, makeCredential, type Made } from '../support/make.js';
import { blocks, read } from '../support/pages.js';
import { sharedServer, type SharedServer } from '../support/server.js';

let server: SharedServer;
let folder: string;
let made: Made;
let token: string;

beforeAll(async () => {
  server = await sharedServer();
  folder = mkdtempSync(join(tmpdir(), 'keyway-languages-'));
  const account = await makeAccount(server);
  made = await makeCredential(server, account);
  ({ token } = await makeCaller(server, ['CREDENTIAL_VERIFY'], { onAccount: account }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const isThere = (command: string, option: string) => {
  try {
    execFileSync(command, [option], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/** The languages of the page, with what runs each; those that this machine has. */
const languages = [
  { language: 'python', command: 'python3', asks: '--version', file: 'asks.py', args: ['asks.py'] },
  { language: 'go', command: 'go', asks: 'version', file: 'asks.go', args: ['run', 'asks.go'] },
].filter(({ command, asks }) => isThere(command, asks));

/** What the example of the page prints, with what a client presented and whom the service calls as. */
async function printed(
  one: (typeof languages)[number],
  environment: Record<string, string>,
): Promise<string> {
  const [block = '', ...others] = blocks(one.language, read('docs/clients.md'));
  expect(others).toEqual([]);
  writeFileSync(join(folder, one.file), block);
  const { stdout } = await promisify(execFile)(one.command, one.args, {
    cwd: folder,
    env: {
      ...process.env,
      KEYWAY_URL: server.url,
      KEYWAY_TOKEN: token,
      KEY: made.accessKey ?? '',
      SECRET: made.secret ?? '',
      ...environment,
    },
  });
  return stdout.trim().toLowerCase();
}

test('the page has each language once, and this machine runs one of them at least', () => {
  for (const language of ['python', 'go']) expect(blocks(language, read('docs/clients.md'))).toHaveLength(1);
  expect(languages.map(({ language }) => language)).toContain('python');
});

test.each(languages)('in $language a good secret is valid, a wrong one is not', async (one) => {
  expect(await printed(one, {})).toBe('valid true');
  expect(await printed(one, { SECRET: 'wrong' })).toBe('not_valid false');
});

test.each(languages)('in $language what is not answered is an error, which tells no secret', async (one) => {
  const failing = printed(one, { KEYWAY_TOKEN: 'kw_nobody' });
  const { stderr } = await failing.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: { stderr: string }) => error,
  );
  expect(stderr).toContain('401');
  for (const hidden of [made.secret ?? '', 'kw_nobody']) expect(stderr).not.toContain(hidden);
});
