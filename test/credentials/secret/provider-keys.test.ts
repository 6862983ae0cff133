import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { validate } from 'class-validator';
import {
  getNamedType,
  graphql,
  GraphQLEnumType,
  GraphQLInputObjectType,
  GraphQLNonNull,
  type GraphQLSchema,
} from 'graphql';
import { Arg, buildSchema, Query, Resolver } from 'type-graphql';
import {
  AwsKeysMode,
  checkedProviderKeys,
  GitKeysInput,
  GoogleKeysInput,
  ProviderKeysInput,
  SshKeysInput,
} from '../../../src/credentials/secret/provider-keys.input.js';
import { Provider } from '../../../src/credentials/record/provider.js';
import { KeywayError } from '../../../src/errors.js';
import { faultsOf } from '../../../src/inputs/rules.js';
import { Secret } from '../../../src/secret.js';

const path = 'input.secret.providerKeys';

interface Vectors {
  providers: Record<string, { inProviderEnum: boolean; keys: Record<string, { type: string }> }>;
}
const vectors = JSON.parse(
  readFileSync(new URL('../../vectors/seqera-providers.json', import.meta.url), 'utf8'),
) as Vectors;
const vendor = Object.entries(vectors.providers).filter(([, provider]) => provider.inProviderEnum);
const camel = (name: string) => name.replace(/[-_](\w)/g, (_, letter: string) => letter.toUpperCase());

let received: ProviderKeysInput | undefined;

@Resolver()
class Door {
  @Query(() => [Provider])
  providers(): Provider[] {
    return Object.values(Provider);
  }

  @Query(() => String)
  checked(@Arg('keys', () => ProviderKeysInput) keys: ProviderKeysInput): string {
    received = keys;
    const { provider, keys: checked } = checkedProviderKeys(keys, 'keys');
    return `${provider} ${checked.map(({ name, value }) => `${name}=${value.expose()}`).join(' ')}`;
  }
}

let schema: GraphQLSchema;
beforeAll(async () => {
  schema = await buildSchema({
    resolvers: [Door],
    validate: {
      whitelist: true,
      forbidUnknownValues: true,
      validationError: { target: false, value: false },
    },
  });
});

const input = (member: keyof ProviderKeysInput, keys: object) =>
  Object.assign(new ProviderKeysInput(), { [member]: keys });

const checked = (member: keyof ProviderKeysInput, keys: object) => {
  const { provider, keys: values } = checkedProviderKeys(input(member, keys), path);
  return [provider, Object.fromEntries(values.map(({ name, value }) => [name, value.expose()]))];
};

describe('the graph', () => {
  test('has the providers of the vendor, each with its members', () => {
    const type = schema.getType('ProviderKeysInput') as GraphQLInputObjectType;
    const names = (schema.getType('Provider') as GraphQLEnumType).getValues().map((value) => value.name);
    expect(names.sort()).toEqual(vendor.map(([name]) => name.replace('-', '_').toUpperCase()).sort());
    expect(Object.keys(type.getFields()).sort()).toEqual(vendor.map(([name]) => camel(name)).sort());
    for (const [name, { keys }] of vendor) {
      const of = getNamedType(type.getFields()[camel(name)]?.type) as GraphQLInputObjectType;
      const older = of.name === 'GitKeysInput' ? ['accessKey', 'secretKey'] : [];
      expect([name, Object.keys(of.getFields()).sort()]).toEqual([
        name,
        [...Object.keys(keys), ...older].sort(),
      ]);
      for (const [member, { type: kind }] of Object.entries(keys)) {
        const expected = member === 'mode' ? 'AwsKeysMode' : kind === 'boolean' ? 'Boolean' : 'String';
        expect(getNamedType(of.getFields()[member]?.type)?.name).toBe(expected);
      }
    }
  });

  test('leaves every member of AwsKeysInput nullable, and describes all members', () => {
    const types = Object.values(schema.getTypeMap()).filter(
      (type): type is GraphQLInputObjectType => type instanceof GraphQLInputObjectType,
    );
    expect(types).toHaveLength(14);
    for (const type of types) {
      expect([type.name, type.description]).toEqual([type.name, expect.stringMatching(/\.$/)]);
      for (const field of Object.values(type.getFields())) {
        expect([type.name, field.name, field.description]).toEqual([
          type.name,
          field.name,
          expect.stringMatching(/\.$/),
        ]);
        if (type.name === 'AwsKeysInput') expect(field.type).not.toBeInstanceOf(GraphQLNonNull);
      }
    }
  });

  test('S11: every member of every input has a rule, so that none is taken out', async () => {
    for (const [name, { keys }] of vendor) {
      const values = Object.fromEntries(
        Object.entries(keys).map(([key, { type }]) => [key, valueFor(key, type)]),
      );
      const result = await graphql({
        schema,
        source: 'query Checked($keys: ProviderKeysInput!) { checked(keys: $keys) }',
        variableValues: { keys: { [camel(name)]: values } },
      });
      const member = received?.[camel(name) as keyof ProviderKeysInput];
      expect(Object.keys(member ?? {}).sort()).toEqual(Object.keys(keys).sort());
      if (!['aws', 'google', 'k8s', 'seqeracompute'].includes(name)) expect(result.errors).toBeUndefined();
    }
  });

  test('S11: an over-long, empty or NUL value is refused by its path', async () => {
    const bad = input(
      'github',
      Object.assign(new GitKeysInput(), { username: 'a\nb', token: '', password: '\0' }),
    );
    const faults = faultsOf(await validate(bad), path);
    expect(faults.map((fault) => fault.path)).toEqual(
      ['username', 'password', 'token'].map((name) => `${path}.github.${name}`),
    );
  });

  test.each([
    ['github', 'username', 2_048],
    ['github', 'password', 4_096],
    ['ssh', 'privateKey', 65_536],
  ] as const)('S11: %s.%s has %i bytes at most, and one at least', async (member, name, most) => {
    const refused = async (length: number) => {
      const keys = member === 'ssh' ? new SshKeysInput() : new GitKeysInput();
      const given = input(member, Object.assign(keys, { username: 'x', [name]: 'x'.repeat(length) }));
      return faultsOf(await validate(given), path).map((fault) => fault.path);
    };
    expect(await Promise.all([1, most].map(refused))).toEqual([[], []]);
    const fault = [`${path}.${member}.${name}`];
    expect(await Promise.all([0, most + 1].map(refused))).toEqual([fault, fault]);
  });
});

describe('checkedProviderKeys', () => {
  const role = 'arn:aws:iam::123456789012:role/keyway';
  const pair = { accessKey: 'AKIA', secretKey: 's' };
  const identity = { serviceAccountEmail: 'a@b.c', workloadIdentityProvider: 'p', tokenAudience: 't' };
  const entra = { tenantId: 't', clientId: 'c', clientSecret: 's' };

  test.each<[keyof ProviderKeysInput, Provider, object]>([
    ['aws', Provider.AWS, pair],
    ['aws', Provider.AWS, { ...pair, assumeRoleArn: role, externalId: 'e', mode: AwsKeysMode.KEYS }],
    ['aws', Provider.AWS, { assumeRoleArn: role, mode: AwsKeysMode.ROLE }],
    ['aws', Provider.AWS, { assumeRoleArn: role }],
    ['google', Provider.GOOGLE, { serviceAccountEmail: 'a@b.c', workloadIdentityProvider: 'p' }],
    [
      'seqeracompute',
      Provider.SEQERACOMPUTE,
      { assumeRoleArn: role, externalId: 'e', mode: AwsKeysMode.ROLE },
    ],
    ['azure', Provider.AZURE, { batchName: 'b', batchKey: 'k' }],
    ['azure', Provider.AZURE, { batchName: 'b', batchKey: 'k', storageName: 's', storageKey: 'k' }],
    ['azureEntra', Provider.AZURE_ENTRA, { batchName: 'b', storageName: 's', ...entra }],
    ['azureCloud', Provider.AZURE_CLOUD, { ...entra, subscriptionId: 's' }],
    ['google', Provider.GOOGLE, { data: '{"type": "service_account"}' }],
    ['google', Provider.GOOGLE, identity],
    ['github', Provider.GITHUB, { username: 'u', token: 't' }],
    ['gitlab', Provider.GITLAB, { username: 'u', password: 'p', token: 't' }],
    ['bitbucket', Provider.BITBUCKET, { username: 'u', password: 'p' }],
    ['gitea', Provider.GITEA, { username: 'u', password: 'p' }],
    ['codecommit', Provider.CODECOMMIT, { username: 'u', password: 'p' }],
    ['azurerepos', Provider.AZUREREPOS, { username: 'u', token: 't' }],
    ['github', Provider.GITHUB, pair],
    ['githubApp', Provider.GITHUB_APP, { appId: '1', privateKey: 'k' }],
    [
      'githubApp',
      Provider.GITHUB_APP,
      { appId: '1', clientId: 'c', clientSecret: 's', privateKey: 'k', slug: 'app' },
    ],
    ['ssh', Provider.SSH, { privateKey: 'k', passphrase: 'p' }],
    ['k8s', Provider.K8S, { token: 't' }],
    ['k8s', Provider.K8S, { certificate: 'c', privateKey: 'k' }],
    [
      'containerReg',
      Provider.CONTAINER_REG,
      { userName: 'ci-bot', password: 'p', registry: 'images.example.com' },
    ],
    ['twAgent', Provider.TW_AGENT, { connectionId: 'c', workDir: '/work' }],
    ['s3', Provider.S3, pair],
  ])('takes %s as %s: %j', (member, provider, keys) =>
    expect(checked(member, keys)).toEqual([provider, keys]),
  );

  test('keeps booleans as text, and leaves out null and what the vendor does not name', () => {
    expect(checked('twAgent', { connectionId: 'c', workDir: null, shared: true, id: 'x' })).toEqual([
      Provider.TW_AGENT,
      { connectionId: 'c', shared: 'true' },
    ]);
    expect(checked('s3', { ...pair, pathStyleAccessEnabled: false })[1]).toEqual({
      ...pair,
      pathStyleAccessEnabled: 'false',
    });
    expect(checked('aws', { ...pair, mode: null, assumeRoleArn: undefined })[1]).toEqual(pair);
  });

  test('S41: hands the values on as secrets', () => {
    const { keys } = checkedProviderKeys(input('github', { username: 'u', token: 'MARKER' }), path);
    expect(JSON.stringify(keys)).not.toContain('MARKER');
    for (const { value } of keys) expect(value).toBeInstanceOf(Secret);
  });

  test.each<[keyof ProviderKeysInput, object, string[]]>([
    ['aws', {}, ['accessKey', 'secretKey']],
    ['aws', { accessKey: 'a' }, ['secretKey']],
    ['aws', { secretKey: 's' }, ['accessKey']],
    ['aws', { assumeRoleArn: role, mode: AwsKeysMode.KEYS }, ['accessKey', 'secretKey']],
    ['aws', { ...pair, externalId: 'e' }, ['assumeRoleArn']],
    ['aws', { mode: AwsKeysMode.ROLE }, ['assumeRoleArn']],
    ['aws', { mode: AwsKeysMode.ROLE, assumeRoleArn: role, accessKey: 'a' }, ['accessKey']],
    ['seqeracompute', { mode: AwsKeysMode.ROLE, ...pair }, ['accessKey', 'secretKey', 'assumeRoleArn']],
    ['azure', {}, ['']],
    ['azure', { batchName: 'b' }, ['batchKey']],
    ['azure', { batchKey: 'k', storageName: 's', storageKey: 'k' }, ['batchName']],
    ['azure', { batchName: 'b', batchKey: 'k', storageKey: 's' }, ['storageName']],
    ['azureEntra', { batchName: 'b' }, ['tenantId', 'clientId', 'clientSecret']],
    ['azureEntra', { ...entra, batchKey: 'k', storageKey: 'k' }, ['batchName', 'storageName']],
    ['azureCloud', entra, ['subscriptionId']],
    ['google', {}, ['']],
    ['google', { data: 'MARKER' }, ['data']],
    ['google', { data: '["MARKER"]' }, ['data']],
    ['google', { data: 'null' }, ['data']],
    ['google', { data: '{"MARKER": }' }, ['data']],
    ['google', { serviceAccountEmail: 'a@b.c' }, ['workloadIdentityProvider']],
    ['google', { tokenAudience: 't' }, ['serviceAccountEmail', 'workloadIdentityProvider']],
    ['google', { data: '{}', tokenAudience: 't' }, ['tokenAudience']],
    ['github', {}, ['']],
    ['github', { username: 'u' }, ['']],
    ['gitlab', { token: 't' }, ['username']],
    ['bitbucket', { accessKey: 'a' }, ['secretKey']],
    ['gitea', { secretKey: 's' }, ['accessKey']],
    ['codecommit', { username: 'u', token: 't', secretKey: 's' }, ['secretKey']],
    ['githubApp', { clientSecret: 's' }, ['appId', 'privateKey', 'clientId']],
    ['ssh', { passphrase: 'p' }, ['privateKey']],
    ['k8s', {}, ['']],
    ['k8s', { certificate: 'c' }, ['privateKey']],
    ['k8s', { privateKey: 'k' }, ['certificate']],
    ['k8s', { token: 't', certificate: 'c', privateKey: 'k' }, ['certificate', 'privateKey']],
    ['containerReg', { registry: 'r' }, ['userName', 'password']],
    ['twAgent', { shared: false }, ['connectionId']],
    ['s3', { pathStyleAccessEnabled: true }, ['accessKey', 'secretKey']],
  ])('S10: refuses %s %j at %j, without a value', (member, keys, at) => {
    const values = Object.fromEntries(
      Object.entries(keys).map(([name, value]: [string, unknown]) => [
        name,
        typeof value === 'string' && !['mode', 'data'].includes(name) ? `MARKER-${value}` : value,
      ]),
    );
    const error = refusal(input(member, values));
    expect(error.code).toBe('BAD_USER_INPUT');
    expect(error.fields.map((fault) => fault.path)).toEqual(
      at.map((name) => [path, member, name].filter(Boolean).join('.')),
    );
    expect(JSON.stringify([error.message, error.fields, error.cause])).not.toContain('MARKER');
  });

  test('refuses none, and more than one', () => {
    const one = Object.assign(new GoogleKeysInput(), { data: '{}' });
    const two = Object.assign(input('google', one), { ssh: { privateKey: 'k' } });
    for (const wrong of [
      new ProviderKeysInput(),
      Object.assign(new ProviderKeysInput(), { aws: null }),
      two,
    ]) {
      expect(refusal(wrong).fields).toEqual([{ path, message: 'exactly one of its members must be given' }]);
    }
  });
});

function valueFor(key: string, type: string): unknown {
  if (type === 'boolean') return true;
  if (key === 'mode') return 'KEYS';
  return 'x';
}

function refusal(wrong: ProviderKeysInput): KeywayError {
  try {
    checkedProviderKeys(wrong, path);
  } catch (error) {
    if (error instanceof KeywayError) return error;
  }
  throw new Error('no KeywayError was thrown');
}
