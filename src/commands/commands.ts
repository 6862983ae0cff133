import type { Command } from 'commander';
import type { Adding } from './command.js';
import { addLogin } from './login.js';
import { addCredential } from './nouns/credential.js';

/** Adds the commands for every day to the command line: they call a Keyway over HTTP, and open nothing of one. */
export function addCommands(program: Command, adding: Adding): void {
  addLogin(program, adding);
  addCredential(program, adding);
}
