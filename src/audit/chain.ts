import { sql, type Tx } from '../database.js';
import { newId } from '../ids.js';
import type { Keyring } from '../keyring/keyring.js';
import type { AuditEvent } from './audit-event.js';

/** What an event tells; its place in the chain and its time are given to it by `link`. */
export type Told = Omit<AuditEvent, 'id' | 'number' | 'epoch' | 'at' | 'hash'>;

/** The chain's first link hangs on this. */
export const origin = Buffer.alloc(32);

/**
 * Adds an event to the chain of its account, in the transaction of what it tells of. The chain's head is locked to the
 * transaction's end, so this comes last in it.
 */
export async function link(tx: Tx, keyring: Keyring, told: Told): Promise<void> {
  const epoch = keyring.currentAuditEpoch();
  const [head] = await tx.rows<{ number: string; hash: Buffer; at: string }>(lockHead, {
    account: told.accountId,
    epoch,
    origin,
  });
  if (!head) throw new Error('the audit chain has no head');
  const number = BigInt(head.number) + 1n;
  const event = { ...told, id: newId(), epoch, at: head.at, number: String(number) };
  const hash = keyring.auditLink(epoch, Buffer.from(head.hash), canonical(event), number);
  await tx.rows(append, { ...event, hash });
}

/** The bytes of an event that its link depends on: every column, in a fixed order. */
export function canonical(event: Omit<AuditEvent, 'hash'>): Buffer {
  return Buffer.from(
    JSON.stringify([
      event.id,
      event.accountId,
      String(event.number),
      event.epoch,
      event.at,
      event.actorId,
      event.actorCredentialId,
      event.action,
      event.outcome,
      event.code,
      event.targetType,
      event.targetId,
      event.projectId,
      event.changed,
      event.times,
      event.ip,
      event.requestId,
    ]),
  );
}

const lockHead = {
  ...sql(`
  INSERT INTO audit_heads AS h (account_id, number, epoch, hash) VALUES (:account, 0, :epoch, :origin)
  ON CONFLICT (account_id) DO UPDATE SET epoch = h.epoch
  RETURNING h.number::text AS number, h.hash, clock_timestamp()::text AS at`),
  name: 'audit-lock-head',
};

const append = {
  ...sql(`
  WITH head AS (
    UPDATE audit_heads SET number = CAST(:number AS bigint), epoch = :epoch, hash = :hash WHERE account_id = :accountId
  )
  INSERT INTO audit_events (id, account_id, number, epoch, at, actor_id, actor_credential_id, action, outcome, code,
    target_type, target_id, project_id, changed, times, ip, request_id, hash)
  VALUES (:id, :accountId, CAST(:number AS bigint), :epoch, CAST(:at AS timestamptz), :actorId, :actorCredentialId, :action,
    :outcome, :code, :targetType, :targetId, :projectId, :changed, :times, :ip, :requestId, :hash)`),
  name: 'audit-append',
};
