import type { ApolloServerPlugin } from '@apollo/server';
import {
  getNullableType,
  isEnumType,
  isInputObjectType,
  isInputType,
  isLeafType,
  isListType,
  isNonNullType,
  isRequiredInputField,
  Kind,
  typeFromAST,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type ArgumentNode,
  type ASTNode,
  type DocumentNode,
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLLeafType,
  type GraphQLSchema,
  type ObjectValueNode,
  type OperationDefinitionNode,
  type ValueNode,
} from 'graphql';
import { mostFaults } from '../../config/limits.js';
import { KeywayError, type FieldFault } from '../../errors.js';
import { ScalarRefusal } from '../../inputs/scalars.js';
import { suggestNothing, type Suggest } from './suggest.js';

type Values = Readonly<Record<string, unknown>>;

/**
 * Refuses variables that are not of their types, before anything runs: with all faults at once, up to a hundred, under
 * the names of the arguments that they are given to.
 * @param suggest what to say of a member that there is not
 */
export function variableFaults(suggest: Suggest = suggestNothing): ApolloServerPlugin {
  return {
    requestDidStart: async () => ({
      didResolveOperation: async ({ schema, document, operation, request }) => {
        const fields = operation
          ? faultsIn(operation, request.variables ?? {}, document, schema, suggest)
          : [];
        if (fields.length > 0) throw new KeywayError('BAD_USER_INPUT', undefined, { fields });
      },
    }),
  };
}

/**
 * What keeps a value from being of the type, one fault after the other; nothing where graphql-js takes the value. Paths
 * and messages are made of names of the schema and of list indexes, never of the value; a key that the schema does not
 * have is named where `suggest` says so.
 */
export function* valueFaults(
  value: unknown,
  type: GraphQLInputType,
  path = '',
  suggest: Suggest = suggestNothing,
): Generator<FieldFault, void, void> {
  if (isNonNullType(type)) {
    if (value === undefined) yield { path, message: required };
    else if (value === null) yield { path, message: notNull };
    else yield* valueFaults(value, type.ofType, path, suggest);
  } else if (value === null || value === undefined) {
    return;
  } else if (isListType(type)) {
    if (!Array.isArray(value)) return yield* valueFaults(value, type.ofType, path, suggest);
    for (const [index, item] of value.entries())
      yield* valueFaults(item ?? null, type.ofType, join(path, index), suggest);
  } else if (isInputObjectType(type)) {
    yield* objectFaults(value, type, path, suggest);
  } else if (typeof value === 'string' && /\p{Cs}/u.test(value)) {
    yield { path, message: halved };
  } else {
    yield* leafFaults(type, path, () => type.parseValue(value) as unknown);
  }
}

/** A fault of a literal, and the node of the document that has it. */
export interface LiteralFault extends FieldFault {
  node: ASTNode;
}

/**
 * What keeps a literal from being of the type: nothing where graphql-js takes it. Variables in it are looked at where
 * their values are given, and are of their own types by then.
 */
export function* literalFaults(
  literal: ValueNode,
  type: GraphQLInputType,
  path = '',
  suggest: Suggest = suggestNothing,
): Generator<LiteralFault, void, void> {
  for (const place of placesIn({ node: literal, type, path, hasDefault: false }))
    yield* faultsAt(place, undefined, suggest);
}

/** What is wrong with the argument that has this value, once variables have theirs. */
export function argumentFaults(
  value: ValueNode,
  document: DocumentNode,
  schema: GraphQLSchema,
  variables: Values,
): FieldFault[] {
  const found: FieldFault[] = [];
  const argument = argumentsOf(document, schema).get(value);
  for (const place of argument ? placesIn(argument) : [])
    for (const { path, message } of faultsAt(place, variables)) {
      if (found.length === mostFaults) return found;
      found.push({ path, message });
    }
  return found;
}

/** For each variable, the path of the first place where the document uses it. */
export function variablePaths(document: DocumentNode, schema: GraphQLSchema): ReadonlyMap<string, string> {
  const paths = new Map<string, string>();
  for (const argument of argumentsOf(document, schema).values())
    for (const { node, path } of placesIn(argument))
      if (node.kind === Kind.VARIABLE && !paths.has(node.name.value)) paths.set(node.name.value, path);
  return paths;
}

/** The path of a value that the document does not use. */
export const notInDocument = 'variables';

const required = 'is required';
const notNull = 'must not be null';
const exactlyOne = 'exactly one of its members must be given';
// UTF-8 has no bytes for it, and would have U+FFFD in its place. In a literal, graphql-js refuses it.
const halved = 'has half of a surrogate pair, such as \\ud83d alone: send the whole character';
function unknownMember(type: GraphQLInputObjectType, given: string, suggest: Suggest): string {
  const { name, nearest } = suggest(given, Object.keys(type.getFields()));
  const end = nearest === undefined ? '' : `: did you mean ${nearest}?`;
  return `has a member ${name === undefined ? '' : `${name} `}that ${type.name} does not define${end}`;
}

function mustBe(type: GraphQLLeafType | GraphQLInputObjectType): string {
  if (isEnumType(type))
    return `must be one of: ${type
      .getValues()
      .map(({ name }) => name)
      .join(', ')}`;
  return `must be ${/^[AEIO]/.test(type.name) ? 'an' : 'a'} ${type.name}`;
}

/** What is wrong with the variables of an operation, up to a hundred faults. */
export function faultsIn(
  operation: OperationDefinitionNode,
  values: Values,
  document: DocumentNode,
  schema: GraphQLSchema,
  suggest: Suggest,
): FieldFault[] {
  const found: FieldFault[] = [];
  let paths: ReadonlyMap<string, string> | undefined;
  for (const { variable, type, defaultValue } of operation.variableDefinitions ?? []) {
    const name = variable.name.value;
    const wanted = typeFromAST(schema, type);
    const value = Object.hasOwn(values, name) ? (values[name] ?? null) : undefined;
    if (!isInputType(wanted) || (value === undefined && defaultValue)) continue;
    for (const { path, message } of valueFaults(value, wanted, '', suggest)) {
      if (found.length === mostFaults) return found;
      paths ??= variablePaths(document, schema);
      found.push({ path: join(paths.get(name) ?? notInDocument, path), message });
    }
  }
  return found;
}

function* objectFaults(
  value: unknown,
  type: GraphQLInputObjectType,
  path: string,
  suggest: Suggest,
): Generator<FieldFault, void, void> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return yield { path, message: mustBe(type) };
  const members = value as Values;
  const fields = type.getFields();
  // First, as a misspelt member is why another is missing, and many clients show the first fault alone.
  const unknown = Object.keys(members).find((key) => !fields[key]);
  if (unknown !== undefined) yield { path, message: unknownMember(type, unknown, suggest) };
  for (const { name, type: wanted, defaultValue } of Object.values(fields))
    if (members[name] !== undefined || defaultValue === undefined)
      yield* valueFaults(members[name], wanted, join(path, name), suggest);

  const given = Object.keys(fields).filter((name) => members[name] !== undefined);
  if (!type.isOneOf) return;
  if (given.length !== 1) yield { path, message: exactlyOne };
  else
    for (const name of given) if (members[name] === null) yield { path: join(path, name), message: notNull };
}

/** A scalar of ours says what it wants; of any other, the name must do, as its words may hold the value. */
function* leafFaults(
  type: GraphQLLeafType,
  path: string,
  read: () => unknown,
): Generator<FieldFault, void, void> {
  try {
    if (read() === undefined) yield { path, message: mustBe(type) };
  } catch (error) {
    yield { path, message: error instanceof ScalarRefusal ? error.message : mustBe(type) };
  }
}

/** Where a literal stands: the names of argument, members and indexes down to it, and the type that is wanted. */
interface Place {
  node: ValueNode;
  /** None inside a scalar's literal, and below what the schema does not define. */
  type: GraphQLInputType | undefined;
  path: string;
  /** Whether the schema has a value for where a variable has none. */
  hasDefault: boolean;
}

/** A literal and all that are in it. What is inside a scalar's literal stands where the scalar stands. */
function* placesIn(place: Place): Generator<Place, void, void> {
  yield place;
  const { node, type, path } = place;
  const within = { type: undefined, path, hasDefault: false };
  if (node.kind === Kind.LIST) {
    const list = type && getNullableType(type);
    for (const [index, item] of node.values.entries())
      if (isListType(list))
        yield* placesIn({ ...within, node: item, type: list.ofType, path: join(path, index) });
      else yield* placesIn({ ...within, node: item });
  } else if (node.kind === Kind.OBJECT) {
    const object = type && itemOf(type);
    for (const { name, value } of node.fields) {
      const field = isInputObjectType(object) ? object.getFields()[name.value] : undefined;
      yield* placesIn(field ? memberAt(value, field, path) : { ...within, node: value });
    }
  }
}

const memberAt = (node: ValueNode, member: GraphQLInputField | GraphQLArgument, path: string): Place => ({
  node,
  type: member.type,
  path: join(path, member.name),
  hasDefault: member.defaultValue !== undefined,
});

/** What is wrong with a literal itself; what is in it has places of its own. */
function* faultsAt(
  place: Place,
  variables?: Values,
  suggest: Suggest = suggestNothing,
): Generator<LiteralFault, void, void> {
  const { node, type, path } = place;
  if (!type) return;
  if (node.kind === Kind.NULL || node.kind === Kind.VARIABLE) {
    const value = node.kind === Kind.NULL ? null : variables?.[node.name.value];
    if (!isNonNullType(type)) return;
    if (value === null) yield { node, path, message: notNull };
    else if (value === undefined && variables && !place.hasDefault) yield { node, path, message: required };
    return;
  }
  const wanted = node.kind === Kind.LIST ? getNullableType(type) : itemOf(type);
  if (isInputObjectType(wanted)) {
    if (node.kind === Kind.OBJECT) yield* memberFaults(node, wanted, path, variables, suggest);
    else yield { node, path, message: mustBe(wanted) };
  } else if (isLeafType(wanted)) {
    for (const fault of leafFaults(wanted, path, () => wanted.parseLiteral(node, variables)))
      yield { node, ...fault };
  }
}

function* memberFaults(
  node: ObjectValueNode,
  type: GraphQLInputObjectType,
  path: string,
  variables: Values | undefined,
  suggest: Suggest,
): Generator<LiteralFault, void, void> {
  const members = new Map(node.fields.map(({ name, value }) => [name.value, value]));
  const fields = type.getFields();
  for (const member of node.fields)
    if (!fields[member.name.value])
      yield { node: member, path, message: unknownMember(type, member.name.value, suggest) };
  for (const field of Object.values(fields))
    if (!members.has(field.name) && isRequiredInputField(field))
      yield { node, path: join(path, field.name), message: required };

  if (!type.isOneOf) return;
  const [given, ...others] = Object.keys(fields).filter((name) => members.has(name));
  if (given === undefined || others.length > 0) yield { node, path, message: exactlyOne };
  else if (isNull(members.get(given), variables)) yield { node, path: join(path, given), message: notNull };
}

const isNull = (node: ValueNode | undefined, variables: Values | undefined) =>
  node?.kind === Kind.NULL ||
  (node?.kind === Kind.VARIABLE && variables !== undefined && (variables[node.name.value] ?? null) === null);

/** Where one item stands for a list of one, the type of the item. */
function itemOf(type: GraphQLInputType): GraphQLInputType {
  const wanted = getNullableType(type);
  return isListType(wanted) ? itemOf(wanted.ofType) : wanted;
}

/** The values of all arguments that the schema defines. */
function argumentsOf(document: DocumentNode, schema: GraphQLSchema): ReadonlyMap<ValueNode, Place> {
  const kept = known.get(document);
  if (kept?.schema === schema) return kept.places;
  const typeInfo = new TypeInfo(schema);
  const places = new Map<ValueNode, Place>();
  const Argument = ({ value }: ArgumentNode) => {
    const argument = typeInfo.getArgument();
    if (argument) places.set(value, memberAt(value, argument, ''));
  };
  visit(document, visitWithTypeInfo(typeInfo, { Argument }));
  known.set(document, { schema, places });
  return places;
}

/** The errors of one answer share a document. */
const known = new WeakMap<DocumentNode, { schema: GraphQLSchema; places: ReadonlyMap<ValueNode, Place> }>();

/** One step further on a path. */
function join(path: string, step: string | number): string {
  return [path, step].filter((part) => part !== '').join('.');
}
