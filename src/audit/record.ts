import type { RequestContext } from '../access/context.js';
import type { Tx } from '../database/database.js';
import { AuditOutcome } from './audit-event.js';
import type { Code } from '../errors.js';
import type { Ending } from './ending.js';
import type { Keyring } from '../keyring/keyring.js';
import { linkAll } from './chain.js';
import { callerOf, decisionOf, done, eventOf, type Actor, type What } from './decision.js';

/** A deed: what was done to what. */
export interface Deed extends What {
  /** Names of the fields that changed. */
  changed?: string[];
  /** What it leaves of its target, where that is less than before. */
  ends?: Ending | undefined;
}

/**
 * Records a deed in its own transaction: no record, no deed. Call it last, since it holds the account's chain to the
 * end of the transaction.
 */
export const record = (ctx: RequestContext, tx: Tx, deed: Deed): Promise<void> =>
  recordAs(ctx.keyring, tx, callerOf(ctx), deed);

/**
 * The same for several deeds, by as few statements as `linkAll`, however many there are.
 */
export const recordAll = (ctx: RequestContext, tx: Tx, deeds: readonly Deed[]): Promise<void> =>
  recordAllAs(ctx.keyring, tx, callerOf(ctx), deeds);

/** A deed that concerns several accounts, for the chain of each. */
export const inEach = (accountIds: readonly string[], deed: Omit<Deed, 'accountId'>): Deed[] =>
  [...new Set(accountIds)].map((accountId) => ({ ...deed, accountId }));

/**
 * The same for a deed whose request may be over, or that nobody asked for.
 * @param code of the failure, where nothing came of it.
 */
export const recordAs = (
  keyring: Keyring,
  tx: Tx,
  actor: Actor,
  deed: Deed,
  code: Code | null = null,
): Promise<void> => recordAllAs(keyring, tx, actor, [deed], code);

/** Deeds whose request may be over, or that nobody asked for. */
export async function recordAllAs(
  keyring: Keyring,
  tx: Tx,
  actor: Actor,
  deeds: readonly Deed[],
  code: Code | null = null,
): Promise<void> {
  if (deeds.length === 0) return;
  const ending = code === null ? done : { outcome: AuditOutcome.FAILED, code };
  await linkAll(
    tx,
    keyring,
    deeds.map(({ changed, ends, ...what }) => eventOf(decisionOf(actor, what, ending), changed, ends)),
  );
}
