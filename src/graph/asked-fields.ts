import type { ApolloServerPlugin } from '@apollo/server';
import { OperationTypeNode, visit, type DocumentNode } from 'graphql';
import type { RequestContext } from '../access/context.js';

/** Tells a query that is about to run which fields its document has, so that what none of them shows is not read. */
export function askedFields(): ApolloServerPlugin<RequestContext> {
  return {
    requestDidStart: async () => ({
      didResolveOperation: async ({ document, operation, contextValue: { asked } }) => {
        if (operation?.operation === OperationTypeNode.QUERY) asked.fields = fieldsIn(document);
      },
    }),
  };
}

const known = new WeakMap<DocumentNode, ReadonlySet<string>>();

/** The names of all fields in a document, of whatever type. */
export function fieldsIn(document: DocumentNode): ReadonlySet<string> {
  const kept = known.get(document);
  if (kept) return kept;
  const fields = new Set<string>();
  visit(document, { Field: ({ name }) => void fields.add(name.value) });
  known.set(document, fields);
  return fields;
}
