import cluster, { type Worker } from 'node:cluster';
import type { Log } from '../log.js';
import type { Running, StopWaiting } from './main.js';

/** What is told of a Keyway once it serves. */
export type Up = Pick<Running, 'url' | 'tokenPath' | 'missing' | 'lacking'> & { readonly held: boolean };

/** What a process and the one that started it tell each other; others use the same channel. */
type Message = { keyway: 'up'; up: Up } | { keyway: 'jobs' } | { keyway: 'stop'; waiting: StopWaiting };

export interface ProcessesOptions {
  /** The command that each of them runs. */
  readonly command: string;
  readonly count: number;
  readonly log: Log;
  /** Called once, when the first of them serves. */
  readonly onUp: (up: Up) => void;
  readonly stopAsked: Promise<StopWaiting>;
}

/**
 * Runs so many processes that serve beside each other at one address: this one takes the connections and hands them on in
 * turn (https://nodejs.org/docs/latest-v20.x/api/cluster.html). The first opens the database before the others start. One of
 * them does what is done once for all, and when it ends, another does. One that ends without having been asked is replaced.
 * @returns the exit code, once all have ended: that of the first one, if it never served.
 */
export function runProcesses({ command, count, log, onUp, stopAsked }: ProcessesOptions): Promise<number> {
  // With JSON what is not a number, as while the database is away, would come to be 0.
  cluster.setupPrimary({ args: [command], serialization: 'advanced' });
  const all = new Set<Worker>();
  const serving = new Set<Worker>();
  const replacing = new Set<NodeJS.Timeout>();
  let shared: Worker | undefined;
  let everUp = false;
  let failures = 0;
  let stop: Message | undefined;
  let code = 0;

  const begin = () => void all.add(cluster.fork());
  const replace = () => {
    const restMs = Math.min(firstRestMs * 2 ** failures++, longestRestMs);
    const timer = setTimeout(() => {
      replacing.delete(timer);
      begin();
    }, restMs);
    replacing.add(timer);
  };
  const shareOut = () => {
    if (shared) return;
    [shared] = serving;
    if (shared) tell(shared, { keyway: 'jobs' });
  };

  return new Promise((resolve) => {
    cluster.on('message', (worker, message: Message) => {
      if (message.keyway !== 'up') return;
      log.info({ process: worker.process.pid }, 'a process serves');
      serving.add(worker);
      failures = 0;
      shareOut();
      if (everUp) return;
      everUp = true;
      onUp(message.up);
      while (!stop && all.size < count) begin();
    });
    cluster.on('exit', (worker, exitCode: number | null, signal: string | null) => {
      all.delete(worker);
      serving.delete(worker);
      if (shared === worker) shared = undefined;
      if (!everUp && !stop) return resolve(exitCode || 1);
      if (!stop) {
        log.error(
          { process: worker.process.pid, code: exitCode, signal },
          'a process has ended, and is replaced',
        );
        shareOut();
        return replace();
      }
      code ||= exitCode ?? 0;
      if (all.size === 0) resolve(code);
    });
    void stopAsked.then((waiting) => {
      stop = { keyway: 'stop', waiting };
      replacing.forEach(clearTimeout);
      for (const worker of all) tell(worker, stop);
      if (all.size === 0) resolve(code);
    });
    begin();
  });
}

const firstRestMs = 500;
const longestRestMs = 30_000;

/** One that has just ended hears nothing, which its end tells as well. */
function tell(worker: Worker, message: Message): void {
  if (worker.isConnected()) worker.send(message, () => undefined);
}

/** The way to the process that started this one with others. */
export interface Parent {
  readonly stopAsked: Promise<StopWaiting>;
  /** Tells that this one serves. @param takeShared called once it is this one's to do what is done for all. */
  up(up: Up, takeShared: () => void): void;
}

/** @throws an Error to show, where no process has started this one with others. */
export function openParent(): Parent {
  const { worker } = cluster;
  if (!worker)
    throw new Error('This command is run by serve, where KEYWAY_PROCESSES asks for several processes.');
  const jobs = heard(worker, 'jobs');
  return {
    stopAsked: heard(worker, 'stop').then(({ waiting }) => waiting),
    up(up, takeShared) {
      void jobs.then(takeShared);
      worker.send({ keyway: 'up', up } satisfies Message);
    },
  };
}

const heard = <Name extends Message['keyway']>(worker: Worker, name: Name) =>
  new Promise<Extract<Message, { keyway: Name }>>((resolve) => {
    worker.on('message', (message: Message) => {
      if (message.keyway === name) resolve(message as Extract<Message, { keyway: Name }>);
    });
  });
