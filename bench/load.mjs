// What the benches that ask over HTTP have in common: servers of their own, and callers that never rest.
import { Buffer } from 'node:buffer';
import { spawn } from 'node:child_process';
import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';

export const connections = 32;
export const roundMs = Number(process.env.ROUND_MS ?? 4_000);
export const rounds = Number(process.env.ROUNDS ?? 5);

const agent = new Agent({ keepAlive: true, maxSockets: 2 * connections });
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
  agent.destroy();
  for (const child of children) child.kill('SIGTERM');
}

/**
 * So many connections, each asking again as soon as it is answered.
 * @param body makes the next body; an answer that `wrong` finds wrong ends it all, since errors look fast.
 * @returns requests a second, and the median and 99th percentile of their times in ms.
 */
export async function closedLoop(door, body, { wrong, callers = connections, forMs = roundMs }) {
  const times = [];
  const begin = performance.now();
  const until = begin + forMs;
  const caller = async () => {
    while (performance.now() < until) {
      const start = performance.now();
      const text = await ask(door, body());
      if (wrong(text)) throw new Error(`a wrong answer: ${text.slice(0, 300)}`);
      times.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const tookMs = performance.now() - begin;
  times.sort((a, b) => a - b);
  return { rate: (times.length / tookMs) * 1000, p50: part(times, 0.5), p99: part(times, 0.99) };
}

/** Posts a body and returns the text of the answer. */
export function ask({ url, headers }, body) {
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: 'POST',
      agent,
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    });
    sent.on('error', reject);
    sent.on('response', (response) => {
      const parts = [];
      response.on('data', (chunk) => parts.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(parts).toString();
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`status ${response.statusCode}: ${text.slice(0, 300)}`));
      });
    });
    sent.end(body);
  });
}

/** The value below which this part of the sorted values lies. */
export function part(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** The median of one figure over rounds. */
export const median = (measured, figure) =>
  part(
    measured.map((one) => one[figure]).sort((a, b) => a - b),
    0.5,
  );
