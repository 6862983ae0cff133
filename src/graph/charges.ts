import type { ApolloServerPlugin } from '@apollo/server';
import {
  Kind,
  OperationTypeNode,
  TypeNameMetaFieldDef,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import type { RequestContext } from '../access/context.js';
import { Permission } from '../access/principal.js';
import { overloaded } from '../errors.js';
import { keywayErrorIn } from './errors/answer.js';
import { mutationCost, weigh } from './query-weight.js';

/**
 * Charges each operation to its caller before it is validated and run, counts what it was refused, and tells in the answer
 * how much is left. Belongs after `queryLimits`: what may not be asked at all costs no more than a request that asks nothing.
 */
export function charges(): ApolloServerPlugin<RequestContext> {
  return {
    requestDidStart: async () => {
      return {
        didResolveOperation: async ({
          document,
          operation,
          request,
          schema,
          contextValue: { allowance, revokesAlone: mustRevoke },
        }) => {
          if (!operation) return;
          const { cost } = weigh(document, operation, request.variables ?? {}, schema);
          const revokes = revokesAlone(operation, schema, cost);
          if (mustRevoke && !revokes) throw overloaded();
          await allowance.charge(Math.max(1, cost), revokes);
        },
        willSendResponse: async ({ response: { body }, contextValue: ctx }) => {
          if (body.kind !== 'single') return;
          // What never came to be an operation costs as much as the least that does; where it may not, `http.ts` says so.
          if (!ctx.allowance.isCharged) await ctx.allowance.charge(1).catch(() => undefined);
          body.singleResult.extensions = { ...body.singleResult.extensions, ...rateLimitOf(ctx) };
        },
      };
    },
  };
}

/** Counts what an answer refuses, or does not find, error by error. */
export const failures: ApolloServerPlugin<RequestContext> = {
  requestDidStart: async () => ({
    didEncounterErrors: async ({ errors, contextValue: { allowance } }) => {
      const refused = errors.filter((error) => isRefused(keywayErrorIn(error)?.code)).length;
      if (refused > 0) await allowance.countFailures(refused);
    },
  }),
};

/** Whether an error with this code says that the caller may not have what it asked for, or that there is no such thing. */
export const isRefused = (code: string | undefined): boolean => code === 'FORBIDDEN' || code === 'NOT_FOUND';

/** What an answer says of the points that its caller may spend; nothing, where there is no limit. */
export function rateLimitOf({ allowance: { standing, charged: cost }, db }: RequestContext) {
  if (!standing) return undefined;
  const { limit, remaining, leftMs } = standing;
  return { rateLimit: { limit, remaining, resetAt: new Date(db.now() + leftMs).toISOString(), cost } };
}

/**
 * Whether an operation does nothing but revoke and delete credentials, and asks for little more than how each of them is
 * then: what it asks for besides would be read for ever, as what is revoked already can be revoked again.
 */
function revokesAlone(
  { operation, selectionSet: { selections } }: OperationDefinitionNode,
  schema: GraphQLSchema,
  cost: number,
): boolean {
  if (operation !== OperationTypeNode.MUTATION) return false;
  const fields = schema.getMutationType()?.getFields() ?? {};
  const names = selections.flatMap((node) => (node.kind === Kind.FIELD ? [node.name.value] : []));
  const others = names.filter(
    (name) => fields[name]?.extensions['permission'] !== Permission.CREDENTIAL_REVOKE,
  );
  if (names.length < selections.length || others.some((name) => name !== TypeNameMetaFieldDef.name))
    return false;
  return cost <= mostOfRevoking * (names.length - others.length) + mutationCost * others.length;
}

/** The mutations that revoke and delete credentials. */
export const revokingIn = (schema: GraphQLSchema | undefined): string[] =>
  Object.values(schema?.getMutationType()?.getFields() ?? {}).flatMap(({ name, extensions }) =>
    extensions['permission'] === Permission.CREDENTIAL_REVOKE ? [name] : [],
  );

/** What revoking one credential costs with its payload and a few fields, in points: 12 with the credential alone. */
const mostOfRevoking = 20;
