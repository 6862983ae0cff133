// Builds the package: node build.mjs [folder]. A module and a CommonJS file, each with its types beside it, in dist/ of the
// folder, which is this one if none is named.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(resolve(process.argv[2] ?? here), 'dist');
const folders = { esm: 'module', cjs: 'commonjs' };

rmSync(dist, { recursive: true, force: true });
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
execFileSync(process.execPath, [tsc, '--project', here, '--outDir', join(dist, 'esm')], { stdio: 'inherit' });
mkdirSync(join(dist, 'cjs'), { recursive: true });
cpSync(join(dist, 'esm'), join(dist, 'cjs'), { recursive: true });
for (const [format, type] of Object.entries(folders)) {
  // What is required and what is imported are files of the same names, told apart by what their folder says.
  writeFileSync(join(dist, format, 'package.json'), JSON.stringify({ type, sideEffects: false }));
  await build({
    entryPoints: [join(here, 'src/index.ts')],
    outfile: join(dist, format, 'index.js'),
    bundle: true,
    format,
    platform: 'neutral',
    target: 'es2022',
    keepNames: true,
    logLevel: 'error',
  });
}
