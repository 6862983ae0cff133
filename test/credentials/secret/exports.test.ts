import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { exportLines, type ExportShell } from '../../../src/credentials/secret/exports.js';
import { KeywayError } from '../../../src/errors.js';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'keyway-exports-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const touch = 'touch ran';
const nasty = [
  'plain',
  '',
  ' ',
  ' leading and trailing ',
  "'",
  "''",
  "it's",
  "'; touch ran; '",
  `'"'"'`,
  '"',
  `"; ${touch}; "`,
  '\\',
  '\\\\',
  "\\'",
  "\\\\'",
  'ends with \\',
  '\\n\\t\\x41\\u0041',
  `$(${touch})`,
  `\`${touch}\``,
  '$HOME ${HOME} $env:HOME @HOME %HOME% ~',
  `(${touch})`,
  `<(${touch})`,
  '!history',
  '!!',
  "'!!'",
  'a\n!!',
  `it's\n!touch\n'!-1' !"`,
  '^a^b',
  '-rf',
  '--help',
  '#comment',
  `; ${touch}`,
  `&& ${touch}`,
  `| ${touch} &`,
  'two\nlines',
  `\n${touch}\n`,
  '\n',
  'ends with lines\n\n',
  '\ttabs\t',
  '* ? [a-z] {a,b} {1..3}',
  'a=b c:d,e',
  'ünïcödé 日本語 😀 \u00a0 \u2028',
  '‘smart’ ‚quotes‛ “and” „more‟',
  `’; ${touch}; ‘`,
  '-----BEGIN PRIVATE KEY-----\nMIIE+/=\n-----END PRIVATE KEY-----\n',
  '{"type": "service_account", "private_key": "-----BEGIN\\n"}',
  '\u{1f469}\u200d\u{1f4bb}',
];
const entries = nasty.map((value, index) => ({ name: `value${index}`, value }));

function variablesOf(command: string, args: string[], script: string): Map<string, string> {
  const env = { PATH: process.env['PATH'], HOME: folder };
  const ran = spawnSync(command, [...args, script], { cwd: folder, env, encoding: 'utf8' });
  expect(ran.stderr).toBe('');
  const variables = ran.stdout.split('\0').map((line) => [line.split('=', 1)[0] ?? '', line] as const);
  return new Map(variables.map(([name, line]) => [name, line.slice(name.length + 1)]));
}

const installed = (command: string) => spawnSync(command, ['-c', 'exit 0']).status === 0;

const shells: [string, string[], ExportShell][] = [
  ['sh', ['-c'], 'POSIX'],
  ['bash', ['-c'], 'POSIX'],
  ['bash', ['--posix', '-c'], 'POSIX'],
  ['dash', ['-c'], 'POSIX'],
  ['zsh', ['-c'], 'POSIX'],
  ['busybox', ['sh', '-c'], 'POSIX'],
  ['fish', ['--no-config', '-c'], 'FISH'],
];
const present = shells.filter(([command]) => installed(command));

test('S49: sh and bash are there to ask', () =>
  expect(present.map(([command]) => command)).toEqual(expect.arrayContaining(['sh', 'bash'])));

describe.each(present)('S49: %s %j', (command, args, shell) => {
  test('yields exactly the values, and runs nothing', () => {
    const variables = variablesOf(command, args, `${exportLines(entries, 'KEYWAY', shell)}\nenv -0`);
    for (const [index, value] of nasty.entries()) expect(variables.get(`KEYWAY_VALUE${index}`)).toBe(value);
    expect(existsSync(join(folder, 'ran'))).toBe(false);
  });

  test('yields exactly what fast-check thinks of', () => {
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 40 }), (values) => {
        const lines = exportLines(
          values.map((value, index) => ({ name: `v${index}`, value })),
          'K',
          shell,
        );
        const variables = variablesOf(command, args, `${lines}\nenv -0`);
        for (const [index, value] of values.entries()) expect(variables.get(`K_V${index}`)).toBe(value);
      }),
      { numRuns: 10 },
    );
  });
});

test('S49: bash expands no history in them, as where they are pasted', () => {
  const lines = exportLines(entries, 'KEYWAY', 'POSIX');
  const input = `set -o history\nset -o histexpand\n${lines}\nenv -0\n`;
  const env = { PATH: process.env['PATH'], HOME: folder };
  const { stdout } = spawnSync('bash', ['--norc'], { cwd: folder, env, input, encoding: 'utf8' });
  const variables = stdout.split('\0');
  for (const [index, value] of nasty.entries()) expect(variables).toContain(`KEYWAY_VALUE${index}=${value}`);
  expect(existsSync(join(folder, 'ran'))).toBe(false);
});

test.each<[ExportShell, (text: string) => Map<string, string>]>([
  ['FISH', readFish],
  ['POWERSHELL', readPowerShell],
])('S49: %s, by its quoting rules, yields exactly the values', (shell, read) => {
  const variables = read(exportLines(entries, 'KEYWAY', shell));
  expect([...variables]).toEqual(nasty.map((value, index) => [`KEYWAY_VALUE${index}`, value]));
  fc.assert(
    fc.property(hostile, (value) => {
      expect([...read(exportLines([{ name: 'secret', value }], 'X', shell))]).toEqual([['X_SECRET', value]]);
    }),
  );
});

test('names the variables', () => {
  const named = ['accessKey', 'secret', 'assumeRoleArn', 'userName'].map((name) => ({ name, value: 'v' }));
  expect(exportLines(named, 'AWS_1', 'POSIX')).toBe(
    "export AWS_1_ACCESS_KEY='v'\nexport AWS_1_SECRET='v'\nexport AWS_1_ASSUME_ROLE_ARN='v'\nexport AWS_1_USER_NAME='v'",
  );
  expect(exportLines(named.slice(0, 1), 'KEYWAY', 'FISH')).toBe("set -gx KEYWAY_ACCESS_KEY 'v'");
  expect(exportLines(named.slice(0, 1), 'KEYWAY', 'POWERSHELL')).toBe("$env:KEYWAY_ACCESS_KEY = 'v'");
  expect(exportLines([], 'KEYWAY', 'POSIX')).toBe('');
});

describe.each<ExportShell>(['POSIX', 'FISH', 'POWERSHELL'])('%s', (shell) => {
  test.each(['', 'a', 'Keyway', '1A', '_A', 'A-B', 'A B', 'A;', 'A$(x)', 'A\n', 'Ä', `A'`, 'A'.repeat(101)])(
    'S49: refuses the prefix %j',
    (prefix) => {
      const error = thrown(() => exportLines([{ name: 'secret', value: 'v' }], prefix, shell));
      expect(error).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ path: 'prefix' }] });
    },
  );

  test.each(['\0', '\u001b', '\r', '\u0007', '\b', '\u007f', '\u0080', '\u009b', '\ud800'])(
    'S49: refuses a value with %j, and does not repeat it',
    (character) => {
      const error = thrown(() =>
        exportLines([{ name: 'secret', value: `MARKER${character}` }], 'KEYWAY', shell),
      );
      expect(error).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ path: 'secret' }] });
      expect(JSON.stringify([error.message, error.fields])).not.toContain('MARKER');
    },
  );

  test.each(['', 'a b', 'a;b', '1a', 'a-b', 'a\n'])('a name like %j is our own fault', (name) =>
    expect(thrown(() => exportLines([{ name, value: 'v' }], 'KEYWAY', shell)).code).toBe(
      'INTERNAL_SERVER_ERROR',
    ),
  );
});

const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(...`'"\\!$\`‘’‚‛;&|(){}<>#*?~-= \t\n`),
      fc.string({ unit: 'grapheme', maxLength: 2 }),
    ),
  )
  .map((parts) => parts.join(''))
  .filter((value) => !/[^\P{Cc}\t\n]/u.test(value));

/** fishshell.com/docs/current/language.html#quotes: between single quotes only \' and \\ stand for something else. */
function readFish(text: string): Map<string, string> {
  return readLines(text, 'set -gx ', " '", (rest) => {
    let value = '';
    for (let at = 0; at < rest.length; at++) {
      const character = rest.charAt(at);
      if (character === "'") return { value, length: at + 1 };
      const escapes = character === '\\' && ["'", '\\'].includes(rest.charAt(at + 1));
      value += escapes ? rest.charAt(++at) : character;
    }
    throw new Error('the quotes do not end');
  });
}

/** about_Quoting_Rules: two quotes, of any of the five kinds, are one: the first; one of any kind ends the text. */
function readPowerShell(text: string): Map<string, string> {
  const quotes = "'‘’‚‛";
  return readLines(text, '$env:', " = '", (rest) => {
    let value = '';
    for (let at = 0; at < rest.length; at++) {
      const character = rest.charAt(at);
      if (quotes.includes(character)) {
        if (at + 1 === rest.length || !quotes.includes(rest.charAt(at + 1))) return { value, length: at + 1 };
        at++;
      }
      value += character;
    }
    throw new Error('the quotes do not end');
  });
}

/** Reads `start NAME between value`, line by line, where `quoted` reads a value and its closing quote. */
function readLines(
  text: string,
  start: string,
  between: string,
  quoted: (rest: string) => { value: string; length: number },
): Map<string, string> {
  const variables = new Map<string, string>();
  for (let rest = text; rest !== '';) {
    const name = /^[A-Z0-9_]+/.exec(rest.slice(start.length))?.[0] ?? '';
    const head = `${start}${name}${between}`;
    if (!rest.startsWith(head)) throw new Error('a line begins with something else');
    const { value, length } = quoted(rest.slice(head.length));
    variables.set(name, value);
    rest = rest.slice(head.length + length);
    if (rest !== '' && !rest.startsWith('\n')) throw new Error('something stands behind a value');
    rest = rest.slice(1);
  }
  return variables;
}

function thrown(action: () => unknown): KeywayError {
  try {
    action();
  } catch (error) {
    if (error instanceof KeywayError) return error;
  }
  throw new Error('no KeywayError was thrown');
}
