import { IsIn } from 'class-validator';
import { Field, InputType, Int } from 'type-graphql';
import { authoritiesField, type VendorConnection, type Question } from '../connectors/connection.js';
import type { Registry } from '../connectors/registry.js';
import { AsTyped, HeaderWord, Line, ListOf, Nested, Optional, PemText, SecretText } from '../inputs/rules.js';
import { EmailAddress, URL } from '../inputs/scalars.js';

/** Where a system is and what Keyway proves itself with there, in the member of its kind: exactly one is given. */
export type StoreConnectionInput = Readonly<Record<string, AskedInput | null | undefined>>;

/** What was given of what a kind of store asks for. */
export type AskedInput = Readonly<Record<string, string | number | readonly string[] | null | undefined>>;

/** A class of the graph's inputs. */
export type InputClass<Input extends object = object> = new () => Input;

const longestLine = 200;
const longestWord = 200;
const mostLines = 100;
const mostSecretBytes = 16_384;
const longestAuthorities = 100_000;

/** The graph's StoreConnectionInput: it has a member for each kind of store that can be connected. */
export function connectionInput(connectors: Registry): InputClass<StoreConnectionInput> {
  const connections = Object.values(connectors).flatMap(({ connection }) => connection ?? []);
  const description =
    'The address of an outside system and the credential that Keyway has for it. Exactly one field must be given: that of the kind of system.';
  const members = connections.map((connection): [string, PropertyDecorator[]] => {
    const asked = askedInput(connection);
    return [
      connection.member,
      [Field(() => asked, { nullable: true, description: connection.about }), Optional(), Nested()],
    ];
  });
  return inputClass('StoreConnectionInput', description, members);
}

/** What one kind of store asks for. */
function askedInput({ member, about, asks }: VendorConnection): InputClass {
  const name = `${member.charAt(0).toUpperCase()}${member.slice(1)}ConnectionInput`;
  const fields = Object.entries(asks).map(([field, question]): [string, PropertyDecorator[]] => [
    field,
    [typed(question), ruleOf(question), ...(question.optional ? [Optional()] : [])],
  ]);
  const authorities = Field(() => String, {
    nullable: true,
    description:
      'Certificates in PEM: only what they have signed, or are themselves, is trusted at the addresses of this store. The well-known authorities, if left out.',
  });
  return inputClass(name, about, [
    ...fields,
    [authoritiesField, [authorities, PemText(longestAuthorities), Optional()]],
  ]);
}

function inputClass<Input extends object>(
  name: string,
  description: string | undefined,
  fields: readonly [string, PropertyDecorator[]][],
): InputClass<Input> {
  const made = class {};
  for (const [field, decorators] of fields)
    for (const decorate of decorators) decorate(made.prototype, field);
  InputType(name, { description })(made);
  return made as InputClass<Input>;
}

function typed(question: Question): PropertyDecorator {
  const types = { address: URL, email: EmailAddress, lines: [String], number: Int };
  const type = question.is in types ? types[question.is as keyof typeof types] : String;
  return Field(() => type, {
    nullable: question.optional === true,
    description: question.about,
    defaultValue: 'usually' in question ? question.usually : undefined,
  });
}

function ruleOf(question: Question): PropertyDecorator {
  switch (question.is) {
    case 'address':
    case 'email':
      return AsTyped();
    case 'line':
      return Line(1, longestLine);
    case 'word':
      return HeaderWord(longestWord);
    case 'secret':
      return SecretText(mostSecretBytes);
    case 'secretWord':
      return HeaderWord(mostSecretBytes);
    case 'lines':
      return ListOf(mostLines, Line(1, longestLine));
    case 'number':
      return IsIn([...question.of], { message: `must be ${question.of.join(' or ')}` });
  }
}
