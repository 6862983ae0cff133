import { badInput, KeywayError } from '../../errors.js';

/** The shells that `exportLines` can write for. */
export type ExportShell = 'POSIX' | 'FISH' | 'POWERSHELL';

/**
 * Shell lines that set one environment variable for each entry, `KEYWAY_ACCESS_KEY` for `accessKey`, to exactly its
 * value; running or pasting them runs nothing else.
 * @throws BAD_USER_INPUT for a prefix that is no start of a variable's name, and for a value with a control character
 * other than TAB and LF: those are refused, never altered.
 */
export function exportLines(
  entries: readonly { name: string; value: string }[],
  prefix: string,
  shell: ExportShell,
): string {
  expectPrefix(prefix);
  return entries
    .map(({ name, value }) => {
      const variable = `${prefix}_${upperSnake(name)}`;
      expectCarried(value, name);
      return assign[shell](variable, value);
    })
    .join('\n');
}

/** @throws BAD_USER_INPUT for what is no start of a variable's name. */
export function expectPrefix(prefix: string): void {
  if (!/^[A-Z][A-Z0-9_]{0,99}$/.test(prefix))
    throw badInput(
      'prefix',
      'must be 1 to 100 upper-case letters, digits and underscores, and start with a letter',
    );
}

/** @throws BAD_USER_INPUT, naming `path`, for a text, or one within an object, that shell lines cannot carry. */
export function expectCarried(value: unknown, path: string): void {
  if (typeof value === 'string' && unsafe.test(value))
    throw badInput(path, 'holds a control character that shell lines cannot carry');
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) expectCarried(member, `${path}.${name}`);
}

// Lone surrogates would arrive as replacement characters, which is altered, too.
const unsafe = /[^\P{Cc}\t\n]|\p{Cs}/u;

const assign: Record<ExportShell, (variable: string, value: string) => string> = {
  // POSIX 2.2.2: nothing is special in single quotes but their end. The exclamation mark is quoted apart because an
  // interactive shell looks for history expansions line by line, and may not know that a line began within quotes.
  POSIX: (variable, value) => `export ${variable}='${value.replace(/['!]/g, "'\\$&'")}'`,
  // fishshell.com/docs/current/language.html#quotes: in single quotes only \' and \\ are escapes.
  FISH: (variable, value) => `set -gx ${variable} '${value.replace(/['\\]/g, '\\$&')}'`,
  // about_Quoting_Rules: a quote is doubled. PowerShell takes the typographic ones for quotes as well.
  POWERSHELL: (variable, value) => `$env:${variable} = '${value.replace(/['‘’‚‛]/g, '$&$&')}'`,
};

function upperSnake(name: string): string {
  // Names come from our own lists; one that is none would end up unquoted in a shell.
  if (!/^[A-Za-z][A-Za-z0-9]*$/.test(name)) throw new KeywayError('INTERNAL_SERVER_ERROR');
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toUpperCase();
}
