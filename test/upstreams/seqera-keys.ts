/** What a provider's keys hold: text, or true and false. */
export type Keys = Record<string, string | boolean>;

// ! is write-only; ? is so in the API file and not in the list of providers, so that it may come back or not.
const members: Record<string, string> = {
  aws: 'accessKey secretKey! assumeRoleArn externalId mode',
  azure: 'batchName batchKey! storageName storageKey!',
  azure_entra: 'batchName batchKey! storageName storageKey! tenantId clientId clientSecret!',
  'azure-cloud': 'batchName batchKey! storageName storageKey! tenantId clientId clientSecret! subscriptionId',
  google: 'data! serviceAccountEmail workloadIdentityProvider tokenAudience',
  github: 'username password! token?',
  github_app: 'appId clientId clientSecret! privateKey! webhookSecret! slug',
  gitlab: 'username password! token!',
  bitbucket: 'username password! token!',
  gitea: 'username password! token?',
  codecommit: 'username password! token',
  azurerepos: 'username password! token?',
  ssh: 'privateKey! passphrase!',
  k8s: 'token! certificate? privateKey!',
  'container-reg': 'userName password! registry',
  'tw-agent': 'connectionId workDir shared',
  seqeracompute: 'accessKey secretKey! assumeRoleArn externalId mode',
  s3: 'accessKey secretKey! pathStyleAccessEnabled',
};
const booleans = new Set(['shared', 'pathStyleAccessEnabled']);

/** The providers that a credential may name. */
export const providers = Object.keys(members);

/** Which members the keys of this provider may have, and which of them never come back. */
export function membersOf(provider: string, showsDisputed: boolean): { name: string; writeOnly: boolean }[] {
  return (members[provider] ?? '')
    .split(' ')
    .filter(Boolean)
    .map((text) => ({
      name: text.replace(/[!?]$/, ''),
      writeOnly: text.endsWith('!') || (text.endsWith('?') && !showsDisputed),
    }));
}

/** The keys as they are stored; a text that says what is wrong with them, where they are none of this provider. */
export function readKeys(provider: string, sent: unknown): Keys | string {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) return 'Missing keys';
  const known = new Set(membersOf(provider, false).map(({ name }) => name));
  const keys: Keys = {};
  for (const [name, value] of Object.entries(sent)) {
    if (!known.has(name)) return `Unknown property [${name}]`;
    if (value === null) continue;
    if (typeof value !== (booleans.has(name) ? 'boolean' : 'string')) return `Wrong type of [${name}]`;
    keys[name] = value as string | boolean;
  }
  if (Object.keys(keys).length === 0) return 'Missing keys';
  return faultOfMode(keys) ?? keys;
}

function faultOfMode({ mode, assumeRoleArn, accessKey, secretKey }: Keys): string | undefined {
  if (mode === undefined) return undefined;
  if (mode !== 'keys' && mode !== 'role') return 'Unknown mode';
  if (mode === 'keys') return undefined;
  if (assumeRoleArn === undefined) return 'Mode [role] needs a role';
  return (accessKey ?? secretKey) ? 'Mode [role] takes no key pair' : undefined;
}

/** The keys as an answer shows them: what is not write-only, and the provider once more. */
export function shownKeys(provider: string, keys: Keys, showsDisputed: boolean): Keys {
  const shown = membersOf(provider, showsDisputed).filter(
    ({ name, writeOnly }) => !writeOnly && name in keys,
  );
  return {
    discriminator: provider,
    // A member that was found in the keys has a value.
    ...Object.fromEntries(shown.map(({ name }) => [name, keys[name] as string | boolean])),
  };
}
