import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

// `bin/keyway.js` builds what has changed since it was built, so that `npm start` needs no step before it.

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'keyway-build-'));
  for (const name of ['bin', '.swcrc', 'package.json']) cpSync(name, join(root, name), { recursive: true });
  symlinkSync(resolve('node_modules'), join(root, 'node_modules'));
  for (const folder of ['src/cli', 'migrations', 'test/upstreams'])
    mkdirSync(join(root, folder), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A command line that says this, and what it says. */
function write(text: string) {
  writeFileSync(join(root, 'src/word.ts'), `export const word: string = '${text}';`);
  writeFileSync(
    join(root, 'src/cli/cli.ts'),
    `import { word } from '../word.js';
     export async function run(): Promise<number> { console.log(word); return 0; }`,
  );
}
const ran = () => promisify(execFile)(process.execPath, [join(root, 'bin/keyway.js')]);

test('what is not built is built, what is built is run as it is, and what has changed is built again', async () => {
  write('first');
  expect(await ran()).toEqual({ stdout: 'first\n', stderr: 'Building Keyway…\n' });
  expect(await ran()).toEqual({ stdout: 'first\n', stderr: '' });
  write('second');
  const later = new Date(Date.now() + 10_000);
  utimesSync(join(root, 'src/word.ts'), later, later);
  expect(await ran()).toEqual({ stdout: 'second\n', stderr: 'Building Keyway…\n' });
});

test('what has no source any more is removed, and tests are not built', async () => {
  write('first');
  writeFileSync(join(root, 'src/gone.ts'), 'export {};');
  writeFileSync(join(root, 'test/upstreams/one.test.ts'), 'export {};');
  await ran();
  expect(existsSync(join(root, 'dist/src/gone.js'))).toBe(true);
  expect(existsSync(join(root, 'dist/test/upstreams/one.test.js'))).toBe(false);
  rmSync(join(root, 'src/gone.ts'));
  const later = new Date(Date.now() + 10_000);
  utimesSync(join(root, 'src/cli/cli.ts'), later, later);
  await ran();
  expect(existsSync(join(root, 'dist/src/gone.js'))).toBe(false);
});
