import type { ApolloServerPlugin } from '@apollo/server';
import { Kind, OperationTypeNode, type GraphQLSchema, type OperationDefinitionNode } from 'graphql';
import { Permission } from '../access/principal.js';
import type { RequestContext } from '../context.js';
import { keywayErrorIn } from './errors/answer.js';
import { weigh } from './query-weight.js';

/**
 * Charges each operation to its caller before it is validated and run, counts what it was refused, and tells in the answer
 * how much is left. Belongs after `queryLimits`: what may not be asked at all costs no more than a request that asks nothing.
 */
export function charges(): ApolloServerPlugin<RequestContext> {
  return {
    requestDidStart: async () => {
      let cost = 0;
      return {
        didResolveOperation: async ({
          document,
          operation,
          request,
          schema,
          contextValue: { allowance },
        }) => {
          if (!operation) return;
          ({ cost } = weigh(document, operation, request.variables ?? {}, schema));
          await allowance.charge(Math.max(1, cost), revokesAlone(operation, schema));
        },
        willSendResponse: async ({ response: { body }, contextValue: ctx }) => {
          if (body.kind !== 'single') return;
          const { extensions } = body.singleResult;
          body.singleResult.extensions = { ...extensions, ...rateLimitOf(ctx, cost) };
        },
      };
    },
  };
}

/** Counts an answer that refuses something, or finds nothing: once, however much of it was so. */
export const failures: ApolloServerPlugin<RequestContext> = {
  requestDidStart: async () => ({
    didEncounterErrors: async ({ errors, contextValue: { allowance } }) => {
      if (errors.some((error) => isRefused(keywayErrorIn(error)?.code))) await allowance.countFailure();
    },
  }),
};

/** Whether an error with this code says that the caller may not have what it asked for, or that there is no such thing. */
export const isRefused = (code: string | undefined): boolean => code === 'FORBIDDEN' || code === 'NOT_FOUND';

/** What an answer says of the points that its caller may spend; nothing, where there is no limit. */
export function rateLimitOf({ allowance: { standing }, db }: RequestContext, cost: number) {
  if (!standing) return undefined;
  const { limit, remaining, leftMs } = standing;
  return { rateLimit: { limit, remaining, resetAt: new Date(db.now() + leftMs).toISOString(), cost } };
}

/** Whether an operation does nothing but revoke and delete credentials. */
function revokesAlone({ operation, selectionSet }: OperationDefinitionNode, schema: GraphQLSchema): boolean {
  if (operation !== OperationTypeNode.MUTATION) return false;
  const fields = schema.getMutationType()?.getFields() ?? {};
  return selectionSet.selections.every(
    (selection) =>
      selection.kind === Kind.FIELD &&
      fields[selection.name.value]?.extensions['permission'] === Permission.CREDENTIAL_REVOKE,
  );
}
