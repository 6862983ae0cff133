import type {
  DirectiveNode,
  DocumentNode,
  FieldNode,
  GraphQLCompositeType,
  GraphQLField,
  GraphQLSchema,
  OperationDefinitionNode,
  SelectionNode,
  SelectionSetNode,
  ValueNode,
} from 'graphql';
import {
  getNamedType,
  getNullableType,
  isCompositeType,
  isInterfaceType,
  isIntrospectionType,
  isListType,
  isObjectType,
  Kind,
  OperationTypeNode,
  SchemaMetaFieldDef,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
} from 'graphql';
import { usualPage } from '../config/limits.js';

/** What the selections of an operation come to. `pages` are the sizes asked for, by the argument that asked. */
export interface OperationWeight {
  depth: number;
  aliases: number;
  directives: number;
  rootFields: number;
  /** Root fields that look at secrets. */
  guardedFields: number;
  cost: number;
  pages: readonly { argument: string; size: number }[];
}

/**
 * Weighs an operation before it runs. An object costs one point, a scalar none; the items of a list count by the size
 * of their page, or by an assumed number; a field of a mutation costs ten more. Fragments weigh wherever they are
 * spread, but are looked at once, so that the time taken is in proportion to the document; a fragment within itself
 * counts once. Introspection has no depth, as graphql-js bounds it, and its lists count as one item, as they cost no
 * rows.
 */
export function weigh(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
  schema: GraphQLSchema,
): OperationWeight {
  const kept = weighed.get(operation);
  if (kept?.schema === schema && [...kept.read].every(([name, value]) => given(variables, name) === value))
    return kept.weight;
  const scale = new Scale(document, operation, variables, schema);
  const root = schema.getRootType(operation.operation);
  const weight = root ? scale.weigh(operation.selectionSet, root) : weightless;
  const perField = operation.operation === OperationTypeNode.MUTATION ? mutationCost : 0;
  const declared = (operation.variableDefinitions ?? []).reduce((sum, node) => sum + count(node), 0);
  const result = {
    depth: weight.depth,
    aliases: weight.aliases,
    directives: weight.directives + count(operation) + declared,
    rootFields: weight.fields,
    guardedFields: weight.guarded,
    cost: weight.once + weight.each * assumedItems + weight.fields * perField,
    pages: scale.pages,
  };
  weighed.set(operation, { schema, read: scale.read, weight: result });
  return result;
}

/** The last weight of an operation, and the variables that it depends on: a known document is asked again and again. */
const weighed = new WeakMap<
  OperationDefinitionNode,
  { schema: GraphQLSchema; read: ReadonlyMap<string, unknown>; weight: OperationWeight }
>();

/** How many items a list is taken to have that is not paged; a page without a size is the usual one. */
const assumedItems = 10;
const mutationCost = 10;

/** Stays a number in sums and products, where doubling fragments would reach infinity. */
const boundless = 1e12;

/**
 * What a selection set weighs. `once` is its cost for each object it is asked of; `each` the cost of one item of its
 * lists, which a connection multiplies by its page and any other object by the assumed number.
 */
interface Weight {
  depth: number;
  aliases: number;
  directives: number;
  fields: number;
  guarded: number;
  once: number;
  each: number;
}

const weightless: Weight = { depth: 0, aliases: 0, directives: 0, fields: 0, guarded: 0, once: 0, each: 0 };

class Scale {
  readonly pages: { argument: string; size: number }[] = [];
  readonly read = new Map<string, unknown>();
  readonly #fragments;
  readonly #weights = new Map<string, Weight>();

  constructor(
    document: DocumentNode,
    private readonly operation: OperationDefinitionNode,
    private readonly variables: Readonly<Record<string, unknown>>,
    private readonly schema: GraphQLSchema,
  ) {
    const fragments = document.definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
    this.#fragments = new Map(fragments.map((node) => [node.name.value, node]));
  }

  weigh(set: SelectionSetNode, parent: GraphQLCompositeType): Weight {
    return set.selections.map((node) => this.#selection(node, parent)).reduce(add, weightless);
  }

  #selection(node: SelectionNode, parent: GraphQLCompositeType): Weight {
    const own = { ...weightless, directives: count(node) };
    if (node.kind === Kind.FIELD) return add(own, this.#field(node, parent));
    if (node.kind === Kind.FRAGMENT_SPREAD) return add(own, this.#fragment(node.name.value));
    return add(
      own,
      this.weigh(node.selectionSet, typeOf(this.schema, node.typeCondition?.name.value) ?? parent),
    );
  }

  #fragment(name: string): Weight {
    const known = this.#weights.get(name);
    if (known) return known;
    this.#weights.set(name, weightless);
    const node = this.#fragments.get(name);
    const type = typeOf(this.schema, node?.typeCondition.name.value);
    if (!node || !type) return weightless;
    const weight = add({ ...weightless, directives: count(node) }, this.weigh(node.selectionSet, type));
    this.#weights.set(name, weight);
    return weight;
  }

  #field(node: FieldNode, parent: GraphQLCompositeType): Weight {
    const definition = fieldOf(this.schema, parent, node.name.value);
    const guarded = definition?.extensions['guarded'] === true ? 1 : 0;
    const own = { ...weightless, depth: 1, fields: 1, guarded, aliases: node.alias ? 1 : 0 };
    const type = definition && getNamedType(definition.type);
    if (!definition || !isCompositeType(type) || !node.selectionSet) return own;

    const inner = this.weigh(node.selectionSet, type);
    const below = { ...own, ...inner, fields: 1, guarded, aliases: own.aliases + inner.aliases };
    if (isIntrospectionType(parent)) return { ...below, once: 1 + inner.once + inner.each, each: 0 };

    const depth = inner.depth + 1;
    const page = this.#page(node, definition);
    if (!isListType(getNullableType(definition.type)))
      return { ...below, depth, once: 1 + inner.once + inner.each * (page ?? assumedItems), each: 0 };
    const item = 1 + inner.once + inner.each * assumedItems;
    return page ? { ...below, depth, once: item * page, each: 0 } : { ...below, depth, once: 0, each: item };
  }

  /** How many items the field asks for; undefined where it is not paged. */
  #page(node: FieldNode, definition: GraphQLField<unknown, unknown>): number | undefined {
    const parameters = definition.args.filter(({ name }) => name === 'first' || name === 'last');
    if (parameters.length === 0) return undefined;
    const sizes = parameters.flatMap(({ name, defaultValue }) => {
      const argument = node.arguments?.find((other) => other.name.value === name);
      const size = (argument && this.#number(argument.value)) ?? defaultValue;
      if (typeof size !== 'number') return [];
      this.pages.push({ argument: name, size });
      return [size];
    });
    return sizes.length > 0 ? Math.max(1, ...sizes) : usualPage;
  }

  #number(node: ValueNode): unknown {
    if (node.kind === Kind.INT) return Number(node.value);
    if (node.kind !== Kind.VARIABLE) return undefined;
    const name = node.name.value;
    const value = given(this.variables, name);
    this.read.set(name, value);
    if (value !== undefined) return value;
    const definition = this.operation.variableDefinitions?.find(
      (other) => other.variable.name.value === name,
    );
    return definition?.defaultValue && this.#number(definition.defaultValue);
  }
}

function add(one: Weight, other: Weight): Weight {
  return {
    depth: Math.max(one.depth, other.depth),
    aliases: Math.min(one.aliases + other.aliases, boundless),
    directives: Math.min(one.directives + other.directives, boundless),
    fields: Math.min(one.fields + other.fields, boundless),
    guarded: Math.min(one.guarded + other.guarded, boundless),
    once: Math.min(one.once + other.once, boundless),
    each: Math.min(one.each + other.each, boundless),
  };
}

const given = (variables: Readonly<Record<string, unknown>>, name: string): unknown =>
  Object.hasOwn(variables, name) ? variables[name] : undefined;

const count = (node: { directives?: readonly DirectiveNode[] }) => node.directives?.length ?? 0;

/** The type that a fragment is on; undefined for none. */
export function typeOf(schema: GraphQLSchema, name: string | undefined): GraphQLCompositeType | undefined {
  const type = name === undefined ? undefined : schema.getType(name);
  return isCompositeType(type) ? type : undefined;
}

/** The field of that name, introspection's among them. */
export function fieldOf(schema: GraphQLSchema, parent: GraphQLCompositeType, name: string) {
  if (name === TypeNameMetaFieldDef.name) return TypeNameMetaFieldDef;
  if (parent === schema.getQueryType() && name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
  if (parent === schema.getQueryType() && name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
  return isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
}
