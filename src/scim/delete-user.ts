import type { RequestContext } from '../access/context.js';
import { decidedByNow } from '../access/standing.js';
import { updateAccount } from '../accounts/update.js';
import { deleteAccount } from '../credentials/hand-over/delete-account.js';
import { KeywayError } from '../errors.js';
import { encodeId } from '../ids.js';
import type { Directory } from './directory.js';
import { userById } from './find-users.js';
import { expectVersion } from './write-user.js';

/**
 * Takes a person away, as `deleteAccount` does: all that proves them ends, and what they have goes to the heir of the
 * directory or ends too. Where that cannot be, such as for a credential in an outside store, the account is disabled at
 * least: whoever has left can do nothing, and what is left to decide is an administrator's.
 * @throws NOT_FOUND; CONFLICT or FORBIDDEN where the account is disabled and there still; ScimRefusal 412
 */
export async function deleteUser(
  ctx: RequestContext,
  directory: Directory,
  id: string,
  expected: string | undefined,
): Promise<void> {
  const found = await userById(ctx, directory, id);
  expectVersion(found, expected);
  const account = encodeId('Account', found.id);
  const fate = directory.heir ? { transferTo: directory.heir } : { revokeCredentials: true };
  try {
    await decidedByNow(ctx, (now) => deleteAccount(now, { id: account, ...fate }));
  } catch (error) {
    if (!(error instanceof KeywayError) || !['CONFLICT', 'FORBIDDEN'].includes(error.code)) throw error;
    if (found.active) await decidedByNow(ctx, (now) => updateAccount(now, { id: account, enabled: false }));
    throw new KeywayError(error.code, `${error.message} ${disabled}`);
  }
}

const disabled = 'The account was not deleted. It is disabled, and an administrator may delete it.';
