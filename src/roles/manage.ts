import { authorize, homesOf } from '../access/authorize.js';
import type { RequestContext } from '../access/context.js';
import { Permission } from '../access/principal.js';
import type { Tx } from '../database/database.js';

/**
 * Who manages a role manages roles where it lives: in its account, in that of its store, or everywhere. Returns the
 * account whose log tells of it; null for a role that is for all accounts.
 * @throws FORBIDDEN
 */
export async function authorizeManaging(ctx: RequestContext, tx: Tx, id: string): Promise<string | null> {
  const [home] = await homesOf(tx, [id]);
  const accountId = home?.storeAccountId ?? home?.accountId ?? null;
  authorize(ctx.principal, Permission.ROLE_MANAGE, { accountId, about: { type: 'Role', id } });
  return accountId;
}
