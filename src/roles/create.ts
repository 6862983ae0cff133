import { authorize, may } from '../access/authorize.js';
import { Permission, type Principal } from '../access/principal.js';
import { findAccount, holdAccounts } from '../accounts/find.js';
import { record } from '../audit/record.js';
import type { RequestContext } from '../access/context.js';
import { violates } from '../database/database.js';
import { badInput, conflict, forbidden, unsupported } from '../errors.js';
import { once } from '../idempotency/once.js';
import { newId } from '../ids.js';
import { findStore, holdStore } from '../stores/find.js';
import { changedRole } from './find.js';
import { expectUnused } from './names.js';
import { Role } from './role.js';
import type { CreateRoleInput } from './role.input.js';

/**
 * Makes a role: of an account, of an outside store, or, with neither, one for all accounts.
 * @throws NOT_FOUND for an account or store that the caller may not see; FORBIDDEN without ROLE_MANAGE there, and for a
 * permission that the caller does not hold wherever the role can be used; CONFLICT for a name in use; UNSUPPORTED for
 * Keyway's own store; BAD_USER_INPUT for a role of a store with permissions.
 */
export async function createRole(ctx: RequestContext, input: CreateRoleInput): Promise<Role> {
  if (input.account && input.store) throw badInput('input.store', 'must not be given along with account');
  const account = input.account
    ? await findAccount(ctx, input.account, 'input.account', Permission.ROLE_MANAGE)
    : null;
  const store = input.store ? await findStore(ctx, input.store) : null;
  if (store?.accountId === null) throw unsupported('The built-in store has no roles of its own.');
  const permissions = [...new Set(input.permissions)];
  if (store && permissions.length > 0)
    throw badInput('input.permissions', 'must be empty: the role of a store allows nothing in Keyway');
  const home = { accountId: account?.id ?? null, storeId: store?.id ?? null };
  const above = store?.accountId ?? home.accountId;
  authorize(ctx.principal, Permission.ROLE_MANAGE, { accountId: above });
  expectHeld(ctx.principal, permissions, home.accountId);
  const { result } = await once(ctx, 'role:create', input, async (tx) => {
    if (above !== null) await holdAccounts(tx, [above]);
    if (store) await holdStore(tx, store.id);
    else await expectUnused(tx, input.name, home.accountId);
    const id = newId();
    try {
      await tx.em.getRepository(Role).insert({
        id,
        ...home,
        name: input.name,
        description: input.description ?? null,
        permissions,
        builtIn: false,
      });
    } catch (error) {
      if (namesInUse.some((index) => violates(error, index)))
        throw conflict('The name of the role is in use there.');
      throw error;
    }
    await record(ctx, tx, {
      action: 'role:create',
      target: { type: 'Role', id },
      accountId: above ?? ctx.principal.accountId,
    });
    return { id };
  });
  return changedRole(ctx, result.id);
}

/**
 * A role may be held wherever it can be used, so what it gives must be held there.
 * @param accountId the account whose role it is; null for one that is for all accounts
 * @throws FORBIDDEN
 */
export function expectHeld(
  principal: Principal,
  permissions: readonly Permission[],
  accountId: string | null,
): void {
  if (permissions.every((permission) => may(principal, permission, { accountId }))) return;
  throw forbidden(
    accountId === null
      ? 'A role of yours can have only permissions that you have everywhere yourself.'
      : 'A role of an account can have only permissions that you have there yourself.',
  );
}

// Stores have names of their own; of the others, two of the same place can only come at once.
const namesInUse = ['roles_name', 'roles_name_in_account', 'roles_name_in_store'];
