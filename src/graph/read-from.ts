import type { ApolloServerPlugin } from '@apollo/server';
import { OperationTypeNode } from 'graphql';
import type { RequestContext } from '../access/context.js';
import { instant } from '../time.js';

/** Has queries read from the replica, where there is one that has come as far. Belongs after all that may refuse them. */
export const queriesFromReplica: ApolloServerPlugin<RequestContext> = {
  requestDidStart: async () => ({
    didResolveOperation: async ({ operation, contextValue }) => {
      if (operation?.operation === OperationTypeNode.QUERY) await readFrom(contextValue);
    },
    willSendResponse: async ({ response: { body }, contextValue }) => {
      if (body.kind === 'single')
        body.singleResult.extensions = { ...body.singleResult.extensions, ...ageOf(contextValue) };
    },
  }),
};

/** @throws UNAVAILABLE where the primary cannot be had: without it nobody knows how far the replica has to be. */
export async function readFrom(ctx: RequestContext): Promise<void> {
  if (ctx.replica) Object.assign(ctx, await ctx.replica.forQuery());
}

/** What an answer says, where there is a replica: it shows all that was committed by then, and may show more. */
export const ageOf = ({ asOf }: RequestContext): { asOf?: string } =>
  asOf === undefined ? {} : { asOf: instant(asOf) };
