import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { unavailable } from '../errors.js';
import type { Whose } from '../shares/line.js';
import { openQueue } from '../shares/queue.js';

/** What an Argon2id hash is made with, besides the input (RFC 9106, section 3.1). Memory is in KiB. */
export interface Argon2id {
  memoryCost: number;
  timeCost: number;
  parallelism: number;
  outputLen: number;
  salt: Buffer;
}

/** Makes slow hashes where they do not hold up the rest. */
export interface Hashing {
  /**
   * The Argon2id hash of these bytes, in the turn of who it is for.
   * @throws UNAVAILABLE where who it is for has most waiting, of too many, and if its thread ended.
   */
  argon2id(whose: Whose, input: Uint8Array, parameters: Argon2id): Promise<Buffer>;
  /** Ends the threads; what they are at is UNAVAILABLE. */
  close(): Promise<void>;
}

const mostThreads = 4;
// Two lists of passwords and more: by one thread, the last of them waits for some four seconds. Whoever has most waiting
// makes room for others: names that nobody has cost who sends them, and nobody else.
const mostWaiting = 250;

/**
 * Hashing in threads of its own, which begin when they are needed: one core is left to the rest, and on the others the
 * rest goes first. The runtime's worker threads would do neither.
 * @param processes how many share this machine, and so its cores
 */
export function openHashing(processes = 1): Hashing {
  const cores = Math.floor((availableParallelism() - 1) / processes);
  const slots = Math.max(1, Math.min(cores, mostThreads));
  const enter = openQueue(slots, mostWaiting, () => unavailable(new Error('too many passwords wait')));
  const threads = new Set<Thread>();
  let closed = false;

  const free = () => {
    for (const thread of threads) if (thread.isFree()) return thread;
    const thread = startThread(() => threads.delete(thread));
    threads.add(thread);
    return thread;
  };
  return {
    argon2id: (whose, input, parameters) =>
      enter(whose, async () => {
        if (closed) throw unavailable();
        return free().hash(input, parameters);
      }),
    close: async () => {
      closed = true;
      await Promise.all([...threads].map((thread) => thread.end()));
    },
  };
}

interface Thread {
  isFree(): boolean;
  hash(input: Uint8Array, parameters: Argon2id): Promise<Buffer>;
  end(): Promise<unknown>;
}

function startThread(onEnd: () => void): Thread {
  const worker = new Worker(work, {
    eval: true,
    execArgv: [],
    workerData: { argon2: createRequire(import.meta.url).resolve('@node-rs/argon2') },
  });
  let task: { resolve(digest: Buffer): void; reject(error: unknown): void } | undefined;
  // It keeps the process alive while there is something to hash, and not for its own sake.
  worker.unref();
  const done = () => {
    const was = task;
    task = undefined;
    worker.unref();
    return was;
  };
  const ended = (error: Error) => {
    onEnd();
    done()?.reject(unavailable(error));
  };
  worker.on('message', (digest: Uint8Array) => done()?.resolve(Buffer.from(digest)));
  worker.on('error', ended);
  worker.on('exit', () => ended(new Error('a thread that hashes has ended')));
  return {
    isFree: () => task === undefined,
    hash: (input, parameters) =>
      new Promise((resolve, reject) => {
        task = { resolve, reject };
        worker.ref();
        // Handed over, not shared: the thread wipes what it was given.
        const own = new Uint8Array(input);
        worker.postMessage({ input: own, parameters }, [own.buffer]);
      }),
    end: () => worker.terminate(),
  };
}

// Runs in the thread. On Linux a priority is a thread's own (setpriority(2), under «C library/kernel differences»);
// elsewhere it would be that of the whole process. 2 is the package's number for Argon2id.
const work = `
const os = require('node:os');
const { parentPort, workerData } = require('node:worker_threads');
const { hashRawSync } = require(workerData.argon2);
if (process.platform === 'linux') os.setPriority(Math.min(os.getPriority() + 10, os.constants.priority.PRIORITY_LOW));
parentPort.on('message', ({ input, parameters }) => {
  try {
    parentPort.postMessage(hashRawSync(input, { ...parameters, algorithm: 2 }));
  } finally {
    input.fill(0);
  }
});
`;
