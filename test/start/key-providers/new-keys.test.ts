/**
 * @slow 40 s
 */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { reveal } from '../../credentials/verbs.js';
import { makeAccount, makeCredential } from '../../support/make.js';
import { runKeyway } from '../../support/process.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { startTransit, type Transit } from '../../support/transit.js';

// What a Keyway whose KEKs are wrapped by a provider does with a KEK that comes while it serves.

interface KeyFile {
  current: string;
  keys: Record<string, string>;
}

let vault: Transit;
let server: TestServer;
beforeEach(async () => {
  vault = await startTransit();
  server = await startTestServer({ ...vault.environment, KEYWAY_VAULT_TOKEN: vault.token });
});
afterEach(async () => {
  await server.stop();
  await vault.stop();
});

const path = () => join(server.dataDir, 'keys', 'kek.json');
const kekFile = () => JSON.parse(readFileSync(path(), 'utf8')) as KeyFile;
const write = (file: KeyFile) => writeFileSync(path(), JSON.stringify(file));
const keys = (args: string[], more: Record<string, string> = {}) =>
  runKeyway(['keys', ...args], { ...server.environment, ...more });
const done = async (args: string[], more: Record<string, string> = {}) => {
  const { code, output } = await keys(args, more);
  if (code !== 0) throw new Error(`keyway keys ${args.join(' ')} failed: ${output}`);
};
const isReady = async () => (await fetch(`${server.url}/ready`)).status === 200;
const told = (text: string) => server.logged.filter((line) => line.includes(text));

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  for (const end = performance.now() + 40_000; !(await holds()); await sleep(100))
    if (performance.now() > end) throw new Error(`it was not so within the time: ${what}`);
}

test('S47: one that nobody has wrapped is made only where that is said, and never taken while a provider is chosen', async () => {
  const account = await makeAccount(server);
  await done(['rewrap', 'kek']);
  const before = kekFile();
  const asFile = { KEYWAY_KEK_PROVIDER: 'file' };
  for (const verb of ['add', 'rotate', 'rewrap']) {
    const { code, output } = await keys([verb, 'kek'], asFile);
    expect([code, output]).toEqual([1, expect.stringContaining('or say --plain')]);
    expect(kekFile()).toEqual(before);
  }
  // A file that cannot be changed here, such as a mounted secret: all machines have the key before it is current.
  mkdirSync(`${path()}.new`);
  const fixed = await keys(['rotate', 'kek']);
  expect([fixed.code, fixed.output]).toEqual([
    1,
    expect.stringMatching(/cannot be changed here[^]*keyway keys add kek\n[^]*keyway keys rotate kek/),
  ]);
  rmdirSync(`${path()}.new`);
  await done(['rotate', 'kek', '--plain'], asFile);
  const { current, keys: both } = kekFile();
  expect([current, both['k1'], both['k2']?.length]).toEqual(['k2', before.keys['k1'], 44]);
  await until('it is refused', () => told('key k2 is new and not wrapped').length > 0);
  expect(told('a key was added')).toEqual([]);
  const made = await makeCredential(server, account, { retrievable: true });
  const by = () =>
    server.rows<{ id: string }>('SELECT kek_id AS id FROM credential_versions WHERE sealed IS NOT NULL');
  expect((await by()).map(({ id }) => id)).toEqual(['k1']);
  expect((await reveal(server, { id: made.id })).code).toBeUndefined();
  expect(await isReady()).toBe(true);

  // Nor by a start; wrapped it is one like any other.
  await server.pause();
  const list = await keys(['list']);
  expect([list.code, list.output]).toEqual([1, expect.stringContaining('key k2 is new and not wrapped')]);
  await done(['rewrap', 'kek']);
  await server.restart();
  expect((await reveal(server, { id: made.id })).code).toBeUndefined();
  expect(kekFile().keys['k2']).toMatch(/^vault:/);
});

test('R17: one that others may have sealed with, and that its provider does not unwrap here, has it not ready', async () => {
  const made = await makeCredential(server, await makeAccount(server), { retrievable: true });
  await done(['rewrap', 'kek']);
  const first = kekFile();
  await done(['add', 'kek']);
  const second = kekFile();
  const rows = () =>
    server.rows<{ id: string; fingerprint: string }>(
      "SELECT id, fingerprint FROM keyring_keys WHERE id = 'k2'",
    );
  await until('it is known', async () => (await rows()).length > 0);
  const [k2] = await rows();
  // As if another process had been first.
  await server.rows("DELETE FROM keyring_keys WHERE id = 'k2'");
  await server.restart(() => Promise.resolve(write(first)));
  vault.sealed = true;
  write(second);
  await until('it is told', () => told('kek k2: Vault is sealed').length > 0);
  expect(await isReady()).toBe(true);
  await server.rows("INSERT INTO keyring_keys (kind, id, fingerprint) VALUES ('kek', 'k2', :fingerprint)", {
    fingerprint: k2?.fingerprint,
  });
  await until('it is not ready', async () => !(await isReady()));
  vault.sealed = false;
  await until('it is ready', isReady);

  // One of the start is waited for, whatever becomes of the file.
  await server.restart(() => Promise.resolve(void (vault.sealed = true)));
  expect(await isReady()).toBe(false);
  vault.sealed = false;
  write(first);
  await until('k1 is here', async () => (await reveal(server, { id: made.id })).code === undefined);
  expect(await isReady()).toBe(false);
  write(second);
  await until('it is ready', isReady);
});
