import { authorizeOwn, authorizeOwnedToAct, ownWhere } from '../access/acting.js';
import { authorize } from '../access/authorize.js';
import { Permission } from '../access/principal.js';
import type { Held } from '../access/rights.js';
import { endingOfTerms } from '../audit/ending.js';
import { record } from '../audit/record.js';
import type { RequestContext } from '../access/context.js';
import { sql, type Tx } from '../database/database.js';
import { conflict } from '../errors.js';
import { once } from '../idempotency/once.js';
import { Account } from './account.js';
import type { UpdateAccountInput } from './account.input.js';
import { authorizeCallingAs } from './calling-as.js';
import { changedAccount, findAccount, lockAccount } from './find.js';
import { keepIdentities, tagsOfIdentities } from './keep-identities.js';
import { attemptWhere, factorNeeded } from './second-factor.js';

/**
 * Changes an account. A disabled one cannot call Keyway from the answer on.
 * @throws NOT_FOUND; FORBIDDEN, also to enable one that may do more than the caller, and where what it owns would act as the
 * caller again, for longer than the caller may let it, and without the second factor that the caller's account requires where the account would no longer require one, or
 * gets identities; CONFLICT where the caller would lock itself or the administrator out; what `keepIdentities` throws.
 */
export async function updateAccount(
  ctx: RequestContext,
  input: UpdateAccountInput,
  besides?: Besides,
): Promise<Account> {
  const found = await findAccount(ctx, input.id, 'input.id', Permission.ACCOUNT_MANAGE);
  authorize(ctx.principal, Permission.ACCOUNT_MANAGE, {
    accountId: found.id,
    about: { type: 'Account', id: found.id },
  });
  // A repeated request has the code of its own moment.
  const { mfaCode, ...asked } = input;
  const isOwn = found.id === ctx.principal.accountId;
  const lowers = ({ mfaRequired }: Account) => input.mfaRequired === false && mfaRequired;
  const isNeeded = lowers(found) || (input.identities ?? []).length > 0;
  const factor = await attemptWhere(ctx, isNeeded, mfaCode);
  const change = async (tx: Tx) => {
    const account = await lockAccount(ctx, tx, found.id, Permission.ACCOUNT_MANAGE);
    const wanted: Partial<Account> = {
      ...(input.title !== undefined && { title: input.title }),
      ...(input.email !== undefined && { email: input.email }),
      ...(input.enabled !== undefined && { enabled: input.enabled }),
      ...(input.mfaRequired !== undefined && { mfaRequired: input.mfaRequired }),
    };
    const names: string[] = (Object.keys(wanted) as (keyof Account)[]).filter(
      (name) => wanted[name] !== account[name],
    );
    if (names.includes('enabled') && (account.builtIn || account.id === ctx.principal.accountId)) {
      throw conflict(
        'The built-in administrator cannot be disabled, and nobody can disable their own account.',
      );
    }
    if (lowers(account) && !factor.isProved && (isOwn || ctx.principal.mfaRequired)) throw factorNeeded();
    await factor.prove(tx);
    if (names.includes('enabled') && wanted.enabled) {
      await authorizeCallingAs(ctx.principal, tx, account.id, await besides?.held?.(tx, account.id));
      await authorizeOwn(ctx.principal, ownByOwner, { owner: account.id }, tx);
      await authorizeOwnedToAct(ctx.principal, account.id, tx);
    }
    const lost =
      input.identities === undefined
        ? undefined
        : await keepIdentities(ctx, tx, account.id, input.identities ?? []);
    if (lost) names.push('identities');
    if (besides) names.push(...(await besides.change(tx)));
    if (names.length > 0) {
      await tx.em.getRepository(Account).update({ id: account.id }, { ...wanted, updatedAt: () => 'now()' });
    }
    await record(ctx, tx, {
      action: 'account:update',
      target: { type: 'Account', id: account.id },
      accountId: account.id,
      changed: names,
      ends: endingOfTerms({
        ...(names.includes('enabled') && { enabled: input.enabled === true }),
        ...(names.includes('mfaRequired') && { mfaRequired: input.mfaRequired === true }),
        // Who is shut out is to be known also where the account is not in the database any more.
        ...((lost || names.includes('enabled')) && {
          identities: await tagsOfIdentities(ctx.keyring, tx, account.id),
        }),
        ...(lost && lost.length > 0 && { lostIdentities: lost }),
      }),
    });
    return { id: account.id };
  };
  const { result } = await factor.during(() => once(ctx, 'account:update', asked, change));
  return changedAccount(ctx, result.id);
}

/** What a directory does besides, in the transaction, once the account is locked. */
interface Besides {
  /** Changes what it keeps of the account itself. @returns the names of that, for the audit */
  readonly change: (tx: Tx) => Promise<string[]>;
  /** The grants that it takes to enable the account: those that the directory brings it are not for its client to hold. */
  readonly held?: (tx: Tx, accountId: string) => Promise<Held[]>;
}

const ownByOwner = sql(ownWhere('c.owner_id = :owner'));
