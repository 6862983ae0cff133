// The load: wrk, as it shares the machine with what it measures. A closed loop: each connection asks again as soon as it is answered.
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { anyOf } from './world.mjs';

const script = fileURLToPath(new URL('wrk.lua', import.meta.url));

/** @throws where wrk is not installed. */
export function expectWrk() {
  if (spawnSync('wrk', ['-v']).error) throw new Error('the bench needs wrk: apt-get install wrk');
}

/**
 * Loads a server for whole seconds.
 * @param check looks at every answer, which costs; for warming up.
 */
export async function load({ url, token, file, connections, seconds, check }) {
  const header = token ? ['-H', `authorization: Bearer ${token}`] : [];
  const argv = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', ...header, '-s', script, url];
  const child = spawn('wrk', [...argv, '--', file, String(anyOf(1e9)), ...(check ? ['check'] : [])]);
  let told = '';
  child.stdout.on('data', (part) => (told += part));
  child.stderr.on('data', (part) => (told += part));
  await new Promise((resolve) => child.once('close', resolve));
  const [, json] = /JSON(\{.*\})/.exec(told) ?? [];
  if (!json)
    throw new Error(
      `wrk on ${url}: ${
        told
          .trim()
          .split('\n')
          .find((line) => line.startsWith('a wrong answer')) ?? told.trim()
      }`,
    );
  const { requests, us, errors, ...figures } = JSON.parse(json);
  if (errors > 0) throw new Error(`${errors} of ${requests} requests to ${url} failed`);
  return { ...figures, requests, requestsPerSecond: requests / (us / 1e6), bytes: figures.bytes / requests };
}
