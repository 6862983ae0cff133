import { StoreError } from '../../connectors/store-error.js';
import { sql } from '../../database.js';
import { codes, KeywayError } from '../../errors.js';
import { withStore, type OpenStore, type StoreParts } from '../../stores/open.js';
import { doAtStore, SecretLost } from './deeds.js';
import { leased, LeaseLost, type Lease } from './lease.js';
import { settle, settleFailed, settleUnknown, type Failure } from './settle.js';
import { loadWork, wayOf, type Work } from './work.js';

/**
 * Does what an intent says at its store, and settles it: done, failed, or not known. Where the store gave no clear
 * answer, and asking again can tell or does no harm, the intent stays open, to be taken up again.
 * @param again whether the store may have heard of it before
 * @throws what is no answer of a store: then the intent stays open too
 */
export async function advance(parts: StoreParts, lease: Lease, again: boolean): Promise<void> {
  const work = await loadWork(parts.db, lease.id);
  try {
    await withStore(parts, work.intent.storeId, (open) => act(parts, open, lease, work, again));
  } catch (error) {
    if (error instanceof LeaseLost) return;
    throw error;
  }
}

async function act(parts: StoreParts, open: OpenStore, lease: Lease, work: Work, again: boolean) {
  const upstream = leased(parts.db, open.upstream, lease);
  const { db, keyring } = parts;
  try {
    const outcome = await doAtStore({ db, keyring, connector: open.connector, upstream, work, again });
    await settle(parts, open, lease, work, outcome);
  } catch (error) {
    if (error instanceof SecretLost) return settleUnknown(parts, lease, work, lostSecret);
    if (!(error instanceof KeywayError)) throw error;
    await deal(parts, open, lease, work, again, error);
  }
}

/** What becomes of an intent that the store did not take. */
async function deal(
  parts: StoreParts,
  open: OpenStore,
  lease: Lease,
  work: Work,
  again: boolean,
  error: KeywayError,
): Promise<void> {
  const { verb } = work.intent;
  const { connector } = open;
  const failure: Failure = { code: error.code, message: error.message };
  const passing = error.code === 'UNAVAILABLE' || error.code === 'RATE_LIMITED';
  const unclear = error instanceof StoreError && error.unclear;
  // What was begun is brought to its end; what has not left Keyway yet is the caller's to try again.
  if (verb === 'RETIRE' || work.intent.details.sweep) return later(parts, lease, work, error);
  if (!again && !unclear) return settleFailed(parts, lease, work, failure);
  const makesSecret = verb === 'ROTATE' || verb === 'CREATE';
  const way = wayOf(connector);
  if (makesSecret && way === 'replaced' && !connector.reveal)
    return settleUnknown(parts, lease, work, lostSecret);
  if (unclear || passing) return later(parts, lease, work, error);
  // Refused now, but perhaps done before: only where nothing of that could remain has it failed.
  return way === 'ours' || !makesSecret
    ? settleUnknown(parts, lease, work, { code: 'OUTCOME_UNKNOWN', message: codes.OUTCOME_UNKNOWN })
    : settleFailed(parts, lease, work, failure);
}

async function later({ db, log }: StoreParts, lease: Lease, work: Work, error: KeywayError): Promise<void> {
  const { attempts, storeId, verb } = work.intent;
  const asked = error instanceof StoreError ? (error.retryAfterMs ?? 0) : 0;
  const waitMs = Math.min(asked, mostAskedMs) + Math.random() * Math.min(longestWaitMs, 250 * 2 ** attempts);
  const { code } = error;
  log.warn({ store: storeId, verb, code, cause: error.cause }, 'a write to a store has no clear outcome yet');
  await db.rows(release, { id: lease.id, fence: lease.fence, waitMs, failure: `${code}: ${error.message}` });
}

const longestWaitMs = 30_000;
const mostAskedMs = 600_000;

const lostSecret: Failure = {
  code: 'OUTCOME_UNKNOWN',
  message: "The store's answer was lost, and the new secret with it. Rotate again.",
};

const release = sql(`
  UPDATE intents SET lease_until = now(), attempts = attempts + 1, failure = :failure,
    next_at = now() + CAST(:waitMs AS double precision) * interval '1 millisecond'
  WHERE id = :id AND fence = :fence AND state = 'OPEN' RETURNING id`);
