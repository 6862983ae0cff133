// The bed: both databases filled, what is known of Keyway's, and what to ask.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contestants, start } from './contestants.mjs';
import { createDatabase, dropDatabase, hasDatabase, statements, urlOf } from './databases.mjs';
import { fillKeyway } from './fill-keyway.mjs';
import { fillPeers } from './fill-peers.mjs';
import { knownOf } from './known.mjs';
import { drawn } from './questions.mjs';

const { readConfig } = await import('../dist/src/config/config.js');
const { openKeyway } = await import('../dist/src/start/keyway.js');
const { openLog } = await import('../dist/src/log.js');

const questionsEach = 20_000;

/**
 * Fills what is not filled yet.
 * @param keep leaves the databases for the next run.
 */
export async function openBed(credentials, keep) {
  const names = { keyway: `bench_keyway_${credentials}`, peers: `bench_peers_${credentials}` };
  const dataDir = join(tmpdir(), names.keyway);
  if (!(await hasDatabase(names.keyway)) || !existsSync(join(dataDir, 'known.json')))
    await makeKeyway(names.keyway, dataDir, credentials);
  if (!(await hasDatabase(names.peers))) {
    console.error(`Filling ${names.peers}…`);
    await fillPeers(names.peers, credentials);
  }
  const known = await withKeyway(urlOf(names.keyway), dataDir, (url) => knownOf(url, dataDir, credentials));
  const files = mkdtempSync(join(tmpdir(), 'keyway-bench-bodies-'));
  return {
    credentials,
    dataDir,
    known,
    files,
    questions: await withPeerKeys(drawn(known, credentials, questionsEach), urlOf(names.peers)),
    // What a reader of project 1 may see.
    readable: await readableFrom(urlOf(names.peers)),
    databaseOf: (contestant) => urlOf(contestant.keyway ? names.keyway : names.peers),
    async close() {
      rmSync(files, { recursive: true, force: true });
      if (keep) return;
      await dropDatabase(names.keyway);
      await dropDatabase(names.peers);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Makes a database of this name, with a Keyway in it, and fills it. */
export async function makeKeyway(name, dataDir, credentials) {
  console.error(`Filling ${name} with ${credentials} credentials…`);
  rmSync(dataDir, { recursive: true, force: true });
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  await createDatabase(name);
  const config = { DATABASE_URL: urlOf(name), KEYWAY_DATA_DIR: dataDir, KEYWAY_LOG_LEVEL: 'warn' };
  const keyway = await openKeyway(readConfig(config), openLog('warn'));
  await keyway.db.close();
  await fillKeyway(urlOf(name), credentials);
}

async function withKeyway(databaseUrl, dataDir, use) {
  const server = await start(contestants.keyway, { databaseUrl, dataDir });
  try {
    return await use(server.url);
  } finally {
    await server.stop();
  }
}

/** The peers know other keys than Keyway, which makes its own. */
async function withPeerKeys(questions, peersUrl) {
  const ids = [...new Set(questions.Q3.map(({ n }) => n))];
  const rows = await statements(peersUrl, [
    `SELECT id, access_key AS key FROM credential WHERE id IN (${ids.join()})`,
  ]);
  const keys = new Map(rows.map(({ id, key }) => [id, key]));
  return {
    ...questions,
    Q3: questions.Q3.map((question) => ({ ...question, peerKey: keys.get(question.n) })),
  };
}

async function readableFrom(peersUrl) {
  return (
    await statements(peersUrl, ['SELECT id AS n FROM credential WHERE project_id = 1 LIMIT 20000'])
  ).map(({ n }) => ({ n }));
}
