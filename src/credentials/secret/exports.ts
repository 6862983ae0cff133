import { badInput, KeywayError } from '../../errors.js';
import { dotenvOf, formats, type ExportFormat, type Variable } from './export-formats.js';

/**
 * A text that sets one environment variable for each entry, `KEYWAY_ACCESS_KEY` for `accessKey`, to exactly its value;
 * running or pasting it runs nothing else.
 * @param given the names of variables that are called otherwise, by the names of their entries
 * @throws BAD_USER_INPUT for a prefix that is no start of a variable's name, and for a value that the format cannot
 * carry: such are refused, never altered.
 */
export function exportLines(
  entries: readonly { name: string; value: string }[],
  prefix: string,
  format: ExportFormat,
  given: Readonly<Record<string, string>> = {},
): string {
  expectPrefix(prefix);
  const variables = entries.map(({ name, value }): Variable => {
    expectCarried(value, name, format);
    return { name: given[name] ?? `${prefix}_${upperSnake(name)}`, value };
  });
  return formats[format](variables);
}

/** @throws BAD_USER_INPUT for what is no start of a variable's name. */
export function expectPrefix(prefix: string): void {
  if (!/^[A-Z][A-Z0-9_]{0,99}$/.test(prefix))
    throw badInput(
      'prefix',
      'must be 1 to 100 upper-case letters, digits and underscores, and start with a letter',
    );
}

/** @throws BAD_USER_INPUT, naming `path`, for a text, or one within an object, that the format cannot carry. */
export function expectCarried(value: unknown, path: string, format: ExportFormat): void {
  const fault = typeof value === 'string' ? faultOf(value, format) : undefined;
  if (fault) throw badInput(path, fault);
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) expectCarried(member, `${path}.${name}`, format);
}

function faultOf(value: string, format: ExportFormat): string | undefined {
  // Lone surrogates would arrive as replacement characters, which is altered, too.
  if (/\p{Cs}/u.test(value)) return 'holds half a character, which no text can carry';
  if (format === 'JSON' || format === 'YAML') return undefined;
  if (/[^\P{Cc}\t\n]/u.test(value))
    return `holds a control character that ${format} cannot carry: JSON and YAML can`;
  if (format === 'DOCKER_ENV' && value.includes('\n'))
    return 'has several lines, which a file of variables for Docker cannot carry';
  if (format === 'DOTENV' && dotenvOf(value) === undefined)
    return 'holds quotes or backslashes that readers of .env files do not agree on';
  return undefined;
}

function upperSnake(name: string): string {
  // Names come from our own lists; one that is none would end up unquoted in a shell.
  if (!/^[A-Za-z][A-Za-z0-9]*$/.test(name)) throw new KeywayError('INTERNAL_SERVER_ERROR');
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toUpperCase();
}
