// Runs the steps of the Dockerfile without Docker: each COPY and RUN that it has, as an ordinary user, in a clean folder
// that has what git has. Then it starts what came of it as the image would, with its files read-only, asks the health check
// of the Dockerfile, /ready, the first query of the README and the doctor, and ends it by SIGTERM.
//
// What it cannot do is said: the base image is not there, so that steps for its system are left out, and Node is the one
// that runs this.
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { askFirstQuery, freePort, waitUntil } from '../.ci/readme-query.mjs';
import { readStages } from './dockerfile.mjs';

/** `nobody`, where this is run by root: nothing of it needs more. */
const user = process.getuid() === 0 ? { uid: 65_534, gid: 65_534 } : {};
const work = mkdtempSync(join(tmpdir(), 'keyway-image-'));
const say = (text) => console.log(text);

/** Where a path of a stage is here. */
const inStage = (stage, path) =>
  join(work, stage.name, path.startsWith('/') ? path : join(stage.folder, path));

const env = {
  PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
  HOME: join(work, 'home'),
  // Where this machine gets packages from.
  npm_config_registry: execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim(),
  ...(process.env.NODE_EXTRA_CA_CERTS && { NODE_EXTRA_CA_CERTS: process.env.NODE_EXTRA_CA_CERTS }),
};
let keyway;
try {
  own(work);
  const context = join(work, 'context');
  for (const file of execFileSync('git', ['ls-files', '-z'], { encoding: 'utf8' })
    .split('\0')
    .filter(Boolean))
    cpSync(file, join(context, file), { preserveTimestamps: true });
  mkdirSync(env.HOME);
  own(context, env.HOME);

  const stages = readStages(readFileSync('Dockerfile', 'utf8'));
  for (const stage of stages) {
    say(`\n== stage ${stage.name}, of ${stage.from}`);
    for (const step of stage.steps) runStep(stage, step, context, stages);
  }
  const image = stages.at(-1);
  const app = inStage(image, '.');
  say(
    `\n== the image has ${Math.round(sizeOf(app) / 2 ** 20)} MB beside its base image, and is read-only from here on`,
  );
  makeReadOnly(join(work, image.name));
  const before = listingOf(app);

  const data = join(work, 'data');
  mkdirSync(data, { mode: 0o700 });
  own(data);
  const port = await freePort();
  const settings = { ...env, ...image.env, HOST: '127.0.0.1', PORT: String(port), KEYWAY_DATA_DIR: data };
  const run = (args) => spawn(args[0], args.slice(1), { cwd: app, env: settings, stdio: 'inherit', ...user });
  const endOf = (child) =>
    new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));

  keyway = run([...image.entrypoint, ...image.command]);
  const ended = endOf(keyway);
  await waitUntil(port, '/ready', true);
  say('/ready is 200');
  expectZero('the health check', await endOf(run(image.healthCheck)));
  askFirstQuery(port, data);
  expectZero('the doctor', await endOf(run([...image.entrypoint, 'doctor'])));
  keyway.kill('SIGTERM');
  expectZero('Keyway, after SIGTERM,', await ended);
  expectZero('the health check of one that is gone', 1 - (await endOf(run(image.healthCheck))));
  if (listingOf(app) !== before) throw new Error('something was written into the image');
  say('nothing was written into the image');
} finally {
  keyway?.kill('SIGKILL');
  execFileSync('chmod', ['-R', 'u+w', work]);
  rmSync(work, { recursive: true, force: true });
}

function runStep(stage, { keyword, args, from, text }, context, stages) {
  if (keyword === 'COPY') {
    const source =
      from === undefined
        ? (path) => join(context, path)
        : (path) =>
            inStage(
              stages.find(({ name }) => name === from),
              path,
            );
    const target = args.at(-1);
    const paths = args.slice(0, -1);
    for (const path of paths) {
      const isInto = target.endsWith('/') || target === '.';
      const to = inStage(stage, isInto ? join(target, basename(path)) : target);
      cpSync(source(path), to, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    }
    own(join(work, stage.name));
    say(`COPY ${text}`);
  } else if (/(^|\s)\/(var|etc|usr|opt|run)\//.test(text)) {
    say(`left out, for the system of the base image: RUN ${text}`);
  } else {
    say(`RUN ${text}`);
    execFileSync('sh', ['-c', text], {
      cwd: inStage(stage, '.'),
      env: { ...env, ...stage.env },
      stdio: 'inherit',
      ...user,
    });
  }
}

/** Has the user own all of it. */
function own(...paths) {
  if (user.uid === undefined) return;
  for (const path of paths) {
    chownSync(path, user.uid, user.gid);
    if (statSync(path).isDirectory()) execFileSync('chown', ['-R', '-h', `${user.uid}:${user.gid}`, path]);
  }
}

/** Takes the right to write away; where root runs this, the user does not even own it. */
function makeReadOnly(folder) {
  if (user.uid !== undefined) execFileSync('chown', ['-R', '-h', '0:0', folder]);
  execFileSync('chmod', ['-R', 'a-w', folder]);
  chmodSync(work, 0o755);
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}
function sizeOf(folder) {
  return filesIn(folder).reduce((sum, path) => sum + statSync(path).size, 0);
}
function listingOf(folder) {
  return filesIn(folder)
    .map((path) => `${path} ${statSync(path).size} ${statSync(path).mtimeMs}`)
    .join('\n');
}
function expectZero(what, code) {
  if (code !== 0) throw new Error(`${what} ended with ${code}`);
  say(`${what} ended as it should`);
}
