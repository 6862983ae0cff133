import { authorizeRepeated } from '../access/authorize.js';
import { Permission } from '../access/principal.js';
import { record } from '../audit/record.js';
import type { RequestContext } from '../access/context.js';
import { sql } from '../database/database.js';
import { conflict } from '../errors.js';
import { once } from '../idempotency/once.js';
import { encodeId } from '../ids.js';
import { decodeId } from '../inputs/decode-id.js';
import { lockRole } from './find.js';
import { authorizeManaging } from './manage.js';
import { Role } from './role.js';
import type { DeleteRoleInput } from './role.input.js';

/**
 * Deletes a role. Returns its public id.
 * @throws NOT_FOUND, FORBIDDEN; CONFLICT while an account holds it or a credential carries it, and for a built-in role.
 */
export async function deleteRole(ctx: RequestContext, input: DeleteRoleInput): Promise<string> {
  const id = decodeId('Role', input.id, 'input.id');
  // Found within, so that a replay answers although the role is gone.
  const { result, replayed } = await once(ctx, 'role:delete', input, async (tx) => {
    const role = await lockRole(ctx, tx, id);
    const home = await authorizeManaging(ctx, tx, id);
    if (role.builtIn) throw conflict('A built-in role cannot be deleted.');
    const [use] = await tx.rows<{ used: boolean }>(inUse, { id });
    if (use?.used) throw conflict('An account holds the role, or a credential carries it.');
    await tx.rows(dropUnused, { id });
    await tx.em.getRepository(Role).delete({ id });
    await record(ctx, tx, {
      action: 'role:delete',
      target: { type: 'Role', id },
      accountId: home ?? ctx.principal.accountId,
      ends: { gone: 'DELETED' },
    });
    return { deletedId: encodeId('Role', id) };
  });
  if (replayed) authorizeRepeated(ctx.principal, Permission.ROLE_MANAGE);
  return result.deletedId;
}

// What was derived from a credential carries none that this one does not. A store's role is no use to what has ended
// there, or is gone. A change that is under way in a store may be about to give it.
const inUse = sql(`
  SELECT EXISTS (SELECT 1 FROM grants WHERE role_id = :id)
    OR EXISTS (SELECT 1 FROM credential_roles cr JOIN credentials c ON c.id = cr.credential_id
      JOIN roles r ON r.id = cr.role_id
      WHERE cr.role_id = :id AND c.deleted_at IS NULL AND c.parent_id IS NULL
        AND (r.store_id IS NULL OR c.gone_at IS NULL AND c.revoked_at IS NULL))
    OR EXISTS (SELECT 1 FROM intents i JOIN roles r ON r.store_id = i.store_id
      WHERE r.id = :id AND i.state = 'OPEN' AND i.details -> 'roles' ? CAST(:id AS text)) AS used`);
const dropUnused = sql('DELETE FROM credential_roles WHERE role_id = :id');
