import { may, owners } from '../../access/authorize.js';
import { Permission, type Principal } from '../../access/principal.js';
import { inEach, type Deed } from '../../audit/record.js';
import { sql, type Tx } from '../../database/database.js';
import type { Credential } from '../record/credential.js';

/** A credential of another account that the one that is deleted owns. */
export type OwnedElsewhere = Pick<Credential, 'id' | 'accountId' | 'projectId' | 'parentId'>;

/** Those credentials of other accounts that an account owns, locked to the end of the transaction. */
export const ownedElsewhere = (tx: Tx, ownerId: string): Promise<OwnedElsewhere[]> =>
  tx.rows(ownedBy, { ownerId });

/**
 * What becomes of them: those that end, where the caller may revoke them, and those that stay as they are, where the
 * caller may not do to them what is to be done. What was derived for an owner ends with the owner in any case; the others
 * go to the heir, if they are not to end.
 */
export function sortOut(principal: Principal, owned: readonly OwnedElsewhere[], isRevoking: boolean) {
  const ends = ({ parentId }: OwnedElsewhere) => isRevoking || parentId !== null;
  const mayBeDone = (one: OwnedElsewhere) =>
    (ends(one) ? [Permission.CREDENTIAL_REVOKE] : [...owners]).every((permission) =>
      may(principal, permission, { accountId: one.accountId, projectId: one.projectId }),
    );
  return {
    ending: owned.filter((one) => ends(one) && mayBeDone(one)),
    untouched: owned.filter((one) => !mayBeDone(one)),
  };
}

/** Ids of those that were not derived from others. */
export const permanent = (owned: readonly OwnedElsewhere[]): string[] =>
  owned.filter(({ parentId }) => parentId === null).map(({ id }) => id);

/**
 * Takes the owner from credentials that stay as they are: their own account answers for them then.
 * @returns the deeds to record
 */
export async function release(tx: Tx, ownerId: string, owned: readonly OwnedElsewhere[]): Promise<Deed[]> {
  if (owned.length === 0) return [];
  const ids = owned.map(({ id }) => id);
  // A temporary credential has the owner of its parent, at each moment: the database sees to that row by row.
  await tx.rows(withoutOwner, { ids, ownerId });
  await tx.rows(asTheirParents, { ids, ownerId });
  return owned.flatMap(({ id, accountId, projectId }) =>
    inEach([ownerId, accountId], {
      action: 'credential:transfer',
      target: { type: 'Credential', id },
      projectId,
      recipientId: accountId,
      changed: ['owner'],
    }),
  );
}

const ownedBy = sql(`
  SELECT id, account_id AS "accountId", project_id AS "projectId", parent_id AS "parentId" FROM credentials
  WHERE owner_id = :ownerId AND account_id <> :ownerId AND deleted_at IS NULL ORDER BY id FOR UPDATE`);
const withoutOwner = sql(`
  UPDATE credentials SET owner_id = NULL, revision = revision + 1, updated_at = now()
  WHERE id = ANY(CAST(:ids AS uuid[])) AND owner_id = :ownerId AND parent_id IS NULL`);
const asTheirParents = sql(`
  UPDATE credentials c SET owner_id = p.owner_id, revision = c.revision + 1, updated_at = now()
  FROM credentials p
  WHERE p.id = c.parent_id AND c.id = ANY(CAST(:ids AS uuid[])) AND c.owner_id = :ownerId`);
