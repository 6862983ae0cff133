import { StoreError } from '../../connectors/store-error.js';
import { sql } from '../../database/database.js';
import { DatabaseUnavailable, KeywayError } from '../../errors.js';
import type { StoreParts } from '../../stores/open.js';
import { markEnding } from '../record/end.js';
import type { Lease } from './lease.js';
import { lockIntent, tell, textOf, type Failure } from './settle.js';
import { ends } from './verdict.js';
import type { Work } from './work.js';

const shortestWaitMs = 250;
const longestWaitMs = 30_000;
const mostAskedMs = 600_000;

/**
 * Leaves an intent open, to be tried again: sooner at first, and not before the store asked to be left alone for. What
 * refuses to be ended is told once for each reason, in the log and in the audit.
 * @param refused whether the store said no
 */
export async function postpone(
  parts: StoreParts,
  lease: Lease,
  work: Work,
  { failure, error, refused }: { failure: Failure; error: Error; refused: boolean },
): Promise<void> {
  const { db, log, keyring } = parts;
  const { attempts, storeId, verb } = work.intent;
  const { code } = failure;
  log.warn({ store: storeId, verb, code, cause: error.cause }, 'a write to a store has no clear outcome yet');
  const { id, fence } = lease;
  const release = { id, fence, waitMs: waitBefore(error, attempts), failure: textOf(failure) };
  if (!refused || !ends(verb)) return void (await db.rows(releaseOpen, release));
  const isNews = work.intent.failure !== release.failure;
  await db.transaction(async (tx) => {
    const { intent, credential } = await lockIntent(tx, lease, work);
    await markEnding(tx, credential.id);
    await tx.rows(releaseOpen, release);
    if (isNews) await tell(keyring, tx, intent, credential, code);
  });
}

/**
 * Leaves an intent open that went wrong here and not at its store, to be tried again after a wait that grows as well.
 * @param isOpen whether the store was opened before that
 */
export async function postponeFaulty(
  { db }: StoreParts,
  { id, fence }: Lease,
  { intent }: Work,
  error: unknown,
  isOpen: boolean,
): Promise<void> {
  const waitMs = waitBefore(error, intent.attempts);
  await db.rows(releaseOpen, { id, fence, waitMs, failure: textOf(faultOf(error, isOpen)) });
}

/** What is told of an error that a try ended with, in words of Keyway's alone. */
export function faultOf(error: unknown, isOpen: boolean): Failure {
  if (!(error instanceof KeywayError)) return inside;
  const { code, message } = error;
  const isSealed = !isOpen && (code === 'INTERNAL_SERVER_ERROR' || code === 'UNAVAILABLE');
  if (isSealed && !(error instanceof DatabaseUnavailable)) return { code, message: unopened };
  return code === inside.code ? inside : { code, message };
}

const inside: Failure = {
  code: 'INTERNAL_SERVER_ERROR',
  message: 'Something went wrong inside Keyway: its log has the reason.',
};

const unopened =
  'Keyway cannot open what it proves itself with at the store: a key of Keyway is missing, or the record was changed. Restore the keys, or connect the store anew by updateStore.';

/** How long to wait before the next try: longer each time, and no less than the store asked for. */
export function waitBefore(error: unknown, attempts: number): number {
  const asked = error instanceof StoreError ? (error.retryAfterMs ?? 0) : 0;
  return (
    Math.min(asked, mostAskedMs) + Math.random() * Math.min(longestWaitMs, shortestWaitMs * 2 ** attempts)
  );
}

const releaseOpen = sql(`
  UPDATE intents SET lease_until = now(), attempts = attempts + 1, failure = :failure,
    next_at = now() + CAST(:waitMs AS double precision) * interval '1 millisecond'
  WHERE id = :id AND fence = :fence AND state = 'OPEN' RETURNING id`);
