import { Option } from 'commander';
import { Secret } from '../secret.js';
import { noSuch } from './failure.js';
import { enumOf } from './flag-values.js';
import type { CommandSession } from './session.js';
import { writeOne } from './terminal/output.js';
import { isFields, type Fields } from './terminal/texts.js';

const formats = [
  'posix',
  'dotenv',
  'docker-env',
  'fish',
  'github-actions',
  'json',
  'powershell',
  'yaml',
] as const;

/** Flags for how `--output env` writes a secret. */
export const issuedOptions = (): readonly Option[] => [
  new Option('--format <format>', 'of --output env: for which reader').choices(formats).default('posix'),
  ...namingOptions('of --output env: '),
];

/** Flags for how the variables are called that hold a secret. @param about what goes before, where they are for a part */
export const namingOptions = (about: string): readonly Option[] => [
  new Option('--names <names>', `${about}as the tools of the vendor call them, or by a prefix`)
    .choices(['vendor', 'prefix'])
    .default('prefix'),
  new Option('--prefix <prefix>', `${about}what the names of the variables begin with`).default('KEYWAY'),
];

/** The variables of a document that shows a secret. */
export const issuedVariables = ({ form }: CommandSession, given: Fields): Fields => ({
  withExports: form === 'env',
  format: enumOf(String(given['format'])),
  names: enumOf(String(given['names'])),
  prefix: given['prefix'],
});

/** Writes the answer of a verb that shows a secret, with the secret: it may be the only time that it is shown. */
export async function writeIssued(session: CommandSession, answer: Fields): Promise<void> {
  const { terminal, form } = session;
  const { issued, credential } = answer;
  if (!isFields(issued)) {
    terminal.err.write(
      'The secret is not shown again: it was replaced, or the credential has ended since.\n',
    );
    return writeOne(terminal, form, credential as Fields);
  }
  const { exports, ...parts } = issued;
  // Where the format cannot hold it, the graph has said so, and the command fails with that. Its last line is ended, as what is
  // added to the same file stands below it.
  if (form === 'env')
    return exports instanceof Secret ? terminal.out.write(`${exports.expose()}\n`) : undefined;
  if (form === 'json') return writeOne(terminal, form, { ...answer, issued: parts }, true);
  const { keys, ...others } = parts;
  const named = Object.fromEntries(
    ((keys ?? []) as { name: string; value: Secret }[]).map(({ name, value }) => [name, value]),
  );
  writeOne(terminal, form, { ...(credential as Fields), ...present(others), ...named }, true);
}

/** Writes one part of a secret alone, to its last byte and with nothing behind it. @throws NOT_FOUND where it has none */
export function writePart(session: CommandSession, answer: Fields, part: string): void {
  const { keys, ...issued } = answer['issued'] as Fields & { keys: { name: string; value: Secret }[] | null };
  const value =
    keys?.find(({ name }) => name === part)?.value ??
    (Object.hasOwn(issued, part) ? issued[part] : undefined);
  if (value instanceof Secret) session.terminal.out.write(value.expose());
  else if (typeof value === 'string') session.terminal.out.write(value);
  else throw noSuch('--part');
}

const present = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
