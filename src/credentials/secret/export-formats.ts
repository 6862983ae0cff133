/** How environment variables can be written. */
export type ExportFormat =
  'POSIX' | 'FISH' | 'POWERSHELL' | 'DOTENV' | 'DOCKER_ENV' | 'JSON' | 'YAML' | 'GITHUB_ACTIONS';

/** An environment variable; its name is one. */
export interface Variable {
  name: string;
  value: string;
}

/** Writes variables whose values the format can carry (`expectCarried`). */
type Write = (variables: readonly Variable[]) => string;

const eachLine =
  (write: (variable: Variable) => string): Write =>
  (variables) =>
    variables.map(write).join('\n');

/** By format; every value is read back exactly as it is. */
export const formats: Record<ExportFormat, Write> = {
  POSIX: eachLine(({ name, value }) => `export ${name}=${posix(value)}`),
  FISH: eachLine(({ name, value }) => `set -gx ${name} ${fish(value)}`),
  POWERSHELL: eachLine(({ name, value }) => `$env:${name} = ${powerShell(value)}`),
  DOTENV: eachLine(({ name, value }) => `${name}=${dotenvOf(value) ?? ''}`),
  // docs.docker.com/reference/cli/docker/container/run: all behind the equals sign is the value, as it is.
  DOCKER_ENV: eachLine(({ name, value }) => `${name}=${value}`),
  JSON: (variables) =>
    JSON.stringify(Object.fromEntries(variables.map(({ name, value }) => [name, value])), null, 2),
  YAML: eachLine(({ name, value }) => `${name}: ${yaml(value)}`),
  GITHUB_ACTIONS: eachLine(gitHub),
};

/**
 * POSIX 2.2.2: nothing is special in single quotes but their end. Three characters are written apart: an interactive
 * shell looks for history expansions at an exclamation mark, and at a caret that a line begins with, line by line, and may
 * not know that a line began within quotes; and where there is no bracketed paste, a tab asks it to complete a word.
 */
const posix = (value: string): string =>
  `'${value.replace(/['!]|(?<=[\r\n])\^/g, "'\\$&'").replaceAll('\t', `'"$(printf '\\t')"'`)}'`;

/** fishshell.com/docs/current/language.html#quotes: in single quotes only \' and \\ are escapes; outside, \t is one. */
const fish = (value: string): string => `'${value.replace(/['\\]/g, '\\$&').replaceAll('\t', "'\\t'")}'`;

/** about_Quoting_Rules: a quote is doubled. PowerShell takes the typographic ones for quotes as well. */
const powerShell = (value: string): string =>
  value
    .split('\t')
    .map((part) => `'${part.replace(/['‘’‚‛]/g, '$&$&')}'`)
    .join(' + "`t" + ');

/**
 * A value of an .env file in a spelling that its readers agree on (dotenv of Node and of Python, Node itself, Docker
 * Compose); undefined where there is none.
 */
export function dotenvOf(value: string): string | undefined {
  // Nothing is special in single quotes, but for a backslash before another or before a quote.
  if (!/'|\\\\|\\$/.test(value)) return `'${value}'`;
  if (!/[\s#'"`$]/.test(value)) return value;
  // In double quotes more is, but nothing of this.
  return /["\\$`]/.test(value) ? undefined : `"${value}"`;
}

/**
 * A double-quoted scalar (yaml.org/spec/1.2.2, 7.3.1): that of JSON, without what YAML takes for no text or for a line.
 */
const yaml = (value: string): string =>
  JSON.stringify(value).replace(
    /[\u007f-\u00a0\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/**
 * A line or lines of the file that GITHUB_ENV names (docs.github.com/actions: workflow commands, multiline strings). What
 * ends a value is no line of it.
 */
function gitHub({ name, value }: Variable): string {
  if (!value.includes('\n')) return `${name}=${value}`;
  const lines = new Set(value.split('\n'));
  let end = `${name}_END`;
  while (lines.has(end)) end += '_';
  return `${name}<<${end}\n${value}\n${end}`;
}
