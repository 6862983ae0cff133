// The set-up of the suite of the release before, in whose folder this runs: what each of its test files starts from a copy
// of is brought up to this version afterwards, as replacing one replica after the other does.
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export default async function setup() {
  const { default: setupOfRelease } = await import(
    pathToFileURL(resolve('test/support/global-setup.mjs')).href
  );
  await setupOfRelease();
  const { TEST_DATABASE_URL, KEYWAY_TEST_DATABASE, KEYWAY_TEST_TEMPLATE, PATH } = process.env;
  const database = Object.assign(new URL(TEST_DATABASE_URL), { pathname: `/${KEYWAY_TEST_DATABASE}` });
  const { status, stdout } = spawnSync(process.execPath, [thisVersion, 'migrate'], {
    env: {
      PATH,
      NODE_ENV: 'test',
      DATABASE_URL: database.href,
      KEYWAY_DATA_DIR: join(KEYWAY_TEST_TEMPLATE, 'template'),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  process.stdout.write(stdout);
  if (status !== 0) throw new Error('the template could not be brought up to this version');
}

const thisVersion = fileURLToPath(new URL('../../bin/keyway.js', import.meta.url));
