/**
 * @slow 20 s
 * @embedded What providers of keys answer has nothing to do with a database.
 */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateKeyCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms';
import { readConfig } from '../../../src/config/config.js';
import { KeyProviderFault } from '../../../src/keyring/key-provider.js';
import { Secret } from '../../../src/secret.js';
import { kmsAddressOf } from '../../../src/start/key-providers/aws-kms.js';
import { openKeyProviders } from '../../../src/start/key-providers/key-providers.js';
import { selfSigned } from '../../support/certificate.js';
import { kmsFault, startKms, type Kms } from '../../support/kms.js';
import { startTransit, type Transit } from '../../support/transit.js';

const credentials = { AWS_ACCESS_KEY_ID: 'keyway-test', AWS_SECRET_ACCESS_KEY: 'marked-aws-secret' };
const nowhere = {
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
};
const before = new Map(
  [...Object.keys(credentials), ...Object.keys(nowhere)].map((name) => [name, process.env[name]]),
);
const set = (environment: Record<string, string | undefined>) => {
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
};
beforeAll(() => set({ ...credentials, ...nowhere }));
afterAll(() => set(Object.fromEntries(before)));

const chosenBy = (environment: Record<string, string>) =>
  openKeyProviders(readConfig(environment).keyProviders).chosen;
const aKey = () => Secret.of(randomBytes(32));
const hex = (key: Secret) => key.exposeBytes().toString('hex');

/** The text of the fault of a call that must fail, in which nothing of what was sent or answered is. */
async function faultOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(KeyProviderFault);
  const { message, stack = '', cause } = error as Error;
  expect(cause).toBeUndefined();
  expect(`${message}${stack}`).not.toMatch(/marked|hvs\.|aws-kms:|vault:v/);
  return message;
}

/** A text in which one character in the middle is another. */
const changed = (text: string) => {
  const at = Math.floor(text.length / 2);
  return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
};

interface Standing {
  environment: Record<string, string>;
  stop(): Promise<void>;
}

const motoIsHere = spawnSync('python3', ['-c', 'import moto.server, flask']).status === 0;
// What runs everywhere is the stand-in; that it is like KMS is what moto is asked.
if (!motoIsHere) console.info('Python has no moto here: AWS KMS was tested by the stand-in alone.');

/** moto's own server, with a key. */
async function startMoto(): Promise<Standing & { client: KMSClient; arn: string }> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  const child = spawn('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], {
    stdio: 'ignore',
  });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 300 && !(await fetch(url).catch(() => undefined)); tries++) await sleep(100);
  const client = new KMSClient({ region: 'eu-central-1', endpoint: url });
  const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
  const arn = KeyMetadata?.Arn ?? '';
  return {
    client,
    arn,
    environment: { KEYWAY_KEK_PROVIDER: 'aws-kms', KEYWAY_AWS_KMS_KEY: arn, KEYWAY_AWS_KMS_ENDPOINT: url },
    stop: async () => {
      client.destroy();
      child.kill();
      await new Promise((resolve) => child.once('close', resolve));
    },
  };
}

const transit = async (): Promise<Standing> => {
  const standIn = await startTransit();
  return {
    environment: { ...standIn.environment, KEYWAY_VAULT_TOKEN: standIn.token },
    stop: () => standIn.stop(),
  };
};

describe.each<[string, () => Promise<Standing>]>([
  ['AWS KMS', startKms],
  ...(motoIsHere ? [['AWS KMS by moto', startMoto] as [string, () => Promise<Standing>]] : []),
  ['Vault', transit],
])('%s', (_, begin) => {
  let standing: Standing;
  beforeAll(async () => {
    standing = await begin();
  });
  afterAll(() => standing.stop());

  test('gives a key back by its id and no other, and in no text is the key', async () => {
    const provider = chosenBy(standing.environment);
    const key = aKey();
    const [one, again] = [await provider.wrap('k1', key), await provider.wrap('k1', key)];
    expect(one).not.toBe(again);
    for (const text of [one, again]) {
      expect(hex(await provider.unwrap('k1', text))).toBe(hex(key));
      for (const form of ['base64', 'hex', 'latin1'] as const)
        expect(Buffer.from(text.split(':').at(-1) ?? '', 'base64').toString('latin1')).not.toContain(
          key.exposeBytes().toString(form),
        );
    }
    expect(await faultOf(provider.unwrap('k2', one))).toContain('does not take it for this key');
  });

  test('refuses a text that was changed', async () => {
    const provider = chosenBy(standing.environment);
    const text = await provider.wrap('k1', aKey());
    expect(await faultOf(provider.unwrap('k1', changed(text)))).toMatch(/^(AWS KMS|Vault) /);
  });
});

if (motoIsHere)
  test('what KMS has encrypted for another purpose is no KEK, by moto', async () => {
    const moto = await startMoto();
    try {
      const provider = chosenBy(moto.environment);
      const { CiphertextBlob } = await moto.client.send(
        new EncryptCommand({
          KeyId: moto.arn,
          Plaintext: randomBytes(32),
          EncryptionContext: { 'keyway-purpose': 'another', 'keyway-key': 'k1' },
        }),
      );
      const text = `aws-kms:${Buffer.from(CiphertextBlob ?? []).toString('base64')}`;
      expect(await faultOf(provider.unwrap('k1', text))).toContain('does not take it for this key');
    } finally {
      await moto.stop();
    }
  });

test('its client is loaded where it is called alone, so that no other start waits for it', () => {
  const files = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((found) =>
      found.isDirectory() ? files(join(folder, found.name)) : [join(folder, found.name)],
    );
  const lines = files('src')
    .flatMap((path) => readFileSync(path, 'utf8').split('\n'))
    .filter((line) => line.includes("'@aws-sdk/client-kms'"));
  expect(lines.length).toBeGreaterThan(1);
  expect(lines.filter((line) => !/^import type |import\('@aws-sdk\/client-kms'\)/.test(line.trim()))).toEqual(
    [],
  );
});

describe('AWS KMS says what to do', () => {
  let kms: Kms;
  beforeEach(async () => {
    kms = await startKms();
  });
  afterEach(() => kms.stop());

  test.each([
    ['AccessDeniedException', /allow kms:Encrypt and kms:Decrypt/],
    ['KMSInvalidStateException', /pending deletion/],
    ['ExpiredTokenException', /does not accept the AWS credentials/],
    ['InvalidKeyUsageException', /symmetric key/],
    ['SomethingNewException', /\(SomethingNewException\)/],
  ])('%s', async (type, told) => {
    kms.disturbed = kmsFault(type);
    expect(await faultOf(chosenBy(kms.environment).wrap('k1', aKey()))).toMatch(told);
    expect(kms.asked).toHaveLength(1);
  });

  test('a failure of its own is asked about twice', async () => {
    kms.disturbed = kmsFault('KMSInternalException', 500);
    expect(await faultOf(chosenBy(kms.environment).wrap('k1', aKey()))).toBe(
      'AWS KMS has failed: it is asked again',
    );
    expect(kms.asked).toHaveLength(2);
  });

  test('a disabled key, one that is not there, and another region', async () => {
    const text = await chosenBy(kms.environment).wrap('k1', aKey());
    kms.state(kms.arn, 'Disabled');
    expect(await faultOf(chosenBy(kms.environment).unwrap('k1', text))).toBe(
      'AWS KMS has the key disabled: enable it',
    );
    const other = (arn: string) => ({ ...kms.environment, KEYWAY_AWS_KMS_KEY: arn });
    const absent = kms.arn.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
    expect(await faultOf(chosenBy(other(absent)).wrap('k1', aKey()))).toContain('no such key in the region');
    const elsewhere = kms.arn.replace('eu-central-1', 'eu-west-1');
    expect(await faultOf(chosenBy(other(elsewhere)).wrap('k1', aKey()))).toContain('AWS credentials');
  });

  test('another key is taken for unwrapping while it is named, and not after', async () => {
    const [first, second] = [kms.arn, kms.makeKey()];
    const key = aKey();
    const text = await chosenBy(kms.environment).wrap('k1', key);
    const by = (...keys: string[]) => chosenBy({ ...kms.environment, KEYWAY_AWS_KMS_KEY: keys.join(',') });
    expect(hex(await by(second, first).unwrap('k1', text))).toBe(hex(key));
    expect(await faultOf(by(second).unwrap('k1', text))).toContain('not among those of KEYWAY_AWS_KMS_KEY');
    await by(second, first).wrap('k2', key);
    expect(kms.asked.at(-1)?.body['KeyId']).toBe(second);
  });

  test('what its key wrapped before it took on other material is unwrapped', async () => {
    const provider = chosenBy(kms.environment);
    const key = aKey();
    const text = await provider.wrap('k1', key);
    kms.rotate(kms.arn);
    expect(hex(await provider.unwrap('k1', text))).toBe(hex(key));
  });

  test('each call is bound to the purpose and to the id of the key, as a policy may want it', async () => {
    const provider = chosenBy(kms.environment);
    await provider.unwrap('k7', await provider.wrap('k7', aKey()));
    const context = { 'keyway-purpose': 'keyway/kek/v1', 'keyway-key': 'k7' };
    expect(kms.asked.map(({ body }) => body['EncryptionContext'])).toEqual([context, context]);
  });

  test('S47: the addresses that AWS_ENDPOINT_URL and profiles name for other services get nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'keyway-aws-'));
    const profile = join(folder, 'config');
    writeFileSync(profile, `[default]\nendpoint_url = ${kms.url}\n`);
    // A region that there is not, so that nothing leaves this machine.
    const arn = kms.arn.replace('eu-central-1', 'eu-nowhere-1');
    const provider = chosenBy({ KEYWAY_KEK_PROVIDER: 'aws-kms', KEYWAY_AWS_KMS_KEY: arn });
    try {
      for (const elsewhere of [
        { AWS_ENDPOINT_URL: kms.url },
        { AWS_ENDPOINT_URL_KMS: kms.url },
        { AWS_CONFIG_FILE: profile },
      ]) {
        set(elsewhere);
        await faultOf(provider.wrap('k1', aKey()));
        expect(kms.asked).toEqual([]);
        set({ AWS_ENDPOINT_URL: undefined, AWS_ENDPOINT_URL_KMS: undefined, ...nowhere });
      }
    } finally {
      set({ AWS_ENDPOINT_URL: undefined, AWS_ENDPOINT_URL_KMS: undefined, ...nowhere });
      rmSync(folder, { recursive: true });
    }
  });

  test.each([
    ['eu-central-1', 'https://kms.eu-central-1.amazonaws.com'],
    ['us-gov-west-1', 'https://kms.us-gov-west-1.amazonaws.com'],
    ['cn-north-1', 'https://kms.cn-north-1.amazonaws.com.cn'],
  ])('is asked at the address of the region: %s', async (region, address) => {
    expect(await kmsAddressOf({ keys: [kms.arn], region, endpoint: undefined })).toBe(address);
    set({ AWS_USE_FIPS_ENDPOINT: 'true' });
    try {
      expect(await kmsAddressOf({ keys: [kms.arn], region, endpoint: undefined })).toBe(
        address.replace('kms.', 'kms-fips.'),
      );
      expect(await kmsAddressOf({ keys: [kms.arn], region, endpoint: kms.url })).toBe(kms.url);
      expect(await chosenBy(kms.environment).wrap('k1', aKey())).toMatch(/^aws-kms:/);
    } finally {
      set({ AWS_USE_FIPS_ENDPOINT: undefined });
    }
  });

  test('no credentials', async () => {
    set({ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined });
    try {
      const told = await faultOf(chosenBy(kms.environment).wrap('k1', aKey()));
      expect(told).toContain('no AWS credentials were found');
    } finally {
      set(credentials);
    }
  });

  test('R17, R19: one that is down, hangs, or answers without end is a fault as well', async () => {
    kms.disturbed = { status: 200, body: { CiphertextBlob: 'A'.repeat(200_000), KeyId: kms.arn } };
    expect(await faultOf(chosenBy(kms.environment).wrap('k1', aKey()))).toContain(
      'does not answer as it should',
    );
    kms.disturbed = 'hangs';
    expect(await faultOf(chosenBy(kms.environment).wrap('k1', aKey()))).toContain('does not answer');
    await kms.down();
    expect(await faultOf(chosenBy(kms.environment).wrap('k1', aKey()))).toContain(
      'see its region and the network',
    );
  });
});

describe('Vault says what to do', () => {
  let vault: Transit;
  let folder: string;
  beforeEach(async () => {
    vault = await startTransit();
    folder = mkdtempSync(join(tmpdir(), 'keyway-vault-'));
  });
  afterEach(async () => {
    await vault.stop();
    rmSync(folder, { recursive: true });
  });
  const withToken = (more: Record<string, string> = {}) =>
    chosenBy({ ...vault.environment, KEYWAY_VAULT_TOKEN: vault.token, ...more });
  const file = (text: string) => {
    writeFileSync(join(folder, 'secret'), text);
    return join(folder, 'secret');
  };

  test('sealed; no such key; no such engine; a token that is refused', async () => {
    vault.sealed = true;
    expect(await faultOf(withToken().wrap('k1', aKey()))).toBe('Vault is sealed: unseal it');
    vault.sealed = false;
    const noKey = withToken({ KEYWAY_VAULT_TRANSIT_KEY: 'other' });
    expect(await faultOf(noKey.wrap('k1', aKey()))).toContain(
      'no key by the name of KEYWAY_VAULT_TRANSIT_KEY',
    );
    const noMount = withToken({ KEYWAY_VAULT_TRANSIT_MOUNT: 'team/transit' });
    expect(await faultOf(noMount.wrap('k1', aKey()))).toContain('KEYWAY_VAULT_TRANSIT_MOUNT');
    const refused = withToken({ KEYWAY_VAULT_TOKEN: 'hvs.marked' });
    expect(await faultOf(refused.wrap('k1', aKey()))).toContain('its policy does not allow');
    vault.disturbed = { status: 500, body: { errors: ['1 error occurred: marked'] } };
    expect(await faultOf(withToken().wrap('k1', aKey()))).toBe('Vault answers with status 500');
    vault.disturbed = { status: 200, body: ['marked'] };
    expect(await faultOf(withToken().wrap('k1', aKey()))).toContain('neither Vault nor OpenBao');
  });

  test('a version that may not be decrypted any more', async () => {
    const text = await withToken().wrap('k1', aKey());
    vault.rotate();
    vault.minDecryptionVersion = 2;
    expect(await faultOf(withToken().unwrap('k1', text))).toContain('min_decryption_version');
  });

  test('one that takes no notice of associated data takes no other key for this one either', async () => {
    vault.old = true;
    const text = await withToken().wrap('k1', aKey());
    expect(await faultOf(withToken().unwrap('k2', text))).toContain('does not take it for this key');
  });

  test('a token file is read anew', async () => {
    const path = file('hvs.marked\n');
    const provider = chosenBy({ ...vault.environment, KEYWAY_VAULT_TOKEN_FILE: path });
    expect(await faultOf(provider.wrap('k1', aKey()))).toContain('refuses the token');
    file(`${vault.token}\n`);
    expect(await provider.wrap('k1', aKey())).toMatch(/^vault:v1:/);
    rmSync(path);
    expect(await faultOf(provider.wrap('k1', aKey()))).toContain('KEYWAY_VAULT_TOKEN_FILE');
  });

  test.each([
    [
      'AppRole',
      (path: string) => ({ KEYWAY_VAULT_APPROLE_ID: vault.roleId, KEYWAY_VAULT_APPROLE_SECRET_FILE: path }),
    ],
    [
      'Kubernetes',
      (path: string) => ({
        KEYWAY_VAULT_KUBERNETES_ROLE: 'keyway',
        KEYWAY_VAULT_KUBERNETES_TOKEN_FILE: path,
      }),
    ],
  ])('by %s it logs in once, and again where its token is refused', async (_, login) => {
    const provider = chosenBy({ ...vault.environment, ...login(file(vault.secretId)) });
    const logins = () => vault.asked.filter(({ what }) => what.endsWith('/login')).length;
    const text = await provider.wrap('k1', aKey());
    await provider.unwrap('k1', text);
    expect(logins()).toBe(1);
    vault.token = 'hvs.another';
    await provider.unwrap('k1', text);
    expect(logins()).toBe(2);
    const wrong = chosenBy({ ...vault.environment, ...login(file('marked-wrong')) });
    expect(await faultOf(wrong.unwrap('k1', text))).toContain('does not let Keyway log in');
  });

  test('by TLS the authorities of the file are trusted, and others only without one', async () => {
    const certificate = selfSigned('localhost');
    const byTls = await startTransit(certificate);
    try {
      const trusting = (cert: string) => {
        writeFileSync(join(folder, 'ca.pem'), cert);
        return chosenBy({
          ...byTls.environment,
          KEYWAY_VAULT_TOKEN: byTls.token,
          ...(cert !== '' && { KEYWAY_VAULT_CA_FILE: join(folder, 'ca.pem') }),
        });
      };
      expect(await trusting(certificate.cert).wrap('k1', aKey())).toMatch(/^vault:v1:/);
      for (const cert of ['', selfSigned('localhost').cert])
        expect(await faultOf(trusting(cert).wrap('k1', aKey()))).toContain(
          'shows a certificate that does not hold',
        );
      expect(byTls.asked).toHaveLength(1);
    } finally {
      await byTls.stop();
    }
  });

  test('a namespace is named, each call is bound to purpose and id, and a file of authorities that cannot be read is a fault', async () => {
    const provider = withToken({ KEYWAY_VAULT_NAMESPACE: 'team' });
    await provider.unwrap('k1', await provider.wrap('k1', aKey()));
    expect(vault.asked.map(({ headers }) => headers['x-vault-namespace'])).toEqual(['team', 'team']);
    const bound = Buffer.from('keyway/kek/v1/k1').toString('base64');
    expect(vault.asked.map(({ body }) => body['associated_data'])).toEqual([bound, bound]);
    const noFile = withToken({ KEYWAY_VAULT_CA_FILE: join(folder, 'no-such') });
    expect(await faultOf(noFile.wrap('k1', aKey()))).toContain('KEYWAY_VAULT_CA_FILE');
  });

  test('R17, R19: one that is down, hangs, or answers without end is a fault as well', async () => {
    vault.disturbed = { status: 200, body: { data: { ciphertext: 'A'.repeat(200_000) } } };
    expect(await faultOf(withToken().wrap('k1', aKey()))).toContain('does not answer');
    vault.disturbed = 'hangs';
    expect(await faultOf(withToken().wrap('k1', aKey()))).toContain('does not answer');
    await vault.down();
    expect(await faultOf(withToken().wrap('k1', aKey()))).toContain('KEYWAY_VAULT_ADDRESS');
  });
});
