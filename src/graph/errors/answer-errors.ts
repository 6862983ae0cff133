import type { ApolloServerPlugin } from '@apollo/server';
import { isInputType, typeFromAST } from 'graphql';
import type { GraphQLFormattedError, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import { KeywayError, type Code, type FieldFault } from '../../errors.js';
import { keywayErrorIn, origins, valueFaults } from './input-faults.js';
import { mostFaults } from '../../config/limits.js';
import { join, notInDocument, literalPlacesOf } from './literal-paths.js';
import { keepLocations } from './locations.js';
import { publicError } from './public-error.js';

/**
 * Gives the errors of every answer our words, the request's id, and, where nothing was executed, an HTTP status of
 * ours. What became INTERNAL_SERVER_ERROR is told to `onInternal` as it was, with the context where there was one.
 * Answers from before there was a context carry no id. Needs `formatError` beside it.
 */
export function answerErrors(options: {
  requestId: (contextValue: unknown) => string;
  onInternal?: (error: unknown, contextValue: unknown) => void;
}): ApolloServerPlugin {
  const { requestId, onInternal } = options;
  return {
    contextCreationDidFail: async ({ error }) => {
      const { code } = keywayErrorIn(error) ?? { code: internal };
      if (code === internal) onInternal?.(error, undefined);
      // Apollo Server reads the status of this answer from the error, and from nowhere else.
      const status = httpStatusOf.get(code);
      if (status) Object.assign(error, { extensions: { http: { status } } });
    },
    unexpectedErrorProcessingRequest: async ({ error, requestContext }) =>
      onInternal?.(error, requestContext.contextValue),
    requestDidStart: async () => ({
      validationDidStart: async ({ document }) => keepLocations(document),
      willSendResponse: async ({ response, errors: causes = [], schema, document, contextValue }) => {
        if (response.body.kind !== 'single') return;
        const { singleResult } = response.body;
        const { errors: formatted = [], data } = singleResult;
        if (formatted.length === 0) return;
        // Where a plugin answered by itself, nobody has formatted its errors: they are strangers.
        const errors: readonly unknown[] = causes.length === formatted.length ? causes : formatted;
        const about = { schema, document, requestId: requestId(contextValue) };
        const answers = errors.map((error) => ({ error, answer: publicError(error, about) }));
        for (const { error, answer } of answers)
          if (answer.extensions['code'] === internal)
            onInternal?.([...origins(error)].at(-1) ?? error, contextValue);
        singleResult.errors = answers.map(({ answer }) => answer);
        const status = httpStatusOf.get(answers[0]?.answer.extensions['code']);
        if (data === undefined && status) response.http.status = status;
      },
    }),
  };
}

/**
 * The `formatError` of Apollo Server: the words of an answer that has no context, and of any other until
 * `answerErrors` knows more.
 */
export const formatError = (_: GraphQLFormattedError, error: unknown): GraphQLFormattedError =>
  publicError(error);

/**
 * Refuses variables that are not of their types, before anything runs: with all faults at once, up to a hundred, under
 * the names of the arguments that they are given to.
 */
export function variableFaults(): ApolloServerPlugin {
  return {
    requestDidStart: async () => ({
      didResolveOperation: async ({ schema, document, operation, request }) => {
        const found = operation ? faultsIn(operation, request.variables ?? {}, schema) : [];
        if (found.length === 0) return;
        const { variables } = literalPlacesOf(document, schema);
        const fields = found.map(({ variable, path, message }) => {
          const start = variables.get(variable) ?? notInDocument;
          return { path: path === '' ? start : join(start, path), message };
        });
        throw new KeywayError('BAD_USER_INPUT', undefined, { fields });
      },
    }),
  };
}

/** The HTTP status of an answer in which nothing was executed, by the code of its first error. */
export const httpStatusOf: ReadonlyMap<unknown, number> = new Map<Code, number>([
  ['UNAUTHENTICATED', 401],
  ['FORBIDDEN', 403],
  ['BAD_USER_INPUT', 400],
  ['LIMIT_EXCEEDED', 400],
  ['RATE_LIMITED', 429],
  ['UNAVAILABLE', 503],
]);

const internal: Code = 'INTERNAL_SERVER_ERROR';

interface VariableFault extends FieldFault {
  variable: string;
}

function faultsIn(
  operation: OperationDefinitionNode,
  values: Readonly<Record<string, unknown>>,
  schema: GraphQLSchema,
): VariableFault[] {
  const found: VariableFault[] = [];
  for (const { variable, type, defaultValue } of operation.variableDefinitions ?? []) {
    const name = variable.name.value;
    const wanted = typeFromAST(schema, type);
    const value = Object.hasOwn(values, name) ? (values[name] ?? null) : undefined;
    if (!isInputType(wanted) || (value === undefined && defaultValue)) continue;
    for (const fault of valueFaults(value, wanted)) {
      if (found.length === mostFaults) return found;
      found.push({ variable: name, ...fault });
    }
  }
  return found;
}
