import { asUsage, type Adding } from '../command.js';
import { auditList, auditShow } from '../documents/audit.js';
import { flag } from '../flag-values.js';
import { addList, addShow } from '../list-command.js';

/** `keyway audit list` and `show`, beside what the operator has there. */
export function addAudit(adding: Adding): void {
  const { audit } = adding;
  asUsage(audit);
  addList(audit, adding, {
    does: 'Lists the events that you may see, newest first.',
    document: auditList,
    field: 'auditEvents',
    columns: [
      'id',
      'at',
      'action',
      'outcome',
      'code',
      'actor',
      'actorCredential',
      'targetId',
      'times',
      'ip',
      'requestId',
    ],
    flags: [
      flag('filter.since', 'at this time or later: 24h is 24 hours ago', { kind: 'time-ago' }),
      flag('filter.until', 'before this time', { kind: 'time-ago' }),
      flag('filter.action', 'such as credential:rotate', { isList: true }),
      flag('filter.outcome', 'done, refused or failed', { kind: 'enum', isList: true }),
      flag('filter.actor', 'the account that did it', { kind: 'account', isList: true }),
      flag('filter.account', 'the account whose chain has it', { kind: 'account', isList: true }),
      flag('filter.target', 'the id of what it was done to', { kind: 'id', isList: true }),
    ],
  });
  addShow(audit, adding, {
    noun: 'event',
    does: 'Shows one, with its hash.',
    kind: 'id',
    document: auditShow,
    field: 'node',
  });
}
