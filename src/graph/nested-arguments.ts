import type { ApolloServerPlugin } from '@apollo/server';
import {
  getArgumentValues,
  getDirectiveValues,
  getNamedType,
  getVariableValues,
  GraphQLError,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  isCompositeType,
  isValueNode,
  Kind,
  OperationTypeNode,
  type DocumentNode,
  type FieldNode,
  type GraphQLDirective,
  type GraphQLCompositeType,
  type GraphQLSchema,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import type { RequestContext } from '../access/context.js';
import { KeywayError } from '../errors.js';
import { argumentFaults } from './errors/input.js';
import type { Arguments, Expectation } from '../inputs/declared.js';
import { fieldOf, typeOf } from './query-weight.js';

/**
 * Refuses, before it is done, a mutation with an argument or directive at any depth that cannot mean anything: an error
 * after the deed would take the answer, and with it a secret that is shown once. Belongs after the plugins that refuse
 * what is too much, and variables that are not of their types.
 */
export function nestedArguments(): ApolloServerPlugin<RequestContext> {
  return {
    requestDidStart: async () => ({
      didResolveOperation: async ({ schema, document, operation, request, contextValue }) => {
        const root = schema.getMutationType();
        if (operation?.operation !== OperationTypeNode.MUTATION || !root) return;
        const { variableDefinitions = [], selectionSet } = operation;
        const { coerced } = getVariableValues(schema, variableDefinitions, request.variables ?? {});
        if (coerced) new Look(schema, document, coerced, contextValue).at(selectionSet, root);
      },
    }),
  };
}

class Look {
  readonly #fragments;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly document: DocumentNode,
    private readonly variables: Arguments,
    private readonly ctx: RequestContext,
  ) {
    const fragments = document.definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
    this.#fragments = new Map(fragments.map((node) => [node.name.value, node]));
  }

  /**
   * @param deed the arguments of the field of the root that this is below; undefined at the root
   * @param entered the fragments that were looked at below that field: once is enough
   * @throws BAD_USER_INPUT
   */
  at(
    set: SelectionSetNode,
    parent: GraphQLCompositeType,
    deed?: Arguments,
    entered = new Set<string>(),
  ): void {
    for (const node of set.selections) {
      if (this.#isLeftOut(node)) continue;
      if (node.kind === Kind.FIELD) {
        this.#field(node, parent, deed, entered);
      } else if (node.kind === Kind.INLINE_FRAGMENT) {
        const type = typeOf(this.schema, node.typeCondition?.name.value) ?? parent;
        this.at(node.selectionSet, type, deed, entered);
      } else if (!entered.has(node.name.value)) {
        entered.add(node.name.value);
        const fragment = this.#fragments.get(node.name.value);
        const type = typeOf(this.schema, fragment?.typeCondition.name.value);
        if (fragment && type) this.at(fragment.selectionSet, type, deed, entered);
      }
    }
  }

  #field(node: FieldNode, parent: GraphQLCompositeType, deed: Arguments | undefined, entered: Set<string>) {
    const definition = fieldOf(this.schema, parent, node.name.value);
    if (!definition) return;
    const given = this.#reading(node, () => getArgumentValues(definition, node, this.variables));
    const expects = definition.extensions['expects'] as Expectation | undefined;
    if (deed && expects) this.#reading(node, () => expects(given, this.ctx, deed));
    const type = getNamedType(definition.type);
    if (!node.selectionSet || !isCompositeType(type)) return;
    if (deed) this.at(node.selectionSet, type, deed, entered);
    else this.at(node.selectionSet, type, given);
  }

  #isLeftOut(node: SelectionNode): boolean {
    const conditionOf = (directive: GraphQLDirective) =>
      this.#reading(node, () => getDirectiveValues(directive, node, this.variables))?.['if'];
    return conditionOf(GraphQLSkipDirective) === true || conditionOf(GraphQLIncludeDirective) === false;
  }

  /** Has a refusal tell where in the document it arose. */
  #reading<Value>(node: SelectionNode, read: () => Value): Value {
    try {
      return read();
    } catch (error) {
      const refusal = error instanceof GraphQLError ? this.#refusalFor(error) : error;
      if (!(refusal instanceof KeywayError)) throw error;
      throw new GraphQLError(refusal.message, { nodes: node, originalError: refusal });
    }
  }

  #refusalFor(error: GraphQLError): KeywayError {
    const value = error.nodes?.[0];
    const fields =
      value && isValueNode(value) ? argumentFaults(value, this.document, this.schema, this.variables) : [];
    return new KeywayError('BAD_USER_INPUT', undefined, { fields });
  }
}
