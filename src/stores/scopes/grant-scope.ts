import { authorize } from '../../access/authorize.js';
import type { RequestContext } from '../../access/context.js';
import { giverTo, Permission } from '../../access/principal.js';
import { findAccount, holdAccounts } from '../../accounts/find.js';
import { attemptWhere } from '../../accounts/second-factor.js';
import { recordAll } from '../../audit/record.js';
import { sql, type Tx } from '../../database/database.js';
import { conflict, notFound, unsupported } from '../../errors.js';
import { once } from '../../idempotency/once.js';
import { findStore, holdStore } from '../find.js';
import { deedsOfScope } from './places.js';
import type { ScopeGrant } from './scope-grant.js';
import type { GrantScopeInput } from './scope.input.js';

/**
 * Lets an account create credentials in one scope of a store. It is on record with the store and with the account.
 * @throws NOT_FOUND for what the caller may not see; FORBIDDEN without STORE_MANAGE, which for the caller's own
 * account is to be granted, and not brought by a token, and without the second factor that the caller's account requires;
 * UNSUPPORTED for Keyway's own store; CONFLICT where it may already.
 */
export async function grantScope(
  ctx: RequestContext,
  { mfaCode, ...input }: GrantScopeInput,
): Promise<ScopeGrant> {
  const { store, account } = await scopeOf(ctx, input);
  authorize(giverTo(ctx.principal, account), Permission.STORE_MANAGE, { accountId: store.at });
  const [storeId, accountId, scope] = [store.id, account, input.scope ?? ''];
  // A repeated request has the code of its own moment.
  const factor = await attemptWhere(ctx, true, mfaCode);
  const give = async (tx: Tx) => {
    await holdAccounts(tx, [account]);
    await holdStore(tx, store.id);
    await factor.prove(tx);
    if ((await tx.rows(insert, { storeId, accountId, scope })).length === 0)
      throw conflict('The account has that scope already.');
    await recordAll(ctx, tx, deedsOfScope('scope:grant', { storeId, at: store.at, accountId, scope }));
    return { id: storeId };
  };
  await factor.during(() => once(ctx, 'scope:grant', input, give));
  const [grant] = await ctx.db.rows<ScopeGrant>(granted, { storeId, accountId, scope });
  if (!grant) throw notFound();
  return grant;
}

/**
 * The store and the account that a scope is granted to or withdrawn from, by their UUIDs.
 * @throws as the verbs do
 */
export async function scopeOf(
  ctx: RequestContext,
  input: Pick<GrantScopeInput, 'store' | 'account'>,
): Promise<{ store: { id: string; at: string }; account: string }> {
  const { id, accountId: at } = await findStore(ctx, input.store);
  const about = { type: 'CredentialStore' as const, id };
  authorize(ctx.principal, Permission.STORE_MANAGE, { accountId: at, about });
  if (at === null) throw unsupported('The built-in store has no scopes.');
  const account = await findAccount(ctx, input.account, 'input.account', Permission.STORE_MANAGE);
  return { store: { id, at }, account: account.id };
}

const insert = sql(`
  INSERT INTO scope_grants (store_id, account_id, scope) VALUES (:storeId, :accountId, :scope)
  ON CONFLICT DO NOTHING RETURNING 1 AS one`);
const granted = sql(`
  SELECT store_id AS "storeId", account_id AS "accountId", scope, created_at AS "createdAt" FROM scope_grants
  WHERE store_id = :storeId AND account_id = :accountId AND scope = :scope`);
