// Starts Keyway as the README says, in a data folder of its own, and asks the README's first query.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const folder = process.argv[2];
mkdirSync(folder, { recursive: true });
const readme = readFileSync('README.md', 'utf8');
const [, command] = /```sh\n(curl[\s\S]*?)```/.exec(readme) ?? [];
const [, answer] = /```json\n([\s\S]*?)```/.exec(readme) ?? [];
if (!command || !answer) throw new Error('README.md has no first query with its answer');

const port = await freePort();
const keyway = spawn('npm', ['start'], {
  stdio: 'inherit',
  env: { ...process.env, PORT: String(port), KEYWAY_DATA_DIR: folder },
});
const ended = new Promise((resolve) => keyway.once('exit', resolve));
try {
  await ready();
  const asked = command
    .replaceAll('127.0.0.1:4000', `127.0.0.1:${port}`)
    .replaceAll('.keyway/', `${folder}/`);
  const { stdout } = spawnSync('sh', ['-c', asked], { encoding: 'utf8' });
  if (JSON.stringify(JSON.parse(stdout)) !== JSON.stringify(JSON.parse(answer))) {
    throw new Error('the first query was not answered as the README says');
  }
  console.log('the first query was answered as the README says');
} finally {
  // npm hands the signal on, and ends before Keyway has.
  keyway.kill('SIGTERM');
  await ended;
}
for (let attempt = 0; await isUp('/health'); attempt++) {
  if (attempt === 60) throw new Error('Keyway did not end');
  await sleep(250);
}

async function ready() {
  for (let attempt = 0; attempt < 240; attempt++) {
    if (await isUp('/ready')) return;
    await sleep(250);
  }
  throw new Error('Keyway did not become ready');
}

function isUp(path) {
  return fetch(`http://127.0.0.1:${port}${path}`).then(
    ({ ok }) => ok,
    () => false,
  );
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = server.address();
      server.close(() => resolve(free));
    });
  });
}
