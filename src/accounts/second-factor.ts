import type { RequestContext } from '../access/context.js';
import { record, type Deed } from '../audit/record.js';
import { sql, type Tx } from '../database/database.js';
import { conflict, forbidden, type KeywayError, rateLimited } from '../errors.js';
import type { RecordPlace } from '../keyring/envelope.js';
import { totpStep } from '../keyring/totp.js';
import { lockedMs, mostTries } from '../config/limits.js';
import type { MfaDevice } from './mfa-device.js';
import { tagOfRecoveryCode } from './recovery-codes.js';

/** One try at proving a second factor, counted before the code is looked at. */
export interface Attempt {
  /** Whether a code is proved: one was needed, or given. */
  readonly isProved: boolean;
  /**
   * Accepts the code, once, in the transaction of the deed that it is for: undone with it.
   * @throws FORBIDDEN, in one word for wrong, used and unreadable codes, where it is not accepted.
   */
  prove(tx: Tx): Promise<void>;
  /**
   * Does what it is for. The try counts where the code was refused: it is taken back where something else stood in the
   * way, or the code was not needed.
   */
  during<Result>(deed: () => Promise<Result>): Promise<Result>;
}

/**
 * A try at the second factor of the caller's account: a code of its device or, once that is confirmed, a recovery code.
 * Blanks and hyphens in it are nothing. `mostTries` without one that is accepted lock the factor for `lockedMs`.
 * @param field the member of the input that the code came by.
 * @param stage `confirming` for a device that has not given its first code yet.
 * @throws RATE_LIMITED while the factor is locked: no code is looked at then; FORBIDDEN where the account has no
 * confirmed factor, CONFLICT where it has none to confirm.
 */
export async function attempt(
  ctx: RequestContext,
  code: string,
  field: 'code' | 'mfaCode',
  stage?: 'confirming',
): Promise<Attempt> {
  const { db, keyring } = ctx;
  const { accountId } = ctx.principal;
  const which = { accountId, confirmed: stage === undefined };
  // Committed by itself: however many try at once, and whatever the result of what they are for, no more codes are
  // checked.
  const [device] = await db.rows<Tried>(countTry, which);
  if (!device) throw (await db.rows(exists, which)).length > 0 ? locked() : missing(stage);
  const own = { accountId, id: device.id };
  const given = code.replace(/[\s-]/g, '');

  const accept = async (tx: Tx): Promise<boolean> => {
    const secret = await keyring.open(Buffer.from(device.sealed), totpPlace(accountId, device.id));
    const step = totpStep(secret, given, ctx.at);
    secret.wipe();
    if (step !== undefined) return (await tx.rows(useStep, { ...own, step })).length > 0;
    const found = tagOfRecoveryCode(keyring, accountId, device.recovery, given);
    const tag = found && Buffer.from(found);
    if (!tag || (await tx.rows(useRecoveryCode, { ...own, tag })).length === 0) return false;
    tx.afterCommit(() => recordUse(ctx, tag));
    return true;
  };

  let proved = false;
  let refused = false;
  return {
    isProved: true,
    prove: async (tx) => {
      proved = await accept(tx);
      refused = !proved;
      if (refused) throw notAccepted(field);
    },
    during: async (deed) => {
      try {
        const result = await deed();
        if (!proved) await db.rows(uncountTry, own);
        return result;
      } catch (error) {
        // Where the database is away this fails as well: what has become of the deed is told by its own error.
        if (!refused) await db.rows(uncountTry, own).catch(() => undefined);
        throw error;
      }
    },
  };
}

/**
 * The same for verbs that ask for a factor where the account requires one: undefined where none is required and none
 * was given. A code that is given is always checked.
 * @throws as `attempt` does; FORBIDDEN where a factor is required and no code was given.
 */
export async function attemptIfNeeded(
  ctx: RequestContext,
  mfaCode: string | null | undefined,
): Promise<Attempt | undefined> {
  if (typeof mfaCode === 'string') return attempt(ctx, mfaCode, 'mfaCode');
  if (!ctx.principal.mfaRequired) return undefined;
  throw factorNeeded();
}

/**
 * The same for a verb of which only some requests need a factor: those that let others do what needs one of the caller.
 * @throws as `attemptIfNeeded` does
 */
export async function attemptWhere(
  ctx: RequestContext,
  isNeeded: boolean,
  mfaCode: string | null | undefined,
): Promise<Attempt> {
  const given = isNeeded || typeof mfaCode === 'string' ? await attemptIfNeeded(ctx, mfaCode) : undefined;
  return given ?? { isProved: false, prove: () => Promise.resolve(), during: (deed) => deed() };
}

/**
 * Puts on record that a recovery code is used up, before the deed that it was for is answered. By itself: the chain of the
 * account, which every deed of it waits for, would be held through all of the deed.
 */
async function recordUse(ctx: RequestContext, tag: Buffer): Promise<void> {
  const { accountId } = ctx.principal;
  const used: Deed = {
    action: 'account:use-recovery-code',
    target: { type: 'Account', id: accountId },
    accountId,
    ends: { usedCodes: [tag.toString('hex')] },
  };
  try {
    await ctx.db.transaction((tx) => record(ctx, tx, used));
  } catch (error) {
    // The deed is done, and its caller is told so.
    ctx.log.error({ id: ctx.requestId, error }, 'the use of a recovery code could not be put on record');
  }
}

/** What is said where a factor is required and no code was given. */
export const factorNeeded = (): KeywayError =>
  forbidden('The account requires a second factor: give its code as mfaCode, or enrol one first.', {
    path: 'input.mfaCode',
    message: 'is required',
  });

const notAccepted = (field: string) =>
  forbidden('The second factor was not accepted.', { path: `input.${field}`, message: 'was not accepted' });

/** Where the secret of an account's device is sealed to. */
export const totpPlace = (accountId: string, deviceId: string): RecordPlace => ({
  accountId,
  projectId: null,
  credentialId: deviceId,
  version: 1,
  field: 'totp',
});

type Tried = Pick<MfaDevice, 'id' | 'sealed' | 'recovery'>;

const locked = () =>
  rateLimited(
    'secondFactor',
    `The second factor is locked after ${mostTries} failures, for up to ${lockedMs / 60_000} minutes.`,
  );
const missing = (stage?: 'confirming') =>
  stage === undefined
    ? forbidden('The account has no second factor.')
    : conflict('There is no second factor to confirm: enrol one first.');

const countTry = sql(`
  UPDATE mfa_devices SET
    failures = CASE WHEN locked_until IS NULL THEN failures + 1 ELSE 1 END,
    locked_until = CASE WHEN locked_until IS NULL AND failures + 1 >= ${mostTries}
      THEN now() + ${lockedMs} * interval '1 millisecond' END
  WHERE account_id = :accountId AND (confirmed_at IS NOT NULL) = CAST(:confirmed AS boolean)
    AND (locked_until IS NULL OR locked_until <= now())
  RETURNING id, sealed, recovery`);

const exists = sql(`
  SELECT id FROM mfa_devices
  WHERE account_id = :accountId AND (confirmed_at IS NOT NULL) = CAST(:confirmed AS boolean)`);

// A lock that the try had a part in goes with it.
const uncountTry = sql(`
  UPDATE mfa_devices SET failures = failures - 1, locked_until = NULL
  WHERE account_id = :accountId AND id = :id AND failures > 0`);

const useStep = sql(`
  UPDATE mfa_devices SET last_step = CAST(:step AS bigint), failures = 0, locked_until = NULL
  WHERE account_id = :accountId AND id = :id AND last_step < CAST(:step AS bigint)
  RETURNING id`);

const useRecoveryCode = sql(`
  UPDATE mfa_devices SET recovery = array_remove(recovery, CAST(:tag AS bytea)), failures = 0, locked_until = NULL
  WHERE account_id = :accountId AND id = :id AND CAST(:tag AS bytea) = ANY(recovery)
  RETURNING id`);
