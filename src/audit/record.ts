import type { RequestContext } from '../context.js';
import type { Tx } from '../database/database.js';
import type { NodeType } from '../node-types.js';
import { AuditOutcome } from './audit-event.js';
import type { Code } from '../errors.js';
import type { Keyring } from '../keyring/keyring.js';
import { link, type Told } from './chain.js';

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
  const { principal, ip, requestId } = ctx;
  const { accountId: actorId, credentialId: actorCredentialId } = principal;
  await recordAs(ctx.keyring, tx, { actorId, actorCredentialId, ip: ip ?? null, requestId }, deed);
}

/** Who wanted a deed, in which request; nobody, where Keyway did it by itself. */
export type Actor = Pick<Told, 'actorId' | 'actorCredentialId' | 'ip' | 'requestId'>;

/**
 * The same for a deed whose request may be over.
 * @param code of the failure, where nothing came of it.
 */
export async function recordAs(
  keyring: Keyring,
  tx: Tx,
  actor: Actor,
  deed: Deed,
  code: Code | null = null,
): Promise<void> {
  await link(tx, keyring, {
    ...actor,
    accountId: deed.accountId,
    projectId: deed.projectId ?? null,
    action: deed.action,
    outcome: code === null ? AuditOutcome.DONE : AuditOutcome.FAILED,
    code,
    targetType: deed.target.type,
    targetId: deed.target.id,
    changed: deed.changed ?? [],
    times: 1,
  });
}
