import type { RequestContext } from '../access/context.js';
import { whileAllowed } from '../access/standing.js';
import { record } from '../audit/record.js';
import { sql } from '../database/database.js';
import { conflict } from '../errors.js';
import type { Secret } from '../secret.js';
import type { Account } from './account.js';
import { changedAccount } from './find.js';
import type { ConfirmMfaInput } from './mfa.input.js';
import { makeRecoveryCodes } from './recovery-codes.js';
import { attempt } from './second-factor.js';

/**
 * Takes the device that was enrolled for the caller's account into use, by its first code, which counts as used.
 * Returns the recovery codes: they are shown here, and nowhere else.
 * @throws CONFLICT where there is none to confirm; FORBIDDEN for a code that is not accepted; RATE_LIMITED while locked.
 */
export async function confirmMfa(
  ctx: RequestContext,
  input: ConfirmMfaInput,
): Promise<{ account: Account; recoveryCodes: Secret[] }> {
  const { accountId } = ctx.principal;
  const tried = await attempt(ctx, input.code, 'code', 'confirming');
  const { codes, kept, keyId } = makeRecoveryCodes(ctx.keyring, accountId);
  await tried.during(() =>
    whileAllowed(ctx, async (tx) => {
      await tried.prove(tx);
      const [confirmed] = await tx.rows<{ id: string }>(confirm, { accountId, recovery: kept, keyId });
      if (!confirmed) throw conflict('The second factor is confirmed already.');
      await tx.rows(markEnrolled, { accountId });
      await record(ctx, tx, {
        action: 'account:confirm-mfa',
        target: { type: 'Account', id: accountId },
        accountId,
        changed: ['mfaEnrolled'],
        ends: { factor: confirmed.id },
      });
    }),
  );
  return { account: await changedAccount(ctx, accountId), recoveryCodes: codes };
}

const confirm = sql(`
  UPDATE mfa_devices SET confirmed_at = now(), recovery = CAST(:recovery AS bytea[]), recovery_key_id = :keyId
  WHERE account_id = :accountId AND confirmed_at IS NULL
  RETURNING id`);

const markEnrolled = sql('UPDATE accounts SET mfa_enrolled = true, updated_at = now() WHERE id = :accountId');
