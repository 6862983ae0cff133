import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { Command } from 'commander';
import { environmentWith } from '../config/config.js';
import { Secret } from '../secret.js';
import { askWithCode } from './change-command.js';
import { addCommand, type Adding } from './command.js';
import { credentialReveal } from './documents/credential-changes.js';
import { CommandFailure, wrongUsage } from './failure.js';
import { enumOf, flag, variablesFrom } from './flag-values.js';
import { namingOptions } from './issued.js';
import type { CommandSession } from './session.js';
import type { Fields } from './terminal/texts.js';

const credential = flag('ids', 'a retrievable credential, by its id, name or access key', {
  name: 'credential',
  kind: 'credential',
  isList: true,
  isRequired: true,
});

/** `keyway run --credential X -- command`: a program with secrets in its environment, and nowhere else. */
export function addRun(program: Command, adding: Adding): void {
  const command = addCommand(
    program,
    adding,
    {
      name: 'run',
      does: 'Runs a program with the secrets of credentials in its environment. Each is revealed, which is on record.',
      flags: [credential],
    },
    async (session, given) => {
      const [program = '', ...args] = command.args;
      return runProgram(program, args, await environmentFor(session, given));
    },
  );
  command.argument('<command...>', 'the program and its arguments, after --');
  namingOptions('').forEach((option) => command.addOption(option));
}

/** @throws BAD_USER_INPUT where two credentials would have one variable */
async function environmentFor(session: CommandSession, given: Fields): Promise<Record<string, string>> {
  const environment = new Map<string, string>();
  for (const id of (await variablesFrom(session, [credential], given))['ids'] as string[]) {
    const change = { document: credentialReveal, takesCode: true };
    const { revealCredential } = await askWithCode(session, change, {
      input: { id },
      withExports: true,
      format: 'JSON',
      names: enumOf(String(given['names'])),
      prefix: given['prefix'],
    });
    const { exports } = (revealCredential as { issued: { exports: unknown } }).issued;
    if (session.failure) throw session.failure;
    if (!(exports instanceof Secret))
      throw wrongUsage('--credential', 'has nothing that fits an environment');
    for (const [name, value] of Object.entries(JSON.parse(exports.expose()) as Record<string, string>)) {
      if (environment.has(name))
        throw wrongUsage('--credential', `gives ${name} a second time: use --names vendor, or one at a time`);
      environment.set(name, value);
    }
  }
  return Object.fromEntries(environment);
}

/**
 * Runs a program in the place of this one: it has the terminal, and signals are its to take.
 * @returns how it ended; 128 and the number of the signal that ended it, as shells say
 * @throws CommandFailure with exit code 127 where there is none, 126 where it cannot be run
 */
async function runProgram(
  program: string,
  args: readonly string[],
  added: Record<string, string>,
): Promise<number> {
  const child = spawn(program, args, { stdio: 'inherit', env: environmentWith(added) });
  // Those of the keyboard reach the program by themselves.
  const kept = (['SIGINT', 'SIGQUIT'] as const).map((signal) => ({ signal, take: () => undefined }));
  const handedOn = (['SIGTERM', 'SIGHUP'] as const).map((signal) => ({
    signal,
    take: () => void child.kill(signal),
  }));
  const taken = [...kept, ...handedOn];
  taken.forEach(({ signal, take }) => process.on(signal, take));
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return code ?? 128 + (signal ? constants.signals[signal] : 0);
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new CommandFailure('FAILED', `The program ${isMissing ? 'is not there' : 'cannot be run'}.`, {
      exitCode: isMissing ? 127 : 126,
    });
  } finally {
    taken.forEach(({ signal, take }) => process.off(signal, take));
  }
}
