// Builds the sources as they are, file by file: types are checked by `npm run types`.
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What is built. The stand-ins of the stores are run by `demo --stores`. */
export const sources = ['src', 'migrations', 'test/upstreams'];

/** What is built, and shows by its time when that was: it is written last. */
export const entry = 'dist/src/cli/cli.js';

/**
 * Builds into `dist/`, and removes there what has no source any more. Others may run what is there meanwhile, and build too.
 * @returns whether there is a compiler to do so.
 */
export async function build(root) {
  const compiler = await import('@swc/core').catch(() => undefined);
  if (!compiler) return false;
  console.error('Building Keyway…');
  const files = sources.flatMap((folder) => filesIn(root, folder)).filter(isBuilt);
  const targets = new Map(files.map((file) => [`dist/${file.replace(/\.ts$/, '.js')}`, file]));
  const last = targets.get(entry);
  targets.delete(entry);
  targets.set(entry, last);
  for (const [target, file] of targets) {
    const path = join(root, target);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(
      `${path}.${process.pid}`,
      compiler.transformFileSync(join(root, file), { root, cwd: root }).code,
    );
    renameSync(`${path}.${process.pid}`, path);
  }
  for (const path of filesIn(root, 'dist'))
    if (path.endsWith('.js') && !targets.has(path)) rmSync(join(root, path), { force: true });
  return true;
}

const isBuilt = (path) => path.endsWith('.ts') && !path.endsWith('.test.ts');

const filesIn = (root, folder) =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((found) => {
    const path = `${folder}/${found.name}`;
    return found.isDirectory() ? filesIn(root, path) : [path];
  });

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  if (!(await build(root))) throw new Error('there is no compiler: run npm ci without --omit=dev');
}
