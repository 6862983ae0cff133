import { encodeId } from '../../ids.js';
import type { AuditEvent } from '../audit-event.js';

/** An event as it leaves Keyway, and what says whose it is. */
export interface StreamedEvent {
  readonly accountId: string;
  /** Its number in the chain of that account. */
  readonly number: string;
  readonly outcome: AuditEvent['outcome'];
  /** Such as `credential:rotate`. */
  readonly action: string;
  /** RFC 3339, in UTC. */
  readonly time: string;
  /** As JSON, in the form of CloudEvents. */
  readonly text: string;
}

/**
 * The event in the form of CloudEvents 1.0 (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md).
 * `source` and `id` are the chain and the number in it: who gets an event twice knows it by them.
 * @param row its time as the hash has it
 */
export function streamedEvent(row: AuditEvent): StreamedEvent {
  const { accountId, number, action, outcome, targetType, targetId } = row;
  const account = encodeId('Account', accountId);
  const target = targetType && targetId ? { type: targetType, id: encodeId(targetType, targetId) } : null;
  const time = `${row.at.replace(' ', 'T').replace(/\+00$/, '')}Z`;
  const id = (type: 'Account' | 'Credential' | 'Project', uuid: string | null) =>
    uuid && encodeId(type, uuid);
  const hash = Buffer.from(row.hash).toString('hex');
  const event = {
    specversion: '1.0',
    // Where an older state of the database was put back, numbers are given again.
    id: `${number}-${hash.slice(0, 16)}`,
    source: `/accounts/${account}`,
    type: `keyway.${action.replace(':', '.')}`,
    ...(target && { subject: target.id }),
    time,
    datacontenttype: 'application/json',
    data: {
      action,
      outcome,
      code: row.code,
      account,
      number: Number(number),
      actor: id('Account', row.actorId),
      actorCredential: id('Credential', row.actorCredentialId),
      target,
      project: id('Project', row.projectId),
      recipient: id('Account', row.recipientId),
      changed: row.changed,
      times: row.times,
      ip: row.ip,
      requestId: row.requestId,
      hash,
    },
  };
  return { accountId, number, outcome, action, time, text: JSON.stringify(event) };
}
