import { nobody } from '../../audit/decision.js';
import type { Ending } from '../../audit/ending.js';
import { sql, type Tx } from '../../database/database.js';
import type { Keyring } from '../../keyring/keyring.js';
import { planEnd } from '../end-outside.js';
import { limitAgain } from '../limits/keep.js';
import type { IntentVerb } from '../outside/intent.js';
import { leaveKey, leaveLook } from '../outside/leftover.js';
import { overtake } from '../outside/plan.js';
import { nameAtStore } from '../outside/settle.js';
import { ends, makes } from '../outside/verdict.js';
import type { Credential } from './credential.js';
import { endCredentials, endOrphans, markDeleted } from './end.js';
import { RotationState } from './rotation.js';
import { failRotation, finishRotations, noteEndedOutside } from './rotations.js';
import { doubtVersion, loseVersions } from './versions.js';

/**
 * Ends once more what had ended of credentials when an older state of the database was put back: what was revoked or
 * deleted is so again; what was being revoked in its store is REVOKING, and its store is asked to end it; what was disabled,
 * or bound to other terms and limits, is as narrow as it was; and of what was rotated no secret works that was replaced. What this
 * state has yet to do in stores, and was done, is not done once more. Nothing is given back by it.
 * @param endings by the ids of the credentials
 * @returns the ids of those that are in the database
 */
export async function endCredentialsAgain(
  keyring: Keyring,
  tx: Tx,
  endings: ReadonlyMap<string, Ending>,
): Promise<string[]> {
  const found = await tx.rows<Found>(toEndAgain, { ids: [...endings.keys()] });
  const ids = found.map(({ id }) => id);
  const endingOf = (id: string) => endings.get(id) ?? {};
  const of = (is: (ending: Ending) => boolean) => ids.filter((id) => is(endingOf(id)));
  await leaveOff(tx, found, endingOf);
  const deleted = of(({ gone }) => gone === 'DELETED');
  await endCredentials(tx, [...of(({ gone }) => gone === 'REVOKED'), ...deleted], endedBefore);
  if (deleted.length > 0) await markDeleted(tx, deleted);
  for (const { hasEnded, ...credential } of found) {
    const { gone, atStore } = endingOf(credential.id);
    if (atStore && gone === undefined && !hasEnded) await endAtStore(keyring, tx, credential, atStore);
  }
  // What is being revoked ends with all its secrets.
  const turned = of(
    ({ gone, atStore, secretsBefore }) => (gone ?? atStore) === undefined && secretsBefore !== undefined,
  );
  const keyed = turned.filter((id) => endingOf(id).keysEnd);
  for (const { id, storeId, ...key } of await tx.rows<KeyBefore>(keysBefore, {
    ids: keyed,
    numbers: keyed.map((id) => endingOf(id).secretsBefore ?? 0),
  }))
    await leaveKey(tx, { credentialId: id, storeId }, { ...key, rotationId: null }, 0);
  const lost = await loseVersions(
    tx,
    turned,
    turned.map((id) => endingOf(id).secretsBefore ?? 0),
  );
  await finishRotations(tx, lost);
  await tx.rows(doubtCredentials, { ids: lost });
  await limitAgain(
    tx,
    ids.map((id) => [id, endingOf(id)]),
  );
  await tx.rows(narrow, { endings: JSON.stringify(ids.map((id) => ({ id, ...endingOf(id) }))) });
  await endOrphans(tx, ids);
  return ids;
}

type Found = Pick<Credential, 'id' | 'accountId' | 'projectId' | 'storeId'> & {
  hasEnded: boolean;
  /** What is under way in its store; null where nothing is. */
  underWay: IntentVerb | null;
};

/** A key that was replaced, and may live on in its store. */
interface KeyBefore {
  id: string;
  storeId: string;
  version: number;
  accessKey: string;
}

const endedBefore = 'It had ended already when an older state of the database was put back.';

/**
 * What was under way in a store in this state has come to its end since, and would undo what came after it, or make a secret
 * for what has ended. Only an end that is under way goes on.
 */
async function leaveOff(tx: Tx, found: readonly Found[], endingOf: (id: string) => Ending): Promise<void> {
  for (const { id, storeId, underWay } of found) {
    const { gone, atStore } = endingOf(id);
    if (underWay === null || (ends(underWay) && gone === undefined)) continue;
    for (const { version, rotationId, details, leaseUntilMs } of await overtake(tx, id)) {
      await doubtVersion(tx, id, version);
      await failRotation(tx, rotationId, RotationState.OUTCOME_UNKNOWN, putBack);
      // What it may have made ends with the credential.
      if (makes(underWay) && (gone ?? atStore))
        await leaveLook(
          tx,
          { credentialId: id, storeId },
          details.before ?? null,
          details.askedMs ?? leaseUntilMs,
        );
    }
    if (underWay === 'CREATE') await tx.rows(doubtCredentials, { ids: [id] });
    await noteEndedOutside(tx, id);
  }
}

const putBack = 'OUTCOME_UNKNOWN: An older state of the database was put back.';

/** By the name that it went by there, which may be a newer one. */
async function endAtStore(
  keyring: Keyring,
  tx: Tx,
  credential: Omit<Found, 'hasEnded'>,
  { verb, externalId }: NonNullable<Ending['atStore']>,
): Promise<void> {
  if (externalId !== null) {
    await tx.rows(keyedBy, { id: credential.id, externalId });
    await nameAtStore(tx, credential, externalId);
  }
  if (credential.underWay !== verb) await planEnd({ keyring }, tx, nobody(), credential, verb, endedBefore);
}

const toEndAgain = sql(`
  SELECT c.id, c.account_id AS "accountId", c.project_id AS "projectId", c.store_id AS "storeId",
    (c.revoked_at IS NOT NULL OR c.deleted_at IS NOT NULL) AS "hasEnded",
    (SELECT i.verb FROM intents i WHERE i.credential_id = c.id AND i.state = 'OPEN' AND i.verb <> 'RETIRE' LIMIT 1)
      AS "underWay"
  FROM credentials c WHERE c.id = ANY(CAST(:ids AS uuid[])) ORDER BY c.id FOR UPDATE OF c`);
// Not what Keyway itself goes by in this state: it would shut itself out.
const keysBefore = sql(`
  SELECT c.id, c.store_id AS "storeId", v.number AS version, v.access_key AS "accessKey"
  FROM unnest(CAST(:ids AS uuid[]), CAST(:numbers AS integer[])) AS turned (id, number)
  JOIN credentials c ON c.id = turned.id AND c.revoked_at IS NULL AND c.deleted_at IS NULL AND NOT c.reaches_store
  JOIN credential_versions v ON v.credential_id = c.id AND v.number < turned.number
  WHERE v.access_key IS NOT NULL AND v.state IN ('CURRENT', 'PREVIOUS', 'UNKNOWN')
    AND NOT EXISTS (SELECT FROM leftovers l WHERE l.credential_id = c.id AND l.access_key = v.access_key)`);
// A store that gives keys ids of their own has named it by its newest one.
const keyedBy = sql(`
  UPDATE credentials SET access_key = :externalId WHERE id = :id AND access_key = external_id`);
const doubtCredentials = sql(`
  UPDATE credentials SET standing = 'UNKNOWN', rotating_until = NULL, revision = revision + 1, updated_at = now()
  WHERE id = ANY(CAST(:ids AS uuid[])) AND revoked_at IS NULL`);
const given = (types: string) => `json_to_recordset(CAST(:endings AS json)) AS e (id uuid, ${types})`;
const within = (ranges: string, operator: '<<' | '<<=', others: string) => `
  SELECT one.range FROM unnest(${ranges}) WITH ORDINALITY AS one (range, n) WHERE EXISTS (
    SELECT FROM unnest(${others}) AS other (range) WHERE CAST(one.range AS inet) ${operator} CAST(other.range AS inet))`;
// Wherever it may be used from now, and was not to be any more, is taken from it.
const losesRanges = `(cardinality(e."allowedIps") > 0 AND (cardinality(c.allowed_ips) = 0 OR cardinality(c.allowed_ips)
  > (SELECT count(*) FROM (${within('c.allowed_ips', '<<=', 'e."allowedIps"')}) kept)))`;
// What is in both; where nothing is, what it was given last: no range at all would be anywhere.
const rangesLeft = `coalesce(nullif(ARRAY(${within('e."allowedIps"', '<<=', 'c.allowed_ips')})
  || ARRAY(${within('c.allowed_ips', '<<', 'e."allowedIps"')}), '{}'), e."allowedIps")`;
const narrow = sql(`
  WITH narrowed AS (
    UPDATE credentials c SET
      enabled = c.enabled AND coalesce(e.enabled, true),
      expires_at = least(c.expires_at, e."expiresAt"),
      allowed_ips = CASE WHEN ${losesRanges} THEN ${rangesLeft} ELSE c.allowed_ips END,
      revision = c.revision + 1, updated_at = now()
    FROM ${given('enabled boolean, "expiresAt" timestamptz, "allowedIps" text[]')}
    WHERE c.id = e.id AND (c.enabled AND NOT e.enabled OR e."expiresAt" < coalesce(c.expires_at, 'infinity')
      OR ${losesRanges})
  )
  DELETE FROM credential_roles r USING ${given('"lostRoles" uuid[]')}
  WHERE r.credential_id = e.id AND r.role_id = ANY(e."lostRoles")`);
