import type { Command } from 'commander';
import { addChange } from '../change-command.js';
import { asUsage, type Adding } from '../command.js';
import {
  accountCreate,
  accountDelete,
  accountList,
  accountShow,
  accountUpdate,
} from '../documents/account.js';
import { flag } from '../flag-values.js';
import { addList, addShow } from '../list-command.js';

/** `keyway account …` */
export function addAccount(program: Command, adding: Adding): void {
  const account = asUsage(
    program.command('account').description('Accounts: organizations, people, programs.'),
  );
  addList(account, adding, {
    does: 'Lists those that you may see.',
    document: accountList,
    field: 'accounts',
    columns: ['id', 'name', 'title', 'kind', 'enabled', 'parent', 'email'],
    flags: [
      flag('filter.search', 'text that its name, title or e-mail address has in it'),
      flag('filter.kind', 'organization, person or service', { kind: 'enum', isList: true }),
      flag('filter.parent', 'the account that it is part of', { kind: 'account', isList: true }),
    ],
  });
  addShow(account, adding, {
    noun: 'account',
    does: 'Shows one, with the roles that it has and those on it.',
    kind: 'account',
    document: accountShow,
    field: 'node',
  });
  const fields = [
    flag('title', 'the name shown to people'),
    flag('email', 'the e-mail address'),
    flag('mfaRequired', 'whether a second factor is needed to be shown secrets', { kind: 'boolean' }),
    flag('identities', 'the users of other issuers that call as it', { kind: 'json' }),
  ];
  addChange(account, adding, {
    name: 'create',
    does: 'Creates one.',
    document: accountCreate,
    shows: 'account',
    argument: flag('name', 'the name used in queries; it never changes', { isRequired: true }),
    flags: [
      flag('kind', 'organization, person or service', { kind: 'enum' }),
      flag('parent', 'the account that it is part of', { kind: 'account' }),
      ...fields,
    ],
    takesCode: true,
  });
  const one = flag('id', 'its name or id', { name: 'account', kind: 'account', isRequired: true });
  addChange(account, adding, {
    name: 'update',
    does: 'Changes one.',
    document: accountUpdate,
    shows: 'account',
    argument: one,
    flags: [
      flag('enabled', 'whether it may call Keyway, and its credentials work', { kind: 'boolean' }),
      ...fields,
    ],
    clears: ['email', 'identities'],
    takesCode: true,
  });
  addChange(account, adding, {
    name: 'delete',
    does: 'Deletes one, with the roles that it has and those on it.',
    document: accountDelete,
    shows: 'deleted',
    argument: one,
    flags: [
      flag('transferTo', 'the account that gets what it has', { kind: 'account' }),
      flag('revokeCredentials', 'whether its credentials are revoked and deleted', { kind: 'boolean' }),
    ],
    takesCode: true,
    isFinal: true,
  });
}
