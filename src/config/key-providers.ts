import { resolve } from 'node:path';
import { Secret } from '../secret.js';

/** Who wraps new KEKs, and how the providers are reached: also for what they have wrapped before. */
export interface KeyProviderSettings {
  readonly chosen: KeyProviderName;
  readonly awsKms: AwsKmsSettings | undefined;
  readonly vault: VaultSettings | undefined;
}

export type KeyProviderName = 'file' | 'aws-kms' | 'vault';

export interface AwsKmsSettings {
  /** ARNs of keys in one region: the first wraps, and of each what it has wrapped is unwrapped. */
  readonly keys: readonly [string, ...string[]];
  readonly region: string;
  /** Another address than the region's own, such as an interface endpoint. */
  readonly endpoint: string | undefined;
}

export interface VaultSettings {
  readonly address: string;
  readonly namespace: string | undefined;
  /** Where the Transit engine is mounted, and its key. */
  readonly mount: string;
  readonly key: string;
  /** A PEM file: the only authorities that are trusted. */
  readonly caFile: string | undefined;
  readonly login: VaultLogin;
}

/** What proves who Keyway is at Vault. Files are read anew each time. */
export type VaultLogin =
  | { readonly by: 'token'; readonly token: Secret }
  | { readonly by: 'token file'; readonly file: string }
  | { readonly by: 'approle'; readonly mount: string; readonly roleId: string; readonly secretIdFile: string }
  | { readonly by: 'kubernetes'; readonly mount: string; readonly role: string; readonly tokenFile: string };

/** What the settings are read with: a value by its name, and where a fault is told. */
interface Reading {
  readonly text: (name: string) => string | undefined;
  readonly fault: (name: string, message: string) => void;
  readonly production: boolean;
}

/** The settings of the providers of keys. */
export const keyProviderSettings = [
  'KEYWAY_KEK_PROVIDER',
  'KEYWAY_AWS_KMS_KEY',
  'KEYWAY_AWS_KMS_ENDPOINT',
  'KEYWAY_VAULT_ADDRESS',
  'KEYWAY_VAULT_NAMESPACE',
  'KEYWAY_VAULT_CA_FILE',
  'KEYWAY_VAULT_TRANSIT_MOUNT',
  'KEYWAY_VAULT_TRANSIT_KEY',
  'KEYWAY_VAULT_TOKEN',
  'KEYWAY_VAULT_TOKEN_FILE',
  'KEYWAY_VAULT_LOGIN_MOUNT',
  'KEYWAY_VAULT_APPROLE_ID',
  'KEYWAY_VAULT_APPROLE_SECRET_FILE',
  'KEYWAY_VAULT_KUBERNETES_ROLE',
  'KEYWAY_VAULT_KUBERNETES_TOKEN_FILE',
] as const;

/** Reads who keeps the KEKs. Faults are told by name, and never with a value. */
export function readKeyProviders(reading: Reading): KeyProviderSettings {
  const { text, fault } = reading;
  const named = text('KEYWAY_KEK_PROVIDER') ?? 'file';
  const chosen = names.find((name) => name === named);
  if (!chosen) fault('KEYWAY_KEK_PROVIDER', `must be one of ${names.join(', ')}`);
  const awsKms = text('KEYWAY_AWS_KMS_KEY') === undefined ? undefined : readAwsKms(reading);
  const vault = text('KEYWAY_VAULT_ADDRESS') === undefined ? undefined : readVault(reading);
  if (chosen === 'aws-kms' && text('KEYWAY_AWS_KMS_KEY') === undefined)
    fault('KEYWAY_AWS_KMS_KEY', 'must name a key of AWS KMS, as KEYWAY_KEK_PROVIDER is aws-kms');
  if (chosen === 'vault' && text('KEYWAY_VAULT_ADDRESS') === undefined)
    fault('KEYWAY_VAULT_ADDRESS', 'must be the address of Vault or OpenBao, as KEYWAY_KEK_PROVIDER is vault');
  return { chosen: chosen ?? 'file', awsKms, vault };
}

const names: readonly KeyProviderName[] = ['file', 'aws-kms', 'vault'];

// https://docs.aws.amazon.com/kms/latest/developerguide/concepts-key-id-find.html
const keyArn = /^arn:aws[a-z-]*:kms:([a-z]{2}[a-z0-9-]{1,30}):\d{12}:key\/[A-Za-z0-9-]{1,64}$/;

function readAwsKms({ text, fault, production }: Reading): AwsKmsSettings | undefined {
  const [first, ...others] = (text('KEYWAY_AWS_KMS_KEY') ?? '').split(',').map((key) => key.trim());
  const regions = new Set([first ?? '', ...others].map((key) => keyArn.exec(key)?.[1]));
  const [region] = regions;
  const endpoint = addressOf('KEYWAY_AWS_KMS_ENDPOINT', { text, fault, production });
  if (first !== undefined && region !== undefined && regions.size === 1)
    return { keys: [first, ...others], region, endpoint };
  fault(
    'KEYWAY_AWS_KMS_KEY',
    'must be the ARN of a key, arn:aws:kms:REGION:ACCOUNT:key/ID, not of an alias; or several of one region, separated by commas',
  );
  return undefined;
}

function readVault(reading: Reading): VaultSettings | undefined {
  const { text, fault } = reading;
  const address = addressOf('KEYWAY_VAULT_ADDRESS', reading);
  const named = (name: string, fallback?: string) => {
    const value = text(name) ?? fallback;
    if (
      value !== undefined &&
      /^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)*$/.test(value) &&
      !/(^|\/)\.+(\/|$)/.test(value)
    )
      return value;
    if (value !== undefined || name === 'KEYWAY_VAULT_TRANSIT_KEY')
      fault(name, 'must be a name or a path of letters, digits, dots, hyphens and underscores');
    return undefined;
  };
  const mount = named('KEYWAY_VAULT_TRANSIT_MOUNT', 'transit');
  const key = named('KEYWAY_VAULT_TRANSIT_KEY');
  const namespace = named('KEYWAY_VAULT_NAMESPACE');
  const loginMount = named('KEYWAY_VAULT_LOGIN_MOUNT');
  const login = readLogin(reading, loginMount);
  if (!address || !mount || !key || !login) return undefined;
  return { address, namespace, mount, key, caFile: pathOf(text('KEYWAY_VAULT_CA_FILE')), login };
}

function readLogin({ text, fault, production }: Reading, mount: string | undefined): VaultLogin | undefined {
  const token = text('KEYWAY_VAULT_TOKEN');
  const tokenFile = pathOf(text('KEYWAY_VAULT_TOKEN_FILE'));
  const roleId = text('KEYWAY_VAULT_APPROLE_ID');
  const role = text('KEYWAY_VAULT_KUBERNETES_ROLE');
  const ways = [token, tokenFile, roleId, role].filter((way) => way !== undefined);
  if (ways.length !== 1) {
    fault(
      'KEYWAY_VAULT_TOKEN_FILE',
      'or one of KEYWAY_VAULT_APPROLE_ID, KEYWAY_VAULT_KUBERNETES_ROLE and KEYWAY_VAULT_TOKEN must be there, and no two of them',
    );
    return undefined;
  }
  if (tokenFile !== undefined) return { by: 'token file', file: tokenFile };
  if (token !== undefined) {
    if (production)
      fault('KEYWAY_VAULT_TOKEN', 'must not be there in production: use KEYWAY_VAULT_TOKEN_FILE');
    if (!/^[!-~]{1,4096}$/.test(token)) fault('KEYWAY_VAULT_TOKEN', 'must be a token: printable ASCII alone');
    return { by: 'token', token: Secret.of(token) };
  }
  if (role !== undefined) {
    const file = text('KEYWAY_VAULT_KUBERNETES_TOKEN_FILE') ?? serviceAccountToken;
    return { by: 'kubernetes', mount: mount ?? 'kubernetes', role, tokenFile: resolve(file) };
  }
  const secretIdFile = pathOf(text('KEYWAY_VAULT_APPROLE_SECRET_FILE'));
  if (roleId === undefined || secretIdFile === undefined) {
    fault(
      'KEYWAY_VAULT_APPROLE_SECRET_FILE',
      'must name the file with the secret id of KEYWAY_VAULT_APPROLE_ID',
    );
    return undefined;
  }
  return { by: 'approle', mount: mount ?? 'approle', roleId, secretIdFile };
}

// https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken
const serviceAccountToken = '/var/run/secrets/kubernetes.io/serviceaccount/token';

function addressOf(name: string, { text, fault }: Reading): string | undefined {
  const value = text(name);
  if (value === undefined) return undefined;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isHere = url !== undefined && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
  const isPlain =
    url?.username === '' &&
    url.password === '' &&
    url.pathname === '/' &&
    url.search === '' &&
    url.hash === '';
  if (url && isPlain && (url.protocol === 'https:' || (url.protocol === 'http:' && isHere)))
    return url.origin;
  fault(
    name,
    'must be an https address, a host with or without a port and nothing more; http is for this machine alone',
  );
  return undefined;
}

const pathOf = (path: string | undefined) => (path === undefined ? undefined : resolve(path));
