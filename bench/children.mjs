// Servers of its own for a bench.
import { spawn } from 'node:child_process';

const children = [];

/** Starts a process and waits until it says where it listens. */
export function started(argv, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, argv, {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    child.once('exit', (code) => reject(new Error(`${argv[0]} ended with ${code}`)));
    let told = '';
    child.stdout.on('data', (part) => {
      if (told.length < 65_536) told += part;
      const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(told) ?? [];
      if (url) resolve(url);
    });
  });
}

/** Ends what was started. */
export function endAll() {
  for (const child of children) child.kill('SIGTERM');
}
