import { authorizeKeysWith, authorizeOwn, ownWhere } from '../access/acting.js';
import { authorize } from '../access/authorize.js';
import { giverTo, Permission } from '../access/principal.js';
import { attemptWhere } from '../accounts/second-factor.js';
import { recordAll } from '../audit/record.js';
import type { RequestContext } from '../access/context.js';
import { sql, type Tx } from '../database/database.js';
import { badInput, conflict } from '../errors.js';
import { once } from '../idempotency/once.js';
import { expectHeld } from './create.js';
import { changedRole, findRole, lockRole } from './find.js';
import { authorizeManaging } from './manage.js';
import { deedsOfHeld } from './places.js';
import { Role, sameSet } from './role.js';
import type { UpdateRoleInput } from './role.input.js';

/**
 * Changes a role, for all who hold it, from the answer on. What it allows is on record wherever it is held.
 * @throws NOT_FOUND; FORBIDDEN without ROLE_MANAGE where it lives, for a permission that the caller does not hold there,
 * or, where the caller's own account has the role, only by what its token brings, for one that a key of the caller's own
 * would have that outlives what the caller calls with, or by which a key of another account could do more than the caller,
 * and to add one without the second factor that the caller's account requires; CONFLICT for a built-in role, and where
 * its permissions were changed meanwhile; BAD_USER_INPUT for permissions of a store's role.
 */
export async function updateRole(ctx: RequestContext, { mfaCode, ...input }: UpdateRoleInput): Promise<Role> {
  const { id, ...found } = await findRole(ctx, input.id, 'input.id');
  const permissions = input.permissions && [...new Set(input.permissions)];
  const addedTo = (role: Pick<Role, 'permissions'>) =>
    (permissions ?? []).filter((permission) => !role.permissions.includes(permission));
  // A repeated request has the code of its own moment.
  const factor = await attemptWhere(ctx, addedTo(found).length > 0, mfaCode);
  const change = async (tx: Tx) => {
    const role = await lockRole(ctx, tx, id);
    const home = await authorizeManaging(ctx, tx, id);
    if (role.builtIn) throw conflict('A built-in role cannot be changed.');
    const added = addedTo(role);
    if (added.some((permission) => !addedTo(found).includes(permission)))
      throw conflict('The permissions of the role were changed meanwhile.');
    if (role.storeId !== null && added.length > 0)
      throw badInput('input.permissions', 'must be empty: the role of a store allows nothing in Keyway');
    const isOwn = added.length > 0 && (await tx.rows(heldBy, { id, me: ctx.principal.accountId })).length > 0;
    const giver = isOwn ? giverTo(ctx.principal, ctx.principal.accountId) : ctx.principal;
    if (isOwn) authorize(giver, Permission.ROLE_MANAGE, { accountId: home, about: { type: 'Role', id } });
    expectHeld(giver, added, role.accountId);
    await factor.prove(tx);
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
    if (added.length > 0) {
      await authorizeOwn(ctx.principal, ownWithRole, { id }, tx);
      await authorizeKeysWith(ctx.principal, id, added, tx);
    }
    const by = home ?? ctx.principal.accountId;
    await recordAll(ctx, tx, await deedsOfHeld(tx, id, changed, by, permissions ?? role.permissions));
    return { id };
  };
  const { result } = await factor.during(() => once(ctx, 'role:update', input, change));
  return changedRole(ctx, result.id);
}

/** Whether the caller's account, or a credential of its, has the role for good. */
const heldBy = sql(`
  SELECT 1 AS one WHERE EXISTS (SELECT FROM grants g WHERE g.role_id = :id AND g.account_id = :me)
    OR EXISTS (SELECT FROM credential_roles cr JOIN credentials c ON c.id = cr.credential_id
      WHERE cr.role_id = :id AND :me IN (c.account_id, c.owner_id) AND c.deleted_at IS NULL)`);

const ownWithRole = sql(
  ownWhere('EXISTS (SELECT FROM credential_roles cr WHERE cr.credential_id = c.id AND cr.role_id = :id)'),
);
