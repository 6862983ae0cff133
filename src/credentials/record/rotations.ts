import { sql, type Tx } from '../../database/database.js';
import { afterEarlier, type Part } from '../../database/joined.js';
import { newId } from '../../ids.js';
import { Rotation, RotationState } from './rotation.js';
import type { Outlived } from './versions.js';

// The life of a rotation, and what its credential shows of it. Nobody else writes this table, but for what the test
// names.

/** Puts a rotation on record before its store is called. */
export async function beginRotation(
  tx: Tx,
  { credentialId, startedById, from, to }: BegunRotation,
): Promise<string> {
  const id = newId();
  await tx.em.getRepository(Rotation).insert({
    id,
    credentialId,
    state: RotationState.PLANNED,
    startedById,
    startedAt: () => 'clock_timestamp()',
    fromNumber: from,
    toNumber: to,
  });
  return id;
}

/**
 * A rotation in Keyway's own store, and the end of the one before, whose secret it ends: parts of one statement, in this
 * order.
 */
export const rotationDone = (
  credentialId: string,
  {
    from,
    to,
    startedById,
    graceMs,
  }: Pick<BegunRotation, 'from' | 'to' | 'startedById'> & { graceMs: number },
): Part[] => [
  { statement: switchedToFinished, parameters: { id: credentialId, except: null } },
  {
    statement: begin,
    parameters: { id: newId(), credentialId, startedById, from, to, finished: graceMs === 0 },
  },
];

/** The rotation that the next one ends, locked by part of a statement after the secrets, as the job does that ends it. */
export const openHeld = (id: string): Part => ({ statement: openToChange, parameters: { id } });

interface BegunRotation {
  credentialId: string;
  /** The account that wants it; null where a policy does. */
  startedById: string | null;
  from: number;
  to: number;
}

/**
 * Finishes the rotations of a credential whose previous secret another rotation ends, which is this one or is to come.
 */
export async function finishEarlier(tx: Tx, id: string, except: string | null): Promise<void> {
  await tx.rows(switchedToFinished, { id, except });
}

/** Notes that the new secret is handed out, and whether the previous one has ended; nothing where the id is null. */
export async function switchRotation(
  tx: Tx,
  rotationId: string | null,
  { finished }: { finished: boolean },
): Promise<void> {
  await tx.rows(openToSwitched, { rotationId, finished });
}

/** Notes that a planned rotation failed, or that its outcome is not known. @param failure a code and a text of ours */
export async function failRotation(
  tx: Tx,
  rotationId: string | null,
  state: RotationState.FAILED | RotationState.OUTCOME_UNKNOWN,
  failure: string,
): Promise<void> {
  await tx.rows(plannedToFailed, { rotationId, state, failure });
}

/** Finishes what is open of the rotations of these credentials, which have ended. */
export async function finishRotations(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.rows(openToFinished, { ids });
}

/** Finishes the rotations whose previous secrets have ended by themselves, as of that end. */
export async function finishOutlived(tx: Tx, outlived: readonly Outlived[]): Promise<void> {
  await tx.rows(outlivedToFinished, {
    ids: outlived.map(({ id }) => id),
    numbers: outlived.map(({ number }) => number),
    untils: outlived.map(({ until }) => until),
  });
}

/** Shows a credential as rotating until its store has ended the previous secret. */
export async function noteRotatingOutside(tx: Tx, id: string): Promise<void> {
  await tx.rows(rotatingOutside, { id });
}

/** Shows a credential as no longer rotating, where no previous key is left in its store and none is on its way. */
export async function noteEndedOutside(tx: Tx, id: string): Promise<void> {
  await tx.rows(rotatingNoMore, { id });
}

/** The rotations whose previous keys are left in their store go on: what was to end them earlier came to nothing. */
export async function resumeSwitched(tx: Tx, id: string): Promise<void> {
  await tx.rows(finishedToSwitched, { id });
}

const begin = sql(`
  INSERT INTO rotations (id, credential_id, state, started_by, started_at, finished_at, from_number, to_number)
  SELECT CAST(:id AS uuid), CAST(:credentialId AS uuid), CASE WHEN :finished THEN 'FINISHED' ELSE 'SWITCHED' END,
    CAST(:startedById AS uuid), clock_timestamp(), CASE WHEN :finished THEN clock_timestamp() END,
    CAST(:from AS integer), CAST(:to AS integer)
  WHERE ${afterEarlier}`);
const openRotation = "state IN ('PLANNED', 'SWITCHED')";
const openToChange = sql(`
  SELECT id FROM rotations WHERE credential_id = :id AND ${openRotation} FOR NO KEY UPDATE`);

const switchedToFinished = sql(`
  UPDATE rotations SET state = 'FINISHED', finished_at = clock_timestamp()
  WHERE credential_id = :id AND state = 'SWITCHED' AND id IS DISTINCT FROM CAST(:except AS uuid)`);
const openToSwitched = sql(`
  UPDATE rotations SET state = CASE WHEN :finished THEN 'FINISHED' ELSE 'SWITCHED' END,
    finished_at = CASE WHEN :finished THEN clock_timestamp() END
  WHERE id = CAST(:rotationId AS uuid) AND ${openRotation}`);
const plannedToFailed = sql(`
  UPDATE rotations SET state = :state, failure = :failure, finished_at = clock_timestamp()
  WHERE id = CAST(:rotationId AS uuid) AND state = 'PLANNED'`);
const openToFinished = sql(`
  UPDATE rotations SET state = 'FINISHED', finished_at = clock_timestamp()
  WHERE credential_id = ANY(CAST(:ids AS uuid[])) AND ${openRotation}`);

const outlivedToFinished = sql(`
  UPDATE rotations r SET state = 'FINISHED', finished_at = o.until
  FROM unnest(CAST(:ids AS uuid[]), CAST(:numbers AS integer[]), CAST(:untils AS timestamptz[])) AS o (id, number, until)
  WHERE r.credential_id = o.id AND r.from_number = o.number AND r.state = 'SWITCHED'`);

const rotatingOutside = sql(`
  UPDATE credentials SET rotating_until = 'infinity', revision = revision + 1, updated_at = now() WHERE id = :id`);
const rotatingNoMore = sql(`
  UPDATE credentials c SET rotating_until = NULL, revision = revision + 1, updated_at = now()
  WHERE c.id = :id AND c.rotating_until IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM leftovers l WHERE l.credential_id = c.id AND l.access_key IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM intents i WHERE i.credential_id = c.id AND i.state = 'OPEN' AND i.verb = 'ROTATE')`);
const finishedToSwitched = sql(`
  UPDATE rotations SET state = 'SWITCHED', finished_at = NULL
  WHERE state = 'FINISHED' AND id = (SELECT rotation_id FROM leftovers WHERE credential_id = :id
    AND rotation_id IS NOT NULL AND access_key IS NOT NULL ORDER BY created_at DESC LIMIT 1)`);
