import { Permission } from '../access/principal.js';
import type { RequestContext } from '../access/context.js';
import { sql, type Tx } from '../database/database.js';
import { conflict, unsupported } from '../errors.js';
import type { Answer } from '../idempotency/answer.js';
import { once } from '../idempotency/once.js';
import type { Keyring } from '../keyring/keyring.js';
import { callerOf, type Actor } from '../audit/decision.js';
import { record } from '../audit/record.js';
import { instantMs } from '../time.js';
import type { Credential } from './record/credential.js';
import { endCredentials, markDeleted, markEnding } from './record/end.js';
import { changedCredential } from './record/find.js';
import { lockCredential } from './record/lock.js';
import { carryOut } from './outside/carry-out.js';
import type { Lease } from './outside/lease.js';
import { hasKeysLeft, inherit, leaveLook } from './outside/leftover.js';
import { overtake, plan } from './outside/plan.js';
import { leaveOvertaken } from './outside/settle.js';
import { ends } from './outside/verdict.js';

interface Ending extends Answer {
  id: string;
  intent: string | null;
}

/**
 * Ends a credential in its store, and then in Keyway: it is REVOKING at once, which is on record by itself, and ended when
 * the store has confirmed it. A rotation that is under way is overtaken, and what it may still make is ended too (R7).
 * @throws CONFLICT while it is being made, unless that is in trouble, and for what Keyway reaches its store with; what the store says, and
 * OUTCOME_UNKNOWN where its answer was lost: in both cases it is repeated until the store has ended it.
 */
export async function endOutside(
  ctx: RequestContext,
  input: { idempotencyKey?: string | null; reason?: string | null },
  found: Credential,
  verb: 'REVOKE' | 'DELETE',
): Promise<Credential> {
  let lease: Lease | undefined;
  const action = `credential:${verb.toLowerCase()}`;
  const { result } = await once<Ending>(ctx, action, input, async (tx) => {
    const credential = await lockCredential(ctx, tx, found.id, Permission.CREDENTIAL_REVOKE);
    const { id, accountId, projectId } = credential;
    if (credential.reachesStore)
      throw conflict(
        'Keyway itself uses this credential to reach the store: give the store another one first, by updateStore.',
      );
    if (credential.abandonedAt !== null)
      throw conflict(
        'Its store was disconnected before it had ended this credential: end it in that system.',
      );
    const temporary = credential.parentId !== null;
    const expired = credential.expiresAt !== null && instantMs(credential.expiresAt) <= ctx.at;
    if (temporary && !expired && credential.revokedAt === null)
      throw unsupported('A temporary credential of this store ends by itself, or with its parent.');
    const ended = credential.deletedAt !== null || credential.revokedAt !== null;
    // Of what the store does not list any more, a previous key may live on there.
    const mayBeThere = credential.goneAt === null || (await hasKeysLeft(tx, id));
    const isGone =
      temporary || !mayBeThere || (credential.externalId === null && credential.standing !== 'PENDING');
    if (isGone && credential.goneAt === null && credential.standing === 'UNKNOWN')
      throw conflict(
        'The store may or may not have made this credential: sync the store to find out, then try again.',
      );
    if (!isGone && (!ended || (verb === 'DELETE' && credential.deletedAt === null))) {
      lease = await planEnd(ctx, tx, callerOf(ctx), credential, verb, input.reason ?? null);
      await record(ctx, tx, {
        action: 'credential:revoking',
        target: { type: 'Credential', id },
        accountId,
        projectId,
        changed: credential.endingSince === null ? ['status'] : [],
        ends: { atStore: { verb, externalId: credential.externalId } },
      });
      return { id, intent: lease.id };
    }
    // The store no longer has it: what is left to end is Keyway's own record.
    const target = { type: 'Credential' as const, id };
    const now = await endCredentials(tx, [id], input.reason ?? null);
    const gone = verb === 'DELETE' ? await markDeleted(tx, [id]) : [];
    const changed = now.length + gone.length > 0 ? ['status'] : [];
    const ends = { gone: verb === 'DELETE' ? 'DELETED' : 'REVOKED' } as const;
    await record(ctx, tx, { action, target, accountId, projectId, changed, ends });
    return { id, intent: null };
  });
  if (result.intent !== null) await carryOut(ctx, action, input, result.intent, lease);
  return changedCredential(ctx, result.id);
}

/**
 * Puts the end of a credential on record, in the place of what is under way with it.
 * @throws CONFLICT while it is being made, unless its store did not answer that, or refuses to tell.
 */
export async function planEnd(
  { keyring }: { keyring: Keyring },
  tx: Tx,
  wanting: Actor,
  credential: Pick<Credential, 'id' | 'accountId' | 'projectId' | 'storeId'>,
  verb: 'REVOKE' | 'DELETE',
  given: string | null,
): Promise<Lease> {
  const { id, storeId } = credential;
  const [making] = await tx.rows<object>(newlyMade, { id });
  if (making) throw conflict('The store is still making this credential: try again in a moment.');
  await inherit(tx, id);
  const overtaken = await overtake(tx, id);
  for (const one of overtaken) {
    await leaveOvertaken(keyring, tx, credential, one);
    // What it has asked of the store may still be done there.
    if (!ends(one.verb))
      await leaveLook(
        tx,
        { credentialId: id, storeId },
        one.details.before ?? null,
        one.details.askedMs ?? one.leaseUntilMs,
      );
  }
  await markEnding(tx, id);
  // What was asked for first is done by this one now, and for its reason where this one has none.
  const reason = given ?? overtaken.find(({ details }) => details.reason)?.details.reason;
  const details = reason ? { reason } : {};
  return plan(tx, wanting, { credentialId: id, storeId, verb, details });
}

// One that was tried in vain, or that its process has left, may be in the store, or never come there.
const newlyMade = sql(`
  SELECT 1 AS one FROM intents WHERE credential_id = :id AND state = 'OPEN' AND verb = 'CREATE'
    AND attempts = 0 AND lease_until > now()`);
