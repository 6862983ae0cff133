import type { ApolloServerPlugin } from '@apollo/server';
import type { DocumentNode, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import { BREAK, Lexer, Source, TokenKind, visit } from 'graphql';
import { KeywayError, type FieldFault } from '../errors.js';
import { largestQuery } from '../config/limits.js';
import { weigh } from './query-weight.js';

type Limit = keyof typeof largestQuery;

/** What an operation asks for, in the units of `largestQuery`; and the page sizes that cannot mean anything. */
export interface Measure extends Record<Exclude<Limit, 'tokens'>, number> {
  faults: FieldFault[];
}

const wording: Record<Limit, string> = {
  tokens: `The document has more than ${largestQuery.tokens} tokens.`,
  lines: `The document has more than ${largestQuery.lines} lines.`,
  depth: `The operation is more than ${largestQuery.depth} fields deep.`,
  aliases: `The operation has more than ${largestQuery.aliases} aliases.`,
  directives: `The operation has more than ${largestQuery.directives} directives.`,
  rootFields: `The operation has more than ${largestQuery.rootFields} fields at its root.`,
  guardedFields:
    'The operation has more than one field that looks at a secret: verify several with verifyCredentials.',
  cost: `The operation costs more than ${largestQuery.cost} points: ask for fewer fields or smaller pages.`,
  valueDepth: `A value is nested more than ${largestQuery.valueDepth} levels deep.`,
  listItems: `A list has more than ${largestQuery.listItems} items.`,
  pageSize: `A page has more than ${largestQuery.pageSize} items.`,
};

/**
 * Refuses, before any resolver runs, an operation over one of the limits (LIMIT_EXCEEDED) and one with a page of less
 * than one item (BAD_USER_INPUT). Belongs before the plugins that read the variables. The limit on tokens is the
 * parser's: give Apollo Server `parseOptions` too.
 */
export function queryLimits(): ApolloServerPlugin {
  return {
    requestDidStart: async () => ({
      didResolveOperation: async ({ document, operation, request, schema }) => {
        if (operation) refuseExcess(measure(document, operation, request.variables ?? {}, schema));
      },
    }),
  };
}

/** What the parser must be told. */
export const parseOptions = { maxTokens: largestQuery.tokens };

/** What validation must be told: it stops soon, and makes no suggestions, which cost time and tell names. */
export const validationOptions = { maxErrors: 10, hideSuggestions: true };

/** The error for a limit that was passed. */
export const exceeded = (limit: Limit) => new KeywayError('LIMIT_EXCEEDED', wording[limit]);

/** Whether a text is over the limit on tokens. Reads no further than that, and not past what is no token. */
export function hasTooManyTokens(text: string): boolean {
  const lexer = new Lexer(new Source(text));
  try {
    for (let count = 0; count <= largestQuery.tokens; count++)
      if (lexer.advance().kind === TokenKind.EOF) return false;
    return true;
  } catch {
    return false;
  }
}

/** What an operation with these variables asks for. Takes time in proportion to both, whatever they hold. */
export function measure(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
  schema: GraphQLSchema,
): Measure {
  const { pages, ...weight } = weigh(document, operation, variables, schema);
  const [literals, values] = [literalSpan(document), variableSpan(variables)];
  return {
    ...weight,
    lines: document.loc?.endToken.line ?? 0,
    valueDepth: Math.max(literals.depth, values.depth),
    listItems: Math.max(literals.items, values.items),
    pageSize: pages.reduce((most, { size }) => Math.max(most, size), 0),
    faults: pages
      .filter(({ size }) => size < 1)
      .map(({ argument }) => ({ path: argument, message: pageRule })),
  };
}

/** Refuses a value that is not the variable of an operation by the limits for those that are. @throws LIMIT_EXCEEDED */
export function expectSmall(value: unknown): void {
  const { depth, items } = variableSpan({ value });
  if (depth > largestQuery.valueDepth) throw exceeded('valueDepth');
  if (items > largestQuery.listItems) throw exceeded('listItems');
}

const pageRule = `must be from 1 to ${largestQuery.pageSize}`;

function refuseExcess({ faults, ...measured }: Measure): void {
  for (const [limit, value] of Object.entries(measured) as [Exclude<Limit, 'tokens'>, number][])
    if (value > largestQuery[limit]) throw exceeded(limit);
  if (faults.length > 0) throw new KeywayError('BAD_USER_INPUT', undefined, { fields: faults });
}

/** How deep values are nested, and how long their longest list is. */
interface Span {
  depth: number;
  items: number;
}

const known = new WeakMap<DocumentNode, Span>();

/** The span of the literals: kept for the document, as the walk takes longer than the rest of a request's measure. */
function literalSpan(document: DocumentNode): Span {
  const kept = known.get(document);
  if (kept) return kept;
  const span = { depth: 0, items: 0 };
  let level = 0;
  const enter = (items: number) => {
    widen(span, ++level, items);
    return span.depth > largestQuery.valueDepth ? BREAK : undefined;
  };
  const leave = () => void level--;
  visit(document, {
    ListValue: { enter: ({ values }) => enter(values.length), leave },
    ObjectValue: { enter: () => enter(0), leave },
  });
  known.set(document, span);
  return span;
}

function variableSpan(variables: Readonly<Record<string, unknown>>): Span {
  const span = { depth: 0, items: 0 };
  const waiting = Object.values(variables).map((value) => ({ value, depth: 1 }));
  for (let next = waiting.pop(); next && span.depth <= largestQuery.valueDepth; next = waiting.pop()) {
    const { value, depth } = next;
    if (typeof value !== 'object' || value === null) continue;
    widen(span, depth, Array.isArray(value) ? value.length : 0);
    for (const member of Object.values(value) as unknown[]) waiting.push({ value: member, depth: depth + 1 });
  }
  return span;
}

function widen(span: Span, depth: number, items: number): void {
  span.depth = Math.max(span.depth, depth);
  span.items = Math.max(span.items, items);
}
