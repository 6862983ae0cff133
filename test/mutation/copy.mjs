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
    globalTeardown: undefined,
    rootDir: folder,
    testSequencer: '<rootDir>/test/mutation/in-order.cjs',
  };
  writeFileSync(join(folder, 'mutation.json'), JSON.stringify(own));
  process.chdir(folder);

  const { TEST_DATABASE_URL: server, TMPDIR } = process.env;
  const embedded = await templateOn(undefined, TMPDIR);
  const postgres = server && (await templateOn(server, TMPDIR));

  return {
    /** How long each of these test files takes, in milliseconds. @throws where one fails without any mistake. */
    async measure(tests) {
      const { failure, output } = await run(embedded, tests, tests.length * 120_000);
      if (failure) throw new Error(`a test fails with no mistake made: ${failure}`);
      return new Map(
        [...output.matchAll(/^(test\/\S+\.test\.ts) (\d+)$/gm)].map(([, path, ms]) => [path, Number(ms)]),
      );
    },
    /** The first of the tests that fails with this mistake made; undefined where none does. */
    noticedBy: (mutant, tests, took) => withMistake(mutant, () => run(embedded, tests, limitOf(tests, took))),
    async noticedOnPostgres(mutant, tests, took) {
      if (!postgres) return undefined;
      return withMistake(mutant, () => run(postgres, tests, limitOf(tests, took)));
    },
    async remove() {
      for (const place of [embedded, postgres]) if (place) await place.remove();
      process.chdir(checkout);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What hangs is noticed: three times as long as it took, and a while for a busy machine. */
const limitOf = (tests, took) =>
  60_000 + 3 * tests.reduce((sum, test) => sum + (took.get(test) ?? 20_000), 0);

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
    return (await work()).failure;
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

async function run({ environment, tidy }, tests, limitMs) {
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
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)));
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    endGroup(child.pid);
  }, limitMs);
  const code = await new Promise((resolve) => child.on('exit', resolve));
  clearTimeout(timer);
  endGroup(child.pid);
  const failure = existsSync(failed)
    ? readFileSync(failed, 'utf8')
    : late
      ? 'the time limit'
      : code === 0
        ? undefined
        : `the end of Jest: ${output.slice(-300)}`;
  await tidy(child.pid);
  return { failure, output };
}

function endGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
