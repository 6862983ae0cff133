import type { Command } from 'commander';
import { addChange } from '../change-command.js';
import { asUsage, type Adding } from '../command.js';
import {
  roleCreate,
  roleDelete,
  roleGrant,
  roleList,
  roleShow,
  roleUpdate,
  roleWithdraw,
} from '../documents/role.js';
import { flag } from '../flag-values.js';
import { addList, addShow } from '../list-command.js';

/** `keyway role …` */
export function addRole(program: Command, adding: Adding): void {
  const role = asUsage(program.command('role').description('Roles: what accounts may do, and where.'));
  addList(role, adding, {
    does: 'Lists those that you may see.',
    document: roleList,
    field: 'roles',
    columns: ['id', 'name', 'account', 'store', 'builtIn', 'permissions', 'description'],
    flags: [
      flag('filter.search', 'text that its name has in it'),
      flag('filter.account', 'the account whose role it is', { kind: 'account', isList: true }),
      flag('filter.store', 'the outside store whose role it is', { kind: 'store', isList: true }),
    ],
  });
  addShow(role, adding, {
    noun: 'role',
    does: 'Shows one, with who has it where.',
    kind: 'role',
    document: roleShow,
    field: 'node',
  });
  const fields = [
    flag('description', 'what it is for'),
    flag('permissions', 'what it allows, such as credential-read', {
      name: 'permission',
      kind: 'enum',
      isList: true,
    }),
  ];
  addChange(role, adding, {
    name: 'create',
    does: 'Creates one: of an account, of a store, or for all.',
    document: roleCreate,
    shows: 'role',
    argument: flag('name', 'the name used in queries; it never changes', { isRequired: true }),
    flags: [
      flag('account', 'the account whose role it is', { kind: 'account' }),
      flag('store', 'the store whose role it is', { kind: 'store' }),
      ...fields,
    ],
    // A role that services alone understand allows nothing here.
    more: async (_, input) => ({ permissions: [], ...input }),
  });
  const one = flag('id', 'its name or id', { name: 'role', kind: 'role', isRequired: true });
  addChange(role, adding, {
    name: 'update',
    does: 'Changes one, for all who have it.',
    document: roleUpdate,
    shows: 'role',
    argument: one,
    flags: fields,
    clears: ['description'],
    takesCode: true,
  });
  addChange(role, adding, {
    name: 'delete',
    does: 'Deletes one that nobody has.',
    document: roleDelete,
    shows: 'deleted',
    argument: one,
    isFinal: true,
  });
  addChange(role, adding, {
    name: 'grant',
    does: 'Grants one to an account: on an account, on a project, or everywhere.',
    document: roleGrant,
    shows: 'grant',
    argument: { ...one, path: 'role' },
    flags: [
      flag('account', 'the account that gets it', { kind: 'account', name: 'to' }),
      flag('onAccount', 'the account that it holds on', { kind: 'account' }),
      flag('onProject', 'the project that it holds on', { kind: 'project' }),
    ],
    takesCode: true,
  });
  addChange(role, adding, {
    name: 'withdraw',
    does: 'Takes a granted role from an account, from the next request on.',
    document: roleWithdraw,
    shows: 'deleted',
    argument: flag('grant', 'the id of the grant, as account show and role show have it', {
      kind: 'id',
      isRequired: true,
    }),
  });
}
