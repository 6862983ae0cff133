// Who is measured: what starts each, in which dialect it is asked, and for what.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { performance } from 'node:perf_hooks';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const all = ['Q1', 'Q2', 'Q3', 'M1', 'M2'];
const keyway = { argv: [here('../bin/keyway.js'), 'serve'], dialect: 'keyway', keyway: true, requests: all };
const peer = (file) => ({
  argv: [here(`peers/${file}.mjs`)],
  dialect: 'plainGraphql',
  peer: true,
  requests: all,
});

export const contestants = {
  keyway,
  'keyway-reader': { ...keyway, reader: true, requests: ['Q1', 'Q2'] },
  'keyway-graphql': { ...keyway, dialect: 'keywayGraphql', requests: ['Q3'] },
  // It needs Node 22, which a package brings.
  postgraphile: {
    ...peer('postgraphile'),
    dialect: 'postgraphile',
    node: here('peers/node_modules/node/bin/node'),
  },
  mercurius: peer('mercurius'),
  yoga: peer('yoga'),
  plain: { argv: [here('plain/start.mjs')], dialect: 'plainGraphql', requests: all },
  limit: { argv: [here('limit.mjs')], dialect: 'limit', requests: all },
};

/** Starts a contestant: resolves when it says where it listens, with how long that took. */
export async function start({ argv, node, keyway }, { databaseUrl, dataDir, env }) {
  const began = performance.now();
  const own = keyway
    ? // All connections are one account's here, which may have 100 requests under way otherwise, and spend so much.
      {
        KEYWAY_DATA_DIR: dataDir,
        HOST: '127.0.0.1',
        PORT: '0',
        KEYWAY_REQUESTS_PER_CALLER: '200',
        KEYWAY_LIMITS: 'requests=1000',
        KEYWAY_RATE_LIMITS: 'points=0',
      }
    : { NODE_ENV: 'production' };
  const child = spawn(node ?? process.execPath, argv, {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...own, DATABASE_URL: databaseUrl, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${argv[0]} ended with ${code}`)));
    let told = '';
    child.stdout.on('data', (part) => {
      if (told.length < 65_536) told += part;
      const [found] = /http:\/\/127\.0\.0\.1:\d+/.exec(told) ?? [];
      if (found) resolve(found);
    });
  });
  return { url, pid: child.pid, startMs: performance.now() - began, stop: () => stopped(child) };
}

function stopped(child) {
  if (child.exitCode !== null) return undefined;
  child.kill('SIGTERM');
  return new Promise((resolve) => child.once('close', resolve));
}
