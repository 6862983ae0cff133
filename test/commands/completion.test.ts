/** @embedded the command line */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { keyway } from '../support/command-line.js';

// The scripts, in the shells that they are for.

const scriptFor = async (shell: string) => {
  const { code, out } = await keyway(['completion', shell]);
  expect(code).toBe(0);
  return out;
};

/** What is offered after these words, the last of which is being typed. */
async function offered(words: string[]): Promise<string[]> {
  const said = [
    await scriptFor('bash'),
    `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _keyway`,
    'printf "%s\\n" "${COMPREPLY[@]}"',
  ].join('\n');
  const out = execFileSync('bash', ['--norc', '-c', said], { encoding: 'utf8' });
  return out.split('\n').filter(Boolean);
}

test.each([
  [['keyway', 'cred'], ['credential']],
  [['keyway', 'credential', 'rot'], ['rotate']],
  [['keyway', 'credential', 'rotate', 'any name', '--gr'], ['--grace']],
  [
    ['keyway', 'credential', 'list', '--output', ''],
    ['table', 'json', 'csv', 'env'],
  ],
  [['keyway', 'credential', 'list', '--output', 'c'], ['csv']],
  [['keyway', 'completion', 'b'], []],
  [['keyway', 'no', 'such', 'x'], []],
])('bash: after %j', async (words, choices) => {
  expect(await offered(words)).toEqual(choices);
});

test('bash: commands and flags of a noun, and none that is hidden', async () => {
  const all = await offered(['keyway', '']);
  expect(all).toEqual(
    expect.arrayContaining(['serve', 'login', 'credential', 'store', 'audit', 'run', '--version']),
  );
  expect(all.filter((word) => word.includes('beside'))).toEqual([]);
  expect(await offered(['keyway', 'credential', ''])).toEqual(
    expect.arrayContaining(['list', 'show', 'create', 'revoke']),
  );
});

// Where a machine has them.
const others = ['zsh', 'fish'].filter((shell) => existsSync(`/usr/bin/${shell}`));

test('the shells that are here take their scripts', async () => {
  for (const shell of ['bash', ...others]) {
    const script = await scriptFor(shell);
    const before = shell === 'zsh' ? 'autoload -U compinit && compinit -u -D\n' : '';
    expect(execFileSync(shell, ['-c', `${before}${script}`], { encoding: 'utf8' })).toBe('');
  }
});

test('another shell is refused, with those that there are', async () => {
  const { code, err } = await keyway(['completion', 'csh']);
  expect(code).not.toBe(0);
  expect(err).toContain('bash, zsh, fish');
});

test('a shell that there is no script for is what was typed wrong', async () => {
  const { code, err } = await keyway(['completion', 'csh']);
  expect([code, err]).toEqual([2, expect.stringContaining('bash, zsh, fish')]);
});
