import { recordAll } from '../audit/record.js';
import type { RequestContext } from '../context.js';
import { sql } from '../database/database.js';
import { conflict } from '../errors.js';
import { once } from '../idempotency/once.js';
import { decodeId, encodeId } from '../ids.js';
import { lockManaged } from '../stores/find.js';
import { deedsOfScope, withdrawingScopes, type GivenScope } from '../stores/scopes/places.js';
import type { DeleteStoreInput } from '../stores/store.input.js';
import { deedsAt, withdrawing, type GivenGrant } from './places.js';

/**
 * Disconnects a store, and forgets what Keyway proved itself with there. Its credentials are deleted here, with a history
 * that stays, and its roles go with it; in the system itself nothing changes. Returns its public id.
 * @throws NOT_FOUND, FORBIDDEN without STORE_MANAGE, UNSUPPORTED for Keyway's own; CONFLICT while a change is under way
 * there, and while Keyway has secrets of its credentials that nobody else has.
 */
export async function deleteStore(ctx: RequestContext, input: DeleteStoreInput): Promise<string> {
  const id = decodeId('CredentialStore', input.id, 'input.id');
  // Found within, so that a replay answers although the store is gone.
  const { result } = await once(ctx, 'store:delete', input, async (tx) => {
    const { accountId } = await lockManaged(ctx, tx, id);
    const [held] = await tx.rows<{ changing: boolean; sealing: boolean }>(holding, { id });
    if (held?.changing)
      throw conflict('A credential of this store is being changed: try again when that is done.');
    if (held?.sealing)
      throw conflict(
        'Keyway alone has the secrets of credentials in this store: delete or revoke those first.',
      );
    for (const statement of [finishSyncs, finishRotations, markCredentials, markDeleted])
      await tx.rows(statement, { id });
    const withdrawn = await tx.rows<GivenGrant>(withdrawGrants, { id });
    const scopes = await tx.rows<GivenScope>(withdrawScopes, { id });
    for (const statement of [dropRoles, deleteRoles]) await tx.rows(statement, { id });
    await recordAll(ctx, tx, [
      ...withdrawn.flatMap((grant) => deedsAt('role:withdraw', grant)),
      ...scopes.flatMap((scope) => deedsOfScope('scope:withdraw', scope)),
      {
        action: 'store:delete',
        target: { type: 'CredentialStore', id },
        accountId: accountId ?? ctx.principal.accountId,
      },
    ]);
    return { deletedId: encodeId('CredentialStore', id) };
  });
  ctx.gates.forget(id);
  return result.deletedId;
}

const holding = sql(`
  SELECT EXISTS (SELECT 1 FROM intents WHERE store_id = :id AND state = 'OPEN')
      OR EXISTS (SELECT 1 FROM leftovers WHERE store_id = :id) AS changing,
    EXISTS (SELECT 1 FROM credentials c JOIN credential_versions v ON v.credential_id = c.id
      WHERE c.store_id = :id AND c.deleted_at IS NULL AND c.revoked_at IS NULL AND v.sealed IS NOT NULL) AS sealing`);

const finishSyncs = sql(`
  UPDATE syncs SET finished_at = now(), error = 'NOT_FOUND' WHERE store_id = :id AND finished_at IS NULL`);
const finishRotations = sql(`
  UPDATE rotations o SET state = 'FINISHED', finished_at = now() FROM credentials c
  WHERE c.id = o.credential_id AND c.store_id = :id AND o.state IN ('PLANNED', 'SWITCHED')`);
const markCredentials = sql(`
  UPDATE credentials SET deleted_at = now(), rotating_until = NULL, revision = revision + 1, updated_at = now()
  WHERE store_id = :id AND deleted_at IS NULL`);
const markDeleted = sql(`
  UPDATE stores SET deleted_at = now(), updated_at = now(), sealed = NULL, kek_id = NULL WHERE id = :id`);
const withdrawGrants = sql(withdrawing('r.store_id = :id'));
const withdrawScopes = sql(withdrawingScopes('g.store_id = :id'));
const dropRoles = sql(
  'DELETE FROM credential_roles cr USING roles r WHERE r.id = cr.role_id AND r.store_id = :id',
);
const deleteRoles = sql('DELETE FROM roles WHERE store_id = :id');
