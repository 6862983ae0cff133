import { CommanderError, InvalidArgumentError, Option, type Command } from 'commander';
import { CommandFailure, exitCodes, wrongUsage } from './failure.js';
import { camel, type Flag } from './flag-values.js';
import { CommandSession, type CallFlags } from './session.js';
import { outputForms } from './terminal/output.js';
import { plainJson, plainLines } from './terminal/plain.js';
import { coloured, type Terminal } from './terminal/terminal.js';
import type { Fields } from './terminal/texts.js';

/** What the commands of a noun are added with. */
export interface Adding {
  readonly terminal: Terminal;
  /** Takes the exit code of the command that ran. */
  readonly ended: (code: number) => void;
  /** The noun that the operator's commands have too. */
  readonly audit: Command;
}

/** What a command does: it may end with an exit code of its own. */
export type Act = (session: CommandSession, given: Fields) => Promise<number | void>;

/**
 * Adds a command that calls a Keyway. What is given to it is handed on by the names of its flags and arguments.
 * @param argument what comes without a flag
 */
export function addCommand(
  to: Command,
  adding: Adding,
  {
    name,
    alias,
    does,
    argument,
    flags = [],
  }: {
    readonly name: string;
    readonly alias?: string;
    readonly does: string;
    readonly argument?: Flag | undefined;
    readonly flags?: readonly Flag[];
  },
  act: Act,
): Command {
  const command = asUsage(to.command(name)).description(does);
  if (alias !== undefined) command.alias(alias);
  if (argument)
    command.argument(argument.isRequired ? `<${argument.name}>` : `[${argument.name}]`, argument.does);
  for (const one of flags) command.addOption(optionOf(one));
  callFlags().forEach((option) => command.addOption(option));
  command.action(async (...args: unknown[]) => {
    const options = command.opts<CallFlags & Fields>();
    const given = argument ? { ...options, [camel(argument.name)]: args[0] } : options;
    adding.ended(await ending(adding.terminal, options, (session) => act(session, given)));
  });
  return command;
}

/** Runs the work of a command, and tells a person or a program why it failed. @returns the exit code */
export async function ending(
  terminal: Terminal,
  flags: CallFlags,
  work: (session: CommandSession) => Promise<number | void>,
): Promise<number> {
  const session = new CommandSession(terminal, flags);
  try {
    const code = await work(session);
    session.progress.end();
    if (session.failure) tell(session, session.failure);
    return session.failure?.exitCode ?? code ?? exitCodes.done;
  } catch (error) {
    session.progress.end();
    const failure = failureOf(error);
    tell(session, failure);
    return failure.exitCode;
  }
}

/** A command whose misuse ends with the exit code for that, and not with the one for all that fails. */
export const asUsage = (command: Command): Command =>
  command.exitOverride((error) => {
    throw error.exitCode === 0 ? error : new CommanderError(exitCodes.usage, error.code, error.message);
  });

/** A whole number within bounds, for commander. */
export const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d{1,9}$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`must be a whole number from ${least} to ${most}`);
    return value;
  };

function optionOf({ name, kind, does, isList, isRequired }: Flag): Option {
  const option = new Option(
    `--${name} <${valueNames[kind] ?? 'name'}>`,
    isList ? `${does}; may be given again` : does,
  );
  if (isList) option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
  return option.makeOptionMandatory(isRequired);
}

const valueNames: Partial<Record<Flag['kind'], string>> = {
  text: 'text',
  number: 'number',
  boolean: 'true|false',
  enum: 'word',
  duration: 'duration',
  time: 'time',
  'time-ago': 'time',
  json: 'json',
};

const callFlags = () => [
  new Option('--output <form>', 'how the answer is written').choices(outputForms).default('table'),
  new Option('--json', 'the same as --output json'),
  new Option('--profile <name>', 'the profile to call by'),
  new Option('--insecure', 'call another machine by http://, where anybody on the way reads along'),
];

function failureOf(error: unknown): CommandFailure {
  if (error instanceof CommandFailure) return error;
  const { code } = error as { code?: unknown };
  return new CommandFailure(
    'FAILED',
    typeof code === 'string' ? `The command failed (${code}).` : 'The command failed.',
  );
}

function tell({ terminal, form }: CommandSession, failure: CommandFailure): void {
  const { code, message, fields, request, advice } = failure;
  if (form === 'json')
    return terminal.err.write(
      `${plainJson(JSON.stringify({ error: { code, message, fields, request, advice } }))}\n`,
    );
  const lines = [
    `${coloured(terminal, 'err', 'red', code)}: ${plainLines(message)}`,
    ...fields.map(({ path, message: fault }) => `  ${plainLines(path)}: ${plainLines(fault)}`),
    ...(request === undefined ? [] : [`  request: ${plainLines(request)}`]),
    ...(advice === undefined ? [] : [`  ${plainLines(advice)}`]),
  ];
  terminal.err.write(lines.map((line) => `${line}\n`).join(''));
}

/** What was given for an argument or flag that must be there. @throws BAD_USER_INPUT where it is not */
export function required(given: Fields, name: string): string {
  const value = given[camel(name)];
  if (typeof value !== 'string') throw wrongUsage(name, 'must be given');
  return value;
}
