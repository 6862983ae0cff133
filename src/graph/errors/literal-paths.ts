import type {
  ArgumentNode,
  ASTNode,
  DocumentNode,
  GraphQLArgument,
  GraphQLInputType,
  GraphQLSchema,
} from 'graphql';
import {
  getNamedType,
  getNullableType,
  isInputObjectType,
  isInputType,
  isListType,
  Kind,
  typeFromAST,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type ObjectValueNode,
  type ValueNode,
} from 'graphql';

/** Where a value stands in a document: the names of argument, members and indexes down to it, and the type wanted. */
export interface LiteralPlace {
  path: string;
  type: GraphQLInputType | undefined;
}

/** The places of all literals of a document, their members too; of a variable, the first place where it is used. */
export interface LiteralPlaces {
  nodes: ReadonlyMap<ASTNode, LiteralPlace>;
  variables: ReadonlyMap<string, string>;
}

/** Finds the places in a document, valid or not. Paths hold nothing that the schema does not define. */
export function literalPlacesOf(document: DocumentNode, schema: GraphQLSchema): LiteralPlaces {
  const kept = known.get(document);
  if (kept?.schema === schema) return kept.places;
  const places = findPlaces(document, schema);
  known.set(document, { schema, places });
  return places;
}

/** The errors of one answer share a document. */
const known = new WeakMap<DocumentNode, { schema: GraphQLSchema; places: LiteralPlaces }>();

function findPlaces(document: DocumentNode, schema: GraphQLSchema): LiteralPlaces {
  const finder = new Finder();
  const typeInfo = new TypeInfo(schema);
  visit(
    document,
    visitWithTypeInfo(typeInfo, {
      Field: (node) => finder.findAll(node.arguments, typeInfo.getFieldDef()?.args),
      Directive: (node) => finder.findAll(node.arguments, typeInfo.getDirective()?.args),
    }),
  );
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    for (const { variable, type, defaultValue } of definition.variableDefinitions ?? []) {
      const wanted = typeFromAST(schema, type);
      if (defaultValue && isInputType(wanted))
        finder.find(defaultValue, wanted, finder.variables.get(variable.name.value) ?? notInDocument);
    }
  }
  return finder;
}

/** The path of a value that the document does not use. */
export const notInDocument = 'variables';

/** One step further on a path. */
export const join = (path: string, step: string | number) => (path === '' ? `${step}` : `${path}.${step}`);

class Finder implements LiteralPlaces {
  readonly nodes = new Map<ASTNode, LiteralPlace>();
  readonly variables = new Map<string, string>();

  findAll(given: readonly ArgumentNode[] = [], defined: readonly GraphQLArgument[] = []): void {
    for (const { name, value } of given) {
      const argument = defined.find((other) => other.name === name.value);
      if (argument) this.find(value, argument.type, argument.name);
    }
  }

  find(node: ValueNode, type: GraphQLInputType | undefined, path: string): void {
    this.nodes.set(node, { path, type });
    if (node.kind === Kind.OBJECT) this.#findMembers(node, type, path);
    if (node.kind === Kind.VARIABLE && !this.variables.has(node.name.value))
      this.variables.set(node.name.value, path);
    if (node.kind !== Kind.LIST) return;
    const list = type && getNullableType(type);
    for (const [index, item] of node.values.entries())
      if (isListType(list)) this.find(item, list.ofType, join(path, index));
      else this.find(item, type, path);
  }

  #findMembers(node: ObjectValueNode, type: GraphQLInputType | undefined, path: string): void {
    const object = type && getNamedType(type);
    for (const member of node.fields) {
      this.nodes.set(member, { path, type });
      // What is inside a scalar's literal stands where the scalar stands.
      if (!isInputObjectType(object)) this.find(member.value, type, path);
      const field = isInputObjectType(object) ? object.getFields()[member.name.value] : undefined;
      if (field) this.find(member.value, field.type, join(path, field.name));
    }
  }
}
