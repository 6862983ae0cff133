import {
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  parse,
  type GraphQLEnumType,
  type GraphQLInputObjectType,
  type GraphQLObjectType,
  type GraphQLSchema,
  type GraphQLType,
  type SelectionSetNode,
} from 'graphql';
import { getMetadataStorage } from 'type-graphql';
import { ruleSchemas, type JsonSchema } from '../inputs/rules.js';

/** Schemas by name, as in the components of an OpenAPI document. */
export type Components = Record<string, JsonSchema>;

/** How a schema is named where another one uses it. */
export const refTo = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });

/**
 * The schema of the JSON that an input type of the graph takes, with what its class says of each member.
 * @param components takes the schema, and those of the types in it
 * @throws an Error to show where there is no such type, or JSON Schema has no word for a part of it
 */
export function describeInput(schema: GraphQLSchema, name: string, components: Components): JsonSchema {
  const type = schema.getType(name);
  if (!isInputObjectType(type)) throw new Error(`${name} is no input type`);
  components[name] ??= inputSchema(schema, type, components);
  return refTo(name);
}

function inputSchema(
  schema: GraphQLSchema,
  type: GraphQLInputObjectType,
  components: Components,
): JsonSchema {
  const inputClass = getMetadataStorage().inputTypes.find((one) => one.name === type.name)?.target;
  const rules = ruleSchemas(inputClass as abstract new () => object);
  const fields = Object.values(type.getFields());
  const properties = fields.map((field) => {
    const own = typeSchema(field.type, components, (named) => {
      if (isInputObjectType(named)) return describeInput(schema, named.name, components);
      return undefined;
    });
    // What must be one of several may be left out, and may not be null.
    const mayBeNull = !isNonNullType(field.type) && !type.isOneOf;
    return [
      field.name,
      {
        ...withNull(ruled(own, rules.get(field.name)), mayBeNull),
        ...(field.defaultValue !== undefined && { default: field.defaultValue }),
        description: field.description,
      },
    ] as const;
  });
  const required = fields.filter((field) => isNonNullType(field.type)).map((field) => field.name);
  return {
    type: 'object',
    description: type.description,
    properties: Object.fromEntries(properties),
    ...(required.length > 0 && { required }),
    ...(type.isOneOf && { minProperties: 1, maxProperties: 1 }),
    additionalProperties: false,
  };
}

/**
 * The schema of an answer that has these fields of a type of the graph.
 * @param selected a selection set, such as `{ id name }`
 * @param components takes the schemas of enums in it
 * @throws an Error to show where there is no such type or field, or JSON Schema has no word for it
 */
export function describeAnswer(
  schema: GraphQLSchema,
  name: string,
  selected: string,
  components: Components,
): JsonSchema {
  const type = schema.getType(name);
  const [asked] = parse(selected).definitions;
  if (!isObjectType(type) || asked?.kind !== Kind.OPERATION_DEFINITION)
    throw new Error(`nothing can be selected of ${name} by that`);
  return answerSchema(type, asked.selectionSet, components);
}

function answerSchema(
  type: GraphQLObjectType,
  { selections }: SelectionSetNode,
  components: Components,
): JsonSchema {
  const properties = selections.map((selection) => {
    const field = selection.kind === Kind.FIELD && type.getFields()[selection.name.value];
    if (!field) throw new Error(`${type.name} has no such field`);
    const own = typeSchema(field.type, components, (named) =>
      isObjectType(named) && selection.selectionSet
        ? answerSchema(named, selection.selectionSet, components)
        : undefined,
    );
    return [
      field.name,
      { ...withNull(own, !isNonNullType(field.type)), description: field.description },
    ] as const;
  });
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    required: properties.map(([property]) => property),
    additionalProperties: false,
  };
}

function typeSchema(
  type: GraphQLType,
  components: Components,
  objectSchema: (named: GraphQLType) => JsonSchema | undefined,
): JsonSchema {
  const bare = getNullableType(type);
  if (isListType(bare)) return { type: 'array', items: typeSchema(bare.ofType, components, objectSchema) };
  const named = getNamedType(bare);
  if (isEnumType(named)) {
    components[named.name] ??= enumSchema(named);
    return refTo(named.name);
  }
  const found = scalars[named.name] ?? objectSchema(named);
  if (!found) throw new Error(`there is no schema for ${named.name}`);
  return found;
}

const scalars: Readonly<Record<string, JsonSchema>> = {
  Boolean: { type: 'boolean' },
  DateTime: { type: 'string', format: 'date-time' },
  ID: { type: 'string' },
  Int: { type: 'integer' },
  String: { type: 'string' },
};

/** OpenAPI has no place for the description of a single value: they are told in that of the whole. */
function enumSchema(type: GraphQLEnumType): JsonSchema {
  const values = type.getValues();
  const told = values.map(({ name, description }) => `- \`${name}\`: ${description ?? ''}`);
  return {
    type: 'string',
    description: [type.description, '', ...told].join('\n'),
    enum: values.map(({ name }) => name),
  };
}

/** A schema with what its rules add, to the items of a list too. */
function ruled(own: JsonSchema, rules: JsonSchema = {}): JsonSchema {
  const items = {
    ...(own['items'] as JsonSchema | undefined),
    ...(rules['items'] as JsonSchema | undefined),
  };
  return { ...own, ...rules, ...(own['type'] === 'array' && { items }) };
}

function withNull(schema: JsonSchema, mayBeNull: boolean): JsonSchema {
  if (!mayBeNull) return schema;
  if (typeof schema['type'] === 'string') return { ...schema, type: [schema['type'], 'null'] };
  return { anyOf: [schema, { type: 'null' }] };
}
