import 'reflect-metadata';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Database } from '../../src/database/database.js';
import { entities, migrations } from '../../src/start/tables.js';
import { makeCluster } from '../support/cluster.js';
import { onServer } from '../support/process.js';
import { previousRelease } from '../support/previous-release.js';
import { testHistories } from './histories-of-replicas.js';

// The release before this version serves on the tables of this one: while replicas are replaced one after the other, and
// where the new version has to be taken back.

/** What is about databases without tables: here they are there already. */
const aboutTables = ['test/migrations.test.ts'];
const withoutTables = ['a superuser is refused, an ordinary role is not', 'before a first start'];

const release = previousRelease();

testHistories({
  title: 'R31, R37: one of this version and one of the release before',
  histories: Number(process.env['REPLICA_HISTORIES'] ?? 200),
  other: join(release, 'bin/keyway.js'),
});

test('R31: the suite of the release before is green on the tables of this version', async () => {
  const cluster = await makeCluster(['max_connections=300']);
  const folder = mkdtempSync(join(tmpdir(), 'keyway-suite-'));
  try {
    // Every database of the suite begins as a copy of this one.
    await migrate(Object.assign(new URL(cluster.url), { pathname: '/template1' }).href);
    const results = join(folder, 'results.json');
    await runSuite(cluster.url, results, join(folder, 'output'));
    const { testResults, numPassedTests } = JSON.parse(readFileSync(results, 'utf8')) as Results;
    const failed = testResults.flatMap(({ name, message, assertionResults }) => {
      const failures = assertionResults.filter(({ status }) => status === 'failed');
      const file = name.slice(release.length + 1);
      return failures.length > 0
        ? failures.map(({ fullName }) => `${file}: ${fullName}`)
        : assertionResults.length === 0
          ? [`${file}: ${message}`]
          : [];
    });
    expect(failed).toEqual([]);
    expect(numPassedTests).toBeGreaterThan(3_000);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await cluster.drop();
  }
}, 3_600_000);

interface Results {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

async function migrate(url: string): Promise<void> {
  const db = await Database.open({ url, entities, migrations });
  try {
    await db.migrate();
  } finally {
    await db.close();
  }
  // A database is copied only while nobody is connected to it.
  await onServer(
    Object.assign(new URL(url), { pathname: '/postgres' }).href,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'template1'`,
  );
}

async function runSuite(url: string, results: string, output: string): Promise<void> {
  const left = aboutTables.flatMap((path) => ['--testPathIgnorePatterns', path]);
  const named = `^(?!.*(${withoutTables.join('|')}))`;
  const args = ['test', '--', '--json', `--outputFile=${results}`, '--maxWorkers=2', '-t', named, ...left];
  const environment: NodeJS.ProcessEnv = { ...process.env, TEST_DATABASE_URL: url, NODE_OPTIONS: '' };
  // Of the run that this is a test of.
  for (const name of Object.keys(environment))
    if (/^(JEST_|KEYWAY_|npm_)/.test(name) || name === 'DATABASE_URL' || name === 'TMPDIR')
      delete environment[name];
  const log = createWriteStream(output);
  await once(log, 'open');
  const suite = spawn('npm', args, { cwd: release, env: environment, stdio: ['ignore', log, log] });
  await once(suite, 'close');
  log.close();
}
