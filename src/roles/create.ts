import { authorize } from '../access/authorize.js';
import { Permission, type Principal } from '../access/principal.js';
import { record } from '../audit/record.js';
import type { RequestContext } from '../context.js';
import { violates } from '../database/database.js';
import { conflict, forbidden } from '../errors.js';
import { once } from '../idempotency/once.js';
import { newId } from '../ids.js';
import { changedRole } from './find.js';
import { Role } from './role.js';
import type { CreateRoleInput } from './role.input.js';

/**
 * Makes a role, which all tenants share.
 * @throws FORBIDDEN without ROLE_MANAGE everywhere, and for a permission that the caller does not hold everywhere;
 * CONFLICT for a name in use.
 */
export async function createRole(ctx: RequestContext, input: CreateRoleInput): Promise<Role> {
  authorize(ctx.principal, Permission.ROLE_MANAGE, {});
  const permissions = [...new Set(input.permissions)];
  expectHeld(ctx.principal, permissions);
  const { result } = await once(ctx, 'role:create', input, async (tx) => {
    const id = newId();
    try {
      await tx.em.getRepository(Role).insert({
        id,
        name: input.name,
        description: input.description ?? null,
        permissions,
        builtIn: false,
      });
    } catch (error) {
      if (violates(error, 'roles_name')) throw conflict('The name of the role is in use.');
      throw error;
    }
    await record(ctx, tx, {
      action: 'role:create',
      target: { type: 'Role', id },
      accountId: ctx.principal.accountId,
    });
    return { id };
  });
  return changedRole(ctx, result.id);
}

/** A role may be held anywhere, so what it gives must be held everywhere. @throws FORBIDDEN */
export function expectHeld(principal: Principal, permissions: readonly Permission[]): void {
  if (!permissions.every((permission) => principal.rights.get(permission)?.everywhere)) {
    throw forbidden('A role of yours can have only permissions that you have everywhere yourself.');
  }
}
