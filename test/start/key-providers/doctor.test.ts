/**
 * @slow 20 s
 */
import { join } from 'node:path';
import { existsSync } from 'node:fs';
import type { Finding } from '../../../src/start/doctor/finding.js';
import { makeAccount, makeCredential } from '../../support/make.js';
import { barePlace, runKeyway } from '../../support/process.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { startTransit, type Transit } from '../../support/transit.js';

// `keyway doctor` asks the provider of the KEKs, as a start does.

let vault: Transit;
let server: TestServer;
beforeAll(async () => {
  vault = await startTransit();
  server = await startTestServer(settings());
  await makeCredential(server, await makeAccount(server), { retrievable: true });
  await server.pause();
});
afterAll(async () => {
  await server.stop();
  await vault.stop();
});
const settings = () => ({ ...vault.environment, KEYWAY_VAULT_TOKEN: vault.token });

async function ofKeys(
  environment: Record<string, string>,
): Promise<{ code: number | null; keys: Finding[]; output: string }> {
  const { code, output } = await runKeyway(['doctor', '--json'], environment);
  const all = JSON.parse(output.slice(output.indexOf('['))) as Finding[];
  return { code, keys: all.filter(({ check }) => check === 'keys'), output };
}
const found = (keys: readonly Finding[], state: Finding['state']) =>
  keys.filter((one) => one.state === state).map((one) => one.found);

test('KEKs that nobody has wrapped are told, and that the provider was not asked', async () => {
  const { code, keys } = await ofKeys(server.environment);
  expect(code).toBe(0);
  expect(found(keys, 'warning')).toEqual([
    'kek k1 of kek.json: not wrapped, while KEYWAY_KEK_PROVIDER is vault',
  ]);
  expect(found(keys, 'skipped')).toEqual(['vault was not asked']);

  const place = await barePlace();
  try {
    const first = await ofKeys({ ...place.environment, ...settings() });
    expect(first.code).toBe(0);
    expect(found(first.keys, 'skipped')).toEqual(['vault was not asked']);
    expect(vault.asked).toEqual([]);
    expect(existsSync(join(place.folder, 'keys'))).toBe(false);
  } finally {
    await place.drop();
  }
});

test('the provider is asked for those that it has wrapped, and a refusal is wrong, with what to do', async () => {
  for (const verb of ['rewrap', 'rotate'])
    expect((await runKeyway(['keys', verb, 'kek'], server.environment)).code).toBe(0);
  const whole = await ofKeys(server.environment);
  expect(whole.code).toBe(0);
  expect(found(whole.keys, 'ok')).toEqual([
    expect.stringContaining('current are kek k2'),
    'the provider of kek k1, kek k2 unwraps them',
    expect.stringMatching(/^there are older ones: kek k1 \(named by [1-9]\d* rows\)$/),
  ]);

  vault.sealed = true;
  const sealed = await ofKeys(server.environment);
  expect(sealed.code).toBe(1);
  expect(found(sealed.keys, 'wrong')).toEqual([
    'kek k1: Vault is sealed: unseal it',
    'kek k2: Vault is sealed: unseal it',
  ]);
  vault.sealed = false;

  const refused = await ofKeys({ ...server.environment, KEYWAY_VAULT_TOKEN: 'hvs.marked' });
  expect(refused.code).toBe(1);
  expect(found(refused.keys, 'wrong')).toEqual([
    expect.stringContaining('kek k1: Vault refuses the token'),
    expect.stringContaining('kek k2: Vault refuses the token'),
  ]);
  expect(refused.output).not.toContain('hvs.marked');

  const unset = Object.fromEntries(Object.keys(settings()).map((name) => [name, '']));
  const without = await ofKeys({ ...server.environment, ...unset });
  expect(without.code).toBe(1);
  expect(found(without.keys, 'wrong')).toEqual(
    ['k1', 'k2'].map(
      (id) => `kek.json: key ${id} is wrapped by a provider that is not set up: see KEYWAY_VAULT_ADDRESS`,
    ),
  );
});
