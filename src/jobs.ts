import type { Checkpoints } from './audit/checkpoints.js';
import type { Refusals } from './audit/refusals.js';
import type { LastUsed } from './credentials/last-used.js';
import { retireOutlived } from './credentials/retire.js';
import type { Database } from './database.js';
import { forgetOldAnswers } from './idempotency/forget.js';
import type { Keyring } from './keyring/keyring.js';
import type { WrapCount } from './wraps.js';
import type { Log } from './log.js';

export interface JobParts {
  db: Database;
  keyring: Keyring;
  log: Log;
  lastUsed: LastUsed;
  refusals: Refusals;
  checkpoints: Checkpoints;
  wraps: WrapCount;
}

/** What runs by itself, and how often. */
export function startJobs({ db, keyring, log, lastUsed, refusals, checkpoints, wraps }: JobParts): {
  stop(): Promise<void>;
} {
  const jobs = [
    job('last use', 500, () => lastUsed.flush()),
    job('refusals', 500, () => refusals.flush()),
    job('clock', 30_000, () => db.setClock()),
    job('wraps', 5_000, () => wraps.reserve(keyring.currentKekId())),
    job('retire', 30_000, () => retireOutlived(db)),
    job('audit checkpoint', 60_000, () => checkpoints.write()),
    job('idempotency', 600_000, () => forgetOldAnswers(db)),
  ];

  function job(name: string, everyMs: number, work: () => Promise<unknown>) {
    let running: Promise<unknown> = Promise.resolve();
    let busy = false;
    const timer = setInterval(() => {
      if (busy) return;
      busy = true;
      running = work()
        .catch((error: unknown) => log.error({ error, job: name }, 'a job failed and will be tried again'))
        .finally(() => (busy = false));
    }, everyMs);
    timer.unref();
    return {
      stop: async () => {
        clearInterval(timer);
        await running;
      },
    };
  }

  return {
    /** Ends all jobs, and writes what still waits. */
    async stop() {
      await Promise.all(jobs.map(({ stop }) => stop()));
      await lastUsed.flush();
      await refusals.flush();
      await checkpoints
        .write()
        .catch((error: unknown) => log.error({ error }, 'the audit checkpoint could not be written'));
    },
  };
}
