#!/usr/bin/env node
// Builds what is not built, and runs the command line.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { build, consoleSources, entry, sources } from './build.js';

// Older ones would fail at the first thing that they do not have, in words of their own.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error('Keyway needs Node 20.19 or newer.');
  process.exit(1);
}

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const built = join(root, entry);

/** When the newest file of a folder was changed, in milliseconds since 1970; 0 where there is none. */
const newestIn = (folder) =>
  Math.max(
    0,
    ...readdirSync(folder, { withFileTypes: true }).map((found) =>
      found.name === 'node_modules'
        ? 0
        : found.isDirectory()
          ? newestIn(join(folder, found.name))
          : changedAt(join(folder, found.name)),
    ),
  );
const changedAt = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

const isStale = () => {
  // The packages are packed with the rest; npm writes that file when it has changed any.
  const names = ['.swcrc', 'bin/build.js', 'node_modules/.package-lock.json'];
  const files = names.map((name) => changedAt(join(root, name)));
  const folders = [...sources, consoleSources]
    .map((name) => join(root, name))
    .filter((path) => existsSync(path));
  return Math.max(...files, ...folders.map(newestIn)) > changedAt(built);
};

if (isStale() && !(await build(root)) && !existsSync(built)) {
  console.error(
    'Keyway is not built, and there is no compiler to build it with: run npm ci without --omit=dev.',
  );
  process.exit(1);
}
// How much a function of WebAssembly is run, in bytes of its code, until V8 compiles it a second time, for speed: V8 does so
// after two million, and at a start of the embedded database with hundreds of functions that are run no more, for half of the
// time that the start takes. What serves gets there soon enough, and a command is over before.
const args = process.argv.slice(2);
const serves = ['serve', 'demo'].includes(args[0]);
setFlagsFromString(`--wasm-tiering-budget=${serves ? 180_000_000 : 1_800_000_000}`);
const { run } = await import(built);
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const code = await run(args, version);
// What a pipe has not taken yet would be cut off; one that is closed, or takes nothing, holds nobody up.
const taken = (out) => new Promise((resolve) => out.once('error', resolve).write('', resolve));
const all = Promise.all([process.stdout, process.stderr].map(taken));
await Promise.race([all, sleep(10_000)]);
process.exit(code);
