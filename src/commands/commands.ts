import type { Command } from 'commander';
import type { Adding } from './command.js';
import { addCompletion } from './completion.js';
import { addExecCredential } from './exec-credential.js';
import { addLogin } from './login.js';
import { addAccount } from './nouns/account.js';
import { addAudit } from './nouns/audit.js';
import { addCredential } from './nouns/credential.js';
import { addProject } from './nouns/project.js';
import { addRole } from './nouns/role.js';
import { addStore } from './nouns/store.js';
import { addRun } from './run.js';

/** Adds the commands for every day to the command line: they call a Keyway over HTTP, and open nothing of one. */
export function addCommands(program: Command, adding: Adding): void {
  addLogin(program, adding);
  for (const add of [addCredential, addAccount, addProject, addRole, addStore]) add(program, adding);
  addAudit(adding);
  addRun(program, adding);
  addExecCredential(program, adding);
  addCompletion(program, adding);
}
