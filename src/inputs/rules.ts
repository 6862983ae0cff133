import {
  Allow,
  getMetadataStorage,
  IsDefined,
  IsOptional,
  ValidateBy,
  ValidateIf,
  ValidateNested,
  validateSync,
} from 'class-validator';
import type { ValidationArguments, ValidationError } from 'class-validator';
import { Field } from 'type-graphql';
import { KeywayError, type FieldFault } from '../errors.js';
import { isVisible, unclean } from '../connectors/answers.js';
import { longestCode, mostFaults, longestDuration, longestName, longestSlug } from '../config/limits.js';
import { durationMs } from '../time.js';

/** A rule on a property of an input class; `ListOf` can hold each item of a list to it. */
export type Rule = PropertyDecorator & { readonly check: Check };

/** A schema of JSON Schema 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

interface Check {
  message: string;
  holds(value: unknown): boolean;
  /** What JSON Schema can say of it: never more than the rule does. */
  schema?: JsonSchema;
}

/** One line of `min` to `max` characters, none of them invisible control or text-direction characters. */
export const Line = (min: number, max: number): Rule =>
  rule('line', {
    message: `must be one line of ${min} to ${max} characters, not only spaces, without control characters`,
    holds: (value) => isVisible(value, min, max),
    schema: { minLength: min, maxLength: max },
  });

/** Whether it is a `Line` of at most `max` characters. */
export const isLine = (value: unknown, max: number): value is string => isVisible(value, 1, max);

/** Text of 1 to `max` characters that may have several lines and tabs, and is otherwise as clean as a `Line`. */
export const Lines = (max: number): Rule =>
  rule('lines', {
    message: `must be text of 1 to ${max} characters, not only spaces, without control characters`,
    holds: (value) => isVisible(value, 1, max, /[\t\n]/g),
  });

/**
 * Text of up to `max` characters with something in PEM in it, and perhaps around it: as clean as `Lines`, with the ends of
 * lines of either kind, as RFC 7468, section 2, has them. What must be in it is for its reader to say.
 */
export const PemText = (max: number): Rule =>
  rule('pemText', {
    message: `must be text in PEM of at most ${max} characters, without control characters`,
    holds: (value) => isVisible(value, 1, max, /\t|\r?\n/g),
  });

/** A name that is fit for a URL, for accounts, projects, roles and stores. */
export const Name = (max = longestSlug): Rule =>
  rule('name', {
    message: `must be 1 to ${max} letters, digits, dots, underscores and hyphens, and start with a letter or digit`,
    holds: (value) =>
      typeof value === 'string' && value.length <= max && /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(value),
  });

/** A user name of the built-in store, in any spelling that `canonicalUsername` takes. */
export const Username = (): Rule =>
  rule('username', {
    message: 'must be 2 to 128 letters, digits and . _ @ -, and start with a letter or digit',
    holds: (value) => typeof value === 'string' && canonicalUsername(value) !== undefined,
  });

/**
 * The one spelling of a user name, for creating, finding, locking out and the unique index alike: NFKC in lower case.
 * Undefined for what is no user name then; nothing is trimmed or left out.
 */
export function canonicalUsername(text: string): string | undefined {
  // A letter takes two code units at most, before and after: no need to normalize what is longer.
  if (text.length > 256) return undefined;
  const name = text.normalize('NFKC').toLowerCase();
  return /^[a-z0-9][a-z0-9._@-]{1,127}$/.test(name) ? name : undefined;
}

/** A secret value that is kept byte by byte: `minBytes` to `maxBytes` of UTF-8, without NUL. */
export const SecretText = (maxBytes: number, minBytes = 1): Rule =>
  rule('secretText', {
    message: `must be ${minBytes} to ${maxBytes} bytes of text without NUL`,
    holds: (value) => {
      if (typeof value !== 'string' || /[\0\p{Cs}]/u.test(value)) return false;
      const bytes = Buffer.byteLength(value);
      return bytes >= minBytes && bytes <= maxBytes;
    },
    // It counts characters, which have one byte at least.
    schema: { minLength: Math.min(minBytes, 1), maxLength: maxBytes },
  });

/**
 * The value of an HTTP header: at most `max` characters, perhaps none, and no control character of ASCII but tabs. The
 * bytes from 0x80 to 0xFF are what its sender means by them (RFC 9110, 5.5).
 */
export const HeaderText = (max: number): Rule =>
  rule('headerText', {
    message: `must be at most ${max} characters without control characters`,
    holds: (value) =>
      typeof value === 'string' && value.length <= max && !unclean.test(value.replace(/[\t\x80-\xff]/g, '')),
    schema: { maxLength: max },
  });

/** What goes out in a header as one word: 1 to `max` printable ASCII characters, none of them a space. */
export const HeaderWord = (max: number): Rule =>
  rule('headerWord', {
    message: `must be 1 to ${max} printable ASCII characters without spaces`,
    holds: (value) => typeof value === 'string' && value.length <= max && /^[!-~]+$/.test(value),
  });

/** Something that can be a public id; which type's is for `decodeId` to say. */
export const IdRule = (): Rule =>
  rule('id', {
    message: 'must be an id',
    holds: (value) => typeof value === 'string' && /^[\w-]{1,40}$/.test(value),
    schema: { pattern: '^[A-Za-z0-9_-]{1,40}$' },
  });

/** The key that makes repeated requests one: 1 to 200 printable ASCII characters. */
export const IdempotencyKeyRule = (): Rule =>
  rule('idempotencyKey', {
    message: 'must be 1 to 200 printable ASCII characters',
    holds: (value) => typeof value === 'string' && /^[ -~]{1,200}$/.test(value),
  });

/** The member `idempotencyKey` of an input, the same in each: its type, its description and its rule. */
export const IdempotencyKeyField = (): PropertyDecorator => (target, property) => {
  Field(() => String, {
    nullable: true,
    description:
      'Makes it safe to send this request again: for 24 hours, a request with the same key and the same input gets the answer of the first one and changes nothing. 1 to 200 printable ASCII characters.',
  })(target, property);
  Optional()(target, property);
  IdempotencyKeyRule()(target, property);
};

/**
 * The code of a second factor that a mutation takes: given, it is checked.
 * @param needed when it is, where the account of the caller requires one
 */
export const MfaCodeField =
  (needed = 'Needed if the account of the caller requires a second factor.'): PropertyDecorator =>
  (target, property) => {
    Field(() => String, {
      nullable: true,
      description: `A code of the second factor (TOTP), or a recovery code. ${needed}`,
    })(target, property);
    Optional()(target, property);
    Line(1, longestCode)(target, property);
  };

/**
 * A text that is searched for, as `lists/search.ts` does.
 * @param where what is searched, such as `their name or title`
 */
export const SearchField =
  (where: string): PropertyDecorator =>
  (target, property) => {
    Field(() => String, {
      nullable: true,
      description: `Text that ${where} contains. Upper and lower case are equal, and so is the same text in other characters (Unicode NFKC). One or two characters match only at the beginning of a word: of the text, or after a space, \`-\`, \`_\`, \`.\` or \`/\`.`,
    })(target, property);
    Optional()(target, property);
    Line(1, longestName)(target, property);
  };

/** A duration longer than zero, and at most `max`. */
export const PositiveDuration = (max = longestDuration): Rule =>
  rule('positiveDuration', {
    message: `must be longer than zero and at most ${max}`,
    holds: (value) => lasts(value) > 0 && lasts(value) <= durationMs(max),
  });

/** A duration of at most `max`, which may be zero. */
export const DurationUpTo = (max: string): Rule =>
  rule('durationUpTo', {
    message: `must be at most ${max}`,
    holds: (value) => lasts(value) <= durationMs(max),
  });

/** A duration of `min` to `max`. */
export const DurationBetween = (min: string, max: string): Rule =>
  rule('durationBetween', {
    message: `must be from ${min} to ${max}`,
    holds: (value) => lasts(value) >= durationMs(min) && lasts(value) <= durationMs(max),
  });

/** The same in whole seconds. */
export const SecondsBetween = (min: string, max: string): Rule =>
  rule('secondsBetween', {
    message: `must be whole seconds, from ${min} to ${max}`,
    holds: (value) =>
      lasts(value) >= durationMs(min) && lasts(value) <= durationMs(max) && lasts(value) % 1_000 === 0,
  });

/** A whole number of `min` to `max`. */
export const WholeNumber = (min: number, max: number): Rule =>
  rule('wholeNumber', {
    message: `must be a whole number from ${min} to ${max}`,
    holds: (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max,
    schema: { minimum: min, maximum: max },
  });

/** A list of at most `max` items, each of which keeps the rule `each`. */
export function ListOf(max: number, each?: Rule): PropertyDecorator {
  const broken = (items: readonly unknown[]) => items.findIndex((item) => each && !each.check.holds(item));
  return ValidateBy({
    name: 'list',
    constraints: [{ jsonSchema: { maxItems: max, ...(each?.check.schema && { items: each.check.schema }) } }],
    validator: {
      validate: (value: unknown) => Array.isArray(value) && value.length <= max && broken(value) < 0,
      defaultMessage: (args?: ValidationArguments) => {
        const items: unknown = args?.value;
        if (!each || !Array.isArray(items) || items.length > max)
          return `must be a list of at most ${max} items`;
        return `[${broken(items)}] ${each.check.message}`;
      },
    },
  });
}

/** An input object, or a list of them, that is held to the rules of its own class. */
export const Nested = (): PropertyDecorator => ValidateNested({ message: 'must be an input object' });

/** A property about which its GraphQL type says everything; without any rule it would be taken out of the input. */
export const AsTyped = (): PropertyDecorator => Allow();

/** Lets null and a left-out value pass by the other rules. */
export const Optional = (): PropertyDecorator => IsOptional();

/** Lets a left-out value pass by the other rules, but refuses null: for what cannot be cleared. */
export function NotNull(): PropertyDecorator {
  const present = ValidateIf((_, value) => value !== undefined);
  // The one rule of class-validator that TypeGraphQL's skipMissingProperties does not pass over.
  const defined = IsDefined({ message: 'must not be null' });
  return (target, property) => {
    present(target, property);
    defined(target, property);
  };
}

/** How inputs are held to their rules: by the graph, and wherever something else takes them in. */
export const validation = {
  whitelist: true,
  forbidUnknownValues: true,
  skipMissingProperties: true,
  validationError: { target: false, value: false },
};

/**
 * Holds input objects, each at its path, to the rules of their classes.
 * @throws BAD_USER_INPUT, naming up to a hundred members that break one.
 */
export function expectRules(inputs: readonly { path: string; input: object }[]): void {
  const fields: FieldFault[] = [];
  for (const { path, input } of inputs) {
    if (fields.length < mostFaults) fields.push(...faultsOf(validateSync(input, validation), path));
  }
  if (fields.length > 0)
    throw new KeywayError('BAD_USER_INPUT', undefined, { fields: fields.slice(0, mostFaults) });
}

/** What JSON Schema can say of the rules on the properties of an input class, by property. */
export function ruleSchemas(inputClass: abstract new () => object): ReadonlyMap<string, JsonSchema> {
  const schemas = new Map<string, JsonSchema>();
  for (const { propertyName, constraints } of getMetadataStorage().getTargetValidationMetadatas(
    inputClass,
    '',
    false,
    false,
  ))
    for (const told of (constraints ?? []) as unknown[])
      if (typeof told === 'object' && told !== null && 'jsonSchema' in told)
        schemas.set(propertyName, { ...schemas.get(propertyName), ...(told.jsonSchema as JsonSchema) });
  return schemas;
}

/** What class-validator found, as faults by path below `root`: `input.secret.token.prefix`. */
export function faultsOf(errors: readonly ValidationError[], root: string): FieldFault[] {
  return errors.flatMap((error) => {
    const path = [root, error.property].filter(Boolean).join('.');
    return [
      ...messagesOf(error).map((message) => faultAt(path, message)),
      ...faultsOf(error.children ?? [], path),
    ];
  });
}

function messagesOf({ constraints = {} }: ValidationError): string[] {
  if (constraints['isDefined'] !== undefined) return [constraints['isDefined']];
  if (constraints['unknownValue'] !== undefined) return ['must be an input object'];
  return Object.values(constraints);
}

// class-validator has no path for an item of a list of scalars: ListOf puts the index before its message.
function faultAt(path: string, text: string): FieldFault {
  const [, index, message] = /^\[(\d+)\] (.*)$/.exec(text) ?? [];
  return index === undefined || message === undefined
    ? { path, message: text }
    : { path: `${path}.${index}`, message };
}

function rule(name: string, check: Check): Rule {
  const decorate = ValidateBy({
    name,
    constraints: [{ jsonSchema: check.schema ?? {} }],
    validator: { validate: (value: unknown) => check.holds(value), defaultMessage: () => check.message },
  });
  return Object.assign(decorate, { check });
}

function lasts(value: unknown): number {
  try {
    return typeof value === 'string' ? durationMs(value) : NaN;
  } catch {
    return NaN;
  }
}
