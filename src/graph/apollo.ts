import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { ApolloServerPluginCacheControlDisabled } from '@apollo/server/plugin/disabled';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { Kind, OperationTypeNode } from 'graphql';
import type { DocumentNode, FragmentDefinitionNode, GraphQLSchema, SelectionSetNode } from 'graphql';
import { answerErrors, formatError, keywayErrorIn } from './errors/answer.js';
import { askedFields } from './asked-fields.js';
import { charges, failures } from './charges.js';
import { compiledQueries } from './compiled-queries.js';
import { openDocuments } from './documents.js';
import { expectWaiting } from '../access/standing.js';
import { whoseOf } from '../access/principal.js';
import { callerOf, decisionOf, endedBy } from '../audit/decision.js';
import type { RequestContext } from '../access/context.js';
import { Executions, executionsInTurn } from './executions.js';
import { variableFaults } from './errors/input.js';
import { suggestFor } from './errors/suggest.js';
import { KnownDocuments } from './known-documents.js';
import { namedOperation } from './named-operation.js';
import { nestedArguments } from './nested-arguments.js';
import type { QueryLimits } from '../config/request-limits.js';
import { parseOptions, queryLimits } from './query-limits.js';
import { queriesFromReplica } from './read-from.js';
import type { Turns } from './turns.js';
import { AuditOutcome } from '../audit/audit-event.js';

/**
 * The executor of the graph: Apollo Server with Keyway's limits, words for errors and record of refusals; and what it has
 * answered before.
 */
export function openApollo(
  schema: GraphQLSchema,
  options: {
    introspection: boolean;
    decisions: RequestContext['decisions'];
    turns: Turns;
    limits: QueryLimits;
  },
): { apollo: ApolloServer<RequestContext>; known: KnownDocuments } {
  const { introspection, turns, limits } = options;
  const executions = new Executions(turns);

  const documents = openDocuments<RequestContext>({
    introspection,
    turns,
    callerOf: ({ principal }) => whoseOf(principal),
  });
  const known = new KnownDocuments(schema, executions, documents.store, limits);
  const apollo = new ApolloServer<RequestContext>({
    schema,
    introspection,
    // The defaults speak of fields that the schema has, and of what went wrong inside.
    includeStacktraceInErrorResponses: false,
    hideSchemaDetailsFromClientErrors: true,
    // Every request carries a proof in a header that no page of another site can make a browser send without asking
    // first, and none in a cookie: nothing more is needed to tell that it is not forged.
    csrfPrevention: false,
    allowBatchedHttpRequests: false,
    persistedQueries: false,
    stopOnTerminationSignals: false,
    formatError,
    parseOptions: parseOptions(limits),
    documentStore: documents.store,
    // It would come before the limits. `documents.plugin` validates.
    dangerouslyDisableValidation: true,
    logger: silent,
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      inTurn(
        queryLimits(limits),
        charges(),
        documents.plugin,
        namedOperation(),
        nothingForWhoHasLeft,
        variableFaults(suggestFor(introspection)),
        nestedArguments(),
        askedFields(),
        executionsInTurn(executions),
        queriesFromReplica,
      ),
      compiledQueries(known),
      costOfNothing,
      kindOfOperation,
      refusalsOf(options.decisions),
      failures,
      answerErrors({
        limits,
        requestId: (ctx) => (ctx as RequestContext | undefined)?.requestId ?? '',
        onInternal: (error, ctx) =>
          (ctx as RequestContext | undefined)?.log.error({ error }, 'a request failed inside'),
        onAnswer: (first, ctx) => void Object.assign((ctx as RequestContext).outcome, first),
      }),
    ],
  });
  return { apollo, known };
}

/** Apollo Server asks its plugins at the same time: in turn, what one refuses is not looked at by the next. */
function inTurn(...plugins: ApolloServerPlugin<RequestContext>[]): ApolloServerPlugin<RequestContext> {
  return {
    requestDidStart: async (about) => {
      const listeners = await Promise.all(plugins.map(async (plugin) => plugin.requestDidStart?.(about)));
      return {
        didResolveSource: async (resolved) => {
          for (const listener of listeners) await listener?.didResolveSource?.(resolved);
        },
        didResolveOperation: async (resolved) => {
          for (const listener of listeners) await listener?.didResolveOperation?.(resolved);
        },
        willSendResponse: async (response) => {
          for (const listener of listeners) await listener?.willSendResponse?.(response);
        },
      };
    },
    unexpectedErrorProcessingRequest: async (failed) => {
      for (const plugin of plugins) await plugin.unexpectedErrorProcessingRequest?.(failed);
    },
  };
}

/** Callers wait for their turn before their document is parsed: of one who has left meanwhile, nothing is begun. */
const nothingForWhoHasLeft: ApolloServerPlugin<RequestContext> = {
  requestDidStart: async () => ({
    didResolveSource: async ({ contextValue }) => expectWaiting(contextValue.left),
  }),
};

/** Every answer says what its operation costs: one that was not weighed, as it never came to be, costs nothing. */
const costOfNothing: ApolloServerPlugin<RequestContext> = {
  requestDidStart: async () => ({
    willSendResponse: async ({ response: { body } }) => {
      if (body.kind === 'single') body.singleResult.extensions = { cost: 0, ...body.singleResult.extensions };
    },
  }),
};

const kindOfOperation: ApolloServerPlugin<RequestContext> = {
  requestDidStart: async () => ({
    didResolveOperation: async ({ operation, contextValue }) => {
      // There are no subscriptions.
      contextValue.outcome.kind = operation?.operation === OperationTypeNode.MUTATION ? 'mutation' : 'query';
    },
  }),
};

/** Puts on record who was turned away by a field, or whose mutation failed. */
function refusalsOf(decisions: RequestContext['decisions']): ApolloServerPlugin<RequestContext> {
  return {
    requestDidStart: async () => ({
      didEncounterErrors: async ({ errors, contextValue: ctx, operation, document, schema }) => {
        if (!operation || !document) return;
        const isMutation = operation.operation === OperationTypeNode.MUTATION;
        const root = isMutation ? schema.getMutationType() : schema.getQueryType();
        for (const error of errors) {
          // Without a path nothing was run, and the document may be none that a walk comes to the end of.
          if (!error.path) continue;
          const name = fieldOf(error.path[0], operation.selectionSet, document);
          const field = name === undefined ? undefined : root?.getFields()[name];
          if (!field) continue;
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

/** The field that stands at the root of the answer under this name. */
function fieldOf(
  alias: string | number | undefined,
  root: SelectionSetNode,
  document: DocumentNode,
  entered = new Set<string>(),
): string | undefined {
  for (const selection of root.selections) {
    if (selection.kind === Kind.FIELD) {
      if ((selection.alias ?? selection.name).value === alias) return selection.name.value;
      continue;
    }
    const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? selection.name.value : undefined;
    if (fragment !== undefined && entered.has(fragment)) continue;
    if (fragment !== undefined) entered.add(fragment);
    const within = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragmentOf(document, fragment);
    const found = within && fieldOf(alias, within.selectionSet, document, entered);
    if (found !== undefined) return found;
  }
  return undefined;
}

const fragmentOf = (document: DocumentNode, name: string | undefined) =>
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
