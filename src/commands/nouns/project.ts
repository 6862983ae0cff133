import type { Command } from 'commander';
import { addChange } from '../change-command.js';
import { asUsage, type Adding } from '../command.js';
import {
  projectCreate,
  projectDelete,
  projectList,
  projectShow,
  projectUpdate,
} from '../documents/project.js';
import { flag } from '../flag-values.js';
import { addList, addShow } from '../list-command.js';

/** `keyway project …` */
export function addProject(program: Command, adding: Adding): void {
  const project = asUsage(program.command('project').description('Projects: groups of credentials.'));
  addList(project, adding, {
    does: 'Lists those that you may see.',
    document: projectList,
    field: 'projects',
    columns: ['id', 'name', 'title', 'account', 'admin', 'description'],
    flags: [
      flag('filter.search', 'text that its name or title has in it'),
      flag('filter.account', 'the account that it belongs to', { kind: 'account', isList: true }),
    ],
  });
  addShow(project, adding, {
    noun: 'project',
    does: 'Shows one, with the roles on it.',
    kind: 'project',
    document: projectShow,
    field: 'node',
  });
  const fields = [flag('title', 'the name shown to people'), flag('description', 'what it is for')];
  addChange(project, adding, {
    name: 'create',
    does: 'Creates one.',
    document: projectCreate,
    shows: 'project',
    argument: flag('name', 'the name used in queries; it never changes', { isRequired: true }),
    flags: [flag('account', 'the account that it belongs to', { kind: 'account' }), ...fields],
  });
  const one = flag('id', 'its name or id', { name: 'project', kind: 'project', isRequired: true });
  addChange(project, adding, {
    name: 'update',
    does: 'Changes one.',
    document: projectUpdate,
    shows: 'project',
    argument: one,
    flags: fields,
    clears: ['description'],
  });
  addChange(project, adding, {
    name: 'delete',
    does: 'Deletes one that has no credentials.',
    document: projectDelete,
    shows: 'deleted',
    argument: one,
    isFinal: true,
  });
}
