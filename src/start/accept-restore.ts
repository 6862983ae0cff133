import { adminAccountId } from '../accounts/account.js';
import { endAccountsAgain } from '../accounts/end-again.js';
import type { Break } from '../audit/checkpoints/breaks.js';
import type { Checkpoints } from '../audit/checkpoints/checkpoints.js';
import { nobody } from '../audit/decision.js';
import { endingIn, type Ending } from '../audit/ending.js';
import type { EndedSince, Gap } from '../audit/checkpoints/gap.js';
import { recordAllAs } from '../audit/record.js';
import { endCredentialsAgain } from '../credentials/record/end-again.js';
import { sql, type Database, type Tx } from '../database/database.js';
import type { Keyring } from '../keyring/keyring.js';
import { disconnectAgain, narrowRolesAgain, withdrawAgain } from '../roles/end-again.js';
import { withdrawScopesAgain } from '../stores/scopes/places.js';

/** What became of a state of the database that was accepted. */
export interface AcceptedRestore {
  /** How many things were ended again, by what they are. */
  ended: ReadonlyMap<string, number>;
  /** How many things of those that had ended are not in the database: they were made after its state. */
  unknown: number;
  /** Where the checkpoints of before are now. */
  kept: readonly string[];
}

/**
 * Goes on with a database that was put back to an earlier state, or is not what its checkpoints say, where an operator has
 * looked and it is to be kept: what was revoked, deleted, disabled, withdrawn or rotated since is ended again, thing by thing
 * and each on record; and in each chain that is not what it was, and in that of the administrator, it is on record that this
 * was accepted. The checkpoints begin anew. Where it breaks off, it can be done again.
 */
export async function acceptRestore(
  db: Database,
  keyring: Keyring,
  checkpoints: Checkpoints,
  breaks: readonly Break[],
  { ended }: Gap,
): Promise<AcceptedRestore> {
  const last = lastOfEach(ended);
  const done = new Map<string, number>();
  const kept = await checkpoints.setAside(async () => {
    for (let first = 0; first < last.length; first += atOnce) {
      const some = last.slice(first, first + atOnce);
      const found = await db.transaction((tx) => endAgain(keyring, tx, some));
      for (const { type } of found) done.set(type, (done.get(type) ?? 0) + 1);
    }
    await db.transaction(async (tx) => {
      const accounts = await known(tx, [adminAccountId, ...breaks.map(({ account }) => account)]);
      await recordAllAs(
        keyring,
        tx,
        nobody(),
        accounts.map((accountId) => ({
          action: 'restore:accept',
          target: { type: 'Account', id: accountId },
          accountId,
        })),
      );
    });
  });
  await checkpoints.write();
  const all = [...done.values()].reduce((sum, count) => sum + count, 0);
  return { ended: done, unknown: last.length - all, kept };
}

const atOnce = 500;

/** What is ended again; of other things nothing is told. */
type EndedType = 'Account' | 'Credential' | 'CredentialStore' | 'Grant' | 'Role';

/** How a thing was at last. */
interface Last {
  type: EndedType;
  id: string;
  /** In whose chain that stood. */
  account: string;
  ending: Ending;
}

/** @param ended the oldest first */
function lastOfEach(ended: readonly EndedSince[]): Last[] {
  const last = new Map<string, Last>();
  for (const { type, id, account, ...kept } of ended) {
    const ending = endingIn(kept);
    const before = last.get(id)?.ending;
    const lostRoles = [...(before?.lostRoles ?? []), ...(ending.lostRoles ?? [])];
    const lostIdentities = [...(before?.lostIdentities ?? []), ...(ending.lostIdentities ?? [])];
    const lostScopes = [...(before?.lostScopes ?? []), ...(ending.lostScopes ?? [])];
    const usedCodes = [...(before?.usedCodes ?? []), ...(ending.usedCodes ?? [])];
    const secretsBefore = Math.max(before?.secretsBefore ?? 0, ending.secretsBefore ?? 0);
    const all: Ending = {
      ...before,
      ...ending,
      ...(lostRoles.length > 0 && { lostRoles }),
      ...(lostIdentities.length > 0 && { lostIdentities }),
      ...(lostScopes.length > 0 && { lostScopes }),
      ...(usedCodes.length > 0 && { usedCodes }),
      ...(secretsBefore > 0 && { secretsBefore }),
      ...(before?.gone === 'DELETED' && { gone: before.gone }),
    };
    last.set(id, { type: type as EndedType, id, account, ending: all });
  }
  // A store is let go of once all that is to be asked of it is known.
  const isStore = ({ type }: Last) => Number(type === 'CredentialStore');
  return [...last.values()].sort((one, other) => isStore(one) - isStore(other));
}

/** Ends these again, and puts that on record. @returns those that are in the database */
async function endAgain(keyring: Keyring, tx: Tx, some: readonly Last[]): Promise<Last[]> {
  const of = (wanted: EndedType) =>
    new Map(some.filter(({ type }) => type === wanted).map(({ id, ending }) => [id, ending]));
  const ids = new Set([
    ...(await endAccountsAgain(keyring, tx, of('Account'))),
    ...(await endCredentialsAgain(keyring, tx, of('Credential'))),
    ...(await withdrawAgain(tx, [...of('Grant').keys()])),
    ...(await narrowRolesAgain(tx, of('Role'))),
    ...(await withdrawScopesAgain(tx, of('CredentialStore'))),
  ]);
  await disconnectAgain(tx, of('CredentialStore'));
  const found = some.filter(({ id }) => ids.has(id));
  const accounts = await known(
    tx,
    found.map(({ account }) => account),
  );
  await recordAllAs(
    keyring,
    tx,
    nobody(),
    found.map(({ type, id, account, ending }) => ({
      action: 'restore:end',
      target: { type, id },
      accountId: accounts.includes(account) ? account : adminAccountId,
      ends: ending,
    })),
  );
  return found;
}

const known = async (tx: Tx, ids: readonly string[]): Promise<string[]> =>
  (await tx.rows<{ id: string }>(accountsKnown, { ids })).map(({ id }) => id);

const accountsKnown = sql('SELECT id FROM accounts WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id');
