import type { ApolloServerPlugin } from '@apollo/server';
import type { DocumentNode, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import { BREAK, Lexer, Source, TokenKind, visit } from 'graphql';
import { KeywayError, type FieldFault } from '../errors.js';
import { largestQuery, mostFaults } from '../config/limits.js';
import { limitRanges, type QueryLimits } from '../config/request-limits.js';
import { countsOf, type DocumentCounts } from './document-counts.js';
import { heaviest, weigh, type AskedPage } from './query-weight.js';

type Limit = Exclude<keyof QueryLimits, 'pageSize'>;

/** What an operation asks for, in the units of `largestQuery`; and the page sizes that cannot mean anything. */
export interface Measure extends Record<Exclude<Limit, 'tokens' | keyof DocumentCounts>, number> {
  faults: FieldFault[];
  /** The largest page that is asked for. */
  page: AskedPage | undefined;
}

/** What is said of an excess, by what was asked and what is allowed. */
const wording: Record<Limit, (asked: number, allowed: number) => string> = {
  tokens: (_, allowed) => `The document has more than ${allowed} tokens.`,
  lines: (asked, allowed) => `The document has ${asked} lines; ${allowed} are allowed.`,
  depth: (asked, allowed) => `The operation is ${asked} fields deep; ${allowed} are allowed.`,
  introspectionDepth: (asked, allowed) =>
    `The introspection is ${asked} fields deep; ${allowed} are allowed.`,
  operations: (asked, allowed) => `The document has ${asked} operations; ${allowed} are allowed.`,
  fields: (_, allowed) => `The document has more than ${allowed} fields, with its fragments written out.`,
  comparisons: (asked, allowed) =>
    `The document asks for the same fields of the same objects again and again: ${asked} pairs would have to be compared, and ${allowed} are allowed. Ask for each once.`,
  nameLength: (asked, allowed) => `A name has ${asked} characters; ${allowed} are allowed.`,
  aliases: (asked, allowed) => `The operation has ${asked} aliases; ${allowed} are allowed.`,
  directives: (asked, allowed) => `The operation has ${asked} directives; ${allowed} are allowed.`,
  rootFields: (asked, allowed) => `The operation has ${asked} fields at its root; ${allowed} are allowed.`,
  guardedFields: () =>
    'The operation has more than one field that looks at a secret: verify several with verifyCredentials.',
  cost: (asked, allowed) => `The operation costs ${asked} points; ${allowed} are allowed.`,
  valueDepth: (_, allowed) => `A value is nested more than ${allowed} levels deep.`,
  listItems: (asked, allowed) => `A list has ${asked} items; ${allowed} are allowed.`,
};

/**
 * Refuses, before the document is validated and any resolver runs, one over a limit (LIMIT_EXCEEDED) and an operation
 * with a page of less than one item (BAD_USER_INPUT); and tells in the answer what the operation costs. Belongs before
 * the plugins that validate and that read the variables. The limit on tokens is the parser's: give Apollo Server
 * `parseOptions` too.
 */
export function queryLimits(limits: QueryLimits = largestQuery): ApolloServerPlugin {
  return {
    requestDidStart: async () => {
      let cost: number | undefined;
      return {
        didResolveOperation: async ({ document, operation, request, schema }) => {
          expectWithin(limits, countsOf(document).whole);
          if (!operation) return;
          const asked = [document, operation, request.variables ?? {}, schema] as const;
          const measured = measure(...asked);
          ({ cost } = measured);
          refuseExcess(limits, measured, () => heaviest(...asked));
        },
        willSendResponse: async ({ response: { body } }) => {
          if (cost === undefined || body.kind !== 'single') return;
          body.singleResult.extensions = { ...body.singleResult.extensions, cost };
        },
      };
    },
  };
}

/** What the parser must be told. */
export const parseOptions = ({ tokens }: QueryLimits = largestQuery) => ({ maxTokens: tokens });

/** What validation must be told: it stops soon, and makes no suggestions, which cost time and tell names. */
export const validationOptions = { maxErrors: 10, hideSuggestions: true };

/** The error for a limit that was passed, by so much. */
export const exceeded = (limits: QueryLimits, limit: Limit, asked: number, more = '') =>
  new KeywayError('LIMIT_EXCEEDED', `${wording[limit](asked, limits[limit])}${more}`, { limit });

/** Whether a text is over the limit on tokens. Reads no further than that, and not past what is no token. */
export function hasTooManyTokens(text: string, { tokens }: QueryLimits): boolean {
  const lexer = new Lexer(new Source(text));
  try {
    for (let count = 0; count <= tokens; count++) if (lexer.advance().kind === TokenKind.EOF) return false;
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
  const counts = countsOf(document).operations.get(operation) ?? { depth: 0, aliases: 0, directives: 0 };
  const [literals, values] = [literalSpan(document), variableSpan(variables)];
  return {
    ...counts,
    ...weight,
    valueDepth: Math.max(literals.depth, values.depth),
    listItems: Math.max(literals.items, values.items),
    page: pages.reduce<AskedPage | undefined>(
      (most, one) => (most && most.size >= one.size ? most : one),
      undefined,
    ),
    faults: pages
      .filter(({ size }) => size < 1)
      .slice(0, mostFaults)
      .map(({ argument }) => ({ path: argument, message: pageRule })),
  };
}

/**
 * What an operation with these variables costs, in points.
 * @throws LIMIT_EXCEEDED where it is over a limit; BAD_USER_INPUT for a page of less than one item
 */
export function costWithin(limits: QueryLimits, ...asked: Parameters<typeof measure>): number {
  const measured = measure(...asked);
  refuseExcess(limits, measured, () => heaviest(...asked));
  return measured.cost;
}

/** Refuses a value that is not the variable of an operation by the limits for those that are. @throws LIMIT_EXCEEDED */
export function expectSmall(limits: QueryLimits, value: unknown): void {
  const { depth, items } = variableSpan({ value });
  if (depth > limits.valueDepth) throw exceeded(limits, 'valueDepth', depth);
  if (items > limits.listItems) throw exceeded(limits, 'listItems', items);
}

const pageRule = `must be from 1 to ${largestQuery.pageSize}`;

/** @param most the way to the field that costs most. */
function refuseExcess(
  limits: QueryLimits,
  { faults, cost, page, ...measured }: Measure,
  most: () => string,
): void {
  expectWithin(limits, measured);
  if (page && page.size > largestQuery.pageSize) throw pageTooLarge(page);
  if (cost > limits.cost)
    throw exceeded(
      limits,
      'cost',
      cost,
      ` Most of it is for ${most()}: ask for fewer fields or smaller pages.`,
    );
  if (faults.length > 0) throw new KeywayError('BAD_USER_INPUT', undefined, { fields: faults });
}

function pageTooLarge({ field, argument, size }: AskedPage): KeywayError {
  const most = largestQuery.pageSize;
  // What no Int can be is not repeated: it may be anything.
  const asked = Number.isInteger(size) && size < 2 ** 31 ? size : `more than ${most}`;
  return new KeywayError(
    'LIMIT_EXCEEDED',
    `${field} is asked for a page of ${asked} items (${argument}); ${most} are allowed.`,
    { limit: 'pageSize' },
  );
}

/** @throws LIMIT_EXCEEDED */
function expectWithin(limits: QueryLimits, measured: Partial<Record<Limit, number>>): void {
  for (const [limit, value] of Object.entries(measured) as [Limit, number][])
    if (value > limits[limit]) throw exceeded(limits, limit, value);
}

/** How deep values are nested, and how long their longest list is. */
interface Span {
  depth: number;
  items: number;
}

/** No deeper does anybody look: no limit allows that. */
const deepestLook = limitRanges.valueDepth[2];

const known = new WeakMap<DocumentNode, Span>();

/** The span of the literals: kept for the document, as the walk takes longer than the rest of a request's measure. */
function literalSpan(document: DocumentNode): Span {
  const kept = known.get(document);
  if (kept) return kept;
  const span = { depth: 0, items: 0 };
  let level = 0;
  const enter = (items: number) => {
    widen(span, ++level, items);
    return span.depth > deepestLook ? BREAK : undefined;
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
  for (let next = waiting.pop(); next && span.depth <= deepestLook; next = waiting.pop()) {
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
