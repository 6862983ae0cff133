import { checkAudit } from '../audit/check.js';
import { gapOf } from '../audit/checkpoints/gap.js';
import { sealOf } from '../audit/checkpoints/line.js';
import { allLines } from '../audit/checkpoints/place.js';
import { acceptRestore } from '../start/accept-restore.js';
import type { Keyway } from '../start/keyway.js';

/**
 * Accepts the state of a database that is behind its checkpoints.
 * @param say tells what is found, line by line
 * @returns what to tell at the end
 * @throws an Error to show, where there is nothing to accept, and where what ended is not known in full, unless
 * `incomplete` says that this is accepted as well: then nothing was changed.
 */
export async function acceptState(
  { db, keyring, checkpoints }: Keyway,
  incomplete: boolean,
  say: (text: string) => void,
): Promise<string> {
  if (checkpoints.breaks.length === 0) throw new Error('There is nothing to accept: Keyway is not held.');
  const { breaks } = await checkAudit(db, keyring, allLines(checkpoints.place, sealOf(keyring)));
  for (const { account, number, reason } of breaks) say(`account ${account}, row ${number}: ${reason}`);
  const gap = await gapOf(db, keyring, allLines(checkpoints.place, sealOf(keyring)));
  for (const { account, first, last } of gap.untold)
    say(`account ${account}: the checkpoints do not tell what ended by the events ${first} to ${last}`);
  if (gap.unsigned > 0)
    say(`${gap.unsigned} checkpoint lines are not signed by these keys, and tell nothing`);
  if (gap.untold.length > 0 && !incomplete) throw new Error(refusal);
  const { ended, unknown, kept } = await acceptRestore(db, keyring, checkpoints, breaks, gap);
  const again = [...ended].map(([type, count]) => `${count} ${namesOf[type] ?? type}`);
  return [
    again.length > 0
      ? `Ended again, as they had been: ${again.join(', ')}.`
      : 'Nothing had ended that is in this database.',
    ...(unknown > 0
      ? [`${unknown} of what had ended is not in this database: it was made after this state.`]
      : []),
    `This is on record from now on. Keep the checkpoints of before${kept.length > 0 ? `: ${kept.join(', ')}` : ''}.`,
  ].join('\n');
}

const refusal =
  'Nothing was changed: what the checkpoints do not tell may have been revoked, and would work again. ' +
  'Put a file of checkpoints that has it, such as that of another replica, beside those that are there, and try again. ' +
  'If there is none, --incomplete goes on without it.';

const namesOf: Record<string, string> = {
  Account: 'accounts',
  Credential: 'credentials',
  Grant: 'grants of roles',
  Role: 'roles',
  CredentialStore: 'stores, or scopes of them',
};
