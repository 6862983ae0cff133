import type { Database, ReadRow, Sql, Tx } from '../database/database.js';
import type { Part } from '../database/joined.js';
import { afterOthers, answerLost, DatabaseUnavailable, KeywayError, unavailable } from '../errors.js';
import { callerByNow, principalOfCaller } from './caller.js';
import { identityByNow, principalOfIdentity } from './identity.js';
import type { Granted, Principal } from './principal.js';
import { covers } from './rights.js';

// A verb decides by what its caller was when the request came, and may wait for others then: for a row, for the chain of
// the audit, for a store. So the end of its transaction reads once more what the caller is, when it has all its locks:
// READ COMMITTED sees what others have committed meanwhile. It is a plain read. To lock what a caller has would let a
// request that waits hold off the one that takes its rights away.

/** Who asks, as far as it is read again. */
export interface Asking {
  readonly db: Database;
  readonly principal: Principal;
  readonly ip: string | undefined;
  /** Aborted where the caller no longer waits for an answer. */
  readonly left: AbortSignal;
  /** How its caller stood at the end of the transaction, when the verb was tried before. */
  readonly expected?: Standing;
  /** As in `RequestContext`. */
  readonly change: { verbs: number; made: boolean; earlier: boolean };
}

/** A caller as it is by now; null where it may call no more. */
export type Standing = Principal | null;

/** The caller has less by now than what was decided by: nothing was done, and the verb is to decide anew. */
export class Outdated extends KeywayError {
  constructor(readonly standing: Standing) {
    super('CONFLICT', 'What you may do was changed meanwhile.');
  }
}

/**
 * Does the work of a verb in one transaction, which is undone where its caller has lost something meanwhile: a role, its
 * account, its credential, its identity. What the work itself took from its caller looks the same: where it
 * leaves as much as it did when it was tried before, nobody else has taken anything. It is not begun for a caller who has
 * left while it waited for a connection; once begun, it goes on.
 * @throws Outdated, for `decidedByNow`; UNAVAILABLE where nobody waits; what `work` and `Database.transaction` throw.
 */
export async function whileAllowed<Result>(
  asking: Asking,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  return whileStanding(asking, async (tx) => ({
    result: await work(tx),
    standing: await standingOf(asking, tx),
  }));
}

/**
 * The same for work that reads itself how its caller stands, by `standingAsked`, when it has all its locks.
 * @throws as `whileAllowed` does
 */
export async function whileStanding<Result>(
  asking: Asking,
  work: (tx: Tx) => Promise<{ result: Result; standing: Standing }>,
): Promise<Result> {
  const done = await asking.db.transaction(async (tx) => {
    if (!asking.change.made) expectWaiting(asking.left);
    const { result, standing } = await work(tx);
    const accepted = [asking.principal, ...(asking.expected === undefined ? [] : [asking.expected])];
    if (!accepted.some((before) => isAsMuch(standing, before))) throw new Outdated(standing);
    return result;
  });
  asking.change.made = true;
  return done;
}

/** @throws UNAVAILABLE where the caller has left: nobody reads it, and nothing is begun. */
export function expectWaiting(left: AbortSignal): void {
  if (left.aborted) throw callerLeft();
}

/** What a request that waits is ended with, where its caller leaves. */
export const callerLeft = (): KeywayError => unavailable('the caller has left');

/** Whether the caller still has all that it had when the request came. */
export async function isAllowedStill(asking: Asking): Promise<boolean> {
  return isAsMuch(await standingOf(asking, asking.db), asking.principal);
}

/**
 * Asks a verb, and asks it again, as the caller is by then, where that has changed before the verb was done: it refuses
 * what it would refuse a request that comes now.
 * @throws what the verb throws, but never says that nothing was changed where another verb of the request has changed
 * something; OUTCOME_UNKNOWN where the database was lost after a change was on record; UNAUTHENTICATED where the caller
 * may call no more; CONFLICT where it goes on changing.
 */
export async function decidedByNow<Ctx extends Asking, Result>(
  ctx: Ctx,
  verb: (ctx: Ctx) => Promise<Result>,
): Promise<Result> {
  const { change } = ctx;
  change.verbs++;
  change.earlier ||= change.made;
  change.made = false;
  try {
    return await triedAgain(ctx, verb);
  } catch (error) {
    const told = afterChange(ctx, error);
    throw change.earlier ? afterOthers(told) : told;
  }
}

/** What went wrong, to whoever asked: where the change was made, nobody is told that nothing was changed. */
export const afterChange = ({ change }: Pick<Asking, 'change'>, error: unknown): unknown =>
  error instanceof DatabaseUnavailable && change.made ? answerLost(error) : error;

async function triedAgain<Ctx extends Asking, Result>(
  ctx: Ctx,
  verb: (ctx: Ctx) => Promise<Result>,
): Promise<Result> {
  let asking = ctx;
  for (let tries = 1; ; tries++) {
    try {
      return await verb(asking);
    } catch (error) {
      if (!(error instanceof Outdated) || tries === mostTries) throw error;
      const principal = await standingOf(ctx, ctx.db);
      if (!principal) throw new KeywayError('UNAUTHENTICATED');
      asking = { ...ctx, principal, expected: error.standing };
    }
  }
}

const mostTries = 5;

async function standingOf(asking: Asking, db: Sql): Promise<Standing> {
  const { part, read } = standingAsked(asking);
  return read(part ? await db.rows<ReadRow>(part.statement, part.parameters) : []);
}

/** What to ask for how a caller stands, if anything, and what the answer means. */
export function standingAsked({ principal, ip }: Pick<Asking, 'principal' | 'ip'>): {
  part: Part | undefined;
  read: (rows: readonly ReadRow[]) => Standing;
} {
  const { credentialId, credentialVersion, identity } = principal;
  const same = (found: Principal | undefined) => (found?.accountId === principal.accountId ? found : null);
  if (identity)
    return { part: identityByNow(identity), read: ([row]) => same(principalOfIdentity(identity, row)) };
  // What has proven nothing is no request: the demonstration asks by itself.
  if (typeof credentialId !== 'string' || typeof credentialVersion !== 'number')
    return { part: undefined, read: () => principal };
  return {
    part: callerByNow(credentialId, credentialVersion),
    read: ([row]) => same(principalOfCaller(row, ip)),
  };
}

/** Whether a caller may do all that it might before. */
function isAsMuch(now: Standing, before: Standing): boolean {
  if (now === before) return true;
  if (!now || !before) return false;
  return termsOf(now) === termsOf(before) && has(now, before) && has(now.granted, before.granted);
}

const has = (now: Granted, before: Granted): boolean =>
  covers(now.rights, before.rights) && covers(now.roles, before.roles);

const termsOf = ({ limits, expiresAt, allowedIps, mfaRequired }: Principal): string =>
  JSON.stringify([limits, expiresAt, allowedIps, mfaRequired]);
