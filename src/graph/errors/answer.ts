import type { ApolloServerPlugin } from '@apollo/server';
import type { ApolloServerErrorCode } from '@apollo/server/errors';
import type { ValidationError } from 'class-validator';
import {
  getVariableValues,
  GraphQLError,
  isValueNode,
  Kind,
  OperationTypeNode,
  type DocumentNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type ValueNode,
} from 'graphql';
import { ArgumentValidationError } from 'type-graphql';
import { codes, KeywayError, sentenceOf, unavailable, type Code, type FieldFault } from '../../errors.js';
import { faultsOf } from '../../inputs/rules.js';
import { locationsOf } from '../locations.js';
import { largestQuery, mostErrors, mostFaults } from '../../config/limits.js';
import type { QueryLimits } from '../../config/request-limits.js';
import { exceeded, hasTooManyTokens } from '../query-limits.js';
import { argumentFaults } from './input.js';
import { DocumentRefused, misfit, type Misfit } from './validation.js';

/** An error as callers see it. */
export interface PublicError {
  message: string;
  locations?: GraphQLError['locations'] & object;
  path?: GraphQLError['path'] & object;
  extensions: { code: string; id?: string; fields?: readonly FieldFault[] };
}

/**
 * Gives the errors of every answer our words, the request's id, and, where nothing was executed, an HTTP status of
 * ours. What became INTERNAL_SERVER_ERROR is told to `onInternal` as it was, with the context where there was one, and to
 * `onAnswer` which error is the first one of an answer.
 * Answers from before there was a context carry no id. Needs `formatError` beside it.
 */
export function answerErrors(options: {
  limits?: QueryLimits;
  requestId: (contextValue: unknown) => string;
  onInternal?: (error: unknown, contextValue: unknown) => void;
  onAnswer?: (first: { code: string; limit: string | undefined }, contextValue: unknown) => void;
}): ApolloServerPlugin {
  const { limits = largestQuery, requestId, onInternal, onAnswer } = options;
  return {
    contextCreationDidFail: async ({ error }) => {
      const code = keywayErrorIn(error)?.code ?? internal.code;
      if (code === internal.code) onInternal?.(error, undefined);
      // Apollo Server reads the status of this answer from the error, and from nowhere else.
      Object.assign(error, { extensions: { http: { status: statusOf[code] } } });
    },
    unexpectedErrorProcessingRequest: async ({ error, requestContext }) =>
      onInternal?.(error, requestContext.contextValue),
    requestDidStart: async () => ({
      willSendResponse: async ({ response, errors: causes = [], contextValue, ...asked }) => {
        if (response.body.kind !== 'single') return;
        const { singleResult } = response.body;
        const { errors: formatted = [], data } = singleResult;
        if (formatted.length === 0) return;
        // Where a plugin answered by itself, nobody has formatted its errors: they are strangers.
        const errors: readonly unknown[] = causes.length === formatted.length ? causes : formatted;
        const { schema, document, operation, source, request } = asked;
        const about = { limits, schema, document, operation, source, variables: request.variables };
        const findings = findingsOf(errors, about).map((finding) => afterChange(finding, operation));
        for (const { code, error } of findings)
          if (code === internal.code) onInternal?.([...origins(error)].at(-1) ?? error, contextValue);
        singleResult.errors = firstOf(findings).map((finding) => told(finding, requestId(contextValue)));
        const [first] = findings;
        if (first) onAnswer?.({ code: first.code, limit: keywayErrorIn(first.error)?.limit }, contextValue);
        // Who was known when the request came, and may call no more when its change has waited, is told as a stranger is.
        const unknown = data === null && first?.code === 'UNAUTHENTICATED';
        if (unknown) response.http.headers.set('www-authenticate', 'Bearer realm="keyway"');
        if (!first || (data !== undefined && !unknown)) return;
        response.http.status = statusFor(first.code, response.http.status);
        const retryInMs = keywayErrorIn(first.error)?.retryInMs;
        if (retryInMs !== undefined) response.http.headers.set('retry-after', seconds(retryInMs));
      },
    }),
  };
}

/**
 * The `formatError` of Apollo Server: the words of an answer that has no context, and of any other until
 * `answerErrors` knows more.
 */
export const formatError = (_: unknown, error: unknown): PublicError => publicError(error);

/**
 * What a caller may know of an error: a code, a message of ours, the faults of the input, the request's id, and where
 * in document and answer it arose. No name but the schema's, and no words but ours, get through; whatever is not known
 * becomes INTERNAL_SERVER_ERROR.
 */
export function publicError(error: unknown, requestId?: string): PublicError {
  return told({ ...findingOf(error, {}), error }, requestId);
}

/** A length of time as the header Retry-After has it: in whole seconds, and not too few. */
export const seconds = (ms: number): string => String(Math.ceil(ms / 1_000));

/**
 * The answer to what went wrong outside the graph, in the words that the graph has for it, and its HTTP status.
 * @param excess which limit was passed, and by how much, where that is known
 */
export function answerOf(
  error: unknown,
  requestId: string,
  excess?: string,
): { status: number; answer: PublicError } {
  if (error instanceof KeywayError)
    return { status: statusOf[error.code], answer: publicError(error, requestId) };
  const { statusCode } = error as { statusCode?: number };
  const refusal = refusedByFastify(statusCode, excess);
  if (!refusal || statusCode === undefined) return { status: 500, answer: publicError(error, requestId) };
  return { status: statusCode, answer: publicError(refusal, requestId) };
}

/** The error of ours that this error is or was made from; undefined for a stranger, whatever caused it. */
export function keywayErrorIn(error: unknown): KeywayError | undefined {
  return [...origins(error)].find((origin) => origin instanceof KeywayError);
}

/** The HTTP status of an answer in which nothing was executed, by the code of its first error. */
export const statusOf: Readonly<Record<Code, number>> = {
  UNAUTHENTICATED: 401,
  NOT_FOUND: 404,
  FORBIDDEN: 403,
  BAD_REQUEST: 400,
  BAD_USER_INPUT: 400,
  CONFLICT: 409,
  LIMIT_EXCEEDED: 400,
  RATE_LIMITED: 429,
  UNSUPPORTED: 400,
  UNAVAILABLE: 503,
  STORE_REJECTED: 502,
  OUTCOME_UNKNOWN: 500,
  INTERNAL_SERVER_ERROR: 500,
};

/** The status of an answer in which nothing was executed; where Apollo Server has it, as it says. */
function statusFor(code: Finding['code'], given: number | undefined): number | undefined {
  // A mutation by GET is 405.
  if (code === 'BAD_REQUEST') return given;
  if (code === misfit.code || code === 'OPERATION_RESOLUTION_FAILURE') return 400;
  return Object.hasOwn(codes, code) ? statusOf[code as Code] : given;
}

/** What is known of the request that an error belongs to. */
interface Asked {
  limits?: QueryLimits | undefined;
  schema?: GraphQLSchema | undefined;
  document?: DocumentNode | undefined;
  operation?: OperationDefinitionNode | undefined;
  source?: string | undefined;
  variables?: Readonly<Record<string, unknown>> | undefined;
}

/** What may be said of an error. */
interface Finding {
  code: Code | `${ApolloServerErrorCode}`;
  message: string;
  fields?: readonly FieldFault[];
}

/** A finding, and where it stands. */
interface Placed extends Finding {
  error: unknown;
  nodes?: GraphQLError['nodes'];
}

function told({ code, message, fields = [], error, nodes }: Placed, requestId?: string): PublicError {
  const stranger = error instanceof GraphQLError ? error : undefined;
  const locations = nodes ? locationsOf({ nodes }) : stranger && locationsOf(stranger);
  const path = stranger?.path;
  return {
    message,
    ...(locations && { locations }),
    ...(path && { path }),
    extensions: { code, ...(requestId && { id: requestId }), ...(fields.length > 0 && { fields }) },
  };
}

/** What may be said of the errors of one answer. */
function findingsOf(errors: readonly unknown[], asked: Asked): Placed[] {
  const misfits = errors.flatMap(misfitsIn);
  if (misfits.length > 0) return misfits.map((one) => ({ nodes: [], ...one, error: undefined }));
  const kept = new Map<ValueNode, FieldFault[]>();
  const faultsAt = (value: ValueNode) => {
    const faults = kept.get(value) ?? faultsOfArgument(value, asked);
    kept.set(value, faults);
    return faults;
  };
  return errors.map((error) => ({ ...findingOf(error, asked, faultsAt), error }));
}

/** As many as an answer tells of, and a word that there are more. */
function firstOf(findings: readonly Placed[]): readonly Placed[] {
  const [more] = findings.slice(mostErrors);
  if (!more) return findings;
  const last = { code: more.code, message: 'There are more errors than are listed here.', error: undefined };
  return [...findings.slice(0, mostErrors), last];
}

/** A part of a mutation's answer that the database was lost over: the change itself was made. */
function afterChange(finding: Placed, operation: OperationDefinitionNode | undefined): Placed {
  const { error } = finding;
  const isPart = error instanceof GraphQLError && (error.path?.length ?? 0) > 1;
  if (!isPart || finding.code !== 'UNAVAILABLE' || operation?.operation !== OperationTypeNode.MUTATION)
    return finding;
  return { ...finding, message: 'The change was made; this part of its answer cannot be had just now.' };
}

const internal = {
  code: 'INTERNAL_SERVER_ERROR',
  message: codes.INTERNAL_SERVER_ERROR,
} as const satisfies Finding;

const badInput = (fields: readonly FieldFault[]): Finding => ({
  code: 'BAD_USER_INPUT',
  message: sentenceOf('BAD_USER_INPUT', fields),
  fields,
});

/** What Apollo Server refuses by itself, before anything is executed. */
const refusals: readonly Finding[] = [
  misfit,
  { code: 'BAD_REQUEST', message: codes.BAD_REQUEST },
  { code: 'BAD_USER_INPUT', message: codes.BAD_USER_INPUT },
  {
    code: 'OPERATION_RESOLUTION_FAILURE',
    message: 'The request must name one operation that its document and the schema have.',
  },
  // Clients look for these two words.
  { code: 'PERSISTED_QUERY_NOT_FOUND', message: 'PersistedQueryNotFound' },
  { code: 'PERSISTED_QUERY_NOT_SUPPORTED', message: 'PersistedQueryNotSupported' },
];

function findingOf(
  error: unknown,
  asked: Asked,
  faultsAt: (value: ValueNode) => readonly FieldFault[] = () => [],
): Finding {
  const ours = keywayErrorIn(error);
  if (ours) return ofOurs(ours);
  const causes = [...origins(error)];
  const stranger = error instanceof GraphQLError ? error : undefined;
  const broken = causes.find((cause) => cause instanceof ArgumentValidationError);
  if (broken) return badInput(brokenRules(broken, stranger));
  if (!stranger) return internal;
  // None but graphql-js, reading an argument, blames the value of one.
  const cause = causes.at(-1);
  const value = cause instanceof GraphQLError ? cause.nodes?.[0] : undefined;
  if (value && isValueNode(value)) return badInput(faultsAt(value));
  // What has a path came out of a resolver, and may bear any code.
  if (stranger.path) return internal;
  const { source, limits = largestQuery } = asked;
  const code = stranger.extensions['code'] ?? codeOf(stranger, asked);
  if (code === 'GRAPHQL_PARSE_FAILED' && source !== undefined && hasTooManyTokens(source, limits))
    return ofOurs(exceeded(limits, 'tokens', Infinity));
  if (code === 'BAD_REQUEST' && asked.operation && statusIn(stranger) === 405) return notByGet;
  if (code === unreadable.code)
    return { ...unreadable, message: `${unreadable.message}${placeOf(stranger)}.` };
  return refusals.find((known) => known.code === code) ?? internal;
}

const unreadable = { code: 'GRAPHQL_PARSE_FAILED', message: 'The document cannot be read' } as const;

/** Where graphql-js found it, for clients that show the message alone. */
function placeOf({ locations: [place] = [] }: GraphQLError): string {
  return place ? `: see line ${place.line}, column ${place.column}` : '';
}

const notByGet: Finding = {
  code: 'BAD_REQUEST',
  message:
    'A GET only asks: its parameter query must hold a query. To change something, send a mutation by POST.',
};

const ofOurs = ({ code, message, fields }: KeywayError): Finding =>
  code === internal.code ? internal : { code, message, fields };

/** What validation said, where it refused the document. */
const misfitsIn = (error: unknown): readonly Misfit[] =>
  [...origins(error)].find((origin) => origin instanceof DocumentRefused)?.misfits ?? [];

/** The error and those it was made from, outermost first. */
function* origins(error: unknown): Generator<unknown> {
  const seen = new Set<unknown>();
  for (let next = error; next instanceof Error && !seen.has(next);) {
    seen.add(next);
    yield next;
    next = 'originalError' in next ? next.originalError : undefined;
  }
}

function faultsOfArgument(value: ValueNode, asked: Asked): FieldFault[] {
  const { schema, document, operation, variables = {} } = asked;
  if (!schema || !document) return [];
  const { coerced = {} } = getVariableValues(schema, operation?.variableDefinitions ?? [], variables);
  return argumentFaults(value, document, schema, coerced);
}

/** TypeGraphQL tells of the property alone: it is an argument itself, or a member of the field's one input object. */
function brokenRules(broken: ArgumentValidationError, error: GraphQLError | undefined): FieldFault[] {
  const node = error?.nodes?.[0];
  const given = node?.kind === Kind.FIELD ? (node.arguments ?? []).map(({ name }) => name.value) : [];
  const object = given.includes('filter') ? 'filter' : 'input';
  const { validationErrors } = broken.extensions as { validationErrors: ValidationError[] };
  return validationErrors
    .flatMap((fault) => faultsOf([fault], given.includes(fault.property) ? '' : object))
    .slice(0, mostFaults);
}

/** For the refusals that come without one. */
function codeOf(error: GraphQLError, { schema, operation }: Asked) {
  if (schema && operation && !schema.getRootType(operation.operation)) return 'OPERATION_RESOLUTION_FAILURE';
  return statusIn(error) === 400 ? 'BAD_REQUEST' : undefined;
}

const statusIn = ({ extensions: { http } }: GraphQLError): unknown =>
  typeof http === 'object' && http !== null && 'status' in http ? http.status : undefined;

/** What Fastify refuses before our own code sees it. */
function refusedByFastify(status = 500, excess?: string): KeywayError | undefined {
  if (status === 413)
    return new KeywayError('LIMIT_EXCEEDED', excess ?? 'The body is too large.', { limit: 'body' });
  if (status === 415) return new KeywayError('BAD_REQUEST', 'The content type must be application/json.');
  if (status === 408)
    return new KeywayError('BAD_REQUEST', excess ?? 'The request did not come in time: send it again.');
  if (status === 431)
    return new KeywayError('LIMIT_EXCEEDED', excess ?? 'The headers are too large.', { limit: 'headers' });
  if (status >= 400 && status < 500)
    return new KeywayError(
      'BAD_REQUEST',
      'The request cannot be read: its address, headers or length are malformed.',
    );
  return status === 503 ? unavailable() : undefined;
}
