import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { ApolloServerPluginCacheControlDisabled } from '@apollo/server/plugin/disabled';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { Kind, OperationTypeNode } from 'graphql';
import type {
  DocumentNode,
  FragmentDefinitionNode,
  GraphQLError,
  GraphQLSchema,
  SelectionSetNode,
} from 'graphql';
import { answerErrors, formatError, keywayErrorIn } from './errors/answer.js';
import { compiledQueries } from './compiled-queries.js';
import { callerOf, decisionOf, endedBy } from '../audit/decision.js';
import type { Decisions } from '../audit/decisions.js';
import type { RequestContext } from '../context.js';
import { variableFaults } from './errors/input.js';
import { nestedArguments } from './nested-arguments.js';
import { parseOptions, queryLimits, validationOptions } from './query-limits.js';
import { AuditOutcome } from '../audit/audit-event.js';

/** The executor of the graph: Apollo Server with Keyway's limits, words for errors and record of refusals. */
export function openApollo(
  schema: GraphQLSchema,
  options: { introspection: boolean; decisions: Decisions },
): ApolloServer<RequestContext> {
  return new ApolloServer<RequestContext>({
    schema,
    introspection: options.introspection,
    // The defaults speak of fields that the schema has, and of what went wrong inside.
    includeStacktraceInErrorResponses: false,
    hideSchemaDetailsFromClientErrors: true,
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    persistedQueries: false,
    stopOnTerminationSignals: false,
    formatError,
    parseOptions,
    validationOptions,
    logger: silent,
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      inTurn(queryLimits(), variableFaults(), nestedArguments()),
      compiledQueries(),
      refusalsOf(options.decisions),
      answerErrors({
        requestId: (ctx) => (ctx as RequestContext | undefined)?.requestId ?? '',
        onInternal: (error, ctx) =>
          (ctx as RequestContext | undefined)?.log.error({ error }, 'a request failed inside'),
      }),
    ],
  });
}

/** Apollo Server asks its plugins at the same time: in turn, what one refuses is not looked at by the next. */
function inTurn(...plugins: ApolloServerPlugin<RequestContext>[]): ApolloServerPlugin<RequestContext> {
  return {
    requestDidStart: async (about) => {
      const listeners = await Promise.all(plugins.map(async (plugin) => plugin.requestDidStart?.(about)));
      return {
        didResolveOperation: async (resolved) => {
          for (const listener of listeners) await listener?.didResolveOperation?.(resolved);
        },
      };
    },
  };
}

/** Puts on record who was turned away by a field, or whose mutation failed. */
function refusalsOf(decisions: Decisions): ApolloServerPlugin<RequestContext> {
  return {
    requestDidStart: async () => ({
      didEncounterErrors: async ({ errors, contextValue: ctx, operation, document, schema }) => {
        if (!operation || !document) return;
        const isMutation = operation.operation === OperationTypeNode.MUTATION;
        const root = isMutation ? schema.getMutationType() : schema.getQueryType();
        for (const error of errors) {
          const name = fieldOf(error, operation.selectionSet, document);
          const field = name === undefined ? undefined : root?.getFields()[name];
          if (!field || !error.path) continue;
          const thrown = keywayErrorIn(error);
          if (thrown?.recorded) continue;
          const code = thrown?.code ?? 'INTERNAL_SERVER_ERROR';
          const ending = endedBy(code);
          if (!isMutation && ending.outcome !== AuditOutcome.REFUSED) continue;
          const deed = {
            action: actionOf(field.name, field.extensions),
            target: thrown?.about ?? null,
            accountId: ctx.principal.accountId,
          };
          decisions.note(decisionOf(callerOf(ctx), deed, ending));
        }
      },
    }),
  };
}

/** The root field that an error belongs to; its path begins with the field's alias. */
function fieldOf(error: GraphQLError, root: SelectionSetNode, document: DocumentNode): string | undefined {
  for (const selection of root.selections) {
    if (selection.kind === Kind.FIELD) {
      if ((selection.alias ?? selection.name).value === error.path?.[0]) return selection.name.value;
      continue;
    }
    const within =
      selection.kind === Kind.INLINE_FRAGMENT ? selection : fragmentOf(document, selection.name.value);
    const found = within && fieldOf(error, within.selectionSet, document);
    if (found !== undefined) return found;
  }
  return undefined;
}

const fragmentOf = (document: DocumentNode, name: string) =>
  document.definitions.find(
    (definition): definition is FragmentDefinitionNode =>
      definition.kind === Kind.FRAGMENT_DEFINITION && definition.name.value === name,
  );

const actionOf = (
  name: string,
  { action, permission }: { action?: unknown; permission?: unknown },
): string => {
  if (typeof action === 'string') return action;
  return typeof permission === 'string' && permission !== 'OWN'
    ? permission.toLowerCase().replace('_', ':')
    : name;
};

const nothing = () => undefined;
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };
