import { may } from '../access/authorize.js';
import type { RequestContext } from '../access/context.js';
import { Permission } from '../access/principal.js';
import type { Deed } from '../audit/record.js';
import { sql, type Tx } from '../database/database.js';
import { conflict, forbidden } from '../errors.js';
import { instant, instantMs } from '../time.js';

// A store is let go of when Keyway has nothing left to do there; or, where it will never do what is asked of it, because
// somebody says so who might end each of the credentials that are given up.

/** @throws CONFLICT while something is to be done in a store, or Keyway alone has secrets there: it says what, and how to go on. */
export async function expectLetGo(tx: Tx, id: string): Promise<void> {
  const [held] = await tx.rows<Holding>(holding, { id });
  if (!held) return;
  const reasons = [
    ...(held.ending
      ? [
          'A revocation is under way in this store, which has not confirmed it yet: `storeChanges` of the credential says why. Try again when it is done.',
        ]
      : []),
    ...(held.graceUntil !== null
      ? [
          `A previous secret of a credential in this store keeps working until ${instant(instantMs(held.graceUntil))}: wait for that, or revoke the credential.`,
        ]
      : []),
    ...(held.changing ? ['A credential of this store is being changed: try again when that is done.'] : []),
    ...(held.sealing
      ? ['Keyway alone has the secrets of credentials in this store: delete or revoke those first.']
      : []),
  ];
  if (reasons.length > 0) throw conflict([...reasons, wayOut].join(' '));
}

const wayOut =
  'If the store will never do what it is asked, `abandonCredentials: true` disconnects it all the same.';

interface Holding {
  ending: boolean;
  graceUntil: string | null;
  changing: boolean;
  sealing: boolean;
}

/** A credential that was given up, and what is put on record of it. */
export type Abandoned = Deed & { target: { id: string } };

/**
 * Gives up what Keyway has still to do in a store, and the secrets that it keeps of it: each credential concerned is
 * ABANDONED from then on, as its secret may live there. Who works on one of them settles it no more.
 * @returns the deeds to record, one for each, the oldest first
 * @throws FORBIDDEN where the caller may not revoke each of them
 */
export async function abandonCredentials(
  { principal }: Pick<RequestContext, 'principal'>,
  tx: Tx,
  storeId: string,
): Promise<Abandoned[]> {
  const concerned = await tx.rows<Concerned>(toAbandon, { id: storeId });
  const mayRevoke = ({ accountId, projectId, ownerId }: Concerned) =>
    may(principal, Permission.CREDENTIAL_REVOKE, { accountId, projectId, owner: ownerId ?? accountId });
  if (!concerned.every(mayRevoke))
    throw forbidden('This store has credentials that would be abandoned and that you may not revoke.');
  await giveUp(tx, concerned);
  await forgetChanges(tx, storeId);
  return concerned.map(({ id, accountId, projectId }) => ({
    action: 'credential:abandon',
    target: { type: 'Credential', id },
    accountId,
    projectId,
    changed: ['status'],
    ends: { gone: 'DELETED' },
  }));
}

/**
 * Gives up what an older state of the database has still to do in a store that was disconnected after it. What of its
 * credentials had not ended by then is ABANDONED where the state has their secrets.
 */
export async function abandonAgain(tx: Tx, storeId: string): Promise<void> {
  await forgetChanges(tx, storeId);
  await giveUp(tx, await tx.rows<Concerned>(toAbandon, { id: storeId }));
}

async function giveUp(tx: Tx, concerned: readonly Concerned[]): Promise<void> {
  const ids = concerned.map(({ id }) => id);
  for (const statement of [doubtVersions, doubtRotations, markAbandoned]) await tx.rows(statement, { ids });
}

async function forgetChanges(tx: Tx, storeId: string): Promise<void> {
  for (const statement of [dropIntents, dropLeftovers]) await tx.rows(statement, { id: storeId });
}

interface Concerned {
  id: string;
  accountId: string;
  projectId: string | null;
  ownerId: string | null;
}

const sealing =
  'c.deleted_at IS NULL AND c.revoked_at IS NULL AND EXISTS (SELECT 1 FROM credential_versions v WHERE v.credential_id = c.id AND v.sealed IS NOT NULL)';
// A key whose end was tried in vain is due later, and has no grace any more.
const waits = 'access_key IS NOT NULL AND attempts = 0 AND due_at > now()';
const endingVerbs = "('REVOKE', 'DELETE', 'RETIRE')";

const holding = sql(`
  SELECT EXISTS (SELECT 1 FROM intents WHERE store_id = :id AND state = 'OPEN' AND verb IN ${endingVerbs})
      OR EXISTS (SELECT 1 FROM leftovers WHERE store_id = :id AND access_key IS NOT NULL AND NOT (${waits})) AS ending,
    (SELECT max(due_at) FROM leftovers WHERE store_id = :id AND ${waits}) AS "graceUntil",
    EXISTS (SELECT 1 FROM intents WHERE store_id = :id AND state = 'OPEN' AND verb NOT IN ${endingVerbs})
      OR EXISTS (SELECT 1 FROM leftovers WHERE store_id = :id AND access_key IS NULL) AS changing,
    EXISTS (SELECT 1 FROM credentials c WHERE c.store_id = :id AND ${sealing}) AS sealing`);

const toAbandon = sql(`
  SELECT c.id, c.account_id AS "accountId", c.project_id AS "projectId", c.owner_id AS "ownerId" FROM credentials c
  WHERE c.store_id = :id AND (${sealing}
    OR EXISTS (SELECT 1 FROM intents i WHERE i.credential_id = c.id AND i.state = 'OPEN')
    OR EXISTS (SELECT 1 FROM leftovers l WHERE l.credential_id = c.id))
  ORDER BY c.created_at, c.id FOR UPDATE OF c`);
// What may live there is told of each secret; what could show it is wiped, as where a credential is deleted.
const doubtVersions = sql(`
  UPDATE credential_versions v SET sealed = NULL, kek_id = NULL,
    state = CASE WHEN v.state IN ('PENDING', 'CURRENT', 'PREVIOUS') OR EXISTS (
      SELECT 1 FROM leftovers l WHERE l.credential_id = v.credential_id AND l.version = v.number)
    THEN 'UNKNOWN' ELSE v.state END
  WHERE v.credential_id = ANY(CAST(:ids AS uuid[]))`);
const doubtRotations = sql(`
  UPDATE rotations SET state = 'OUTCOME_UNKNOWN', finished_at = now(),
    failure = 'CONFLICT: The store was disconnected before it had confirmed the change.'
  WHERE credential_id = ANY(CAST(:ids AS uuid[])) AND state IN ('PLANNED', 'SWITCHED')`);
const markAbandoned = sql(`
  UPDATE credentials SET abandoned_at = now(), deleted_at = coalesce(deleted_at, now()), rotating_until = NULL,
    ending_since = NULL, revision = revision + 1, updated_at = now()
  WHERE id = ANY(CAST(:ids AS uuid[]))`);
const dropIntents = sql(`
  UPDATE intents SET state = 'DROPPED', fence = fence + 1, finished_at = now(), lease_until = now()
  WHERE store_id = :id AND state = 'OPEN'`);
const dropLeftovers = sql('DELETE FROM leftovers WHERE store_id = :id');
