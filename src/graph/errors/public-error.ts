import type { ApolloServerErrorCode } from '@apollo/server/errors';
import type { ValidationError } from 'class-validator';
import { GraphQLError, Kind, type DocumentNode, type GraphQLSchema } from 'graphql';
import { codes, type Code, type FieldFault } from '../../errors.js';
import { firstRefused, keywayErrorIn, literalFault, origins } from './input-faults.js';
import { literalPlacesOf } from './literal-paths.js';
import { locationsOf } from './locations.js';
import { exceeded, isTokenLimit } from '../query-limits.js';
import { faultsOf } from '../../inputs/rules.js';
import { validationWords } from './validation-words.js';

/** What is known of the request that an error belongs to. */
export interface About {
  schema?: GraphQLSchema | undefined;
  document?: DocumentNode | undefined;
  requestId?: string | undefined;
}

/** An error as callers see it. */
export interface PublicError {
  message: string;
  locations?: GraphQLError['locations'] & object;
  path?: GraphQLError['path'] & object;
  extensions: { code: string; id?: string; fields?: readonly FieldFault[] };
}

/**
 * What a caller may know of an error: a code, a message of ours, the faults of the input, the request's id, and where
 * in document and answer it arose. No name but the schema's, and no words but ours, get through; whatever is not known
 * becomes INTERNAL_SERVER_ERROR.
 */
export function publicError(error: unknown, about: About = {}): PublicError {
  const { code, message, fields = [] } = finding(error, about);
  const stranger = error instanceof GraphQLError ? error : undefined;
  const [locations, path] = [stranger && locationsOf(stranger), stranger?.path];
  return {
    message,
    ...(locations && { locations }),
    ...(path && { path }),
    extensions: {
      code,
      ...(about.requestId && { id: about.requestId }),
      ...(fields.length > 0 && { fields }),
    },
  };
}

interface Finding {
  code: Code | `${ApolloServerErrorCode}`;
  message: string;
  fields?: readonly FieldFault[];
}

const internal: Finding = { code: 'INTERNAL_SERVER_ERROR', message: codes.INTERNAL_SERVER_ERROR };

const badInput = (...fields: FieldFault[]): Finding => ({
  code: 'BAD_USER_INPUT',
  message: codes.BAD_USER_INPUT,
  fields,
});

/** What Apollo Server refuses by itself, before anything is executed. */
const refusals: readonly Finding[] = [
  { code: 'GRAPHQL_PARSE_FAILED', message: 'The document cannot be read.' },
  { code: 'BAD_REQUEST', message: 'The HTTP request is not one that GraphQL can be asked with here.' },
  { code: 'BAD_USER_INPUT', message: codes.BAD_USER_INPUT },
  {
    code: 'OPERATION_RESOLUTION_FAILURE',
    message: 'The request must name one operation that its document and the schema have.',
  },
  // Clients look for these two words.
  { code: 'PERSISTED_QUERY_NOT_FOUND', message: 'PersistedQueryNotFound' },
  { code: 'PERSISTED_QUERY_NOT_SUPPORTED', message: 'PersistedQueryNotSupported' },
];

function finding(error: unknown, about: About): Finding {
  const stranger = error instanceof GraphQLError ? error : undefined;
  const code = stranger?.extensions['code'];
  // A scalar's errors come wrapped in validation's, which knows the place.
  if (stranger && !stranger.path && code === 'GRAPHQL_VALIDATION_FAILED')
    return ofValidation(stranger, about);

  const ours = keywayErrorIn(error);
  if (ours) return ours.code === 'INTERNAL_SERVER_ERROR' ? internal : ours;
  const broken = brokenRules(error);
  if (broken) return badInput(...argumentFaults(broken, stranger));
  if (!stranger) return internal;
  // What has a path came out of a resolver, and may bear any code.
  if (stranger.path) return ofArgument(stranger, about) ?? internal;
  if (isTokenLimit(stranger)) return exceeded('tokens');
  const refusal = code ?? codeOf(stranger);
  return refusals.find((known) => known.code === refusal) ?? internal;
}

function ofValidation(error: GraphQLError, { schema, document }: About): Finding {
  if (error.message === outOfBudget) return { code: 'LIMIT_EXCEEDED', message: codes.LIMIT_EXCEEDED };
  const words = validationWords(error.message, schema);
  const told: Finding = {
    code: 'GRAPHQL_VALIDATION_FAILED',
    message: words ?? 'The document does not fit the schema.',
  };
  // About a variable, validation complains of its definition or its type, never of its value.
  if (!schema || !document || error.nodes?.[0]?.kind === Kind.VARIABLE) return told;
  const places = literalPlacesOf(document, schema);
  // A scalar may throw an error that does not tell of which literal.
  const fault = error.nodes ? literalFault(error, places) : words ? undefined : firstRefused(places);
  return fault ? badInput(fault) : told;
}

/** What graphql-js says when the comparison of a document's fields takes too long. */
const outOfBudget = 'Validation aborted.';

function ofArgument(error: GraphQLError, { schema, document }: About): Finding | undefined {
  const cause = [...origins(error)].at(-1);
  if (!(cause instanceof GraphQLError) || !coercion.test(cause.message)) return undefined;
  const fault = schema && document && literalFault(cause, literalPlacesOf(document, schema));
  return fault ? badInput(fault) : badInput();
}

const coercion = /^Argument "\w+" (?:of required type|of non-null type|has invalid value) /;

/** What the rules of the input classes found, as TypeGraphQL hands it on. */
function brokenRules(error: unknown): ValidationError[] | undefined {
  for (const origin of origins(error)) {
    if (!(origin instanceof GraphQLError) || origin.message !== 'Argument Validation Error') continue;
    const { validationErrors } = origin.extensions;
    if (Array.isArray(validationErrors)) return validationErrors as ValidationError[];
  }
  return undefined;
}

/** TypeGraphQL tells of the property alone: it is an argument itself, or a member of the field's one input object. */
function argumentFaults(broken: readonly ValidationError[], error: GraphQLError | undefined): FieldFault[] {
  const node = error?.nodes?.[0];
  const given = node?.kind === Kind.FIELD ? (node.arguments ?? []).map(({ name }) => name.value) : [];
  const object = given.includes('filter') ? 'filter' : 'input';
  return broken.flatMap((fault) => faultsOf([fault], given.includes(fault.property) ? '' : object));
}

/** For the refusals that come without one. */
function codeOf({ message, extensions: { http } }: GraphQLError): Finding['code'] | undefined {
  if (/^Schema is not configured to execute \w+ operation\.$/.test(message))
    return 'OPERATION_RESOLUTION_FAILURE';
  const refused = typeof http === 'object' && http !== null && 'status' in http && http.status === 400;
  return refused ? 'BAD_REQUEST' : undefined;
}
