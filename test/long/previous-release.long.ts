import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  createWriteStream,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { makeCluster } from '../support/cluster.js';
import { previousRelease } from '../support/previous-release.js';
import { testHistories } from './histories-of-replicas.js';

// The release before this version serves on the tables of this one: while replicas are replaced one after the other, and
// where the new version has to be taken back.

/**
 * Left out is what says how its own tables and its own program come about, which are not here; what does the work of jobs by
 * itself, as a command would, as on newer tables it only serves; and its pages, of which one named a file of the next day.
 */
const leftOut = [
  '--testPathIgnorePatterns=test/(migrations|build|pages|credentials/((due-|sync/|outside/)shares|outside/model))\\.test',
  '--testNamePattern=^(?!.*what was there before is found and ordered as well, and goes back)',
];

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
    const results = join(folder, 'results.json');
    const output = join(folder, 'output');
    lendCommands();
    await runSuite(cluster.url, results, output);
    if (!existsSync(results))
      throw new Error(`the suite did not run:\n${readFileSync(output, 'utf8').slice(-2_000)}`);
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

/** Its program from now on serves and tells its schema by itself, and does each other command as this version does: docs/running.md. */
function lendCommands(): void {
  const [program, own] = [join(release, 'bin/keyway.js'), join(release, 'bin/release.js')];
  if (!existsSync(own)) renameSync(program, own);
  const [ownUrl, thisUrl] = [own, resolve('bin/keyway.js')].map((path) => pathToFileURL(path).href);
  writeFileSync(
    program,
    `await import(/^(serve|schema)$/.test(process.argv[2]) ? ${JSON.stringify(ownUrl)} : ${JSON.stringify(thisUrl)});\n`,
  );
}

async function runSuite(url: string, results: string, output: string): Promise<void> {
  const upgraded = `--globalSetup=${resolve('test/support/upgraded-setup.mjs')}`;
  const args = ['--json', `--outputFile=${results}`, '--maxWorkers=2', upgraded, ...leftOut];
  const environment: NodeJS.ProcessEnv = { ...process.env, TEST_DATABASE_URL: url, NODE_OPTIONS: '' };
  // Of the run that this is a test of.
  for (const name of Object.keys(environment))
    if (/^(JEST_|KEYWAY_|npm_)/.test(name) || name === 'DATABASE_URL' || name === 'TMPDIR')
      delete environment[name];
  const log = createWriteStream(output);
  await once(log, 'open');
  const suite = spawn('npm', ['test', '--', ...args], {
    cwd: release,
    env: environment,
    stdio: ['ignore', log, log],
  });
  await once(suite, 'close');
  log.close();
}
