/**
 * @slow 100 s
 */
import { cpSync, copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { reveal } from '../../credentials/verbs.js';
import { codeOf } from '../../credentials/verification/verifying.js';
import { startKms } from '../../support/kms.js';
import { expectData, makeAccount, makeCredential, unique, type Made } from '../../support/make.js';
import { emptyPlace, runKeyway, spawnKeyway, urlOf } from '../../support/process.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import type { StandInOfKeys } from '../../support/stand-in-of-keys.js';
import { startTransit, type Transit } from '../../support/transit.js';

interface KeyFile {
  current: string;
  keys: Record<string, string>;
}

/** What AWS is asked as, by this process and by commands; no other place is looked at for who it could be. */
const identity = {
  AWS_ACCESS_KEY_ID: 'keyway-test',
  AWS_SECRET_ACCESS_KEY: 'marked-aws-secret',
  AWS_EC2_METADATA_DISABLED: 'true',
};
const before = Object.keys(identity).map((name) => [name, process.env[name]] as const);
beforeAll(() => void Object.assign(process.env, identity));
afterAll(() => {
  for (const [name, value] of before)
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
});

interface Provider {
  standIn: StandInOfKeys;
  /** The settings of a Keyway that wraps by it. */
  settings: Record<string, string>;
}
const kms = async (): Promise<Provider> => {
  const standIn = await startKms();
  return { standIn, settings: { ...standIn.environment, ...identity } };
};
const vault = async (): Promise<Provider & { standIn: Transit }> => {
  const standIn = await startTransit();
  return { standIn, settings: { ...standIn.environment, KEYWAY_VAULT_TOKEN: standIn.token } };
};

const stops: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});
async function begin<P extends Provider>(provider: () => Promise<P>) {
  const begun = await provider();
  stops.push(() => begun.standIn.stop());
  const server = await startTestServer({ ...begun.settings, KEYWAY_METRICS_PORT: '0' });
  stops.push(() => server.stop());
  return { ...begun, server };
}

const pathOf = (server: TestServer) => join(server.dataDir, 'keys', 'kek.json');
const kekFile = (server: TestServer) => JSON.parse(readFileSync(pathOf(server), 'utf8')) as KeyFile;
const isReady = async ({ url }: { url: string }) => (await fetch(`${url}/ready`)).status === 200;
const secretOf = async (server: TestServer, { id }: Made) =>
  expectData(await reveal(server, { id })).revealCredential.issued.secret as string;
/** How many KEKs wait for their provider, as the metric says. */
const waiting = async (server: TestServer) => {
  const address = [...server.logged.join('').matchAll(/"metrics":"(http:[^"]+)"/g)].at(-1)?.[1] ?? '';
  return /^keyway_keyring_waiting (.*)$/m.exec(await (await fetch(address)).text())?.[1];
};
const told = (server: TestServer, text: string) => server.logged.filter((line) => line.includes(text));

async function until(what: string, holds: () => Promise<boolean> | boolean, everyMs = 100): Promise<void> {
  for (const end = performance.now() + 40_000; !(await holds()); await sleep(everyMs))
    if (performance.now() > end) throw new Error(`it was not so within the time: ${what}`);
}

async function keys(server: TestServer, args: string[], more: Record<string, string> = {}): Promise<string> {
  const { code, output } = await runKeyway(['keys', ...args], { ...server.environment, ...more });
  if (code !== 0) throw new Error(`keyway keys ${args.join(' ')} failed: ${output}`);
  return output;
}

/** What of the keys may be in no log and no output: the plain KEK, and what the provider is asked as. */
const marks = (standIn: StandInOfKeys, ...texts: string[]) => {
  const plain = standIn.asked.flatMap(({ body }) =>
    ['Plaintext', 'plaintext'].flatMap((name) => (typeof body[name] === 'string' ? [body[name]] : [])),
  );
  // Of what was wrapped, the key is the end: its label is in front.
  const ends = plain.map((text) => Buffer.from(text, 'base64').subarray(-32));
  return [
    ...ends.flatMap((end) => [end.toString('base64'), end.toString('hex')]),
    ...plain,
    'marked-aws-secret',
    ...texts,
  ];
};

describe.each<[string, string, () => Promise<Provider>]>([
  ['AWS KMS', 'aws-kms', kms],
  ['Vault', 'vault', vault],
])('%s', (title, name, provider) => {
  test('S47: from the file to it while Keyway serves: every secret reads the same, and the provider is asked once for each key', async () => {
    const { server, standIn } = await begin(provider);
    const account = await makeAccount(server);
    const made: Made[] = [];
    const make = async () => void made.push(await makeCredential(server, account, { retrievable: true }));
    const expectAll = async () => {
      for (const one of made) expect(await secretOf(server, one)).toBe(one.secret);
    };
    await make();
    const plain = kekFile(server).keys['k1'] ?? '';
    expect(told(server, 'KEKs stand in their file as they are')).toHaveLength(1);
    const output = await keys(server, ['rotate', 'kek']);
    expect(output).toContain(`made just now, wrapped by ${name}. It was k1.`);
    const isBy = (id: string) => async () => {
      await make();
      const rows = await server.rows<{ id: string }>(
        'SELECT DISTINCT kek_id AS id FROM credential_versions WHERE sealed IS NOT NULL',
      );
      return rows.map((row) => row.id).join() === id;
    };
    await until('all is sealed by k2', isBy('k2'), 500);
    expect(kekFile(server).keys['k2']).toMatch(new RegExp(`^${name}:`));
    await server.restart(async () => {
      expect(await keys(server, ['list'])).toMatch(
        new RegExp(`kek k2 +current +wrapped by ${name}, \\d+ secrets`),
      );
      expect(await keys(server, ['retire', 'kek', 'k1'])).toContain('kek k1 is retired');
    });
    expect(readFileSync(pathOf(server), 'utf8')).not.toContain(plain);
    expect(told(server, 'KEKs stand in their file as they are')).toHaveLength(1);
    const asked = standIn.asked.length;
    await expectAll();
    await make();
    await expectAll();
    expect(standIn.asked).toHaveLength(asked);

    for (const mark of marks(standIn)) {
      expect(server.logged.join('')).not.toContain(mark);
      expect(output).not.toContain(mark);
    }
  });

  test('R17: down at the start and hanging, what needs no KEK is done, it is not ready, and is once the provider answers', async () => {
    const { server, standIn } = await begin(provider);
    const account = await makeAccount(server);
    const made = await makeCredential(server, account, { retrievable: true });
    const token = await makeCredential(server, account, { secret: { token: {} } });
    expect(await keys(server, ['rewrap', 'kek'])).toContain(
      `kek k1 of ${pathOf(server)}: wrapped by ${name}.`,
    );
    for (const disturb of [() => standIn.down(), () => void (standIn.disturbed = 'hangs')]) {
      await server.restart(async () => void (await disturb()));
      expect([await isReady(server), await waiting(server)]).toEqual([false, '1']);
      expect(await codeOf(server, { accessKey: token.accessKey, proof: { secret: token.secret } })).toBe(
        'VALID',
      );
      const refused = await reveal(server, { id: made.id });
      expect([refused.code, refused.text.includes('kek')]).toEqual(['UNAVAILABLE', false]);
      const sealing = await server.ask(
        'mutation ($input: CreateCredentialInput!) { createCredential(input: $input) { credential { id } } }',
        { input: { account, name: unique('one'), secret: { accessKey: {} }, retrievable: true } },
      );
      expect(sealing.code).toBe('UNAVAILABLE');
      expect((await makeCredential(server, account, { secret: { token: {} } })).secret).toBeTruthy();
      expect(told(server, 'keys could not be unwrapped').at(-1)).toContain(`kek k1: ${title} `);
      standIn.disturbed = undefined;
      await standIn.up();
      await until('it is ready', () => isReady(server));
      expect(await waiting(server)).toBe('0');
      expect(await secretOf(server, made)).toBe(made.secret);
      await makeCredential(server, account, { retrievable: true });
    }
    for (const misleading of ['as often as is safe', 'records could not be opened', 'a job failed'])
      expect(told(server, misleading)).toEqual([]);
    for (const mark of marks(standIn)) expect(server.logged.join('')).not.toContain(mark);
  });
});

test('R17: while the provider is down or hangs, a Keyway that serves goes on with the keys that it has, and takes a new one later', async () => {
  const { server, standIn } = await begin(vault);
  const account = await makeAccount(server);
  const made = await makeCredential(server, account, { retrievable: true });
  const elsewhere = mkdtempSync(join(tmpdir(), 'keyway-keys-'));
  stops.push(() => rmSync(elsewhere, { recursive: true }));
  cpSync(join(server.dataDir, 'keys'), elsewhere, { recursive: true });
  await keys(server, ['rotate', 'kek'], { KEYWAY_KEYS_DIR: elsewhere });
  await standIn.down();
  const failed = await runKeyway(['keys', 'rotate', 'kek'], server.environment);
  expect([failed.code, failed.output]).toEqual([
    1,
    expect.stringContaining('Nothing was changed. Vault does not answer'),
  ]);
  expect(Object.keys(kekFile(server).keys)).toEqual(['k1']);
  standIn.disturbed = 'hangs';
  await standIn.up();
  copyFileSync(join(elsewhere, 'kek.json'), pathOf(server));
  await until('it is told', () => told(server, 'keys could not be unwrapped').length > 0);
  expect([await isReady(server), await waiting(server)]).toEqual([true, '1']);
  expect(await secretOf(server, made)).toBe(made.secret);
  expect(await secretOf(server, await makeCredential(server, account, { retrievable: true }))).toBeTruthy();
  standIn.disturbed = undefined;
  await until('k2 is current', () => told(server, 'another key is current').length > 0);
  expect(await waiting(server)).toBe('0');
  expect(await secretOf(server, made)).toBe(made.secret);
});

test('back to the file: then no setting of the provider is needed, and before none may be missing', async () => {
  const { server, standIn, settings } = await begin(vault);
  const made = await makeCredential(server, await makeAccount(server), { retrievable: true });
  const plain = kekFile(server).keys;
  await keys(server, ['rewrap', 'kek']);
  await server.pause();
  const unset = Object.fromEntries(Object.keys(settings).map((name) => [name, '']));
  const without = await runKeyway(['keys', 'list'], { ...server.environment, ...unset });
  expect(without.output).toContain(
    'kek.json: key k1 is wrapped by a provider that is not set up: see KEYWAY_VAULT_ADDRESS',
  );
  expect(await keys(server, ['rewrap', 'kek', '--plain'], { KEYWAY_KEK_PROVIDER: 'file' })).toContain(
    'in the file as they are',
  );
  expect(kekFile(server).keys).toEqual(plain);
  expect(await keys(server, ['list'], unset)).toMatch(/kek k1 +current +\d+ secrets/);
  await standIn.down();
  await server.restart();
  expect(await secretOf(server, made)).toBe(made.secret);
});

test('S43: a KEK that stands under the id of another is refused, and nothing is made with it', async () => {
  const { server } = await begin(vault);
  const account = await makeAccount(server);
  const made = await makeCredential(server, account, { retrievable: true });
  await keys(server, ['rewrap', 'kek']);
  await keys(server, ['add', 'kek']);
  const { keys: both } = kekFile(server);
  await server.restart(() => {
    writeFileSync(
      pathOf(server),
      JSON.stringify({ current: 'k1', keys: { k1: both['k2'], k2: both['k1'] } }),
    );
    return Promise.resolve();
  });
  expect(await isReady(server)).toBe(false);
  expect(told(server, 'keys could not be unwrapped').at(-1)).toContain('does not take it for this key');
  expect((await reveal(server, { id: made.id })).code).toBe('UNAVAILABLE');
  writeFileSync(pathOf(server), JSON.stringify({ current: 'k1', keys: both }));
  await until('it is ready', () => isReady(server));
  expect(await secretOf(server, made)).toBe(made.secret);
});

test('a KEK that is retired is not waited for, though its provider opens it no more and a file still has it', async () => {
  const { server, standIn } = await begin(vault);
  await server.pause();
  await keys(server, ['rewrap', 'kek']);
  const before = kekFile(server).keys;
  standIn.rotate();
  await keys(server, ['rotate', 'kek']);
  await keys(server, ['retire', 'kek', 'k1']);
  const { current, keys: after } = kekFile(server);
  writeFileSync(pathOf(server), JSON.stringify({ current, keys: { ...before, ...after } }));
  standIn.minDecryptionVersion = 2;
  await server.restart();
  expect(told(server, 'keys could not be unwrapped').at(-1)).toContain('kek k1: Vault does not unwrap');
  await until('it is ready', () => isReady(server));
  expect(await waiting(server)).toBe('0');
  await makeCredential(server, await makeAccount(server), { retrievable: true });
});

test('after Transit has another version of its key, «keys rewrap kek» has all KEKs wrapped by it', async () => {
  const { server, standIn } = await begin(vault);
  const made = await makeCredential(server, await makeAccount(server), { retrievable: true });
  await keys(server, ['rewrap', 'kek']);
  standIn.rotate();
  await server.restart();
  expect(await secretOf(server, made)).toBe(made.secret);
  await keys(server, ['rewrap', 'kek']);
  expect(kekFile(server).keys['k1']).toMatch(/^vault:v2:/);
  standIn.minDecryptionVersion = 2;
  await server.restart();
  expect(await isReady(server)).toBe(true);
  expect(await secretOf(server, made)).toBe(made.secret);
});

test('a first start has its KEK wrapped, or makes nothing where the provider does not answer', async () => {
  const { standIn, settings } = await vault();
  const place = await emptyPlace();
  stops.push(
    () => standIn.stop(),
    () => place.drop(),
  );
  const environment = { ...place.environment, ...settings };
  const folder = join(place.folder, 'keys');
  standIn.sealed = true;
  const refused = await runKeyway(['migrate'], environment);
  expect(refused.code).toBe(1);
  expect(refused.output).toContain('the first KEK cannot be wrapped: Vault is sealed: unseal it');
  expect(existsSync(folder)).toBe(false);
  standIn.sealed = false;
  expect((await runKeyway(['migrate'], environment)).code).toBe(0);
  const text = readFileSync(join(folder, 'kek.json'), 'utf8');
  expect((JSON.parse(text) as KeyFile).keys['k1']).toMatch(/^vault:v1:/);
  for (const mark of marks(standIn, standIn.token)) expect(text + refused.output).not.toContain(mark);

  // A start is told what is wrong where it is looked at first.
  standIn.sealed = true;
  const serving = spawnKeyway(['serve'], environment);
  await urlOf(serving);
  await until('it says so', () => serving.output().includes('Keyway is not ready: keys are not unwrapped.'));
  expect(serving.output()).toContain('kek k1: Vault is sealed: unseal it');
  serving.child.kill();
  expect(await serving.ended).toBe(0);
});
