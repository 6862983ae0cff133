import { randomUUID } from 'node:crypto';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { addCommand, type Adding } from './command.js';
import { CommandFailure, wrongUsage } from './failure.js';
import { camel, variablesFrom, type Flag } from './flag-values.js';
import { inputOf, sealed } from './secret-input.js';
import type { CommandSession } from './session.js';
import { writeJson, writeOne } from './terminal/output.js';
import { isFields, type Fields } from './terminal/texts.js';

/** A mutation as a command. */
export interface Change {
  readonly name: string;
  readonly alias?: string;
  readonly does: string;
  /** Its document, with `$input`. */
  readonly document: string;
  /** The member of the answer that is written; where it is no object, the answer is. */
  readonly shows: string;
  readonly argument: Flag;
  /** Their places are below `input`. */
  readonly flags?: readonly Flag[];
  /** Adds what a flag alone cannot say, such as a secret that is asked for. */
  readonly more?: (session: CommandSession, input: Fields, given: Fields) => Promise<Fields>;
  readonly options?: readonly Option[];
  /** Variables of the document besides the input. */
  readonly variables?: (session: CommandSession, given: Fields) => Fields;
  /** The fields that `--clear` takes away. */
  readonly clears?: readonly string[];
  readonly takesCode?: boolean;
  /** False for what has no idempotency key, and may not be done twice unasked. */
  readonly isRepeatable?: boolean;
  /** Whether it ends something for good: a person is asked, a script says `--yes`. */
  readonly isFinal?: boolean;
  /** What comes of the answer, where it is more than to be written; may say the exit code. */
  readonly after?: (session: CommandSession, payload: Fields, given: Fields) => Promise<number | void>;
}

/** Adds a command that changes something, with `--dry-run`, `--input` and what else all of them have. */
export function addChange(to: Command, adding: Adding, change: Change): Command {
  const { name, alias, does, argument, flags = [], isRepeatable = true } = change;
  const command = addCommand(
    to,
    adding,
    { name, ...(alias !== undefined && { alias }), does, argument, flags },
    (session, given) => act(session, change, given),
  );
  const options = [
    ...(change.options ?? []),
    ...(change.clears ? [clearing(change.clears)] : []),
    ...(change.takesCode
      ? [new Option('--mfa', 'ask for a code of your second factor, or read it as a line')]
      : []),
    ...(change.isFinal ? [new Option('--yes', 'do not ask whether it is meant')] : []),
    ...(isRepeatable
      ? [
          new Option(
            '--idempotency-key <key>',
            'that of a command that is repeated; a fresh one, if left out',
          ),
        ]
      : []),
    new Option('--input <file>', 'more fields of the input, as a file of JSON; - is standard input'),
    new Option('--dry-run', 'print what would be sent, without secrets, and send nothing'),
  ];
  options.forEach((option) => command.addOption(option));
  return command;
}

async function act(session: CommandSession, change: Change, given: Fields): Promise<number | void> {
  const input = await inputFor(session, change, given);
  const [, operation = ''] = /^\s*mutation\s+\w+\([^)]*\)\s*\{\s*(\w+)/.exec(change.document) ?? [];
  if (given['dryRun'] === true) return writeJson(session.terminal, { operation, variables: { input } });
  if (change.isFinal) await expectMeant(session, change, given);
  const answer = (await askWithCode(session, change, { ...change.variables?.(session, given), input }))[
    operation
  ] as Fields;
  if (change.after) return change.after(session, answer, given);
  const told = answer[change.shows];
  writeOne(session.terminal, session.form, isFields(told) ? told : answer);
}

async function inputFor(session: CommandSession, change: Change, given: Fields): Promise<Fields> {
  const { argument, flags = [], isRepeatable = true } = change;
  const file = given['input'];
  let input =
    typeof file === 'string'
      ? sealed(inputOf(file === '-' ? await session.questions.whole() : file, file))
      : {};
  for (const [path, value] of Object.entries(await variablesFrom(session, [argument, ...flags], given)))
    input = merged(input, path, value);
  for (const field of (given['clear'] as string[] | undefined) ?? [])
    input = { ...input, [camel(field)]: null };
  if (change.more) input = await change.more(session, input, given);
  if (given['mfa'] === true) input = { ...input, mfaCode: await session.questions.secret('second factor') };
  if (!isRepeatable) return input;
  return { ...input, idempotencyKey: given['idempotencyKey'] ?? input['idempotencyKey'] ?? randomUUID() };
}

function merged(input: Fields, path: string, value: unknown): Fields {
  const before = input[path];
  return { ...input, [path]: isFields(before) && isFields(value) ? { ...before, ...value } : value };
}

/** Asks the graph; where it wants a code of the second factor and a person is there, with the code that they type. */
export async function askWithCode(
  session: CommandSession,
  change: Pick<Change, 'document' | 'takesCode'>,
  variables: Fields,
): Promise<Fields> {
  const input = variables['input'] as Fields;
  try {
    return await session.ask(change.document, variables);
  } catch (error) {
    const isWanted =
      error instanceof CommandFailure && error.fields.some(({ path }) => path === 'input.mfaCode');
    if (!isWanted || !change.takesCode || !session.questions.isPerson || 'mfaCode' in input) throw error;
    const mfaCode = await session.questions.secret('second factor');
    return session.ask(change.document, { ...variables, input: { ...input, mfaCode } });
  }
}

async function expectMeant(
  session: CommandSession,
  { name, argument }: Change,
  given: Fields,
): Promise<void> {
  if (given['yes'] === true) return;
  const said = given[camel(argument.name)];
  const answer = await session.questions.answer(
    `This cannot be undone. To ${name} it, type what you called it: `,
  );
  if (answer === undefined) throw wrongUsage('--yes', 'must be given where nobody can be asked');
  if (answer !== said) throw wrongUsage(argument.name, 'was typed otherwise: nothing was done');
}

const clearing = (fields: readonly string[]) =>
  new Option('--clear <field>', `take a value away: ${fields.join(', ')}; may be given again`)
    .choices(fields)
    .argParser((value: string, before: string[] | undefined) => {
      if (!fields.includes(value)) throw new InvalidArgumentError(`must be one of ${fields.join(', ')}`);
      return [...(before ?? []), value];
    });
