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
import type { RequestContext } from '../access/context.js';
import { weigh } from './query-weight.js';
import { whoseOf } from '../access/principal.js';
import { FairLine, type Whose } from '../shares/line.js';
import type { Turns } from './turns.js';

/**
 * Has each operation begin in its caller's turn, and no more of one account's and one tenant's at once than
 * `Executions` lets. Belongs after all plugins that refuse an operation before it runs.
 */
export function executionsInTurn(executions: Executions): ApolloServerPlugin<RequestContext> {
  const ends = new WeakMap<RequestContext, End>();
  const end = (ctx: RequestContext, hasFailed: boolean) => {
    ends.get(ctx)?.(hasFailed);
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
      willSendResponse: async ({ contextValue, errors }) => end(contextValue, errors !== undefined),
    }),
    unexpectedErrorProcessingRequest: async ({ requestContext }) => end(requestContext.contextValue, true),
  };
}

/** Says that an operation has come to its end, and whether with errors; to be called once. */
type End = (hasFailed: boolean) => void;

/**
 * What runs of each account, and of each tenant. An operation begins while what its account has under way is below the
 * bound, however much it costs itself, so that the largest runs too; and while what its tenant has is below that one's
 * bound, the accounts of it in turn. What runs needs nothing of what waits, so each comes to its end. Both bounds of a
 * tenant grow together, so that no account of it ever fills more than its own part.
 */
export class Executions {
  readonly #accounts = new Rooms(mostPointsUnderWay);
  readonly #tenants = new Rooms(mostPointsOfTenant);
  readonly #paces = new Map<string, Pace>();

  /** @param now milliseconds of a clock that is never set. */
  constructor(
    private readonly turns: Turns,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * Waits for room, and for the caller's turn.
   * @throws UNAVAILABLE where the caller leaves meanwhile.
   */
  async begin(whose: Whose, { cost, isQuery }: Weighed, left: AbortSignal): Promise<End> {
    const points = Math.max(1, cost);
    const [tenant = '', ...within] = whose;
    const pace = this.#paceOf(tenant);
    const leaving = [() => this.#leavePace(tenant, pace)];
    const leave = () => leaving.reverse().forEach((each) => each());
    try {
      const account = await this.#accounts.enter(String(whose), pace, [], points, left);
      leaving.push(account.leave);
      const counted = Math.min(points, mostPointsUnderWay);
      const all = await this.#tenants.enter(tenant, pace, within, counted, left);
      leaving.push(all.leave);
      const beganMs = this.now();
      await this.turns.take(whose, Math.min(1, points / pointsInTurn));
      expectWaiting(left);
      return (hasFailed) => {
        // What changes something may wait for a store, or for a lock: that says nothing of how busy Keyway is. What failed
        // has not done what it costs.
        if (isQuery && !hasFailed)
          learn(pace, points, this.now() - beganMs, account.isFull() || all.isFull());
        leave();
      };
    } catch (error) {
      leave();
      throw error;
    }
  }

  #paceOf(tenant: string): Pace {
    const pace = this.#paces.get(tenant) ?? { growth: 1, users: 0 };
    pace.users++;
    this.#paces.set(tenant, pace);
    return pace;
  }

  #leavePace(tenant: string, pace: Pace): void {
    if (--pace.users > 0) return;
    if (pace.growth === 1) this.#paces.delete(tenant);
    if (this.#paces.size <= mostRemembered) return;
    for (const [each, { users }] of this.#paces) if (users === 0) this.#paces.delete(each);
  }
}

/** An operation, by what it costs in points. */
interface Weighed {
  cost: number;
  isQuery: boolean;
}

/** How many times as much a tenant and its accounts may have under way as at first, and how many of it that concerns now. */
interface Pace {
  growth: number;
  users: number;
}

/** What begins together in one turn of the event loop, in points: some milliseconds. */
const pointsInTurn = 500;

/** How many tenants that have nothing under way are remembered with their pace. */
const mostRemembered = 1_000;
/** By how much a quick query raises it for each of its points, up to so many: that takes seconds, and not a few large ones. */
const growthByPoint = 0.05 / mostPointsUnderWay;
const mostPointsLearnt = 250;
/** What a slow one leaves of it. */
const shrinkage = 0.7;

/** @param isFull whether others wait: where nobody does, it has not shown that it can be more. */
function learn(pace: Pace, points: number, tookMs: number, isFull: boolean): void {
  if (tookMs > slowQueryMs) pace.growth = Math.max(1, pace.growth * shrinkage);
  else if (tookMs < quickQueryMs && isFull)
    pace.growth = Math.min(mostGrowth, pace.growth + Math.min(points, mostPointsLearnt) * growthByPoint);
}

interface Room {
  points: number;
  readonly pace: Pace;
  readonly line: FairLine<{ points: number; go(): void }>;
}

/** What each has under way, in points; who comes while that is at its bound waits, by turns. */
class Rooms {
  readonly #rooms = new Map<string, Room>();

  /** @param least the bound at first. */
  constructor(private readonly least: number) {}

  /**
   * @returns what gives the points back, and tells whether others wait.
   * @throws UNAVAILABLE where the caller leaves meanwhile.
   */
  async enter(name: string, pace: Pace, whose: Whose, points: number, left: AbortSignal) {
    expectWaiting(left);
    const room = this.#rooms.get(name) ?? { points: 0, pace, line: new FairLine() };
    this.#rooms.set(name, room);
    if (this.#hasPlace(room)) room.points += points;
    else await waitIn(room, whose, points, left);
    return { leave: () => this.#leave(name, room, points), isFull: () => room.line.size > 0 };
  }

  #hasPlace({ points, pace }: Room): boolean {
    return points < this.least * pace.growth;
  }

  #leave(name: string, room: Room, points: number): void {
    room.points -= points;
    while (this.#hasPlace(room)) {
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
