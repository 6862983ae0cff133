import { readNamedNumbers, type NumberRange } from './named-numbers.js';
import {
  largestBody,
  largestHeaders,
  largestQuery,
  slowestHeadersMs,
  slowestRequestMs,
  usualRequests,
} from './limits.js';

/** What a GraphQL request may ask for, by the names of `largestQuery`. */
export type QueryLimits = Readonly<Record<keyof typeof largestQuery, number>>;

/** What a request, and a connection that brings one, may be like. */
export interface RequestLimits {
  /** Bytes of a body. */
  readonly body: number;
  /** Bytes of all headers. */
  readonly headers: number;
  /** How long a client may take to send its headers, and then the rest, in seconds. */
  readonly headersSeconds: number;
  readonly requestSeconds: number;
  /** Connections at once, of one process. */
  readonly connections: number;
  /** Requests of all callers under way at once, of one process. */
  readonly requests: number;
  readonly query: QueryLimits;
}

/** The least, the usual, and the most that each can be set to: beyond that Keyway would no longer answer others in time. */
export const limitRanges = {
  body: [1_024, largestBody, 8 * 1_024 * 1_024],
  headers: [largestHeaders / 4, largestHeaders, 1_024 * 1_024],
  headersSeconds: [1, slowestHeadersMs / 1_000, 60],
  requestSeconds: [1, slowestRequestMs / 1_000, 300],
  connections: [10, 10_000, 1_000_000],
  requests: [4, usualRequests, 100_000],
  tokens: [100, largestQuery.tokens, 20_000],
  depth: [3, largestQuery.depth, 30],
  aliases: [1, largestQuery.aliases, 1_000],
  directives: [1, largestQuery.directives, 200],
  rootFields: [1, largestQuery.rootFields, 100],
  cost: [100, largestQuery.cost, 100_000],
  valueDepth: [4, largestQuery.valueDepth, 32],
  listItems: [100, largestQuery.listItems, 10_000],
} as const satisfies Record<string, NumberRange>;

type LimitName = keyof typeof limitRanges;

/**
 * Reads limits such as `depth=10,cost=20000`; each that is not named is as usual.
 * @returns what is wrong with the text besides, without its values
 */
export function readRequestLimits(text: string): { limits: RequestLimits; faults: string[] } {
  const { given, faults } = readNamedNumbers(text, limitRanges, 'depth=10,cost=20000');
  if ((given.get('headersSeconds') ?? 0) > (given.get('requestSeconds') ?? Infinity))
    faults.push('must not have more headersSeconds than requestSeconds');
  const of = (name: LimitName) => given.get(name) ?? limitRanges[name][1];
  const limits: RequestLimits = {
    body: of('body'),
    headers: of('headers'),
    ...secondsOf(given),
    connections: of('connections'),
    requests: of('requests'),
    query: Object.freeze({
      ...largestQuery,
      tokens: of('tokens'),
      depth: of('depth'),
      aliases: of('aliases'),
      directives: of('directives'),
      rootFields: of('rootFields'),
      cost: of('cost'),
      valueDepth: of('valueDepth'),
      listItems: of('listItems'),
    }),
  };
  return { limits, faults: [...new Set(faults)] };
}

/** The headers are a part of the request: where one of the two is named alone, the other gives way. */
function secondsOf(given: ReadonlyMap<string, number>) {
  const [, headers] = limitRanges.headersSeconds;
  const [, request] = limitRanges.requestSeconds;
  const headersSeconds =
    given.get('headersSeconds') ?? Math.min(headers, given.get('requestSeconds') ?? request);
  return { headersSeconds, requestSeconds: given.get('requestSeconds') ?? Math.max(request, headersSeconds) };
}
