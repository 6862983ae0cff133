import { adminAccountId } from '../accounts/account.js';
import { nobody } from '../audit/decision.js';
import { recordAllAs } from '../audit/record.js';
import type { Break, Checkpoints } from '../audit/checkpoints.js';
import { sql, type Database } from '../database/database.js';
import type { Keyring } from '../keyring/keyring.js';

/**
 * Goes on with the audit log as it is, where an operator has looked and this state of the database is to be kept: the file
 * of checkpoints is set aside, and that is on record in each chain that is not what it was, and in that of the
 * administrator. Of accounts that the database does not know any more nothing can be recorded.
 * @returns where the file is now
 */
export async function acceptAudit(
  db: Database,
  keyring: Keyring,
  checkpoints: Checkpoints,
  breaks: readonly Break[],
): Promise<string> {
  return checkpoints.setAside(() =>
    db.transaction(async (tx) => {
      const ids = [adminAccountId, ...breaks.map(({ account }) => account)];
      const accounts = (await tx.rows<{ id: string }>(known, { ids })).map(({ id }) => id);
      await recordAllAs(
        keyring,
        tx,
        nobody(),
        accounts.map((accountId) => ({
          action: 'audit:accept',
          target: { type: 'Account', id: accountId },
          accountId,
        })),
      );
    }),
  );
}

const known = sql('SELECT id FROM accounts WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id');
