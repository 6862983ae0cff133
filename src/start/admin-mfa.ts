import type { Account } from '../accounts/account.js';
import { endFactor } from '../accounts/remove-mfa.js';
import { link } from '../audit/chain.js';
import { AuditOutcome } from '../audit/audit-event.js';
import type { Tx } from '../database/database.js';
import type { Keyring } from '../keyring/keyring.js';

/**
 * Takes the second factor off an account without asking for a code: on the machine itself, for a person who lost both
 * device and recovery codes. It is on record, as done by nobody.
 * @throws where the account has none.
 */
export async function takeFactorOff(tx: Tx, keyring: Keyring, account: Pick<Account, 'id'>): Promise<void> {
  if (!(await endFactor(tx, account.id))) throw new Error('The account has no second factor.');
  await link(tx, keyring, {
    accountId: account.id,
    projectId: null,
    actorId: null,
    actorCredentialId: null,
    action: 'account:remove-mfa',
    outcome: AuditOutcome.DONE,
    code: null,
    targetType: 'Account',
    targetId: account.id,
    changed: ['mfaEnrolled'],
    times: 1,
    ip: null,
    requestId: 'keyway',
  });
}
