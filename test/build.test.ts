import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
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
  mkdirSync(join(root, 'node_modules'));
  for (const name of readdirSync('node_modules').filter((one) => one !== '.package-lock.json'))
    symlinkSync(resolve('node_modules', name), join(root, 'node_modules', name));
  // Made for each, it would take most of the time.
  mkdirSync(join(root, 'dist'));
  symlinkSync(resolve('dist/embedded'), join(root, 'dist/embedded'));
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
/** As if it were changed after all that was built so far. */
function touch(path: string) {
  const later = new Date(Date.now() + 10_000);
  utimesSync(join(root, path), later, later);
}
const ran = () => promisify(execFile)(process.execPath, [join(root, 'bin/keyway.js')]);

test('what is not built is built, what is built is run as it is, and what has changed is built again', async () => {
  write('first');
  expect(await ran()).toEqual({ stdout: 'first\n', stderr: 'Building Keyway…\n' });
  expect(await ran()).toEqual({ stdout: 'first\n', stderr: '' });
  write('second');
  touch('src/word.ts');
  expect(await ran()).toEqual({ stdout: 'second\n', stderr: 'Building Keyway…\n' });
});

test('the console is built with it, again where it has changed; one that cannot be built is left out, and told', async () => {
  write('served');
  mkdirSync(join(root, 'console'));
  const page = () => readFileSync(join(root, 'dist/console/index.html'), 'utf8');
  writeFileSync(join(root, 'console/index.html'), '<title>one</title>');
  writeFileSync(join(root, 'console/vite.config.ts'), 'export default {};');
  expect(await ran()).toEqual({ stdout: 'served\n', stderr: 'Building Keyway…\n' });
  expect(page()).toContain('one');
  writeFileSync(join(root, 'console/index.html'), '<title>other</title>');
  touch('console/index.html');
  await ran();
  expect(page()).toContain('other');
  writeFileSync(join(root, 'console/vite.config.ts'), 'throw new Error();');
  touch('console/vite.config.ts');
  const { stdout, stderr } = await ran();
  expect(stdout).toBe('served\n');
  expect(stderr).toContain('The console could not be built, and is left out.');
  expect(page()).toContain('other');
});

test('packages are packed with the rest: where npm has changed any, it is built again', async () => {
  write('first');
  await ran();
  writeFileSync(join(root, 'node_modules/.package-lock.json'), '{}');
  touch('node_modules/.package-lock.json');
  expect(await ran()).toEqual({ stdout: 'first\n', stderr: 'Building Keyway…\n' });
});

test('a package that is no module has all its names, however it is imported', async () => {
  writeFileSync(
    join(root, 'src/cli/cli.ts'),
    `import { validateSync } from 'class-validator';
     import { parse } from 'graphql';
     export async function run(): Promise<number> {
       const [validator, graphql] = await Promise.all([import('class-validator'), import('graphql')]);
       console.log(validator.validateSync === validateSync, graphql.parse === parse);
       return 0;
     }`,
  );
  expect((await ran()).stdout).toBe('true true\n');
});

test('what runs finds its files after it was built again, if not for ever', async () => {
  const packed = () => readdirSync(join(root, 'dist/packed'));
  write('0');
  await ran();
  const [first] = packed();
  for (let build = 1; build < 5; build++) {
    write(`${build}`);
    touch('src/word.ts');
    await ran();
    expect(packed()).toContain(first);
  }
  write('last');
  touch('src/word.ts');
  await ran();
  expect(packed()).toHaveLength(5);
  expect(packed()).not.toContain(first);
});

test('names of classes are what they were: they are names of the graph, and what errors are told apart by', async () => {
  const run = (...args: string[]) => promisify(execFile)(process.execPath, ['bin/keyway.js', ...args]);
  expect((await run('schema', '-')).stdout).toBe(readFileSync('schema.graphql', 'utf8'));
  await expect(run('nosuch')).rejects.toMatchObject({ stderr: "error: unknown command 'nosuch'\n" });
});

test('what has no source any more is removed, and tests are not built', async () => {
  write('first');
  writeFileSync(join(root, 'src/gone.ts'), 'export {};');
  writeFileSync(join(root, 'test/upstreams/one.test.ts'), 'export {};');
  await ran();
  expect(existsSync(join(root, 'dist/src/gone.js'))).toBe(true);
  expect(existsSync(join(root, 'dist/test/upstreams/one.test.js'))).toBe(false);
  rmSync(join(root, 'src/gone.ts'));
  touch('src/cli/cli.ts');
  await ran();
  expect(existsSync(join(root, 'dist/src/gone.js'))).toBe(false);
});
