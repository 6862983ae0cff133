import { authorize } from '../access/authorize.js';
import { Permission } from '../access/principal.js';
import { record } from '../audit/record.js';
import type { RequestContext } from '../access/context.js';
import { violates, type Tx } from '../database/database.js';
import { conflict } from '../errors.js';
import { once } from '../idempotency/once.js';
import { newId } from '../ids.js';
import { Account } from './account.js';
import type { CreateAccountInput } from './account.input.js';
import { changedAccount, findAccount, holdAccounts } from './find.js';
import { keepIdentities } from './keep-identities.js';
import { attemptWhere } from './second-factor.js';

/**
 * Makes an account, on its own or as part of another.
 * @throws NOT_FOUND for a parent that the caller may not see; FORBIDDEN without ACCOUNT_MANAGE there, and for identities
 * without the second factor that the caller's account requires; CONFLICT for a name in use; what `keepIdentities` throws.
 * @param besides what else is written of it, in its transaction
 */
export async function createAccount(
  ctx: RequestContext,
  input: CreateAccountInput,
  besides?: (tx: Tx, id: string) => Promise<void>,
): Promise<Account> {
  const parent = input.parent
    ? await findAccount(ctx, input.parent, 'input.parent', Permission.ACCOUNT_MANAGE)
    : null;
  authorize(ctx.principal, Permission.ACCOUNT_MANAGE, { accountId: parent?.id });
  // A repeated request has the code of its own moment.
  const { mfaCode, ...asked } = input;
  const factor = await attemptWhere(ctx, (input.identities ?? []).length > 0, mfaCode);
  const create = async (tx: Tx) => {
    const id = newId();
    if (parent) await holdAccounts(tx, [parent.id]);
    try {
      await tx.em.getRepository(Account).insert({
        id,
        kind: input.kind,
        name: input.name,
        title: input.title,
        email: input.email ?? null,
        enabled: true,
        mfaRequired: input.mfaRequired ?? false,
        parentId: parent?.id ?? null,
      });
    } catch (error) {
      if (violates(error, 'accounts_name')) throw conflict('The name of the account is in use.');
      throw error;
    }
    await factor.prove(tx);
    await keepIdentities(ctx, tx, id, input.identities ?? []);
    await besides?.(tx, id);
    await record(ctx, tx, { action: 'account:create', target: { type: 'Account', id }, accountId: id });
    return { id };
  };
  const { result } = await factor.during(() => once(ctx, 'account:create', asked, create));
  return changedAccount(ctx, result.id);
}
