import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { freePort } from './cluster.js';

/** A Redis of a test's own. */
export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** Takes connections and answers nothing, until `resume`. */
  hang(): void;
  resume(): void;
  /** Ends it, and what it has; `start` brings an empty one back, at the same port. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Whether this machine has the program. */
export const hasRedisServer = spawnSync('redis-server', ['--version']).status === 0;

/** Whether that one was built with TLS. */
export const hasRedisWithTls =
  hasRedisServer &&
  !String(spawnSync('redis-server', ['--tls-port', '0', '--no-such-setting', '1']).stderr).includes(
    'tls-port',
  );

/** A certificate, and its key, in files. */
interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/**
 * The real one, which writes no file.
 * @param password what it wants to be shown
 * @param tls what it proves itself with: then it speaks nothing but TLS, and wants no certificate of who calls
 */
export async function startRedisServer(password?: string, tls?: CertificateFiles): Promise<TestRedis> {
  const port = await freePort();
  let child: ChildProcess;
  const door = tls
    ? ['--port', '0', '--tls-port', `${port}`, '--tls-auth-clients', 'no']
        .concat(['--tls-cert-file', tls.cert, '--tls-key-file', tls.key])
        .concat(['--tls-ca-cert-file', tls.cert])
    : ['--port', `${port}`];
  const start = async () => {
    const own = [...door, '--bind', '127.0.0.1', '--save', '', '--dir', tmpdir()];
    child = spawn('redis-server', [...own, ...(password ? ['--requirepass', password] : [])], {
      stdio: 'ignore',
    });
    await taking(port);
  };
  await start();
  return {
    url: `${tls ? 'rediss' : 'redis'}://127.0.0.1:${port}`,
    port,
    hang: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    start,
    stop: async () => {
      const ended = once(child, 'close');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/**
 * One that knows what Keyway asks, for machines that have no Redis. It has no password.
 * @param tls as of the real one
 * @param told what it answers to each script, in place of what that would bring
 */
export async function startRedisStandIn(tls?: CertificateFiles, told?: string): Promise<TestRedis> {
  const port = await freePort();
  const keys = new Map<string, { taken: number; endsAt: number }>();
  const sockets = new Set<Socket>();
  let [hangs, server]: [boolean, Server | undefined] = [false, undefined];
  const waiting: (() => void)[] = [];
  const start = async () => {
    const opened = (server = listener(tls, (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
      let text = '';
      socket.on('data', (data) => {
        text += data.toString('latin1');
        for (let read = commandIn(text); read; read = commandIn(text)) {
          text = read.rest;
          const { words } = read;
          const answer = () => void socket.write((isScript(words) && told) || answerTo(words, keys));
          if (hangs) waiting.push(answer);
          else answer();
        }
      });
    }));
    await new Promise<void>((resolve) => opened.listen(port, '127.0.0.1', resolve));
  };
  await start();
  return {
    url: `${tls ? 'rediss' : 'redis'}://127.0.0.1:${port}`,
    port,
    hang: () => void (hangs = true),
    resume: () => {
      hangs = false;
      for (const answer of waiting.splice(0)) answer();
    },
    start,
    stop: async () => {
      keys.clear();
      const closed = new Promise((resolve) => server?.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

const listener = (tls: CertificateFiles | undefined, take: (socket: Socket) => void): Server =>
  tls
    ? createTlsServer({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) }, take)
    : createServer(take);

/** The first command in what came, an array of strings: https://redis.io/docs/latest/develop/reference/protocol-spec/ */
function commandIn(text: string): { words: string[]; rest: string } | undefined {
  const [head, count] = /^\*(\d+)\r\n/.exec(text) ?? [];
  if (head === undefined) return undefined;
  const words: string[] = [];
  let at = head.length;
  for (let left = Number(count); left > 0; left--) {
    const [length, bytes] = /^\$(\d+)\r\n/.exec(text.slice(at, at + 20)) ?? [];
    if (length === undefined) return undefined;
    at += length.length;
    if (text.length < at + Number(bytes) + 2) return undefined;
    words.push(text.slice(at, at + Number(bytes)));
    at += Number(bytes) + 2;
  }
  return { words, rest: text.slice(at) };
}

const isScript = ([command = '']: string[]) => /^evalsha$/i.test(command);

function answerTo([command = '', , , key = '', ...given]: string[], keys: Map<string, Taken>): string {
  if (/^ping$/i.test(command)) return '+PONG\r\n';
  if (/^evalsha$/i.test(command)) return '-NOSCRIPT No matching script.\r\n';
  if (!/^eval$/i.test(command)) return '+OK\r\n';
  const [wanted = 0, limit = 0, windowMs = 0, needed = 0, share = 0] = given.map(Number);
  const known = keys.get(key);
  const now = performance.now();
  const open = known && known.endsAt > now ? known : { taken: 0, endsAt: now + windowMs };
  const rest = limit - open.taken;
  const asked = share > 0 && rest <= wanted ? Math.max(needed, Math.ceil(rest / share)) : wanted;
  const points = Math.max(0, Math.min(asked, rest));
  open.taken += points;
  keys.set(key, open);
  return `*3\r\n:${points}\r\n:${open.taken}\r\n:${Math.ceil(open.endsAt - now)}\r\n`;
}

interface Taken {
  taken: number;
  endsAt: number;
}

/** Waits until somebody takes connections there. */
async function taking(port: number): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise<boolean>((resolve) =>
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false)),
    );
    socket.destroy();
    if (isOpen) return;
    await sleep(50);
  }
  throw new Error('redis-server did not start');
}
