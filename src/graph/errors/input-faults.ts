import {
  getNamedType,
  getNullableType,
  GraphQLError,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  Kind,
  type ASTNode,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLNamedInputType,
  type ValueNode,
} from 'graphql';
import { KeywayError, type FieldFault } from '../../errors.js';
import { join, type LiteralPlaces } from './literal-paths.js';

/**
 * What keeps a value from being of the type, one fault after the other; nothing where graphql-js takes the value. Paths
 * and messages are made of names of the schema and of list indexes, never of the value and its keys.
 */
export function* valueFaults(
  value: unknown,
  type: GraphQLInputType,
  path = '',
): Generator<FieldFault, void, void> {
  if (isNonNullType(type)) {
    if (value === undefined) yield { path, message: required };
    else if (value === null) yield { path, message: notNull };
    else yield* valueFaults(value, type.ofType, path);
  } else if (value === null || value === undefined) {
    return;
  } else if (isListType(type)) {
    if (!Array.isArray(value)) return yield* valueFaults(value, type.ofType, path);
    for (const [index, item] of value.entries())
      yield* valueFaults(item ?? null, type.ofType, join(path, index));
  } else if (isInputObjectType(type)) {
    yield* objectFaults(value, type, path);
  } else {
    const refusal = refusalOf(() => type.parseValue(value) as unknown);
    if (refusal) yield { path, message: wordsOf(refusal, type) };
  }
}

/** The fault of a literal that graphql-js complained of; undefined where it complained of something else. */
export function literalFault(error: GraphQLError, places: LiteralPlaces): FieldFault | undefined {
  const node = error.nodes?.[0];
  const place = node && places.nodes.get(node);
  const type = place?.type && getNamedType(place.type);
  if (!node || !place || !type) return undefined;
  const { path } = place;
  if (isInputObjectType(type)) {
    if (node.kind === Kind.OBJECT_FIELD) return { path, message: unknownMember(type) };
    if (node.kind === Kind.OBJECT) return memberFault(error.message, type, path);
  }
  if (node.kind === Kind.NULL || error.message.endsWith(' must not be null.'))
    return { path, message: notNull };
  if (error.message.endsWith(' not provided a runtime value.')) return { path, message: required };
  return { path, message: wordsOf(error, type) };
}

/** The fault of the first literal that its scalar refuses: for scalars whose errors do not tell where they arose. */
export function firstRefused({ nodes }: LiteralPlaces): FieldFault | undefined {
  for (const [node, { path, type }] of nodes) {
    const leaf = type && getNamedType(type);
    if (!isLeafType(leaf) || !isLiteral(node)) continue;
    if (node.kind === Kind.LIST && isListType(getNullableType(type))) continue;
    const refusal = refusalOf(() => leaf.parseLiteral(node, undefined) as unknown);
    if (refusal) return { path, message: wordsOf(refusal, leaf) };
  }
  return undefined;
}

/** The error of ours that this error is or was made from; undefined for a stranger, whatever caused it. */
export function keywayErrorIn(error: unknown): KeywayError | undefined {
  return [...origins(error)].find((origin) => origin instanceof KeywayError);
}

/** The error and those it was made from, outermost first. */
export function* origins(error: unknown): Generator<unknown> {
  const seen = new Set<unknown>();
  for (let next = error; next instanceof Error && !seen.has(next);) {
    seen.add(next);
    yield next;
    next = 'originalError' in next ? next.originalError : undefined;
  }
}

const required = 'is required';
const notNull = 'must not be null';
const unknownMember = ({ name }: GraphQLInputObjectType) => `has a member that ${name} does not define`;

function mustBe(type: GraphQLNamedInputType): string {
  if (isEnumType(type))
    return `must be one of: ${type
      .getValues()
      .map(({ name }) => name)
      .join(', ')}`;
  return `must be ${/^[AEIO]/.test(type.name) ? 'an' : 'a'} ${type.name}`;
}

/** A scalar of ours says what it wants; of any other, the name must do, as its words may hold the value. */
function wordsOf(refusal: unknown, type: GraphQLNamedInputType): string {
  const ours = [...origins(refusal)].find((origin) => origin instanceof GraphQLError && isOurs(origin));
  return ours instanceof GraphQLError ? ours.message : mustBe(type);
}

const isOurs = ({ message, extensions }: GraphQLError) =>
  extensions['code'] === 'BAD_USER_INPUT' && message.startsWith('must be ');

function* objectFaults(
  value: unknown,
  type: GraphQLInputObjectType,
  path: string,
): Generator<FieldFault, void, void> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return yield { path, message: mustBe(type) };
  const members = value as Readonly<Record<string, unknown>>;
  const fields = type.getFields();
  for (const { name, type: wanted, defaultValue } of Object.values(fields))
    if (members[name] !== undefined || defaultValue === undefined)
      yield* valueFaults(members[name], wanted, join(path, name));
  if (Object.keys(members).some((key) => !fields[key])) yield { path, message: unknownMember(type) };

  const given = Object.keys(fields).filter((name) => members[name] !== undefined);
  if (!type.isOneOf) return;
  if (given.length !== 1) yield { path, message: exactlyOne };
  else
    for (const name of given) if (members[name] === null) yield { path: join(path, name), message: notNull };
}

const exactlyOne = 'exactly one of its members must be given';

function memberFault(message: string, type: GraphQLInputObjectType, path: string): FieldFault {
  const [, name, fault] = /^Field "(?:\w+\.)?(\w+)" (must be non-null|of required type)/.exec(message) ?? [];
  if (name !== undefined && type.getFields()[name])
    return { path: join(path, name), message: fault === 'must be non-null' ? notNull : required };
  return { path, message: message.startsWith('OneOf Input Object ') ? exactlyOne : mustBe(type) };
}

function refusalOf(parse: () => unknown): Error | undefined {
  try {
    return parse() === undefined ? new Error('not of the type') : undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error('not of the type');
  }
}

const isLiteral = (node: ASTNode): node is ValueNode =>
  node.kind !== Kind.VARIABLE &&
  node.kind !== Kind.NULL &&
  node.kind !== Kind.OBJECT_FIELD &&
  node.kind.endsWith('Value');
