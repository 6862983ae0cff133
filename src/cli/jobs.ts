import { forgetNonces } from '../access/nonces.js';
import { forgetAttempts } from '../credentials/verification/password-attempts.js';
import { forgetOldDays } from '../credentials/limits/credential-day.js';
import { retireOutlived } from '../credentials/retire.js';
import type { Database } from '../database/database.js';
import { forgetOldAnswers } from '../idempotency/forget.js';
import type { Log } from '../log.js';
import type { Telemetry } from '../telemetry/telemetry.js';

/** What gathers and is written now and then, and what is looked at again and again until it is stopped. */
interface Gathering {
  flush(): Promise<unknown>;
}
interface Recurring {
  tick(): Promise<unknown>;
  stop(): Promise<unknown>;
}

export interface JobParts {
  db: Database;
  log: Log;
  lastUsed: Gathering;
  decisions: Gathering;
  storeCalls: Gathering;
  checkpoints: { write(): Promise<unknown>; check(): Promise<unknown>; readonly breaks: readonly unknown[] };
  /** Takes room for further wraps by the key that is current, before what was taken is used up. */
  reserveWraps: () => Promise<unknown>;
  /** Takes what is new in the key files. */
  keys: { look(): Promise<unknown> };
  /** Brings what is sealed to the key that is current. */
  rewrap: Recurring;
  rotations: Recurring;
  syncs: Recurring;
  resumption: Recurring;
  /** What the embedded database is in need of. */
  auditStream: (Pick<Recurring, 'tick'> & { leave(): Promise<void>; close(): Promise<void> }) | undefined;
  upkeep: Pick<Recurring, 'tick'> | undefined;
  /** Hears how each job ends. */
  telemetry: Pick<Telemetry, 'jobEnded'>;
  /** Forgets what counts no more of the limits of a minute. */
  forgetWindows: () => Promise<unknown>;
}

/** What runs by itself. */
export interface Jobs {
  /** Whether this process does what one does for all. */
  readonly areShared: boolean;
  /** From now on this process also does what one does for all that serve this database. */
  takeShared(): void;
  /** Ends all jobs, and writes what still waits. */
  stop(): Promise<void>;
}

/**
 * Begins what each process does by itself, and how often; nothing is done while the audit log is not what its checkpoints
 * say.
 */
export function startJobs({
  db,
  log,
  lastUsed,
  decisions,
  storeCalls,
  checkpoints,
  reserveWraps,
  keys,
  rewrap,
  rotations,
  syncs,
  resumption,
  auditStream,
  upkeep,
  telemetry,
  forgetWindows,
}: JobParts): Jobs {
  let [shared, stopped] = [false, false];
  const jobs = [
    job('last use', 500, () => lastUsed.flush()),
    job('decisions', 500, () => decisions.flush()),
    job('store calls', 1_000, () => storeCalls.flush()),
    job('clock', 30_000, () => db.setClock()),
    job('keys', 2_000, () => keys.look()),
    job('wraps', 5_000, reserveWraps),
    job('audit checkpoint', 60_000, () => (shared ? checkpoints.write() : checkpoints.check())),
  ];
  const beginShared = () => [
    job('resume', 500, () => resumption.tick()),
    job('syncs', 1_000, () => syncs.tick()),
    job('rotations due', 1_000, () => rotations.tick()),
    job('rewrap', 1_000, () => rewrap.tick()),
    job('retire', 30_000, () => retireOutlived(db)),
    job('nonces', 60_000, () => forgetNonces(db)),
    job('password attempts', 60_000, () => forgetAttempts(db)),
    job('rate limits', 60_000, forgetWindows),
    job('days', 600_000, () => forgetOldDays(db)),
    job('idempotency', 600_000, () => forgetOldAnswers(db)),
    ...(auditStream ? [job('audit stream', 1_000, () => auditStream.tick())] : []),
    ...(upkeep ? [job('upkeep', 60_000, () => upkeep.tick())] : []),
  ];

  function job(name: string, everyMs: number, work: () => Promise<unknown>) {
    let running: Promise<unknown> = Promise.resolve();
    let busy = false;
    const timer = setInterval(() => {
      // What could not be recorded is not begun.
      if (busy || checkpoints.breaks.length > 0) return;
      busy = true;
      running = work()
        .then(
          () => telemetry.jobEnded(name, false),
          (error: unknown) => {
            telemetry.jobEnded(name, true);
            log.error({ error, job: name }, 'a job failed and will be tried again');
          },
        )
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

  const last = (name: string, work: () => Promise<unknown>) =>
    work().catch((error: unknown) => log.error({ error, job: name }, 'a job failed, and is not tried again'));

  return {
    get areShared() {
      return shared;
    },
    takeShared() {
      if (shared || stopped) return;
      shared = true;
      jobs.push(...beginShared());
    },
    async stop() {
      stopped = true;
      await Promise.all([rewrap.stop(), auditStream?.leave()]);
      await Promise.all(jobs.map(({ stop }) => stop()));
      await Promise.all([resumption.stop(), syncs.stop(), rotations.stop()]);
      await auditStream?.close();
      // Each by itself: what fails keeps nothing else from being written.
      await last('last use', () => lastUsed.flush());
      await last('decisions', () => decisions.flush());
      await last('store calls', () => storeCalls.flush());
      await last('audit checkpoint', () => checkpoints.write());
    },
  };
}
