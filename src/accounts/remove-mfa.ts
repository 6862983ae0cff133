import type { RequestContext } from '../access/context.js';
import { whileAllowed } from '../access/standing.js';
import { record } from '../audit/record.js';
import { sql, type Tx } from '../database/database.js';
import type { Account } from './account.js';
import { changedAccount } from './find.js';
import type { RemoveMfaInput } from './mfa.input.js';
import { attempt } from './second-factor.js';

/**
 * Takes the second factor off the caller's account, proven by itself: with a code of the device or a recovery code.
 * @throws FORBIDDEN for a code that is not accepted, and where there is no factor; RATE_LIMITED while it is locked.
 */
export async function removeMfa(ctx: RequestContext, input: RemoveMfaInput): Promise<Account> {
  const { accountId } = ctx.principal;
  const tried = await attempt(ctx, input.code, 'code');
  await tried.during(() =>
    whileAllowed(ctx, async (tx) => {
      await tried.prove(tx);
      await endFactor(tx, accountId);
      await record(ctx, tx, {
        action: 'account:remove-mfa',
        target: { type: 'Account', id: accountId },
        accountId,
        changed: ['mfaEnrolled'],
        ends: { factor: null },
      });
    }),
  );
  return changedAccount(ctx, accountId);
}

/** Deletes an account's device with its secret and recovery codes. Answers whether there was a confirmed one. */
export async function endFactor(tx: Tx, accountId: string): Promise<boolean> {
  await tx.rows(deleteDevice, { accountId });
  return (await tx.rows(markRemoved, { accountId })).length > 0;
}

const deleteDevice = sql('DELETE FROM mfa_devices WHERE account_id = :accountId');

const markRemoved = sql(`
  UPDATE accounts SET mfa_enrolled = false, updated_at = now() WHERE id = :accountId AND mfa_enrolled
  RETURNING id`);
