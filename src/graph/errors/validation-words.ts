import { isEnumType, isInputObjectType, isInterfaceType, isObjectType, type GraphQLSchema } from 'graphql';

/**
 * Our words for what validation says of a document. They name types, fields, arguments and directives of the schema
 * alone: undefined where the validator's message names anything else, or is not known.
 */
export function validationWords(message: string, schema: GraphQLSchema | undefined): string | undefined {
  for (const [pattern, words] of catalogue) {
    const match = pattern.exec(message);
    if (!match) continue;
    const names = match.slice(1);
    const known = schema ? namesOf(schema) : undefined;
    return names.every((name) => known?.has(name)) ? words(...names) : undefined;
  }
  return undefined;
}

type Words = (...names: string[]) => string;

const catalogue: readonly (readonly [RegExp, Words])[] = [
  [/^Cannot query field "\w+" on type "(\w+)"/, (type) => `Type ${type} has no field of that name.`],
  [
    /^Unknown argument "\w+" on field "(\w+)\.(\w+)"/,
    (type, field) => `Field ${type}.${field} has no argument of that name.`,
  ],
  [
    /^Unknown argument "\w+" on directive "@(\w+)"/,
    (name) => `Directive @${name} has no argument of that name.`,
  ],
  [
    /^Field "(\w+)" argument "(\w+)" of type "\S+" is required/,
    (field, name) => `Field ${field} needs argument ${name}.`,
  ],
  [
    /^Directive "@(\w+)" argument "(\w+)" of type "\S+" is required/,
    (directive, name) => `Directive @${directive} needs argument ${name}.`,
  ],
  [
    /^Field "(\w+)" must not have a selection/,
    (field) => `Field ${field} has no fields of its own to select.`,
  ],
  [/^Field "(\w+)" of type "\S+" must have/, (field) => `Field ${field} needs a selection of its fields.`],
  [
    /^Fields ".+?" conflict because/,
    () => 'Two fields of one name in the answer ask for different things: give them aliases.',
  ],
  [/^Unknown type "\w+"/, () => 'There is no type of that name.'],
  [/^Unknown directive "@\w+"/, () => 'There is no directive of that name.'],
  [/^Directive "@(\w+)" may not be used on/, (name) => `Directive @${name} cannot stand there.`],
  [
    /^The directive "@(\w+)" can only be used once/,
    (name) => `Directive @${name} can stand only once in one place.`,
  ],
  [/^Unknown fragment "\w+"/, () => 'A fragment is spread that the document does not define.'],
  [/^Fragment "\w+" is never used/, () => 'A fragment is never used.'],
  [
    /^Fragment (?:"\w+" )?cannot condition on non composite type "(\w+)"/,
    (type) => `A fragment cannot be on type ${type}, which has no fields.`,
  ],
  [
    /^Fragment (?:"\w+" )?cannot be spread here as objects of type "(\w+)" can never be of type "(\w+)"/,
    (type, other) => `An object of type ${type} can never be of type ${other}.`,
  ],
  [/^Cannot spread fragment "\w+" within itself/, () => 'A fragment is spread within itself.'],
  [/^Variable "\$\w+" is not defined/, () => 'A variable is used that the operation does not define.'],
  [/^Variable "\$\w+" is never used/, () => 'A variable is never used.'],
  [
    /^Variable "\$\w+" cannot be non-input type "(\w+)/,
    (type) => `A variable cannot be of type ${type}, which is no input type.`,
  ],
  [/^Variable "\$\w+" (?:of type|is of type) /, () => 'A variable is used where its type does not fit.'],
  [
    /^There can be only one (?:argument|input field|variable|fragment|operation) named/,
    () => 'One name is given twice.',
  ],
  [
    /^This anonymous operation must be the only/,
    () => 'An operation without a name must be the only one of its document.',
  ],
  [/^The (?:\S+) definition is not executable/, () => 'A document holds operations and fragments only.'],
  [/^(?:Anonymous )?Subscription .*must (?:not )?select/, () => 'A subscription selects exactly one field.'],
  [/^Maximum introspection depth exceeded/, () => 'The introspection is nested too deep.'],
  [/^GraphQL introspection is not allowed/, () => 'Introspection is switched off.'],
  [/^Too many validation errors/, () => 'There are more faults than are listed here.'],
];

const known = new WeakMap<GraphQLSchema, ReadonlySet<string>>();

/** The names that an answer may hold. */
function namesOf(schema: GraphQLSchema): ReadonlySet<string> {
  const kept = known.get(schema);
  if (kept) return kept;
  const names = new Set(
    schema.getDirectives().flatMap(({ name, args }) => [name, ...args.map((one) => one.name)]),
  );
  for (const type of Object.values(schema.getTypeMap())) {
    names.add(type.name);
    if (isEnumType(type)) for (const { name } of type.getValues()) names.add(name);
    if (isInputObjectType(type)) for (const name of Object.keys(type.getFields())) names.add(name);
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    for (const { name, args } of Object.values(type.getFields()))
      for (const one of [name, ...args.map((argument) => argument.name)]) names.add(one);
  }
  known.set(schema, names);
  return names;
}
