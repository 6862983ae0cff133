import type { ApolloServerPlugin } from '@apollo/server';
import { Kind, type DocumentNode } from 'graphql';
import { isLikeOurs } from './errors/suggest.js';
import { DocumentRefused } from './errors/validation.js';

/**
 * Refuses a request that leaves open which operation of its document is meant, or means one of a kind that the schema
 * does not have, and says what is expected. Belongs behind the validation of the document.
 */
export function namedOperation(): ApolloServerPlugin {
  return {
    requestDidStart: async () => ({
      didResolveOperation: async ({ document, operation, request, schema }) => {
        // Apollo Server asks this where there is none too, whatever its types say.
        if (!operation) throw refused(unresolved(document, request.operationName));
        if (!schema.getRootType(operation.operation))
          throw refused(`There is no ${operation.operation} here: send a query or a mutation.`);
      },
    }),
  };
}

const refused = (message: string) => new DocumentRefused([{ code: 'OPERATION_RESOLUTION_FAILURE', message }]);

const mostNamed = 5;

/** The name that was sent is not repeated: the document does not have it. Nor is one of the document that may be a secret. */
function unresolved(document: DocumentNode, asked: string | null | undefined): string {
  const operations = document.definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
  const names = operations.flatMap(({ name }) => name?.value ?? []);
  const told = names.filter(isLikeOurs).slice(0, mostNamed);
  const more = names.length > told.length ? ['others'] : [];
  const those = told.length === 0 ? '' : `: ${[told.join(', '), ...more].join(' and ')}`;
  if (typeof asked !== 'string')
    return `The document has several operations: operationName must name one of them${those}.`;
  if (names.length === 0) return 'operationName must be left out: the operation of the document has no name.';
  return `operationName must name an operation of the document${those}.`;
}
