import { Field, InputType, registerEnumType } from 'type-graphql';
import { KeywayError, type FieldFault } from '../../errors.js';
import { AsTyped, Line, Nested, Optional, SecretText } from '../../inputs/rules.js';
import { Secret } from '../../secret.js';
import { Provider } from '../record/provider.js';

/** How AWS is reached; the values are the vendor's. */
export enum AwsKeysMode {
  KEYS = 'keys',
  ROLE = 'role',
}

registerEnumType(AwsKeysMode, {
  name: 'AwsKeysMode',
  description: 'How to authenticate to AWS.',
  valuesConfig: {
    KEYS: {
      description: 'With an access key and a secret key; with them a role is assumed, if one is named.',
    },
    ROLE: { description: 'By assuming a role, without keys of your own.' },
  },
});

const text = (description: string, rule: PropertyDecorator): PropertyDecorator =>
  all(
    Field(() => String, { nullable: true, description }),
    Optional(),
    rule,
  );

const needed = (description: string, rule: PropertyDecorator): PropertyDecorator =>
  all(
    Field(() => String, { description }),
    rule,
  );

const flag = (description: string): PropertyDecorator =>
  all(
    Field(() => Boolean, { nullable: true, description }),
    Optional(),
    AsTyped(),
  );

function all(...decorators: PropertyDecorator[]): PropertyDecorator {
  return (target, property) => decorators.forEach((decorate) => decorate(target, property));
}

const plain = () => Line(1, 2048);
const secret = () => SecretText(4096);
const longSecret = () => SecretText(65_536);

@InputType({
  description: 'Keys of AWS: an access key with its secret key, or a role to assume.',
})
export class AwsKeysInput {
  @text('The access key id. Comes with `secretKey`.', plain())
  accessKey?: string | null;

  @text('The secret access key.', secret())
  secretKey?: string | null;

  @text('The ARN of the role to assume. Needed if `mode` is ROLE.', plain())
  assumeRoleArn?: string | null;

  @text('The external id that the trust policy of the role asks for.', plain())
  externalId?: string | null;

  @all(
    Field(() => AwsKeysMode, {
      nullable: true,
      description: 'How to authenticate to AWS; KEYS, if left out.',
    }),
    Optional(),
    AsTyped(),
  )
  mode?: AwsKeysMode | null;
}

@InputType({
  description: 'Keys of Azure Batch and Azure Storage: a name and a key for at least one of the two.',
})
export class AzureKeysInput {
  @text('The name of the Batch account. Comes with `batchKey`.', plain())
  batchName?: string | null;

  @text('The key of the Batch account.', secret())
  batchKey?: string | null;

  @text('The name of the Storage account. Comes with `storageKey`.', plain())
  storageName?: string | null;

  @text('The key of the Storage account.', secret())
  storageKey?: string | null;
}

@InputType({
  description: 'A service principal of Microsoft Entra, and the Batch and Storage accounts that it uses.',
})
export class AzureEntraKeysInput {
  @needed('The tenant (directory) id.', plain())
  tenantId: string;

  @needed('The client (application) id of the service principal.', plain())
  clientId: string;

  @needed('The client secret of the service principal.', secret())
  clientSecret: string;

  @text('The name of the Batch account.', plain())
  batchName?: string | null;

  @text('The key of the Batch account. Only with `batchName`.', secret())
  batchKey?: string | null;

  @text('The name of the Storage account.', plain())
  storageName?: string | null;

  @text('The key of the Storage account. Only with `storageName`.', secret())
  storageKey?: string | null;
}

@InputType({ description: 'A service principal of Microsoft Entra, with an Azure subscription.' })
export class AzureCloudKeysInput extends AzureEntraKeysInput {
  @needed('The id of the Azure subscription.', plain())
  subscriptionId: string;
}

@InputType({
  description:
    'Keys of Google Cloud: a service account key (`data`), or a workload identity: `serviceAccountEmail` with `workloadIdentityProvider`.',
})
export class GoogleKeysInput {
  @text('The service account key: the whole JSON file, as text.', longSecret())
  data?: string | null;

  @text('Workload identity: the e-mail address of the service account.', plain())
  serviceAccountEmail?: string | null;

  @text('Workload identity: the full name of the provider.', plain())
  workloadIdentityProvider?: string | null;

  @text('Workload identity: the audience of the token; that of the provider, if left out.', plain())
  tokenAudience?: string | null;
}

@InputType({
  description:
    'Keys of a Git host: `username` with `password` or `token`; or `accessKey` with `secretKey`, for AWS CodeCommit and in an older form.',
})
export class GitKeysInput {
  @text('The user name at the service.', plain())
  username?: string | null;

  @text('The password, or an app password.', secret())
  password?: string | null;

  @text('A personal access token.', secret())
  token?: string | null;

  @text('The user name, in the older form. Comes with `secretKey`.', plain())
  accessKey?: string | null;

  @text('The password or token, in the older form.', secret())
  secretKey?: string | null;
}

@InputType({ description: 'The id and the secrets of a GitHub App, for `githubApp`.' })
export class GithubAppKeysInput {
  @needed('The id that GitHub gave the app.', plain())
  appId: string;

  @needed('The private key of the app, in PEM.', longSecret())
  privateKey: string;

  @text('The client id of the app.', plain())
  clientId?: string | null;

  @text('The client secret of the app. Comes with `clientId`.', secret())
  clientSecret?: string | null;

  @text('The secret that webhooks of the app are signed with.', secret())
  webhookSecret?: string | null;

  @text('The name of the app in its URL.', plain())
  slug?: string | null;
}

@InputType({ description: 'A private key for SSH, for `ssh`.' })
export class SshKeysInput {
  @needed('The private key, in PEM or the format of OpenSSH.', longSecret())
  privateKey: string;

  @text('The passphrase that the private key is protected with.', secret())
  passphrase?: string | null;
}

@InputType({ description: 'Keys of Kubernetes: `token`, or `certificate` with `privateKey`.' })
export class K8sKeysInput {
  @text('The token of a service account.', longSecret())
  token?: string | null;

  @text('The client certificate, in PEM. Comes with `privateKey`.', longSecret())
  certificate?: string | null;

  @text('The private key of the client certificate, in PEM.', longSecret())
  privateKey?: string | null;
}

@InputType({ description: 'Keys of a container registry.' })
export class ContainerRegKeysInput {
  @needed('The user name at the registry.', plain())
  userName: string;

  @needed('The password or access token.', longSecret())
  password: string;

  @text('The host name of the registry, such as `images.example.com`; Docker Hub, if left out.', plain())
  registry?: string | null;
}

@InputType({ description: 'The connection to a Tower Agent.' })
export class TwAgentKeysInput {
  @needed('The connection id that the agent was started with.', plain())
  connectionId: string;

  @text('The work directory of the agent.', plain())
  workDir?: string | null;

  @flag('Whether the whole workspace may use the agent.')
  shared?: boolean | null;
}

@InputType({
  description:
    'Keys of AWS for Seqera Compute: an access key with its secret key, or, if `mode` is ROLE, a role to assume.',
})
export class SeqeracomputeKeysInput extends AwsKeysInput {}

@InputType({ description: 'Keys of a storage service with the S3 API.' })
export class S3KeysInput {
  @needed('The access key, the public half of the pair.', plain())
  accessKey: string;

  @needed('The secret key that belongs to `accessKey`.', secret())
  secretKey: string;

  @flag('Whether buckets are named in the path instead of the host name.')
  pathStyleAccessEnabled?: boolean | null;
}

const keysOf = (type: () => new () => object, description: string): PropertyDecorator =>
  all(Field(type, { nullable: true, description }), Optional(), Nested());

@InputType({
  description:
    'The keys of one provider, in fields with the names that the provider uses. Exactly one field must be given.',
})
export class ProviderKeysInput {
  @keysOf(() => AwsKeysInput, 'Amazon Web Services.')
  aws?: AwsKeysInput | null;

  @keysOf(() => AzureKeysInput, 'Azure Batch and Storage, by account keys.')
  azure?: AzureKeysInput | null;

  @keysOf(() => AzureEntraKeysInput, 'Azure Batch and Storage, by a service principal.')
  azureEntra?: AzureEntraKeysInput | null;

  @keysOf(() => AzureCloudKeysInput, 'Azure, by a service principal with a subscription.')
  azureCloud?: AzureCloudKeysInput | null;

  @keysOf(() => GoogleKeysInput, 'Google Cloud.')
  google?: GoogleKeysInput | null;

  @keysOf(() => GitKeysInput, 'GitHub, as a user.')
  github?: GitKeysInput | null;

  @keysOf(() => GithubAppKeysInput, 'GitHub, in the name of an app instead of a user.')
  githubApp?: GithubAppKeysInput | null;

  @keysOf(() => GitKeysInput, 'Git repositories at GitLab.')
  gitlab?: GitKeysInput | null;

  @keysOf(() => GitKeysInput, 'Git repositories at Bitbucket.')
  bitbucket?: GitKeysInput | null;

  @keysOf(() => GitKeysInput, 'Git repositories at a Gitea server.')
  gitea?: GitKeysInput | null;

  @keysOf(() => GitKeysInput, 'AWS CodeCommit.')
  codecommit?: GitKeysInput | null;

  @keysOf(() => GitKeysInput, 'Azure Repos.')
  azurerepos?: GitKeysInput | null;

  @keysOf(() => SshKeysInput, 'Systems that are reached by SSH.')
  ssh?: SshKeysInput | null;

  @keysOf(() => K8sKeysInput, 'Kubernetes.')
  k8s?: K8sKeysInput | null;

  @keysOf(() => ContainerRegKeysInput, 'A container registry.')
  containerReg?: ContainerRegKeysInput | null;

  @keysOf(() => TwAgentKeysInput, 'Tower Agent.')
  twAgent?: TwAgentKeysInput | null;

  @keysOf(() => SeqeracomputeKeysInput, 'Seqera Compute.')
  seqeracompute?: SeqeracomputeKeysInput | null;

  @keysOf(() => S3KeysInput, 'A storage service with the S3 API.')
  s3?: S3KeysInput | null;
}

/**
 * The one provider that was given, and its keys under the provider's own names; what was left out or null is not among
 * them.
 * @throws BAD_USER_INPUT, with every fault by its path below `path`, where the keys do not make a set that the provider
 * can work with.
 */
export function checkedProviderKeys(
  input: ProviderKeysInput,
  path: string,
): { provider: Provider; keys: { name: string; value: Secret }[] } {
  const given = members.flatMap((member) => (input[member] ? [{ member, keys: input[member] }] : []));
  const [only, ...others] = given;
  if (!only || others.length > 0)
    throw keysRefused([{ path, message: 'exactly one of its members must be given' }]);
  const { provider, names, rules } = providers[only.member];
  const keys = present(only.keys, names);
  const faults = rules.flatMap((rule) => rule(keys));
  if (faults.length > 0) {
    throw keysRefused(
      faults.map((fault) => ({ ...fault, path: [path, only.member, fault.path].filter(Boolean).join('.') })),
    );
  }
  return { provider, keys: [...keys].map(([name, value]) => ({ name, value: Secret.of(value) })) };
}

const keysRefused = (fields: FieldFault[]) => new KeywayError('BAD_USER_INPUT', undefined, { fields });

type Keys = ReadonlyMap<string, string>;
type KeysRule = (keys: Keys) => FieldFault[];

function present(keys: object, names: readonly string[]): Keys {
  const values = new Map<string, unknown>(Object.entries(keys));
  return new Map(
    names.flatMap((name): [string, string][] => {
      const value = values.get(name);
      return typeof value === 'string' || typeof value === 'boolean' ? [[name, String(value)]] : [];
    }),
  );
}

const required =
  (...names: string[]): KeysRule =>
  (keys) =>
    names.filter((name) => !keys.has(name)).map((name) => ({ path: name, message: 'is required' }));

const needs =
  (name: string, companion: string): KeysRule =>
  (keys) =>
    keys.has(name) && !keys.has(companion) ? [{ path: companion, message: `is required with ${name}` }] : [];

const pair =
  (one: string, other: string): KeysRule =>
  (keys) => [...needs(one, other)(keys), ...needs(other, one)(keys)];

const someOf =
  (message: string, ...names: string[]): KeysRule =>
  (keys) =>
    names.some((name) => keys.has(name)) ? [] : [{ path: '', message }];

/** Of two ways to give the keys, exactly one; then its own rules. */
const eitherWay =
  (message: string, one: Way, other: Way): KeysRule =>
  (keys) => {
    const uses = ({ names }: Way) => names.some((name) => keys.has(name));
    if (!uses(one) && !uses(other)) return [{ path: '', message }];
    if (!uses(one)) return other.rules.flatMap((rule) => rule(keys));
    if (!uses(other)) return one.rules.flatMap((rule) => rule(keys));
    return other.names
      .filter((name) => keys.has(name))
      .map((name) => ({ path: name, message: `must not be given with ${one.names.join(', ')}` }));
  };

interface Way {
  names: string[];
  rules: KeysRule[];
}

const keysOrRole: KeysRule = (keys) => {
  const pairOfKeys = ['accessKey', 'secretKey'];
  if (keys.get('mode') !== AwsKeysMode.ROLE) {
    // A role alone is assumed by what the platform itself is, as before there was a mode.
    if (!keys.has('mode') && keys.has('assumeRoleArn') && !pairOfKeys.some((name) => keys.has(name)))
      return [];
    const missing = pairOfKeys.filter((name) => !keys.has(name));
    return missing.map((path) => ({ path, message: 'is required unless mode is ROLE' }));
  }
  const extra = pairOfKeys.filter((name) => keys.has(name));
  return [
    ...extra.map((path) => ({ path, message: 'must not be given where mode is ROLE' })),
    ...(keys.has('assumeRoleArn')
      ? []
      : [{ path: 'assumeRoleArn', message: 'is required where mode is ROLE' }]),
  ];
};

const jsonObject =
  (name: string): KeysRule =>
  (keys) =>
    isJsonObject(keys.get(name) ?? '{}')
      ? []
      : [{ path: name, message: 'must be the text of a JSON object' }];

function isJsonObject(value: string): boolean {
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
  } catch {
    // The parser's error quotes the text.
    return false;
  }
}

const aws = {
  names: ['accessKey', 'secretKey', 'assumeRoleArn', 'externalId', 'mode'],
  rules: [keysOrRole, needs('externalId', 'assumeRoleArn')],
};
const azurePairs = ['batchName', 'batchKey', 'storageName', 'storageKey'];
const entra = ['tenantId', 'clientId', 'clientSecret'];
const entraRules = [required(...entra), needs('batchKey', 'batchName'), needs('storageKey', 'storageName')];
const identity = ['serviceAccountEmail', 'workloadIdentityProvider'];
const git = {
  names: ['username', 'password', 'token', 'accessKey', 'secretKey'],
  rules: [
    eitherWay(
      'needs username with password or token',
      {
        names: ['username', 'password', 'token'],
        rules: [required('username'), someOf('needs password or token', 'password', 'token')],
      },
      { names: ['accessKey', 'secretKey'], rules: [required('accessKey', 'secretKey')] },
    ),
  ],
};

// Names and rules as in the API of the platform that takes such keys (OpenAPI 1.187) and its official client. GitHub's
// older form is that of the former Nextflow Tower.
const providers: Record<
  keyof ProviderKeysInput,
  { provider: Provider; names: readonly string[]; rules: readonly KeysRule[] }
> = {
  aws: { provider: Provider.AWS, ...aws },
  azure: {
    provider: Provider.AZURE,
    names: azurePairs,
    rules: [
      someOf('needs batchName with batchKey, or storageName with storageKey', ...azurePairs),
      pair('batchName', 'batchKey'),
      pair('storageName', 'storageKey'),
    ],
  },
  azureEntra: { provider: Provider.AZURE_ENTRA, names: [...azurePairs, ...entra], rules: entraRules },
  azureCloud: {
    provider: Provider.AZURE_CLOUD,
    names: [...azurePairs, ...entra, 'subscriptionId'],
    rules: [...entraRules, required('subscriptionId')],
  },
  google: {
    provider: Provider.GOOGLE,
    names: ['data', ...identity, 'tokenAudience'],
    rules: [
      eitherWay(
        `needs data, or both of ${identity.join(' and ')}`,
        { names: ['data'], rules: [jsonObject('data')] },
        { names: [...identity, 'tokenAudience'], rules: [required(...identity)] },
      ),
    ],
  },
  github: { provider: Provider.GITHUB, ...git },
  githubApp: {
    provider: Provider.GITHUB_APP,
    names: ['appId', 'clientId', 'clientSecret', 'privateKey', 'webhookSecret', 'slug'],
    rules: [required('appId', 'privateKey'), needs('clientSecret', 'clientId')],
  },
  gitlab: { provider: Provider.GITLAB, ...git },
  bitbucket: { provider: Provider.BITBUCKET, ...git },
  gitea: { provider: Provider.GITEA, ...git },
  codecommit: { provider: Provider.CODECOMMIT, ...git },
  azurerepos: { provider: Provider.AZUREREPOS, ...git },
  ssh: { provider: Provider.SSH, names: ['privateKey', 'passphrase'], rules: [required('privateKey')] },
  k8s: {
    provider: Provider.K8S,
    names: ['token', 'certificate', 'privateKey'],
    rules: [
      eitherWay(
        'needs token, or certificate with privateKey',
        { names: ['token'], rules: [] },
        { names: ['certificate', 'privateKey'], rules: [required('certificate', 'privateKey')] },
      ),
    ],
  },
  containerReg: {
    provider: Provider.CONTAINER_REG,
    names: ['userName', 'password', 'registry'],
    rules: [required('userName', 'password')],
  },
  twAgent: {
    provider: Provider.TW_AGENT,
    names: ['connectionId', 'workDir', 'shared'],
    rules: [required('connectionId')],
  },
  seqeracompute: { provider: Provider.SEQERACOMPUTE, ...aws },
  s3: {
    provider: Provider.S3,
    names: ['accessKey', 'secretKey', 'pathStyleAccessEnabled'],
    rules: [required('accessKey', 'secretKey')],
  },
};

const members = Object.keys(providers) as (keyof ProviderKeysInput)[];
