import type { RequestContext } from '../context.js';
import type { Tx } from '../database.js';
import type { NodeType } from '../ids.js';
import { AuditOutcome } from './audit-event.js';
import { link } from './chain.js';

/** A deed: what was done to what, and where that belongs. */
export interface Deed {
  /** As in the permission: `credential:rotate`. */
  action: string;
  target: { type: NodeType; id: string };
  /** The account in whose chain it stands. */
  accountId: string;
  projectId?: string | null;
  /** Names of the fields that changed. */
  changed?: string[];
}

/**
 * Records a deed in its own transaction: no record, no deed. Call it last, since it holds the account's chain to the
 * end of the transaction.
 */
export async function record(ctx: RequestContext, tx: Tx, deed: Deed): Promise<void> {
  await link(tx, ctx.keyring, {
    accountId: deed.accountId,
    projectId: deed.projectId ?? null,
    actorId: ctx.principal.accountId,
    actorCredentialId: ctx.principal.credentialId,
    action: deed.action,
    outcome: AuditOutcome.DONE,
    code: null,
    targetType: deed.target.type,
    targetId: deed.target.id,
    changed: deed.changed ?? [],
    times: 1,
    ip: ctx.ip ?? null,
    requestId: ctx.requestId,
  });
}
