import { authorize } from '../access/authorize.js';
import { Permission } from '../access/principal.js';
import { record } from '../audit/record.js';
import type { RequestContext } from '../context.js';
import { sql } from '../database.js';
import { notFound } from '../errors.js';
import { once } from '../idempotency/once.js';
import { storeNamed } from '../stores/find.js';
import { supporting } from '../stores/supporting.js';
import type { Credential } from './credential.js';
import type { DeleteCredentialInput } from './credential.input.js';
import { endCredentials } from './end.js';
import { changedCredential, findCredential } from './find.js';
import { lockCredential } from './lock.js';
import { placeOf } from './place.js';

/**
 * Takes a credential out of every list, after revoking it; its audit events stay. One that is deleted already is
 * answered as it is.
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
  const remove = supporting(ctx.connectors, store, 'delete');
  const { result } = await once(ctx, 'credential:delete', input, async (tx) => {
    const { id, accountId, projectId } = await lockCredential(
      ctx,
      tx,
      found.id,
      Permission.CREDENTIAL_REVOKE,
    );
    await remove({ endpoint: store.endpoint }, found.externalId ?? found.id);
    await endCredentials(tx, [id], null);
    const deleted = await tx.rows(markDeleted, { ids: [id] });
    await record(ctx, tx, {
      action: 'credential:delete',
      target: { type: 'Credential', id },
      accountId,
      projectId,
      changed: deleted.length > 0 ? ['status'] : [],
    });
    return { id };
  });
  return changedCredential(ctx, result.id);
}

/** Marks ended credentials as deleted. */
export const markDeleted = sql(`
  UPDATE credentials SET deleted_at = now(), revision = revision + 1, updated_at = now()
  WHERE id = ANY(CAST(:ids AS uuid[])) AND deleted_at IS NULL RETURNING id`);
