// The first query of the README, and what it says is answered.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Asks it of the Keyway at a port whose token is in this folder. @throws where it is answered in another way */
export function askFirstQuery(port, folder) {
  const readme = readFileSync('README.md', 'utf8');
  const [, command] = /```sh\n(curl[\s\S]*?)```/.exec(readme) ?? [];
  const [, answer] = /```json\n([\s\S]*?)```/.exec(readme) ?? [];
  if (!command || !answer) throw new Error('README.md has no first query with its answer');
  const asked = command
    .replaceAll('127.0.0.1:4000', `127.0.0.1:${port}`)
    .replaceAll('.keyway/', `${folder}/`);
  const { stdout } = spawnSync('sh', ['-c', asked], { encoding: 'utf8' });
  if (comparable(stdout) !== comparable(answer))
    throw new Error('the first query was not answered as the README says');
  console.log('the first query was answered as the README says');
}

/** An answer without what another moment makes different. */
const comparable = (text) =>
  JSON.stringify(JSON.parse(text), (key, value) =>
    /^(remaining|resetAt)$/.test(key) ? typeof value : value,
  );

/** Waits until Keyway is up there, or is not any more. @throws where that takes a minute */
export async function waitUntil(port, path, isUp) {
  for (let attempt = 0; attempt < 240; attempt++) {
    const answers = await fetch(`http://127.0.0.1:${port}${path}`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (answers === isUp) return;
    await sleep(250);
  }
  throw new Error(isUp ? 'Keyway did not become ready' : 'Keyway did not end');
}

/** A port that is free. */
export function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
