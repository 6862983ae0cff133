import { readFileSync } from 'node:fs';
import {
  buildSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredInputField,
} from 'graphql';
import * as prettier from 'prettier';

const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');

/** What forms are made for, with all that is in it. */
const roots = ['CreateCredentialInput', 'StoreConnectionInput'];

/** What a form never asks for: it is found where the form is, or asked when it is wanted. */
const leftOut = new Set(['idempotencyKey', 'mfaCode', 'account', 'store', 'secret']);

/** What is covered as it is typed; a test holds it against what the server keeps as a secret. */
const secretNames = new Set([
  'apiKey',
  'batchKey',
  'certificate',
  'clientSecret',
  'data',
  'fallbackApiKey',
  'jwt',
  'passphrase',
  'password',
  'privateKey',
  'secretKey',
  'storageKey',
  'token',
  'webhookSecret',
]);

/** What is pasted from a file, with its ends of lines. */
const longNames = new Set(['certificate', 'certificateAuthority', 'data', 'description', 'privateKey']);

/** What names something that is there, and so is looked for. */
const lookedFor = { owner: 'Account', project: 'Project', roles: 'Role' };

/** @returns what src/graph/forms.ts has to be, by the inputs of the schema as they are. */
export async function writtenForms() {
  const schema = buildSchema(read('../schema.graphql'));
  const forms = {};
  const add = (name) => {
    const type = schema.getType(name);
    if (!isInputObjectType(type)) throw new Error(`${name} is no input type`);
    if (name in forms) return;
    const isWhole = roots.includes(name);
    forms[name] = { help: type.description, oneOf: type.isOneOf, fields: {} };
    for (const field of Object.values(type.getFields())) {
      if (isWhole && !type.isOneOf && leftOut.has(field.name)) continue;
      forms[name].fields[field.name] = {
        ...kindOf(field),
        help: field.description,
        required: isRequiredInputField(field),
        ...(field.defaultValue !== undefined && { value: field.defaultValue }),
      };
      const inner = getNamedType(field.type);
      if (isInputObjectType(inner)) add(inner.name);
    }
  };
  [...roots, 'NewSecretInput'].forEach(add);
  return prettier.format(`${head}${JSON.stringify(forms)};`, {
    ...JSON.parse(read('../package.json')).prettier,
    parser: 'typescript',
  });
}

function kindOf({ name, type }) {
  const inner = getNamedType(type);
  const isList = isListType(isNonNullType(type) ? type.ofType : type);
  if (isInputObjectType(inner)) return { is: 'group', form: inner.name };
  if (isEnumType(inner)) {
    const values = inner.getValues();
    return {
      is: isList ? 'choices' : 'choice',
      values: Object.fromEntries(values.map(({ name, description }) => [name, description])),
    };
  }
  if (name in lookedFor) return { is: isList ? 'lookups' : 'lookup', of: lookedFor[name] };
  if (isList) return { is: 'lines' };
  if (inner.name === 'Boolean') return { is: 'flag' };
  if (inner.name === 'Int' || inner.name === 'NonNegativeInt') return { is: 'number' };
  if (inner.name === 'DateTime') return { is: 'time' };
  if (inner.name === 'Duration') return { is: 'duration' };
  return { is: 'text', secret: secretNames.has(name), long: longNames.has(name) };
}

const head = `// Written by codegen.mjs.
import type { InputForm } from '../parts/form/input.ts';

/** What each input asks for, in the words of the graph. */
export const forms: Readonly<Record<string, InputForm>> = `;
