import type { RequestContext } from '../context.js';
import type { Tx } from '../database/database.js';
import { AuditOutcome } from './audit-event.js';
import type { Code } from '../errors.js';
import type { Keyring } from '../keyring/keyring.js';
import { link } from './chain.js';
import { callerOf, decisionOf, done, eventOf, type Actor, type What } from './decision.js';

/** A deed: what was done to what. */
export interface Deed extends What {
  /** Names of the fields that changed. */
  changed?: string[];
}

/**
 * Records a deed in its own transaction: no record, no deed. Call it last, since it holds the account's chain to the
 * end of the transaction.
 */
export const record = (ctx: RequestContext, tx: Tx, deed: Deed): Promise<void> =>
  recordAs(ctx.keyring, tx, callerOf(ctx), deed);

/**
 * The same for a deed whose request may be over, or that nobody asked for.
 * @param code of the failure, where nothing came of it.
 */
export async function recordAs(
  keyring: Keyring,
  tx: Tx,
  actor: Actor,
  { changed, ...what }: Deed,
  code: Code | null = null,
): Promise<void> {
  const ending = code === null ? done : { outcome: AuditOutcome.FAILED, code };
  await link(tx, keyring, eventOf(decisionOf(actor, what, ending), changed));
}
