import { authorize } from '../access/authorize.js';
import { Permission } from '../access/principal.js';
import { record } from '../audit/record.js';
import type { RequestContext } from '../access/context.js';
import { once } from '../idempotency/once.js';
import { storeNamed } from '../stores/find.js';
import { StoreKind } from '../stores/store.js';
import { supporting } from '../stores/supporting.js';
import { notFound } from '../errors.js';
import { endCredentials } from './record/end.js';
import type { Credential } from './record/credential.js';
import type { RevokeCredentialInput } from './credential.input.js';
import { changedCredential, findCredential } from './record/find.js';
import { lockCredential } from './record/lock.js';
import { endOutside } from './end-outside.js';
import { placeOf } from './record/allowed.js';

/**
 * Ends a credential for good, with everything derived from it: at the answer none of their secrets works any more.
 * One that has ended before is answered as it is, with the reason that it ended for; whether a reason that was given is
 * that one, is told.
 * @throws NOT_FOUND, FORBIDDEN.
 */
export async function revokeCredential(
  ctx: RequestContext,
  input: RevokeCredentialInput,
): Promise<{ credential: Credential; reasonRecorded: boolean }> {
  const credential = await revoke(ctx, input);
  const reason = input.reason ?? null;
  return { credential, reasonRecorded: reason === null || reason === credential.revokeReason };
}

async function revoke(ctx: RequestContext, input: RevokeCredentialInput): Promise<Credential> {
  const found = await findCredential(ctx, input.id, 'input.id', Permission.CREDENTIAL_REVOKE);
  authorize(ctx.principal, Permission.CREDENTIAL_REVOKE, placeOf(found));
  const store = await storeNamed(ctx).load(found.storeId);
  if (!store) throw notFound();
  supporting(ctx.connectors, store, 'revoke');
  if (store.kind !== StoreKind.BUILT_IN) return endOutside(ctx, input, found, 'REVOKE');
  const { result } = await once(ctx, 'credential:revoke', input, async (tx) => {
    const { id, accountId, projectId } = await lockCredential(
      ctx,
      tx,
      found.id,
      Permission.CREDENTIAL_REVOKE,
    );
    const ended = await endCredentials(tx, [id], input.reason ?? null);
    await record(ctx, tx, {
      action: 'credential:revoke',
      target: { type: 'Credential', id },
      accountId,
      projectId,
      changed: ended.length > 0 ? ['status'] : [],
      ends: { gone: 'REVOKED' },
    });
    return { id };
  });
  return changedCredential(ctx, result.id);
}
