import type {
  DocumentNode,
  FieldNode,
  GraphQLCompositeType,
  GraphQLField,
  GraphQLSchema,
  OperationDefinitionNode,
  SelectionNode,
  SelectionSetNode,
  ValueNode,
  VariableDefinitionNode,
  VariableNode,
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
import { largestPage, usualPage } from '../config/limits.js';
import type { Answered, Spanned } from '../inputs/declared.js';
import { durationMs } from '../time.js';

/** The size of a page that is asked for: of which field of the schema, and by which of its arguments. */
export interface AskedPage {
  field: string;
  argument: string;
  size: number;
}

/** What the selections of an operation come to. */
export interface OperationWeight {
  rootFields: number;
  /** Root fields that look at secrets. */
  guardedFields: number;
  cost: number;
  pages: readonly AskedPage[];
}

/**
 * Weighs an operation before it runs. An object costs one point, a scalar none; the items of a list count by the size
 * of their page, by the items of the argument that they answer, by the days in one, or by an assumed number; a field of a
 * mutation costs ten more, and one that reads far more than it answers what it declares. Fragments weigh wherever they are
 * spread, but are looked at once, so that the time taken is in proportion to the document; a fragment within itself
 * counts once. Lists of introspection count as one item, as they cost no rows. What the schema does not have weighs
 * nothing: whether the document fits is not known yet.
 */
export function weigh(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
  schema: GraphQLSchema,
): OperationWeight {
  const kept = weighed.get(operation);
  if (kept?.schema === schema && [...kept.read].every(([name, isAlike]) => isAlike(given(variables, name))))
    return kept.weight;
  const scale = new Scale(document, operation, variables, schema);
  const root = schema.getRootType(operation.operation);
  const weight = root ? scale.weigh(operation.selectionSet, root) : weightless;
  const perField = operation.operation === OperationTypeNode.MUTATION ? mutationCost : 0;
  const result = {
    rootFields: weight.fields,
    guardedFields: weight.guarded,
    cost: weight.once + weight.each * assumedItems + weight.fields * perField,
    pages: scale.pages,
  };
  if (scale.isKeepable) weighed.set(operation, { schema, read: scale.read, weight: result });
  return result;
}

/** The way down to the field of the operation that costs most, by names of the schema: `credentials.nodes.account`. */
export function heaviest(...[document, operation, variables, schema]: Parameters<typeof weigh>): string {
  const root = schema.getRootType(operation.operation);
  const scale = new Scale(document, operation, variables, schema);
  return root ? scale.heaviest(operation.selectionSet, root).join('.') : '';
}

/** Whether another value of a variable weighs as much. */
type IsAlike = (value: unknown) => boolean;

/** The last weight of an operation, and the variables that it depends on: a known document is asked again and again. */
const weighed = new WeakMap<
  OperationDefinitionNode,
  { schema: GraphQLSchema; read: ReadonlyMap<string, IsAlike>; weight: OperationWeight }
>();

/** How many items a list is taken to have that is not paged; a page without a size is the usual one. */
const assumedItems = 10;
/** What a field of a mutation costs besides. */
export const mutationCost = 10;

/** Stays a number in sums and products, where doubling fragments would reach infinity. */
const boundless = 1e12;

/**
 * What a selection set weighs. `once` is its cost for each object it is asked of; `each` the cost of one item of its
 * lists, which a connection multiplies by its page and any other object by the assumed number.
 */
interface Weight {
  fields: number;
  guarded: number;
  once: number;
  each: number;
}

const weightless: Weight = { fields: 0, guarded: 0, once: 0, each: 0 };

class Scale {
  readonly pages: AskedPage[] = [];
  readonly read = new Map<string, IsAlike>();
  /** Not where it depends on more than numbers and lengths: what a caller sends is not kept. */
  isKeepable = true;
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

  heaviest(set: SelectionSetNode, parent: GraphQLCompositeType, within: readonly string[] = []): string[] {
    let most = { cost: 0, way: [] as string[] };
    for (const node of set.selections) {
      const { once, each } = this.#selection(node, parent);
      const cost = once + each * assumedItems;
      if (cost > most.cost) most = { cost, way: this.#way(node, parent, within) };
    }
    return most.way;
  }

  #way(node: SelectionNode, parent: GraphQLCompositeType, within: readonly string[]): string[] {
    if (node.kind === Kind.INLINE_FRAGMENT)
      return this.heaviest(
        node.selectionSet,
        typeOf(this.schema, node.typeCondition?.name.value) ?? parent,
        within,
      );
    if (node.kind === Kind.FRAGMENT_SPREAD) {
      const fragment = this.#fragments.get(node.name.value);
      const type = typeOf(this.schema, fragment?.typeCondition.name.value);
      if (!fragment || !type || within.includes(node.name.value)) return [];
      return this.heaviest(fragment.selectionSet, type, [...within, node.name.value]);
    }
    const definition = fieldOf(this.schema, parent, node.name.value);
    const type = definition && getNamedType(definition.type);
    if (!definition || !isCompositeType(type) || !node.selectionSet) return [];
    return [definition.name, ...this.heaviest(node.selectionSet, type, within)];
  }

  #selection(node: SelectionNode, parent: GraphQLCompositeType): Weight {
    if (node.kind === Kind.FIELD) return this.#field(node, parent);
    if (node.kind === Kind.FRAGMENT_SPREAD) return this.#fragment(node.name.value);
    return this.weigh(node.selectionSet, typeOf(this.schema, node.typeCondition?.name.value) ?? parent);
  }

  #fragment(name: string): Weight {
    const known = this.#weights.get(name);
    if (known) return known;
    this.#weights.set(name, weightless);
    const node = this.#fragments.get(name);
    const type = typeOf(this.schema, node?.typeCondition.name.value);
    if (!node || !type) return weightless;
    const weight = this.weigh(node.selectionSet, type);
    this.#weights.set(name, weight);
    return weight;
  }

  #field(node: FieldNode, parent: GraphQLCompositeType): Weight {
    const definition = fieldOf(this.schema, parent, node.name.value);
    const guarded = definition?.extensions['guarded'] === true ? 1 : 0;
    const own = { ...weightless, fields: 1, guarded };
    const type = definition && getNamedType(definition.type);
    if (!definition || !isCompositeType(type) || !node.selectionSet) return own;

    const inner = this.weigh(node.selectionSet, type);
    if (isIntrospectionType(parent)) return { ...own, once: 1 + inner.once + inner.each, each: 0 };

    const page =
      this.#page(node, definition) ?? this.#answered(node, definition) ?? this.#spanned(node, definition);
    const besides = (definition.extensions['costs'] as number | undefined) ?? 0;
    if (!isListType(getNullableType(definition.type)))
      return { ...own, once: 1 + besides + inner.once + inner.each * (page ?? assumedItems), each: 0 };
    const item = 1 + inner.once + inner.each * assumedItems;
    return page === undefined ? { ...own, once: 0, each: item } : { ...own, once: item * page, each: 0 };
  }

  /** How many items the field asks for; undefined where it is not paged. */
  #page(node: FieldNode, definition: GraphQLField<unknown, unknown>): number | undefined {
    const parameters = definition.args.filter(({ name }) => name === 'first' || name === 'last');
    if (parameters.length === 0) return undefined;
    const sizes = parameters.flatMap(({ name, defaultValue }) => {
      const argument = node.arguments?.find((other) => other.name.value === name);
      const size = (argument && this.#number(argument.value)) ?? defaultValue;
      if (typeof size !== 'number') return [];
      this.pages.push({ field: definition.name, argument: name, size });
      return [size];
    });
    if (sizes.length === 0) return usualPage;
    // What is more is refused, whatever it would cost.
    return Math.ceil(Math.min(largestPage + 1, Math.max(1, ...sizes)));
  }

  /** How many items the field answers, one by one; undefined where it does not. What is more than it takes is refused. */
  #answered(node: FieldNode, definition: GraphQLField<unknown, unknown>): number | undefined {
    const answers = definition.extensions['answers'] as Answered | undefined;
    if (!answers) return undefined;
    const argument = node.arguments?.find(({ name }) => name.value === answers.argument);
    return Math.min(answers.most, (argument && this.#length(argument.value)) ?? answers.most);
  }

  /** How many parts the time has that the field answers; undefined where it answers none. What is more is refused. */
  #spanned(node: FieldNode, definition: GraphQLField<unknown, unknown>): number | undefined {
    const spans = definition.extensions['spans'] as Spanned | undefined;
    if (!spans) return undefined;
    const byDefault = definition.args.find(({ name }) => name === spans.argument)?.defaultValue;
    const argument = node.arguments?.find(({ name }) => name.value === spans.argument);
    return argument ? this.#parts(argument.value, spans, byDefault) : partsOf(byDefault, spans);
  }

  #parts(node: ValueNode, spans: Spanned, byDefault: unknown): number {
    if (node.kind === Kind.STRING) return partsOf(node.value, spans);
    if (node.kind !== Kind.VARIABLE) return spans.most;
    const value = given(this.variables, node.name.value);
    if (value === undefined) {
      this.#note(node, (other) => other === undefined);
      const other = this.#default(node);
      return other ? this.#parts(other, spans, byDefault) : partsOf(byDefault, spans);
    }
    const parts = partsOf(value, spans);
    this.#note(node, (other) => other !== undefined && partsOf(other, spans) === parts);
    return parts;
  }

  #number(node: ValueNode): unknown {
    if (node.kind === Kind.INT) return Number(node.value);
    if (node.kind !== Kind.VARIABLE) return undefined;
    const value = given(this.variables, node.name.value);
    const isNumber = typeof value === 'number' || value === undefined || value === null;
    this.#note(node, isNumber && ((other) => other === value));
    if (value !== undefined) return value;
    const byDefault = this.#default(node);
    return byDefault && this.#number(byDefault);
  }

  /** How many items a list has; a value in its place is one. */
  #length(node: ValueNode): number | undefined {
    if (node.kind === Kind.LIST) return node.values.length;
    if (node.kind === Kind.NULL) return undefined;
    if (node.kind !== Kind.VARIABLE) return 1;
    const value = given(this.variables, node.name.value);
    const length = Array.isArray(value) ? value.length : undefined;
    if (length !== undefined) this.#note(node, (other) => Array.isArray(other) && other.length === length);
    else this.#note(node, (value === undefined || value === null) && ((other) => other === value));
    if (value !== undefined) return value === null ? undefined : (length ?? 1);
    const byDefault = this.#default(node);
    return byDefault && this.#length(byDefault);
  }

  #note({ name }: VariableNode, isAlike: IsAlike | false): void {
    if (isAlike) this.read.set(name.value, isAlike);
    else this.isKeepable = false;
  }

  #default({ name }: VariableNode): ValueNode | undefined {
    const isOf = ({ variable }: VariableDefinitionNode) => variable.name.value === name.value;
    return this.operation.variableDefinitions?.find(isOf)?.defaultValue;
  }
}

function add(one: Weight, other: Weight): Weight {
  return {
    fields: Math.min(one.fields + other.fields, boundless),
    guarded: Math.min(one.guarded + other.guarded, boundless),
    once: Math.min(one.once + other.once, boundless),
    each: Math.min(one.each + other.each, boundless),
  };
}

/** What is no length of time is refused, whatever it would cost. */
function partsOf(value: unknown, { unitMs, most }: Spanned): number {
  try {
    const parts = typeof value === 'string' ? Math.ceil(durationMs(value) / unitMs) : most;
    return Math.min(most, Math.max(1, parts));
  } catch {
    return most;
  }
}

const given = (variables: Readonly<Record<string, unknown>>, name: string): unknown =>
  Object.hasOwn(variables, name) ? variables[name] : undefined;

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
