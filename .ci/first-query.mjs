// Starts Keyway as the README says, in a data folder of its own, and asks the README's first query.
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { askFirstQuery, freePort, waitUntil } from './readme-query.mjs';

const folder = process.argv[2];
mkdirSync(folder, { recursive: true });
const port = await freePort();
const keyway = spawn('npm', ['start'], {
  stdio: 'inherit',
  env: { ...process.env, PORT: String(port), KEYWAY_DATA_DIR: folder },
});
const ended = new Promise((resolve) => keyway.once('exit', resolve));
try {
  await waitUntil(port, '/ready', true);
  askFirstQuery(port, folder);
} finally {
  // npm hands the signal on, and ends before Keyway has.
  keyway.kill('SIGTERM');
  await ended;
}
await waitUntil(port, '/health', false);
