import { sql, type Tx } from '../../database/database.js';
import type { Part } from '../../database/joined.js';
import type { Credential } from './credential.js';
import { finishRotations } from './rotations.js';
import { endVersions, forgetVersions } from './versions.js';

/** What was ended: enough to record it. */
export type Ended = Pick<Credential, 'id' | 'accountId' | 'projectId'>;

/**
 * Ends credentials for good, with all that was derived from them: none of them works from the commit on. What could
 * show a secret is wiped in the same transaction; that which only tells the last one again stays, so that whoever
 * presents it can be told that it was revoked.
 * @returns those that had not ended before, the ones asked for first.
 */
export async function endCredentials(
  tx: Tx,
  ids: readonly string[],
  reason: string | null,
): Promise<Ended[]> {
  const ended = await tx.rows<Ended>(revoke, { ids, reason });
  const all = ended.map(({ id }) => id);
  await endVersions(tx, all);
  await finishRotations(tx, all);
  await tx.rows(endLeftovers, { ids: all });
  return ended.sort((one, other) => Number(ids.includes(other.id)) - Number(ids.includes(one.id)));
}

/**
 * Ends temporary credentials whose parent no longer has the secret that they were derived from, or is in another
 * project by now.
 */
export async function endOrphans(tx: Tx, parents: readonly string[]): Promise<Ended[]> {
  const ids = (await tx.rows<{ id: string }>(orphans, { parents })).map(({ id }) => id);
  return ids.length === 0 ? [] : endCredentials(tx, ids, 'What it was derived from is gone.');
}

/**
 * What was derived from a credential, with its secrets, which `endOrphans` may end, locked by part of a statement after the
 * secrets of the credential. It brings how many there are.
 */
export const derivedHeld = (parent: string): Part => ({ statement: derived, parameters: { parent } });

/**
 * Marks ended credentials as deleted, with all that was derived from them, and wipes what is left of their secrets.
 * @returns those that had not been before.
 */
export async function markDeleted(tx: Tx, ids: readonly string[]): Promise<string[]> {
  await forgetVersions(tx, ids);
  return (await tx.rows<{ id: string }>(remove, { ids })).map(({ id }) => id);
}

/** Notes that a credential is to end: it counts as not working from then on, until its store has confirmed it. */
export async function markEnding(tx: Tx, id: string): Promise<void> {
  await tx.rows(ending, { id });
}

const ending = sql(`
  UPDATE credentials SET ending_since = now(), revision = revision + 1, updated_at = now()
  WHERE id = :id AND ending_since IS NULL AND revoked_at IS NULL`);
const derived = sql(`
  SELECT count(*)::integer AS count FROM (
    SELECT FROM credentials c JOIN credential_versions v ON v.credential_id = c.id
    WHERE c.parent_id = :parent AND c.parent_version IS NOT NULL AND c.revoked_at IS NULL ORDER BY c.id FOR UPDATE) locked`);
const orphans = sql(`
  SELECT c.id FROM credentials c JOIN credentials p ON p.id = c.parent_id
  WHERE c.parent_version IS NOT NULL AND c.revoked_at IS NULL
    AND c.parent_id = ANY(CAST(:parents AS uuid[]))
    AND (p.project_id IS DISTINCT FROM c.project_id OR NOT EXISTS (
      SELECT 1 FROM credential_versions v WHERE v.credential_id = c.parent_id AND v.number = c.parent_version
        AND (v.state = 'CURRENT' OR v.state = 'PREVIOUS' AND v.valid_until > now())))
  ORDER BY c.id FOR UPDATE OF c`);

const revoke = sql(`
  WITH RECURSIVE ending (id) AS (
    SELECT unnest(CAST(:ids AS uuid[]))
    UNION
    SELECT c.id FROM ending JOIN credentials c ON c.parent_id = ending.id
  )
  UPDATE credentials SET revoked_at = now(), revoke_reason = :reason, rotating_until = NULL, ending_since = NULL,
    revision = revision + 1, updated_at = now()
  WHERE id IN (SELECT id FROM ending) AND revoked_at IS NULL
  RETURNING id, account_id AS "accountId", project_id AS "projectId"`);

// A previous key whose grace still runs is to end in its store now.
const endLeftovers = sql(`
  UPDATE leftovers SET due_at = least(due_at, now())
  WHERE credential_id = ANY(CAST(:ids AS uuid[])) AND access_key IS NOT NULL`);

// Limits are locked in the order in which uses are counted.
const remove = sql(`
  WITH gone AS (
    UPDATE credentials SET deleted_at = now(), revision = revision + 1, updated_at = now()
    WHERE (id = ANY(CAST(:ids AS uuid[])) OR parent_id = ANY(CAST(:ids AS uuid[]))) AND deleted_at IS NULL RETURNING id
  ), limits AS (
    DELETE FROM credential_limits WHERE credential_id IN (SELECT l.credential_id FROM credential_limits l
      WHERE l.credential_id IN (SELECT id FROM gone) ORDER BY l.credential_id FOR UPDATE)
  )
  SELECT id FROM gone`);
