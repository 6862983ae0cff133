import { authorize } from '../access/authorize.js';
import { Permission } from '../access/principal.js';
import { record } from '../audit/record.js';
import type { RequestContext } from '../access/context.js';
import { notFound } from '../errors.js';
import { once } from '../idempotency/once.js';
import { storeNamed } from '../stores/find.js';
import { StoreKind } from '../stores/store.js';
import { supporting } from '../stores/supporting.js';
import type { Credential } from './record/credential.js';
import type { DeleteCredentialInput } from './credential.input.js';
import { endCredentials, markDeleted } from './record/end.js';
import { changedCredential, findCredential } from './record/find.js';
import { lockCredential } from './record/lock.js';
import { endOutside } from './end-outside.js';
import { placeOf } from './record/allowed.js';

/**
 * Takes a credential out of every list, after revoking it, with all that was derived from it; its audit events stay. One
 * that is deleted already is answered as it is.
 * @throws NOT_FOUND, FORBIDDEN without CREDENTIAL_REVOKE.
 */
export async function deleteCredential(
  ctx: RequestContext,
  input: DeleteCredentialInput,
): Promise<Credential> {
  const found = await findCredential(ctx, input.id, 'input.id', Permission.CREDENTIAL_REVOKE);
  authorize(ctx.principal, Permission.CREDENTIAL_REVOKE, placeOf(found));
  const store = await storeNamed(ctx).load(found.storeId);
  if (!store) throw notFound();
  if (found.goneAt === null) supporting(ctx.connectors, store, 'delete');
  if (store.kind !== StoreKind.BUILT_IN) return endOutside(ctx, input, found, 'DELETE');
  const { result } = await once(ctx, 'credential:delete', input, async (tx) => {
    const { id, accountId, projectId } = await lockCredential(
      ctx,
      tx,
      found.id,
      Permission.CREDENTIAL_REVOKE,
    );
    await endCredentials(tx, [id], null);
    const deleted = await markDeleted(tx, [id]);
    await record(ctx, tx, {
      action: 'credential:delete',
      target: { type: 'Credential', id },
      accountId,
      projectId,
      changed: deleted.length > 0 ? ['status'] : [],
      ends: { gone: 'DELETED' },
    });
    return { id };
  });
  return changedCredential(ctx, result.id);
}
