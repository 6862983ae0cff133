import 'reflect-metadata';
import { getMetadataStorage } from 'class-validator';
import { forms } from '../../console/src/graph/forms.js';
import { inputOf, wordsOf } from '../../console/src/parts/form/input.js';
import { registry } from '../../src/connectors/registry.js';
import * as providerKeys from '../../src/credentials/secret/provider-keys.input.js';
import { PasswordInput } from '../../src/credentials/secret/secret.input.js';

// What is filled in, as the input that is asked; and that the forms cover what is a secret.

const filled = (entries: readonly (readonly [string, string])[]) => {
  const form = new FormData();
  for (const [path, value] of entries) form.append(path, value);
  return form;
};

test('what is filled in becomes an input, and what is left empty is left out', () => {
  const form = filled([
    ['input.name', '  Payments '],
    ['input.description', 'of the shop\nand its branches'],
    ['input.category', ''],
    ['input.enabled', 'true'],
    ['input.allowedIps', '192.0.2.1, 192.0.2.2\n\n2001:db8::/32'],
    ['input.roles', 'role_1'],
    ['input.roles', 'role_2'],
    ['input.rotationPolicy.every', '30'],
    ['input.rotationPolicy.every unit', 'days'],
    ['input.rotationPolicy.gracePeriod', '12'],
    ['input.rotationPolicy.gracePeriod unit', 'hours'],
    ['input.rateLimit.uses', ''],
  ]);
  expect(inputOf(forms, 'CreateCredentialInput', form, 'input')).toEqual({
    name: 'Payments',
    description: 'of the shop\nand its branches',
    allowedIps: ['192.0.2.1', '192.0.2.2', '2001:db8::/32'],
    roles: ['role_1', 'role_2'],
    rotationPolicy: { every: 'P30D', gracePeriod: 'PT12H' },
  });
});

test('what is on by itself and was switched off is told', () => {
  expect(inputOf(forms, 'CreateCredentialInput', filled([['input.name', 'x']]), 'input')).toEqual({
    name: 'x',
    enabled: false,
  });
});

test('a time is the viewer’s, and a secret stays as it was typed', () => {
  const form = filled([
    ['input.expiresAt', '2027-01-31T12:30'],
    ['input.enabled', 'true'],
  ]);
  const input = inputOf(forms, 'CreateCredentialInput', form, 'input');
  expect(input).toEqual({ expiresAt: new Date(2027, 0, 31, 12, 30).toISOString() });
  const password = filled([
    ['p.username', ' jo '],
    ['p.password', '  with spaces  '],
  ]);
  expect(inputOf(forms, 'PasswordInput', password, 'p')).toEqual({
    username: 'jo',
    password: '  with spaces  ',
  });
});

test('of several ways the chosen one is asked, also where nothing more is said of it', () => {
  const keys = filled([
    ['k', 'github'],
    ['k.github.username', 'jo'],
    ['k.github.token', 't'],
    ['k.aws.accessKey', 'left behind'],
  ]);
  expect(inputOf(forms, 'ProviderKeysInput', keys, 'k')).toEqual({ github: { username: 'jo', token: 't' } });
  expect(inputOf(forms, 'ProviderKeysInput', filled([['k', 'aws']]), 'k')).toEqual({ aws: {} });
  expect(inputOf(forms, 'ProviderKeysInput', filled([['k', '__proto__']]), 'k')).toBeUndefined();
});

test.each([
  ['secretKey', 'Secret key'],
  ['apiId', 'API ID'],
  ['allowedIps', 'Allowed IPs'],
  ['sts_endpoint', 'STS endpoint'],
])('%s is written %j', (name, words) => {
  expect(wordsOf(name)).toBe(words);
});

/** The fields of an input, with whether what is typed there is covered. */
const coveredIn = (form: string): Record<string, boolean> =>
  Object.fromEntries(
    Object.entries(forms[form]?.fields ?? {}).map(([name, field]) => [
      name,
      field.is === 'text' && field.secret,
    ]),
  );

test('what a connection keeps as a secret is covered as it is typed, and nothing else', () => {
  const connections = Object.values(registry).flatMap(({ connection }) => connection ?? []);
  expect(connections.length).toBe(5);
  for (const { member, asks } of connections) {
    const field = forms['StoreConnectionInput']?.fields[member];
    const covered = coveredIn(field?.is === 'group' ? field.form : '');
    const secrets = Object.entries(asks).map(([name, { is }]) => [name, is.startsWith('secret')]);
    expect(covered).toMatchObject(Object.fromEntries(secrets));
  }
});

const ofProviders = Object.entries({ ...providerKeys, PasswordInput }).flatMap(([name, type]) =>
  typeof type === 'function' && forms[name]?.oneOf === false ? [[name, type] as const] : [],
);

test.each(ofProviders)('%s covers what is a secret, and nothing else', (name, type) => {
  const rules = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
  const secrets = rules.filter((rule) => rule.name === 'secretText').map(({ propertyName }) => propertyName);
  const covered = Object.entries(coveredIn(name)).filter(([, isCovered]) => isCovered);
  expect(covered.map(([field]) => field).sort()).toEqual([...new Set(secrets)].sort());
});
