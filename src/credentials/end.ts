import { sql, type Tx } from '../database.js';
import type { Credential } from './credential.js';

/** What was ended: enough to record it. */
export type Ended = Pick<Credential, 'id' | 'accountId' | 'projectId'>;

/**
 * Ends credentials for good, with all that was derived from them: their secrets are wiped in the same transaction, so
 * that none of them works from its commit on.
 * @returns those that had not ended before, the ones asked for first.
 */
export async function endCredentials(
  tx: Tx,
  ids: readonly string[],
  reason: string | null,
): Promise<Ended[]> {
  const ended = await tx.rows<Ended>(revoke, { ids, reason });
  const all = ended.map(({ id }) => id);
  await tx.rows(wipe, { ids: all });
  await tx.rows(finish, { ids: all });
  return ended.sort((one, other) => Number(ids.includes(other.id)) - Number(ids.includes(one.id)));
}

const revoke = sql(`
  WITH RECURSIVE ending (id) AS (
    SELECT unnest(CAST(:ids AS uuid[]))
    UNION
    SELECT c.id FROM ending JOIN credentials c ON c.parent_id = ending.id
  )
  UPDATE credentials SET revoked_at = now(), revoke_reason = :reason, rotating_until = NULL,
    revision = revision + 1, updated_at = now()
  WHERE id IN (SELECT id FROM ending) AND revoked_at IS NULL
  RETURNING id, account_id AS "accountId", project_id AS "projectId"`);

const wipe = sql(`
  UPDATE credential_versions SET state = CASE WHEN state IN ('PENDING', 'CURRENT', 'PREVIOUS', 'UNKNOWN') THEN 'RETIRED' ELSE state END,
    valid_until = least(valid_until, now()),
    verifier = NULL, verifier_key_id = NULL, password_hash = NULL, pepper_id = NULL, sealed = NULL, kek_id = NULL
  WHERE credential_id = ANY(CAST(:ids AS uuid[]))`);

const finish = sql(`
  UPDATE rotations SET state = 'FINISHED', finished_at = clock_timestamp()
  WHERE credential_id = ANY(CAST(:ids AS uuid[])) AND state IN ('PLANNED', 'APPLIED', 'SWITCHED')`);
