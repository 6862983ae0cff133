import { inspect } from 'node:util';
import { readConfig } from '../../src/config/config.js';

const arn = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const vault = {
  KEYWAY_KEK_PROVIDER: 'vault',
  KEYWAY_VAULT_ADDRESS: 'https://vault.example.com:8200',
  KEYWAY_VAULT_TRANSIT_KEY: 'keyway',
};
const tokenFile = { KEYWAY_VAULT_TOKEN_FILE: '/run/vault/token' };

const read = (environment: Record<string, string>) => readConfig(environment).keyProviders;
function faultsOf(environment: Record<string, string>): string {
  try {
    readConfig(environment);
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}

test('AWS KMS: keys of one region, of which the first wraps', () => {
  const other = arn.replace('1234abcd', 'mrk-abcd');
  expect(read({ KEYWAY_KEK_PROVIDER: 'aws-kms', KEYWAY_AWS_KMS_KEY: arn })).toEqual({
    chosen: 'aws-kms',
    awsKms: { keys: [arn], region: 'eu-central-1', endpoint: undefined },
    vault: undefined,
  });
  expect(read({ KEYWAY_AWS_KMS_KEY: `${arn}, ${other}` })).toMatchObject({
    chosen: 'file',
    awsKms: { keys: [arn, other] },
  });
});

test.each([
  ['an alias', 'arn:aws:kms:eu-central-1:111122223333:alias/keyway'],
  ['no ARN', '1234abcd-12ab-34cd-56ef-1234567890ab'],
  ['another service', arn.replace(':kms:', ':s3:')],
  ['keys of two regions', `${arn},${arn.replace('eu-central-1', 'us-east-1')}`],
  ['an empty place in the list', `${arn},`],
])('AWS KMS: %s is refused', (_, value) => {
  expect(faultsOf({ KEYWAY_AWS_KMS_KEY: value })).toContain('  KEYWAY_AWS_KMS_KEY must be the ARN of a key');
});

test('the provider that is chosen has to be set up', () => {
  expect(faultsOf({ KEYWAY_KEK_PROVIDER: 'aws-kms' })).toContain('  KEYWAY_AWS_KMS_KEY must name a key');
  expect(faultsOf({ KEYWAY_KEK_PROVIDER: 'vault' })).toContain('  KEYWAY_VAULT_ADDRESS must be the address');
  expect(faultsOf({ KEYWAY_KEK_PROVIDER: 'pkcs11' })).toContain(
    '  KEYWAY_KEK_PROVIDER must be one of file, ',
  );
});

test('Vault, by each way to log in', () => {
  const usual = { address: 'https://vault.example.com:8200', mount: 'transit', key: 'keyway' };
  expect(read({ ...vault, ...tokenFile }).vault).toMatchObject({
    ...usual,
    namespace: undefined,
    caFile: undefined,
    login: { by: 'token file', file: '/run/vault/token' },
  });
  const role = { KEYWAY_VAULT_APPROLE_ID: 'role', KEYWAY_VAULT_APPROLE_SECRET_FILE: '/run/vault/secret-id' };
  expect(read({ ...vault, ...role, KEYWAY_VAULT_LOGIN_MOUNT: 'team/approle' }).vault?.login).toEqual({
    by: 'approle',
    mount: 'team/approle',
    roleId: 'role',
    secretIdFile: '/run/vault/secret-id',
  });
  expect(read({ ...vault, KEYWAY_VAULT_KUBERNETES_ROLE: 'keyway' }).vault?.login).toEqual({
    by: 'kubernetes',
    mount: 'kubernetes',
    role: 'keyway',
    tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
  });
  const inline = read({ ...vault, KEYWAY_VAULT_TOKEN: 'hvs.of-nobody' });
  expect(inline.vault?.login.by).toBe('token');
  expect(inspect(inline, { depth: 9 }) + JSON.stringify(inline)).not.toContain('hvs.of-nobody');
});

test.each([
  ['none', {}],
  ['two', { ...tokenFile, KEYWAY_VAULT_KUBERNETES_ROLE: 'keyway' }],
])('Vault: of the ways to log in there is one, and not %s', (_, ways) => {
  expect(faultsOf({ ...vault, ...ways })).toContain('  KEYWAY_VAULT_TOKEN_FILE or one of ');
});

test('Vault: a role without its secret, and in production a token in the environment, are refused', () => {
  expect(faultsOf({ ...vault, KEYWAY_VAULT_APPROLE_ID: 'role' })).toContain(
    '  KEYWAY_VAULT_APPROLE_SECRET_FILE must name the file',
  );
  const token = { ...vault, KEYWAY_VAULT_TOKEN: 'hvs.of-nobody' };
  expect(faultsOf({ ...token, NODE_ENV: 'production' })).toBe(
    'Keyway cannot start:\n  KEYWAY_VAULT_TOKEN must not be there in production: use KEYWAY_VAULT_TOKEN_FILE',
  );
  expect(faultsOf({ ...vault, KEYWAY_VAULT_TOKEN: 'two words' })).toContain(
    '  KEYWAY_VAULT_TOKEN must be a token',
  );
});

test.each([
  ['http://vault.example.com:8200', 'http elsewhere'],
  ['https://vault.example.com:8200/v1', 'a path'],
  ['https://user:pass@vault.example.com', 'a user'],
  ['vault.example.com:8200', 'no scheme'],
])('Vault: %s is no address (%s)', (address) => {
  const faults = faultsOf({ ...vault, ...tokenFile, KEYWAY_VAULT_ADDRESS: address });
  expect(faults).toContain('  KEYWAY_VAULT_ADDRESS must be an https address');
  expect(faults).not.toContain('vault.example.com:8200/v1');
});

test('http is spoken with this machine alone', () => {
  for (const address of ['http://127.0.0.1:8200', 'http://localhost:8200', 'http://[::1]:8200'])
    expect(read({ ...vault, ...tokenFile, KEYWAY_VAULT_ADDRESS: address }).vault?.address).toBe(address);
});

test.each(['../keys', 'a/../b', '/transit', 'key?x', ''])('Vault: «%s» is the name of no key', (key) => {
  expect(faultsOf({ ...vault, ...tokenFile, KEYWAY_VAULT_TRANSIT_KEY: key })).toContain(
    '  KEYWAY_VAULT_TRANSIT_KEY must be a name or a path',
  );
});
