import type { ApolloServerPlugin } from '@apollo/server';
import { OperationTypeNode } from 'graphql';
import { callerLeft, expectWaiting } from '../access/standing.js';
import {
  mostGrowth,
  mostPointsOfTenant,
  mostPointsUnderWay,
  quickQueryMs,
  slowQueryMs,
} from '../config/limits.js';
import type { RequestContext } from '../context.js';
import { weigh } from './query-weight.js';
import { whoseOf } from '../access/principal.js';
import { FairLine, type Whose } from '../shares/line.js';
import type { Turns } from './turns.js';

/**
 * Has each operation begin in its caller's turn, and no more of one account's and one tenant's at once than
 * `Executions` lets. Belongs after all plugins that refuse an operation before it runs.
 */
export function executionsInTurn(executions: Executions): ApolloServerPlugin<RequestContext> {
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
        const isQuery = operation.operation === OperationTypeNode.QUERY;
        ends.set(ctx, await executions.begin(whoseOf(ctx.principal), { cost, isQuery }, ctx.left));
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

  /** @param now milliseconds of a clock that is never set. */
  constructor(
    private readonly turns: Turns,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * Waits for room, and for the caller's turn.
   * @returns what says that the operation has come to its end; to be called once.
   * @throws UNAVAILABLE where the caller leaves meanwhile.
   */
  async begin(whose: Whose, { cost, isQuery }: Weighed, left: AbortSignal): Promise<() => void> {
    const points = Math.max(1, cost);
    const [tenant = '', ...within] = whose;
    const leaveAccount = await this.#accounts.enter(String(whose), [], points, left);
    const counted = Math.min(points, mostPointsUnderWay);
    const leaveTenant = await this.#tenants.enter(tenant, within, counted, left).catch((error: unknown) => {
      leaveAccount();
      throw error;
    });
    const beganMs = this.now();
    const leave = (tookMs?: number) => {
      leaveTenant(tookMs);
      leaveAccount(tookMs);
    };
    await this.turns.take(whose, Math.min(1, points / pointsInTurn));
    if (left.aborted) leave();
    expectWaiting(left);
    // What changes something may wait for a store, or for a lock: that says nothing of how busy Keyway is.
    return () => leave(isQuery ? this.now() - beganMs : undefined);
  }
}

/** An operation, by what it costs in points. */
interface Weighed {
  cost: number;
  isQuery: boolean;
}

interface Room {
  points: number;
  bound: number;
  readonly line: FairLine<{ points: number; go(): void }>;
}

/** What begins together in one turn of the event loop, in points: some milliseconds. */
const pointsInTurn = 500;

/** How many of those that have nothing under way are remembered with the bound that they came to. */
const mostRemembered = 1_000;
/** The part of its points by which a quick query raises the bound: that takes seconds, so that few can be made slow. */
const growth = 0.05;
/** What a slow one leaves of it. */
const shrinkage = 0.7;

/** What each has under way, in points; who comes while that is at its bound waits, by turns. */
class Rooms {
  readonly #rooms = new Map<string, Room>();

  /** @param least what each bound begins with, and never falls below. */
  constructor(private readonly least: number) {}

  /**
   * @returns what gives the points back, and is told how long the query took that had them.
   * @throws UNAVAILABLE where the caller leaves meanwhile.
   */
  async enter(name: string, whose: Whose, points: number, left: AbortSignal) {
    expectWaiting(left);
    const room = this.#rooms.get(name) ?? { points: 0, bound: this.least, line: new FairLine() };
    this.#rooms.set(name, room);
    if (room.points < room.bound) room.points += points;
    else await waitIn(room, whose, points, left);
    return (tookMs?: number) => this.#leave(name, room, points, tookMs);
  }

  #leave(name: string, room: Room, points: number, tookMs: number | undefined): void {
    room.points -= points;
    if (tookMs !== undefined) this.#learn(room, points, tookMs);
    while (room.points < room.bound) {
      const next = room.line.next();
      if (!next) break;
      room.points += next.points;
      next.go();
    }
    if (room.points === 0) this.#forget(name, room);
  }

  #learn(room: Room, points: number, tookMs: number): void {
    if (tookMs > slowQueryMs) room.bound = Math.max(this.least, room.bound * shrinkage);
    // Where nobody waits, the bound has not shown that it can be more.
    else if (tookMs < quickQueryMs && room.line.size > 0)
      room.bound = Math.min(this.least * mostGrowth, room.bound + points * growth);
  }

  #forget(name: string, room: Room): void {
    if (room.bound === this.least) this.#rooms.delete(name);
    if (this.#rooms.size <= mostRemembered) return;
    for (const [each, { points }] of this.#rooms) if (points === 0) this.#rooms.delete(each);
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
