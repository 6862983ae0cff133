import type { RequestContext } from '../../access/context.js';
import { recordAll } from '../../audit/record.js';
import { sql } from '../../database/database.js';
import { notFound } from '../../errors.js';
import { once } from '../../idempotency/once.js';
import { changedStore } from '../find.js';
import type { CredentialStore } from '../store.js';
import { scopeOf } from './grant-scope.js';
import { deedsOfScope, withdrawingScopes, type GivenScope } from './places.js';
import type { WithdrawScopeInput } from './scope.input.js';

/**
 * Takes a scope of a store from an account, from the answer on; credentials there stay as they are.
 * @throws NOT_FOUND for what the caller may not see, and for a scope that the account does not have; FORBIDDEN without
 * STORE_MANAGE.
 */
export async function withdrawScope(
  ctx: RequestContext,
  input: WithdrawScopeInput,
): Promise<CredentialStore> {
  const { store, account } = await scopeOf(ctx, input);
  await once(ctx, 'scope:withdraw', input, async (tx) => {
    const given = { store: store.id, account, scope: input.scope ?? '' };
    const [withdrawn] = await tx.rows<GivenScope>(withdraw, given);
    if (!withdrawn) throw notFound();
    await recordAll(ctx, tx, deedsOfScope('scope:withdraw', withdrawn));
    return { id: store.id };
  });
  return changedStore(ctx, store.id);
}

const withdraw = sql(
  withdrawingScopes('g.store_id = :store AND g.account_id = :account AND g.scope = :scope'),
);
