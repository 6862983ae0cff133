import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { parseEnv } from 'node:util';
import { parse as parseYaml } from 'yaml';
import { dotenvOf, type ExportFormat } from '../../../src/credentials/secret/export-formats.js';
import { exportLines } from '../../../src/credentials/secret/exports.js';
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
  'a\n^a^b',
  'a\n^^b\n^',
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

const shells: [string, string[], ExportFormat][] = [
  ['sh', ['-c'], 'POSIX'],
  ['bash', ['-c'], 'POSIX'],
  ['bash', ['--posix', '-c'], 'POSIX'],
  ['dash', ['-c'], 'POSIX'],
  ['zsh', ['-c'], 'POSIX'],
  ['ksh', ['-c'], 'POSIX'],
  ['mksh', ['-c'], 'POSIX'],
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

test.each<[ExportFormat, (text: string) => Map<string, string>]>([
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

const commands: ExportFormat[] = ['POSIX', 'FISH', 'POWERSHELL'];
const files: ExportFormat[] = ['DOTENV', 'DOCKER_ENV', 'JSON', 'YAML', 'GITHUB_ACTIONS'];

describe.each<ExportFormat>([...commands, ...files])('%s', (shell) => {
  test.each(['', 'a', 'Keyway', '1A', '_A', 'A-B', 'A B', 'A;', 'A$(x)', 'A\n', 'Ä', `A'`, 'A'.repeat(101)])(
    'S49: refuses the prefix %j',
    (prefix) => {
      const error = thrown(() => exportLines([{ name: 'secret', value: 'v' }], prefix, shell));
      expect(error).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ path: 'prefix' }] });
    },
  );

  const carriesControls = shell === 'JSON' || shell === 'YAML';
  const controls = ['\0', '\u001b', '\r', '\u0007', '\b', '\u007f', '\u0080', '\u009b'];
  test.each(carriesControls ? ['\ud800'] : [...controls, '\ud800'])(
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

// Where there is no bracketed paste, the shell reads what is pasted key by key.
const interactive: [string, string, ExportFormat][] = [
  ['bash', 'bash --norc --noprofile -i', 'POSIX'],
  ['dash', 'dash -i', 'POSIX'],
  ['zsh', 'zsh -f -i', 'POSIX'],
  ['ksh', 'ksh -i -o emacs', 'POSIX'],
  ['mksh', 'mksh -i -o emacs', 'POSIX'],
  ['fish', 'fish --no-config -i', 'FISH'],
];
const pasting = interactive.filter(([command]) => installed(command));

test('S49: bash is there to paste into', () => expect(pasting[0]?.[0]).toBe('bash'));

test.each(pasting)(
  'S49: what is pasted into %s at a terminal yields exactly the values, tabs among them',
  async (_, command, shell) => {
    const values = ['\t', 'a\tb', '\t\tends with tabs\t', "it's\ta '\t' quoted!", 'two\n\tlines', '\\\t\\t'];
    const lines = exportLines(
      values.map((value, index) => ({ name: `v${index}`, value })),
      'K',
      shell,
    );
    const variables = await pasted(command, lines);
    for (const [index, value] of values.entries()) expect(variables).toContain(`K_V${index}=${value}`);
  },
);

/** The variables of a shell at a terminal of its own, once it has read this text. */
async function pasted(command: string, text: string): Promise<string[]> {
  const out = join(folder, 'variables');
  rmSync(out, { force: true });
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    TERM: 'dumb',
    INPUTRC: '/dev/null',
    LC_ALL: 'C.UTF-8',
  };
  const child = spawn('script', ['-qfec', command, '/dev/null'], { cwd: folder, env });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdout.resume();
  child.stdin.write(`${text}\nenv -0 > ${out}; exit\n`);
  await ended;
  return readFileSync(out, 'utf8').split('\0');
}

describe('the formats of files', () => {
  const named = (values: readonly string[]) => values.map((value, index) => ({ name: `v${index}`, value }));
  const expected = (values: readonly string[]) =>
    Object.fromEntries(values.map((value, index) => [`K_V${index}`, value]));
  const anything = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: fc.constantFrom(...'\0\r\u0007\u007f\u0085\u009b\u2028\ufeff\uffff"\\\n\t :#') }),
  );

  test('JSON and YAML carry whatever is text', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(hostile, anything)), (values) => {
        const wanted = expected(values);
        expect(JSON.parse(exportLines(named(values), 'K', 'JSON'))).toEqual(wanted);
        const yaml = exportLines(named(values), 'K', 'YAML');
        for (const version of ['1.1', '1.2'] as const)
          expect(parseYaml(yaml, { version }) ?? {}).toEqual(wanted);
        // What other readers take for no text at all.
        expect(yaml).not.toMatch(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/);
      }),
    );
  });

  test('DOTENV is read by Node itself, and refuses what readers do not agree on', () => {
    fc.assert(
      fc.property(hostile, (value) => {
        if (dotenvOf(value) === undefined) {
          expect(thrown(() => exportLines(named([value]), 'K', 'DOTENV')).code).toBe('BAD_USER_INPUT');
        } else {
          expect(parseEnv(exportLines(named([value, 'next']), 'K', 'DOTENV'))).toEqual(
            expected([value, 'next']),
          );
        }
      }),
    );
  });

  test.each([
    ['plain', "'plain'"],
    ['', "''"],
    ['$HOME ${x} `id` #', "'$HOME ${x} `id` #'"],
    ['a\\b', "'a\\b'"],
    ['two\nlines', "'two\nlines'"],
    ["it's", '"it\'s"'],
    ['a\\\\b', 'a\\\\b'],
    ['ends with \\', undefined],
    [`it's "both"`, undefined],
    ["it's $HOME", undefined],
  ])('DOTENV: %j is %j', (value, text) => expect(dotenvOf(value)).toBe(text));

  test('DOCKER_ENV is read as it is, and refuses several lines', () => {
    expect(exportLines(named(['', ` "a' #\t`]), 'K', 'DOCKER_ENV')).toBe(`K_V0=\nK_V1= "a' #\t`);
    expect(thrown(() => exportLines(named(['a\nb']), 'K', 'DOCKER_ENV'))).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ path: 'v0' }],
    });
  });

  test('GITHUB_ACTIONS has an end of its own behind several lines', () => {
    const values = ['one', 'a=b<<c', 'two\nlines\n', '', 'K_V4_END\nK_V4_END_\n'];
    expect(readGitHub(exportLines(named(values), 'K', 'GITHUB_ACTIONS'))).toEqual(expected(values));
    fc.assert(
      fc.property(fc.array(hostile), (some) => {
        expect(readGitHub(exportLines(named(some), 'K', 'GITHUB_ACTIONS'))).toEqual(expected(some));
      }),
    );
  });

  test('variables have the names that are given, where one is', () => {
    expect(
      exportLines([...named(['a']), { name: 'b', value: 'c' }], 'K', 'DOCKER_ENV', { b: 'THEIRS' }),
    ).toBe('K_V0=a\nTHEIRS=c');
  });
});

/** As the runner of GitHub Actions reads the file of variables. */
function readGitHub(text: string): Record<string, string> {
  const lines = text === '' ? [] : text.split('\n');
  const variables: Record<string, string> = {};
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const [equals, heredoc] = [line.indexOf('='), line.indexOf('<<')];
    if (equals >= 0 && (heredoc < 0 || equals < heredoc)) {
      variables[line.slice(0, equals)] = line.slice(equals + 1);
      continue;
    }
    const end = lines.indexOf(line.slice(heredoc + 2), at + 1);
    if (heredoc < 0 || end < 0) throw new Error('a line is neither');
    variables[line.slice(0, heredoc)] = lines.slice(at + 1, end).join('\n');
    at = end;
  }
  return variables;
}

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
      if (rest.startsWith("'\\t'", at)) {
        value += '\t';
        at += 3;
        continue;
      }
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
      if (rest.startsWith('\' + "`t" + \'', at)) {
        value += '\t';
        at += 11;
        continue;
      }
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
