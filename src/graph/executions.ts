import type { ApolloServerPlugin } from '@apollo/server';
import { callerLeft, expectWaiting } from '../access/standing.js';
import { mostPointsOfTenant, mostPointsUnderWay } from '../config/limits.js';
import type { RequestContext } from '../context.js';
import { weigh } from './query-weight.js';
import { whoseOf } from '../access/principal.js';
import { FairLine, type Whose } from '../shares/line.js';
import type { Turns } from './turns.js';

/**
 * Has each operation begin in its caller's turn, and no more of one account's and one tenant's at once than
 * `Executions` lets. Belongs after all plugins that refuse an operation before it runs.
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

/**
 * What runs of each account, and of each tenant. An operation begins while what its account has under way is below the
 * bound, however much it costs itself, so that the largest runs too; and while what its tenant has is below that one's
 * bound, the accounts of it in turn. What runs needs nothing of what waits, so each comes to its end.
 */
export class Executions {
  readonly #accounts = new Rooms(mostPointsUnderWay);
  readonly #tenants = new Rooms(mostPointsOfTenant);

  constructor(private readonly turns: Turns) {}

  /**
   * Waits for room, and for the caller's turn.
   * @returns what says that the operation has come to its end; to be called once.
   * @throws UNAVAILABLE where the caller leaves meanwhile.
   */
  async begin(whose: Whose, cost: number, left: AbortSignal): Promise<() => void> {
    const points = Math.max(1, cost);
    const [tenant = '', ...within] = whose;
    const leaveAccount = await this.#accounts.enter(String(whose), [], points, left);
    const counted = Math.min(points, mostPointsUnderWay);
    const leaveTenant = await this.#tenants.enter(tenant, within, counted, left).catch((error: unknown) => {
      leaveAccount();
      throw error;
    });
    const end = () => {
      leaveTenant();
      leaveAccount();
    };
    await this.turns.take(whose);
    if (left.aborted) end();
    expectWaiting(left);
    return end;
  }
}

interface Room {
  points: number;
  readonly line: FairLine<{ points: number; go(): void }>;
}

/** What each has under way, in points; who comes while that is at the bound waits, by turns. */
class Rooms {
  readonly #rooms = new Map<string, Room>();

  constructor(readonly bound: number) {}

  /** @returns what gives the points back. @throws UNAVAILABLE where the caller leaves meanwhile. */
  async enter(name: string, whose: Whose, points: number, left: AbortSignal): Promise<() => void> {
    expectWaiting(left);
    const room = this.#rooms.get(name) ?? { points: 0, line: new FairLine() };
    this.#rooms.set(name, room);
    if (room.points < this.bound) room.points += points;
    else await waitIn(room, whose, points, left);
    return () => this.#leave(name, room, points);
  }

  #leave(name: string, room: Room, points: number): void {
    room.points -= points;
    while (room.points < this.bound) {
      const next = room.line.next();
      if (!next) break;
      room.points += next.points;
      next.go();
    }
    if (room.points === 0) this.#rooms.delete(name);
  }
}

const waitIn = ({ line }: Room, whose: Whose, points: number, left: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const waiting = { points, go: resolve };
    line.add(whose, waiting);
    // Requests that are counted off with their callers are not kept here.
    const leave = () => {
      if (line.remove(whose, waiting)) reject(callerLeft());
    };
    left.addEventListener('abort', leave, { once: true });
  });
