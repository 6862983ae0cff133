import { Column, Entity, PrimaryColumn } from 'typeorm';
import { sql, type Sql, type Tx } from '../../database/database.js';
import { slowestEffectMs } from '../../config/limits.js';
import { newId } from '../../ids.js';
import { leaseMs } from './lease.js';

/**
 * What is in an outside store and is to end there: a key, or, where none is named, whatever a call has made whose answer
 * was lost. The one list of that, and it belongs to the credential. A table, never a GraphQL type.
 */
@Entity('leftovers')
export class Leftover {
  @PrimaryColumn('uuid')
  id: string;

  @Column('uuid', { name: 'credential_id' })
  credentialId: string;

  @Column('uuid', { name: 'store_id' })
  storeId: string;

  /** The key that is to end; null where it is to be looked for. */
  @Column('text', { name: 'access_key', nullable: true })
  accessKey: string | null;

  /** The version whose key it is. */
  @Column('integer', { nullable: true })
  version: number | null;

  /** The rotation that is finished by its end. */
  @Column('uuid', { name: 'rotation_id', nullable: true })
  rotationId: string | null;

  /** What was there before the call; null where the store does not tell, so that only the whole credential can end. */
  @Column('text', { array: true, nullable: true })
  before: string[] | null;

  @Column('timestamptz', { name: 'due_at' })
  dueAt: string;

  /** When it is looked for the last time. */
  @Column('timestamptz', { name: 'until_at', nullable: true })
  untilAt: string | null;

  /** Who may settle it: who takes it up later has a higher number. */
  @Column('integer', { default: 0 })
  fence: number;

  @Column('timestamptz', { name: 'lease_until', default: () => 'now()' })
  leaseUntil: string;

  @Column('integer', { default: 0 })
  attempts: number;

  @Column('text', { nullable: true })
  failure: string | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: string;
}

interface Of {
  credentialId: string;
  storeId: string;
}

/** Notes that a key is to end after so long, and with it its version and a rotation. */
export async function leaveKey(
  tx: Tx,
  { credentialId, storeId }: Of,
  key: Pick<Leftover, 'version' | 'rotationId'> & { accessKey: string },
  afterMs: number,
): Promise<void> {
  await tx.rows(insertKey, { id: newId(), credentialId, storeId, ...key, afterMs });
}

/**
 * Notes that what a call without an answer may have made is to be looked for: soon after no process can wait for the
 * answer any more, or where that is over and it has just been looked for, a little later; and once more when no store takes
 * longer.
 * @param fromMs when the call may have begun at the latest, in milliseconds since 1970; now, where left out
 */
export async function leaveLook(
  tx: Tx,
  { credentialId, storeId }: Of,
  before: readonly string[] | null,
  fromMs?: number,
): Promise<void> {
  const parameters = { id: newId(), credentialId, storeId, before, fromMs: fromMs ?? null };
  await tx.rows(insertLook, { ...parameters, soonMs: leaseMs + 1_000, lastMs: slowestEffectMs });
}

/** Has what is left of earlier keys of a credential end now: a newer previous one takes their place. */
export async function endKeysNow(on: Sql, credentialId: string): Promise<void> {
  await on.rows(dueNow, { credentialId });
}

/** Forgets the keys of a credential that has ended, and all its keys with it. What is to be looked for stays. */
export async function forgetKeys(tx: Tx, credentialId: string): Promise<void> {
  await tx.rows(deleteKeys, { credentialId });
}

/** What is to end of a credential, in the order in which it is due. */
export const leftoversOf = (db: Sql, credentialId: string): Promise<Leftover[]> =>
  db.rows<Leftover>(ofCredential, { credentialId });

/** Whether keys of a credential are still to end in its store. */
export const hasKeysLeft = async (db: Sql, credentialId: string): Promise<boolean> =>
  (await leftoversOf(db, credentialId)).some(({ accessKey }) => accessKey !== null);

/** Takes what a version before this one left to intents into the list, of one credential. */
export async function inherit(on: Sql, credentialId: string): Promise<void> {
  await on.rows(inheritKeys, { credentialId });
  await on.rows(inheritLooks, { credentialId, lastMs: slowestEffectMs });
}

const insertKey = sql(`
  INSERT INTO leftovers (id, credential_id, store_id, access_key, version, rotation_id, due_at)
  VALUES (:id, :credentialId, :storeId, :accessKey, :version, :rotationId,
    now() + CAST(:afterMs AS double precision) * interval '1 millisecond')`);
const insertLook = sql(`
  INSERT INTO leftovers (id, credential_id, store_id, before, due_at, until_at)
  SELECT :id, :credentialId, :storeId, CAST(:before AS text[]),
    CASE WHEN f.at > now() THEN f.at + interval '1 second'
      ELSE now() + CAST(:soonMs AS double precision) * interval '1 millisecond' END,
    f.at + CAST(:lastMs AS double precision) * interval '1 millisecond'
  FROM (SELECT coalesce(to_timestamp(CAST(:fromMs AS double precision) / 1000), now()) AS at) AS f`);
const dueNow = sql(`
  UPDATE leftovers SET due_at = least(due_at, now()) WHERE credential_id = :credentialId AND access_key IS NOT NULL`);
const deleteKeys = sql(
  'DELETE FROM leftovers WHERE credential_id = :credentialId AND access_key IS NOT NULL',
);
const ofCredential = sql(`
  SELECT id, credential_id AS "credentialId", store_id AS "storeId", access_key AS "accessKey", version,
    rotation_id AS "rotationId", before, until_at AS "untilAt", attempts FROM leftovers WHERE credential_id = :credentialId ORDER BY due_at, id`);
// A previous key has an intent of its own there; a rotation that took its place has its keys.
const inheritKeys = sql(`
  WITH old AS (
    UPDATE intents i SET state = CASE WHEN verb = 'RETIRE' THEN 'DROPPED' ELSE state END,
      finished_at = CASE WHEN verb = 'RETIRE' THEN now() END, details = i.details - 'keys'
    FROM (SELECT id, details FROM intents WHERE credential_id = :credentialId AND state = 'OPEN' AND details ? 'keys'
      FOR UPDATE) AS was
    WHERE i.id = was.id
    RETURNING i.credential_id, i.store_id, i.verb, i.version, i.rotation_id, i.next_at, was.details
  )
  INSERT INTO leftovers (id, credential_id, store_id, access_key, version, rotation_id, due_at)
  SELECT gen_random_uuid(), o.credential_id, o.store_id, k.key,
    CASE WHEN o.verb = 'RETIRE' THEN o.version ELSE CAST(o.details ->> 'retiring' AS integer) END,
    CASE WHEN o.verb = 'RETIRE' THEN o.rotation_id END, CASE WHEN o.verb = 'RETIRE' THEN o.next_at ELSE now() END
  FROM old o, jsonb_array_elements_text(o.details -> 'keys') AS k (key)`);
const inheritLooks = sql(`
  WITH old AS (
    UPDATE intents i SET state = CASE WHEN i.details ? 'sweep' THEN 'DROPPED' ELSE state END,
      finished_at = CASE WHEN i.details ? 'sweep' THEN now() END, details = i.details - 'overtookUntilMs'
    FROM (SELECT id, details FROM intents WHERE credential_id = :credentialId AND state = 'OPEN'
      AND details ? 'overtookUntilMs' FOR UPDATE) AS was
    WHERE i.id = was.id RETURNING i.credential_id, i.store_id, was.details
  )
  INSERT INTO leftovers (id, credential_id, store_id, before, due_at, until_at)
  SELECT gen_random_uuid(), credential_id, store_id,
    CASE WHEN details ? 'before' THEN ARRAY(SELECT jsonb_array_elements_text(details -> 'before')) END,
    to_timestamp(CAST(details ->> 'overtookUntilMs' AS double precision) / 1000) + interval '1 second',
    to_timestamp(CAST(details ->> 'overtookUntilMs' AS double precision) / 1000)
      + CAST(:lastMs AS double precision) * interval '1 millisecond'
  FROM old`);
