// Makes, once for a whole run, the Keyway that each test file starts from a copy of.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

export default async function setup() {
  const template = mkdtempSync(join(isRoomy(memory) ? memory : tmpdir(), 'keyway-test-'));
  // Whatever a test puts down goes there too, and away with it.
  process.env.TMPDIR = template;
  const server = process.env.TEST_DATABASE_URL;
  const env = {
    ...process.env,
    NODE_ENV: 'test',
    NODE_OPTIONS: '',
    KEYWAY_DATA_DIR: join(template, 'template'),
  };
  delete env.DATABASE_URL;
  if (server) {
    const name = `keyway_template_${process.pid}`;
    await onServer(server, `DROP DATABASE IF EXISTS ${name}`);
    await onServer(server, `CREATE DATABASE ${name}`);
    env.DATABASE_URL = databaseUrl(server, name);
    process.env.KEYWAY_TEST_DATABASE = name;
    mkdirSync(join(template, 'cluster'));
  } else {
    // The first run of it builds.
    run(['--version'], env);
    copyCluster(join(template, 'cluster', 'postgres'));
    cpSync(join(template, 'cluster'), join(template, 'template'), { recursive: true });
  }
  run(['migrate'], env);
  process.env.KEYWAY_TEST_TEMPLATE = template;
}

function run(args, env) {
  const { status } = spawnSync(process.execPath, ['bin/keyway.js', ...args], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error('the template for the tests could not be made');
}

/** An embedded database without anything in it. */
function copyCluster(folder) {
  cpSync('dist/embedded/postgres', folder, { recursive: true });
  // The databases that others are made from, of which the embedded one makes none: two thirds of all files.
  for (const unused of ['1', '4']) rmSync(join(folder, 'base', unused), { recursive: true, force: true });
}

/** Files that live in memory, where the system has them: nothing that the tests write is to last. */
const memory = '/dev/shm';

function isRoomy(folder) {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize > 4 * 2 ** 30;
  } catch {
    return false;
  }
}

export async function onServer(url, statement) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function databaseUrl(url, name) {
  const address = new URL(url);
  address.pathname = `/${name}`;
  return address.href;
}
