import type { RequestContext } from '../access/context.js';
import { whileAllowed } from '../access/standing.js';
import { record } from '../audit/record.js';
import { sql } from '../database/database.js';
import { conflict, forbidden, notFound } from '../errors.js';
import { newId } from '../ids.js';
import { mintTotpSecret, otpauthUri } from '../keyring/totp.js';
import type { Secret } from '../secret.js';
import { accountById } from './find.js';
import type { EnrolMfaInput } from './mfa.input.js';
import { totpPlace } from './second-factor.js';

/**
 * Makes a device for the caller's own account, in place of one that was never confirmed, and returns the URI that an
 * authenticator app takes it over by. It proves nothing until it is confirmed.
 * @throws CONFLICT where the account has a confirmed one; FORBIDDEN with a token that is narrowed: it would keep out
 * those that may do more.
 */
export async function enrolMfa(ctx: RequestContext, input: EnrolMfaInput): Promise<Secret> {
  const { accountId, limits } = ctx.principal;
  if (limits)
    throw forbidden(
      'A token with limited permissions, or a key, cannot enrol a second factor for its account.',
    );
  const account = await accountById(ctx).load(accountId);
  if (!account) throw notFound();
  const id = newId();
  const secret = mintTotpSecret();
  const label = input.label ?? null;
  const { sealed, kekId } = await ctx.keyring.seal(secret, totpPlace(accountId, id));
  await whileAllowed(ctx, async (tx) => {
    const [made] = await tx.rows(enrol, { accountId, id, label, sealed, kekId });
    if (!made) throw conflict('The account has a second factor: remove it first.');
    await record(ctx, tx, {
      action: 'account:enrol-mfa',
      target: { type: 'Account', id: accountId },
      accountId,
    });
  });
  const uri = otpauthUri(secret, label ?? account.name);
  secret.wipe();
  return uri;
}

const enrol = sql(`
  INSERT INTO mfa_devices AS d (account_id, id, label, sealed, kek_id)
  VALUES (:accountId, :id, :label, :sealed, :kekId)
  ON CONFLICT (account_id) DO UPDATE SET id = excluded.id, label = excluded.label, sealed = excluded.sealed,
    kek_id = excluded.kek_id, last_step = -1, failures = 0, locked_until = NULL, created_at = now()
    WHERE d.confirmed_at IS NULL
  RETURNING id`);
