import type { GraphQLSchema } from 'graphql';
import { expectWaiting } from '../access/standing.js';
import { whoseOf } from '../access/principal.js';
import type { QueryLimits } from '../config/request-limits.js';
import type { RequestContext } from '../access/context.js';
import { fieldsIn } from './asked-fields.js';
import { rateLimitOf } from './charges.js';
import type { KnownQuery } from './compiled-queries.js';
import { faultsIn } from './errors/input.js';
import { suggestNothing } from './errors/suggest.js';
import type { Executions } from './executions.js';
import { costWithin } from './query-limits.js';
import { ageOf, readFrom } from './read-from.js';

const mostKept = 500;
/** Longer texts, in characters, are not kept: what is asked again and again is short. */
const longestKept = 8_192;

/**
 * Answers queries that were answered before, with other variables: of a document that has passed, only what hangs on them is
 * looked at again. What Apollo Server and its plugins do with a request besides takes up to a fifth of the time of a page.
 * Whatever is not as expected goes their whole way, so that every error is theirs.
 */
export class KnownDocuments {
  readonly #kept = new Map<string, KnownQuery>();

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly executions: Executions,
    private readonly documents: { get(key: string): Promise<unknown> },
    private readonly limits: QueryLimits,
  ) {}

  /** Keeps a query by its text. The one used longest ago gives way. */
  keep(text: string, operationName: string | undefined, query: KnownQuery): void {
    if (text.length > longestKept) return;
    const key = keyOf(text, operationName);
    this.#kept.delete(key);
    this.#kept.set(key, query);
    const [oldest] = this.#kept.size > mostKept ? this.#kept.keys() : [];
    if (oldest !== undefined) this.#kept.delete(oldest);
  }

  /**
   * @param body of a request, in the form of GraphQL over HTTP.
   * @returns the answer as Apollo Server would send it; undefined where the request is to go its whole way.
   */
  async answer(body: unknown, ctx: RequestContext): Promise<string | undefined> {
    const { query: text, operationName, variables, ...more } = body as Record<string, unknown>;
    if (typeof text !== 'string' || operationName === '' || Object.keys(more).length > 0) return undefined;
    const name = (operationName ?? undefined) as string | undefined;
    const key = keyOf(text, name);
    const known = this.#kept.get(key);
    if (!known || known.code.rest > 0) return undefined;
    // What is sent as a name can be anything, and make another text's key with this one.
    if (name !== undefined && name !== known.operation.name?.value) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, known);
    // Where it goes the whole way next time, it is still one that was used lately.
    await this.documents.get(known.hash);
    return this.#run(known, (variables ?? {}) as Record<string, unknown>, ctx).catch(nothing);
  }

  async #run(
    { document, operation, code }: KnownQuery,
    variables: Readonly<Record<string, unknown>>,
    ctx: RequestContext,
  ): Promise<string | undefined> {
    const cost = costWithin(this.limits, document, operation, variables, this.schema);
    await ctx.allowance.charge(Math.max(1, cost));
    expectWaiting(ctx.left);
    if (faultsIn(operation, variables, document, this.schema, suggestNothing).length > 0) return undefined;
    ctx.asked.fields = fieldsIn(document);
    const end = await this.executions.begin(whoseOf(ctx.principal), { cost, isQuery: true }, ctx.left);
    let data: Awaited<ReturnType<typeof code.run>>;
    try {
      await readFrom(ctx);
      data = await code.run(ctx, variables);
      return (
        data &&
        `${JSON.stringify({ data, extensions: { cost, ...ageOf(ctx), ...rateLimitOf(ctx) } })}
`
      );
    } finally {
      end(data === undefined);
    }
  }
}

const keyOf = (text: string, operationName: string | undefined) => `${operationName ?? ''} ${text}`;

const nothing = () => undefined;
