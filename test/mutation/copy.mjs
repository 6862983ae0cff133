import { execFileSync, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { clearTimeout, setTimeout } from 'node:timers';
import setup, { onServer } from '../support/global-setup.mjs';
import teardown from '../support/global-teardown.mjs';

const jest = 'node_modules/jest/bin/jest.js';

/**
 * A copy of the checkout, as it is now, to make mistakes in: the working tree stays as it is. From here on the process
 * runs in the copy. End it with `remove()`.
 */
export async function makeCopy() {
  const checkout = process.cwd();
  const folder = mkdtempSync(join(tmpdir(), 'keyway-mutation-'));
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { encoding: 'utf8' });
  const keep = { recursive: true, preserveTimestamps: true };
  for (const path of listed.split('\n').filter((name) => name !== '' && existsSync(name))) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    cpSync(path, join(folder, path), keep);
  }
  if (existsSync('dist')) cpSync('dist', join(folder, 'dist'), keep);
  symlinkSync(join(checkout, 'node_modules'), join(folder, 'node_modules'));
  const { jest: config } = JSON.parse(readFileSync('package.json', 'utf8'));
  // The template is made once for all runs.
  const own = {
    ...config,
    globalSetup: undefined,
    globalTeardown: '<rootDir>/test/mutation/end-shared.mjs',
    rootDir: folder,
    testSequencer: '<rootDir>/test/mutation/in-order.cjs',
  };
  writeFileSync(join(folder, 'mutation.json'), JSON.stringify(own));
  process.chdir(folder);

  const { TEST_DATABASE_URL: server, TMPDIR } = process.env;
  const embedded = await templateOn(undefined, TMPDIR);
  const postgres = server && (await templateOn(server, TMPDIR));

  return {
    /** The first of the tests that fails with this mistake made; undefined where none does. */
    noticedBy: (mutant, tests) => withMistake(mutant, () => run(embedded, tests)),
    /** The same on PostgreSQL, where it is at hand. */
    noticedOnPostgres: (mutant, tests) =>
      postgres ? withMistake(mutant, () => run(postgres, tests)) : Promise.resolve(undefined),
    /** @throws where one of the tests fails with no mistake made: what it noticed says nothing. */
    async expectGreen(tests) {
      const failure = await run(embedded, tests);
      if (failure) throw new Error(`a test fails with no mistake made: ${failure}`);
    },
    async remove() {
      for (const pid of running) endGroup(pid);
      for (const place of [embedded, postgres]) if (place) await place.remove();
      process.chdir(checkout);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What hangs is noticed: no file takes as long as this, on a busy machine either. */
const longestMs = 120_000;

async function withMistake({ path, start, end, by }, work) {
  const text = readFileSync(path, 'utf8');
  const { atime, mtime } = statSync(path);
  // As old as it was: what runs the command line would build it anew otherwise.
  const write = (changed) => {
    writeFileSync(path, changed);
    utimesSync(path, atime, mtime);
  };
  write(text.slice(0, start) + by + text.slice(end));
  try {
    return await work();
  } finally {
    write(text);
  }
}

/** The template that tests start from, and the environment that they are told of it by. */
async function templateOn(server, outer) {
  const names = ['TMPDIR', 'TEST_DATABASE_URL', 'KEYWAY_TEST_TEMPLATE', 'KEYWAY_TEST_DATABASE'];
  const set = (values) => {
    for (const name of names) delete process.env[name];
    for (const [name, value] of Object.entries(values)) if (value) process.env[name] = value;
  };
  set({ TMPDIR: outer, TEST_DATABASE_URL: server });
  await setup();
  const environment = { ...process.env, NODE_OPTIONS: '--experimental-vm-modules --no-warnings' };
  const own = Object.fromEntries(names.map((name) => [name, process.env[name]]));
  set({ TMPDIR: outer });
  return {
    environment,
    server,
    /** Takes away what a run left behind that was ended. */
    async tidy(pid) {
      for (const name of readdirSync(own.TMPDIR))
        if (name !== 'template') rmSync(join(own.TMPDIR, name), { recursive: true, force: true });
      if (!server) return;
      for (const name of await databasesOf(server, pid))
        await onServer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
    async remove() {
      set(own);
      await teardown();
      set({ TMPDIR: outer });
    },
  };
}

async function databasesOf(server, pid) {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    const like = `keyway\\_test\\_${pid}\\_%`;
    const { rows } = await client.query('SELECT datname FROM pg_database WHERE datname LIKE $1', [like]);
    return rows.map(({ datname }) => datname);
  } finally {
    await client.end();
  }
}

/** The groups of processes that run just now. */
const running = new Set();

async function run({ environment, tidy }, tests) {
  const failed = join(environment.TMPDIR, 'failure');
  const options = [
    '--config=mutation.json',
    '--cacheDirectory=.jest',
    '--runInBand',
    '--ci',
    '--bail',
    '--watchman=false',
  ];
  const child = spawn(
    process.execPath,
    [jest, ...options, '--reporters=<rootDir>/test/mutation/first-failure.mjs', '--runTestsByPath', ...tests],
    {
      env: { ...environment, MUTATION_FAILURE: failed, MUTATION_ORDER: tests.join() },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, which ends as a whole: with the processes that tests have started.
      detached: true,
    },
  );
  running.add(child.pid);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)));
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    endGroup(child.pid);
  }, longestMs * tests.length);
  const code = await new Promise((resolve) => child.on('exit', resolve));
  clearTimeout(timer);
  endGroup(child.pid);
  running.delete(child.pid);
  const failure = existsSync(failed)
    ? readFileSync(failed, 'utf8')
    : late
      ? 'the time limit'
      : code === 0
        ? undefined
        : `the end of Jest: ${output.slice(-300)}`;
  await tidy(child.pid);
  return failure;
}

function endGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
