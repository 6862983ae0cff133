import { authorizeOwn, ownWhere } from '../access/acting.js';
import { authorize } from '../access/authorize.js';
import { Permission } from '../access/principal.js';
import { recordAll } from '../audit/record.js';
import type { RequestContext } from '../context.js';
import { sql } from '../database/database.js';
import { conflict } from '../errors.js';
import { once } from '../idempotency/once.js';
import { expectHeld } from './create.js';
import { changedRole, findRole, lockRole } from './find.js';
import { deedsOfHeld } from './places.js';
import { Role, sameSet } from './role.js';
import type { UpdateRoleInput } from './role.input.js';

/**
 * Changes a role, for all who hold it, from the answer on. What it allows is on record wherever it is held.
 * @throws NOT_FOUND; FORBIDDEN without ROLE_MANAGE everywhere, for a permission that the caller does not hold everywhere,
 * and for one that a key of the caller's own would have that outlives what the caller calls with; CONFLICT for a built-in
 * role.
 */
export async function updateRole(ctx: RequestContext, input: UpdateRoleInput): Promise<Role> {
  const { id } = await findRole(ctx, input.id, 'input.id');
  authorize(ctx.principal, Permission.ROLE_MANAGE, { about: { type: 'Role', id } });
  const permissions = input.permissions && [...new Set(input.permissions)];
  const { result } = await once(ctx, 'role:update', input, async (tx) => {
    const role = await lockRole(ctx, tx, id);
    if (role.builtIn) throw conflict('A built-in role cannot be changed.');
    const added = (permissions ?? []).filter((permission) => !role.permissions.includes(permission));
    expectHeld(ctx.principal, added);
    const changed = [
      ...(input.description !== undefined && input.description !== role.description ? ['description'] : []),
      ...(permissions && !sameSet(permissions, role.permissions) ? ['permissions'] : []),
    ];
    if (changed.length > 0) {
      await tx.em.getRepository(Role).update(
        { id },
        {
          ...(input.description !== undefined && { description: input.description }),
          ...(permissions && { permissions }),
          updatedAt: () => 'now()',
        },
      );
    }
    if (added.length > 0) await authorizeOwn(ctx.principal, ownWithRole, { id }, tx);
    await recordAll(ctx, tx, await deedsOfHeld(tx, id, changed, ctx.principal.accountId));
    return { id };
  });
  return changedRole(ctx, result.id);
}

const ownWithRole = sql(
  ownWhere('EXISTS (SELECT FROM credential_roles cr WHERE cr.credential_id = c.id AND cr.role_id = :id)'),
);
