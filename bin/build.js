// Builds the sources as they are, file by file, and packs what is run into few files: types are checked by `npm run types`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What is built. The stand-ins of the stores are run by `demo --stores`. */
export const sources = ['src', 'migrations', 'test/upstreams'];

/** What the console is built from. Where it is not there, Keyway is built without it. */
export const consoleSources = 'console';

/** What is run, and shows by its time when it was built: it is written last. */
export const entry = 'dist/keyway.js';

/**
 * Builds into `dist/`, and removes there what has no source any more. Others may run what is there meanwhile, and build too.
 * @returns whether there is a compiler to do so.
 */
export async function build(root) {
  const tools = await Promise.all([import('@swc/core'), import('esbuild')]).catch(() => undefined);
  if (!tools) return false;
  console.error('Building Keyway…');
  const [packed] = await Promise.all([makeCode(root, ...tools), makeImage(root), makeConsole(root)]);
  writeWhole(join(root, entry), `export { run } from './packed/${packed}/cli.js';\n`);
  sweep(root);
  return true;
}

/** @returns the folder of `dist/packed` with what is to be run. */
async function makeCode(root, compiler, packer) {
  const files = sources.flatMap((folder) => filesIn(root, folder)).filter(isBuilt);
  const built = new Set();
  const write = (path, contents) => {
    writeWhole(join(root, path), contents);
    built.add(path);
  };
  for (const file of files)
    write(
      `dist/${file.replace(/\.ts$/, '.js')}`,
      compiler.transformFileSync(join(root, file), { root, cwd: root }).code,
    );
  for (const path of sources.flatMap((folder) => builtIn(root, folder)))
    if (path.endsWith('.js') && !built.has(path)) rmSync(join(root, path), { force: true });
  const packed = await pack(root, packer);
  const name = packed
    .reduce((hash, { contents }) => hash.update(contents), createHash('sha256'))
    .digest('hex')
    .slice(0, 12);
  for (const { file, contents } of packed) writeWhole(join(root, 'dist/packed', name, file), contents);
  return name;
}

/** So that whoever reads it meanwhile finds all of it, or what was there before. */
function writeWhole(path, contents) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.${process.pid}`, contents);
  renameSync(`${path}.${process.pid}`, path);
}

/**
 * Removes what earlier builds have left, but for the last few: one that runs still reads its files, and another build may
 * be under way.
 */
function sweep(root) {
  const changedMs = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const packed = join(root, 'dist/packed');
  const byAge = readdirSync(packed).sort(
    (one, other) => changedMs(join(packed, other)) - changedMs(join(packed, one)),
  );
  const images = readdirSync(join(root, 'dist'))
    .filter((name) => /^(embedded|console)\.\d+$/.test(name))
    .map((name) => join(root, 'dist', name))
    .filter((path) => changedMs(path) < Date.now() - longestBuildMs);
  for (const path of [...byAge.slice(mostKept).map((name) => join(packed, name)), ...images])
    rmSync(path, { recursive: true, force: true });
}

const mostKept = 5;
const longestBuildMs = 3_600_000;

/** What has files of its own besides its code, and what must be there before any class is. */
const external = [
  // Loaded only where a setting asks for it, and large.
  '@aws-sdk/*',
  '@electric-sql/pglite',
  '@node-rs/argon2',
  '@graphql-yoga/render-graphiql',
  'reflect-metadata',
  // Not here: the client of Redis looks for them where functions are used that Keyway does not use.
  '@node-rs/xxhash',
  '@opentelemetry/api',
];

const isExternal = (path) =>
  external.some((name) => (name.endsWith('*') ? path.startsWith(name.slice(0, -1)) : path === name));

/** A package that is no module would be brought by import() with its default alone: here it comes with all its names. */
const wholePackages = {
  name: 'whole packages',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[^./]/ }, ({ path, kind, resolveDir }) =>
      kind === 'dynamic-import' && !path.startsWith('node:') && !isExternal(path)
        ? { path, namespace: 'whole', pluginData: resolveDir }
        : undefined,
    );
    onLoad({ filter: /^/, namespace: 'whole' }, ({ path, pluginData: resolveDir }) => {
      const names = Object.keys(createRequire(join(resolveDir, 'any.js'))(path));
      const contents = `export { ${[...new Set([...names, 'default'])].join(', ')} } from '${path}';`;
      return { contents, resolveDir };
    });
  },
};

/**
 * The command line and all packages that it uses, in a file for each part that is loaded on its own: finding and reading
 * thousands of files would be half of a start.
 */
async function pack(root, packer) {
  const { outputFiles } = await packer.build({
    absWorkingDir: root,
    entryPoints: ['dist/src/cli/cli.js'],
    outdir: 'dist/packed',
    write: false,
    bundle: true,
    splitting: true,
    plugins: [wholePackages],
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // Names of classes are names of the graph, and some errors are told apart by theirs.
    keepNames: true,
    // Node 20 has none, and pg loads all of fetch to see in another way where it runs.
    define: { navigator: '{"userAgent":"Node.js"}' },
    external,
    banner: {
      js: [
        "import 'reflect-metadata';",
        // Packages that are no modules ask for those of Node by it.
        "import { createRequire as requireFrom } from 'node:module';",
        'const require = requireFrom(import.meta.url);',
      ].join('\n'),
    },
    logLevel: 'error',
  });
  return outputFiles.map(({ path, contents }) => ({ file: basename(path), contents }));
}

/**
 * The console, where what it is made of has changed; in a process of its own, as it takes as long as all the rest. Where it
 * cannot be made, Keyway serves everything else.
 */
async function makeConsole(root) {
  const from = join(root, consoleSources);
  const folder = join(root, 'dist/console');
  if (!existsSync(join(from, 'vite.config.ts'))) return;
  // What it is built with is as much a part of it as its own files.
  const stamp = digestOf(['package-lock.json', ...filesIn(root, consoleSources)], root);
  if (textOf(join(folder, 'made-from')) === stamp) return;
  const made = `${folder}.${process.pid}`;
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  const child = spawn(process.execPath, [vite, 'build', '--logLevel', 'error', '--outDir', made], {
    cwd: from,
    stdio: ['ignore', 'ignore', 'inherit'],
    // Whoever has it made, as tests do, who set another one: it stays for those who use it.
    env: { ...process.env, NODE_ENV: 'production' },
  });
  const [code] = await once(child, 'close');
  if (code === 0) {
    writeFileSync(join(made, 'made-from'), stamp);
    replaceFolder(made, folder);
  } else {
    console.error('The console could not be built, and is left out. After npm ci it is tried again.');
  }
  rmSync(made, { recursive: true, force: true });
}

/** What these files are, in a word. */
function digestOf(paths, root) {
  const hash = createHash('sha256');
  for (const path of [...paths].sort()) hash.update(`${path}\0${textOf(join(root, path))}\0`);
  return hash.digest('hex');
}

/** Puts a folder in the place of another. Whoever reads the other one has read all of it at once. */
function replaceFolder(made, folder) {
  try {
    rmSync(folder, { recursive: true, force: true });
    renameSync(made, folder);
  } catch (error) {
    // Another build was first.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

/** The embedded database that first starts copy; where it cannot be made, each of them makes its own. */
async function makeImage(root) {
  const folder = join(root, 'dist/embedded');
  const { version } = JSON.parse(
    readFileSync(join(root, 'node_modules/@electric-sql/pglite/package.json'), 'utf8'),
  );
  if (textOf(join(folder, 'made-with')) === version) return;
  const made = `${folder}.${process.pid}`;
  const child = spawn(process.execPath, [join(root, 'bin/embedded-image.js'), made], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'close');
  if (code === 0) {
    writeFileSync(join(made, 'made-with'), version);
    replaceFolder(made, folder);
  }
  rmSync(made, { recursive: true, force: true });
}

function textOf(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

const isBuilt = (path) => path.endsWith('.ts') && !path.endsWith('.test.ts');

const builtIn = (root, folder) =>
  existsSync(join(root, 'dist', folder)) ? filesIn(root, `dist/${folder}`) : [];

const filesIn = (root, folder) =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((found) => {
    const path = `${folder}/${found.name}`;
    if (found.name === 'node_modules') return [];
    return found.isDirectory() ? filesIn(root, path) : [path];
  });

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  if (!(await build(root))) throw new Error('there is no compiler: run npm ci without --omit=dev');
}
