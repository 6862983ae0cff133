import type { Actor } from '../../audit/decision.js';
import { sql, violates, type Tx } from '../../database/database.js';
import { conflict } from '../../errors.js';
import { newId } from '../../ids.js';
import { holdStore } from '../../stores/find.js';
import { Intent, type IntentDetails, type IntentVerb } from './intent.js';
import { leaseFrom, leaseMs, type Lease } from './lease.js';

/** What is put on record before a store hears of it. */
export interface Plan {
  credentialId: string;
  storeId: string;
  verb: IntentVerb;
  rotationId?: string | null;
  version?: number | null;
  details?: IntentDetails;
}

/**
 * Puts an intent on record in this transaction, leased to this process.
 * @throws CONFLICT where another write to the same credential is under way.
 */
export async function plan(tx: Tx, wanting: Actor, { details = {}, ...what }: Plan): Promise<Lease> {
  await holdStore(tx, what.storeId);
  const id = newId();
  const claimedAtMs = performance.now();
  try {
    await tx.em.getRepository(Intent).insert({
      id,
      ...what,
      ...only(wanting),
      details,
      // The transaction may have waited for a lock since it began.
      leaseUntil: () => `clock_timestamp() + ${leaseMs} * interval '1 millisecond'`,
      nextAt: () => 'now()',
    });
  } catch (error) {
    if (violates(error, 'intents_one_open')) throw busy();
    throw error;
  }
  return leaseFrom(id, 1, claimedAtMs);
}

/** Another intent may be given as who wanted this one. */
const only = ({ actorId, actorCredentialId, ip, requestId }: Actor): Actor => ({
  actorId,
  actorCredentialId,
  ip,
  requestId,
});

/** @throws CONFLICT where a write to the credential is under way. */
export async function expectIdle(tx: Tx, credentialId: string): Promise<void> {
  const [open] = await tx.rows(underWay, { credentialId });
  if (open) throw busy();
}

const busy = () =>
  conflict('Another change of this credential is under way in its store: try again when it is done.');

export interface Overtaken extends Actor, Pick<Intent, 'id' | 'verb' | 'details' | 'version' | 'rotationId'> {
  leaseUntilMs: number;
}

/** Takes the place of the open intents of a credential: whoever acts on one of them can settle it no more. */
export async function overtake(tx: Tx, credentialId: string): Promise<Overtaken[]> {
  const rows = await tx.rows<Omit<Overtaken, 'leaseUntilMs'> & { leaseUntilMs: string }>(drop, {
    credentialId,
  });
  return rows.map((row) => ({ ...row, leaseUntilMs: Number(row.leaseUntilMs) }));
}

const underWay = sql(`
  SELECT 1 AS one FROM intents WHERE credential_id = :credentialId AND state = 'OPEN' AND verb <> 'RETIRE'`);
const drop = sql(`
  UPDATE intents SET state = 'DROPPED', fence = fence + 1, finished_at = now()
  WHERE credential_id = :credentialId AND state = 'OPEN'
  RETURNING id, verb, details, version, rotation_id AS "rotationId", actor_id AS "actorId",
    actor_credential_id AS "actorCredentialId", ip, request_id AS "requestId",
    extract(epoch FROM lease_until) * 1000 AS "leaseUntilMs"`);
