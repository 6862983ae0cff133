import type { Account } from '../accounts/account.js';
import { endFactor } from '../accounts/remove-mfa.js';
import { nobody } from '../audit/decision.js';
import { recordAs } from '../audit/record.js';
import type { Tx } from '../database/database.js';
import type { Keyring } from '../keyring/keyring.js';

/**
 * Takes the second factor off an account without asking for a code: on the machine itself, for a person who lost both
 * device and recovery codes. It is on record, as done by nobody.
 * @throws where the account has none.
 */
export async function takeFactorOff(tx: Tx, keyring: Keyring, account: Pick<Account, 'id'>): Promise<void> {
  if (!(await endFactor(tx, account.id))) throw new Error('The account has no second factor.');
  await recordAs(keyring, tx, nobody(), {
    action: 'account:remove-mfa',
    target: { type: 'Account', id: account.id },
    accountId: account.id,
    changed: ['mfaEnrolled'],
    ends: { factor: null },
  });
}
