import type { Command } from 'commander';
import { asUsage, type Adding } from '../command.js';
import { credentialList, credentialShow } from '../documents/credential.js';
import { flag } from '../flag-values.js';
import { addList, addShow } from '../list-command.js';
import { addCredentialChanges } from './credential-changes.js';

/** `keyway credential …` */
export function addCredential(program: Command, adding: Adding): void {
  const credential = asUsage(
    program.command('credential').description('Credentials: keys, tokens, passwords.'),
  );
  addList(credential, adding, {
    does: 'Lists those that you may see.',
    document: credentialList,
    field: 'credentials',
    columns: [
      'id',
      'name',
      'kind',
      'status',
      'account',
      'project',
      'store',
      'owner',
      'expiresAt',
      'lastUsedAt',
    ],
    flags: [
      flag('filter.search', 'text that its name, description, access key or person has in it'),
      flag('filter.account', 'the account that it belongs to', { kind: 'account', isList: true }),
      flag('filter.project', 'the project that it is in', { kind: 'project', isList: true }),
      flag('filter.store', 'the store that it is in', { kind: 'store', isList: true }),
      flag('filter.owner', 'the account that is responsible for it', { kind: 'account', isList: true }),
      flag('filter.role', 'a role that it has', { kind: 'role', isList: true }),
      flag('filter.kind', 'access-key, token, password or provider-keys', { kind: 'enum', isList: true }),
      flag('filter.provider', 'the system that its keys belong to, such as aws', {
        kind: 'enum',
        isList: true,
      }),
      flag('filter.status', 'such as active, expired or revoked', { kind: 'enum', isList: true }),
      flag('filter.expiresBefore', 'it ends before this time: 30d is in 30 days', { kind: 'time' }),
      flag('filter.unusedFor', 'it was not used for so long: 90d', { kind: 'duration' }),
      flag('filter.rotationDueBefore', 'its rotation is due before this time', { kind: 'time' }),
      flag('filter.rotationOverdue', 'whether its rotation is late', { kind: 'boolean' }),
      flag('filter.withoutOwner', 'whether nobody is responsible for it', { kind: 'boolean' }),
      flag('filter.includeDeleted', 'whether deleted ones are listed too', { kind: 'boolean' }),
      flag('orderBy.by', 'created-at, expires-at, last-used-at or name', { kind: 'enum', name: 'order-by' }),
      flag('orderBy.direction', 'asc or desc', { kind: 'enum', name: 'direction' }),
    ],
  });
  addShow(credential, adding, {
    noun: 'credential',
    does: 'Shows one, without its secret.',
    kind: 'any-credential',
    document: credentialShow,
    field: 'credential',
  });
  addCredentialChanges(credential, adding);
}
