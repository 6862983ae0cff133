import { readFileSync } from 'node:fs';
import { Option } from 'commander';
import { Secret } from '../secret.js';
import { wrongUsage } from './failure.js';
import { camel, enumOf, jsonOf } from './flag-values.js';
import type { CommandSession } from './session.js';
import { isFields, type Fields } from './terminal/texts.js';

/** What is in a file of JSON. @throws BAD_USER_INPUT where there is none */
export function inputOf(text: string, file: string): Fields {
  const read = jsonOf(file === '-' ? text : textOfFile(file, '--input'), '--input');
  if (!isFields(read)) throw wrongUsage('--input', 'must be an object of JSON');
  return read;
}

/** The parts of an input whose every text is taken for a secret. */
const secretParts = ['secret', 'connection', 'proof', 'mfaCode', 'storeMfa'];

/** The input with its secrets as such, which no dry run shows. */
export const sealed = (input: Fields): Fields =>
  Object.fromEntries(
    Object.entries(input).map(([name, value]) => [
      name,
      secretParts.includes(name) ? allSecret(value) : value,
    ]),
  );

const allSecret = (value: unknown): unknown =>
  typeof value === 'string'
    ? Secret.of(value)
    : Array.isArray(value)
      ? value.map(allSecret)
      : isFields(value)
        ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, allSecret(member)]))
        : value;

/** Flags for fields that depend on a kind: what is no secret is typed, and a secret is asked for or read from a file. */
export const fieldOptions = (): readonly Option[] => [
  repeated('--set <field=value>', 'a field of it that is no secret; field:=json for numbers and lists'),
  repeated(
    '--ask <field>',
    'a field of it that is asked for without being shown, or is a line of standard input',
  ),
  repeated('--file <field=path>', 'a field of it that a file holds, such as a key in PEM'),
];

const repeated = (flags: string, does: string) =>
  new Option(flags, `${does}; may be given again`).argParser(
    (value: string, before: string[] | undefined) => [...(before ?? []), value],
  );

/** Names of fields whose value no argument may hold, where all users of a machine can see it. */
export const isSecretField = (name: string): boolean =>
  /secret|password|passphrase|token$|jwt|(?:api|private|batch|storage)key$|^data$|^connectionId$|code$/i.test(
    name,
  );

/** The fields that those flags say. @throws BAD_USER_INPUT for a secret in `--set` */
export async function fieldsGiven(session: CommandSession, given: Fields): Promise<Fields> {
  let fields: Fields = {};
  for (const text of (given['set'] as string[] | undefined) ?? []) {
    const [, name = '', isJson, value = ''] = /^([A-Za-z]\w*)(:)?=(.*)$/s.exec(text) ?? [];
    if (name === '')
      throw wrongUsage('--set', 'must be a field and a value, such as endpoint=https://keys.example.com');
    if (isSecretField(name))
      throw wrongUsage(
        `--set ${name}`,
        `is a secret, which an argument would show to others: use --ask ${name}`,
      );
    const read = isJson ? jsonOf(value, `--set ${name}`) : value;
    fields = { ...fields, [name]: name in fields ? [fields[name], read].flat() : read };
  }
  for (const text of (given['file'] as string[] | undefined) ?? []) {
    const [, name = '', path = ''] = /^([A-Za-z]\w*)=(.+)$/.exec(text) ?? [];
    if (name === '') throw wrongUsage('--file', 'must be a field and a path, such as privateKey=key.pem');
    fields = { ...fields, [name]: Secret.of(textOfFile(path, `--file ${name}`)) };
  }
  for (const name of (given['ask'] as string[] | undefined) ?? []) {
    if (!/^[A-Za-z]\w*$/.test(name)) throw wrongUsage('--ask', 'must be a field, such as secretKey');
    fields = { ...fields, [name]: await session.questions.secret(name) };
  }
  return fields;
}

const kinds = ['access-key', 'token', 'password', 'provider-keys'] as const;

/** Flags for a new secret. */
export const secretOptions = (): readonly Option[] => [
  new Option('--kind <kind>', 'what the secret consists of').choices(kinds),
  new Option('--provider <name>', 'of provider-keys: whose they are, such as aws or github-app'),
  repeated('--permission <word>', 'of a token: what it may do at most'),
  ...fieldOptions(),
];

/** The input with the secret that the flags say; a password that is not given is generated. */
export async function withSecret(session: CommandSession, input: Fields, given: Fields): Promise<Fields> {
  const { kind, provider, permission } = given as { kind?: string; provider?: string; permission?: string[] };
  const fields = await fieldsGiven(session, given);
  if (kind === undefined) {
    if (Object.keys(fields).length > 0 || provider !== undefined || permission !== undefined)
      throw wrongUsage('--kind', 'must be given with what the secret consists of');
    return input;
  }
  if ((kind === 'provider-keys') !== (provider !== undefined))
    throw wrongUsage('--provider', 'belongs to provider-keys, which need it');
  const of = {
    ...fields,
    ...(permission && { permissions: permission.map(enumOf) }),
    ...worded(fields, 'secretFormat'),
    ...worded(fields, 'scheme'),
  };
  return { ...input, secret: { [camel(kind)]: provider === undefined ? of : { [camel(provider)]: of } } };
}

/** The words of an enum are typed as flags have them. */
const worded = (fields: Fields, name: string): Fields =>
  typeof fields[name] === 'string' ? { [name]: enumOf(fields[name]) } : {};

function textOfFile(path: string, flag: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw wrongUsage(flag, 'names a file that cannot be read');
  }
}
