import { authorizeRepeated } from '../access/authorize.js';
import type { RequestContext } from '../access/context.js';
import { Permission } from '../access/principal.js';
import { recordAll } from '../audit/record.js';
import { mostListed } from '../config/limits.js';
import { sql, type Tx } from '../database/database.js';
import type { Answer } from '../idempotency/answer.js';
import { once } from '../idempotency/once.js';
import { encodeId } from '../ids.js';
import { decodeId } from '../inputs/decode-id.js';
import { abandonCredentials, expectLetGo } from '../stores/abandon.js';
import { lockManaged } from '../stores/find.js';
import { deedsOfScope, withdrawingScopes, type GivenScope } from '../stores/scopes/places.js';
import type { DeleteStoreInput } from '../stores/store.input.js';
import { deedsAt, withdrawing, type GivenGrant } from './places.js';

/** A store that was disconnected, by its public id, with the first `mostListed` of what was given up, by UUID. */
export interface DeletedStore extends Answer {
  deletedId: string;
  abandonedIds: string[];
  abandonedCount: number;
}

/**
 * Disconnects a store, and forgets what Keyway proved itself with there. Its credentials are deleted here, with a history
 * that stays, and its roles go with it; in the system itself nothing changes. What is still to be done there is given up
 * where the caller says so, and told of.
 * @throws NOT_FOUND, FORBIDDEN without STORE_MANAGE, and to give up what the caller may not revoke; UNSUPPORTED for
 * Keyway's own; CONFLICT while a change is under way there, and while Keyway has secrets of its credentials that nobody
 * else has, where they are not to be given up.
 */
export async function deleteStore(ctx: RequestContext, input: DeleteStoreInput): Promise<DeletedStore> {
  const id = decodeId('CredentialStore', input.id, 'input.id');
  // Found within, so that a replay answers although the store is gone.
  const { result, replayed } = await once<DeletedStore>(ctx, 'store:delete', input, async (tx) => {
    const { accountId } = await lockManaged(ctx, tx, id);
    const abandoned = input.abandonCredentials === true ? await abandonCredentials(ctx, tx, id) : [];
    await expectLetGo(tx, id);
    const { withdrawn, scopes } = await letGo(tx, id);
    await recordAll(ctx, tx, [
      ...abandoned,
      ...withdrawn.flatMap((grant) => deedsAt('role:withdraw', grant)),
      ...scopes.flatMap((scope) => deedsOfScope('scope:withdraw', scope)),
      {
        action: 'store:delete',
        target: { type: 'CredentialStore', id },
        accountId: accountId ?? ctx.principal.accountId,
        ends: { gone: 'DELETED' },
      },
    ]);
    return {
      deletedId: encodeId('CredentialStore', id),
      abandonedIds: abandoned.slice(0, mostListed).map(({ target }) => target.id),
      abandonedCount: abandoned.length,
    };
  });
  if (replayed) authorizeRepeated(ctx.principal, Permission.STORE_MANAGE);
  ctx.gates.forget(id);
  // One that was answered by a version before this one abandoned nothing.
  return { ...result, abandonedIds: result.abandonedIds ?? [], abandonedCount: result.abandonedCount ?? 0 };
}

/** Disconnects a store in which nothing is to be done any more. @returns what is withdrawn with it */
export async function letGo(tx: Tx, id: string): Promise<{ withdrawn: GivenGrant[]; scopes: GivenScope[] }> {
  for (const statement of [finishSyncs, finishRotations, markCredentials, markDeleted])
    await tx.rows(statement, { id });
  const withdrawn = await tx.rows<GivenGrant>(withdrawGrants, { id });
  const scopes = await tx.rows<GivenScope>(withdrawScopes, { id });
  for (const statement of [dropRoles, deleteRoles]) await tx.rows(statement, { id });
  return { withdrawn, scopes };
}

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
