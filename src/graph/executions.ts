import type { ApolloServerPlugin } from '@apollo/server';
import { callerLeft, expectWaiting } from '../access/standing.js';
import { mostPointsUnderWay } from '../config/limits.js';
import type { RequestContext } from '../context.js';
import { weigh } from './query-weight.js';
import { whoseOf } from '../access/principal.js';
import type { Whose } from '../shares/line.js';
import type { Turns } from './turns.js';

/**
 * Has each operation begin in its caller's turn, and no more of one caller's at once than `Executions` lets. Belongs
 * after all plugins that refuse an operation before it runs.
 */
export function executionsInTurn(turns: Turns): ApolloServerPlugin<RequestContext> {
  const executions = new Executions(turns);
  const ends = new WeakMap<RequestContext, () => void>();
  const end = (ctx: RequestContext) => {
    ends.get(ctx)?.();
    ends.delete(ctx);
  };
  return {
    requestDidStart: async () => ({
      didResolveOperation: async ({ document, operation, request, schema, contextValue: ctx }) => {
        if (!operation) return;
        const { cost } = weigh(document, operation, request.variables ?? {}, schema);
        ends.set(ctx, await executions.begin(whoseOf(ctx.principal), cost, ctx.left));
      },
      willSendResponse: async ({ contextValue }) => end(contextValue),
    }),
    unexpectedErrorProcessingRequest: async ({ requestContext }) => end(requestContext.contextValue),
  };
}

/** One caller's operations: the points of those that run, and those that wait, in the order that they came in. */
interface Own {
  points: number;
  readonly line: Set<{ points: number; go(): void }>;
}

/**
 * What runs of each caller. An operation begins while what its caller has under way is below the bound, however much it
 * costs itself, so that the largest runs too, and none waits behind a slow one for long; what runs needs nothing of
 * what waits, so each comes to its end.
 */
export class Executions {
  readonly #callers = new Map<string, Own>();

  constructor(private readonly turns: Turns) {}

  /**
   * Waits for room, and for the caller's turn.
   * @returns what says that the operation has come to its end; to be called once.
   * @throws UNAVAILABLE where the caller leaves meanwhile.
   */
  async begin(whose: Whose, cost: number, left: AbortSignal): Promise<() => void> {
    expectWaiting(left);
    const caller = String(whose);
    const points = Math.max(1, cost);
    const own = this.#callers.get(caller) ?? { points: 0, line: new Set() };
    this.#callers.set(caller, own);
    if (own.line.size > 0 || own.points >= mostPointsUnderWay) await this.#queue(own, points, left);
    else own.points += points;
    const end = () => this.#end(caller, own, points);
    await this.turns.take(whose);
    if (left.aborted) end();
    expectWaiting(left);
    return end;
  }

  #queue({ line }: Own, points: number, left: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting = { points, go: resolve };
      line.add(waiting);
      // Requests that are counted off with their callers are not kept here.
      const leave = () => {
        if (line.delete(waiting)) reject(callerLeft());
      };
      left.addEventListener('abort', leave, { once: true });
    });
  }

  #end(caller: string, own: Own, points: number): void {
    own.points -= points;
    for (const waiting of own.line) {
      if (own.points >= mostPointsUnderWay) break;
      own.line.delete(waiting);
      own.points += waiting.points;
      waiting.go();
    }
    if (own.points === 0) this.#callers.delete(caller);
  }
}
